//! Tests of the layer against a played hypervisor of every release.
#![allow(clippy::unwrap_used, clippy::panic)]

mod hostile;
mod played;
mod releases;
mod served;
mod since;
mod tables;
