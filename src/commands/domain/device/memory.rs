//! update-memory-device: how much of a memory device the guest is asked to use.

use super::{check_impact, fragment};
use crate::commands::domain::{device_tree, lookup};
use crate::commands::impact::{self, impact};
use crate::model::constants::*;
use crate::shell::args::Args;
use crate::shell::session::Session;
use crate::shell::shape;
use crate::shell::spec::{Command, Complete, Group, Opt};
use crate::xml::Element;
use anyhow::{Result, bail};
use serde_json::json;

/// The rows of this file.
pub const COMMANDS: &[Command] = &[Command::new("update-memory-device", Group::Domain, update_memory_device)
    .answers(shape::PRINTED)
    .about("change a memory device", "Changes how much of a memory device the guest is asked to use.")
    .options(&[
        Opt::domain(Complete::Domain),
        impact::CONFIG,
        impact::LIVE,
        impact::CURRENT,
        Opt::flag("print-xml", "show the XML and do nothing"),
        Opt::text("alias", "alias of the memory device").tolerated_by_place().complete(Complete::Alias),
        Opt::number("node", "guest NUMA node of the memory device").tolerated_by_place(),
        Opt::number("requested-size", "size the guest is asked for (KiB, or with a suffix)")
            .tolerated_by_place(),
    ])
    .writes()];

fn update_memory_device(session: &mut Session, args: &Args) -> Result<()> {
    args.exclusive("node", "alias")?;
    check_impact(args)?;
    let flags = impact(args)?;
    let connection = session.handle()?;
    let domain = lookup::domain(&*connection, args)?;
    let description = if args.has("config") { DOMAIN_XML_INACTIVE } else { 0 };
    let tree = device_tree::tree(&*connection, &domain, description)?;
    let node = args.number::<u32>("node")?.map(|node| node.to_string());
    let mut device = choose(&tree, args.text("alias")?, node.as_deref())?.clone();
    if let Some(bytes) = args.size("requested-size", 1024, u64::MAX)? {
        let Some(target) = device.child_mut("target").filter(|target| target.child("requested").is_some())
        else {
            bail!("virtio-mem device is missing <requested/>");
        };
        let requested = target.child_or_new("requested");
        requested.set("unit", "KiB");
        requested.set_text(bytes.div_ceil(1024));
    }
    let xml = fragment(&device);
    if args.has("print-xml") {
        return session.show(&json!({ "xml": xml }), |session| session.print(&xml));
    }
    Ok(connection.domains().update_device(&domain, &xml, flags)?)
}

/// The one memory device that is meant.
fn choose<'a>(tree: &'a Element, alias: Option<&str>, node: Option<&str>) -> Result<&'a Element> {
    let devices = tree.child("devices").into_iter();
    let mut found = devices.flat_map(|devices| devices.children("memory")).filter(|device| {
        let is = |path: &str, attribute: Option<&str>, wanted: Option<&str>| {
            wanted.is_none_or(|wanted| match attribute {
                Some(attribute) => device.child_attribute(path, attribute) == Some(wanted),
                None => device.child_text(path).as_deref() == Some(wanted),
            })
        };
        is("alias", Some("name"), alias) && is("target/node", None, node)
    });
    match (found.next(), found.next()) {
        (None, _) => bail!("no memory device found"),
        (Some(device), None) => Ok(device),
        (Some(_), Some(_)) => bail!("multiple memory devices found, use --alias or --node to select one"),
    }
}
