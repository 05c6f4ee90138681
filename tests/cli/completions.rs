//! The completion scripts, each in its own shell.

use crate::stage::{Stage, answer, skipped};
use rexpect::session::spawn_command;
use std::fmt::Write;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

fn script(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("completions").join(name)
}

/// The shell called so, if it is installed; a missing one is said aloud.
fn installed(name: &str) -> Option<PathBuf> {
    let found = ["/usr/bin", "/bin", "/usr/local/bin"].map(|folder| Path::new(folder).join(name));
    let found = found.into_iter().find(|path| path.exists());
    if found.is_none() {
        skipped(&format!("{name} is not installed"));
    }
    found
}

/// A stage whose `bin` holds the shell under both of its names.
fn stage() -> (Stage, String) {
    let stage = Stage::new();
    let bin = stage.root.path().join("bin");
    std::fs::create_dir(&bin).unwrap();
    for name in ["hvsh", "virsh"] {
        symlink(env!("CARGO_BIN_EXE_hvsh"), bin.join(name)).unwrap();
    }
    let path = format!("{}:/usr/bin:/bin", bin.display());
    (stage, path)
}

const LINES: &[(&str, &str)] = &[
    ("hvsh domsta", "domstate domstats"),
    ("hvsh -r --connect test:///default domstate te", "test"),
    ("hvsh -c test:///default domstate test --r", "--reason"),
    ("hvsh -c test:///default send-key test --codeset w", "win32"),
    ("hvsh -c test:///default vol-list d", "default-pool"),
    ("hvsh --format j", "json"),
    ("hvsh --re", "--readonly"),
    ("hvsh -c test:///default domstate ''", "test"),
];

#[test]
fn bash_completes() {
    let Some(bash) = installed("bash") else { return };
    let (stage, path) = stage();
    for (line, wanted) in LINES {
        let code = format!(
            "source {}; COMP_LINE=\"{line}\"; COMP_WORDS=({line}); COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1)); _hvsh hvsh; echo ${{COMPREPLY[*]}}",
            script("hvsh.bash").display()
        );
        let mut command = stage.program(&bash);
        command.env("PATH", &path).args(["--norc", "-c", &code]);
        assert_eq!(answer(&mut command, "").out.trim(), *wanted, "{line}");
    }
}

#[test]
fn bash_completes_while_one_types() {
    let Some(bash) = installed("bash") else { return };
    let (stage, path) = stage();
    let mut command = stage.program(&bash);
    command.env("PATH", &path).env("TERM", "xterm").env("PS1", "ready> ").arg("--norc");
    let mut session = spawn_command(command, Some(10_000)).unwrap();
    session.send_line(&format!("source {}", script("hvsh.bash").display())).unwrap();
    session.send("virsh -c test:///default domstate te\t--rea\t\n").unwrap();
    session.flush().unwrap();
    session.exp_string("running (").unwrap();
    session.send_line("exit").unwrap();
    session.exp_eof().unwrap();
}

#[test]
fn fish_completes() {
    let Some(fish) = installed("fish") else { return };
    let (stage, path) = stage();
    for (line, wanted) in LINES {
        let line = line.trim_end_matches("''");
        let code = format!("source {}; complete -C '{line}'", script("hvsh.fish").display());
        let mut command = stage.program(&fish);
        command.env("PATH", &path).args(["--no-config", "-c", &code]);
        let found = answer(&mut command, "").out;
        assert_eq!(found.split_whitespace().collect::<Vec<_>>().join(" "), *wanted, "{line}");
    }
}

#[test]
fn zsh_completes_while_one_types() {
    let Some(zsh) = installed("zsh") else { return };
    let (stage, path) = stage();
    let mut command = stage.program(&zsh);
    command.env("PATH", &path).env("TERM", "xterm").arg("-f");
    let mut session = spawn_command(command, Some(20_000)).unwrap();
    let folder = script("");
    session
        .send_line(&format!(
            "PS1='ready> '; fpath=({} $fpath); autoload -U compinit; compinit -u -D; echo set; echo up",
            folder.display()
        ))
        .unwrap();
    session.exp_string("set\r\nup").unwrap();
    session.send("hvsh -c test:///default domstate te\t--rea\t\n").unwrap();
    session.flush().unwrap();
    session.exp_string("running (").unwrap();
    session.send_line("exit").unwrap();
    session.exp_eof().unwrap();
}

/// What virsh offers for the value of an option, on a node with one of everything.
const VIRSH: &str = include_str!("../facts/virsh-completions.txt");

/// What goes before: something saved, taken and stopped.
const BEFORE: &str = "managedsave saved; snapshot-create-as snap s1; checkpoint-create-as ck c1; net-destroy netoff; \
    pool-destroy p2; iface-destroy eth2";

#[test]
fn a_value_is_completed_as_virsh_completes_it() {
    let stage = Stage::new();
    let node = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cli/completion-node.xml");
    let uri = format!("test://{}", node.display());
    let lines: Vec<(&str, Vec<&str>)> = VIRSH
        .lines()
        .filter(|line| !line.starts_with('#'))
        .map(|line| line.split_once(": ").unwrap())
        .map(|(asked, values)| (asked, values.split(' ').collect()))
        .collect();
    let questions: Vec<String> =
        lines.iter().map(|(asked, _)| format!("echo ====; complete -- {asked} ''")).collect();
    let script = format!("{BEFORE}; {}", questions.join("; "));
    let answer = stage.run(&["-q", "-c", &uri, &script], "");
    let answers: Vec<&str> = answer.out.split("====").skip(1).collect();
    assert_eq!(answers.len(), lines.len());
    let mut differing = String::new();
    for ((asked, wanted), answer) in lines.iter().zip(answers) {
        let mut ours: Vec<&str> = answer.lines().filter(|value| !value.is_empty()).collect();
        if asked.starts_with("help ") {
            ours.retain(|value| !BEYOND.contains(value));
        }
        ours.sort_unstable();
        if ours != *wanted {
            writeln!(differing, "{asked}\n  virsh: {wanted:?}\n  ours:  {ours:?}").unwrap();
        }
    }
    assert!(differing.is_empty(), "{differing}");
}

/// Commands that virsh does not have.
const BEYOND: &[&str] = &["clone", "ip", "rm", "wait"];
