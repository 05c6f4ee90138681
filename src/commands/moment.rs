//! What snapshots and checkpoints have in common: a description with a name, a time, a parent and disks.

use super::node_device::tree::draw;
use super::{clock, files};
use crate::shell::args::Args;
use crate::shell::cell::Cell;
use crate::shell::session::{Format, Session};
use crate::shell::table::Table;
use crate::xml::{self, Element};
use anyhow::{Result, bail};

/// One of them, as a list shows it.
pub struct Moment {
    /// Its name.
    pub name: String,
    /// The name of the one it was taken on.
    pub parent: Option<String>,
    /// When it was taken, in seconds since 1970.
    pub created: Option<i64>,
    /// The domain's state then; checkpoints have none.
    pub state: Option<String>,
}

impl Moment {
    /// Reads a description.
    pub fn of(name: &str, document: &str) -> Result<Moment> {
        let tree = xml::parse(document, "moment")?;
        Ok(Moment {
            name: name.to_string(),
            parent: tree.child_text("parent/name"),
            created: tree.child_text("creationTime").and_then(|time| time.parse().ok()),
            state: tree.child_text("state"),
        })
    }
}

/// Prints a list: as names, as a tree, or as a table with whatever `--parent` adds.
pub fn list(session: &mut Session, args: &Args, moments: &[Moment], with_state: bool) -> Result<()> {
    if session.settings.format == Format::Table {
        if args.has("tree") {
            let names: Vec<String> = moments.iter().map(|moment| moment.name.clone()).collect();
            let parents: Vec<Option<String>> = moments.iter().map(|moment| moment.parent.clone()).collect();
            session.print(draw(&names, &parents));
            return Ok(());
        }
        if args.has("name") {
            for moment in moments {
                match moment.parent.as_deref().filter(|_| args.has("parent")) {
                    Some(parent) => session.print(format_args!("{}\t{parent}\n", moment.name)),
                    None => session.print(format_args!("{}\n", moment.name)),
                }
            }
            return Ok(());
        }
    }
    let mut titles = vec!["Name", "Creation Time"];
    if with_state {
        titles.push("State");
    }
    let parents = args.has("parent") || session.settings.format != Format::Table;
    if parents {
        titles.push("Parent");
    }
    let mut table = Table::new(titles);
    for moment in moments {
        let time = moment.created.map(|time| clock::local_seconds(time, "%Y-%m-%d %H:%M:%S %z"));
        let mut cells = vec![Cell::from(&moment.name), Cell::with(time.unwrap_or_default(), moment.created)];
        if with_state {
            cells.push(Cell::with(moment.state.clone().unwrap_or_default(), moment.state.clone()));
        }
        if parents {
            cells.push(Cell::with(moment.parent.clone().unwrap_or_default(), moment.parent.clone()));
        }
        table.row(cells);
    }
    session.table(&table)
}

/// A tree is drawn of all, or of what is beneath one; filters would tear it.
pub fn refuse_filters_of_a_tree(args: &Args, filters: &[&str]) -> Result<()> {
    match filters.iter().find(|filter| args.has(filter) && args.has("tree")) {
        Some(filter) => bail!("--{filter} and --tree are mutually exclusive"),
        None => Ok(()),
    }
}

/// The description in the file that the option names, or an empty one.
pub fn described(args: &Args, root: &str) -> Result<String> {
    match args.text("xmlfile")? {
        Some(file) => files::read(file),
        None => Ok(format!("<{root}/>")),
    }
}

/// The description that the options `name`, `description` and `diskspec` make.
pub fn described_by_options(
    args: &Args,
    root: &str,
    disk: &dyn Fn(&str) -> Result<Element>,
) -> Result<Element> {
    let mut tree = Element::new(root);
    for option in ["name", "description"] {
        if let Some(text) = args.text(option)? {
            tree.push(Element::new(option).with_text(text));
        }
    }
    let mut disks = Element::new("disks");
    for spec in args.all("diskspec") {
        disks.push(disk(spec)?);
    }
    if !disks.nodes.is_empty() {
        tree.push(disks);
    }
    Ok(tree)
}

/// As virsh prints such a description: without a child the root still has its two tags.
pub fn print(session: &mut Session, tree: &Element) -> Result<()> {
    let text = if tree.nodes.is_empty() { format!("<{0}>\n</{0}>\n", tree.name) } else { tree.to_string() };
    session.show(&serde_json::json!({ "xml": text }), |session| {
        session.print(format_args!("{text}\n"));
    })
}

/// The parts of `name[,key=value]…`; a comma that belongs to a value is written twice.
pub fn spec_parts(spec: &str) -> Vec<String> {
    let mut parts = vec![String::new()];
    let mut characters = spec.chars().peekable();
    while let Some(character) = characters.next() {
        if character != ',' {
            if let Some(part) = parts.last_mut() {
                part.push(character);
            }
        } else if characters.next_if_eq(&',').is_some() {
            if let Some(part) = parts.last_mut() {
                part.push(',');
            }
        } else {
            parts.push(String::new());
        }
    }
    parts
}

/// The name chosen by `--snapshotname` or its like; the current one is chosen by `None`.
pub fn chosen<'a>(args: &'a Args, option: &str) -> Result<Option<&'a str>> {
    match (args.text(option)?, args.has("current")) {
        (Some(_), true) => bail!("--{option} and --current are mutually exclusive"),
        (None, false) => bail!("--{option} or --current is required"),
        (name, _) => Ok(name),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn doubled_commas_belong_to_values() {
        assert_eq!(spec_parts("vda,file=/x,,y,a=b"), ["vda", "file=/x,y", "a=b"]);
        assert_eq!(spec_parts(""), [""]);
    }

    #[test]
    fn descriptions_tell_time_and_parent() {
        let xml =
            "<domainsnapshot><parent><name>a</name></parent><creationTime>5</creationTime></domainsnapshot>";
        let moment = Moment::of("b", xml).unwrap();
        assert_eq!((moment.parent.as_deref(), moment.created), (Some("a"), Some(5)));
    }
}
