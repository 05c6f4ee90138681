//! Answers as JSON or YAML documents.

use super::session::Format;
use anyhow::{Context, Result};
use serde::Serialize;
use serde_json::Value;

/// `data` as one document that ends with a line's end; [`Format::Table`] has no such form and gives JSON.
pub fn render(data: &impl Serialize, format: Format) -> Result<String> {
    let value = serde_json::to_value(data).context("the answer cannot be written as data")?;
    match format {
        Format::Yaml => Ok(yaml(&value)),
        _ => Ok(serde_json::to_string_pretty(&value).context("the answer cannot be written as JSON")? + "\n"),
    }
}

/// `data` as one of many documents: JSON keeps to a line, YAML begins with its mark.
pub fn render_one_of_many(data: &impl Serialize, format: Format) -> Result<String> {
    match format {
        Format::Yaml => Ok(format!("---\n{}", render(data, format)?)),
        _ => Ok(serde_json::to_string(data).context("the answer cannot be written as JSON")? + "\n"),
    }
}

/// A YAML document: block style, and strings quoted as in JSON wherever plain ones could be mistaken.
fn yaml(value: &Value) -> String {
    let mut out = String::new();
    match block(value) {
        true => write_block(&mut out, value, 0),
        false => {
            out.push_str(&scalar(value));
            out.push('\n');
        }
    }
    out
}

/// Whether a value takes lines of its own.
fn block(value: &Value) -> bool {
    match value {
        Value::Array(items) => !items.is_empty(),
        Value::Object(fields) => !fields.is_empty(),
        _ => false,
    }
}

fn write_block(out: &mut String, value: &Value, depth: usize) {
    match value {
        Value::Array(items) => {
            for item in items {
                indent(out, depth);
                out.push('-');
                // The first field of an object stands on the line of its dash.
                if block(item) {
                    let mut inner = String::new();
                    write_block(&mut inner, item, depth + 1);
                    out.push(' ');
                    out.push_str(inner.trim_start_matches(' '));
                } else {
                    out.push_str(&format!(" {}\n", scalar(item)));
                }
            }
        }
        Value::Object(fields) => {
            for (name, field) in fields {
                indent(out, depth);
                out.push_str(&plain_or_quoted(name));
                out.push(':');
                if block(field) {
                    out.push('\n');
                    write_block(out, field, depth + 1);
                } else {
                    out.push_str(&format!(" {}\n", scalar(field)));
                }
            }
        }
        other => out.push_str(&scalar(other)),
    }
}

fn indent(out: &mut String, depth: usize) {
    out.extend(std::iter::repeat_n("  ", depth));
}

fn scalar(value: &Value) -> String {
    match value {
        Value::String(text) => plain_or_quoted(text),
        // Empty lists and objects, numbers, true, false and null are written alike in both languages.
        other => other.to_string(),
    }
}

fn plain_or_quoted(text: &str) -> String {
    const WORDS: [&str; 10] = ["null", "true", "false", "yes", "no", "on", "off", "y", "n", "~"];
    let safe = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | '/' | ' ');
    let plain = text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '/')
        && text.chars().all(safe)
        && !text.ends_with(' ')
        && !WORDS.contains(&text.to_ascii_lowercase().as_str());
    match plain {
        true => text.to_string(),
        false => Value::String(text.to_string()).to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn yaml_nests_by_indentation() {
        let data = json!([{"name": "a", "tags": ["x", "1"], "none": null}, {"name": "no", "tags": []}]);
        assert_eq!(
            render(&data, Format::Yaml).unwrap(),
            "- name: a\n  tags:\n    - x\n    - \"1\"\n  none: null\n- name: \"no\"\n  tags: []\n"
        );
    }

    #[test]
    fn a_lone_value_is_a_document() {
        let many = |format| render_one_of_many(&json!({"a": [1]}), format).unwrap();
        assert_eq!(many(Format::Json), "{\"a\":[1]}\n");
        assert_eq!(many(Format::Yaml), "---\na:\n  - 1\n");
        assert_eq!(render(&json!([]), Format::Yaml).unwrap(), "[]\n");
        assert_eq!(render(&json!({"a": 1}), Format::Json).unwrap(), "{\n  \"a\": 1\n}\n");
    }
}
