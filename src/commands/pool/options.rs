//! The element `pool` that the options of pool-create-as and pool-define-as describe.

use crate::shell::args::Args;
use crate::xml::Element;
use anyhow::Result;

/// What names the parent of a virtual adapter, by options and attributes.
const PARENTS: [(&str, &str); 4] = [
    ("adapter-parent", "parent"),
    ("adapter-parent-wwnn", "parent_wwnn"),
    ("adapter-parent-wwpn", "parent_wwpn"),
    ("adapter-parent-fabric-wwn", "parent_fabric_wwn"),
];

/// The pool, in virsh's order.
pub(super) fn pool(args: &Args) -> Result<Element> {
    args.exclusive("secret-usage", "secret-uuid")?;
    // None of them may be empty, even one that has no place in the document.
    for option in ["auth-type", "auth-username", "adapter-name", "adapter-wwnn", "adapter-wwpn"] {
        args.text(option)?;
    }
    for (option, _) in PARENTS {
        args.text(option)?;
    }
    let mut pool = Element::new("pool").with("type", args.required("type")?);
    pool.push(Element::new("name").with_text(args.required("name")?));
    let source = source(args)?;
    if !source.nodes.is_empty() {
        pool.push(source);
    }
    if let Some(path) = args.text("target")? {
        pool.push(Element::new("target").with_child(Element::new("path").with_text(path)));
    }
    Ok(pool)
}

fn source(args: &Args) -> Result<Element> {
    let mut source = Element::new("source");
    for (option, element, attribute) in
        [("source-host", "host", "name"), ("source-path", "dir", "path"), ("source-dev", "device", "path")]
    {
        if let Some(value) = args.text(option)? {
            source.push(Element::new(element).with(attribute, value));
        }
    }
    if let Some(iqn) = args.text("source-initiator")? {
        source.push(Element::new("initiator").with_child(Element::new("iqn").with("name", iqn)));
    }
    if let Some(adapter) = adapter(args)? {
        source.push(adapter);
    }
    if let Some(auth) = authentication(args)? {
        source.push(auth);
    }
    if let Some(name) = args.text("source-name")? {
        source.push(Element::new("name").with_text(name));
    }
    if let Some(format) = args.text("source-format")? {
        source.push(Element::new("format").with("type", format));
    }
    // The version alone makes no source.
    if let Some(version) = args.text("source-protocol-ver")?
        && !source.nodes.is_empty()
    {
        source.push(Element::new("protocol").with("ver", version));
    }
    Ok(source)
}

/// A host adapter by its name, or a virtual one by its world wide names and its parent.
fn adapter(args: &Args) -> Result<Option<Element>> {
    if let Some(name) = args.text("adapter-name")? {
        let adapter = Element::new("adapter").with("type", "scsi_host");
        return Ok(Some(adapter.with("name", name)));
    }
    let (Some(node), Some(port)) = (args.text("adapter-wwnn")?, args.text("adapter-wwpn")?) else {
        return Ok(None);
    };
    let mut adapter = Element::new("adapter").with("type", "fc_host");
    for (option, attribute) in PARENTS {
        if let Some(value) = args.text(option)? {
            adapter.set(attribute, value);
        }
    }
    Ok(Some(adapter.with("wwnn", node).with("wwpn", port)))
}

/// How to log in; it takes a type, a user and a secret.
fn authentication(args: &Args) -> Result<Option<Element>> {
    let secret = match (args.text("secret-usage")?, args.text("secret-uuid")?) {
        (Some(usage), _) => Element::new("secret").with("usage", usage),
        (None, Some(uuid)) => Element::new("secret").with("uuid", uuid),
        (None, None) => return Ok(None),
    };
    let (Some(kind), Some(user)) = (args.text("auth-type")?, args.text("auth-username")?) else {
        return Ok(None);
    };
    let auth = Element::new("auth").with("type", kind).with("username", user);
    Ok(Some(auth.with_child(secret)))
}
