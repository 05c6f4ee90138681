//! Key codes: from the sets people name to the numbers QEMU takes.

use crate::error::{Error, ErrorOrigin, Result};
use crate::model::constants::*;

/// Linux's codes beyond 88, where they part from the PC keyboard's own: the code and QEMU's number.
const BEYOND: [(u32, u32); 38] = [
    (85, 0x76),
    (89, 0x73),
    (90, 0x78),
    (91, 0x77),
    (92, 0x79),
    (93, 0x70),
    (94, 0x7b),
    (95, 0x5c),
    (96, 0x9c),
    (97, 0x9d),
    (98, 0xb5),
    (99, 0x54),
    (100, 0xb8),
    (102, 0xc7),
    (103, 0xc8),
    (104, 0xc9),
    (105, 0xcb),
    (106, 0xcd),
    (107, 0xcf),
    (108, 0xd0),
    (109, 0xd1),
    (110, 0xd2),
    (111, 0xd3),
    (113, 0xa0),
    (114, 0xae),
    (115, 0xb0),
    (116, 0xde),
    (117, 0x59),
    (119, 0xc6),
    (121, 0x7e),
    (122, 0x72),
    (123, 0x71),
    (124, 0x7d),
    (125, 0xdb),
    (126, 0xdc),
    (127, 0xdd),
    (142, 0xdf),
    (143, 0xe3),
];

/// Linux's codes for the usages of USB's keyboard page, from 0.
const USB: [u8; 104] = [
    0, 0, 0, 0, 30, 48, 46, 32, 18, 33, 34, 35, 23, 36, 37, 38, //
    50, 49, 24, 25, 16, 19, 31, 20, 22, 47, 17, 45, 21, 44, 2, 3, //
    4, 5, 6, 7, 8, 9, 10, 11, 28, 1, 14, 15, 57, 12, 13, 26, //
    27, 43, 43, 39, 40, 41, 51, 52, 53, 58, 59, 60, 61, 62, 63, 64, //
    65, 66, 67, 68, 87, 88, 99, 70, 119, 110, 102, 104, 111, 107, 109, 106, //
    105, 108, 103, 69, 98, 55, 74, 78, 96, 79, 80, 81, 75, 76, 77, 71, //
    72, 73, 82, 83, 86, 127, 116, 117,
];
/// The same for usages 224 to 231.
const USB_MODIFIERS: [u8; 8] = [29, 42, 56, 125, 97, 54, 100, 126];

fn from_linux(code: u32) -> Option<u32> {
    if let Some((_, number)) = BEYOND.iter().find(|(known, _)| *known == code) {
        return Some(*number);
    }
    (1..=88).contains(&code).then_some(code)
}

fn from_usb(usage: u32) -> Option<u32> {
    let code = match usage {
        224..=231 => USB_MODIFIERS.get(usage as usize - 224),
        _ => USB.get(usage as usize),
    };
    code.filter(|code| **code != 0).and_then(|code| from_linux(u32::from(*code)))
}

/// Scan codes of set 1: extended ones have 0xe0 before them.
fn from_scan_code(code: u32) -> Option<u32> {
    match code {
        1..=0x7f => Some(code),
        0xe001..=0xe07f => Some(code & 0x7f | 0x80),
        _ => None,
    }
}

/// QEMU's number for a key of a set (`virKeycodeSet`).
pub fn to_qemu(set: u32, code: u32) -> Result<u32> {
    let (name, number) = match set {
        KEYCODE_SET_LINUX => ("linux", from_linux(code)),
        KEYCODE_SET_XT => ("xt", from_scan_code(code)),
        KEYCODE_SET_ATSET1 => ("atset1", from_scan_code(code)),
        KEYCODE_SET_ATSET2 => ("atset2", None),
        KEYCODE_SET_ATSET3 => ("atset3", None),
        KEYCODE_SET_OSX => ("os_x", None),
        KEYCODE_SET_XT_KBD => ("xt_kbd", None),
        KEYCODE_SET_USB => ("usb", from_usb(code)),
        KEYCODE_SET_WIN32 => ("win32", None),
        KEYCODE_SET_QNUM => ("qnum", (code <= 0xff).then_some(code)),
        _ => return Err(Error::invalid_argument("invalid codeset").from_origin(ErrorOrigin::QEMU)),
    };
    number.ok_or_else(|| {
        let detail = format!("cannot translate keycode {code} of {name} codeset to qnum keycode");
        Error::internal(detail).from_origin(ErrorOrigin::QEMU)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sets_agree_about_a_key() {
        // The letter A, and the cursor key that is extended.
        assert_eq!(to_qemu(KEYCODE_SET_LINUX, 30).unwrap(), 0x1e);
        assert_eq!(to_qemu(KEYCODE_SET_USB, 4).unwrap(), 0x1e);
        assert_eq!(to_qemu(KEYCODE_SET_XT, 0xe048).unwrap(), 0xc8);
        assert_eq!(to_qemu(KEYCODE_SET_LINUX, 103).unwrap(), 0xc8);
        let error = to_qemu(KEYCODE_SET_LINUX, 300).unwrap_err();
        assert_eq!(
            error.message,
            "internal error: cannot translate keycode 300 of linux codeset to qnum keycode"
        );
    }
}
