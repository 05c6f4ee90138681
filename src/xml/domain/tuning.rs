//! `<cputune>`, `<resource>`, throttle groups, security labels, launch security: how the host treats the guest.

use super::cpuset;
use crate::error::{Error, Result};
use crate::xml::shape::{
    Shape, integer, many, on_off, one, one_of, shape, text, text_shape, unsigned, yes_no,
};
use crate::xml::{Element, Node};

/// `<cputune>`.
pub static CPUTUNE: Shape = shape("cputune")
    .children(&[
        one(&SHARES),
        one(&PERIOD),
        one(&QUOTA),
        one(&GLOBAL_PERIOD),
        one(&GLOBAL_QUOTA),
        one(&EMULATOR_PERIOD),
        one(&EMULATOR_QUOTA),
        one(&IOTHREAD_PERIOD),
        one(&IOTHREAD_QUOTA),
        many(&VCPU_PIN),
        one(&EMULATOR_PIN),
        many(&IOTHREAD_PIN),
        one(&EMULATOR_SCHEDULER),
        many(&VCPU_SCHEDULER),
        many(&IOTHREAD_SCHEDULER),
        many(&CACHE_TUNE),
        many(&MEMORY_TUNE),
    ])
    .after(complete_cputune)
    .unless_empty();
static SHARES: Shape = text_shape("shares").after(|shares| match shares.text().trim().parse::<u64>() {
    Ok(_) => Ok(()),
    Err(_) => Err(Error::xml("can't parse cputune shares value")),
});
static PERIOD: Shape = text_shape("period").after(check_period);
static QUOTA: Shape = text_shape("quota").after(check_quota);
static GLOBAL_PERIOD: Shape = text_shape("global_period").after(check_period);
static GLOBAL_QUOTA: Shape = text_shape("global_quota").after(check_quota);
static EMULATOR_PERIOD: Shape = text_shape("emulator_period").after(check_period);
static EMULATOR_QUOTA: Shape = text_shape("emulator_quota").after(check_quota);
static IOTHREAD_PERIOD: Shape = text_shape("iothread_period").after(check_period);
static IOTHREAD_QUOTA: Shape = text_shape("iothread_quota").after(check_quota);
static VCPU_PIN: Shape =
    shape("vcpupin").attributes(&[unsigned("vcpu").required(), text("cpuset")]).after(check_pin);
static EMULATOR_PIN: Shape = shape("emulatorpin").attributes(&[text("cpuset")]).after(check_pin);
static IOTHREAD_PIN: Shape =
    shape("iothreadpin").attributes(&[unsigned("iothread").required(), text("cpuset")]).after(check_pin);
const SCHEDULERS: &[&str] = &["batch", "idle", "fifo", "rr"];
static EMULATOR_SCHEDULER: Shape = shape("emulatorsched")
    .attributes(&[one_of("scheduler", SCHEDULERS).required(), integer("priority")])
    .after(check_priority);
static VCPU_SCHEDULER: Shape = shape("vcpusched")
    .attributes(&[text("vcpus").required(), one_of("scheduler", SCHEDULERS).required(), integer("priority")])
    .after(check_priority);
static IOTHREAD_SCHEDULER: Shape = shape("iothreadsched")
    .attributes(&[
        text("iothreads").required(),
        one_of("scheduler", SCHEDULERS).required(),
        integer("priority"),
    ])
    .after(check_priority);
static CACHE_TUNE: Shape = shape("cachetune")
    .attributes(&[text("vcpus").required(), text("id")])
    .children(&[many(&CACHE), many(&MONITOR)]);
static CACHE: Shape = shape("cache").attributes(&[
    unsigned("id").required(),
    unsigned("level").required(),
    one_of("type", &["both", "code", "data"]).required(),
    text("size").required(),
    text("unit"),
]);
static MONITOR: Shape = shape("monitor").attributes(&[unsigned("level"), text("vcpus").required()]);
static MEMORY_TUNE: Shape =
    shape("memorytune").attributes(&[text("vcpus").required()]).children(&[many(&NODE), many(&MONITOR)]);
static NODE: Shape = shape("node").attributes(&[unsigned("id").required(), unsigned("bandwidth").required()]);

fn check_period(period: &mut Element) -> Result<()> {
    match period.text().trim().parse::<u64>() {
        Ok(1_000..=1_000_000) => Ok(()),
        Ok(_) => Err(Error::unsupported_configuration(format!(
            "Value of cputune '{}' must be in range [1000, 1000000]",
            period.name
        ))),
        Err(_) => Err(Error::xml(format!("can't parse cputune {} value", period.name))),
    }
}

fn check_quota(quota: &mut Element) -> Result<()> {
    match quota.text().trim().parse::<i64>() {
        Ok(number) if number < 0 || (1_000..=17_592_186_044_415).contains(&number) => Ok(()),
        Ok(_) => Err(Error::unsupported_configuration(format!(
            "Value of cputune '{}' must be in range [1000, 17592186044415]",
            quota.name
        ))),
        Err(_) => Err(Error::xml(format!("can't parse cputune {} value", quota.name))),
    }
}

fn check_pin(pin: &mut Element) -> Result<()> {
    if pin.attribute("cpuset").is_none() {
        return Err(Error::internal(format!("missing cpuset for {}", pin.name)));
    }
    cpuset::rewrite(pin, "cpuset")
}

