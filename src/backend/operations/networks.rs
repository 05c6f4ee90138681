//! Virtual networks and their ports.

/// Hands the operations of [`Networks`](super::Networks) to the macro `$reader`.
macro_rules! networks_operations {
    ($reader:ident) => {
        $reader! {
            /// Virtual networks and their ports.
            trait Networks in networks, on REMOTE_PROGRAM {
                /// `virNetworkCreate`.
                39 write virNetworkCreate fn create(network: &NetworkRef) -> ();
                /// `virNetworkDestroy`.
                42 write virNetworkDestroy fn destroy(network: &NetworkRef) -> ();
                /// `virNetworkGetXMLDesc`.
                43 read virNetworkGetXMLDesc fn xml(network: &NetworkRef, flags: u32) -> String;
                /// `virNetworkGetAutostart`.
                44 read virNetworkGetAutostart fn autostart(network: &NetworkRef) -> bool;
                /// `virNetworkGetBridgeName`.
                45 read virNetworkGetBridgeName fn bridge_name(network: &NetworkRef) -> String;
                /// `virNetworkLookupByName`.
                46 read virNetworkLookupByName fn lookup_by_name(name: &str) -> NetworkRef;
                /// `virNetworkLookupByUUID`.
                47 read virNetworkLookupByUUID fn lookup_by_uuid(uuid: Uuid) -> NetworkRef;
                /// `virNetworkSetAutostart`.
                48 write virNetworkSetAutostart fn set_autostart(network: &NetworkRef, autostart: bool) -> ();
                /// `virNetworkUndefine`.
                49 write virNetworkUndefine fn undefine(network: &NetworkRef) -> ();
                /// `virNetworkIsActive`.
                152 read virNetworkIsActive fn is_active(network: &NetworkRef) -> bool;
                /// `virNetworkIsPersistent`.
                153 read virNetworkIsPersistent fn is_persistent(network: &NetworkRef) -> bool;
                /// `virConnectListAllNetworks`.
                283 read virConnectListAllNetworks fn list_all_networks() [1] (flags: u32) -> Counted<NetworkRef>;
                /// `virNetworkUpdate`.
                291 write virNetworkUpdate fn update(network: &NetworkRef, command: u32, section: u32, parent_index: i32, xml: &str, flags: u32) -> ();
                /// `virNetworkGetDHCPLeases`.
                341 read virNetworkGetDHCPLeases fn dhcp_leases(network: &NetworkRef, mac: Option<&str>) [1] (flags: u32) -> Counted<DhcpLease>;
                /// `virNetworkListAllPorts`.
                404 read virNetworkListAllPorts fn list_all_ports(network: &NetworkRef) [1] (flags: u32) -> Counted<NetworkPortRef>;
                /// `virNetworkPortLookupByUUID`.
                405 read virNetworkPortLookupByUUID fn network_port_lookup_by_uuid(network: &NetworkRef, uuid: Uuid) -> NetworkPortRef;
                /// `virNetworkPortCreateXML`.
                406 write virNetworkPortCreateXML fn network_port_create_xml(network: &NetworkRef, xml: &str, flags: u32) -> NetworkPortRef;
                /// `virNetworkPortGetParameters`.
                407 read virNetworkPortGetParameters fn network_port_parameters(port: &NetworkPortRef) [16] (flags: u32) -> Counted<TypedParam>;
                /// `virNetworkPortSetParameters`.
                408 write virNetworkPortSetParameters fn network_port_set_parameters(port: &NetworkPortRef, params: &[TypedParam], flags: u32) -> ();
                /// `virNetworkPortGetXMLDesc`.
                409 read virNetworkPortGetXMLDesc fn network_port_xml(port: &NetworkPortRef, flags: u32) -> String;
                /// `virNetworkPortDelete`.
                410 write virNetworkPortDelete fn network_port_delete(port: &NetworkPortRef, flags: u32) -> ();
                /// `virNetworkDefineXMLFlags`.
                432 write virNetworkDefineXMLFlags fn define_xml(xml: &str, flags: u32) -> NetworkRef;
                /// `virNetworkCreateXMLFlags`.
                437 write virNetworkCreateXMLFlags fn create_xml(xml: &str, flags: u32) -> NetworkRef;
                /// `virNetworkSetMetadata`.
                444 write virNetworkSetMetadata fn set_metadata(network: &NetworkRef, kind: i32, metadata: Option<&str>, key: Option<&str>, uri: Option<&str>, flags: u32) -> ();
                /// `virNetworkGetMetadata`.
                445 read virNetworkGetMetadata fn metadata(network: &NetworkRef, kind: i32, uri: Option<&str>, flags: u32) -> String;
            }
        }
    };
}
pub(crate) use networks_operations;
