//! virsh's table: one blank before a cell, its text padded to the column, two blanks after, dashes under the head.

use super::cell::{Cell, field_name};
use super::ruled;
use serde_json::{Map, Value};
use unicode_width::UnicodeWidthStr;

/// Rows under a head of column titles.
#[derive(Clone, Debug, Default)]
pub struct Table {
    head: Vec<String>,
    names: Vec<String>,
    rows: Vec<Vec<Cell>>,
}

impl Table {
    /// A table with these titles and no rows. A column's name in JSON is its title in lower case with `_`.
    pub fn new<T: AsRef<str>>(titles: impl IntoIterator<Item = T>) -> Table {
        let head: Vec<String> = titles.into_iter().map(|title| title.as_ref().to_string()).collect();
        Table { names: head.iter().map(|title| field_name(title)).collect(), head, rows: Vec::new() }
    }

    /// With other names for the columns in JSON.
    #[must_use]
    pub fn names<T: AsRef<str>>(mut self, names: impl IntoIterator<Item = T>) -> Table {
        self.names = names.into_iter().map(|name| name.as_ref().to_string()).collect();
        self
    }

    /// Adds a row; a cell is text or a number, or a [`Cell`] whose value differs from what is shown.
    pub fn row<C: Into<Cell>>(&mut self, cells: impl IntoIterator<Item = C>) -> &mut Table {
        self.rows.push(cells.into_iter().map(Into::into).collect());
        self
    }

    /// Whether there are no rows.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The table as virsh prints it; with `quiet` the rows alone.
    pub fn text(&self, quiet: bool) -> String {
        let (head, rows) = self.shown();
        let shown_head = (!quiet).then_some(&head);
        let mut widths = vec![0; head.len()];
        for row in shown_head.into_iter().chain(&rows) {
            for (width, cell) in widths.iter_mut().zip(row) {
                *width = (*width).max(cell.width());
            }
        }
        let mut out = String::new();
        if !quiet {
            push_row(&mut out, &head, &widths);
            let dashes: usize = widths.iter().map(|width| width + 3).sum();
            out.extend(std::iter::repeat_n('-', dashes));
            out.push('\n');
        }
        for row in &rows {
            push_row(&mut out, row, &widths);
        }
        out
    }

    /// The table with lines around it; with `quiet` the rows alone.
    pub fn ruled(&self, quiet: bool) -> String {
        let (head, rows) = self.shown();
        ruled::draw((!quiet).then_some(&head), &rows)
    }

    /// The titles and the rows as a terminal may show them.
    fn shown(&self) -> (Vec<String>, Vec<Vec<String>>) {
        let row = |row: &Vec<Cell>| row.iter().map(|cell| printable(&cell.text)).collect();
        let head = self.head.iter().map(|title| printable(title));
        (head.collect(), self.rows.iter().map(row).collect())
    }

    /// The table as a list of objects, a column's name to its value.
    pub fn value(&self) -> Value {
        let object = |row: &Vec<Cell>| -> Map<String, Value> {
            let pairs = self.names.iter().zip(row);
            pairs.map(|(name, cell)| (name.clone(), cell.value.clone())).collect()
        };
        self.rows.iter().map(|row| Value::Object(object(row))).collect()
    }
}

/// Replaces what would move the cursor by its code, so that a name cannot draw on the screen.
pub(super) fn printable(text: &str) -> String {
    if !text.contains(|c: char| c.is_control()) {
        return text.to_string();
    }
    let mut out = String::new();
    for c in text.chars() {
        if c.is_control() {
            let mut bytes = [0; 4];
            out.extend(c.encode_utf8(&mut bytes).bytes().map(|byte| format!("\\x{byte:02x}")));
        } else {
            out.push(c);
        }
    }
    out
}

fn push_row(out: &mut String, cells: &[String], widths: &[usize]) {
    for (place, cell) in cells.iter().enumerate() {
        out.push(' ');
        out.push_str(cell);
        if place + 1 < cells.len() {
            let width = widths.get(place).copied().unwrap_or_default();
            out.extend(std::iter::repeat_n(' ', width.saturating_sub(cell.width()) + 2));
        }
    }
    out.push('\n');
}

#[cfg(test)]
mod tests {
    use super::*;

    fn domains() -> Table {
        let mut table = Table::new(["Id", "Name", "State"]);
        table.row(["1", "test", "running"]);
        table.row(["-", "日本", "shut off"]);
        table
    }

    #[test]
    fn columns_are_padded_but_for_the_last() {
        assert_eq!(
            domains().text(false),
            " Id   Name   State\n-----------------------\n 1    test   running\n -    日本   shut off\n"
        );
    }

    #[test]
    fn quiet_drops_the_head_and_its_width() {
        assert_eq!(domains().text(true), " 1   test   running\n -   日本   shut off\n");
    }

    #[test]
    fn control_characters_are_shown_as_codes() {
        let mut table = Table::new(["Name"]);
        table.row(["a\u{1b}[2J\n"]);
        assert_eq!(table.text(true), " a\\x1b[2J\\x0a\n");
    }

    #[test]
    fn values_go_by_the_columns_names() {
        let mut table = Table::new(["Id", "MAC Address"]);
        table.row([Cell::with("-", Value::Null), Cell::from("aa")]);
        assert_eq!(table.value().to_string(), r#"[{"id":null,"mac_address":"aa"}]"#);
    }
}
