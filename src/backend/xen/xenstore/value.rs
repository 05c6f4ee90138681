//! Values of the store. A guest can write many of them, so none is believed to be more than bytes.

use std::str::FromStr;

/// The longest value that counts as a text: names, paths and addresses are all shorter.
const TEXT_MAX: usize = 1024;

/// What a node holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Value(pub Vec<u8>);

impl Value {
    /// The value as a text that can be shown and written into a document: not empty, not endless, one line without
    /// control characters.
    pub fn text(&self) -> Option<String> {
        // Some tools write the NUL of their C strings too.
        let bytes = self.0.strip_suffix(b"\0").unwrap_or(&self.0);
        let text = std::str::from_utf8(bytes).ok()?;
        let fits = !text.is_empty() && text.len() <= TEXT_MAX && !text.chars().any(char::is_control);
        fits.then(|| text.to_string())
    }

    /// The value as a decimal number.
    pub fn number<T: FromStr>(&self) -> Option<T> {
        let text = self.text()?;
        text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-').then(|| text.parse().ok()).flatten()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_lines_are_texts() {
        let value = |bytes: &[u8]| Value(bytes.to_vec());
        assert_eq!(value(b"guest").text().as_deref(), Some("guest"));
        assert_eq!(value(b"guest\0").text().as_deref(), Some("guest"));
        for bad in [&b""[..], b"\0", b"a\nb", b"\x1b[2J", b"\xff", b"a\0b", &[b'a'; TEXT_MAX + 1]] {
            assert_eq!(value(bad).text(), None, "{bad:?}");
        }
    }

    #[test]
    fn numbers_are_whole() {
        let number = |text: &str| Value(text.as_bytes().to_vec()).number::<u64>();
        assert_eq!(number("131072"), Some(131_072));
        for bad in ["", " 1", "1 ", "+1", "0x10", "-1", "1e3", "99999999999999999999"] {
            assert_eq!(number(bad), None, "{bad}");
        }
        assert_eq!(Value(b"-1".to_vec()).number::<i64>(), Some(-1));
    }
}
