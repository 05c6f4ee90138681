//! Streams, long calls and bad readers: our client against our server.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic, clippy::print_stderr)]

mod mock;

use hvsh::backend::{Connection, Events, Received, Stream};
use hvsh::error::ErrorCode;
use hvsh::model::VolumeRef;
use hvsh::model::event::EventFilter;
use mock::{FLOOD, LONG, PICTURE, ServerStage, domain};
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

const SOON: Option<Duration> = Some(Duration::from_secs(5));

fn read_all(stream: &dyn Stream) -> Vec<u8> {
    let mut bytes = Vec::new();
    loop {
        match stream.receive(SOON).unwrap() {
            Received::Data(more) => bytes.extend(more),
            Received::End => return bytes,
            other => panic!("{other:?} after {} bytes", bytes.len()),
        }
    }
}

#[test]
fn a_console_goes_both_ways_while_calls_go_on() {
    let stage = ServerStage::new();
    let connection = stage.connect();
    let console = connection.domains().open_console(&domain("alpha"), None, 0).unwrap();
    assert_eq!(console.receive(Some(Duration::from_millis(20))).unwrap(), Received::Nothing);
    for word in [&b"hello"[..], b"world"] {
        console.send(word).unwrap();
        assert_eq!(connection.host().hostname().unwrap(), "mock");
        assert_eq!(console.receive(SOON).unwrap(), Received::Data(word.to_vec()));
    }
    console.finish().unwrap();
    assert_eq!(console.send(b"late").unwrap_err().code, ErrorCode::INVALID_STREAM);
    let refused = connection.domains().open_console(&domain("alpha"), Some("x"), 0).err().unwrap();
    assert_eq!(refused.to_string(), "invalid argument: no device x in alpha");
}

#[test]
fn one_thread_sends_while_another_receives() {
    let stage = ServerStage::new();
    let connection = stage.connect();
    let console: Arc<dyn Stream> =
        Arc::from(connection.domains().open_console(&domain("alpha"), None, 0).unwrap());
    let (sender, total) = (Arc::clone(&console), 3_000_000);
    let sending = std::thread::spawn(move || {
        let bytes: Vec<u8> = (0..total).map(|n| n as u8).collect();
        bytes.chunks(70_001).for_each(|part| sender.send(part).unwrap());
    });
    let mut seen = 0;
    while seen < total {
        let Received::Data(bytes) = console.receive(SOON).unwrap() else {
            panic!("the data stopped at {seen}");
        };
        assert!(bytes.iter().enumerate().all(|(index, byte)| *byte == (seen + index) as u8));
        seen += bytes.len();
    }
    sending.join().unwrap();
    console.abort();
    assert!(console.receive(SOON).is_err());
}

#[test]
fn a_picture_comes_whole_and_with_its_kind() {
    let stage = ServerStage::new();
    let connection = stage.connect();
    let (kind, picture) = connection.domains().screenshot(&domain("alpha"), 0, 0).unwrap();
    assert_eq!(kind.as_deref(), Some("image/png"));
    assert_eq!(read_all(&*picture), vec![42; PICTURE]);
    assert_eq!(picture.receive(SOON).unwrap(), Received::End, "the end stays");
    picture.finish().unwrap();
}

fn volume(name: &str) -> VolumeRef {
    let name = name.to_string();
    VolumeRef { pool: "p".to_string(), key: name.clone(), name }
}

#[test]
fn an_upload_waits_for_a_slow_driver_and_tells_its_failures() {
    let stage = ServerStage::new();
    let connection = stage.connect();
    let bytes: Vec<u8> = (0..20_000_000u32).map(|n| (n >> 8) as u8).collect();
    let upload = connection.volume_streams().volume_upload(&volume("good"), 0, u64::MAX, 0).unwrap();
    upload.send(&bytes).unwrap();
    upload.send_hole(5).unwrap();
    upload.finish().unwrap();
    let uploaded = std::mem::take(&mut *stage.world.uploaded.lock().unwrap());
    assert!(uploaded[..bytes.len()] == bytes[..] && uploaded.len() == bytes.len() + 5);

    let bad = connection.volume_streams().volume_upload(&volume("bad"), 0, u64::MAX, 0).unwrap();
    bad.send(b"x").unwrap();
    assert_eq!(bad.finish().unwrap_err().to_string(), "operation failed: bad volume");

    let full = connection.volume_streams().volume_upload(&volume("full"), 0, 10, 0).unwrap();
    let sent = (0..200).try_for_each(|_| {
        std::thread::sleep(Duration::from_millis(1));
        full.send(&[1; 100])?;
        connection.host().hostname().map(|_| ())
    });
    let failure = sent.and_then(|()| full.finish()).unwrap_err();
    assert_eq!(failure.to_string(), "operation failed: no room left");
    assert_eq!(connection.host().hostname().unwrap(), "mock", "the connection lives on");
}

#[test]
fn a_long_call_holds_up_nobody() {
    let stage = ServerStage::new();
    let connection = Arc::new(stage.connect());
    let waiting = Arc::clone(&connection);
    let begun = Instant::now();
    let long = std::thread::spawn(move || waiting.domains().reset(&domain("alpha"), 0).unwrap());
    std::thread::sleep(Duration::from_millis(50));
    for _ in 0..100 {
        assert_eq!(connection.host().hostname().unwrap(), "mock");
    }
    assert!(begun.elapsed() < LONG, "short calls waited for the long one");
    long.join().unwrap();
    assert!(begun.elapsed() >= LONG);
}

