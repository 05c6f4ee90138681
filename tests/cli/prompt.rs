//! The prompt: piped, driven through a terminal as programs do, and for people.

use crate::stage::Stage;
use rexpect::session::{PtySession, spawn_command};
use std::os::unix::fs::symlink;
use std::process::Command;

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
