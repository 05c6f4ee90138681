//! JSON as virsh lays it out: two blanks a level, and an empty list or object still over two lines.

use crate::error::Error;
use serde_json::Value;

/// Reads a document, or says what is wrong with it.
pub(super) fn parse(text: &str) -> Result<Value, Error> {
    serde_json::from_str(text).map_err(|cause| {
        let told = cause.to_string();
        let told = match told.split(" at line ").next().unwrap_or_default() {
            "key must be a string" => "quoted object property name expected",
            "expected `:`" => "object property name separator ':' expected",
            _ => "unexpected character",
        };
        Error::internal(format!("failed to parse JSON: {told}"))
    })
}

/// A document over several lines, with a line's end.
pub(super) fn pretty(value: &Value) -> String {
    let mut out = String::new();
    write(&mut out, value, 0);
    out.push('\n');
    out
}

fn write(out: &mut String, value: &Value, depth: usize) {
    let (open, close, items): (_, _, Vec<(Option<&String>, &Value)>) = match value {
        Value::Array(items) => ('[', ']', items.iter().map(|item| (None, item)).collect()),
        Value::Object(fields) => ('{', '}', fields.iter().map(|(name, field)| (Some(name), field)).collect()),
        scalar => return out.push_str(&scalar.to_string()),
    };
    out.push(open);
    out.push('\n');
    for (place, (name, item)) in items.iter().enumerate() {
        out.extend(std::iter::repeat_n("  ", depth + 1));
        if let Some(name) = name {
            out.push_str(&Value::from(name.as_str()).to_string());
            out.push_str(": ");
        }
        write(out, item, depth + 1);
        if place + 1 < items.len() {
            out.push(',');
        }
        out.push('\n');
    }
    out.extend(std::iter::repeat_n("  ", depth));
    out.push(close);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documents_are_laid_out() {
        let value = parse(r#"{"a":[1,{"b":null}],"c":{}}"#).unwrap();
        assert_eq!(
            pretty(&value),
            "{\n  \"a\": [\n    1,\n    {\n      \"b\": null\n    }\n  ],\n  \"c\": {\n  }\n}\n"
        );
    }

    #[test]
    fn what_is_wrong_is_said() {
        let told = |text| parse(text).unwrap_err().to_string();
        assert_eq!(told("{a}"), "internal error: failed to parse JSON: quoted object property name expected");
        assert_eq!(
            told("{\"a\"}"),
            "internal error: failed to parse JSON: object property name separator ':' expected"
        );
    }
}
