//! Every row of the tables of what real releases make of odd input, and round trips.

use super::*;
use proptest::prelude::*;

const TABLES: &[(&str, Dialect, bool)] = &[
    (
        include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/facts/xen/sxp-grammar-3.0.2.txt")),
        Dialect::Request302,
        false,
    ),
    (
        include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/facts/xen/sxp-grammar-3.0.4.txt")),
        Dialect::Request304,
        false,
    ),
    (
        include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/facts/xen/sxp-grammar-4.4.txt")),
        Dialect::Request40,
        true,
    ),
];

/// Reads Python's notation of strings and lists, as the tables have it; answers with what is left, too.
fn python(text: &str) -> (Sxp, &str) {
    let text = text.trim_start();
    if let Some(mut rest) = text.strip_prefix('[') {
        let mut items = Vec::new();
        loop {
            rest = rest.trim_start_matches([',', ' ']);
            if let Some(rest) = rest.strip_prefix(']') {
                return (Sxp::List(items), rest);
            }
            let (item, left) = python(rest);
            items.push(item);
            rest = left;
        }
    }
    let quote = text
        .chars()
        .next()
        .filter(|c| matches!(c, '\'' | '"'))
        .unwrap_or_else(|| panic!("no literal: {text}"));
    let mut bytes = Vec::new();
    let mut at = 1;
    loop {
        let rest = &text[at..];
        let sign = rest.chars().next().unwrap();
        at += sign.len_utf8();
        match sign {
            '\\' => {
                let escaped = text[at..].chars().next().unwrap();
                at += 1;
                bytes.push(match escaped {
                    'n' => b'\n',
                    't' => b'\t',
                    'r' => b'\r',
                    'x' => {
                        at += 2;
                        u8::from_str_radix(&text[at - 2..at], 16).unwrap()
                    }
                    other => other as u8,
                });
            }
            sign if sign == quote => return (Sxp::Atom(bytes), &text[at..]),
            sign => bytes.push(sign as u8),
        }
    }
}

fn bytes(text: &str) -> Vec<u8> {
    match python(text).0 {
        Sxp::Atom(bytes) => bytes,
        Sxp::List(_) => panic!("a list: {text}"),
    }
}

#[test]
fn every_row_of_the_grammar_tables_holds() {
    let mut rows = 0;
    for (table, dialect, empty_is_quoted) in TABLES {
        for row in table.lines().take_while(|row| !row.starts_with("---")) {
            let (input, outcome) = row.split_once("->").unwrap();
            let read = read_all(&bytes(input), *dialect);
            let outcome = outcome.trim();
            rows += 1;
            if outcome.starts_with('[') {
                let expected = python(outcome).0;
                let read = read.unwrap_or_else(|flaw| panic!("{row}: {flaw}"));
                assert_eq!(Sxp::List(read.clone()), expected, "{row}");
                let shown: Vec<String> = read.iter().map(|part| show(part, *empty_is_quoted)).collect();
                let expected = row.split_once("show:").unwrap().1;
                assert_eq!(shown.join(" "), expected.strip_prefix(' ').unwrap_or(expected), "{row}");
            } else {
                let flaw = read.expect_err(row);
                match outcome.strip_prefix("ParseError: ") {
                    Some(words) => assert_eq!(flaw.to_string(), words, "{row}"),
                    None => assert_eq!(flaw, Flaw::BadEscape, "{row}"),
                }
            }
        }
    }
    assert_eq!(rows, 3 * 33);
}

#[test]
fn what_xend_prints_is_read_as_it_was_meant() {
    for (table, _, empty_is_quoted) in TABLES {
        for row in table.lines().skip_while(|row| !row.starts_with("---")).skip(1) {
            let (value, printed) = row.split_once("->").unwrap();
            let printed = printed.strip_prefix(' ').unwrap_or(printed);
            let meant = match value.trim() {
                value if value.starts_with(['[', '\'', '"']) => python(value).0,
                // Numbers and the like: the text is all there is.
                _ => Sxp::atom(printed.trim_matches('\'')),
            };
            if matches!(&meant, Sxp::Atom(bytes) if bytes.is_empty()) && !empty_is_quoted {
                assert_eq!(read_answer(printed.as_bytes()), Ok(None));
                continue;
            }
            if value.starts_with(['[', '\'', '"']) {
                assert_eq!(show(&meant, *empty_is_quoted), printed, "{row}");
            }
            assert_eq!(read_answer(printed.as_bytes()), Ok(Some(meant)), "{row}");
        }
    }
}

#[test]
fn an_answer_is_its_first_expression() {
    let read = |text: &str| read_answer(text.as_bytes());
    assert_eq!(read("(a b)''"), Ok(Some(Sxp::pair("a", "b"))));
    assert_eq!(read("''"), Ok(Some(Sxp::atom(""))));
    assert_eq!(read(""), Ok(None));
    assert_eq!(read("(a (b"), Err(Flaw::UnexpectedEnd));
    assert_eq!(read("(a 'b"), Err(Flaw::UnexpectedEnd));
    assert_eq!(read(r"(a '\xc3\xa9')"), Ok(Some(Sxp::pair("a", "é"))));
    assert_eq!(read(&format!("{}{}", "(".repeat(64), ")".repeat(64))).map(|some| some.is_some()), Ok(true));
    assert_eq!(read(&"(".repeat(65)), Err(Flaw::TooDeep));
    assert_eq!(read_answer(&vec![b'a'; 16 * 1024 * 1024 + 1]), Err(Flaw::TooLong));
}

#[test]
fn fields_are_found_and_changed() {
    let text = b"(domain (name demo) (features ) (uname '') (memory 256) (cpu_time 12.5) (cpus (0 1)) (cpus (0 1)) (x None))";
    let mut domain = read_answer(text).unwrap().unwrap();
    assert_eq!(domain.get("name").as_deref(), Some("demo"));
    assert_eq!(
        (domain.get("features"), domain.get("uname"), domain.get("x"), domain.get("no")),
        (None, None, None, None)
    );
    assert_eq!(
        (domain.number("memory"), domain.number("cpu_time"), domain.number("name")),
        (Some(256), Some(12), None)
    );
    assert_eq!(domain.nanoseconds("cpu_time"), Some(12_500_000_000));
    domain.set("cpus", 3);
    domain.set("new", "it's");
    domain.unset("x");
    assert_eq!(
        domain.to_string(),
        r"(domain (name demo) (features) (uname '') (memory 256) (cpu_time 12.5) (cpus 3) (new 'it\'s'))"
    );
}

fn expressions() -> impl Strategy<Value = Sxp> {
    let atoms = proptest::collection::vec(any::<u8>(), 0..20).prop_map(Sxp::Atom);
    atoms.prop_recursive(6, 60, 8, |inner| proptest::collection::vec(inner, 0..8).prop_map(Sxp::List))
}

proptest! {
    #[test]
    fn every_release_reads_a_request_as_it_was_meant(expression in expressions()) {
        let text = expression.to_request();
        for dialect in [Dialect::Answer, Dialect::Request302, Dialect::Request304, Dialect::Request40] {
            prop_assert_eq!(read_all(&text, dialect), Ok(vec![expression.clone()]));
        }
    }

    #[test]
    fn an_answer_is_read_as_it_was_printed(expression in expressions()) {
        let text = show(&expression, true);
        prop_assert_eq!(read_answer(text.as_bytes()), Ok(Some(expression)));
    }

    #[test]
    fn no_bytes_are_a_danger(text in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = read_answer(&text);
        let _ = read_all(&text, Dialect::Request302);
    }
}
