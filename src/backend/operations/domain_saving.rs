//! Saving domains to files and bringing them back; core dumps.

/// Hands the operations of [`DomainSaving`](super::DomainSaving) to the macro `$reader`.
macro_rules! domain_saving_operations {
    ($reader:ident) => {
        $reader! {
            /// Saving domains to files and bringing them back; core dumps.
            trait DomainSaving in domains, on REMOTE_PROGRAM {
                /// Saves the domain to a place of the driver's; the next start restores it. (`virDomainManagedSave`)
                182 write virDomainManagedSave fn managed_save(domain: &DomainRef, flags: u32) -> ();
                /// Whether the next start would restore an image. (`virDomainHasManagedSaveImage`)
                183 read virDomainHasManagedSaveImage fn has_managed_save_image(domain: &DomainRef, flags: u32) -> bool;
                /// Deletes the image; its memory is lost. (`virDomainManagedSaveRemove`)
                184 write virDomainManagedSaveRemove fn managed_save_remove(domain: &DomainRef, flags: u32) -> ();
                /// Writes the guest's memory to a file and stops it; on failure it runs on and no file is left. (`virDomainSaveFlags`)
                232 write virDomainSaveFlags fn save(domain: &DomainRef, to: &str, dxml: Option<&str>, flags: u32) -> ();
                /// Starts the domain that a file holds, with `dxml` in place of its definition if given. (`virDomainRestoreFlags`)
                233 write virDomainRestoreFlags fn restore(from: &str, dxml: Option<&str>, flags: u32) -> ();
                /// The definition inside a saved file. (`virDomainSaveImageGetXMLDesc`)
                235 write virDomainSaveImageGetXMLDesc fn save_image_xml(file: &str, flags: u32) -> String;
                /// Changes the definition inside a saved file, as far as the guest cannot see it. (`virDomainSaveImageDefineXML`)
                236 write virDomainSaveImageDefineXML fn save_image_define_xml(file: &str, dxml: &str, flags: u32) -> ();
                /// Writes the guest's memory to a file for a debugger; the domain goes on unless flags say otherwise. (`virDomainCoreDumpWithFormat`)
                334 write virDomainCoreDumpWithFormat fn core_dump_with_format(domain: &DomainRef, to: &str, dumpformat: u32, flags: u32) -> ();
                /// The definition inside the managed save image. (`virDomainManagedSaveGetXMLDesc`)
                388 read virDomainManagedSaveGetXMLDesc fn managed_save_xml(domain: &DomainRef, flags: u32) -> String;
                /// Changes the definition inside the managed save image, as far as the guest cannot see it. (`virDomainManagedSaveDefineXML`)
                389 write virDomainManagedSaveDefineXML fn managed_save_define_xml(domain: &DomainRef, dxml: Option<&str>, flags: u32) -> ();
                /// As `save`, its options as named parameters. (`virDomainSaveParams`)
                440 write virDomainSaveParams fn save_params(domain: &DomainRef, params: &[TypedParam], flags: u32) -> ();
                /// As `restore`, its options as named parameters. (`virDomainRestoreParams`)
                441 write virDomainRestoreParams fn restore_params(params: &[TypedParam], flags: u32) -> ();
            }
        }
    };
}
pub(crate) use domain_saving_operations;
