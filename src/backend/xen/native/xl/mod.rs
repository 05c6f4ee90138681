//! `xen-xl`: the configuration of today's toolstack, from and to domain XML.
//!
//! Both ways go by the same [`Config`]: a file of `/etc/xen`, and what `xl` says of a running domain after
//! [`live::config`] brought it into the same form.

mod disk;
mod display;
mod exchange;
mod interface;
pub mod live;
mod machine;
mod reader;
#[cfg(test)]
mod tests;
mod writer;

pub use disk::specification as disk_specification;
pub use interface::specification as interface_specification;
pub use reader::{domain_from_config, use_their_words};
pub use writer::{config_from_domain, keep_unknown};

use super::config::Config;

/// Whom a configuration is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Use {
    /// The files we keep: what is read is what was written, to the letter.
    Kept,
    /// The exchange with other tools, in the words they are used to.
    Exchanged,
    /// The same for xm, the tool before this one, which has other words for some of it.
    Xm,
}

/// The three ways a guest can be run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Paravirtualised.
    Pv,
    /// Paravirtualised devices on virtualised processors and memory.
    Pvh,
    /// A whole machine, with a device model.
    Hvm,
}

impl Kind {
    /// What a configuration asks for; `builder` is the older word.
    pub fn of_config(config: &Config) -> Kind {
        let kind = config.text("type").or_else(|| config.text("builder")).unwrap_or_default();
        match kind.as_str() {
            "hvm" => Kind::Hvm,
            "pvh" => Kind::Pvh,
            _ if config.number("pvh") == Some(1) => Kind::Pvh,
            _ => Kind::Pv,
        }
    }

    /// What a definition's `<os><type>` asks for.
    pub fn of_os_type(os_type: &str) -> Kind {
        match os_type {
            "hvm" => Kind::Hvm,
            "xenpvh" => Kind::Pvh,
            _ => Kind::Pv,
        }
    }

    /// The word of `<os><type>`; paravirtualised guests are `linux` there, whatever they run.
    pub fn os_type(self) -> &'static str {
        match self {
            Kind::Pv => "linux",
            Kind::Pvh => "xenpvh",
            Kind::Hvm => "hvm",
        }
    }

    /// The machine of `<os><type>`.
    pub fn machine(self) -> &'static str {
        match self {
            Kind::Pv => "xenpv",
            Kind::Pvh => "xenpvh",
            Kind::Hvm => "xenfv",
        }
    }
}

/// The fields of a specification such as `mac=…,bridge=…`; a word without a value has an empty one.
fn fields(specification: &str) -> Vec<(&str, &str)> {
    let parts = specification.split(',').map(str::trim).filter(|part| !part.is_empty());
    parts
        .map(|part| part.split_once('=').map_or((part, ""), |(name, value)| (name.trim(), value.trim())))
        .collect()
}

/// Whether a value can stand in a comma-separated specification, where nothing can be quoted.
fn fits_in_specification(value: &str) -> bool {
    !value.contains([',', '\n', '\'', '"']) && value.trim() == value
}
