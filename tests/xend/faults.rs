//! A xend that does not answer, or answers what it should not: one clear error, and no more.

use crate::shell::{Said, run};
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::net::UnixListener;
use std::sync::{Arc, Mutex};
use std::thread;

const NODE: &str = "(node (host h) (nr_cpus 2) (cores_per_socket 2) (threads_per_core 1) (xen_major 4) (xen_minor 1) (xend_config_format 4))";

/// Reads one request, head and body.
pub fn read_request(stream: &mut impl Read) -> String {
    let mut request = Vec::new();
    let mut byte = [0];
    while !request.ends_with(b"\r\n\r\n") && stream.read(&mut byte).is_ok_and(|read| read == 1) {
        request.push(byte[0]);
    }
    String::from_utf8_lossy(&request).into_owned()
}

pub fn ok(body: &str) -> String {
    format!(
        "HTTP/1.1 200 OK\r\nContent-length: {}\r\nContent-type: application/sxp\r\n\r\n{body}",
        body.len()
    )
}

/// Serves each connection by what `answer` makes of its request; `None` leaves it open without a word.
pub fn server(answer: impl Fn(&str) -> Option<String> + Send + Sync + 'static) -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        let mut open: Vec<TcpStream> = Vec::new();
        for mut stream in listener.incoming().flatten() {
            let request = read_request(&mut stream);
            match answer(&request) {
                Some(answer) => {
                    let _ = stream.write_all(answer.as_bytes());
                }
                None => open.push(stream),
            }
        }
    });
    port
}

/// What the shell says to a xend whose node answers and whose lists are as `list` makes them.
fn list(answer: impl Fn(&str) -> Option<String> + Send + Sync + 'static) -> Said {
    let port = server(move |request| {
        let is_node = request.starts_with("GET /xend/node ");
        if is_node { Some(ok(NODE)) } else { answer(request) }
    });
    run(&format!("xen:///?xend=tcp:127.0.0.1:{port}&xend-timeout=1"), &["list", "--all"])
}

fn error_of(said: &Said) -> &str {
    assert!(!said.fine, "{said:?}");
    said.err.trim()
}

#[test]
fn a_request_that_is_never_answered_has_a_limit() {
    let said = list(|_| None);
    assert!(error_of(&said).contains("did not answer '/xend/domain?detail=1' within 1 seconds"), "{said:?}");
}

#[test]
fn half_an_answer_is_none() {
    for half in [
        "HTTP/1.1 200 OK\r\nContent-le",
        "HTTP/1.1 200 OK\r\nContent-length: 100\r\n\r\n(Domain-0",
        "",
        "nonsense\r\n\r\n",
    ] {
        let said = list(move |_| Some(half.to_string()));
        assert!(error_of(&said).contains("xend at tcp:127.0.0.1:"), "{half}: {said:?}");
    }
}

#[test]
fn answers_that_are_no_expressions_are_said_to_be_none() {
    for (body, words) in [
        ("(a (b", "unexpected EOF"),
        ("<html></html>", "page for people"),
        ("(a \u{1})", "invalid character"),
    ] {
        let said = list(move |_| Some(ok(body)));
        assert!(error_of(&said).contains(words), "{body}: {said:?}");
    }
    let deep = "(".repeat(100_000);
    let said = list(move |_| Some(ok(&deep)));
    assert!(error_of(&said).contains("lists inside each other"), "{said:?}");
}

#[test]
fn an_answer_ends_where_it_says_though_the_connection_does_not() {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        let mut open = Vec::new();
        for mut stream in listener.incoming().flatten() {
            let node = read_request(&mut stream).starts_with("GET /xend/node ");
            let _ = stream.write_all(ok(if node { NODE } else { "()" }).as_bytes());
            open.push(stream);
        }
    });
    let said = run(&format!("xen:///?xend=tcp:127.0.0.1:{port}&xend-timeout=30"), &["list", "--all"]);
    assert!(said.fine, "{said:?}");
}

#[test]
fn requests_look_as_every_release_wants_them() {
    let said = list(|request| {
        let lines: Vec<&str> = request.lines().collect();
        let is_known = |line: &&str| {
            let names = [
                "Host: localhost:8000",
                "Accept: application/sxp",
                "Connection: keep-alive",
                "Connection: close",
            ];
            line.is_empty() || names.contains(line)
        };
        let fine = lines[0].ends_with(" HTTP/1.1") && lines[1..].iter().all(is_known);
        Some(ok(if fine { "()" } else { "(xend.err 'not as wanted')" }))
    });
    assert!(said.fine, "{said:?}");
}

