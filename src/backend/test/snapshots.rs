//! Snapshots and checkpoints.

use super::moments::{Choice, Moment};
use super::state::{Guest, State, state};
use super::*;
use super::{definition, moment_documents as documents};
use crate::error::ErrorCode;
use crate::model::constants::*;
use crate::xml::Element;

fn no_snapshot(detail: String) -> Error {
    Error::new(ErrorCode::NO_SNAPSHOT, detail)
}

fn unsupported(detail: &str) -> Error {
    Error::new(ErrorCode::OPERATION_UNSUPPORTED, detail)
}

/// What a snapshot calls a state.
fn state_word(state: i32) -> &'static str {
    match state {
        DOMAIN_RUNNING => "running",
        DOMAIN_BLOCKED => "blocked",
        DOMAIN_PAUSED => "paused",
        DOMAIN_SHUTDOWN => "shutdown",
        DOMAIN_SHUTOFF => "shutoff",
        DOMAIN_CRASHED => "crashed",
        DOMAIN_PMSUSPENDED => "pmsuspended",
        _ => "nostate",
    }
}

/// Whether a snapshot has one of the properties that flags ask for, in each group that they use.
fn has_properties(document: &Element, flags: u32) -> bool {
    let word = document.child_text("state").unwrap_or_default();
    let memory = document.child_attribute("memory", "snapshot");
    let mut disks = document.child("disks").into_iter().flat_map(|disks| disks.children("disk"));
    let external =
        memory == Some("external") || disks.any(|disk| disk.attribute("snapshot") == Some("external"));
    let states = [
        (DOMAIN_SNAPSHOT_LIST_INACTIVE, word == "shutoff"),
        (DOMAIN_SNAPSHOT_LIST_DISK_ONLY, word == "disk-snapshot"),
        (DOMAIN_SNAPSHOT_LIST_ACTIVE, word != "shutoff" && word != "disk-snapshot"),
    ];
    let places = [(DOMAIN_SNAPSHOT_LIST_INTERNAL, !external), (DOMAIN_SNAPSHOT_LIST_EXTERNAL, external)];
    let metadata = [(DOMAIN_SNAPSHOT_LIST_METADATA, true), (DOMAIN_SNAPSHOT_LIST_NO_METADATA, false)];
    [&states[..], &places, &metadata].iter().all(|group| lookup::passes(group, flags))
}

fn snapshot_choice(flags: u32) -> Choice {
    Choice {
        roots: flags & DOMAIN_SNAPSHOT_LIST_ROOTS != 0,
        leaves: flags & DOMAIN_SNAPSHOT_LIST_LEAVES != 0,
        no_leaves: flags & DOMAIN_SNAPSHOT_LIST_NO_LEAVES != 0,
        topological: flags & DOMAIN_SNAPSHOT_LIST_TOPOLOGICAL != 0,
        descendants: flags & DOMAIN_SNAPSHOT_LIST_DESCENDANTS != 0,
    }
}

fn checkpoint_choice(flags: u32) -> Choice {
    Choice {
        roots: flags & DOMAIN_CHECKPOINT_LIST_ROOTS != 0,
        leaves: flags & DOMAIN_CHECKPOINT_LIST_LEAVES != 0,
        no_leaves: flags & DOMAIN_CHECKPOINT_LIST_NO_LEAVES != 0,
        topological: flags & DOMAIN_CHECKPOINT_LIST_TOPOLOGICAL != 0,
        descendants: flags & DOMAIN_CHECKPOINT_LIST_DESCENDANTS != 0,
    }
}

impl Guest {
    /// The snapshot of a name.
    fn snapshot(&self, name: &str) -> Result<&Moment> {
        let found = self.snapshots.find(name);
        found.ok_or_else(|| no_snapshot(format!("no domain snapshot with matching name '{name}'")))
    }

    /// The checkpoint of a name.
    fn checkpoint(&self, name: &str) -> Result<&Moment> {
        let found = self.checkpoints.find(name);
        found.ok_or_else(|| {
            let detail = format!("no domain checkpoint with matching name '{name}'");
            Error::new(ErrorCode::NO_CHECKPOINT, detail)
        })
    }

    fn snapshot_reference(&self, name: &str) -> SnapshotRef {
        SnapshotRef { name: name.to_string(), domain: self.reference() }
    }

    fn checkpoint_reference(&self, name: &str) -> CheckpointRef {
        CheckpointRef { name: name.to_string(), domain: self.reference() }
    }
}

