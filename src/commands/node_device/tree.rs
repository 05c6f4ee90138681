//! Names drawn as a tree, each under its parent. Snapshots and checkpoints are drawn the same way.

/// Draws the names whose parents are given beside them; what has no parent in the list is a root.
pub(in crate::commands) fn draw(names: &[String], parents: &[Option<String>]) -> String {
    let mut tree = Tree { names, children: vec![Vec::new(); names.len()], out: String::new() };
    let mut roots = Vec::new();
    for (number, parent) in parents.iter().enumerate() {
        let above = parent.as_ref().and_then(|parent| names.iter().position(|name| name == parent));
        match above {
            Some(above) if above != number => tree.children[above].push(number),
            _ => roots.push(number),
        }
    }
    for root in roots {
        tree.root(root);
    }
    tree.out
}

struct Tree<'a> {
    names: &'a [String],
    children: Vec<Vec<usize>>,
    out: String,
}

impl Tree<'_> {
    fn root(&mut self, root: usize) {
        self.out.push_str(&format!("{}\n", self.names[root]));
        self.below(root, "");
        if self.children[root].is_empty() {
            self.out.push('\n');
        }
    }

    /// What is below a name, each line behind `indent`. Only an entry of the list can be below another, and each
    /// has one parent, so the depth is that of the tree.
    fn below(&mut self, above: usize, indent: &str) {
        let children = self.children[above].clone();
        if !children.is_empty() {
            self.out.push_str(&format!("{indent}  |\n"));
        }
        for (place, child) in children.iter().enumerate() {
            let last = place + 1 == children.len();
            self.out.push_str(&format!("{indent}  +- {}\n", self.names[*child]));
            let next = format!("{indent}  {}", if last { "  " } else { "| " });
            self.below(*child, &next);
            if last && self.children[*child].is_empty() {
                self.out.push_str(&format!("{next}\n"));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn branches_are_drawn_to_their_ends() {
        let names = ["computer", "a", "b", "c"].map(str::to_string);
        let parents =
            [None, Some("computer"), Some("a"), Some("computer")].map(|parent| parent.map(str::to_string));
        assert_eq!(
            draw(&names, &parents),
            "computer\n  |\n  +- a\n  |   |\n  |   +- b\n  |     \n  +- c\n    \n"
        );
        assert_eq!(draw(&names[..1], &parents[..1]), "computer\n\n");
    }
}
