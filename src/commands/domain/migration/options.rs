//! What `migrate` takes, and how it becomes the flags and parameters of the protocol.

use crate::commands::files;
use crate::model::constants::*;
use crate::model::{ParamValue, TypedParam};
use crate::shell::args::Args;
use crate::shell::spec::{Complete, Opt};
use anyhow::{Context, Result, bail};

/// The options in virsh's order.
pub const OPTIONS: &[Opt] = &[
    Opt::domain(Complete::Domain),
    Opt::text(
        "desturi",
        "the destination's connection URI: as this shell sees it, or with --p2p as the source host sees it",
    )
    .required(),
    Opt::flag("live", "let the guest run while its memory moves"),
    Opt::flag("offline", "move the definition of a domain that is off"),
    Opt::flag("p2p", "the source host drives the migration, not this shell"),
    Opt::flag("direct", "the source's hypervisor drives the migration"),
    Opt::flag("tunnelled", "with --p2p: send the memory through the daemons' own connection"),
    Opt::flag("persistent", "keep the domain's definition at the destination"),
    Opt::flag("undefinesource", "forget the domain's definition at the source"),
    Opt::flag("suspend", "leave the guest paused at the destination"),
    Opt::flag("copy-storage-all", "copy disks that are not shared, whole"),
    Opt::flag("copy-storage-inc", "copy disks that are not shared, but for a base that both hosts have"),
    Opt::flag("copy-storage-synchronous-writes", "guest writes wait until the destination has them, too"),
    Opt::flag("change-protection", "let nobody change the domain meanwhile"),
    Opt::flag("unsafe", "go on where a disk's cache or place makes the migration risky"),
    Opt::flag("verbose", "show how far it is"),
    Opt::flag("compressed", "send pages that changed again in short"),
    Opt::flag("auto-converge", "slow the guest down until the migration keeps up"),
    Opt::flag("rdma-pin-all", "pin all memory before moving it by RDMA"),
    Opt::flag("abort-on-error", "give up at errors that could be lived with"),
    Opt::flag("postcopy", "allow migrate-postcopy to move the guest before all of its memory"),
    Opt::flag("postcopy-after-precopy", "do that as soon as all memory was sent once"),
    Opt::flag("postcopy-resume", "take up a migration that broke after the guest had moved"),
    Opt::flag("zerocopy", "send memory without copying it in the kernel"),
    Opt::text("migrateuri", "where the memory goes, such as tcp://host:49152").tolerated_by_place(),
    Opt::text("graphicsuri", "where viewers of the guest's screen are sent").tolerated_by_place(),
    Opt::text("listen-address", "the address at which the destination waits for the guest")
        .tolerated_by_place(),
    Opt::text("dname", "the domain's name at the destination").tolerated_by_place(),
    Opt::number(
        "timeout",
        "after so many seconds of live migration do what --timeout-… says; suspend if nothing",
    )
    .tolerated_by_place(),
    Opt::flag("timeout-suspend", "pause the guest after the timeout"),
    Opt::flag("timeout-postcopy", "move the guest before its memory after the timeout"),
    Opt::text("xml", "file with the XML for the destination").tolerated_by_place().complete(Complete::File),
    Opt::text("migrate-disks", "the disks to copy, parted by commas")
        .tolerated_by_place()
        .complete(Complete::DiskList),
    Opt::text("migrate-disks-detect-zeroes", "disks of which zeroes are not sent, parted by commas")
        .complete(Complete::DiskList),
    Opt::number("disks-port", "port at which the destination waits for disks").tolerated_by_place(),
    Opt::text("disks-uri", "where disks go; overrides --disks-port"),
    Opt::text("comp-methods", "ways to compress, parted by commas")
        .complete(Complete::WordList(&["mt", "xbzrle", "zlib", "zstd"])),
    Opt::number("comp-mt-level", "how hard threads compress"),
    Opt::number("comp-mt-threads", "how many threads compress"),
    Opt::number("comp-mt-dthreads", "how many threads unpack"),
    Opt::number("comp-xbzrle-cache", "size of the page cache of xbzrle in bytes"),
    Opt::number("auto-converge-initial", "how much to slow the guest down at first, in per cent"),
    Opt::number("auto-converge-increment", "how much to add each time that is not enough"),
    Opt::text("persistent-xml", "file with the XML to keep at the destination").complete(Complete::File),
    Opt::flag("tls", "encrypt the migration"),
    Opt::number("postcopy-bandwidth", "speed limit after the guest has moved, in MiB/s"),
    Opt::flag("parallel", "use several connections"),
    Opt::number("parallel-connections", "how many of them"),
    Opt::number("bandwidth", "speed limit in MiB/s"),
    Opt::text("tls-destination", "the name that the destination's certificate must bear"),
    Opt::number("comp-zlib-level", "how hard zlib compresses"),
    Opt::number("comp-zstd-level", "how hard zstd compresses"),
    Opt::number("available-switchover-bandwidth", "what may be sent while the guest stands still, in MiB/s"),
];

