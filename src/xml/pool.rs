//! Storage pools' XML in libvirt's canonical form.

use crate::error::{Error, Result};
use crate::xml::Element;
use crate::xml::shape::{
    Shape, invalid_attribute, is_empty, many, missing_attribute, one, shape, text, text_shape, yes_no,
};
use uuid::Uuid;

/// `<pool>` in libvirt's order.
pub static POOL: Shape = shape("pool").attributes(&[text("type")]).children(&[
    one(&NAME),
    one(&ID),
    one(&FEATURES),
    one(&SOURCE),
    one(&TARGET),
]);

static NAME: Shape = shape("name").with_text();
static ID: Shape = shape("uuid").with_text();
static FEATURES: Shape = shape("features").children(&[one(&COW)]).unless_empty();
static COW: Shape = shape("cow").attributes(&[yes_no("state")]);
static SOURCE: Shape = shape("source")
    .children(&[
        many(&HOST),
        many(&DEVICE),
        one(&DIRECTORY),
        one(&ADAPTER),
        one(&SOURCE_NAME),
        one(&INITIATOR),
        one(&FORMAT),
        one(&AUTHENTICATION),
        one(&PROTOCOL),
        one(&VENDOR),
        one(&PRODUCT),
    ])
    .after(|source| {
        if source.elements().next().is_none() {
            // Written with two tags, as libvirt writes it.
            source.set_text("\n");
        }
        Ok(())
    });
static HOST: Shape = shape("host").attributes(&[text("name"), text("port")]);
static DEVICE: Shape = shape("device").attributes(&[text("path"), yes_no("part_separator")]);
static DIRECTORY: Shape = shape("dir").attributes(&[text("path")]);
static ADAPTER: Shape = shape("adapter")
    .attributes(&[
        text("type"),
        text("name"),
        text("parent"),
        text("parent_wwnn"),
        text("parent_wwpn"),
        text("parent_fabric_wwn"),
        yes_no("managed"),
        text("wwnn"),
        text("wwpn"),
    ])
    .children(&[one(&PARENT_ADDRESS)]);
static PARENT_ADDRESS: Shape = shape("parentaddr").verbatim();
static SOURCE_NAME: Shape = text_shape("name");
static INITIATOR: Shape = shape("initiator").children(&[one(&IQN)]).unless_empty();
static IQN: Shape = shape("iqn").attributes(&[text("name")]);
static FORMAT: Shape = shape("format").attributes(&[text("type")]);
static AUTHENTICATION: Shape =
    shape("auth").attributes(&[text("type"), text("username")]).children(&[one(&SECRET)]);
static SECRET: Shape = shape("secret").attributes(&[text("type"), text("usage"), text("uuid")]);
static PROTOCOL: Shape = shape("protocol").attributes(&[text("ver")]);
static VENDOR: Shape = shape("vendor").attributes(&[text("name")]);
static PRODUCT: Shape = shape("product").attributes(&[text("name")]);
static TARGET: Shape = shape("target").children(&[one(&PATH), one(&PERMISSIONS)]).unless_empty();
static PATH: Shape = shape("path").with_text().unless_empty();
/// `<permissions>` of a pool or a volume.
pub static PERMISSIONS: Shape = shape("permissions")
    .children(&[one(&MODE), one(&OWNER), one(&GROUP), one(&LABEL)])
    .unless_empty()
    .after(settle_permissions);
static MODE: Shape = shape("mode").with_text().unless_empty();
static OWNER: Shape = shape("owner").with_text().unless_empty();
static GROUP: Shape = shape("group").with_text().unless_empty();
static LABEL: Shape = shape("label").with_text().unless_empty();

fn settle_permissions(permissions: &mut Element) -> Result<()> {
    if let Some(mode) = permissions.child_mut("mode") {
        let text = mode.text();
        let number = u32::from_str_radix(text.trim(), 8).ok().filter(|mode| *mode <= 0o777);
        let number = number.ok_or_else(|| Error::xml("malformed octal mode"))?;
        mode.set_text(format!("0{number:o}"));
    }
    for name in ["owner", "group"] {
        match permissions.child_text(name).map(|text| text.parse::<i64>()) {
            Some(Err(_)) => return Err(Error::xml(format!("malformed {name} element"))),
            // Minus one says that it stays as it is.
            Some(Ok(-1)) => permissions.remove(name),
            _ => {}
        }
    }
    Ok(())
}

