//! Long calls: the call runs in its own thread while this one shows how far it is and passes an interrupt on.

use crate::backend::Connection;
use crate::error::Result as CallResult;
use crate::model::constants::DOMAIN_JOB_NONE;
use crate::model::{DomainRef, JobInfo};
use crate::shell::interrupt::Interrupt;
use crate::shell::session::{Format, Session};
use crate::shell::units::pretty_size;
use anyhow::{Result, anyhow};
use serde_json::{Value, json};
use std::io::{IsTerminal, Write};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::{Duration, Instant};

/// How often the job is asked about.
const PERIOD: Duration = Duration::from_millis(500);
/// How soon it is asked about first; most calls are done by then.
const FIRST: Duration = Duration::from_millis(50);

/// Who watches, and so what is shown.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Audience {
    /// Nobody asked for it.
    Nobody,
    /// `--verbose`, into a file or a program: exactly the percentage.
    Program,
    /// A person at a terminal: speed and time left, too.
    Person,
    /// `--verbose` and `--format`: a document each time, among the answers.
    Reader,
}

/// A long call on a domain: what it is called, and what is done beside it.
pub struct Job<'a> {
    /// The domain whose job is asked about.
    pub domain: &'a DomainRef,
    /// What the progress line begins with.
    pub label: &'static str,
    /// Whether progress was asked for.
    pub verbose: bool,
    /// What else is done each time the job was asked about; it gets the time since the call began.
    pub meanwhile: &'a mut dyn FnMut(&mut Session, Duration),
}

/// Runs `call`, which is a job of `domain`, under the eyes of whoever watches.
///
/// An interrupt aborts the job; the call then fails with the driver's own words.
pub fn watched(
    session: &mut Session,
    domain: &DomainRef,
    label: &'static str,
    verbose: bool,
    call: impl FnOnce(&dyn Connection) -> CallResult<()> + Send,
) -> Result<CallResult<()>> {
    Job { domain, label, verbose, meanwhile: &mut |_, _| {} }.run(session, call)
}

impl Job<'_> {
    /// Runs `call` in a thread of its own while this one shows, and passes on interrupts.
    pub fn run<T: Send>(
        self,
        session: &mut Session,
        call: impl FnOnce(&dyn Connection) -> CallResult<T> + Send,
    ) -> Result<CallResult<T>> {
        let connection = session.handle()?;
        let connection = &*connection;
        session.flush();
        let mut display = Display::new(self.label, audience(session, self.verbose));
        let interrupt = Interrupt::watch()?;
        std::thread::scope(|scope| {
            let (done, ended) = channel();
            scope.spawn(move || {
                // The receiver outlives this thread's work.
                let _ = done.send(call(connection));
            });
            let mut wait = FIRST;
            loop {
                match ended.recv_timeout(wait) {
                    Ok(answer) => {
                        display.end(session, answer.is_ok())?;
                        return Ok(answer);
                    }
                    Err(RecvTimeoutError::Timeout) => {}
                    Err(RecvTimeoutError::Disconnected) => {
                        return Err(anyhow!("the call ended without an answer"));
                    }
                }
                wait = PERIOD;
                if interrupt.came() {
                    // When the job is over already, its own answer is on the way.
                    let _ = connection.domains().abort_job(self.domain, 0);
                }
                if display.audience != Audience::Nobody
                    && let Ok(job) = connection.domains().job_info(self.domain)
                {
                    display.show(session, &job)?;
                }
                (self.meanwhile)(session, display.started.elapsed());
            }
        })
    }
}

fn audience(session: &Session, verbose: bool) -> Audience {
    let terminal = std::io::stderr().is_terminal() && std::io::stdout().is_terminal();
    let plain = session.settings.format == Format::Table;
    match (terminal, verbose) {
        _ if session.is_captured() => Audience::Nobody,
        (_, true) if !plain => Audience::Reader,
        (true, true) => Audience::Person,
        (true, false) if plain && !session.settings.quiet => Audience::Person,
        (false, true) => Audience::Program,
        _ => Audience::Nobody,
    }
}

/// The progress line on standard error.
struct Display {
    label: &'static str,
    audience: Audience,
    started: Instant,
    width: usize,
}

impl Display {
    fn new(label: &'static str, audience: Audience) -> Display {
        Display { label, audience, started: Instant::now(), width: 0 }
    }

