//! Storage pools and volumes.

/// Hands the operations of [`Storage`](super::Storage) to the macro `$reader`.
macro_rules! storage_operations {
    ($reader:ident) => {
        $reader! {
            /// Storage pools and volumes.
            trait Storage in storage, on REMOTE_PROGRAM {
                /// Looks for sources that a pool of a kind could use, as XML. (`virConnectFindStoragePoolSources`)
                75 write virConnectFindStoragePoolSources fn find_pool_sources(kind: &str, src_spec: Option<&str>, flags: u32) -> String;
                /// Starts a transient pool. (`virStoragePoolCreateXML`)
                76 write virStoragePoolCreateXML fn pool_create_xml(xml: &str, flags: u32) -> PoolRef;
                /// Writes a pool's definition, new or in place of its old one. (`virStoragePoolDefineXML`)
                77 write virStoragePoolDefineXML fn pool_define_xml(xml: &str, flags: u32) -> PoolRef;
                /// Starts a defined pool, building it by the flags. (`virStoragePoolCreate`)
                78 write virStoragePoolCreate fn pool_create(pool: &PoolRef, flags: u32) -> ();
                /// Makes the pool's underlying storage ready. (`virStoragePoolBuild`)
                79 write virStoragePoolBuild fn pool_build(pool: &PoolRef, flags: u32) -> ();
                /// Stops a pool; its volumes stay. (`virStoragePoolDestroy`)
                80 write virStoragePoolDestroy fn pool_destroy(pool: &PoolRef) -> ();
                /// Deletes the pool's underlying storage. (`virStoragePoolDelete`)
                81 write virStoragePoolDelete fn pool_delete(pool: &PoolRef, flags: u32) -> ();
                /// Forgets the definition of an inactive pool. (`virStoragePoolUndefine`)
                82 write virStoragePoolUndefine fn pool_undefine(pool: &PoolRef) -> ();
                /// Looks again for the pool's volumes. (`virStoragePoolRefresh`)
                83 write virStoragePoolRefresh fn pool_refresh(pool: &PoolRef, flags: u32) -> ();
                /// Finds a pool by its name. (`virStoragePoolLookupByName`)
                84 read virStoragePoolLookupByName fn pool_lookup_by_name(name: &str) -> PoolRef;
                /// Finds a pool by its uuid. (`virStoragePoolLookupByUUID`)
                85 read virStoragePoolLookupByUUID fn pool_lookup_by_uuid(uuid: Uuid) -> PoolRef;
                /// The pool that a volume lies in. (`virStoragePoolLookupByVolume`)
                86 read virStoragePoolLookupByVolume fn pool_lookup_by_volume(volume: &VolumeRef) -> PoolRef;
                /// The pool's figures. (`virStoragePoolGetInfo`)
                87 read virStoragePoolGetInfo fn pool_info(pool: &PoolRef) -> PoolInfo;
                /// The pool as XML. (`virStoragePoolGetXMLDesc`)
                88 read virStoragePoolGetXMLDesc fn pool_xml(pool: &PoolRef, flags: u32) -> String;
                /// Whether the pool starts with the node. (`virStoragePoolGetAutostart`)
                89 read virStoragePoolGetAutostart fn pool_autostart(pool: &PoolRef) -> bool;
                /// Makes the pool start with the node, or not. (`virStoragePoolSetAutostart`)
                90 write virStoragePoolSetAutostart fn pool_set_autostart(pool: &PoolRef, autostart: bool) -> ();
                /// Makes a volume as XML describes it. (`virStorageVolCreateXML`)
                93 write virStorageVolCreateXML fn volume_create_xml(pool: &PoolRef, xml: &str, flags: u32) -> VolumeRef;
                /// Deletes a volume and its contents. (`virStorageVolDelete`)
                94 write virStorageVolDelete fn volume_delete(volume: &VolumeRef, flags: u32) -> ();
                /// Finds a volume by its name in a pool. (`virStorageVolLookupByName`)
                95 read virStorageVolLookupByName fn volume_lookup_by_name(pool: &PoolRef, name: &str) -> VolumeRef;
                /// Finds a volume by its key. (`virStorageVolLookupByKey`)
                96 read virStorageVolLookupByKey fn volume_lookup_by_key(key: &str) -> VolumeRef;
                /// Finds a volume by its path. (`virStorageVolLookupByPath`)
                97 read virStorageVolLookupByPath fn volume_lookup_by_path(path: &str) -> VolumeRef;
                /// A volume as XML. (`virStorageVolGetXMLDesc`)
                99 read virStorageVolGetXMLDesc fn volume_xml(volume: &VolumeRef, flags: u32) -> String;
                /// A volume's path on the node. (`virStorageVolGetPath`)
                100 read virStorageVolGetPath fn volume_path(volume: &VolumeRef) -> String;
                /// Makes a volume with the contents of another. (`virStorageVolCreateXMLFrom`)
                125 write virStorageVolCreateXMLFrom fn volume_create_xml_from(pool: &PoolRef, xml: &str, source: &VolumeRef, flags: u32) -> VolumeRef;
                /// Whether the pool runs. (`virStoragePoolIsActive`)
                154 read virStoragePoolIsActive fn pool_is_active(pool: &PoolRef) -> bool;
                /// Whether the pool has a definition that outlives its run. (`virStoragePoolIsPersistent`)
                155 read virStoragePoolIsPersistent fn pool_is_persistent(pool: &PoolRef) -> bool;
                /// Overwrites a volume's contents. (`virStorageVolWipePattern`)
                259 write virStorageVolWipePattern fn volume_wipe_pattern(volume: &VolumeRef, algorithm: u32, flags: u32) -> ();
                /// Resizes a volume; bytes, relative or shrinking by the flags. (`virStorageVolResize`)
                260 write virStorageVolResize fn volume_resize(volume: &VolumeRef, capacity: u64, flags: u32) -> ();
                /// All pools that the filter flags leave. (`virConnectListAllStoragePools`)
                281 read virConnectListAllStoragePools fn list_all_pools() [1] (flags: u32) -> Counted<PoolRef>;
                /// All volumes of a pool. (`virStoragePoolListAllVolumes`)
                282 read virStoragePoolListAllVolumes fn pool_list_all_volumes(pool: &PoolRef) [1] (flags: u32) -> Counted<VolumeRef>;
                /// A volume's figures. (`virStorageVolGetInfoFlags`)
                378 read virStorageVolGetInfoFlags fn volume_info(volume: &VolumeRef, flags: u32) -> VolumeInfo;
                /// Finds a pool by the folder it keeps its volumes in. (`virStoragePoolLookupByTargetPath`)
                391 read virStoragePoolLookupByTargetPath fn pool_lookup_by_target_path(path: &str) -> PoolRef;
                /// What kinds of pools there are, as XML. (`virConnectGetStoragePoolCapabilities`)
                403 read virConnectGetStoragePoolCapabilities fn pool_capabilities(flags: u32) -> String;
            }
        }
    };
}
pub(crate) use storage_operations;
