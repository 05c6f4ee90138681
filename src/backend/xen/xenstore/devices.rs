//! The devices of a domain, from what only the toolstack writes.
//!
//! A guest owns the nodes of its own ends of devices, so they are not read. Since 4.7 the toolstack keeps copies
//! below `/libxl`, which name the other ends; before, those are looked for in the control domain, where all of them
//! are but those of driver domains.

use super::client::Xenstore;
use super::value::Value;
use crate::error::Result;
use std::collections::HashMap;

/// The kinds of other ends of a disk.
const DISK_ENDS: &[&str] = &["vbd", "tap", "qdisk", "vbd3"];
/// What is read of a disk.
const DISK_FIELDS: &[&str] = &["params", "type", "mode", "dev", "device-type", "tapdisk-params"];
/// What is read of an interface.
const INTERFACE_FIELDS: &[&str] = &["mac", "bridge", "script", "ip", "vifname", "type", "handle"];
/// Devices that are believed; no toolstack makes so many.
const DEVICES_MAX: usize = 4096;

/// The other end of a device: where its driver's half is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BackEnd {
    /// The domain that drives it.
    pub domain: u32,
    /// Its kind: `vbd`, `qdisk`, `vif`, ….
    pub kind: String,
    /// The device's number.
    pub device: u32,
}

/// A disk of a domain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Disk {
    /// What drives it.
    pub back_end: BackEnd,
    /// What the guest sees it as: `xvda`.
    pub target: Option<String>,
    /// The file or device behind it; `None` for an empty drive.
    pub source: Option<String>,
    /// The format of what is behind it, where the toolstack says.
    pub format: Option<String>,
    /// Whether a device of the host is behind it rather than a file.
    pub is_block: bool,
    /// Whether it is a drive for media.
    pub is_cdrom: bool,
    /// Whether the guest may only read.
    pub read_only: bool,
    /// Whether several guests may write.
    pub shareable: bool,
}

/// A network interface of a domain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Interface {
    /// What drives it.
    pub back_end: BackEnd,
    /// The guest's address.
    pub mac: Option<String>,
    /// The bridge it is in.
    pub bridge: Option<String>,
    /// The script that plugs it in.
    pub script: Option<String>,
    /// The address the guest may use.
    pub ip: Option<String>,
    /// Its name on the host.
    pub device: String,
}

/// Disks and interfaces of a domain, in the order of their numbers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Devices {
    /// The disks.
    pub disks: Vec<Disk>,
    /// The interfaces.
    pub interfaces: Vec<Interface>,
}

/// A device that was found: its other end and where its facts are.
struct Place {
    back_end: BackEnd,
    folders: Vec<String>,
}

impl BackEnd {
    /// The path of the other end of a device of `guest`.
    pub(super) fn path(&self, guest: u32) -> String {
        let BackEnd { domain, kind, device } = self;
        format!("/local/domain/{domain}/backend/{kind}/{guest}/{device}")
    }

    /// Reads such a path; `None` when it is no other end of this device of this guest.
    fn parse(path: &str, guest: u32, device: u32) -> Option<BackEnd> {
        let mut parts = path.strip_prefix("/local/domain/")?.split('/');
        let domain = parts.next()?.parse().ok()?;
        let (fixed, kind) = (parts.next()?, parts.next()?.to_string());
        let back_end = BackEnd { domain, kind, device };
        (fixed == "backend" && back_end.path(guest) == path).then_some(back_end)
    }
}

impl Xenstore {
    /// The disks and interfaces of a domain: three round trips, four where the toolstack is old.
    pub fn devices(&self, guest: u32) -> Result<Devices> {
        let copies = ["vbd", "vif"].map(|kind| format!("/libxl/{guest}/device/{kind}"));
        let above = format!("/libxl/{guest}/device");
        let listed = self.directories(&[above, copies[0].clone(), copies[1].clone()])?;
        let (disks, interfaces) = match &listed[..] {
            [Some(_), disks, interfaces] => {
                (self.copied(guest, &copies[0], disks)?, self.copied(guest, &copies[1], interfaces)?)
            }
            _ => (self.driven_here(guest, DISK_ENDS)?, self.driven_here(guest, &["vif"])?),
        };
        let disks = self.facts(disks, DISK_FIELDS)?;
        let interfaces = self.facts(interfaces, INTERFACE_FIELDS)?;
        Ok(Devices {
            disks: disks.into_iter().map(|(end, facts)| Disk::of(end, &facts)).collect(),
            interfaces: interfaces
                .into_iter()
                .map(|(end, facts)| Interface::of(guest, end, &facts))
                .collect(),
        })
    }

    /// The devices of one kind that the toolstack's copies name.
    fn copied(&self, guest: u32, folder: &str, names: &Option<Vec<String>>) -> Result<Vec<Place>> {
        let numbers = numbers(names);
        let paths: Vec<String> = numbers.iter().map(|number| format!("{folder}/{number}/backend")).collect();
        let ends = self.read_many(&paths)?;
        let places = numbers.into_iter().zip(ends).filter_map(|(number, end)| {
            let back_end = BackEnd::parse(&end?.text()?, guest, number)?;
            // Early copies hold nothing but the two paths.
            let folders = vec![format!("{folder}/{number}"), back_end.path(guest)];
            Some(Place { back_end, folders })
        });
        Ok(places.collect())
    }

