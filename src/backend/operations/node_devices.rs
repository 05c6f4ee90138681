//! Devices of the host.

/// Hands the operations of [`NodeDevices`](super::NodeDevices) to the macro `$reader`.
macro_rules! node_devices_operations {
    ($reader:ident) => {
        $reader! {
            /// Devices of the host.
            trait NodeDevices in node_devices, on REMOTE_PROGRAM {
                /// `virNodeDeviceLookupByName`.
                113 read virNodeDeviceLookupByName fn lookup_by_name(name: &str) -> NodeDeviceRef;
                /// `virNodeDeviceGetXMLDesc`.
                114 read virNodeDeviceGetXMLDesc fn xml(name: &str, flags: u32) -> String;
                /// `virNodeDeviceGetParent`.
                115 read virNodeDeviceGetParent fn parent(name: &str) -> Option<String>;
                /// `virNodeDeviceListCaps`.
                117 read virNodeDeviceListCaps fn list_caps(name: &str) [4096] () -> Items<String>;
                /// `virNodeDeviceReAttach`.
                119 write virNodeDeviceReAttach fn re_attach(name: &str) -> ();
                /// `virNodeDeviceReset`.
                120 write virNodeDeviceReset fn reset(name: &str) -> ();
                /// `virNodeDeviceCreateXML`.
                123 write virNodeDeviceCreateXML fn create_xml(xml: &str, flags: u32) -> NodeDeviceRef;
                /// `virNodeDeviceDestroy`.
                124 write virNodeDeviceDestroy fn destroy(name: &str) -> ();
                /// `virConnectListAllNodeDevices`.
                285 read virConnectListAllNodeDevices fn list_all_node_devices() [1] (flags: u32) -> Counted<NodeDeviceRef>;
                /// `virNodeDeviceLookupSCSIHostByWWN`.
                297 read virNodeDeviceLookupSCSIHostByWWN fn lookup_scsi_host_by_wwn(wwnn: &str, wwpn: &str, flags: u32) -> NodeDeviceRef;
                /// `virNodeDeviceDetachFlags`.
                301 write virNodeDeviceDetachFlags fn detach(name: &str, driver_name: Option<&str>, flags: u32) -> ();
                /// `virNodeDeviceDefineXML`.
                428 write virNodeDeviceDefineXML fn define_xml(xml: &str, flags: u32) -> NodeDeviceRef;
                /// `virNodeDeviceUndefine`.
                429 write virNodeDeviceUndefine fn undefine(name: &str, flags: u32) -> ();
                /// `virNodeDeviceCreate`.
                430 write virNodeDeviceCreate fn create(name: &str, flags: u32) -> ();
                /// `virNodeDeviceGetAutostart`.
                433 read virNodeDeviceGetAutostart fn autostart(name: &str) -> bool;
                /// `virNodeDeviceSetAutostart`.
                434 write virNodeDeviceSetAutostart fn set_autostart(name: &str, autostart: bool) -> ();
                /// `virNodeDeviceIsPersistent`.
                435 read virNodeDeviceIsPersistent fn is_persistent(name: &str) -> bool;
                /// `virNodeDeviceIsActive`.
                436 read virNodeDeviceIsActive fn is_active(name: &str) -> bool;
                /// `virNodeDeviceUpdate`.
                447 write virNodeDeviceUpdate fn update(name: &str, xml: &str, flags: u32) -> ();
            }
        }
    };
}
pub(crate) use node_devices_operations;
