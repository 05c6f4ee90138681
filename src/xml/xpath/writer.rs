//! From chosen parts to text in libxml2's form: double quotes, two blanks a level, no layout in mixed content.

use super::super::{Element, Node};
use super::node::Chosen;

pub(super) fn write(part: &Chosen, out: &mut String) {
    match part {
        Chosen::Document(root) => {
            out.push_str("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
            element(root, 0, true, out);
        }
        Chosen::Element(chosen) => element(chosen, 0, true, out),
        Chosen::Attribute(name, value) => attribute(name, value, out),
        Chosen::Text(text) => escape(text, false, out),
    }
}

fn attribute(name: &str, value: &str, out: &mut String) {
    out.push(' ');
    out.push_str(name);
    out.push_str("=\"");
    escape(value, true, out);
    out.push('"');
}

fn element(chosen: &Element, level: usize, layout: bool, out: &mut String) {
    out.push('<');
    out.push_str(&chosen.name);
    for (name, value) in &chosen.attributes {
        attribute(name, value, out);
    }
    let has_elements = chosen.elements().next().is_some();
    let is_blank = |text: &str| has_elements && text.trim().is_empty();
    let has_text = chosen
        .nodes
        .iter()
        .any(|node| matches!(node, Node::Text(text) if !is_blank(text)));
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
                element(child, level + 1, layout, out);
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

fn escape(text: &str, in_attribute: bool, out: &mut String) {
    for c in text.chars() {
        match c {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            '"' if in_attribute => out.push_str("&quot;"),
            '\n' if in_attribute => out.push_str("&#10;"),
            '\t' if in_attribute => out.push_str("&#9;"),
            '\r' => out.push_str("&#13;"),
            c => out.push(c),
        }
    }
}
