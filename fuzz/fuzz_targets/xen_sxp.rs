//! Answers of xend: no bytes may do harm, and what was read is the same after a round trip; nor may a description of a
//! domain do harm, or what is asked for in its words.
#![no_main]

use hvsh::backend::xen::native;
use hvsh::backend::xen::sxp::{Dialect, read_all, read_answer, show};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &[u8]| {
    if let Ok(Some(expression)) = read_answer(text) {
        assert_eq!(read_answer(&expression.to_request()), Ok(Some(expression.clone())));
        assert_eq!(read_answer(show(&expression, true).as_bytes()), Ok(Some(expression)));
    }
    for dialect in [Dialect::Request302, Dialect::Request304, Dialect::Request40] {
        let _ = read_all(text, dialect);
    }
    let described = std::str::from_utf8(text).ok().and_then(|text| native::to_xml("xen-sxpr", text).ok());
    for format in described.iter().flat_map(|_| ["xen-sxpr", "xen-xm"]) {
        let _ = native::from_xml(format, described.as_deref().unwrap_or_default());
    }
});
