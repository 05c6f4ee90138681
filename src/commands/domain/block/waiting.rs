//! Waiting for a block job: until it is done or its two sides are equal, with progress, a limit, and Ctrl-C.

use crate::backend::Domains;
use crate::commands::domain::progress::report;
use crate::error::Result as CallResult;
use crate::model::constants::*;
use crate::model::{BlockJobInfo, DomainRef};
use crate::shell::args::Args;
use crate::shell::interrupt::Interrupt;
use crate::shell::session::Session;
use anyhow::{Result, bail};
use std::time::{Duration, Instant};

/// How often the job is asked about.
const PERIOD: Duration = Duration::from_millis(200);

/// How the wait ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Ended {
    /// The job is gone, so all is done.
    Done,
    /// The job's two sides are equal; it goes on until it is told to end.
    Ready,
    /// An interrupt or the limit ended it.
    Cancelled,
}

/// A wait for the job on one disk.
pub(super) struct Wait<'a> {
    pub domains: &'a dyn Domains,
    pub domain: &'a DomainRef,
    pub path: &'a str,
    /// What stands before the percentage.
    pub label: &'static str,
    pub verbose: bool,
    pub limit: Option<Duration>,
    /// Do not wait for a job that was told to end.
    pub asynchronous: bool,
    /// Whether the job ends in a phase where its two sides are equal.
    pub two_phases: bool,
}

impl<'a> Wait<'a> {
    /// Reads the options that all such commands have.
    pub(super) fn of(
        args: &Args,
        domains: &'a dyn Domains,
        domain: &'a DomainRef,
        path: &'a str,
    ) -> Result<Wait<'a>> {
        Ok(Wait {
            domains,
            domain,
            path,
            label: "",
            verbose: args.has("verbose"),
            limit: args.timeout("timeout")?.map(Duration::from_millis),
            asynchronous: args.has("async"),
            two_phases: false,
        })
    }

    /// Waits.
    pub(super) fn run(&self, session: &mut Session) -> Result<Ended> {
        session.flush();
        let interrupt = Interrupt::watch()?;
        let started = Instant::now();
        loop {
            let job = self.domains.block_job_info(self.domain, self.path, 0)?;
            if !job.found {
                self.show(session, 100.0, None, started)?;
                return Ok(Ended::Done);
            }
            if self.two_phases && is_ready(&job) && self.xml_says_ready()? {
                self.show(session, 100.0, Some(&job), started)?;
                return Ok(Ended::Ready);
            }
            self.show(session, percent(&job), Some(&job), started)?;
            if interrupt.came() || self.limit.is_some_and(|limit| started.elapsed() >= limit) {
                self.abort(if self.asynchronous { DOMAIN_BLOCK_JOB_ABORT_ASYNC } else { 0 })?;
                return Ok(Ended::Cancelled);
            }
            std::thread::sleep(PERIOD);
        }
    }

    /// Tells the job to end.
    pub(super) fn abort(&self, flags: u32) -> CallResult<()> {
        self.domains.block_job_abort(self.domain, self.path, flags)
    }

    fn show(
        &self,
        session: &mut Session,
        percent: f64,
        job: Option<&BlockJobInfo>,
        started: Instant,
    ) -> Result<()> {
        if !self.verbose {
            return Ok(());
        }
        let amounts = job.map(|job| (job.end, job.current));
        session.stream(&report(self.label, percent, amounts, started.elapsed()), |session| {
            session.print(format_args!("\r{}: [{percent:.2} %]", self.label));
        })
    }

    /// All of the data may be across while the hypervisor has not switched phases yet; the description of the
    /// disk says when it has.
    fn xml_says_ready(&self) -> Result<bool> {
        let xml = self.domains.xml(self.domain, 0)?;
        let tree = crate::xml::parse(&xml, "domain definition")?;
        let devices = tree.child("devices").into_iter();
        let mut disks = devices.flat_map(|devices| devices.children("disk"));
        let disk = disks.find(|disk| {
            let source = disk.child("source");
            let mut named = source.into_iter().flat_map(|source| &source.attributes);
            disk.child_attribute("target", "dev") == Some(self.path)
                || named.any(|(_, value)| value == self.path)
        });
        let mirror = disk.and_then(|disk| disk.child("mirror"));
        Ok(mirror.is_none_or(|mirror| mirror.attribute("ready").is_some_and(|ready| ready == "yes")))
    }
}

fn is_ready(job: &BlockJobInfo) -> bool {
    job.end > 0 && job.current == job.end
}

/// How much is done; all of it only when nothing is left.
pub(super) fn percent(job: &BlockJobInfo) -> f64 {
    match (job.current, job.end) {
        (0, 0) => 0.0,
        (current, end) if current >= end => 100.0,
        (current, end) => (current as f64 * 100.0 / end as f64).min(99.99),
    }
}

/// Refuses `option` unless one of `needed` is given, too.
pub(super) fn needs_one_of(args: &Args, option: &str, needed: &[&str]) -> Result<()> {
    if !args.has(option) || needed.iter().any(|option| args.has(option)) {
        return Ok(());
    }
    let list: Vec<String> = needed.iter().map(|option| format!("--{option}")).collect();
    let (last, first) = match list.split_last() {
        Some(parts) => parts,
        None => return Ok(()),
    };
    bail!("--{option} requires at least one of {}, or {last}", first.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_finished_job_shows_all() {
        let job = |current, end| BlockJobInfo { current, end, ..BlockJobInfo::default() };
        assert_eq!(percent(&job(0, 0)), 0.0);
        assert_eq!(percent(&job(99_999, 100_000)), 99.99);
        assert_eq!(percent(&job(5, 5)), 100.0);
        assert!(!is_ready(&job(0, 0)));
    }
}
