//! Streams over the wire: raw bytes under the serial of the call that opened them.
//!
//! Each side sends frames that go on, an empty one at the end of its data; the client then finishes or aborts, and
//! the peer confirms or says what went wrong.

use super::RemoteConnection;
use super::channel::Channel;
use crate::backend::{DomainStreams, Received, Stream, VolumeStreams};
use crate::error::{Error, ErrorCode, ErrorOrigin, Result};
use crate::model::{DomainRef, VolumeRef};
use crate::rpc::frame::{Frame, Header, Kind, PROGRAM_VERSION, REMOTE_PROGRAM, STREAM_DATA_MAX, Status};
use crate::rpc::procedure::*;
use crate::rpc::xdr::{from_bytes, to_bytes};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How long the peer may take to confirm that a stream is given up.
const ABORT_WAIT: Duration = Duration::from_secs(2);

/// An open stream of a [`RemoteConnection`].
pub struct RemoteStream {
    channel: Arc<Channel>,
    header: Header,
}

fn closed() -> Error {
    Error::new(ErrorCode::INVALID_STREAM, "the stream is closed").from_origin(ErrorOrigin::STREAMS)
}

impl RemoteStream {
    fn frame(&self, status: Status) -> Frame {
        let header = Header { status, ..self.header };
        Frame { header, payload: Vec::new() }
    }

    /// Fails if the stream is closed or the peer has refused what was sent so far.
    fn require_open(&self) -> Result<()> {
        match self.channel.state().streams.get(&self.header.serial) {
            Some(inflow) => match &inflow.ended {
                Some(Some(error)) => Err(error.clone()),
                _ => Ok(()),
            },
            None => Err(closed()),
        }
    }

    /// Waits until the peer has ended the stream too; `None` when that took too long.
    fn wait_for_end(&self, deadline: Option<Instant>) -> Result<Option<Result<()>>> {
        let serial = self.header.serial;
        self.channel.wait(deadline, |state| match state.streams.get(&serial) {
            Some(inflow) => match inflow.ended.clone()? {
                Some(error) => Some(Err(error)),
                None => Some(Ok(())),
            },
            None => Some(Err(closed())),
        })
    }

    fn close(&self) {
        self.channel.close_stream(self.header.serial);
    }
}

/// What a frame of a stream brings.
fn received(frame: Frame) -> Result<Received> {
    if frame.header.kind == Kind::StreamHole {
        let (length, _flags) = from_bytes::<(i64, u32)>(&frame.payload)?;
        Ok(Received::Hole(length))
    } else if frame.payload.is_empty() {
        Ok(Received::End)
    } else {
        Ok(Received::Data(frame.payload))
    }
}

impl Stream for RemoteStream {
    fn send(&self, bytes: &[u8]) -> Result<()> {
        for part in bytes.chunks(STREAM_DATA_MAX) {
            self.require_open()?;
            let mut frame = self.frame(Status::Continue);
            frame.payload = part.to_vec();
            self.channel.send(&frame.to_bytes()?)?;
        }
        Ok(())
    }

    fn send_hole(&self, length: i64) -> Result<()> {
        self.require_open()?;
        let mut frame = self.frame(Status::Continue);
        frame.header.kind = Kind::StreamHole;
        frame.payload = to_bytes(&(length, 0u32));
        self.channel.send(&frame.to_bytes()?)
    }

    fn receive(&self, wait: Option<Duration>) -> Result<Received> {
        let serial = self.header.serial;
        let found = self.channel.wait(wait.map(|wait| Instant::now() + wait), |state| {
            let Some(inflow) = state.streams.get_mut(&serial) else {
                return Some(Err(closed()));
            };
            // An empty frame ends the data; it stays, so that every later call sees the end too.
            if inflow.frames.len() == 1 && inflow.frames.front().is_some_and(|frame| frame.payload.is_empty())
            {
                return Some(Ok(None));
            }
            match (inflow.frames.pop_front(), &inflow.ended) {
                (Some(frame), _) => Some(Ok(Some(frame))),
                (None, Some(Some(error))) => Some(Err(error.clone())),
                (None, Some(None)) => Some(Ok(None)),
                (None, None) => None,
            }
        })?;
        match found {
            Some(Ok(Some(frame))) => received(frame),
            Some(Ok(None)) => Ok(Received::End),
            Some(Err(error)) => Err(error),
            None => Ok(Received::Nothing),
        }
    }

