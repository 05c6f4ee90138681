//! The differences that are meant; each stands in COMPATIBILITY.md.

use crate::pair::Answer;

/// The words by which COMPATIBILITY.md names each of them.
pub const NAMED: &[&str] = &[
    "`version` names our own version",
    "A wrong `--xpath` expression fails",
    "`start --pass-fds` on test:/// is refused",
    "`cpu-baseline` and `hypervisor-cpu-baseline` on test:/// are unsupported",
    "Values that commands put into XML are escaped there",
];

/// Whether this difference is one that is meant.
pub fn is_accepted(line: &str, wanted: &Answer, got: &Answer) -> bool {
    let command = line.split(' ').next().unwrap_or_default();
    let refused =
        |function: &str| got.err.contains(&format!("supported by the connection driver: {function}"));
    command == "version"
        || (line.contains("--xpath") && wanted.err.starts_with("XPath error"))
        || (line.contains("--pass-fds") && refused("virDomainCreateWithFiles"))
        || (command == "cpu-baseline" && refused("virConnectBaselineCPU"))
        || line.contains("'<a>'")
}

#[test]
fn what_is_accepted_is_named() {
    let text = include_str!("../../COMPATIBILITY.md");
    for words in NAMED {
        assert!(text.contains(words), "COMPATIBILITY.md does not say: {words}");
    }
}
