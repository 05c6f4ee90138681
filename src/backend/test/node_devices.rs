//! The devices of a node. Only virtual ports of Fibre Channel adapters can be made and unmade.

use super::*;
use super::{lookup, moment_documents};
use crate::error::ErrorCode;
use crate::model::constants::*;
use crate::model::event::{Event, ObjectEvent};
use crate::xml::Element;

/// The adapter whose likeness every new port takes.
const MODEL: &str = "scsi_host11";
/// The name of the port that can be made.
const CREATED: &str = "scsi_host12";
/// The names that a port gets when its maker gave none.
const PORT_NAMES: [&str; 2] = ["wwnn", "wwpn"];

/// A name that no other port has: the form says that the vendor's 36 bits are random.
fn made_up_name() -> String {
    let random = uuid::Uuid::new_v4().as_u128() & 0xf_ffff_ffff;
    format!("5100000{random:09x}")
}

/// A device of the node.
pub(super) struct NodeDevice {
    name: String,
    active: bool,
    persistent: bool,
    tree: Element,
}

/// The kinds of capabilities: the filter of listings and the name.
const CAPABILITIES: [(u32, &str); 24] = [
    (CONNECT_LIST_NODE_DEVICES_CAP_SYSTEM, "system"),
    (CONNECT_LIST_NODE_DEVICES_CAP_PCI_DEV, "pci"),
    (CONNECT_LIST_NODE_DEVICES_CAP_USB_DEV, "usb_device"),
    (CONNECT_LIST_NODE_DEVICES_CAP_USB_INTERFACE, "usb"),
    (CONNECT_LIST_NODE_DEVICES_CAP_NET, "net"),
    (CONNECT_LIST_NODE_DEVICES_CAP_SCSI_HOST, "scsi_host"),
    (CONNECT_LIST_NODE_DEVICES_CAP_SCSI_TARGET, "scsi_target"),
    (CONNECT_LIST_NODE_DEVICES_CAP_SCSI, "scsi"),
    (CONNECT_LIST_NODE_DEVICES_CAP_STORAGE, "storage"),
    (CONNECT_LIST_NODE_DEVICES_CAP_FC_HOST, "fc_host"),
    (CONNECT_LIST_NODE_DEVICES_CAP_VPORTS, "vports"),
    (CONNECT_LIST_NODE_DEVICES_CAP_SCSI_GENERIC, "scsi_generic"),
    (CONNECT_LIST_NODE_DEVICES_CAP_DRM, "drm"),
    (CONNECT_LIST_NODE_DEVICES_CAP_MDEV_TYPES, "mdev_types"),
    (CONNECT_LIST_NODE_DEVICES_CAP_MDEV, "mdev"),
    (CONNECT_LIST_NODE_DEVICES_CAP_CCW_DEV, "ccw"),
    (CONNECT_LIST_NODE_DEVICES_CAP_CSS_DEV, "css"),
    (CONNECT_LIST_NODE_DEVICES_CAP_VDPA, "vdpa"),
    (CONNECT_LIST_NODE_DEVICES_CAP_AP_CARD, "ap_card"),
    (CONNECT_LIST_NODE_DEVICES_CAP_AP_QUEUE, "ap_queue"),
    (CONNECT_LIST_NODE_DEVICES_CAP_AP_MATRIX, "ap_matrix"),
    (CONNECT_LIST_NODE_DEVICES_CAP_VPD, "vpd"),
    (CONNECT_LIST_NODE_DEVICES_CAP_CCWGROUP_DEV, "ccwgroup"),
    (CONNECT_LIST_NODE_DEVICES_CAP_CCWGROUP_MEMBER, "ccwgroup_member"),
];

impl NodeDevice {
    /// A device that a document describes; it is there for good.
    fn new(tree: Element) -> NodeDevice {
        NodeDevice { name: tree.child_text("name").unwrap_or_default(), active: true, persistent: true, tree }
    }

    fn reference(&self) -> NodeDeviceRef {
        NodeDeviceRef { name: self.name.clone() }
    }

    fn parent(&self) -> Option<String> {
        self.tree.child_text("parent").filter(|parent| !parent.is_empty())
    }

