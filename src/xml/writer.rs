//! From tree to text, as libvirt formats XML: two blanks a level, single quotes, `/>` for empty elements.
//!
//! Two things look different there, and so do they here: what stands inside `<metadata>` is written in double
//! quotes and keeps its text where it was; an element whose only content is white space with a newline is an empty
//! one that is written with two tags.

use super::plain;
use super::tree::{Element, Node};
use std::fmt;

impl fmt::Display for Element {
    /// The element from the start of a line, with a newline after it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = String::new();
        write_element(self, 0, &mut out);
        f.write_str(&out)
    }
}

fn write_element(element: &Element, level: usize, out: &mut String) {
    indent(level, out);
    out.push('<');
    out.push_str(&element.name);
    for (name, value) in &element.attributes {
        out.push(' ');
        out.push_str(name);
        out.push_str("='");
        escape(value, out);
        out.push('\'');
    }
    if element.name == "metadata" && level > 0 {
        return write_metadata(element, level, out);
    }
    let has_elements = element.elements().next().is_some();
    let text = element.text();
    if !has_elements && text.contains('\n') && text.trim().is_empty() {
        out.push_str(">\n");
        indent(level, out);
        out.push_str("</");
        out.push_str(&element.name);
        out.push_str(">\n");
        return;
    }
    if !has_elements && text.is_empty() {
        out.push_str("/>\n");
        return;
    }
    out.push('>');
    if has_elements {
        out.push('\n');
        for node in &element.nodes {
            match node {
                Node::Element(child) => write_element(child, level + 1, out),
                // Between elements white space is layout; other text is kept.
                Node::Text(text) if text.trim().is_empty() => {}
                Node::Text(text) => {
                    indent(level + 1, out);
                    escape(text.trim(), out);
                    out.push('\n');
                }
            }
        }
        indent(level, out);
    } else {
        escape(&text, out);
    }
    out.push_str("</");
    out.push_str(&element.name);
    out.push_str(">\n");
}

/// The inside of `<metadata>` after its start tag was begun.
fn write_metadata(metadata: &Element, level: usize, out: &mut String) {
    if metadata.elements().next().is_none() {
        out.push_str("/>\n");
        return;
    }
    out.push_str(">\n");
    for child in metadata.elements() {
        indent(level + 1, out);
        plain::write(child, level + 1, true, out);
        out.push('\n');
    }
    indent(level, out);
    out.push_str("</metadata>\n");
}

fn indent(level: usize, out: &mut String) {
    out.extend(std::iter::repeat_n("  ", level));
}

fn escape(text: &str, out: &mut String) {
    for c in text.chars() {
        match c {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            '\'' => out.push_str("&apos;"),
            '"' => out.push_str("&quot;"),
            // Control characters other than tab and newline have no place in XML.
            c if c < ' ' && c != '\t' && c != '\n' => {}
            c => out.push(c),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_form_is_libvirts() {
        let element = Element::new("a")
            .with("b", "it's")
            .with_child(Element::new("c"))
            .with_child(Element::new("d").with_text("1 < 2"));
        assert_eq!(element.to_string(), "<a b='it&apos;s'>\n  <c/>\n  <d>1 &lt; 2</d>\n</a>\n");
    }

    proptest! {
        #[test]
        fn what_is_written_reads_back(value in "[ -~é\u{20ac}]{0,40}", text in "[!-~é\u{20ac}]{1,40}") {
            let element = Element { line: 1, ..Element::new("a").with("b", &value).with_text(&text) };
            prop_assert_eq!(super::super::parse(&element.to_string(), "x").unwrap(), element);
        }
    }
}
