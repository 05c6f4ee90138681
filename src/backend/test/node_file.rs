//! Nodes that a file describes: `test:///FILE`.

use super::interfaces::InterfaceSet;
use super::networks::NetworkSet;
use super::node_devices::DeviceSet;
use super::pools::PoolSet;
use super::state::{self, Guest, State};
use super::{default_node, definition, moment_documents};
use crate::error::{Error, ErrorCode, Result};
use crate::model::NodeInfo;
use crate::model::constants::*;
use crate::xml::{self, Element};
use std::path::{Path, PathBuf};

/// The namespace in which a node file says what a domain's definition cannot.
const NAMESPACE: &str = "http://libvirt.org/schemas/domain/test/1.0";
/// The longest name of a CPU model.
const MODEL_MAX: usize = 31;

/// Reads the node that the file at `path` describes.
pub(super) fn state(path: &str) -> Result<State> {
    let root = read(Path::new(path))?;
    definition::expect_root(&root, "node")?;
    let folder = Path::new(path).parent().map(Path::to_path_buf).unwrap_or_default();
    let mut node = State::new(node_info(&root)?, &[]);
    let declared = root.attributes.iter().find(|(name, uri)| name.starts_with("xmlns:") && uri == NAMESPACE);
    for mut element in parts(&root, "domain", &folder)? {
        if let Some((name, uri)) = declared
            && element.attributes.iter().all(|(_, known)| known != uri)
        {
            element.set(name, uri);
        }
        add_domain(&mut node, element)?;
    }
    node.networks = NetworkSet::running(parts(&root, "network", &folder)?)?;
    node.interfaces = InterfaceSet::running(parts(&root, "interface", &folder)?)?;
    let mut pools = Vec::new();
    for mut pool in parts(&root, "pool", &folder)? {
        let volumes = parts(&pool, "volume", &folder)?;
        pool.remove("volume");
        pools.push((pool, volumes));
    }
    node.pools = PoolSet::running(pools)?;
    node.devices = DeviceSet::present(parts(&root, "device", &folder)?)?;
    Ok(node)
}

/// Reads a document.
fn read(path: &Path) -> Result<Element> {
    let name = path.display();
    let text = std::fs::read_to_string(path).map_err(|cause| match cause.raw_os_error() {
        Some(code) if code == nix::errno::Errno::EISDIR as i32 => {
            Error::system(format!("Failed to read file '{name}'"), &cause)
        }
        _ => Error::system(format!("Failed to open file '{name}'"), &cause),
    })?;
    xml::parse(&text, &name.to_string()).map_err(|mut error| {
        // A file's faults are told by its name.
        if let Some(rest) = error.message.strip_prefix("at line ") {
            error.message = format!("{name}:{rest}");
        }
        error
    })
}

/// The children of a name; those that only name a file are replaced by what is in it.
fn parts(root: &Element, name: &str, folder: &Path) -> Result<Vec<Element>> {
    let expand = |element: &Element| match element.attribute("file") {
        None => Ok(element.clone()),
        // A relative name is relative to the node file.
        Some(file) => read(&folder.join(PathBuf::from(file))),
    };
    root.children(name).map(expand).collect()
}

fn node_info(root: &Element) -> Result<NodeInfo> {
    let mut info = default_node::node_info();
    let Some(cpu) = root.child("cpu") else {
        return with_memory(info, root);
    };
    let number = |name: &str, old: i32| match cpu.child_text(name) {
        None => Ok(old),
        Some(text) => (text.parse::<u32>().ok().and_then(|number| i32::try_from(number).ok()))
            .ok_or_else(|| Error::xml(format!("invalid node cpu {name} value"))),
    };
    info.nodes = number("nodes", info.nodes)?;
    info.sockets = number("sockets", info.sockets)?;
    info.cores = number("cores", info.cores)?;
    info.threads = number("threads", info.threads)?;
    // Without a count of its own, every thread there can be is one.
    info.cpus = number("active", info.nodes * info.sockets * info.cores * info.threads)?;
    info.mhz = number("mhz", info.mhz)?;
    if let Some(model) = cpu.child_text("model") {
        if model.len() > MODEL_MAX {
            return Err(Error::internal(format!("Model {model} too big for destination")));
        }
        info.model = model;
    }
    with_memory(info, root)
}

