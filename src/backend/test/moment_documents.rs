//! The documents of snapshots and checkpoints: read, checked against their domain, and completed.

use super::definition;
use super::moments::{Moment, Moments};
use super::now;
use crate::error::{Error, ErrorCode, Result};
use crate::xml::{self, Element};
use uuid::Uuid;

/// The states that a snapshot can have.
const STATES: [&str; 6] = ["running", "paused", "shutoff", "crashed", "pmsuspended", "disk-snapshot"];

fn text(document: &Element, path: &str) -> Option<String> {
    document.child_text(path).filter(|text| !text.is_empty())
}

fn one(name: &str, text: impl ToString) -> Element {
    Element::new(name).with_text(text)
}

/// The name that a document of something made earlier must give.
fn expect_name(document: &Element, what: &str) -> Result<()> {
    match text(document, "name") {
        Some(_) => Ok(()),
        None => Err(Error::xml(format!("a redefined {what} must have a name"))),
    }
}

/// The name that a document gives, or the present second.
fn name_of(document: &Element) -> String {
    text(document, "name").unwrap_or_else(|| now().0.to_string())
}

/// The definition that a moment keeps: the domain as it is, less what only running domains have.
fn kept(tree: &Element) -> Element {
    let mut kept = tree.clone();
    kept.unset("id");
    kept
}

/// A snapshot's document for a domain in this state, `disks` checked against the domain's.
pub(super) fn new_snapshot(document: &Element, tree: &Element, state: &str) -> Result<Moment> {
    let memory = document.child("memory");
    let memory_kind = memory_kind(memory, state)?;
    let name = name_of(document);
    let mut complete = Element::new("domainsnapshot").with_child(one("name", &name));
    if let Some(description) = text(document, "description") {
        complete.push(one("description", description));
    }
    complete.push(one("state", state));
    complete.push(one("creationTime", now().0));
    let mut kept_memory = Element::new("memory").with("snapshot", memory_kind);
    if let Some(file) = memory.and_then(|memory| memory.attribute("file")) {
        kept_memory.set("file", file);
    }
    complete.push(kept_memory);
    let told = memory.and_then(|memory| memory.attribute("snapshot"));
    let external = told == Some("external") || memory_kind == "external";
    let kind = if external { "external" } else { "internal" };
    push_disks(&mut complete, snapshot_disks(document, tree, kind)?);
    complete.push(kept(tree));
    Ok(Moment { name, parent: None, document: complete })
}

/// Where a snapshot keeps the memory.
fn memory_kind(memory: Option<&Element>, state: &str) -> Result<&'static str> {
    let (kind, file) = match memory {
        Some(memory) => (memory.attribute("snapshot"), memory.attribute("file")),
        None => (None, None),
    };
    match (kind, file) {
        // A file says by itself that the memory goes there.
        (None | Some("external"), Some(file)) if !file.starts_with('/') => {
            Err(Error::xml(format!("memory snapshot file path ({file}) must be absolute")))
        }
        (None | Some("external"), Some(_)) => Ok("external"),
        (Some("external"), None) => Err(Error::xml("external memory snapshots require a filename")),
        (Some("internal" | "no"), Some(file)) => {
            Err(Error::xml(format!("memory filename '{file}' requires external snapshot")))
        }
        (Some(kind), _) if !["no", "internal", "external"].contains(&kind) => {
            let detail = format!("Invalid value for attribute 'snapshot' in element 'memory': '{kind}'.");
            Err(Error::xml(detail))
        }
        _ => Ok(if state == "shutoff" { "no" } else { "internal" }),
    }
}

fn push_disks(document: &mut Element, disks: Vec<Element>) {
    if disks.is_empty() {
        return;
    }
    let mut element = Element::new("disks");
    disks.into_iter().for_each(|disk| element.push(disk));
    document.push(element);
}

