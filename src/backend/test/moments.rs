//! The moments of a domain: its snapshots, or its checkpoints, as a tree of names.

use super::definition;
use crate::error::{Error, Result};
use crate::xml::Element;

/// A snapshot or checkpoint.
pub(super) struct Moment {
    /// Its name.
    pub name: String,
    /// The name of the moment it came after.
    pub parent: Option<String>,
    /// All there is to know of it, less its parent.
    pub document: Element,
}

/// The moments of one kind that a domain has, in the order of their names.
#[derive(Default)]
pub(super) struct Moments {
    list: Vec<Moment>,
    /// The one that the domain's present state came from.
    pub current: Option<String>,
}

/// Which moments a listing shows, as the flags of a kind say it.
pub(super) struct Choice {
    /// Those without a parent.
    pub roots: bool,
    /// Those without children.
    pub leaves: bool,
    /// Those with children.
    pub no_leaves: bool,
    /// Parents before children.
    pub topological: bool,
    /// Grandchildren too.
    pub descendants: bool,
}

impl Moments {
    /// How many there are.
    pub fn count(&self) -> usize {
        self.list.len()
    }

    /// The moment of a name.
    pub fn find(&self, name: &str) -> Option<&Moment> {
        self.list.iter().find(|moment| moment.name == name)
    }

    /// The moments that came right after another, or after none.
    fn children<'a>(&'a self, name: Option<&'a str>) -> impl Iterator<Item = &'a Moment> {
        self.list.iter().filter(move |moment| moment.parent.as_deref() == name)
    }

    /// All that came after a moment, parents before children.
    fn descendants<'a>(&'a self, name: Option<&'a str>) -> Vec<&'a Moment> {
        let mut found = Vec::new();
        for child in self.children(name) {
            found.push(child);
            found.extend(self.descendants(Some(&child.name)));
        }
        found
    }

    /// The moments that `choice` shows, of all or of those after `from`.
    pub fn list<'a>(&'a self, from: Option<&'a str>, choice: &Choice) -> Vec<&'a Moment> {
        let deep = if from.is_some() { choice.descendants } else { !choice.roots };
        let mut found = match deep {
            true => self.descendants(from),
            false => self.children(from).collect(),
        };
        if !choice.topological {
            found.sort_by(|one, other| one.name.cmp(&other.name));
        }
        if choice.leaves != choice.no_leaves {
            found.retain(|moment| self.children(Some(&moment.name)).next().is_none() == choice.leaves);
        }
        found
    }

    /// Refuses a name that is taken.
    pub fn expect_free(&self, name: &str) -> Result<()> {
        match self.find(name) {
            Some(_) => Err(Error::operation_failed(format!("domain moment {name} already exists"))),
            None => Ok(()),
        }
    }

    /// Refuses a parent that is not there, or that comes after the moment itself.
    pub fn check_parent(&self, name: &str, parent: Option<&str>) -> Result<()> {
        let Some(parent) = parent else { return Ok(()) };
        if parent == name {
            return Err(Error::invalid_argument(format!("cannot set moment {name} as its own parent")));
        }
        let mut above = self.find(parent);
        if above.is_none() {
            let detail = format!("parent {parent} for moment {name} not found");
            return Err(Error::invalid_argument(detail));
        }
        while let Some(moment) = above {
            if moment.name == name {
                let detail = format!("parent {parent} would create cycle to {name}");
                return Err(Error::invalid_argument(detail));
            }
            above = moment.parent.as_deref().and_then(|parent| self.find(parent));
        }
        Ok(())
    }

    /// The document of the moment of a name, if there is one.
    pub fn earlier(&self, name: &str) -> Option<&Element> {
        self.find(name).map(|moment| &moment.document)
    }

    /// Adds a moment, in the place of one of the same name.
    pub fn put(&mut self, moment: Moment) {
        self.list.retain(|known| known.name != moment.name);
        let at = self.list.partition_point(|known| known.name < moment.name);
        self.list.insert(at, moment);
    }

    /// Takes one away; its children come after its parent then.
    pub fn remove(&mut self, name: &str) {
        let Some(at) = self.list.iter().position(|moment| moment.name == name) else {
            return;
        };
        let gone = self.list.remove(at);
        for moment in &mut self.list {
            if moment.parent.as_deref() == Some(name) {
                moment.parent = gone.parent.clone();
            }
        }
        if self.current.as_deref() == Some(name) {
            self.current = gone.parent;
        }
    }

    /// Takes all that came after a moment away, and the moment too if asked.
    pub fn remove_tree(&mut self, name: &str, itself: bool) {
        let names: Vec<String> = self.descendants(Some(name)).iter().map(|m| m.name.clone()).collect();
        if self.current.as_ref().is_some_and(|current| names.contains(current)) {
            self.current = Some(name.to_string());
        }
        self.list.retain(|moment| !names.contains(&moment.name));
        if itself {
            self.remove(name);
        }
    }

    /// The document of a moment with its parent in its place.
    pub fn document(&self, moment: &Moment) -> Element {
        let mut document = moment.document.clone();
        if let Some(parent) = &moment.parent {
            let parent = Element::new("parent").with_child(Element::new("name").with_text(parent));
            definition::insert_after(&mut document, parent, &["name", "description", "state"]);
        }
        document
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn moments() -> Moments {
        let mut moments = Moments::default();
        for (name, parent) in [("b", None), ("a", Some("b")), ("c", Some("a")), ("d", Some("b"))] {
            moments.put(Moment {
                name: name.to_string(),
                parent: parent.map(str::to_string),
                document: Element::new("x"),
            });
        }
        moments.current = Some("c".to_string());
        moments
    }

    fn names(moments: &Moments, from: Option<&str>, topological: bool, leaves: bool) -> String {
        let choice = Choice { roots: false, leaves, no_leaves: false, topological, descendants: true };
        moments.list(from, &choice).iter().map(|moment| moment.name.as_str()).collect()
    }

    #[test]
    fn a_tree_is_listed_and_pruned() {
        let mut tree = moments();
        assert_eq!(names(&tree, None, false, false), "abcd");
        assert_eq!(names(&tree, None, true, false), "bacd");
        assert_eq!(names(&tree, Some("a"), true, false), "c");
        assert_eq!(names(&tree, None, false, true), "cd");
        assert!(tree.check_parent("b", Some("c")).is_err());
        tree.remove("a");
        assert_eq!(tree.find("c").unwrap().parent.as_deref(), Some("b"));
        tree.remove_tree("b", false);
        assert_eq!((names(&tree, None, false, false).as_str(), tree.current.as_deref()), ("b", Some("b")));
    }
}
