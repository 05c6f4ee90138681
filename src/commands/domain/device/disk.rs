//! attach-disk, detach-disk.

use super::{Impact, PERSISTENT, check_impact, disk_options, fragment};
use crate::backend::Connection;
use crate::commands::domain::{device_tree, lookup};
use crate::commands::impact;
use crate::commands::plain_name::plain_name;
use crate::commands::vocabulary;
use crate::model::DomainRef;
use crate::shell::args::Args;
use crate::shell::session::Session;
use crate::shell::shape;
use crate::shell::spec::{Command, Complete, Group, Opt};
use crate::xml::Element;
use anyhow::{Context, Result, bail};
use serde_json::json;

/// The rows of this file.
pub const COMMANDS: &[Command] = &[
    Command::new("attach-disk", Group::Domain, attach_disk)
.answers(shape::PRINTED)
        .about("attach a disk", "Attaches a disk, floppy or CD drive made of the options.")
        .options(&[
            Opt::domain(Complete::Domain),
            Opt::text("source", "file, device or network name behind the disk").required().complete(Complete::File),
            Opt::text("target", "name of the disk for the guest, such as vdb").required(),
            Opt::text("targetbus", "bus of the disk, such as virtio or scsi").complete(Complete::Words(&["virtio", "scsi", "sata", "ide", "usb", "fdc"])),
            Opt::text("driver", "name of the driver behind the disk"),
            Opt::text("subdriver", "format of the image").complete(Complete::Words(vocabulary::IMAGE_FORMATS)),
            Opt::text("iothread", "I/O thread that serves the disk").complete(Complete::IoThread),
            Opt::text("cache", "cache mode, such as none or writeback"),
            Opt::text("io", "I/O policy: threads, native or io_uring"),
            Opt::text("type", "what the guest sees: disk, cdrom, floppy or lun").complete(Complete::Words(&["disk", "cdrom", "floppy", "lun"])),
            Opt::text("mode", "readonly or shareable").complete(Complete::Words(&["readonly", "shareable"])),
            Opt::text("sourcetype", "what the source is: file, block or network").complete(Complete::Words(&["file", "block", "network"])),
            Opt::text("serial", "serial number of the disk"),
            Opt::text("wwn", "world wide name of the disk"),
            Opt::text("alias", "name for the device that you choose yourself (ua-…)"),
            Opt::flag("rawio", "the disk needs raw I/O"),
            Opt::text("address", "address of the disk: pci:0000.00.0a.0, scsi:0.0.1, ide:0.0.1, usb:0.1, ccw:0xfe.0.0000 or sata:0.0.1"),
            Opt::flag("multifunction", "the PCI address is one of several functions"),
            Opt::flag("print-xml", "show the XML and do nothing"),
            Opt::text("source-protocol", "protocol of a network disk"),
            Opt::text("source-host-name", "host of a network disk, as NAME[:PORT]"),
            Opt::text("source-host-transport", "transport of a network disk: tcp, rdma or unix"),
            Opt::text("source-host-socket", "socket of a network disk on a unix transport"),
            Opt::text("throttle-groups", "throttle groups the disk belongs to, comma separated"),
            PERSISTENT,
            impact::CONFIG,
            impact::LIVE,
            impact::CURRENT,
            Opt::alias("shareable", "mode=shareable"),
        ])
        .writes(),
    Command::new("detach-disk", Group::Domain, detach_disk)
.answers(shape::PRINTED)
        .about("detach a disk", "Detaches a disk by its target.")
        .options(&[
            Opt::domain(Complete::Domain),
            Opt::text("target", "target of the disk").required().complete(Complete::Disk),
            PERSISTENT,
            impact::CONFIG,
            impact::LIVE,
            impact::CURRENT,
            Opt::flag("print-xml", "show the XML and do nothing"),
        ])
        .writes(),
];

fn attach_disk(session: &mut Session, args: &Args) -> Result<()> {
    check_impact(args)?;
    for option in ["source-host-name", "source-host-transport", "source-host-socket"] {
        args.requires(option, "source-protocol")?;
    }
    args.requires("source-host-socket", "source-host-transport")?;
    let source = args.get("source").unwrap_or_default();
    let target = args.required("target")?;
    let disk = disk_options::disk(args, source, target)?;
    let xml = disk.to_string();
    if args.has("print-xml") {
        return session.show(&json!({ "xml": xml }), |session| session.print(&xml));
    }
    let connection = session.connection()?;
    let domain = lookup::domain(connection, args)?;
    let impact = Impact::of(args, connection, &domain)?;
    let answer = connection.domains().attach_device(&domain, &xml, impact.or_plain(connection));
    let chosen = u32::from(impact.chosen);
    plain_name(answer, chosen, "virDomainAttachDeviceFlags", "virDomainAttachDevice")
        .context("Failed to attach disk")?;
    session.print_extra("Disk attached successfully\n");
    Ok(())
}

fn detach_disk(session: &mut Session, args: &Args) -> Result<()> {
    check_impact(args)?;
    let connection = session.connection()?;
    let domain = lookup::domain(connection, args)?;
    let target = args.required("target")?;
    let impact = Impact::of(args, connection, &domain)?;
    let disk = find(connection, &domain, target, impact.description())?;
    let xml = fragment(&disk);
    if args.has("print-xml") {
        return session.show(&json!({ "xml": xml }), |session| session.print(&xml));
    }
    let answer = connection.domains().detach_device(&domain, &xml, impact.or_plain(connection));
    let chosen = u32::from(impact.chosen);
    plain_name(answer, chosen, "virDomainDetachDeviceFlags", "virDomainDetachDevice")
        .context("Failed to detach disk")?;
    session.print_extra("Disk detached successfully\n");
    Ok(())
}

/// The disk whose target or source is `name`.
fn find(connection: &dyn Connection, domain: &DomainRef, name: &str, flags: u32) -> Result<Element> {
    let tree = device_tree::tree(connection, domain, flags)?;
    let disks = tree.child("devices").into_iter().flat_map(|devices| devices.children("disk"));
    match { disks }.find(|disk| super::media::is_called(disk, name)) {
        Some(disk) => Ok(disk.clone()),
        None => bail!("No disk found whose source path or target is {name}"),
    }
}
