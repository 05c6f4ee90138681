//! Networks, host interfaces and filters. Names and numbers of the public interface, less the `VIR_` prefix.

// virConnectListAllInterfacesFlags
pub const CONNECT_LIST_INTERFACES_INACTIVE: u32 = 1;
pub const CONNECT_LIST_INTERFACES_ACTIVE: u32 = 2;

// virInterfaceXMLFlags
pub const INTERFACE_XML_INACTIVE: u32 = 1;

// virInterfaceDefineFlags
pub const INTERFACE_DEFINE_VALIDATE: u32 = 1;

// virNetworkXMLFlags
pub const NETWORK_XML_INACTIVE: u32 = 1;

// virConnectListAllNetworksFlags
pub const CONNECT_LIST_NETWORKS_INACTIVE: u32 = 1;
pub const CONNECT_LIST_NETWORKS_ACTIVE: u32 = 2;
pub const CONNECT_LIST_NETWORKS_PERSISTENT: u32 = 4;
pub const CONNECT_LIST_NETWORKS_TRANSIENT: u32 = 8;
pub const CONNECT_LIST_NETWORKS_AUTOSTART: u32 = 1 << 4;
pub const CONNECT_LIST_NETWORKS_NO_AUTOSTART: u32 = 1 << 5;

// virNetworkCreateFlags
pub const NETWORK_CREATE_VALIDATE: u32 = 1;

// virNetworkDefineFlags
pub const NETWORK_DEFINE_VALIDATE: u32 = 1;

// virNetworkUpdateCommand
pub const NETWORK_UPDATE_COMMAND_NONE: u32 = 0;
pub const NETWORK_UPDATE_COMMAND_MODIFY: u32 = 1;
pub const NETWORK_UPDATE_COMMAND_DELETE: u32 = 2;
pub const NETWORK_UPDATE_COMMAND_ADD_LAST: u32 = 3;
pub const NETWORK_UPDATE_COMMAND_ADD_FIRST: u32 = 4;

// virNetworkUpdateSection
pub const NETWORK_SECTION_NONE: u32 = 0;
pub const NETWORK_SECTION_BRIDGE: u32 = 1;
pub const NETWORK_SECTION_DOMAIN: u32 = 2;
pub const NETWORK_SECTION_IP: u32 = 3;
pub const NETWORK_SECTION_IP_DHCP_HOST: u32 = 4;
pub const NETWORK_SECTION_IP_DHCP_RANGE: u32 = 5;
pub const NETWORK_SECTION_FORWARD: u32 = 6;
pub const NETWORK_SECTION_FORWARD_INTERFACE: u32 = 7;
pub const NETWORK_SECTION_FORWARD_PF: u32 = 8;
pub const NETWORK_SECTION_PORTGROUP: u32 = 9;
pub const NETWORK_SECTION_DNS_HOST: u32 = 10;
pub const NETWORK_SECTION_DNS_TXT: u32 = 11;
pub const NETWORK_SECTION_DNS_SRV: u32 = 12;

// virNetworkUpdateFlags
pub const NETWORK_UPDATE_AFFECT_CURRENT: u32 = 0;
pub const NETWORK_UPDATE_AFFECT_LIVE: u32 = 1;
pub const NETWORK_UPDATE_AFFECT_CONFIG: u32 = 2;

// virIPAddrType
pub const IP_ADDR_TYPE_IPV4: i32 = 0;
pub const IP_ADDR_TYPE_IPV6: i32 = 1;

// virNetworkPortCreateFlags
pub const NETWORK_PORT_CREATE_RECLAIM: u32 = 1;
pub const NETWORK_PORT_CREATE_VALIDATE: u32 = 2;

// virNetworkMetadataType
pub const NETWORK_METADATA_DESCRIPTION: i32 = 0;
pub const NETWORK_METADATA_TITLE: i32 = 1;
pub const NETWORK_METADATA_ELEMENT: i32 = 2;

// virNWFilterDefineFlags
pub const NWFILTER_DEFINE_VALIDATE: u32 = 1;

// virNWFilterBindingCreateFlags
pub const NWFILTER_BINDING_CREATE_VALIDATE: u32 = 1;
