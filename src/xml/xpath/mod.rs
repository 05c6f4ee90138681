//! XPath 1.0 over the element tree: choosing parts of a document, and printing them as libxml2 does.
//!
//! All of the expression language but namespaces is here: names are compared as written, so an unprefixed name
//! never chooses a prefixed element (`local-name()` does). Comments are not in the tree and never chosen.

mod evaluate;
mod function;
mod lexer;
mod node;
mod parser;
mod value;
mod writer;

use super::Element;
pub use node::Chosen;
use node::Document;
use value::Value;

/// What is wrong with an expression.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum XPathError {
    /// It cannot be read; what was expected, and at which character.
    #[error("Invalid expression: {expected} expected at character {at}")]
    Syntax {
        /// What should stand there.
        expected: &'static str,
        /// Counted from one.
        at: usize,
    },
    /// It is nested too deeply.
    #[error("Invalid expression: nested too deeply")]
    TooDeep,
    /// It names a function that XPath does not have, or gives it the wrong arguments.
    #[error("Invalid expression: no function {0} with these arguments")]
    Function(String),
    /// It uses a variable; there are none.
    #[error("Invalid expression: undefined variable ${0}")]
    Variable(String),
    /// It is right, but its value is a number, a string or a boolean.
    #[error("the value is not a part of the document")]
    NotNodes,
}

/// The parts of the document below `root` that `expression` chooses, in document order.
pub fn select<'a>(root: &'a Element, expression: &str) -> Result<Vec<Chosen<'a>>, XPathError> {
    let expression = parser::parse(expression)?;
    let document = Document::new(root);
    match evaluate::evaluate(&document, &expression)? {
        Value::Nodes(nodes) => Ok(nodes.into_iter().map(|node| document.chosen(node)).collect()),
        _ => Err(XPathError::NotNodes),
    }
}

/// Prints what was chosen, a line each, in libxml2's form.
pub fn print(chosen: &[Chosen]) -> String {
    let mut out = String::new();
    for part in chosen {
        writer::write(part, &mut out);
        out.push('\n');
    }
    out
}

/// Prints what was chosen as the contents of one element `nodes`.
pub fn print_wrapped(chosen: &[Chosen]) -> String {
    let mut nodes = Element::new("nodes");
    for part in chosen {
        match part {
            Chosen::Element(element) | Chosen::Document(element) => nodes.push((*element).clone()),
            Chosen::Attribute(name, value) => nodes.set(name, value),
            Chosen::Text(text) => nodes.nodes.push(super::Node::Text((*text).to_string())),
        }
    }
    print(&[Chosen::Element(&nodes)])
}

#[cfg(test)]
mod tests {
    use super::*;

    const DOCUMENT: &str = "<domain id='1'><name>test</name><devices><disk type='file' device='disk'>\
        <source file='/a&amp;b'/><target dev='vda'/></disk><disk type='block'><target dev='vdb'/></disk>\
        <inv:asset xmlns:inv='http://x'/></devices><memory>1024</memory></domain>";

    fn ask(expression: &str) -> String {
        let tree = super::super::parse(DOCUMENT, "test").unwrap();
        match select(&tree, expression) {
            Ok(chosen) => print(&chosen).trim_end().to_string(),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn paths_choose_elements_attributes_and_text() {
        assert_eq!(ask("/domain/name"), "<name>test</name>");
        assert_eq!(ask("//target/@dev"), " dev=\"vda\"\n dev=\"vdb\"");
        assert_eq!(ask("//name/text()"), "test");
        assert_eq!(ask("//source"), "<source file=\"/a&amp;b\"/>");
        assert_eq!(ask("//nothing"), "");
        assert_eq!(
            ask("//source/.."),
            "<disk type=\"file\" device=\"disk\">\n  <source file=\"/a&amp;b\"/>\n  <target dev=\"vda\"/>\n</disk>"
        );
    }

    #[test]
    fn predicates_filter() {
        assert_eq!(ask("//disk[@type='block']/target/@dev"), " dev=\"vdb\"");
        assert_eq!(ask("//disk[2]/target/@dev"), " dev=\"vdb\"");
        assert_eq!(ask("//disk[last()]/target/@dev"), " dev=\"vdb\"");
        assert_eq!(ask("//disk[target/@dev = 'vda' and not(readonly)]/@device"), " device=\"disk\"");
        assert_eq!(
            ask("//*[starts-with(@dev, 'vd')][position() mod 2 = 1]/@dev"),
            " dev=\"vda\"\n dev=\"vdb\""
        );
        assert_eq!(ask("(//target)[2]/@dev"), " dev=\"vdb\"");
        assert_eq!(ask("//memory[. > 1000 or . < 5]"), "<memory>1024</memory>");
        assert_eq!(ask("//*[local-name() = 'asset']"), "<inv:asset xmlns:inv=\"http://x\"/>");
        assert_eq!(
            ask("//*[string-length(normalize-space(concat(' a ', @dev))) = 5]/@dev"),
            " dev=\"vda\"\n dev=\"vdb\""
        );
    }

    #[test]
    fn unions_and_axes_come_in_document_order() {
        assert_eq!(ask("/domain/memory | /domain/name"), "<name>test</name>\n<memory>1024</memory>");
        assert_eq!(ask("//memory/preceding-sibling::name"), "<name>test</name>");
        assert_eq!(ask("//disk[1]/following-sibling::disk/target/@dev"), " dev=\"vdb\"");
        assert_eq!(ask("//target[@dev='vda']/ancestor::domain/@id"), " id=\"1\"");
        assert_eq!(ask("id('x') | //target[1]/self::target/attribute::dev"), " dev=\"vda\"\n dev=\"vdb\"");
    }

    #[test]
    fn what_is_no_choice_is_an_error() {
        assert_eq!(ask("count(//disk)"), XPathError::NotNodes.to_string());
        assert!(ask("//[").starts_with("Invalid expression"));
        assert!(ask("//disk[").starts_with("Invalid expression"));
        assert!(ask("").starts_with("Invalid expression"));
        assert!(ask("foo()").starts_with("Invalid expression"));
        assert!(ask(&"(".repeat(100_000)).starts_with("Invalid expression"));
        assert!(ask(&format!("{}1", "-".repeat(100_000))).contains("not a part"));
    }

    #[test]
    fn wrapped_parts_share_an_element() {
        let tree = super::super::parse(DOCUMENT, "test").unwrap();
        let wrapped = |expression| print_wrapped(&select(&tree, expression).unwrap());
        assert_eq!(wrapped("//none"), "<nodes/>\n");
        assert_eq!(wrapped("//name"), "<nodes>\n  <name>test</name>\n</nodes>\n");
        assert_eq!(
            wrapped("//name | //name/text() | //disk/@device"),
            "<nodes device=\"disk\"><name>test</name>test</nodes>\n"
        );
    }
}
