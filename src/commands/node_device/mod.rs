//! Commands about the host's devices: a file a few related commands.

mod assignment;
mod events;
mod lifecycle;
mod listing;
pub(in crate::commands) mod tree;

use crate::backend::Connection;
use crate::error::Error;
use crate::model::NodeDeviceRef;
use crate::shell::args::Args;
use crate::shell::spec::{Command, Complete, Opt};
use crate::shell::suggestion::UnknownName;
use anyhow::{Context, Result, bail};

/// The rows of each file.
pub const COMMANDS: &[&[Command]] =
    &[assignment::COMMANDS, events::COMMANDS, lifecycle::COMMANDS, listing::COMMANDS];

/// The operand that most commands on devices begin with.
const DEVICE: Opt = Opt::text("device", "a device by its name, or a SCSI host by its pair wwnn,wwpn")
    .required()
    .complete(Complete::NodeDevice);

/// The device whose name is the option `device`.
fn device_by_name(connection: &dyn Connection, args: &Args) -> Result<NodeDeviceRef> {
    let name = args.required("device")?;
    let answer = connection.node_devices().lookup_by_name(name);
    answer.with_context(|| {
        UnknownName::new(format!("Could not find matching device '{name}'"), name, Complete::NodeDevice)
    })
}

/// How long the name of a port of a storage network is.
const WWN_DIGITS: usize = 16;

/// The device that the option `device` names.
fn device(connection: &dyn Connection, args: &Args) -> Result<NodeDeviceRef> {
    let text = args.required("device")?;
    let devices = connection.node_devices();
    let answer = match text.split(',').collect::<Vec<_>>()[..] {
        [name] => devices.lookup_by_name(name),
        [wwnn, wwpn] => {
            for wwn in [wwnn, wwpn] {
                if wwn.len() != WWN_DIGITS || !wwn.bytes().all(|digit| digit.is_ascii_hexdigit()) {
                    return Err(Error::internal(format!("Malformed wwn: {wwn}")).into());
                }
            }
            devices.lookup_scsi_host_by_wwn(wwnn, wwpn, 0)
        }
        _ => bail!("Malformed device value '{text}'"),
    };
    answer.with_context(|| {
        UnknownName::new(format!("Could not find matching device '{text}'"), text, Complete::NodeDevice)
    })
}
