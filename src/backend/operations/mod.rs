//! The table of operations: one row each, from which every layer reads.
//!
//! A row says everything there is to know about an operation's shape:
//!
//! ```text
//! 34 write virDomainSuspend fn suspend(domain: &DomainRef) -> ();
//! │  │     │                  └ the trait method, its arguments and its answer
//! │  │     └ its public name, as errors spell it
//! │  └ whether a read-only connection may ask for it
//! └ its number on the wire
//! ```
//!
//! `[16] (flags: u32) -> Counted<T>` after the first arguments marks a listing: on the wire the number stands at
//! that place and asks for at most so many results (zero: only their count).
//!
//! The rows become the driver traits and the read-only guard here, the client in `backend::remote` and the
//! dispatcher in the helper. So an operation added as a row is at once callable, refusable, carried and guarded;
//! a driver that does not override the method answers *unsupported* by the operation's public name.

#![allow(non_snake_case)]

use crate::error::{Error, Result};
use crate::model::*;
use uuid::Uuid;

mod domain_devices;
mod domain_guest;
mod domain_jobs;
mod domain_lifecycle;
mod domain_lookup;
mod domain_monitor;
mod domain_saving;
mod domain_stats;
mod domain_tuning;
mod filters;
mod host;
mod interfaces;
mod networks;
mod node_devices;
mod secrets;
mod snapshots;
mod storage;

/// In the traits a listing is simply its items.
type Counted<T> = Vec<T>;
/// In the traits a listing is simply its items.
type Items<T> = Vec<T>;

/// Hands every family of operations to the macro `$reader`, one after the other.
macro_rules! for_each_family {
    ($reader:ident) => {
        $crate::backend::operations::host_operations!($reader);
        $crate::backend::operations::domain_lookup_operations!($reader);
        $crate::backend::operations::domain_lifecycle_operations!($reader);
        $crate::backend::operations::domain_saving_operations!($reader);
        $crate::backend::operations::domain_tuning_operations!($reader);
        $crate::backend::operations::domain_devices_operations!($reader);
        $crate::backend::operations::domain_stats_operations!($reader);
        $crate::backend::operations::domain_jobs_operations!($reader);
        $crate::backend::operations::domain_guest_operations!($reader);
        $crate::backend::operations::domain_monitor_operations!($reader);
        $crate::backend::operations::snapshots_operations!($reader);
        $crate::backend::operations::networks_operations!($reader);
        $crate::backend::operations::storage_operations!($reader);
        $crate::backend::operations::interfaces_operations!($reader);
        $crate::backend::operations::node_devices_operations!($reader);
        $crate::backend::operations::secrets_operations!($reader);
        $crate::backend::operations::filters_operations!($reader);
    };
}
pub(crate) use for_each_family;

pub(crate) use domain_devices::domain_devices_operations;
pub(crate) use domain_guest::domain_guest_operations;
pub(crate) use domain_jobs::domain_jobs_operations;
pub(crate) use domain_lifecycle::domain_lifecycle_operations;
pub(crate) use domain_lookup::domain_lookup_operations;
pub(crate) use domain_monitor::domain_monitor_operations;
pub(crate) use domain_saving::domain_saving_operations;
pub(crate) use domain_stats::domain_stats_operations;
pub(crate) use domain_tuning::domain_tuning_operations;
pub(crate) use filters::filters_operations;
pub(crate) use host::host_operations;
pub(crate) use interfaces::interfaces_operations;
pub(crate) use networks::networks_operations;
pub(crate) use node_devices::node_devices_operations;
pub(crate) use secrets::secrets_operations;
pub(crate) use snapshots::snapshots_operations;
pub(crate) use storage::storage_operations;

/// Turns a family into its driver trait; each method's default is the typed *unsupported*.
macro_rules! define_trait {
    ($(#[$doc:meta])* trait $family:ident in $getter:ident, on $program:ident {$(
        $(#[$row_doc:meta])*
        $number:literal $access:ident $api:ident fn $method:ident($($arg:ident: $ty:ty),*)
            $([$asked:literal] ($($more:ident: $more_ty:ty),*))? -> $reply:ty;
    )*}) => {
        $(#[$doc])*
        pub trait $family: Send + Sync {$(
            $(#[$row_doc])*
            #[allow(unused_variables, clippy::too_many_arguments)]
            fn $method(&self, $($arg: $ty,)* $($($more: $more_ty),*)?) -> Result<$reply> {
                Err(Error::unsupported(stringify!($api)))
            }
        )*}
    };
}
for_each_family!(define_trait);

/// What an operation needs of a connection: `read` is open to all, `write` is refused on a read-only one.
macro_rules! refuse_writes {
    (read, $api:ident) => {};
    (write, $api:ident) => {
        return Err(Error::read_only(stringify!($api)))
    };
}

/// Guards a family: reads go through, writes are refused by name.
macro_rules! guard_family {
    ($(#[$doc:meta])* trait $family:ident in $getter:ident, on $program:ident {$(
        $(#[$row_doc:meta])*
        $number:literal $access:ident $api:ident fn $method:ident($($arg:ident: $ty:ty),*)
            $([$asked:literal] ($($more:ident: $more_ty:ty),*))? -> $reply:ty;
    )*}) => {
        impl $family for super::ReadOnly {$(
            #[allow(unreachable_code, unused_variables, clippy::too_many_arguments)]
            fn $method(&self, $($arg: $ty,)* $($($more: $more_ty),*)?) -> Result<$reply> {
                refuse_writes!($access, $api);
                super::read_only::refuse_flags(stringify!($api), &[$(super::read_only::Probe::probe(&$arg),)* $($(super::read_only::Probe::probe(&$more)),*)?])?;
                self.inner().$getter().$method($($arg,)* $($($more),*)?)
            }
        )*}
    };
}
for_each_family!(guard_family);

/// Everything that can be done with domains.
pub trait Domains:
    DomainLookup
    + DomainLifecycle
    + DomainSaving
    + DomainTuning
    + DomainDevices
    + DomainStats
    + DomainJobs
    + DomainGuest
    + DomainMonitor
    + super::DomainStreams
{
}

impl<T> Domains for T where
    T: DomainLookup
        + DomainLifecycle
        + DomainSaving
        + DomainTuning
        + DomainDevices
        + DomainStats
        + DomainJobs
        + DomainGuest
        + DomainMonitor
        + super::DomainStreams
{
}
