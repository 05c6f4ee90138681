//! The process's own options (`-c`, `-q`, …): virsh's, read as its getopt reads them, and ours.
//!
//! They stop at the first operand; long ones may be abbreviated; `-v`, `-V` and `-h` act where they stand, so
//! that what follows them is not even looked at. A table rather than an argument parser's crate reads them,
//! because the messages are matched by scripts and because it costs nothing at start; clap gets a model of it
//! for those who want one.

use super::session::{Format, Settings};
use super::spec::Complete;
use anyhow::{Result, bail};

/// What the process is to do.
#[derive(Debug)]
pub enum Action {
    /// Run what the operands say, or prompt when there are none.
    Run(Vec<String>),
    /// `-h`
    Help,
    /// `-v`
    Version,
    /// `-V`
    LongVersion,
    /// Print the manual page: for packagers, unlisted.
    Manual,
    /// Print the completion script for this shell.
    Completion(String),
}

/// The options as they were given.
#[derive(Debug)]
pub struct Options {
    /// What they set.
    pub settings: Settings,
    /// What is to be done.
    pub action: Action,
    /// Complaints that do not stop the shell.
    pub complaints: Vec<String>,
}

/// An option of the process.
pub struct ProcessOption {
    /// `-c`
    pub short: Option<char>,
    /// `--connect`
    pub long: &'static str,
    /// What stands for its value in help; empty if it takes none.
    pub value: &'static str,
    /// Whether the value may only be joined with `=`, and may be missing.
    pub optional_value: bool,
    /// Our own words; empty for what is not listed.
    pub help: &'static str,
    /// What its value may be.
    pub complete: Complete,
}

const fn option(
    short: Option<char>,
    long: &'static str,
    value: &'static str,
    help: &'static str,
) -> ProcessOption {
    ProcessOption { short, long, value, optional_value: false, help, complete: Complete::Nothing }
}

/// What `--format` takes.
const FORMS: &[&str] = &["table", "pretty", "json", "yaml"];

/// All of them, in the order of help.
pub const OPTIONS: &[ProcessOption] = &[
    option(Some('c'), "connect", "URI", "connect to this hypervisor"),
    option(Some('d'), "debug", "LEVEL", "tell what is done: 0 everything … 4 errors only"),
    option(Some('e'), "escape", "CHAR", "leave a console by this control character, such as ^]"),
    option(Some('h'), "help", "", "print this help"),
    option(
        Some('k'),
        "keepalive-interval",
        "SECONDS",
        "ask a silent peer for a sign of life after so long; 0: never",
    ),
    option(Some('K'), "keepalive-count", "NUMBER", "give a peer up after so many missed signs of life"),
    ProcessOption {
        complete: Complete::File,
        ..option(Some('l'), "log", "FILE", "append what is told to a file")
    },
    option(Some('q'), "quiet", "", "print answers only: no titles, no remarks"),
    option(Some('r'), "readonly", "", "connect without the right to change anything"),
    option(Some('t'), "timing", "", "tell how long each command took"),
    ProcessOption {
        optional_value: true,
        complete: Complete::Words(&["short", "long"]),
        ..option(Some('v'), "version", "TYPE", "print the version: short (as -v) or long (as -V)")
    },
    option(Some('V'), "", "", ""),
    ProcessOption {
        complete: Complete::Words(FORMS),
        ..option(None, "format", "FORM", "print answers as table, pretty (a table with lines), json or yaml")
    },
    ProcessOption {
        complete: Complete::Words(&["elvish", "powershell"]),
        ..option(None, "print-completion", "SHELL", "print the completion script for elvish or powershell")
    },
    option(None, "print-manual", "", ""),
];

/// Reads the arguments that follow the program's name.
pub fn read(arguments: Vec<String>) -> Result<Options> {
    let mut reader = Reader {
        settings: Settings { escape: control('\u{5d}'), ..Settings::default() },
        complaints: Vec::new(),
        action: None,
    };
    let mut arguments = arguments.into_iter().peekable();
    while let Some(argument) = arguments.next_if(|argument| argument.starts_with('-') && argument != "-") {
        if argument == "--" {
            break;
        }
        match argument.strip_prefix("--") {
            Some(long) => reader.long(long, &mut arguments)?,
            None => reader.shorts(&argument[1..], &mut arguments)?,
        }
        if reader.action.is_some() {
            break;
        }
    }
    Ok(Options {
        settings: reader.settings,
        action: reader.action.unwrap_or_else(|| Action::Run(arguments.collect())),
        complaints: reader.complaints,
    })
}

