//! The terminals and screens of a domain.

use super::client::Xenstore;
use super::identity::home;
use super::value::Value;
use crate::error::Result;
use std::path::{Component, Path};

/// Serial ports that are looked for; no emulated machine has more.
const SERIAL_PORTS: usize = 4;

/// Terminals of the host behind which a domain's consoles are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Consoles {
    /// Of the first paravirtual console.
    pub console: Option<String>,
    /// Of the emulated serial ports, by number.
    pub serials: Vec<Option<String>>,
}

impl Consoles {
    /// The terminal that a domain without further description is reached by.
    pub fn first(&self) -> Option<&str> {
        self.serials.iter().flatten().next().or(self.console.as_ref()).map(String::as_str)
    }
}

/// A domain's screen on the network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Display {
    /// The port of its VNC server.
    pub port: u16,
    /// The address it listens on.
    pub listen: Option<String>,
}

/// A terminal as a device of this host; old toolstacks let the guest write where its console is.
fn terminal(value: Option<Value>) -> Option<String> {
    let text = value?.text()?;
    let path = Path::new(&text);
    let plain = path.components().skip(1).all(|part| matches!(part, Component::Normal(_)));
    let known = ["/dev/pts/", "/dev/tty", "/dev/pty"].iter().any(|folder| text.starts_with(folder));
    (known && plain).then_some(text)
}

impl Xenstore {
    /// The terminals of a domain, in one round trip.
    pub fn consoles(&self, guest: u32) -> Result<Consoles> {
        let home = home(guest);
        let mut paths = vec![format!("{home}/console/tty")];
        paths.extend((0..SERIAL_PORTS).map(|port| format!("{home}/serial/{port}/tty")));
        let mut terminals = self.read_many(&paths)?.into_iter().map(terminal);
        let console = terminals.next().flatten();
        let mut serials: Vec<_> = terminals.collect();
        serials.truncate(serials.iter().rposition(Option::is_some).map_or(0, |last| last + 1));
        Ok(Consoles { console, serials })
    }

    /// The screen of a domain, if it has one; one round trip.
    pub fn display(&self, guest: u32) -> Result<Option<Display>> {
        let home = home(guest);
        let paths = ["vnc-port", "vnc-listen"].map(|node| format!("{home}/console/{node}"));
        let mut values = self.read_many(&paths)?.into_iter();
        let port = values.next().flatten().and_then(|port| port.number());
        let listen = values.next().flatten().and_then(|listen| listen.text());
        Ok(port.map(|port| Display { port, listen }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_terminal_is_a_terminal() {
        let seen = |text: &str| terminal(Some(Value(text.as_bytes().to_vec())));
        assert_eq!(seen("/dev/pts/3").as_deref(), Some("/dev/pts/3"));
        for bad in ["", "pts/3", "/dev/pts/../../etc/shadow", "/etc/passwd", "/dev/sda", "/dev/pts/3\n"] {
            assert_eq!(seen(bad), None, "{bad}");
        }
    }
}
