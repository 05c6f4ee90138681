//! The node's memory by NUMA cells and pages: freecell, freepages, allocpages, node-memory-tune.

use crate::backend::Host;
use crate::commands::parameters;
use crate::model::TypedParam;
use crate::model::constants::*;
use crate::shell::args::Args;
use crate::shell::session::Session;
use crate::shell::spec::{Command, Complete, Group, Opt};
use crate::xml::{self, Element};
use anyhow::{Context, Result, bail};
use serde_json::json;

/// The rows of this file.
pub const COMMANDS: &[Command] = &[
    Command::new("allocpages", Group::Host, alloc_pages)
        .about(
            "change how many huge pages the node keeps",
            "Sets the number of pages of a size that are set aside for guests, in one NUMA cell or in all.",
        )
        .options(&[
            Opt::number("pagesize", "the size of a page, in KiB without a suffix")
                .required()
                .complete(Complete::PageSize),
            Opt::number("pagecount", "how many pages").required(),
            Opt::number("cellno", "in this NUMA cell").tolerated_by_place(),
            Opt::flag("add", "add to what is there instead of setting it"),
            Opt::flag("all", "in all NUMA cells"),
        ])
        .writes(),
    Command::new("freecell", Group::Host, free_cell)
        .answers(
            "{free: integer} | {cell: integer, free: integer} | [{cell: integer, free: \
             integer}]",
        )
        .about("show the node's free memory", "Shows how much memory is free, of the node or by NUMA cells.")
        .options(&[
            Opt::number("cellno", "of this NUMA cell").tolerated_by_place(),
            Opt::flag("all", "of each NUMA cell"),
        ]),
    Command::new("freepages", Group::Host, free_pages)
        .answers(
            "{page_kib: integer, free: integer} | [{cell: integer, page_kib: integer, free: \
             integer}]",
        )
        .about("show the node's free pages", "Shows how many pages of a size are free in a NUMA cell.")
        .options(&[
            Opt::number("cellno", "in this NUMA cell").tolerated_by_place(),
            Opt::number("pagesize", "of this size, in KiB without a suffix")
                .tolerated_by_place()
                .complete(Complete::PageSize),
            Opt::flag("all", "in each NUMA cell, of each size"),
        ]),
    Command::new("node-memory-tune", Group::Host, tune)
        .answers("{*: any}")
        .about(
            "show or set how the node merges equal memory",
            "Shows the settings and counters of the kernel's samepage merging, or changes settings.",
        )
        .options(&[
            Opt::number("shm-pages-to-scan", "pages to look at before the service sleeps")
                .tolerated_by_place(),
            Opt::number("shm-sleep-millisecs", "milliseconds to sleep between two rounds")
                .tolerated_by_place(),
            Opt::number("shm-merge-across-nodes", "1 to merge pages of different NUMA nodes, 0 not to")
                .tolerated_by_place(),
        ])
        .writes(),
];

fn capabilities(host: &dyn Host) -> Result<Element> {
    let text = host.capabilities().context("unable to get node capabilities")?;
    Ok(xml::parse(&text, "capabilities")?)
}

/// The numbers of the node's NUMA cells.
fn cells(capabilities: &Element) -> Vec<i32> {
    let cells = capabilities.find("host/topology/cells");
    let ids = cells.into_iter().flat_map(|cells| cells.children("cell"));
    ids.filter_map(|cell| cell.attribute("id")?.parse().ok()).collect()
}

fn free_cell(session: &mut Session, args: &Args) -> Result<()> {
    args.exclusive("all", "cellno")?;
    let connection = session.handle()?;
    let host = connection.host();
    if args.has("all") {
        return all_cells(session, host);
    }
    let Some(cell) = args.number::<i32>("cellno")? else {
        let free = host.node_free_memory()?;
        return session.show(&json!({ "free": free }), |session| {
            session.print(format_args!("Total: {} KiB\n", free / 1024));
        });
    };
    let free = free_in(host, cell)?;
    session.show(&json!({ "cell": cell, "free": free }), |session| {
        session.print(format_args!("{cell}: {} KiB\n", free / 1024));
    })
}

/// Free bytes of one cell.
fn free_in(host: &dyn Host, cell: i32) -> Result<u64> {
    if cell < 0 {
        bail!("startCell in virNodeGetCellsFreeMemory must be zero or greater");
    }
    Ok(host.node_cells_free_memory(cell, 1)?.first().copied().unwrap_or_default())
}

fn all_cells(session: &mut Session, host: &dyn Host) -> Result<()> {
    let cells = cells(&capabilities(host)?);
    let mut free = Vec::new();
    for cell in cells {
        let failed = || format!("failed to get free memory for NUMA node number: {cell}");
        free.push((cell, free_in(host, cell).with_context(failed)?));
    }
    let data: Vec<_> = free.iter().map(|(cell, free)| json!({"cell": cell, "free": free})).collect();
    session.show(&data, |session| {
        for (cell, bytes) in &free {
            session.print(format_args!("{cell:5}: {:10} KiB\n", bytes / 1024));
        }
        let total: u64 = free.iter().map(|(_, bytes)| bytes / 1024).sum();
        session.print_extra(format_args!("{}\n{:>5}: {total:10} KiB\n", "-".repeat(20), "Total"));
    })
}

