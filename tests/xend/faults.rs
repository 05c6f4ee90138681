//! A xend that does not answer, or answers what it should not: one clear error, and no more.

use crate::shell::{Said, run};
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::net::UnixListener;
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