const FLAGS: &[(&str, u32)] = &[
    ("live", MIGRATE_LIVE),
    ("offline", MIGRATE_OFFLINE),
    ("p2p", MIGRATE_PEER2PEER),
    ("tunnelled", MIGRATE_TUNNELLED),
    ("persistent", MIGRATE_PERSIST_DEST),
    ("undefinesource", MIGRATE_UNDEFINE_SOURCE),
    ("suspend", MIGRATE_PAUSED),
    ("copy-storage-all", MIGRATE_NON_SHARED_DISK),
    ("copy-storage-inc", MIGRATE_NON_SHARED_INC),
    ("copy-storage-synchronous-writes", MIGRATE_NON_SHARED_SYNCHRONOUS_WRITES),
    ("change-protection", MIGRATE_CHANGE_PROTECTION),
    ("unsafe", MIGRATE_UNSAFE),
    ("compressed", MIGRATE_COMPRESSED),
    ("auto-converge", MIGRATE_AUTO_CONVERGE),
    ("rdma-pin-all", MIGRATE_RDMA_PIN_ALL),
    ("abort-on-error", MIGRATE_ABORT_ON_ERROR),
    ("postcopy", MIGRATE_POSTCOPY),
    ("postcopy-resume", MIGRATE_POSTCOPY_RESUME),
    ("zerocopy", MIGRATE_ZEROCOPY),
    ("tls", MIGRATE_TLS),
    ("parallel", MIGRATE_PARALLEL),
];

/// How an option's value becomes a parameter.
#[derive(Clone, Copy)]
enum Kind {
    Text,
    /// A list, each item a parameter of the same name.
    List,
    /// A list that speaks of disks that are copied.
    CopiedDisks,
    /// The text of a file.
    File,
    Int,
    ULong,
}

/// An option, the parameter it sets, and how; in the order in which virsh reads and so refuses them.
const PARAMETERS: &[(&str, &str, Kind)] = &[
    ("migrateuri", "migrate_uri", Kind::Text),
    ("graphicsuri", "graphics_uri", Kind::Text),
    ("listen-address", "listen_address", Kind::Text),
    ("disks-port", "disks_port", Kind::Int),
    ("disks-uri", "disks_uri", Kind::Text),
    ("dname", "destination_name", Kind::Text),
    ("migrate-disks", "migrate_disks", Kind::CopiedDisks),
    ("migrate-disks-detect-zeroes", "migrate_disks_detect_zeroes", Kind::CopiedDisks),
    ("comp-methods", "compression", Kind::List),
    ("comp-mt-level", "compression.mt.level", Kind::Int),
    ("comp-mt-threads", "compression.mt.threads", Kind::Int),
    ("comp-mt-dthreads", "compression.mt.dthreads", Kind::Int),
    ("comp-xbzrle-cache", "compression.xbzrle.cache", Kind::ULong),
    ("xml", "destination_xml", Kind::File),
    ("persistent-xml", "persistent_xml", Kind::File),
    ("auto-converge-initial", "auto_converge.initial", Kind::Int),
    ("auto-converge-increment", "auto_converge.increment", Kind::Int),
    ("postcopy-bandwidth", "bandwidth.postcopy", Kind::ULong),
    ("parallel-connections", "parallel.connections", Kind::Int),
    ("comp-zlib-level", "compression.zlib.level", Kind::Int),
    ("comp-zstd-level", "compression.zstd.level", Kind::Int),
    ("bandwidth", "bandwidth", Kind::ULong),
    ("tls-destination", "tls.destination", Kind::Text),
    ("available-switchover-bandwidth", "bandwidth.avail.switchover", Kind::ULong),
];

/// Refuses what does not go together, before anything is asked.
pub fn check(args: &Args) -> Result<()> {
    args.exclusive("live", "offline")?;
    args.exclusive("timeout-suspend", "timeout-postcopy")?;
    args.exclusive("copy-storage-all", "copy-storage-inc")?;
    args.requires("postcopy-after-precopy", "postcopy")?;
    args.requires("postcopy-resume", "postcopy")?;
    args.requires("timeout-postcopy", "postcopy")?;
    args.requires("persistent-xml", "persistent")?;
    args.requires("tls-destination", "tls")
}

/// The flags and the parameters of the protocol.
pub fn read(args: &Args) -> Result<(u32, Vec<TypedParam>)> {
    needs_copying(args, "copy-storage-synchronous-writes")?;
    let mut params = Vec::new();
    for &(option, name, kind) in PARAMETERS {
        let mut add = |value: ParamValue| params.push(TypedParam::new(name, value));
        match kind {
            Kind::Int => args.number::<i32>(option)?.into_iter().for_each(|value| add(value.into())),
            Kind::ULong => args.number::<u64>(option)?.into_iter().for_each(|value| add(value.into())),
            Kind::Text => args.text(option)?.into_iter().for_each(|text| add(text.into())),
            Kind::File => {
                if let Some(path) = args.text(option)? {
                    let text = files::read(path).with_context(|| format!("cannot read file '{path}'"))?;
                    add(text.into());
                }
            }
            Kind::List | Kind::CopiedDisks => {
                let list = args.text(option)?;
                if matches!(kind, Kind::CopiedDisks) {
                    needs_copying(args, option)?;
                }
                list.into_iter().flat_map(|list| list.split(',')).for_each(|item| add(item.into()));
            }
        }
    }
    Ok((args.flags(FLAGS), params))
}

/// Refuses an option about disks when none is copied.
fn needs_copying(args: &Args, option: &str) -> Result<()> {
    if args.has(option) && !args.has("copy-storage-all") && !args.has("copy-storage-inc") {
        bail!("'--{option}' requires one of '--copy-storage-all', '--copy-storage-inc'");
    }
    Ok(())
}
