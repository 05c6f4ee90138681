//! Sets of CPUs and nodes as text: `0-3,^2,7`.

use crate::error::{Error, Result};
use crate::xml::Element;
use std::collections::BTreeSet;

/// No host has more CPUs than this.
const CPU_MAX: u32 = 16384;

/// Reads a set; `^` takes out again what came before.
pub fn parse(text: &str) -> Result<BTreeSet<u32>> {
    let refused = || Error::invalid_argument(format!("Failed to parse bitmap '{text}'"));
    let mut set = BTreeSet::new();
    for part in text.split(',') {
        let part = part.trim();
        let number = |text: &str| {
            let number = text.trim().parse::<u32>().map_err(|_| refused())?;
            if number < CPU_MAX { Ok(number) } else { Err(refused()) }
        };
        if let Some(out) = part.strip_prefix('^') {
            set.remove(&number(out)?);
        } else if let Some((first, last)) = part.split_once('-') {
            let (first, last) = (number(first)?, number(last)?);
            if first > last {
                return Err(refused());
            }
            set.extend(first..=last);
        } else {
            set.insert(number(part)?);
        }
    }
    Ok(set)
}

/// Writes a set in its canonical form.
pub fn format(set: &BTreeSet<u32>) -> String {
    let mut parts: Vec<String> = Vec::new();
    let mut numbers = set.iter().copied().peekable();
    while let Some(first) = numbers.next() {
        let mut last = first;
        while let Some(next) = numbers.next_if(|next| *next == last + 1) {
            last = next;
        }
        parts.push(if first == last { first.to_string() } else { format!("{first}-{last}") });
    }
    parts.join(",")
}

/// Writes the set in an attribute in its canonical form, if the attribute is there.
pub fn rewrite(element: &mut Element, attribute: &str) -> Result<()> {
    if let Some(text) = element.attribute(attribute) {
        let set = parse(text)?;
        if set.is_empty() {
            return Err(Error::invalid_argument(format!("Failed to parse bitmap '{text}'")));
        }
        let canonical = format(&set);
        element.set(attribute, canonical);
    }
    Ok(())
}
