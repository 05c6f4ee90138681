//! The XDR codec (RFC 4506): big endian, four-byte aligned, every length checked before anything is allocated.
//!
//! [`Xdr`] is implemented for the plain types here and for the model's types in `rpc::types`. A structure is
//! its fields one after the other, so a tuple of arguments encodes as the wire's argument structure does.

use crate::error::{Error, ErrorCode, ErrorOrigin, Result};
use uuid::Uuid;

/// The longest string of the protocol, in bytes (`REMOTE_STRING_MAX`).
pub const STRING_MAX: usize = 4 * 1024 * 1024;

/// The most elements any array of the protocol may have; single procedures allow fewer.
const ARRAY_MAX: usize = 256 * 1024;

/// A value that travels in XDR.
pub trait Xdr: Sized {
    /// Appends the value to `out`.
    fn encode(&self, out: &mut Writer);
    /// Takes the value off the front of `input`. Fails on anything short, over-long or malformed.
    fn decode(input: &mut Reader<'_>) -> Result<Self>;

    /// Encodes a counted array; bytes override it to travel as opaque data.
    fn encode_array(items: &[Self], out: &mut Writer) {
        out.length(items.len());
        for item in items {
            item.encode(out);
        }
    }

    /// Decodes a counted array.
    fn decode_array(input: &mut Reader<'_>) -> Result<Vec<Self>> {
        let count = input.length(ARRAY_MAX)?;
        // Every element takes at least four bytes, so a hostile count cannot make us allocate more than it sent.
        let mut items = Vec::with_capacity(count.min(input.rest.len() / 4));
        for _ in 0..count {
            items.push(Self::decode(input)?);
        }
        Ok(items)
    }
}

/// Collects an encoding.
#[derive(Default)]
pub struct Writer {
    bytes: Vec<u8>,
}

impl Writer {
    /// The encoding so far.
    pub fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }

    fn length(&mut self, length: usize) {
        // Lengths beyond u32 cannot occur: frames are capped far below.
        (u32::try_from(length).unwrap_or(u32::MAX)).encode(self);
    }

    /// Appends bytes with their padding but without a count.
    pub fn fixed_opaque(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
        self.bytes.resize(self.bytes.len().next_multiple_of(4), 0);
    }

    /// Appends a counted run of bytes.
    pub fn opaque(&mut self, bytes: &[u8]) {
        self.length(bytes.len());
        self.fixed_opaque(bytes);
    }
}

/// Reads an encoding from its front.
pub struct Reader<'a> {
    rest: &'a [u8],
}

fn malformed(what: &str) -> Error {
    let message = format!("Unable to decode message payload: {what}");
    Error::from_wire(ErrorCode::RPC.0, ErrorOrigin::RPC.0, message)
}

impl<'a> Reader<'a> {
    /// A reader over the whole of `bytes`.
    pub fn new(bytes: &'a [u8]) -> Reader<'a> {
        Reader { rest: bytes }
    }

    fn take(&mut self, count: usize) -> Result<&'a [u8]> {
        let (head, rest) = self.rest.split_at_checked(count).ok_or_else(|| malformed("it ends too early"))?;
        self.rest = rest;
        Ok(head)
    }

    fn word(&mut self) -> Result<[u8; 4]> {
        let mut word = [0; 4];
        word.copy_from_slice(self.take(4)?);
        Ok(word)
    }

    fn length(&mut self, most: usize) -> Result<usize> {
        let length = u32::from_be_bytes(self.word()?) as usize;
        if length > most { Err(malformed("a length is beyond its limit")) } else { Ok(length) }
    }

    /// Takes `count` bytes and their padding.
    pub fn fixed_opaque(&mut self, count: usize) -> Result<&'a [u8]> {
        let bytes = self.take(count)?;
        self.take(count.next_multiple_of(4) - count)?;
        Ok(bytes)
    }

    /// Takes a counted run of at most `most` bytes.
    pub fn opaque(&mut self, most: usize) -> Result<&'a [u8]> {
        let count = self.length(most)?;
        self.fixed_opaque(count)
    }

    /// Fails unless everything has been read.
    pub fn finish(self) -> Result<()> {
        if self.rest.is_empty() { Ok(()) } else { Err(malformed("it has bytes left over")) }
    }
}

/// Encodes one value by itself.
pub fn to_bytes<T: Xdr>(value: &T) -> Vec<u8> {
    let mut out = Writer::default();
    value.encode(&mut out);
    out.into_bytes()
}

/// Decodes one value that must fill `bytes` exactly.
pub fn from_bytes<T: Xdr>(bytes: &[u8]) -> Result<T> {
    let mut input = Reader::new(bytes);
    let value = T::decode(&mut input)?;
    input.finish()?;
    Ok(value)
}

macro_rules! word {
    ($($type:ty),*) => {$(
        impl Xdr for $type {
            fn encode(&self, out: &mut Writer) {
                out.bytes.extend_from_slice(&(*self as i32).to_be_bytes());
            }
            fn decode(input: &mut Reader<'_>) -> Result<Self> {
                let word = i32::from_be_bytes(input.word()?);
                Self::try_from(word).map_err(|_| malformed("a number is out of range"))
            }
        }
    )*};
}
word!(i8, i16, u16, i32);

impl Xdr for u32 {
    fn encode(&self, out: &mut Writer) {
        out.bytes.extend_from_slice(&self.to_be_bytes());
    }
    fn decode(input: &mut Reader<'_>) -> Result<Self> {
        Ok(u32::from_be_bytes(input.word()?))
    }
}

