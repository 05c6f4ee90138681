//! Network interfaces of the host.

/// Hands the operations of [`Interfaces`](super::Interfaces) to the macro `$reader`.
macro_rules! interfaces_operations {
    ($reader:ident) => {
        $reader! {
            /// Network interfaces of the host.
            trait Interfaces in interfaces, on REMOTE_PROGRAM {
                /// `virInterfaceLookupByName`.
                128 read virInterfaceLookupByName fn lookup_by_name(name: &str) -> InterfaceRef;
                /// `virInterfaceLookupByMACString`.
                129 read virInterfaceLookupByMACString fn lookup_by_mac_string(mac: &str) -> InterfaceRef;
                /// `virInterfaceGetXMLDesc`.
                130 read virInterfaceGetXMLDesc fn xml(interface: &InterfaceRef, flags: u32) -> String;
                /// `virInterfaceDefineXML`.
                131 write virInterfaceDefineXML fn define_xml(xml: &str, flags: u32) -> InterfaceRef;
                /// `virInterfaceUndefine`.
                132 write virInterfaceUndefine fn undefine(interface: &InterfaceRef) -> ();
                /// `virInterfaceCreate`.
                133 write virInterfaceCreate fn create(interface: &InterfaceRef, flags: u32) -> ();
                /// `virInterfaceDestroy`.
                134 write virInterfaceDestroy fn destroy(interface: &InterfaceRef, flags: u32) -> ();
                /// `virInterfaceIsActive`.
                156 read virInterfaceIsActive fn is_active(interface: &InterfaceRef) -> bool;
                /// `virInterfaceChangeBegin`.
                220 write virInterfaceChangeBegin fn change_begin(flags: u32) -> ();
                /// `virInterfaceChangeCommit`.
                221 write virInterfaceChangeCommit fn change_commit(flags: u32) -> ();
                /// `virInterfaceChangeRollback`.
                222 write virInterfaceChangeRollback fn change_rollback(flags: u32) -> ();
                /// `virConnectListAllInterfaces`.
                284 read virConnectListAllInterfaces fn list_all_interfaces() [1] (flags: u32) -> Counted<InterfaceRef>;
            }
        }
    };
}
pub(crate) use interfaces_operations;