    fn finish(&self) -> Result<()> {
        self.require_open()?;
        self.channel.send(&self.frame(Status::Ok).to_bytes()?)?;
        let end = self.wait_for_end(None)?;
        self.close();
        end.unwrap_or(Ok(()))
    }

    fn abort(&self) {
        if !self.channel.state().streams.contains_key(&self.header.serial) {
            return;
        }
        if self.require_open().is_ok() {
            let bytes = self.frame(Status::Error).to_bytes().unwrap_or_default();
            if self.channel.send(&bytes).is_ok() {
                // The peer confirms; until then its data may still come.
                let _ = self.wait_for_end(Some(Instant::now() + ABORT_WAIT));
            }
        }
        self.close();
    }
}

impl Drop for RemoteStream {
    fn drop(&mut self) {
        self.abort();
    }
}

impl RemoteConnection {
    fn open_stream_call(&self, procedure: i32, arguments: Vec<u8>) -> Result<(RemoteStream, Vec<u8>)> {
        let (serial, answer) = self.channel.call_for_stream(REMOTE_PROGRAM, procedure, arguments)?;
        let header = Header {
            program: REMOTE_PROGRAM,
            version: PROGRAM_VERSION,
            procedure,
            kind: Kind::Stream,
            serial,
            status: Status::Continue,
        };
        let stream = RemoteStream { channel: Arc::clone(&self.channel), header };
        Ok((stream, answer))
    }

    fn open_plain_stream(&self, procedure: i32, arguments: Vec<u8>) -> Result<Box<dyn Stream>> {
        let (stream, _answer) = self.open_stream_call(procedure, arguments)?;
        Ok(Box::new(stream))
    }
}

impl DomainStreams for RemoteConnection {
    fn open_console(&self, domain: &DomainRef, device: Option<&str>, flags: u32) -> Result<Box<dyn Stream>> {
        let arguments = to_bytes(&(domain.clone(), device.map(str::to_string), flags));
        self.open_plain_stream(DOMAIN_OPEN_CONSOLE, arguments)
    }

    fn open_channel(&self, domain: &DomainRef, name: Option<&str>, flags: u32) -> Result<Box<dyn Stream>> {
        let arguments = to_bytes(&(domain.clone(), name.map(str::to_string), flags));
        self.open_plain_stream(DOMAIN_OPEN_CHANNEL, arguments)
    }

    fn screenshot(
        &self,
        domain: &DomainRef,
        screen: u32,
        flags: u32,
    ) -> Result<(Option<String>, Box<dyn Stream>)> {
        let arguments = to_bytes(&(domain.clone(), screen, flags));
        let (stream, answer) = self.open_stream_call(DOMAIN_SCREENSHOT, arguments)?;
        Ok((from_bytes(&answer)?, Box::new(stream)))
    }
}

impl VolumeStreams for RemoteConnection {
    fn volume_download(
        &self,
        volume: &VolumeRef,
        offset: u64,
        length: u64,
        flags: u32,
    ) -> Result<Box<dyn Stream>> {
        let arguments = to_bytes(&(volume.clone(), offset, length, flags));
        self.open_plain_stream(STORAGE_VOL_DOWNLOAD, arguments)
    }

    fn volume_upload(
        &self,
        volume: &VolumeRef,
        offset: u64,
        length: u64,
        flags: u32,
    ) -> Result<Box<dyn Stream>> {
        let arguments = to_bytes(&(volume.clone(), offset, length, flags));
        self.open_plain_stream(STORAGE_VOL_UPLOAD, arguments)
    }
}
