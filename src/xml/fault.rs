//! What is wrong with a document that is not well formed, said in the words libxml2 has for it: the line, the fault,
//! the line's text, and an arrow at the place.

use crate::error::{Error, ErrorCode, ErrorOrigin};
use quick_xml::errors::{IllFormedError, SyntaxError};
use quick_xml::events::attributes::AttrError;

/// Lines longer than this are shown only around the fault.
const LINE_MAX: usize = 500;

/// A fault: what it is and the byte it was seen at.
pub(super) struct Fault {
    pub(super) message: String,
    pub(super) at: usize,
}

impl Fault {
    pub(super) fn new(message: impl Into<String>, at: usize) -> Fault {
        Fault { message: message.into(), at }
    }

    /// The same fault in a text that has `bytes` more before it.
    pub(super) fn moved(self, bytes: usize) -> Fault {
        Fault { at: self.at + bytes, ..self }
    }

    /// The error a person reads.
    pub(super) fn into_error(self, text: &str) -> Error {
        let mut at = self.at.min(text.len());
        while !text.is_char_boundary(at) {
            at -= 1;
        }
        let line = 1 + text.as_bytes()[..at].iter().filter(|&&byte| byte == b'\n').count();
        let seen = text[..at].trim_end_matches(['\n', '\r']).len();
        let seen = if at == text.len() { seen } else { at };
        let start = text[..seen].rfind('\n').map_or(0, |newline| newline + 1);
        let end = text[seen..].find('\n').map_or(text.len(), |length| seen + length);
        let (shown, before) = around(&text[start..end], seen - start);
        // There is no line to show; these are the words that have always stood there.
        let shown = if text.is_empty() { "(null)" } else { shown };
        let message = format!("at line {line}: {}\n{shown}\n{}^", self.message, "-".repeat(before));
        Error::new(ErrorCode::XML_DETAIL, message).from_origin(ErrorOrigin::XML)
    }
}

/// The part of a line around a place in it, and how many bytes of it come before that place.
fn around(line: &str, at: usize) -> (&str, usize) {
    if line.len() <= LINE_MAX {
        return (line, at);
    }
    let boundary = |mut place: usize| {
        place = place.min(line.len());
        while !line.is_char_boundary(place) {
            place -= 1;
        }
        place
    };
    let (from, to) = (boundary(at.saturating_sub(80)), boundary(at.saturating_add(80)));
    (&line[from..to], at - from)
}

/// Faults the parser finds between tags. `start` is where what it was reading began, `end` how far it has read.
pub(super) fn of_parser(
    error: &quick_xml::Error,
    text: &str,
    (start, end): (usize, usize),
    open: Option<(&str, u32)>,
) -> Fault {
    match error {
        quick_xml::Error::Syntax(error) => of_syntax(error, text, start),
        quick_xml::Error::IllFormed(IllFormedError::MismatchedEndTag { expected, found }) => {
            let line = open.map_or(0, |(_, line)| line);
            let message = format!("Opening and ending tag mismatch: {expected} line {line} and {found}");
            Fault::new(message, end)
        }
        quick_xml::Error::IllFormed(IllFormedError::UnmatchedEndTag(_)) => {
            Fault::new("Extra content at the end of the document", start)
        }
        quick_xml::Error::IllFormed(IllFormedError::UnclosedReference) => of_reference(text, start),
        quick_xml::Error::IllFormed(IllFormedError::DoubleHyphenInComment) => {
            Fault::new("Double hyphen within comment", start)
        }
        other => Fault::new(other.to_string(), start),
    }
}

