//! What this driver's host offers to definitions: every guest there can be, none of them real.

use super::capabilities::ARCH;
use crate::xml::domain::Platform;

/// The host of the test driver.
pub(super) struct TestPlatform;

impl Platform for TestPlatform {
    fn default_architecture(&self, _virt_type: &str, _os_type: &str) -> String {
        ARCH.to_string()
    }
}
