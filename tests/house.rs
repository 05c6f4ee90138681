//! Holds the rules of the house: which module may use which, and how long files and functions may grow.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    clippy::print_stdout
)]

use std::fs;
use std::path::{Path, PathBuf};

/// Longest file, in lines.
const FILE_BUDGET: usize = 500;
/// Longest function, in lines.
const FUNCTION_BUDGET: usize = 60;

/// Each module and what it may use; `backend` is its core without the drivers below it.
const ARROWS: &[(&str, &[&str])] = &[
    ("error", &[]),
    ("uri", &["error"]),
    ("model", &["error"]),
    ("xml", &["model", "error"]),
    ("rpc", &["model", "error"]),
    ("host", &["xml", "model", "error"]),
    ("backend", &["model", "error", "uri"]),
    ("backend/test", &["backend", "xml", "host", "model", "error", "uri"]),
    ("backend/remote", &["backend", "rpc", "model", "error", "uri"]),
    ("backend/qemu", &["backend", "backend/remote", "model", "error", "uri"]),
    ("shell", &["backend", "model", "error", "uri"]),
    ("commands", &["shell", "backend", "xml", "model", "error", "uri"]),
    ("server", &["backend", "rpc", "model", "error", "uri"]),
    ("qemud", &["backend", "rpc", "server", "xml", "host", "model", "error", "uri"]),
    ("backend/xen", &["backend", "backend/remote", "xml", "host", "model", "error", "uri"]),
];

/// The one file of the core that names the drivers.
const REGISTRY: &str = "src/backend/registry.rs";

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
        if entry.is_dir() {
            sources(&entry, found);
        } else if entry.extension().is_some_and(|extension| extension == "rs") {
            found.push(entry);
        }
    }
}

fn all_sources() -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut found = Vec::new();
    sources(&root.join("src"), &mut found);
    found.sort();
    let relative = |path: &Path| path.strip_prefix(root).unwrap().to_string_lossy().into_owned();
    found.iter().map(|path| (relative(path), fs::read_to_string(path).unwrap())).collect()
}

/// The module a path below `src/` or a `use` path belongs to.
fn module_of(parts: &[&str]) -> Option<&'static str> {
    let driver = parts.get(..2).map(|two| two.join("/"));
    let longest = ARROWS.iter().find(|(name, _)| driver.as_deref() == Some(name));
    longest.or_else(|| ARROWS.iter().find(|(name, _)| parts.first() == Some(name))).map(|(name, _)| *name)
}

/// What stands before the tests of a file.
fn without_tests(text: &str) -> &str {
    text.split("#[cfg(test)]").next().unwrap_or(text)
}

#[test]
fn modules_use_only_what_they_may() {
    let mut offences = Vec::new();
    for (path, text) in all_sources() {
        let inner = path.trim_start_matches("src/").trim_end_matches(".rs");
        let Some(module) = module_of(&inner.split('/').collect::<Vec<_>>()) else {
            continue;
        };
        if path == REGISTRY {
            continue;
        }
        let allowed = ARROWS.iter().find(|(name, _)| *name == module).unwrap().1;
        for (number, line) in without_tests(&text).lines().enumerate() {
            for used in line.split("crate::").skip(1) {
                let used: Vec<&str> = used
                    .split(|c: char| !c.is_alphanumeric() && c != '_')
                    .filter(|w| !w.is_empty())
                    .collect();
                let Some(target) = module_of(&used) else { continue };
                if target != module && !allowed.contains(&target) && !line.trim_start().starts_with("//") {
                    offences.push(format!("{path}:{}: {module} uses {target}", number + 1));
                }
            }
        }
    }
    assert!(offences.is_empty(), "forbidden arrows:\n{}", offences.join("\n"));
}

#[test]
fn files_open_with_what_lives_in_them_and_stay_short() {
    let mut offences = Vec::new();
    for (path, text) in all_sources() {
        if !text.starts_with("//!") {
            offences.push(format!("{path}: does not open with a //! line"));
        }
        let lines = text.lines().count();
        if lines > FILE_BUDGET {
            offences.push(format!("{path}: {lines} lines, the budget is {FILE_BUDGET}"));
        }
    }
    assert!(offences.is_empty(), "{}", offences.join("\n"));
}

#[test]
fn functions_stay_short() {
    let mut offences = Vec::new();
    for (path, text) in all_sources() {
        // A test may tell its story in one piece.
        let is_test = path.rsplit('/').next().is_some_and(|name| name.starts_with("tests"));
        let lines: Vec<&str> = if is_test { Vec::new() } else { text.lines().collect() };
        for (start, line) in lines.iter().enumerate() {
            let code = line.trim_start();
            let indent = &line[..line.len() - code.len()];
            let head = code.split('(').next().unwrap_or("");
            let is_function = head.split_whitespace().any(|word| word == "fn") && !code.starts_with("//");
            if !is_function || line.trim_end().ends_with(['}', ';']) {
                continue;
            }
            let close = format!("{indent}}}");
            let length = lines[start..].iter().position(|line| *line == close).map_or(1, |end| end + 1);
            if length > FUNCTION_BUDGET {
                offences.push(format!("{path}:{}: {length} lines in {}", start + 1, head.trim()));
            }
        }
    }
    assert!(offences.is_empty(), "functions over {FUNCTION_BUDGET} lines:\n{}", offences.join("\n"));
}

/// The only files that may hold unsafe code, each with its reason beside every block.
const UNSAFE_FILES: &[&str] = &[
    "src/backend/xen/hypervisor/privcmd.rs",
    "src/qemud/capabilities/kvm.rs",
    "src/qemud/vm/spawn.rs",
    "src/server/memory.rs",
];

#[test]
fn unsafe_code_lives_where_it_may() {
    for (path, text) in all_sources() {
        let has_unsafe = text.lines().any(|line| {
            let code = line.split("//").next().unwrap_or("");
            // What stands between quotes is a word of somebody else's language.
            let code: String = code.split('"').step_by(2).collect();
            code.split(|c: char| !c.is_alphanumeric() && c != '_').any(|word| word == "unsafe")
        });
        assert!(!has_unsafe || UNSAFE_FILES.contains(&path.as_str()), "{path} holds unsafe code");
    }
}
