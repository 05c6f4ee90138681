//! blockcopy: copying a disk while the guest uses it.

use super::job::bandwidth;
use super::waiting::{Ended, Wait, needs_one_of};
use crate::backend::Domains;
use crate::commands::domain::lookup;
use crate::commands::files;
use crate::commands::vocabulary;
use crate::error::Result as CallResult;
use crate::model::constants::*;
use crate::model::{DomainRef, TypedParam};
use crate::shell::args::Args;
use crate::shell::report::Silent;
use crate::shell::session::Session;
use crate::shell::shape;
use crate::shell::spec::{Command, Complete, Group, Opt};
use crate::xml::Element;
use anyhow::{Context, Result, bail};
use serde_json::json;

/// The rows of this file.
pub const COMMANDS: &[Command] = &[Command::new("blockcopy", Group::Domain, blockcopy)
    .answers(shape::PRINTED_OR_PROGRESS)
    .about("copy a disk of a running domain", "Copies a disk to another place while the guest uses it.")
    .options(&[
        Opt::domain(Complete::ActiveDomain),
        Opt::text("path", "the disk, by its target or source").required().complete(Complete::Disk),
        Opt::text("dest", "path of the copy").tolerated_by_place().complete(Complete::File),
        Opt::number("bandwidth", "speed limit in MiB/s").tolerated_by_place(),
        Opt::flag("shallow", "only the topmost layer"),
        Opt::flag("reuse-external", "the destination files are there already; use them"),
        Opt::flag("blockdev", "the destination is a block device, not a file"),
        Opt::flag("wait", "wait until both sides are equal"),
        Opt::flag("verbose", "show how far it is"),
        Opt::number("timeout", "with --wait: give up after so many seconds").tolerated_by_place(),
        Opt::flag("pivot", "wait, then switch over to the copy"),
        Opt::flag("finish", "wait, then end the copy once both sides are equal"),
        Opt::flag("async", "with --wait: do not wait for a cancelled job"),
        Opt::text("xml", "file with the description of the copy")
            .tolerated_by_place()
            .complete(Complete::File),
        Opt::text("format", "format of the copy")
            .tolerated_by_place()
            .complete(Complete::Words(vocabulary::IMAGE_FORMATS)),
        Opt::number("granularity", "size of the pieces that are copied, a power of two").tolerated_by_place(),
        Opt::number("buf-size", "most data that may be under way at once, in bytes").tolerated_by_place(),
        Opt::flag("bytes", "the speed limit counts in bytes/s"),
        Opt::flag("transient-job", "the job need not outlive the domain"),
        Opt::flag("synchronous-writes", "guest writes wait for the copy"),
        Opt::flag("print-xml", "show the XML and do nothing"),
        Opt::alias("raw", "format=raw"),
    ])
    .writes()];

const COPY_FLAGS: &[(&str, u32)] = &[
    ("shallow", DOMAIN_BLOCK_COPY_SHALLOW),
    ("reuse-external", DOMAIN_BLOCK_COPY_REUSE_EXT),
    ("transient-job", DOMAIN_BLOCK_COPY_TRANSIENT_JOB),
    ("synchronous-writes", DOMAIN_BLOCK_COPY_SYNCHRONOUS_WRITES),
];

/// The options that make it wait.
const WAITS: &[&str] = &["timeout", "wait", "pivot", "finish"];

/// What the copy goes by.
struct Copy<'a> {
    destination: Option<&'a str>,
    xml: Option<String>,
    format: Option<&'a str>,
    to_block_device: bool,
    speed: u64,
    speed_in_bytes: bool,
    granularity: Option<u32>,
    buffer: Option<u64>,
    flags: u32,
}

