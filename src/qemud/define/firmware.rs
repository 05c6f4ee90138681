//! Firmware: which UEFI image a definition gets, and where its variables are kept.
//!
//! Distributions describe their images in JSON files (QEMU's `firmware.json`), in folders of rising precedence; the first
//! description that fits the architecture, the machine and the wishes is taken, and written into the definition.

use super::board::Board;
use super::{Places, refuse};
use crate::error::{Error, Result};
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
struct Wish<'a> {
    target: &'a str,
    machine: &'a str,
    interface: &'a str,
    secure: Option<bool>,
    enrolled: Option<bool>,
}

/// Chooses the image of a definition that asks for one by kind, and the file of its variables.
pub fn complete(tree: &mut Element, board: Board, places: &Places) -> Result<()> {
    complete_from(tree, board, places, &folders())
}

fn complete_from(tree: &mut Element, board: Board, places: &Places, folders: &[PathBuf]) -> Result<()> {
    let wanted = tree.child_attribute("os", "firmware").map(str::to_string);
    let uuid_or_name = tree.child_text("name").unwrap_or_default();
    let machine = tree.child_attribute("os/type", "machine").unwrap_or_default().to_string();
    let Some(os) = tree.child_mut("os") else {
        return Ok(());
    };
    let chosen = os.child("loader").is_some_and(|loader| !loader.text().trim().is_empty());
    if let Some(interface) = wanted.filter(|_| !chosen) {
        let interface = if interface == "efi" { "uefi".to_string() } else { interface };
        choose(os, board, &machine, &interface, folders)?;
    }
    let Some(loader) = os.child_mut("loader") else {
        return Ok(());
    };
    let is_flash = loader.attribute("type") == Some("pflash");
    let writable = loader.attribute("readonly") == Some("no");
    if is_flash && loader.attribute("format").is_none() {
        loader.set("format", "raw");
    }
    if let Some(nvram) = os.child_mut("nvram") {
        if nvram.attribute("format").is_none() {
            nvram.set("format", "raw");
        }
        if nvram.text().trim().is_empty() {
            let file = places.nvram.join(format!("{uuid_or_name}_VARS.fd"));
            nvram.set_text(file.display());
        }
    } else if is_flash
        && !writable
        && os.child("loader").is_some_and(|loader| loader.attribute("stateless") != Some("yes"))
    {
        let loader = os.child("loader");
        if let Some(loader) = loader {
            return Err(refuse::because(
                loader,
                "a read-only UEFI image needs <nvram template=…/> for its variables",
            ));
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
                |secure| Wish { target: board.arch.target, machine, interface, secure, enrolled: None };
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

fn choose(os: &mut Element, board: Board, machine: &str, interface: &str, folders: &[PathBuf]) -> Result<()> {
    let feature = |name: &str| {
        let mut features = os.child("firmware").into_iter().flat_map(|firmware| firmware.children("feature"));
        let found = features.find(|feature| feature.attribute("name") == Some(name));
        found.and_then(|feature| super::switch(feature.attribute("enabled")))
    };
    let wish = Wish {
        target: board.arch.target,
        machine,
        interface,
        secure: feature("secure-boot").or_else(|| super::switch(os.child_attribute("loader", "secure"))),
        enrolled: feature("enrolled-keys"),
    };
    let fitting =
        descriptions(folders).into_iter().find_map(|path| read(&path).filter(|found| fits(found, &wish)));
    let Some(found) = fitting else {
        let kind = if interface == "uefi" { "efi" } else { interface };
        let looked: Vec<String> = folders.iter().map(|folder| folder.display().to_string()).collect();
        return Err(Error::operation_failed(format!(
            "Unable to find '{kind}' firmware that is compatible with the current configuration (looked for descriptions in {}; \
             it comes in a package like ovmf or qemu-efi-aarch64)",
            looked.join(", ")
        )));
    };
    write(os, &found);
    Ok(())
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
    let secure = wish.secure.is_none_or(|wanted| wanted == has("secure-boot"));
    let enrolled = wish.enrolled.is_none_or(|wanted| wanted == has("enrolled-keys"));
    // Without a wish: nothing that needs SMM or that other hypervisors' guests need.
    let modest = wish.secure == Some(true) || !has("requires-smm");
    let split = found.mapping.mode.as_deref().is_none_or(|mode| mode == "split" || mode == "stateless");
    let kind = match found.mapping.device.as_str() {
        "flash" => split && found.mapping.executable.is_some(),
        "memory" => found.mapping.filename.is_some(),
        _ => false,
    };
    let confidential = has("amd-sev") && !has("acpi-s3") && found.mapping.template.is_none();
    target
        && secure
        && enrolled
        && modest
        && kind
        && !confidential
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

fn write(os: &mut Element, found: &Description) {
    let secure = found.features.iter().any(|feature| feature == "secure-boot");
    let smm = found.features.iter().any(|feature| feature == "requires-smm");
    let at = os.nodes.iter().rposition(
        |node| matches!(node, Node::Element(e) if ["type", "firmware"].contains(&e.name.as_str())),
    );
    let at = at.map_or(0, |at| at + 1);
    os.remove("loader");
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
    if secure && smm {
        loader.set("secure", "yes");
    }
    loader.set("type", "pflash");
    loader.set("format", &executable.format);
    loader.set_text(executable.filename.display());
    os.nodes.insert(at, Node::Element(loader));
    if let Some(template) = &found.mapping.template {
        let given = os.child("nvram").map(|nvram| nvram.text().trim().to_string()).unwrap_or_default();
        os.remove("nvram");
        let mut nvram = Element::new("nvram")
            .with("template", template.filename.display())
            .with("templateFormat", &template.format)
            .with("format", &template.format);
        if !given.is_empty() {
            nvram.set_text(given);
        }
        os.nodes.insert(at + 1, Node::Element(nvram));
    }
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
        complete_from(&mut tree, board, &places, &[folder.path().to_path_buf()]).unwrap();
        assert_eq!(tree.child_text("os/loader").unwrap(), "/fw/CODE.fd");
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
