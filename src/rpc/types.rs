//! The wire forms of the model's types, and how a row of the operations' table meets the codec.

use super::xdr::{Reader, Writer, Xdr};
use crate::error::{Error, ErrorCode, ErrorOrigin, Result};
use crate::model::event::GraphicsAddress;
use crate::model::*;
use uuid::Uuid;

/// Gives structures their wire form: their fields in this order.
macro_rules! fields {
    ($($type:ident { $($field:ident),* })*) => {$(
        impl Xdr for $type {
            fn encode(&self, out: &mut Writer) {
                $(self.$field.encode(out);)*
            }
            fn decode(input: &mut Reader<'_>) -> Result<Self> {
                Ok($type { $($field: Xdr::decode(input)?),* })
            }
        }
        impl Reply for $type {
            type Value = Self;
            fn new(value: Self, _asked: i32) -> Self { value }
            fn value(self) -> Self { self }
        }
    )*};
}

fields! {
    NetworkRef { name, uuid }
    NetworkPortRef { network, uuid }
    FilterRef { name, uuid }
    FilterBindingRef { port_device, filter_name }
    InterfaceRef { name, mac }
    PoolRef { name, uuid }
    VolumeRef { pool, name, key }
    NodeDeviceRef { name }
    SecretRef { uuid, usage_type, usage_id }
    SnapshotRef { name, domain }
    CheckpointRef { name, domain }
    NodeStat { name, value }
    CpuMap { map, online, total }
    DomainInfo { state, max_memory, memory, vcpus, cpu_time }
    StateReason { state, reason }
    ControlInfo { state, details, state_time }
    VcpuInfo { number, state, cpu_time, cpu }
    IoThreadInfo { id, cpumap }
    BlockStats { read_requests, read_bytes, write_requests, write_bytes, errors }
    BlockInfo { allocation, capacity, physical }
    BlockJobInfo { found, kind, bandwidth, current, end }
    DiskError { disk, error }
    InterfaceStats { rx_bytes, rx_packets, rx_errors, rx_drops, tx_bytes, tx_packets, tx_errors, tx_drops }
    MemoryStat { tag, value }
    DomainStatsRecord { domain, params }
    JobInfo { kind, time_elapsed, time_remaining, data_total, data_processed, data_remaining, memory_total,
              memory_processed, memory_remaining, file_total, file_processed, file_remaining }
    FilesystemInfo { mountpoint, name, kind, devices }
    GuestAddress { kind, address, prefix }
    GuestInterface { name, mac, addresses }
    DhcpLease { interface, expiry, kind, mac, iaid, address, prefix, hostname, client_id }
    PoolInfo { state, capacity, allocation, available }
    VolumeInfo { kind, capacity, allocation }
    TypedParam { name, value }
    GraphicsAddress { family, node, service }
}

/// An inactive domain's id is -1 on the wire.
impl Xdr for DomainRef {
    fn encode(&self, out: &mut Writer) {
        self.name.encode(out);
        self.uuid.encode(out);
        self.id.and_then(|id| i32::try_from(id).ok()).unwrap_or(-1).encode(out);
    }
    fn decode(input: &mut Reader<'_>) -> Result<Self> {
        let (name, uuid, id) = <(String, Uuid, i32)>::decode(input)?;
        Ok(DomainRef { name, uuid, id: u32::try_from(id).ok() })
    }
}

/// The model's name is a fixed run of 32 characters, a word each.
impl Xdr for NodeInfo {
    fn encode(&self, out: &mut Writer) {
        let mut name = self.model.bytes().take(31).map(|byte| byte as i8).collect::<Vec<i8>>();
        name.resize(32, 0);
        for letter in name {
            letter.encode(out);
        }
        (self.memory, self.cpus, self.mhz, self.nodes).encode(out);
        (self.sockets, self.cores, self.threads).encode(out);
    }
    fn decode(input: &mut Reader<'_>) -> Result<Self> {
        let name = (0..32).map(|_| i8::decode(input)).collect::<Result<Vec<i8>>>()?;
        let (memory, cpus, mhz, nodes) = Xdr::decode(input)?;
        let (sockets, cores, threads) = Xdr::decode(input)?;
        Ok(NodeInfo { model: characters(&name), memory, cpus, mhz, nodes, sockets, cores, threads })
    }
}

impl Xdr for SecurityLabel {
    fn encode(&self, out: &mut Writer) {
        letters(&self.label).encode(out);
        self.enforcing.encode(out);
    }
    fn decode(input: &mut Reader<'_>) -> Result<Self> {
        let (label, enforcing) = <(Vec<i8>, bool)>::decode(input)?;
        Ok(SecurityLabel { label: characters(&label), enforcing })
    }
}

