//! One command line against the table: virsh's grammar.
//!
//! Options stand anywhere, by place or by name; `--name value` and `--name=value` are the same; `--` ends the
//! options of its command. All commands of a line are parsed before the first one runs.

use super::args::Args;
use super::lexer::{Token, Tokens};
use super::several;
use super::spec::{Command, Opt, OptKind, Table};
use anyhow::{Result, bail};

/// A command with its arguments, ready to run.
pub struct Invocation {
    /// Its row.
    pub command: &'static Command,
    /// What was given to it.
    pub args: Args,
}

/// Parses everything; an error anywhere means that nothing may run.
pub fn parse(table: Table, tokens: &mut dyn Tokens) -> Result<Vec<Invocation>> {
    let mut found = Vec::new();
    while let Some(token) = tokens.next_token()? {
        if let Token::Word(name) = token {
            match table.find(&name) {
                Some(command) => found.push(parse_command(table, command, tokens)?),
                None => bail!(UnknownCommand(name)),
            }
        }
    }
    Ok(found)
}

/// Nothing in the table is called so. A type of its own, so that a prompt can suggest what was meant.
#[derive(Debug, thiserror::Error)]
#[error("unknown command: '{0}'")]
pub struct UnknownCommand(pub String);

/// A command has no such option.
#[derive(Debug, thiserror::Error)]
#[error("command '{command}' doesn't support option --{option}")]
pub struct UnknownOption {
    /// The command's row.
    pub command: &'static str,
    /// What was typed, without dashes.
    pub option: String,
}

/// What one command has been given so far.
struct Reader {
    command: &'static Command,
    args: Args,
    /// The options given, but for those that may be given again.
    seen: Vec<&'static str>,
    help: bool,
}

fn parse_command(table: Table, command: &'static Command, tokens: &mut dyn Tokens) -> Result<Invocation> {
    let mut reader = Reader { command, args: Args::new(command), seen: Vec::new(), help: false };
    let mut options_ended = false;
    while let Some(Token::Word(word)) = tokens.next_token()? {
        match word.strip_prefix("--") {
            Some("") if !options_ended => options_ended = true,
            Some(option) if !options_ended => reader.option(option, tokens)?,
            _ => reader.operand(word)?,
        }
    }
    match table.find("help") {
        Some(help) if reader.help => {
            let mut args = Args::new(help);
            args.add("command", command.name.to_string());
            Ok(Invocation { command: help, args })
        }
        _ => reader.finish(),
    }
}

impl Reader {
    /// Takes `name` or `name=value`; without `=` the value is the next word.
    fn option(&mut self, text: &str, tokens: &mut dyn Tokens) -> Result<()> {
        let (name, mut value) = match text.split_once('=') {
            Some((name, value)) => (name, Some(value.to_string())),
            None => (text, None),
        };
        let Some(mut option) = self.command.option(name) else {
            if name == "help" {
                self.help = true;
                return Ok(());
            }
            if self.command.lenient {
                return Ok(());
            }
            bail!(UnknownOption { command: self.command.name, option: name.to_string() });
        };
        if let OptKind::Alias(target) = option.kind {
            // An alias may carry the value with it: `string=hello`.
            let (target, fixed) = match target.split_once('=') {
                Some((target, fixed)) => (target, Some(fixed.to_string())),
                None => (target, None),
            };
            value = fixed.or(value);
            match self.command.option(target) {
                Some(real) => option = real,
                None => bail!("the option --{name} stands for --{target}, which does not exist"),
            }
        }
        self.notice(option)?;
        match (option.kind, value) {
            (OptKind::Flag, Some(_)) => bail!("invalid '=' after option --{name}"),
            (OptKind::Flag, None) => self.args.set_flag(option.name),
            (_, Some(value)) => self.args.add(option.name, value),
            (kind, None) => match tokens.next_token()? {
                Some(Token::Word(value)) => self.args.add(option.name, value),
                _ => bail!("expected syntax: --{} <{}>", option.name, kind.value_name()),
            },
        }
        Ok(())
    }

