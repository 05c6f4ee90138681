//! Labelled values, a line each, as `dominfo` and its like print them.

use super::cell::{Cell, field_name};
use super::ruled;
use super::table::printable;
use serde_json::Value;
use unicode_width::UnicodeWidthStr;

/// Lines of `Label:   value`.
#[derive(Clone, Debug)]
pub struct Fields {
    width: usize,
    lines: Vec<(String, String, Cell)>,
}

impl Fields {
    /// No lines yet; labels with their colon are padded to `width`, and a blank follows.
    pub fn new(width: usize) -> Fields {
        Fields { width, lines: Vec::new() }
    }

    /// Adds a line. In JSON the field is named by the label in lower case with `_`.
    pub fn add(&mut self, label: &str, value: impl Into<Cell>) -> &mut Fields {
        self.named(label, &field_name(label), value)
    }

    /// Adds a line whose field has another name in JSON.
    pub fn named(&mut self, label: &str, name: &str, value: impl Into<Cell>) -> &mut Fields {
        self.lines.push((label.to_string(), name.to_string(), value.into()));
        self
    }

    /// The lines as virsh prints them.
    pub fn text(&self) -> String {
        let mut out = String::new();
        for (label, _, cell) in &self.lines {
            let blanks = self.width.saturating_sub(label.width() + 1);
            out.push_str(&format!("{label}:{:blanks$} {}\n", "", cell.text));
        }
        out
    }

    /// The lines as a table of two columns with lines around it.
    pub fn ruled(&self) -> String {
        let lines = self.lines.iter();
        let rows: Vec<Vec<String>> =
            lines.map(|(label, _, cell)| vec![printable(label), printable(&cell.text)]).collect();
        ruled::draw(None, &rows)
    }

    /// The lines as one object.
    pub fn value(&self) -> Value {
        let pairs = self.lines.iter();
        Value::Object(pairs.map(|(_, name, cell)| (name.clone(), cell.value.clone())).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_padded_and_named() {
        let mut fields = Fields::new(15);
        fields.add("CPU(s)", 2u32).add("State", "running");
        assert_eq!(fields.text(), "CPU(s):         2\nState:          running\n");
        assert_eq!(fields.value().to_string(), r#"{"cpus":2,"state":"running"}"#);
    }
}
