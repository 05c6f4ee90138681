//! `rm`: a domain and what belongs to it, after saying what that is.

use super::is_own_host;
use crate::backend::Connection;
use crate::commands::domain::{device_tree, lookup, undefine};
use crate::error::Error;
use crate::model::constants::*;
use crate::model::{DomainRef, VolumeRef};
use crate::shell::args::Args;
use crate::shell::report::Silent;
use crate::shell::session::Session;
use crate::shell::spec::{Command, Complete, Group, Opt};
use anyhow::{Context, Result, bail};
use serde_json::{Value, json};
use std::io::IsTerminal;
use std::path::PathBuf;

/// The row of this file.
pub const COMMANDS: &[Command] = &[Command::new("rm", Group::Extra, remove)
.answers("{domain: text, removed: [text], kept: [text]}")
    .about(
        "remove a domain and what belongs to it",
        "Says what will go – the definition, a managed save, the metadata of snapshots and checkpoints, the \
         firmware's variables, the state of a TPM, and with --storage the disks, as volumes of their pools or as files of this host – and asks at a terminal \
         before it does so. Elsewhere it needs --yes. What another domain uses, too, is kept, also below its own images.",
    )
    .options(&[
        Opt::domain(Complete::Domain),
        Opt::flag("storage", "remove the domain's disks, too"),
        Opt::flag("force", "switch a running domain off first"),
        Opt::flag("yes", "do not ask"),
    ])
    .several(&[])
    .writes()];

/// What goes and what stays.
struct Plan {
    /// What goes, in words.
    goes: Vec<String>,
    /// What stays although it belongs to the domain, and why.
    stays: Vec<String>,
    /// How the definition is to be forgotten.
    flags: u32,
    /// What goes of its disks, with the words for each.
    disks: Vec<(String, Doomed)>,
}

/// Where a disk's contents are.
enum Doomed {
    Volume(VolumeRef),
    File(PathBuf),
}

fn remove(session: &mut Session, args: &Args) -> Result<()> {
    let connection = session.handle()?;
    let domain = lookup::domain(&*connection, args)?;
    let name = &domain.name;
    let runs = connection.domains().is_active(&domain)?;
    if runs && !args.has("force") {
        bail!("domain '{name}' is running: shut it down first, or give --force to switch it off");
    }
    let persistent = connection.domains().is_persistent(&domain)?;
    let plan = plan(session, &*connection, &domain, runs, persistent, args.has("storage"))?;
    if !args.has("yes") {
        ask(session, name, &plan)?;
    }
    if runs {
        let gone = connection.domains().destroy(&domain, 0);
        gone.with_context(|| format!("Failed to destroy domain '{name}'"))?;
    }
    if persistent {
        let gone = connection.domains().undefine(&domain, plan.flags);
        gone.with_context(|| format!("Failed to undefine domain '{name}'"))?;
    }
    let mut failed = false;
    let mut removed = plan.goes.clone();
    for (words, disk) in &plan.disks {
        let gone = match disk {
            Doomed::Volume(volume) => connection.storage().volume_delete(volume, 0),
            Doomed::File(path) => std::fs::remove_file(path)
                .map_err(|cause| Error::system(format!("cannot remove '{}'", path.display()), &cause)),
        };
        if let Err(error) = gone {
            failed = true;
            removed.retain(|known| known != words);
            session.error(format_args!("Failed to remove {words}"));
            session.report(&error.into());
        }
    }
    let data = json!({ "domain": name, "removed": removed, "kept": plan.stays });
    session.show(&data, |session| {
        session.print_extra(format_args!("Domain '{name}' has been removed: {}\n", removed.join(", ")));
        for kept in &plan.stays {
            session.print_extra(format_args!("Kept: {kept}\n"));
        }
    })?;
    if failed { Err(Silent.into()) } else { Ok(()) }
}

fn plan(
    session: &Session,
    connection: &dyn Connection,
    domain: &DomainRef,
    runs: bool,
    persistent: bool,
    storage: bool,
) -> Result<Plan> {
    let mut plan = Plan { goes: Vec::new(), stays: Vec::new(), flags: 0, disks: Vec::new() };
    if runs {
        plan.goes.push("its running guest".to_string());
    }
    let here = is_own_host(session)?;
    // A transient domain has no other definition than that of its guest.
    let tree = device_tree::tree(connection, domain, if persistent { DOMAIN_XML_INACTIVE } else { 0 })?;
    if persistent {
        plan.goes.push("its definition".to_string());
        plan.add_belongings(connection, domain, &tree)?;
    }
    for disk in device_tree::disks(&tree) {
        let Some(source) = disk.source.filter(|_| disk.device == "disk") else {
            continue;
        };
        let words = format!("disk {} ({source})", disk.target);
        if !storage {
            plan.stays.push(format!("{words}: give --storage to remove it"));
            continue;
        }
        let path = PathBuf::from(&source);
        let doomed = match undefine::volume(connection, disk.pool.as_deref(), &source) {
            Ok(volume) => Doomed::Volume(volume),
            Err(_) if here && disk.kind == "file" && path.is_file() => Doomed::File(path),
            Err(_) => {
                plan.stays.push(format!("{words}: no storage pool has it, so remove it by hand"));
                continue;
            }
        };
        match other_user(connection, domain, &source, here)? {
            Some(other) => plan.stays.push(format!("{words}: domain '{other}' uses it, too")),
            None => {
                plan.goes.push(words.clone());
                plan.disks.push((words, doomed));
            }
        }
    }
    Ok(plan)
}

