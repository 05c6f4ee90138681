//! Open streams of a client: bytes from the driver on their way out, bytes from the client on their way in.
//!
//! Out: a thread of the stream's own takes from the driver and waits while the client's queue is full. In: frames
//! queue up at the stream and any free thread hands them to the driver, in order; a client that sends faster than
//! the driver takes is not read for a while.

use super::{Client, Inner, lock};
use crate::backend::{Connection, Received, Stream};
use crate::error::{Error, Result};
use crate::model::{DomainRef, VolumeRef};
use crate::rpc::WireError;
use crate::rpc::frame::{Frame, Header, Kind, STREAM_DATA_MAX, Status};
use crate::rpc::procedure::*;
use crate::rpc::xdr::{from_bytes, to_bytes};
use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// Bytes from a client that may wait for a driver.
const INBOUND_MAX: usize = 4 * 1024 * 1024;
/// How soon a stream's thread notices that the stream is over, should the driver not wake it.
const LOOK_AROUND: Duration = Duration::from_secs(2);
/// A stream's thread only moves bytes.
const STACK: usize = 128 * 1024;

/// The open streams of a client, by the serial of the call that opened each.
#[derive(Default)]
pub(super) struct Streams {
    open: Mutex<HashMap<u32, Arc<OpenStream>>>,
    /// Bytes that wait for drivers.
    inbound: Arc<AtomicUsize>,
}

/// An open stream.
pub(super) struct OpenStream {
    header: Header,
    driver: Box<dyn Stream>,
    waiting: Mutex<Waiting>,
    inbound: Arc<AtomicUsize>,
    abort_asked: AtomicBool,
    /// Held while a frame of this stream is sent, so that none follows the last.
    over: Mutex<bool>,
}

#[derive(Default)]
struct Waiting {
    frames: VecDeque<Frame>,
    /// Whether a thread is handing frames to the driver.
    handing: bool,
}

impl Streams {
    /// Runs a call that opens a stream; `None` if the procedure is not of that kind.
    pub(super) fn open(
        &self,
        driver: &dyn Connection,
        call: &Header,
        payload: &[u8],
    ) -> Option<Result<(Arc<OpenStream>, Vec<u8>)>> {
        let opened = open_in_driver(driver, call.procedure, payload)?;
        Some(opened.map(|(stream, answer)| {
            let header = Header { kind: Kind::Stream, status: Status::Continue, ..*call };
            let stream = Arc::new(OpenStream {
                header,
                driver: stream,
                waiting: Mutex::default(),
                inbound: Arc::clone(&self.inbound),
                abort_asked: AtomicBool::new(false),
                over: Mutex::new(false),
            });
            lock(&self.open).insert(call.serial, Arc::clone(&stream));
            (stream, answer)
        }))
    }

    /// Whether more of the client's data can be taken.
    pub(super) fn have_room(&self) -> bool {
        self.inbound.load(Ordering::SeqCst) < INBOUND_MAX
    }

    /// Queues a frame at its stream; answers with the stream if a thread must now hand frames on. Frames of streams
    /// that are over may still arrive and mean nothing.
    pub(super) fn take_in(&self, frame: Frame) -> Option<Arc<OpenStream>> {
        let open = lock(&self.open);
        let stream = open.get(&frame.header.serial)?;
        if frame.header.status == Status::Error {
            stream.abort_asked.store(true, Ordering::SeqCst);
            return Some(Arc::clone(stream));
        }
        let mut waiting = lock(&stream.waiting);
        self.inbound.fetch_add(frame.payload.len(), Ordering::SeqCst);
        waiting.frames.push_back(frame);
        let idle = !std::mem::replace(&mut waiting.handing, true);
        idle.then(|| Arc::clone(stream))
    }

    fn forget(&self, stream: &OpenStream) {
        lock(&self.open).remove(&stream.header.serial);
        let dropped = std::mem::take(&mut lock(&stream.waiting).frames);
        let bytes = dropped.iter().map(|frame| frame.payload.len()).sum();
        self.inbound.fetch_sub(bytes, Ordering::SeqCst);
    }

    /// Gives up all streams of a client that has gone.
    pub(super) fn close_all(&self) {
        let all: Vec<_> = lock(&self.open).drain().map(|(_, stream)| stream).collect();
        for stream in all {
            // Not waiting for a frame that is being sent: the client is gone, so that send ends at once.
            stream.driver.abort();
            *lock(&stream.over) = true;
        }
    }
}

impl OpenStream {
    /// Lets the driver's data flow. Called once the client has the answer to its opening call.
    pub(super) fn start(self: &Arc<Self>, server: &Inner, client: &Arc<Client>) {
        let _ = server;
        if self.header.procedure == STORAGE_VOL_UPLOAD {
            return;
        }
        let (stream, owner) = (Arc::clone(self), Arc::clone(client));
        let thread = std::thread::Builder::new().name("stream".to_string()).stack_size(STACK);
        if let Err(cause) = thread.spawn(move || stream.pump(&owner)) {
            self.driver.abort();
            self.fail(client, &Error::system("cannot start a thread", &cause));
        }
    }

