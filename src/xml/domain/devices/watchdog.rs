//! `<watchdog>` and `<panic>`: devices that notice a guest that hangs or crashes.

use super::address::ADDRESS;
use super::{ACPI, ALIAS, BOOT};
use crate::xml::shape::{Shape, one, one_of, shape};

/// `<watchdog>`.
pub static WATCHDOG: Shape = shape("watchdog")
    .attributes(&[
        one_of("model", &["i6300esb", "ib700", "diag288", "itco"]).required(),
        one_of("action", &["reset", "shutdown", "poweroff", "pause", "dump", "none", "inject-nmi"]),
    ])
    .children(&[one(&BOOT), one(&ALIAS), one(&ACPI), one(&ADDRESS)])
    .after(|watchdog| {
        if watchdog.attribute("action").is_none() {
            watchdog.set("action", "reset");
        }
        Ok(())
    });

/// `<panic>`.
pub static PANIC: Shape = shape("panic")
    .attributes(&[one_of("model", &["isa", "pseries", "hyperv", "s390", "pvpanic"]).omit("default")])
    .children(&[one(&BOOT), one(&ALIAS), one(&ACPI), one(&ADDRESS)])
    .before(|panic| super::wording::known(panic, "model", PANIC_MODELS, "unknown panic model"));
const PANIC_MODELS: &[&str] = &["default", "isa", "pseries", "hyperv", "s390", "pvpanic"];
