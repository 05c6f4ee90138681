//! Virtual networks.

use super::*;
use super::{definition, lookup, metadata, network_update};
use crate::error::ErrorCode;
use crate::model::constants::*;
use crate::model::event::{Event, ObjectEvent};
use crate::xml::{self, Element, network};
use std::net::IpAddr;
use uuid::Uuid;

/// A virtual network.
pub(super) struct Network {
    name: String,
    uuid: Uuid,
    active: bool,
    persistent: bool,
    autostart: bool,
    /// What runs, or what is defined while it does not.
    current: Element,
    /// What was defined while it runs.
    next: Option<Element>,
}

/// All networks of a node.
#[derive(Default)]
pub(super) struct NetworkSet {
    list: Vec<Network>,
}

/// Reads a network's definition and completes it.
fn read(text: &str) -> Result<Element> {
    let mut tree = xml::parse(text, "network_definition")?;
    network::complete(&mut tree)?;
    Ok(tree)
}

impl Network {
    fn new(tree: Element) -> Network {
        Network {
            name: definition::name_of(&tree),
            uuid: definition::uuid_of(&tree).unwrap_or_default(),
            active: false,
            persistent: true,
            autostart: false,
            current: tree,
            next: None,
        }
    }

    fn reference(&self) -> NetworkRef {
        NetworkRef { name: self.name.clone(), uuid: self.uuid }
    }

    /// What flags of `virNetworkUpdateFlags` reach: the running network, its definition, or both.
    fn impact(&self, flags: u32) -> Result<(bool, bool)> {
        let live = flags & NETWORK_UPDATE_AFFECT_LIVE != 0;
        let config = flags & NETWORK_UPDATE_AFFECT_CONFIG != 0;
        let (live, config) = match live || config {
            true => (live, config),
            false => (self.active, !self.active),
        };
        if live && !self.active {
            return Err(Error::invalid_operation("network is not running"));
        }
        if config && !self.persistent {
            let detail = "cannot change persistent config of a transient network";
            return Err(Error::invalid_operation(detail));
        }
        Ok((live, config))
    }

    /// The definitions that flags reach, to be changed.
    fn affected(&mut self, flags: u32) -> Result<Vec<&mut Element>> {
        let (_, config) = self.impact(flags)?;
        match self.active {
            true if config && self.next.is_none() => self.next = Some(self.current.clone()),
            true => {}
            // What was defined while it ran counts from the next change on.
            false => self.current = self.next.take().unwrap_or_else(|| self.current.clone()),
        }
        self.present(flags)
    }

    /// The same, but of a running network without a definition of its own, none is made; virsh's driver keeps no
    /// notes there.
    fn present(&mut self, flags: u32) -> Result<Vec<&mut Element>> {
        let (live, config) = self.impact(flags)?;
        if !self.active {
            return Ok(vec![&mut self.current]);
        }
        let Network { current, next, .. } = self;
        let mut affected = Vec::with_capacity(2);
        if live {
            affected.push(current);
        }
        if config {
            affected.extend(next.as_mut());
        }
        Ok(affected)
    }

    /// The definition that flags mean, for reading: at most one.
    fn chosen(&self, flags: u32) -> Result<&Element> {
        snapshots::exclusive(
            flags,
            (NETWORK_UPDATE_AFFECT_LIVE, "VIR_NETWORK_UPDATE_AFFECT_LIVE"),
            (NETWORK_UPDATE_AFFECT_CONFIG, "VIR_NETWORK_UPDATE_AFFECT_CONFIG"),
        )?;
        let (_, config) = self.impact(flags)?;
        match (config && self.active, &self.next) {
            (false, _) => Ok(&self.current),
            (true, Some(next)) => Ok(next),
            (true, None) => Err(bare("An error occurred, but the cause is unknown".to_string())),
        }
    }

    fn is_listed(&self, flags: u32) -> bool {
        let groups = [
            [(CONNECT_LIST_NETWORKS_ACTIVE, self.active), (CONNECT_LIST_NETWORKS_INACTIVE, !self.active)],
            [
                (CONNECT_LIST_NETWORKS_PERSISTENT, self.persistent),
                (CONNECT_LIST_NETWORKS_TRANSIENT, !self.persistent),
            ],
            [
                (CONNECT_LIST_NETWORKS_AUTOSTART, self.autostart),
                (CONNECT_LIST_NETWORKS_NO_AUTOSTART, !self.autostart),
            ],
        ];
        groups.iter().all(|group| lookup::passes(group, flags))
    }
}

impl NetworkSet {
    /// The networks that documents define, all running.
    pub fn running(trees: Vec<Element>) -> Result<NetworkSet> {
        let mut set = NetworkSet::default();
        for mut tree in trees {
            network::complete(&mut tree)?;
            let mut network = Network::new(tree);
            set.check_identity(&network.name, network.uuid, false)?;
            network.active = true;
            set.list.push(network);
        }
        Ok(set)
    }

