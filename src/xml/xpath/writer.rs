//! From chosen parts to text in libxml2's form.

use super::super::plain;
use super::node::Chosen;

pub(super) fn write(part: &Chosen, out: &mut String) {
    match part {
        Chosen::Document(root) => {
            out.push_str("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
            plain::write(root, 0, true, out);
        }
        Chosen::Element(chosen) => plain::write(chosen, 0, true, out),
        Chosen::Attribute(name, value) => plain::attribute(name, value, out),
        Chosen::Text(text) => plain::escape(text, false, out),
    }
}
