//! `undefine`: forgetting a domain's definition, and on request what belongs to it.

use super::device_tree;
use super::lookup;
use crate::backend::Connection;
use crate::error::Error;
use crate::model::constants::*;
use crate::model::{DomainRef, VolumeRef};
use crate::shell::args::Args;
use crate::shell::report::Silent;
use crate::shell::session::Session;
use crate::shell::spec::{Command, Complete, Group, Opt};
use anyhow::{Context, Result, bail};

/// The row of this file.
pub const COMMANDS: &[Command] = &[Command::new("undefine", Group::Domain, undefine)
    .about(
        "forget a domain's definition",
        "Removes the stored definition. A domain that is off is gone then; one that runs goes on until it ends. \
         Disks stay unless their removal is asked for.",
    )
    .options(&[
        Opt::domain(Complete::Domain),
        Opt::flag("managed-save", "remove the managed save image too"),
        Opt::text("storage", "remove these disks' volumes too: targets or sources, parted by commas")
            .tolerated_by_place()
            .complete(Complete::Disk),
        Opt::flag("remove-all-storage", "remove the volumes of all disks too"),
        Opt::flag("delete-storage-volume-snapshots", "remove the snapshots inside these volumes too"),
        Opt::flag("wipe-storage", "overwrite volumes before they are removed"),
        Opt::flag("snapshots-metadata", "forget all snapshots of the domain too"),
        Opt::flag("checkpoints-metadata", "forget all checkpoints of the domain too"),
        Opt::flag("nvram", "remove the file of firmware variables too"),
        Opt::flag("keep-nvram", "keep the file of firmware variables"),
        Opt::flag("tpm", "remove the state of the TPM too"),
        Opt::flag("keep-tpm", "keep the state of the TPM"), Opt::all_domains()])
        .several(&["storage"])
    .writes()];

const FLAGS: &[(&str, u32)] = &[
    ("managed-save", DOMAIN_UNDEFINE_MANAGED_SAVE),
    ("snapshots-metadata", DOMAIN_UNDEFINE_SNAPSHOTS_METADATA),
    ("checkpoints-metadata", DOMAIN_UNDEFINE_CHECKPOINTS_METADATA),
    ("nvram", DOMAIN_UNDEFINE_NVRAM),
    ("keep-nvram", DOMAIN_UNDEFINE_KEEP_NVRAM),
    ("tpm", DOMAIN_UNDEFINE_TPM),
    ("keep-tpm", DOMAIN_UNDEFINE_KEEP_TPM),
];

/// A disk whose volume is to go.
struct Doomed {
    target: String,
    source: String,
    volume: VolumeRef,
}

fn undefine(session: &mut Session, args: &Args) -> Result<()> {
    args.requires("delete-storage-volume-snapshots", "remove-all-storage")?;
    args.exclusive("nvram", "keep-nvram")?;
    args.exclusive("tpm", "keep-tpm")?;
    let named = args.get("storage").is_some_and(|list| !list.is_empty());
    let storage = named || args.has("remove-all-storage");
    if args.has("wipe-storage") && !storage {
        bail!("'--wipe-storage' requires '--storage <string>' or '--remove-all-storage'");
    }
    let connection = session.handle()?;
    let domain = lookup::domain(&*connection, args)?;
    let name = args.required("domain")?;
    if storage && domain.id.is_some() {
        bail!("Storage volume deletion is supported only on stopped domains");
    }
    refuse_saved(&*connection, &domain, args)?;
    let doomed = if storage { doomed(session, &*connection, &domain, args)? } else { Vec::new() };
    let chosen = FLAGS.iter().filter(|(option, _)| args.has(option));
    let flags = chosen.fold(0, |flags, (_, flag)| flags | flag);
    let answer = connection.domains().undefine(&domain, flags);
    answer.with_context(|| format!("Failed to undefine domain '{name}'"))?;
    session.print_extra(format_args!("Domain '{name}' has been undefined\n"));
    let failures = doomed.iter().filter(|disk| !remove(session, &*connection, disk, args)).count();
    if failures > 0 { Err(Silent.into()) } else { Ok(()) }
}

/// A saved state is not thrown away by accident.
fn refuse_saved(connection: &dyn Connection, domain: &DomainRef, args: &Args) -> Result<()> {
    if domain.id.is_some() || args.has("managed-save") {
        return Ok(());
    }
    match connection.domains().has_managed_save_image(domain, 0) {
        Ok(true) => bail!("Refusing to undefine while domain managed save image exists"),
        Err(error) if !error.is_unsupported() => Err(error.into()),
        _ => Ok(()),
    }
}

/// The volumes of the chosen disks. Disks that are no volumes are complained about and left alone; a choice
/// that is none of the domain's disks stops the command before anything is done.
fn doomed(
    session: &mut Session,
    connection: &dyn Connection,
    domain: &DomainRef,
    args: &Args,
) -> Result<Vec<Doomed>> {
    let disks = device_tree::disks(&device_tree::tree(connection, domain, DOMAIN_XML_INACTIVE)?);
    let all = args.has("remove-all-storage");
    let mut chosen: Vec<&str> = args.text("storage")?.unwrap_or_default().split(',').collect();
    chosen.retain(|choice| !choice.is_empty());
    let mut doomed = Vec::new();
    for disk in disks {
        let Some(source) = disk.source else {
            continue;
        };
        let is_it = |choice: &&str| *choice == disk.target || *choice == source;
        if !all && !chosen.iter().any(is_it) {
            continue;
        }
        chosen.retain(|choice| !is_it(choice));
        match volume(connection, disk.pool.as_deref(), &source) {
            Ok(volume) => doomed.push(Doomed { target: disk.target, source, volume }),
            Err(_) => session.error(format_args!(
                "Storage volume '{}'({source}) is not managed by libvirt. Remove it manually.",
                disk.target
            )),
        }
    }
    for choice in &chosen {
        session.error(format_args!("Volume '{choice}' was not found in domain's definition."));
    }
    if chosen.is_empty() { Ok(doomed) } else { Err(Silent.into()) }
}

/// The volume behind a disk: by pool and name, or by its path.
pub fn volume(connection: &dyn Connection, pool: Option<&str>, source: &str) -> Result<VolumeRef, Error> {
    let storage = connection.storage();
    match pool {
        Some(pool) => storage.volume_lookup_by_name(&storage.pool_lookup_by_name(pool)?, source),
        None => storage.volume_lookup_by_path(source),
    }
}

/// Removes one volume; whether it went as asked.
fn remove(session: &mut Session, connection: &dyn Connection, disk: &Doomed, args: &Args) -> bool {
    let storage = connection.storage();
    let shown = format!("'{}'({})", disk.target, disk.source);
    if args.has("wipe-storage") {
        session.print_extra(format_args!("Wiping volume {shown} ... "));
        if let Err(error) = storage.volume_wipe_pattern(&disk.volume, STORAGE_VOL_WIPE_ALG_ZERO, 0) {
            session.error("Failed! Volume not removed.");
            session.report(&error.into());
            // virsh counts this as done, since the volume is still there to be looked after.
            return true;
        }
        session.print_extra("Done.\n");
    }
    let flags = match args.has("delete-storage-volume-snapshots") {
        true => STORAGE_VOL_DELETE_WITH_SNAPSHOTS,
        false => 0,
    };
    match storage.volume_delete(&disk.volume, flags) {
        Ok(()) => {
            session.print_extra(format_args!("Volume {shown} removed.\n"));
            true
        }
        Err(error) => {
            session.error(format_args!("Failed to remove storage volume {shown}"));
            session.report(&error.into());
            false
        }
    }
}
