//! How xend itself prints expressions.

use super::{Sxp, is_plain};

/// The text xend prints for an expression; up to 4.0 it prints an empty string as nothing at all.
pub fn show(expression: &Sxp, empty_is_quoted: bool) -> String {
    let mut out = String::new();
    push(expression, empty_is_quoted, &mut out);
    out
}

fn push(expression: &Sxp, empty_is_quoted: bool, out: &mut String) {
    match expression {
        Sxp::Atom(bytes) if bytes.is_empty() => out.push_str(if empty_is_quoted { "''" } else { "" }),
        Sxp::Atom(bytes) if is_plain(bytes) => out.push_str(&String::from_utf8_lossy(bytes)),
        Sxp::Atom(bytes) => push_quoted(bytes, out),
        Sxp::List(items) => {
            out.push('(');
            for (place, item) in items.iter().enumerate() {
                if place > 0 {
                    out.push(' ');
                }
                push(item, empty_is_quoted, out);
            }
            out.push(')');
        }
    }
}

/// As Python writes a string of bytes: in single quotes, unless only double ones need no escape.
fn push_quoted(bytes: &[u8], out: &mut String) {
    let quote = if bytes.contains(&b'\'') && !bytes.contains(&b'"') { '"' } else { '\'' };
    out.push(quote);
    for byte in bytes {
        match byte {
            b'\\' => out.push_str("\\\\"),
            b'\n' => out.push_str("\\n"),
            b'\r' => out.push_str("\\r"),
            b'\t' => out.push_str("\\t"),
            byte if char::from(*byte) == quote => out.extend(['\\', quote]),
            0x20..=0x7e => out.push(char::from(*byte)),
            other => out.push_str(&format!("\\x{other:02x}")),
        }
    }
    out.push(quote);
}