/// The refusal of two flags of which one excludes the other.
pub(super) fn exclusive(flags: u32, one: (u32, &str), other: (u32, &str)) -> Result<()> {
    match flags & one.0 != 0 && flags & other.0 != 0 {
        true => Err(bare(format!("Flags '{}' and '{}' are mutually exclusive", one.1, other.1))),
        false => Ok(()),
    }
}

impl Snapshots for TestConnection {
    fn snapshot_create_xml(&self, domain: &DomainRef, xml: &str, flags: u32) -> Result<SnapshotRef> {
        let allowed = DOMAIN_SNAPSHOT_CREATE_REDEFINE
            | DOMAIN_SNAPSHOT_CREATE_CURRENT
            | DOMAIN_SNAPSHOT_CREATE_HALT
            | DOMAIN_SNAPSHOT_CREATE_QUIESCE
            | DOMAIN_SNAPSHOT_CREATE_ATOMIC
            | DOMAIN_SNAPSHOT_CREATE_LIVE
            | DOMAIN_SNAPSHOT_CREATE_VALIDATE;
        let redefine = flags & DOMAIN_SNAPSHOT_CREATE_REDEFINE != 0;
        if flags & DOMAIN_SNAPSHOT_CREATE_CURRENT != 0 && !redefine {
            let message = "Flag 'VIR_DOMAIN_SNAPSHOT_CREATE_REDEFINE' is required by flag \
                           'VIR_DOMAIN_SNAPSHOT_CREATE_CURRENT'";
            return Err(bare(message.to_string()));
        }
        exclusive(
            flags,
            (DOMAIN_SNAPSHOT_CREATE_REDEFINE, "VIR_DOMAIN_SNAPSHOT_CREATE_REDEFINE"),
            (DOMAIN_SNAPSHOT_CREATE_NO_METADATA, "VIR_DOMAIN_SNAPSHOT_CREATE_NO_METADATA"),
        )?;
        only_flags(flags, allowed, "testDomainSnapshotCreateXML")?;
        let mut state = self.state();
        let guest = state.guest_mut(domain)?;
        if guest.has_checkpoints() {
            return Err(unsupported("cannot create snapshot while checkpoint exists"));
        }
        if flags & DOMAIN_SNAPSHOT_CREATE_HALT != 0 && !guest.persistent {
            return Err(Error::invalid_operation("cannot halt after transient domain snapshot"));
        }
        let document = documents::read(xml, "domainsnapshot")?;
        let moment = match redefine {
            true => documents::old_snapshot(&document, Some(guest.uuid), Some(&guest.snapshots))?,
            false => {
                let word = state_word(guest.state.state);
                let mut moment = documents::new_snapshot(&document, &guest.current, word)?;
                moment.parent = guest.snapshots.current.clone();
                moment
            }
        };
        let name = moment.name.clone();
        match redefine {
            true => guest.snapshots.check_parent(&name, moment.parent.as_deref())?,
            false => guest.snapshots.expect_free(&name)?,
        }
        guest.snapshots.put(moment);
        if !redefine || flags & DOMAIN_SNAPSHOT_CREATE_CURRENT != 0 {
            guest.snapshots.current = Some(name.clone());
        }
        let snapshot = guest.snapshot_reference(&name);
        if flags & DOMAIN_SNAPSHOT_CREATE_HALT != 0 && !redefine && guest.is_active() {
            let how = (DOMAIN_SHUTOFF_FROM_SNAPSHOT, DOMAIN_EVENT_STOPPED_FROM_SNAPSHOT);
            self.stop(&mut state, domain, how)?;
        }
        Ok(snapshot)
    }

    fn snapshot_xml(&self, snapshot: &SnapshotRef, flags: u32) -> Result<String> {
        only_flags(flags, DOMAIN_SNAPSHOT_XML_SECURE, "testDomainSnapshotGetXMLDesc")?;
        let state = self.state();
        let guest = state.guest(&snapshot.domain)?;
        let document = guest.snapshots.document(guest.snapshot(&snapshot.name)?);
        Ok(documents::show(document, flags & DOMAIN_SNAPSHOT_XML_SECURE != 0, true))
    }

    fn snapshot_lookup_by_name(&self, domain: &DomainRef, name: &str, flags: u32) -> Result<SnapshotRef> {
        only_flags(flags, 0, "testDomainSnapshotLookupByName")?;
        let state = self.state();
        let guest = state.guest(domain)?;
        Ok(guest.snapshot_reference(&guest.snapshot(name)?.name))
    }

