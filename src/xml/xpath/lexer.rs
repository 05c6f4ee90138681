//! Words of an expression.

use super::XPathError;

/// A word and the character it begins at.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Word {
    pub token: Token,
    pub at: usize,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Token {
    /// A name, with its prefix if it has one; `*` and `prefix:*` are names too.
    Name(String),
    /// A name before `::`.
    Axis(String),
    Number(f64),
    Literal(String),
    Variable(String),
    /// Punctuation, and the operators that are spelled as names.
    Sign(&'static str),
}

const SIGNS: &[&str] =
    &["//", "!=", "<=", ">=", "..", "(", ")", "[", "]", ".", "@", ",", "/", "|", "+", "-", "=", "<", ">"];
const NAMED_OPERATORS: &[&str] = &["and", "or", "mod", "div"];

/// Splits an expression into its words.
pub(super) fn words(expression: &str) -> Result<Vec<Word>, XPathError> {
    let mut lexer = Lexer { expression, at: 0, words: Vec::new() };
    while lexer.next_word()? {}
    Ok(lexer.words)
}

struct Lexer<'a> {
    expression: &'a str,
    at: usize,
    words: Vec<Word>,
}

impl Lexer<'_> {
    fn rest(&self) -> &str {
        &self.expression[self.at..]
    }

    /// Reads one word; whether there was one.
    fn next_word(&mut self) -> Result<bool, XPathError> {
        self.at += self.rest().len() - self.rest().trim_start().len();
        let Some(first) = self.rest().chars().next() else {
            return Ok(false);
        };
        let begin = self.at;
        let token = match first {
            '\'' | '"' => self.literal(first)?,
            '0'..='9' => self.number(),
            '.' if self.rest()[1..].starts_with(|c: char| c.is_ascii_digit()) => self.number(),
            '$' => {
                self.at += 1;
                Token::Variable(self.name())
            }
            '*' => {
                self.at += 1;
                if self.operator_expected() { Token::Sign("*") } else { Token::Name("*".to_string()) }
            }
            first if is_name_start(first) => self.word(),
            _ => self.sign()?,
        };
        self.words.push(Word { token, at: begin });
        Ok(true)
    }

    /// After a complete operand `*`, `and` and their like are operators; elsewhere they are names.
    fn operator_expected(&self) -> bool {
        match self.words.last().map(|word| &word.token) {
            None | Some(Token::Axis(_)) => false,
            Some(Token::Sign(sign)) => matches!(*sign, ")" | "]" | "." | ".."),
            Some(_) => true,
        }
    }

    fn literal(&mut self, quote: char) -> Result<Token, XPathError> {
        let text = &self.rest()[1..];
        let end = text
            .find(quote)
            .ok_or(XPathError::Syntax { expected: "the end of the string", at: self.expression.len() + 1 })?;
        let literal = text[..end].to_string();
        self.at += end + 2;
        Ok(Token::Literal(literal))
    }

    fn number(&mut self) -> Token {
        let rest = self.rest();
        let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
        let value = rest[..end].parse().unwrap_or(f64::NAN);
        self.at += end;
        Token::Number(value)
    }

    fn name(&mut self) -> String {
        let rest = self.rest();
        let end = rest.find(|c| !is_name_part(c)).unwrap_or(rest.len());
        let name = rest[..end].to_string();
        self.at += end;
        name
    }

    fn word(&mut self) -> Token {
        let mut name = self.name();
        if self.operator_expected() {
            if let Some(operator) = NAMED_OPERATORS.iter().find(|operator| **operator == name) {
                return Token::Sign(operator);
            }
        }
        if self.rest().trim_start().starts_with("::") {
            self.at += self.rest().len() - self.rest().trim_start().len() + 2;
            return Token::Axis(name);
        }
        let after_colon = self.rest().strip_prefix(':').and_then(|rest| rest.chars().next());
        match after_colon {
            Some('*') => {
                self.at += 2;
                name.push_str(":*");
            }
            Some(first) if is_name_start(first) => {
                self.at += 1;
                name.push(':');
                name.push_str(&self.name());
            }
            _ => {}
        }
        Token::Name(name)
    }

    fn sign(&mut self) -> Result<Token, XPathError> {
        let found = SIGNS.iter().find(|sign| self.rest().starts_with(**sign));
        let sign = found.ok_or(XPathError::Syntax { expected: "an operator or a name", at: self.at + 1 })?;
        self.at += sign.len();
        Ok(Token::Sign(sign))
    }
}

fn is_name_start(c: char) -> bool {
    c.is_alphabetic() || c == '_'
}

fn is_name_part(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '_' | '-' | '.')
}
