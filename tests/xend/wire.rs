//! HTTP as xends of all releases speak it: one answer a request, `Content-length` in this spelling, a body only where
//! its type is said, and connections that many of them forget to close.

use crate::dialogue::{read_form, split_target};
use hvsh::backend::xen::sxp::{Sxp, read_answer};
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;

/// A request as it came.
#[derive(Clone, Debug)]
pub struct Request {
    pub method: String,
    pub path: String,
    pub query: String,
    pub headers: Vec<String>,
    pub form: BTreeMap<String, Vec<u8>>,
    /// How long the body was.
    pub length: usize,
}

impl Request {
    /// A field of the form.
    pub fn field(&self, name: &str) -> String {
        self.form.get(name).map(|value| String::from_utf8_lossy(value).into_owned()).unwrap_or_default()
    }

    /// The configuration in the form.
    pub fn config(&self) -> Sxp {
        read_answer(&self.form["config"]).unwrap().unwrap()
    }
}

/// An answer ready to be sent.
pub struct Answer {
    pub status: String,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

/// An answer with the headers that all have.
pub fn answer(status: &str, body: &[u8]) -> Answer {
    let headers = [("Expires", "-1"), ("Content-type", "application/sxp"), ("Pragma", "no-cache")];
    let headers = headers.map(|(name, value)| (name.to_string(), value.to_string()));
    Answer { status: format!("HTTP/1.1 {status}"), headers: headers.to_vec(), body: body.to_vec() }
}

/// How a release treats its connections.
#[derive(Clone, Copy)]
pub struct Manners {
    /// It serves one after the other, so that whoever keeps one keeps everybody waiting.
    pub one_at_a_time: bool,
    /// After most answers to a `POST` the socket stays open for no reason.
    pub forgets: bool,
}

/// Serves on a port of its own, which is the answer; a request for which there is no answer never gets one.
pub fn start(manners: Manners, handle: impl Fn(&Request) -> Option<Answer> + Send + Sync + 'static) -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    let handle = Arc::new(handle);
    thread::spawn(move || {
        for connection in listener.incoming().flatten() {
            let handle = Arc::clone(&handle);
            let serving = thread::spawn(move || serve(&connection, manners, &*handle));
            if manners.one_at_a_time {
                let _ = serving.join();
            }
        }
    });
    port
}

fn serve(connection: &TcpStream, manners: Manners, handle: &dyn Fn(&Request) -> Option<Answer>) {
    let mut reader = BufReader::new(connection);
    let mut forgotten = false;
    while let Some(request) = read_request(&mut reader) {
        let keeps =
            request.headers.iter().any(|header| header.eq_ignore_ascii_case("connection: keep-alive"));
        forgotten |= request.method == "POST" && manners.forgets;
        let Some(answer) = handle(&request) else {
            forgotten = true;
            break;
        };
        let mut text = format!("{}\r\nContent-length: {}\r\n", answer.status, answer.body.len());
        for (name, value) in &answer.headers {
            text.push_str(&format!("{name}: {value}\r\n"));
        }
        if keeps {
            text.push_str("Connection: keep-alive\r\n");
        }
        text.push_str("\r\n");
        let mut writer = connection;
        let whole = [text.as_bytes(), &answer.body].concat();
        if writer.write_all(&whole).is_err() || !keeps {
            break;
        }
    }
    if forgotten {
        // Open until the other end goes.
        let _ = connection.set_read_timeout(None);
        let _ = (&mut { connection }).read(&mut [0; 64]);
    }
}

fn read_request(reader: &mut BufReader<&TcpStream>) -> Option<Request> {
    let mut line = String::new();
    reader.read_line(&mut line).ok().filter(|length| *length > 0)?;
    let mut words = line.split_whitespace();
    let method = words.next()?.to_string();
    let (path, query) = split_target(words.next()?);
    let mut headers = Vec::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok().filter(|length| *length > 0)?;
        match line.trim_end() {
            "" => break,
            header => headers.push(header.to_string()),
        }
    }
    let length = headers.iter().find_map(|header| header.strip_prefix("Content-Length: "));
    let mut body = vec![0; length.and_then(|length| length.parse().ok()).unwrap_or(0)];
    reader.read_exact(&mut body).ok()?;
    // Without this header xend does not look at the body.
    let is_form = headers.iter().any(|header| header == "Content-Type: application/x-www-form-urlencoded");
    let form = if is_form { read_form(&body) } else { BTreeMap::new() };
    Some(Request { method, path, query, headers, form, length: body.len() })
}