/// A page's size in KiB, as drivers count it.
fn page_size(args: &Args) -> Result<Option<u32>> {
    let size = args.size("pagesize", 1024, u64::from(u32::MAX) * 1024)?;
    Ok(size.and_then(|bytes| u32::try_from(bytes / 1024).ok()))
}

fn free_pages(session: &mut Session, args: &Args) -> Result<()> {
    args.exclusive("all", "cellno")?;
    let connection = session.handle()?;
    let host = connection.host();
    let cell = args.number::<i32>("cellno")?;
    let size = page_size(args)?;
    if args.has("all") {
        return all_pages(session, host, size);
    }
    let Some(cell) = cell else {
        bail!("missing cellno argument");
    };
    if cell < -1 {
        bail!("cell number must be non-negative integer or -1");
    }
    let Some(size) = size else {
        bail!("missing pagesize argument");
    };
    let free = host.node_free_pages(&[size], cell, 1, 0)?.first().copied().unwrap_or_default();
    session.show(&json!({ "page_kib": size, "free": free }), |session| {
        // Signed, as virsh shows it.
        session.print(format_args!("{size}KiB: {}\n", free as i64));
    })
}

/// The sizes of pages that the node's CPUs know, or that its cells have, in KiB.
fn page_sizes(capabilities: &Element) -> Vec<u32> {
    let sizes = |element: &Element| -> Vec<u32> {
        let pages = element.children("pages");
        pages.filter_map(|pages| pages.attribute("size")?.parse().ok()).collect()
    };
    let known = capabilities.find("host/cpu").map(sizes).unwrap_or_default();
    if !known.is_empty() {
        return known;
    }
    let cells = capabilities.find("host/topology/cells");
    let mut found: Vec<u32> =
        cells.into_iter().flat_map(|cells| cells.children("cell")).flat_map(sizes).collect();
    found.sort_unstable();
    found.dedup();
    found
}

fn all_pages(session: &mut Session, host: &dyn Host, only: Option<u32>) -> Result<()> {
    let capabilities = capabilities(host)?;
    let sizes = only.map_or_else(|| page_sizes(&capabilities), |size| vec![size]);
    let mut text = String::new();
    let mut data = Vec::new();
    for cell in cells(&capabilities) {
        let free = host.node_free_pages(&sizes, cell, 1, 0)?;
        text.push_str(&format!("Node {cell}:\n"));
        for (size, free) in sizes.iter().zip(free) {
            text.push_str(&format!("{size}KiB: {free}\n"));
            data.push(json!({"cell": cell, "page_kib": size, "free": free}));
        }
        text.push('\n');
    }
    session.show(&data, |session| session.print(text))
}

fn alloc_pages(session: &mut Session, args: &Args) -> Result<()> {
    args.exclusive("all", "cellno")?;
    let cell = args.number::<i32>("cellno")?;
    let size = page_size(args)?.unwrap_or_default();
    let count = args.number::<u64>("pagecount")?.unwrap_or_default();
    let flags = if args.has("add") { NODE_ALLOC_PAGES_ADD } else { NODE_ALLOC_PAGES_SET };
    let connection = session.connection()?;
    let host = connection.host();
    let (first, cells) = if args.has("all") {
        let cells = cells(&capabilities(host)?);
        (0, u32::try_from(cells.len()).unwrap_or(1))
    } else {
        (cell.unwrap_or(-1), 1)
    };
    host.node_alloc_pages(&[size], &[count], first, cells, flags)?;
    Ok(())
}

const SETTINGS: &[(&str, &str)] = &[
    ("shm-pages-to-scan", "shm_pages_to_scan"),
    ("shm-sleep-millisecs", "shm_sleep_millisecs"),
    ("shm-merge-across-nodes", "shm_merge_across_nodes"),
];

fn tune(session: &mut Session, args: &Args) -> Result<()> {
    let mut settings = Vec::new();
    for (option, name) in SETTINGS {
        if let Some(value) = args.number::<u32>(option)? {
            settings.push(TypedParam::new(*name, value));
        }
    }
    let connection = session.connection()?;
    if !settings.is_empty() {
        let answer = connection.host().node_set_memory_parameters(&settings, 0);
        return answer.context("Unable to change memory parameters");
    }
    let answer = connection.host().node_memory_parameters(0);
    let params = answer.context("Unable to get number of memory parameters")?;
    let lines = params.iter().map(|param| format!("\t{:<15} {}\n", param.name, param.value));
    let text = format!("Shared memory:\n{}", lines.collect::<String>());
    session.show(&parameters::object(&params), |session| session.print(text))
}
