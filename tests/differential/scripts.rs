//! Scripts and documents that were written by hand, read from the files beside this one.
//!
//! `sequences/*.txt` hold scripts parted by blank lines: `# name`, files as `@ name` with lines `| text`,
//! and lines to type. `documents/KIND.txt` hold pieces of XML parted by blank lines; each is tried in every way its
//! kind has.

use crate::pair::Script;
use std::fs;
use std::path::Path;

fn read(folder: &str) -> Vec<(String, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/differential").join(folder);
    let mut found: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .map(|path| {
            (path.file_stem().unwrap().to_str().unwrap().to_string(), fs::read_to_string(path).unwrap())
        })
        .collect();
    found.sort();
    found
}

pub fn sequences() -> Vec<Script> {
    read("sequences")
        .iter()
        .flat_map(|(name, text)| text.split("\n\n").map(move |block| script(name, block)))
        .collect()
}

fn script(file: &str, block: &str) -> Script {
    let mut script = Script { name: file.to_string(), ..Script::default() };
    for line in block.lines() {
        match line.split_at_checked(2) {
            Some(("# ", name)) => script.name = format!("{file} {name}"),
            Some(("@ ", name)) => script.files.push((name.to_string(), String::new())),
            Some(("| ", text)) => {
                let file = script.files.last_mut().expect("a file before its lines");
                file.1.push_str(text);
                file.1.push('\n');
            }
            _ if line.is_empty() => {}
            _ => script.lines.push(line.to_string()),
        }
    }
    script
}

pub fn documents() -> Vec<Script> {
    let mut scripts = Vec::new();
    for (kind, text) in read("documents") {
        for (number, piece) in text.split("\n\n").map(str::trim).filter(|piece| !piece.is_empty()).enumerate()
        {
            let lines = |lines: &str| lines.split("; ").map(str::to_string).collect::<Vec<_>>();
            let file = |text: String| vec![("a.xml".to_string(), text)];
            let mut add = |files, typed: &str| {
                let name = format!("{kind} {number} {}", piece.replace('\n', " "));
                scripts.push(Script { name, files, lines: lines(typed), whole: false });
            };
            let whole = "define a.xml; dumpxml vm; start vm; dumpxml vm; dumpxml --inactive vm; \
                         dumpxml --migratable vm; domblklist vm --details; domiflist vm; vcpucount vm; destroy vm; \
                         create a.xml; dumpxml vm --security-info";
            match kind.as_str() {
                "domain" => add(file(piece.to_string()), whole),
                "element" => add(file(domain(piece, "")), whole),
                "device" => {
                    add(file(domain("", piece)), whole);
                    add(
                        file(piece.to_string()),
                        "attach-device test a.xml; dumpxml test; update-device test a.xml; dumpxml test; \
                         detach-device test a.xml; dumpxml test; attach-device test a.xml --config; \
                         dumpxml test --inactive; update-device test a.xml --config; \
                         detach-device test a.xml --config; dumpxml test --inactive; \
                         attach-device test a.xml --live --config; attach-device test a.xml --persistent; \
                         detach-device test a.xml --persistent; destroy test; attach-device test a.xml; \
                         attach-device test a.xml --config; dumpxml test; detach-device test a.xml --config",
                    );
                }
                "network" => add(
                    file(piece.to_string()),
                    "net-define a.xml; net-dumpxml net; net-start net; net-dumpxml net; net-dumpxml --inactive net; \
                     net-info net; net-destroy net; net-undefine net; net-create a.xml; net-dumpxml net; net-list --all",
                ),
                "pool" => add(
                    file(piece.to_string()),
                    "pool-define a.xml; pool-dumpxml pool; pool-start pool; pool-dumpxml pool; pool-info pool; \
                     vol-list pool; pool-destroy pool; pool-undefine pool; pool-create a.xml; pool-dumpxml pool; \
                     pool-list --all --details",
                ),
                "volume" => add(
                    file(piece.to_string()),
                    "vol-create default-pool a.xml; vol-dumpxml vol default-pool; vol-info vol default-pool; \
                     vol-list default-pool --details; vol-create-from default-pool a.xml vol; pool-info default-pool",
                ),
                "snapshot" => add(
                    file(piece.to_string()),
                    "snapshot-create test a.xml; snapshot-list test; snapshot-dumpxml test snap; \
                     snapshot-create test a.xml --redefine; snapshot-dumpxml test --current; \
                     snapshot-create test a.xml --disk-only; snapshot-info test --current; domblklist test; \
                     destroy test; snapshot-create test a.xml; snapshot-dumpxml test --current",
                ),
                "checkpoint" => add(
                    file(piece.to_string()),
                    "checkpoint-create test a.xml; checkpoint-list test; checkpoint-dumpxml test cp; \
                     checkpoint-create test a.xml --redefine; checkpoint-dumpxml test cp --no-domain",
                ),
                "interface" => add(
                    file(piece.to_string()),
                    "iface-define a.xml; iface-dumpxml br0; iface-dumpxml eth0; iface-start br0; iface-start eth0; \
                     iface-list --all; iface-undefine br0; iface-undefine eth0",
                ),
                "node_device" => add(
                    file(piece.to_string()),
                    "nodedev-create a.xml; nodedev-list; nodedev-dumpxml scsi_host12; nodedev-dumpxml scsi_host3; \
                     nodedev-destroy scsi_host12",
                ),
                "node" => {
                    scripts.push(Script {
                        name: format!("{kind} {number} {}", piece.replace('\n', " ")),
                        files: file(piece.to_string()),
                        lines: lines(
                            "connect test://@DIR@/a.xml; list --all; net-list --all; pool-list --all; iface-list --all; nodedev-list; nodeinfo; \
                             domstate vm --reason; dumpxml vm; net-dumpxml net; pool-dumpxml pool; iface-dumpxml br0; \
                             snapshot-list vm; snapshot-list vm --tree; snapshot-current vm --name; vol-list pool; \
                             nodedev-dumpxml scsi_host12; domid vm; dominfo vm",
                        ),
                        whole: false,
                    });
                }
                other => panic!("documents of an unknown kind: {other}"),
            }
        }
    }
    scripts
}

/// A small domain with more elements, or more devices.
fn domain(elements: &str, devices: &str) -> String {
    let mut text = String::from(
        "<domain type='test'>\n<name>vm</name>\n<uuid>11111111-2222-3333-4444-555555555555</uuid>\n",
    );
    if !elements.contains("<memory") {
        text.push_str("<memory>65536</memory>\n");
    }
    if !elements.contains("<vcpu") {
        text.push_str("<vcpu>2</vcpu>\n");
    }
    if !elements.contains("<os>") && !elements.contains("<os ") {
        text.push_str("<os><type arch='x86_64'>hvm</type></os>\n");
    }
    text.push_str(elements);
    if elements.contains("<devices>") {
        return format!("{text}\n</domain>\n");
    }
    format!("{text}\n<devices>\n{devices}\n</devices>\n</domain>\n")
}
