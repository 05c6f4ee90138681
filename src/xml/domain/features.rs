//! `<features>`: what the machine offers beside its processors.

use crate::error::{Error, Result};
use crate::xml::Element;
use crate::xml::shape::{Attribute, Shape, on_off, one, one_of, shape, text, unsigned, yes_no};

/// `<features>`.
pub static FEATURES: Shape = shape("features")
    .children(&[
        one(&ACPI),
        one(&APIC),
        one(&PAE),
        one(&HAP),
        one(&VIRIDIAN),
        one(&PRIVATE_NETWORK),
        one(&HYPERV),
        one(&KVM),
        one(&PV_SPINLOCK),
        one(&CAPABILITIES),
        one(&PMU),
        one(&VM_PORT),
        one(&GIC),
        one(&SMM),
        one(&IO_APIC),
        one(&HPT),
        one(&VM_CORE_INFO),
        one(&HTM),
        one(&NESTED_HV),
        one(&XEN),
        one(&MSRS),
        one(&CCF_ASSIST),
        one(&CFPC),
        one(&SBBC),
        one(&IBS),
        one(&TCG),
        one(&ASYNC_TEARDOWN),
        one(&RAS),
        one(&PS2),
        one(&AIA),
    ])
    .before(refuse_unknown)
    .unless_empty();

static ACPI: Shape = shape("acpi");
static APIC: Shape = shape("apic").attributes(&[on_off("eoi")]);
static PAE: Shape = shape("pae");
static HAP: Shape = switch("hap");
static VIRIDIAN: Shape = shape("viridian");
static PRIVATE_NETWORK: Shape = shape("privnet");
static PV_SPINLOCK: Shape = switch("pvspinlock");
static PMU: Shape = switch("pmu");
static VM_PORT: Shape = switch("vmport");
static GIC: Shape = shape("gic").attributes(&[one_of("version", &["2", "3", "host"])]);
static SMM: Shape = shape("smm").attributes(&[on_off("state")]).children(&[one(&TSEG)]).after(switch_on);
static TSEG: Shape = shape("tseg").attributes(&[text("unit")]).with_text().after(|size| {
    let said = size.attribute("unit").map(str::to_string);
    let bytes = super::memory::scaled_bytes(&size.text(), said.as_deref(), 1024 * 1024)?;
    let (unit, scale) = largest_unit(bytes);
    size.set_text(bytes / scale);
    size.set("unit", unit);
    Ok(())
});
static IO_APIC: Shape = shape("ioapic").attributes(&[one_of("driver", &["kvm", "qemu"])]).unless_empty();
static HPT: Shape = shape("hpt")
    .attributes(&[one_of("resizing", &["enabled", "disabled", "required"])])
    .children(&[one(&MAX_PAGE_SIZE)]);
static MAX_PAGE_SIZE: Shape = shape("maxpagesize")
    .attributes(&[text("unit")])
    .with_text()
    .after(|size| super::memory::rescale(size, 1024, "KiB", 1024));
static VM_CORE_INFO: Shape = switch("vmcoreinfo");
static HTM: Shape = switch("htm");
static NESTED_HV: Shape = switch("nested-hv");
static MSRS: Shape = shape("msrs").attributes(&[one_of("unknown", &["ignore", "fault"]).required()]);
static CCF_ASSIST: Shape = switch("ccf-assist");
static CFPC: Shape =
    shape("cfpc").attributes(&[one_of("value", &["broken", "workaround", "fixed"]).required()]);
static SBBC: Shape =
    shape("sbbc").attributes(&[one_of("value", &["broken", "workaround", "fixed"]).required()]);
static IBS: Shape = shape("ibs").attributes(&[one_of(
    "value",
    &["broken", "workaround", "fixed-ibs", "fixed-ccd", "fixed-na"],
)
.required()]);
static TCG: Shape = shape("tcg").children(&[one(&TB_CACHE)]);
static TB_CACHE: Shape = shape("tb-cache")
    .attributes(&[text("unit")])
    .with_text()
    .after(|size| super::memory::rescale(size, 1024, "KiB", 1024));
