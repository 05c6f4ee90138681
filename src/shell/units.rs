//! Sizes with suffixes, both ways, as virsh reads and prints them.

use crate::error::{Error, ErrorCode};

/// Reads `12`, `12k`, `12KiB`, `12MB` …: `K`, `KiB` are powers of 1024, `KB` of 1000. Without a suffix the
/// number counts in units of `scale` bytes; more than `most` bytes are refused.
///
/// The error is the cause to be named under the option's own refusal; text that does not even begin with a
/// number has none.
pub fn read_size(text: &str, scale: u64, most: u64) -> Result<u64, Option<Error>> {
    let start = text.trim_start();
    let start = start.strip_prefix('+').unwrap_or(start);
    let end = start.find(|c: char| !c.is_ascii_digit()).unwrap_or(start.len());
    let number: u64 = start[..end].parse().map_err(|_| None)?;
    let suffix = &start[end..];
    let unknown = || Some(Error::invalid_argument(format!("unknown suffix '{suffix}'")));
    let factor = scale_of(suffix, scale).ok_or_else(unknown)?;
    let size = number.checked_mul(factor).filter(|&size| size <= most);
    size.ok_or_else(|| {
        let detail = format!("value too large: {number}{suffix}");
        Some(Error::new(ErrorCode::OVERFLOW, detail))
    })
}

/// The same, when the cause of a refusal is of no interest.
pub fn parse_size(text: &str, scale: u64) -> Option<u64> {
    read_size(text, scale, u64::MAX).ok()
}

/// How many bytes a suffix stands for.
fn scale_of(suffix: &str, scale: u64) -> Option<u64> {
    let suffix = suffix.to_ascii_lowercase();
    match suffix.as_str() {
        "" => Some(scale),
        "b" | "byte" | "bytes" => Some(1),
        suffix => {
            let power = "kmgtpe".find(suffix.chars().next()?)? as u32 + 1;
            match suffix.get(1..)? {
                "" | "ib" => 1024u64.checked_pow(power),
                "b" => 1000u64.checked_pow(power),
                _ => None,
            }
        }
    }
}

/// Prints bytes as virsh's tables do: the largest unit that leaves a number of at least one, and its name.
pub fn pretty_size(bytes: u64) -> (f64, &'static str) {
    const UNITS: [&str; 7] = ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];
    let mut value = bytes as f64;
    let mut unit = 0;
    while value >= 1024.0 && unit + 1 < UNITS.len() {
        value /= 1024.0;
        unit += 1;
    }
    (value, UNITS[unit])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn suffixes_scale() {
        assert_eq!(parse_size("5", 1024), Some(5120));
        assert_eq!(parse_size("5k", 1), Some(5120));
        assert_eq!(parse_size("5KB", 1), Some(5000));
        assert_eq!(parse_size("1GiB", 1), Some(1 << 30));
        assert_eq!(parse_size("5x", 1), None);
        assert_eq!(parse_size("99999999999EiB", 1), None);
    }
}
