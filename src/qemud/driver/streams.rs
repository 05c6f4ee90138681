//! Consoles, channels and screenshots.

use super::{QemuConnection, check_flags, invalid};
use crate::backend::{DomainStreams, Received, Stream};
use crate::error::{Error, ErrorOrigin, Result};
use crate::model::DomainRef;
use crate::model::constants::*;
use crate::qemud::vm::socket;
use crate::xml::Element;
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::eventfd::{EfdFlags, EventFd};
use serde_json::json;
use std::collections::HashMap;
use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::{Duration, Instant};
use uuid::Uuid;

/// Bytes handed on at once.
const CHUNK: usize = 32 * 1024;

/// Open consoles: each device has one client at a time.
#[derive(Default)]
pub struct Consoles {
    open: Mutex<HashMap<(Uuid, String), Weak<Console>>>,
}

/// A character device of a guest, opened.
struct Console {
    file: File,
    over: AtomicBool,
    woken: EventFd,
}

impl Console {
    fn new(file: File) -> Result<Console> {
        let woken = EventFd::from_value_and_flags(0, EfdFlags::EFD_CLOEXEC | EfdFlags::EFD_NONBLOCK);
        let woken =
            woken.map_err(|errno| Error::system("cannot create an event descriptor", &errno.into()))?;
        Ok(Console { file, over: AtomicBool::new(false), woken })
    }

    fn close(&self) {
        self.over.store(true, Ordering::SeqCst);
        // A counter that is full is readable already.
        let _ = self.woken.write(1);
    }

    /// Waits until the device is ready or the console is closed; `false` when time is over.
    fn wait(&self, flags: PollFlags, limit: Option<Duration>) -> Result<bool> {
        let timeout = limit.map_or(PollTimeout::NONE, |limit| {
            PollTimeout::try_from(limit.as_millis().min(i32::MAX as u128) as i32).unwrap_or(PollTimeout::MAX)
        });
        let mut waiting =
            [PollFd::new(self.file.as_fd(), flags), PollFd::new(self.woken.as_fd(), PollFlags::POLLIN)];
        match poll(&mut waiting, timeout) {
            Ok(0) => Ok(false),
            Ok(_) | Err(Errno::EINTR) => Ok(true),
            Err(errno) => Err(Error::system("cannot wait for the console", &errno.into())),
        }
    }
}

impl Stream for Arc<Console> {
    fn send(&self, bytes: &[u8]) -> Result<()> {
        let mut rest = bytes;
        while !rest.is_empty() && !self.over.load(Ordering::SeqCst) {
            match (&self.file).write(rest) {
                Ok(written) => rest = &rest[written..],
                Err(e) if e.kind() == ErrorKind::WouldBlock => {
                    self.wait(PollFlags::POLLOUT, None)?;
                }
                Err(e) if e.kind() == ErrorKind::Interrupted => {}
                Err(e) => return Err(Error::system("cannot write to the console", &e)),
            }
        }
        Ok(())
    }

    fn receive(&self, wait: Option<Duration>) -> Result<Received> {
        let deadline = wait.map(|wait| Instant::now() + wait);
        let mut chunk = vec![0u8; CHUNK];
        loop {
            if self.over.load(Ordering::SeqCst) {
                return Ok(Received::End);
            }
            match (&self.file).read(&mut chunk) {
                Ok(0) => return Ok(Received::End),
                Ok(length) => {
                    chunk.truncate(length);
                    return Ok(Received::Data(chunk));
                }
                Err(e) if matches!(e.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => {}
                // The far end of a pty is gone: QEMU has left.
                Err(_) => return Ok(Received::End),
            }
            let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
            if !self.wait(PollFlags::POLLIN, left)? {
                return Ok(Received::Nothing);
            }
        }
    }

    fn finish(&self) -> Result<()> {
        self.close();
        Ok(())
    }

    fn abort(&self) {
        self.close();
    }
}

/// A file handed out as a stream.
struct FileStream {
    file: Mutex<File>,
}

impl Stream for FileStream {
    fn send(&self, _bytes: &[u8]) -> Result<()> {
        Err(Error::invalid_operation("nothing can be sent to a picture"))
    }

    fn receive(&self, _wait: Option<Duration>) -> Result<Received> {
        let mut chunk = vec![0u8; CHUNK];
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        let length = file.read(&mut chunk).map_err(|e| Error::system("cannot read the picture", &e))?;
        chunk.truncate(length);
        Ok(if length == 0 { Received::End } else { Received::Data(chunk) })
    }

    fn finish(&self) -> Result<()> {
        Ok(())
    }

    fn abort(&self) {}
}

/// The device a client means: by alias, or the first console or serial port.
fn find_console<'a>(tree: &'a Element, device: Option<&str>) -> Option<&'a Element> {
    let devices = tree.child("devices")?;
    let is_one = |element: &&Element| matches!(element.name.as_str(), "console" | "serial" | "parallel");
    match device {
        Some(alias) => devices
            .elements()
            .filter(is_one)
            .find(|element| element.child_attribute("alias", "name") == Some(alias)),
        None => devices.child("console").or_else(|| devices.child("serial")),
    }
}

