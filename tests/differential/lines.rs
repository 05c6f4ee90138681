//! Command lines generated from the table: every command, with each of its options missing, doubled, misspelt, empty,
//! out of range, in its `--name=value` form, beside each of the others, and in different states of the domain.

use crate::pair::Script;
use crate::values;
use hvsh::shell::spec::{Command, Complete, Opt, OptKind};

/// What every numeric option is tried with.
const NUMBERS: &[&str] = &[
    "0",
    "1",
    "2",
    "-1",
    "+1",
    "007",
    "0x10",
    "1x",
    "1.5",
    "''",
    "' 3'",
    "3k",
    "1M",
    "2GiB",
    "5KB",
    "7b",
    "1e3",
    "x",
    "2147483647",
    "2147483648",
    "4294967295",
    "4294967296",
    "-2147483649",
    "9223372036854775807",
    "9223372036854775808",
    "18446744073709551615",
    "18446744073709551616",
    "99999999999999999999999",
];

/// What every option with a word is tried with, beside what its name suggests.
const WORDS: &[&str] =
    &["''", "' '", "nosuch", "-1", "0", "1", "a,b", "','", "a=b", "'=a'", "/nosuch/file", "'<a>'"];

/// The states of the domain `test` that a command is tried in.
const STATES: &[&str] = &["", "destroy test", "suspend test", "undefine test"];

/// The commands that are tried, one by one, by the other suites or not at all, each with its reason.
const LEFT_OUT: &[(&str, &str)] = &[
    ("exit", "ends the shell"),
    ("quit", "ends the shell"),
    ("help", "is in our own words"),
    ("connect", "is part of every script"),
    ("cd", "moves the folder of the scripts"),
    ("pwd", "answers with the folder of the scripts"),
    ("complete", "is hidden, and has its own suite"),
    ("self-test", "is hidden, and speaks of our own table"),
    ("version", "names our own version"),
    ("migrate", "keeps the real virsh waiting for ever on some lines"),
];

/// Whether a save must end in time, which the real virsh may miss.
fn saves(row: &Command) -> bool {
    row.name.contains("save") || matches!(row.name, "dump" | "restore")
}

/// Whether it waits for what happens, a second a line.
fn waits(row: &Command) -> bool {
    row.name.ends_with("event")
}

/// The rows that virsh has, too.
fn rows() -> impl Iterator<Item = &'static Command> {
    let facts = include_str!("../facts/virsh-commands.txt");
    let shared = move |row: &&Command| facts.lines().any(|name| name == row.name);
    let kept = |row: &&Command| !LEFT_OUT.iter().any(|(name, _)| *name == row.name);
    hvsh::commands::TABLE.rows().filter(shared).filter(kept)
}

/// One command with a value for each option it must have.
struct Base {
    row: &'static Command,
    /// The options given in every line, in their order, with their values.
    given: Vec<(&'static Opt, String)>,
    setup: Vec<String>,
}

impl Base {
    fn new(row: &'static Command) -> Base {
        let needed = |option: &&Opt| option.required || (option.kind == OptKind::Rest && needs_rest(row));
        let given = row.listed_options().filter(needed);
        let given = given.map(|option| (option, values::good(row, option).to_string())).collect();
        Base { row, given, setup: values::setup(row) }
    }

    /// The line with everything that is needed, and `more` behind it.
    fn line(&self, more: &str) -> String {
        self.with(self.given.iter().map(|(option, value)| by_place(option, value)).collect(), more)
    }

    fn with(&self, words: Vec<String>, more: &str) -> String {
        let mut line = self.row.name.to_string();
        for word in words.iter().map(String::as_str).chain([more]).filter(|word| !word.is_empty()) {
            line.push(' ');
            line.push_str(word);
        }
        format!("{line}{}", values::ending(self.row, &line))
    }

    /// The line with another value for one of the needed options; `None` leaves it out.
    fn but(&self, name: &str, value: Option<&str>) -> String {
        let words = self.given.iter().filter_map(|(option, good)| match option.name == name {
            true => value.map(|value| by_name(option, value)),
            false => Some(by_name(option, good)),
        });
        self.with(words.collect(), "")
    }

