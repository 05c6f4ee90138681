//! A stage for end-to-end tests: a private set of folders, our own helper, and real guests under QEMU.
#![allow(missing_docs, dead_code, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

pub const URI: &str = "qemu:///session";

/// Folders and environment of one test; everything in it ends with it.
pub struct Stage {
    pub root: tempfile::TempDir,
}

/// What a command said and how it ended.
#[derive(Debug)]
pub struct Said {
    pub out: String,
    pub err: String,
    pub code: i32,
}

impl From<Output> for Said {
    fn from(output: Output) -> Said {
        Said {
            out: String::from_utf8_lossy(&output.stdout).into_owned(),
            err: String::from_utf8_lossy(&output.stderr).into_owned(),
            code: output.status.code().unwrap_or(-1),
        }
    }
}

pub fn hvsh() -> &'static str {
    env!("CARGO_BIN_EXE_hvsh")
}

/// The demo guest's kernel and initial ramdisk, made once.
pub fn guest() -> &'static (PathBuf, PathBuf) {
    static GUEST: OnceLock<(PathBuf, PathBuf)> = OnceLock::new();
    GUEST.get_or_init(|| {
        let home = Path::new(env!("CARGO_MANIFEST_DIR"));
        let folder = home.join("target/guest");
        let made = Command::new(home.join("tools/demo-guest")).arg(&folder).status();
        assert!(made.expect("tools/demo-guest runs").success(), "the demo guest could not be made");
        (folder.join("vmlinuz"), folder.join("initrd.img"))
    })
}

impl Stage {
    pub fn new() -> Stage {
        let root = tempfile::Builder::new().prefix("hvsh-").tempdir_in("/tmp").expect("a folder in /tmp");
        for name in ["home", "run", "config", "state", "cache", "data"] {
            std::fs::create_dir(root.path().join(name)).expect("a folder");
        }
        use std::os::unix::fs::PermissionsExt;
        let private = std::fs::Permissions::from_mode(0o700);
        std::fs::set_permissions(root.path().join("run"), private).expect("permissions");
        Stage { root }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.root.path().join(name)
    }

    /// A program that sees this stage's folders and nothing of the caller's settings.
    pub fn program(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = Command::new(program);
        command.env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command.env("HOME", self.path("home")).env("XDG_RUNTIME_DIR", self.path("run"));
        command.env("XDG_CONFIG_HOME", self.path("config")).env("XDG_STATE_HOME", self.path("state"));
        command.env("XDG_CACHE_HOME", self.path("cache")).env("XDG_DATA_HOME", self.path("data"));
        command.env("LC_ALL", "C").env("TERM", "dumb").stdin(Stdio::null());
        command
    }

    /// Runs the shell against this stage's helper.
    pub fn run(&self, line: &[&str]) -> Said {
        self.program(hvsh()).args(["-c", URI]).args(line).output().expect("the shell runs").into()
    }

    /// Runs a command that must succeed, and gives what it printed.
    #[track_caller]
    pub fn ok(&self, line: &[&str]) -> String {
        let said = self.run(line);
        assert_eq!((said.code, said.err.as_str()), (0, ""), "{line:?} said: {said:?}");
        said.out
    }

    /// Runs a command that must fail, and gives its complaint.
    #[track_caller]
    pub fn fails(&self, line: &[&str]) -> String {
        let said = self.run(line);
        assert_eq!(said.code, 1, "{line:?} said: {said:?}");
        assert!(said.err.starts_with("error: "), "{line:?} said: {said:?}");
        said.err
    }

    /// Writes a file and gives its path as text.
    pub fn file(&self, name: &str, text: &str) -> String {
        let path = self.path(name);
        std::fs::write(&path, text).expect("a file");
        path.to_string_lossy().into_owned()
    }

    /// Defines the demo guest under a name, with extra devices.
    pub fn define(&self, name: &str, devices: &str) {
        let file = self.file(&format!("{name}.xml"), &guest_xml(name, devices));
        self.ok(&["define", &file]);
    }

    /// Waits until the domain is in a state, as `domstate` says it.
    #[track_caller]
    pub fn wait_state(&self, name: &str, state: &str, limit: Duration) {
        let last = wait_for(limit, || {
            let now = self.run(&["domstate", name]).out.trim().to_string();
            if now == state { Ok(()) } else { Err(now) }
        });
        assert!(last.is_ok(), "{name} is {last:?}, not {state}");
    }

