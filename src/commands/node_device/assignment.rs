//! Devices taken from the host's drivers and given back: nodedev-detach, nodedev-reattach, nodedev-reset.

use super::device_by_name;
use crate::commands::plain_name::known_as;
use crate::shell::args::Args;
use crate::shell::session::Session;
use crate::shell::spec::{Command, Complete, Group, Opt};
use anyhow::{Context, Result};

/// The rows of this file.
pub const COMMANDS: &[Command] = &[
    Command::new("nodedev-detach", Group::NodeDevice, detach)
        .about(
            "take a device from the host's driver",
            "Frees a device of the host from its driver, so that it can be given to a guest.",
        )
        .aliases(&["nodedev-dettach"])
        .options(&[
            DEVICE,
            Opt::text("driver", "the driver that holds it meanwhile, such as vfio")
                .tolerated_by_place()
                .complete(Complete::Words(&["default", "kvm", "vfio", "xen"])),
        ])
        .writes(),
    Command::new("nodedev-reattach", Group::NodeDevice, reattach)
        .about("give a device back to the host's driver", "Undoes nodedev-detach.")
        .options(&[DEVICE])
        .writes(),
    Command::new("nodedev-reset", Group::NodeDevice, reset)
        .about("reset a device", "Resets a device of the host before or after a guest uses it.")
        .options(&[DEVICE])
        .writes(),
];

const DEVICE: Opt = Opt::text("device", "a device by its name").required().complete(Complete::NodeDevice);

fn detach(session: &mut Session, args: &Args) -> Result<()> {
    let connection = session.connection()?;
    let name = device_by_name(connection, args)?.name;
    let driver = args.get("driver").filter(|driver| !driver.is_empty());
    let mut answer = connection.node_devices().detach(&name, driver, 0);
    if driver.is_none() {
        // The oldest function of the public interface is spelled this way.
        answer = known_as(answer, "virNodeDeviceDettach");
    }
    answer.with_context(|| format!("Failed to detach device {name}"))?;
    session.print_extra(format_args!("Device {name} detached\n"));
    Ok(())
}

fn reattach(session: &mut Session, args: &Args) -> Result<()> {
    let connection = session.connection()?;
    let name = device_by_name(connection, args)?.name;
    let answer = connection.node_devices().re_attach(&name);
    answer.with_context(|| format!("Failed to re-attach device {name}"))?;
    session.print_extra(format_args!("Device {name} re-attached\n"));
    Ok(())
}

fn reset(session: &mut Session, args: &Args) -> Result<()> {
    let connection = session.connection()?;
    let name = device_by_name(connection, args)?.name;
    let answer = connection.node_devices().reset(&name);
    answer.with_context(|| format!("Failed to reset device {name}"))?;
    session.print_extra(format_args!("Device {name} reset\n"));
    Ok(())
}