impl<'a> Copy<'a> {
    fn of(args: &'a Args) -> Result<Copy<'a>> {
        let (destination, xml) = (args.text("dest")?, args.text("xml")?);
        let format = args.text("format")?;
        let (speed, speed_in_bytes) = bandwidth(args)?.unwrap_or_default();
        let (granularity, buffer) = (args.number("granularity")?, args.number("buf-size")?);
        args.timeout("timeout")?;
        for (one, other) in [("dest", "xml"), ("format", "xml"), ("blockdev", "xml"), ("pivot", "finish")] {
            args.exclusive(one, other)?;
        }
        if destination.is_none() && xml.is_none() {
            bail!("need either --dest or --xml");
        }
        needs_one_of(args, "verbose", WAITS)?;
        needs_one_of(args, "async", WAITS)?;
        Ok(Copy {
            destination,
            xml: xml.map(files::read).transpose()?,
            format,
            to_block_device: args.has("blockdev"),
            speed,
            speed_in_bytes,
            granularity,
            buffer,
            flags: args.flags(COPY_FLAGS),
        })
    }

    /// Whether the older form of the call can say all this.
    fn is_plain(&self) -> bool {
        let newer = DOMAIN_BLOCK_COPY_TRANSIENT_JOB | DOMAIN_BLOCK_COPY_SYNCHRONOUS_WRITES;
        self.xml.is_none()
            && self.granularity.is_none()
            && self.buffer.is_none()
            && self.format.is_none_or(|format| format == "raw")
            && self.flags & newer == 0
    }

    fn description(&self) -> String {
        if let Some(xml) = &self.xml {
            return xml.clone();
        }
        let (kind, attribute) = if self.to_block_device { ("block", "dev") } else { ("file", "file") };
        let source = Element::new("source").with(attribute, self.destination.unwrap_or_default());
        let mut disk = Element::new("disk").with("type", kind).with_child(source);
        if let Some(format) = self.format {
            disk.push(Element::new("driver").with("type", format));
        }
        disk.to_string()
    }

    fn start(&self, domains: &dyn Domains, domain: &DomainRef, path: &str) -> CallResult<()> {
        if self.is_plain() {
            let flags = DOMAIN_BLOCK_REBASE_COPY | self.rebase_flags();
            return domains.block_rebase(domain, path, self.destination, self.speed, flags);
        }
        let mut params = Vec::new();
        if self.speed > 0 {
            let factor = if self.speed_in_bytes { 1 } else { 1 << 20 };
            params.push(TypedParam::new("bandwidth", self.speed.saturating_mul(factor)));
        }
        if let Some(granularity) = self.granularity {
            params.push(TypedParam::new("granularity", granularity));
        }
        if let Some(buffer) = self.buffer {
            params.push(TypedParam::new("buf-size", buffer));
        }
        domains.block_copy(domain, path, &self.description(), &params, self.flags)
    }

    /// The same wishes in the older form's flags.
    fn rebase_flags(&self) -> u32 {
        let given = [
            (self.flags & DOMAIN_BLOCK_COPY_SHALLOW != 0, DOMAIN_BLOCK_REBASE_SHALLOW),
            (self.flags & DOMAIN_BLOCK_COPY_REUSE_EXT != 0, DOMAIN_BLOCK_REBASE_REUSE_EXT),
            (self.format == Some("raw"), DOMAIN_BLOCK_REBASE_COPY_RAW),
            (self.to_block_device, DOMAIN_BLOCK_REBASE_COPY_DEV),
            (self.speed_in_bytes, DOMAIN_BLOCK_REBASE_BANDWIDTH_BYTES),
        ];
        given.iter().filter(|(given, _)| *given).fold(0, |sum, (_, flag)| sum | flag)
    }
}

fn blockcopy(session: &mut Session, args: &Args) -> Result<()> {
    let path = args.required("path")?;
    let copy = Copy::of(args)?;
    if args.has("print-xml") {
        let xml = copy.description();
        return session.show(&json!({ "xml": xml }), |session| session.print(&xml));
    }
    let connection = session.handle()?;
    let domain = lookup::domain(&*connection, args)?;
    let domains = connection.domains();
    let wait = Wait { label: "Block Copy", two_phases: true, ..Wait::of(args, domains, &domain, path)? };
    copy.start(domains, &domain, path)?;
    if !WAITS.iter().any(|option| args.has(option)) {
        session.print_extra("Block Copy started");
        return Ok(());
    }
    let told = match wait.run(session)? {
        Ended::Cancelled => {
            session.print_extra("\nCopy aborted");
            return Err(Silent.into());
        }
        Ended::Done => bail!("failed to reach mirroring phase: the job for disk {path} ended early"),
        Ended::Ready if args.has("pivot") => {
            wait.abort(DOMAIN_BLOCK_JOB_ABORT_PIVOT)
                .with_context(|| format!("failed to pivot job for disk {path}"))?;
            "\nSuccessfully pivoted"
        }
        Ended::Ready if args.has("finish") => {
            wait.abort(0).with_context(|| format!("failed to finish job for disk {path}"))?;
            "\nSuccessfully copied"
        }
        Ended::Ready => "\nNow in mirroring phase",
    };
    session.print_extra(told);
    Ok(())
}
