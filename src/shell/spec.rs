//! The types of the command table: a row says all there is to know about a command.
//!
//! From the rows come the parser, `help`, the man page, completion and the hidden commands that completion
//! scripts call. A row is made of constants, so 283 of them cost nothing at start.

use super::args::Args;
use super::session::Session;
use anyhow::Result;

/// The function behind a command: reads its arguments, asks the backend, prints through the session.
///
/// An error's chain is printed by the reporter, outermost first, a line `error: …` each.
pub type Run = fn(&mut Session, &Args) -> Result<()>;

/// A row of the table.
#[derive(Clone, Copy)]
pub struct Command {
    /// What a person types.
    pub name: &'static str,
    /// Other names it answers to; they are not listed.
    pub aliases: &'static [&'static str],
    /// Which chapter of `help` it stands in.
    pub group: Group,
    /// One line for `help`, our own words.
    pub summary: &'static str,
    /// A paragraph for `help COMMAND` and the man page, our own words.
    pub description: &'static str,
    /// Its options in the order that counts for operands given by place.
    pub options: &'static [Opt],
    /// Whether the session must be connected first.
    pub needs_connection: bool,
    /// Whether it changes anything; such a command is not even tried on a read-only connection by completion.
    pub writes: bool,
    /// Whether `help` leaves it out.
    pub hidden: bool,
    /// Whether words and options that it does not know are passed over: `help` does so.
    pub lenient: bool,
    /// Whether it takes several domains at once, and then the options that go with a single one only.
    pub several: Option<&'static [&'static str]>,
    /// What JSON and YAML show of its answer, in the notation of [`super::shape`]; nothing if it only acts.
    pub answers: Option<&'static str>,
    /// Its behaviour.
    pub run: Run,
}

/// What an option's value may be just now; the arguments are those that stand on the line already.
///
/// It completes a line, so it never complains: what cannot be found out has no values.
pub type Values = fn(&mut Session, Complete, &Args) -> Vec<String>;

/// The whole table.
#[derive(Clone, Copy)]
pub struct Table {
    /// A list a group, in it a slice a file, in it a row a command.
    pub groups: &'static [&'static [&'static [Command]]],
    /// The names of live things, for completion.
    pub values: Values,
}

impl Table {
    /// All rows in their order.
    pub fn rows(self) -> impl Iterator<Item = &'static Command> {
        self.groups.iter().copied().flatten().copied().flatten()
    }

    /// The command that is called so, by its own name or another.
    pub fn find(self, name: &str) -> Option<&'static Command> {
        self.rows().find(|row| row.name == name || row.aliases.contains(&name))
    }
}

/// A chapter of `help`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[allow(missing_docs)] // the names say it
pub enum Group {
    Domain,
    Monitor,
    Events,
    Host,
    Checkpoint,
    Interface,
    Filter,
    Network,
    NodeDevice,
    Secret,
    Snapshot,
    Backup,
    Pool,
    Volume,
    Shell,
    Extra,
}

impl Group {
    /// What `help` calls it.
    pub const fn title(self) -> &'static str {
        match self {
            Group::Domain => "Domain Management",
            Group::Monitor => "Domain Monitoring",
            Group::Events => "Domain Events",
            Group::Host => "Host and Hypervisor",
            Group::Checkpoint => "Checkpoint",
            Group::Interface => "Interface",
            Group::Filter => "Network Filter",
            Group::Network => "Networking",
            Group::NodeDevice => "Node Device",
            Group::Secret => "Secret",
            Group::Snapshot => "Snapshot",
            Group::Backup => "Backup",
            Group::Pool => "Storage Pool",
            Group::Volume => "Storage Volume",
            Group::Shell => "Virsh itself",
            Group::Extra => "Beyond virsh",
        }
    }

    /// What a person types after `help`.
    pub const fn keyword(self) -> &'static str {
        match self {
            Group::Domain => "domain",
            Group::Monitor => "monitor",
            Group::Events => "events",
            Group::Host => "host",
            Group::Checkpoint => "checkpoint",
            Group::Interface => "interface",
            Group::Filter => "filter",
            Group::Network => "network",
            Group::NodeDevice => "nodedev",
            Group::Secret => "secret",
            Group::Snapshot => "snapshot",
            Group::Backup => "backup",
            Group::Pool => "pool",
            Group::Volume => "volume",
            Group::Shell => "virsh",
            Group::Extra => "beyond",
        }
    }
}

