//! screenshot: a picture of a guest's screen in a file.

use crate::backend::{Received, Stream};
use crate::commands::clock;
use crate::commands::domain::lookup;
use crate::shell::args::Args;
use crate::shell::session::Session;
use crate::shell::spec::{Command, Complete, Group, Opt};
use anyhow::{Context, Result};
use std::fs::File;
use std::io::Write;
use std::time::SystemTime;

/// The rows of this file.
pub const COMMANDS: &[Command] = &[Command::new("screenshot", Group::Domain, screenshot)
    .about(
        "take a picture of a domain's screen",
        "Stores what a guest's screen shows now, in the format that the driver makes.",
    )
    .options(&[
        Opt::domain(Complete::ActiveDomain),
        Opt::text("file", "where the picture goes (default: a name made of domain and time)")
            .tolerated_by_place()
            .complete(Complete::File),
        Opt::number("screen", "which screen, from 0").tolerated_by_place(),
    ])
    .writes()];

fn screenshot(session: &mut Session, args: &Args) -> Result<()> {
    let connection = session.handle()?;
    let domain = lookup::domain(&*connection, args)?;
    let screen = args.number::<u32>("screen")?.unwrap_or_default();
    let taken = connection.domains().screenshot(&domain, screen, 0);
    let (kind, stream) = taken.with_context(|| format!("could not take a screenshot of {}", domain.name))?;
    let kind = kind.unwrap_or_default();
    let file = match args.text("file")? {
        Some(file) => file.to_string(),
        None => format!(
            "{}-{}{}",
            domain.name,
            clock::local(SystemTime::now(), "%Y-%m-%d-%H:%M:%S"),
            suffix(&kind)
        ),
    };
    let created = !std::path::Path::new(&file).exists();
    let mut out = File::create(&file).map_err(|_| anyhow::anyhow!("cannot create file {file}"))?;
    if let Err(error) = receive(&*stream, &mut out) {
        stream.abort();
        if created {
            // Half a picture helps nobody.
            let _ = std::fs::remove_file(&file);
        }
        return Err(error.context(format!("could not receive data from domain {}", domain.name)));
    }
    stream.finish().with_context(|| format!("cannot close stream on domain {}", domain.name))?;
    session.print_extra(format_args!("Screenshot saved to {file}, with type of {kind}"));
    Ok(())
}

fn receive(stream: &dyn Stream, out: &mut File) -> Result<()> {
    loop {
        match stream.receive(None)? {
            Received::Data(bytes) => out.write_all(&bytes).context("cannot write the picture")?,
            Received::End => return out.flush().context("cannot write the picture"),
            Received::Hole(_) | Received::Nothing => {}
        }
    }
}

fn suffix(kind: &str) -> &'static str {
    match kind {
        "image/png" => ".png",
        "image/x-portable-pixmap" => ".ppm",
        _ => "",
    }
}