    fn by_name(&self, name: &str) -> Result<&Network> {
        let found = self.list.iter().find(|network| network.name == name);
        found.ok_or_else(|| {
            let detail = format!("no network with matching name '{name}'");
            Error::new(ErrorCode::NO_NETWORK, detail)
        })
    }

    fn by_uuid(&self, uuid: Uuid) -> Result<&Network> {
        let found = self.list.iter().find(|network| network.uuid == uuid);
        found.ok_or_else(|| {
            let detail = format!("no network with matching uuid '{uuid}'");
            Error::new(ErrorCode::NO_NETWORK, detail)
        })
    }

    fn get_mut(&mut self, network: &NetworkRef) -> Result<&mut Network> {
        self.by_uuid(network.uuid)?;
        let found = self.list.iter_mut().find(|known| known.uuid == network.uuid);
        found.ok_or_else(|| Error::new(ErrorCode::NO_NETWORK, &network.name))
    }

    fn check_identity(&self, name: &str, uuid: Uuid, refuse_active: bool) -> Result<Option<usize>> {
        if let Some(at) = self.list.iter().position(|network| network.uuid == uuid) {
            let network = &self.list[at];
            if network.name != name {
                let detail = format!("network '{}' is already defined with uuid {uuid}", network.name);
                return Err(Error::operation_failed(detail));
            }
            if refuse_active && network.active {
                let detail = format!("network is already active as '{name}'");
                return Err(Error::invalid_operation(detail));
            }
            return Ok(Some(at));
        }
        match self.list.iter().find(|network| network.name == name) {
            Some(network) => {
                let detail = format!("network '{name}' already exists with uuid {}", network.uuid);
                Err(Error::operation_failed(detail))
            }
            None => Ok(None),
        }
    }

    /// The address that a network's DHCP server gave to the guest's interface of this place; `None` if the
    /// network gives none.
    pub fn guest_address(&self, network: &str, place: u32) -> Result<Option<GuestAddress>> {
        let Some(ip) = self.by_name(network)?.current.child("ip") else {
            return Ok(None);
        };
        let Some((own, prefix)) = network::address_of(ip) else {
            return Ok(None);
        };
        let first = ip.child("dhcp").and_then(|dhcp| dhcp.child("range")?.attribute("start")?.parse().ok());
        let number = network::as_number(first.unwrap_or(own)).saturating_add(u128::from(place));
        let address = match own {
            IpAddr::V4(_) => IpAddr::V4((u32::try_from(number).unwrap_or(u32::MAX)).into()),
            IpAddr::V6(_) => IpAddr::V6(number.into()),
        };
        Ok(Some(GuestAddress {
            kind: if own.is_ipv4() { IP_ADDR_TYPE_IPV4 } else { IP_ADDR_TYPE_IPV6 },
            address: address.to_string(),
            prefix,
        }))
    }
}

impl TestConnection {
    fn tell_network(&self, network: &NetworkRef, event: i32) {
        let what = ObjectEvent::Lifecycle { event, detail: 0 };
        self.bus.publish(&Event::Network(network.clone(), what));
    }

    /// Asks one network something.
    fn network<T>(&self, network: &NetworkRef, ask: impl FnOnce(&Network) -> T) -> Result<T> {
        self.state().networks.by_uuid(network.uuid).map(ask)
    }
}

impl Networks for TestConnection {
    fn list_all_networks(&self, flags: u32) -> Result<Vec<NetworkRef>> {
        let state = self.state();
        let listed = state.networks.list.iter().filter(|network| network.is_listed(flags));
        Ok(listed.map(Network::reference).collect())
    }

    fn lookup_by_name(&self, name: &str) -> Result<NetworkRef> {
        self.state().networks.by_name(name).map(Network::reference)
    }

    fn lookup_by_uuid(&self, uuid: Uuid) -> Result<NetworkRef> {
        self.state().networks.by_uuid(uuid).map(Network::reference)
    }

    fn xml(&self, network: &NetworkRef, flags: u32) -> Result<String> {
        only_flags(flags, 0, "testNetworkGetXMLDesc")?;
        self.network(network, |network| network.current.to_string())
    }

    fn autostart(&self, network: &NetworkRef) -> Result<bool> {
        self.network(network, |network| network.autostart)
    }

    fn is_active(&self, network: &NetworkRef) -> Result<bool> {
        self.network(network, |network| network.active)
    }

    fn is_persistent(&self, network: &NetworkRef) -> Result<bool> {
        self.network(network, |network| network.persistent)
    }

    fn bridge_name(&self, network: &NetworkRef) -> Result<String> {
        let name = self.network(network, |network| {
            network.current.child_attribute("bridge", "name").map(str::to_string)
        })?;
        name.ok_or_else(|| {
            let detail = format!("network '{}' does not have a bridge name.", network.name);
            Error::internal(detail)
        })
    }

