//! Tests of both ways.

use super::*;
use crate::backend::xen::definition;
use crate::xml::Element;

/// A definition as a person writes it, completed.
fn complete(xml: &str) -> Element {
    definition::parse(xml).unwrap()
}

fn there_and_back(xml: &str) {
    let tree = complete(xml);
    let config = config_from_domain(&tree, Use::Kept).unwrap();
    let text = config.to_string();
    let read = Config::parse(&text);
    assert!(read.unread().is_empty(), "{text}");
    let back = definition::complete(domain_from_config(&read, Use::Kept).unwrap()).unwrap();
    assert_eq!(back.to_string(), tree.to_string(), "{text}");
}

const PV: &str = "<domain type='xen'>
  <name>pv1</name>
  <uuid>11111111-1111-4111-8111-111111111111</uuid>
  <title>a title</title>
  <metadata>
    <x:y xmlns:x='http://x'>&quot;z&quot;</x:y>
  </metadata>
  <memory unit='MiB'>160</memory>
  <currentMemory unit='MiB'>128</currentMemory>
  <vcpu current='1'>2</vcpu>
  <os>
    <type arch='x86_64' machine='xenpv'>xen</type>
    <kernel>/boot/guest.kernel</kernel>
    <initrd>/boot/guest.initrd</initrd>
    <cmdline>console=hvc0 a=\"b\"</cmdline>
  </os>
  <devices>
    <disk type='file' device='disk'>
      <driver name='qemu' type='raw'/>
      <source file='/tmp/g/disk 1,2.img'/>
      <target dev='xvda' bus='xen'/>
    </disk>
    <disk type='block' device='disk'>
      <driver name='phy' type='raw'/>
      <source dev='/dev/loop5'/>
      <target dev='xvdb' bus='xen'/>
      <readonly/>
    </disk>
    <interface type='bridge'>
      <mac address='00:16:3e:11:11:11'/>
      <source bridge='xenbr0'/>
    </interface>
    <console type='pty'/>
    <graphics type='vnc' port='5905' autoport='no' listen='127.0.0.1'/>
  </devices>
</domain>";

#[test]
fn definitions_survive_the_way_there_and_back() {
    there_and_back(PV);
    there_and_back(&PV.replace("machine='xenpv'>xen<", "machine='xenpvh'>xenpvh<"));
    there_and_back(
        &PV.replace("machine='xenpv'>xen<", "machine='xenfv'>hvm<")
            .replace("xvda' bus='xen'", "hda' bus='ide'")
            .replace(
                "<console type='pty'/>",
                "<serial type='pty'/><sound model='es1370'/><input type='tablet' bus='usb'/>",
            )
            .replace("</os>", "</os><features><acpi/><apic/><pae/></features><clock offset='localtime'/>"),
    );
}

#[test]
fn the_recorded_definition_is_completed_as_recorded() {
    let tree =
        complete(&PV.replace("<graphics type='vnc' port='5905' autoport='no' listen='127.0.0.1'/>", ""));
    let text = tree.to_string();
    let devices = text.split("<controller").nth(1).unwrap();
    assert_eq!(
        devices,
        " type='xenbus' index='0'/>
    <interface type='bridge'>
      <mac address='00:16:3e:11:11:11'/>
      <source bridge='xenbr0'/>
    </interface>
    <console type='pty'>
      <target type='xen' port='0'/>
    </console>
    <input type='mouse' bus='xen'/>
    <input type='keyboard' bus='xen'/>
    <memballoon model='xen'/>
  </devices>
</domain>
"
    );
    assert!(text.contains("<type arch='x86_64' machine='xenpv'>linux</type>"));
    assert!(text.contains("<clock offset='utc'/>"));
}

