//! Reading the files that commands are given: XML definitions, mostly.

use crate::error::Error;
use anyhow::Result;
use std::fs::File;
use std::io::{ErrorKind, Read};

/// The most that is read of a file, as virsh has it.
const MOST: u64 = 10 * 1024 * 1024;

/// The text of the file at `path`; anything from a missing file to one that is too large is one clear error.
pub fn read(path: &str) -> Result<String> {
    let opened = File::open(path);
    let file = opened.map_err(|cause| Error::system(format!("Failed to open file '{path}'"), &cause))?;
    let failed = |cause: std::io::Error| Error::system(format!("Failed to read file '{path}'"), &cause);
    let mut bytes = Vec::new();
    file.take(MOST + 1).read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() as u64 > MOST {
        let too_large = std::io::Error::from_raw_os_error(nix::errno::Errno::EOVERFLOW as i32);
        return Err(failed(too_large).into());
    }
    let not_text = |_| failed(std::io::Error::new(ErrorKind::InvalidData, "it is not UTF-8 text"));
    Ok(String::from_utf8(bytes).map_err(not_text)?)
}

/// A path as the driver may use it, whose working folder is another: made absolute.
pub fn absolute(path: &str) -> Result<String> {
    let cannot = |cause| Error::system(format!("cannot make '{path}' absolute"), &cause);
    Ok(std::path::absolute(path).map_err(cannot)?.to_string_lossy().into_owned())
}
