//! Which hypervisor is meant: the URI given, an alias of it, or the default.
//!
//! Asked in this order: `-c` or `connect`; VIRSH_DEFAULT_CONNECT_URI; LIBVIRT_DEFAULT_URI; `uri_default` of the
//! configuration files, ours before libvirt's; `qemu:///system` for root and `qemu:///session` for others. A name
//! without a colon may be an alias from `uri_aliases` of the same files. The files are read only when one of
//! them can matter.

use crate::error::{Error, ErrorCode, Result};
use crate::uri::Uri;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// The URI to connect to when `given` was asked for (nothing or the empty string: the default).
pub fn resolve(given: Option<&str>) -> Result<Uri> {
    let environment = |name| std::env::var(name).ok().filter(|value| !value.is_empty());
    let given = given.filter(|given| !given.is_empty()).map(str::to_string);
    let wanted = given
        .or_else(|| environment("VIRSH_DEFAULT_CONNECT_URI"))
        .or_else(|| environment("LIBVIRT_DEFAULT_URI"));
    let privileged = nix::unistd::geteuid().is_root();
    match wanted {
        Some(text) if is_alias(&text) => {
            for file in files(privileged) {
                if let Some(target) = read(&file)?.alias(&text) {
                    return Uri::parse(&target);
                }
            }
            Uri::parse(&text)
        }
        Some(text) => Uri::parse(&text),
        None => {
            for file in files(privileged) {
                if let Some(uri) = read(&file)?.default {
                    return Uri::parse(&uri);
                }
            }
            Uri::parse(match privileged {
                true => "qemu:///system",
                false => "qemu:///session",
            })
        }
    }
}

fn is_alias(text: &str) -> bool {
    text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-'))
}

/// The configuration files in the order they are asked, whether or not they exist.
fn files(privileged: bool) -> Vec<PathBuf> {
    let everyones = PathBuf::from("/etc/hvsh/hvsh.conf");
    let home = std::env::var_os("XDG_CONFIG_HOME")
        .filter(|path| !path.is_empty())
        .map(PathBuf::from)
        .or_else(|| std::env::var_os("HOME").map(|home| Path::new(&home).join(".config")));
    let own = home.iter().map(|home| home.join("hvsh/hvsh.conf"));
    let mut files: Vec<PathBuf> = own.chain([everyones]).collect();
    // libvirt reads one of its files only: the system's for root, the user's for others.
    match privileged {
        true => files.push("/etc/libvirt/libvirt.conf".into()),
        false => files.extend(home.map(|home| home.join("libvirt/libvirt.conf"))),
    }
    files
}

/// What a configuration file says about URIs.
#[derive(Default, Debug, PartialEq)]
struct Addresses {
    default: Option<String>,
    aliases: Vec<String>,
}

impl Addresses {
    fn alias(&self, name: &str) -> Option<String> {
        let mut pairs = self.aliases.iter().filter_map(|alias| alias.split_once('='));
        pairs.find(|(known, _)| *known == name).map(|(_, uri)| uri.to_string())
    }
}

fn read(file: &Path) -> Result<Addresses> {
    match std::fs::read_to_string(file) {
        Ok(text) => parse(&text).map_err(|(line, fault)| {
            Error::new(ErrorCode::CONFIG_SYNTAX, format!("{}:{line}: {fault}", file.display()))
        }),
        // What is closed to this user was not meant for him: the system's folder may be root's alone.
        Err(cause) if matches!(cause.kind(), ErrorKind::NotFound | ErrorKind::PermissionDenied) => {
            Ok(Addresses::default())
        }
        Err(cause) => Err(Error::system(format!("cannot read {}", file.display()), &cause)),
    }
}

/// Reads `name = value` lines; a value is a number, a quoted text, or a list of such in brackets.
fn parse(text: &str) -> std::result::Result<Addresses, (usize, &'static str)> {
    let mut addresses = Addresses::default();
    let mut reader = Reader { text, line: 1 };
    loop {
        reader.skip_blanks();
        if reader.text.is_empty() {
            return Ok(addresses);
        }
        let name = reader.take(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-'));
        reader.skip_blanks();
        if name.is_empty() || !reader.eat('=') {
            return Err((reader.line, "expected a setting, as in name = \"value\""));
        }
        let values = reader.values()?;
        match name {
            "uri_default" => addresses.default = values.into_iter().next(),
            "uri_aliases" => addresses.aliases = values,
            _ => {}
        }
    }
}

struct Reader<'a> {
    text: &'a str,
    line: usize,
}

impl<'a> Reader<'a> {
    fn take(&mut self, wanted: impl Fn(char) -> bool) -> &'a str {
        let end = self.text.find(|c| !wanted(c)).unwrap_or(self.text.len());
        let (taken, rest) = self.text.split_at(end);
        self.line += taken.matches('\n').count();
        self.text = rest;
        taken
    }

    fn eat(&mut self, wanted: char) -> bool {
        match self.text.strip_prefix(wanted) {
            Some(rest) => {
                self.text = rest;
                true
            }
            None => false,
        }
    }

    /// Skips blanks, line ends and comments.
    fn skip_blanks(&mut self) {
        self.take(char::is_whitespace);
        while self.text.starts_with('#') {
            self.take(|c| c != '\n');
            self.take(char::is_whitespace);
        }
    }

    fn values(&mut self) -> std::result::Result<Vec<String>, (usize, &'static str)> {
        self.skip_blanks();
        if !self.eat('[') {
            return Ok(vec![self.value()?]);
        }
        let mut values = Vec::new();
        loop {
            self.skip_blanks();
            if self.eat(']') {
                return Ok(values);
            }
            values.push(self.value()?);
            self.skip_blanks();
            if !self.eat(',') && !self.text.starts_with(']') {
                return Err((self.line, "expected , or ] in a list"));
            }
        }
    }

    fn value(&mut self) -> std::result::Result<String, (usize, &'static str)> {
        for quote in ['"', '\''] {
            if self.eat(quote) {
                let value = self.take(|c| c != quote && c != '\n').to_string();
                return match self.eat(quote) {
                    true => Ok(value),
                    false => Err((self.line, "a quoted text does not end on its line")),
                };
            }
        }
        match self.take(|c| c.is_ascii_alphanumeric() || c == '-') {
            "" => Err((self.line, "expected a number or a quoted text")),
            number => Ok(number.to_string()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_are_found_among_others() {
        let text = "# comment\nport = 1\nuri_default = \"test:///default\"\nuri_aliases = [\n \"a=b:///c\", # x\n 'd=e:///',\n]\n";
        let addresses = parse(text).unwrap();
        assert_eq!(addresses.default.as_deref(), Some("test:///default"));
        assert_eq!(addresses.alias("d").as_deref(), Some("e:///"));
        assert_eq!(addresses.alias("x"), None);
    }

    #[test]
    fn a_fault_is_told_with_its_line() {
        assert_eq!(parse("a = 1\nb").unwrap_err().0, 2);
        assert_eq!(parse("a = \"x\n").unwrap_err(), (1, "a quoted text does not end on its line"));
        assert_eq!(parse("\n\na = [ \"x\" \"y\" ]").unwrap_err().0, 3);
    }
}
