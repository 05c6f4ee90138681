//! The directory over a store whose guests write into it what they like.

use super::{Directory, Sources};
use crate::backend::xen::definitions::Definitions;
use crate::backend::xen::xenstore::tests::{asked as what, daemon, refuse, reply};
use crate::backend::xen::xenstore::{Xenstore, XenstoreLayer};
use crate::backend::{DomainLifecycle, DomainLookup, DomainStats};
use crate::error::ErrorCode;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use uuid::Uuid;

/// The store's nodes, as they are this moment.
type Nodes = Arc<Mutex<BTreeMap<String, Vec<u8>>>>;

/// A store of these nodes, and the directory over it.
fn host(nodes: &Nodes) -> (tempfile::TempDir, Arc<Xenstore>, Directory) {
    let served = Arc::clone(nodes);
    let (folder, path) = daemon(move |asked| {
        let (question, wanted) = what(&asked);
        let nodes = served.lock().unwrap();
        Some(vec![match question {
            1 => {
                let below = format!("{wanted}/");
                let names = nodes.keys().filter_map(|path| path.strip_prefix(&below)?.split('/').next());
                let mut names: Vec<&str> = names.collect();
                names.dedup();
                match names.is_empty() && !nodes.contains_key(&wanted) {
                    true => refuse(&asked, "ENOENT"),
                    false => reply(
                        &asked,
                        names.iter().map(|name| format!("{name}\0")).collect::<String>().as_bytes(),
                    ),
                }
            }
            2 => nodes.get(&wanted).map_or_else(|| refuse(&asked, "ENOENT"), |value| reply(&asked, value)),
            6 => reply(&asked, b"1\0"),
            _ => reply(&asked, b"OK\0"),
        }])
    });
    let store = Arc::new(Xenstore::at(&path).unwrap());
    let definitions = Definitions::of_xm(&folder.path().join("none"));
    let sources = Sources { store: Some(Arc::clone(&store)), definitions, ..Sources::default() };
    (folder, store, Directory::new(sources))
}

fn uuid(number: u32) -> Uuid {
    Uuid::from_u128(u128::from(number) << 64 | 1)
}

/// The nodes of a guest that behaves.
fn guest(nodes: &Nodes, id: u32, name: &str) {
    let mut nodes = nodes.lock().unwrap();
    let home = format!("/local/domain/{id}");
    nodes.insert(format!("{home}/name"), name.as_bytes().to_vec());
    nodes.insert(format!("{home}/vm"), format!("/vm/{}", uuid(id)).into_bytes());
    nodes.insert(format!("{home}/memory/target"), b"65536".to_vec());
    nodes.insert(format!("{home}/console/tty"), b"/dev/pts/7".to_vec());
    nodes.insert(format!("{home}/console/vnc-port"), b"5907".to_vec());
    nodes.insert(format!("{home}/device/vif/0/mac"), b"00:16:3e:00:00:01".to_vec());
    nodes.insert(
        format!("{home}/device/vif/0/backend"),
        format!("/local/domain/0/backend/vif/{id}/0").into_bytes(),
    );
    nodes.insert(format!("/local/domain/0/backend/vif/{id}/0/mac"), b"00:16:3e:00:00:01".to_vec());
}

fn set(nodes: &Nodes, path: &str, value: &[u8]) {
    nodes.lock().unwrap().insert(path.to_string(), value.to_vec());
}

#[test]
fn nobody_takes_the_name_of_another() {
    let nodes = Nodes::default();
    guest(&nodes, 3, "victim");
    guest(&nodes, 7, "other");
    let (_folder, _, directory) = host(&nodes);
    set(&nodes, "/local/domain/7/name", b"victim");
    assert_eq!(directory.lookup_by_name("victim").unwrap().id, Some(3));
    set(&nodes, "/local/domain/7/name", b"Domain-0");
    set(&nodes, "/local/domain/0/name", b"whatever");
    assert_eq!(directory.lookup_by_name("Domain-0").unwrap().uuid, Uuid::nil());
    let names: Vec<String> =
        directory.list_all_domains(0).unwrap().into_iter().map(|domain| domain.name).collect();
    assert_eq!(names, ["Domain-0", "victim", "domain-7"]);
}

