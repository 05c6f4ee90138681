//! Every operation of the layer against every release there was, and what each of them would not survive.

use crate::played::{MANAGING, Played, RELEASES};
use hvsh::backend::{Connection, xen};
use hvsh::error::Error;
use hvsh::model::constants::*;
use hvsh::model::{DomainRef, TypedParam};
use hvsh::uri::Uri;

pub const UUID: &str = "0badcafe-0000-4000-8000-00000000000a";
pub const DISK: &str = "<disk type='file' device='disk'><driver name='file'/><source file='/b'/><target dev='xvdb' bus='xen'/></disk>";
const CARD: &str = "<interface type='bridge'><mac address='00:16:3e:00:00:09'/><source bridge='br0'/>\
                    <bandwidth><outbound average='500'/></bandwidth></interface>";

/// A definition with one more part.
pub fn definition(name: &str, uuid: &str, memory: u32, more: &str) -> String {
    format!(
        "<domain type='xen'><name>{name}</name><uuid>{uuid}</uuid><memory unit='MiB'>{memory}</memory>\
         <currentMemory unit='MiB'>256</currentMemory><vcpu>2</vcpu><os><type>linux</type><kernel>/k</kernel>\
         <cmdline>root=/dev/xvda</cmdline></os><devices><disk type='file' device='disk'><driver name='file'/>\
         <source file='/a'/><target dev='xvda' bus='xen'/></disk>{more}</devices></domain>"
    )
}

pub fn machine() -> String {
    format!(
        "<domain type='xen'><name>hvm</name><uuid>{UUID}</uuid><memory unit='MiB'>256</memory><os><type>hvm</type>\
         <boot dev='hd'/></os><devices><disk type='file' device='disk'><source file='/a'/><target dev='hda' bus='ide'/>\
         </disk><disk type='file' device='cdrom'><source file='/one.iso'/><target dev='hdc' bus='ide'/><readonly/>\
         </disk><graphics type='vnc' port='-1'/></devices></domain>"
    )
}

pub fn open(xend: &Played) -> Box<dyn Connection> {
    xen::open(&Uri::parse(&xend.uri()).unwrap(), false).unwrap()
}

fn names(connection: &dyn Connection, flags: u32) -> Vec<String> {
    let listed = connection.domains().list_all_domains(flags).unwrap();
    listed.into_iter().map(|domain| domain.name).collect()
}

/// A release with a guest that runs on it.
fn with_guest(release: u32) -> (Played, Box<dyn Connection>, DomainRef) {
    let xend = Played::of(release);
    let connection = open(&xend);
    let domain = connection.domains().create_xml(&definition("demo", UUID, 512, ""), 0).unwrap();
    (xend, connection, domain)
}

fn refused<T>(release: u32, answer: Result<T, Error>, words: &str) {
    let error =
        answer.err().unwrap_or_else(|| panic!("{release}: nothing refused what should say '{words}'"));
    assert!(error.to_string().contains(words), "{release}: {error}");
}

#[test]
fn guests_live_and_end() {
    for release in RELEASES {
        let (xend, connection, domain) = with_guest(*release);
        let domains = connection.domains();
        let state = || domains.state(&domain, 0).unwrap().state;
        assert_eq!(state(), DOMAIN_RUNNING, "{release}");
        assert_eq!(names(&*connection, 0), ["Domain-0", "demo"], "{release}");
        domains.suspend(&domain).unwrap();
        assert_eq!(state(), DOMAIN_PAUSED, "{release}");
        assert_eq!(names(&*connection, CONNECT_LIST_DOMAINS_PAUSED), ["demo"], "{release}");
        domains.resume(&domain).unwrap();
        domains.resume(&domain).unwrap();
        domains.reboot(&domain, 0).unwrap();
        assert_eq!(xend.last().field("reason"), "reboot");
        match *release {
            ..330 => refused(*release, domains.reset(&domain, 0), "no operation 'reset'"),
            _ => domains.reset(&domain, 0).unwrap(),
        }
        let xml = domains.xml(&domain, 0).unwrap();
        for part in [
            "<name>demo</name>",
            "<kernel>/k</kernel>",
            "<target dev='xvda' bus='xen'/>",
            "<source file='/a'/>",
        ] {
            assert!(xml.contains(part), "{release}: {part} is not in {xml}");
        }
        let by_id = domains.lookup_by_id(domain.id.unwrap() as i32).unwrap();
        assert_eq!(
            (by_id.uuid, domains.lookup_by_uuid(domain.uuid).unwrap().name.as_str()),
            (domain.uuid, "demo")
        );
        refused(*release, domains.lookup_by_name("nosuch"), "no domain with matching name 'nosuch'");
        refused(*release, domains.lookup_by_id(99), "no domain with matching id 99");
        domains.shutdown(&domain, 0).unwrap();
        assert_eq!(names(&*connection, 0), ["Domain-0"], "{release}");
        refused(*release, domains.destroy(&domain, 0), "no domain with matching uuid");
        let again = domains.create_xml(&definition("demo", UUID, 512, ""), DOMAIN_START_PAUSED).unwrap();
        assert_eq!(domains.state(&again, 0).unwrap().state, DOMAIN_PAUSED, "{release}");
        domains.destroy(&again, 0).unwrap();
        assert_eq!(xend.harm(), Vec::<String>::new(), "{release}");
    }
}

