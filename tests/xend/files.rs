//! 3.0.2 and 3.0.3 keep no domains that do not run: those are files, which `xm` read and which are read here.

use crate::played::{MANAGING, Played, RELEASES};
use hvsh::backend::{Connection, xen};
use hvsh::model::TypedParam;
use hvsh::model::constants::*;
use hvsh::uri::Uri;
use std::fs;

const UUID: &str = "0badcafe-0000-4000-8000-00000000000a";
const DEFINITION: &str = "<domain type='xen'><name>demo</name><uuid>0badcafe-0000-4000-8000-00000000000a</uuid>\
     <memory unit='MiB'>512</memory><currentMemory unit='MiB'>256</currentMemory><vcpu>2</vcpu><os><type>linux</type>\
     <kernel>/k</kernel><cmdline>root=/dev/xvda</cmdline></os><devices><disk type='file' device='disk'>\
     <driver name='file'/><source file='/a'/><target dev='xvda' bus='xen'/></disk></devices></domain>";

/// A xend of a release, its folder of files, and a connection to both.
fn host(release: u32) -> (Played, tempfile::TempDir, Box<dyn Connection>) {
    let xend = Played::of(release);
    let folder = tempfile::tempdir().unwrap();
    let connection = open(&xend, &folder);
    (xend, folder, connection)
}

fn open(xend: &Played, folder: &tempfile::TempDir) -> Box<dyn Connection> {
    let uri = format!("{}&xend-files={}", xend.uri(), folder.path().display());
    xen::open(&Uri::parse(&uri).unwrap(), false).unwrap()
}

fn names(connection: &dyn Connection, flags: u32) -> Vec<String> {
    let listed = connection.domains().list_all_domains(flags).unwrap();
    listed.into_iter().map(|domain| domain.name).collect()
}

fn old() -> impl Iterator<Item = u32> {
    RELEASES.iter().copied().filter(|release| *release < MANAGING)
}

#[test]
fn definitions_are_files_that_xm_reads() {
    for release in old() {
        let (xend, folder, connection) = host(release);
        let domains = connection.domains();
        let domain = domains.define_xml(DEFINITION, 0).unwrap();
        let text = || fs::read_to_string(folder.path().join("demo.cfg")).unwrap();
        for line in [
            "name = \"demo\"",
            "memory = 256",
            "maxmem = 512",
            "vcpus = 2",
            "extra = \"root=/dev/xvda\"",
            "file:/a,xvda,w",
        ] {
            assert!(text().contains(line), "{release}: {line} is not in {}", text());
        }
        assert_eq!(names(&*connection, CONNECT_LIST_DOMAINS_INACTIVE), ["demo"], "{release}");
        assert_eq!(domains.state(&domain, 0).unwrap().state, DOMAIN_SHUTOFF);
        domains.set_memory(&domain, 128 << 10, DOMAIN_AFFECT_CONFIG).unwrap();
        domains.set_max_memory(&domain, 600 << 10).unwrap();
        domains.set_vcpus(&domain, 3, DOMAIN_AFFECT_CONFIG | DOMAIN_VCPU_MAXIMUM).unwrap();
        let disk = "<disk type='file' device='disk'><source file='/b'/><target dev='xvdb' bus='xen'/></disk>";
        domains.attach_device(&domain, disk, DOMAIN_AFFECT_CONFIG).unwrap();
        if release == 303 {
            domains.set_scheduler_parameters(&domain, &[TypedParam::new("weight", 300_u32)], 0).unwrap();
            assert!(text().contains("cpu_weight = 300"), "{}", text());
        }
        let info = domains.info(&domain).unwrap();
        assert_eq!(
            (info.memory, info.max_memory, info.vcpus),
            (128 << 10, 600 << 10, 3),
            "{release}: {}",
            text()
        );
        assert!(domains.xml(&domain, 0).unwrap().contains("<source file='/b'/>"), "{release}");
        domains.set_autostart(&domain, true).unwrap();
        assert!(
            domains.autostart(&domain).unwrap()
                && folder.path().join("auto/demo.cfg").symlink_metadata().is_ok()
        );
        domains.rename(&domain, Some("new"), 0).unwrap();
        assert_eq!(names(&*connection, 0), ["Domain-0", "new"], "{release}");
        // xend has heard of none of it.
        assert_eq!(xend.changes(), 0, "{release}");
        domains.undefine(&domains.lookup_by_name("new").unwrap(), 0).unwrap();
        assert_eq!(names(&*connection, 0), ["Domain-0"], "{release}");
    }
}