    /// The names of what it can do, the capabilities of its capability included.
    fn capabilities(&self) -> Vec<String> {
        let mut names = Vec::new();
        for capability in self.tree.children("capability") {
            names.extend(capability.attribute("type").map(str::to_string));
            for inner in capability.children("capability") {
                match inner.attribute("type") {
                    Some("vport_ops") => names.push("vports".to_string()),
                    Some(name @ "fc_host") => names.push(name.to_string()),
                    _ => {}
                }
            }
        }
        names
    }

    fn inner_capability(&self, name: &str) -> Option<&Element> {
        let mut inner = self.tree.child("capability")?.children("capability");
        inner.find(|inner| inner.attribute("type") == Some(name))
    }

    fn is_listed(&self, flags: u32) -> bool {
        let mine = self.capabilities();
        let kinds = CAPABILITIES.map(|(flag, name)| (flag, mine.iter().any(|known| known == name)));
        let states = [
            (CONNECT_LIST_NODE_DEVICES_ACTIVE, self.active),
            (CONNECT_LIST_NODE_DEVICES_INACTIVE, !self.active),
        ];
        let lives = [
            (CONNECT_LIST_NODE_DEVICES_PERSISTENT, self.persistent),
            (CONNECT_LIST_NODE_DEVICES_TRANSIENT, !self.persistent),
        ];
        [&kinds[..], &states, &lives].iter().all(|group| lookup::passes(group, flags))
    }
}

/// All devices of a node.
#[derive(Default)]
pub(super) struct DeviceSet {
    list: Vec<NodeDevice>,
}

impl DeviceSet {
    /// The devices that documents describe.
    pub fn present(trees: Vec<Element>) -> Result<DeviceSet> {
        let mut set = DeviceSet::default();
        for tree in trees {
            check(&tree)?;
            if tree.child_text("name").is_none_or(|name| name.is_empty()) {
                return Err(Error::new(ErrorCode::NO_NAME, "a node device has none"));
            }
            set.list.push(NodeDevice::new(tree));
        }
        Ok(set)
    }

    fn find(&self, name: &str) -> Result<&NodeDevice> {
        let found = self.list.iter().find(|device| device.name == name);
        found.ok_or_else(|| {
            let detail = format!("no node device with matching name '{name}'");
            Error::new(ErrorCode::NO_NODE_DEVICE, detail)
        })
    }

    /// A new virtual port as `wanted` asks for it.
    fn new_port(&self, wanted: &Element) -> Result<NodeDevice> {
        let port = wanted.child("capability").and_then(|capability| {
            let mut inner = capability.children("capability");
            inner.find(|inner| inner.attribute("type") == Some("fc_host"))
        });
        let port = port.ok_or_else(|| Error::internal("Device is not a fibre channel HBA"))?;
        let can = |device: &&NodeDevice| device.inner_capability("vport_ops").is_some();
        match wanted.child_text("parent").filter(|parent| !parent.is_empty()) {
            Some(parent) => {
                let found = self.list.iter().find(|device| device.name == parent);
                let Some(found) = found else {
                    let detail = "Could not find parent device for 'new device'";
                    return Err(Error::internal(detail));
                };
                if !can(&found) {
                    let detail = format!("Parent device {parent} is not capable of vport operations");
                    return Err(Error::internal(detail));
                }
            }
            None if self.list.iter().any(|device| can(&device)) => {}
            None => return Err(Error::internal("Could not find any vport capable device")),
        }
        let Ok(model) = self.find(MODEL) else {
            let detail = format!("no node device with matching name '{MODEL}'");
            return Err(Error::new(ErrorCode::NO_NODE_DEVICE, detail));
        };
        let mut tree = model.tree.clone();
        tree.child_or_new("name").set_text(CREATED);
        let inner = tree.child_or_new("capability");
        let inner = inner.elements_mut().find(|inner| inner.attribute("type") == Some("fc_host"));
        if let Some(inner) = inner {
            for name in PORT_NAMES {
                let given = port.child_text(name);
                let given = given.unwrap_or_else(made_up_name);
                inner.child_or_new(name).set_text(given);
            }
        }
        let mut device = NodeDevice::new(tree);
        (device.active, device.persistent) = (false, false);
        Ok(device)
    }
}

