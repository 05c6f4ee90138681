//! How a definition is refused: the element, what it says, and its line.

use crate::error::Error;
use crate::xml::Element;

/// Where an element stands, for the end of a message.
fn place(element: &Element) -> String {
    match element.line {
        0 => format!("<{}>", element.name),
        line => format!("<{}>, line {line}", element.name),
    }
}

/// An attribute's value that cannot be honoured.
pub fn value(element: &Element, attribute: &str, value: &str) -> Error {
    Error::unsupported_configuration(format!(
        "{attribute} '{value}' is not supported by this driver ({})",
        place(element)
    ))
}

/// A whole element that cannot be honoured.
pub fn element(element: &Element) -> Error {
    Error::unsupported_configuration(format!(
        "<{}> is not supported by this driver ({})",
        element.name,
        place(element)
    ))
}

/// Something about an element that cannot be honoured, in words.
pub fn because(element: &Element, reason: impl std::fmt::Display) -> Error {
    Error::unsupported_configuration(format!("{reason} ({})", place(element)))
}
