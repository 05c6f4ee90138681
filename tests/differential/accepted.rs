//! The differences that are meant: one row each, by the words that name it in COMPATIBILITY.md.

use crate::pair::Answer;

/// A difference that is meant.
struct Accepted {
    /// The words of COMPATIBILITY.md that say so.
    named: &'static str,
    /// Whether a line's two answers, virsh's first, differ in this way.
    holds: fn(&str, &Answer, &Answer) -> bool,
}

const ACCEPTED: &[Accepted] = &[
    Accepted { named: "`version` names our own version", holds: |line, _, _| command(line) == "version" },
    Accepted {
        named: "A wrong `--xpath` expression fails",
        holds: |line, wanted, _| line.contains("--xpath") && wanted.err.starts_with("XPath error"),
    },
    Accepted {
        named: "`start --pass-fds` on test:/// is refused",
        holds: |line, _, got| line.contains("--pass-fds") && lacks(got, "virDomainCreateWithFiles"),
    },
    Accepted {
        named: "`cpu-baseline` and `hypervisor-cpu-baseline` on test:/// are unsupported",
        holds: |line, _, got| command(line) == "cpu-baseline" && lacks(got, "virConnectBaselineCPU"),
    },
    Accepted {
        named: "Values that commands put into XML are escaped there",
        holds: |line, _, _| line.contains("'<a>'"),
    },
    Accepted {
        named: "Verbs that act on a domain",
        holds: |line, wanted, got| {
            takes_several(command(line))
                && (names_several(&wanted.err) || got.err.starts_with("error: failed to get domain 'extra'"))
        },
    },
    Accepted {
        named: "Verbs that act on a domain",
        holds: |_, wanted, got| {
            got.out.contains(" [--all]")
                && got.out.replace(" [--all]", "").replace("--all\n", "") == wanted.out
        },
    },
    Accepted {
        named: "`help` ends with a group of its own",
        holds: |_, wanted, got| {
            let ours = got.out.split_once(" Beyond virsh (help keyword 'beyond'):\n");
            ours.is_some_and(|(before, _)| before == wanted.out)
        },
    },
    Accepted {
        named: "An empty `--diskspec` is refused",
        holds: |_, _, got| got.err.lines().any(|line| line == "error: unable to parse diskspec: "),
    },
    Accepted {
        named: "`domthrottlegroupdel` is refused to a read-only connection",
        holds: |line, _, got| {
            command(line) == "domthrottlegroupdel" && got.err.contains("read only access prevents")
        },
    },
    Accepted {
        named: "`iface-destroy` ends with status 0 when it succeeded",
        holds: |line, wanted, got| command(line) == "iface-destroy" && but_for_status(wanted, got),
    },
    Accepted {
        named: "A port that `net-port-delete` and",
        holds: |line, wanted, got| {
            ["net-port-delete", "net-port-dumpxml"].contains(&command(line)) && but_for_status(wanted, got)
        },
    },
    Accepted {
        named: "`--validate` looks at a document's form",
        holds: |_, wanted, _| wanted.err.contains("failed to validate against schema"),
    },
];

/// Whether this difference is one that is meant.
pub fn is_accepted(line: &str, wanted: &Answer, got: &Answer) -> bool {
    ACCEPTED.iter().any(|row| (row.holds)(line, wanted, got))
}

fn command(line: &str) -> &str {
    line.split(' ').next().unwrap_or_default()
}

/// Whether two answers differ in nothing but the exit status.
fn but_for_status(wanted: &Answer, got: &Answer) -> bool {
    wanted.out == got.out && wanted.err == got.err
}

fn lacks(answer: &Answer, function: &str) -> bool {
    answer.err.contains(&format!("supported by the connection driver: {function}"))
}

fn takes_several(command: &str) -> bool {
    hvsh::commands::TABLE.rows().any(|row| row.name == command && row.several.is_some())
}

/// Whether virsh refuses a line as one that names more than one domain.
fn names_several(complaint: &str) -> bool {
    ["unexpected data ", "option --domain already seen", "doesn't support option --all", "Unknown mode extra"]
        .iter()
        .any(|words| complaint.contains(words))
}

#[test]
fn what_is_accepted_is_named() {
    let text = include_str!("../../COMPATIBILITY.md");
    for row in ACCEPTED {
        assert!(text.contains(row.named), "COMPATIBILITY.md does not say: {}", row.named);
    }
}
