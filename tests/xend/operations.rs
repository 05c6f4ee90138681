//! Every operation of the layer, against every recorded release.

use crate::dialogue::Dialogue;
use crate::shell::run;
use crate::standin::StandIn;
use hvsh::backend::xen::sxp::{Sxp, read_answer};
use std::path::PathBuf;

const RELEASES: &[&str] = &["3.0.4", "3.1", "4.4"];
const DEMO: &str = "0badcafe-0000-4000-8000-000000000001";
const MANAGED: &str = "0badcafe-0000-4000-8000-000000000030";

/// The rows of a table without its head, their blanks made one.
fn rows(table: &str) -> Vec<String> {
    let rows = table.lines().skip(2).filter(|row| !row.is_empty());
    rows.map(|row| row.split_whitespace().collect::<Vec<_>>().join(" ")).collect()
}

/// A file that holds the definition of the configuration that was recorded under a label.
fn definition(xend: &StandIn, version: &'static str, label: &str) -> (tempfile::TempDir, PathBuf) {
    let dialogue = Dialogue::of(version);
    let folder = tempfile::tempdir().unwrap();
    let (native, document) = (folder.path().join("native"), folder.path().join("document"));
    std::fs::write(&native, &dialogue.entries[dialogue.place(label)].form["config"]).unwrap();
    let xml = xend.ok(&["domxml-from-native", "xen-sxpr", native.to_str().unwrap()]);
    std::fs::write(&document, xml).unwrap();
    (folder, document)
}

/// The field of a form that was recorded under a label.
fn field(version: &'static str, label: &str, name: &str) -> String {
    let dialogue = Dialogue::of(version);
    String::from_utf8_lossy(&dialogue.entries[dialogue.place(label)].form[name]).into_owned()
}

#[test]
fn domains_are_listed_however_they_are() {
    for version in RELEASES {
        let xend = StandIn::at(version, "domain-list-2");
        let listed = rows(&xend.ok(&["list", "--all"]));
        for row in ["0 Domain-0 running", "9 demo running"] {
            assert!(listed.contains(&row.to_string()), "{version}: {listed:?}");
        }
        let xend = StandIn::at(version, "domain-detail-created");
        let listed = rows(&xend.ok(&["list"]));
        assert!(listed.contains(&"9 demo paused".to_string()), "{version}: {listed:?}");
        let xend = StandIn::at(version, "list-halted");
        let listed = rows(&xend.ok(&["list", "--all"]));
        assert!(listed.contains(&"- mgd shut off".to_string()), "{version}: {listed:?}");
        let listed = rows(&xend.ok(&["list", "--inactive"]));
        assert!(listed.iter().all(|row| row.starts_with("- ")), "{version}: {listed:?}");
        // All that run come in one answer; only the others are asked for one by one.
        assert!(xend.posts().is_empty());
    }
}

#[test]
fn a_domain_is_found_and_described() {
    for version in RELEASES {
        let xend = StandIn::at(version, "domain-detail");
        assert_eq!(xend.ok(&["domid", "demo"]).trim(), "9");
        assert_eq!(xend.ok(&["domuuid", "9"]).trim(), DEMO);
        assert_eq!(xend.ok(&["domname", DEMO]).trim(), "demo");
        assert_eq!(xend.ok(&["domstate", "demo"]).trim(), "running");
        let info = xend.ok(&["dominfo", "demo"]);
        for line in [
            "Id:             9",
            "OS Type:        xen",
            "State:          running",
            "CPU(s):         2",
            "Max memory:     524288 KiB",
            "Used memory:    262144 KiB",
            "Persistent:     no",
            "Managed save:   no",
            "Autostart:      disable",
        ] {
            assert!(info.contains(line), "{version}: {line} is not in {info}");
        }
        let xml = xend.ok(&["dumpxml", "demo"]);
        for line in [
            "<domain type='xen' id='9'>",
            "<kernel>/guests/vmlinuz</kernel>",
            "<cmdline>root=/dev/xvda1 ro</cmdline>",
            "<on_crash>preserve</on_crash>",
            "<target dev='xvda' bus='xen'/>",
            "<source file='/guests/disk.img'/>",
            "<mac address='00:16:3e:00:00:01'/>",
            "<target dev='vif9.0'/>",
        ] {
            assert!(xml.contains(line), "{version}: {line} is not in {xml}");
        }
        let unknown = xend.fails(&["dominfo", "nosuch"]);
        assert!(unknown.contains("failed to get domain 'nosuch'"), "{unknown}");
    }
}

