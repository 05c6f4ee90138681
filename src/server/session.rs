//! What a client and the helper say to each other about the connection itself, and the way of every call.

use super::access::Peer;
use super::dispatch::dispatch;
use super::legacy;
use super::streams::{OpenStream, Streams};
use super::subscriptions::Subscriptions;
use super::{Client, Inner};
use crate::backend::{Connection, ReadOnly};
use crate::error::{Error, ErrorCode, ErrorOrigin, Result};
use crate::model::LIBRARY_VERSION;
use crate::model::constants::CONNECT_RO;
use crate::rpc::frame::{Frame, Header, Kind, PROGRAM_VERSION, QEMU_PROGRAM, REMOTE_PROGRAM, Status};
use crate::rpc::procedure::*;
use crate::rpc::xdr::{from_bytes, to_bytes};
use crate::uri::Uri;
use std::sync::{Arc, Mutex, PoisonError};

/// Features of the protocol that both ends have: typed strings, keepalive, numbered subscriptions, close
/// callbacks, the right order of a network update's arguments.
const FEATURES: &[i32] = &[9, FEATURE_KEEPALIVE, FEATURE_EVENT_CALLBACK, FEATURE_CLOSE_CALLBACK, 16];

/// The only way to prove who one is that is asked here: none. The kernel has told us already.
const AUTH_NONE: i32 = 0;

/// A client's side of the conversation.
pub(super) struct Session {
    pub(super) peer: Peer,
    /// Whether it came by the read-only socket.
    read_only: bool,
    connection: Mutex<Option<Open>>,
    pub(super) events: Subscriptions,
    pub(super) streams: Streams,
}

#[derive(Clone)]
struct Open {
    driver: Arc<dyn Connection>,
    uri: String,
    read_only: bool,
}

/// The answer to a call, and what is to happen once it is sent.
pub(super) struct Answer {
    pub(super) result: Result<Vec<u8>>,
    pub(super) then: Then,
}

/// What happens after an answer.
pub(super) enum Then {
    Nothing,
    /// The client said goodbye.
    Close,
    /// Events of this subscription may flow: the client knows its number now.
    WakeEvents(i32),
    /// Data of this stream may flow.
    StartStream(Arc<OpenStream>),
}

impl From<Result<Vec<u8>>> for Answer {
    fn from(result: Result<Vec<u8>>) -> Answer {
        let then = Then::Nothing;
        Answer { result, then }
    }
}

/// An error about the protocol; libvirt puts no prefix before these.
fn protocol_error(message: String) -> Error {
    Error::from_wire(ErrorCode::RPC.0, ErrorOrigin::RPC.0, message)
}

fn internal(what: &str) -> Error {
    Error::internal(what).from_origin(ErrorOrigin::RPC)
}

impl Session {
    pub(super) fn new(peer: Peer, read_only: bool) -> Session {
        Session {
            peer,
            read_only,
            connection: Mutex::default(),
            events: Subscriptions::default(),
            streams: Streams::default(),
        }
    }

    /// Whether a call is one of the first, before which nothing else makes sense: so one client's first calls are
    /// answered in their order, however many threads there are.
    pub(super) fn is_to_answer_at_once(&self, header: &Header) -> bool {
        header.kind == Kind::Call
            && header.program == REMOTE_PROGRAM
            && matches!(header.procedure, AUTH_LIST | CONNECT_OPEN)
    }

    /// Answers a call of this client.
    pub(super) fn answer(&self, server: &Inner, client: &Arc<Client>, frame: &Frame) -> Answer {
        let header = &frame.header;
        if !matches!(header.program, REMOTE_PROGRAM | QEMU_PROGRAM) || header.version != PROGRAM_VERSION {
            let (program, version) = (header.program, header.version);
            return Err(protocol_error(format!("Cannot find program {program} version {version}"))).into();
        }
        if header.status != Status::Ok {
            let status = header.status as u32;
            return Err(protocol_error(format!("Unexpected message status {status}"))).into();
        }
        if header.program == REMOTE_PROGRAM
            && let Some(answer) = self.answer_before_open(server, header.procedure, &frame.payload)
        {
            return answer;
        }
        let open = match self.open_connection() {
            Ok(open) => open,
            Err(error) => return Err(error).into(),
        };
        self.answer_open(&open, client, frame)
    }

