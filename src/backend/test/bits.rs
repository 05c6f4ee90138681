//! CPU maps (one bit a CPU, lowest first) and the ranges that XML writes them as (`0-3,^2,6`).

use crate::error::{Error, Result};

/// No CPU or node number in a range is higher than this.
const NUMBER_MAX: usize = 16 * 1024;

/// The numbers of a range text; `what` is the error for a text that is no range.
pub(super) fn parse_ranges(text: &str) -> Result<Vec<usize>> {
    let malformed = || Error::invalid_argument(format!("Failed to parse bitmap '{text}'"));
    let number = |digits: &str| -> Result<usize> {
        let number = digits.trim().parse::<usize>().map_err(|_| malformed())?;
        if number <= NUMBER_MAX { Ok(number) } else { Err(malformed()) }
    };
    let mut found = std::collections::BTreeSet::new();
    for part in text.split(',').map(str::trim) {
        if let Some(without) = part.strip_prefix('^') {
            found.remove(&number(without)?);
        } else if let Some((first, last)) = part.split_once('-') {
            let (first, last) = (number(first)?, number(last)?);
            if first > last {
                return Err(malformed());
            }
            found.extend(first..=last);
        } else {
            found.insert(number(part)?);
        }
    }
    Ok(found.into_iter().collect())
}

/// The numbers whose bits are set.
pub(super) fn numbers_of(map: &[u8]) -> Vec<usize> {
    let set = |number: &usize| map[number / 8] & (1 << (number % 8)) != 0;
    (0..map.len() * 8).filter(set).collect()
}

/// A map of `length` bytes with the bits of `numbers` set; numbers beyond its end are left out.
pub(super) fn map_of(numbers: &[usize], length: usize) -> Vec<u8> {
    let mut map = vec![0; length];
    for &number in numbers {
        if let Some(byte) = map.get_mut(number / 8) {
            *byte |= 1 << (number % 8);
        }
    }
    map
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::ranges;

    #[test]
    fn ranges_go_both_ways() {
        assert_eq!(parse_ranges("0-3,^2,6").unwrap(), [0, 1, 3, 6]);
        assert_eq!(ranges(&[0, 1, 3, 6]), "0-1,3,6");
        assert!(parse_ranges("x").is_err() && parse_ranges("3-1").is_err() && parse_ranges("").is_err());
        assert!(parse_ranges("0-99999999999").is_err());
        assert_eq!(numbers_of(&map_of(&[1, 9], 2)), [1, 9]);
        assert_eq!(map_of(&[1, 9], 1), [2]);
    }
}