#[test]
fn an_id_that_is_another_domains_by_now_leads_nowhere() {
    let nodes = Nodes::default();
    guest(&nodes, 3, "first");
    let (_folder, store, directory) = host(&nodes);
    let first = directory.lookup_by_name("first").unwrap();
    // It goes, and the next one gets its id.
    set(&nodes, "/local/domain/3/vm", format!("/vm/{}", uuid(9)).as_bytes());
    set(&nodes, "/local/domain/3/name", b"second");
    assert_eq!(directory.xml(&first, 0).unwrap_err().code, ErrorCode::NO_DOMAIN);
    let layer = XenstoreLayer::new(store, None);
    let error = layer.shutdown(&first, 0).unwrap_err().to_string();
    assert!(error.contains("domain is not running"), "{error}");
}

#[test]
fn a_domain_that_vanishes_between_two_reads_is_no_domain() {
    let nodes = Nodes::default();
    guest(&nodes, 3, "first");
    guest(&nodes, 4, "second");
    let (_folder, _, directory) = host(&nodes);
    let second = directory.lookup_by_name("second").unwrap();
    // Its folder is still there, its nodes are not.
    nodes.lock().unwrap().retain(|path, _| !path.starts_with("/local/domain/4/"));
    set(&nodes, "/local/domain/4", b"");
    let names: Vec<String> =
        directory.list_all_domains(0).unwrap().into_iter().map(|domain| domain.name).collect();
    assert_eq!(names, ["Domain-0", "first"]);
    assert_eq!(directory.xml(&second, 0).unwrap_err().code, ErrorCode::NO_DOMAIN);
}

/// What a guest may write where something else is meant.
const NASTY: &[&[u8]] = &[
    b"",
    b"\0",
    b"\x1b[2J\x1b]0;owned\x07",
    b"a\nb",
    b"</name><devices/>",
    b"&lt;'\"",
    b"../../../etc/shadow",
    b"/dev/pts/../../etc/shadow",
    b"/dev/sda",
    b"-1",
    b"99999999999999999999",
    b"18446744073709551615",
    b"65536",
    b"5900\n",
    b"/vm/",
    b"/local/domain/3",
    b"/local/domain/0/backend/vif/3/0",
    b"\xff\xfe\x00\x01",
    b"name=x,vdev=y",
    b"\xe2\x80\xae backwards",
];

#[test]
fn what_a_guest_writes_is_shown_whole_or_not_at_all() {
    let nodes = Nodes::default();
    guest(&nodes, 3, "victim");
    guest(&nodes, 7, "hostile");
    let (_folder, _, directory) = host(&nodes);
    let victim = directory.lookup_by_name("victim").unwrap();
    let before = directory.xml(&victim, 0).unwrap();
    let long = vec![b'9'; 4000];
    let own: Vec<String> =
        nodes.lock().unwrap().keys().filter(|path| path.starts_with("/local/domain/7/")).cloned().collect();
    let clean = nodes.lock().unwrap().clone();
    for path in own {
        for value in NASTY.iter().copied().chain([&long[..]]) {
            set(&nodes, &path, value);
            for domain in directory.list_all_domains(0).unwrap() {
                assert!(!domain.name.chars().any(char::is_control), "{path}: {domain:?}");
                let Ok(xml) = directory.xml(&domain, 0) else { continue };
                assert!(crate::xml::parse(&xml, "domain_definition").is_ok(), "{path}: {xml}");
                assert!(!xml.contains("shadow") && !xml.contains("/dev/sda"), "{path}: {xml}");
                let _ = directory.all_domain_stats(&[domain], 0, 0);
            }
            assert_eq!(directory.xml(&victim, 0).unwrap(), before, "{path}");
            nodes.lock().unwrap().clone_from(&clean);
        }
    }
}