#[test]
fn more_long_calls_than_threads_hold_up_nobody() {
    const CALLS: usize = 24;
    let stage = ServerStage::new();
    let ended = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..CALLS {
            scope.spawn(|| {
                stage.connect().domains().reset(&domain("alpha"), 0).unwrap();
                ended.fetch_add(1, Ordering::SeqCst);
            });
        }
        stage.wait_for_clients(CALLS);
        let connection = stage.connect();
        assert_eq!(connection.host().hostname().unwrap(), "mock");
        assert!(ended.load(Ordering::SeqCst) < CALLS / 2, "a short call waited for the long ones");
    });
    assert_eq!(ended.into_inner(), CALLS);
}

#[test]
fn a_client_that_does_not_read_is_dropped_and_nobody_waits_for_it() {
    let stage = ServerStage::new();
    let honest = stage.connect();
    let sleeper = stage.connect();
    sleeper.subscribe(&EventFilter::Domain { id: 0, domain: None }).unwrap();
    assert_eq!(stage.server.client_count(), 2);
    let begun = Instant::now();
    honest.domains().pm_wakeup(&domain("alpha"), 0).unwrap();
    stage.wait_for_clients(1);
    assert!(begun.elapsed() < Duration::from_secs(20), "{FLOOD} events took {:?}", begun.elapsed());
    assert_eq!(honest.host().hostname().unwrap(), "mock");
}

#[test]
fn a_stream_whose_client_pauses_keeps_both() {
    let stage = ServerStage::new();
    let connection = stage.connect();
    let (_, picture) = connection.domains().screenshot(&domain("alpha"), 0, 0).unwrap();
    std::thread::sleep(Duration::from_millis(200));
    assert_eq!(read_all(&*picture).len(), PICTURE);
}

#[test]
fn half_a_frame_and_silence_cost_nobody_anything() {
    let stage = ServerStage::new();
    let mut silent = UnixStream::connect(stage.socket("rw")).unwrap();
    silent.write_all(&[1, 0]).unwrap();
    let honest = stage.connect();
    assert_eq!(honest.host().hostname().unwrap(), "mock");
    // The rest of the length says sixteen megabytes, which never come.
    silent.write_all(&[0, 0, 1, 2, 3]).unwrap();
    assert_eq!(honest.host().hostname().unwrap(), "mock");
    drop(silent);
    stage.wait_for_clients(1);
}

#[test]
fn the_sockets_end_with_the_server() {
    let mut stage = ServerStage::new();
    let connection = stage.connect();
    let mut raw = UnixStream::connect(stage.socket("ro")).unwrap();
    stage.wait_for_clients(2);
    stage.server.stop();
    stage.thread.take().unwrap().join().unwrap();
    assert!(connection.host().hostname().unwrap_err().to_string().contains("End of file"));
    assert!(!connection.is_alive());
    assert_eq!(raw.read(&mut [0; 8]).unwrap(), 0);
}

#[test]
fn a_silent_peer_is_told_from_a_dead_one() {
    let stage = ServerStage::new();
    let connection = stage.connect();
    connection.set_keepalive(Duration::from_millis(100), 2, true).unwrap();
    std::thread::sleep(Duration::from_millis(800));
    assert_eq!(connection.host().hostname().unwrap(), "mock", "pings are answered");

    // A peer that opens and then never says a word again.
    let socket = stage.socket("mute");
    let listener = std::os::unix::net::UnixListener::bind(&socket).unwrap();
    let mute = std::thread::spawn(move || {
        let (mut client, _) = listener.accept().unwrap();
        answer_opening(&mut client);
        std::thread::sleep(Duration::from_secs(2));
    });
    let connection = mock::open(&socket, "qemu:///session");
    connection.set_keepalive(Duration::from_millis(100), 2, false).unwrap();
    let begun = Instant::now();
    let error = connection.host().hostname().unwrap_err();
    assert_eq!(error.to_string(), "internal error: connection closed due to keepalive timeout");
    assert!(begun.elapsed() < Duration::from_secs(3));
    drop(connection);
    mute.join().unwrap();
}

/// Answers the authentication, the opening and the question for keepalive.
fn answer_opening(client: &mut UnixStream) {
    let opening: [(u32, &[u32]); 3] = [(66, &[1, 0]), (1, &[]), (60, &[1])];
    for (serial, (procedure, payload)) in (1u32..).zip(opening) {
        let mut length = [0; 4];
        if serial != 3 {
            client.read_exact(&mut length).unwrap();
            let mut rest = vec![0; u32::from_be_bytes(length) as usize - 4];
            client.read_exact(&mut rest).unwrap();
        } else {
            // Between comes the call that is never answered, with the serial before.
            let mut both = [0; 28 + 32];
            client.read_exact(&mut both).unwrap();
        }
        let serial = if serial == 3 { 4 } else { serial };
        let words = [28 + 4 * payload.len() as u32, 0x2000_8086, 1, procedure, 1, serial, 0];
        let bytes: Vec<u8> = words.iter().chain(payload).flat_map(|word| word.to_be_bytes()).collect();
        client.write_all(&bytes).unwrap();
    }
}
