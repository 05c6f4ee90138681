//! Where a disk's data lies: `<source>` and all it may hold, backing chains, mirrors, encryption.

use super::address::HOST_ADDRESS;
use crate::error::{Error, Result};
use crate::xml::Element;
use crate::xml::shape::{Shape, many, one, one_of, positive, shape, text, text_shape, unsigned, yes_no};

/// The kinds of sources.
pub const TYPES: &[&str] = &["file", "block", "dir", "network", "volume", "nvme", "vhostuser", "vhostvdpa"];

/// `<source>` of a disk.
pub static SOURCE: Shape = shape("source")
    .attributes(&[
        text("type"),
        text("file"),
        text("fdgroup"),
        text("dev"),
        text("dir"),
        one_of("protocol", PROTOCOLS),
        text("name"),
        text("query"),
        text("path"),
        text("pool"),
        text("volume"),
        yes_no("managed"),
        unsigned("namespace"),
        yes_no("tls"),
        text("tlsHostname"),
        one_of("mode", &["host", "direct"]).omit("default"),
        one_of("startupPolicy", &["mandatory", "requisite", "optional"]).omit("default"),
    ])
    .children(&[
        many(&HOST),
        one(&SNAPSHOT),
        one(&CONFIG),
        one(&INITIATOR),
        one(&SSL),
        one(&COOKIES),
        one(&READ_AHEAD),
        one(&TIMEOUT),
        one(&IDENTITY),
        one(&KNOWN_HOSTS),
        one(&RECONNECT),
        one(&NFS_EXPORT),
        one(&HOST_ADDRESS),
        one(&SLICES),
        one(&AUTH),
        one(&ENCRYPTION),
        one(&RESERVATIONS),
        many(&SECLABEL),
        one(&DATA_STORE),
    ])
    .after(complete)
    .unless_empty();

const PROTOCOLS: &[&str] = &[
    "nbd", "rbd", "sheepdog", "gluster", "iscsi", "http", "https", "ftp", "ftps", "tftp", "ssh", "vxhs",
    "nfs",
];
static HOST: Shape = shape("host").attributes(&[
    text("name"),
    text("port"),
    one_of("transport", &["tcp", "unix", "rdma"]).omit("tcp"),
    text("socket"),
]);
static SNAPSHOT: Shape = shape("snapshot").attributes(&[text("name")]);
static CONFIG: Shape = shape("config").attributes(&[text("file")]);
static INITIATOR: Shape = shape("initiator").children(&[one(&IQN)]);
static IQN: Shape = shape("iqn").attributes(&[text("name")]);
static SSL: Shape = shape("ssl").attributes(&[yes_no("verify")]).unless_empty();
static COOKIES: Shape = shape("cookies").children(&[many(&COOKIE)]).unless_empty();
static COOKIE: Shape = shape("cookie").attributes(&[text("name")]).with_text();
static READ_AHEAD: Shape = shape("readahead").attributes(&[unsigned("size").omit("0")]).unless_empty();
static TIMEOUT: Shape = shape("timeout").attributes(&[unsigned("seconds").omit("0")]).unless_empty();
static IDENTITY: Shape = shape("identity").attributes(&[
    text("username"),
    text("keyfile"),
    text("agentsock"),
    text("user"),
    text("group"),
]);
static KNOWN_HOSTS: Shape = shape("knownHosts").attributes(&[text("path")]);
static NFS_EXPORT: Shape = shape("nfs").attributes(&[text("user"), text("group")]);
/// `<reconnect>` of a socket.
pub static RECONNECT: Shape = shape("reconnect").attributes(&[yes_no("enabled"), unsigned("timeout")]);
static SLICES: Shape = shape("slices").children(&[many(&SLICE)]).unless_empty();
static SLICE: Shape = shape("slice").attributes(&[
    one_of("type", &["storage"]).required(),
    unsigned("offset").required(),
    positive("size").required(),
]);
static RESERVATIONS: Shape =
    shape("reservations").attributes(&[yes_no("managed")]).children(&[one(&RESERVATIONS_SOURCE)]);
