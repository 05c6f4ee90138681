//! What the helper keeps on disk: definitions, autostart marks, saved guests, and the status of active guests.
//!
//! Everything is a file a person can read. A definition is `qemu/NAME.xml`; a link of the same name in
//! `qemu/autostart` marks it to be started; `save/NAME.save` is its managed-save image; an active guest has a
//! folder named by its uuid in the runtime folder. Each file is written to a temporary name, synced, renamed,
//! and its folder synced, before the client gets its answer. A file that cannot be read is set aside under
//! another name with a loud line in the log; it is never deleted and harms no other domain.

mod definitions;
mod paths;
mod status;

pub use crate::host::durable::{remove_durably, rename_durably, sync_folder, write_durably, write_volatile};
pub use definitions::{Stored, StoredDefinition};
pub use paths::{Paths, make_folder};
pub use status::{GuestStatus, SaveProgress, StoredGuest};

/// The files of one helper.
pub struct Store {
    /// Where they are.
    pub paths: Paths,
}

impl Store {
    /// Opens the store, making folders that are missing.
    pub fn open(paths: Paths) -> crate::error::Result<Store> {
        paths.create()?;
        Ok(Store { paths })
    }
}
