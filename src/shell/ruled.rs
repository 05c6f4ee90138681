//! Tables with lines around them, for people: what `--format pretty` prints in place of virsh's own form.

use comfy_table::presets::UTF8_FULL_CONDENSED;
use comfy_table::{Attribute, Cell, ContentArrangement, Table};
use std::env;

/// Draws rows under a head; without the head where there is none. On a terminal long cells are broken to its
/// width, and the head is bold unless the environment asks for no colours.
pub fn draw(head: Option<&[String]>, rows: &[Vec<String>]) -> String {
    if head.is_none() && rows.is_empty() {
        return String::new();
    }
    let mut table = Table::new();
    table.load_style(UTF8_FULL_CONDENSED).set_content_arrangement(ContentArrangement::Dynamic);
    if let Some(head) = head {
        let styled = styles_are_welcome();
        table.set_header(head.iter().map(|title| match styled {
            // The crate itself leaves the style out where standard output is no terminal.
            true => Cell::new(title).add_attribute(Attribute::Bold),
            false => Cell::new(title),
        }));
    }
    table.add_rows(rows);
    format!("{table}\n")
}

/// What the environment says about colours and their like.
fn styles_are_welcome() -> bool {
    let refused = env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    !refused && env::var_os("TERM").is_none_or(|terminal| terminal != "dumb")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(cells: &[&str]) -> Vec<String> {
        cells.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn wide_characters_keep_the_lines_straight() {
        let rows = [row(&["1", "test"]), row(&["-", "日本"])];
        let drawn = draw(None, &rows);
        assert_eq!(drawn, "┌───┬──────┐\n│ 1 ┆ test │\n│ - ┆ 日本 │\n└───┴──────┘\n");
    }

    #[test]
    fn nothing_is_drawn_around_nothing() {
        assert_eq!(draw(None, &[]), "");
        assert!(draw(Some(&row(&["Id"])), &[]).contains("Id"));
    }
}
