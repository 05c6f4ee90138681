//! `<filesystem>`: folders of the host shared with the guest; `<lease>`: lock leases.

use super::address::ADDRESS;
use super::{ACPI, ALIAS, BOOT};
use crate::error::{Error, Result};
use crate::xml::Element;
use crate::xml::shape::{Shape, many, on_off, one, one_of, shape, text, text_shape, unsigned};

/// `<filesystem>`.
pub static FILESYSTEM: Shape = shape("filesystem")
    .attributes(&[
        one_of("type", &["mount", "block", "file", "template", "ram", "bind", "volume"]),
        one_of("accessmode", &["passthrough", "mapped", "squash"]),
        one_of("model", &["virtio", "virtio-transitional", "virtio-non-transitional"]),
        one_of("multidevs", &["remap", "forbid", "warn"]).omit("default"),
        text("fmode"),
        text("dmode"),
    ])
    .children(&[
        one(&DRIVER),
        one(&BINARY),
        one(&ID_MAP),
        one(&SOURCE),
        one(&TARGET),
        one(&READ_ONLY),
        one(&SPACE_HARD_LIMIT),
        one(&SPACE_SOFT_LIMIT),
        one(&BOOT),
        one(&ALIAS),
        one(&ACPI),
        one(&ADDRESS),
    ])
    .after(complete);

static DRIVER: Shape = shape("driver")
    .attributes(&[
        one_of("type", &["path", "handle", "loop", "nbd", "ploop", "virtiofs", "mtp"]).omit("default"),
        text("format"),
        one_of("wrpolicy", &["immediate"]).omit("default"),
        unsigned("queue"),
        on_off("iommu"),
        on_off("ats"),
        on_off("packed"),
        on_off("page_per_vq"),
    ])
    .unless_empty();
static BINARY: Shape = shape("binary")
    .attributes(&[text("path"), on_off("xattr")])
    .children(&[one(&CACHE), one(&SANDBOX), one(&LOCK), one(&THREAD_POOL), one(&OPEN_FILES)])
    .unless_empty();
static CACHE: Shape =
    shape("cache").attributes(&[one_of("mode", &["none", "always"]).omit("default")]).unless_empty();
static SANDBOX: Shape =
    shape("sandbox").attributes(&[one_of("mode", &["namespace", "chroot"]).omit("default")]).unless_empty();
static LOCK: Shape = shape("lock").attributes(&[on_off("posix"), on_off("flock")]).unless_empty();
static THREAD_POOL: Shape = shape("thread_pool").attributes(&[unsigned("size")]).unless_empty();
static OPEN_FILES: Shape = shape("openfiles").attributes(&[unsigned("max")]).unless_empty();
static SOURCE: Shape = shape("source").attributes(&[
    text("file"),
    text("dev"),
    text("dir"),
    text("socket"),
    text("name"),
    text("usage"),
    text("units"),
    text("pool"),
    text("volume"),
]);
static TARGET: Shape = shape("target").attributes(&[text("dir").required()]);
static READ_ONLY: Shape = shape("readonly");
static SPACE_HARD_LIMIT: Shape = shape("space_hard_limit")
    .attributes(&[text("unit")])
    .with_text()
    .after(|limit| crate::xml::domain::memory::rescale(limit, 1, "bytes", 1));
static SPACE_SOFT_LIMIT: Shape = shape("space_soft_limit")
    .attributes(&[text("unit")])
    .with_text()
    .after(|limit| crate::xml::domain::memory::rescale(limit, 1, "bytes", 1));

/// `<idmap>`, of a file system and of the whole domain.
pub static ID_MAP: Shape = shape("idmap").children(&[many(&UID), many(&GID)]).unless_empty();
static UID: Shape = shape("uid").attributes(&[unsigned("start"), unsigned("target"), unsigned("count")]);
static GID: Shape = shape("gid").attributes(&[unsigned("start"), unsigned("target"), unsigned("count")]);

/// `<lease>`.
pub static LEASE: Shape = shape("lease").children(&[one(&LOCK_SPACE), one(&KEY), one(&LEASE_TARGET)]);
static LOCK_SPACE: Shape = text_shape("lockspace");
static KEY: Shape = text_shape("key");
static LEASE_TARGET: Shape =
    shape("target").attributes(&[text("path").required(), unsigned("offset").omit("0")]);

fn complete(filesystem: &mut Element) -> Result<()> {
    if filesystem.attribute("type").is_none() {
        filesystem.set("type", "mount");
    }
    if filesystem.attribute("accessmode").is_none()
        && filesystem.child_attribute("driver", "type") != Some("mtp")
    {
        filesystem.set("accessmode", "passthrough");
    }
    if filesystem.child("target").is_none() {
        return Err(Error::new(
            crate::error::ErrorCode::NO_TARGET,
            filesystem.child_attribute("source", "dir").unwrap_or_default(),
        ));
    }
    let is_ram = filesystem.attribute("type") == Some("ram");
    if let Some(source) = filesystem.child_mut("source").filter(|_| is_ram) {
        let usage = source.attribute("usage").unwrap_or_default().to_string();
        let unit = source.attribute("units").map(str::to_string);
        let bytes = crate::xml::domain::memory::scaled_bytes(&usage, unit.as_deref(), 1024)?;
        source.set("usage", bytes / 1024);
        source.set("units", "KiB");
    }
    Ok(())
}