#[test]
fn errors_are_told_whatever_the_status() {
    for status in ["200 OK", "202 Accepted", "404 Not found", "500 Request failed: list"] {
        let said = list(move |_| {
            let body = "(xend.err \"it's broken\")''";
            Some(format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\n\r\n{body}", body.len()))
        });
        assert!(error_of(&said).contains("it's broken"), "{status}: {said:?}");
    }
    let said = list(|_| Some("HTTP/1.1 500 Internal server error\r\nContent-length: 0\r\n\r\n".to_string()));
    assert!(error_of(&said).contains("status 500"), "{said:?}");
}

#[test]
fn who_is_no_xend_is_not_taken_for_one() {
    let port = server(|_| Some("HTTP/1.0 404 File not found\r\nContent-Length: 2\r\n\r\nno".to_string()));
    let said = run(&format!("xen:///?xend=tcp:127.0.0.1:{port}"), &["list"]);
    assert!(error_of(&said).contains("failed to connect to the hypervisor"), "{said:?}");
    for wrong in ["xend=what", "xend=tcp:127.0.0.1:1&xend-timeout=0", "xend=unix:/nonexistent"] {
        let said = run(&format!("xen:///?{wrong}"), &["list"]);
        assert!(error_of(&said).contains("failed to connect to the hypervisor"), "{said:?}");
    }
}

#[test]
fn the_socket_in_the_file_system_speaks_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("socket");
    let listener = UnixListener::bind(&path).unwrap();
    thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let node = read_request(&mut stream).starts_with("GET /xend/node ");
            let _ = stream.write_all(ok(if node { NODE } else { "()" }).as_bytes());
        }
    });
    let said = run(&format!("xen:///?xend=unix:{}", path.display()), &["hostname"]);
    assert_eq!(said.out.trim(), "h", "{said:?}");
}

#[test]
fn a_xend_that_dies_before_it_answers_is_not_asked_twice() {
    let asked = Arc::new(Mutex::new(Vec::new()));
    let kept = Arc::clone(&asked);
    let domain = "(domain (domid 3) (name demo) (uuid 0badcafe-0000-4000-8000-000000000001) (memory 64) (state -b----))";
    let port = server(move |request| {
        let line = request.lines().next().unwrap_or_default().to_string();
        kept.lock().unwrap().push(line.clone());
        match line.split(' ').nth(1).unwrap_or_default() {
            "/xend/node" => Some(ok(NODE)),
            // The connection ends without a word, as when the daemon is killed.
            _ if line.starts_with("POST") => Some(String::new()),
            _ => Some(ok(domain)),
        }
    });
    for command in ["suspend", "destroy", "shutdown"] {
        asked.lock().unwrap().clear();
        let said = run(&format!("xen:///?xend=tcp:127.0.0.1:{port}&xend-timeout=60"), &[command, "demo"]);
        assert!(error_of(&said).contains("xend at tcp:127.0.0.1:"), "{said:?}");
        let asked = asked.lock().unwrap();
        assert_eq!(asked.iter().filter(|line| line.starts_with("POST")).count(), 1, "{asked:?}");
    }
}

#[test]
fn a_domain_that_is_gone_by_the_time_it_is_looked_at_is_left_out() {
    // Each in the words of other releases.
    for gone in [
        "HTTP/1.1 404 Not found\r\nContent-length: 16\r\n\r\n<Fault 3: 'gone'>",
        "HTTP/1.1 404 Not found\r\nContent-length: 22\r\n\r\nNo domain named 'gone'.",
        "HTTP/1.1 500 Internal server error\r\nContent-length: 0\r\n\r\n",
    ] {
        let said = list(move |request| {
            Some(match request.split(' ').nth(1).unwrap_or_default() {
                "/xend/domain?detail=1" | "/xend/domain" => ok("()"),
                "/xend/domain?state=all" => ok("(gone)"),
                _ => gone.to_string(),
            })
        });
        assert!(said.fine && !said.out.contains("gone"), "{gone}: {said:?}");
    }
}

#[test]
fn a_failure_without_a_word_is_not_taken_for_a_domain_that_is_gone() {
    let domain = "(domain (domid 3) (name demo) (uuid 0badcafe-0000-4000-8000-000000000001) (memory 64) (state -b----))";
    let port = server(move |request| {
        Some(match request.split(' ').next().unwrap_or_default() {
            "POST" => "HTTP/1.1 500 Internal server error\r\nContent-length: 0\r\n\r\n".to_string(),
            _ if request.starts_with("GET /xend/node ") => ok(NODE),
            _ => ok(domain),
        })
    });
    let said = run(&format!("xen:///?xend=tcp:127.0.0.1:{port}&xend-timeout=60"), &["suspend", "demo"]);
    assert!(error_of(&said).contains("xend failed on 'pause' (status 500)"), "{said:?}");
}
