//! What carries the bytes under ureq: a unix or a TCP socket, and requests in the one form every xend was seen to
//! take.

use super::address::Address;
use std::fmt;
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream, ToSocketAddrs};
use std::os::unix::net::UnixStream;
use std::time::Duration;
use ureq::config::Config;
use ureq::http::Uri;
use ureq::unversioned::resolver::{ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::{
    Buffers, ConnectionDetails, Connector, LazyBuffers, NextTimeout, Transport,
};
use ureq::{Error, Timeout};

/// How long a connection may take to come about; xend is on this machine.
const CONNECT: Duration = Duration::from_secs(10);

/// Connects to one address whatever the request's URI says.
#[derive(Debug)]
pub struct ToXend(pub Address);

impl Connector<()> for ToXend {
    type Out = Connected;

    fn connect(&self, details: &ConnectionDetails, _: Option<()>) -> Result<Option<Connected>, Error> {
        let wait = details.timeout.not_zero().map_or(CONNECT, |left| (*left).min(CONNECT));
        let socket = Socket::connect(&self.0, wait)?;
        let buffers =
            LazyBuffers::new(details.config.input_buffer_size(), details.config.output_buffer_size());
        Ok(Some(Connected { socket, buffers, head: Head::Line, answer: Vec::new() }))
    }
}

/// Answers every question for an address with one that is never used: the connector knows where to go.
#[derive(Debug)]
pub struct NoNames;

impl Resolver for NoNames {
    fn resolve(&self, _: &Uri, _: &Config, _: NextTimeout) -> Result<ResolvedSocketAddrs, Error> {
        let mut addresses = self.empty();
        addresses.push(SocketAddr::from(([127, 0, 0, 1], 0)));
        Ok(addresses)
    }
}

/// One of the two kinds of sockets.
enum Socket {
    Tcp(TcpStream),
    Unix(UnixStream),
}

impl Socket {
    fn connect(address: &Address, wait: Duration) -> io::Result<Socket> {
        match address {
            Address::Unix(path) => Ok(Socket::Unix(UnixStream::connect(path)?)),
            Address::Tcp(host, port) => {
                let mut last = io::Error::from(io::ErrorKind::NotFound);
                for address in (host.as_str(), *port).to_socket_addrs()? {
                    match TcpStream::connect_timeout(&address, wait) {
                        Ok(stream) => {
                            stream.set_nodelay(true)?;
                            return Ok(Socket::Tcp(stream));
                        }
                        Err(error) => last = error,
                    }
                }
                Err(last)
            }
        }
    }

    fn set_limits(&self, wait: Option<Duration>) -> io::Result<()> {
        match self {
            Socket::Tcp(stream) => stream.set_read_timeout(wait).and(stream.set_write_timeout(wait)),
            Socket::Unix(stream) => stream.set_read_timeout(wait).and(stream.set_write_timeout(wait)),
        }
    }

    fn set_nonblocking(&self, on: bool) -> io::Result<()> {
        match self {
            Socket::Tcp(stream) => stream.set_nonblocking(on),
            Socket::Unix(stream) => stream.set_nonblocking(on),
        }
    }

    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        match self {
            Socket::Tcp(stream) => stream.read(into),
            Socket::Unix(stream) => stream.read(into),
        }
    }

    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        match self {
            Socket::Tcp(stream) => stream.write_all(bytes),
            Socket::Unix(stream) => stream.write_all(bytes),
        }
    }

    /// Whether nothing has come and nobody has hung up: only then may another request be sent.
    fn is_quiet(&mut self) -> io::Result<bool> {
        self.set_nonblocking(true)?;
        let found = self.read(&mut [0]);
        self.set_nonblocking(false)?;
        Ok(matches!(found, Err(error) if error.kind() == io::ErrorKind::WouldBlock))
    }
}

/// Where in a request the next byte to be sent stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Head {
    /// In the first line.
    Line,
    /// At the start of a header's name, or of a word in it.
    Word,
    /// Within a header's name.
    Name,
    /// Within a header's value.
    Value,
    /// Behind the head.
    Body,
}