fn with_memory(mut info: NodeInfo, root: &Element) -> Result<NodeInfo> {
    if let Some(text) = root.child_text("memory") {
        let memory = text.parse();
        info.memory = memory.map_err(|_| Error::xml("invalid node memory value"))?;
    }
    Ok(info)
}

/// What a node file says of a domain beside its definition.
struct Extras {
    run_state: i32,
    transient: bool,
    managed_save: bool,
}

/// Takes the elements of the test namespace out of a domain.
fn take_extras(tree: &mut Element) -> Result<(Extras, Vec<Element>)> {
    let mut extras = Extras { run_state: DOMAIN_RUNNING, transient: false, managed_save: false };
    let declaration = tree.attributes.iter().find(|(_, uri)| uri == NAMESPACE);
    let Some(prefix) = declaration.and_then(|(name, _)| name.strip_prefix("xmlns:")).map(str::to_string)
    else {
        return Ok((extras, Vec::new()));
    };
    let mut snapshots = Vec::new();
    let mine = format!("{prefix}:");
    for element in tree.elements() {
        let text = element.text();
        match element.name.strip_prefix(&mine) {
            Some("runstate") => {
                let number = text.trim().parse::<u32>();
                let number = number.map_err(|_| Error::xml("invalid runstate"))?;
                extras.run_state = i32::try_from(number).unwrap_or(i32::MAX);
                if extras.run_state > DOMAIN_PMSUSPENDED {
                    return Err(Error::xml(format!("runstate '{number}' out of range'")));
                }
            }
            Some("transient") => extras.transient = true,
            Some("hasmanagedsave") => extras.managed_save = true,
            Some("domainsnapshot") => {
                let mut snapshot = element.clone();
                snapshot.name = "domainsnapshot".to_string();
                snapshots.push(snapshot);
            }
            _ => {}
        }
    }
    tree.retain(|element| !element.name.starts_with(&mine));
    tree.unset(&format!("xmlns:{prefix}"));
    if extras.transient && extras.run_state == DOMAIN_SHUTOFF {
        return Err(Error::xml("transient domain cannot have runstate 'shutoff'"));
    }
    if extras.managed_save && extras.run_state != DOMAIN_SHUTOFF {
        return Err(Error::xml("domain with managedsave data can only have runstate 'shutoff'"));
    }
    Ok((extras, snapshots))
}

fn add_domain(node: &mut State, mut tree: Element) -> Result<()> {
    definition::expect_root(&tree, "domain")?;
    let (extras, snapshots) = take_extras(&mut tree)?;
    definition::complete(&mut tree)?;
    let uuid = definition::uuid_of(&tree).unwrap_or_default();
    if node.check_identity(&definition::name_of(&tree), uuid, false)?.is_some() {
        let detail = format!("domain with uuid {uuid} stands twice in the node file");
        return Err(Error::new(ErrorCode::OPERATION_FAILED, detail));
    }
    let mut guest = Guest::defined(tree);
    for document in snapshots {
        let answer = moment_documents::old_snapshot(&document, Some(uuid), None);
        let is_readable = answer.as_ref().err().is_none_or(moment_documents::lacks_definition);
        if is_readable && document.child("active").is_none() {
            return Err(Error::internal("Could not find 'active' element"));
        }
        let moment = answer?;
        guest.snapshots.check_parent(&moment.name, moment.parent.as_deref())?;
        if document.child_text("active").as_deref() == Some("1") {
            if guest.snapshots.current.is_some() {
                return Err(Error::internal("more than one snapshot claims to be active"));
            }
            guest.snapshots.current = Some(moment.name.clone());
        }
        guest.snapshots.put(moment);
    }
    guest.persistent = !extras.transient;
    guest.managed_save = extras.managed_save;
    if extras.run_state != DOMAIN_SHUTOFF {
        guest.start(node.take_id(), DOMAIN_RUNNING_UNKNOWN);
    }
    // Nobody knows the reason of a state that a file gives; zero says so for every state.
    guest.state = state::state(extras.run_state, 0);
    node.guests.push(guest);
    Ok(())
}