struct Reader {
    settings: Settings,
    complaints: Vec<String>,
    action: Option<Action>,
}

impl Reader {
    fn long(&mut self, text: &str, rest: &mut dyn Iterator<Item = String>) -> Result<()> {
        let (name, joined) = match text.split_once('=') {
            Some((name, value)) => (name, Some(value.to_string())),
            None => (text, None),
        };
        let exact = OPTIONS.iter().find(|option| !name.is_empty() && option.long == name);
        let mut alike = OPTIONS.iter().filter(|option| !name.is_empty() && option.long.starts_with(name));
        let found = exact.or_else(|| alike.next().filter(|_| alike.next().is_none()));
        let Some(option) = found else {
            bail!("unsupported option '--{text}'. See --help.");
        };
        let value = match joined {
            Some(_) if option.value.is_empty() => {
                bail!("unsupported option '{}'. See --help.", spelled(option));
            }
            None if !option.value.is_empty() && !option.optional_value => Some(required(option, rest)?),
            joined => joined,
        };
        self.take(option, &format!("--{}", option.long), value)
    }

    /// Reads `qrc`: several letters, the last of which may take the rest or the next argument as its value.
    fn shorts(&mut self, letters: &str, rest: &mut dyn Iterator<Item = String>) -> Result<()> {
        for (place, letter) in letters.char_indices() {
            let Some(option) = OPTIONS.iter().find(|option| option.short == Some(letter)) else {
                bail!("unsupported option '-{letter}'. See --help.");
            };
            let joined = &letters[place + letter.len_utf8()..];
            let spelled = format!("-{letter}");
            if option.value.is_empty() || option.optional_value {
                self.take(option, &spelled, None)?;
                if self.action.is_some() {
                    return Ok(());
                }
            } else if joined.is_empty() {
                let value = required(option, rest)?;
                return self.take(option, &spelled, Some(value));
            } else {
                return self.take(option, &spelled, Some(joined.to_string()));
            }
        }
        Ok(())
    }

    fn take(&mut self, option: &ProcessOption, spelled: &str, value: Option<String>) -> Result<()> {
        let settings = &mut self.settings;
        let text = value.as_deref().unwrap_or_default();
        match (option.short, option.long) {
            (Some('c'), _) => settings.uri = value,
            (Some('d'), _) => {
                let Ok(level) = text.parse::<i32>() else {
                    bail!("option {spelled} takes a numeric argument");
                };
                match u8::try_from(level) {
                    Ok(level @ 0..=4) => settings.debug = Some(level),
                    _ => self.complaints.push(format!("ignoring debug level {level} out of range [0-4]")),
                }
            }
            (Some('e'), _) => settings.escape = escape(text)?,
            (Some('k'), _) => settings.keepalive_interval = Some(positive(spelled, text)?),
            (Some('K'), _) => settings.keepalive_count = Some(positive(spelled, text)?),
            (Some('l'), _) => settings.log = value,
            (Some('q'), _) => settings.quiet = true,
            (Some('r'), _) => settings.read_only = true,
            (Some('t'), _) => settings.timing = true,
            (Some('h'), _) => self.action = Some(Action::Help),
            (Some('v'), _) if text == "long" => self.action = Some(Action::LongVersion),
            (Some('v'), _) => self.action = Some(Action::Version),
            (Some('V'), _) => self.action = Some(Action::LongVersion),
            (_, "format") => (settings.format, settings.ruled) = form(text)?,
            (_, "print-completion") => self.action = Some(Action::Completion(text.to_string())),
            (_, "print-manual") => self.action = Some(Action::Manual),
            _ => bail!("unsupported option '{spelled}'. See --help."),
        }
        Ok(())
    }
}

