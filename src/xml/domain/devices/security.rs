//! Devices that lend the guest randomness, secrets, isolation or a private line: `<rng>`, `<tpm>`, `<crypto>`,
//! `<iommu>`, `<vsock>`.

use super::address::ADDRESS;
use super::chardev::{PROTOCOL, SOURCE};
use super::{ACPI, ALIAS, BOOT, VIRTIO_DRIVER};
use crate::error::{Error, Result};
use crate::xml::Element;
use crate::xml::shape::{Shape, many, on_off, one, one_of, positive, shape, text, unsigned, yes_no};

const VIRTIO_MODELS: &[&str] = &["virtio", "virtio-transitional", "virtio-non-transitional"];

/// `<rng>`.
pub static RNG: Shape = shape("rng")
    .attributes(&[one_of("model", VIRTIO_MODELS).required()])
    .children(&[
        one(&RATE),
        one(&RNG_BACKEND),
        one(&VIRTIO_DRIVER),
        one(&BOOT),
        one(&ALIAS),
        one(&ACPI),
        one(&ADDRESS),
    ])
    .after(|rng| match rng.child("backend") {
        Some(_) => Ok(()),
        None => Err(Error::xml("missing RNG device backend")),
    });
static RATE: Shape = shape("rate")
    .attributes(&[positive("bytes").required(), unsigned("period").omit("0")])
    .before(|rate| super::wording::number(rate, "bytes", "invalid RNG rate bytes value"));
static RNG_BACKEND: Shape = shape("backend")
    .attributes(&[one_of("model", &["random", "egd", "builtin"]).required(), text("type")])
    .children(&[many(&SOURCE), one(&PROTOCOL)])
    .with_text()
    .after(complete_rng_backend);

fn complete_rng_backend(backend: &mut Element) -> Result<()> {
    match backend.attribute("model") {
        Some("random") => {
            let path = backend.text().trim().to_string();
            backend.set_text(if path.is_empty() { "/dev/random" } else { &path });
            backend.unset("type");
        }
        Some("egd") => {
            if backend.attribute("type").is_none() {
                return Err(Error::xml("missing EGD backend type"));
            }
            backend.nodes.retain(|node| matches!(node, crate::xml::Node::Element(_)));
        }
        _ => {
            backend.nodes.clear();
            backend.unset("type");
        }
    }
    Ok(())
}

/// `<tpm>`.
pub static TPM: Shape = shape("tpm")
    .attributes(&[one_of("model", &["tpm-tis", "tpm-crb", "tpm-spapr", "spapr-tpm-proxy"]).omit("default")])
    .children(&[one(&TPM_BACKEND), one(&BOOT), one(&ALIAS), one(&ACPI), one(&ADDRESS)])
    .after(|tpm| match tpm.child("backend") {
        Some(_) => Ok(()),
        None => Err(Error::xml("missing TPM device backend")),
    });
static TPM_BACKEND: Shape = shape("backend")
    .attributes(&[
        one_of("type", &["passthrough", "emulator", "external"]).required(),
        one_of("version", &["1.2", "2.0"]).omit("default"),
        yes_no("persistent_state"),
        unsigned("debug"),
    ])
    .children(&[one(&DEVICE), one(&ENCRYPTION), one(&TPM_SOURCE), one(&BANKS), one(&PROFILE)])
    .after(|backend| {
        match backend.child("profile").is_some() && backend.attribute("version") == Some("1.2") {
            true => Err(Error::xml("<profile/> requires TPM version '2.0'")),
            false => Ok(()),
        }
    });
static DEVICE: Shape = shape("device").attributes(&[text("path")]);
static ENCRYPTION: Shape = shape("encryption").attributes(&[text("secret").required()]);
static TPM_SOURCE: Shape = shape("source")
    .attributes(&[text("type"), text("mode"), text("path")])
    .children(&[one(&super::disk_source::RECONNECT), many(&super::disk_source::SECLABEL)]);
static BANKS: Shape = shape("active_pcr_banks").verbatim();
static PROFILE: Shape = shape("profile").attributes(&[
    text("source"),
    text("name"),
    one_of("removeDisabled", &["check", "fips-host"]),
]);

/// `<vsock>`.
pub static VSOCK: Shape = shape("vsock")
    .attributes(&[one_of("model", VIRTIO_MODELS).omit("default")])
    .children(&[one(&CONTEXT), one(&VIRTIO_DRIVER), one(&BOOT), one(&ALIAS), one(&ACPI), one(&ADDRESS)])
    .after(complete_vsock);
static CONTEXT: Shape = shape("cid").attributes(&[yes_no("auto"), positive("address")]);

fn complete_vsock(vsock: &mut Element) -> Result<()> {
    let context = vsock.child_or_new("cid");
    let auto = match (context.attribute("auto"), context.attribute("address")) {
        (Some(auto), _) => auto.to_string(),
        (None, Some(_)) => "no".to_string(),
        (None, None) => "yes".to_string(),
    };
    if context.attribute("address").and_then(|text| text.parse::<u64>().ok()).is_some_and(|cid| cid < 3) {
        return Err(Error::unsupported_configuration("guest CIDs must be >= 3"));
    }
    context.set("auto", &auto);
    if auto == "yes" {
        context.unset("address");
    }
    CONTEXT.arrange(context);
    Ok(())
}

/// `<crypto>`.
pub static CRYPTO: Shape = shape("crypto")
    .attributes(&[one_of("model", &["virtio"]).required(), one_of("type", &["qemu"]).required()])
    .children(&[
        one(&CRYPTO_BACKEND),
        one(&VIRTIO_DRIVER),
        one(&BOOT),
        one(&ALIAS),
        one(&ACPI),
        one(&ADDRESS),
    ]);
static CRYPTO_BACKEND: Shape = shape("backend")
    .attributes(&[one_of("model", &["builtin", "lkcf"]).required(), unsigned("queues").omit("0")]);

/// `<iommu>`.
pub static IOMMU: Shape = shape("iommu")
    .attributes(&[one_of("model", &["intel", "smmuv3", "virtio", "amd"]).required()])
    .children(&[one(&IOMMU_DRIVER), one(&ALIAS), one(&ACPI), one(&ADDRESS)]);
static IOMMU_DRIVER: Shape = shape("driver")
    .attributes(&[
        on_off("intremap"),
        on_off("caching_mode"),
        on_off("eim"),
        on_off("iotlb"),
        unsigned("aw_bits").omit("0"),
        on_off("dma_translation"),
        on_off("xtsup"),
        on_off("passthrough"),
    ])
    .unless_empty();
