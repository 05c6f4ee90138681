//! Shapes: tables that say which attributes and children an element has, in what order, and what they may hold.
//!
//! Bringing an element into its shape does what libvirt does when it parses a document and formats it again:
//! values are checked and written in their canonical form, attributes and children stand in one order, and what
//! the shape does not know is taken out and reported, so that a driver can refuse it.

use super::tree::{Element, Node};
use crate::error::{Error, Result};

/// Something in a document that no table knows.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Unknown {
    /// The element it was found in.
    pub parent: String,
    /// The unknown element or attribute.
    pub name: String,
    /// Whether it is an attribute.
    pub is_attribute: bool,
    /// The line it was found at; 0 if the document was not read from text.
    pub line: u32,
}

/// What an attribute may hold, and so how it is written.
#[derive(Clone, Copy)]
pub enum Value {
    /// Any text.
    Text,
    /// One of these words.
    OneOf(&'static [&'static str]),
    /// A whole number from 0.
    Unsigned,
    /// A whole number from 1.
    Positive,
    /// A whole number.
    Integer,
    /// A whole number, read in decimal or with `0x`, written with `0x` and at least so many digits.
    Hexadecimal(usize),
}

/// One attribute of a shape.
#[derive(Clone, Copy)]
pub struct Attribute {
    name: &'static str,
    value: Value,
    required: bool,
    omitted: Option<&'static str>,
}

impl Attribute {
    const fn new(name: &'static str, value: Value) -> Attribute {
        Attribute { name, value, required: false, omitted: None }
    }

    /// The element is refused without this attribute.
    pub const fn required(mut self) -> Attribute {
        self.required = true;
        self
    }

    /// The attribute is left out when it says this.
    pub const fn omit(mut self, value: &'static str) -> Attribute {
        self.omitted = Some(value);
        self
    }
}

/// An attribute holding any text.
pub const fn text(name: &'static str) -> Attribute {
    Attribute::new(name, Value::Text)
}