    /// The process of the helper, from its socket's owner.
    pub fn helper_pid(&self) -> Option<i32> {
        process_with(&[&self.path("run").to_string_lossy()], "hvsh-qemud")
    }

    /// The QEMU process of a domain.
    pub fn qemu_pid(&self, name: &str) -> Option<i32> {
        process_with(&[&format!("guest={name},"), &self.root.path().to_string_lossy()], "qemu-system")
            .or_else(|| process_with(&[&format!("guest={name}")], "qemu-system"))
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        let inside = self.root.path().to_string_lossy().into_owned();
        for process in all_processes() {
            if process.environment.contains(&inside) || process.line.contains(&inside) {
                kill(process.pid, 9);
            }
        }
    }
}

/// A guest that boots the demo kernel under TCG with a serial console.
pub fn guest_xml(name: &str, devices: &str) -> String {
    let (kernel, initrd) = guest();
    format!(
        "<domain type='qemu'>
  <name>{name}</name>
  <memory unit='MiB'>192</memory>
  <vcpu>1</vcpu>
  <os>
    <type arch='x86_64' machine='q35'>hvm</type>
    <kernel>{}</kernel>
    <initrd>{}</initrd>
    <cmdline>console=ttyS0 quiet</cmdline>
  </os>
  <features><acpi/></features>
  <devices>
    <serial type='pty'/>
    <console type='pty'/>
    {devices}
  </devices>
</domain>
",
        kernel.display(),
        initrd.display()
    )
}

/// Asks until the answer is good or the time is over; gives the last answer.
pub fn wait_for<T>(limit: Duration, mut ask: impl FnMut() -> Result<T, String>) -> Result<T, String> {
    let end = Instant::now() + limit;
    loop {
        let answer = ask();
        if answer.is_ok() || Instant::now() > end {
            return answer;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// Opens the console, waits for the shell in the guest, runs a command there and gives what it printed.
pub fn in_guest(stage: &Stage, name: &str, command: &str, wanted: &str) {
    let mut shell = stage.program(hvsh());
    shell.args(["-c", URI, "console", name]).stdin(std::process::Stdio::inherit());
    let mut console = rexpect::session::spawn_command(shell, Some(90_000)).expect("a console");
    console.exp_string("Connected to domain").expect("the console's first line");
    console.exp_string("Escape character is").expect("the console's second line");
    // A key press brings the prompt back when the guest has printed it before.
    console.send_line("").expect("a key press");
    console.exp_string("guest # ").expect("the guest's prompt");
    console.send_line(command).expect("a command");
    console.exp_string(wanted).expect("the command's output");
    console.exp_string("guest # ").expect("the prompt again");
    console.send_control(']').expect("the escape");
    console.exp_eof().expect("the end of the console");
}

struct Process {
    pid: i32,
    line: String,
    environment: String,
}

fn all_processes() -> Vec<Process> {
    let entries = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    let read = |pid: i32, what: &str| {
        let bytes = std::fs::read(format!("/proc/{pid}/{what}")).unwrap_or_default();
        String::from_utf8_lossy(&bytes).replace('\0', " ")
    };
    let own = std::process::id() as i32;
    pids.filter(|pid| *pid != own)
        .map(|pid| Process { pid, line: read(pid, "cmdline"), environment: read(pid, "environ") })
        .collect()
}

fn process_with(words: &[&str], program: &str) -> Option<i32> {
    let fits = |p: &Process| {
        let all = format!("{} {}", p.line, p.environment);
        p.line.split(' ').next().is_some_and(|first| first.contains(program))
            && words.iter().all(|w| all.contains(w))
    };
    all_processes().into_iter().find(fits).map(|process| process.pid)
}

pub fn kill(pid: i32, signal: i32) {
    let _ =
        Command::new("kill").arg(format!("-{signal}")).arg(pid.to_string()).stderr(Stdio::null()).status();
}

/// The processes whose parent is this one: their numbers and their names, zombies included.
pub fn children_of(parent: i32) -> Vec<(i32, String)> {
    let entries = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok());
    let child = |pid: i32| {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        let (head, rest) = stat.rsplit_once(')')?;
        let of: i32 = rest.split_whitespace().nth(1)?.parse().ok()?;
        (of == parent).then(|| (pid, head.split_once('(').map_or("", |(_, name)| name).to_string()))
    };
    pids.filter_map(child).collect()
}
