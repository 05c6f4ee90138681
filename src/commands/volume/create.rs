//! vol-clone, vol-create, vol-create-as, vol-create-from.

use super::lookup::{by_key_or_path, volume};
use crate::backend::Connection;
use crate::commands::vocabulary;
use crate::commands::{files, pool};
use crate::model::PoolRef;
use crate::model::constants::*;
use crate::shell::args::Args;
use crate::shell::session::Session;
use crate::shell::shape;
use crate::shell::spec::{Command, Complete, Group, Opt};
use crate::shell::units::read_size;
use crate::xml::xpath::{self, Chosen};
use crate::xml::{self, Element};
use anyhow::{Context, Result, anyhow};
use serde_json::json;

/// The rows of this file.
pub const COMMANDS: &[Command] = &[
    Command::new("vol-clone", Group::Volume, vol_clone)
        .answers(shape::PRINTED)
        .about("copy a volume within its pool", "Copies a volume under another name.")
        .options(&[
            Opt::text("vol", "a volume by its name, key or path").required().complete(Complete::Volume),
            Opt::text("newname", "name of the copy").required(),
            Opt::text("pool", "a pool by its name or uuid")
                .positional()
                .complete(Complete::PoolWith(CONNECT_LIST_STORAGE_POOLS_ACTIVE)),
            Opt::flag("prealloc-metadata", "write the metadata of a qcow2 image at once"),
            Opt::flag("reflink", "copy by reference where the file system can"),
            Opt::flag("print-xml", "show the XML and do nothing"),
        ])
        .writes(),
    Command::new("vol-create", Group::Volume, vol_create)
        .about("make a volume from XML", "Makes a volume as a file describes it.")
        .options(&[
            Opt::text("pool", "a pool by its name or uuid")
                .required()
                .complete(Complete::PoolWith(CONNECT_LIST_STORAGE_POOLS_ACTIVE)),
            Opt::text("file", "file with the XML of the volume").required().complete(Complete::File),
            Opt::flag("prealloc-metadata", "write the metadata of a qcow2 image at once"),
            Opt::flag("validate", "check the XML strictly"),
        ])
        .writes(),
    Command::new("vol-create-as", Group::Volume, vol_create_as)
        .answers(shape::PRINTED)
        .about("make a volume", "Makes a volume of the options.")
        .options(&[
            Opt::text("pool", "a pool by its name or uuid")
                .required()
                .complete(Complete::PoolWith(CONNECT_LIST_STORAGE_POOLS_ACTIVE)),
            Opt::text("name", "name of the volume").required(),
            Opt::text("capacity", "size in bytes, or with a suffix").required(),
            Opt::text("allocation", "space to reserve at once (bytes, or with a suffix)")
                .tolerated_by_place(),
            Opt::text("format", "format, such as raw or qcow2")
                .tolerated_by_place()
                .complete(Complete::Words(vocabulary::IMAGE_FORMATS)),
            Opt::text("backing-vol", "volume that lies beneath: name, key or path").tolerated_by_place(),
            Opt::text("backing-vol-format", "format of the volume beneath")
                .tolerated_by_place()
                .complete(Complete::Words(vocabulary::IMAGE_FORMATS)),
            Opt::flag("prealloc-metadata", "write the metadata of a qcow2 image at once"),
            Opt::flag("print-xml", "show the XML and do nothing"),
        ])
        .writes(),
    Command::new("vol-create-from", Group::Volume, vol_create_from)
        .about(
            "make a volume from another one",
            "Makes a volume as a file describes it, filled from another volume.",
        )
        .options(&[
            Opt::text("pool", "a pool by its name or uuid")
                .required()
                .complete(Complete::PoolWith(CONNECT_LIST_STORAGE_POOLS_ACTIVE)),
            Opt::text("file", "file with the XML of the volume").required().complete(Complete::File),
            Opt::text("vol", "a volume by its name, key or path").required().complete(Complete::Volume),
            Opt::text("inputpool", "pool of the volume to copy")
                .tolerated_by_place()
                .complete(Complete::Pool),
            Opt::flag("prealloc-metadata", "write the metadata of a qcow2 image at once"),
            Opt::flag("reflink", "copy by reference where the file system can"),
            Opt::flag("validate", "check the XML strictly"),
        ])
        .writes(),
];

const CREATE_FLAGS: &[(&str, u32)] = &[
    ("prealloc-metadata", STORAGE_VOL_CREATE_PREALLOC_METADATA),
    ("reflink", STORAGE_VOL_CREATE_REFLINK),
    ("validate", STORAGE_VOL_CREATE_VALIDATE),
];

