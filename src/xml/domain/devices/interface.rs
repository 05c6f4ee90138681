//! `<interface>`: network cards.

use super::address::{ADDRESS, HOST_ADDRESS};
use super::disk_source::RECONNECT;
use super::{ACPI, ALIAS, BOOT, ROM};
use crate::error::{Error, Result};
use crate::xml::Element;
use crate::xml::shape::{
    Shape, integer, many, on_off, one, one_of, positive, shape, text, text_shape, unsigned, yes_no,
};

/// `<interface>`.
pub static INTERFACE: Shape = shape("interface")
    .attributes(&[one_of("type", TYPES).required(), yes_no("managed"), yes_no("trustGuestRxFilters")])
    .children(&[
        one(&DRIVER_NAME),
        one(&MAC),
        one(&SOURCE),
        one(&VLAN),
        one(&VIRTUAL_PORT),
        many(&IP),
        many(&ROUTE),
        many(&PORT_FORWARD),
        one(&SCRIPT),
        one(&DOWN_SCRIPT),
        one(&BACKEND_DOMAIN),
        one(&BANDWIDTH),
        one(&PORT),
        one(&TARGET),
        one(&GUEST),
        one(&MODEL),
        one(&DRIVER),
        one(&BACKEND),
        one(&FILTER),
        one(&TUNE),
        one(&TEAMING),
        one(&LINK),
        one(&MTU),
        one(&COALESCE),
        one(&BOOT),
        one(&ALIAS),
        one(&ROM),
        one(&ACPI),
        one(&ADDRESS),
    ])
    .before(|interface| {
        if interface.attribute("type").is_none() {
            interface.set("type", "user");
        }
        let network = interface.attribute("type") == Some("network");
        let source = interface.child("source");
        match network && source.is_some_and(|source| source.attribute("network").is_none()) {
            true => Err(crate::xml::shape::missing_attribute("source", "network")),
            false => Ok(()),
        }
    })
    .after(complete);

const TYPES: &[&str] = &[
    "user",
    "ethernet",
    "vhostuser",
    "server",
    "client",
    "mcast",
    "network",
    "bridge",
    "internal",
    "direct",
    "hostdev",
    "udp",
    "vdpa",
    "null",
    "vds",
];

static DRIVER_NAME: Shape = shape("actual").verbatim().unless_empty();
static MAC: Shape =
    shape("mac").attributes(&[text("address"), one_of("type", &["generated", "static"]), yes_no("check")]);
static SOURCE: Shape = shape("source")
    .attributes(&[
        text("network"),
        text("portid"),
        text("bridge"),
        text("portgroup"),
        text("type"),
        text("name"),
        text("dev"),
        text("path"),
        text("address"),
        text("port"),
        text("mode"),
    ])
    .children(&[one(&LOCAL), one(&RECONNECT), one(&HOST_ADDRESS), one(&SLOT)])
    .unless_empty();
static SLOT: Shape = shape("slot").verbatim();
static LOCAL: Shape = shape("local").attributes(&[text("address"), unsigned("port")]);

/// `<vlan>`.
pub static VLAN: Shape = shape("vlan").attributes(&[yes_no("trunk")]).children(&[many(&TAG)]);
static TAG: Shape = shape("tag")
    .attributes(&[unsigned("id").required(), one_of("nativeMode", &["tagged", "untagged"]).omit("default")])
    .after(|tag| match tag.attribute("id").and_then(|id| id.parse::<u64>().ok()) {
        Some(id) if id > 4095 => Err(Error::xml(format!("vlan tag id {id} too large (maximum 4095)"))),
        _ => Ok(()),
    });

/// `<virtualport>`.
pub static VIRTUAL_PORT: Shape =
    shape("virtualport").attributes(&[text("type")]).children(&[one(&PARAMETERS)]);
static PARAMETERS: Shape = shape("parameters")
    .attributes(&[
        unsigned("managerid"),
        unsigned("typeid"),
        unsigned("typeidversion"),
        text("instanceid"),
        text("interfaceid"),
        text("profileid"),
    ])
    .unless_empty();

static IP: Shape = shape("ip")
    .attributes(&[text("address").required(), text("family"), text("prefix"), text("peer")])
    .after(|ip| {
        let address = ip.attribute("address").unwrap_or_default();
        if address.parse::<std::net::IpAddr>().is_err() {
            return Err(Error::xml(format!("Invalid address '{address}' in <ip>")));
        }
        if ip.attribute("family").is_none() {
            let family =
                if ip.attribute("address").is_some_and(|text| text.contains(':')) { "ipv6" } else { "ipv4" };
            ip.set("family", family);
        }
        Ok(())
    });
