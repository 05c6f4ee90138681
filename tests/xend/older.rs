//! 3.0.2 and 3.0.3: no domains that do not run, no uuids in paths, one connection at a time.

use crate::faults::{ok, server};
use crate::shell::run;
use std::sync::{Arc, Mutex};

const NODE: &str = "(node (host h) (nr_cpus 2) (cores_per_socket 2) (xen_major 3) (xen_minor 0) (xen_extra -2) (free_memory 100))";
const DOMAIN_0: &str = "(domain (domid 0) (name Domain-0) (uuid 00000000-0000-0000-0000-000000000000) (memory 500) (vcpus 2) (state r-----))";
const DEMO: &str = "(domain (domid 7) (name demo) (uuid 0badcafe-0000-4000-8000-000000000001) (memory 64) (maxmem 64) (vcpus 1) \
     (shutdown_reason poweroff) (cpu_weight 1.0) (state --p---) (image (linux (kernel /k))) \
     (device (vbd (dev xvda) (uname file:/x) (mode w))))";

/// Serves as 3.0.2 does; what it was asked for ends up in the list.
fn old_xend(format: &'static str) -> (u16, Arc<Mutex<Vec<String>>>) {
    let asked = Arc::new(Mutex::new(Vec::new()));
    let kept = Arc::clone(&asked);
    let port = server(move |request| {
        let line = request.lines().next().unwrap_or_default().trim_end_matches(" HTTP/1.1").to_string();
        let keeps = request.contains("keep-alive");
        kept.lock().unwrap().push(if keeps { format!("{line} (kept)") } else { line.clone() });
        Some(match line.as_str() {
            "GET /xend/node" => ok(&NODE.replace("(free_memory", &format!("{format} (free_memory"))),
            "GET /xend/domain?detail=1" => ok(&format!("({DOMAIN_0} {DEMO})")),
            "GET /xend/domain/demo?detail=1" | "GET /xend/domain/7?detail=1" => ok(DEMO),
            "GET /xend/domain/Domain-0?detail=1" | "GET /xend/domain/0?detail=1" => ok(DOMAIN_0),
            "POST /xend/domain/demo" => "HTTP/1.1 202 Accepted\r\nContent-length: 0\r\n\r\n".to_string(),
            _ => "HTTP/1.1 404 Not found\r\nContent-length: 16\r\n\r\nNo such domain x".to_string(),
        })
    });
    (port, asked)
}

fn uri(port: u16) -> String {
    format!("xen:///?xend=tcp:127.0.0.1:{port}&xend-timeout=60")
}

#[test]
fn all_that_run_are_listed_in_one_question() {
    for format in ["", "(xend_config_format 2)"] {
        let (port, asked) = old_xend(format);
        let said = run(&uri(port), &["list", "--all"]);
        assert!(said.out.contains("demo") && said.out.contains("paused"), "{said:?}");
        let asked = asked.lock().unwrap().clone();
        assert!(asked.iter().all(|line| !line.contains("state=") && !line.contains("kept")), "{asked:?}");
    }
}

#[test]
fn a_domain_is_addressed_by_its_name_after_a_look_at_its_uuid() {
    let (port, asked) = old_xend("");
    let said = run(&uri(port), &["resume", "0badcafe-0000-4000-8000-000000000001"]);
    assert!(said.fine, "{said:?}");
    let asked = asked.lock().unwrap().clone();
    assert_eq!(asked.last().map(String::as_str), Some("POST /xend/domain/demo"));
    assert!(asked.iter().all(|line| !line.contains("0badcafe")), "{asked:?}");
}

#[test]
fn what_came_later_is_said_to_be_missing() {
    let (port, asked) = old_xend("");
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("domain.xml");
    let xml = "<domain type='xen'><name>n</name><memory unit='MiB'>64</memory><os><type>linux</type><kernel>/k</kernel></os></domain>";
    std::fs::write(&path, xml).unwrap();
    for (arguments, words) in [
        (["define", path.to_str().unwrap()], "keeps no domains that do not run"),
        (["autostart", "demo"], "starts no domains by itself"),
        (["shutdown", "Domain-0"], "Domain-0 cannot be shut down"),
    ] {
        let said = run(&uri(port), &arguments);
        assert!(!said.fine && said.err.contains(words), "{said:?}");
    }
    assert!(asked.lock().unwrap().iter().all(|line| !line.starts_with("POST")));
}
