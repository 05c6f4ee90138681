//! Virtual networks and their ports.

/// Hands the operations of [`Networks`](super::Networks) to the macro `$reader`.
macro_rules! networks_operations {
    ($reader:ident) => {
        $reader! {
            /// Virtual networks and their ports.
            trait Networks in networks, on REMOTE_PROGRAM {
                /// Starts a defined network. (`virNetworkCreate`)
                39 write virNetworkCreate fn create(network: &NetworkRef) -> ();
                /// Stops a network; its definition stays. (`virNetworkDestroy`)
                42 write virNetworkDestroy fn destroy(network: &NetworkRef) -> ();
                /// The network as XML: the running one, or the one of the next start by the flags. (`virNetworkGetXMLDesc`)
                43 read virNetworkGetXMLDesc fn xml(network: &NetworkRef, flags: u32) -> String;
                /// Whether the network starts with the node. (`virNetworkGetAutostart`)
                44 read virNetworkGetAutostart fn autostart(network: &NetworkRef) -> bool;
                /// The bridge that carries the network. (`virNetworkGetBridgeName`)
                45 read virNetworkGetBridgeName fn bridge_name(network: &NetworkRef) -> String;
                /// Finds a network by its name. (`virNetworkLookupByName`)
                46 read virNetworkLookupByName fn lookup_by_name(name: &str) -> NetworkRef;
                /// Finds a network by its uuid. (`virNetworkLookupByUUID`)
                47 read virNetworkLookupByUUID fn lookup_by_uuid(uuid: Uuid) -> NetworkRef;
                /// Makes the network start with the node, or not. (`virNetworkSetAutostart`)
                48 write virNetworkSetAutostart fn set_autostart(network: &NetworkRef, autostart: bool) -> ();
                /// Forgets the definition; a running network becomes transient. (`virNetworkUndefine`)
                49 write virNetworkUndefine fn undefine(network: &NetworkRef) -> ();
                /// Whether the network runs. (`virNetworkIsActive`)
                152 read virNetworkIsActive fn is_active(network: &NetworkRef) -> bool;
                /// Whether the network has a definition that outlives its run. (`virNetworkIsPersistent`)
                153 read virNetworkIsPersistent fn is_persistent(network: &NetworkRef) -> bool;
                /// All networks that the filter flags leave. (`virConnectListAllNetworks`)
                283 read virConnectListAllNetworks fn list_all_networks() [1] (flags: u32) -> Counted<NetworkRef>;
                /// Changes one section of a network, running, defined or both. (`virNetworkUpdate`)
                291 write virNetworkUpdate fn update(network: &NetworkRef, command: u32, section: u32, parent_index: i32, xml: &str, flags: u32) -> ();
                /// The leases of the network's DHCP server, of one MAC address or all. (`virNetworkGetDHCPLeases`)
                341 read virNetworkGetDHCPLeases fn dhcp_leases(network: &NetworkRef, mac: Option<&str>) [1] (flags: u32) -> Counted<DhcpLease>;
                /// The ports of a network. (`virNetworkListAllPorts`)
                404 read virNetworkListAllPorts fn list_all_ports(network: &NetworkRef) [1] (flags: u32) -> Counted<NetworkPortRef>;
                /// Finds a port by its uuid. (`virNetworkPortLookupByUUID`)
                405 read virNetworkPortLookupByUUID fn network_port_lookup_by_uuid(network: &NetworkRef, uuid: Uuid) -> NetworkPortRef;
                /// Makes a port as XML describes it. (`virNetworkPortCreateXML`)
                406 write virNetworkPortCreateXML fn network_port_create_xml(network: &NetworkRef, xml: &str, flags: u32) -> NetworkPortRef;
                /// The bandwidth limits of a port. (`virNetworkPortGetParameters`)
                407 read virNetworkPortGetParameters fn network_port_parameters(port: &NetworkPortRef) [16] (flags: u32) -> Counted<TypedParam>;
                /// Sets the bandwidth limits of a port. (`virNetworkPortSetParameters`)
                408 write virNetworkPortSetParameters fn network_port_set_parameters(port: &NetworkPortRef, params: &[TypedParam], flags: u32) -> ();
                /// A port as XML. (`virNetworkPortGetXMLDesc`)
                409 read virNetworkPortGetXMLDesc fn network_port_xml(port: &NetworkPortRef, flags: u32) -> String;
                /// Removes a port. (`virNetworkPortDelete`)
                410 write virNetworkPortDelete fn network_port_delete(port: &NetworkPortRef, flags: u32) -> ();
                /// Writes a network's definition, new or in place of its old one. (`virNetworkDefineXMLFlags`)
                432 write virNetworkDefineXMLFlags fn define_xml(xml: &str, flags: u32) -> NetworkRef;
                /// Starts a transient network. (`virNetworkCreateXMLFlags`)
                437 write virNetworkCreateXMLFlags fn create_xml(xml: &str, flags: u32) -> NetworkRef;
                /// Changes title, description or metadata of a network; `None` removes. (`virNetworkSetMetadata`)
                444 write virNetworkSetMetadata fn set_metadata(network: &NetworkRef, kind: i32, metadata: Option<&str>, key: Option<&str>, uri: Option<&str>, flags: u32) -> ();
                /// Title, description, or metadata of a network. (`virNetworkGetMetadata`)
                445 read virNetworkGetMetadata fn metadata(network: &NetworkRef, kind: i32, uri: Option<&str>, flags: u32) -> String;
            }
        }
    };
}
pub(crate) use networks_operations;