/// A size in bytes, maybe with a suffix.
pub(super) fn bytes(text: &str) -> Result<u64> {
    match read_size(text, 1, u64::MAX) {
        Ok(bytes) => Ok(bytes),
        Err(Some(cause)) => Err(anyhow::Error::from(cause).context(format!("Malformed size {text}"))),
        Err(None) => Err(anyhow!("Malformed size {text}")),
    }
}

fn vol_create(session: &mut Session, args: &Args) -> Result<()> {
    let flags = args.flags(CREATE_FLAGS);
    let connection = session.handle()?;
    let pool = pool::named(&*connection, args.required("pool")?)?;
    let file = args.required("file")?;
    let xml = files::read(file)?;
    let made = connection.storage().volume_create_xml(&pool, &xml, flags);
    let volume = made.with_context(|| format!("Failed to create vol from {file}"))?;
    session.print_extra(format_args!("Vol {} created from {file}\n", volume.name));
    Ok(())
}

fn vol_create_from(session: &mut Session, args: &Args) -> Result<()> {
    let flags = args.flags(CREATE_FLAGS);
    let connection = session.handle()?;
    let pool = pool::named(&*connection, args.required("pool")?)?;
    let file = args.required("file")?;
    let source = volume(&*connection, args, "inputpool")?;
    let xml = files::read(file)?;
    let made = connection.storage().volume_create_xml_from(&pool, &xml, &source, flags);
    let made = made.with_context(|| format!("Failed to create vol from {file}"))?;
    session.print_extra(format_args!("Vol {} created from input vol {}\n", made.name, source.name));
    Ok(())
}

fn vol_create_as(session: &mut Session, args: &Args) -> Result<()> {
    let flags = args.flags(CREATE_FLAGS);
    let connection = session.handle()?;
    let pool = pool::named(&*connection, args.required("pool")?)?;
    let name = args.required("name")?;
    let xml = described(&*connection, &pool, args)?.to_string();
    if args.has("print-xml") {
        return session.show(&json!({ "xml": xml }), |session| session.print(&xml));
    }
    let made = connection.storage().volume_create_xml(&pool, &xml, flags);
    made.with_context(|| format!("Failed to create vol {name}"))?;
    session.print_extra(format_args!("Vol {name} created\n"));
    Ok(())
}

/// The element `volume` that the options describe, in virsh's order.
fn described(connection: &dyn Connection, pool: &PoolRef, args: &Args) -> Result<Element> {
    let capacity = bytes(args.required("capacity")?)?;
    let mut volume = Element::new("volume");
    volume.push(Element::new("name").with_text(args.required("name")?));
    volume.push(Element::new("capacity").with_text(capacity));
    if let Some(text) = args.get("allocation").filter(|text| !text.is_empty()) {
        volume.push(Element::new("allocation").with_text(bytes(text)?));
    }
    let format = |kind: &str| Element::new("format").with("type", kind);
    if let Some(kind) = args.text("format")? {
        volume.push(Element::new("target").with_child(format(kind)));
    }
    let below_format = args.text("backing-vol-format")?;
    if let Some(below) = args.text("backing-vol")? {
        let storage = connection.storage();
        let found = match storage.volume_lookup_by_name(pool, below) {
            Ok(volume) => volume,
            Err(_) => by_key_or_path(connection, below, "")?,
        };
        let path = Element::new("path").with_text(storage.volume_path(&found)?);
        let mut backing = Element::new("backingStore").with_child(path);
        if let Some(kind) = below_format {
            backing.push(format(kind));
        }
        volume.push(backing);
    }
    Ok(volume)
}

fn vol_clone(session: &mut Session, args: &Args) -> Result<()> {
    let flags = args.flags(CREATE_FLAGS);
    let connection = session.handle()?;
    let source = volume(&*connection, args, "pool")?;
    let storage = connection.storage();
    let pool = storage.pool_lookup_by_volume(&source);
    let pool = pool.context("failed to get parent pool")?;
    let name = args.required("newname")?;
    let mut tree = xml::parse(&storage.volume_xml(&source, 0)?, "storage_volume_definition")?;
    tree.child_or_new("name").set_text(name);
    if args.has("print-xml") {
        let xml = xpath::print(&[Chosen::Element(&tree)]).trim_end().to_string();
        return session.show(&json!({ "xml": xml }), |session| session.print(&xml));
    }
    let made = storage.volume_create_xml_from(&pool, &tree.to_string(), &source, flags);
    let made = made.with_context(|| format!("Failed to clone vol from {}", source.name))?;
    session.print_extra(format_args!("Vol {} cloned from {}\n", made.name, source.name));
    Ok(())
}
