//! Values for the generated lines: one that should do for each option, and others worth a try.

use hvsh::shell::spec::{Command, Complete, Opt, OptKind};

/// The files that generated lines name.
pub fn files() -> Vec<(String, String)> {
    let texts = [
        (
            "domain.xml",
            "<domain type='test'><name>vm</name><memory>65536</memory><os><type>hvm</type></os></domain>",
        ),
        (
            "device.xml",
            "<disk type='file' device='disk'><source file='/x.img'/><target dev='vdz' bus='virtio'/></disk>",
        ),
        (
            "net.xml",
            "<network><name>net</name><bridge name='virbr9'/><ip address='10.9.0.1' netmask='255.255.255.0'/></network>",
        ),
        ("pool.xml", "<pool type='dir'><name>pool</name><target><path>/pool</path></target></pool>"),
        ("vol.xml", "<volume><name>vol</name><capacity>1048576</capacity></volume>"),
        ("snap.xml", "<domainsnapshot><name>snap</name><description>d</description></domainsnapshot>"),
        ("cp.xml", "<domaincheckpoint><name>cp</name></domaincheckpoint>"),
        (
            "iface.xml",
            "<interface type='ethernet' name='eth7'><mac address='00:11:22:33:44:55'/></interface>",
        ),
        (
            "node.xml",
            "<device><name>scsi_host9</name><parent>scsi_host1</parent><capability type='scsi_host'><capability type='fc_host'/></capability></device>",
        ),
        ("cpu.xml", "<cpu><arch>x86_64</arch><model>qemu64</model></cpu>"),
        (
            "secret.xml",
            "<secret ephemeral='no' private='no'><usage type='volume'><volume>/x</volume></usage></secret>",
        ),
        ("text", "some text\n"),
        ("empty", ""),
    ];
    texts.iter().map(|(name, text)| (name.to_string(), text.to_string())).collect()
}

/// Lines that go before the command's own, so that there is something to name.
pub fn setup(row: &Command) -> Vec<String> {
    let mut lines: Vec<&str> = Vec::new();
    let about = |kind| row.options.iter().any(|option| option.complete == kind);
    if about(Complete::Snapshot) || row.name.starts_with("snapshot-") {
        lines.push("snapshot-create-as test s1");
        lines.push("snapshot-create-as test s2");
    }
    if about(Complete::Checkpoint) || row.name.starts_with("checkpoint-") {
        lines.push("checkpoint-create-as test c1");
        lines.push("checkpoint-create-as test c2");
    }
    if row.name.starts_with("vol-") {
        lines.push("vol-create-as default-pool vol1 1M");
    }
    if matches!(row.name, "iothreadset" | "iothreadpin" | "iothreaddel" | "iothreadinfo") {
        lines.push("iothreadadd test 1");
    }
    if matches!(row.name, "iface-commit" | "iface-rollback") {
        lines.push("iface-begin");
    }
    if matches!(row.name, "restore" | "save-image-dumpxml" | "save-image-define" | "save-image-edit") {
        lines.push("save test saved.img");
    }
    if row.name.starts_with("managedsave-") {
        lines.push("managedsave test");
    }
    lines.iter().map(|line| line.to_string()).collect()
}

/// What must stand behind a line lest it never end.
pub fn ending(row: &Command, line: &str) -> &'static str {
    match row.name {
        "event" | "net-event" | "pool-event" | "nodedev-event" | "secret-event" | "qemu-monitor-event" => {
            match line.contains("--list") || line.contains("--timeout") || line.contains("nosuch") {
                true => "",
                false => " --timeout 1",
            }
        }
        _ => "",
    }
}

