//! Frames: a length, a header of six words, a payload. The limits are the protocol's own.

use super::xdr::{self, Reader, Writer, Xdr};
use crate::error::{Error, ErrorCode, ErrorOrigin, Result};
use std::io::{Read, Write};

/// The longest frame of the protocol, its length word included.
pub const MESSAGE_MAX: usize = 32 * 1024 * 1024;
/// The bytes before the payload: the length word and the header.
pub const HEADER_LENGTH: usize = 28;
/// The most bytes of a stream in one frame (what every release of the protocol accepts).
pub const STREAM_DATA_MAX: usize = 262_120;
/// The program number of the main protocol.
pub const REMOTE_PROGRAM: u32 = 0x2000_8086;
/// The program number of the QEMU-specific procedures.
pub const QEMU_PROGRAM: u32 = 0x2000_8087;
/// The program number of keepalive pings.
pub const KEEPALIVE_PROGRAM: u32 = 0x6b65_6570;
/// The one version all three programs have.
pub const PROGRAM_VERSION: u32 = 1;

/// What a frame is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// A request.
    Call = 0,
    /// The answer to a request.
    Reply = 1,
    /// Something sent unasked: an event, a ping.
    Message = 2,
    /// Data of a stream, or its end.
    Stream = 3,
    /// A request with file descriptors.
    CallWithFds = 4,
    /// An answer with file descriptors.
    ReplyWithFds = 5,
    /// A hole in a sparse stream.
    StreamHole = 6,
}

/// How the sender fares.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Status {
    /// All is well; on a stream frame: the end of the stream.
    Ok = 0,
    /// The payload is an error.
    Error = 1,
    /// A stream goes on.
    Continue = 2,
}

/// The header of a frame.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Header {
    /// Which protocol the procedure belongs to.
    pub program: u32,
    /// The protocol's version.
    pub version: u32,
    /// The procedure's number.
    pub procedure: i32,
    /// What the frame is for.
    pub kind: Kind,
    /// Ties an answer to its call; zero for messages.
    pub serial: u32,
    /// How the sender fares.
    pub status: Status,
}

/// A whole frame.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Frame {
    /// Its header.
    pub header: Header,
    /// The XDR encoding of what it carries, or a stream's raw bytes.
    pub payload: Vec<u8>,
}

fn broken(what: impl std::fmt::Display) -> Error {
    Error::new(ErrorCode::RPC, what).from_origin(ErrorOrigin::RPC)
}

impl Frame {
    /// A call of the main protocol or another program.
    pub fn call(program: u32, procedure: i32, serial: u32, payload: Vec<u8>) -> Frame {
        let header = Header {
            program,
            version: PROGRAM_VERSION,
            procedure,
            kind: Kind::Call,
            serial,
            status: Status::Ok,
        };
        Frame { header, payload }
    }

    /// An answer to `call` that carries `payload`.
    pub fn reply(call: &Header, status: Status, payload: Vec<u8>) -> Frame {
        Frame { header: Header { kind: Kind::Reply, status, ..*call }, payload }
    }

    /// The frame as it travels.
    pub fn to_bytes(&self) -> Result<Vec<u8>> {
        let length = HEADER_LENGTH + self.payload.len();
        if length > MESSAGE_MAX {
            return Err(broken(format!("message of {length} bytes is longer than the protocol allows")));
        }
        let mut out = Writer::default();
        (length as u32).encode(&mut out);
        self.header.encode(&mut out);
        let mut bytes = out.into_bytes();
        bytes.extend_from_slice(&self.payload);
        Ok(bytes)
    }

    /// Writes the frame in one piece.
    pub fn write_to(&self, output: &mut impl Write) -> Result<()> {
        output.write_all(&self.to_bytes()?).map_err(|e| Error::system("Cannot write data", &e))
    }

    /// Reads the next frame; `None` at a clean end of the connection.
    pub fn read_from(input: &mut impl Read) -> Result<Option<Frame>> {
        let mut word = [0; 4];
        match read_whole(input, &mut word)? {
            0 => return Ok(None),
            4 => {}
            _ => return Err(broken("the connection ended inside a message")),
        }
        let mut body = vec![0; body_length(word)?];
        if read_whole(input, &mut body)? != body.len() {
            return Err(broken("the connection ended inside a message"));
        }
        Frame::from_body(&body).map(Some)
    }

    /// Parses what follows the length word.
    pub fn from_body(body: &[u8]) -> Result<Frame> {
        let (head, payload) = body
            .split_at_checked(HEADER_LENGTH - 4)
            .ok_or_else(|| broken("a message is shorter than its header"))?;
        Ok(Frame { header: xdr::from_bytes(head)?, payload: payload.to_vec() })
    }
}

/// How many bytes follow a length word; fails on lengths no honest peer sends.
pub fn body_length(word: [u8; 4]) -> Result<usize> {
    let length = u32::from_be_bytes(word) as usize;
    if (HEADER_LENGTH..=MESSAGE_MAX).contains(&length) {
        Ok(length - 4)
    } else {
        Err(broken(format!("a message claims a length of {length} bytes")))
    }
}

/// Fills `buffer` as far as the input goes and says how far that was.
fn read_whole(input: &mut impl Read, buffer: &mut [u8]) -> Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        match input.read(&mut buffer[filled..]) {
            Ok(0) => break,
            Ok(count) => filled += count,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => return Err(Error::system("Cannot read data", &error)),
        }
    }
    Ok(filled)
}

impl Xdr for Header {
    fn encode(&self, out: &mut Writer) {
        (self.program, self.version, self.procedure, self.kind as u32).encode(out);
        (self.serial, self.status as u32).encode(out);
    }

    fn decode(input: &mut Reader<'_>) -> Result<Self> {
        let (program, version, procedure, kind) = <(u32, u32, i32, u32)>::decode(input)?;
        let (serial, status) = <(u32, u32)>::decode(input)?;
        let kind = match kind {
            0 => Kind::Call,
            1 => Kind::Reply,
            2 => Kind::Message,
            3 => Kind::Stream,
            4 => Kind::CallWithFds,
            5 => Kind::ReplyWithFds,
            6 => Kind::StreamHole,
            other => return Err(broken(format!("a message has the unknown type {other}"))),
        };
        let status = match status {
            0 => Status::Ok,
            1 => Status::Error,
            2 => Status::Continue,
            other => return Err(broken(format!("a message has the unknown status {other}"))),
        };
        Ok(Header { program, version, procedure, kind, serial, status })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_call_has_the_bytes_of_the_protocol() {
        let bytes = Frame::call(REMOTE_PROGRAM, 59, 7, vec![]).to_bytes().unwrap();
        let words: Vec<u32> = bytes.chunks(4).map(|c| u32::from_be_bytes(c.try_into().unwrap())).collect();
        assert_eq!(words, [28, REMOTE_PROGRAM, 1, 59, 0, 7, 0]);
    }

    #[test]
    fn a_frame_of_impossible_length_is_refused() {
        assert!(Frame::read_from(&mut &[0u8, 0, 0, 8, 0, 0, 0, 0][..]).is_err());
        assert!(Frame::read_from(&mut &[0xffu8; 64][..]).is_err());
        assert!(Frame::read_from(&mut &b""[..]).unwrap().is_none());
    }

    proptest! {
        #[test]
        fn noise_never_panics(bytes: Vec<u8>) {
            let _ = Frame::read_from(&mut &bytes[..]);
        }
    }
}