    fn is_over(&self) -> bool {
        *lock(&self.over)
    }

    /// Moves the driver's data to the client until one of them ends.
    fn pump(&self, client: &Client) {
        while client.wait_for_room() && !self.is_over() {
            match self.driver.receive(Some(LOOK_AROUND)) {
                Ok(Received::Nothing) => {}
                Ok(Received::Data(bytes)) => {
                    for part in bytes.chunks(STREAM_DATA_MAX) {
                        self.send(client, Kind::Stream, part.to_vec());
                    }
                }
                Ok(Received::Hole(length)) => self.send(client, Kind::StreamHole, to_bytes(&(length, 0u32))),
                Ok(Received::End) => {
                    // An empty frame ends the data; the client still has to finish.
                    self.send(client, Kind::Stream, Vec::new());
                    return;
                }
                Err(error) => {
                    self.fail(client, &error);
                    return;
                }
            }
        }
    }

    fn send(&self, client: &Client, kind: Kind, payload: Vec<u8>) {
        let over = lock(&self.over);
        let header = Header { kind, ..self.header };
        if !*over && let Ok(bytes) = (Frame { header, payload }).to_bytes() {
            client.send(bytes);
        }
    }

    /// Sends the stream's last frame, whoever comes first, and forgets the stream.
    fn end(&self, client: &Client, status: Status, payload: Vec<u8>) {
        {
            let mut over = lock(&self.over);
            let header = Header { status, ..self.header };
            if std::mem::replace(&mut *over, true) {
                return;
            }
            if let Ok(bytes) = (Frame { header, payload }).to_bytes() {
                client.send(bytes);
            }
        }
        client.session.streams.forget(self);
    }

    fn fail(&self, client: &Client, error: &Error) {
        self.end(client, Status::Error, to_bytes(&WireError::from(error)));
    }

    /// Hands to the driver what the client has sent.
    pub(super) fn hand_on(&self, server: &Arc<Inner>, client: &Arc<Client>) {
        if self.abort_asked.load(Ordering::SeqCst) {
            self.driver.abort();
            self.end(client, Status::Ok, Vec::new());
            client.resume(server);
            return;
        }
        loop {
            let frame = {
                let mut waiting = lock(&self.waiting);
                let Some(frame) = waiting.frames.pop_front() else {
                    waiting.handing = false;
                    break;
                };
                frame
            };
            self.inbound.fetch_sub(frame.payload.len(), Ordering::SeqCst);
            if let Err(error) = self.hand_frame(client, &frame) {
                self.driver.abort();
                self.fail(client, &error);
            }
            client.resume(server);
        }
    }

    fn hand_frame(&self, client: &Client, frame: &Frame) -> Result<()> {
        if frame.header.kind == Kind::StreamHole {
            let (length, _flags) = from_bytes::<(i64, u32)>(&frame.payload)?;
            return self.driver.send_hole(length);
        }
        match frame.header.status {
            Status::Continue if frame.payload.is_empty() => Ok(()),
            Status::Continue => self.driver.send(&frame.payload),
            Status::Ok | Status::Error => {
                self.driver.finish()?;
                self.end(client, Status::Ok, Vec::new());
                Ok(())
            }
        }
    }
}

/// A stream of a driver and the encoded answer to the call that opened it.
type Opened = (Box<dyn Stream>, Vec<u8>);

fn open_in_driver(driver: &dyn Connection, procedure: i32, payload: &[u8]) -> Option<Result<Opened>> {
    let silent = |stream| (stream, Vec::new());
    Some(match procedure {
        DOMAIN_OPEN_CONSOLE => {
            from_bytes(payload).and_then(|(domain, device, flags): (DomainRef, Option<String>, u32)| {
                driver.domains().open_console(&domain, device.as_deref(), flags).map(silent)
            })
        }
        DOMAIN_OPEN_CHANNEL => {
            from_bytes(payload).and_then(|(domain, name, flags): (DomainRef, Option<String>, u32)| {
                driver.domains().open_channel(&domain, name.as_deref(), flags).map(silent)
            })
        }
        DOMAIN_SCREENSHOT => {
            from_bytes(payload).and_then(|(domain, screen, flags): (DomainRef, u32, u32)| {
                let (mime, stream) = driver.domains().screenshot(&domain, screen, flags)?;
                Ok((stream, to_bytes(&mime)))
            })
        }
        STORAGE_VOL_DOWNLOAD => volume_stream(payload, |volume, offset, length, flags| {
            driver.volume_streams().volume_download(volume, offset, length, flags)
        }),
        STORAGE_VOL_UPLOAD => volume_stream(payload, |volume, offset, length, flags| {
            driver.volume_streams().volume_upload(volume, offset, length, flags)
        }),
        _ => return None,
    })
}

fn volume_stream(
    payload: &[u8],
    open: impl FnOnce(&VolumeRef, u64, u64, u32) -> Result<Box<dyn Stream>>,
) -> Result<Opened> {
    let (volume, offset, length, flags) = from_bytes::<(VolumeRef, u64, u64, u32)>(payload)?;
    Ok((open(&volume, offset, length, flags)?, Vec::new()))
}