    fn has_current_snapshot(&self, domain: &DomainRef, flags: u32) -> Result<bool> {
        only_flags(flags, 0, "testDomainHasCurrentSnapshot")?;
        Ok(self.state().guest(domain)?.snapshots.current.is_some())
    }

    fn snapshot_current(&self, domain: &DomainRef, flags: u32) -> Result<SnapshotRef> {
        only_flags(flags, 0, "testDomainSnapshotCurrent")?;
        let state = self.state();
        let guest = state.guest(domain)?;
        match &guest.snapshots.current {
            Some(name) => Ok(guest.snapshot_reference(name)),
            None => Err(no_snapshot("the domain does not have a current snapshot".to_string())),
        }
    }

    fn revert_to_snapshot(&self, snapshot: &SnapshotRef, flags: u32) -> Result<()> {
        exclusive(
            flags,
            (DOMAIN_SNAPSHOT_REVERT_RUNNING, "VIR_DOMAIN_SNAPSHOT_REVERT_RUNNING"),
            (DOMAIN_SNAPSHOT_REVERT_PAUSED, "VIR_DOMAIN_SNAPSHOT_REVERT_PAUSED"),
        )?;
        let allowed =
            DOMAIN_SNAPSHOT_REVERT_RUNNING | DOMAIN_SNAPSHOT_REVERT_PAUSED | DOMAIN_SNAPSHOT_REVERT_FORCE;
        only_flags(flags, allowed, "testDomainRevertToSnapshot")?;
        let mut nodes = self.state();
        self.revert(&mut nodes, snapshot, flags)
    }

    fn snapshot_delete(&self, snapshot: &SnapshotRef, flags: u32) -> Result<()> {
        exclusive(
            flags,
            (DOMAIN_SNAPSHOT_DELETE_CHILDREN, "VIR_DOMAIN_SNAPSHOT_DELETE_CHILDREN"),
            (DOMAIN_SNAPSHOT_DELETE_CHILDREN_ONLY, "VIR_DOMAIN_SNAPSHOT_DELETE_CHILDREN_ONLY"),
        )?;
        let allowed = DOMAIN_SNAPSHOT_DELETE_CHILDREN | DOMAIN_SNAPSHOT_DELETE_CHILDREN_ONLY;
        only_flags(flags, allowed, "testDomainSnapshotDelete")?;
        let mut state = self.state();
        let guest = state.guest_mut(&snapshot.domain)?;
        guest.snapshot(&snapshot.name)?;
        match flags {
            0 => guest.snapshots.remove(&snapshot.name),
            DOMAIN_SNAPSHOT_DELETE_CHILDREN => guest.snapshots.remove_tree(&snapshot.name, true),
            _ => guest.snapshots.remove_tree(&snapshot.name, false),
        }
        Ok(())
    }

    fn snapshot_parent(&self, snapshot: &SnapshotRef, flags: u32) -> Result<SnapshotRef> {
        only_flags(flags, 0, "testDomainSnapshotGetParent")?;
        let state = self.state();
        let guest = state.guest(&snapshot.domain)?;
        match &guest.snapshot(&snapshot.name)?.parent {
            Some(parent) => Ok(guest.snapshot_reference(parent)),
            None => {
                let detail = format!("snapshot '{}' does not have a parent", snapshot.name);
                Err(no_snapshot(detail))
            }
        }
    }

    fn snapshot_is_current(&self, snapshot: &SnapshotRef, flags: u32) -> Result<bool> {
        only_flags(flags, 0, "testDomainSnapshotIsCurrent")?;
        let state = self.state();
        let guest = state.guest(&snapshot.domain)?;
        let name = &guest.snapshot(&snapshot.name)?.name;
        Ok(guest.snapshots.current.as_ref() == Some(name))
    }

    fn snapshot_has_metadata(&self, snapshot: &SnapshotRef, flags: u32) -> Result<bool> {
        only_flags(flags, 0, "testDomainSnapshotHasMetadata")?;
        let state = self.state();
        state.guest(&snapshot.domain)?.snapshot(&snapshot.name).map(|_| true)
    }

    fn list_all_snapshots(&self, domain: &DomainRef, flags: u32) -> Result<Vec<SnapshotRef>> {
        let state = self.state();
        let guest = state.guest(domain)?;
        Ok(listed_snapshots(guest, None, flags))
    }

