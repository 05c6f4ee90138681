//! Memory that is plugged in or shared: `<memory>` devices, `<memballoon>`, `<shmem>`, `<nvram>`, `<pstore>`.

use super::address::ADDRESS;
use super::{ACPI, ALIAS, VIRTIO_DRIVER};
use crate::error::{Error, Result};
use crate::xml::Element;
use crate::xml::domain::memory::rescale;
use crate::xml::shape::{Attribute, Shape, on_off, one, one_of, shape, text, text_shape, unsigned, yes_no};

/// `<memballoon>`.
pub static MEMBALLOON: Shape = shape("memballoon")
    .attributes(&[
        one_of("model", &["virtio", "xen", "none", "virtio-transitional", "virtio-non-transitional"])
            .required(),
        on_off("autodeflate"),
        on_off("freePageReporting"),
    ])
    .children(&[one(&STATISTICS), one(&VIRTIO_DRIVER), one(&ALIAS), one(&ACPI), one(&ADDRESS)]);
static STATISTICS: Shape = shape("stats").attributes(&[unsigned("period").omit("0")]).unless_empty();

/// `<nvram>` of the machine, as a device.
pub static NVRAM: Shape = shape("nvram").children(&[one(&ALIAS), one(&ADDRESS)]);

/// `<shmem>`.
pub static SHMEM: Shape = shape("shmem")
    .attributes(&[text("name").required(), one_of("role", &["master", "peer"]).omit("default")])
    .children(&[
        one(&SHMEM_MODEL),
        one(&SHMEM_SIZE),
        one(&SERVER),
        one(&INTERRUPTS),
        one(&ALIAS),
        one(&ACPI),
        one(&ADDRESS),
    ])
    .before(|shmem| match shmem.attribute("name") {
        Some(_) => Ok(()),
        None => Err(Error::xml("shmem element must contain 'name' attribute")),
    })
    .after(|shmem| {
        if shmem.attribute("name").is_some_and(|name| name.contains('/')) {
            return Err(Error::unsupported_configuration("shmem name cannot include '/' character"));
        }
        if shmem.child("model").is_none() {
            shmem.push(Element::new("model").with("type", "ivshmem"));
        }
        Ok(())
    });
static SHMEM_MODEL: Shape =
    shape("model")
        .attributes(&[one_of("type", &["ivshmem", "ivshmem-plain", "ivshmem-doorbell"]).required()]);
static SHMEM_SIZE: Shape = shape("size")
    .attributes(&[text("unit")])
    .with_text()
    .after(|size| rescale(size, 1024 * 1024, "M", 1024 * 1024));
static SERVER: Shape = shape("server").attributes(&[text("path")]);
static INTERRUPTS: Shape =
    shape("msi").attributes(&[yes_no("enabled"), unsigned("vectors").omit("0"), on_off("ioeventfd")]);

/// `<memory>` among the devices.
pub static MEMORY: Shape = shape("memory")
    .attributes(&[
        one_of("model", &["dimm", "nvdimm", "virtio-pmem", "virtio-mem", "sgx-epc"]).required(),
        one_of("access", &["private", "shared"]),
        yes_no("discard"),
    ])
    .children(&[one(&UUID), one(&SOURCE), one(&TARGET), one(&ALIAS), one(&ACPI), one(&ADDRESS)])
    .after(complete_memory);
static UUID: Shape = text_shape("uuid");
static SOURCE: Shape = shape("source")
    .children(&[one(&NODE_MASK), one(&PAGE_SIZE), one(&PATH), one(&ALIGN_SIZE), one(&PMEM)])
    .unless_empty();
static NODE_MASK: Shape = text_shape("nodemask");
static PAGE_SIZE: Shape = scaled("pagesize");
static PATH: Shape = text_shape("path");
static ALIGN_SIZE: Shape = scaled("alignsize");
static PMEM: Shape = shape("pmem");
static TARGET: Shape = shape("target").attributes(&[yes_no("dynamicMemslots")]).children(&[
    one(&SIZE),
    one(&NODE),
    one(&LABEL),
    one(&READ_ONLY),
    one(&BLOCK),
    one(&REQUESTED),
    one(&ADDRESS_BASE),
]);
static SIZE: Shape = scaled("size");
static NODE: Shape = text_shape("node");
static LABEL: Shape = shape("label").children(&[one(&SIZE)]);
static READ_ONLY: Shape = shape("readonly");
static BLOCK: Shape = scaled("block");
static REQUESTED: Shape = scaled("requested");
static ADDRESS_BASE: Shape = shape("address").attributes(&[text("base")]);

/// A shape holding a size, written in KiB.
const fn scaled(name: &'static str) -> Shape {
    shape(name).attributes(UNIT).with_text().after(|size| rescale(size, 1024, "KiB", 1024))
}
const UNIT: &[Attribute] = &[text("unit")];

fn complete_memory(memory: &mut Element) -> Result<()> {
    if memory.child("target").is_none() {
        return Err(Error::xml("missing <target> element for <memory> device"));
    }
    if memory.find("target/size").is_none() {
        return Err(Error::xml("missing or invalid size of memory device"));
    }
    match memory.attribute("model") {
        Some("virtio-pmem") => memory.set("access", "shared"),
        Some("nvdimm") if memory.child("uuid").is_some() => {
            return Err(Error::unsupported_configuration("UUID is not supported for NVDIMM device"));
        }
        _ => {}
    }
    Ok(())
}

/// `<pstore>`.
pub static PSTORE: Shape = shape("pstore")
    .attributes(&[one_of("backend", &["acpi-erst"]).required()])
    .children(&[one(&PATH), one(&SIZE), one(&ALIAS), one(&ACPI), one(&ADDRESS)]);