/// A value that should do.
pub fn good(row: &Command, option: &Opt) -> &'static str {
    if let Some(value) = special(row.name, option.name) {
        return value;
    }
    match option.complete {
        Complete::Domain | Complete::ActiveDomain | Complete::InactiveDomain | Complete::DomainWith(_) => {
            return "test";
        }
        Complete::DomainUuid => return "6695eb01-f6a4-8304-79aa-97f2502e193f",
        Complete::Disk => return "vda",
        Complete::Interface => return "aa:bb:cc:dd:ee:ff",
        Complete::Network | Complete::NetworkWith(_) => return "default",
        Complete::Pool | Complete::PoolWith(_) => return "default-pool",
        Complete::Volume | Complete::VolumePath => return "vol1",
        Complete::Snapshot => return "s1",
        Complete::Checkpoint => return "c1",
        Complete::NodeDevice => return "scsi_host1",
        Complete::HostInterface | Complete::HostInterfaceWith(_) => return "eth1",
        Complete::Secret => return "11111111-2222-3333-4444-555555555555",
        Complete::Words(words) | Complete::WordList(words) => return words[0],
        _ => {}
    }
    match option.name {
        "cpulist" | "vcpulist" => "0",
        "xpath" => "'//name'",
        "timeout" => "1",
        "mac" => "52:54:00:00:00:01",
        "file" | "xml" | "xmlfile" | "checkpointxml" | "backupxml" => file(row),
        "capacity" | "size" | "allocation" => "1M",
        "mode" => "strict",
        "nodeset" => "0",
        _ if option.kind == OptKind::Number => "1",
        _ => "x",
    }
}

fn file(row: &Command) -> &'static str {
    let name = row.name;
    let kinds = [
        ("net-port", "text"),
        ("net-", "net.xml"),
        ("pool-", "pool.xml"),
        ("vol-upload", "text"),
        ("vol-download", "down.img"),
        ("vol-", "vol.xml"),
        ("iface-", "iface.xml"),
        ("nodedev-", "node.xml"),
        ("snapshot-", "snap.xml"),
        ("checkpoint-", "cp.xml"),
        ("secret-set", "text"),
        ("secret-", "secret.xml"),
        ("cpu-", "cpu.xml"),
        ("hypervisor-cpu-", "cpu.xml"),
        ("attach-", "device.xml"),
        ("detach-", "device.xml"),
        ("update-", "device.xml"),
        ("save-image", "saved.img"),
        ("restore", "saved.img"),
        ("save", "new.img"),
        ("dump", "core"),
        ("screenshot", "shot"),
        ("set-user-sshkeys", "text"),
        ("nwfilter", "text"),
    ];
    kinds.iter().find(|(start, _)| name.starts_with(start)).map_or("domain.xml", |(_, file)| file)
}

