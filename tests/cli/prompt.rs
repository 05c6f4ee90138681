//! The prompt: piped, driven through a terminal as programs do, and for people.

use crate::stage::Stage;
use rexpect::session::{PtySession, spawn_command};
use std::io::{Read, Write};
use std::os::unix::fs::symlink;
use std::process::Command;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

fn spawn(mut command: Command, terminal: Option<&str>) -> PtySession {
    if let Some(kind) = terminal {
        command.env("TERM", kind);
    }
    spawn_command(command, Some(10_000)).unwrap()
}

fn shell(stage: &Stage, arguments: &[&str]) -> Command {
    let mut command = stage.command();
    command.args(["-c", "test:///default"]).args(arguments);
    command
}

#[test]
fn no_escape_byte_reaches_a_plain_terminal() {
    for terminal in [None, Some(""), Some("dumb")] {
        let stage = Stage::new();
        let mut session = spawn(shell(&stage, &[]), terminal);
        let mut seen = session.exp_string("hvsh # ").unwrap();
        session.send_line("list --all").unwrap();
        seen += &session.exp_string("hvsh # ").unwrap();
        session.send_line("quit").unwrap();
        seen += &session.exp_eof().unwrap();
        assert!(!seen.contains('\u{1b}'), "TERM={terminal:?}: {seen:?}");
        assert!(seen.contains(" 1    test   running\r\n"), "{seen:?}");
    }
}

#[test]
fn a_program_finds_virshs_prompt() {
    let stage = Stage::new();
    let virsh = stage.root.path().join("virsh");
    symlink(env!("CARGO_BIN_EXE_hvsh"), &virsh).unwrap();
    let mut command = stage.program(&virsh);
    command.args(["--connect", "test:///default"]);
    let mut session = spawn(command, Some("dumb"));
    let banner = session.exp_string("virsh # ").unwrap();
    assert!(banner.starts_with("Welcome to virsh, the virtualization interactive terminal."), "{banner}");
    // The terminal's own echo is off here, as it is for most programs.
    session.send_line("domstate test").unwrap();
    assert_eq!(session.exp_string("virsh # ").unwrap(), "running\r\n\r\n");
    session.send_line("domstate nobody").unwrap();
    assert_eq!(session.exp_string("virsh # ").unwrap(), "error: failed to get domain 'nobody'\r\n\r\n");
    session.send_line("connect test:///default --readonly").unwrap();
    session.exp_string("virsh > ").unwrap();
    session.send_control('d').unwrap();
    session.exp_eof().unwrap();
}

/// A terminal that echoes what is typed, as programs have it that care for nothing else.
struct Terminal {
    typed: std::fs::File,
    shown: Receiver<u8>,
    child: std::process::Child,
}

impl Terminal {
    fn new(mut command: Command) -> Terminal {
        let pty = nix::pty::openpty(None, None).unwrap();
        let end = || pty.slave.try_clone().unwrap();
        command.env("TERM", "dumb").stdin(end()).stdout(end()).stderr(end());
        let child = command.spawn().unwrap();
        // Else the slave's end stays open here, and the terminal never hangs up.
        drop(command);
        drop(pty.slave);
        let mut screen = std::fs::File::from(pty.master.try_clone().unwrap());
        let (sender, shown) = channel();
        std::thread::spawn(move || {
            let mut byte = [0];
            while matches!(screen.read(&mut byte), Ok(1)) && sender.send(byte[0]).is_ok() {}
        });
        Terminal { typed: pty.master.into(), shown, child }
    }

    /// What is shown until the prompt comes.
    fn before_prompt(&mut self) -> String {
        let mut seen = Vec::new();
        while !seen.ends_with(b"virsh # ") {
            match self.shown.recv_timeout(Duration::from_secs(20)) {
                Ok(byte) => seen.push(byte),
                Err(cause) => panic!("{cause}: {:?}", String::from_utf8_lossy(&seen)),
            }
        }
        seen.truncate(seen.len() - b"virsh # ".len());
        String::from_utf8(seen).unwrap()
    }

    /// Types a command; what it answered, without the line that was typed.
    fn run(&mut self, line: &str) -> Vec<String> {
        self.typed.write_all(format!("{line}\n").as_bytes()).unwrap();
        let answer = self.before_prompt();
        let mut lines = answer.split("\r\n").map(str::to_string);
        assert_eq!(lines.next().as_deref(), Some(line));
        lines.collect()
    }
}

