//! Patterns of names: `*`, `?` and `[a-z]`, as in a Unix shell.

/// Whether a word is a pattern at all.
pub fn is_pattern(word: &str) -> bool {
    word.contains(['*', '?', '['])
}

/// Whether `name` fits `pattern`.
pub fn matches(pattern: &str, name: &str) -> bool {
    let pattern: Vec<char> = pattern.chars().collect();
    let name: Vec<char> = name.chars().collect();
    let (mut p, mut n) = (0, 0);
    // Where the last star stood, and how much of the name it has swallowed so far.
    let mut star: Option<(usize, usize)> = None;
    while n < name.len() {
        match one(&pattern[p..], name[n]) {
            Some(length) => {
                p += length;
                n += 1;
            }
            None if pattern.get(p) == Some(&'*') => {
                star = Some((p, n));
                p += 1;
            }
            None => match &mut star {
                Some((place, swallowed)) => {
                    *swallowed += 1;
                    (p, n) = (*place + 1, *swallowed);
                }
                None => return false,
            },
        }
    }
    pattern[p..].iter().all(|&c| c == '*')
}

/// How long the part of the pattern is that stands for this one character, if it does.
fn one(pattern: &[char], c: char) -> Option<usize> {
    match pattern.first()? {
        '*' => None,
        '?' => Some(1),
        '[' => set(pattern, c).unwrap_or_else(|| (c == '[').then_some(1)),
        &plain => (plain == c).then_some(1),
    }
}

/// The same for a set in brackets; `None` if its end is missing, so that the bracket stands for itself.
fn set(pattern: &[char], c: char) -> Option<Option<usize>> {
    let negated = matches!(pattern.get(1), Some('!' | '^'));
    let first = if negated { 2 } else { 1 };
    // A bracket that comes first belongs to the set.
    let end = pattern.iter().skip(first + 1).position(|&c| c == ']')? + first + 1;
    let items = pattern.get(first..end)?;
    let mut found = false;
    let mut at = 0;
    while let Some(&low) = items.get(at) {
        match (items.get(at + 1), items.get(at + 2)) {
            (Some('-'), Some(&high)) => {
                found |= (low..=high).contains(&c);
                at += 3;
            }
            _ => {
                found |= low == c;
                at += 1;
            }
        }
    }
    Some((found != negated).then_some(end + 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_fit_patterns() {
        for (pattern, name) in [
            ("web-*", "web-1"),
            ("*", ""),
            ("*-db-*", "a-db-db-1"),
            ("w?b", "wéb"),
            ("web[1-3x]", "web2"),
            ("web[!1-3]", "web4"),
            ("a[]]", "a]"),
            ("a[", "a["),
            ("a*b*c", "aXbYbZc"),
        ] {
            assert!(matches(pattern, name), "{pattern} {name}");
        }
        for (pattern, name) in
            [("web-*", "xweb-1"), ("w?b", "wb"), ("web[1-3]", "web4"), ("a*b", "abc"), ("", "a")]
        {
            assert!(!matches(pattern, name), "{pattern} {name}");
        }
    }

    #[test]
    fn a_plain_word_is_no_pattern() {
        assert!(is_pattern("a*") && is_pattern("[a]") && !is_pattern("web-1"));
    }
}
