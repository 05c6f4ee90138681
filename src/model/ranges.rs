//! Numbers as XML and tables write them: `0,2-4`.

use std::fmt::Display;
use std::ops::Add;

/// Writes ascending numbers as ranges.
pub fn ranges<N: Copy + PartialEq + Display + Add<Output = N> + From<u8>>(numbers: &[N]) -> String {
    let runs = numbers.chunk_by(|left, right| *left + N::from(1) == *right);
    let shown = runs.map(|run| match run {
        [one] => one.to_string(),
        [first, .., last] => format!("{first}-{last}"),
        [] => String::new(),
    });
    shown.collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbours_are_written_together() {
        assert_eq!(ranges(&[0_u32, 2, 3, 4, 9]), "0,2-4,9");
        assert_eq!(ranges::<i32>(&[]), "");
    }
}
