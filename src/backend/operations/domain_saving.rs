//! Saving domains to files and bringing them back; core dumps.

/// Hands the operations of [`DomainSaving`](super::DomainSaving) to the macro `$reader`.
macro_rules! domain_saving_operations {
    ($reader:ident) => {
        $reader! {
            /// Saving domains to files and bringing them back; core dumps.
            trait DomainSaving in domains, on REMOTE_PROGRAM {
                /// `virDomainManagedSave`.
                182 write virDomainManagedSave fn managed_save(domain: &DomainRef, flags: u32) -> ();
                /// `virDomainHasManagedSaveImage`.
                183 read virDomainHasManagedSaveImage fn has_managed_save_image(domain: &DomainRef, flags: u32) -> bool;
                /// `virDomainManagedSaveRemove`.
                184 write virDomainManagedSaveRemove fn managed_save_remove(domain: &DomainRef, flags: u32) -> ();
                /// `virDomainSaveFlags`.
                232 write virDomainSaveFlags fn save(domain: &DomainRef, to: &str, dxml: Option<&str>, flags: u32) -> ();
                /// `virDomainRestoreFlags`.
                233 write virDomainRestoreFlags fn restore(from: &str, dxml: Option<&str>, flags: u32) -> ();
                /// `virDomainSaveImageGetXMLDesc`.
                235 write virDomainSaveImageGetXMLDesc fn save_image_xml(file: &str, flags: u32) -> String;
                /// `virDomainSaveImageDefineXML`.
                236 write virDomainSaveImageDefineXML fn save_image_define_xml(file: &str, dxml: &str, flags: u32) -> ();
                /// `virDomainCoreDumpWithFormat`.
                334 write virDomainCoreDumpWithFormat fn core_dump_with_format(domain: &DomainRef, to: &str, dumpformat: u32, flags: u32) -> ();
                /// `virDomainManagedSaveGetXMLDesc`.
                388 read virDomainManagedSaveGetXMLDesc fn managed_save_xml(domain: &DomainRef, flags: u32) -> String;
                /// `virDomainManagedSaveDefineXML`.
                389 write virDomainManagedSaveDefineXML fn managed_save_define_xml(domain: &DomainRef, dxml: Option<&str>, flags: u32) -> ();
                /// `virDomainSaveParams`.
                440 write virDomainSaveParams fn save_params(domain: &DomainRef, params: &[TypedParam], flags: u32) -> ();
                /// `virDomainRestoreParams`.
                441 write virDomainRestoreParams fn restore_params(params: &[TypedParam], flags: u32) -> ();
            }
        }
    };
}
pub(crate) use domain_saving_operations;