#[test]
fn definitions_are_kept_where_xend_keeps_them() {
    for release in RELEASES.iter().filter(|release| **release >= MANAGING) {
        let xend = Played::of(*release);
        let connection = open(&xend);
        let domains = connection.domains();
        let domain = domains.define_xml(&definition("mgd", UUID, 512, ""), 0).unwrap();
        assert_eq!(names(&*connection, CONNECT_LIST_DOMAINS_INACTIVE), ["mgd"], "{release}");
        let another = definition("other", UUID, 512, "");
        refused(*release, domains.define_xml(&another, 0), "domain 'mgd' is already defined with uuid");
        domains.set_autostart(&domain, true).unwrap();
        assert!(domains.autostart(&domain).unwrap(), "{release}");
        domains.set_memory(&domain, 128 << 10, DOMAIN_AFFECT_CONFIG).unwrap();
        domains.set_max_memory(&domain, 600 << 10).unwrap();
        domains.set_vcpus(&domain, 3, DOMAIN_AFFECT_CONFIG | DOMAIN_VCPU_MAXIMUM).unwrap();
        let info = domains.info(&domain).unwrap();
        assert_eq!((info.memory, info.max_memory), (128 << 10, 600 << 10), "{release}");
        assert_eq!(
            domains.vcpu_count(&domain, DOMAIN_VCPU_CONFIG | DOMAIN_VCPU_MAXIMUM).unwrap(),
            3,
            "{release}"
        );
        domains.attach_device(&domain, DISK, DOMAIN_AFFECT_CONFIG).unwrap();
        domains.attach_device(&domain, CARD, DOMAIN_AFFECT_CONFIG).unwrap();
        let xml = domains.xml(&domain, 0).unwrap();
        assert!(xml.contains("dev='xvdb'") && xml.contains("<outbound average='500'/>"), "{release}: {xml}");
        domains.detach_device(&domain, DISK, DOMAIN_AFFECT_CONFIG).unwrap();
        assert!(!domains.xml(&domain, 0).unwrap().contains("dev='xvdb'"), "{release}");
        domains.set_scheduler_parameters(&domain, &[TypedParam::new("weight", 300_u32)], 0).unwrap();
        let weight = domains.scheduler_parameters(&domain, 0).unwrap().remove(0);
        // What a definition began with is all that these tell of one that does not run.
        let told = if *release < 320 { 256 } else { 300 };
        assert_eq!(weight.value.as_u64(), Some(told), "{release}");
        assert_eq!(xend.state.lock().unwrap().guests[1].weight, 300, "{release}");
        domains.rename(&domain, Some("new"), 0).unwrap();
        let domain = domains.lookup_by_name("new").unwrap();
        let started = domains.create(&domain, 0).unwrap();
        assert!(started.id.is_some() && domains.is_active(&started).unwrap(), "{release}");
        refused(*release, domains.create(&started, 0), "already running");
        refused(*release, domains.undefine(&started, 0), "cannot undefine transient domain");
        domains.destroy(&started, 0).unwrap();
        let paused = domains.create(&domain, DOMAIN_START_PAUSED).unwrap();
        assert_eq!(domains.state(&paused, 0).unwrap().state, DOMAIN_PAUSED, "{release}");
        domains.destroy(&paused, 0).unwrap();
        domains.undefine(&domain, 0).unwrap();
        assert_eq!(names(&*connection, 0), ["Domain-0"], "{release}");
        assert_eq!(xend.harm(), Vec::<String>::new(), "{release}");
    }
}

