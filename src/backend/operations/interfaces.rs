//! Network interfaces of the host.

/// Hands the operations of [`Interfaces`](super::Interfaces) to the macro `$reader`.
macro_rules! interfaces_operations {
    ($reader:ident) => {
        $reader! {
            /// Network interfaces of the host.
            trait Interfaces in interfaces, on REMOTE_PROGRAM {
                /// Finds an interface by its name. (`virInterfaceLookupByName`)
                128 read virInterfaceLookupByName fn lookup_by_name(name: &str) -> InterfaceRef;
                /// Finds an interface by its MAC address. (`virInterfaceLookupByMACString`)
                129 read virInterfaceLookupByMACString fn lookup_by_mac_string(mac: &str) -> InterfaceRef;
                /// The interface as XML. (`virInterfaceGetXMLDesc`)
                130 read virInterfaceGetXMLDesc fn xml(interface: &InterfaceRef, flags: u32) -> String;
                /// Writes an interface's definition. (`virInterfaceDefineXML`)
                131 write virInterfaceDefineXML fn define_xml(xml: &str, flags: u32) -> InterfaceRef;
                /// Forgets an interface's definition. (`virInterfaceUndefine`)
                132 write virInterfaceUndefine fn undefine(interface: &InterfaceRef) -> ();
                /// Brings an interface up. (`virInterfaceCreate`)
                133 write virInterfaceCreate fn create(interface: &InterfaceRef, flags: u32) -> ();
                /// Takes an interface down. (`virInterfaceDestroy`)
                134 write virInterfaceDestroy fn destroy(interface: &InterfaceRef, flags: u32) -> ();
                /// Whether the interface is up. (`virInterfaceIsActive`)
                156 read virInterfaceIsActive fn is_active(interface: &InterfaceRef) -> bool;
                /// Remembers all interfaces, so that changes can be taken back. (`virInterfaceChangeBegin`)
                220 write virInterfaceChangeBegin fn change_begin(flags: u32) -> ();
                /// Keeps the changes since the beginning. (`virInterfaceChangeCommit`)
                221 write virInterfaceChangeCommit fn change_commit(flags: u32) -> ();
                /// Takes back the changes since the beginning. (`virInterfaceChangeRollback`)
                222 write virInterfaceChangeRollback fn change_rollback(flags: u32) -> ();
                /// All interfaces that the filter flags leave. (`virConnectListAllInterfaces`)
                284 read virConnectListAllInterfaces fn list_all_interfaces() [1] (flags: u32) -> Counted<InterfaceRef>;
            }
        }
    };
}
pub(crate) use interfaces_operations;