    /// Calls that need no driver.
    fn answer_before_open(&self, server: &Inner, procedure: i32, payload: &[u8]) -> Option<Answer> {
        let result = match procedure {
            AUTH_LIST => Ok(to_bytes(&vec![AUTH_NONE])),
            AUTH_POLKIT | AUTH_SASL_INIT | AUTH_SASL_START | AUTH_SASL_STEP => {
                Err(Error::new(ErrorCode::AUTH_FAILED, "authentication failed").from_origin(ErrorOrigin::RPC))
            }
            CONNECT_OPEN => self.open(server, payload).map(|()| Vec::new()),
            CONNECT_CLOSE => {
                return Some(Answer { result: Ok(Vec::new()), then: Then::Close });
            }
            CONNECT_SUPPORTS_FEATURE => match from_bytes::<i32>(payload) {
                Ok(feature) if FEATURES.contains(&feature) => Ok(to_bytes(&true)),
                Ok(_) => return None,
                Err(error) => Err(error),
            },
            CONNECT_IS_SECURE => Ok(to_bytes(&true)),
            // Who a client is says the kernel alone; what it says of itself changes nothing.
            CONNECT_SET_IDENTITY => Ok(Vec::new()),
            _ => return None,
        };
        Some(result.into())
    }

    fn answer_open(&self, open: &Open, client: &Arc<Client>, frame: &Frame) -> Answer {
        let (program, procedure, payload) = (frame.header.program, frame.header.procedure, &frame.payload);
        let driver = &*open.driver;
        if open.read_only
            && (program, procedure) == (QEMU_PROGRAM, QEMU_CONNECT_DOMAIN_MONITOR_EVENT_REGISTER)
        {
            return Err(Error::read_only("virConnectDomainQemuMonitorEventRegister")).into();
        }
        if let Some(answer) = self.events.answer(driver, client, program, procedure, payload) {
            return answer;
        }
        if program == REMOTE_PROGRAM {
            if let Some(opened) = self.streams.open(driver, &frame.header, payload) {
                return match opened {
                    Ok((stream, answer)) => Answer { result: Ok(answer), then: Then::StartStream(stream) },
                    Err(error) => Err(error).into(),
                };
            }
            match procedure {
                // Nothing ever closes a driver of ours under its clients, so there is nothing to call back.
                CONNECT_REGISTER_CLOSE_CALLBACK | CONNECT_UNREGISTER_CLOSE_CALLBACK => {
                    return Ok(Vec::new()).into();
                }
                CONNECT_GET_LIB_VERSION => {
                    return or_else_ours(driver.host().lib_version(), LIBRARY_VERSION).into();
                }
                // What the protocol itself can do was answered above; the rest is the driver's.
                CONNECT_SUPPORTS_FEATURE => {
                    let answer =
                        from_bytes(payload).and_then(|feature| driver.host().supports_feature(feature));
                    return or_else_ours(answer, false).into();
                }
                CONNECT_GET_URI => return or_else_ours(driver.host().uri(), open.uri.clone()).into(),
                _ => {}
            }
        }
        if let Some(result) = dispatch(driver, program, procedure, payload) {
            return result.into();
        }
        let older = (program == REMOTE_PROGRAM).then(|| legacy::answer(driver, procedure, payload)).flatten();
        let unknown = || protocol_error(format!("unknown procedure: {procedure}"));
        let refused = || Err(legacy::refuse(program, procedure).unwrap_or_else(unknown));
        older.unwrap_or_else(refused).into()
    }

    fn open_connection(&self) -> Result<Open> {
        let connection = self.connection.lock().unwrap_or_else(PoisonError::into_inner);
        connection.clone().ok_or_else(|| internal("hypervisor connection not open"))
    }

    fn open(&self, server: &Inner, payload: &[u8]) -> Result<()> {
        let (name, flags) = from_bytes::<(Option<String>, u32)>(payload)?;
        let mut connection = self.connection.lock().unwrap_or_else(PoisonError::into_inner);
        if connection.is_some() {
            return Err(internal("connection already open"));
        }
        let name = name.filter(|name| !name.is_empty()).or_else(|| server.options.default_uri.clone());
        let uri = name.ok_or_else(|| Error::invalid_argument("the client names no driver"))?;
        let read_only = self.read_only || flags & CONNECT_RO != 0;
        let driver = server.factory.open(&Uri::parse(&uri)?, read_only, &self.peer)?;
        let driver: Arc<dyn Connection> =
            if read_only { Arc::new(ReadOnly::new(driver)) } else { Arc::from(driver) };
        *connection = Some(Open { driver, uri, read_only });
        Ok(())
    }

    /// Lets go of the driver and all that is open in it.
    pub(super) fn close(&self) {
        self.streams.close_all();
        let open = self.connection.lock().unwrap_or_else(PoisonError::into_inner).take();
        // Dropped here, outside the lock: a driver may take its time to let go.
        drop(open);
    }
}

/// A driver's word, or ours where the driver does not say.
fn or_else_ours<T: crate::rpc::xdr::Xdr>(answer: Result<T>, ours: T) -> Result<Vec<u8>> {
    match answer {
        Err(error) if error.is_unsupported() => Ok(to_bytes(&ours)),
        other => other.map(|value| to_bytes(&value)),
    }
}
