//! From text to tree: quick-xml's events, bounded in depth and size, every error with its line.

use super::fault::{self, Fault};
use super::tree::{Element, Node};
use crate::error::{Error, Result};
use quick_xml::events::{BytesStart, Event};
use quick_xml::{Reader, XmlVersion};

/// No document of libvirt's nests deeper than a dozen levels; this leaves room and keeps recursion safe.
const DEPTH_MAX: usize = 256;
/// Longer documents are refused unread.
const SIZE_MAX: usize = 16 * 1024 * 1024;

/// Parses a document. `what` names it where it is refused unread.
pub fn parse(text: &str, what: &str) -> Result<Element> {
    if text.len() > SIZE_MAX {
        return Err(Error::xml(format!(
            "({what}): the document has {} bytes, more than {SIZE_MAX}",
            text.len()
        )));
    }
    // A byte order mark is no part of the document, but of its lines when they are shown.
    let body = text.strip_prefix('\u{feff}').unwrap_or(text);
    if body.is_empty() && !text.is_empty() {
        return Err(Fault { at: 0, ..nothing_begins(text) }.into_error(text));
    }
    let mut parser = Parser { text: body, counted_to: 0, line: 1, open: Vec::new(), root: None };
    parser.run().map_err(|fault| fault.moved(text.len() - body.len()).into_error(text))
}

/// A text without a first tag.
fn nothing_begins(text: &str) -> Fault {
    match text.is_empty() {
        true => Fault::new("Document is empty", 0),
        false => Fault::new("Start tag expected, '<' not found", text.len()),
    }
}

type Parsed<T> = std::result::Result<T, Fault>;

struct Parser<'a> {
    text: &'a str,
    /// How far newlines have been counted, and what the count is.
    counted_to: usize,
    line: u32,
    open: Vec<Element>,
    root: Option<Element>,
}

