//! The element `disk` that attach-disk's options describe.

use super::disk_address;
use crate::shell::args::Args;
use crate::xml::Element;
use anyhow::{Result, bail};

/// What the source of a disk is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Source {
    File,
    Block,
    Network,
}

/// The disk; the only order that scripts may see is that of virsh.
pub(super) fn disk(args: &Args, source: &str, target: &str) -> Result<Element> {
    let kind = source_kind(args, source)?;
    let word = match kind {
        Source::File => "file",
        Source::Block => "block",
        Source::Network => "network",
    };
    let mut disk = Element::new("disk").with("type", word);
    if let Some(device) = args.text("type")? {
        disk.set("device", device);
    }
    if args.has("rawio") {
        disk.set("rawio", "yes");
    }
    push_driver(&mut disk, args)?;
    disk.push(source_element(args, kind, source)?);
    let mut target_element = Element::new("target").with("dev", target);
    if let Some(bus) = args.text("targetbus")? {
        target_element.set("bus", bus);
    }
    disk.push(target_element);
    if let Some(groups) = args.text("throttle-groups")? {
        let mut filters = Element::new("throttlefilters");
        for group in groups.split(',') {
            filters.push(Element::new("throttlefilter").with("group", group));
        }
        disk.push(filters);
    }
    match args.text("mode")? {
        None => {}
        Some(mode @ ("readonly" | "shareable")) => disk.push(Element::new(mode)),
        Some(mode) => bail!("No support for {mode} in command 'attach-disk'"),
    }
    if let Some(serial) = args.text("serial")? {
        disk.push(Element::new("serial").with_text(serial));
    }
    if let Some(alias) = args.text("alias")? {
        disk.push(Element::new("alias").with("name", alias));
    }
    if let Some(wwn) = args.text("wwn")? {
        disk.push(Element::new("wwn").with_text(checked_wwn(wwn)?));
    }
    if let Some(address) = args.text("address")? {
        disk.push(disk_address::parse(address, target, args.has("multifunction"))?);
    }
    Ok(disk)
}

fn push_driver(disk: &mut Element, args: &Args) -> Result<()> {
    let mut driver = Element::new("driver");
    for (option, attribute) in [
        ("driver", "name"),
        ("subdriver", "type"),
        ("iothread", "iothread"),
        ("cache", "cache"),
        ("io", "io"),
    ] {
        if let Some(value) = args.text(option)? {
            driver.set(attribute, value);
        }
    }
    if !driver.attributes.is_empty() {
        disk.push(driver);
    }
    Ok(())
}

/// What the options say of the source, or what it is on this host.
fn source_kind(args: &Args, source: &str) -> Result<Source> {
    match args.text("sourcetype")? {
        Some("file") => Ok(Source::File),
        Some("block") => Ok(Source::Block),
        Some("network") => Ok(Source::Network),
        Some(other) => bail!("Unknown source type: '{other}'"),
        None if args.has("source-protocol") => Ok(Source::Network),
        None if is_block_device(source) => Ok(Source::Block),
        None => Ok(Source::File),
    }
}

fn is_block_device(path: &str) -> bool {
    use std::os::unix::fs::FileTypeExt;
    std::fs::metadata(path).is_ok_and(|metadata| metadata.file_type().is_block_device())
}

fn source_element(args: &Args, kind: Source, source: &str) -> Result<Element> {
    let attribute = match kind {
        Source::File => "file",
        Source::Block => "dev",
        Source::Network => return network_source(args, source),
    };
    Ok(Element::new("source").with(attribute, source))
}

fn network_source(args: &Args, source: &str) -> Result<Element> {
    let Some(protocol) = args.text("source-protocol")? else {
        bail!("--source-protocol option requires --sourcetype network");
    };
    let mut element = Element::new("source").with("protocol", protocol).with("name", source);
    let mut host = Element::new("host");
    if let Some(transport) = args.text("source-host-transport")? {
        host.set("transport", transport);
    }
    if let Some(name) = args.text("source-host-name")? {
        let (name, port) = match name.split_once(':') {
            Some((name, port)) => (name, Some(port)),
            None => (name, None),
        };
        host.set("name", name);
        if let Some(port) = port {
            host.set("port", port);
        }
    }
    if let Some(socket) = args.text("source-host-socket")? {
        host.set("socket", socket);
    }
    if !host.attributes.is_empty() {
        element.push(host);
    }
    Ok(element)
}

/// A world wide name has sixteen hexadecimal digits.
fn checked_wwn(wwn: &str) -> Result<&str> {
    if wwn.len() == 16 && wwn.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Ok(wwn);
    }
    Err(crate::error::Error::internal(format!("Malformed wwn: {wwn}")).into())
}