static ROUTE: Shape = shape("route").attributes(&[
    text("family"),
    text("address"),
    text("netmask"),
    text("prefix"),
    text("gateway"),
    unsigned("metric"),
]);
static PORT_FORWARD: Shape = shape("portForward")
    .attributes(&[one_of("proto", &["tcp", "udp"]).required(), text("address"), text("dev")])
    .children(&[many(&RANGE)]);
static RANGE: Shape =
    shape("range").attributes(&[unsigned("start"), unsigned("end"), unsigned("to"), yes_no("exclude")]);

static SCRIPT: Shape = shape("script").attributes(&[text("path")]).unless_empty();
static DOWN_SCRIPT: Shape = shape("downscript").attributes(&[text("path")]).unless_empty();
static BACKEND_DOMAIN: Shape = shape("backenddomain").attributes(&[text("name")]);

/// `<bandwidth>`.
pub static BANDWIDTH: Shape = shape("bandwidth")
    .children(&[one(&INBOUND), one(&OUTBOUND)])
    .before(super::wording::bandwidth)
    .unless_empty();
static INBOUND: Shape = shape("inbound").attributes(&[
    positive("average"),
    unsigned("peak"),
    unsigned("floor"),
    unsigned("burst"),
]);
static OUTBOUND: Shape =
    shape("outbound").attributes(&[positive("average"), unsigned("peak"), unsigned("burst")]);
static PORT: Shape = shape("port").attributes(&[yes_no("isolated")]).unless_empty();
static TARGET: Shape = shape("target").attributes(&[text("dev"), yes_no("managed")]).unless_empty();
static GUEST: Shape = shape("guest").attributes(&[text("dev"), text("actual")]).unless_empty();
static MODEL: Shape = shape("model").attributes(&[text("type")]).after(|model| {
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    match model.attribute("type").is_some_and(|name| !name.chars().all(plain)) {
        true => Err(Error::invalid_argument("Model name contains invalid characters")),
        false => Ok(()),
    }
});
static DRIVER: Shape = shape("driver")
    .attributes(&[
        one_of("name", &["kvm", "vfio", "xen", "qemu", "vhost"]),
        one_of("txmode", &["iothread", "timer"]).omit("default"),
        on_off("ioeventfd"),
        on_off("event_idx"),
        unsigned("queues").omit("0"),
        unsigned("rx_queue_size").omit("0"),
        unsigned("tx_queue_size").omit("0"),
        on_off("rss"),
        on_off("rss_hash_report"),
        on_off("iommu"),
        on_off("ats"),
        on_off("packed"),
        on_off("page_per_vq"),
        text("model"),
    ])
    .children(&[one(&HOST_OFFLOADS), one(&GUEST_OFFLOADS)])
    .unless_empty();
static HOST_OFFLOADS: Shape = shape("host")
    .attributes(&[
        on_off("csum"),
        on_off("gso"),
        on_off("tso4"),
        on_off("tso6"),
        on_off("ecn"),
        on_off("ufo"),
        on_off("mrg_rxbuf"),
    ])
    .unless_empty();
static GUEST_OFFLOADS: Shape = shape("guest")
    .attributes(&[on_off("csum"), on_off("tso4"), on_off("tso6"), on_off("ecn"), on_off("ufo")])
    .unless_empty();
static BACKEND: Shape = shape("backend")
    .attributes(&[
        one_of("type", &["passt"]).omit("default"),
        text("tap"),
        text("vhost"),
        text("logFile"),
        text("hostname"),
        text("fqdn"),
    ])
    .unless_empty();

/// `<filterref>`.
pub static FILTER: Shape =
    shape("filterref").attributes(&[text("filter")]).children(&[many(&FILTER_PARAMETER)]);
static FILTER_PARAMETER: Shape = shape("parameter").attributes(&[text("name"), text("value")]);
static TUNE: Shape = shape("tune").children(&[one(&SEND_BUFFER)]).unless_empty();
static SEND_BUFFER: Shape = text_shape("sndbuf");
static TEAMING: Shape = shape("teaming")
    .attributes(&[one_of("type", &["persistent", "transient"]).required(), text("persistent")]);
static LINK: Shape = shape("link").attributes(&[text("state")]).after(check_link).unless_empty();
static MTU: Shape = shape("mtu")
    .attributes(&[positive("size").required()])
    .before(|mtu| super::wording::number(mtu, "size", "malformed mtu size"));
