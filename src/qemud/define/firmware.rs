//! Firmware: which UEFI image a definition gets, and where its variables are kept.
//!
//! Distributions describe their images in JSON files (QEMU's `firmware.json`), in folders of rising precedence; the first
//! description that fits the architecture, the machine and the wishes is taken, and written into the definition.

use super::Places;
use super::board::Board;
use crate::error::{Error, Result};
use crate::xml::domain::DOMAIN;
use crate::xml::domain::features::FEATURES;
use crate::xml::{Element, Node};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Description {
    interface_types: Vec<String>,
    mapping: Mapping,
    targets: Vec<Target>,
    #[serde(default)]
    features: Vec<String>,
}

#[derive(Deserialize)]
struct Mapping {
    device: String,
    #[serde(default)]
    mode: Option<String>,
    #[serde(default)]
    executable: Option<Image>,
    #[serde(rename = "nvram-template", default)]
    template: Option<Image>,
    #[serde(default)]
    filename: Option<PathBuf>,
}

#[derive(Deserialize)]
struct Image {
    filename: PathBuf,
    format: String,
}

#[derive(Deserialize)]
struct Target {
    architecture: String,
    #[serde(default)]
    machines: Vec<String>,
}

/// What a definition asks of its firmware.
#[derive(Default)]
struct Wish<'a> {
    target: &'a str,
    machine: &'a str,
    interface: &'a str,
    /// The image it names itself.
    image: Option<&'a str>,
    /// The template of the variables that it names itself.
    template: Option<&'a str>,
    secure: Option<bool>,
    enrolled: Option<bool>,
    stateless: bool,
    /// Whether it forbids system management mode.
    no_smm: bool,
}

/// Chooses the image of a definition that asks for one by kind, or finds out what the image is that it names; and the
/// file of its variables.
pub fn complete(tree: &mut Element, board: Board, places: &Places) -> Result<()> {
    complete_from(tree, board, places, &folders())
}

fn complete_from(tree: &mut Element, board: Board, places: &Places, folders: &[PathBuf]) -> Result<()> {
    if let Some(found) = choose(tree, board, folders)? {
        write(tree, &found);
    }
    let name = tree.child_text("name").unwrap_or_default();
    let Some(os) = tree.child_mut("os") else {
        return Ok(());
    };
    let Some(loader) = os.child_mut("loader") else {
        return Ok(());
    };
    let is_flash = loader.attribute("type") == Some("pflash");
    if is_flash && loader.attribute("format").is_none() {
        loader.set("format", "raw");
    }
    let keeps_nothing =
        loader.attribute("readonly") == Some("no") || loader.attribute("stateless") == Some("yes");
    if is_flash && !keeps_nothing && os.child("nvram").is_none() {
        let at = os.nodes.iter().position(|node| matches!(node, Node::Element(e) if e.name == "loader"));
        os.nodes.insert(at.map_or(0, |at| at + 1), Node::Element(Element::new("nvram")));
    }
    if let Some(nvram) = os.child_mut("nvram") {
        if nvram.attribute("format").is_none() {
            nvram.set("format", "raw");
        }
        if nvram.text().trim().is_empty() {
            nvram.set_text(places.nvram.join(format!("{name}_VARS.fd")).display());
        }
    }
    Ok(())
}

/// The folders of descriptions, the most important first.
fn folders() -> Vec<PathBuf> {
    let home = std::env::var_os("XDG_CONFIG_HOME").map(PathBuf::from);
    let home = home.or_else(|| std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".config")));
    let user = home.map(|home| home.join("qemu/firmware"));
    user.into_iter().chain(["/etc/qemu/firmware", "/usr/share/qemu/firmware"].map(PathBuf::from)).collect()
}

/// What firmware there is for a machine.
#[derive(Default)]
pub struct Available {
    /// The kinds a definition may ask for: `efi`, `bios`.
    pub kinds: Vec<String>,
    /// The images.
    pub images: Vec<PathBuf>,
    /// Whether one of them verifies what it boots.
    pub secure: bool,
}

