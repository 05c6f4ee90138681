//! Secrets kept for domains and volumes.

/// Hands the operations of [`Secrets`](super::Secrets) to the macro `$reader`.
macro_rules! secrets_operations {
    ($reader:ident) => {
        $reader! {
            /// Secrets kept for domains and volumes.
            trait Secrets in secrets, on REMOTE_PROGRAM {
                /// `virSecretLookupByUUID`.
                141 read virSecretLookupByUUID fn lookup_by_uuid(uuid: Uuid) -> SecretRef;
                /// `virSecretDefineXML`.
                142 write virSecretDefineXML fn define_xml(xml: &str, flags: u32) -> SecretRef;
                /// `virSecretGetXMLDesc`.
                143 read virSecretGetXMLDesc fn xml(secret: &SecretRef, flags: u32) -> String;
                /// `virSecretSetValue`.
                144 write virSecretSetValue fn set_value(secret: &SecretRef, value: &[u8], flags: u32) -> ();
                /// `virSecretGetValue`.
                145 write virSecretGetValue fn value(secret: &SecretRef, flags: u32) -> Vec<u8>;
                /// `virSecretUndefine`.
                146 write virSecretUndefine fn undefine(secret: &SecretRef) -> ();
                /// `virSecretLookupByUsage`.
                147 read virSecretLookupByUsage fn lookup_by_usage(usage_type: i32, usage_id: &str) -> SecretRef;
                /// `virConnectListAllSecrets`.
                287 read virConnectListAllSecrets fn list_all_secrets() [1] (flags: u32) -> Counted<SecretRef>;
            }
        }
    };
}
pub(crate) use secrets_operations;
