//! COMPATIBILITY.md tells the truth: its generated part is made from the sources and compared.
//!
//! `HVSH_BLESS=1 cargo test --test compatibility` writes the part anew.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

const BEGIN: &str = "<!-- generated: begin -->\n";
const END: &str = "<!-- generated: end -->\n";

/// The drivers and where they implement the families.
const DRIVERS: &[(&str, &str, &str)] =
    &[("test", "src/backend/test", "TestConnection"), ("qemu", "src/qemud/driver", "QemuConnection")];

/// The layers of Xen, in the order of the table: name, where they are, and the type.
const LAYERS: &[(&str, &str, &str)] = &[
    ("directory", "src/backend/xen/directory", "Directory"),
    ("hypervisor", "src/backend/xen/hypervisor", "HypervisorLayer"),
    ("xenstore", "src/backend/xen/xenstore", "XenstoreLayer"),
    ("xl", "src/backend/xen/xl", "XlLayer"),
    ("xend", "src/backend/xen/xend", "XendLayer"),
];

fn home() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn files(folder: &str) -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> =
        fs::read_dir(home().join(folder)).unwrap().map(|entry| entry.unwrap().path()).collect();
    let folders: Vec<PathBuf> = found.iter().filter(|path| path.is_dir()).cloned().collect();
    found.retain(|path| path.extension().is_some_and(|extension| extension == "rs"));
    found.extend(folders.iter().flat_map(|folder| files(&folder.to_string_lossy())));
    found.sort();
    found
}

/// An operation as its row says it.
struct Operation {
    family: String,
    api: String,
    method: String,
}

fn operations() -> Vec<Operation> {
    let mut found = Vec::new();
    for path in files("src/backend/operations") {
        let mut family = String::new();
        for line in fs::read_to_string(&path).unwrap().lines().map(str::trim) {
            if let Some(rest) = line.strip_prefix("trait ").filter(|_| line.ends_with('{')) {
                family = rest.split(' ').next().unwrap().to_string();
            }
            let words: Vec<&str> = line.split([' ', '(']).collect();
            if let [number, "read" | "write", api, "fn", method, ..] = words[..]
                && number.parse::<u32>().is_ok()
            {
                let (family, api, method) = (family.clone(), api.to_string(), method.to_string());
                found.push(Operation { family, api, method });
            }
        }
    }
    assert!(found.len() > 250, "the rows were not found");
    found
}

/// The methods that a driver overrides, as `Family::method`.
fn overridden(folder: &str, connection: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for path in files(folder) {
        let mut family = None;
        for line in fs::read_to_string(&path).unwrap().lines() {
            if let Some(rest) = line.strip_prefix("impl ") {
                let (name, of) = rest.split_once(" for ").unwrap_or((rest, ""));
                family = of.starts_with(connection).then(|| name.to_string());
            } else if let (Some(family), Some(rest)) = (&family, line.strip_prefix("    fn ")) {
                found.insert(format!("{family}::{}", rest.split(['(', '<']).next().unwrap()));
            } else if line.starts_with('}') {
                family = None;
            }
        }
    }
    found
}

fn lacking_operations(out: &mut String) {
    let drivers: Vec<(&str, BTreeSet<String>)> =
        DRIVERS.iter().map(|(name, folder, connection)| (*name, overridden(folder, connection))).collect();
    for (name, has) in &drivers {
        let mut families: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for row in operations() {
            let lacking = families.entry(row.family.clone()).or_default();
            if !has.contains(&format!("{}::{}", row.family, row.method)) {
                lacking.push(format!("`{}`", row.api));
            }
        }
        writeln!(out, "### What the {name} driver answers *unsupported*\n").unwrap();
        for (family, lacking) in families.iter().filter(|(_, lacking)| !lacking.is_empty()) {
            writeln!(out, "- {family}: {}", lacking.join(", ")).unwrap();
        }
        out.push('\n');
    }
}

/// Which layer of Xen has a part in which operation.
fn layers_of_xen(out: &mut String) {
    let layers: Vec<BTreeSet<String>> =
        LAYERS.iter().map(|(_, folder, layer)| overridden(folder, layer)).collect();
    let names: Vec<&str> = LAYERS.iter().map(|(name, ..)| *name).collect();
    writeln!(out, "### Which layer of Xen serves what\n").unwrap();
    writeln!(out, "| operation | {} |", names.join(" | ")).unwrap();
    writeln!(out, "| --- |{}", " --- |".repeat(names.len())).unwrap();
    for row in operations() {
        let key = format!("{}::{}", row.family, row.method);
        let marks: Vec<&str> = layers.iter().map(|has| if has.contains(&key) { "x" } else { "" }).collect();
        if marks.contains(&"x") {
            writeln!(out, "| `{}` | {} |", row.api, marks.join(" | ")).unwrap();
        }
    }
    out.push('\n');
}

fn lacking_commands(out: &mut String) {
    let ours: BTreeSet<&str> = hvsh::commands::TABLE.rows().map(|row| row.name).collect();
    let theirs = fs::read_to_string(home().join("tests/facts/virsh-commands.txt")).unwrap();
    let theirs = theirs.lines().filter(|line| !line.starts_with('#'));
    let lacking: Vec<String> =
        theirs.filter(|name| !ours.contains(name)).map(|name| format!("`{name}`")).collect();
    writeln!(out, "### Commands of virsh 11.3 that hvsh does not have yet\n").unwrap();
    writeln!(out, "{}\n", if lacking.is_empty() { "None.".to_string() } else { lacking.join(", ") }).unwrap();
}

#[test]
fn the_generated_part_is_what_the_sources_say() {
    let mut wanted = String::from("\n");
    lacking_commands(&mut wanted);
    lacking_operations(&mut wanted);
    layers_of_xen(&mut wanted);
    let path = home().join("COMPATIBILITY.md");
    let text = fs::read_to_string(&path).unwrap();
    let (head, rest) = text.split_once(BEGIN).expect("the mark of the beginning");
    let (found, tail) = rest.split_once(END).expect("the mark of the end");
    if std::env::var_os("HVSH_BLESS").is_some() {
        fs::write(&path, format!("{head}{BEGIN}{wanted}{END}{tail}")).unwrap();
    } else {
        assert!(
            found == wanted,
            "COMPATIBILITY.md is out of date: HVSH_BLESS=1 cargo test --test compatibility"
        );
    }
}