/// An attribute holding one of a few words.
pub const fn one_of(name: &'static str, words: &'static [&'static str]) -> Attribute {
    Attribute::new(name, Value::OneOf(words))
}

/// An attribute saying `yes` or `no`.
pub const fn yes_no(name: &'static str) -> Attribute {
    Attribute::new(name, Value::OneOf(&["yes", "no"]))
}

/// An attribute saying `on` or `off`.
pub const fn on_off(name: &'static str) -> Attribute {
    Attribute::new(name, Value::OneOf(&["on", "off"]))
}

/// An attribute holding a number from 0.
pub const fn unsigned(name: &'static str) -> Attribute {
    Attribute::new(name, Value::Unsigned)
}

/// An attribute holding a number from 1.
pub const fn positive(name: &'static str) -> Attribute {
    Attribute::new(name, Value::Positive)
}

/// An attribute holding a number.
pub const fn integer(name: &'static str) -> Attribute {
    Attribute::new(name, Value::Integer)
}

/// An attribute holding a number written as `0x` and at least `digits` digits.
pub const fn hexadecimal(name: &'static str, digits: usize) -> Attribute {
    Attribute::new(name, Value::Hexadecimal(digits))
}

/// One kind of child of a shape.
#[derive(Clone, Copy)]
pub struct Child {
    shape: &'static Shape,
    many: bool,
}

/// A child of which the first counts.
pub const fn one(shape: &'static Shape) -> Child {
    Child { shape, many: false }
}

/// A child that may come several times.
pub const fn many(shape: &'static Shape) -> Child {
    Child { shape, many: true }
}

/// A function that checks or completes one element.
pub type Hook = fn(&mut Element) -> Result<()>;

/// The table of an element.
pub struct Shape {
    /// The element's name.
    pub name: &'static str,
    attributes: &'static [Attribute],
    children: &'static [Child],
    keeps_text: bool,
    verbatim: bool,
    vanishes_when_empty: bool,
    before: Option<Hook>,
    after: Option<Hook>,
}

/// A shape without attributes, children and text: an element that only is there or not.
pub const fn shape(name: &'static str) -> Shape {
    Shape {
        name,
        attributes: &[],
        children: &[],
        keeps_text: false,
        verbatim: false,
        vanishes_when_empty: false,
        before: None,
        after: None,
    }
}

/// A shape holding nothing but text.
pub const fn text_shape(name: &'static str) -> Shape {
    shape(name).with_text().unless_empty()
}

impl Shape {
    /// The shape with these attributes, in this order.
    pub const fn attributes(mut self, attributes: &'static [Attribute]) -> Shape {
        self.attributes = attributes;
        self
    }

    /// The shape with these children, in this order.
    pub const fn children(mut self, children: &'static [Child]) -> Shape {
        self.children = children;
        self
    }

    /// The shape with text inside.
    pub const fn with_text(mut self) -> Shape {
        self.keeps_text = true;
        self
    }

    /// Whatever stands inside is kept as it is.
    pub const fn verbatim(mut self) -> Shape {
        self.verbatim = true;
        self
    }

    /// The element is left out when nothing is inside it and it has no attributes.
    pub const fn unless_empty(mut self) -> Shape {
        self.vanishes_when_empty = true;
        self
    }

    /// Runs `hook` on the element as it was read.
    pub const fn before(mut self, hook: Hook) -> Shape {
        self.before = Some(hook);
        self
    }

    /// Runs `hook` when attributes and children are checked, before they are put in order.
    pub const fn after(mut self, hook: Hook) -> Shape {
        self.after = Some(hook);
        self
    }

    /// Brings an element into this shape, adding what it takes out to `unknown`.
    pub fn conform(&self, element: &mut Element, unknown: &mut Vec<Unknown>) -> Result<()> {
        if self.verbatim {
            return Ok(());
        }
        if let Some(hook) = self.before {
            hook(element)?;
        }
        self.check_attributes(element, unknown)?;
        self.check_children(element, unknown)?;
        if let Some(hook) = self.after {
            hook(element)?;
        }
        self.arrange(element);
        Ok(())
    }

    /// Puts attributes and children into their order; those the shape does not know come last.
    pub fn arrange(&self, element: &mut Element) {
        let place = |name: &str| self.attributes.iter().position(|known| known.name == name);
        element.attributes.sort_by_key(|(name, _)| place(name).unwrap_or(usize::MAX));
        element.nodes.sort_by_key(|node| match node {
            Node::Element(child) => self.place(&child.name),
            Node::Text(_) => usize::MAX,
        });
    }

    /// The shape of a kind of child.
    pub fn child(&self, name: &str) -> Option<&'static Shape> {
        let found = self.children.iter().find(|known| known.shape.name == name);
        found.map(|known| known.shape)
    }

    /// The place of a child among the kinds of children; the largest number for what is no such kind.
    pub fn place(&self, child: &str) -> usize {
        self.children.iter().position(|known| known.shape.name == child).unwrap_or(usize::MAX)
    }

    fn check_attributes(&self, element: &mut Element, unknown: &mut Vec<Unknown>) -> Result<()> {
        let (name, line) = (element.name.clone(), element.line);
        let mut kept = Vec::with_capacity(element.attributes.len());
        let mut faults = Vec::new();
        for (attribute, value) in element.attributes.drain(..) {
            let Some(known) = self.attributes.iter().find(|known| known.name == attribute) else {
                if !attribute.starts_with("xmlns") && !attribute.starts_with("xml:") {
                    unknown.push(Unknown { parent: name.clone(), name: attribute, is_attribute: true, line });
                }
                continue;
            };
            match canonical_value(&name, known, value) {
                Ok(value) if known.omitted == Some(value.as_str()) => {}
                Ok(value) => kept.push((attribute, value)),
                Err(error) => {
                    let place = self.attributes.iter().position(|other| other.name == known.name);
                    faults.push((place, error));
                }
            }
        }
        element.attributes = kept;
        // Of several faults the first of the table is told, whatever the document's order.
        if let Some((_, error)) = faults.into_iter().min_by_key(|(place, _)| *place) {
            return Err(error);
        }
        for known in self.attributes.iter().filter(|known| known.required) {
            if element.attribute(known.name).is_none() && known.omitted.is_none() {
                return Err(missing_attribute(&name, known.name));
            }
        }
        Ok(())
    }

    fn check_children(&self, element: &mut Element, unknown: &mut Vec<Unknown>) -> Result<()> {
        let mut seen = vec![false; self.children.len()];
        let mut kept = Vec::with_capacity(element.nodes.len());
        for node in std::mem::take(&mut element.nodes) {
            let mut child = match node {
                Node::Text(text) if self.keeps_text => {
                    kept.push(Node::Text(text));
                    continue;
                }
                Node::Text(_) => continue,
                Node::Element(child) => child,
            };
            let place = self.place(&child.name);
            let Some(known) = self.children.get(place) else {
                unknown.push(Unknown {
                    parent: element.name.clone(),
                    name: child.name,
                    is_attribute: false,
                    line: child.line,
                });
                continue;
            };
            if !known.many && std::mem::replace(&mut seen[place], true) {
                continue;
            }
            known.shape.conform(&mut child, unknown)?;
            if !(known.shape.vanishes_when_empty && is_empty(&child)) {
                kept.push(Node::Element(child));
            }
        }
        element.nodes = kept;
        Ok(())
    }
}

