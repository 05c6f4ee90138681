//! The client against a peer that speaks the protocol as each test needs it.
use super::frame::{Kind, Message};
use super::link::{Link, Request};
use super::*;
use crate::error::ErrorCode;
use std::io::{Read, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// How long a test waits for what must come.
const LONG: Duration = Duration::from_secs(60);

/// Answers every request of one client until it leaves; `None` ends the conversation.
fn serve(mut socket: UnixStream, mut answer: impl FnMut(Message) -> Option<Vec<Message>>) {
    let mut inbound = Vec::new();
    let mut buffer = [0; 4096];
    while let Ok(count @ 1..) = socket.read(&mut buffer) {
        inbound.extend(&buffer[..count]);
        while let Some(message) = Message::take_from(&mut inbound).unwrap() {
            let Some(answers) = answer(message) else { return };
            for message in answers {
                socket.write_all(&message.to_bytes().unwrap()).unwrap();
            }
        }
    }
}

/// A daemon at a path of its own, which treats each client as `answer` says.
pub(in crate::backend::xen) fn daemon(
    answer: impl FnMut(Message) -> Option<Vec<Message>> + Send + Clone + 'static,
) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("socket");
    let listener = UnixListener::bind(&path).unwrap();
    std::thread::spawn(move || {
        for socket in listener.incoming().flatten() {
            let answer = answer.clone();
            std::thread::spawn(move || serve(socket, answer));
        }
    });
    (folder, path)
}

pub(in crate::backend::xen) fn reply(to: &Message, payload: &[u8]) -> Message {
    Message { payload: payload.to_vec(), ..to.clone() }
}

pub(in crate::backend::xen) fn refuse(to: &Message, name: &str) -> Message {
    Message { kind: Kind::ERROR, payload: format!("{name}\0").into_bytes(), ..to.clone() }
}

fn event(path: &str, token: &str) -> Message {
    let payload = format!("{path}\0{token}\0").into_bytes();
    Message { kind: Kind::WATCH_EVENT, request: 0, transaction: 0, payload }
}

#[test]
fn answers_are_matched_whatever_their_order_and_whatever_comes_between() {
    let (near, far) = UnixStream::pair().unwrap();
    let peer = std::thread::spawn(move || {
        let mut held = Vec::new();
        serve(far, |message| {
            held.push(message);
            if held.len() < 3 {
                return Some(vec![event("/b", "watch"), event("/b", "watch")]);
            }
            let answers = held.iter().rev().map(|asked| reply(asked, &asked.payload)).collect();
            held.clear();
            Some(answers)
        });
    });
    let mut link = Link::over(near).unwrap();
    let requests: Vec<_> = ["/1", "/2", "/3"].map(|path| Request::new(Kind::READ, &[path])).to_vec();
    let answers = link.ask_all(0, &requests, LONG).unwrap();
    assert_eq!(answers, [Ok(b"/1\0".to_vec()), Ok(b"/2\0".to_vec()), Ok(b"/3\0".to_vec())]);
    // The same event twice tells no more than once.
    let wanted = WatchEvent { path: "/b".to_string(), token: "watch".to_string() };
    assert_eq!(link.next_event(None).unwrap(), Some(wanted));
    assert_eq!(link.next_event(Some(std::time::Instant::now())).unwrap(), None);
    drop(link);
    peer.join().unwrap();
}

#[test]
fn a_peer_that_says_nothing_is_an_error() {
    let (near, _far) = UnixStream::pair().unwrap();
    let mut link = Link::over(near).unwrap();
    let request = [Request::new(Kind::READ, &["/"])];
    let error = link.ask_all(0, &request, Duration::from_millis(20)).unwrap_err();
    assert_eq!(error.code, ErrorCode::OPERATION_TIMEOUT);
}

#[test]
fn a_transaction_that_was_disturbed_is_done_again() {
    let commits = Arc::new(Mutex::new(0));
    let (_folder, path) = daemon(move |asked| {
        Some(vec![match asked.kind {
            Kind::TRANSACTION_START => reply(&asked, b"17\0"),
            Kind::READ if asked.transaction == 17 => reply(&asked, b"1024"),
            Kind::TRANSACTION_END if asked.payload == b"T\0" => {
                *commits.lock().unwrap() += 1;
                if *commits.lock().unwrap() < 3 { refuse(&asked, "EAGAIN") } else { reply(&asked, b"OK\0") }
            }
            Kind::TRANSACTION_END => refuse(&asked, "ENOENT"),
            _ => reply(&asked, b"OK\0"),
        }])
    });
    let store = Xenstore::at(&path).unwrap();
    let mut rounds = 0;
    let memory = store.transaction(|transaction| {
        rounds += 1;
        transaction.write("/memory", b"1")?;
        Ok(transaction.read("/memory")?.and_then(|value| value.number::<u64>()))
    });
    assert_eq!((memory.unwrap(), rounds), (Some(1024), 3));
    let given_up = store.transaction(|_| Err::<(), _>(crate::error::Error::internal("enough")));
    assert_eq!(given_up.unwrap_err().to_string(), "internal error: enough");
}

