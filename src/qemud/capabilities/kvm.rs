//! Whether this process may use the kernel's virtual machine, and why not if not.

use std::fs::OpenOptions;
use std::os::fd::AsRawFd;
use std::path::Path;

/// The device file.
pub const DEVICE: &str = "/dev/kvm";

mod request {
    //! The one question put to the device.
    nix::ioctl_write_int_bad!(
        /// `KVM_GET_API_VERSION`; its argument must be 0.
        get_api_version,
        0xAE00
    );
}

/// Opens the device and asks its version, as QEMU will; the cause in words when that fails.
pub fn usable() -> Result<(), String> {
    if !Path::new(DEVICE).exists() {
        return Err(format!(
            "{DEVICE} does not exist: virtualization is off in the firmware, or the kvm module is not loaded"
        ));
    }
    let file = OpenOptions::new().read(true).write(true).open(DEVICE).map_err(|cause| {
        let words = crate::error::Error::system(format!("cannot open {DEVICE}"), &cause).message;
        match cause.kind() {
            std::io::ErrorKind::PermissionDenied => format!("{words} (is this user in the group 'kvm'?)"),
            _ => words,
        }
    })?;
    ask_version(&file)
}

#[allow(unsafe_code)]
fn ask_version(file: &std::fs::File) -> Result<(), String> {
    // SAFETY: the request takes a plain number and writes no memory; the descriptor is open for the call's duration.
    let version = unsafe { request::get_api_version(file.as_raw_fd(), 0) };
    match version {
        Ok(12) => Ok(()),
        Ok(other) => Err(format!("{DEVICE} speaks version {other} of its interface, 12 is needed")),
        Err(cause) => Err(format!("{DEVICE} does not answer: {}", cause.desc())),
    }
}