/// What a type of pool needs and takes.
struct Kind {
    name: &'static str,
    formats: &'static [&'static str],
    needs: &'static [Need],
}

/// Something that a definition must have.
#[derive(Clone, Copy)]
enum Need {
    Host,
    Device,
    Directory,
    Adapter,
    Name,
    Initiator,
    TargetPath,
}

use Need::{Adapter, Device, Directory, Host, Initiator, Name, TargetPath};

/// All types; the first format of each is what is written when none is given.
const KINDS: &[Kind] = &[
    Kind { name: "dir", formats: &[], needs: &[TargetPath] },
    Kind {
        name: "fs",
        formats: &[
            "auto", "ext2", "ext3", "ext4", "ufs", "iso9660", "udf", "gfs", "gfs2", "vfat", "hfs+", "xfs",
            "ocfs2", "vmfs",
        ],
        needs: &[Device, TargetPath],
    },
    Kind {
        name: "netfs",
        formats: &["auto", "nfs", "glusterfs", "cifs"],
        needs: &[Host, Directory, TargetPath],
    },
    Kind { name: "logical", formats: &["lvm2", "unknown"], needs: &[] },
    Kind {
        name: "disk",
        formats: &["unknown", "dos", "dvh", "gpt", "mac", "bsd", "pc98", "sun", "lvm2"],
        needs: &[Device, TargetPath],
    },
    Kind { name: "iscsi", formats: &[], needs: &[Host, TargetPath] },
    Kind { name: "iscsi-direct", formats: &[], needs: &[Host, Initiator] },
    Kind { name: "scsi", formats: &[], needs: &[Adapter, TargetPath] },
    Kind { name: "mpath", formats: &[], needs: &[TargetPath] },
    Kind { name: "rbd", formats: &[], needs: &[Host, Name] },
    Kind { name: "sheepdog", formats: &[], needs: &[Host] },
    Kind { name: "gluster", formats: &[], needs: &[Host] },
    Kind { name: "zfs", formats: &[], needs: &[] },
    Kind { name: "vstorage", formats: &[], needs: &[TargetPath] },
];

/// Turns a pool's definition into its canonical form, or says why it cannot be one.
pub fn complete(tree: &mut Element) -> Result<()> {
    if tree.name != "pool" {
        let found = &tree.name;
        return Err(Error::xml(format!("expecting root element of 'pool', not '{found}'")));
    }
    let Some(kind) = tree.attribute("type") else {
        return Err(missing_attribute("pool", "type"));
    };
    let Some(kind) = KINDS.iter().find(|known| known.name == kind) else {
        return Err(invalid_attribute("pool", "type", kind));
    };
    settle_format(tree, kind)?;
    settle_name(tree)?;
    settle_id(tree)?;
    for need in kind.needs.iter().filter(|need| !matches!(need, TargetPath)) {
        check_need(tree, *need)?;
    }
    check_source(tree)?;
    settle_adapter(tree)?;
    settle_target(tree, kind)?;
    tree.child_or_new("source");
    POOL.conform(tree, &mut Vec::new())
}

fn settle_format(tree: &mut Element, kind: &Kind) -> Result<()> {
    let source = tree.child_or_new("source");
    let Some(default) = kind.formats.first() else {
        source.remove("format");
        return Ok(());
    };
    let format = source.child_attribute("format", "type").unwrap_or(default).to_string();
    if !kind.formats.contains(&format.as_str()) {
        return Err(Error::unsupported_configuration(format!("unknown pool format type {format}")));
    }
    if source.child("protocol").is_some() && format != "nfs" {
        let detail = format!("storage pool protocol ver unsupported for pool type '{format}'");
        return Err(Error::unsupported_configuration(detail));
    }
    source.child_or_new("format").set("type", format);
    Ok(())
}

fn source_name(tree: &Element) -> Option<String> {
    tree.child_string("source/name")
}

fn settle_name(tree: &mut Element) -> Result<()> {
    let given = tree.child_string("name");
    let Some(name) = given.or_else(|| source_name(tree)) else {
        return Err(Error::xml("missing pool source name element"));
    };
    if name.contains('/') {
        return Err(Error::xml(format!("name {name} cannot contain '/'")));
    }
    tree.child_or_new("name").set_text(name);
    Ok(())
}

fn settle_id(tree: &mut Element) -> Result<()> {
    let uuid = match tree.child_text("uuid") {
        None => Uuid::new_v4(),
        Some(text) => Uuid::try_parse(&text).map_err(|_| Error::xml("malformed uuid element"))?,
    };
    tree.child_or_new("uuid").set_text(uuid);
    Ok(())
}

