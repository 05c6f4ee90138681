//! A short conversation with a QEMU that has no guest, over its standard input and output.

use crate::error::{Error, Result};
use crate::qemud::capabilities::Accelerator;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use std::io::{Read, Write};
use std::os::fd::AsFd;
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

/// No answer of a sane binary takes longer.
const PATIENCE: Duration = Duration::from_secs(20);
/// The longest answer, the schema, is a quarter of a megabyte.
const ANSWER_MAX: usize = 16 * 1024 * 1024;

/// A QEMU without a machine, listening.
pub struct Dialogue {
    child: Child,
    input: ChildStdin,
    output: ChildStdout,
    pending: Vec<u8>,
    deadline: Instant,
    binary: String,
}

/// What QEMU says first.
#[derive(Deserialize)]
pub struct Greeting {
    #[serde(rename = "QMP")]
    qmp: GreetingBody,
}

#[derive(Deserialize)]
struct GreetingBody {
    version: GreetingVersion,
}

#[derive(Deserialize)]
struct GreetingVersion {
    qemu: super::Version,
    #[serde(default)]
    package: String,
}

/// An answer: a value or an error; events have neither.
#[derive(Deserialize)]
struct Answer<T> {
    #[serde(rename = "return")]
    value: Option<T>,
    error: Option<Failure>,
}

#[derive(Deserialize)]
struct Failure {
    desc: String,
}

impl Dialogue {
    /// Starts the binary with the first of `accelerators` that works; answers its version and package.
    pub fn open(binary: &Path, accelerators: &[Accelerator]) -> Result<(Dialogue, super::Version, String)> {
        let name = binary.display().to_string();
        let mut command = Command::new(binary);
        command.args(["-S", "-no-user-config", "-nodefaults", "-nographic", "-machine", "none"]);
        for accelerator in accelerators {
            command.args(["-accel", accelerator.name()]);
        }
        command.args(["-qmp", "stdio"]).env("LC_ALL", "C");
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command
            .spawn()
            .map_err(|cause| Error::system(format!("Cannot check QEMU binary {name}"), &cause))?;
        let (Some(input), Some(output)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(Error::internal(format!("no pipes to {name}")));
        };
        let mut dialogue = Dialogue {
            child,
            input,
            output,
            pending: Vec::new(),
            deadline: Instant::now() + PATIENCE,
            binary: name,
        };
        let line = dialogue.line()?;
        let greeting: Greeting = serde_json::from_slice(&line)
            .map_err(|cause| dialogue.failure(format!("not a QEMU greeting: {cause}")))?;
        dialogue.ask::<Value>("qmp_capabilities", Value::Null)?;
        let version = greeting.qmp.version;
        Ok((dialogue, version.qemu, version.package))
    }

    /// Asks one question.
    pub fn ask<T: DeserializeOwned>(&mut self, command: &str, arguments: Value) -> Result<T> {
        let question = match arguments {
            Value::Null => json!({ "execute": command }),
            arguments => json!({ "execute": command, "arguments": arguments }),
        };
        let sent = writeln!(self.input, "{question}").and_then(|()| self.input.flush());
        if sent.is_err() {
            return Err(self.failure("it closed its monitor".into()));
        }
        loop {
            let line = self.line()?;
            let answer: Answer<T> = serde_json::from_slice(&line).map_err(|cause| {
                self.failure(format!("its answer to {command} is not understood: {cause}"))
            })?;
            match (answer.value, answer.error) {
                (Some(value), _) => return Ok(value),
                (None, Some(error)) => return Err(self.failure(format!("{command}: {}", error.desc))),
                (None, None) => {} // an event
            }
        }
    }

    /// Asks one question whose refusal means only that this QEMU does not know the subject.
    pub fn ask_or_default<T: DeserializeOwned + Default>(&mut self, command: &str, arguments: Value) -> T {
        self.ask(command, arguments).unwrap_or_default()
    }

    /// One line of its output, waited for no longer than the deadline.
    fn line(&mut self) -> Result<Vec<u8>> {
        let mut searched = 0;
        loop {
            if let Some(at) = self.pending[searched..].iter().position(|&byte| byte == b'\n') {
                let rest = self.pending.split_off(searched + at + 1);
                return Ok(std::mem::replace(&mut self.pending, rest));
            }
            searched = self.pending.len();
            if searched > ANSWER_MAX {
                return Err(self.failure("its answer does not end".into()));
            }
            self.wait()?;
            let mut piece = [0; 64 * 1024];
            match self.output.read(&mut piece) {
                Ok(0) => return Err(self.its_own_words()),
                Ok(count) => self.pending.extend_from_slice(&piece[..count]),
                Err(cause) if cause.kind() == std::io::ErrorKind::Interrupted => {}
                Err(cause) => return Err(Error::system(format!("cannot read from {}", self.binary), &cause)),
            }
        }
    }

    fn wait(&mut self) -> Result<()> {
        loop {
            let left = self.deadline.saturating_duration_since(Instant::now());
            let timeout = PollTimeout::try_from(left).unwrap_or(PollTimeout::MAX);
            let answered = poll(&mut [PollFd::new(self.output.as_fd(), PollFlags::POLLIN)], timeout);
            match answered {
                Ok(0) => return Err(self.failure(format!("no answer within {} s", PATIENCE.as_secs()))),
                Ok(_) => return Ok(()),
                Err(nix::errno::Errno::EINTR) => {}
                Err(cause) => return Err(Error::system("cannot poll", &cause.into())),
            }
        }
    }

    fn failure(&self, detail: String) -> Error {
        Error::internal(format!("Failed to probe QEMU binary {}: {detail}", self.binary))
    }

    /// The error of a binary that left: what it wrote on its error output.
    fn its_own_words(&mut self) -> Error {
        let mut words = Vec::new();
        if let Some(errors) = self.child.stderr.take() {
            let _ = errors.take(4096).read_to_end(&mut words);
        }
        let words = String::from_utf8_lossy(&words).trim().to_string();
        if words.is_empty() {
            self.failure("it exited without a word; is it QEMU?".into())
        } else {
            self.failure(words)
        }
    }
}

impl Drop for Dialogue {
    fn drop(&mut self) {
        // It has no guest and no state: nothing is lost by not waiting for a polite exit.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
