//! Words out of a command line: quotes, backslashes, `;`, line ends and comments, as virsh reads them.
//!
//! Tokens are made one by one, because an error later in the line must not hide an earlier one that the parser
//! finds.

use anyhow::{Result, bail};

/// A piece of a command line.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Token {
    /// A word, its quotes taken off.
    Word(String),
    /// The end of a command: `;`, the end of a line, or a comment.
    End,
}

/// Where the parser gets its tokens: a line of text, or the words of the process's arguments.
pub trait Tokens {
    /// The next token; `None` when there is none left.
    fn next_token(&mut self) -> Result<Option<Token>>;
}

/// The tokens of a text.
pub struct Line<'a> {
    rest: std::iter::Peekable<std::str::Chars<'a>>,
}

impl<'a> Line<'a> {
    /// Reads `text` from its beginning.
    pub fn new(text: &'a str) -> Line<'a> {
        Line { rest: text.chars().peekable() }
    }

    /// Where in `text`, which this reads, the next word begins.
    pub fn next_word_start(&mut self, text: &str) -> usize {
        self.skip_blanks();
        text.len() - self.rest.clone().map(char::len_utf8).sum::<usize>()
    }

    /// Whether everything has been read.
    pub fn is_at_end(&mut self) -> bool {
        self.rest.peek().is_none()
    }

    fn skip_blanks(&mut self) {
        while self.rest.next_if(|c| matches!(c, ' ' | '\t')).is_some() {}
    }

    /// Reads a word whose first character is next.
    fn word(&mut self) -> Result<String> {
        let mut word = String::new();
        let mut double = false;
        loop {
            match self.rest.peek() {
                None if double => bail!("missing \""),
                None => return Ok(word),
                Some(' ' | '\t' | '\n' | ';') if !double => return Ok(word),
                Some(_) => {}
            }
            match self.rest.next() {
                Some('"') => double = !double,
                // An unclosed single quote reaches to the end of the text.
                Some('\'') if !double => word.extend(self.rest.by_ref().take_while(|&c| c != '\'')),
                Some('\\') => match self.rest.next() {
                    None => bail!("dangling \\"),
                    // A line goes on after a backslash at its end.
                    Some('\n') => {}
                    Some(taken) => word.push(taken),
                },
                Some(other) => word.push(other),
                None => return Ok(word),
            }
        }
    }
}

impl Tokens for Line<'_> {
    fn next_token(&mut self) -> Result<Option<Token>> {
        self.skip_blanks();
        match self.rest.peek() {
            None => Ok(None),
            Some('\n' | ';') => {
                self.rest.next();
                Ok(Some(Token::End))
            }
            Some('#') => {
                while self.rest.next_if(|&c| c != '\n').is_some() {}
                Ok(Some(Token::End))
            }
            Some(_) => Ok(Some(Token::Word(self.word()?))),
        }
    }
}

/// Words that were split already: one command, no quoting.
pub struct Words<I>(pub I);

impl<I: Iterator<Item = String>> Tokens for Words<I> {
    fn next_token(&mut self) -> Result<Option<Token>> {
        Ok(self.0.next().map(Token::Word))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<String> {
        let mut line = Line::new(text);
        let mut words = Vec::new();
        while let Some(token) = line.next_token().unwrap() {
            words.push(match token {
                Token::Word(word) => word,
                Token::End => ";".to_string(),
            });
        }
        words
    }

    fn failure(text: &str) -> String {
        let mut line = Line::new(text);
        loop {
            match line.next_token() {
                Ok(Some(_)) => {}
                Ok(None) => return String::new(),
                Err(error) => return error.to_string(),
            }
        }
    }

    #[test]
    fn quotes_join_and_protect() {
        assert_eq!(words(r#"a'b '"c d"e\ f"#), ["ab c de f"]);
        assert_eq!(words(r#"'a\nb' "a\nb""#), [r"a\nb", "anb"]);
        assert_eq!(words("a \"\" ''"), ["a", "", ""]);
    }

    #[test]
    fn commands_end_at_semicolons_lines_and_comments() {
        assert_eq!(words("a;b # c ; d\ne#f"), ["a", ";", "b", ";", ";", "e#f"]);
    }

    #[test]
    fn what_is_not_closed_is_refused_but_for_single_quotes() {
        assert_eq!(failure("a \"b"), "missing \"");
        assert_eq!(failure("a\\"), "dangling \\");
        assert_eq!(words("'a; b"), ["a; b"]);
    }
}
