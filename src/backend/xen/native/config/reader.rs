//! From text to statements.

use super::{DEEPEST, Value, is_word};

/// What is left to read, and the line it is on.
pub(super) struct Reader<'a> {
    pub(super) rest: &'a str,
    pub(super) line: usize,
}

impl Reader<'_> {
    fn advance(&mut self, bytes: usize) {
        let (passed, rest) = self.rest.split_at(bytes);
        self.line += passed.matches('\n').count();
        self.rest = rest;
    }

    fn next_is(&mut self, sign: char) -> bool {
        let is = self.rest.starts_with(sign);
        if is {
            self.advance(sign.len_utf8());
        }
        is
    }

    /// Skips blanks and continued lines.
    fn skip_blanks(&mut self) {
        loop {
            let blanks = self.rest.len() - self.rest.trim_start_matches([' ', '\t', '\r', '\x0c']).len();
            let continued = ["\\\n", "\\\r\n"].iter().find(|mark| self.rest[blanks..].starts_with(**mark));
            let step = blanks + continued.map_or(0, |mark| mark.len());
            if step == 0 {
                return;
            }
            self.advance(step);
        }
    }

    /// Skips blanks, line ends and comments, as inside brackets.
    fn skip_lines(&mut self) {
        loop {
            self.skip_blanks();
            if self.rest.starts_with('#') {
                self.advance(self.rest.find('\n').unwrap_or(self.rest.len()));
            } else if !self.next_is('\n') {
                return;
            }
        }
    }

    /// Goes to the next statement; false at the end.
    pub(super) fn skip_to_statement(&mut self) -> bool {
        loop {
            self.skip_lines();
            if !self.next_is(';') {
                return !self.rest.is_empty();
            }
        }
    }

    /// `name = value` or `name += value` up to its end; the value is `None` for Python's `None`.
    pub(super) fn assignment(&mut self) -> Option<(String, bool, Option<Value>)> {
        let name = self.word()?;
        self.skip_blanks();
        let appends = self.next_is('+');
        if !self.next_is('=') || self.rest.starts_with('=') {
            return None;
        }
        self.skip_blanks();
        let value = match self.rest.strip_prefix("None") {
            Some(after) if !after.starts_with(is_word) => {
                self.advance("None".len());
                None
            }
            _ => Some(self.value(0)?),
        };
        self.skip_blanks();
        let ends = self.rest.is_empty() || self.rest.starts_with(['\n', '#', ';']);
        ends.then_some((name, appends, value))
    }

    fn word(&mut self) -> Option<String> {
        let length = self.rest.find(|c| !is_word(c)).unwrap_or(self.rest.len());
        let word = self.rest[..length].to_string();
        self.advance(length);
        (!word.is_empty()).then_some(word)
    }

    fn value(&mut self, depth: usize) -> Option<Value> {
        match self.rest.chars().next()? {
            '\'' | '"' => {
                let mut text = self.string()?;
                loop {
                    if depth == 0 {
                        self.skip_blanks()
                    } else {
                        self.skip_lines()
                    }
                    if !self.rest.starts_with(['\'', '"']) {
                        return Some(Value::Text(text));
                    }
                    text += &self.string()?;
                }
            }
            '[' if depth < DEEPEST => self.items(depth + 1),
            _ => self.number(),
        }
    }

    fn items(&mut self, depth: usize) -> Option<Value> {
        let mut items = Vec::new();
        self.advance(1);
        loop {
            self.skip_lines();
            if self.next_is(']') {
                return Some(Value::List(items));
            }
            items.push(self.value(depth)?);
            self.skip_lines();
            if !self.next_is(',') && !self.rest.starts_with(']') {
                return None;
            }
        }
    }

    fn number(&mut self) -> Option<Value> {
        let negative = self.next_is('-');
        let word = self.word()?;
        let (digits, radix) = match word.get(..2) {
            Some("0x" | "0X") => (&word[2..], 16),
            Some("0o" | "0O") => (&word[2..], 8),
            _ if word.len() > 1 && word.starts_with('0') => (&word[1..], 8),
            _ => (&word[..], 10),
        };
        match word.as_str() {
            "True" if !negative => return Some(Value::Number(1)),
            "False" if !negative => return Some(Value::Number(0)),
            _ => {}
        }
        let magnitude = i64::from_str_radix(digits, radix).ok()?;
        Some(Value::Number(if negative { -magnitude } else { magnitude }))
    }

    /// A string on one line, without its quotes and with its escapes resolved.
    fn string(&mut self) -> Option<String> {
        let quote = self.rest.chars().next()?;
        let triple = [quote; 3].iter().collect::<String>();
        if self.rest.starts_with(&triple) {
            return None;
        }
        let mut text = String::new();
        let mut characters = self.rest.char_indices().skip(1);
        while let Some((at, character)) = characters.next() {
            match character {
                '\n' => return None,
                '\\' => match characters.next()?.1 {
                    '\n' => {}
                    'n' => text.push('\n'),
                    't' => text.push('\t'),
                    'r' => text.push('\r'),
                    known @ ('\\' | '\'' | '"') => text.push(known),
                    // Codes in digits are written by nobody; what they would mean differs between the two tools.
                    'x' | 'u' | 'U' | 'N' | '0'..='9' => return None,
                    other => text.extend(['\\', other]),
                },
                closing if closing == quote => {
                    self.advance(at + closing.len_utf8());
                    return Some(text);
                }
                other => text.push(other),
            }
        }
        None
    }

    /// Skips a statement that cannot be read: its line, what its brackets hold, and the block it opens.
    pub(super) fn skip_statement(&mut self) {
        let header = self.rest;
        self.skip_logical_line();
        let header = header[..header.len() - self.rest.len()].split('#').next().unwrap_or_default();
        if !header.trim_end().ends_with(':') {
            return;
        }
        while let Some(next) = self.rest.strip_prefix('\n') {
            let line = next.split('\n').next().unwrap_or_default();
            if !line.starts_with([' ', '\t']) && !line.trim().is_empty() {
                return;
            }
            self.advance(1);
            self.skip_logical_line();
        }
    }

    /// Goes to the line end that stands outside brackets and strings, or to the end of the text.
    fn skip_logical_line(&mut self) {
        let mut open = 0_usize;
        while let Some(character) = self.rest.chars().next() {
            match character {
                '\n' if open == 0 => return,
                '(' | '[' | '{' => open += 1,
                ')' | ']' | '}' => open = open.saturating_sub(1),
                '\\' => {
                    // The sign after it is no end of anything.
                    let escaped = self.rest[1..].chars().next().map_or(0, char::len_utf8);
                    self.advance(1 + escaped);
                    continue;
                }
                '#' => {
                    let comment = self.rest.find('\n').unwrap_or(self.rest.len());
                    self.advance(comment);
                    continue;
                }
                '\'' | '"' => {
                    let length = quoted_length(self.rest, character);
                    self.advance(length);
                    continue;
                }
                _ => {}
            }
            self.advance(character.len_utf8());
        }
    }
}

/// How long the string is that opens `text`; up to the line's end if it is not closed.
fn quoted_length(text: &str, quote: char) -> usize {
    let triple: String = [quote; 3].iter().collect();
    if text.starts_with(&triple) {
        return text[3..].find(&triple).map_or(text.len(), |end| end + 6);
    }
    let mut escaped = false;
    for (at, character) in text.char_indices().skip(1) {
        match character {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '\n' => return at,
            closing if closing == quote => return at + 1,
            _ => {}
        }
    }
    text.len()
}
