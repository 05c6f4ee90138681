//! Finding domains and reading what they are and how they fare.

/// Hands the operations of [`DomainLookup`](super::DomainLookup) to the macro `$reader`.
macro_rules! domain_lookup_operations {
    ($reader:ident) => {
        $reader! {
            /// Finding domains and reading what they are and how they fare.
            trait DomainLookup in domains, on REMOTE_PROGRAM {
                /// The definition as XML: the running one, or with `DOMAIN_XML_INACTIVE` the one of the next start. (`virDomainGetXMLDesc`)
                14 read virDomainGetXMLDesc fn xml(domain: &DomainRef, flags: u32) -> String;
                /// Whether the domain starts with the node. (`virDomainGetAutostart`)
                15 read virDomainGetAutostart fn autostart(domain: &DomainRef) -> bool;
                /// State, memory, virtual CPUs and CPU time at once. (`virDomainGetInfo`)
                16 read virDomainGetInfo fn info(domain: &DomainRef) -> DomainInfo;
                /// What the domain runs on: `hvm`, `xen`, `linux`. (`virDomainGetOSType`)
                19 read virDomainGetOSType fn os_type(domain: &DomainRef) -> String;
                /// Finds an active domain by its id. (`virDomainLookupByID`)
                22 read virDomainLookupByID fn lookup_by_id(id: i32) -> DomainRef;
                /// Finds a domain by its name. (`virDomainLookupByName`)
                23 read virDomainLookupByName fn lookup_by_name(name: &str) -> DomainRef;
                /// Finds a domain by its uuid. (`virDomainLookupByUUID`)
                24 read virDomainLookupByUUID fn lookup_by_uuid(uuid: Uuid) -> DomainRef;
                /// The label that confines the running domain. (`virDomainGetSecurityLabel`)
                121 read virDomainGetSecurityLabel fn security_label(domain: &DomainRef) -> SecurityLabel;
                /// Turns a hypervisor's own configuration into domain XML; changes nothing. (`virConnectDomainXMLFromNative`)
                135 write virConnectDomainXMLFromNative fn xml_from_native(native_format: &str, native_config: &str, flags: u32) -> String;
                /// Turns domain XML into a hypervisor's own configuration; changes nothing. (`virConnectDomainXMLToNative`)
                136 write virConnectDomainXMLToNative fn xml_to_native(native_format: &str, domain_xml: &str, flags: u32) -> String;
                /// Whether the domain runs (paused included). (`virDomainIsActive`)
                150 read virDomainIsActive fn is_active(domain: &DomainRef) -> bool;
                /// Whether the domain has a definition that outlives its run. (`virDomainIsPersistent`)
                151 read virDomainIsPersistent fn is_persistent(domain: &DomainRef) -> bool;
                /// Whether the definition differs from what runs. (`virDomainIsUpdated`)
                202 read virDomainIsUpdated fn is_updated(domain: &DomainRef) -> bool;
                /// State and reason. (`virDomainGetState`)
                212 read virDomainGetState fn state(domain: &DomainRef, flags: u32) -> StateReason;
                /// How the control channel to the domain fares. (`virDomainGetControlInfo`)
                229 read virDomainGetControlInfo fn control_info(domain: &DomainRef, flags: u32) -> ControlInfo;
                /// Title, description, or the metadata element of a namespace. (`virDomainGetMetadata`)
                265 read virDomainGetMetadata fn metadata(domain: &DomainRef, kind: i32, uri: Option<&str>, flags: u32) -> String;
                /// All domains that the filter flags (`CONNECT_LIST_DOMAINS_…`) leave, in no set order. (`virConnectListAllDomains`)
                273 read virConnectListAllDomains fn list_all_domains() [1] (flags: u32) -> Counted<DomainRef>;
                /// All labels that confine the running domain. (`virDomainGetSecurityLabelList`)
                278 read virDomainGetSecurityLabelList fn security_label_list(domain: &DomainRef) -> Counted<SecurityLabel>;
                /// Measurements of a confidential guest's launch. (`virDomainGetLaunchSecurityInfo`)
                396 write virDomainGetLaunchSecurityInfo fn launch_security_info(domain: &DomainRef, flags: u32) -> Vec<TypedParam>;
                /// Warnings about the domain: taint, deprecation. (`virDomainGetMessages`)
                426 read virDomainGetMessages fn messages(domain: &DomainRef, flags: u32) -> Vec<String>;
                /// Whether the domain starts with the node the next time only. (`virDomainGetAutostartOnce`)
                449 read virDomainGetAutostartOnce fn autostart_once(domain: &DomainRef) -> bool;
            }
        }
    };
}
pub(crate) use domain_lookup_operations;