/// A priority belongs to the schedulers that have one, and must be said for them.
fn check_priority(scheduler: &mut Element) -> Result<()> {
    let has_priority = matches!(scheduler.attribute("scheduler"), Some("fifo" | "rr"));
    if !has_priority {
        scheduler.unset("priority");
    } else if scheduler.attribute("priority").is_none() {
        return Err(crate::xml::shape::missing_attribute(&scheduler.name, "priority"));
    }
    Ok(())
}

/// Pins stand in the order of their processors; schedulers are written one a processor.
fn complete_cputune(tune: &mut Element) -> Result<()> {
    let number = |node: &Node, name: &str| match node {
        Node::Element(pin) => pin.attribute(name).and_then(|text| text.parse::<u32>().ok()),
        Node::Text(_) => None,
    };
    tune.nodes.sort_by_key(|node| number(node, "vcpu").unwrap_or(0));
    let mut pinned = std::collections::HashSet::new();
    for pin in tune.children("vcpupin") {
        let vcpu = pin.attribute("vcpu").unwrap_or_default();
        if !pinned.insert(vcpu) {
            return Err(Error::internal(format!("duplicate vcpupin for vcpu '{vcpu}'")));
        }
    }
    let mut nodes = Vec::with_capacity(tune.nodes.len());
    for node in std::mem::take(&mut tune.nodes) {
        let Node::Element(child) = node else { continue };
        let set = match child.name.as_str() {
            "vcpusched" => "vcpus",
            "iothreadsched" => "iothreads",
            _ => {
                nodes.push(Node::Element(child));
                continue;
            }
        };
        for number in cpuset::parse(child.attribute(set).unwrap_or_default())? {
            let mut single = child.clone();
            single.set(set, number);
            nodes.push(Node::Element(single));
        }
    }
    tune.nodes = nodes;
    Ok(())
}

/// `<resource>`.
pub static RESOURCE: Shape =
    shape("resource").children(&[one(&PARTITION), one(&FIBRE_CHANNEL)]).unless_empty();
static PARTITION: Shape = text_shape("partition");
static FIBRE_CHANNEL: Shape = shape("fibrechannel").attributes(&[text("appid").required()]);

/// `<throttlegroups>`.
pub static THROTTLE_GROUPS: Shape = shape("throttlegroups").children(&[many(&THROTTLE_GROUP)]).unless_empty();
static THROTTLE_GROUP: Shape = shape("throttlegroup").children(super::devices::disk::IO_TUNE_CHILDREN);

/// `<seclabel>` of the whole domain.
pub static SECLABEL: Shape = shape("seclabel")
    .attributes(&[one_of("type", &["none", "dynamic", "static"]), text("model"), yes_no("relabel")])
    .children(&[one(&LABEL), one(&IMAGE_LABEL), one(&BASE_LABEL)])
    .after(complete_label)
    .unless_empty();
static LABEL: Shape = text_shape("label");
static IMAGE_LABEL: Shape = text_shape("imagelabel");
static BASE_LABEL: Shape = text_shape("baselabel");

fn complete_label(label: &mut Element) -> Result<()> {
    let kind = match label.attribute("type") {
        Some(kind) => kind.to_string(),
        None if label.attributes.is_empty() && label.elements().next().is_none() => return Ok(()),
        None => "dynamic".to_string(),
    };
    label.set("type", &kind);
    match (kind.as_str(), label.attribute("relabel")) {
        ("none", Some("yes")) => {
            return Err(Error::unsupported_configuration(
                "resource relabeling is not compatible with 'none' label type",
            ));
        }
        ("dynamic", Some("no")) => {
            return Err(Error::unsupported_configuration("dynamic label type must use resource relabeling"));
        }
        _ => {}
    }
    match kind.as_str() {
        "none" => label.unset("relabel"),
        "static" if label.child("label").is_none() => return Err(Error::xml("security label is missing")),
        "dynamic" => {
            label.set("relabel", "yes");
            label.remove("label");
            label.remove("imagelabel");
        }
        _ if label.attribute("relabel").is_none() => label.set("relabel", "no"),
        _ => {}
    }
    Ok(())
}

/// `<keywrap>`.
pub static KEY_WRAP: Shape = shape("keywrap").children(&[many(&CIPHER)]).unless_empty();
static CIPHER: Shape =
    shape("cipher").attributes(&[one_of("name", &["aes", "dea"]).required(), on_off("state").required()]);

/// `<launchSecurity>`.
pub static LAUNCH_SECURITY: Shape = shape("launchSecurity")
    .attributes(&[
        one_of("type", &["sev", "sev-snp", "s390-pv", "tdx"]).required(),
        yes_no("kernelHashes"),
        yes_no("authorKey"),
        yes_no("vcek"),
    ])
    .children(&[
        one(&C_BIT),
        one(&REDUCED_BITS),
        one(&POLICY),
        one(&OWNER_CERTIFICATE),
        one(&SESSION),
        one(&GUEST_WORKAROUNDS),
        one(&ID_BLOCK),
        one(&ID_AUTH),
        one(&HOST_DATA),
    ]);
static C_BIT: Shape = text_shape("cbitpos");
static REDUCED_BITS: Shape = text_shape("reducedPhysBits");
static POLICY: Shape = text_shape("policy");
static OWNER_CERTIFICATE: Shape = text_shape("dhCert");
static SESSION: Shape = text_shape("session");
static GUEST_WORKAROUNDS: Shape = text_shape("guestVisibleWorkarounds");
static ID_BLOCK: Shape = text_shape("idBlock");
static ID_AUTH: Shape = text_shape("idAuth");
static HOST_DATA: Shape = text_shape("hostData");
