//! Where the helper's files are: the XDG folders for a session, the system's folders for the system.

use crate::error::{Error, Result};
use std::fs::DirBuilder;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use uuid::Uuid;

/// The folders of one helper.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Paths {
    /// Definitions and autostart marks.
    pub configuration: PathBuf,
    /// Saved guests, firmware variables, core dumps.
    pub state: PathBuf,
    /// What lives as long as the host: status and sockets of active guests.
    pub runtime: PathBuf,
    /// What QEMU said.
    pub logs: PathBuf,
    /// What can be made again: answers of QEMU binaries.
    pub cache: PathBuf,
}

/// A folder of the environment, or its place below HOME.
fn xdg(variable: &str, below_home: &str) -> Result<PathBuf> {
    if let Some(folder) = std::env::var_os(variable).map(PathBuf::from)
        && folder.is_absolute()
    {
        return Ok(folder);
    }
    let home = std::env::var_os("HOME").map(PathBuf::from).filter(|home| home.is_absolute());
    match home {
        Some(home) => Ok(home.join(below_home)),
        None => Err(Error::internal(format!("neither {variable} nor HOME names an absolute folder"))),
    }
}

impl Paths {
    /// The folders of `qemu:///session`.
    pub fn session() -> Result<Paths> {
        let state = xdg("XDG_STATE_HOME", ".local/state")?.join("hvsh");
        Ok(Paths {
            configuration: xdg("XDG_CONFIG_HOME", ".config")?.join("hvsh/qemu"),
            runtime: match std::env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from) {
                Some(folder) if folder.is_absolute() => folder.join("hvsh/qemu"),
                _ => state.join("run/qemu"),
            },
            logs: state.join("log/qemu"),
            state: state.join("qemu"),
            cache: xdg("XDG_CACHE_HOME", ".cache")?.join("hvsh/qemu"),
        })
    }

    /// The folders of `qemu:///system`.
    pub fn system() -> Paths {
        Paths::below(Path::new("/"))
    }

    /// The folders of the system below another root.
    pub fn below(root: &Path) -> Paths {
        Paths {
            configuration: root.join("etc/hvsh/qemu"),
            state: root.join("var/lib/hvsh/qemu"),
            runtime: root.join("run/hvsh/qemu"),
            logs: root.join("var/log/hvsh/qemu"),
            cache: root.join("var/cache/hvsh/qemu"),
        }
    }

    /// Makes all folders that are missing, for their owner only.
    pub fn create(&self) -> Result<()> {
        let folders = [
            self.configuration.join("autostart"),
            self.state.join("save"),
            self.state.join("nvram"),
            self.state.join("dump"),
            self.runtime.join("guests"),
            self.logs.clone(),
            self.cache.clone(),
        ];
        folders.iter().try_for_each(|folder| make_folder(folder))
    }

    /// The file of a definition.
    pub fn definition(&self, name: &str) -> PathBuf {
        self.configuration.join(format!("{name}.xml"))
    }

    /// The mark of a domain that starts with the helper.
    pub fn autostart(&self, name: &str) -> PathBuf {
        self.configuration.join("autostart").join(format!("{name}.xml"))
    }

    /// The managed-save image of a domain.
    pub fn managed_save(&self, name: &str) -> PathBuf {
        self.state.join("save").join(format!("{name}.save"))
    }

    /// The folder of an active guest.
    pub fn guest(&self, uuid: Uuid) -> PathBuf {
        self.runtime.join("guests").join(uuid.to_string())
    }

    /// What QEMU said when it ran this domain.
    pub fn log(&self, name: &str) -> PathBuf {
        self.logs.join(format!("{name}.log"))
    }
}

/// Makes a folder and those above it.
pub fn make_folder(folder: &Path) -> Result<()> {
    let made = DirBuilder::new().recursive(true).mode(0o700).create(folder);
    made.map_err(|e| Error::system(format!("cannot create folder '{}'", folder.display()), &e))
}