#[test]
fn sizes_and_places_are_changed() {
    for release in RELEASES {
        let (xend, connection, domain) = with_guest(*release);
        let domains = connection.domains();
        domains.set_memory(&domain, 200 << 10, 0).unwrap();
        domains.set_max_memory(&domain, 300 << 10).unwrap();
        let info = domains.info(&domain).unwrap();
        assert_eq!((info.memory, info.max_memory, info.vcpus), (200 << 10, 300 << 10, 2), "{release}");
        refused(*release, domains.set_max_memory(&domain, 100 << 10), "below the domain's present");
        refused(*release, domains.set_memory(&domain, 400 << 10, 0), "higher than max memory");
        domains.set_vcpus(&domain, 1, 0).unwrap();
        assert_eq!(domains.vcpu_count(&domain, DOMAIN_VCPU_LIVE).unwrap(), 1, "{release}");
        refused(*release, domains.set_vcpus(&domain, 3, 0), "greater than max allowable vcpus");
        let (vcpus, _) = domains.vcpu_info(&domain, 2, 1).unwrap();
        assert_eq!(
            vcpus.iter().map(|vcpu| vcpu.state).collect::<Vec<_>>(),
            [VCPU_BLOCKED, VCPU_OFFLINE],
            "{release}"
        );
        match *release {
            ..340 => refused(*release, domains.pin_vcpu(&domain, 1, &[0b101], 0), "would unpin the CPU"),
            _ => {
                domains.pin_vcpu(&domain, 1, &[0b101], 0).unwrap();
                assert_eq!(xend.last().field("cpumap"), "0,2");
                assert_eq!(
                    domains.vcpu_pin_info(&domain, 2, 1, 0).unwrap(),
                    (vec![0b1111, 0b101], 2),
                    "{release}"
                );
            }
        }
        assert_eq!(xend.harm(), Vec::<String>::new(), "{release}");
    }
}

#[test]
fn the_scheduler_is_told_and_asked() {
    for release in RELEASES.iter().filter(|release| **release >= 303) {
        let (xend, connection, domain) = with_guest(*release);
        let domains = connection.domains();
        domains.set_scheduler_parameters(&domain, &[TypedParam::new("weight", 512_u32)], 0).unwrap();
        let params = domains.scheduler_parameters(&domain, 0).unwrap();
        // Not what the description says, which is what the domain began with.
        assert_eq!(params[0].value.as_u64(), Some(512), "{release}");
        let cap = [TypedParam::new("cap", 50_u32)];
        match *release {
            ..320 => {
                refused(*release, domains.set_scheduler_parameters(&domain, &cap, 0), "does not heed a cap")
            }
            _ => {
                domains.set_scheduler_parameters(&domain, &cap, 0).unwrap();
                let params = domains.scheduler_parameters(&domain, 0).unwrap();
                let figures: Vec<_> = params.iter().map(|param| param.value.as_u64().unwrap()).collect();
                assert_eq!(figures, [512, 50], "{release}");
            }
        }
        let wrong = [TypedParam::new("weight", 0_u32)];
        refused(*release, domains.set_scheduler_parameters(&domain, &wrong, 0), "weight must be 1 to 65535");
        assert_eq!(xend.harm(), Vec::<String>::new(), "{release}");
    }
}

#[test]
fn the_earliest_deadline_first_has_settings_of_its_own() {
    for release in RELEASES {
        let (xend, connection, domain) = with_guest(*release);
        xend.state.lock().unwrap().scheduler = "sedf";
        if (303..310).contains(release) {
            // These do not say which scheduler there is.
            continue;
        }
        let connection_now = open(&xend);
        let domains = connection_now.domains();
        assert_eq!(domains.scheduler_type(&domain).unwrap(), ("sedf".to_string(), 5), "{release}");
        let period =
            |params: Vec<TypedParam>| TypedParam::find(&params, "period").and_then(|value| value.as_u64());
        assert_eq!(period(domains.scheduler_parameters(&domain, 0).unwrap()), Some(100_000_000), "{release}");
        domains.set_scheduler_parameters(&domain, &[TypedParam::new("period", 1_000_000_u64)], 0).unwrap();
        assert_eq!(period(domains.scheduler_parameters(&domain, 0).unwrap()), Some(1_000_000), "{release}");
        // All of them are told again, whichever was meant.
        assert_eq!(xend.state.lock().unwrap().sedf.number("extratime"), Some(1));
        let wrong = [TypedParam::new("cap", 1_u32)];
        refused(*release, domains.set_scheduler_parameters(&domain, &wrong, 0), "has no setting 'cap'");
        drop(connection);
    }
}