fn check_need(tree: &Element, need: Need) -> Result<()> {
    let source = tree.child("source");
    let has = |child: &str, attribute: &str| {
        let found = source.and_then(|source| source.child_attribute(child, attribute));
        found.is_some_and(|value| !value.is_empty())
    };
    let missing = match need {
        Host => match source.is_some_and(|source| source.child("host").is_some()) {
            false => Some("missing storage pool source host name"),
            true if !has("host", "name") => Some("missing storage pool host name"),
            true => None,
        },
        Device => (!has("device", "path")).then_some("missing storage pool source device name"),
        Directory => (!has("dir", "path")).then_some("missing storage pool source path"),
        Adapter => {
            let adapter = source.and_then(|source| source.child("adapter"));
            adapter.is_none_or(is_empty).then_some("missing storage pool source adapter")
        }
        Name => source_name(tree).is_none().then_some("element 'name' is mandatory for RBD pool"),
        Initiator => {
            let named = source.and_then(|source| source.find("initiator/iqn")?.attribute("name"));
            return match named {
                Some(_) => Ok(()),
                None => Err(Error::unsupported_configuration("missing initiator IQN")),
            };
        }
        TargetPath => None,
    };
    match missing {
        Some(detail) => Err(Error::xml(detail)),
        None => Ok(()),
    }
}

/// Refuses a host's port that is no number, and an unknown way to log in.
fn check_source(tree: &Element) -> Result<()> {
    let Some(source) = tree.child("source") else {
        return Ok(());
    };
    let ports = source.children("host").filter_map(|host| host.attribute("port"));
    if let Some(port) = ports.into_iter().find(|port| port.parse::<i32>().is_err()) {
        let detail =
            format!("Invalid value for attribute 'port' in element 'host': '{port}'. Expected integer value");
        return Err(Error::xml(detail));
    }
    match source.child_attribute("auth", "type") {
        Some(kind) if !["none", "chap", "ceph"].contains(&kind) => {
            Err(Error::unsupported_configuration(format!("unknown auth type '{kind}'")))
        }
        _ => Ok(()),
    }
}

fn settle_adapter(tree: &mut Element) -> Result<()> {
    let source = tree.child_or_new("source");
    let Some(adapter) = source.child_mut("adapter") else {
        return Ok(());
    };
    match adapter.attribute("type") {
        None => adapter.set("type", "scsi_host"),
        Some("scsi_host") => {}
        Some("fc_host") => {
            if adapter.attribute("wwnn").is_none() || adapter.attribute("wwpn").is_none() {
                let detail = "'wwnn' and 'wwpn' must be specified for adapter type 'fchost'";
                return Err(Error::xml(detail));
            }
        }
        Some(kind) => return Err(invalid_attribute("adapter", "type", kind)),
    }
    Ok(())
}

/// A path without doubled and trailing slashes.
fn tidy_path(path: &str) -> String {
    let mut tidy = String::with_capacity(path.len());
    for c in path.chars() {
        if c != '/' || !tidy.ends_with('/') {
            tidy.push(c);
        }
    }
    if tidy.len() > 1 && tidy.ends_with('/') {
        tidy.pop();
    }
    tidy
}

fn settle_target(tree: &mut Element, kind: &Kind) -> Result<()> {
    let name = tree.child_string("name").unwrap_or_default();
    let made = match kind.name {
        "logical" | "zfs" => {
            let volumes = source_name(tree).unwrap_or(name);
            let source = tree.child_or_new("source");
            source.child_or_new("name").set_text(&volumes);
            Some(match kind.name {
                "zfs" => format!("/dev/zvol/{volumes}"),
                _ => format!("/dev/{volumes}"),
            })
        }
        _ => None,
    };
    let given = tree.child_string("target/path");
    let needed = kind.needs.iter().any(|need| matches!(need, TargetPath));
    match made.or(given) {
        Some(path) if made_for(kind, needed) => {
            let target = tree.child_or_new("target");
            target.child_or_new("path").set_text(tidy_path(&path));
        }
        Some(_) => tree.remove("target"),
        None if needed => return Err(Error::xml("missing storage pool target path")),
        None => tree.remove("target"),
    }
    Ok(())
}

/// Whether a type of pool has a place in the file system.
fn made_for(kind: &Kind, needed: bool) -> bool {
    needed || ["logical", "zfs"].contains(&kind.name)
}
