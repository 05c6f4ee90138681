//! Our client against a real libvirtd, where one runs on this machine; loudly skipped elsewhere.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stderr)]

use hvsh::backend::Connection;
use hvsh::backend::registry;
use hvsh::error::ErrorCode;
use hvsh::uri::Uri;
use std::path::Path;

const SOCKET: &str = "/run/libvirt/libvirt-sock";

/// A connection to libvirtd's own in-memory driver, so that nothing on the machine is touched.
fn libvirtd(driver: &str) -> Option<Box<dyn Connection>> {
    if !Path::new(SOCKET).exists() {
        eprintln!("SKIPPED: no libvirtd listens on {SOCKET}");
        return None;
    }
    let uri = Uri::parse(&format!("{driver}?socket={SOCKET}")).unwrap();
    Some(registry::open(&uri, false).unwrap())
}

#[test]
fn the_node_and_its_domains_are_read() {
    let Some(connection) = libvirtd("test+unix:///default") else {
        return;
    };
    assert_eq!(connection.host().driver_type().unwrap(), "TEST");
    assert!(connection.host().uri().unwrap().starts_with("test+unix:///default?socket="));
    let domains = connection.domains().list_all_domains(0).unwrap();
    assert_eq!(domains[0].name, "test");
    assert!(connection.domains().xml(&domains[0], 0).unwrap().contains("<name>test</name>"));
    let node = connection.host().node_info().unwrap();
    assert_eq!((node.model.as_str(), node.cpus), ("i686", 16));
}

#[test]
fn listings_that_want_their_exact_size_get_it() {
    let Some(connection) = libvirtd("qemu+unix:///system") else {
        return;
    };
    let stats = connection.host().node_cpu_stats(-1, 0).unwrap();
    assert!(stats.iter().any(|stat| stat.name == "idle"), "{stats:?}");
    assert!(!connection.host().node_memory_stats(-1, 0).unwrap().is_empty());
}

#[test]
fn errors_come_with_their_code() {
    let Some(connection) = libvirtd("test+unix:///default") else {
        return;
    };
    let error = connection.domains().lookup_by_name("nobody").unwrap_err();
    assert_eq!(error.code, ErrorCode::NO_DOMAIN);
    assert_eq!(error.to_string(), "Domain not found");
    let uri = Uri::parse(&format!("qemu+unix:///bogus?socket={SOCKET}")).unwrap();
    let error = registry::open(&uri, false).err().unwrap();
    assert_eq!(error.to_string(), "internal error: unexpected qemu URI path '/bogus', try qemu:///system");
}
