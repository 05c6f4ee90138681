//! The view of `<disk>`.

use super::{Address, number, switch, word};
use crate::xml::Element;

/// A disk.
#[derive(Clone, Debug, Default)]
pub struct Disk {
    /// What the guest sees: `disk`, `cdrom`, `floppy`, `lun`.
    pub device: String,
    /// The name that tells it from the other disks: `vda`.
    pub target: String,
    /// Where it is plugged in: `virtio`, `scsi`, `sata`, `ide`, `usb`, `fdc`, …
    pub bus: String,
    /// Whether it is of the older or the newer kind of virtio.
    pub model: Option<String>,
    /// Where its data lies; `None` for a drive without a medium.
    pub source: Option<DiskSource>,
    /// The format of the data: `raw`, `qcow2`.
    pub format: Option<String>,
    /// The cache mode.
    pub cache: Option<String>,
    /// How it is read and written: `native`, `threads`, `io_uring`.
    pub io: Option<String>,
    /// Whether freed blocks are given back: `unmap`, `ignore`.
    pub discard: Option<String>,
    /// What becomes of blocks of zeroes: `on`, `off`, `unmap`.
    pub detect_zeroes: Option<String>,
    /// What a failed write leads to.
    pub error_policy: Option<String>,
    /// What a failed read leads to.
    pub read_error_policy: Option<String>,
    /// Whether what is read is copied up.
    pub copy_on_read: Option<bool>,
    /// The I/O thread that serves it.
    pub iothread: Option<u32>,
    /// How many queues it has.
    pub queues: Option<u32>,
    /// How long they are.
    pub queue_size: Option<u32>,
    /// The images below as the definition gives them, nearest first; `None` leaves it to the images themselves.
    pub backing: Option<Vec<DiskSource>>,
    /// Whether the guest cannot write.
    pub readonly: bool,
    /// Whether other guests may use it too.
    pub shareable: bool,
    /// Whether changes are thrown away.
    pub transient: bool,
    /// Its serial number.
    pub serial: Option<String>,
    /// Its world wide name.
    pub wwn: Option<String>,
    /// Its vendor.
    pub vendor: Option<String>,
    /// Its product name.
    pub product: Option<String>,
    /// Its place in the boot order.
    pub boot_order: Option<u32>,
    /// Whether its tray is open.
    pub tray_open: bool,
    /// Whether a USB disk shows itself as removable.
    pub removable: Option<bool>,
    /// Revolutions a minute; 1 says it has none.
    pub rotation_rate: Option<u32>,
    /// The sizes of its blocks: logical, physical.
    pub block_sizes: (Option<u32>, Option<u32>),
    /// Its limits, by their element names.
    pub limits: Vec<(String, u64)>,
    /// The group that shares its limits.
    pub limit_group: Option<String>,
    /// Its alias.
    pub alias: Option<String>,
    /// Where it sits.
    pub address: Option<Address>,
    /// The whole element.
    pub element: Element,
}

/// Where data lies.
#[derive(Clone, Debug, Default)]
pub struct DiskSource {
    /// `file`, `block`, `dir`, `network`, `volume`, `nvme`, `vhostuser`.
    pub kind: String,
    /// The file, block device, folder or socket.
    pub path: Option<String>,
    /// The format, for images in a backing chain.
    pub format: Option<String>,
    /// The protocol of a network source.
    pub protocol: Option<String>,
    /// The name of a network source.
    pub name: Option<String>,
    /// Where a network source is served.
    pub hosts: Vec<SourceHost>,
    /// Pool and volume.
    pub volume: Option<(String, String)>,
    /// The start-up policy.
    pub startup_policy: Option<String>,
    /// The whole element.
    pub element: Element,
}

/// A host that serves data.
#[derive(Clone, Debug, Default)]
pub struct SourceHost {
    /// Its name.
    pub name: Option<String>,
    /// Its port.
    pub port: Option<String>,
    /// `tcp`, `unix` or `rdma`.
    pub transport: Option<String>,
    /// Its socket.
    pub socket: Option<String>,
}