static ASYNC_TEARDOWN: Shape = shape("async-teardown").attributes(&[yes_no("enabled")]).after(|feature| {
    if feature.attribute("enabled").is_none() {
        feature.set("enabled", "yes");
    }
    Ok(())
});
static RAS: Shape = switch("ras");
static PS2: Shape = shape("ps2").attributes(&[on_off("state").required()]);
static AIA: Shape = shape("aia").attributes(&[one_of("value", &["none", "aplic", "aplic-imsic"]).required()]);

static HYPERV: Shape = shape("hyperv")
    .attributes(&[one_of("mode", &["custom", "passthrough"])])
    .children(&[
        one(&RELAXED),
        one(&VAPIC),
        one(&SPINLOCKS),
        one(&VPINDEX),
        one(&RUNTIME),
        one(&SYNIC),
        one(&STIMER),
        one(&RESET),
        one(&VENDOR_ID),
        one(&FREQUENCIES),
        one(&REENLIGHTENMENT),
        one(&TLBFLUSH),
        one(&IPI),
        one(&EVMCS),
        one(&AVIC),
        one(&EMSR_BITMAP),
        one(&XMM_INPUT),
    ])
    .before(|hyperv| refuse_children(hyperv, &HYPERV_NAMES, "unsupported HyperV Enlightenment feature"))
    .after(|hyperv| {
        if hyperv.attribute("mode").is_none() {
            hyperv.set("mode", "custom");
        }
        write_two_tags(hyperv);
        check_hyperv(hyperv)
    });
static HYPERV_NAMES: [&str; 17] = [
    "relaxed",
    "vapic",
    "spinlocks",
    "vpindex",
    "runtime",
    "synic",
    "stimer",
    "reset",
    "vendor_id",
    "frequencies",
    "reenlightenment",
    "tlbflush",
    "ipi",
    "evmcs",
    "avic",
    "emsr_bitmap",
    "xmm_input",
];
static RELAXED: Shape = said_switch("relaxed");
static VAPIC: Shape = said_switch("vapic");
static SPINLOCKS: Shape = shape("spinlocks").attributes(&[on_off("state").required(), unsigned("retries")]);
static VPINDEX: Shape = said_switch("vpindex");
static RUNTIME: Shape = said_switch("runtime");
static SYNIC: Shape = said_switch("synic");
static STIMER: Shape = shape("stimer").attributes(&[on_off("state").required()]).children(&[one(&DIRECT)]);
static DIRECT: Shape = said_switch("direct");
static RESET: Shape = said_switch("reset");
static VENDOR_ID: Shape = shape("vendor_id").attributes(&[on_off("state").required(), text("value")]);
static FREQUENCIES: Shape = said_switch("frequencies");
static REENLIGHTENMENT: Shape = said_switch("reenlightenment");
static TLBFLUSH: Shape =
    shape("tlbflush").attributes(&[on_off("state").required()]).children(&[one(&DIRECT), one(&EXTENDED)]);
static EXTENDED: Shape = said_switch("extended");
static IPI: Shape = said_switch("ipi");
static EVMCS: Shape = said_switch("evmcs");
static AVIC: Shape = said_switch("avic");
static EMSR_BITMAP: Shape = said_switch("emsr_bitmap");
static XMM_INPUT: Shape = said_switch("xmm_input");

static KVM: Shape = shape("kvm")
    .children(&[one(&HIDDEN), one(&HINT_DEDICATED), one(&POLL_CONTROL), one(&PV_IPI), one(&DIRTY_RING)])
    .before(|kvm| {
        let known = ["hidden", "hint-dedicated", "poll-control", "pv-ipi", "dirty-ring"];
        refuse_children(kvm, &known, "unsupported KVM feature")
    })
    .after(check_kvm);
static HIDDEN: Shape = said_switch("hidden");
static HINT_DEDICATED: Shape = said_switch("hint-dedicated");
static POLL_CONTROL: Shape = said_switch("poll-control");
static PV_IPI: Shape = said_switch("pv-ipi");
static DIRTY_RING: Shape = shape("dirty-ring").attributes(&[on_off("state").required(), unsigned("size")]);
static XEN: Shape = shape("xen").children(&[one(&E820_HOST), one(&PASSTHROUGH)]).unless_empty();
static E820_HOST: Shape = said_switch("e820_host");
static PASSTHROUGH: Shape = shape("passthrough").attributes(&[on_off("state").required(), text("mode")]);
static CAPABILITIES: Shape = shape("capabilities").verbatim();