/// The disks that a document asks something of, each with its target; every name must be a disk of the domain.
fn requests<'a>(
    document: &'a Element,
    tree: &Element,
    attribute: &str,
    what: &str,
) -> Result<Vec<(String, Option<&'a str>, &'a Element)>> {
    let disks: Vec<&Element> = definition::devices(tree, "disk").collect();
    let asked: Vec<&Element> =
        document.child("disks").into_iter().flat_map(|disks| disks.children("disk")).collect();
    if asked.len() > disks.len() {
        let detail = format!("too many disk {what} requests for domain");
        return Err(Error::unsupported_configuration(detail));
    }
    let mut found: Vec<(String, Option<&str>, &Element)> = Vec::new();
    for disk in asked {
        let Some(name) = disk.attribute("name") else {
            return Err(Error::internal(format!("missing name from disk {what} element")));
        };
        let Some(known) = super::stats::find_disk(tree, name) else {
            return Err(Error::unsupported_configuration(format!("no disk named '{name}'")));
        };
        let target = known.child_attribute("target", "dev").unwrap_or_default().to_string();
        if found.iter().any(|(earlier, _, _)| *earlier == target) {
            let detail = format!("disk '{target}' specified twice");
            return Err(Error::unsupported_configuration(detail));
        }
        found.push((target, disk.attribute(attribute), disk));
    }
    Ok(found)
}

/// Every disk of the domain and how the snapshot takes it: without a word on it as the rest, readable-only never.
fn snapshot_disks(document: &Element, tree: &Element, kind: &str) -> Result<Vec<Element>> {
    let asked = document.child("disks").into_iter().flat_map(|disks| disks.children("disk"));
    for value in asked.filter_map(|disk| disk.attribute("snapshot")) {
        if !["no", "internal", "external", "manual"].contains(&value) {
            let detail = format!("Invalid value for attribute 'snapshot' in element 'disk': '{value}'.");
            return Err(Error::xml(detail));
        }
    }
    let requests = requests(document, tree, "snapshot", "snapshot")?;
    let mut disks = Vec::new();
    for disk in definition::devices(tree, "disk") {
        let target = disk.child_attribute("target", "dev").unwrap_or_default();
        let request = requests.iter().find(|(name, _, _)| name == target);
        let own = match (disk.attribute("snapshot"), disk.child("readonly")) {
            (Some(own), _) => own,
            (None, Some(_)) => "no",
            (None, None) if super::stats::source_of(disk).is_none() => "no",
            (None, None) => kind,
        };
        // Who names a new file wants it to be used.
        let named = request.is_some_and(|(_, _, request)| request.child("source").is_some());
        let own = if named { "external" } else { own };
        let wanted = request.and_then(|(_, wanted, _)| *wanted).unwrap_or(own);
        if own != "no" && wanted != kind {
            let detail = format!("disk '{target}' must use snapshot mode '{kind}'");
            return Err(Error::unsupported_configuration(detail));
        }
        let mut element = Element::new("disk").with("name", target).with("snapshot", wanted);
        if wanted == "external" {
            let source = request.and_then(|(_, _, request)| request.child("source"));
            let Some(source) = source else {
                let detail = format!(
                    "source for disk '{target}' is not a regular file; refusing to generate external \
                     snapshot name"
                );
                return Err(Error::unsupported_configuration(detail));
            };
            let kind = request.and_then(|(_, _, request)| request.attribute("type"));
            element.set("type", kind.unwrap_or("file"));
            element.push(source.clone());
        }
        disks.push(element);
    }
    Ok(disks)
}

/// The second that a document of something made earlier must give.
fn created(document: &Element) -> Option<String> {
    text(document, "creationTime").filter(|text| text.parse::<i64>().is_ok())
}

/// Whether a snapshot of this state has no memory.
fn is_offline(state: &str) -> bool {
    state == "shutoff" || state == "disk-snapshot"
}

/// The definition that a snapshot made earlier kept; one that is known already lends its own.
fn kept_definition(
    document: &Element,
    earlier: Option<&Element>,
    state: &str,
    name: &str,
) -> Result<Element> {
    // One without a type is none.
    let given = document.child("domain").filter(|domain| domain.attribute("type").is_some());
    let mut given = given.cloned();
    if let Some(given) = &mut given {
        definition::complete_without_names(given)?;
    }
    let known = earlier.and_then(|earlier| earlier.child("domain"));
    let before = earlier.and_then(|earlier| text(earlier, "state"));
    if before.is_some_and(|before| is_offline(&before) != is_offline(state)) {
        let detail = format!("cannot change between online and offline snapshot state in snapshot {name}");
        return Err(Error::invalid_argument(detail));
    }
    match (given, known) {
        (Some(given), Some(known)) => {
            xml::domain::stability::check(known, &given)?;
            Ok(given)
        }
        (Some(given), None) => Ok(given),
        (None, Some(known)) => Ok(known.clone()),
        (None, None) => Err(Error::internal(NO_DEFINITION)),
    }
}