    fn script(&self, state: &str, lines: Vec<String>) -> Script {
        let mut all: Vec<String> = self.setup.clone();
        all.extend([state.to_string()].into_iter().filter(|state| !state.is_empty()));
        all.extend(lines);
        Script { name: format!("{}:", self.row.name), files: values::files(), lines: all, whole: false }
    }
}

fn needs_rest(row: &Command) -> bool {
    !matches!(row.name, "desc" | "net-desc" | "domstats" | "schedinfo" | "domfsfreeze" | "domfsthaw")
}

fn by_place(option: &Opt, value: &str) -> String {
    match option.positional || option.kind == OptKind::Rest {
        true => value.to_string(),
        false => by_name(option, value),
    }
}

fn by_name(option: &Opt, value: &str) -> String {
    format!("--{} {value}", option.name)
}

/// An optional option with a good value.
fn spelled(row: &'static Command, option: &Opt) -> String {
    match option.kind {
        OptKind::Flag => format!("--{}", option.name),
        _ => by_name(option, values::good(row, option)),
    }
}

/// Few lines for every command: what it says without options, and the refusals of the parser.
pub fn simple_scripts() -> Vec<Script> {
    let mut scripts = Vec::new();
    for row in rows().filter(|row| !saves(row) && !waits(row)) {
        let base = Base::new(row);
        scripts.push(base.script("", vec![base.line("")]));
        scripts.push(base.script("destroy test", vec![base.line("")]));
        for option in optional(row) {
            scripts.push(base.script("", vec![base.line(&spelled(row, option))]));
        }
    }
    scripts
}

/// The commands that wait for events, with fewer values because each line may take a second.
pub fn event_scripts() -> Vec<Script> {
    let mut scripts = Vec::new();
    for row in rows().filter(|row| waits(row)) {
        let base = Base::new(row);
        scripts.push(refused_by_the_parser(&base));
        scripts.push(base.script("", vec![base.line("")]));
        for option in optional(row) {
            scripts.push(base.script("", vec![base.line(&spelled(row, option))]));
            let refused = |value: &&&str| {
                matches!(**value, "''" | "nosuch" | "-1" | "0" | "x" | "99999999999999999999999")
            };
            for value in tried(option).iter().filter(refused) {
                scripts.push(base.script("", vec![base.line(&by_name(option, value))]));
            }
        }
    }
    scripts
}

fn optional(row: &'static Command) -> impl Iterator<Item = &'static Opt> {
    row.listed_options().filter(|option| !option.required)
}

/// The commands that no process of its own can be given, each with its reason.
const NEVER_ALONE: &[(&str, &str)] = &[
    ("complete", "is hidden, and has its own suite"),
    ("self-test", "is hidden, and speaks of our own table"),
    ("cd", "says no when nobody types"),
];

/// For every command, each in a process of its own: every operand missing, an unknown option, too many words, a bad
/// number, an unknown object, what should succeed, and its help.
pub fn status_scripts() -> Vec<Script> {
    let facts = include_str!("../facts/virsh-commands.txt");
    let mut scripts = Vec::new();
    for row in hvsh::commands::TABLE.rows().filter(|row| facts.lines().any(|name| name == row.name)) {
        if NEVER_ALONE.iter().any(|(name, _)| *name == row.name) {
            continue;
        }
        let base = Base::new(row);
        let mut lines = vec![
            row.name.to_string(),
            base.line("--nosuch"),
            base.line("extra extra extra extra extra extra"),
            format!("help {0}; {0} --help", row.name),
        ];
        for (option, _) in &base.given {
            lines.push(base.but(option.name, None));
            if option.kind == OptKind::Number {
                lines.push(base.but(option.name, Some("x")));
            } else if option.complete != Complete::Nothing {
                lines.push(base.but(option.name, Some("nosuch")));
            }
        }
        for option in optional(row).filter(|option| option.kind == OptKind::Number) {
            lines.push(base.line(&by_name(option, "x")));
        }
        // The last one that takes a value gets none.
        let valued = row.listed_options().filter(|option| option.kind != OptKind::Flag).last();
        lines.extend(valued.map(|option| format!("{} --{}", row.name, option.name)));
        lines.dedup();
        // What is refused needs nothing to be there before.
        let bare = Base { setup: Vec::new(), ..Base::new(row) };
        scripts.extend(lines.into_iter().map(|line| bare.script("", vec![line])));
        scripts.push(base.script("", vec![base.line("")]));
    }
    scripts.into_iter().map(|script| Script { whole: true, ..script }).collect()
}

/// Everything for every command; those that save stand apart.
pub fn scripts(saving: bool) -> Vec<Script> {
    let mut scripts = Vec::new();
    for row in rows().filter(|row| saves(row) == saving && !waits(row)) {
        let base = Base::new(row);
        scripts.push(refused_by_the_parser(&base));
        for state in STATES {
            scripts.push(base.script(state, vec![base.line("")]));
        }
        for (option, _) in &base.given {
            for value in values::tried(row, option).iter().chain(tried(option)) {
                scripts.push(base.script("", vec![base.but(option.name, Some(value))]));
            }
        }
        for option in optional(row) {
            scripts.extend(with_option(&base, option));
        }
        let optional: Vec<&Opt> = optional(row).collect();
        for (place, one) in optional.iter().enumerate() {
            for other in &optional[place + 1..] {
                let both = format!("{} {}", spelled(row, one), spelled(row, other));
                scripts.push(base.script("", vec![base.line(&both)]));
            }
        }
    }
    scripts
}

/// Lines that are wrong in themselves, so that one connection can take them all.
fn refused_by_the_parser(base: &Base) -> Script {
    let mut lines = vec![
        base.line("--nosuch"),
        base.line("--nosuch=1"),
        base.line("-- extra"),
        base.line("extra extra extra extra extra extra"),
    ];
    for (option, _) in &base.given {
        lines.push(base.but(option.name, None));
        lines.push(base.line(&by_name(option, "again")));
    }
    lines.push(base.row.name.to_string());
    for option in optional(base.row) {
        let word = spelled(base.row, option);
        if option.kind != OptKind::Rest {
            lines.push(base.line(&format!("{word} {word}")));
        }
        lines.push(base.line(&format!("--{}", &option.name[..option.name.len() - 1])));
        match option.kind {
            OptKind::Flag => lines.push(base.line(&format!("--{}=yes", option.name))),
            _ => {
                lines.push(format!("{} --{}", base.row.name, option.name));
                lines.push(format!("{} --{}=", base.row.name, option.name));
            }
        }
    }
    let mut script = base.script("", lines);
    script.lines.drain(..base.setup.len());
    script
}

fn tried(option: &Opt) -> &'static [&'static str] {
    match (option.kind, option.complete) {
        (OptKind::Flag, _) => &[],
        (OptKind::Number, _) => NUMBERS,
        (
            _,
            Complete::Domain | Complete::ActiveDomain | Complete::InactiveDomain | Complete::DomainWith(_),
        ) => &["''", "' '", "nosuch", "-1", "0", "1", "2", "6695eb01-f6a4-8304-79aa-97f2502e193f", "TEST"],
        _ => WORDS,
    }
}

/// An option with all its values, and in each state.
fn with_option(base: &Base, option: &'static Opt) -> Vec<Script> {
    let mut scripts = Vec::new();
    let good = spelled(base.row, option);
    for state in STATES {
        scripts.push(base.script(state, vec![base.line(&good)]));
    }
    for value in values::tried(base.row, option).iter().chain(tried(option)) {
        scripts.push(base.script("", vec![base.line(&by_name(option, value))]));
    }
    if option.kind != OptKind::Flag {
        let joined = format!("--{}={}", option.name, values::good(base.row, option));
        scripts.push(base.script("", vec![base.line(&joined)]));
    }
    scripts
}
