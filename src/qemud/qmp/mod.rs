//! QMP: the client of one QEMU monitor.
//!
//! QEMU listens on a unix socket and serves one client at a time, so that a new helper can take over a guest
//! by simply connecting. A [`Monitor`] sends commands (several may be under way at once) and is fed by one
//! reader thread a guest ([`watch()`]), which hands replies to those who wait for them and events to an
//! [`EventSink`]. What QEMU says is never trusted to be well formed: unknown events, fields and replies are
//! normal, lines are bounded, and a monitor that breaks the protocol is closed, not feared.

mod message;
mod monitor;
mod watch;

pub use message::{Message, QmpEvent, Refusal, Version};
pub use monitor::{Monitor, MonitorError, Ticket};
pub use watch::{EventSink, watch};