fn of_syntax(error: &SyntaxError, text: &str, start: usize) -> Fault {
    let rest = text.get(start..).unwrap_or_default();
    match error {
        SyntaxError::UnclosedComment => Fault::new("Comment not terminated", text.len()),
        SyntaxError::UnclosedCData => Fault::new("CData section not finished", text.len()),
        SyntaxError::InvalidBangMarkup => Fault::new("StartTag: invalid element name", start + 1),
        SyntaxError::UnclosedPI | SyntaxError::UnclosedXmlDecl => {
            Fault::new("PI: unterminated processing instruction", text.len())
        }
        SyntaxError::UnclosedDoctype => Fault::new("DOCTYPE improperly terminated", text.len()),
        _ => {
            let quote = rest.chars().fold(None, |inside, c| match inside {
                None if c == '"' || c == '\'' => Some(c),
                Some(quote) if c == quote => None,
                same => same,
            });
            match quote {
                Some(quote) => Fault::new(format!("AttValue: {quote} expected"), text.len()),
                None if rest.starts_with("</") => Fault::new("expected '>'", text.len()),
                None => {
                    let name: String = rest.chars().skip(1).take_while(|c| is_name_part(*c)).collect();
                    let before = text.get(..start).unwrap_or(text);
                    let line = 1 + before.matches('\n').count();
                    let message = format!("Couldn't find end of Start Tag {name} line {line}");
                    Fault::new(message, text.len())
                }
            }
        }
    }
}

/// A `&` that begins no reference.
pub(super) fn of_reference(text: &str, from: usize) -> Fault {
    let rest = text.get(from..).unwrap_or_default();
    let at = from + rest.find('&').unwrap_or(0) + 1;
    let name = text.get(at..).unwrap_or_default();
    let length: usize = name.chars().take_while(|c| is_name_part(*c)).map(char::len_utf8).sum();
    match length {
        0 => Fault::new("xmlParseEntityRef: no name", at),
        length => Fault::new("EntityRef: expecting ';'", at + length),
    }
}

/// Faults among the attributes of the tag whose text begins at `start` (behind its `<`).
pub(super) fn of_attribute(error: &AttrError, text: &str, start: usize) -> Fault {
    let word = |at: usize| -> String {
        let tail = text.get(at..).unwrap_or_default();
        tail.chars().take_while(|c| is_name_part(*c)).collect()
    };
    match error {
        AttrError::ExpectedEq(at) => {
            let end = start + at;
            let head = text.get(..end).unwrap_or_default().trim_end();
            let name: String = head
                .chars()
                .rev()
                .take_while(|c| is_name_part(*c))
                .collect::<Vec<char>>()
                .into_iter()
                .rev()
                .collect();
            let message = format!("Specification mandates value for attribute {name}");
            Fault::new(message, head.len())
        }
        AttrError::ExpectedValue(at) | AttrError::UnquotedValue(at) => {
            Fault::new("AttValue: \" or ' expected", start + at)
        }
        AttrError::ExpectedQuote(at, quote) => {
            Fault::new(format!("AttValue: {} expected", char::from(*quote)), start + at)
        }
        AttrError::Duplicated(at, _) => {
            let name = word(start + at);
            let tail = text.get(start + at..).unwrap_or_default();
            let value = tail.find(['"', '\'']).and_then(|open| {
                let quote = tail[open..].chars().next()?;
                Some(open + 1 + tail[open + 1..].find(quote)? + 1)
            });
            Fault::new(format!("Attribute {name} redefined"), start + at + value.unwrap_or(0))
        }
    }
}

/// Where an attribute follows another without a blank between them.
pub(super) fn joined_attributes(tag: &str) -> Option<usize> {
    let mut inside = None;
    let mut closed = false;
    for (place, c) in tag.char_indices() {
        if closed && !c.is_whitespace() && c != '/' {
            return Some(place);
        }
        closed = inside == Some(c);
        inside = match inside {
            None if c == '"' || c == '\'' => Some(c),
            Some(quote) if c == quote => None,
            same => same,
        };
    }
    None
}

/// Whether a character may stand in a name.
pub(super) fn is_name_part(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '_' | ':' | '-' | '.') || !c.is_ascii()
}

/// Whether a character may begin a name.
pub(super) fn is_name_start(c: char) -> bool {
    is_name_part(c) && !c.is_ascii_digit() && !matches!(c, '-' | '.')
}
