//! The storage pools of a node and their volumes.

use super::definition;
use super::lookup;
use super::pool_source;
use crate::error::{Error, ErrorCode, Result};
use crate::model::constants::*;
use crate::model::{PoolInfo, PoolRef, VolumeInfo, VolumeRef};
use crate::xml::{Element, pool, volume};
use uuid::Uuid;

/// What every pool can hold, in bytes.
const CAPACITY: u64 = 100 * 1024 * 1024 * 1024;

/// A storage pool.
pub(super) struct Pool {
    pub name: String,
    pub uuid: Uuid,
    pub active: bool,
    pub persistent: bool,
    pub autostart: bool,
    /// Its definition.
    pub tree: Element,
    /// The bytes that its volumes take, as far as they are counted.
    pub allocation: u64,
    /// Its volumes' definitions in the order they came.
    pub volumes: Vec<Element>,
}

/// The filters of listings by type.
const TYPE_FLAGS: [(u32, &str); 14] = [
    (CONNECT_LIST_STORAGE_POOLS_DIR, "dir"),
    (CONNECT_LIST_STORAGE_POOLS_FS, "fs"),
    (CONNECT_LIST_STORAGE_POOLS_NETFS, "netfs"),
    (CONNECT_LIST_STORAGE_POOLS_LOGICAL, "logical"),
    (CONNECT_LIST_STORAGE_POOLS_DISK, "disk"),
    (CONNECT_LIST_STORAGE_POOLS_ISCSI, "iscsi"),
    (CONNECT_LIST_STORAGE_POOLS_SCSI, "scsi"),
    (CONNECT_LIST_STORAGE_POOLS_MPATH, "mpath"),
    (CONNECT_LIST_STORAGE_POOLS_RBD, "rbd"),
    (CONNECT_LIST_STORAGE_POOLS_SHEEPDOG, "sheepdog"),
    (CONNECT_LIST_STORAGE_POOLS_GLUSTER, "gluster"),
    (CONNECT_LIST_STORAGE_POOLS_ZFS, "zfs"),
    (CONNECT_LIST_STORAGE_POOLS_VSTORAGE, "vstorage"),
    (CONNECT_LIST_STORAGE_POOLS_ISCSI_DIRECT, "iscsi-direct"),
];

impl Pool {
    /// A pool that is defined and inactive.
    pub fn new(tree: Element) -> Pool {
        Pool {
            name: definition::name_of(&tree),
            uuid: definition::uuid_of(&tree).unwrap_or_default(),
            active: false,
            persistent: true,
            autostart: false,
            tree,
            allocation: 0,
            volumes: Vec::new(),
        }
    }

    pub fn reference(&self) -> PoolRef {
        PoolRef { name: self.name.clone(), uuid: self.uuid }
    }

    pub fn kind(&self) -> &str {
        self.tree.attribute("type").unwrap_or_default()
    }

    /// Refuses a pool in the wrong state.
    pub fn expect_active(&self, active: bool) -> Result<()> {
        if self.active == active {
            return Ok(());
        }
        let word = if self.active { "is active" } else { "is not active" };
        Err(Error::invalid_operation(format!("storage pool '{}' {word}", self.name)))
    }

    pub fn is_listed(&self, flags: u32) -> bool {
        let groups = [
            [
                (CONNECT_LIST_STORAGE_POOLS_ACTIVE, self.active),
                (CONNECT_LIST_STORAGE_POOLS_INACTIVE, !self.active),
            ],
            [
                (CONNECT_LIST_STORAGE_POOLS_PERSISTENT, self.persistent),
                (CONNECT_LIST_STORAGE_POOLS_TRANSIENT, !self.persistent),
            ],
            [
                (CONNECT_LIST_STORAGE_POOLS_AUTOSTART, self.autostart),
                (CONNECT_LIST_STORAGE_POOLS_NO_AUTOSTART, !self.autostart),
            ],
        ];
        let types = TYPE_FLAGS.map(|(flag, name)| (flag, name == self.kind()));
        groups.iter().all(|group| lookup::passes(group, flags)) && lookup::passes(&types, flags)
    }

    pub fn info(&self) -> PoolInfo {
        let state = if self.active { STORAGE_POOL_RUNNING } else { STORAGE_POOL_INACTIVE };
        PoolInfo {
            state: u8::try_from(state).unwrap_or_default(),
            capacity: CAPACITY,
            allocation: self.allocation,
            available: CAPACITY.saturating_sub(self.allocation),
        }
    }

    /// Its definition with its present sizes.
    pub fn document(&self) -> String {
        let mut tree = self.tree.clone();
        let info = self.info();
        let sizes =
            [("capacity", info.capacity), ("allocation", info.allocation), ("available", info.available)];
        for (name, size) in sizes.into_iter().rev() {
            let element = Element::new(name).with("unit", "bytes").with_text(size);
            definition::insert_after(&mut tree, element, &["name", "uuid"]);
        }
        tree.to_string()
    }

    /// The place of its volumes.
    fn folder(&self) -> String {
        let path = self.tree.child_string("target/path");
        // What a pool without a place calls the place of its volumes.
        path.unwrap_or_else(|| "(null)".to_string())
    }

    pub fn volume(&self, name: &str) -> Option<&Element> {
        self.volumes.iter().find(|volume| definition::name_of(volume) == name)
    }