impl Xdr for SecurityModel {
    fn encode(&self, out: &mut Writer) {
        letters(&self.model).encode(out);
        letters(&self.doi).encode(out);
    }
    fn decode(input: &mut Reader<'_>) -> Result<Self> {
        let (model, doi) = <(Vec<i8>, Vec<i8>)>::decode(input)?;
        Ok(SecurityModel { model: characters(&model), doi: characters(&doi) })
    }
}

/// A text as the protocol's arrays of characters have it, with its closing zero.
fn letters(text: &str) -> Vec<i8> {
    text.bytes().chain([0]).map(|byte| byte as i8).collect()
}

fn characters(letters: &[i8]) -> String {
    let bytes: Vec<u8> = letters.iter().map(|&letter| letter as u8).take_while(|&byte| byte != 0).collect();
    String::from_utf8_lossy(&bytes).into_owned()
}

impl Xdr for ParamValue {
    fn encode(&self, out: &mut Writer) {
        match self {
            ParamValue::Int(v) => (1i32, *v).encode(out),
            ParamValue::UInt(v) => (2i32, *v).encode(out),
            ParamValue::LLong(v) => (3i32, *v).encode(out),
            ParamValue::ULLong(v) => (4i32, *v).encode(out),
            ParamValue::Double(v) => (5i32, *v).encode(out),
            ParamValue::Boolean(v) => (6i32, *v).encode(out),
            ParamValue::String(v) => {
                7i32.encode(out);
                v.encode(out);
            }
        }
    }
    fn decode(input: &mut Reader<'_>) -> Result<Self> {
        Ok(match i32::decode(input)? {
            1 => ParamValue::Int(Xdr::decode(input)?),
            2 => ParamValue::UInt(Xdr::decode(input)?),
            3 => ParamValue::LLong(Xdr::decode(input)?),
            4 => ParamValue::ULLong(Xdr::decode(input)?),
            5 => ParamValue::Double(Xdr::decode(input)?),
            6 => ParamValue::Boolean(Xdr::decode(input)?),
            7 => ParamValue::String(Xdr::decode(input)?),
            other => {
                return Err(Error::new(ErrorCode::RPC, format!("a parameter has the unknown type {other}")));
            }
        })
    }
}

/// An error as it travels.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct WireError {
    /// `virErrorNumber`.
    pub code: i32,
    /// `virErrorDomain`.
    pub origin: i32,
    /// The whole message.
    pub message: Option<String>,
}

impl WireError {
    /// The level of every error sent (`VIR_ERR_ERROR`).
    const LEVEL: i32 = 2;
}

impl From<&Error> for WireError {
    fn from(error: &Error) -> WireError {
        WireError { code: error.code.0, origin: error.origin.0, message: Some(error.message.clone()) }
    }
}

impl From<WireError> for Error {
    fn from(wire: WireError) -> Error {
        let message = wire.message.unwrap_or_else(|| "the peer failed without saying why".to_string());
        Error::from_wire(wire.code, wire.origin, message)
    }
}

impl Xdr for WireError {
    fn encode(&self, out: &mut Writer) {
        (self.code, self.origin, self.message.clone(), Self::LEVEL).encode(out);
        let nothing: Option<String> = None;
        None::<DomainRef>.encode(out);
        (nothing.clone(), self.message.clone(), nothing).encode(out);
        (-1i32, -1i32, None::<NetworkRef>).encode(out);
    }
    fn decode(input: &mut Reader<'_>) -> Result<Self> {
        let (code, origin, message, _level) = <(i32, i32, Option<String>, i32)>::decode(input)?;
        Option::<DomainRef>::decode(input)?;
        <(Option<String>, Option<String>, Option<String>)>::decode(input)?;
        <(i32, i32, Option<NetworkRef>)>::decode(input)?;
        Ok(WireError { code, origin, message })
    }
}

impl WireError {
    /// The error for a payload that does not decode.
    pub fn malformed(what: &str) -> Error {
        Error::new(ErrorCode::RPC, what).from_origin(ErrorOrigin::RPC)
    }
}

/// An argument of an operation: what the caller lends and what arrives at the far end.
pub trait WireArgument<'a>: Copy {
    /// The form in which the far end holds it.
    type Owned: Xdr + 'a;
    /// Appends it to a call.
    fn put(self, out: &mut Writer);
    /// Lends it to the driver.
    fn lend(owned: &'a Self::Owned) -> Self;
}