/// Whether an element has neither attributes nor anything inside.
pub fn is_empty(element: &Element) -> bool {
    element.attributes.is_empty() && element.elements().next().is_none() && element.text().is_empty()
}

/// The error for an attribute that must be there.
pub fn missing_attribute(element: &str, attribute: &str) -> Error {
    Error::xml(format!("Missing required attribute '{attribute}' in element '{element}'"))
}

/// The error for an attribute that holds something it may not hold.
pub fn invalid_attribute(element: &str, attribute: &str, value: &str) -> Error {
    Error::xml(format!("Invalid value for attribute '{attribute}' in element '{element}': '{value}'."))
}

fn canonical_value(element: &str, attribute: &Attribute, value: String) -> Result<String> {
    let refused = |expected: &str| {
        let plain = invalid_attribute(element, attribute.name, &value).message;
        let prefix = "XML error: ";
        let detail = plain.strip_prefix(prefix).unwrap_or(&plain);
        Error::xml(format!("{detail}{expected}"))
    };
    let natural = " Expected non-negative integer value";
    match attribute.value {
        Value::Text => Ok(value),
        Value::OneOf(words) if words.contains(&value.as_str()) => Ok(value),
        Value::OneOf(_) if attribute.omitted == Some(value.as_str()) => Ok(value),
        Value::OneOf(_) => Err(refused("")),
        Value::Unsigned => {
            value.trim_start().parse::<u64>().map(|number| number.to_string()).map_err(|_| refused(natural))
        }
        Value::Positive => match value.trim_start().parse::<u64>() {
            Ok(0) => Err(Error::xml(format!(
                "Invalid value for attribute '{}' in element '{element}': Zero is not permitted",
                attribute.name
            ))),
            Ok(number) => Ok(number.to_string()),
            Err(_) => Err(refused(natural)),
        },
        Value::Integer => value
            .trim_start()
            .parse::<i64>()
            .map(|number| number.to_string())
            .map_err(|_| refused(" Expected integer value")),
        Value::Hexadecimal(digits) => match parse_number(&value) {
            Some(number) => Ok(hexadecimal_text(number, digits)),
            None => Err(refused(natural)),
        },
    }
}

/// A number as C reads it: decimal, `0x` hexadecimal or `0` octal.
pub fn parse_number(text: &str) -> Option<u64> {
    let text = text.trim_start();
    if let Some(digits) = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        return u64::from_str_radix(digits, 16).ok();
    }
    match text.strip_prefix('0') {
        Some("") => Some(0),
        Some(digits) => u64::from_str_radix(digits, 8).ok(),
        None => text.parse().ok(),
    }
}

/// A number as `0x` and at least `digits` hexadecimal digits.
pub fn hexadecimal_text(number: u64, digits: usize) -> String {
    format!("0x{number:0digits$x}")
}
