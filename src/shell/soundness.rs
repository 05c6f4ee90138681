//! What must hold of the command table: the parser, help and completion rely on it.

use super::shape::Shape;
use super::spec::{Command, Complete, OptKind, Table};

/// Everything that is wrong with the table, a line each.
pub fn faults(table: Table) -> Vec<String> {
    let mut faults = Vec::new();
    let mut names: Vec<&str> = Vec::new();
    for row in table.rows() {
        for &name in std::iter::once(&row.name).chain(row.aliases) {
            if names.contains(&name) {
                faults.push(format!("{name}: two commands are called so"));
            }
            names.push(name);
        }
        faults.extend(faults_of(row).into_iter().map(|fault| format!("{}: {fault}", row.name)));
    }
    faults
}

fn faults_of(row: &Command) -> Vec<String> {
    let mut faults = Vec::new();
    if !is_name(row.name) {
        faults.push("its name is not of small letters, digits and dashes".to_string());
    }
    if row.summary.is_empty() || row.summary.ends_with('.') || row.summary.contains('\n') {
        faults.push("its summary is missing, or not one phrase".to_string());
    }
    if row.description.is_empty() {
        faults.push("its description is missing".to_string());
    }
    if let Some(Err(fault)) = row.answers.map(Shape::parse) {
        faults.push(format!("its answer's shape: {fault}"));
    }
    let mut optional = None;
    let mut rest = None;
    for (place, option) in row.options.iter().enumerate() {
        let name = option.name;
        let mut fault = |text: String| faults.push(format!("--{name}: {text}"));
        if !is_name(&name.to_lowercase()) {
            fault("its name is not of letters, digits and dashes".to_string());
        }
        if row.options[..place].iter().any(|other| other.name == name) {
            fault("it stands there twice".to_string());
        }
        if let OptKind::Alias(target) = option.kind {
            let target = target.split_once('=').map_or(target, |(target, _)| target);
            let real = row.option(target);
            if real.is_none_or(|real| matches!(real.kind, OptKind::Alias(_))) {
                fault(format!("it stands for --{target}, which is no option by itself"));
            }
            continue;
        }
        if option.help.is_empty() {
            fault("its help is missing".to_string());
        }
        if option.kind == OptKind::Flag && (option.by_place() || option.complete != Complete::Nothing) {
            fault("a flag has no value that could stand by place or be completed".to_string());
        }
        if option.by_place() {
            if let Some(rest) = rest {
                fault(format!("it cannot stand by place behind --{rest}, which takes all words"));
            }
            match (option.required, optional) {
                (true, Some(before)) => fault(format!("it is required, and --{before} before it is not")),
                (false, None) => optional = Some(name),
                _ => {}
            }
        }
        if option.kind == OptKind::Rest {
            rest = Some(name);
        }
    }
    faults
}

fn is_name(name: &str) -> bool {
    let known = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '_');
    name.starts_with(|c: char| c.is_ascii_lowercase()) && name.chars().all(known)
}

/// The options whose values nothing completes.
pub fn without_completion(row: &Command) -> impl Iterator<Item = &'static str> {
    let options = row.listed_options();
    let with_value = options.filter(|option| option.kind != OptKind::Flag);
    with_value.filter(|option| option.complete == Complete::Nothing).map(|option| option.name)
}

#[cfg(test)]
mod tests {
    use super::super::args::Args;
    use super::super::session::Session;
    use super::super::spec::{Group, Opt};
    use super::*;

    fn nothing(_: &mut Session, _: &Args) -> anyhow::Result<()> {
        Ok(())
    }

    #[test]
    fn faults_are_found() {
        const ROWS: &[Command] = &[
            Command::new("good", Group::Shell, nothing).about("do well", "Does well.").options(&[
                Opt::text("a", "a").required(),
                Opt::rest("b", "b"),
                Opt::alias("c", "a=x"),
            ]),
            Command::new("bad", Group::Shell, nothing).aliases(&["good"]).about("Does badly.", "").options(
                &[Opt::text("a", "").positional(), Opt::text("b", "b").required(), Opt::alias("c", "d")],
            ),
        ];
        let table = Table { groups: &[&[ROWS]], values: |_, _, _| Vec::new() };
        assert_eq!(
            faults(table),
            [
                "good: two commands are called so",
                "bad: its summary is missing, or not one phrase",
                "bad: its description is missing",
                "bad: --a: its help is missing",
                "bad: --b: it is required, and --a before it is not",
                "bad: --c: it stands for --d, which is no option by itself",
            ]
        );
    }
}