#[test]
fn a_program_drives_the_prompt_as_maas_does() {
    let stage = Stage::new();
    let virsh = stage.root.path().join("virsh");
    symlink(env!("CARGO_BIN_EXE_hvsh"), &virsh).unwrap();
    let mut command = stage.program(&virsh);
    command.args(["--connect", "test:///default"]);
    let mut terminal = Terminal::new(command);
    assert!(
        terminal.before_prompt().starts_with("Welcome to virsh, the virtualization interactive terminal.")
    );
    assert_eq!(terminal.run("list --all --name"), ["test", "", ""]);
    assert_eq!(terminal.run("domstate test"), ["running", "", ""]);
    // Two lines of a head, and the address is a row's last word.
    let interfaces = terminal.run("domiflist test");
    let addresses: Vec<&str> =
        interfaces[2..].iter().filter_map(|line| line.split_whitespace().last()).collect();
    assert_eq!(addresses, ["aa:bb:cc:dd:ee:ff"]);
    let definition = terminal.run("dumpxml test").join("\n");
    assert!(definition.starts_with("<domain type='test' id='1'>") && definition.contains("</domain>"));
    let file = stage.root.path().join("machine.xml");
    std::fs::write(
        &file,
        definition.replace("<name>test<", "<name>machine<").replace("6695eb01", "6695eb02"),
    )
    .unwrap();
    let defined = terminal.run(&format!("define {}", file.display()));
    assert_eq!(defined[0], format!("Domain 'machine' defined from {}", file.display()));
    assert_eq!(terminal.run("start machine")[0], "Domain 'machine' started");
    assert!(terminal.run("start machine")[0].starts_with("error:"));
    assert_eq!(terminal.run("destroy machine")[0], "Domain 'machine' destroyed");
    assert_eq!(terminal.run("domstate machine")[0], "shut off");
    assert!(terminal.run("no-such-command")[0].starts_with("error: unknown command"));
    terminal.typed.write_all(b"quit\n").unwrap();
    assert!(terminal.child.wait().unwrap().success());
}

#[test]
fn a_line_goes_on_until_its_quotes_are_closed() {
    let stage = Stage::new();
    let mut session = spawn(shell(&stage, &[]), Some("xterm"));
    session.exp_string("hvsh # ").unwrap();
    session.send_line("echo \"one").unwrap();
    session.send_line("two\" three").unwrap();
    session.exp_string("one\r\ntwo three").unwrap();
    session.exp_string("hvsh # ").unwrap();
    // An interrupt gives up all that was typed of it.
    session.send_line("echo \"open").unwrap();
    session.send_control('c').unwrap();
    session.exp_string("hvsh # ").unwrap();
    session.send_line("domid test").unwrap();
    session.exp_string("\r\n1\r\n").unwrap();
}

#[test]
fn lines_are_edited_remembered_and_given_up() {
    let stage = Stage::new();
    let mut session = spawn(shell(&stage, &[]), Some("xterm"));
    session.exp_string("hvsh # ").unwrap();
    session.send_line("echo once").unwrap();
    session.exp_string("once\r\n").unwrap();
    session.exp_string("hvsh # ").unwrap();
    // The key up brings the last line back.
    session.send("\u{1b}[A").unwrap();
    session.send_line("").unwrap();
    session.exp_string("\r\nonce\r\n").unwrap();
    session.exp_string("hvsh # ").unwrap();
    session.send("list --no-such").unwrap();
    session.flush().unwrap();
    session.send_control('c').unwrap();
    session.exp_string("hvsh # ").unwrap();
    session.send_line("domid test").unwrap();
    session.exp_string("\r\n1\r\n").unwrap();
    session.exp_string("hvsh # ").unwrap();
    session.send_control('d').unwrap();
    session.exp_eof().unwrap();
    let history = std::fs::read_to_string(stage.root.path().join("cache/hvsh/history")).unwrap();
    assert!(history.contains("echo once\n") && history.contains("domid test\n"), "{history}");
}

#[test]
fn commands_options_and_live_names_are_completed() {
    let stage = Stage::new();
    let mut session = spawn(shell(&stage, &[]), Some("xterm"));
    session.exp_string("hvsh # ").unwrap();
    session.send("domstate te\t--rea\t").unwrap();
    session.flush().unwrap();
    session.exp_string("--reason").unwrap();
    session.send_line("").unwrap();
    session.exp_string("running (").unwrap();
}

#[test]
fn a_mistyped_command_is_suggested_to_people_only() {
    let stage = Stage::new();
    assert_eq!(stage.run(&["lsit"], "").err, "error: unknown command: 'lsit'\n");
    let mut session = spawn(shell(&stage, &["lsit"]), Some("dumb"));
    session.exp_string("did you mean 'list'?").unwrap();
    let mut session = spawn(shell(&stage, &["dominfo", "tset"]), Some("dumb"));
    session.exp_string("did you mean 'test'?").unwrap();
}