#[test]
fn devices_come_and_go() {
    for release in RELEASES {
        let (xend, connection, domain) = with_guest(*release);
        let domains = connection.domains();
        domains.attach_device(&domain, DISK, 0).unwrap();
        domains.attach_device(&domain, CARD, 0).unwrap();
        assert_eq!(xend.last().config().get("rate").as_deref(), Some("500KB/s"), "{release}");
        refused(*release, domains.attach_device(&domain, DISK, 0), "target xvdb already exists");
        let xml = domains.xml(&domain, 0).unwrap();
        assert!(xml.contains("xvdb") && xml.contains("<outbound average='500'/>"), "{release}: {xml}");
        domains.detach_device(&domain, CARD, 0).unwrap();
        assert_eq!(
            (xend.last().field("type"), xend.last().field("dev")),
            ("vif".to_string(), "0".to_string())
        );
        domains.detach_device(&domain, DISK, 0).unwrap();
        refused(*release, domains.detach_device(&domain, DISK, 0), "disk xvdb not found");
        let host = "<hostdev mode='subsystem' type='pci'><source><address domain='0x0' bus='0x1' slot='0x2' \
                    function='0x3'/></source></hostdev>";
        refused(*release, domains.attach_device(&domain, host, 0), "no host device to a domain that runs");
        assert_eq!(xend.harm(), Vec::<String>::new(), "{release}");
    }
}

#[test]
fn host_devices_are_part_of_definitions() {
    let host = "<hostdev mode='subsystem' type='pci' managed='no'><source><address domain='0x0000' bus='0x01' \
                slot='0x02' function='0x3'/></source></hostdev>";
    for release in RELEASES {
        let xend = Played::of(*release);
        let connection = open(&xend);
        let domain = connection.domains().create_xml(&definition("demo", UUID, 512, host), 0).unwrap();
        let xml = connection.domains().xml(&domain, 0).unwrap();
        for part in ["bus='0x01'", "slot='0x02'", "function='0x3'"] {
            assert!(xml.contains(part), "{release}: {part} is not in {xml}");
        }
    }
}

#[test]
fn media_are_changed_where_that_works() {
    let disc = |path: &str| {
        format!(
            "<disk type='file' device='cdrom'><source file='{path}'/><target dev='hdc' bus='ide'/><readonly/></disk>"
        )
    };
    for release in RELEASES {
        let xend = Played::of(*release);
        let connection = open(&xend);
        let domains = connection.domains();
        let domain = domains.create_xml(&machine(), 0).unwrap();
        let xml = domains.xml(&domain, 0).unwrap();
        assert!(xml.contains("<source file='/one.iso'/>"), "{release}: {xml}");
        assert!(xml.contains("<loader type='rom'>/usr/lib/xen/boot/hvmloader</loader>"), "{release}: {xml}");
        let before = xend.changes();
        match *release {
            310..400 => {
                domains.update_device(&domain, &disc("/two.iso"), 0).unwrap();
                assert_eq!(xend.last().field("dev"), "hdc");
                assert!(domains.xml(&domain, 0).unwrap().contains("/two.iso"), "{release}");
            }
            _ => {
                assert!(domains.update_device(&domain, &disc("/two.iso"), 0).is_err(), "{release}");
                assert_eq!(xend.changes(), before, "{release}");
            }
        }
        assert_eq!(xend.harm(), Vec::<String>::new(), "{release}");
    }
}

