//! The manual pages beside the programs they describe.
//!
//! `HVSH_GOLDEN=write cargo test --test cli manual` writes hvsh(1) anew from the command table.

use crate::stage::{Stage, answer, skipped};
use std::path::{Path, PathBuf};

fn page(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("man").join(name)
}

#[test]
fn the_shells_page_is_the_command_tables() {
    let printed = Stage::new().run(&["--print-manual"], "").out;
    if std::env::var_os("HVSH_GOLDEN").is_some_and(|mode| mode == "write") {
        std::fs::write(page("hvsh.1"), printed).unwrap();
        return;
    }
    let kept = std::fs::read_to_string(page("hvsh.1")).unwrap();
    let line = kept.lines().zip(printed.lines()).position(|(kept, printed)| kept != printed);
    assert!(
        kept == printed,
        "man/hvsh.1 is not what the table says, from line {}; \
         write it anew: HVSH_GOLDEN=write cargo test --test cli manual",
        line.unwrap_or(0) + 1
    );
}

#[test]
fn the_helpers_pages_name_their_options() {
    let stage = Stage::new();
    let programs = [
        (env!("CARGO_BIN_EXE_hvsh-qemud"), "hvsh-qemud.8"),
        (env!("CARGO_BIN_EXE_hvsh-xen-proxy"), "hvsh-xen-proxy.8"),
    ];
    for (program, name) in programs {
        let mut command = stage.program(Path::new(program));
        let help = answer(command.arg("--help"), "").out;
        let page = std::fs::read_to_string(page(name)).unwrap().replace('\\', "");
        let options = |text: &str| -> Vec<String> {
            let words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '-');
            let mut options: Vec<String> =
                words.filter(|word| word.starts_with("--")).map(str::to_string).collect();
            options.sort();
            options.dedup();
            options
        };
        assert_eq!(options(&page), options(&help), "{name}");
    }
}

#[test]
fn the_pages_are_well_formed() {
    let mandoc = Path::new("/usr/bin/mandoc");
    if !mandoc.exists() {
        skipped("mandoc is not installed");
        return;
    }
    let stage = Stage::new();
    for name in ["hvsh.1", "hvsh-qemud.8", "hvsh-xen-proxy.8"] {
        let mut command = stage.program(mandoc);
        let said = answer(command.args(["-Tlint", "-Werror"]).arg(page(name)), "");
        assert_eq!((said.out.as_str(), said.status), ("", 0), "{name}");
    }
}
