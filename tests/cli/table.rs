//! The command table beside what virsh's commands take.

use crate::stage::Stage;
use hvsh::commands::TABLE;
use hvsh::shell::help::{self, GROUPS};
use hvsh::shell::spec::OptKind;

/// Each of virsh's commands as it takes its options, and what may stand by place.
const VIRSH: &str = include_str!("virsh-11.3.txt");

#[test]
fn a_command_takes_what_virshs_takes() {
    let mut differing = Vec::new();
    for line in VIRSH.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        let (synopsis, places) = line.split_once(" |").unwrap();
        let name = synopsis.split(' ').next().unwrap();
        let Some(row) = TABLE.find(name) else { continue };
        // Ours may take more, behind what virsh takes.
        let ours = help::synopsis(row);
        if ours != synopsis && !ours.starts_with(&format!("{synopsis} ")) {
            differing.push(format!("virsh: {synopsis}\nours:  {ours}"));
        }
        let by_place = row.options.iter().filter(|option| option.by_place());
        let by_place = by_place.filter(|option| option.kind != OptKind::Rest);
        let by_place: Vec<&str> = by_place.map(|option| option.name).collect();
        if by_place != places.split_whitespace().collect::<Vec<_>>() {
            differing.push(format!("{name} takes by place: virsh {places}, ours {by_place:?}"));
        }
    }
    assert!(differing.is_empty(), "{}", differing.join("\n"));
}

#[test]
fn the_self_test_is_content() {
    let answer = Stage::new().run(&["self-test"], "");
    assert_eq!((answer.err.as_str(), answer.status), ("", 0));
}

#[test]
fn help_lists_each_command_once_and_explains_it() {
    let stage = Stage::new();
    let overview = stage.run(&["help"], "").out;
    for row in TABLE.rows().filter(|row| !row.hidden) {
        let line = format!("\n    {:<30} {}\n", row.name, row.summary);
        assert_eq!(overview.matches(&line).count(), 1, "{} in help", row.name);
        assert!(GROUPS.contains(&row.group), "{}'s group in help", row.name);
        let alone = help::command(row);
        assert!(
            alone.starts_with(&format!("  NAME\n    {} - {}\n\n  SYNOPSIS\n", row.name, row.summary)),
            "{alone}"
        );
    }
    for group in GROUPS {
        let answer = stage.run(&["help", group.keyword()], "");
        assert!(answer.out.contains(group.title()), "{answer:?}");
    }
}
