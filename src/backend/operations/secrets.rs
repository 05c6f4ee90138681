//! Secrets kept for domains and volumes.

/// Hands the operations of [`Secrets`](super::Secrets) to the macro `$reader`.
macro_rules! secrets_operations {
    ($reader:ident) => {
        $reader! {
            /// Secrets kept for domains and volumes.
            trait Secrets in secrets, on REMOTE_PROGRAM {
                /// Finds a secret by its uuid. (`virSecretLookupByUUID`)
                141 read virSecretLookupByUUID fn lookup_by_uuid(uuid: Uuid) -> SecretRef;
                /// Writes a secret's definition; its value comes apart. (`virSecretDefineXML`)
                142 write virSecretDefineXML fn define_xml(xml: &str, flags: u32) -> SecretRef;
                /// The secret as XML, without its value. (`virSecretGetXMLDesc`)
                143 read virSecretGetXMLDesc fn xml(secret: &SecretRef, flags: u32) -> String;
                /// Sets the secret's value. (`virSecretSetValue`)
                144 write virSecretSetValue fn set_value(secret: &SecretRef, value: &[u8], flags: u32) -> ();
                /// The secret's value, unless it is private. (`virSecretGetValue`)
                145 write virSecretGetValue fn value(secret: &SecretRef, flags: u32) -> Vec<u8>;
                /// Forgets a secret and its value. (`virSecretUndefine`)
                146 write virSecretUndefine fn undefine(secret: &SecretRef) -> ();
                /// Finds a secret by what it is for. (`virSecretLookupByUsage`)
                147 read virSecretLookupByUsage fn lookup_by_usage(usage_type: i32, usage_id: &str) -> SecretRef;
                /// All secrets that the filter flags leave. (`virConnectListAllSecrets`)
                287 read virConnectListAllSecrets fn list_all_secrets() [1] (flags: u32) -> Counted<SecretRef>;
            }
        }
    };
}
pub(crate) use secrets_operations;
