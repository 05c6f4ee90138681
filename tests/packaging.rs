//! The units are what a service manager takes.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stderr)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Copies the units of a kind as an installation does, with programs that are there.
fn installed(kind: &str, folder: &Path) -> Vec<PathBuf> {
    let programs = Path::new(env!("CARGO_BIN_EXE_hvsh-qemud")).parent().unwrap();
    let units = Path::new(env!("CARGO_MANIFEST_DIR")).join("packaging/systemd").join(kind);
    let copy = |entry: fs::DirEntry| {
        let text = fs::read_to_string(entry.path()).unwrap();
        let path = folder.join(entry.file_name());
        fs::write(&path, text.replace("@LIBEXECDIR@", programs.to_str().unwrap())).unwrap();
        path
    };
    fs::read_dir(units).unwrap().map(|entry| copy(entry.unwrap())).collect()
}

#[test]
fn units_are_well_formed() {
    for kind in ["system", "user"] {
        let folder = tempfile::tempdir().unwrap();
        let units = installed(kind, folder.path());
        assert!(!units.is_empty());
        let verified = Command::new("systemd-analyze")
            .args(["verify", "--man=no", if kind == "user" { "--user" } else { "--system" }])
            .env("XDG_RUNTIME_DIR", folder.path())
            .args(&units)
            .output();
        let Ok(output) = verified else {
            eprintln!("SKIPPED: there is no systemd-analyze here");
            return;
        };
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        // Complaints about the machine it runs on are none about ours.
        let ours: Vec<&str> = said.lines().filter(|line| line.contains("hvsh-")).collect();
        assert_eq!(ours, Vec::<&str>::new(), "{kind}: {said}");
    }
}

#[test]
fn every_socket_has_its_service_and_every_service_its_program() {
    let folder = tempfile::tempdir().unwrap();
    for unit in installed("system", folder.path()) {
        let text = fs::read_to_string(&unit).unwrap();
        let value = |key: &str| text.lines().find_map(|line| line.strip_prefix(key)).map(str::to_string);
        if unit.extension().is_some_and(|extension| extension == "socket") {
            assert!(value("ListenStream=/run/hvsh/").is_some(), "{}", unit.display());
            let own = unit.with_extension("service");
            let named = value("Service=").map(|name| folder.path().join(name));
            assert!(named.unwrap_or(own).exists(), "{}", unit.display());
        } else {
            let program = value("ExecStart=").unwrap();
            assert!(Path::new(program.split(' ').next().unwrap()).exists(), "{program}");
        }
    }
}