#[test]
fn memory_goes_to_files_and_to_other_hosts() {
    for release in RELEASES {
        let (xend, connection, domain) = with_guest(*release);
        let domains = connection.domains();
        match *release {
            ..304 => {
                refused(*release, domains.core_dump_with_format(&domain, "/d", 0, 0), "no operation 'dump'")
            }
            _ => domains.core_dump_with_format(&domain, "/d", 0, DUMP_LIVE).unwrap(),
        }
        domains.suspend(&domain).unwrap();
        refused(*release, domains.save(&domain, "/s", None, 0), "a paused domain cannot save itself");
        domains.resume(&domain).unwrap();
        domains.save(&domain, "/s", None, 0).unwrap();
        assert_eq!(names(&*connection, 0), ["Domain-0"], "{release}");
        domains.restore("/s", None, 0).unwrap();
        let back = domains.lookup_by_name("demo").unwrap();
        assert_eq!(domains.state(&back, 0).unwrap().state, DOMAIN_RUNNING, "{release}");
        let to = [TypedParam::new("migrate_uri", "xenmigr://there")];
        domains.migrate_perform3_params(&back, None, &to, &[], MIGRATE_LIVE).unwrap();
        assert_eq!(names(&*connection, 0), ["Domain-0"], "{release}");
        assert_eq!(xend.harm(), Vec::<String>::new(), "{release}");
    }
}

#[test]
fn what_a_release_would_not_survive_is_not_asked_of_it() {
    for release in RELEASES {
        let (xend, connection, domain) = with_guest(*release);
        let domains = connection.domains();
        let before = xend.changes();
        let host = domains.lookup_by_name("Domain-0").unwrap();
        refused(*release, domains.shutdown(&host, 0), "Domain-0");
        refused(*release, domains.suspend(&host), "Domain-0");
        refused(*release, domains.destroy(&host, 0), "Domain-0");
        refused(*release, domains.save(&host, "/s", None, 0), "Domain-0");
        let twin = definition("twin", UUID, 512, "");
        refused(*release, domains.create_xml(&twin, 0), "already active as 'demo'");
        let namesake = definition("demo", "0badcafe-0000-4000-8000-00000000000b", 512, "");
        refused(*release, domains.create_xml(&namesake, 0), "domain 'demo' already exists");
        refused(*release, domains.set_max_memory(&domain, 100 << 10), "below");
        assert_eq!(xend.changes(), before, "{release}");
        let garbled = definition("other", "0badcafe-0000-4000-8000-00000000000c", 512, "")
            .replace("root=/dev/xvda", "d\u{e9}sc");
        if *release >= MANAGING {
            refused(*release, domains.define_xml(&garbled, 0), "plain ASCII only");
            assert_eq!(xend.changes(), before, "{release}");
        }
        let greedy = definition("greedy", "0badcafe-0000-4000-8000-00000000000d", 9000, "")
            .replace("<currentMemory unit='MiB'>256</currentMemory>", "");
        let words = if (303..320).contains(release) { "would hang" } else { "more memory" };
        refused(*release, domains.create_xml(&greedy, 0), words);
        assert_eq!(xend.harm(), Vec::<String>::new(), "{release}");
    }
}

#[test]
fn a_name_that_is_a_number_is_no_id() {
    for release in RELEASES {
        let (xend, connection, domain) = with_guest(*release);
        let domains = connection.domains();
        let id = domain.id.unwrap();
        let number = definition(&id.to_string(), "0badcafe-0000-4000-8000-00000000000e", 512, "");
        let numbered = domains.create_xml(&number, 0).unwrap();
        assert_eq!(domains.lookup_by_id(id as i32).unwrap().name, "demo", "{release}");
        assert_eq!(domains.lookup_by_name(&id.to_string()).unwrap().uuid, numbered.uuid, "{release}");
        domains.destroy(&domain, 0).unwrap();
        assert_eq!(names(&*connection, 0), ["Domain-0".to_string(), id.to_string()], "{release}");
        assert_eq!(xend.harm(), Vec::<String>::new(), "{release}");
    }
}

#[test]
fn a_name_that_another_domain_has_by_now_leads_nowhere() {
    for release in RELEASES {
        let (xend, connection, domain) = with_guest(*release);
        let domains = connection.domains();
        domains.destroy(&domain, 0).unwrap();
        let other = definition("demo", "0badcafe-0000-4000-8000-00000000000f", 512, "");
        domains.create_xml(&other, 0).unwrap();
        // And the id as well.
        xend.state.lock().unwrap().guests[1].id = domain.id;
        let before = xend.changes();
        refused(*release, domains.destroy(&domain, 0), "no domain with matching uuid");
        refused(*release, domains.suspend(&domain), "no domain with matching uuid");
        refused(*release, domains.save(&domain, "/s", None, 0), "no domain with matching uuid");
        assert_eq!(xend.changes(), before, "{release}");
    }
}
