//! What people and programs note about a network: net-desc, net-metadata.

use super::{NETWORK, network};
use crate::commands::description::{self, CONFIG, LIVE, Subject};
use crate::commands::impact::CURRENT;
use crate::shell::args::Args;
use crate::shell::session::Session;
use crate::shell::spec::{Command, Group, Opt};
use anyhow::Result;

/// The rows of this file.
pub const COMMANDS: &[Command] = &[
    Command::new("net-desc", Group::Network, desc)
.answers("{description: text?} | {title: text?}")
        .about(
            "show or set a network's description or title",
            "Prints the description, or the title, of a network; with words it sets it, and with an empty word \
             it removes it.",
        )
        .options(&[
            NETWORK,
            LIVE,
            CONFIG,
            CURRENT,
            Opt::flag("title", "the title rather than the description"),
            Opt::flag("edit", "change it in an editor"),
            Opt::rest("new-desc", "the new words"),
        ])
        .writes(),
    Command::new("net-metadata", Group::Network, metadata)
.answers("{xml: text?}")
        .about(
            "show or set an application's XML in a network",
            "Prints the element that an application keeps with the network under its namespace, or sets, edits \
             or removes it.",
        )
        .options(&[
            NETWORK,
            Opt::text("uri", "the application's namespace").required(),
            LIVE,
            CONFIG,
            CURRENT,
            Opt::flag("edit", "change it in an editor"),
            Opt::text("key", "the prefix that stands for the namespace").tolerated_by_place(),
            Opt::text("set", "the new element").tolerated_by_place(),
            Opt::flag("remove", "remove the element"),
        ])
        .writes(),
];

/// `net-desc` or `net-metadata`.
type Action = fn(&mut Session, &Args, &Subject) -> Result<()>;

fn desc(session: &mut Session, args: &Args) -> Result<()> {
    act(session, args, description::describe)
}

fn metadata(session: &mut Session, args: &Args) -> Result<()> {
    act(session, args, description::metadata)
}

fn act(session: &mut Session, args: &Args, action: Action) -> Result<()> {
    let connection = session.handle()?;
    let networks = connection.networks();
    let network = network(&*connection, args)?;
    let subject = Subject {
        noun: "Network",
        name: &network.name,
        reads_live: true,
        read: &|kind, uri, flags| networks.metadata(&network, kind, uri, flags),
        write: &|kind, text, key, uri, flags| networks.set_metadata(&network, kind, text, key, uri, flags),
    };
    action(session, args, &subject)
}