/// How an option takes its value.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum OptKind {
    /// Present or absent.
    Flag,
    /// A word.
    Text,
    /// A word that must be a number.
    Number,
    /// All the remaining words.
    Rest,
    /// Another spelling of the named option, or of that option with a value: `string`, `string=hello`.
    Alias(&'static str),
}

/// An option of a command.
#[derive(Clone, Copy)]
pub struct Opt {
    /// Its name, without dashes.
    pub name: &'static str,
    /// How it takes its value.
    pub kind: OptKind,
    /// Whether the command refuses to run without it.
    pub required: bool,
    /// Whether it may be given by place, without its name, and `help` says so.
    pub positional: bool,
    /// Whether it may be given by place although `help` names it: virsh has let scripts do so for long.
    pub tolerated: bool,
    /// Whether it accepts the empty string where virsh does.
    pub empty_ok: bool,
    /// One line for `help COMMAND`, our own words.
    pub help: &'static str,
    /// What completes its value.
    pub complete: Complete,
}

/// What the value of an option is, for completion.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[allow(missing_docs)] // the names say it
pub enum Complete {
    Nothing,
    File,
    /// Domains, active or not.
    Domain,
    ActiveDomain,
    InactiveDomain,
    /// Domains that these flags of a listing choose.
    DomainWith(u32),
    DomainUuid,
    /// Disk targets of the domain named by the option `domain`.
    Disk,
    /// The same, several with commas between.
    DiskList,
    /// Interfaces of the domain named by the option `domain`, by MAC or target.
    Interface,
    /// The same by MAC only.
    InterfaceMac,
    /// Devices of the domain named by the option `domain`, by alias.
    Alias,
    /// Where the guest of the domain named by the option `domain` has mounted filesystems.
    Mountpoint,
    Network,
    /// Networks that these flags of a listing choose.
    NetworkWith(u32),
    NetworkUuid,
    Pool,
    /// Pools that these flags of a listing choose.
    PoolWith(u32),
    Volume,
    /// Volumes by the path of their data.
    VolumePath,
    Snapshot,
    Checkpoint,
    /// The numbers of the vCPUs of the domain named by the option `domain`.
    Vcpu,
    /// The same, several with commas between.
    VcpuList,
    /// The I/O threads of the domain named by the option `domain`.
    IoThread,
    /// The numbers of the host's CPUs that are online.
    HostCpu,
    /// The numbers of all the host's CPUs, several with commas between.
    HostCpuList,
    /// The sizes that the host's pages have.
    PageSize,
    /// A key of the code set named by the option `codeset`.
    Key,
    NodeDevice,
    HostInterface,
    /// Interfaces of the host that these flags of a listing choose.
    HostInterfaceWith(u32),
    HostInterfaceMac,
    Secret,
    Filter,
    Command,
    /// One of these words.
    Words(&'static [&'static str]),
    /// A comma-separated list of these words.
    WordList(&'static [&'static str]),
    /// A comma-separated list of numbers.
    NumberList,
}

impl OptKind {
    /// What stands for the value in messages and in `help`.
    pub const fn value_name(self) -> &'static str {
        match self {
            OptKind::Number => "number",
            _ => "string",
        }
    }
}