#[test]
fn full_machines_are_described() {
    for version in RELEASES {
        let xend = StandIn::at(version, "detail-hvm-running");
        let xml = xend.ok(&["dumpxml", "hvm1"]);
        for line in [
            "<loader type='rom'>/usr/lib/xen/boot/hvmloader</loader>",
            "<boot dev='hd'/>",
            "<emulator>/usr/lib/xen/bin/qemu-dm</emulator>",
            "<target dev='hda' bus='ide'/>",
            "<disk type='file' device='cdrom'>",
            "<input type='tablet' bus='usb'/>",
            "<serial type='pty'>",
            "<graphics type='vnc'",
        ] {
            assert!(xml.contains(line), "{version}: {line} is not in {xml}");
        }
    }
}

#[test]
fn the_host_is_described() {
    for version in RELEASES {
        let xend = StandIn::at(version, "domain-list-2");
        let node = xend.ok(&["nodeinfo"]);
        for line in [
            "CPU(s):              4",
            "Core(s) per socket:  4",
            "CPU socket(s):       1",
            "Memory size:         8388608 KiB",
        ] {
            assert!(node.contains(line), "{version}: {line} is not in {node}");
        }
        assert_eq!(xend.ok(&["hostname"]).trim(), "vm");
        assert!(xend.ok(&["freecell"]).contains("6225920 KiB"));
        assert_eq!(xend.ok(&["maxvcpus"]).trim(), "32");
        assert_eq!(xend.ok(&["uri"]).trim(), xend.uri());
        let says = if *version == "3.0.4" { "Xen 3.0.4" } else { "Xen " };
        assert!(xend.ok(&["version"]).contains(&format!("Running hypervisor: {says}")), "{version}");
    }
}

#[test]
fn a_domain_is_made_and_let_run() {
    for version in RELEASES {
        let xend = StandIn::at(version, "create-ok");
        let (_keep, document) = definition(&xend, version, "create-ok");
        let said = xend.ok(&["create", document.to_str().unwrap()]);
        assert_eq!(said.trim(), format!("Domain 'demo' created from {}", document.display()));
        assert_eq!(xend.ops(), ["create", "wait_for_devices", "unpause"]);
        assert_eq!(xend.ok(&["domstate", "demo"]).trim(), "running");
    }
}

#[test]
fn full_machines_and_screens_are_made_of_definitions() {
    for (label, name) in [("create-hvm", "hvm1"), ("create-vfb", "vfb"), ("create-tap", "tap")] {
        for version in RELEASES {
            let xend = StandIn::at(version, label);
            let (_keep, document) = definition(&xend, version, label);
            // The rest of the way is recorded for the first domain only.
            let _ = run(&xend.uri(), &["create", "--paused", document.to_str().unwrap()]);
            let sent = xend.posts().remove(0).config();
            let recorded = read_answer(field(version, label, "config").as_bytes()).unwrap().unwrap();
            assert_eq!(sent.get("name").as_deref(), Some(name));
            for device in recorded.all("device").filter_map(Sxp::value) {
                let class = device.head().unwrap();
                let ours: Vec<&Sxp> =
                    sent.all("device").filter_map(Sxp::value).filter(|d| d.is_headed(&class)).collect();
                let is_in = |part: &Sxp| ours.iter().any(|own| own.items().contains(part));
                let lost: Vec<String> =
                    device.items().iter().skip(1).filter(|part| !is_in(part)).map(Sxp::to_string).collect();
                assert_eq!(lost, Vec::<String>::new(), "{version} {label}: {sent}");
            }
            let image = |vm: &Sxp| vm.child("image").and_then(Sxp::value).cloned().unwrap();
            let (ours, theirs) = (image(&sent), image(&recorded));
            for part in theirs.items().iter().skip(1).filter(|part| !part.is_headed("cdrom")) {
                assert!(ours.items().contains(part), "{version} {label}: {part} is not in {ours}");
            }
        }
    }
}

