//! From a complete definition to a QEMU process: its arguments, what must be prepared, and what is asked of its monitor.
//!
//! One file a kind of device. `-device`, `-blockdev` and `-object` are written in JSON, which needs no quoting rules.
//! The arguments are made from the *active* tree, that is the definition with its aliases, ports and paths filled in,
//! so that what is shown of a running guest is what it runs with.

mod active;
mod builder;
mod chardev;
mod controller;
mod cpu;
mod disk;
mod display;
mod image;
mod machine;
mod network;
mod node;
mod peripheral;
mod properties;
mod smbios;
mod taps;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod tests_devices;
#[cfg(test)]
mod tests_options;
pub mod throttle;
mod tpm;
mod virtio;

pub use active::vnc_port_of;
pub use chardev::backend_object;
pub use machine::iothreads;

use crate::error::Result;
use crate::qemud::capabilities::QemuCapabilities;
use crate::xml::Element;
use builder::Builder;
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// What a guest is to be started from.
pub struct LaunchRequest<'a> {
    /// The complete definition.
    pub definition: &'a Element,
    /// The facts of its binary.
    pub capabilities: Arc<QemuCapabilities>,
    /// The guest's private runtime folder.
    pub runtime: &'a Path,
    /// The guest's number.
    pub id: u32,
    /// Whether it waits for its memory to come in from elsewhere instead of booting.
    pub incoming: bool,
    /// Whether it runs already, on the ports that stand in its definition.
    pub live: bool,
    /// A listening unix socket for the monitor, as the number it will have in the child; else QEMU makes
    /// [`monitor_socket`] itself.
    pub monitor_fd: Option<i32>,
}

/// The monitor's socket in a guest's runtime folder.
pub fn monitor_socket(runtime: &Path) -> PathBuf {
    runtime.join("monitor.sock")
}

/// A process that must run beside QEMU, started before it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SideProcess {
    /// What it is, for messages.
    pub name: String,
    /// The program.
    pub program: PathBuf,
    /// Its arguments.
    pub arguments: Vec<String>,
    /// The socket it must have made before QEMU starts.
    pub socket: PathBuf,
}

/// Something to do before QEMU starts.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Preparation {
    /// Make a folder for this user only.
    Folder(PathBuf),
    /// Copy a file, unless the copy is there already.
    Copy {
        /// The original.
        from: PathBuf,
        /// The copy.
        to: PathBuf,
    },
    /// Remove what a former run left here.
    Remove(PathBuf),
    /// Run a program to its end; its failure is the start's.
    Run {
        /// What for, as in "cannot …".
        purpose: String,
        /// The program and its arguments.
        command: Vec<String>,
    },
}

/// A question put to the monitor after the start, before the guest's processors run.
#[derive(Clone, PartialEq, Debug)]
pub struct MonitorCommand {
    /// Its name.
    pub command: String,
    /// Its arguments; null for none.
    pub arguments: Value,
}

/// How to start a guest.
pub struct Launch {
    /// The program.
    pub program: PathBuf,
    /// Its arguments.
    pub arguments: Vec<String>,
    /// Its whole environment.
    pub environment: Vec<(String, String)>,
    /// What to do first, in order.
    pub prepare: Vec<Preparation>,
    /// What to run beside it.
    pub side_processes: Vec<SideProcess>,
    /// What to ask the monitor before the guest's processors run, in order.
    pub monitor_commands: Vec<MonitorCommand>,
    /// Commands that undo the preparations after the guest is gone; their failure does not matter.
    pub clean_up: Vec<Vec<String>>,
    /// The definition with aliases, ports and paths: the active definition, but for the domain's id and for what only the
    /// monitor knows (the names of ptys).
    pub active: Element,
}

/// Works out how to start a guest; changes nothing but ports seen free.
pub fn launch(request: &LaunchRequest<'_>) -> Result<Launch> {
    let active = active::activate(request)?;
    let mut builder = Builder::new(request, &active)?;
    machine::arguments(&mut builder)?;
    monitor(&mut builder, request);
    machine::run_state(&mut builder)?;
    controller::arguments(&mut builder)?;
    disk::arguments(&mut builder)?;
    network::arguments(&mut builder)?;
    chardev::arguments(&mut builder)?;
    tpm::arguments(&mut builder)?;
    display::arguments(&mut builder)?;
    peripheral::arguments(&mut builder)?;
    for device in active.child("devices").into_iter().flat_map(Element::elements) {
        for (command, arguments) in commands_for(device) {
            builder.ask(command, arguments);
        }
    }
    machine::closing(&mut builder, request.incoming);
    let environment = environment(&active);
    let done = builder.finish();
    Ok(Launch {
        program: request.capabilities.binary.clone(),
        arguments: done.arguments,
        environment,
        prepare: done.prepare,
        side_processes: done.side_processes,
        monitor_commands: done.monitor_commands,
        clean_up: done.clean_up,
        active,
    })
}

/// What is asked of the monitor for one device, besides making it: a cable that is out, limits of a disk.
pub fn commands_for(device: &Element) -> Vec<(&'static str, Value)> {
    match device.name.as_str() {
        "interface" => network::commands_for(device),
        "disk" => throttle::commands_for(device),
        _ => Vec::new(),
    }
}

fn monitor(builder: &mut Builder<'_>, request: &LaunchRequest<'_>) {
    let address = match request.monitor_fd {
        Some(fd) => format!("fd={fd}"),
        None => format!("path={}", properties::comma(&monitor_socket(request.runtime).display().to_string())),
    };
    builder.option("-chardev", format!("socket,id=charmonitor,{address},server=on,wait=off"));
    builder.option("-mon", "chardev=charmonitor,id=monitor,mode=control");
}

/// QEMU needs little of the environment; what a definition adds comes last.
fn environment(active: &Element) -> Vec<(String, String)> {
    let inherited = ["PATH", "HOME", "USER", "LOGNAME", "XDG_RUNTIME_DIR", "TMPDIR"];
    let mut variables = vec![("LC_ALL".to_string(), "C".to_string())];
    for name in inherited {
        if let Ok(value) = std::env::var(name) {
            variables.push((name.to_string(), value));
        }
    }
    for given in active.find("qemu:commandline").into_iter().flat_map(|line| line.children("qemu:env")) {
        if let Some(name) = given.attribute("name") {
            variables.retain(|(known, _)| known != name);
            variables.push((name.to_string(), given.attribute("value").unwrap_or_default().to_string()));
        }
    }
    variables
}
