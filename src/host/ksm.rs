//! Shared memory pages of the host: reading and setting how the kernel looks for equal ones.

use super::Node;
use crate::error::{Error, Result};
use crate::model::{ParamValue, TypedParam};

/// Each parameter, its file, and whether it can be set.
const PARAMETERS: &[(&str, &str, bool)] = &[
    ("shm_pages_to_scan", "pages_to_scan", true),
    ("shm_sleep_millisecs", "sleep_millisecs", true),
    ("shm_pages_shared", "pages_shared", false),
    ("shm_pages_sharing", "pages_sharing", false),
    ("shm_pages_unshared", "pages_unshared", false),
    ("shm_pages_volatile", "pages_volatile", false),
    ("shm_full_scans", "full_scans", false),
    ("shm_merge_across_nodes", "merge_across_nodes", true),
];

fn file(name: &str) -> String {
    format!("sys/kernel/mm/ksm/{name}")
}

impl Node {
    /// The parameters that this kernel has (`virNodeGetMemoryParameters`).
    pub fn node_memory_parameters(&self) -> Result<Vec<TypedParam>> {
        let param = |(name, known, settable): &(&str, &str, bool)| {
            let value: u64 = self.number(&file(known))?;
            let value = match u32::try_from(value) {
                Ok(value) if *settable => ParamValue::UInt(value),
                _ => ParamValue::ULLong(value),
            };
            Some(TypedParam::new(*name, value))
        };
        Ok(PARAMETERS.iter().filter_map(param).collect())
    }

    /// Sets parameters; all are checked before the first is set (`virNodeSetMemoryParameters`).
    pub fn node_set_memory_parameters(&self, params: &[TypedParam]) -> Result<()> {
        let mut writes = Vec::new();
        for param in params {
            let known = PARAMETERS.iter().find(|(name, _, settable)| *name == param.name && *settable);
            let Some((_, known, _)) = known else {
                return Err(Error::invalid_argument(format!("parameter '{}' not supported", param.name)));
            };
            let path = self.path(&file(known));
            if !path.exists() {
                let what = format!("Parameter '{}' is not supported by this kernel", param.name);
                return Err(Error::new(crate::error::ErrorCode::OPERATION_UNSUPPORTED, what));
            }
            writes.push((path, param.value.to_string()));
        }
        for (path, value) in writes {
            std::fs::write(&path, value)
                .map_err(|cause| Error::system(format!("failed to set {}", path.display()), &cause))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_can_be_set_is_set() {
        let folder = tempfile::tempdir().unwrap();
        let ksm = folder.path().join("sys/kernel/mm/ksm");
        std::fs::create_dir_all(&ksm).unwrap();
        std::fs::write(ksm.join("pages_to_scan"), "100\n").unwrap();
        std::fs::write(ksm.join("pages_shared"), "8\n").unwrap();
        let node = Node::below(folder.path());
        let all = node.node_memory_parameters().unwrap();
        assert_eq!(all[0], TypedParam::new("shm_pages_to_scan", 100u32));
        assert_eq!(all[1], TypedParam::new("shm_pages_shared", 8u64));
        node.node_set_memory_parameters(&[TypedParam::new("shm_pages_to_scan", 7u32)]).unwrap();
        assert_eq!(node.node_memory_parameters().unwrap()[0], TypedParam::new("shm_pages_to_scan", 7u32));
        assert!(node.node_set_memory_parameters(&[TypedParam::new("shm_pages_shared", 7u64)]).is_err());
    }
}
