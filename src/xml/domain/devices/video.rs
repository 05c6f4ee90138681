//! `<video>`: graphics cards.

use super::address::ADDRESS;
use super::{ACPI, ALIAS};
use crate::error::Result;
use crate::xml::Element;
use crate::xml::shape::{Shape, on_off, one, one_of, positive, shape, text, unsigned, yes_no};

/// `<video>`.
pub static VIDEO: Shape =
    shape("video").children(&[one(&DRIVER), one(&MODEL), one(&ALIAS), one(&ACPI), one(&ADDRESS)]);

static DRIVER: Shape = shape("driver")
    .attributes(&[
        one_of("name", &["qemu", "vhostuser"]).omit("default"),
        one_of("vgaconf", &["io", "on", "off"]),
        on_off("iommu"),
        on_off("ats"),
        on_off("packed"),
        on_off("page_per_vq"),
    ])
    .unless_empty();
/// `<model>` of a card.
pub static MODEL: Shape = shape("model")
    .attributes(&[
        one_of("type", TYPES).omit("default"),
        unsigned("ram"),
        unsigned("vram"),
        unsigned("vram64"),
        unsigned("vgamem"),
        positive("heads"),
        yes_no("primary"),
        on_off("blob"),
        on_off("edid"),
    ])
    .children(&[one(&ACCELERATION), one(&RESOLUTION)])
    .after(complete);
const TYPES: &[&str] =
    &["vga", "cirrus", "vmvga", "xen", "vbox", "qxl", "parallels", "virtio", "gop", "none", "bochs", "ramfb"];
static ACCELERATION: Shape =
    shape("acceleration").attributes(&[yes_no("accel3d"), yes_no("accel2d"), text("rendernode")]);
static RESOLUTION: Shape =
    shape("resolution").attributes(&[positive("x").required(), positive("y").required()]);

/// The default memory of a model in KiB; zero for models whose memory is not said.
fn default_memory(kind: &str) -> u64 {
    match kind {
        "qxl" => 64 * 1024,
        "vga" | "cirrus" | "vmvga" | "bochs" => 16 * 1024,
        "vbox" => 8 * 1024,
        "xen" => 4 * 1024,
        "parallels" => 64 * 1024,
        _ => 0,
    }
}

fn complete(model: &mut Element) -> Result<()> {
    let kind = model.attribute("type").unwrap_or_default().to_string();
    if kind.is_empty() {
        return Ok(());
    }
    let number =
        |model: &Element, name: &str| model.attribute(name).and_then(|text| text.parse::<u64>().ok());
    if kind == "qxl" {
        for name in ["ram", "vram"] {
            let size = number(model, name)
                .filter(|size| *size > 0)
                .map_or(default_memory(&kind), |size| size.checked_next_power_of_two().unwrap_or(size));
            model.set(name, size);
        }
    } else {
        for name in ["ram", "vram64", "vgamem"] {
            model.unset(name);
        }
        match number(model, "vram").unwrap_or(0) {
            0 if default_memory(&kind) == 0 => model.unset("vram"),
            0 => model.set("vram", default_memory(&kind)),
            _ => {}
        }
    }
    if kind == "none" {
        model.unset("heads");
        model.unset("primary");
    } else if model.attribute("heads").is_none() {
        model.set("heads", 1);
    }
    Ok(())
}

/// Gives a model of type `kind` to a video device that has none, and completes it.
pub fn settle_model(video: &mut Element, kind: &str) -> Result<()> {
    let model = video.child_or_new("model");
    if model.attribute("type").is_none() {
        model.set("type", kind);
    }
    complete(model)?;
    MODEL.arrange(model);
    VIDEO.arrange(video);
    Ok(())
}

/// Marks a card as the one the guest starts on, unless it shows nothing.
pub fn make_primary(video: &mut Element) {
    if let Some(model) = video.child_mut("model").filter(|model| model.attribute("type") != Some("none")) {
        model.set("primary", "yes");
        MODEL.arrange(model);
    }
}
