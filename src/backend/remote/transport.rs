//! Ways to a daemon: a unix socket of this machine, or the standard streams of an ssh that leads to one.
//!
//! Both end as one [`UnixStream`]: ssh gets the other half of a socket pair as its standard input and output.

use crate::error::{Error, ErrorCode, ErrorOrigin, Result};
use crate::uri::Uri;
use std::io::Read;
use std::net::Shutdown;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::{Child, ChildStderr, Command, Stdio};
use std::sync::Mutex;

/// An open way to a daemon.
pub(super) struct Transport {
    pub(super) socket: UnixStream,
    /// The process that carries the bytes, if one does.
    carrier: Option<Mutex<Carrier>>,
}

struct Carrier {
    child: Child,
    complaints: Option<ChildStderr>,
}

impl Transport {
    /// A transport over a socket that is connected already.
    pub(super) fn over(socket: UnixStream) -> Transport {
        Transport { socket, carrier: None }
    }

    /// Connects to a socket of this machine.
    pub(super) fn unix(path: &Path) -> Result<Transport> {
        let socket = UnixStream::connect(path).map_err(|cause| {
            let tried = format!("Failed to connect socket to '{}'", path.display());
            Error::system(tried, &cause).from_origin(ErrorOrigin::RPC)
        })?;
        Ok(Transport::over(socket))
    }

    /// Starts the system's ssh with a far end that connects to the daemon there.
    pub(super) fn ssh(uri: &Uri, driver_uri: &str, read_only: bool) -> Result<Transport> {
        let (near, far) = UnixStream::pair().map_err(|e| Error::system("Cannot create a socket pair", &e))?;
        let output = far.try_clone().map_err(|e| Error::system("Cannot create a socket pair", &e))?;
        let mut command = ssh_command(uri, driver_uri, read_only)?;
        let mut child = command
            .stdin(Stdio::from(OwnedFd::from(far)))
            .stdout(Stdio::from(OwnedFd::from(output)))
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|cause| {
                let program = command.get_program().to_string_lossy().into_owned();
                Error::system(format!("Cannot run '{program}', which ssh transport needs"), &cause)
            })?;
        let complaints = child.stderr.take();
        Ok(Transport { socket: near, carrier: Some(Mutex::new(Carrier { child, complaints })) })
    }

    /// Whether what travels here is encrypted on its way.
    pub(super) fn is_encrypted(&self) -> bool {
        self.carrier.is_some()
    }

    /// Ends the connection for both sides.
    pub(super) fn hang_up(&self) {
        let _ = self.socket.shutdown(Shutdown::Both);
    }

    /// What ssh complained about is the better reason for a connection that broke.
    pub(super) fn explain(&self, error: Error) -> Error {
        let Some(carrier) = &self.carrier else {
            return error;
        };
        let mut carrier = carrier.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let mut words = Vec::new();
        if let Some(complaints) = carrier.complaints.take() {
            // ssh is ending when we come here, so its standard error ends too.
            let _ = complaints.take(64 * 1024).read_to_end(&mut words);
        }
        let words = String::from_utf8_lossy(&words);
        let words = words.trim();
        if words.is_empty() {
            return error;
        }
        let detail = format!("Cannot recv data: {words}: Connection reset by peer");
        Error::new(ErrorCode::SYSTEM, detail.replace("\r\n", "\n")).from_origin(ErrorOrigin::RPC)
    }
}

impl Drop for Transport {
    fn drop(&mut self) {
        self.hang_up();
        if let Some(carrier) = self.carrier.take() {
            let mut carrier = carrier.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
            // The far end is gone with the socket; what ssh still does is nobody's business any more.
            let _ = carrier.child.kill();
            let _ = carrier.child.wait();
        }
    }
}

/// `ssh [options] host sh -c '…'`.
fn ssh_command(uri: &Uri, driver_uri: &str, read_only: bool) -> Result<Command> {
    let Some(host) = &uri.host else {
        let what = "remote_open: transport 'ssh' needs a host in the URI, as in qemu+ssh://host/system";
        return Err(Error::invalid_argument(what).from_origin(ErrorOrigin::REMOTE));
    };
    let mut command = Command::new(uri.parameter("command").unwrap_or("ssh"));
    if let Some(port) = uri.port {
        command.arg("-p").arg(port.to_string());
    }
    if let Some(user) = &uri.user {
        command.arg("-l").arg(user);
    }
    if let Some(key) = uri.parameter("keyfile") {
        command.arg("-i").arg(key);
    }
    if uri.parameter("no_tty").is_some_and(|value| value != "0") {
        command.args(["-T", "-e", "none", "-o", "BatchMode=yes"]);
    } else {
        command.args(["-T", "-e", "none"]);
    }
    if uri.parameter("no_verify").is_some_and(|value| value != "0") {
        command.args(["-o", "StrictHostKeyChecking=no"]);
    }
    command.arg("--").arg(host);
    command.arg(format!("sh -c {}", quote(&far_end(uri, driver_uri, read_only))));
    Ok(command)
}

/// The far side's script: our helper, else libvirt's, else netcat on a socket.
fn far_end(uri: &Uri, driver_uri: &str, read_only: bool) -> String {
    let netcat = quote(uri.parameter("netcat").unwrap_or("nc"));
    let name = if read_only { "libvirt-sock-ro" } else { "libvirt-sock" };
    let socket = match uri.parameter("socket") {
        Some(path) => quote(path),
        None if uri.path == "/session" => format!("\"${{XDG_RUNTIME_DIR:-$HOME/.cache}}/libvirt/{name}\""),
        None => format!("/run/libvirt/{name}"),
    };
    let by_netcat = format!(
        "if {netcat} -q 2>&1 | grep -q 'requires an argument'; then q=-q0; else q=; fi; exec {netcat} $q -U {socket}"
    );
    if uri.parameter("socket").is_some() || uri.parameter("proxy") == Some("netcat") {
        return by_netcat;
    }
    let driver = quote(driver_uri);
    let (ours, theirs) = if read_only { (" --read-only", " -r") } else { ("", "") };
    let by_helper = format!("exec virt-ssh-helper{theirs} {driver}");
    if uri.parameter("proxy") == Some("native") {
        return by_helper;
    }
    format!(
        "if command -v hvsh-qemud >/dev/null 2>&1; then exec hvsh-qemud --relay{ours} {driver}; \
         elif command -v virt-ssh-helper >/dev/null 2>&1; then {by_helper}; else {by_netcat}; fi"
    )
}

/// One word for a shell.
fn quote(word: &str) -> String {
    format!("'{}'", word.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_survive_the_far_shell() {
        let odd = "a'b \"c\" $d `e`";
        let output = Command::new("sh").arg("-c").arg(format!("printf %s {}", quote(odd))).output().unwrap();
        assert_eq!(String::from_utf8(output.stdout).unwrap(), odd);
    }

    #[test]
    fn ssh_gets_user_port_and_key() {
        let uri = Uri::parse("qemu+ssh://me@host:2222/system?keyfile=/k&no_verify=1").unwrap();
        let command = ssh_command(&uri, "qemu:///system", false).unwrap();
        let words: Vec<_> = command.get_args().map(|w| w.to_string_lossy().into_owned()).collect();
        assert_eq!(
            words[..words.len() - 1],
            [
                "-p",
                "2222",
                "-l",
                "me",
                "-i",
                "/k",
                "-T",
                "-e",
                "none",
                "-o",
                "StrictHostKeyChecking=no",
                "--",
                "host"
            ]
        );
        assert!(words[words.len() - 1].contains("virt-ssh-helper"));
    }
}