    fn define_xml(&self, xml: &str, flags: u32) -> Result<NetworkRef> {
        only_flags(flags, NETWORK_DEFINE_VALIDATE, "testNetworkDefineXMLFlags")?;
        let new = Network::new(read(xml)?);
        let mut state = self.state();
        let networks = &mut state.networks;
        let reference = new.reference();
        match networks.check_identity(&new.name, new.uuid, false)? {
            Some(at) => {
                let network = &mut networks.list[at];
                network.persistent = true;
                match network.active {
                    true => network.next = Some(new.current),
                    false => network.current = new.current,
                }
            }
            None => networks.list.push(new),
        }
        self.tell_network(&reference, NETWORK_EVENT_DEFINED);
        Ok(reference)
    }

    fn create_xml(&self, xml: &str, flags: u32) -> Result<NetworkRef> {
        only_flags(flags, NETWORK_CREATE_VALIDATE, "testNetworkCreateXMLFlags")?;
        let mut new = Network::new(read(xml)?);
        let mut state = self.state();
        let networks = &mut state.networks;
        let reference = new.reference();
        match networks.check_identity(&new.name, new.uuid, true)? {
            Some(at) => {
                let network = &mut networks.list[at];
                network.current = new.current;
                network.active = true;
            }
            None => {
                (new.active, new.persistent) = (true, false);
                networks.list.push(new);
            }
        }
        self.tell_network(&reference, NETWORK_EVENT_STARTED);
        Ok(reference)
    }

    fn create(&self, network: &NetworkRef) -> Result<()> {
        let mut state = self.state();
        let known = state.networks.get_mut(network)?;
        if known.active {
            let detail = format!("Network '{}' is already running", known.name);
            return Err(Error::invalid_operation(detail));
        }
        known.active = true;
        self.tell_network(network, NETWORK_EVENT_STARTED);
        Ok(())
    }

    fn destroy(&self, network: &NetworkRef) -> Result<()> {
        let mut state = self.state();
        let known = state.networks.get_mut(network)?;
        known.active = false;
        state.networks.list.retain(|known| known.active || known.persistent);
        self.tell_network(network, NETWORK_EVENT_STOPPED);
        Ok(())
    }

    fn undefine(&self, network: &NetworkRef) -> Result<()> {
        let mut state = self.state();
        let known = state.networks.get_mut(network)?;
        if known.active {
            let detail = format!("Network '{}' is still running", known.name);
            return Err(Error::invalid_operation(detail));
        }
        state.networks.list.retain(|known| known.uuid != network.uuid);
        self.tell_network(network, NETWORK_EVENT_UNDEFINED);
        Ok(())
    }

    fn set_autostart(&self, network: &NetworkRef, autostart: bool) -> Result<()> {
        self.state().networks.get_mut(network)?.autostart = autostart;
        Ok(())
    }

    fn update(
        &self,
        network: &NetworkRef,
        command: u32,
        section: u32,
        parent_index: i32,
        xml: &str,
        flags: u32,
    ) -> Result<()> {
        let allowed = NETWORK_UPDATE_AFFECT_LIVE | NETWORK_UPDATE_AFFECT_CONFIG;
        only_flags(flags, allowed, "testNetworkUpdate")?;
        let mut state = self.state();
        let network = state.networks.get_mut(network)?;
        let mut changes = Vec::new();
        for tree in network.affected(flags)? {
            let mut changed = tree.clone();
            network_update::apply(&mut changed, command, section, parent_index, xml)?;
            changes.push((tree, changed));
        }
        for (tree, changed) in changes {
            *tree = changed;
        }
        Ok(())
    }

    fn metadata(&self, network: &NetworkRef, kind: i32, uri: Option<&str>, flags: u32) -> Result<String> {
        let state = self.state();
        let tree = state.networks.by_uuid(network.uuid)?.chosen(flags)?;
        metadata::read(tree, kind, uri, ErrorCode::NO_NETWORK_METADATA)
    }

    fn set_metadata(
        &self,
        network: &NetworkRef,
        kind: i32,
        metadata: Option<&str>,
        key: Option<&str>,
        uri: Option<&str>,
        flags: u32,
    ) -> Result<()> {
        let allowed = NETWORK_UPDATE_AFFECT_LIVE | NETWORK_UPDATE_AFFECT_CONFIG;
        only_flags(flags, allowed, "testNetworkSetMetadata")?;
        let mut state = self.state();
        for tree in state.networks.get_mut(network)?.present(flags)? {
            metadata::write(tree, kind, metadata, key, uri)?;
            network::NETWORK.arrange(tree);
        }
        let uri = uri.map(str::to_string);
        let what = ObjectEvent::MetadataChange { kind, uri };
        self.bus.publish(&Event::Network(network.clone(), what));
        Ok(())
    }
}
