//! What works on which release: tried on each, and written down in COMPATIBILITY.md.
//!
//! `HVSH_BLESS=1 cargo test --test xend table` writes it anew.

use crate::played::{Played, RELEASES};
use crate::walk::{DISK, UUID, definition, machine};
use hvsh::backend::{Connection, Domains, xen};
use hvsh::error::Result;
use hvsh::model::constants::*;
use hvsh::model::{DomainRef, TypedParam};
use hvsh::uri::Uri;
use std::path::Path;

const BEGIN: &str = "<!-- xend: begin -->\n";
const END: &str = "<!-- xend: end -->\n";

/// Tries an operation on a domain that runs, or on a definition.
type Try = fn(&dyn Domains, &DomainRef) -> Result<()>;

fn weight() -> [TypedParam; 1] {
    [TypedParam::new("weight", 300_u32)]
}

/// What is tried on a running domain.
const RUNNING: &[(&str, Try)] = &[
    ("list, dominfo, domstate", |on, it| {
        on.list_all_domains(0).and(on.info(it)).and(on.state(it, 0)).map(drop)
    }),
    ("dumpxml", |on, it| on.xml(it, 0).map(drop)),
    ("suspend, resume", |on, it| on.suspend(it).and(on.resume(it))),
    ("shutdown", |on, it| on.shutdown(it, 0)),
    ("reboot", |on, it| on.reboot(it, 0)),
    ("reset", |on, it| on.reset(it, 0)),
    ("destroy", |on, it| on.destroy(it, 0)),
    ("save, restore", |on, it| on.save(it, "/s", None, 0).and_then(|()| on.restore("/s", None, 0))),
    ("dump", |on, it| on.core_dump_with_format(it, "/d", 0, 0)),
    ("migrate", |on, it| {
        let to = [TypedParam::new("migrate_uri", "xenmigr://there")];
        on.migrate_perform3_params(it, None, &to, &[], 0).map(drop)
    }),
    ("setmem, setmaxmem", |on, it| {
        on.set_memory(it, 1 << 17, 0).and_then(|()| on.set_max_memory(it, 1 << 18))
    }),
    ("setvcpus, vcpucount", |on, it| on.set_vcpus(it, 1, 0).and(on.vcpu_count(it, 0)).map(drop)),
    ("vcpuinfo", |on, it| on.vcpu_info(it, 2, 1).map(drop)),
    ("vcpupin", |on, it| on.pin_vcpu(it, 0, &[1], 0)),
    ("schedinfo", |on, it| on.scheduler_parameters(it, 0).map(drop)),
    ("schedinfo --weight", |on, it| on.set_scheduler_parameters(it, &weight(), 0)),
    ("schedinfo --cap", |on, it| on.set_scheduler_parameters(it, &[TypedParam::new("cap", 50_u32)], 0)),
    ("attach-device, detach-device", |on, it| {
        on.attach_device(it, DISK, 0).and_then(|()| on.detach_device(it, DISK, 0))
    }),
];

/// What is tried on a definition.
const DEFINED: &[(&str, Try)] = &[
    ("define", |_, _| Ok(())),
    ("undefine", |on, it| on.undefine(it, 0)),
    ("start", |on, it| on.create(it, 0).map(drop)),
    ("autostart", |on, it| on.set_autostart(it, true)),
    ("domrename", |on, it| on.rename(it, Some("other"), 0).map(drop)),
    ("setmem --config, setmaxmem --config", |on, it| {
        on.set_memory(it, 1 << 17, DOMAIN_AFFECT_CONFIG).and_then(|()| on.set_max_memory(it, 1 << 18))
    }),
    ("setvcpus --config", |on, it| on.set_vcpus(it, 1, DOMAIN_AFFECT_CONFIG)),
    ("vcpupin --config", |on, it| on.pin_vcpu(it, 0, &[1], DOMAIN_AFFECT_CONFIG)),
    ("schedinfo --config", |on, it| on.set_scheduler_parameters(it, &weight(), DOMAIN_AFFECT_CONFIG)),
    ("attach-device --config", |on, it| on.attach_device(it, DISK, DOMAIN_AFFECT_CONFIG)),
];

fn open(xend: &Played, folder: &Path) -> Box<dyn Connection> {
    let uri = format!("{}&xend-files={}", xend.uri(), folder.display());
    xen::open(&Uri::parse(&uri).unwrap(), false).unwrap()
}

/// How an operation goes on a release.
fn cell(release: u32, attempt: impl Fn(&dyn Connection) -> Result<()>) -> &'static str {
    let xend = Played::of(release);
    let folder = tempfile::tempdir().unwrap();
    let done = attempt(&*open(&xend, folder.path()));
    assert_eq!(xend.harm(), Vec::<String>::new(), "{release}");
    // Nothing that is refused may have been half done.
    match (done, xend.changes()) {
        (Err(_), _) => "",
        (Ok(()), 0) => "file",
        (Ok(()), _) => "x",
    }
}

fn row(name: &str, attempt: impl Fn(&dyn Connection) -> Result<()>) -> String {
    let cells: Vec<&str> = RELEASES.iter().map(|release| cell(*release, &attempt)).collect();
    format!("| {name} | {} |\n", cells.join(" | "))
}

fn table() -> String {
    let names = RELEASES.iter().map(|release| match release {
        302..=304 => format!("3.0.{}", release % 10),
        release => format!("{}.{}", release / 100, release / 10 % 10),
    });
    let names: Vec<String> = names.collect();
    let mut out = format!("| operation | {} |\n| --- |{}\n", names.join(" | "), " --- |".repeat(names.len()));
    let plain = definition("demo", UUID, 512, "");
    out += &row("create", |on| on.domains().create_xml(&plain, 0).map(drop));
    for (name, attempt) in RUNNING {
        out += &row(name, |on| attempt(on.domains(), &on.domains().create_xml(&plain, 0)?));
    }
    out += &row("change-media of a running domain", |on| {
        let domain = on.domains().create_xml(&machine(), 0)?;
        let disc = "<disk type='file' device='cdrom'><source file='/2'/><target dev='hdc' bus='ide'/><readonly/></disk>";
        on.domains().update_device(&domain, disc, 0)
    });
    out += &row("graphics of a paravirtual domain", |on| {
        let with_screen = definition("demo", UUID, 512, "<graphics type='vnc' port='-1'/>");
        on.domains().create_xml(&with_screen, 0).map(drop)
    });
    for (name, attempt) in DEFINED {
        out += &row(name, |on| attempt(on.domains(), &on.domains().define_xml(&plain, 0)?));
    }
    out
}

#[test]
fn what_works_where_is_what_the_document_says() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("COMPATIBILITY.md");
    let text = std::fs::read_to_string(&path).unwrap();
    let (head, rest) = text.split_once(BEGIN).expect("the mark of the beginning");
    let (found, tail) = rest.split_once(END).expect("the mark of the end");
    let wanted = table();
    if std::env::var_os("HVSH_BLESS").is_some() {
        std::fs::write(&path, format!("{head}{BEGIN}{wanted}{END}{tail}")).unwrap();
    } else {
        assert_eq!(
            found, wanted,
            "COMPATIBILITY.md is out of date: HVSH_BLESS=1 cargo test --test xend table"
        );
    }
}
