//! Running `xl`: no shell, a clean environment, a limit on its time, and its complaints as our errors.

use crate::error::{Error, ErrorCode, ErrorOrigin, Result};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

/// Where the program may be; never where a user's `PATH` points, because it runs as root.
const FOLDERS: &[&str] = &["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"];
/// How long an ordinary question or change may take.
pub(super) const SHORT: Duration = Duration::from_secs(60);
/// How long what moves a guest's memory or waits for a guest may take.
pub(super) const LONG: Duration = Duration::from_secs(6 * 3600);
/// How long the output of an ended child may stay open.
const STRAGGLER: Duration = Duration::from_secs(1);
/// How often an unfinished child is looked at: often at first, because most end at once.
const PAUSES: [Duration; 2] = [Duration::from_millis(1), Duration::from_millis(20)];
/// What a child may print, at most; a listing of a thousand guests is a few megabytes.
const OUTPUT_MAX: u64 = 64 * 1024 * 1024;

/// The program `xl` of this host.
#[derive(Clone, Debug)]
pub(super) struct Program {
    path: PathBuf,
}

impl Program {
    /// Finds it.
    pub(super) fn find() -> Result<Program> {
        let candidates = FOLDERS.iter().map(|folder| Path::new(folder).join("xl"));
        let found = candidates.into_iter().find(|path| path.is_file());
        found.map(|path| Program { path }).ok_or_else(|| {
            let detail = format!(
                "no program 'xl' in {}: not a Xen host, or its toolstack is not installed",
                FOLDERS.join(", ")
            );
            Error::new(ErrorCode::SYSTEM, detail).from_origin(ErrorOrigin::XEN)
        })
    }

    /// Runs it to its end and answers with what it printed.
    pub(super) fn run(&self, arguments: &[&str], limit: Duration) -> Result<String> {
        let verb = arguments.first().copied().unwrap_or_default();
        let cannot = |cause: &std::io::Error| {
            Error::system(format!("cannot run '{} {verb}'", self.path.display()), cause)
                .from_origin(ErrorOrigin::XEN)
        };
        let mut child = self.command(arguments).spawn().map_err(|cause| cannot(&cause))?;
        let (output, complaints) = (collect(child.stdout.take()), collect(child.stderr.take()));
        let status = wait(&mut child, limit).map_err(|cause| cannot(&cause))?;
        let Some(status) = status else {
            let detail = format!("'xl {verb}' did not end within {} s", limit.as_secs());
            return Err(Error::new(ErrorCode::OPERATION_TIMEOUT, detail).from_origin(ErrorOrigin::XEN));
        };
        let complaints = gather(complaints);
        match status.success() {
            true => Ok(gather(output)),
            false => Err(failure(verb, status, &complaints)),
        }
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.path);
        command.args(arguments).env_clear().env("LC_ALL", "C").env("HOME", "/");
        command.env("PATH", FOLDERS.join(":")).current_dir("/");
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }
}

/// Reads one of a child's outputs to its end, or to its allowed length, piece by piece.
fn collect(pipe: Option<impl Read + Send + 'static>) -> Receiver<Vec<u8>> {
    let (sender, receiver) = channel();
    if let Some(pipe) = pipe {
        let mut pipe = pipe.take(OUTPUT_MAX);
        std::thread::spawn(move || {
            let mut piece = vec![0; 16 * 1024];
            while let Ok(length @ 1..) = pipe.read(&mut piece) {
                if sender.send(piece[..length].to_vec()).is_err() {
                    return;
                }
            }
        });
    }
    receiver
}

/// All that an ended child printed. A daemon it left behind may hold the output open; nobody waits for that one.
fn gather(pieces: Receiver<Vec<u8>>) -> String {
    let mut bytes = Vec::new();
    while let Ok(piece) = pieces.recv_timeout(STRAGGLER) {
        bytes.extend(piece);
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Waits for the end of a child; kills it and answers `None` when it takes too long.
fn wait(child: &mut Child, limit: Duration) -> std::io::Result<Option<ExitStatus>> {
    let start = Instant::now();
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status));
        }
        if start.elapsed() > limit {
            child.kill()?;
            child.wait()?;
            return Ok(None);
        }
        std::thread::sleep(PAUSES[usize::from(start.elapsed() > Duration::from_millis(100))]);
    }
}

/// The error for a child that failed: its own words, without the places in its source.
fn failure(verb: &str, status: ExitStatus, complaints: &str) -> Error {
    let causes = causes(complaints);
    let detail = match causes.is_empty() {
        true => format!("'xl {verb}' failed ({status}) and did not say why"),
        false => format!("'xl {verb}' failed: {}", causes.join("; ")),
    };
    Error::internal(detail).from_origin(ErrorOrigin::XEN)
}

/// The errors among a child's complaints, at most three: the first ones name the cause, what follows only repeats it.
fn causes(complaints: &str) -> Vec<String> {
    let progress = |line: &&str| !line.is_empty() && !line.starts_with("Parsing config");
    let lines = || complaints.lines().map(str::trim).filter(progress);
    let named: Vec<String> = lines().filter_map(error_text).collect();
    let told = if named.is_empty() { lines().map(clean).collect() } else { named };
    told.into_iter().take(3).collect()
}

/// What `libxl: error: file.c:123:function: words` or `xl: error: words` says.
fn error_text(line: &str) -> Option<String> {
    let (_, rest) = line.split_once("error: ")?;
    let has_place = rest.split(' ').next().is_some_and(|first| first.contains(".c:") && first.ends_with(':'));
    let words = if has_place { rest.split_once(' ').map_or(rest, |(_, words)| words) } else { rest };
    Some(clean(words))
}

/// The line without what would disturb a terminal.
fn clean(line: &str) -> String {
    line.chars().filter(|character| !character.is_control()).take(500).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn complaints_become_causes() {
        let told = "Parsing config from /etc/xen/gamma.cfg\n\
                    libxl: error: libxl_dm.c:3161:device_model_spawn_outcome: Domain 3:spawn failed (rc=-3)\n\
                    libxl: warning: libxl.c:1:f: something\n";
        assert_eq!(causes(told), ["Domain 3:spawn failed (rc=-3)"]);
        assert_eq!(
            causes("nosuch is an invalid domain identifier (rc=-6)\n"),
            ["nosuch is an invalid domain identifier (rc=-6)"]
        );
        assert!(causes("").is_empty());
    }

    #[test]
    fn a_child_that_takes_too_long_is_ended() {
        let program = Program { path: "/bin/sleep".into() };
        let error = program.run(&["30"], Duration::from_millis(50)).unwrap_err();
        assert_eq!(error.code, ErrorCode::OPERATION_TIMEOUT);
    }

    #[test]
    fn the_output_of_a_child_is_all_of_it() {
        let program = Program { path: "/bin/sh".into() };
        let told = program.run(&["-c", "echo $LC_ALL; cat"], SHORT).unwrap();
        assert_eq!(told, "C\n");
        let error = program.run(&["-c", "echo 'xl: error: why' >&2; exit 3"], SHORT).unwrap_err();
        assert_eq!(error.message, "internal error: 'xl -c' failed: why");
    }
}