#[test]
fn a_domain_whose_devices_fail_is_taken_away_again() {
    for version in RELEASES {
        let xend = StandIn::at(version, "extra/create-badbridge");
        let (_keep, document) = definition(&xend, version, "extra/create-badbridge");
        let error = xend.fails(&["create", document.to_str().unwrap()]);
        assert!(error.contains("Device 0 (vif) could not be connected"), "{version}: {error}");
        assert_eq!(xend.ops(), ["create", "wait_for_devices", "destroy"]);
    }
}

#[test]
fn definitions_are_kept_started_and_forgotten() {
    for version in RELEASES {
        let xend = StandIn::at(version, "new");
        let (_keep, document) = definition(&xend, version, "new");
        let said = xend.ok(&["define", document.to_str().unwrap()]);
        assert_eq!(said.trim(), format!("Domain 'mgd' defined from {}", document.display()));
        assert_eq!(xend.ok(&["domstate", "mgd"]).trim(), "shut off");
        assert_eq!(xend.ok(&["domuuid", "mgd"]).trim(), MANAGED);

        let xend = StandIn::at(version, "start");
        assert_eq!(xend.ok(&["start", "mgd"]).trim(), "Domain 'mgd' started");
        assert_eq!(xend.ops(), ["start"]);
        let error = xend.fails(&["start", "mgd"]);
        assert!(error.contains("Domain is already active"), "{error}");
        let error = xend.fails(&["undefine", "mgd"]);
        assert!(error.contains("cannot undefine transient domain"), "{error}");

        let xend = StandIn::at(version, "delete");
        assert_eq!(xend.ok(&["undefine", "mgd"]).trim(), "Domain 'mgd' has been undefined");
        assert_eq!(xend.ops(), ["delete"]);
        assert!(!xend.ok(&["list", "--all"]).contains("mgd"));
    }
}

#[test]
fn a_definition_starts_with_the_host_when_told_to() {
    for version in RELEASES {
        let xend = StandIn::at(version, "extra/new-from-get-with-autostart");
        xend.ok(&["autostart", "m"]);
        let sent = xend.posts().remove(0).config();
        assert_eq!(sent.get("on_xend_start").as_deref(), Some("start"));
        assert_eq!(sent.get("uuid").as_deref(), Some("0badcafe-0000-4000-8000-000000000104"));
        assert!(xend.ok(&["dominfo", "m"]).contains("Autostart:      enable"));
    }
}

#[test]
fn running_domains_are_paused_stopped_and_ended() {
    for version in RELEASES {
        let xend = StandIn::at(version, "pause");
        assert_eq!(xend.ok(&["suspend", "demo"]).trim(), "Domain 'demo' suspended");
        assert_eq!(xend.ok(&["domstate", "demo"]).trim(), "paused");
        assert_eq!(xend.ok(&["resume", "demo"]).trim(), "Domain 'demo' resumed");
        assert_eq!(xend.ops(), ["pause", "unpause"]);

        let xend = StandIn::at(version, "shutdown-poweroff");
        let said = xend.ok(&["shutdown", "demo"]);
        assert_eq!(said.trim(), "Domain 'demo' is being shutdown");
        assert_eq!(xend.posts()[0].field("reason"), "poweroff");
        // The answer comes at once; when the guest goes is its own affair.
        assert_eq!(xend.ops(), ["shutdown"]);

        let xend = StandIn::at(version, "shutdown-reboot");
        assert_eq!(xend.ok(&["reboot", "demo"]).trim(), "Domain 'demo' is being rebooted");
        assert_eq!(xend.posts()[0].field("reason"), "reboot");

        let xend = StandIn::at(version, "destroy");
        assert_eq!(xend.ok(&["destroy", "demo4"]).trim(), "Domain 'demo4' destroyed");
        assert_eq!(xend.ops(), ["destroy"]);

        let xend = StandIn::at(version, "reset");
        if *version == "4.4" {
            assert_eq!(xend.ok(&["reset", "demo"]).trim(), "Domain 'demo' was reset");
        } else {
            let error = xend.fails(&["reset", "demo"]);
            assert!(error.contains("this xend has no operation 'reset'"), "{version}: {error}");
        }
    }
}

