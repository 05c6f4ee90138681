//! What may stand next on a command line: commands, options, values.
//!
//! The prompt and the hidden command `complete`, which completion scripts call, both ask here. The values of
//! live things (domains, pools …) come from the function that the table carries.

use super::args::Args;
use super::lexer::{Line, Token, Tokens};
use super::options::OPTIONS;
use super::session::Session;
use super::several;
use super::spec::{Command, Complete, Opt, OptKind};

/// The candidates for `partial` after `words`, in the table's order; each is a whole word.
pub fn candidates(session: &mut Session, words: &[String], partial: &str) -> Vec<String> {
    let Some((name, words)) = words.split_first() else {
        return openings(session, partial);
    };
    let Some(command) = session.commands.find(name) else {
        return Vec::new();
    };
    let given = Given::read(command, words);
    if let Some(option) = given.waiting {
        return values(session, option, &given.args, partial);
    }
    if !given.options_ended && partial.starts_with('-') {
        return match partial.strip_prefix("--").and_then(|text| text.split_once('=')) {
            Some((name, value)) => match command.option(name) {
                Some(option) => {
                    let found = values(session, option, &given.args, value);
                    found.iter().map(|value| format!("--{name}={value}")).collect()
                }
                None => Vec::new(),
            },
            None => given.options(partial),
        };
    }
    let mut found = match given.next_operand() {
        Some(option) => values(session, option, &given.args, partial),
        None => Vec::new(),
    };
    if let Some(option) = given.one_more() {
        let known: Vec<&str> = given.args.all(option.name).collect();
        let more = values(session, option, &given.args, partial);
        found.extend(more.into_iter().filter(|name| !known.contains(&name.as_str())));
    }
    if found.is_empty() && partial.is_empty() && !given.options_ended {
        return given.options("");
    }
    found
}

/// What a line may begin with: a command, or one of the process's options.
fn openings(session: &Session, partial: &str) -> Vec<String> {
    if partial.starts_with('-') {
        let long = OPTIONS.iter().filter(|option| !option.help.is_empty());
        let names = long.map(|option| format!("--{}", option.long));
        return names.filter(|name| name.starts_with(partial)).collect();
    }
    let rows = session.commands.rows().filter(|row| !row.hidden);
    let names = rows.map(|row| row.name).filter(|name| name.starts_with(partial));
    names.map(str::to_string).collect()
}

/// What stands on the line already, read without complaint.
struct Given {
    command: &'static Command,
    args: Args,
    seen: Vec<&'static str>,
    /// An option whose value comes next.
    waiting: Option<&'static Opt>,
    options_ended: bool,
}

impl Given {
    fn read(command: &'static Command, words: &[String]) -> Given {
        let mut given = Given {
            command,
            args: Args::new(command),
            seen: Vec::new(),
            waiting: None,
            options_ended: false,
        };
        for word in words {
            given.word(word);
        }
        given
    }

    fn word(&mut self, word: &str) {
        if let Some(option) = self.waiting.take() {
            self.args.add(option.name, word.to_string());
            return;
        }
        match word.strip_prefix("--").filter(|_| !self.options_ended) {
            Some("") => self.options_ended = true,
            Some(text) => {
                let (name, value) = match text.split_once('=') {
                    Some((name, value)) => (name, Some(value)),
                    None => (text, None),
                };
                let Some(option) = self.command.option(name) else {
                    return;
                };
                self.seen.push(option.name);
                match (option.kind, value) {
                    (OptKind::Flag, _) => self.args.set_flag(option.name),
                    (_, Some(value)) => self.args.add(option.name, value.to_string()),
                    (_, None) => self.waiting = Some(option),
                }
            }
            None => {
                let fits = |option: &&Opt| self.command.several.is_none() || option.fits(word);
                if let Some(option) = self.next_operand().filter(fits).or_else(|| self.one_more()) {
                    self.seen.push(option.name);
                    self.args.add(option.name, word.to_string());
                }
            }
        }
    }

