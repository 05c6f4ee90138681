//! The functions of the core library.

use super::XPathError;
use super::evaluate::Context;
use super::value::{Value, number_in};

/// Calls a function; the wrong number of arguments is the same error as an unknown name.
#[allow(clippy::cast_precision_loss)] // counts and lengths are small
pub(super) fn call(context: Context, name: &str, arguments: &[Value]) -> Result<Value, XPathError> {
    let document = context.document;
    let text = |index: usize| arguments.get(index).map(|value| value.text(document)).unwrap_or_default();
    let here = || document.text(context.node);
    let value = match (name, arguments) {
        ("last", []) => Value::Number(context.size as f64),
        ("position", []) => Value::Number(context.position as f64),
        ("count", [Value::Nodes(nodes)]) => Value::Number(nodes.len() as f64),
        // No document type is read, so no attribute is known to be an id.
        ("id", [_]) => Value::Nodes(Vec::new()),
        ("local-name" | "name" | "namespace-uri", [] | [Value::Nodes(_)]) => {
            let node = match arguments {
                [Value::Nodes(nodes)] => nodes.first().copied(),
                _ => Some(context.node),
            };
            let full = node.map_or("", |node| document.name(node));
            Value::Text(match name {
                "local-name" => full.rsplit(':').next().unwrap_or_default().to_string(),
                "name" => full.to_string(),
                _ => String::new(),
            })
        }
        ("string", []) => Value::Text(here()),
        ("string", [_]) => Value::Text(text(0)),
        ("concat", [_, _, ..]) => Value::Text((0..arguments.len()).map(text).collect()),
        ("starts-with", [_, _]) => Value::Boolean(text(0).starts_with(&text(1))),
        ("contains", [_, _]) => Value::Boolean(text(0).contains(&text(1))),
        ("substring-before", [_, _]) => Value::Text(
            text(0).split_once(&text(1)).map(|(before, _)| before.to_string()).unwrap_or_default(),
        ),
        ("substring-after", [_, _]) => {
            Value::Text(text(0).split_once(&text(1)).map(|(_, after)| after.to_string()).unwrap_or_default())
        }
        ("substring", [_, from]) => substring(&text(0), from.number(document), f64::INFINITY),
        ("substring", [_, from, length]) => {
            substring(&text(0), from.number(document), length.number(document))
        }
        ("string-length", []) => Value::Number(here().chars().count() as f64),
        ("string-length", [_]) => Value::Number(text(0).chars().count() as f64),
        ("normalize-space", []) => Value::Text(normalized(&here())),
        ("normalize-space", [_]) => Value::Text(normalized(&text(0))),
        ("translate", [_, _, _]) => Value::Text(translated(&text(0), &text(1), &text(2))),
        ("boolean", [value]) => Value::Boolean(value.boolean()),
        ("not", [value]) => Value::Boolean(!value.boolean()),
        ("true", []) => Value::Boolean(true),
        ("false", []) => Value::Boolean(false),
        ("lang", [_]) => Value::Boolean(false),
        ("number", []) => Value::Number(number_in(&here())),
        ("number", [value]) => Value::Number(value.number(document)),
        ("sum", [Value::Nodes(nodes)]) => {
            Value::Number(nodes.iter().map(|&node| number_in(&document.text(node))).sum())
        }
        ("floor", [value]) => Value::Number(value.number(document).floor()),
        ("ceiling", [value]) => Value::Number(value.number(document).ceil()),
        ("round", [value]) => Value::Number((value.number(document) + 0.5).floor()),
        _ => return Err(XPathError::Function(format!("{name}()"))),
    };
    Ok(value)
}

fn normalized(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn translated(text: &str, from: &str, to: &str) -> String {
    let to: Vec<char> = to.chars().collect();
    let changed = text.chars().filter_map(|c| match from.chars().position(|known| known == c) {
        Some(place) => to.get(place).copied(),
        None => Some(c),
    });
    changed.collect()
}

/// The characters whose positions, counted from one, lie in the rounded range.
#[allow(clippy::cast_precision_loss)] // positions are small whole numbers
fn substring(text: &str, from: f64, length: f64) -> Value {
    let begin = (from + 0.5).floor();
    let end = begin + if length.is_infinite() { length } else { (length + 0.5).floor() };
    let chosen = text.chars().enumerate().filter(|(index, _)| {
        let position = (index + 1) as f64;
        position >= begin && position < end
    });
    Value::Text(chosen.map(|(_, c)| c).collect())
}
