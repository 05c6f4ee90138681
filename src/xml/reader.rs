//! From text to tree: quick-xml's events, bounded in depth and size, every error with its line.

use super::tree::{Element, Node};
use crate::error::{Error, ErrorCode, ErrorOrigin, Result};
use quick_xml::events::{BytesStart, Event};
use quick_xml::{Reader, XmlVersion};

/// No document of libvirt's nests deeper than a dozen levels; this leaves room and keeps recursion safe.
const DEPTH_MAX: usize = 256;
/// Longer documents are refused unread.
const SIZE_MAX: usize = 16 * 1024 * 1024;

/// Parses a document. `what` names it in errors, as in `(domain_definition):3: …`.
pub fn parse(text: &str, what: &str) -> Result<Element> {
    if text.len() > SIZE_MAX {
        return Err(Error::xml(format!(
            "({what}): the document has {} bytes, more than {SIZE_MAX}",
            text.len()
        )));
    }
    let mut parser = Parser {
        text,
        what,
        counted_to: 0,
        line: 1,
        open: Vec::new(),
        root: None,
    };
    parser.run()
}

struct Parser<'a> {
    text: &'a str,
    what: &'a str,
    /// How far newlines have been counted, and what the count is.
    counted_to: usize,
    line: u32,
    open: Vec<Element>,
    root: Option<Element>,
}

impl Parser<'_> {
    fn run(&mut self) -> Result<Element> {
        let mut reader = Reader::from_str(self.text);
        loop {
            let at = reader.buffer_position() as usize;
            let event = reader.read_event();
            let line = self.line_at(at);
            match event {
                Ok(Event::Start(tag)) => self.start(&tag, line)?,
                Ok(Event::Empty(tag)) => {
                    self.start(&tag, line)?;
                    self.end();
                }
                Ok(Event::End(_)) => self.end(),
                Ok(Event::Text(text)) => {
                    self.text(&text.xml10_content(), line)?;
                }
                Ok(Event::CData(data)) => {
                    self.text(&data.xml10_content(), line)?;
                }
                Ok(Event::GeneralRef(reference)) => {
                    let text = format!("&{};", &*reference);
                    let text = quick_xml::escape::unescape(&text)
                        .map_err(|e| self.fail(line, e))?
                        .into_owned();
                    self.text(&text, line)?;
                }
                Ok(Event::DocType(_)) => return Err(self.fail(line, "document types are not accepted")),
                Ok(Event::Eof) => break,
                Ok(Event::Comment(_) | Event::Decl(_) | Event::PI(_)) => {}
                Err(error) => {
                    let line = self.line_at(reader.error_position() as usize);
                    return Err(self.fail(line, error));
                }
            }
        }
        if let Some(open) = self.open.last() {
            let message = format!("element <{}> of line {} is never closed", open.name, open.line);
            return Err(self.fail(self.line, message));
        }
        self.root
            .take()
            .ok_or_else(|| self.fail(self.line, "the document is empty"))
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

    fn fail(&self, line: u32, cause: impl std::fmt::Display) -> Error {
        let message = format!("({}):{line}: {cause}", self.what);
        Error::new(ErrorCode::XML_DETAIL, message).from_origin(ErrorOrigin::XML)
    }

    fn start(&mut self, tag: &BytesStart<'_>, line: u32) -> Result<()> {
        if self.open.len() >= DEPTH_MAX {
            return Err(self.fail(line, format!("elements nest deeper than {DEPTH_MAX} levels")));
        }
        if self.open.is_empty() && self.root.is_some() {
            return Err(self.fail(line, "there is more than one root element"));
        }
        let name = tag.name().as_ref().to_string();
        let mut element = Element {
            name,
            line,
            ..Element::default()
        };
        for attribute in tag.attributes() {
            let attribute = attribute.map_err(|e| self.fail(line, e))?;
            let name = attribute.key.as_ref().to_string();
            let value = attribute
                .normalized_value(XmlVersion::Implicit1_0)
                .map_err(|e| self.fail(line, e))?
                .into_owned();
            element.attributes.push((name, value));
        }
        self.open.push(element);
        Ok(())
    }

    fn end(&mut self) {
        // quick-xml has checked that the tags match, so an end tag without a start cannot come here.
        let Some(element) = self.open.pop() else { return };
        match self.open.last_mut() {
            Some(parent) => parent.push(element),
            None => self.root = Some(element),
        }
    }

    fn text(&mut self, text: &str, line: u32) -> Result<()> {
        match self.open.last_mut() {
            Some(element) => match element.nodes.last_mut() {
                Some(Node::Text(before)) => before.push_str(text),
                _ => element.nodes.push(Node::Text(text.to_string())),
            },
            None if text.trim().is_empty() => {}
            None => return Err(self.fail(line, "there is text outside the root element")),
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn errors_name_their_line() {
        let error = parse("<a>\n<b>\n</a>", "domain_definition").unwrap_err();
        assert!(error.message.starts_with("(domain_definition):3:"), "{error}");
        assert!(parse("<a/><b/>", "x").is_err());
        assert!(parse("", "x").is_err());
        assert!(parse(&"<a>".repeat(10_000), "x").is_err());
    }

    #[test]
    fn text_entities_and_lines_survive() {
        let root = parse("<a>\n  <b c='1 &amp; 2'>x &lt; y</b></a>", "x").unwrap();
        let b = root.child("b").unwrap();
        assert_eq!(
            (b.attribute("c"), b.text().as_str(), b.line),
            (Some("1 & 2"), "x < y", 2)
        );
    }

    proptest! {
        #[test]
        fn noise_never_panics(text in ".{0,200}") {
            let _ = parse(&text, "noise");
        }
    }
}
