//! Title, description and the elements people keep in a definition.

use super::QemuConnection;
use super::change::{edit_config, edit_live, impact};
use crate::error::{Error, ErrorCode, ErrorOrigin, Result};
use crate::model::DomainRef;
use crate::model::constants::*;
use crate::model::event::DomainEvent;
use crate::xml::{Element, Node};

/// Reads a title, a description or the element of a namespace.
pub fn read(tree: &Element, kind: i32, uri: Option<&str>) -> Result<String> {
    let none =
        |words: &str| Error::new(ErrorCode::NO_DOMAIN_METADATA, words).from_origin(ErrorOrigin::DOMAIN);
    match kind {
        DOMAIN_METADATA_DESCRIPTION => tree
            .child("description")
            .map(Element::text)
            .ok_or_else(|| none("Requested metadata element is not present")),
        DOMAIN_METADATA_TITLE => tree
            .child("title")
            .map(Element::text)
            .ok_or_else(|| none("Requested metadata element is not present")),
        DOMAIN_METADATA_ELEMENT => {
            let elements = tree.child("metadata").into_iter().flat_map(Element::elements);
            let mut ours = elements.filter(|element| namespace(element) == uri);
            let mut found =
                ours.next().cloned().ok_or_else(|| none("Requested metadata element is not present"))?;
            strip_prefix(&mut found);
            Ok(found.to_plain_string())
        }
        _ => Err(Error::invalid_argument("unknown metadata type").from_origin(ErrorOrigin::DOMAIN)),
    }
}

/// The namespace an element is in, by its own declaration.
fn namespace(element: &Element) -> Option<&str> {
    match element.name.split_once(':') {
        Some((prefix, _)) => element.attribute(&format!("xmlns:{prefix}")),
        None => element.attribute("xmlns"),
    }
}

/// Shows an element as it was given: without the prefix and the declaration it got when it was put in.
fn strip_prefix(element: &mut Element) {
    let Some((prefix, _)) = element.name.split_once(':') else {
        return;
    };
    let prefix = prefix.to_string();
    element.unset(&format!("xmlns:{prefix}"));
    rename(element, &|name| name.strip_prefix(&format!("{prefix}:")).unwrap_or(name).to_string());
}

fn rename(element: &mut Element, change: &dyn Fn(&str) -> String) {
    element.name = change(&element.name);
    element.elements_mut().for_each(|child| rename(child, change));
}

/// Changes a title, a description or the element of a namespace; `None` takes it away.
fn write(
    tree: &mut Element,
    kind: i32,
    value: Option<&str>,
    key: Option<&str>,
    uri: Option<&str>,
) -> Result<()> {
    let name = match kind {
        DOMAIN_METADATA_DESCRIPTION => "description",
        DOMAIN_METADATA_TITLE => "title",
        DOMAIN_METADATA_ELEMENT => return write_element(tree, value, key, uri),
        _ => {
            return Err(Error::invalid_argument("unknown metadata type").from_origin(ErrorOrigin::DOMAIN));
        }
    };
    if kind == DOMAIN_METADATA_TITLE && value.is_some_and(|value| value.contains('\n')) {
        return Err(Error::invalid_argument("metadata title can't contain newlines"));
    }
    match value.filter(|value| !value.is_empty()) {
        None => tree.remove(name),
        Some(value) => match tree.child_mut(name) {
            Some(element) => element.set_text(value),
            None => {
                let before: &[&str] = if kind == DOMAIN_METADATA_TITLE {
                    &["name", "uuid", "genid"]
                } else {
                    &["name", "uuid", "genid", "title"]
                };
                insert_after(tree, before, Element::new(name).with_text(value));
            }
        },
    }
    Ok(())
}

/// Puts a child behind the last of those that come before it.
fn insert_after(tree: &mut Element, before: &[&str], child: Element) {
    let is_before = |node: &Node| matches!(node, Node::Element(e) if before.contains(&e.name.as_str()));
    let at = tree.nodes.iter().rposition(is_before).map_or(0, |at| at + 1);
    tree.nodes.insert(at, Node::Element(child));
}

fn write_element(
    tree: &mut Element,
    value: Option<&str>,
    key: Option<&str>,
    uri: Option<&str>,
) -> Result<()> {
    let uri = uri.ok_or_else(|| Error::invalid_argument("a metadata element needs a namespace"))?;
    let mut new = value.map(|value| crate::xml::parse(value, "metadata_xml")).transpose()?;
    if let Some(new) = &mut new {
        let key =
            key.ok_or_else(|| Error::invalid_argument("a metadata element needs a namespace prefix"))?;
        rename(new, &|name| format!("{key}:{name}"));
        new.attributes.insert(0, (format!("xmlns:{key}"), uri.to_string()));
    }
    if tree.child("metadata").is_none() {
        if new.is_none() {
            return Ok(());
        }
        insert_after(tree, &["name", "uuid", "genid", "title", "description"], Element::new("metadata"));
    }
    let Some(metadata) = tree.child_mut("metadata") else {
        return Ok(());
    };
    metadata.retain(|element| namespace(element) != Some(uri));
    if let Some(new) = new {
        metadata.push(new);
    }
    if metadata.elements().next().is_none() {
        tree.remove("metadata");
    }
    Ok(())
}

impl QemuConnection {
    /// Changes metadata and tells watchers.
    pub(super) fn change_metadata(
        &self,
        domain: &DomainRef,
        kind: i32,
        value: Option<&str>,
        key: Option<&str>,
        uri: Option<&str>,
        flags: u32,
    ) -> Result<()> {
        let guest = self.find(domain)?;
        let _turn = guest.jobs.take_turn("virDomainSetMetadata")?;
        let impact = impact(&guest.lock(), flags)?;
        if impact.live {
            edit_live(self.inventory(), &guest, |tree| write(tree, kind, value, key, uri))?;
        }
        if impact.config {
            edit_config(self.inventory(), &guest, |tree| write(tree, kind, value, key, uri))?;
        }
        let event = DomainEvent::MetadataChange { kind, uri: uri.map(str::to_string) };
        self.inventory().tell(guest.lock().reference(), event);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_put_in_comes_out_and_goes() {
        let mut tree = crate::xml::parse("<domain><name>a</name><vcpu>1</vcpu></domain>", "x").unwrap();
        let uri = Some("http://a/b");
        write(&mut tree, DOMAIN_METADATA_TITLE, Some("t"), None, None).unwrap();
        write(&mut tree, DOMAIN_METADATA_ELEMENT, Some("<x><y/></x>"), Some("k"), uri).unwrap();
        assert_eq!(read(&tree, DOMAIN_METADATA_ELEMENT, uri).unwrap(), "<x>\n  <y/>\n</x>");
        assert_eq!(
            tree.to_string(),
            "<domain>\n  <name>a</name>\n  <title>t</title>\n  <metadata>\n    <k:x xmlns:k=\"http://a/b\">\n      <k:y/>\n    </k:x>\n  </metadata>\n  <vcpu>1</vcpu>\n</domain>\n"
        );
        write(&mut tree, DOMAIN_METADATA_ELEMENT, None, None, uri).unwrap();
        assert!(read(&tree, DOMAIN_METADATA_ELEMENT, uri).is_err() && tree.child("metadata").is_none());
        assert!(write(&mut tree, DOMAIN_METADATA_TITLE, Some("a\nb"), None, None).is_err());
    }
}
