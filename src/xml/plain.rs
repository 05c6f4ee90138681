//! From tree to text in libxml2's own form: double quotes, two blanks a level, no layout in mixed content. Metadata
//! and the answers to XPath questions are written so.

use super::{Element, Node};

impl Element {
    /// The element as a text in this form, without a newline after it.
    pub fn to_plain_string(&self) -> String {
        let mut out = String::new();
        write(self, 0, true, &mut out);
        out
    }
}

/// One attribute, with the blank before it.
pub(super) fn attribute(name: &str, value: &str, out: &mut String) {
    out.push(' ');
    out.push_str(name);
    out.push_str("=\"");
    escape(value, true, out);
    out.push('"');
}

/// An element that stands `level` levels deep; without layout all of it stays on one line.
pub(super) fn write(chosen: &Element, level: usize, layout: bool, out: &mut String) {
    out.push('<');
    out.push_str(&chosen.name);
    for (name, value) in &chosen.attributes {
        attribute(name, value, out);
    }
    let has_elements = chosen.elements().next().is_some();
    let is_blank = |text: &str| has_elements && text.trim().is_empty();
    let has_text = chosen.nodes.iter().any(|node| matches!(node, Node::Text(text) if !is_blank(text)));
    if !has_elements && !has_text {
        out.push_str("/>");
        return;
    }
    out.push('>');
    let layout = layout && !has_text;
    for node in &chosen.nodes {
        match node {
            Node::Element(child) => {
                if layout {
                    new_line(level + 1, out);
                }
                write(child, level + 1, layout, out);
            }
            Node::Text(text) if is_blank(text) => {}
            Node::Text(text) => escape(text, false, out),
        }
    }
    if layout {
        new_line(level, out);
    }
    out.push_str("</");
    out.push_str(&chosen.name);
    out.push('>');
}

fn new_line(level: usize, out: &mut String) {
    out.push('\n');
    out.extend(std::iter::repeat_n("  ", level));
}

/// Text with what may not stand in it written as references.
pub(super) fn escape(text: &str, in_attribute: bool, out: &mut String) {
    for c in text.chars() {
        match c {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            '"' if in_attribute => out.push_str("&quot;"),
            '\n' if in_attribute => out.push_str("&#10;"),
            '\t' if in_attribute => out.push_str("&#9;"),
            '\r' => out.push_str("&#13;"),
            // Control characters other than tab and newline have no place in XML.
            c if c < ' ' && c != '\t' && c != '\n' => {}
            c => out.push(c),
        }
    }
}