static RESERVATIONS_SOURCE: Shape = shape("source").attributes(&[text("type"), text("path"), text("mode")]);
static DATA_STORE: Shape =
    shape("dataStore").attributes(&[one_of("type", TYPES)]).children(&[one(&FORMAT), one(&SOURCE)]);

/// `<auth>`: whose secret opens a network source.
pub static AUTH: Shape = shape("auth").attributes(&[text("username").required()]).children(&[one(&SECRET)]);
static SECRET: Shape = shape("secret").attributes(&[text("type"), text("uuid"), text("usage")]);

/// `<encryption>` of a disk or a volume.
pub static ENCRYPTION: Shape = shape("encryption")
    .attributes(&[
        one_of("format", &["default", "qcow", "luks", "luks2", "luks-any"]).required(),
        one_of("engine", &["qemu", "librbd"]).omit("default"),
    ])
    .children(&[many(&SECRET), one(&CIPHER), one(&INITIAL_VECTOR)]);
static CIPHER: Shape = shape("cipher").attributes(&[text("name"), text("size"), text("mode"), text("hash")]);
static INITIAL_VECTOR: Shape = shape("ivgen").attributes(&[text("name"), text("hash")]);

/// `<seclabel>` of one device.
pub static SECLABEL: Shape = shape("seclabel")
    .attributes(&[text("model"), yes_no("relabel"), yes_no("labelskip")])
    .children(&[one(&LABEL)]);
static LABEL: Shape = text_shape("label");

/// `<backingStore>`: the image below, and so on down.
pub static BACKING_STORE: Shape = shape("backingStore")
    .attributes(&[one_of("type", TYPES), unsigned("index")])
    .children(&[one(&FORMAT), one(&SOURCE), one(&BACKING_STORE)])
    .after(|store| {
        store.unset("index");
        Ok(())
    });
static FORMAT: Shape =
    shape("format").attributes(&[text("type"), on_off_discard()]).children(&[one(&FORMAT_CACHE)]);
static FORMAT_CACHE: Shape = shape("metadata_cache").verbatim();
const fn on_off_discard() -> crate::xml::shape::Attribute {
    crate::xml::shape::on_off("discard_no_unref")
}

/// `<mirror>`: only the state of a running domain has one.
pub static MIRROR: Shape = shape("mirror").verbatim().unless_empty();

fn complete(source: &mut Element) -> Result<()> {
    let port = match source.attribute("protocol") {
        Some("iscsi") => "3260",
        Some("http") => "80",
        Some("https") => "443",
        Some("ftp") => "21",
        Some("ftps") => "990",
        Some("tftp") => "69",
        Some("sheepdog") => "7000",
        Some("gluster") => "24007",
        Some("nbd") => "10809",
        Some("ssh") => "22",
        _ => "",
    };
    for host in source.elements_mut().filter(|child| child.name == "host") {
        let is_unix = host.attribute("transport") == Some("unix");
        if is_unix && host.attribute("socket").is_none() {
            return Err(Error::xml("missing socket for unix transport"));
        }
        if !is_unix && host.attribute("name").is_none() {
            return Err(Error::xml("missing name for host"));
        }
        let is_tcp = matches!(host.attribute("transport"), None | Some("tcp"));
        if !port.is_empty() && is_tcp && host.attribute("port").is_none() {
            host.set("port", port);
        }
    }
    if !matches!(source.attribute("protocol"), Some("https" | "ftps")) {
        source.remove("ssl");
    }
    let is_host_device = source.attribute("type") == Some("pci");
    if let Some(address) = source.child_mut("address").filter(|_| is_host_device) {
        super::address::complete_host_pci(address)?;
        HOST_ADDRESS.arrange(address);
    }
    Ok(())
}