/// Looks for the firmware of a machine.
pub fn available(board: Board, machine: &str) -> Available {
    let mut found = Available::default();
    for description in descriptions(&folders()).iter().filter_map(|path| read(path)) {
        for (kind, interface) in [("bios", "bios"), ("efi", "uefi")] {
            let wish =
                |secure| Wish { target: board.arch.target, machine, interface, secure, ..Wish::default() };
            let plain = fits(&description, &wish(None));
            let secure = fits(&description, &wish(Some(true)));
            if !plain && !secure {
                continue;
            }
            found.secure |= secure;
            if !found.kinds.iter().any(|known| known == kind) {
                found.kinds.push(kind.to_string());
            }
            let image = description.mapping.executable.as_ref().map(|image| image.filename.clone());
            let image = image.or_else(|| description.mapping.filename.clone());
            found.images.extend(image.filter(|image| !found.images.contains(image)));
        }
    }
    found
}

/// All descriptions in the order of their names; one of a more important folder hides those of the same name.
fn descriptions(folders: &[PathBuf]) -> Vec<PathBuf> {
    let mut files: BTreeMap<std::ffi::OsString, PathBuf> = BTreeMap::new();
    for folder in folders.iter().rev() {
        for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.extension().is_some_and(|extension| extension == "json") {
                files.insert(entry.file_name(), path);
            }
        }
    }
    let is_used = |path: &PathBuf| std::fs::metadata(path).is_ok_and(|facts| facts.len() > 0);
    files.into_values().filter(is_used).collect()
}

/// The description that fits a definition; none if it asks for no firmware, or names an image that nobody describes.
fn choose(tree: &Element, board: Board, folders: &[PathBuf]) -> Result<Option<Description>> {
    let Some(os) = tree.child("os") else {
        return Ok(None);
    };
    let image = os.child_text("loader").map(|path| path.trim().to_string()).filter(|path| !path.is_empty());
    let wanted = os.attribute("firmware");
    let of_flash = os.child_attribute("loader", "type") == Some("pflash");
    let interface = match wanted {
        Some("efi") => "uefi",
        Some(other) => other,
        None if image.is_some() && of_flash => "uefi",
        None => return Ok(None),
    };
    let feature = |name: &str| {
        let mut features = os.child("firmware").into_iter().flat_map(|firmware| firmware.children("feature"));
        let found = features.find(|feature| feature.attribute("name") == Some(name));
        found.and_then(|feature| super::switch(feature.attribute("enabled")))
    };
    let wish = Wish {
        target: board.arch.target,
        machine: os.child_attribute("type", "machine").unwrap_or_default(),
        interface,
        image: image.as_deref(),
        template: os.child_attribute("nvram", "template"),
        secure: feature("secure-boot").or_else(|| super::switch(os.child_attribute("loader", "secure"))),
        enrolled: feature("enrolled-keys"),
        stateless: os.child_attribute("loader", "stateless") == Some("yes"),
        no_smm: tree.find("features/smm").and_then(|smm| smm.attribute("state")) == Some("off"),
    };
    let fitting =
        descriptions(folders).into_iter().find_map(|path| read(&path).filter(|found| fits(found, &wish)));
    if fitting.is_some() || image.is_some() {
        return Ok(fitting);
    }
    let kind = if interface == "uefi" { "efi" } else { interface };
    let looked: Vec<String> = folders.iter().map(|folder| folder.display().to_string()).collect();
    Err(Error::operation_failed(format!(
        "Unable to find '{kind}' firmware that is compatible with the current configuration (looked for descriptions in {}; \
         it comes in a package like ovmf or qemu-efi-aarch64)",
        looked.join(", ")
    )))
}

fn read(path: &Path) -> Option<Description> {
    let text = std::fs::read(path).ok()?;
    match serde_json::from_slice(&text) {
        Ok(description) => Some(description),
        Err(cause) => {
            tracing::warn!("firmware description {} is not understood: {cause}", path.display());
            None
        }
    }
}

