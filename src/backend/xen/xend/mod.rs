//! The layer that asks xend, the daemon of Xen 3.0.2 to 4.4, over HTTP.

mod address;
mod http;
mod release;
mod request;
mod transport;