    fn show(&mut self, session: &mut Session, job: &JobInfo) -> Result<()> {
        if job.kind == DOMAIN_JOB_NONE || job.data_total == 0 && job.memory_total == 0 {
            return Ok(());
        }
        if self.audience == Audience::Reader {
            let (total, remaining) = amounts(job);
            let processed = total.saturating_sub(remaining);
            let elapsed = self.started.elapsed();
            let report = report(self.label, percent(job), Some((total, processed)), elapsed);
            return session.stream(&report, |_| {});
        }
        let mut line = self.percentage(percent(job));
        if self.audience == Audience::Person {
            line.push_str(&speed(job, self.started.elapsed()));
        }
        self.write(&line);
        Ok(())
    }

    fn end(&mut self, session: &mut Session, succeeded: bool) -> Result<()> {
        match self.audience {
            Audience::Reader if succeeded => {
                session.stream(&report(self.label, 100.0, None, self.started.elapsed()), |_| {})?;
            }
            Audience::Nobody | Audience::Reader => {}
            Audience::Program if succeeded => self.write(&self.percentage(100.0)),
            Audience::Program => {}
            Audience::Person if self.width == 0 => {}
            Audience::Person => {
                if succeeded {
                    self.write(&self.percentage(100.0));
                }
                self.write_bytes("\n");
            }
        }
        Ok(())
    }

    fn percentage(&self, percent: f64) -> String {
        format!("{}: [{percent:6.2} %]", self.label)
    }

    /// Overwrites the line; blanks cover what is left of a longer one.
    fn write(&mut self, line: &str) {
        let blanks = self.width.saturating_sub(line.len());
        self.width = line.len();
        self.write_bytes(&format!("\r{line}{:blanks$}", ""));
    }

    fn write_bytes(&self, text: &str) {
        // Nobody to show it to is no failure of the call.
        let mut out = std::io::stderr().lock();
        let _ = out.write_all(text.as_bytes());
        let _ = out.flush();
    }
}

/// The state of a job as data: all there is and how much of it is done, in bytes. Who is told of the end alone
/// has no sizes.
pub fn report(label: &str, percent: f64, amounts: Option<(u64, u64)>, elapsed: Duration) -> Value {
    json!({
        "job": label.to_lowercase(),
        "percent": (percent * 100.0).round() / 100.0,
        "data_total": amounts.map(|(total, _)| total),
        "data_processed": amounts.map(|(_, processed)| processed),
        "data_remaining": amounts.map(|(total, processed)| total.saturating_sub(processed)),
        "elapsed_milliseconds": u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX),
    })
}

/// All there is to do, and what is left of it.
fn amounts(job: &JobInfo) -> (u64, u64) {
    match job.data_total {
        0 => (job.memory_total, job.memory_remaining),
        total => (total, job.data_remaining),
    }
}

/// How much is done; never all of it while something is left.
fn percent(job: &JobInfo) -> f64 {
    let (total, remaining) = amounts(job);
    let percent = 100.0 - remaining as f64 * 100.0 / total as f64;
    if remaining > 0 { percent.clamp(0.0, 99.99) } else { 100.0 }
}

/// Speed and time left, from the job's own clock where it has one.
fn speed(job: &JobInfo, watched: Duration) -> String {
    let seconds = match job.time_elapsed {
        0 => watched.as_secs_f64(),
        elapsed => elapsed as f64 / 1000.0,
    };
    let (processed, remaining) = match job.data_total {
        0 => (job.memory_processed, job.memory_remaining),
        _ => (job.data_processed, job.data_remaining),
    };
    if seconds <= 0.0 || processed == 0 {
        return String::new();
    }
    let rate = processed as f64 / seconds;
    let (size, unit) = pretty_size(rate as u64);
    format!("  {size:.1} {unit}/s, {:.0} s left", remaining as f64 / rate)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_keeps_the_percentage_below_all() {
        let mut job = JobInfo { data_total: 1_000_000, data_remaining: 1, ..JobInfo::default() };
        assert_eq!(format!("{:6.2}", percent(&job)), " 99.99");
        job.data_remaining = 0;
        assert_eq!(percent(&job), 100.0);
        job.data_remaining = 960_400;
        assert_eq!(format!("[{:6.2} %]", percent(&job)), "[  3.96 %]");
    }

    #[test]
    fn the_time_left_follows_from_the_speed() {
        let job = JobInfo {
            time_elapsed: 2000,
            data_total: 30 << 20,
            data_processed: 10 << 20,
            data_remaining: 20 << 20,
            ..JobInfo::default()
        };
        assert_eq!(speed(&job, Duration::ZERO), "  5.0 MiB/s, 4 s left");
    }
}