    fn snapshot_list_all_children(&self, snapshot: &SnapshotRef, flags: u32) -> Result<Vec<SnapshotRef>> {
        let state = self.state();
        let guest = state.guest(&snapshot.domain)?;
        let name = &guest.snapshot(&snapshot.name)?.name;
        Ok(listed_snapshots(guest, Some(name), flags))
    }

    fn checkpoint_create_xml(&self, domain: &DomainRef, xml: &str, flags: u32) -> Result<CheckpointRef> {
        let allowed = DOMAIN_CHECKPOINT_CREATE_REDEFINE | DOMAIN_CHECKPOINT_CREATE_QUIESCE;
        only_flags(flags, allowed, "testDomainCheckpointCreateXML")?;
        let redefine = flags & DOMAIN_CHECKPOINT_CREATE_REDEFINE != 0;
        exclusive(
            flags,
            (DOMAIN_CHECKPOINT_CREATE_REDEFINE, "VIR_DOMAIN_CHECKPOINT_CREATE_REDEFINE"),
            (DOMAIN_CHECKPOINT_CREATE_QUIESCE, "VIR_DOMAIN_CHECKPOINT_CREATE_QUIESCE"),
        )?;
        let mut state = self.state();
        let guest = state.guest_mut(domain)?;
        if guest.has_snapshots() {
            return Err(unsupported("cannot create checkpoint while snapshot exists"));
        }
        let document = documents::read(xml, "domaincheckpoint")?;
        if !guest.is_active() {
            return Err(unsupported("cannot create checkpoint for inactive domain"));
        }
        let mut moment = documents::checkpoint(&document, &guest.current, redefine, &guest.checkpoints)?;
        let name = moment.name.clone();
        match redefine {
            true => guest.checkpoints.check_parent(&name, moment.parent.as_deref())?,
            false => {
                guest.checkpoints.expect_free(&name)?;
                moment.parent = guest.checkpoints.current.clone();
            }
        }
        guest.checkpoints.put(moment);
        if !redefine {
            guest.checkpoints.current = Some(name.clone());
        }
        Ok(guest.checkpoint_reference(&name))
    }

    fn checkpoint_xml(&self, checkpoint: &CheckpointRef, flags: u32) -> Result<String> {
        let allowed = DOMAIN_CHECKPOINT_XML_SECURE | DOMAIN_CHECKPOINT_XML_NO_DOMAIN;
        only_flags(flags & !DOMAIN_CHECKPOINT_XML_SIZE, allowed, "testDomainCheckpointGetXMLDesc")?;
        let state = self.state();
        let guest = state.guest(&checkpoint.domain)?;
        if flags & DOMAIN_CHECKPOINT_XML_SIZE != 0 {
            state.active(&checkpoint.domain)?;
        }
        let document = guest.checkpoints.document(guest.checkpoint(&checkpoint.name)?);
        let secrets = flags & DOMAIN_CHECKPOINT_XML_SECURE != 0;
        Ok(documents::show(document, secrets, flags & DOMAIN_CHECKPOINT_XML_NO_DOMAIN == 0))
    }

    fn list_all_checkpoints(&self, domain: &DomainRef, flags: u32) -> Result<Vec<CheckpointRef>> {
        let state = self.state();
        let guest = state.guest(domain)?;
        let listed = guest.checkpoints.list(None, &checkpoint_choice(flags));
        Ok(listed.iter().map(|moment| guest.checkpoint_reference(&moment.name)).collect())
    }

    fn checkpoint_list_all_children(
        &self,
        checkpoint: &CheckpointRef,
        flags: u32,
    ) -> Result<Vec<CheckpointRef>> {
        let state = self.state();
        let guest = state.guest(&checkpoint.domain)?;
        let name = &guest.checkpoint(&checkpoint.name)?.name;
        let listed = guest.checkpoints.list(Some(name), &checkpoint_choice(flags));
        Ok(listed.iter().map(|moment| guest.checkpoint_reference(&moment.name)).collect())
    }

    fn checkpoint_lookup_by_name(&self, domain: &DomainRef, name: &str, flags: u32) -> Result<CheckpointRef> {
        only_flags(flags, 0, "testDomainCheckpointLookupByName")?;
        let state = self.state();
        let guest = state.guest(domain)?;
        Ok(guest.checkpoint_reference(&guest.checkpoint(name)?.name))
    }