fn special(command: &str, option: &str) -> Option<&'static str> {
    Some(match (command, option) {
        ("restore" | "save-image-define", "xml") => "domain.xml",
        ("attach-interface" | "detach-interface", "type") => "network",
        ("attach-interface", "source") => "default",
        ("attach-disk", "source") => "/d.img",
        ("attach-disk", "target") => "vdc",
        ("attach-disk", "driver") => "qemu",
        ("attach-disk", "subdriver") => "raw",
        ("attach-disk", "address") => "pci:0000.00.07.0",
        ("change-media", "source") => "/m.iso",
        ("domif-setlink", "state") => "up",
        ("domiftune" | "attach-interface", "inbound" | "outbound") => "100,200,300",
        ("net-update", "command") => "add",
        ("net-update", "section") => "ip-dhcp-host",
        ("net-update", "xml") => "\"<host mac='52:54:00:00:00:01' ip='192.168.122.9'/>\"",
        ("net-port-create" | "net-port-delete" | "net-port-dumpxml", "port") => {
            "11111111-2222-3333-4444-555555555555"
        }
        ("metadata" | "net-metadata", "uri") => "http://example.org/a",
        ("metadata" | "net-metadata", "set") => "'<a/>'",
        ("pool-create-as" | "pool-define-as", "type") => "dir",
        ("pool-create-as" | "pool-define-as", "target") => "/pool",
        ("find-storage-pool-sources" | "find-storage-pool-sources-as", "type") => "logical",
        ("find-storage-pool-sources", "srcSpec") => "text",
        ("set-lifecycle-action", "type") => "poweroff",
        ("set-lifecycle-action", "action") => "restart",
        ("send-key", "keycode") => "KEY_A",
        ("send-process-signal", "signame") => "term",
        ("send-process-signal", "pid") => "1",
        ("setmem" | "setmaxmem", "size") => "1G",
        ("schedinfo", "set") => "weight=5",
        ("nodesuspend", "target") => "mem",
        ("dompmsuspend", "target") => "mem",
        ("perf", "enable" | "disable") => "cmt",
        ("nodesuspend", "duration") => "60",
        ("blkiotune", "device-weights") => "/dev/sda,500",
        ("blkiotune", name) if name.starts_with("device-") => "/dev/sda,5000",
        ("detach-device-alias", "alias") => "virtio-disk0",
        ("vol-wipe", "algorithm") => "zero",
        ("secret-set-value", "base64") => "aGVsbG8=",
        ("cpu-models", "arch") => "x86_64",
        ("domxml-to-native" | "domxml-from-native", "format") => "qemu-argv",
        ("domxml-to-native", "xml") => "domain.xml",
        ("iface-bridge", "bridge") => "br0",
        ("event", "event") => "lifecycle",
        ("net-event" | "pool-event" | "nodedev-event" | "secret-event", "event") => "lifecycle",
        ("allocpages" | "freepages", "pagesize") => "2048",
        ("snapshot-create-as", "memspec") => "/mem.img",
        ("snapshot-create-as" | "checkpoint-create-as", "diskspec") => "vda",
        ("vol-create-as", "format") => "qcow2",
        ("qemu-agent-command" | "qemu-monitor-command", "cmd") => "'{\"execute\":\"x\"}'",
        ("lxc-enter-namespace", "cmd") => "/bin/true",
        ("dump", "format") => "elf",
        ("undefine", "storage") => "vda",
        ("pool-list", "type") => "dir",
        ("nodedev-list", "cap") => "scsi_host",
        _ => return None,
    })
}