#[test]
fn guests_go_to_files_and_come_back() {
    for version in RELEASES {
        let xend = StandIn::at(version, "save");
        let file = field(version, "save", "file");
        xend.ok(&["save", "demo", &file]);
        assert_eq!(xend.posts()[0].field("file"), file);
        assert!(xend.fails(&["domstate", "demo"]).contains("failed to get domain"));

        let xend = StandIn::at(version, "restore");
        xend.ok(&["restore", &field(version, "restore", "file")]);
        assert_eq!(xend.ops(), ["restore"]);

        let xend = StandIn::at(version, "save-bad-path");
        let error = xend.fails(&["save", "demo", "/nosuch/dir/save"]);
        assert!(error.contains("No such file or directory"), "{version}: {error}");

        let xend = StandIn::at(version, "dump-reset");
        let file = field(version, "dump-reset", "file");
        xend.ok(&["dump", "demo", &file, "--live"]);
        let form = xend.posts().remove(0);
        assert_eq!(
            (form.field("live"), form.field("crash"), form.field("reset")),
            ("1".into(), "0".into(), "0".into())
        );
    }
}

#[test]
fn memory_and_cpus_are_changed() {
    for version in RELEASES {
        let xend = StandIn::at(version, "mem_target_set");
        xend.ok(&["setmem", "demo", "200M"]);
        assert_eq!(xend.posts()[0].field("target"), "200");
        assert!(xend.ok(&["dominfo", "demo"]).contains("Used memory:    204800 KiB"));

        let xend = StandIn::at(version, "maxmem_set");
        xend.ok(&["setmaxmem", "demo", "600M"]);
        assert!(xend.ok(&["dominfo", "demo"]).contains("Max memory:     614400 KiB"), "{version}");

        let xend = StandIn::at(version, "set_vcpus-1");
        xend.ok(&["setvcpus", "demo", "1"]);
        assert_eq!(xend.ok(&["vcpucount", "demo", "--live", "--current"]).trim(), "1", "{version}");
        let info = xend.ok(&["vcpuinfo", "demo"]);
        assert!(
            info.contains("VCPU:           0") && !info.contains("VCPU:           1"),
            "{version}: {info}"
        );

        let xend = StandIn::at(version, "inactive-mem_target_set");
        xend.ok(&["setmem", "mgd", "128M", "--config"]);
        let xend = StandIn::at(version, "inactive-set_vcpus");
        // Nobody recorded such a definition; what is sent is what counts.
        let _ = run(&xend.uri(), &["setvcpus", "mgd", "3", "--config", "--maximum"]);
        let sent = xend.posts().remove(0);
        assert_eq!(sent.field("op"), "new");
        let config = sent.config();
        assert_eq!(
            (config.number("vcpus"), config.number("vcpu_avail")),
            (Some(3), Some(7)),
            "{version}: {config}"
        );
    }
}

#[test]
fn weights_and_pins_are_read_and_changed() {
    for version in RELEASES {
        let xend = StandIn::at(version, "sched_credit_set");
        let shown = xend.ok(&["schedinfo", "demo"]);
        assert!(
            shown.contains("Scheduler      : credit") && shown.contains("weight         : 256"),
            "{shown}"
        );
        let said = match *version {
            "4.4" => xend.ok(&["schedinfo", "demo", "--set", "weight=512", "--set", "cap=50"]),
            // A cap has no effect there, and is not asked for.
            _ => {
                let error = xend.fails(&["schedinfo", "demo", "--set", "cap=50"]);
                assert!(error.contains("does not heed a cap"), "{error}");
                continue;
            }
        };
        assert!(said.contains("weight         : 512") && said.contains("cap            : 50"), "{said}");
    }
    let xend = StandIn::at("4.4", "pincpu-list");
    xend.ok(&["vcpupin", "demo", "0", "0-1"]);
    let form = xend.posts().remove(0);
    assert_eq!((form.field("vcpu"), form.field("cpumap")), ("0".to_string(), "0,1".to_string()));
    let shown = xend.ok(&["vcpupin", "demo"]);
    assert!(rows(&shown).contains(&"0 0-1".to_string()), "{shown}");
}

