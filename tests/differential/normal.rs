//! What may differ between two runs of one program: random uuids and MAC addresses, times, process ids.

use std::collections::HashMap;

/// The text with each random or timed word replaced by its kind and its number of appearance.
pub fn normal(text: &str, kept: &str) -> String {
    let mut names: HashMap<String, String> = HashMap::new();
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    let mut before = ' ';
    while let Some(first) = rest.chars().next() {
        let found = if before.is_ascii_alphanumeric() { None } else { find(rest) };
        match found {
            Some((kind, length)) if !kept.contains(&rest[..length]) => {
                let number = names.len();
                let word = rest[..length].to_string();
                let name = names.entry(word).or_insert_with(|| match kind {
                    "time" => "@time@".to_string(),
                    kind => format!("@{kind}{number}@"),
                });
                out.push_str(name);
                before = '@';
                rest = &rest[length..];
            }
            _ => {
                out.push(first);
                before = first;
                rest = &rest[first.len_utf8()..];
            }
        }
    }
    out
}

/// The answer of a command that counts time or work, with its large numbers replaced.
pub fn uncounted(line: &str, text: &str) -> String {
    const COUNTERS: &[&str] = &[
        "domblkstat",
        "domifstat",
        "domstats",
        "cpu-stats",
        "vcpuinfo",
        "domtime",
        "nodecpustats",
        "dominfo",
        "freecell",
        "nodememstats",
        "freepages",
        "nodeinfo",
        "sysinfo",
    ];
    let command = line.split(' ').next().unwrap_or_default();
    if !COUNTERS.contains(&command) {
        return text.to_string();
    }
    let mut out = String::new();
    let mut digits = String::new();
    let text = text.replace("@time@.", "@time@").replace("@time@", "1000000000.");
    for c in text.chars().chain(['\n']) {
        if c.is_ascii_digit() || (c == '.' && !digits.is_empty()) {
            digits.push(c);
            continue;
        }
        out.push_str(if digits.len() > 5 { "@number@" } else { &digits });
        digits.clear();
        out.push(c);
    }
    out.pop();
    out
}

/// A help text without its sentences, which are our own: what is left are names, the synopsis and the options.
pub fn without_help(line: &str, text: &str) -> String {
    if !(line == "help" || line.starts_with("help ") || line.ends_with(" --help")) {
        return text.to_string();
    }
    let mut section = "";
    let mut out = String::new();
    let mut names: Vec<String> = Vec::new();
    for line in text.lines() {
        let is_title = line.starts_with("  ") && !line.starts_with("   ");
        if is_title {
            section = line.trim();
        }
        let kept = match section {
            // Whether there is a paragraph at all is our own matter.
            "DESCRIPTION" => String::new(),
            _ if is_title => line.to_string(),
            "NAME" => line.split(" - ").next().unwrap_or_default().to_string(),
            // An option's name and what it takes, or a command's name in a list.
            "OPTIONS" | "" if line.starts_with("    ") => {
                let words: Vec<&str> = line.split_whitespace().collect();
                let takes = words.get(1).is_some_and(|word| word.starts_with('<'));
                words[..if takes { 2 } else { 1 }].join(" ")
            }
            _ => line.to_string(),
        };
        if section.is_empty() && line.starts_with("    ") {
            names.push(kept + "\n");
            continue;
        }
        // The commands of a group stand in an order of our own.
        names.sort();
        out.extend(names.drain(..));
        if !kept.is_empty() {
            out.push_str(&kept);
            out.push('\n');
        }
    }
    names.sort();
    out.extend(names);
    out
}

/// The random or timed word at the beginning of the text: its kind and its length.
fn find(text: &str) -> Option<(&'static str, usize)> {
    const FORMS: &[(&str, &str)] = &[
        ("uuid", "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx"),
        ("wwn", "5100000xxxxxxxxx"),
        ("mac", "xx:xx:xx:xx:xx:xx"),
        ("time", "9999-99-99 99:99:99 +9999"),
        ("time", "9999-99-99 99:99:99.999+9999"),
        ("time", "9999-99-99 99:99:99"),
        ("time", "9999-99-99-99:99:99"),
        ("time", "1999999999"),
    ];
    let bytes = text.as_bytes();
    let fits = |form: &&(&str, &str)| {
        let form = form.1.as_bytes();
        let same = |(place, wanted): (usize, &u8)| match (wanted, bytes.get(place)) {
            (b'x', Some(found)) => found.is_ascii_hexdigit(),
            (b'9', Some(found)) => found.is_ascii_digit(),
            (b'1', Some(found)) => *found == b'1',
            (wanted, found) => Some(wanted) == found,
        };
        let next = bytes.get(form.len());
        form.iter().enumerate().all(same) && !next.is_some_and(u8::is_ascii_alphanumeric)
    };
    FORMS.iter().find(fits).map(|(kind, form)| (*kind, form.len()))
}

#[test]
fn random_words_are_numbered_by_appearance() {
    let text = "a 52:54:00:aa:bb:01 b 52:54:00:aa:bb:02 c 52:54:00:aa:bb:01 at 1795467588";
    assert_eq!(normal(text, ""), "a @mac0@ b @mac1@ c @mac0@ at @time@");
    assert_eq!(normal(text, text), text);
}
