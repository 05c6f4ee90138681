//! domjobinfo, domjobabort: what a domain is busy with.

use crate::commands::domain::lookup;
use crate::commands::plain_name::plain_name;
use crate::error::Result as CallResult;
use crate::model::constants::*;
use crate::model::{JobInfo, ParamValue, TypedParam};
use crate::shell::args::Args;
use crate::shell::session::Session;
use crate::shell::spec::{Command, Complete, Group, Opt};
use crate::shell::units::pretty_size;
use anyhow::{Context, Result};
use serde_json::{Map, Value, json};

/// The rows of this file.
pub const COMMANDS: &[Command] = &[
    Command::new("domjobinfo", Group::Domain, domjobinfo)
.answers("{*: any}")
        .about("show what a domain is busy with", "Shows kind, time and amounts of the job that runs on a domain, or with --completed of the last one.")
        .options(&[
            Opt::domain(Complete::ActiveDomain),
            Opt::flag("completed", "show the last finished job"),
            Opt::flag("keep-completed", "leave the figures there for the next reader"),
            Opt::flag("anystats", "show figures of jobs of every kind, failed ones too"),
            Opt::flag("rawstats", "show the figures under their own names"),
        ]),
    Command::new("domjobabort", Group::Domain, domjobabort)
        .about("end the job of a domain", "Ends the save, dump, migration or backup that runs on a domain.")
        .options(&[
            Opt::domain(Complete::ActiveDomain),
            Opt::flag("postcopy", "only if the job is a migration in its post-copy phase"),
        ])
        .writes(),
];

/// By their numbers.
const KINDS: &[&str] = &["None", "Bounded", "Unbounded", "Completed", "Failed", "Cancelled"];

/// By their numbers.
const OPERATIONS: &[&str] = &[
    "Unknown",
    "Start",
    "Save",
    "Restore",
    "Incoming migration",
    "Outgoing migration",
    "Snapshot",
    "Snapshot revert",
    "Dump",
    "Backup",
    "Snapshot delete",
];

fn domjobabort(session: &mut Session, args: &Args) -> Result<()> {
    let flags = args.flags(&[("postcopy", DOMAIN_ABORT_JOB_POSTCOPY)]);
    let connection = session.connection()?;
    let domain = lookup::domain(connection, args)?;
    let answer = connection.domains().abort_job(&domain, flags);
    Ok(plain_name(answer, flags, "virDomainAbortJobFlags", "virDomainAbortJob")?)
}

fn domjobinfo(session: &mut Session, args: &Args) -> Result<()> {
    args.requires("keep-completed", "completed")?;
    let flags = args.flags(&[
        ("completed", DOMAIN_JOB_STATS_COMPLETED),
        ("keep-completed", DOMAIN_JOB_STATS_KEEP_COMPLETED),
    ]);
    let connection = session.connection()?;
    let domain = lookup::domain(connection, args)?;
    let plain = flags == 0 && !args.has("rawstats");
    let (kind, params) = match connection.domains().job_stats(&domain, flags) {
        // Drivers without the newer call have the older one, which knows less.
        Err(error) if error.is_unsupported() && plain => older(connection.domains().job_info(&domain))?,
        Err(error) if error.is_unsupported() => {
            return Err(error).context("Optional flags or --rawstats are not supported by the daemon");
        }
        answer => answer?,
    };
    let data = as_data(kind, &params);
    let any = args.has("anystats");
    if args.has("rawstats") {
        return session.show(&data, |session| raw(session, kind, &params));
    }
    session.show(&data, |session| {
        let lines = Lines::of(kind, &params, any || flags & DOMAIN_JOB_STATS_COMPLETED != 0, any);
        session.print(lines.text);
    })
}

fn older(answer: CallResult<JobInfo>) -> CallResult<(i32, Vec<TypedParam>)> {
    let job = answer?;
    let params = [
        ("time_elapsed", job.time_elapsed),
        ("time_remaining", job.time_remaining),
        ("data_total", job.data_total),
        ("data_processed", job.data_processed),
        ("data_remaining", job.data_remaining),
        ("memory_total", job.memory_total),
        ("memory_processed", job.memory_processed),
        ("memory_remaining", job.memory_remaining),
        ("disk_total", job.file_total),
        ("disk_processed", job.file_processed),
        ("disk_remaining", job.file_remaining),
    ];
    let params = params.map(|(name, value)| TypedParam::new(name, value));
    Ok((job.kind, params.into()))
}

fn as_data(kind: i32, params: &[TypedParam]) -> Value {
    let mut data = Map::new();
    data.insert("type".into(), json!(word(KINDS, kind)));
    for param in params {
        let value = match &param.value {
            ParamValue::String(text) => json!(text),
            ParamValue::Boolean(value) => json!(value),
            ParamValue::Double(value) => json!(value),
            other => json!(other.as_u64()),
        };
        data.insert(param.name.clone(), value);
    }
    if let Some(operation) = number(params, "operation") {
        data.insert("operation".into(), json!(word(OPERATIONS, operation as i32)));
    }
    Value::Object(data)
}