#[test]
fn devices_come_and_go() {
    for version in RELEASES {
        let xend = StandIn::at(version, "device_create-vbd");
        xend.ok(&[
            "attach-disk",
            "demo",
            "/guests/disk2.img",
            "xvdb",
            "--mode",
            "readonly",
            "--driver",
            "file",
        ]);
        let sent = xend.posts().remove(0).config();
        assert_eq!(sent.get("uname").as_deref(), Some("file:/guests/disk2.img"));
        assert_eq!((sent.get("dev").as_deref(), sent.get("mode").as_deref()), (Some("xvdb"), Some("r")));

        let xend = StandIn::at(version, "device_create-vif");
        let interface = [
            "attach-interface",
            "demo",
            "bridge",
            "xenbr1",
            "--mac",
            "00:16:3e:aa:aa:01",
            "--script",
            "vif-bridge",
        ];
        xend.ok(&interface);
        let sent = xend.posts().remove(0).config();
        assert_eq!(sent.get("mac").as_deref(), Some("00:16:3e:aa:aa:01"));

        let xend = StandIn::at(version, "device_destroy-old-form");
        xend.ok(&["detach-interface", "demo", "bridge", "--mac", "00:16:3e:aa:aa:01"]);
        let form = xend.posts().pop().unwrap();
        assert_eq!((form.field("type"), form.field("dev")), ("vif".to_string(), "1".to_string()));

        let xend = StandIn::at(version, "device_destroy-vbd-name");
        xend.ok(&["detach-disk", "demo", "xvdb"]);
        let form = xend.posts().pop().unwrap();
        assert_eq!((form.field("type"), form.field("dev")), ("vbd".to_string(), "xvdb".to_string()));
    }
}

#[test]
fn a_name_is_changed_while_nothing_runs_under_it() {
    for version in RELEASES {
        let xend = StandIn::at(version, "inactive-rename");
        xend.ok(&["domrename", "mgd", "mgd2"]);
        assert_eq!(xend.posts()[0].field("name"), "mgd2");
        let xend = StandIn::at(version, "rename");
        assert!(xend.fails(&["domrename", "demo", "demo9"]).contains("cannot rename active domain"));
    }
}

#[test]
fn a_domain_moves_to_another_host() {
    use hvsh::backend::xen;
    use hvsh::model::TypedParam;
    use hvsh::model::constants::MIGRATE_LIVE;
    use hvsh::uri::Uri;
    for version in RELEASES {
        let xend = StandIn::at(version, "migrate-localhost");
        let connection = xen::open(&Uri::parse(&xend.uri()).unwrap(), false).unwrap();
        let domains = connection.domains();
        let domain = domains.lookup_by_name("mig").unwrap();
        let (_, xml) = domains.migrate_begin3_params(&domain, &[], 0).unwrap();
        assert!(xml.contains("<name>mig</name>"), "{version}: {xml}");
        let port = field(version, "migrate-localhost", "port");
        let to = TypedParam::new("migrate_uri", format!("xenmigr://127.0.0.1:{port}"));
        domains.migrate_perform3_params(&domain, None, &[to], &[], 0).unwrap();
        let form = xend.posts().remove(0);
        let names = ["destination", "live", "resource", "port", "node", "ssl", "change_home_server"];
        let sent = names.map(|name| form.field(name));
        assert_eq!(sent, ["127.0.0.1", "0", "0", port.as_str(), "-1", "0", "0"]);

        // A failure comes with status 200.
        let xend = StandIn::at(version, "migrate-refused");
        let connection = xen::open(&Uri::parse(&xend.uri()).unwrap(), false).unwrap();
        let to = TypedParam::new("migrate_uri", "xenmigr://127.0.0.1:1");
        let error = connection.domains().migrate_perform3_params(&domain, None, &[to], &[], 0).unwrap_err();
        assert!(error.to_string().contains("onnection refused"), "{version}: {error}");
        let wrong = TypedParam::new("destination_xml", "<domain/>");
        let error = connection
            .domains()
            .migrate_perform3_params(&domain, None, &[wrong], &[], MIGRATE_LIVE)
            .unwrap_err();
        assert!(error.is_unsupported(), "{error}");
    }
}