/// A connection to xend.
pub struct Connected {
    socket: Socket,
    buffers: LazyBuffers,
    head: Head,
    /// How the answer began, as far as its head may reach.
    answer: Vec<u8>,
}

/// A head is no longer than this.
const LONGEST_HEAD: usize = 4096;

impl fmt::Debug for Connected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a connection to xend")
    }
}

impl Head {
    /// Writes header names as `Content-Type`, which is how every release was seen to understand them.
    fn rewrite(&mut self, bytes: &mut [u8]) {
        for byte in bytes {
            *self = match (*self, *byte) {
                (Head::Body, _) => return,
                (Head::Line | Head::Value, b'\n') => Head::Word,
                (Head::Line | Head::Value, _) => *self,
                (Head::Word, b'\r') => Head::Word,
                (Head::Word, b'\n') => Head::Body,
                (Head::Word | Head::Name, b'-') => Head::Word,
                (Head::Word | Head::Name, b':') => Head::Value,
                (Head::Word, _) => {
                    byte.make_ascii_uppercase();
                    Head::Name
                }
                (Head::Name, _) => Head::Name,
            };
        }
    }
}

/// A socket's error as ureq's: running out of time is one of its own kind.
fn refused(error: io::Error, reason: Timeout) -> Error {
    match error.kind() {
        io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => Error::Timeout(reason),
        _ => Error::Io(error),
    }
}

impl Transport for Connected {
    fn buffers(&mut self) -> &mut dyn Buffers {
        &mut self.buffers
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), Error> {
        self.socket.set_limits(timeout.not_zero().map(|left| *left))?;
        let mut bytes = self.buffers.output()[..amount].to_vec();
        self.answer.clear();
        self.head.rewrite(&mut bytes);
        self.socket.write_all(&bytes).map_err(|error| refused(error, timeout.reason))
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, Error> {
        // Once an answer comes, what is sent next is another request.
        self.head = Head::Line;
        self.socket.set_limits(timeout.not_zero().map(|left| *left))?;
        let into = self.buffers.input_append_buf();
        let read = loop {
            match self.socket.read(into) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                other => break other,
            }
        };
        let amount = read.map_err(|error| refused(error, timeout.reason))?;
        let room = LONGEST_HEAD.saturating_sub(self.answer.len());
        self.answer.extend(into.iter().take(amount.min(room)));
        self.buffers.input_appended(amount);
        Ok(amount > 0)
    }

    /// Whether another request may be sent: only if xend said so, for it forgets many connections that it is done with.
    fn is_open(&mut self) -> bool {
        agrees_to_go_on(&self.answer) && self.socket.is_quiet().unwrap_or(false)
    }
}

/// Whether the head of an answer says that the connection may be used again.
fn agrees_to_go_on(answer: &[u8]) -> bool {
    let text = String::from_utf8_lossy(answer).to_ascii_lowercase();
    let head = text.split("\r\n\r\n").next().unwrap_or_default();
    head.lines().any(|line| line.trim_end() == "connection: keep-alive")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_connection_goes_on_only_if_the_answer_says_so() {
        assert!(agrees_to_go_on(b"HTTP/1.1 200 OK\r\nConnection: keep-alive\r\n\r\n()"));
        assert!(!agrees_to_go_on(b"HTTP/1.1 200 OK\r\n\r\nConnection: keep-alive\r\n"));
        assert!(!agrees_to_go_on(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n"));
    }

    #[test]
    fn header_names_are_capitalised_and_bodies_left_alone() {
        let request = "POST /a-b HTTP/1.1\r\nhost: localhost:8000\r\ncontent-type: a-b\r\ncontent-length: 7\r\n\r\nop=a-b\n";
        let expected = "POST /a-b HTTP/1.1\r\nHost: localhost:8000\r\nContent-Type: a-b\r\nContent-Length: 7\r\n\r\nop=a-b\n";
        for cut in 0..request.len() {
            let mut head = Head::Line;
            let mut bytes = request.as_bytes().to_vec();
            let (first, second) = bytes.split_at_mut(cut);
            head.rewrite(first);
            head.rewrite(second);
            assert_eq!(String::from_utf8_lossy(&bytes), expected, "cut at {cut}");
        }
    }
}
