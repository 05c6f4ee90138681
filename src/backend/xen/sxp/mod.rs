//! S-expressions, the language of xend: lists in brackets, and atoms that are all strings.
//!
//! Atoms are bytes: xend lets any of them through, and what a guest's administrator wrote need not be UTF-8. The
//! [`Dialect`] holds what differs between releases; answers are read with [`read_answer`], which takes what every
//! release prints, and requests are written by [`Sxp::to_request`], in the one form that every release reads alike.

mod fields;
mod printed;
mod reader;

pub use printed::show;
pub use reader::{Dialect, Flaw, read_all, read_answer};

use std::fmt;

/// An expression.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sxp {
    /// A string.
    Atom(Vec<u8>),
    /// Expressions in brackets.
    List(Vec<Sxp>),
}

impl Sxp {
    /// A string.
    pub fn atom(text: impl AsRef<[u8]>) -> Sxp {
        Sxp::Atom(text.as_ref().to_vec())
    }

    /// `(name …)`.
    pub fn list(name: &str, rest: impl IntoIterator<Item = Sxp>) -> Sxp {
        Sxp::List(std::iter::once(Sxp::atom(name)).chain(rest).collect())
    }

    /// `(name value)`.
    pub fn pair(name: &str, value: impl ToString) -> Sxp {
        Sxp::list(name, [Sxp::atom(value.to_string())])
    }
}

impl Sxp {
    /// The expression as a request. Strings stand in single quotes where they need any; only `\` and `'` are escaped,
    /// since the other escapes mean something else to one release or another.
    pub fn to_request(&self) -> Vec<u8> {
        let mut out = Vec::new();
        self.write_to(&mut out);
        out
    }

    fn write_to(&self, out: &mut Vec<u8>) {
        match self {
            Sxp::Atom(bytes) => write_atom(bytes, out),
            Sxp::List(items) => {
                out.push(b'(');
                for (place, item) in items.iter().enumerate() {
                    if place > 0 {
                        out.push(b' ');
                    }
                    item.write_to(out);
                }
                out.push(b')');
            }
        }
    }
}

impl fmt::Display for Sxp {
    /// As in a request, for people; bytes that are no UTF-8 are replaced.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&String::from_utf8_lossy(&self.to_request()))
    }
}

/// Whether a string may stand without quotes, in a request and in an answer.
fn is_plain(bytes: &[u8]) -> bool {
    let safe = |byte: &u8| byte.is_ascii_alphanumeric() || b".-_:/~".contains(byte);
    (!bytes.is_empty() && bytes.iter().all(safe)) || bytes == b"@"
}

fn write_atom(bytes: &[u8], out: &mut Vec<u8>) {
    if is_plain(bytes) {
        return out.extend(bytes);
    }
    out.push(b'\'');
    for byte in bytes {
        match byte {
            b'\\' | b'\'' => out.extend([b'\\', *byte]),
            // Would end the text; three digits in octal are read alike everywhere.
            &reader::END_OF_TEXT => out.extend(b"\\004"),
            byte => out.push(*byte),
        }
    }
    out.push(b'\'');
}

#[cfg(test)]
mod tests;
