//! vol-download, vol-upload: the contents of volumes to files and from them.

use super::lookup::volume;
use crate::backend::{Received, Stream};
use crate::model::constants::*;
use crate::shell::args::Args;
use crate::shell::session::Session;
use crate::shell::spec::{Command, Complete, Group, Opt};
use anyhow::{Context, Result, anyhow, bail};
use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Read, Seek, SeekFrom, Write};

/// The rows of this file.
pub const COMMANDS: &[Command] = &[
    Command::new("vol-download", Group::Volume, vol_download)
        .about("copy a volume to a file", "Copies the contents of a volume to a file.")
        .options(&[
            Opt::text("vol", "a volume by its name, key or path").required().complete(Complete::Volume),
            Opt::text("file", "where the contents go").required().complete(Complete::File),
            Opt::text("pool", "a pool by its name or uuid")
                .positional()
                .complete(Complete::PoolWith(CONNECT_LIST_STORAGE_POOLS_ACTIVE)),
            Opt::number("offset", "first byte").tolerated_by_place(),
            Opt::number("length", "how many bytes (0: all)").tolerated_by_place(),
            Opt::flag("sparse", "skip holes"),
        ]),
    Command::new("vol-upload", Group::Volume, vol_upload)
        .about("copy a file to a volume", "Copies the contents of a file to a volume.")
        .options(&[
            Opt::text("vol", "a volume by its name, key or path").required().complete(Complete::Volume),
            Opt::text("file", "where the contents come from").required().complete(Complete::File),
            Opt::text("pool", "a pool by its name or uuid")
                .positional()
                .complete(Complete::PoolWith(CONNECT_LIST_STORAGE_POOLS_ACTIVE)),
            Opt::number("offset", "first byte").tolerated_by_place(),
            Opt::number("length", "how many bytes (0: all)").tolerated_by_place(),
            Opt::flag("sparse", "skip holes"),
        ])
        .writes(),
];

/// What is read of a file at once; fits a message of the wire.
const CHUNK: usize = 256 * 1024;

fn range(args: &Args) -> Result<(u64, u64)> {
    let offset = args.number("offset")?.unwrap_or_default();
    // A negative length counts down from the largest, as in virsh.
    Ok((offset, args.wrapping("length")?.unwrap_or_default()))
}

fn vol_download(session: &mut Session, args: &Args) -> Result<()> {
    let (offset, length) = range(args)?;
    let flags = args.flags(&[("sparse", STORAGE_VOL_DOWNLOAD_SPARSE_STREAM)]);
    let connection = session.handle()?;
    let volume = volume(&*connection, args, "pool")?;
    let path = args.required("file")?;
    let name = &volume.name;
    // A file that was there is written over, but never taken away.
    let (mut file, created) = match OpenOptions::new().write(true).create_new(true).open(path) {
        Ok(file) => (file, true),
        Err(cause) if cause.kind() == ErrorKind::AlreadyExists => {
            let opened = OpenOptions::new().write(true).open(path);
            (opened.map_err(|_| anyhow!("cannot create {path}"))?, false)
        }
        Err(_) => bail!("cannot create {path}"),
    };
    let streams = connection.volume_streams();
    let answer = streams
        .volume_download(&volume, offset, length, flags)
        .with_context(|| format!("cannot download from volume {name}"))
        .and_then(|stream| {
            file.set_len(0).with_context(|| format!("cannot create {path}"))?;
            receive(&*stream, &mut file)
                .with_context(|| format!("cannot receive data from volume {name}"))?;
            stream.finish().with_context(|| format!("cannot close volume {name}"))
        });
    if answer.is_err() && created {
        // Half a volume under that name would be taken for the whole.
        let _ = std::fs::remove_file(path);
    }
    answer
}

fn receive(stream: &dyn Stream, file: &mut File) -> Result<()> {
    let failed = || "cannot write the file";
    loop {
        match stream.receive(None)? {
            Received::Data(bytes) => file.write_all(&bytes).with_context(failed)?,
            Received::Hole(length) => {
                let end = file.seek(SeekFrom::Current(length)).with_context(failed)?;
                file.set_len(end).with_context(failed)?;
            }
            Received::Nothing => {}
            Received::End => return file.sync_all().with_context(failed),
        }
    }
}

fn vol_upload(session: &mut Session, args: &Args) -> Result<()> {
    let (offset, length) = range(args)?;
    let connection = session.handle()?;
    let volume = volume(&*connection, args, "pool")?;
    let path = args.required("file")?;
    let name = &volume.name;
    let mut file = File::open(path).map_err(|_| anyhow!("cannot read {path}"))?;
    if args.has("sparse") {
        // Sending holes needs messages that streams of ours do not have; the zeros are sent instead.
        tracing::debug!("sparse upload sends holes as zeros");
    }
    let streams = connection.volume_streams();
    let stream = streams.volume_upload(&volume, offset, length, 0);
    let stream = stream.with_context(|| format!("cannot upload to volume {name}"))?;
    if let Err(error) = send(&*stream, &mut file, length) {
        stream.abort();
        return Err(error.context(format!("cannot send data to volume {name}")));
    }
    stream.finish().with_context(|| format!("cannot close volume {name}"))
}

/// Sends the file, or its first `length` bytes unless that is zero.
fn send(stream: &dyn Stream, file: &mut File, length: u64) -> Result<()> {
    let mut left = if length == 0 { u64::MAX } else { length };
    let mut buffer = vec![0; CHUNK];
    while left > 0 {
        let most = usize::try_from(left).unwrap_or(CHUNK).min(CHUNK);
        let count = file.read(&mut buffer[..most]).context("cannot read the file")?;
        if count == 0 {
            break;
        }
        stream.send(&buffer[..count])?;
        left -= count as u64;
    }
    Ok(())
}
