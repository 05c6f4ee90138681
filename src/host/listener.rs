//! Who listens at this host's TCP ports, as the kernel tells it.

use std::fs;

/// What the kernel calls a socket that waits for connections.
const LISTENS: &str = "0A";

/// The users whose programs wait for connections at a port, one for each socket.
pub fn owners(port: u16) -> Vec<u32> {
    let tables = ["/proc/net/tcp", "/proc/net/tcp6"].map(|path| fs::read_to_string(path).unwrap_or_default());
    tables.iter().flat_map(|table| table.lines()).filter_map(|line| owner(line, port)).collect()
}

/// The user of a line of the table, if it is about a socket that waits at `port`.
fn owner(line: &str, port: u16) -> Option<u32> {
    let fields: Vec<&str> = line.split_whitespace().collect();
    let (local, state, user) = (fields.get(1)?, fields.get(3)?, fields.get(7)?);
    let (_, number) = local.rsplit_once(':')?;
    let is_it = u16::from_str_radix(number, 16).ok()? == port && *state == LISTENS;
    if is_it { user.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::{TcpListener, TcpStream};

    #[test]
    fn a_listener_has_an_owner_and_a_connection_is_none() {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let connection = TcpStream::connect(("127.0.0.1", port)).unwrap();
        let own = connection.local_addr().unwrap().port();
        assert_eq!(owners(port), [nix::unistd::Uid::effective().as_raw()]);
        assert_eq!(owners(own), Vec::<u32>::new());
        drop((connection, listener));
    }

    #[test]
    fn lines_of_any_other_form_are_nobodys() {
        let line =
            "   0: 0100007F:1F40 00000000:0000 0A 00000000:00000000 00:00000000 00000000   107        0 9 1";
        assert_eq!(owner(line, 8000), Some(107));
        assert_eq!(owner(line, 8001), None);
        for other in
            ["", "sl local_address rem_address st", &line.replace(" 0A ", " 01 "), &line.replace("1F40", "x")]
        {
            assert_eq!(owner(other, 8000), None, "{other}");
        }
    }
}