/// Refuses a document that describes no device.
fn check(tree: &Element) -> Result<()> {
    super::definition::expect_root(tree, "device")?;
    let mut capabilities = tree.children("capability").peekable();
    if capabilities.peek().is_none() {
        let name = tree.child_text("name").unwrap_or_default();
        return Err(Error::internal(format!("no device capabilities for '{name}'")));
    }
    for capability in capabilities {
        let kind = capability.attribute("type").unwrap_or_default();
        if kind == "system" && capability.find("hardware/uuid").is_none() {
            let name = tree.child_text("name").unwrap_or_default();
            return Err(Error::internal(format!("no system UUID supplied for '{name}'")));
        }
        let inner = capability.children("capability").filter_map(|inner| inner.attribute("type"));
        let mut unknown =
            inner.filter(|inner| kind == "scsi_host" && !["fc_host", "vport_ops", "vports"].contains(inner));
        if let Some(inner) = unknown.next() {
            let name = tree.child_text("name").filter(|name| !name.is_empty());
            let name = name.unwrap_or_else(|| "new device".to_string());
            return Err(Error::internal(format!("unknown SCSI host capability type '{inner}' for '{name}'")));
        }
        if !CAPABILITIES.iter().any(|(_, name)| *name == kind) {
            return Err(crate::xml::shape::invalid_attribute("capability", "type", kind));
        }
    }
    Ok(())
}

impl TestConnection {
    fn tell_device(&self, device: &NodeDeviceRef, event: i32) {
        let what = ObjectEvent::Lifecycle { event, detail: 0 };
        self.bus.publish(&Event::NodeDevice(device.clone(), what));
    }

    /// Asks one device something.
    fn device<T>(&self, name: &str, ask: impl FnOnce(&NodeDevice) -> T) -> Result<T> {
        self.state().devices.find(name).map(ask)
    }
}

impl NodeDevices for TestConnection {
    fn list_all_node_devices(&self, flags: u32) -> Result<Vec<NodeDeviceRef>> {
        let state = self.state();
        let listed = state.devices.list.iter().filter(|device| device.is_listed(flags));
        Ok(listed.map(NodeDevice::reference).collect())
    }

    fn lookup_by_name(&self, name: &str) -> Result<NodeDeviceRef> {
        self.device(name, NodeDevice::reference)
    }

    fn xml(&self, name: &str, flags: u32) -> Result<String> {
        only_flags(flags, NODE_DEVICE_XML_INACTIVE, "testNodeDeviceGetXMLDesc")?;
        self.device(name, |device| device.tree.to_string())
    }

    fn parent(&self, name: &str) -> Result<Option<String>> {
        self.device(name, NodeDevice::parent)
    }

    fn list_caps(&self, name: &str) -> Result<Vec<String>> {
        self.device(name, NodeDevice::capabilities)
    }

    fn is_active(&self, name: &str) -> Result<bool> {
        self.device(name, |device| device.active)
    }

    fn is_persistent(&self, name: &str) -> Result<bool> {
        self.device(name, |device| device.persistent)
    }

    fn create_xml(&self, xml: &str, flags: u32) -> Result<NodeDeviceRef> {
        only_flags(flags, NODE_DEVICE_CREATE_XML_VALIDATE, "testNodeDeviceCreateXML")?;
        let mut wanted = moment_documents::read(xml, "device")?;
        // The name is not the maker's to give.
        wanted.child_or_new("name").set_text("new device");
        check(&wanted)?;
        let mut state = self.state();
        let device = state.devices.new_port(&wanted)?;
        let reference = device.reference();
        state.devices.list.retain(|known| known.name != device.name);
        state.devices.list.push(device);
        self.tell_device(&reference, NODE_DEVICE_EVENT_CREATED);
        Ok(reference)
    }

    fn destroy(&self, name: &str) -> Result<()> {
        let mut state = self.state();
        let device = state.devices.find(name)?;
        let reference = device.reference();
        if device.inner_capability("fc_host").is_none() {
            // What is no port stays, and nobody complains.
            return Ok(());
        }
        state.devices.list.retain(|known| known.name != name);
        self.tell_device(&reference, NODE_DEVICE_EVENT_DELETED);
        Ok(())
    }

    fn detach(&self, _: &str, driver: Option<&str>, flags: u32) -> Result<()> {
        Err(Error::unsupported(match (driver, flags) {
            (None, 0) => "virNodeDeviceDettach",
            _ => "virNodeDeviceDetachFlags",
        }))
    }
}
