//! From bytes to expressions: the grammar of xend's own reader, with the differences between its releases.

use super::Sxp;
use std::fmt;

/// Lists inside lists, at most: xend's own deepest has seven.
const DEEPEST: usize = 64;
/// The longest text that is read.
const LONGEST: usize = 16 * 1024 * 1024;
/// Ends the text wherever it stands.
pub const END_OF_TEXT: u8 = 4;

/// What a release's reader makes of the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// What xend prints, as it means it: `\xc3` is the byte 0xc3.
    Answer,
    /// xend 3.0.2 and 3.0.3 reading a request: `!` ends an atom, unknown and short escapes are fatal.
    Request302,
    /// xend 3.0.4 to 3.4 reading a request: `!` ends an atom, an unknown escape loses its letter.
    Request304,
    /// xend 4.0 to 4.4 reading a request.
    Request40,
}

/// Why a text is no expression.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Flaw {
    /// A byte that cannot open an atom.
    InvalidCharacter(u8),
    /// A closing bracket too many.
    Unbalanced,
    /// The text ends within a string or a list.
    UnexpectedEnd,
    /// An escape that the reader of this release fails on.
    BadEscape,
    /// Lists nested deeper than any answer is.
    TooDeep,
    /// More text than is read.
    TooLong,
}

impl fmt::Display for Flaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Flaw::InvalidCharacter(byte) => write!(f, "invalid character: code {byte}"),
            Flaw::Unbalanced => f.write_str("syntax error: )"),
            Flaw::UnexpectedEnd => f.write_str("unexpected EOF"),
            Flaw::BadEscape => f.write_str("escape sequence that cannot be read"),
            Flaw::TooDeep => write!(f, "more than {DEEPEST} lists inside each other"),
            Flaw::TooLong => write!(f, "more than {LONGEST} bytes"),
        }
    }
}

/// The first expression of an answer; releases from 4.1 on put an empty string behind some of them, which is ignored as
/// is everything else there. `None` for an answer without any expression.
pub fn read_answer(text: &[u8]) -> Result<Option<Sxp>, Flaw> {
    let mut reader = Reader::new(text, Dialect::Answer)?;
    match reader.next()? {
        None if reader.inside() => Err(Flaw::UnexpectedEnd),
        first => Ok(first),
    }
}

/// All whole expressions of a text. As in xend, a list that is still open at the end is left out.
pub fn read_all(text: &[u8], dialect: Dialect) -> Result<Vec<Sxp>, Flaw> {
    let mut reader = Reader::new(text, dialect)?;
    let mut found = Vec::new();
    while let Some(expression) = reader.next()? {
        found.push(expression);
    }
    Ok(found)
}

/// A text, the place in it, and the lists that are open there.
struct Reader<'a> {
    text: &'a [u8],
    at: usize,
    dialect: Dialect,
    open: Vec<Vec<Sxp>>,
}

