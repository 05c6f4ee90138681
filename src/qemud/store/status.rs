//! The status of an active guest: all that a new helper needs to take it over.

use super::{Paths, Store};
use crate::error::{Error, Result};
use crate::host::durable::write_volatile;
use crate::model::StateReason;
use serde::{Deserialize, Serialize};
use std::fs;
use std::path::PathBuf;
use uuid::Uuid;

/// How far a save has come; it decides whether a new helper finishes it or takes it back.
#[derive(Clone, Serialize, Deserialize, PartialEq, Eq, Debug)]
pub struct SaveProgress {
    /// The image while it is written.
    pub partial: PathBuf,
    /// Whether the image is whole, so that only its renaming and the guest's end are missing.
    pub complete: bool,
    /// Whether the guest ran before.
    pub was_running: bool,
}

/// An active guest as the files tell of it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StoredGuest {
    /// Its status.
    pub status: GuestStatus,
    /// Its active definition.
    pub active: String,
    /// What it was started from.
    pub base: String,
}

/// The status file of an active guest.
#[derive(Clone, Serialize, Deserialize, PartialEq, Eq, Debug)]
pub struct GuestStatus {
    /// The domain's name.
    pub name: String,
    /// What identifies it.
    pub uuid: Uuid,
    /// Its id.
    pub id: u32,
    /// QEMU's process; absent until it was started.
    pub pid: Option<i32>,
    /// When that process started, in ticks since boot.
    pub start_time: u64,
    /// The state (`virDomainState`).
    pub state: i32,
    /// Its reason.
    pub reason: i32,
    /// Whether the next power-off is to become a restart.
    pub reboot_pending: bool,
    /// Whether the guest ends with the connection that started it.
    pub autodestroy: bool,
    /// A save under way.
    pub save: Option<SaveProgress>,
    /// The managed-save image this guest was restored from, under the name it has until it is removed.
    pub spent_image: Option<PathBuf>,
    /// Commands that undo what was prepared for the guest.
    #[serde(default)]
    pub clean_up: Vec<Vec<String>>,
}

impl GuestStatus {
    /// The state and its reason.
    pub fn state(&self) -> StateReason {
        StateReason { state: self.state, reason: self.reason }
    }
}

impl Store {
    /// Writes the status of a guest.
    pub fn save_status(&self, status: &GuestStatus) -> Result<()> {
        let text = serde_json::to_vec_pretty(status).map_err(Error::internal)?;
        write_volatile(&self.paths.guest(status.uuid).join("status.json"), &text)
    }

    /// Writes the active definition of a guest.
    pub fn save_active(&self, uuid: Uuid, xml: &str) -> Result<()> {
        write_volatile(&self.paths.guest(uuid).join("active.xml"), xml.as_bytes())
    }

    /// Writes what a guest was started from.
    pub fn save_base(&self, uuid: Uuid, xml: &str) -> Result<()> {
        write_volatile(&self.paths.guest(uuid).join("base.xml"), xml.as_bytes())
    }

    /// Forgets an active guest: its status, its sockets.
    pub fn remove_guest(&self, uuid: Uuid) -> Result<()> {
        let folder = self.paths.guest(uuid);
        // The status goes first: a folder without one is rubbish, not a guest.
        let _ = fs::remove_file(folder.join("status.json"));
        match fs::remove_dir_all(&folder) {
            Err(e) if e.kind() != std::io::ErrorKind::NotFound => {
                Err(Error::system(format!("cannot remove folder '{}'", folder.display()), &e))
            }
            _ => Ok(()),
        }
    }

    /// The guests that were active when their helper last wrote; and what could not be read, a sentence each.
    pub fn load_guests(&self) -> (Vec<StoredGuest>, Vec<String>) {
        let mut guests = Vec::new();
        let mut unreadable = Vec::new();
        let listed = fs::read_dir(self.paths.runtime.join("guests"));
        for entry in listed.into_iter().flatten().flatten() {
            let folder = entry.path();
            let read = |name: &str| fs::read_to_string(folder.join(name));
            let status = match read("status.json") {
                Ok(status) => status,
                Err(_) => {
                    // Made by a start that came no further, or left by a stop that was cut short.
                    let _ = fs::remove_dir_all(&folder);
                    continue;
                }
            };
            match serde_json::from_str::<GuestStatus>(&status) {
                Ok(status) if Paths::check_name(&status.name).is_ok() => {
                    let text = |name: &str| read(name).unwrap_or_default();
                    guests.push(StoredGuest { status, active: text("active.xml"), base: text("base.xml") });
                }
                Ok(_) => unreadable.push(format!("{}: the name in it is no name", folder.display())),
                Err(error) => unreadable.push(format!("{}: {error}", folder.join("status.json").display())),
            }
        }
        (guests, unreadable)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn status_survives_and_rubbish_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(Paths::below(folder.path())).unwrap();
        let status = GuestStatus {
            name: "a".into(),
            uuid: Uuid::new_v4(),
            id: 3,
            pid: Some(7),
            start_time: 8,
            state: 1,
            reason: 1,
            reboot_pending: false,
            autodestroy: false,
            save: None,
            spent_image: None,
            clean_up: Vec::new(),
        };
        fs::create_dir_all(store.paths.guest(status.uuid)).unwrap();
        store.save_status(&status).unwrap();
        store.save_active(status.uuid, "<domain/>").unwrap();
        let broken = store.paths.guest(Uuid::new_v4());
        fs::create_dir_all(&broken).unwrap();
        fs::write(broken.join("status.json"), "{").unwrap();
        fs::create_dir_all(store.paths.guest(Uuid::new_v4())).unwrap();
        let (guests, unreadable) = store.load_guests();
        assert_eq!((&guests[0].status, guests[0].active.as_str()), (&status, "<domain/>"));
        assert_eq!(unreadable.len(), 1);
        store.remove_guest(status.uuid).unwrap();
        store.remove_guest(status.uuid).unwrap();
    }
}
