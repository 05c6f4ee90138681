//! Attaching, changing and detaching devices.

use super::QemuConnection;
use crate::backend::DomainDevices;

impl DomainDevices for QemuConnection {}