    /// The option that a word without a name would belong to.
    fn next_operand(&self) -> Option<&'static Opt> {
        let free = |option: &&Opt| option.kind == OptKind::Rest || !self.seen.contains(&option.name);
        let mut options = self.command.options.iter().filter(|option| option.by_place());
        options.find(free)
    }

    /// The option for a further domain, where the command takes several and has one already.
    fn one_more(&self) -> Option<&'static Opt> {
        let takes = self.command.several.is_some() && self.seen.contains(&several::DOMAIN);
        takes.then(|| self.command.option(several::DOMAIN)).flatten()
    }

    /// The options not yet given that begin so.
    fn options(&self, partial: &str) -> Vec<String> {
        let listed = self.command.listed_options();
        let free = listed.filter(|option| option.kind == OptKind::Rest || !self.seen.contains(&option.name));
        let names = free.map(|option| format!("--{}", option.name));
        names.filter(|name| name.starts_with(partial)).collect()
    }
}

/// The values of an option that begin so.
fn values(session: &mut Session, option: &Opt, args: &Args, partial: &str) -> Vec<String> {
    let mut found: Vec<String> = match option.complete {
        Complete::Nothing | Complete::File | Complete::NumberList => Vec::new(),
        Complete::Command => {
            let rows = session.commands.rows().filter(|row| !row.hidden);
            rows.map(|row| row.name.to_string()).collect()
        }
        Complete::Words(words) => words.iter().map(ToString::to_string).collect(),
        Complete::WordList(words) => listed(words, partial),
        list @ (Complete::DiskList | Complete::VcpuList | Complete::HostCpuList) => {
            let items = (session.commands.values)(session, list, args);
            listed(&items.iter().map(String::as_str).collect::<Vec<_>>(), partial)
        }
        live => (session.commands.values)(session, live, args),
    };
    found.retain(|value| value.starts_with(partial));
    found
}

/// The lists that go on from `partial`: what stands before the last comma is kept, and not offered again.
fn listed(words: &[&str], partial: &str) -> Vec<String> {
    let kept = partial.rfind(',').map_or("", |comma| &partial[..=comma]);
    let free = words.iter().filter(|word| !kept.split(',').any(|taken| taken == **word));
    free.map(|word| format!("{kept}{word}")).collect()
}

/// Whether the word after `words` is the path of a file.
pub fn wants_file(session: &Session, words: &[String]) -> bool {
    let Some((name, words)) = words.split_first() else {
        return false;
    };
    let Some(command) = session.commands.find(name) else {
        return false;
    };
    let given = Given::read(command, words);
    let option = given.waiting.or_else(|| given.next_operand());
    option.is_some_and(|option| option.complete == Complete::File)
}

/// The command that a line ends with: its words, the word that is not complete yet, and where that one begins.
pub fn last_command(text: &str) -> Option<(Vec<String>, String, usize)> {
    let mut line = Line::new(text);
    let mut words = Vec::new();
    let mut last = None;
    loop {
        let start = line.next_word_start(text);
        match line.next_token().ok()? {
            Some(Token::Word(word)) => {
                words.extend(last.take().map(|(word, _)| word));
                // A word is complete once something parts it from what follows.
                if line.is_at_end() {
                    last = Some((word, start));
                } else {
                    words.push(word);
                }
            }
            Some(Token::End) => words.clear(),
            None => {
                let (partial, start) = last.unwrap_or_else(|| (String::new(), text.len()));
                return Some((words, partial, start));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn last(text: &str) -> (Vec<String>, String, usize) {
        last_command(text).unwrap()
    }

    #[test]
    fn the_last_command_of_a_line_is_completed() {
        assert_eq!(last(""), (vec![], String::new(), 0));
        assert_eq!(last("do"), (vec![], "do".to_string(), 0));
        assert_eq!(last("a; dom x"), (vec!["dom".to_string()], "x".to_string(), 7));
        assert_eq!(last("dom x "), (vec!["dom".to_string(), "x".to_string()], String::new(), 6));
        assert_eq!(
            last("dom 'a b' c\\ d"),
            (vec!["dom".to_string(), "a b".to_string()], "c d".to_string(), 10)
        );
        assert!(last_command("dom \"x").is_none());
    }
}