fn word(words: &[&'static str], number: i32) -> &'static str {
    let place = usize::try_from(number).ok();
    place.and_then(|place| words.get(place).copied()).unwrap_or("unknown")
}

fn number(params: &[TypedParam], name: &str) -> Option<u64> {
    TypedParam::find(params, name)?.as_u64()
}

fn raw(session: &mut Session, kind: i32, params: &[TypedParam]) {
    session.print(format_args!("Job type: {kind}\n\n"));
    for param in params {
        let value = match &param.value {
            ParamValue::Boolean(value) => u8::from(*value).to_string(),
            other => other.to_string(),
        };
        session.print(format_args!("{}: {value}\n", param.name));
    }
}

/// The lines that people read.
struct Lines<'a> {
    params: &'a [TypedParam],
    text: String,
}

impl<'a> Lines<'a> {
    /// A failed or cancelled job tells its figures only to those who ask for `any` kind of job; a finished one
    /// also to those who ask for the last one.
    fn of(kind: i32, params: &'a [TypedParam], finished: bool, any: bool) -> Lines<'a> {
        let mut lines = Lines { params, text: String::new() };
        lines.named("Job type", word(KINDS, kind));
        if kind == DOMAIN_JOB_NONE {
            return lines;
        }
        if let Some(operation) = number(params, "operation") {
            lines.named("Operation", word(OPERATIONS, operation as i32));
        }
        let shown = match kind {
            DOMAIN_JOB_BOUNDED | DOMAIN_JOB_UNBOUNDED => true,
            DOMAIN_JOB_COMPLETED => finished,
            DOMAIN_JOB_FAILED | DOMAIN_JOB_CANCELLED => any,
            _ => false,
        };
        if shown {
            lines.figures(kind);
        }
        lines
    }

    fn figures(&mut self, kind: i32) {
        let elapsed = number(self.params, "time_elapsed").unwrap_or_default();
        self.line("Time elapsed", format_args!("{elapsed:<12} ms"));
        self.count("Time elapsed w/o network", "time_elapsed_net", " ms");
        if kind == DOMAIN_JOB_BOUNDED {
            self.count("Time remaining", "time_remaining", " ms");
        }
        self.amounts("Data", "data");
        self.amounts("Memory", "memory");
        self.bandwidth("Memory bandwidth", "memory_bps");
        if number(self.params, "memory_total").unwrap_or_default() != 0 {
            self.known("Dirty rate", "memory_dirty_rate", " pages/s");
            self.known("Page size", "memory_page_size", " bytes");
            self.known("Iteration", "memory_iteration", "");
            self.known("Postcopy requests", "memory_postcopy_requests", "");
        }
        self.amounts("File", "disk");
        self.bandwidth("File bandwidth", "disk_bps");
        self.known("Constant pages", "memory_constant", "");
        self.known("Normal pages", "memory_normal", "");
        self.size("Normal data", "memory_normal_bytes");
        let over = matches!(kind, DOMAIN_JOB_COMPLETED);
        let downtime = if over { "Total downtime" } else { "Expected downtime" };
        self.known(downtime, "downtime", " ms");
        self.known("Downtime w/o network", "downtime_net", " ms");
        self.known("Setup time", "setup_time", " ms");
        self.size("Compression cache", "compression_cache");
        self.size("Compressed data", "compression_bytes");
        self.known("Compressed pages", "compression_pages", "");
        self.known("Compression cache misses", "compression_cache_misses", "");
        self.known("Compression overflows", "compression_overflow", "");
        self.known("Auto converge throttle", "auto_converge_throttle", "");
        self.size("Temporary disk space use", "disk_temp_used");
        self.size("Temporary disk space total", "disk_temp_total");
        if let Some(message) = TypedParam::find(self.params, "errmsg") {
            self.line("Error message", format_args!("{message}"));
        }
    }

    fn line(&mut self, label: &str, value: std::fmt::Arguments) {
        let label = format!("{label}:");
        self.text.push_str(&format!("{label:<17} {value}\n"));
    }

    fn named(&mut self, label: &str, value: &str) {
        self.line(label, format_args!("{value:<12}"));
    }

    /// A number that is shown unless it is zero.
    fn count(&mut self, label: &str, name: &str, unit: &str) {
        if number(self.params, name).unwrap_or_default() != 0 {
            self.known(label, name, unit);
        }
    }

    /// A number that is shown if the driver knows it.
    fn known(&mut self, label: &str, name: &str, unit: &str) {
        if let Some(value) = number(self.params, name) {
            self.line(label, format_args!("{value:<12}{unit}"));
        }
    }

    fn size(&mut self, label: &str, name: &str) {
        if let Some(value) = number(self.params, name) {
            let (value, unit) = pretty_size(value);
            self.line(label, format_args!("{value:.3} {unit}"));
        }
    }

    fn bandwidth(&mut self, label: &str, name: &str) {
        if let Some(value) = number(self.params, name).filter(|&value| value != 0) {
            let (value, unit) = pretty_size(value);
            self.line(label, format_args!("{value:.3} {unit}/s"));
        }
    }

    /// What is done, left and wanted of one kind of data; nothing if there is none of it.
    fn amounts(&mut self, label: &str, name: &str) {
        let part = |part| number(self.params, &format!("{name}_{part}")).unwrap_or_default();
        let parts = ["processed", "remaining", "total"].map(|word| (word, part(word)));
        if parts.iter().all(|(_, amount)| *amount == 0) {
            return;
        }
        for (word, amount) in parts {
            let (value, unit) = pretty_size(amount);
            self.line(&format!("{label} {word}"), format_args!("{value:.3} {unit}"));
        }
    }
}