impl Disk {
    /// Reads a completed `<disk>`.
    pub fn parse(disk: &Element) -> Disk {
        let driver = |name: &str| disk.child_attribute("driver", name).map(str::to_string);
        let driver_number = |name: &str| disk.child("driver").and_then(|driver| number(driver, name));
        let target = |name: &str| disk.child_attribute("target", name);
        let text = |name: &str| disk.child_text(name);
        let tune = disk.child("iotune");
        Disk {
            device: disk.attribute("device").unwrap_or("disk").to_string(),
            target: target("dev").unwrap_or_default().to_string(),
            bus: target("bus").unwrap_or_default().to_string(),
            model: word(disk, "model"),
            source: disk.child("source").map(|source| DiskSource::parse(disk, source)),
            format: driver("type"),
            cache: driver("cache"),
            io: driver("io"),
            discard: driver("discard"),
            detect_zeroes: driver("detect_zeroes"),
            error_policy: driver("error_policy"),
            read_error_policy: driver("rerror_policy"),
            copy_on_read: disk.child("driver").and_then(|driver| switch(driver, "copy_on_read")),
            iothread: driver_number("iothread"),
            queues: driver_number("queues"),
            queue_size: driver_number("queue_size"),
            backing: disk.child("backingStore").map(backing_chain),
            readonly: disk.child("readonly").is_some(),
            shareable: disk.child("shareable").is_some(),
            transient: disk.child("transient").is_some(),
            serial: text("serial"),
            wwn: text("wwn"),
            vendor: text("vendor"),
            product: text("product"),
            boot_order: disk.child("boot").and_then(|boot| number(boot, "order")),
            tray_open: target("tray") == Some("open"),
            removable: disk.child("target").and_then(|target| switch(target, "removable")),
            rotation_rate: disk.child("target").and_then(|target| number(target, "rotation_rate")),
            block_sizes: disk.child("blockio").map_or((None, None), |sizes| {
                (number(sizes, "logical_block_size"), number(sizes, "physical_block_size"))
            }),
            limits: tune
                .into_iter()
                .flat_map(Element::elements)
                .filter_map(|limit| Some((limit.name.clone(), limit.text().trim().parse().ok()?)))
                .collect(),
            limit_group: tune.and_then(|tune| tune.child_text("group_name")),
            alias: disk.child_attribute("alias", "name").map(str::to_string),
            address: disk.child("address").and_then(Address::parse),
            element: disk.clone(),
        }
    }

    /// The path of the disk's own image, if it has one in this host's file system.
    pub fn path(&self) -> Option<&str> {
        self.source.as_ref()?.path.as_deref()
    }
}

/// The chain below an image; it ends where a store has no source.
fn backing_chain(store: &Element) -> Vec<DiskSource> {
    let mut chain = Vec::new();
    let mut store = Some(store);
    while let Some(here) = store {
        let Some(source) = here.child("source") else { break };
        let mut view = DiskSource::parse(here, source);
        view.format = here.child_attribute("format", "type").map(str::to_string);
        chain.push(view);
        store = here.child("backingStore");
    }
    chain
}

impl DiskSource {
    /// Reads a `<source>`; `owner` is the disk or backing store it stands in, which says its type.
    pub fn parse(owner: &Element, source: &Element) -> DiskSource {
        let kind = owner.attribute("type").unwrap_or("file").to_string();
        let path = ["file", "dev", "dir", "path"].iter().find_map(|name| word(source, name));
        let host = |host: &Element| SourceHost {
            name: word(host, "name"),
            port: word(host, "port"),
            transport: word(host, "transport"),
            socket: word(host, "socket"),
        };
        DiskSource {
            kind,
            path,
            format: None,
            protocol: word(source, "protocol"),
            name: word(source, "name"),
            hosts: source.children("host").map(host).collect(),
            volume: word(source, "pool").zip(word(source, "volume")),
            startup_policy: word(source, "startupPolicy"),
            element: source.clone(),
        }
    }
}