/// What a snapshot made earlier is told when nobody knows its definition.
const NO_DEFINITION: &str = "missing domain in snapshot";

/// Whether a snapshot's document was refused for its definition only, which is looked for last.
pub(super) fn lacks_definition(error: &Error) -> bool {
    error.message.ends_with(NO_DEFINITION)
}

/// Checks the document of a snapshot that was made earlier, and completes it; `known` are those there are.
pub(super) fn old_snapshot(
    document: &Element,
    uuid: Option<Uuid>,
    known: Option<&Moments>,
) -> Result<Moment> {
    expect_name(document, "snapshot")?;
    let Some(created) = created(document) else {
        return Err(Error::internal("missing creationTime from existing snapshot"));
    };
    let Some(state) = text(document, "state") else {
        return Err(Error::xml("missing state from existing snapshot"));
    };
    if !STATES.contains(&state.as_str()) {
        let detail = format!("Invalid state '{state}' in domain snapshot XML");
        return Err(Error::unsupported_configuration(detail));
    }
    let name = name_of(document);
    let offline = is_offline(&state);
    let memory = document.child("memory");
    let kind = memory_kind(memory, if offline { "shutoff" } else { "running" })?;
    let told = memory.and_then(|memory| memory.attribute("snapshot"));
    if offline && told.is_some_and(|told| told != "no") {
        return Err(Error::xml("memory state cannot be saved with offline or disk-only snapshot"));
    }
    let parent = text(document, "parent/name");
    if let Some(known) = known {
        known.check_parent(&name, parent.as_deref())?;
    }
    let earlier = known.and_then(|known| known.earlier(&name));
    let domain = kept_definition(document, earlier, &state, &name)?;
    if let (Some(wanted), Some(found)) = (uuid, definition::uuid_of(&domain)) {
        if wanted != found {
            let detail = format!("definition for snapshot {name} must use uuid {wanted}");
            return Err(Error::invalid_argument(detail));
        }
    }
    let mut complete = Element::new("domainsnapshot").with_child(one("name", &name));
    if let Some(description) = text(document, "description") {
        complete.push(one("description", description));
    }
    complete.push(one("state", &state));
    complete.push(one("creationTime", created));
    let mut memory_element = Element::new("memory").with("snapshot", told.unwrap_or(kind));
    if let Some(file) = memory.and_then(|memory| memory.attribute("file")) {
        memory_element.set("file", file);
    }
    complete.push(memory_element);
    let external = state == "disk-snapshot" || told == Some("external");
    let kind = if external { "external" } else { "internal" };
    if document.child("disks").is_some() {
        push_disks(&mut complete, snapshot_disks(document, &domain, kind)?);
    } else if let Some(disks) = earlier.and_then(|earlier| earlier.child("disks")) {
        complete.push(disks.clone());
    }
    complete.push(domain);
    Ok(Moment { name, parent, document: complete })
}

/// The refusal of a checkpoint's document, whose form is always checked.
fn not_valid(detail: &str) -> Error {
    let schema = "/usr/share/libvirt/schemas/domaincheckpoint.rng";
    let detail = format!("Unable to validate doc against {schema}\n{detail}\n");
    Error::new(ErrorCode::XML_INVALID_SCHEMA, detail)
}

/// Whether a disk may be called so: by its target, or by its source's path.
fn is_disk_name(name: &str) -> bool {
    let prefixes = ["fd", "hd", "sd", "vd", "xvd", "ubd"];
    let rest = prefixes.iter().find_map(|prefix| name.strip_prefix(prefix));
    let target = rest
        .is_some_and(|rest| !rest.is_empty() && rest.chars().all(|c| c.is_ascii_alphanumeric() || c == '_'));
    target || name.starts_with('/')
}