fn open_device(device: &Element, alias: &str) -> Result<File> {
    let source = device.child_attribute("source", "path");
    let cannot = |path: &str, e: &std::io::Error| Error::system(format!("unable to open '{path}'"), e);
    match (device.attribute("type"), source) {
        (Some("pty"), Some(path)) => {
            let mut options = OpenOptions::new();
            options.read(true).write(true).custom_flags(nix::libc::O_NOCTTY | nix::libc::O_NONBLOCK);
            options.open(path).map_err(|e| cannot(path, &e))
        }
        (Some("unix"), Some(path)) => {
            let connected = socket::connect(Path::new(path)).map_err(|e| cannot(path, &e))?;
            connected.set_nonblocking(true).map_err(|e| cannot(path, &e))?;
            Ok(File::from(OwnedFd::from(connected)))
        }
        _ => {
            let detail = format!("character device {alias} is not using a PTY or UNIX socket");
            Err(Error::internal(detail).from_origin(ErrorOrigin::QEMU))
        }
    }
}

impl Consoles {
    /// Opens a device for one client; another one's is taken away only by force.
    fn open(&self, uuid: Uuid, device: &Element, force: bool) -> Result<Arc<Console>> {
        let alias = device.child_attribute("alias", "name").unwrap_or("").to_string();
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.retain(|_, console| {
            console.upgrade().is_some_and(|console| !console.over.load(Ordering::SeqCst))
        });
        if let Some(other) = open.get(&(uuid, alias.clone())).and_then(Weak::upgrade) {
            if !force {
                let detail = "Active console session exists for this domain";
                return Err(Error::operation_failed(detail).from_origin(ErrorOrigin::QEMU));
            }
            other.close();
        }
        let console = Arc::new(Console::new(open_device(device, &alias)?)?);
        open.insert((uuid, alias), Arc::downgrade(&console));
        Ok(console)
    }
}

impl DomainStreams for QemuConnection {
    fn open_console(&self, domain: &DomainRef, device: Option<&str>, flags: u32) -> Result<Box<dyn Stream>> {
        check_flags(flags, DOMAIN_CONSOLE_FORCE | DOMAIN_CONSOLE_SAFE, "virDomainOpenConsole")?;
        let guest = self.find(domain)?;
        let tree = guest.lock().running()?.definition.clone().tree()?;
        let found = find_console(&tree, device).ok_or_else(|| {
            let detail = format!("cannot find console device '{}'", device.unwrap_or("default"));
            Error::internal(detail).from_origin(ErrorOrigin::QEMU)
        })?;
        let console = self.shared.consoles.open(guest.uuid, found, flags & DOMAIN_CONSOLE_FORCE != 0)?;
        Ok(Box::new(console))
    }

    fn open_channel(&self, domain: &DomainRef, name: Option<&str>, flags: u32) -> Result<Box<dyn Stream>> {
        check_flags(flags, DOMAIN_CHANNEL_FORCE, "virDomainOpenChannel")?;
        let guest = self.find(domain)?;
        let tree = guest.lock().running()?.definition.clone().tree()?;
        let channels = tree.child("devices").into_iter().flat_map(|devices| devices.children("channel"));
        let mut ours = channels.filter(|channel| {
            name.is_none()
                || channel.child_attribute("target", "name") == name
                || channel.child_attribute("alias", "name") == name
        });
        let found = ours.next().ok_or_else(|| {
            let detail = format!("cannot find channel {}", name.unwrap_or("default"));
            Error::internal(detail).from_origin(ErrorOrigin::QEMU)
        })?;
        let console = self.shared.consoles.open(guest.uuid, found, flags & DOMAIN_CHANNEL_FORCE != 0)?;
        Ok(Box::new(console))
    }

    fn screenshot(
        &self,
        domain: &DomainRef,
        screen: u32,
        flags: u32,
    ) -> Result<(Option<String>, Box<dyn Stream>)> {
        check_flags(flags, 0, "virDomainScreenshot")?;
        let guest = self.find(domain)?;
        let (monitor, definition) = {
            let condition = guest.lock();
            let active = condition.running()?;
            (active.monitor.clone(), active.definition.clone())
        };
        let tree = definition.tree()?;
        let videos = tree.child("devices").into_iter().flat_map(|devices| devices.children("video"));
        let aliases: Vec<&str> = videos.filter_map(|video| video.child_attribute("alias", "name")).collect();
        if aliases.is_empty() {
            return Err(invalid("no screens to take screenshot from"));
        }
        let file = tempfile::NamedTempFile::new_in(self.inventory().store.paths.guest(guest.uuid))
            .map_err(|e| Error::system("cannot create a temporary file", &e))?;
        let mut arguments = json!({ "filename": file.path().display().to_string() });
        if screen > 0 {
            let alias = aliases.get(screen as usize);
            let alias = alias.ok_or_else(|| Error::invalid_argument("no such screen ID"))?;
            arguments["device"] = json!(alias);
        }
        let mut with_format = arguments.clone();
        with_format["format"] = json!("png");
        // QEMU before 7.1 draws pixmaps only, and so does one built without PNG.
        let kind = match monitor.execute("screendump", with_format) {
            Ok(_) => "image/png",
            Err(error) if error.words().is_some() => {
                monitor.execute("screendump", arguments)?;
                "image/x-portable-pixmap"
            }
            Err(error) => return Err(error.into()),
        };
        let picture = file.reopen().map_err(|e| Error::system("cannot read the picture", &e))?;
        Ok((Some(kind.to_string()), Box::new(FileStream { file: Mutex::new(picture) })))
    }
}