impl Xdr for u64 {
    fn encode(&self, out: &mut Writer) {
        out.bytes.extend_from_slice(&self.to_be_bytes());
    }
    fn decode(input: &mut Reader<'_>) -> Result<Self> {
        let mut bytes = [0; 8];
        bytes.copy_from_slice(input.take(8)?);
        Ok(u64::from_be_bytes(bytes))
    }
}

impl Xdr for i64 {
    fn encode(&self, out: &mut Writer) {
        out.bytes.extend_from_slice(&self.to_be_bytes());
    }
    fn decode(input: &mut Reader<'_>) -> Result<Self> {
        Ok(u64::decode(input)? as i64)
    }
}

impl Xdr for f64 {
    fn encode(&self, out: &mut Writer) {
        self.to_bits().encode(out);
    }
    fn decode(input: &mut Reader<'_>) -> Result<Self> {
        Ok(f64::from_bits(u64::decode(input)?))
    }
}

/// A single byte takes a whole word; an array of them is opaque data.
impl Xdr for u8 {
    fn encode(&self, out: &mut Writer) {
        u32::from(*self).encode(out);
    }
    fn decode(input: &mut Reader<'_>) -> Result<Self> {
        u8::try_from(u32::decode(input)?).map_err(|_| malformed("a byte is out of range"))
    }
    fn encode_array(items: &[Self], out: &mut Writer) {
        out.opaque(items);
    }
    fn decode_array(input: &mut Reader<'_>) -> Result<Vec<Self>> {
        Ok(input.opaque(crate::rpc::frame::MESSAGE_MAX)?.to_vec())
    }
}

/// Booleans are integers on this wire: zero is false, anything else true.
impl Xdr for bool {
    fn encode(&self, out: &mut Writer) {
        i32::from(*self).encode(out);
    }
    fn decode(input: &mut Reader<'_>) -> Result<Self> {
        Ok(i32::decode(input)? != 0)
    }
}

impl Xdr for String {
    fn encode(&self, out: &mut Writer) {
        out.opaque(self.as_bytes());
    }
    fn decode(input: &mut Reader<'_>) -> Result<Self> {
        let bytes = input.opaque(STRING_MAX)?;
        String::from_utf8(bytes.to_vec()).map_err(|_| malformed("a string is not UTF-8"))
    }
}

impl Xdr for Uuid {
    fn encode(&self, out: &mut Writer) {
        out.fixed_opaque(self.as_bytes());
    }
    fn decode(input: &mut Reader<'_>) -> Result<Self> {
        let mut bytes = [0; 16];
        bytes.copy_from_slice(input.fixed_opaque(16)?);
        Ok(Uuid::from_bytes(bytes))
    }
}

impl<T: Xdr> Xdr for Vec<T> {
    fn encode(&self, out: &mut Writer) {
        T::encode_array(self, out);
    }
    fn decode(input: &mut Reader<'_>) -> Result<Self> {
        T::decode_array(input)
    }
}

impl<T: Xdr> Xdr for Option<T> {
    fn encode(&self, out: &mut Writer) {
        self.is_some().encode(out);
        if let Some(value) = self {
            value.encode(out);
        }
    }
    fn decode(input: &mut Reader<'_>) -> Result<Self> {
        if bool::decode(input)? { Ok(Some(T::decode(input)?)) } else { Ok(None) }
    }
}

impl Xdr for () {
    fn encode(&self, _out: &mut Writer) {}
    fn decode(_input: &mut Reader<'_>) -> Result<Self> {
        Ok(())
    }
}

macro_rules! tuple {
    ($($name:ident),+) => {
        impl<$($name: Xdr),+> Xdr for ($($name,)+) {
            #[allow(non_snake_case)]
            fn encode(&self, out: &mut Writer) {
                let ($($name,)+) = self;
                $($name.encode(out);)+
            }
            fn decode(input: &mut Reader<'_>) -> Result<Self> {
                Ok(($($name::decode(input)?,)+))
            }
        }
    };
}
tuple!(A);
tuple!(A, B);
tuple!(A, B, C);
tuple!(A, B, C, D);

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn strings_are_counted_and_padded() {
        assert_eq!(to_bytes(&"abcde".to_string()), b"\0\0\0\x05abcde\0\0\0");
    }

    #[test]
    fn hostile_counts_are_refused_without_allocating() {
        assert!(from_bytes::<Vec<String>>(&[0xff; 4]).is_err());
        assert!(from_bytes::<String>(&[0x00, 0x40, 0x00, 0x01]).is_err());
        assert!(from_bytes::<Vec<u8>>(&[0, 0, 0, 9, 1, 2]).is_err());
    }

    proptest! {
        #[test]
        fn what_is_written_reads_back(text in ".{0,80}", bytes: Vec<u8>, number: i64, list: Vec<u32>, some: Option<u64>) {
            let value = ((text, bytes), number, list, some);
            prop_assert_eq!(from_bytes::<((String, Vec<u8>), i64, Vec<u32>, Option<u64>)>(&to_bytes(&value)).unwrap(), value);
        }

        #[test]
        fn noise_never_panics(bytes: Vec<u8>) {
            let _ = from_bytes::<(String, Vec<String>, Option<Uuid>)>(&bytes);
        }
    }
}
