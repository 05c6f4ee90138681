//! The one place that prints errors: `error: …` on standard error, the outermost sentence first; and the log.
//!
//! With `-d` it also tells what the shell does, and with `-l` all of it goes to a file as well.

use anyhow::{Error, Result, bail};
use std::fmt::Display;
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::time::{SystemTime, UNIX_EPOCH};

/// A failure about which nothing more is to be said: the command said it already, or virsh says nothing.
#[derive(Debug, thiserror::Error)]
#[error("failed")]
pub struct Silent;

/// How much something matters; `-d` hides what matters less than it says.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Level {
    /// Each step.
    Debug,
    /// Each command.
    Info,
    /// A failure; never hidden.
    Error = 4,
}

impl Level {
    fn name(self) -> &'static str {
        match self {
            Level::Debug => "DEBUG",
            Level::Info => "INFO",
            Level::Error => "ERROR",
        }
    }
}

/// Tells people and the log what went wrong, and what is done.
pub struct Reporter {
    out: Box<dyn Write>,
    log: Option<File>,
    /// The program's name in the log.
    name: &'static str,
    /// What matters less than this is not told.
    level: u8,
}

impl Reporter {
    /// A reporter without a log that prints errors only.
    pub fn new(out: Box<dyn Write>) -> Reporter {
        Reporter { out, log: None, name: "hvsh", level: Level::Error as u8 }
    }

    /// Tells everything from `level` on, and also to the file `log`, whose lines name the program.
    pub fn configure(&mut self, level: u8, log: Option<&str>, name: &'static str) -> Result<()> {
        self.level = level;
        self.name = name;
        if let Some(path) = log {
            let mut options = OpenOptions::new();
            match options.append(true).create(true).mode(0o600).open(path) {
                Ok(file) => self.log = Some(file),
                Err(_) => bail!("failed to open the log file. check the log file path"),
            }
        }
        Ok(())
    }

    /// Prints each sentence of `error` on a line of its own.
    pub fn chain(&mut self, error: &Error) {
        for cause in error.chain().filter(|cause| !cause.is::<Silent>()) {
            self.error(cause);
        }
    }

    /// Prints one sentence as an error.
    pub fn error(&mut self, message: impl Display) {
        // Nobody is left to tell when standard error itself is gone.
        let _ = writeln!(self.out, "error: {message}");
        let _ = self.out.flush();
        self.note(Level::Error, &message.to_string());
    }

    /// Prints what a person may want to know beside an answer; it is not logged.
    pub fn remark(&mut self, message: impl Display) {
        let _ = writeln!(self.out, "{message}");
        let _ = self.out.flush();
    }

    /// Tells what is done, if it was asked for. `message` is not even made up otherwise.
    pub fn tell(&mut self, level: Level, message: impl FnOnce() -> String) {
        if level as u8 >= self.level {
            let message = message();
            let _ = writeln!(self.out, "{message}");
            self.note(level, &message);
        }
    }

    fn note(&mut self, level: Level, message: &str) {
        let Some(log) = &mut self.log else {
            return;
        };
        let seconds = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        let line =
            format!("[{} {} {}] {} {message}\n", stamp(seconds), self.name, std::process::id(), level.name());
        // One call a line, so that shells that share a log do not mix their words.
        let _ = log.write_all(line.as_bytes());
    }
}

/// Seconds since 1970 as a date and a time of day, in UTC.
fn stamp(seconds: u64) -> String {
    let (mut days, clock) = (seconds / 86_400, seconds % 86_400);
    let leap = |year: u64| year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let mut year = 1970;
    while days >= 365 + u64::from(leap(year)) {
        days -= 365 + u64::from(leap(year));
        year += 1;
    }
    let lengths = [31, 28 + u64::from(leap(year)), 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let mut month = 0;
    while days >= lengths[month] {
        days -= lengths[month];
        month += 1;
    }
    let (hour, minute, second) = (clock / 3600, clock / 60 % 60, clock % 60);
    format!("{year}.{:02}.{:02} {hour:02}:{minute:02}:{second:02}", month + 1, days + 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use anyhow::Context;
    use std::cell::RefCell;
    use std::rc::Rc;

    #[derive(Clone, Default)]
    struct Kept(Rc<RefCell<Vec<u8>>>);

    impl Write for Kept {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.borrow_mut().write(bytes)
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    fn told(speak: impl FnOnce(&mut Reporter)) -> String {
        let kept = Kept::default();
        speak(&mut Reporter::new(Box::new(kept.clone())));
        let bytes = kept.0.borrow().clone();
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn the_outermost_sentence_comes_first_and_silence_is_kept() {
        let cause: Error = crate::error::Error::invalid_operation("domain is not running").into();
        let error = Err::<(), _>(cause).context("Failed to destroy domain 'x'").unwrap_err();
        let text = told(|reporter| {
            reporter.chain(&error);
            reporter.chain(&Silent.into());
        });
        assert_eq!(
            text,
            "error: Failed to destroy domain 'x'\nerror: Requested operation is not valid: domain is not running\n"
        );
    }

    #[test]
    fn what_is_done_is_told_only_when_asked_for() {
        let text = told(|reporter| {
            reporter.tell(Level::Info, || "before".to_string());
            reporter.configure(1, None, "hvsh").unwrap();
            reporter.tell(Level::Info, || "command".to_string());
            reporter.tell(Level::Debug, || "step".to_string());
        });
        assert_eq!(text, "command\n");
    }

    #[test]
    fn the_log_holds_errors_with_their_time() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        let text = told(|reporter| {
            reporter.configure(4, path.to_str(), "virsh").unwrap();
            reporter.error("no such thing");
        });
        assert_eq!(text, "error: no such thing\n");
        let log = std::fs::read_to_string(&path).unwrap();
        assert!(
            log.starts_with('[') && log.contains(" virsh ") && log.ends_with("] ERROR no such thing\n"),
            "{log}"
        );
    }

    #[test]
    fn dates_are_reckoned_over_leap_years() {
        assert_eq!(stamp(0), "1970.01.01 00:00:00");
        assert_eq!(stamp(951_782_399), "2000.02.28 23:59:59");
        assert_eq!(stamp(951_782_400), "2000.02.29 00:00:00");
        assert_eq!(stamp(1_795_467_588), "2026.11.23 20:59:48");
    }
}