impl Parser<'_> {
    fn run(&mut self) -> Parsed<Element> {
        let mut reader = Reader::from_str(self.text);
        loop {
            let at = reader.buffer_position() as usize;
            let event = reader.read_event();
            let line = self.line_at(at);
            match event {
                Ok(Event::Start(tag)) => self.start(&tag, at, line)?,
                Ok(Event::Empty(tag)) => {
                    self.start(&tag, at, line)?;
                    self.end();
                }
                Ok(Event::End(_)) => self.end(),
                Ok(Event::Text(text)) => self.text(&text.xml10_content(), at)?,
                Ok(Event::CData(data)) => self.content(&data.xml10_content(), at)?,
                Ok(Event::GeneralRef(reference)) => self.reference(&reference, at)?,
                Ok(Event::DocType(_)) => {
                    return Err(Fault::new("document types are not accepted", at));
                }
                Ok(Event::Decl(_)) if at > 0 => {
                    let message = "XML declaration allowed only at the start of the document";
                    return Err(Fault::new(message, at + "<?xml".len()));
                }
                Ok(Event::Eof) => break,
                Ok(Event::Comment(_) | Event::Decl(_) | Event::PI(_)) => {}
                Err(error) => {
                    let start = reader.error_position() as usize;
                    let end = reader.buffer_position() as usize;
                    let open = self.open.last().map(|element| (element.name.as_str(), element.line));
                    return Err(fault::of_parser(&error, self.text, (start, end), open));
                }
            }
        }
        if let Some(open) = self.open.last() {
            let message = format!("Premature end of data in tag {} line {}", open.name, open.line);
            return Err(Fault::new(message, self.text.len()));
        }
        self.root.take().ok_or_else(|| nothing_begins(self.text))
    }

    fn line_at(&mut self, position: usize) -> u32 {
        let position = position.min(self.text.len());
        if position > self.counted_to {
            let passed = &self.text.as_bytes()[self.counted_to..position];
            self.line += passed.iter().filter(|&&byte| byte == b'\n').count() as u32;
            self.counted_to = position;
        }
        self.line
    }

    fn start(&mut self, tag: &BytesStart<'_>, at: usize, line: u32) -> Parsed<()> {
        if self.open.len() >= DEPTH_MAX {
            let message = format!("Excessive depth in document: {DEPTH_MAX} use XML_PARSE_HUGE option");
            return Err(Fault::new(message, at));
        }
        if self.open.is_empty() && self.root.is_some() {
            return Err(Fault::new("Extra content at the end of the document", at));
        }
        let name = tag.name().as_ref().to_string();
        if !name.starts_with(fault::is_name_start) {
            return Err(Fault::new("StartTag: invalid element name", at + 1));
        }
        let mut element = Element { name, line, ..Element::default() };
        if let Some(place) = fault::joined_attributes(tag) {
            return Err(Fault::new("attributes construct error", at + 1 + place));
        }
        for attribute in tag.attributes() {
            let attribute = attribute.map_err(|error| fault::of_attribute(&error, self.text, at + 1))?;
            let name = attribute.key.as_ref().to_string();
            let raw: &str = &attribute.value;
            if raw.contains('<') {
                let after = at + 1 + element.name.len();
                let place = self.text[after..].find(raw).unwrap_or(0) + raw.find('<').unwrap_or(0);
                let message = "Unescaped '<' not allowed in attributes values";
                return Err(Fault::new(message, after + place));
            }
            let value = attribute
                .normalized_value(XmlVersion::Implicit1_0)
                .map_err(|_| self.bad_reference(raw, at))?
                .into_owned();
            element.attributes.push((name, value));
        }
        self.open.push(element);
        Ok(())
    }

    /// A value whose references do not resolve.
    fn bad_reference(&self, raw: &str, at: usize) -> Fault {
        let start = at + self.text[at..].find(raw).unwrap_or(0);
        let mut rest = raw;
        let mut place = start;
        while let Some(ampersand) = rest.find('&') {
            let tail = &rest[ampersand + 1..];
            let Some(end) = tail.find(';') else { break };
            let name = &tail[..end];
            place += ampersand + 1 + end + 1;
            rest = &tail[end + 1..];
            if quick_xml::escape::unescape(&format!("&{name};")).is_err() {
                return Fault::new(format!("Entity '{name}' not defined"), place);
            }
        }
        fault::of_reference(self.text, place)
    }

    fn end(&mut self) {
        // quick-xml has checked that the tags match, so an end tag without a start cannot come here.
        let Some(element) = self.open.pop() else {
            return;
        };
        match self.open.last_mut() {
            Some(parent) => parent.push(element),
            None => self.root = Some(element),
        }
    }

    fn reference(&mut self, name: &str, at: usize) -> Parsed<()> {
        let resolved = match quick_xml::escape::unescape(&format!("&{name};")) {
            Ok(text) => text.into_owned(),
            Err(_) => {
                let end = at + self.text[at..].find(';').map_or(0, |end| end + 1);
                return Err(Fault::new(format!("Entity '{name}' not defined"), end));
            }
        };
        self.content(&resolved, at)
    }

    /// Text between tags, as it stands in the document.
    fn text(&mut self, text: &str, at: usize) -> Parsed<()> {
        if let Some(place) = text.find("]]>").filter(|_| !self.open.is_empty()) {
            return Err(Fault::new("Sequence ']]>' not allowed in content", at + place));
        }
        let is_control = |c: char| c < ' ' && !matches!(c, '\t' | '\n' | '\r');
        if let Some((place, c)) = text.char_indices().find(|(_, c)| is_control(*c)) {
            let message = format!("PCDATA invalid Char value {}", c as u32);
            return Err(Fault::new(message, at + place));
        }
        self.content(text, at)
    }

    fn content(&mut self, text: &str, at: usize) -> Parsed<()> {
        match self.open.last_mut() {
            Some(element) => match element.nodes.last_mut() {
                Some(Node::Text(before)) => before.push_str(text),
                _ => element.nodes.push(Node::Text(text.to_string())),
            },
            None if text.trim().is_empty() => {}
            None => {
                let place = at + text.len() - text.trim_start().len();
                let message = match self.root {
                    Some(_) => "Extra content at the end of the document",
                    None => "Start tag expected, '<' not found",
                };
                return Err(Fault::new(message, place));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_byte_order_mark_is_passed_over() {
        let message = |text: &str| parse(text, "x").unwrap_err().message;
        assert_eq!(parse("\u{feff}<a/>", "x").unwrap().to_string().trim(), "<a/>");
        assert_eq!(
            message("\u{feff}\n<domain"),
            "at line 2: Couldn't find end of Start Tag domain line 2\n<domain\n-------^"
        );
        assert_eq!(
            message("\u{feff}<a></b>"),
            "at line 1: Opening and ending tag mismatch: a line 1 and b\n\u{feff}<a></b>\n----------^"
        );
        assert_eq!(message("\u{feff}"), "at line 1: Start tag expected, '<' not found\n\u{feff}\n^");
    }

    #[test]
    fn errors_name_their_line() {
        let message = |text: &str| parse(text, "x").unwrap_err().message;
        assert_eq!(
            message("<a>\n<b>\n</a>"),
            "at line 3: Opening and ending tag mismatch: b line 2 and a\n</a>\n----^"
        );
        assert_eq!(
            message("<domain>\n\n  <name>x</name>\n"),
            "at line 4: Premature end of data in tag domain line 1\n  <name>x</name>\n----------------^"
        );
        assert_eq!(
            message("<domain a='1' a='2'/>"),
            "at line 1: Attribute a redefined\n<domain a='1' a='2'/>\n-------------------^"
        );
        assert_eq!(
            message("<domain>text & more</domain>"),
            "at line 1: xmlParseEntityRef: no name\n<domain>text & more</domain>\n--------------^"
        );
        assert!(parse("<a/><b/>", "x").is_err());
        assert!(parse("", "x").is_err());
        assert!(parse(&"<a>".repeat(10_000), "x").is_err());
    }

    #[test]
    fn text_entities_and_lines_survive() {
        let root = parse("<a>\n  <b c='1 &amp; 2'>x &lt; y</b></a>", "x").unwrap();
        let b = root.child("b").unwrap();
        assert_eq!((b.attribute("c"), b.text().as_str(), b.line), (Some("1 & 2"), "x < y", 2));
    }

    proptest! {
        #[test]
        fn noise_never_panics(text in ".{0,200}") {
            let _ = parse(&text, "noise");
        }
    }
}
