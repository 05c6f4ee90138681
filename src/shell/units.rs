//! Sizes with suffixes, both ways, as virsh reads and prints them.

/// Reads `12`, `12k`, `12KiB`, `12MB` …: `K`, `KiB` are powers of 1024, `KB` of 1000. Without a suffix the
/// number counts in units of `scale` bytes.
pub fn parse_size(text: &str, scale: u64) -> Option<u64> {
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let number: u64 = text[..digits].parse().ok()?;
    let suffix = text[digits..].to_ascii_lowercase();
    let factor = match suffix.as_str() {
        "" => scale,
        "b" | "byte" | "bytes" => 1,
        suffix => {
            let power = "kmgtpe".find(suffix.chars().next()?)? as u32 + 1;
            match &suffix[1..] {
                "" | "ib" => 1024u64.checked_pow(power)?,
                "b" => 1000u64.checked_pow(power)?,
                _ => return None,
            }
        }
    };
    number.checked_mul(factor)
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