    /// Takes a word that belongs to the first option that may stand by place and was not given yet.
    fn operand(&mut self, word: String) -> Result<()> {
        let mut options = self.command.options.iter();
        let next = options.find(|option| option.by_place() && !self.seen.contains(&option.name));
        // Where several domains are taken, a word that cannot be another option's value names one more.
        let meant = |option: &&Opt| {
            self.command.several.is_none() || option.name == several::DOMAIN || option.fits(&word)
        };
        let more = || self.command.several.and_then(|_| self.command.option(several::DOMAIN));
        let Some(option) = next.filter(meant).or_else(more) else {
            if self.command.lenient {
                return Ok(());
            }
            bail!("unexpected data '{word}'");
        };
        self.notice(option)?;
        self.args.add(option.name, word);
        Ok(())
    }

    /// Refuses a second time what may be given once.
    fn notice(&mut self, option: &'static Opt) -> Result<()> {
        let again = self.command.several.is_some() && option.name == several::DOMAIN;
        if option.kind != OptKind::Rest && !again {
            if self.seen.contains(&option.name) {
                bail!("option --{} already seen", option.name);
            }
            self.seen.push(option.name);
        } else if again && !self.seen.contains(&option.name) {
            self.seen.push(option.name);
        }
        Ok(())
    }

    fn finish(self) -> Result<Invocation> {
        let name = self.command.name;
        let all = self.command.several.is_some() && self.args.has(several::ALL);
        for option in self.command.options.iter().filter(|option| option.required) {
            if all && option.name == several::DOMAIN {
                continue;
            }
            if !self.args.has(option.name) {
                if option.by_place() {
                    bail!("command '{name}' requires <{}> option", option.name);
                }
                bail!("command '{name}' requires --{} option", option.name);
            }
        }
        Ok(Invocation { command: self.command, args: self.args })
    }
}

#[cfg(test)]
mod tests {
    use super::super::lexer::Line;
    use super::super::session::Session;
    use super::super::spec::Group;
    use super::*;

    fn nothing(_: &mut Session, _: &Args) -> Result<()> {
        Ok(())
    }

    const ROWS: &[Command] = &[
        Command::new("help", Group::Shell, nothing).options(&[Opt::text("command", "").positional()]),
        Command::new("make", Group::Volume, nothing).options(&[
            Opt::text("pool", "").required(),
            Opt::text("name", "").required(),
            Opt::number("size", "").required(),
            Opt::text("format", "").tolerated_by_place(),
            Opt::text("note", ""),
            Opt::flag("dry", ""),
            Opt::alias("volume", "name"),
            Opt::alias("plain", "format=raw"),
        ]),
        Command::new("say", Group::Shell, nothing).options(&[Opt::flag("loud", ""), Opt::rest("string", "")]),
    ];
    const TABLE: Table = Table { groups: &[&[ROWS]], values: |_, _, _| Vec::new() };

    fn run(text: &str) -> Result<Vec<Invocation>> {
        parse(TABLE, &mut Line::new(text))
    }
    fn failure(text: &str) -> String {
        run(text).err().map(|error| error.to_string()).unwrap_or_default()
    }
    fn values(text: &str, option: &str) -> Vec<String> {
        let args = run(text).unwrap().remove(0).args;
        args.all(option).map(str::to_string).collect()
    }

    #[test]
    fn operands_fill_what_is_left_in_order() {
        assert_eq!(values("make --name n p 1", "pool"), ["p"]);
        assert_eq!(values("make --size=1 p n raw", "format"), ["raw"]);
        assert_eq!(values("make --volume n p 1 --plain", "format"), ["raw"]);
        assert_eq!(failure("make p n 1 raw x"), "unexpected data 'x'");
    }

    #[test]
    fn the_rest_takes_all_and_options_stand_between() {
        assert_eq!(values("say a --loud b --string c", "string"), ["a", "b", "c"]);
        assert_eq!(values("say -- --loud --", "string"), ["--loud", "--"]);
    }

    #[test]
    fn refusals_are_worded_as_virsh_words_them() {
        assert_eq!(failure("make p n"), "command 'make' requires <size> option");
        assert_eq!(failure("make --size"), "expected syntax: --size <number>");
        assert_eq!(failure("make --dry --dry"), "option --dry already seen");
        assert_eq!(failure("make --dry=1"), "invalid '=' after option --dry");
        assert_eq!(failure("make --dr"), "command 'make' doesn't support option --dr");
        assert_eq!(failure("say a; mak"), "unknown command: 'mak'");
    }

    #[test]
    fn help_stands_in_for_the_command() {
        assert_eq!(values("make --help", "command"), ["make"]);
    }
}