static COALESCE: Shape = shape("coalesce").children(&[one(&COALESCE_RECEIVE)]).unless_empty();
static COALESCE_RECEIVE: Shape = shape("rx").children(&[one(&FRAMES)]).unless_empty();
static FRAMES: Shape = shape("frames").attributes(&[integer("max")]).unless_empty();

fn check_link(link: &mut Element) -> Result<()> {
    match link.attribute("state") {
        None | Some("up" | "down") => Ok(()),
        Some(other) => {
            Err(Error::unsupported_configuration(format!("unknown interface link state '{other}'")))
        }
    }
}

/// A MAC address in its canonical form, if the text is one.
pub fn canonical_mac(text: &str) -> Option<String> {
    let bytes = text
        .split(':')
        .map(|part| u8::from_str_radix(part, 16).ok().filter(|_| (1..=2).contains(&part.len())))
        .collect::<Option<Vec<u8>>>()
        .filter(|bytes| bytes.len() == 6)?;
    let parts: Vec<String> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    Some(parts.join(":"))
}

fn complete(interface: &mut Element) -> Result<()> {
    let kind = interface.attribute("type").unwrap_or_default().to_string();
    complete_mac(interface)?;
    let needs = match kind.as_str() {
        "network" => Some("network"),
        "bridge" => Some("bridge"),
        "direct" => Some("dev"),
        "vdpa" => Some("dev"),
        "internal" => Some("name"),
        "hostdev" => Some(""),
        _ => None,
    };
    if let Some(attribute) = needs {
        let Some(source) = interface.child("source") else {
            return Err(Error::xml(format!("interface type='{kind}' requires a 'source' element")));
        };
        if !attribute.is_empty() && source.attribute(attribute).is_none() {
            return Err(crate::xml::shape::missing_attribute("source", attribute));
        }
    }
    if let Some(source) = interface.child_mut("source") {
        if kind == "direct" {
            let mode = source.attribute("mode").unwrap_or("vepa").to_string();
            if !["vepa", "private", "bridge", "passthrough"].contains(&mode.as_str()) {
                return Err(crate::xml::shape::invalid_attribute("source", "mode", &mode));
            }
            source.set("mode", mode);
        }
        if let Some(address) = source.child_mut("address").filter(|_| kind == "hostdev") {
            if matches!(address.attribute("type"), Some("pci") | None) {
                address.set("type", "pci");
                super::address::complete_host_pci(address)?;
                HOST_ADDRESS.arrange(address);
            }
        }
    }
    if kind != "hostdev" || interface.attribute("managed") == Some("no") {
        interface.unset("managed");
    }
    forget_host_end(interface);
    Ok(())
}

/// Takes out what the driver chose for a running card: the host's end and the bridge it was put on.
pub fn forget_host_end(interface: &mut Element) {
    let is_network = interface.attribute("type") == Some("network");
    if let Some(source) = interface.child_mut("source") {
        source.unset("portid");
        if is_network {
            source.unset("bridge");
        }
    }
    if let Some(target) = interface.child_mut("target") {
        if target.attribute("dev").is_some_and(is_made_up) {
            target.unset("dev");
        }
    }
    interface.retain(|child| child.name != "target" || !crate::xml::shape::is_empty(child));
}

/// Whether a device's name is one that drivers give by themselves.
fn is_made_up(name: &str) -> bool {
    ["vnet", "macvtap", "macvlan"].iter().any(|prefix| {
        name.strip_prefix(prefix)
            .is_some_and(|rest| !rest.is_empty() && rest.chars().all(|c| c.is_ascii_digit()))
    })
}

fn complete_mac(interface: &mut Element) -> Result<()> {
    let mac = interface.child_or_new("mac");
    let address = match mac.attribute("address") {
        Some(text) => match canonical_mac(text) {
            Some(address) => address,
            None => return Err(Error::xml(format!("unable to parse mac address '{text}'"))),
        },
        None => made_mac(),
    };
    let multicast = u8::from_str_radix(&address[..2], 16).is_ok_and(|byte| byte & 1 == 1);
    if multicast {
        return Err(Error::xml(format!("expected unicast mac address, found multicast '{address}'")));
    }
    mac.set("address", address);
    Ok(())
}

/// A MAC address of QEMU's own range.
fn made_mac() -> String {
    let random = uuid::Uuid::new_v4();
    let bytes = random.as_bytes();
    format!("52:54:00:{:02x}:{:02x}:{:02x}", bytes[0], bytes[1], bytes[2])
}
