//! `<metadata>`: what applications keep in a definition, one element a namespace, untouched.

use crate::xml::{Element, Node};
use std::collections::HashSet;

/// Keeps the first element of each namespace; elements without one are not metadata.
pub fn tidy(tree: &mut Element) {
    let inherited: Vec<(String, String)> = namespaces(tree).collect();
    tree.attributes.retain(|(name, _)| !name.starts_with("xmlns"));
    let Some(metadata) = tree.child_mut("metadata") else {
        return;
    };
    if metadata.elements().next().is_none() {
        tree.remove("metadata");
        return;
    }
    let outer: Vec<(String, String)> = inherited.into_iter().chain(namespaces(metadata)).collect();
    let mut seen = HashSet::new();
    metadata.nodes.retain_mut(|node| match node {
        Node::Element(child) => match namespace(child, &outer) {
            Some(address) => {
                declare(child, &address);
                seen.insert(address)
            }
            None => false,
        },
        Node::Text(_) => false,
    });
    metadata.attributes.clear();
}

fn namespaces(element: &Element) -> impl Iterator<Item = (String, String)> {
    element.attributes.iter().filter(|(name, _)| name == "xmlns" || name.starts_with("xmlns:")).cloned()
}

fn declaration(element: &Element) -> String {
    match element.name.split_once(':') {
        Some((prefix, _)) => format!("xmlns:{prefix}"),
        None => "xmlns".to_string(),
    }
}

/// The namespace of an element of the metadata.
fn namespace(element: &Element, outer: &[(String, String)]) -> Option<String> {
    let wanted = declaration(element);
    let own = element.attribute(&wanted).map(str::to_string);
    own.or_else(|| {
        let found = outer.iter().rev().find(|(name, _)| *name == wanted);
        found.map(|(_, address)| address.clone())
    })
}

/// Lets an element that inherited its namespace declare it itself.
fn declare(element: &mut Element, address: &str) {
    let wanted = declaration(element);
    if element.attribute(&wanted).is_none() {
        element.attributes.insert(0, (wanted, address.to_string()));
    }
}
