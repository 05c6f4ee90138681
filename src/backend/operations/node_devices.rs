//! Devices of the host.

/// Hands the operations of [`NodeDevices`](super::NodeDevices) to the macro `$reader`.
macro_rules! node_devices_operations {
    ($reader:ident) => {
        $reader! {
            /// Devices of the host.
            trait NodeDevices in node_devices, on REMOTE_PROGRAM {
                /// Finds a device by its name. (`virNodeDeviceLookupByName`)
                113 read virNodeDeviceLookupByName fn lookup_by_name(name: &str) -> NodeDeviceRef;
                /// The device as XML. (`virNodeDeviceGetXMLDesc`)
                114 read virNodeDeviceGetXMLDesc fn xml(name: &str, flags: u32) -> String;
                /// The name of the device above it. (`virNodeDeviceGetParent`)
                115 read virNodeDeviceGetParent fn parent(name: &str) -> Option<String>;
                /// The names of its capabilities. (`virNodeDeviceListCaps`)
                117 read virNodeDeviceListCaps fn list_caps(name: &str) [4096] () -> Items<String>;
                /// Gives a device back to the host's driver. (`virNodeDeviceReAttach`)
                119 write virNodeDeviceReAttach fn re_attach(name: &str) -> ();
                /// Resets a device. (`virNodeDeviceReset`)
                120 write virNodeDeviceReset fn reset(name: &str) -> ();
                /// Makes a virtual device. (`virNodeDeviceCreateXML`)
                123 write virNodeDeviceCreateXML fn create_xml(xml: &str, flags: u32) -> NodeDeviceRef;
                /// Removes a virtual device. (`virNodeDeviceDestroy`)
                124 write virNodeDeviceDestroy fn destroy(name: &str) -> ();
                /// All devices that the filter flags leave. (`virConnectListAllNodeDevices`)
                285 read virConnectListAllNodeDevices fn list_all_node_devices() [1] (flags: u32) -> Counted<NodeDeviceRef>;
                /// Finds a SCSI host by its world-wide names. (`virNodeDeviceLookupSCSIHostByWWN`)
                297 read virNodeDeviceLookupSCSIHostByWWN fn lookup_scsi_host_by_wwn(wwnn: &str, wwpn: &str, flags: u32) -> NodeDeviceRef;
                /// Takes a device from the host's driver, to be given to a guest. (`virNodeDeviceDetachFlags`)
                301 write virNodeDeviceDetachFlags fn detach(name: &str, driver_name: Option<&str>, flags: u32) -> ();
                /// Writes a mediated device's definition. (`virNodeDeviceDefineXML`)
                428 write virNodeDeviceDefineXML fn define_xml(xml: &str, flags: u32) -> NodeDeviceRef;
                /// Forgets a device's definition. (`virNodeDeviceUndefine`)
                429 write virNodeDeviceUndefine fn undefine(name: &str, flags: u32) -> ();
                /// Starts a defined device. (`virNodeDeviceCreate`)
                430 write virNodeDeviceCreate fn create(name: &str, flags: u32) -> ();
                /// Whether the device starts with the node. (`virNodeDeviceGetAutostart`)
                433 read virNodeDeviceGetAutostart fn autostart(name: &str) -> bool;
                /// Makes the device start with the node, or not. (`virNodeDeviceSetAutostart`)
                434 write virNodeDeviceSetAutostart fn set_autostart(name: &str, autostart: bool) -> ();
                /// Whether the device has a definition. (`virNodeDeviceIsPersistent`)
                435 read virNodeDeviceIsPersistent fn is_persistent(name: &str) -> bool;
                /// Whether the device is there. (`virNodeDeviceIsActive`)
                436 read virNodeDeviceIsActive fn is_active(name: &str) -> bool;
                /// Changes a device, active, defined or both. (`virNodeDeviceUpdate`)
                447 write virNodeDeviceUpdate fn update(name: &str, xml: &str, flags: u32) -> ();
            }
        }
    };
}
pub(crate) use node_devices_operations;