impl Command {
    /// A command that needs a connection, changes nothing and has no options yet.
    pub const fn new(name: &'static str, group: Group, run: Run) -> Command {
        Command {
            name,
            aliases: &[],
            group,
            summary: "",
            description: "",
            options: &[],
            needs_connection: true,
            writes: false,
            hidden: false,
            lenient: false,
            several: None,
            answers: None,
            run,
        }
    }
    /// The option of this name, aliases included.
    pub fn option(&self, name: &str) -> Option<&'static Opt> {
        self.options.iter().find(|option| option.name == name)
    }
    /// With its line and its paragraph.
    pub const fn about(mut self, summary: &'static str, description: &'static str) -> Command {
        self.summary = summary;
        self.description = description;
        self
    }
    /// With its options.
    pub const fn options(mut self, options: &'static [Opt]) -> Command {
        self.options = options;
        self
    }
    /// With other names.
    pub const fn aliases(mut self, aliases: &'static [&'static str]) -> Command {
        self.aliases = aliases;
        self
    }
    /// A command that changes something.
    pub const fn writes(mut self) -> Command {
        self.writes = true;
        self
    }
    /// A command of the shell itself, which needs no connection.
    pub const fn local(mut self) -> Command {
        self.needs_connection = false;
        self
    }
    /// A command that passes over what it does not know.
    pub const fn lenient(mut self) -> Command {
        self.lenient = true;
        self
    }
    /// A command that takes several domains, save with these options.
    pub const fn several(mut self, single: &'static [&'static str]) -> Command {
        self.several = Some(single);
        self
    }
    /// A command that lists or shows, and what programs get of it.
    pub const fn answers(mut self, shape: &'static str) -> Command {
        self.answers = Some(shape);
        self
    }
    /// The options that help shows: all but the aliases.
    pub fn listed_options(&self) -> impl Iterator<Item = &'static Opt> {
        let options = self.options.iter();
        options.filter(|option| !matches!(option.kind, OptKind::Alias(_)))
    }
    /// A command that `help` leaves out.
    pub const fn hidden(mut self) -> Command {
        self.hidden = true;
        self
    }
}

impl Opt {
    const fn new(name: &'static str, kind: OptKind, help: &'static str) -> Opt {
        Opt {
            name,
            kind,
            required: false,
            positional: false,
            tolerated: false,
            empty_ok: false,
            help,
            complete: Complete::Nothing,
        }
    }
    /// `--name`
    pub const fn flag(name: &'static str, help: &'static str) -> Opt {
        Opt::new(name, OptKind::Flag, help)
    }
    /// `--name TEXT`
    pub const fn text(name: &'static str, help: &'static str) -> Opt {
        Opt::new(name, OptKind::Text, help)
    }
    /// `--name NUMBER`
    pub const fn number(name: &'static str, help: &'static str) -> Opt {
        Opt::new(name, OptKind::Number, help)
    }
    /// All remaining words.
    pub const fn rest(name: &'static str, help: &'static str) -> Opt {
        Opt { positional: true, ..Opt::new(name, OptKind::Rest, help) }
    }
    /// Another spelling of `target`, accepted but not listed.
    pub const fn alias(name: &'static str, target: &'static str) -> Opt {
        Opt::new(name, OptKind::Alias(target), "")
    }
    /// The operand that nearly every command begins with: a domain by name, id or uuid.
    pub const fn domain(complete: Complete) -> Opt {
        Opt::text("domain", "a domain by its name, id or uuid").required().complete(complete)
    }
    /// What stands for all the domains in place of their names.
    pub const fn all_domains() -> Opt {
        Opt::flag(super::several::ALL, "all domains that the command can be meant for")
    }
    /// Must be given; may then be given by place.
    pub const fn required(mut self) -> Opt {
        self.required = true;
        self.positional = true;
        self
    }
    /// Must be given, but only by its name.
    pub const fn required_by_name(mut self) -> Opt {
        self.required = true;
        self
    }
    /// May be given by place.
    pub const fn positional(mut self) -> Opt {
        self.positional = true;
        self
    }
    /// May be given by place, but `help` shows it with its name (`[--format <string>]`).
    pub const fn tolerated_by_place(mut self) -> Opt {
        self.positional = false;
        self.tolerated = true;
        self
    }
    /// May be given by its name only.
    pub const fn by_name_only(mut self) -> Opt {
        self.positional = false;
        self.tolerated = false;
        self
    }
    /// Whether a value has the form that the option wants, as far as its row says.
    pub fn fits(&self, value: &str) -> bool {
        match (self.kind, self.complete) {
            (OptKind::Number, _) => value.parse::<i64>().is_ok(),
            (_, Complete::Words(words)) => words.contains(&value),
            (_, Complete::WordList(words)) => value.split(',').all(|word| words.contains(&word)),
            (_, Complete::NumberList) => value.split(',').all(|number| number.parse::<u32>().is_ok()),
            _ => true,
        }
    }
    /// Whether a word without a name may be meant for it.
    pub const fn by_place(&self) -> bool {
        self.positional || self.tolerated
    }
    /// May be empty.
    pub const fn empty_ok(mut self) -> Opt {
        self.empty_ok = true;
        self
    }
    /// What completes its value.
    pub const fn complete(mut self, complete: Complete) -> Opt {
        self.complete = complete;
        self
    }
}