macro_rules! scalar_arguments {
    ($($type:ty),*) => {$(
        impl<'a> WireArgument<'a> for $type {
            type Owned = $type;
            fn put(self, out: &mut Writer) { self.encode(out); }
            fn lend(owned: &'a $type) -> $type { *owned }
        }
    )*};
}
scalar_arguments!(i32, u32, i64, u64, bool, Uuid);

impl<'a> WireArgument<'a> for &'a str {
    type Owned = String;
    fn put(self, out: &mut Writer) {
        out.opaque(self.as_bytes());
    }
    fn lend(owned: &'a String) -> &'a str {
        owned
    }
}

impl<'a> WireArgument<'a> for Option<&'a str> {
    type Owned = Option<String>;
    fn put(self, out: &mut Writer) {
        self.is_some().encode(out);
        if let Some(text) = self {
            out.opaque(text.as_bytes());
        }
    }
    fn lend(owned: &'a Option<String>) -> Option<&'a str> {
        owned.as_deref()
    }
}

impl<'a, T: Xdr + 'a> WireArgument<'a> for &'a [T] {
    type Owned = Vec<T>;
    fn put(self, out: &mut Writer) {
        T::encode_array(self, out);
    }
    fn lend(owned: &'a Vec<T>) -> &'a [T] {
        owned
    }
}

impl<'a, T: Xdr + 'a> WireArgument<'a> for &'a T {
    type Owned = T;
    fn put(self, out: &mut Writer) {
        self.encode(out);
    }
    fn lend(owned: &'a T) -> &'a T {
        owned
    }
}

/// An answer of an operation: its wire form and the value behind it.
pub trait Reply: Xdr {
    /// What the driver answers with.
    type Value;
    /// Whether the reply says how many items there are in all.
    const COUNTED: bool = false;
    /// The wire form of `value` for a client that asked for at most `asked` items.
    fn new(value: Self::Value, asked: i32) -> Self;
    /// The value of a reply that arrived.
    fn value(self) -> Self::Value;
    /// How many items there are in all, if the reply says so.
    fn count(&self) -> Option<i32> {
        None
    }
}

macro_rules! plain_replies {
    ($($type:ty),* $(,)?) => {$(
        impl Reply for $type {
            type Value = Self;
            fn new(value: Self, _asked: i32) -> Self { value }
            fn value(self) -> Self { self }
        }
    )*};
}
plain_replies!(
    (),
    i32,
    u32,
    i64,
    u64,
    bool,
    String,
    Option<String>,
    DomainRef,
    NodeInfo,
    SecurityLabel,
    SecurityModel,
    Vec<u8>,
    Vec<u64>,
    Vec<String>,
    Vec<TypedParam>,
    Vec<DomainStatsRecord>,
    Vec<GuestInterface>,
    (String, i32),
    (i32, Vec<TypedParam>),
    (i64, u32),
    (Vec<VcpuInfo>, Vec<u8>),
    (Vec<u8>, i32),
    (Vec<u8>, String),
    (Vec<u8>, Option<String>),
    (DomainRef, Vec<u8>),
    (Vec<TypedParam>, i32),
);

/// A listing on the wire: the items and, after them, how many there are.
pub struct Counted<T> {
    items: Vec<T>,
    count: u32,
}

/// A listing on the wire without the trailing count.
pub struct Items<T> {
    items: Vec<T>,
}

/// What the two forms of a listing have in common.
pub trait Listing<T> {
    /// Keeps what a client asked for: nothing when it only wants the count.
    fn keep(mut items: Vec<T>, asked: i32) -> Vec<T> {
        if asked <= 0 {
            items.clear();
        }
        items
    }
}
impl<T> Listing<T> for Counted<T> {}
impl<T> Listing<T> for Items<T> {}

impl<T: Xdr> Xdr for Counted<T> {
    fn encode(&self, out: &mut Writer) {
        self.items.encode(out);
        self.count.encode(out);
    }
    fn decode(input: &mut Reader<'_>) -> Result<Self> {
        Ok(Counted { items: Xdr::decode(input)?, count: Xdr::decode(input)? })
    }
}

impl<T: Xdr> Reply for Counted<T> {
    type Value = Vec<T>;
    const COUNTED: bool = true;
    fn new(value: Vec<T>, asked: i32) -> Self {
        let count = value.len() as u32;
        Counted { items: Self::keep(value, asked), count }
    }
    fn value(self) -> Vec<T> {
        self.items
    }
    fn count(&self) -> Option<i32> {
        i32::try_from(self.count).ok()
    }
}

impl<T: Xdr> Xdr for Items<T> {
    fn encode(&self, out: &mut Writer) {
        self.items.encode(out);
    }
    fn decode(input: &mut Reader<'_>) -> Result<Self> {
        Ok(Items { items: Xdr::decode(input)? })
    }
}

impl<T: Xdr> Reply for Items<T> {
    type Value = Vec<T>;
    fn new(value: Vec<T>, asked: i32) -> Self {
        Items { items: Self::keep(value, asked) }
    }
    fn value(self) -> Vec<T> {
        self.items
    }
}

#[cfg(test)]
mod tests;
