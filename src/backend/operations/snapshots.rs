//! Snapshots and checkpoints of domains.

/// Hands the operations of [`Snapshots`](super::Snapshots) to the macro `$reader`.
macro_rules! snapshots_operations {
    ($reader:ident) => {
        $reader! {
            /// Snapshots and checkpoints of domains.
            trait Snapshots in snapshots, on REMOTE_PROGRAM {
                /// `virDomainSnapshotCreateXML`.
                185 write virDomainSnapshotCreateXML fn snapshot_create_xml(domain: &DomainRef, xml: &str, flags: u32) -> SnapshotRef;
                /// `virDomainSnapshotGetXMLDesc`.
                186 read virDomainSnapshotGetXMLDesc fn snapshot_xml(snapshot: &SnapshotRef, flags: u32) -> String;
                /// `virDomainSnapshotLookupByName`.
                189 read virDomainSnapshotLookupByName fn snapshot_lookup_by_name(domain: &DomainRef, name: &str, flags: u32) -> SnapshotRef;
                /// `virDomainHasCurrentSnapshot`.
                190 read virDomainHasCurrentSnapshot fn has_current_snapshot(domain: &DomainRef, flags: u32) -> bool;
                /// `virDomainSnapshotCurrent`.
                191 read virDomainSnapshotCurrent fn snapshot_current(domain: &DomainRef, flags: u32) -> SnapshotRef;
                /// `virDomainRevertToSnapshot`.
                192 write virDomainRevertToSnapshot fn revert_to_snapshot(snapshot: &SnapshotRef, flags: u32) -> ();
                /// `virDomainSnapshotDelete`.
                193 write virDomainSnapshotDelete fn snapshot_delete(snapshot: &SnapshotRef, flags: u32) -> ();
                /// `virDomainSnapshotGetParent`.
                244 read virDomainSnapshotGetParent fn snapshot_parent(snapshot: &SnapshotRef, flags: u32) -> SnapshotRef;
                /// `virDomainSnapshotIsCurrent`.
                271 read virDomainSnapshotIsCurrent fn snapshot_is_current(snapshot: &SnapshotRef, flags: u32) -> bool;
                /// `virDomainSnapshotHasMetadata`.
                272 read virDomainSnapshotHasMetadata fn snapshot_has_metadata(snapshot: &SnapshotRef, flags: u32) -> bool;
                /// `virDomainListAllSnapshots`.
                274 read virDomainListAllSnapshots fn list_all_snapshots(domain: &DomainRef) [1] (flags: u32) -> Counted<SnapshotRef>;
                /// `virDomainSnapshotListAllChildren`.
                275 read virDomainSnapshotListAllChildren fn snapshot_list_all_children(snapshot: &SnapshotRef) [1] (flags: u32) -> Counted<SnapshotRef>;
                /// `virDomainCheckpointCreateXML`.
                411 write virDomainCheckpointCreateXML fn checkpoint_create_xml(domain: &DomainRef, xml: &str, flags: u32) -> CheckpointRef;
                /// `virDomainCheckpointGetXMLDesc`.
                412 read virDomainCheckpointGetXMLDesc fn checkpoint_xml(checkpoint: &CheckpointRef, flags: u32) -> String;
                /// `virDomainListAllCheckpoints`.
                413 read virDomainListAllCheckpoints fn list_all_checkpoints(domain: &DomainRef) [1] (flags: u32) -> Counted<CheckpointRef>;
                /// `virDomainCheckpointListAllChildren`.
                414 read virDomainCheckpointListAllChildren fn checkpoint_list_all_children(checkpoint: &CheckpointRef) [1] (flags: u32) -> Counted<CheckpointRef>;
                /// `virDomainCheckpointLookupByName`.
                415 read virDomainCheckpointLookupByName fn checkpoint_lookup_by_name(domain: &DomainRef, name: &str, flags: u32) -> CheckpointRef;
                /// `virDomainCheckpointGetParent`.
                416 read virDomainCheckpointGetParent fn checkpoint_parent(checkpoint: &CheckpointRef, flags: u32) -> CheckpointRef;
                /// `virDomainCheckpointDelete`.
                417 write virDomainCheckpointDelete fn checkpoint_delete(checkpoint: &CheckpointRef, flags: u32) -> ();
            }
        }
    };
}
pub(crate) use snapshots_operations;