/// The value in the next argument.
fn required(option: &ProcessOption, rest: &mut dyn Iterator<Item = String>) -> Result<String> {
    let Some(value) = rest.next() else {
        match option.short {
            Some(short) => bail!("option '-{short}'/'--{}' requires an argument", option.long),
            None => bail!("option '--{}' requires an argument", option.long),
        }
    };
    Ok(value)
}

fn spelled(option: &ProcessOption) -> String {
    match option.short {
        Some(short) => format!("-{short}"),
        None => format!("--{}", option.long),
    }
}

fn positive(spelled: &str, text: &str) -> Result<u32> {
    match text.parse::<i64>() {
        Ok(number) if number < 0 => bail!("option {spelled} requires a positive integer argument"),
        Ok(number) if number <= i64::from(i32::MAX) => Ok(number as u32),
        _ => bail!("Invalid value for option {spelled}"),
    }
}

/// The form, and whether its tables have lines around them.
fn form(text: &str) -> Result<(Format, bool)> {
    match text {
        "table" => Ok((Format::Table, false)),
        "pretty" => Ok((Format::Table, true)),
        "json" => Ok((Format::Json, false)),
        "yaml" => Ok((Format::Yaml, false)),
        _ => bail!("Invalid value '{text}' for option --format: it is one of {}", FORMS.join(", ")),
    }
}

/// The byte of `^]` and the like; a lone character stands for itself.
fn escape(text: &str) -> Result<u8> {
    let mut characters = text.chars();
    match (characters.next(), characters.next(), characters.next()) {
        (Some(plain), None, _) if plain != '^' && plain.is_ascii() => Ok(plain as u8),
        (Some('^'), Some(letter), None) if matches!(letter.to_ascii_uppercase(), '@'..='_') => {
            Ok(control(letter))
        }
        _ => bail!("Invalid string '{text}' for escape sequence"),
    }
}

/// The control character that a key gives together with Ctrl.
fn control(key: char) -> u8 {
    key.to_ascii_uppercase() as u8 & 0x1f
}

#[cfg(test)]
mod tests {
    use super::*;

    fn given(arguments: &[&str]) -> Result<Options> {
        read(arguments.iter().map(ToString::to_string).collect())
    }
    fn refusal(arguments: &[&str]) -> String {
        given(arguments).unwrap_err().to_string()
    }

    #[test]
    fn options_end_at_the_first_operand() {
        let options = given(&["-qc", "test:///default", "--read", "list", "-t"]).unwrap();
        assert!(options.settings.quiet && options.settings.read_only && !options.settings.timing);
        assert_eq!(options.settings.uri.as_deref(), Some("test:///default"));
        assert!(matches!(options.action, Action::Run(operands) if operands == ["list", "-t"]));
    }

    #[test]
    fn refusals_are_worded_as_virsh_words_them() {
        assert_eq!(refusal(&["-qZ"]), "unsupported option '-Z'. See --help.");
        assert_eq!(refusal(&["--quietly"]), "unsupported option '--quietly'. See --help.");
        assert_eq!(refusal(&["--keepalive=1"]), "unsupported option '--keepalive=1'. See --help.");
        assert_eq!(refusal(&["--quiet=1"]), "unsupported option '-q'. See --help.");
        assert_eq!(refusal(&["--connect"]), "option '-c'/'--connect' requires an argument");
        assert_eq!(refusal(&["-d", "1x"]), "option -d takes a numeric argument");
        assert_eq!(refusal(&["-k", "-1"]), "option -k requires a positive integer argument");
        assert_eq!(refusal(&["--keepalive-count="]), "Invalid value for option --keepalive-count");
        assert_eq!(refusal(&["-e", "^1"]), "Invalid string '^1' for escape sequence");
    }

    #[test]
    fn a_version_is_told_before_what_follows_is_read() {
        assert!(matches!(given(&["-v", "-Z"]).unwrap().action, Action::Version));
        assert!(matches!(given(&["--version=long"]).unwrap().action, Action::LongVersion));
    }

    #[test]
    fn the_escape_is_a_control_character() {
        assert_eq!(given(&[]).unwrap().settings.escape, 0x1d);
        assert_eq!(given(&["-e", "^["]).unwrap().settings.escape, 0x1b);
        assert_eq!(given(&["-e", "x"]).unwrap().settings.escape, b'x');
    }
}