fn fits(found: &Description, wish: &Wish<'_>) -> bool {
    let target = found.targets.iter().any(|target| {
        target.architecture == wish.target
            && target.machines.iter().any(|pattern| matches_pattern(pattern, wish.machine))
    });
    let has = |name: &str| found.features.iter().any(|feature| feature == name);
    let agrees = |wanted: Option<bool>, name: &str| wanted.is_none_or(|wanted| wanted == has(name));
    let is = |wanted: Option<&str>, file: Option<&Path>| {
        wanted.is_none_or(|wanted| file.is_some_and(|file| file == Path::new(wanted)))
    };
    let mapping = &found.mapping;
    let image = mapping.executable.as_ref().map(|image| image.filename.as_path());
    let mode = mapping.mode.as_deref().unwrap_or("split");
    let kind = match mapping.device.as_str() {
        "flash" if wish.stateless => mode == "stateless" && image.is_some(),
        "flash" => mode == "split" && image.is_some() && mapping.template.is_some(),
        "memory" => mapping.filename.is_some(),
        _ => false,
    };
    target
        && kind
        && is(wish.image, image.or(mapping.filename.as_deref()))
        && is(wish.template, mapping.template.as_ref().map(|template| template.filename.as_path()))
        && agrees(wish.secure, "secure-boot")
        && agrees(wish.enrolled, "enrolled-keys")
        && !(wish.no_smm && has("requires-smm"))
        && found.interface_types.iter().any(|known| known == wish.interface)
}

/// Whether a name fits a pattern with `*`.
fn matches_pattern(pattern: &str, name: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == name,
        Some((head, rest)) => name.strip_prefix(head).is_some_and(|tail| {
            (0..=tail.len())
                .filter(|at| tail.is_char_boundary(*at))
                .any(|at| matches_pattern(rest, &tail[at..]))
        }),
    }
}

/// Writes what was found into the definition: the image, the template, and what the firmware does and needs.
fn write(tree: &mut Element, found: &Description) {
    let has = |name: &str| found.features.iter().any(|feature| feature == name);
    let is_uefi = found.interface_types.iter().any(|known| known == "uefi");
    if has("requires-smm") {
        let features = tree.child_or_new("features");
        features.child_or_new("smm").set("state", "on");
        FEATURES.arrange(features);
        DOMAIN.arrange(tree);
    }
    let Some(os) = tree.child_mut("os") else {
        return;
    };
    if is_uefi {
        os.set("firmware", "efi");
        let mut firmware = Element::new("firmware");
        for name in ["enrolled-keys", "secure-boot"] {
            let enabled = if has(name) { "yes" } else { "no" };
            firmware.push(Element::new("feature").with("enabled", enabled).with("name", name));
        }
        os.remove("firmware");
        let at = place_behind(os, &["type"]);
        os.nodes.insert(at, Node::Element(firmware));
    }
    let not_secure = os.child_attribute("loader", "secure") == Some("no");
    let stateless = os.child_attribute("loader", "stateless").map(str::to_string);
    os.remove("loader");
    let at = place_behind(os, &["type", "firmware"]);
    let mut loader = Element::new("loader");
    let Some(executable) = &found.mapping.executable else {
        if let Some(file) = &found.mapping.filename {
            loader.set("type", "rom");
            loader.set_text(file.display());
            os.nodes.insert(at, Node::Element(loader));
        }
        return;
    };
    loader.set("readonly", "yes");
    if has("secure-boot") && has("requires-smm") {
        loader.set("secure", "yes");
    } else if not_secure {
        loader.set("secure", "no");
    }
    loader.set("type", "pflash");
    if let Some(stateless) = stateless {
        loader.set("stateless", stateless);
    }
    loader.set("format", &executable.format);
    loader.set_text(executable.filename.display());
    os.nodes.insert(at, Node::Element(loader));
    if let Some(template) = &found.mapping.template {
        write_template(os, template, at + 1);
    }
}