impl<'a> Reader<'a> {
    fn new(text: &'a [u8], dialect: Dialect) -> Result<Reader<'a>, Flaw> {
        if text.len() > LONGEST {
            return Err(Flaw::TooLong);
        }
        let end = text.iter().position(|byte| *byte == END_OF_TEXT).unwrap_or(text.len());
        Ok(Reader { text: &text[..end], at: 0, dialect, open: Vec::new() })
    }

    fn inside(&self) -> bool {
        !self.open.is_empty()
    }

    fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    /// Reads on until an expression outside all lists is whole.
    fn next(&mut self) -> Result<Option<Sxp>, Flaw> {
        while let Some(byte) = self.peek() {
            let whole = match byte {
                b' ' | b'\t' | b'\n' | 0x0b | 0x0c | b'\r' => {
                    self.at += 1;
                    continue;
                }
                b'#' => {
                    self.skip_comment();
                    continue;
                }
                b'(' => {
                    if self.open.len() == DEEPEST {
                        return Err(Flaw::TooDeep);
                    }
                    self.at += 1;
                    self.open.push(Vec::new());
                    continue;
                }
                b')' => {
                    self.at += 1;
                    Sxp::List(self.open.pop().ok_or(Flaw::Unbalanced)?)
                }
                b'\'' | b'"' => self.string(byte)?,
                0x21..=0x7e => self.bare_atom(),
                other => return Err(Flaw::InvalidCharacter(other)),
            };
            match self.open.last_mut() {
                Some(list) => list.push(whole),
                None => return Ok(Some(whole)),
            }
        }
        Ok(None)
    }

    fn skip_comment(&mut self) {
        let rest = &self.text[self.at..];
        self.at += rest.iter().position(|byte| *byte == b'\n').unwrap_or(rest.len());
    }

    fn bare_atom(&mut self) -> Sxp {
        let start = self.at;
        self.at += 1;
        while self.peek().is_some_and(|byte| !self.ends_atom(byte)) {
            self.at += 1;
        }
        Sxp::atom(&self.text[start..self.at])
    }

    fn ends_atom(&self, byte: u8) -> bool {
        let exclamation_ends = matches!(self.dialect, Dialect::Request302 | Dialect::Request304);
        b" \t\n\x0b\x0c\r#{}()<>[];".contains(&byte) || (byte == b'!' && exclamation_ends)
    }

    fn string(&mut self, quote: u8) -> Result<Sxp, Flaw> {
        let mut bytes = Vec::new();
        self.at += 1;
        loop {
            let byte = self.take()?;
            match byte {
                b'\\' => self.escape(&mut bytes)?,
                byte if byte == quote => return Ok(Sxp::Atom(bytes)),
                byte => bytes.push(byte),
            }
        }
    }

    fn take(&mut self) -> Result<u8, Flaw> {
        let byte = self.peek().ok_or(Flaw::UnexpectedEnd)?;
        self.at += 1;
        Ok(byte)
    }

    fn escape(&mut self, bytes: &mut Vec<u8>) -> Result<(), Flaw> {
        let letter = self.take()?;
        let plain = match letter {
            b'a' => 0x07,
            b'b' => 0x08,
            b't' => b'\t',
            b'n' => b'\n',
            b'v' => 0x0b,
            b'f' => 0x0c,
            b'r' => b'\r',
            b'\\' | b'\'' | b'"' => letter,
            b'x' => self.hexadecimal()?,
            b'0'..=b'7' => self.octal(letter)?,
            _ if self.dialect == Dialect::Request302 => return Err(Flaw::BadEscape),
            // The letter is lost in a request; an answer never has such an escape, so nothing is dropped from one.
            _ if self.dialect == Dialect::Answer => {
                bytes.push(b'\\');
                letter
            }
            _ => b'\\',
        };
        bytes.push(plain);
        Ok(())
    }

    /// Two digits. In requests every release takes the letters for zero to five.
    fn hexadecimal(&mut self) -> Result<u8, Flaw> {
        let mut value = 0;
        for _ in 0..2 {
            let digit = self.take()?;
            let digit = match (digit, self.dialect) {
                (b'0'..=b'9', _) => digit - b'0',
                (b'a'..=b'f', Dialect::Answer) => digit - b'a' + 10,
                (b'A'..=b'F', Dialect::Answer) => digit - b'A' + 10,
                (b'a'..=b'f', _) => digit - b'a',
                (b'A'..=b'F', _) => digit - b'A',
                _ => return Err(Flaw::BadEscape),
            };
            value = value * 16 + digit;
        }
        Ok(value)
    }

    /// Up to three digits, the first of which is given.
    fn octal(&mut self, first: u8) -> Result<u8, Flaw> {
        let mut value = u32::from(first - b'0');
        for _ in 0..2 {
            match self.peek() {
                Some(digit @ b'0'..=b'7') => {
                    value = value * 8 + u32::from(digit - b'0');
                    self.at += 1;
                }
                _ if self.dialect == Dialect::Request302 => return Err(Flaw::BadEscape),
                _ => break,
            }
        }
        u8::try_from(value).map_err(|_| Flaw::BadEscape)
    }
}
