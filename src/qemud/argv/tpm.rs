//! The TPM: a device in front of swtpm, which runs beside QEMU and keeps its state in a folder of its own.

use super::builder::{Builder, alias};
use super::network::find_program;
use super::properties::{Properties, comma};
use super::{Preparation, SideProcess};
use crate::error::{Error, Result};
use crate::xml::Element;
use std::path::PathBuf;

/// The arguments.
pub fn arguments(builder: &mut Builder<'_>) -> Result<()> {
    for tpm in builder.devices("tpm") {
        emulator(builder, tpm)?;
    }
    Ok(())
}

fn emulator(builder: &mut Builder<'_>, tpm: &Element) -> Result<()> {
    let id = alias(tpm);
    let model = match tpm.attribute("model") {
        Some("tpm-crb") => "tpm-crb",
        _ if builder.board.arch.is_x86 => "tpm-tis",
        _ => "tpm-tis-device",
    };
    if !builder.capabilities.has_type(model) {
        return Err(Error::unsupported_configuration(format!(
            "The QEMU executable {} does not support TPM model {}",
            builder.capabilities.binary.display(),
            tpm.attribute("model").unwrap_or_default()
        )));
    }
    let program = find_program("swtpm")?;
    let state = state_folder(builder, tpm)?;
    let socket = builder.runtime.join("swtpm.sock");
    builder.prepare(Preparation::Folder(state.clone()));
    builder.prepare(Preparation::Remove(socket.clone()));
    let mut arguments = vec![
        "socket".to_string(),
        "--ctrl".into(),
        format!("type=unixio,path={},mode=0600", socket.display()),
        "--tpmstate".into(),
        format!("dir={},mode=0600", state.display()),
        "--terminate".into(),
    ];
    if tpm.child_attribute("backend", "version") != Some("1.2") {
        arguments.push("--tpm2".into());
    }
    builder.side_process(SideProcess { name: "swtpm".into(), program, arguments, socket: socket.clone() });
    builder.option("-chardev", format!("socket,id=chrtpm,path={}", comma(&socket.display().to_string())));
    builder.option("-tpmdev", format!("emulator,id=tpm-{id},chardev=chrtpm"));
    builder.device(&Properties::device(model, id).with("tpmdev", format!("tpm-{id}")));
    Ok(())
}

/// Where the chip's memory is kept from one start to the next: beside the domain's UEFI variables.
fn state_folder(builder: &Builder<'_>, tpm: &Element) -> Result<PathBuf> {
    if let Some(given) = tpm.find("backend/source").and_then(|source| source.attribute("path")) {
        return Ok(PathBuf::from(given));
    }
    let uuid = builder.active.child_text("uuid").unwrap_or_default();
    let base = match nix::unistd::geteuid().is_root() && std::env::var_os("XDG_STATE_HOME").is_none() {
        true => PathBuf::from("/var/lib/hvsh"),
        false => {
            let home = std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".local/state"));
            let state = std::env::var_os("XDG_STATE_HOME").map(PathBuf::from).or(home);
            state.ok_or_else(|| Error::internal("neither XDG_STATE_HOME nor HOME is set"))?.join("hvsh")
        }
    };
    Ok(base.join("swtpm").join(uuid))
}
