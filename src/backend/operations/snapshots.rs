//! Snapshots and checkpoints of domains.

/// Hands the operations of [`Snapshots`](super::Snapshots) to the macro `$reader`.
macro_rules! snapshots_operations {
    ($reader:ident) => {
        $reader! {
            /// Snapshots and checkpoints of domains.
            trait Snapshots in snapshots, on REMOTE_PROGRAM {
                /// Takes a snapshot as XML describes it. (`virDomainSnapshotCreateXML`)
                185 write virDomainSnapshotCreateXML fn snapshot_create_xml(domain: &DomainRef, xml: &str, flags: u32) -> SnapshotRef;
                /// A snapshot as XML. (`virDomainSnapshotGetXMLDesc`)
                186 read virDomainSnapshotGetXMLDesc fn snapshot_xml(snapshot: &SnapshotRef, flags: u32) -> String;
                /// Finds a snapshot by its name. (`virDomainSnapshotLookupByName`)
                189 read virDomainSnapshotLookupByName fn snapshot_lookup_by_name(domain: &DomainRef, name: &str, flags: u32) -> SnapshotRef;
                /// Whether the domain has a current snapshot. (`virDomainHasCurrentSnapshot`)
                190 read virDomainHasCurrentSnapshot fn has_current_snapshot(domain: &DomainRef, flags: u32) -> bool;
                /// The snapshot that the domain was taken of or reverted to last. (`virDomainSnapshotCurrent`)
                191 read virDomainSnapshotCurrent fn snapshot_current(domain: &DomainRef, flags: u32) -> SnapshotRef;
                /// Brings the domain back to a snapshot; what came after is lost. (`virDomainRevertToSnapshot`)
                192 write virDomainRevertToSnapshot fn revert_to_snapshot(snapshot: &SnapshotRef, flags: u32) -> ();
                /// Deletes a snapshot, or its tree by the flags. (`virDomainSnapshotDelete`)
                193 write virDomainSnapshotDelete fn snapshot_delete(snapshot: &SnapshotRef, flags: u32) -> ();
                /// The snapshot that this one is based on. (`virDomainSnapshotGetParent`)
                244 read virDomainSnapshotGetParent fn snapshot_parent(snapshot: &SnapshotRef, flags: u32) -> SnapshotRef;
                /// Whether this is the current snapshot. (`virDomainSnapshotIsCurrent`)
                271 read virDomainSnapshotIsCurrent fn snapshot_is_current(snapshot: &SnapshotRef, flags: u32) -> bool;
                /// Whether the driver keeps data about the snapshot. (`virDomainSnapshotHasMetadata`)
                272 read virDomainSnapshotHasMetadata fn snapshot_has_metadata(snapshot: &SnapshotRef, flags: u32) -> bool;
                /// All snapshots of a domain that the filter flags leave. (`virDomainListAllSnapshots`)
                274 read virDomainListAllSnapshots fn list_all_snapshots(domain: &DomainRef) [1] (flags: u32) -> Counted<SnapshotRef>;
                /// The snapshots based on this one, at any depth by the flags. (`virDomainSnapshotListAllChildren`)
                275 read virDomainSnapshotListAllChildren fn snapshot_list_all_children(snapshot: &SnapshotRef) [1] (flags: u32) -> Counted<SnapshotRef>;
                /// Makes a checkpoint as XML describes it. (`virDomainCheckpointCreateXML`)
                411 write virDomainCheckpointCreateXML fn checkpoint_create_xml(domain: &DomainRef, xml: &str, flags: u32) -> CheckpointRef;
                /// A checkpoint as XML. (`virDomainCheckpointGetXMLDesc`)
                412 read virDomainCheckpointGetXMLDesc fn checkpoint_xml(checkpoint: &CheckpointRef, flags: u32) -> String;
                /// All checkpoints of a domain that the filter flags leave. (`virDomainListAllCheckpoints`)
                413 read virDomainListAllCheckpoints fn list_all_checkpoints(domain: &DomainRef) [1] (flags: u32) -> Counted<CheckpointRef>;
                /// The checkpoints based on this one, at any depth by the flags. (`virDomainCheckpointListAllChildren`)
                414 read virDomainCheckpointListAllChildren fn checkpoint_list_all_children(checkpoint: &CheckpointRef) [1] (flags: u32) -> Counted<CheckpointRef>;
                /// Finds a checkpoint by its name. (`virDomainCheckpointLookupByName`)
                415 read virDomainCheckpointLookupByName fn checkpoint_lookup_by_name(domain: &DomainRef, name: &str, flags: u32) -> CheckpointRef;
                /// The checkpoint that this one is based on. (`virDomainCheckpointGetParent`)
                416 read virDomainCheckpointGetParent fn checkpoint_parent(checkpoint: &CheckpointRef, flags: u32) -> CheckpointRef;
                /// Deletes a checkpoint, or its tree by the flags. (`virDomainCheckpointDelete`)
                417 write virDomainCheckpointDelete fn checkpoint_delete(checkpoint: &CheckpointRef, flags: u32) -> ();
            }
        }
    };
}
pub(crate) use snapshots_operations;