#[test]
fn a_big_folder_comes_in_parts_and_anew_when_it_changes() {
    let names: Vec<u8> = (0..2000).flat_map(|number| format!("{number}\0").into_bytes()).collect();
    let parts = Arc::new(Mutex::new(0));
    let listed = names.clone();
    let (_folder, path) = daemon(move |asked| {
        Some(vec![match asked.kind {
            Kind::DIRECTORY => refuse(&asked, "E2BIG"),
            Kind::DIRECTORY_PART => {
                let words = super::frame::strings(&asked.payload);
                let offset: usize = words[1].parse().unwrap();
                *parts.lock().unwrap() += 1;
                let generation = if *parts.lock().unwrap() < 3 { "1\0" } else { "2\0" };
                let whole = [&listed[..], b"\0"].concat();
                let slice = &whole[offset..whole.len().min(offset + 3000)];
                reply(&asked, &[generation.as_bytes(), slice].concat())
            }
            _ => refuse(&asked, "ENOSYS"),
        }])
    });
    let store = Xenstore::at(&path).unwrap();
    let found = store.directory("/local/domain").unwrap().unwrap();
    assert_eq!(found.len(), 2000);
    assert_eq!(found, super::frame::strings(&names));
}

#[test]
fn a_listing_that_never_ends_is_refused() {
    let (_folder, path) = daemon(move |asked| {
        Some(vec![match asked.kind {
            Kind::DIRECTORY => refuse(&asked, "E2BIG"),
            _ => reply(&asked, b"1\0"),
        }])
    });
    let error = Xenstore::at(&path).unwrap().directory("/a").unwrap_err();
    assert_eq!(error.to_string(), "cannot list '/a' in the xenstore: Argument list too long");
}

#[test]
fn reads_go_on_when_the_daemon_was_started_anew_and_writes_are_not_repeated() {
    let left = Arc::new(Mutex::new(1));
    let written = Arc::new(Mutex::new(0));
    let count = Arc::clone(&written);
    let (_folder, path) = daemon(move |asked| {
        if asked.kind == Kind::WRITE {
            *count.lock().unwrap() += 1;
            return None;
        }
        let mut left = left.lock().unwrap();
        *left -= 1;
        (*left != -1).then(|| vec![reply(&asked, b"value")])
    });
    let store = Xenstore::at(&path).unwrap();
    for _ in 0..3 {
        assert_eq!(store.read("/a").unwrap(), Some(Value(b"value".to_vec())));
    }
    let error = store.write("/a", b"b").unwrap_err();
    assert!(error.to_string().starts_with("the connection to the xenstore daemon broke: "), "{error}");
    assert_eq!(*written.lock().unwrap(), 1);
    assert!(store.read("/a").is_ok());
}

#[test]
fn a_daemon_that_is_gone_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("socket");
    drop(UnixListener::bind(&path).unwrap());
    let error = Xenstore::at(&path).err().unwrap().to_string();
    assert_eq!(
        error,
        format!("cannot reach the xenstore daemon at '{}': Connection refused", path.display())
    );
}

#[test]
fn missing_nodes_are_none_and_other_refusals_are_errors() {
    let (_folder, path) = daemon(|asked| {
        Some(vec![match &asked.payload[..] {
            b"/here\0" => reply(&asked, b""),
            b"/gone\0" => refuse(&asked, "ENOENT"),
            _ => refuse(&asked, "EACCES"),
        }])
    });
    let store = Xenstore::at(&path).unwrap();
    let values = store.read_many(&["/here", "/gone"]).unwrap();
    assert_eq!(values, [Some(Value(Vec::new())), None]);
    assert_eq!(store.directory("/gone").unwrap(), None);
    let error = store.read("/closed").unwrap_err();
    assert_eq!(error.to_string(), "cannot read '/closed' in the xenstore: Permission denied");
    assert!(store.read("/a\0b").is_err());
}

#[test]
fn a_watcher_hears_of_changes_and_of_nothing_in_time() {
    let (_folder, path) = daemon(|asked| {
        let mut answers = vec![reply(&asked, b"OK\0")];
        if asked.kind == Kind::WATCH {
            answers.insert(0, event("@releaseDomain", "token"));
        }
        Some(answers)
    });
    let mut watcher = Xenstore::at(&path).unwrap().watcher().unwrap();
    watcher.watch("@releaseDomain", "token").unwrap();
    let seen = watcher.next(Some(LONG)).unwrap().unwrap();
    assert_eq!((seen.path.as_str(), seen.token.as_str()), ("@releaseDomain", "token"));
    assert_eq!(watcher.next(Some(Duration::ZERO)).unwrap(), None);
    watcher.unwatch("@releaseDomain", "token").unwrap();
}

/// What a client asked: the number of the question, and the path it is about.
pub(in crate::backend::xen) fn asked(message: &Message) -> (u32, String) {
    let text = String::from_utf8_lossy(&message.payload);
    (message.kind.0, text.split('\0').next().unwrap_or_default().to_string())
}
