//! Remembering: in memory for this process, on disk for the next, as long as the binary's file is the same.

use super::cpu::CpuModels;
use super::{Accelerator, QemuCapabilities, kvm, probe};
use crate::error::{Error, Result};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::io::Write;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

/// Raised when the meaning of the remembered facts changes.
const FORMAT: u32 = 1;

/// What must be the same for remembered facts to hold.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
struct Mark {
    format: u32,
    binary: PathBuf,
    size: u64,
    seconds: i64,
    nanoseconds: i64,
    /// Modules are files of their own: a package that adds devices changes the folder, not the binary.
    modules: Option<(i64, i64)>,
    kvm: bool,
}

impl Mark {
    fn of(binary: &Path) -> Result<Mark> {
        let facts = std::fs::metadata(binary).map_err(|cause| {
            Error::system(format!("Cannot check QEMU binary {}", binary.display()), &cause)
        })?;
        let modules = module_folder().and_then(|folder| std::fs::metadata(folder).ok());
        Ok(Mark {
            format: FORMAT,
            binary: binary.to_path_buf(),
            size: facts.size(),
            seconds: facts.mtime(),
            nanoseconds: facts.mtime_nsec(),
            modules: modules.map(|folder| (folder.mtime(), folder.mtime_nsec())),
            kvm: kvm::usable().is_ok(),
        })
    }
}

/// Where distributions put QEMU's loadable modules.
fn module_folder() -> Option<PathBuf> {
    let multiarch = format!("/usr/lib/{}-linux-gnu/qemu", std::env::consts::ARCH);
    let known = [multiarch.as_str(), "/usr/lib64/qemu", "/usr/lib/qemu"];
    known.iter().map(PathBuf::from).find(|folder| folder.is_dir())
}

#[derive(Serialize, Deserialize)]
struct Remembered<T> {
    mark: Mark,
    facts: T,
}

/// One binary's place in memory; its lock is held while the binary is asked, so that it is asked once.
type Slot = Arc<Mutex<Option<(Mark, Arc<QemuCapabilities>)>>>;

static MEMORY: Mutex<Option<HashMap<PathBuf, Slot>>> = Mutex::new(None);

/// The facts of `binary`.
pub fn look_up(binary: &Path) -> Result<Arc<QemuCapabilities>> {
    let mark = Mark::of(binary)?;
    let slot = {
        let mut memory = MEMORY.lock().unwrap_or_else(PoisonError::into_inner);
        let slots = memory.get_or_insert_default();
        Arc::clone(slots.entry(binary.to_path_buf()).or_default())
    };
    let mut slot = slot.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some((known, facts)) = &*slot
        && *known == mark
    {
        return Ok(Arc::clone(facts));
    }
    let facts = Arc::new(through_disk(&mark, "facts", || QemuCapabilities::probe(binary))?);
    *slot = Some((mark, Arc::clone(&facts)));
    Ok(facts)
}

/// The CPU models of `binary`.
pub fn cpu_models(binary: &Path, accelerator: Accelerator) -> Result<CpuModels> {
    through_disk(&Mark::of(binary)?, accelerator.name(), || probe::probe_cpu_models(binary, accelerator))
}

/// What the disk remembers, else what `ask` answers, then remembered.
fn through_disk<T: Serialize + DeserializeOwned>(
    mark: &Mark,
    part: &str,
    ask: impl FnOnce() -> Result<T>,
) -> Result<T> {
    let file = file_of(&mark.binary, part);
    let read = file.as_deref().and_then(|file| std::fs::read(file).ok());
    let remembered = read.and_then(|text| serde_json::from_slice::<Remembered<T>>(&text).ok());
    if let Some(remembered) = remembered
        && remembered.mark == *mark
    {
        return Ok(remembered.facts);
    }
    let remembered = Remembered { mark: mark.clone(), facts: ask()? };
    if let Some(file) = file {
        // A cache that cannot be written only costs time.
        if let Err(cause) = write(&file, &remembered) {
            tracing::debug!("cannot remember the capabilities in {}: {cause}", file.display());
        }
    }
    Ok(remembered.facts)
}

fn write<T: Serialize>(file: &Path, remembered: &Remembered<T>) -> std::io::Result<()> {
    let folder = file.parent().unwrap_or(Path::new("/"));
    std::fs::create_dir_all(folder)?;
    let mut temporary = tempfile::NamedTempFile::new_in(folder)?;
    temporary.write_all(&serde_json::to_vec(remembered)?)?;
    temporary.persist(file)?;
    Ok(())
}

fn file_of(binary: &Path, part: &str) -> Option<PathBuf> {
    let folder = match std::env::var_os("XDG_CACHE_HOME").filter(|value| !value.is_empty()) {
        Some(folder) => PathBuf::from(folder).join("hvsh"),
        None if nix::unistd::geteuid().is_root() => PathBuf::from("/var/cache/hvsh"),
        None => PathBuf::from(std::env::var_os("HOME")?).join(".cache/hvsh"),
    };
    let name = binary.to_string_lossy().trim_start_matches('/').replace('/', "_");
    Some(folder.join("capabilities").join(format!("{name}.{part}.json")))
}