/// A feature that is on unless it says `off`.
const fn switch(name: &'static str) -> Shape {
    shape(name).attributes(STATE).after(switch_on)
}

/// A feature that must say whether it is on.
const fn said_switch(name: &'static str) -> Shape {
    shape(name).attributes(SAID_STATE)
}

const STATE: &[Attribute] = &[on_off("state")];
const SAID_STATE: &[Attribute] = &[on_off("state").required()];

/// Lets an element without contents be written with two tags, as libvirt writes it.
fn write_two_tags(element: &mut Element) {
    if element.elements().next().is_none() {
        element.set_text("\n");
    }
}

fn check_hyperv(hyperv: &Element) -> Result<()> {
    let is_on = |feature: &&Element| feature.attribute("state") == Some("on");
    if let Some(spinlocks) = hyperv.child("spinlocks").filter(is_on) {
        match spinlocks.attribute("retries").and_then(|text| text.parse::<u64>().ok()) {
            None => return Err(crate::xml::shape::missing_attribute("spinlocks", "retries")),
            Some(0..4095) => {
                return Err(Error::xml("HyperV spinlock retry count must be at least 4095"));
            }
            Some(_) => {}
        }
    }
    if let Some(value) = hyperv.child_attribute("vendor_id", "value") {
        if value.len() > 12 {
            return Err(Error::xml("HyperV vendor_id value must not be more than 12 characters."));
        }
    }
    Ok(())
}

fn check_kvm(kvm: &mut Element) -> Result<()> {
    write_two_tags(kvm);
    let size = kvm.child_attribute("dirty-ring", "size").and_then(|text| text.parse::<u32>().ok());
    match size {
        Some(size) if !size.is_power_of_two() || !(1024..=65536).contains(&size) => {
            Err(Error::xml("dirty ring must be power of 2 and ranges [1024, 65536]"))
        }
        _ => Ok(()),
    }
}

fn switch_on(feature: &mut Element) -> Result<()> {
    if feature.attribute("state").is_none() {
        feature.set("state", "on");
    }
    Ok(())
}

/// The largest unit that shows a size without a remainder.
fn largest_unit(bytes: u64) -> (&'static str, u64) {
    let units = [("TiB", 1 << 40), ("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)];
    units.into_iter().find(|(_, scale)| bytes >= *scale && bytes % scale == 0).unwrap_or(("bytes", 1))
}

fn refuse_unknown(features: &mut Element) -> Result<()> {
    let says_nothing = |child: &Element| {
        child.name == "capabilities"
            && child.elements().next().is_none()
            && matches!(child.attribute("policy"), None | Some("default"))
    };
    features.retain(|child| !says_nothing(child));
    let known = [
        "acpi",
        "apic",
        "pae",
        "hap",
        "viridian",
        "privnet",
        "hyperv",
        "kvm",
        "pvspinlock",
        "capabilities",
        "pmu",
        "vmport",
        "gic",
        "smm",
        "ioapic",
        "hpt",
        "vmcoreinfo",
        "htm",
        "nested-hv",
        "xen",
        "msrs",
        "ccf-assist",
        "cfpc",
        "sbbc",
        "ibs",
        "tcg",
        "async-teardown",
        "ras",
        "ps2",
        "aia",
    ];
    refuse_feature(features, &known)
}

fn refuse_feature(features: &Element, known: &[&str]) -> Result<()> {
    match features.elements().find(|child| !known.contains(&child.name.as_str())) {
        Some(child) => Err(Error::unsupported_configuration(format!("unexpected feature '{}'", child.name))),
        None => Ok(()),
    }
}

fn refuse_children(parent: &Element, known: &[&str], what: &str) -> Result<()> {
    match parent.elements().find(|child| !known.contains(&child.name.as_str())) {
        Some(child) => Err(Error::unsupported_configuration(format!("{what}: {}", child.name))),
        None => Ok(()),
    }
}