/// Writes what the variables begin as; the file that was named for them stays.
fn write_template(os: &mut Element, template: &Image, at: usize) {
    let given = os.child("nvram").map(|nvram| nvram.text().trim().to_string()).unwrap_or_default();
    os.remove("nvram");
    let mut nvram = Element::new("nvram")
        .with("template", template.filename.display())
        .with("templateFormat", &template.format)
        .with("format", &template.format);
    if !given.is_empty() {
        nvram.set_text(given);
    }
    os.nodes.insert(at, Node::Element(nvram));
}

/// The place behind the last child of these names.
fn place_behind(os: &Element, names: &[&str]) -> usize {
    let is_one = |node: &Node| matches!(node, Node::Element(e) if names.contains(&e.name.as_str()));
    os.nodes.iter().rposition(is_one).map_or(0, |at| at + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    const DESCRIPTION: &str = r#"{"description": "x", "interface-types": ["uefi"],
        "mapping": {"device": "flash", "mode": "split", "executable": {"filename": "/fw/CODE.fd", "format": "raw"},
            "nvram-template": {"filename": "/fw/VARS.fd", "format": "raw"}},
        "targets": [{"architecture": "x86_64", "machines": ["pc-i440fx-*", "pc-q35-*"]}], "features": ["acpi-s3"], "tags": []}"#;

    #[test]
    fn the_description_that_fits_is_written_into_the_definition() {
        let folder = tempfile::tempdir().unwrap();
        let secure =
            DESCRIPTION.replace("\"acpi-s3\"", "\"requires-smm\", \"secure-boot\"").replace("CODE", "SECURE");
        std::fs::write(folder.path().join("40-secure.json"), secure).unwrap();
        std::fs::write(folder.path().join("50-plain.json"), DESCRIPTION).unwrap();
        std::fs::write(folder.path().join("10-broken.json"), "{").unwrap();
        let text = "<domain><name>n</name><os firmware='efi'><type arch='x86_64' machine='pc-q35-10.0'>hvm</type></os></domain>";
        let mut tree = crate::xml::parse(text, "test").unwrap();
        let board = Board::of(&tree).unwrap();
        let places = Places { nvram: "/nv".into() };
        let folders = [folder.path().to_path_buf()];
        let mut secure = tree.clone();
        complete_from(&mut secure, board, &places, &folders).unwrap();
        assert_eq!(secure.child_text("os/loader").unwrap(), "/fw/SECURE.fd");
        assert_eq!(secure.child_attribute("os/loader", "secure"), Some("yes"));
        assert_eq!(secure.find("features/smm").unwrap().attribute("state"), Some("on"));
        tree.child_or_new("os").push(Element::new("loader").with("secure", "no"));
        complete_from(&mut tree, board, &places, &folders).unwrap();
        assert_eq!(tree.child_text("os/loader").unwrap(), "/fw/CODE.fd");
        assert!(tree.find("features/smm").is_none());
        assert_eq!(tree.child_text("os/nvram").unwrap(), "/nv/n_VARS.fd");
        assert_eq!(tree.child_attribute("os/nvram", "template"), Some("/fw/VARS.fd"));
    }

    #[test]
    fn without_a_fitting_description_the_error_says_where_it_looked() {
        let text =
            "<domain><os firmware='efi'><type arch='aarch64' machine='virt-10.0'>hvm</type></os></domain>";
        let mut tree = crate::xml::parse(text, "test").unwrap();
        let board = Board::of(&tree).unwrap();
        let places = Places { nvram: "/nv".into() };
        let error = complete_from(&mut tree, board, &places, &["/nowhere".into()]).unwrap_err().to_string();
        assert!(
            error.starts_with("operation failed: Unable to find 'efi' firmware that is compatible"),
            "{error}"
        );
        assert!(error.contains("/nowhere"), "{error}");
    }

    #[test]
    fn patterns_hold_stars() {
        assert!(matches_pattern("pc-q35-*", "pc-q35-10.0"));
        assert!(matches_pattern("virt", "virt"));
        assert!(matches_pattern("virt-*", "virt-10.0"));
        assert!(!matches_pattern("pc-q35-*", "pc-i440fx-10.0"));
    }
}