    fn checkpoint_parent(&self, checkpoint: &CheckpointRef, flags: u32) -> Result<CheckpointRef> {
        only_flags(flags, 0, "testDomainCheckpointGetParent")?;
        let state = self.state();
        let guest = state.guest(&checkpoint.domain)?;
        match &guest.checkpoint(&checkpoint.name)?.parent {
            Some(parent) => Ok(guest.checkpoint_reference(parent)),
            None => {
                let detail = format!("checkpoint '{}' does not have a parent", checkpoint.name);
                Err(Error::new(ErrorCode::NO_CHECKPOINT, detail))
            }
        }
    }

    fn checkpoint_delete(&self, checkpoint: &CheckpointRef, flags: u32) -> Result<()> {
        exclusive(
            flags,
            (DOMAIN_CHECKPOINT_DELETE_CHILDREN, "VIR_DOMAIN_CHECKPOINT_DELETE_CHILDREN"),
            (DOMAIN_CHECKPOINT_DELETE_CHILDREN_ONLY, "VIR_DOMAIN_CHECKPOINT_DELETE_CHILDREN_ONLY"),
        )?;
        let whole = DOMAIN_CHECKPOINT_DELETE_CHILDREN | DOMAIN_CHECKPOINT_DELETE_CHILDREN_ONLY;
        let allowed = whole | DOMAIN_CHECKPOINT_DELETE_METADATA_ONLY;
        only_flags(flags, allowed, "testDomainCheckpointDelete")?;
        let mut state = self.state();
        let guest = state.guest_mut(&checkpoint.domain)?;
        guest.checkpoint(&checkpoint.name)?;
        match flags & whole {
            0 => guest.checkpoints.remove(&checkpoint.name),
            DOMAIN_CHECKPOINT_DELETE_CHILDREN => guest.checkpoints.remove_tree(&checkpoint.name, true),
            _ => guest.checkpoints.remove_tree(&checkpoint.name, false),
        }
        Ok(())
    }
}

fn listed_snapshots(guest: &Guest, from: Option<&str>, flags: u32) -> Vec<SnapshotRef> {
    let mut listed = guest.snapshots.list(from, &snapshot_choice(flags));
    listed.retain(|moment| has_properties(&moment.document, flags));
    listed.iter().map(|moment| guest.snapshot_reference(&moment.name)).collect()
}

impl TestConnection {
    /// Makes a domain what it was at a snapshot. One that runs then, runs anew: with a new id.
    fn revert(&self, nodes: &mut State, snapshot: &SnapshotRef, flags: u32) -> Result<()> {
        let guest = nodes.guest(&snapshot.domain)?;
        let moment = guest.snapshot(&snapshot.name)?;
        let word = moment.document.child_text("state").unwrap_or_default();
        let tree = moment.document.child("domain").cloned().unwrap_or_default();
        let was_active = guest.is_active();
        let will_run = word == "running" || word == "paused";
        let paused = match flags {
            flags if flags & DOMAIN_SNAPSHOT_REVERT_PAUSED != 0 => true,
            flags if flags & DOMAIN_SNAPSHOT_REVERT_RUNNING != 0 => false,
            _ => word == "paused",
        };
        let id = if will_run { Some(nodes.take_id()) } else { None };
        let guest = nodes.guest_mut(&snapshot.domain)?;
        guest.snapshots.current = Some(snapshot.name.clone());
        if was_active {
            guest.stop(DOMAIN_SHUTOFF_FROM_SNAPSHOT);
            let stopped = guest.reference();
            self.tell_lifecycle(&stopped, DOMAIN_EVENT_STOPPED, DOMAIN_EVENT_STOPPED_FROM_SNAPSHOT);
        }
        guest.current = tree;
        guest.name = definition::name_of(&guest.current);
        let Some(id) = id else { return Ok(()) };
        guest.start(id, DOMAIN_RUNNING_FROM_SNAPSHOT);
        if paused {
            guest.state = state(DOMAIN_PAUSED, DOMAIN_PAUSED_FROM_SNAPSHOT);
        }
        let started = guest.reference();
        self.tell_lifecycle(&started, DOMAIN_EVENT_STARTED, DOMAIN_EVENT_STARTED_FROM_SNAPSHOT);
        if paused {
            self.tell_lifecycle(&started, DOMAIN_EVENT_SUSPENDED, DOMAIN_EVENT_SUSPENDED_FROM_SNAPSHOT);
        }
        Ok(())
    }
}
