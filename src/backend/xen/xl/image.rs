//! The head of a file that `xl save` wrote: whose memory it is.

use crate::backend::xen::native::config::Config;
use crate::backend::xen::native::xl::live;
use crate::error::{Error, ErrorOrigin, Result};
use std::fs::File;
use std::io::Read;
use std::path::Path;

/// What such a file begins with.
const MAGIC: &[u8; 32] = b"Xen saved domain, xl format\n \0 \r";
/// The byte order the numbers behind it are in.
const BYTE_ORDER: u32 = 0x0102_0304;
/// Set among the flags when the configuration is JSON; older releases wrote a file's text.
const JSON: u32 = 1;
/// A longer configuration is not believed.
const LONGEST: u32 = 16 * 1024 * 1024;

/// The configuration of the domain whose memory a file holds.
pub(super) fn read(path: &Path) -> Result<Config> {
    let cannot = |cause: &std::io::Error| Error::system(format!("cannot read '{}'", path.display()), cause);
    let file = File::open(path).map_err(|cause| cannot(&cause))?;
    parse(file).map_err(|flaw| match flaw {
        Flaw::Input(cause) => cannot(&cause),
        Flaw::Format(what) => {
            let detail = format!("'{}' is no image of a domain: {what}", path.display());
            Error::operation_failed(detail).from_origin(ErrorOrigin::XEN)
        }
    })
}

enum Flaw {
    Input(std::io::Error),
    Format(&'static str),
}

fn parse(mut file: impl Read) -> std::result::Result<Config, Flaw> {
    let mut head = [0; 48];
    file.read_exact(&mut head).map_err(|_| Flaw::Format("it is too short"))?;
    if &head[..32] != MAGIC {
        return Err(Flaw::Format("it does not begin like one of xl's"));
    }
    let number = |at: usize| u32::from_le_bytes([head[at], head[at + 1], head[at + 2], head[at + 3]]);
    let (order, flags, length) = (number(32), number(36), number(44));
    if order != BYTE_ORDER {
        return Err(Flaw::Format("it was written on a host of another byte order"));
    }
    if !(4..=LONGEST).contains(&length) {
        return Err(Flaw::Format("its configuration has an impossible length"));
    }
    let mut optional = Vec::new();
    file.take(u64::from(length)).read_to_end(&mut optional).map_err(Flaw::Input)?;
    if optional.len() != length as usize {
        return Err(Flaw::Format("its configuration is cut off"));
    }
    let wanted = u32::from_le_bytes([optional[0], optional[1], optional[2], optional[3]]) as usize;
    let bytes =
        optional.get(4..4usize.saturating_add(wanted)).ok_or(Flaw::Format("its configuration is cut off"))?;
    let text = std::str::from_utf8(bytes).map_err(|_| Flaw::Format("its configuration is not text"))?;
    let text = text.trim_end_matches('\0');
    if flags & JSON == 0 {
        return Ok(Config::parse(text));
    }
    let config: serde_json::Value =
        serde_json::from_str(text).map_err(|_| Flaw::Format("its configuration is not JSON"))?;
    Ok(live::config(&serde_json::json!({ "config": config })))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn file(flags: u32, text: &str) -> Vec<u8> {
        let mut bytes = MAGIC.to_vec();
        for number in [BYTE_ORDER, flags, 0, text.len() as u32 + 4, text.len() as u32] {
            bytes.extend(number.to_le_bytes());
        }
        bytes.extend(text.as_bytes());
        bytes
    }

    #[test]
    fn both_kinds_of_configurations_are_read() {
        let json = r#"{"c_info": {"type": "pv", "name": "x"}, "b_info": {"max_memkb": 65536, "target_memkb": 65536}}"#;
        for bytes in [file(JSON, json), file(0, "name = 'x'\nmemory = 64\n")] {
            let config = parse(&bytes[..]).ok().unwrap();
            assert_eq!((config.text("name").as_deref(), config.number("memory")), (Some("x"), Some(64)));
        }
    }

    proptest! {
        #[test]
        fn no_bytes_are_a_danger(bytes in proptest::collection::vec(any::<u8>(), 0..200), cut in 0usize..200) {
            let _ = parse(&bytes[..]);
            let mut whole = file(JSON, "{}");
            whole.truncate(cut);
            whole.extend(bytes);
            let _ = parse(&whole[..]);
        }
    }
}