    /// The devices of some kinds that the control domain drives.
    fn driven_here(&self, guest: u32, kinds: &[&str]) -> Result<Vec<Place>> {
        let folders: Vec<String> =
            kinds.iter().map(|kind| format!("/local/domain/0/backend/{kind}/{guest}")).collect();
        let listed = self.directories(&folders)?;
        let mut places = Vec::new();
        for (kind, names) in kinds.iter().zip(&listed) {
            places.extend(numbers(names).into_iter().map(|device| {
                let back_end = BackEnd { domain: 0, kind: kind.to_string(), device };
                Place { folders: vec![back_end.path(guest)], back_end }
            }));
        }
        places.sort_by_key(|place| place.back_end.device);
        Ok(places)
    }

    /// Reads facts of devices, each from the first of its folders that has it.
    fn facts(
        &self,
        places: Vec<Place>,
        fields: &[&'static str],
    ) -> Result<Vec<(BackEnd, HashMap<&'static str, Value>)>> {
        let folders = places.iter().flat_map(|place| &place.folders);
        let paths: Vec<String> =
            folders.flat_map(|folder| fields.iter().map(move |field| format!("{folder}/{field}"))).collect();
        let mut values = self.read_many(&paths)?.into_iter();
        let mut read = Vec::with_capacity(places.len());
        for place in places {
            let mut facts = HashMap::new();
            for _ in &place.folders {
                for (&field, value) in fields.iter().zip(values.by_ref()) {
                    if let Some(value) = value {
                        facts.entry(field).or_insert(value);
                    }
                }
            }
            read.push((place.back_end, facts));
        }
        Ok(read)
    }
}

/// The numbers among names, ascending.
fn numbers(names: &Option<Vec<String>>) -> Vec<u32> {
    let names = names.as_deref().unwrap_or_default();
    let mut numbers: Vec<u32> = names.iter().filter_map(|name| name.parse().ok()).take(DEVICES_MAX).collect();
    numbers.sort_unstable();
    numbers
}

fn text(facts: &HashMap<&'static str, Value>, field: &str) -> Option<String> {
    facts.get(field)?.text()
}

impl Disk {
    fn of(back_end: BackEnd, facts: &HashMap<&'static str, Value>) -> Disk {
        let mode = text(facts, "mode").unwrap_or_default();
        let params = text(facts, "params");
        let (format, source) = params.as_deref().map_or((None, None), |params| {
            let (format, source) = split_params(params);
            (format, (!source.is_empty()).then(|| source.to_string()))
        });
        let of_host = source.as_deref().is_some_and(|source| source.starts_with("/dev/"));
        Disk {
            is_block: of_host && text(facts, "type").is_none_or(|kind| kind != "file"),
            is_cdrom: text(facts, "device-type").is_some_and(|kind| kind == "cdrom"),
            read_only: !mode.starts_with('w'),
            shareable: mode.ends_with('!'),
            target: text(facts, "dev"),
            source,
            format,
            back_end,
        }
    }
}

/// Splits what a disk's driver was given into format and path: `aio:/disk`, `tap:qcow2:/disk`, `/disk`.
fn split_params(params: &str) -> (Option<String>, &str) {
    let start = params.find('/').or_else(|| params.rfind(':').map(|colon| colon + 1)).unwrap_or(0);
    let (before, path) = params.split_at(start);
    let format = match before.trim_end_matches(':').rsplit(':').next() {
        None | Some("") => None,
        // Ways to do input and output, not formats.
        Some("aio" | "phy" | "file" | "tap" | "tap2") => Some("raw".to_string()),
        Some(format) => Some(format.to_string()),
    };
    (format, path)
}

impl Interface {
    fn of(guest: u32, back_end: BackEnd, facts: &HashMap<&'static str, Value>) -> Interface {
        let named = text(facts, "vifname").filter(|name| is_device_name(name));
        Interface {
            device: named.unwrap_or_else(|| format!("vif{guest}.{}", back_end.device)),
            mac: text(facts, "mac"),
            bridge: text(facts, "bridge"),
            script: text(facts, "script"),
            ip: text(facts, "ip"),
            back_end,
        }
    }
}

/// Whether the kernel would take this as the name of a network device; anything else would be another file.
fn is_device_name(name: &str) -> bool {
    name.len() < 16
        && name != "."
        && name != ".."
        && !name.contains(['/', ':'])
        && !name.contains(char::is_whitespace)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_driver_is_given_tells_format_and_path() {
        for (params, format, path) in [
            ("/dev/vg/disk", None, "/dev/vg/disk"),
            ("aio:/disk.img", Some("raw"), "/disk.img"),
            ("tap:qcow2:/a:b/disk", Some("qcow2"), "/a:b/disk"),
            ("vhd:/disk", Some("vhd"), "/disk"),
            ("aio:", Some("raw"), ""),
            ("", None, ""),
            ("hda1", None, "hda1"),
        ] {
            let (seen, rest) = split_params(params);
            assert_eq!((seen.as_deref(), rest), (format, path), "{params}");
        }
    }

    #[test]
    fn another_guests_device_is_not_ours() {
        let end = BackEnd { domain: 0, kind: "vbd".to_string(), device: 51712 };
        assert_eq!(BackEnd::parse("/local/domain/0/backend/vbd/3/51712", 3, 51712), Some(end));
        for path in [
            "/local/domain/0/backend/vbd/4/51712",
            "/local/domain/0/backend/vbd/3/51728",
            "/local/domain/3/data/backend/vbd/3/51712",
            "/local/domain/0/backend/vbd/3/51712/x",
            "/local/domain/00/backend/vbd/3/51712",
        ] {
            assert_eq!(BackEnd::parse(path, 3, 51712), None, "{path}");
        }
    }

    #[test]
    fn a_device_name_is_no_path() {
        assert!(is_device_name("vif3.0") && is_device_name("guest-eth0"));
        for bad in ["..", "../x", "a/b", "a b", "sixteen-letters-"] {
            assert!(!is_device_name(bad), "{bad}");
        }
    }
}
