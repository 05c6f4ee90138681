//! Title, description and custom metadata of a definition; the same for domains and networks.

use super::definition::insert_after;
use crate::error::{Error, ErrorCode, Result};
use crate::model::constants::*;
use crate::xml::{self, Element, Node};

/// Reads a title, a description, or the element of a namespace.
pub(super) fn read(tree: &Element, kind: i32, uri: Option<&str>, missing: ErrorCode) -> Result<String> {
    match kind {
        DOMAIN_METADATA_DESCRIPTION => (tree.child("description").map(Element::text))
            .ok_or_else(|| Error::new(missing, "Requested metadata element is not present")),
        DOMAIN_METADATA_TITLE => (tree.child("title").map(Element::text))
            .ok_or_else(|| Error::new(missing, "Requested metadata element is not present")),
        DOMAIN_METADATA_ELEMENT => {
            let uri = uri.unwrap_or_default();
            let held = tree.child("metadata").into_iter().flat_map(Element::elements);
            let mut found = held.filter(|element| namespace_of(element) == Some(uri));
            let found = found.next().map(without_namespace);
            found
                .map(|element| element.to_plain_string())
                .ok_or_else(|| Error::new(missing, "Requested metadata element is not present"))
        }
        _ => Err(Error::invalid_argument("unknown metadata type")),
    }
}

/// Sets a title, a description, or the element of a namespace; `None` takes it away.
pub(super) fn write(
    tree: &mut Element,
    kind: i32,
    metadata: Option<&str>,
    key: Option<&str>,
    uri: Option<&str>,
) -> Result<()> {
    match kind {
        DOMAIN_METADATA_DESCRIPTION => write_text(tree, "description", metadata),
        DOMAIN_METADATA_TITLE => write_text(tree, "title", metadata),
        DOMAIN_METADATA_ELEMENT => {
            let uri = uri.unwrap_or_default();
            let new = match metadata {
                Some(text) => Some(with_namespace(text, key.unwrap_or_default(), uri)?),
                None => None,
            };
            if tree.child("metadata").is_none() {
                let before = ["name", "uuid", "genid", "title", "description"];
                insert_after(tree, Element::new("metadata"), &before);
            }
            let held = tree.child_or_new("metadata");
            held.retain(|element| namespace_of(element) != Some(uri));
            if let Some(new) = new {
                held.push(new);
            }
            if held.elements().next().is_none() {
                tree.remove("metadata");
            }
        }
        _ => return Err(Error::invalid_argument("unknown metadata type")),
    }
    Ok(())
}

fn write_text(tree: &mut Element, name: &str, text: Option<&str>) {
    match text {
        None | Some("") => tree.remove(name),
        Some(text) => match tree.child_mut(name) {
            Some(element) => element.set_text(text),
            None => {
                let before: &[&str] = match name {
                    "title" => &["name", "uuid", "genid"],
                    _ => &["name", "uuid", "genid", "title"],
                };
                insert_after(tree, Element::new(name).with_text(text), before);
            }
        },
    }
}

/// The namespace of an element that declares its own.
fn namespace_of(element: &Element) -> Option<&str> {
    match element.name.split_once(':') {
        Some((prefix, _)) => element.attribute(&format!("xmlns:{prefix}")),
        None => element.attribute("xmlns"),
    }
}

/// The element as a client gets it: without prefixes and the declaration that made them.
fn without_namespace(element: &Element) -> Element {
    let Some((prefix, _)) = element.name.split_once(':') else {
        return element.clone();
    };
    let mut plain = element.clone();
    plain.unset(&format!("xmlns:{prefix}"));
    rename(&mut plain, &|name| {
        name.strip_prefix(prefix).and_then(|rest| rest.strip_prefix(':')).unwrap_or(name).to_string()
    });
    plain
}

/// The element of a text, its names put into the namespace `uri` under the prefix `key`.
fn with_namespace(text: &str, key: &str, uri: &str) -> Result<Element> {
    let mut element =
        xml::parse(text, "metadata_xml").map_err(|error| Error::new(ErrorCode::XML_DETAIL, error.message))?;
    rename(&mut element, &|name| match name.contains(':') {
        true => name.to_string(),
        false => format!("{key}:{name}"),
    });
    let declaration = (format!("xmlns:{key}"), uri.to_string());
    // Declarations stand before other attributes, the newest last.
    let is_declaration = |(name, _): &(String, String)| name == "xmlns" || name.starts_with("xmlns:");
    let at = element.attributes.iter().take_while(|&attribute| is_declaration(attribute)).count();
    element.attributes.insert(at, declaration);
    Ok(element)
}

fn rename(element: &mut Element, new_name: &impl Fn(&str) -> String) {
    element.name = new_name(&element.name);
    for node in &mut element.nodes {
        if let Node::Element(child) = node {
            rename(child, new_name);
        }
    }
}
