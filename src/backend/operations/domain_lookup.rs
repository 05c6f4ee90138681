//! Finding domains and reading what they are and how they fare.

/// Hands the operations of [`DomainLookup`](super::DomainLookup) to the macro `$reader`.
macro_rules! domain_lookup_operations {
    ($reader:ident) => {
        $reader! {
            /// Finding domains and reading what they are and how they fare.
            trait DomainLookup in domains, on REMOTE_PROGRAM {
                /// `virDomainGetXMLDesc`.
                14 read virDomainGetXMLDesc fn xml(domain: &DomainRef, flags: u32) -> String;
                /// `virDomainGetAutostart`.
                15 read virDomainGetAutostart fn autostart(domain: &DomainRef) -> bool;
                /// `virDomainGetInfo`.
                16 read virDomainGetInfo fn info(domain: &DomainRef) -> DomainInfo;
                /// `virDomainGetOSType`.
                19 read virDomainGetOSType fn os_type(domain: &DomainRef) -> String;
                /// `virDomainLookupByID`.
                22 read virDomainLookupByID fn lookup_by_id(id: i32) -> DomainRef;
                /// `virDomainLookupByName`.
                23 read virDomainLookupByName fn lookup_by_name(name: &str) -> DomainRef;
                /// `virDomainLookupByUUID`.
                24 read virDomainLookupByUUID fn lookup_by_uuid(uuid: Uuid) -> DomainRef;
                /// `virDomainGetSecurityLabel`.
                121 read virDomainGetSecurityLabel fn security_label(domain: &DomainRef) -> SecurityLabel;
                /// `virConnectDomainXMLFromNative`.
                135 write virConnectDomainXMLFromNative fn xml_from_native(native_format: &str, native_config: &str, flags: u32) -> String;
                /// `virConnectDomainXMLToNative`.
                136 write virConnectDomainXMLToNative fn xml_to_native(native_format: &str, domain_xml: &str, flags: u32) -> String;
                /// `virDomainIsActive`.
                150 read virDomainIsActive fn is_active(domain: &DomainRef) -> bool;
                /// `virDomainIsPersistent`.
                151 read virDomainIsPersistent fn is_persistent(domain: &DomainRef) -> bool;
                /// `virDomainIsUpdated`.
                202 read virDomainIsUpdated fn is_updated(domain: &DomainRef) -> bool;
                /// `virDomainGetState`.
                212 read virDomainGetState fn state(domain: &DomainRef, flags: u32) -> StateReason;
                /// `virDomainGetControlInfo`.
                229 read virDomainGetControlInfo fn control_info(domain: &DomainRef, flags: u32) -> ControlInfo;
                /// `virDomainGetMetadata`.
                265 read virDomainGetMetadata fn metadata(domain: &DomainRef, kind: i32, uri: Option<&str>, flags: u32) -> String;
                /// `virConnectListAllDomains`.
                273 read virConnectListAllDomains fn list_all_domains() [1] (flags: u32) -> Counted<DomainRef>;
                /// `virDomainGetSecurityLabelList`.
                278 read virDomainGetSecurityLabelList fn security_label_list(domain: &DomainRef) -> Counted<SecurityLabel>;
                /// `virDomainGetLaunchSecurityInfo`.
                396 read virDomainGetLaunchSecurityInfo fn launch_security_info(domain: &DomainRef, flags: u32) -> Vec<TypedParam>;
                /// `virDomainGetMessages`.
                426 read virDomainGetMessages fn messages(domain: &DomainRef, flags: u32) -> Vec<String>;
                /// `virDomainGetAutostartOnce`.
                449 read virDomainGetAutostartOnce fn autostart_once(domain: &DomainRef) -> bool;
            }
        }
    };
}
pub(crate) use domain_lookup_operations;
