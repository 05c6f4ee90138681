//! Values of expressions and their conversions.

use super::node::Document;

#[derive(Clone, Debug)]
pub(super) enum Value {
    /// In document order, each once.
    Nodes(Vec<usize>),
    Number(f64),
    Text(String),
    Boolean(bool),
}

impl Value {
    pub fn boolean(&self) -> bool {
        match self {
            Value::Nodes(nodes) => !nodes.is_empty(),
            Value::Number(number) => *number != 0.0 && !number.is_nan(),
            Value::Text(text) => !text.is_empty(),
            Value::Boolean(value) => *value,
        }
    }

    pub fn number(&self, document: &Document) -> f64 {
        match self {
            Value::Number(number) => *number,
            Value::Boolean(value) => f64::from(u8::from(*value)),
            Value::Text(text) => number_in(text),
            Value::Nodes(_) => number_in(&self.text(document)),
        }
    }

    pub fn text(&self, document: &Document) -> String {
        match self {
            Value::Nodes(nodes) => nodes.first().map(|&node| document.text(node)).unwrap_or_default(),
            Value::Number(number) if number.is_infinite() => {
                if *number > 0.0 { "Infinity" } else { "-Infinity" }.to_string()
            }
            Value::Number(number) => number.to_string(),
            Value::Text(text) => text.clone(),
            Value::Boolean(value) => value.to_string(),
        }
    }
}

/// Reads a number as XPath does: digits with an optional sign and point, nothing else.
pub(super) fn number_in(text: &str) -> f64 {
    let text = text.trim();
    let digits = text.strip_prefix('-').unwrap_or(text);
    let plain = !digits.is_empty() && digits.chars().all(|c| c.is_ascii_digit() || c == '.');
    if plain { text.parse().unwrap_or(f64::NAN) } else { f64::NAN }
}

/// Compares by XPath's rules: a set of nodes compares if any of them does.
pub(super) fn compare(document: &Document, operator: &str, left: &Value, right: &Value) -> bool {
    match (left, right) {
        (Value::Nodes(nodes), Value::Boolean(_)) | (Value::Boolean(_), Value::Nodes(nodes)) => {
            let set = f64::from(u8::from(!nodes.is_empty()));
            match (left, right) {
                (Value::Nodes(_), other) => ordered(operator, set, other.number(document)),
                (other, _) => ordered(operator, other.number(document), set),
            }
        }
        (Value::Nodes(nodes), other) => {
            nodes.iter().any(|&node| compare(document, operator, &Value::Text(document.text(node)), other))
        }
        (other, Value::Nodes(nodes)) => {
            nodes.iter().any(|&node| compare(document, operator, other, &Value::Text(document.text(node))))
        }
        (Value::Text(left), Value::Text(right)) if operator == "=" => left == right,
        (Value::Text(left), Value::Text(right)) if operator == "!=" => left != right,
        (Value::Boolean(_), _) | (_, Value::Boolean(_)) if matches!(operator, "=" | "!=") => {
            (left.boolean() == right.boolean()) == (operator == "=")
        }
        _ => ordered(operator, left.number(document), right.number(document)),
    }
}

#[allow(clippy::float_cmp)] // the language compares exactly
fn ordered(operator: &str, left: f64, right: f64) -> bool {
    match operator {
        "=" => left == right,
        "!=" => left != right,
        "<" => left < right,
        "<=" => left <= right,
        ">" => left > right,
        _ => left >= right,
    }
}