/// Further values worth a try for what the option is about.
pub fn tried(row: &Command, option: &Opt) -> &'static [&'static str] {
    match (row.name, option.name) {
        (_, "cpulist" | "vcpulist") => {
            &["0-1", "r", "^0", "0,^0", "0-99999", "1-0", "0,1,", "all", "0-3,^2", "15", "1000000"]
        }
        (_, "nodeset") => &["0-1", "^0", "5", "all", "0,1"],
        (_, "mac") => {
            &["aa:bb:cc:dd:ee:ff", "52:54:00:00:00", "52:54:00:00:00:0g", "01:00:5e:00:00:01", "525400000001"]
        }
        (_, "inbound" | "outbound") => {
            &["1", "1,2", "1,2,3", "1,2,3,4", "0", "0,5", "0,0,0", "-1", "1k", "1,,3", ",,3", "99999999999"]
        }
        (_, "size" | "capacity" | "allocation") => {
            &["1", "1k", "1KiB", "1KB", "1T", "8E", "16E", "0.5G", "1z", "-5M", "8388608", "9999999999"]
        }
        (_, "xpath") => &[
            "'//uuid/text()'",
            "'count(//*)'",
            "'//@type'",
            "'1='",
            "'string(//name)'",
            "'//nosuch'",
            "'true()'",
        ],
        (_, "mode") => &[
            "interleave",
            "preferred",
            "restrictive",
            "0",
            "3",
            "5",
            "acpi",
            "agent,acpi",
            "page-sampling",
            "bridge",
            "acpi,nosuch",
            "shareable",
            "readonly",
        ],
        (_, "event") => &["lifecycle", "reboot", "refresh", "all"],
        (_, "type") => &[
            "block",
            "file",
            "bridge",
            "network",
            "user",
            "direct",
            "hostdev",
            "ethernet",
            "default",
            "cdrom",
            "lun",
            "disk",
            "vnc",
            "spice",
            "0",
            "2",
            "logical,fs",
            "fs",
        ],
        (_, "set") => {
            &["weight", "weight=0", "weight=x", "cap=1", "nosuch=1", "weight=1 weight=2", "weight="]
        }
        (_, "diskspec") => &[
            "vda,snapshot=external,file=/x",
            "vda,snapshot=no",
            "vdx",
            "vda,nosuch=1",
            "hda,,b,driver=qcow2",
            "vda,snapshot=bad",
            "vda,stype=block,file=/dev/x",
            "vda,checkpoint=bitmap,bitmap=b",
        ],
        (_, "memspec") => {
            &["file=/m", "/m,snapshot=external", "snapshot=no", "/m,snapshot=bad", "/m,nosuch=1"]
        }
        (_, "address") => &[
            "pci:0.0.0.0",
            "usb:1.1",
            "scsi:0.0.1",
            "ide:0.0.1",
            "ccw:fe.0.1",
            "pci:1",
            "sata:0.0.0",
            "pci:0x0000.0x00.0x09.0x0",
        ],
        (_, "device") => &["vdb", "eth1", "/guest/diskimage1", "scsi_host2", "computer"],
        (_, "interface") => &["testnet0", "testnet1", "AA:BB:CC:DD:EE:FF"],
        (_, "keycode") => &[
            "28",
            "0x1c",
            "KEY_NOSUCH",
            "1 2 3",
            "KEY_LEFTCTRL KEY_C",
            "1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17",
            "65536",
        ],
        (_, "codeset") => &["linux", "xt", "usb", "win32", "osx", "rfb", "qnum", "atset1"],
        (_, "signame") => &["kill", "SIGKILL", "9", "hup", "0", "65", "rt1", "usr1", "nosuch"],
        (_, "target") => &["mem", "disk", "hybrid", "hdb", "sda", "fda", "vdb", "xvda", "vda", "aaa"],
        (_, "state") => &["down", "Up"],
        (_, "file") => &["text", "empty", "domain.xml", "nosuch.xml", "/", "device.xml"],
        (_, "section") => &[
            "bridge",
            "domain",
            "ip",
            "ip-dhcp-range",
            "forward",
            "forward-interface",
            "forward-pf",
            "portgroup",
            "dns-host",
            "dns-txt",
            "dns-srv",
        ],
        (_, "command") => &["add-last", "add-first", "delete", "modify", "update"],
        (_, "action") => {
            &["destroy", "restart", "rename-restart", "preserve", "coredump-destroy", "coredump-restart"]
        }
        (_, "algorithm") => {
            &["nnsa", "dod", "bsi", "gutmann", "schneier", "pfitzner7", "pfitzner33", "random", "trim"]
        }
        (_, "enable" | "disable") => &["cmt,mbml", "nosuch", "cache_misses,cache_misses", "emulation_faults"],
        (_, "format") => &[
            "elf",
            "kdump-zlib",
            "kdump-lzo",
            "kdump-snappy",
            "win-dmp",
            "raw",
            "qcow2",
            "iso",
            "auto",
            "json",
            "kdump-raw-zlib",
        ],
        (_, "arch") => &["x86_64", "i686", "aarch64", "ppc64", "s390x", "armv7l", "riscv64", "alpha"],
        (_, "virttype") => &["kvm", "qemu", "test", "xen"],
        (_, "new-name") => &["test", "test2", "a/b", "'a b'", ".", "'a\nb'"],
        (_, "base64") => &["aGVsbG8", "!!!", "aGVsbG8=aGVs"],
        (_, "uuid" | "secret-uuid" | "port" | "secret") => &["11111111-2222-3333-4444-555555555555", "1111"],
        (_, "device-weights" | "device-read-iops-sec" | "device-write-bytes-sec") => &[
            "/dev/sda,0",
            "/dev/sda",
            "/dev/sda,x",
            "/dev/sda,1,/dev/sdb,2",
            "sda,100",
            "/dev/sda,-1",
            "/dev/sda,99999999999",
        ],
        (_, "name" | "newname" | "group-name") => &["s1", "vol1", "'a b'", "a/b", "default-pool"],
        (_, "secrethdr") => &["text"],
        (_, "keycodes") => &["1"],
        (_, "source") => &["dhcp", "lease", "agent", "arp", "any", "/guest/diskimage1", "default"],
        _ => &[],
    }
}