#[test]
fn a_file_starts_and_outlives_its_domain() {
    for release in old() {
        let (xend, folder, connection) = host(release);
        let domains = connection.domains();
        let domain = domains.define_xml(DEFINITION, 0).unwrap();
        let started = domains.create(&domain, 0).unwrap();
        assert!(started.id.is_some() && domains.is_persistent(&started).unwrap(), "{release}");
        assert_eq!(names(&*connection, 0), ["Domain-0", "demo"], "{release}");
        assert_eq!(domains.state(&started, 0).unwrap().state, DOMAIN_RUNNING);
        assert!(domains.create(&started, 0).unwrap_err().to_string().contains("already running"));
        domains.set_memory(&started, 200 << 10, 0).unwrap();
        // The next start is as the file says.
        let next = domains.xml(&started, DOMAIN_XML_INACTIVE).unwrap();
        assert!(next.contains("<currentMemory unit='KiB'>262144<"), "{release}: {next}");
        domains.destroy(&started, 0).unwrap();
        assert_eq!(domains.state(&started, 0).unwrap().state, DOMAIN_SHUTOFF, "{release}");
        let paused = domains.create(&domain, DOMAIN_START_PAUSED).unwrap();
        assert_eq!(domains.state(&paused, 0).unwrap().state, DOMAIN_PAUSED, "{release}");
        domains.undefine(&paused, 0).unwrap();
        assert!(
            !domains.is_persistent(&paused).unwrap() && !folder.path().join("demo.cfg").exists(),
            "{release}"
        );
        assert_eq!(xend.harm(), Vec::<String>::new(), "{release}");
    }
}

#[test]
fn files_of_others_are_read_and_programs_are_not_run() {
    for release in old() {
        let (xend, folder, connection) = host(release);
        let domains = connection.domains();
        let put = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
        put(
            "plain",
            &format!(
                "name = 'plain'\nuuid = '{UUID}'\nmemory = 64\nkernel = '/k'\nbootentry = 'x'\nmine = 1\n"
            ),
        );
        put("program", "import os\nname = 'program'\nmemory = 64\nif os.name:\n    kernel = '/k'\n");
        put("xend-config.sxp", "(xend-http-server yes)");
        put("plain.rpmsave", "name = 'saved'\nmemory = 64\n");
        assert_eq!(names(&*connection, 0), ["Domain-0", "plain", "program"], "{release}");
        let program = domains.lookup_by_name("program").unwrap();
        let error = domains.create(&program, 0).unwrap_err().to_string();
        assert!(error.contains("/program:4: cannot read") || error.contains("/program:"), "{error}");
        let plain = domains.lookup_by_name("plain").unwrap();
        domains.set_memory(&plain, 32 << 10, DOMAIN_AFFECT_CONFIG).unwrap();
        let text = fs::read_to_string(folder.path().join("plain")).unwrap();
        for line in ["memory = 32", "mine = 1", "bootentry = \"x\""] {
            assert!(text.contains(line), "{release}: {line} is not in {text}");
        }
        assert_eq!(xend.changes(), 0, "{release}");
    }
}

#[test]
fn later_releases_keep_their_own() {
    let (_xend, folder, connection) = host(444);
    fs::write(folder.path().join("plain"), "name = 'plain'\nmemory = 64\nkernel = '/k'\n").unwrap();
    assert_eq!(names(&*connection, 0), ["Domain-0"]);
}