/// A checkpoint's document; `old` says that it was made earlier.
pub(super) fn checkpoint(document: &Element, tree: &Element, old: bool, known: &Moments) -> Result<Moment> {
    if old {
        expect_name(document, "checkpoint")?;
    }
    let name = name_of(document);
    if name.contains('/') {
        return Err(not_valid("Element name may not hold a slash"));
    }
    let asked = document.child("disks").into_iter().flat_map(|disks| disks.children("disk"));
    if !{ asked }.all(|disk| disk.attribute("name").is_some_and(is_disk_name)) {
        return Err(not_valid(
            "Extra element disks in interleave\nElement domaincheckpoint failed to validate content",
        ));
    }
    if text(document, "creationTime").is_some() && created(document).is_none() {
        return Err(not_valid("Element creationTime failed to validate content"));
    }
    let created = match (old, created(document)) {
        (false, _) => now().0.to_string(),
        (true, Some(created)) => created,
        (true, None) => {
            return Err(Error::internal("missing creationTime from existing checkpoint"));
        }
    };
    if old {
        known.check_parent(&name, text(document, "parent/name").as_deref())?;
    }
    let domain = match (old, document.child("domain")) {
        (false, _) => kept(tree),
        (true, Some(domain)) => {
            let mut domain = domain.clone();
            definition::complete_without_names(&mut domain)?;
            domain
        }
        (true, None) => return Err(Error::internal("missing domain in checkpoint")),
    };
    let (wanted, found) = (definition::uuid_of(tree), definition::uuid_of(&domain));
    if let (Some(wanted), true) = (wanted, wanted != found) {
        let detail = format!("definition for checkpoint {name} must use uuid {wanted}");
        return Err(Error::invalid_argument(detail));
    }
    let mut complete = Element::new("domaincheckpoint").with_child(one("name", &name));
    if let Some(description) = text(document, "description") {
        complete.push(one("description", description));
    }
    complete.push(one("creationTime", created));
    push_disks(&mut complete, checkpoint_disks(document, &domain, &name)?);
    complete.push(domain);
    let parent = text(document, "parent/name").filter(|_| old);
    Ok(Moment { name, parent, document: complete })
}

/// Every disk of the domain and its bitmap: of all if none is named, else only of those that are.
fn checkpoint_disks(document: &Element, tree: &Element, name: &str) -> Result<Vec<Element>> {
    let requests = requests(document, tree, "checkpoint", "checkpoint")?;
    let mut disks = Vec::new();
    for disk in definition::devices(tree, "disk") {
        let target = disk.child_attribute("target", "dev").unwrap_or_default();
        let request = requests.iter().find(|(name, _, _)| name == target);
        let empty = super::stats::source_of(disk).is_none() || disk.child("readonly").is_some();
        let wanted = match request {
            Some((_, wanted, _)) => wanted.unwrap_or("bitmap"),
            None if empty || !requests.is_empty() => "no",
            None => "bitmap",
        };
        let named = request.is_some_and(|(_, _, request)| request.attribute("bitmap").is_some());
        if !["no", "bitmap"].contains(&wanted) || wanted == "no" && named {
            return Err(not_valid("Extra element disks in interleave"));
        }
        let mut element = Element::new("disk").with("name", target).with("checkpoint", wanted);
        if wanted == "bitmap" {
            let bitmap = request.and_then(|(_, _, request)| request.attribute("bitmap"));
            element.set("bitmap", bitmap.unwrap_or(name));
        }
        disks.push(element);
    }
    Ok(disks)
}

/// Reads a document of a moment.
pub(super) fn read(text: &str, root: &str) -> Result<Element> {
    let document = xml::parse(text, &format!("{root}_definition"))?;
    definition::expect_root(&document, root)?;
    Ok(document)
}

/// The document as a client sees it: secrets only if asked for, the domain only if wanted.
pub(super) fn show(mut document: Element, secrets: bool, domain: bool) -> String {
    if !domain {
        document.remove("domain");
    }
    if let Some(domain) = document.child_mut("domain") {
        *domain = definition::shown(domain, None, secrets, 1);
    }
    document.to_string()
}