#[test]
fn disks_of_all_spellings_are_read() {
    for (specification, wanted) in [
        ("phy:/dev/vg/lv,xvda,w", "block phy raw /dev/vg/lv xvda rw"),
        ("file:/a b.img,xvdb,r", "file - raw /a b.img xvdb ro"),
        ("/dev/vg/lv,raw,xvda,rw", "block - raw /dev/vg/lv xvda rw"),
        ("/x.qcow2,qcow2,xvda", "file - qcow2 /x.qcow2 xvda rw"),
        ("tap:qcow2:/x,xvda,w", "file - qcow2 /x xvda rw"),
        ("format=raw,vdev=hdc,access=ro,devtype=cdrom,target=/a,b.iso", "file - raw /a,b.iso hdc ro"),
        ("/x.iso,,hdc:cdrom,r", "file - raw /x.iso hdc ro"),
        ("/x.iso,raw,hdc,cdrom", "file - raw /x.iso hdc ro"),
        ("vdev=xvda, backendtype=phy, target=/dev/y", "block phy raw /dev/y xvda rw"),
    ] {
        let disk = disk::element(specification, Kind::Pv, Use::Kept).unwrap();
        let source = disk.child("source").unwrap();
        let path = source.attribute("file").or(source.attribute("dev")).unwrap();
        let told = format!(
            "{} {} {} {path} {} {}",
            disk.attribute("type").unwrap(),
            disk.child_attribute("driver", "name").unwrap_or("-"),
            disk.child_attribute("driver", "type").unwrap(),
            disk.child_attribute("target", "dev").unwrap(),
            if disk.child("readonly").is_some() { "ro" } else { "rw" }
        );
        assert_eq!(told, wanted, "{specification}");
    }
    for bad in ["", "/x,raw", "/x,raw,xvda,maybe", "/x,raw,xvda,rw,more"] {
        assert!(disk::element(bad, Kind::Pv, Use::Kept).is_err(), "{bad}");
    }
}

#[test]
fn what_xl_cannot_do_is_refused_by_name() {
    for (device, words) in [
        ("<filesystem type='mount'><source dir='/a'/><target dir='b'/></filesystem>", "<filesystem> devices"),
        ("<interface type='user'/>", "the type 'user'"),
        (
            "<disk type='network'><source protocol='rbd' name='x'/><target dev='xvdc'/></disk>",
            "a source of type 'network'",
        ),
    ] {
        let tree = complete(&PV.replace("<console type='pty'/>", &format!("<console type='pty'/>{device}")));
        let error = config_from_domain(&tree, Use::Kept).unwrap_err();
        assert!(error.message.starts_with("unsupported configuration: "), "{error}");
        assert!(error.message.contains(words), "{error}");
    }
}

#[test]
fn what_runs_reads_like_its_file() {
    let listed: serde_json::Value = serde_json::from_str(
        r#"{"domid": 2, "config": {"c_info": {"type": "pvh", "name": "pvh1", "uuid": "22222222-2222-4222-8222-222222222222"},
        "b_info": {"max_vcpus": 2, "avail_vcpus": [0], "max_memkb": 163840, "target_memkb": 131072,
        "kernel": "/boot/k", "cmdline": "console=hvc0", "ramdisk": "/boot/i", "type.pvh": {}},
        "disks": [{"pdev_path": "/tmp/g/disk2.img", "vdev": "xvda", "backend": "phy", "format": "raw", "removable": 1, "readwrite": 1}],
        "nics": [{"devid": 0, "mac": "00:16:3e:22:22:22", "bridge": "xenbr0", "nictype": "vif"}], "on_reboot": "restart"}}"#,
    )
    .unwrap();
    let tree = definition::complete(domain_from_config(&live::config(&listed), Use::Kept).unwrap()).unwrap();
    let text = tree.to_string();
    for part in [
        "<memory unit='KiB'>163840</memory>\n  <currentMemory unit='KiB'>131072</currentMemory>",
        "<vcpu placement='static' current='1'>2</vcpu>",
        "<type arch='x86_64' machine='xenpvh'>xenpvh</type>\n    <kernel>/boot/k</kernel>",
        "<source file='/tmp/g/disk2.img'/>",
        "<mac address='00:16:3e:22:22:22'/>\n      <source bridge='xenbr0'/>\n    </interface>",
        "<on_reboot>restart</on_reboot>",
    ] {
        assert!(text.contains(part), "{part}\n{text}");
    }
}