impl Plan {
    fn add(&mut self, words: impl Into<String>, flag: u32) {
        self.goes.push(words.into());
        self.flags |= flag;
    }

    /// What the driver keeps for the domain beside its definition. A driver that has no such things says so.
    fn add_belongings(
        &mut self,
        connection: &dyn Connection,
        domain: &DomainRef,
        tree: &crate::xml::Element,
    ) -> Result<()> {
        if optional(connection.domains().has_managed_save_image(domain, 0))?.unwrap_or(false) {
            self.add("its managed save", DOMAIN_UNDEFINE_MANAGED_SAVE);
        }
        let snapshots = optional(connection.snapshots().list_all_snapshots(domain, 0))?.unwrap_or_default();
        if !snapshots.is_empty() {
            let words = format!("the metadata of {} snapshots", snapshots.len());
            self.add(words, DOMAIN_UNDEFINE_SNAPSHOTS_METADATA);
        }
        let checkpoints =
            optional(connection.snapshots().list_all_checkpoints(domain, 0))?.unwrap_or_default();
        if !checkpoints.is_empty() {
            let words = format!("the metadata of {} checkpoints", checkpoints.len());
            self.add(words, DOMAIN_UNDEFINE_CHECKPOINTS_METADATA);
        }
        if tree.find("os/nvram").is_some()
            || tree.find("os").is_some_and(|os| os.attribute("firmware").is_some())
        {
            self.add("its firmware's variables", DOMAIN_UNDEFINE_NVRAM);
        }
        if tree.child_attribute("devices/tpm/backend", "type") == Some("emulator") {
            self.add("the state of its TPM", DOMAIN_UNDEFINE_TPM);
        }
        Ok(())
    }
}

/// What a driver may not know at all.
fn optional<T>(answer: Result<T, crate::error::Error>) -> Result<Option<T>> {
    match answer {
        Ok(value) => Ok(Some(value)),
        Err(error) if error.is_unsupported() => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Another domain with a disk of this source, or one whose image lies on top of it.
fn other_user(
    connection: &dyn Connection,
    domain: &DomainRef,
    source: &str,
    here: bool,
) -> Result<Option<String>> {
    let wanted = same(source);
    for other in connection.domains().list_all_domains(0)? {
        if other.uuid == domain.uuid {
            continue;
        }
        // A domain that went meanwhile uses nothing.
        let Ok(tree) = device_tree::tree(connection, &other, 0) else {
            continue;
        };
        let disks = device_tree::disks(&tree);
        let mut sources = disks.iter().filter_map(|disk| Some((disk, disk.source.as_deref()?)));
        if sources.any(|(disk, other)| {
            other == source || here && disk.kind == "file" && chain(other).contains(&wanted)
        }) {
            return Ok(Some(other.name));
        }
    }
    Ok(None)
}

/// A file under the one name it has without links.
fn same(path: &str) -> PathBuf {
    std::fs::canonicalize(path).unwrap_or_else(|_| PathBuf::from(path))
}

/// An image's file and those it lies on. What cannot be read lies on nothing that could be known.
fn chain(path: &str) -> Vec<PathBuf> {
    let mut command = std::process::Command::new("qemu-img");
    command.args(["info", "--force-share", "--backing-chain", "--output=json", "--", path]);
    let output = command.output().map(|output| output.stdout).unwrap_or_default();
    let images: Vec<Value> = serde_json::from_slice(&output).unwrap_or_default();
    let files = images.iter().filter_map(|image| image["filename"].as_str()).map(same);
    std::iter::once(same(path)).chain(files).collect()
}

/// Shows the plan and asks; without a person to ask nothing is done.
fn ask(session: &mut Session, name: &str, plan: &Plan) -> Result<()> {
    if session.is_captured() || !std::io::stdin().is_terminal() {
        bail!(
            "'rm' asks before it removes domain '{name}', and there is nobody to ask: give --yes to remove {}",
            plan.goes.join(", ")
        );
    }
    session.print(format_args!("This removes domain '{name}':\n"));
    for words in &plan.goes {
        session.print(format_args!("  - {words}\n"));
    }
    for words in &plan.stays {
        session.print(format_args!("  kept: {words}\n"));
    }
    session.print("Go on? [y/N] ");
    session.flush();
    let mut line = String::new();
    std::io::stdin().read_line(&mut line).context("cannot read the answer")?;
    match line.trim() {
        "y" | "Y" | "yes" => Ok(()),
        _ => bail!("domain '{name}' was left as it is"),
    }
}
