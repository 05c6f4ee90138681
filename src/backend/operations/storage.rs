//! Storage pools and volumes.

/// Hands the operations of [`Storage`](super::Storage) to the macro `$reader`.
macro_rules! storage_operations {
    ($reader:ident) => {
        $reader! {
            /// Storage pools and volumes.
            trait Storage in storage, on REMOTE_PROGRAM {
                /// `virConnectFindStoragePoolSources`.
                75 write virConnectFindStoragePoolSources fn find_pool_sources(kind: &str, src_spec: Option<&str>, flags: u32) -> String;
                /// `virStoragePoolCreateXML`.
                76 write virStoragePoolCreateXML fn pool_create_xml(xml: &str, flags: u32) -> PoolRef;
                /// `virStoragePoolDefineXML`.
                77 write virStoragePoolDefineXML fn pool_define_xml(xml: &str, flags: u32) -> PoolRef;
                /// `virStoragePoolCreate`.
                78 write virStoragePoolCreate fn pool_create(pool: &PoolRef, flags: u32) -> ();
                /// `virStoragePoolBuild`.
                79 write virStoragePoolBuild fn pool_build(pool: &PoolRef, flags: u32) -> ();
                /// `virStoragePoolDestroy`.
                80 write virStoragePoolDestroy fn pool_destroy(pool: &PoolRef) -> ();
                /// `virStoragePoolDelete`.
                81 write virStoragePoolDelete fn pool_delete(pool: &PoolRef, flags: u32) -> ();
                /// `virStoragePoolUndefine`.
                82 write virStoragePoolUndefine fn pool_undefine(pool: &PoolRef) -> ();
                /// `virStoragePoolRefresh`.
                83 write virStoragePoolRefresh fn pool_refresh(pool: &PoolRef, flags: u32) -> ();
                /// `virStoragePoolLookupByName`.
                84 read virStoragePoolLookupByName fn pool_lookup_by_name(name: &str) -> PoolRef;
                /// `virStoragePoolLookupByUUID`.
                85 read virStoragePoolLookupByUUID fn pool_lookup_by_uuid(uuid: Uuid) -> PoolRef;
                /// `virStoragePoolLookupByVolume`.
                86 read virStoragePoolLookupByVolume fn pool_lookup_by_volume(volume: &VolumeRef) -> PoolRef;
                /// `virStoragePoolGetInfo`.
                87 read virStoragePoolGetInfo fn pool_info(pool: &PoolRef) -> PoolInfo;
                /// `virStoragePoolGetXMLDesc`.
                88 read virStoragePoolGetXMLDesc fn pool_xml(pool: &PoolRef, flags: u32) -> String;
                /// `virStoragePoolGetAutostart`.
                89 read virStoragePoolGetAutostart fn pool_autostart(pool: &PoolRef) -> bool;
                /// `virStoragePoolSetAutostart`.
                90 write virStoragePoolSetAutostart fn pool_set_autostart(pool: &PoolRef, autostart: bool) -> ();
                /// `virStorageVolCreateXML`.
                93 write virStorageVolCreateXML fn volume_create_xml(pool: &PoolRef, xml: &str, flags: u32) -> VolumeRef;
                /// `virStorageVolDelete`.
                94 write virStorageVolDelete fn volume_delete(volume: &VolumeRef, flags: u32) -> ();
                /// `virStorageVolLookupByName`.
                95 read virStorageVolLookupByName fn volume_lookup_by_name(pool: &PoolRef, name: &str) -> VolumeRef;
                /// `virStorageVolLookupByKey`.
                96 read virStorageVolLookupByKey fn volume_lookup_by_key(key: &str) -> VolumeRef;
                /// `virStorageVolLookupByPath`.
                97 read virStorageVolLookupByPath fn volume_lookup_by_path(path: &str) -> VolumeRef;
                /// `virStorageVolGetXMLDesc`.
                99 read virStorageVolGetXMLDesc fn volume_xml(volume: &VolumeRef, flags: u32) -> String;
                /// `virStorageVolGetPath`.
                100 read virStorageVolGetPath fn volume_path(volume: &VolumeRef) -> String;
                /// `virStorageVolCreateXMLFrom`.
                125 write virStorageVolCreateXMLFrom fn volume_create_xml_from(pool: &PoolRef, xml: &str, source: &VolumeRef, flags: u32) -> VolumeRef;
                /// `virStoragePoolIsActive`.
                154 read virStoragePoolIsActive fn pool_is_active(pool: &PoolRef) -> bool;
                /// `virStoragePoolIsPersistent`.
                155 read virStoragePoolIsPersistent fn pool_is_persistent(pool: &PoolRef) -> bool;
                /// `virStorageVolWipePattern`.
                259 write virStorageVolWipePattern fn volume_wipe_pattern(volume: &VolumeRef, algorithm: u32, flags: u32) -> ();
                /// `virStorageVolResize`.
                260 write virStorageVolResize fn volume_resize(volume: &VolumeRef, capacity: u64, flags: u32) -> ();
                /// `virConnectListAllStoragePools`.
                281 read virConnectListAllStoragePools fn list_all_pools() [1] (flags: u32) -> Counted<PoolRef>;
                /// `virStoragePoolListAllVolumes`.
                282 read virStoragePoolListAllVolumes fn pool_list_all_volumes(pool: &PoolRef) [1] (flags: u32) -> Counted<VolumeRef>;
                /// `virStorageVolGetInfoFlags`.
                378 read virStorageVolGetInfoFlags fn volume_info(volume: &VolumeRef, flags: u32) -> VolumeInfo;
                /// `virStoragePoolLookupByTargetPath`.
                391 read virStoragePoolLookupByTargetPath fn pool_lookup_by_target_path(path: &str) -> PoolRef;
                /// `virConnectGetStoragePoolCapabilities`.
                403 read virConnectGetStoragePoolCapabilities fn pool_capabilities(flags: u32) -> String;
            }
        }
    };
}
pub(crate) use storage_operations;