    pub fn volume_reference(&self, volume: &Element) -> VolumeRef {
        VolumeRef {
            pool: self.name.clone(),
            name: definition::name_of(volume),
            key: volume.child_string("key").unwrap_or_default(),
        }
    }

    /// Adds a volume, if there is room for it.
    pub fn add_volume(&mut self, mut tree: Element, keep_path: bool) -> Result<VolumeRef> {
        volume::complete(&mut tree, self.kind(), &self.folder(), keep_path)?;
        let name = definition::name_of(&tree);
        if self.volume(&name).is_some() {
            return Err(Error::operation_failed("storage vol already exists"));
        }
        let allocation = volume::size(&tree, "allocation");
        if self.allocation.saturating_add(allocation) > CAPACITY {
            let detail = format!("Not enough free space in pool for volume '{name}'");
            return Err(Error::internal(detail));
        }
        self.allocation += allocation;
        let reference = self.volume_reference(&tree);
        self.volumes.push(tree);
        Ok(reference)
    }

    pub fn remove_volume(&mut self, name: &str) {
        if let Some(volume) = self.volume(name) {
            self.allocation = self.allocation.saturating_sub(volume::size(volume, "allocation"));
        }
        self.volumes.retain(|volume| definition::name_of(volume) != name);
    }
}

/// The figures of a volume, whose kind is that of its pool.
pub(super) fn volume_info(pool: &Pool, volume: &Element) -> VolumeInfo {
    let kind = match pool.kind() {
        "logical" | "disk" | "zfs" | "iscsi" | "iscsi-direct" | "scsi" | "mpath" => STORAGE_VOL_BLOCK,
        "rbd" | "gluster" | "sheepdog" => STORAGE_VOL_NETWORK,
        _ => STORAGE_VOL_FILE,
    };
    VolumeInfo {
        kind: i8::try_from(kind).unwrap_or_default(),
        capacity: volume::size(volume, "capacity"),
        allocation: volume::size(volume, "allocation"),
    }
}

/// All pools of a node.
#[derive(Default)]
pub(super) struct PoolSet {
    pub list: Vec<Pool>,
}

fn missing(detail: String) -> Error {
    Error::new(ErrorCode::NO_STORAGE_POOL, detail)
}

impl PoolSet {
    /// The pools that documents define, all running, each with the volumes given for it.
    pub fn running(documents: Vec<(Element, Vec<Element>)>) -> Result<PoolSet> {
        let mut set = PoolSet::default();
        for (mut tree, volumes) in documents {
            pool::complete(&mut tree)?;
            let mut new = Pool::new(tree);
            set.check_identity(&new.name, new.uuid, false)?;
            new.active = true;
            for volume in volumes {
                new.add_volume(volume, true)?;
            }
            set.list.push(new);
        }
        Ok(set)
    }

    pub fn by_name(&self, name: &str) -> Result<&Pool> {
        let found = self.list.iter().find(|pool| pool.name == name);
        found.ok_or_else(|| missing(format!("no storage pool with matching name '{name}'")))
    }

    pub fn by_uuid(&self, uuid: Uuid) -> Result<&Pool> {
        let found = self.list.iter().find(|pool| pool.uuid == uuid);
        found.ok_or_else(|| missing(format!("no storage pool with matching uuid '{uuid}'")))
    }

    pub fn get_mut(&mut self, pool: &PoolRef) -> Result<&mut Pool> {
        let found = self.list.iter_mut().find(|known| known.uuid == pool.uuid);
        found.ok_or_else(|| missing(format!("no storage pool with matching uuid '{}'", pool.uuid)))
    }

    /// Refuses a pool whose source another pool has.
    pub fn check_source(&self, new: &Pool) -> Result<()> {
        match self
            .list
            .iter()
            .find(|known| known.uuid != new.uuid && pool_source::same(&known.tree, &new.tree))
        {
            Some(known) => {
                Err(Error::operation_failed(format!("Storage source conflict with pool: '{}'", known.name)))
            }
            None => Ok(()),
        }
    }

    /// Whether a new definition may take its name and uuid; answers with the pool it would replace.
    pub fn check_identity(&self, name: &str, uuid: Uuid, refuse_active: bool) -> Result<Option<usize>> {
        if let Some(at) = self.list.iter().position(|pool| pool.uuid == uuid) {
            let known = &self.list[at];
            if known.name != name {
                let detail = format!("pool '{}' is already defined with uuid {uuid}", known.name);
                return Err(Error::operation_failed(detail));
            }
            if refuse_active && known.active {
                let detail = format!("pool is already active as '{name}'");
                return Err(Error::invalid_operation(detail));
            }
            return Ok(Some(at));
        }
        match self.list.iter().find(|pool| pool.name == name) {
            Some(known) => {
                let detail = format!("pool '{name}' already exists with uuid {}", known.uuid);
                Err(Error::operation_failed(detail))
            }
            None => Ok(None),
        }
    }

    /// The volume of an active pool that `is_it`.
    pub fn find_volume(&self, is_it: impl Fn(&Element) -> bool) -> Option<VolumeRef> {
        let active = self.list.iter().filter(|pool| pool.active);
        let mut found = active.filter_map(|pool| {
            let volume = pool.volumes.iter().find(|volume| is_it(volume))?;
            Some(pool.volume_reference(volume))
        });
        found.next()
    }
}
