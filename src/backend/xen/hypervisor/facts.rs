//! What the hypervisor says about itself: version, capabilities, how it was built and started.

use super::Hypervisor;
use super::calls::{number, refused};
use super::door::{Argument, Region};
use super::layouts::COMPILE_INFO;
use crate::error::Result;

/// Questions of `xen_version`.
mod question {
    pub(super) const EXTRA: u64 = 1;
    pub(super) const COMPILE_INFO: u64 = 2;
    pub(super) const CAPABILITIES: u64 = 3;
    pub(super) const CHANGESET: u64 = 4;
    pub(super) const COMMAND_LINE: u64 = 9;
    pub(super) const BUILD_ID: u64 = 10;
}

/// A release of the hypervisor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Release {
    /// The first number.
    pub major: u32,
    /// The second number.
    pub minor: u32,
    /// What follows, such as `.2` or `-rc1`.
    pub extra: String,
}

/// How the hypervisor was built.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CompileInfo {
    /// The compiler and its version.
    pub compiler: String,
    /// Who built it.
    pub by: String,
    /// Where.
    pub domain: String,
    /// When.
    pub date: String,
}

/// The text up to the first NUL, without control characters.
fn text(bytes: &[u8]) -> String {
    let end = bytes.iter().position(|byte| *byte == 0).unwrap_or(bytes.len());
    String::from_utf8_lossy(&bytes[..end]).chars().filter(|character| !character.is_control()).collect()
}

impl Hypervisor {
    /// An answer of so many bytes to a question about the hypervisor.
    fn ask(&self, asked: &str, question: u64, size: usize) -> Result<Vec<u8>> {
        let mut regions = [Region::new(vec![0; size])];
        let arguments = [Argument::Number(question), Argument::Region(0)];
        let answer = self.door().call(number::XEN_VERSION, &arguments, &mut regions);
        answer.map_err(|errno| refused(asked, errno))?;
        let [region] = regions;
        Ok(region.bytes)
    }

    /// Its release, in full.
    pub fn release(&self) -> Result<Release> {
        let (major, minor) = self.numbers();
        Ok(Release { major, minor, extra: text(&self.ask("extraversion", question::EXTRA, 16)?) })
    }

    /// Which guests it can run, such as `xen-3.0-x86_64 hvm-3.0-x86_32`.
    pub fn capabilities(&self) -> Result<String> {
        Ok(text(&self.ask("capabilities", question::CAPABILITIES, 1024)?))
    }

    /// The revision of its sources.
    pub fn changeset(&self) -> Result<String> {
        Ok(text(&self.ask("changeset", question::CHANGESET, 64)?))
    }

    /// How it was built.
    pub fn compile_info(&self) -> Result<CompileInfo> {
        let bytes = self.ask("compile info", question::COMPILE_INFO, COMPILE_INFO.size)?;
        let field =
            |name| COMPILE_INFO.field(name).and_then(|range| bytes.get(range)).map_or(String::new(), text);
        Ok(CompileInfo {
            compiler: field("compiler"),
            by: field("compile_by"),
            domain: field("compile_domain"),
            date: field("compile_date"),
        })
    }

    /// The options it was started with (4.0 and later).
    pub fn command_line(&self) -> Result<String> {
        Ok(text(&self.ask("command line", question::COMMAND_LINE, 1024)?))
    }

    /// The build id in hexadecimal digits (4.7 and later).
    pub fn build_id(&self) -> Result<String> {
        const ROOM: usize = 256;
        let mut request = vec![0; 4 + ROOM];
        request[..4].copy_from_slice(&(ROOM as u32).to_le_bytes());
        let mut regions = [Region::new(request)];
        let arguments = [Argument::Number(question::BUILD_ID), Argument::Region(0)];
        let written = self.door().call(number::XEN_VERSION, &arguments, &mut regions);
        let written = written.map_err(|errno| refused("build id", errno))?;
        let length = usize::try_from(written).unwrap_or(0).min(ROOM);
        Ok(regions[0].bytes[4..4 + length].iter().map(|byte| format!("{byte:02x}")).collect())
    }
}
