//! The network interfaces of the node, with transactions over all of them.

use super::*;
use super::{definition, lookup};
use crate::error::ErrorCode;
use crate::model::constants::*;
use crate::xml::{self, Element, interface};

/// A network interface of the node.
#[derive(Clone)]
pub(super) struct HostInterface {
    name: String,
    active: bool,
    tree: Element,
}

/// All interfaces of a node.
#[derive(Default)]
pub(super) struct InterfaceSet {
    list: Vec<HostInterface>,
    /// What was there when the running transaction began.
    before: Option<Vec<HostInterface>>,
}

impl HostInterface {
    fn new(tree: Element) -> HostInterface {
        HostInterface { name: tree.attribute("name").unwrap_or_default().to_string(), active: false, tree }
    }

    fn mac(&self) -> &str {
        self.tree.child_attribute("mac", "address").unwrap_or_default()
    }

    fn reference(&self) -> InterfaceRef {
        InterfaceRef { name: self.name.clone(), mac: self.mac().to_string() }
    }
}

fn missing(detail: String) -> Error {
    Error::new(ErrorCode::NO_INTERFACE, detail)
}

/// *Not valid* without another word, which is all that is said here.
fn not_valid() -> Error {
    let mut error = Error::invalid_operation("");
    error.message = ErrorCode::OPERATION_INVALID.prefix().to_string();
    error
}

impl InterfaceSet {
    /// The interfaces that documents define, all up.
    pub fn running(trees: Vec<Element>) -> Result<InterfaceSet> {
        let mut set = InterfaceSet::default();
        for mut tree in trees {
            interface::complete(&mut tree)?;
            let mut new = HostInterface::new(tree);
            new.active = true;
            set.put(new);
        }
        Ok(set)
    }

    /// Adds an interface, in the place of one of the same name.
    fn put(&mut self, new: HostInterface) {
        match self.list.iter_mut().find(|known| known.name == new.name) {
            Some(known) => known.tree = new.tree,
            None => self.list.push(new),
        }
    }

    fn find(&self, name: &str) -> Result<&HostInterface> {
        let found = self.list.iter().find(|interface| interface.name == name);
        found.ok_or_else(|| missing(format!("no interface with matching name '{name}'")))
    }

    fn set_active(&mut self, name: &str, active: bool) -> Result<()> {
        if self.find(name)?.active == active {
            return Err(not_valid());
        }
        for interface in self.list.iter_mut().filter(|interface| interface.name == name) {
            interface.active = active;
        }
        Ok(())
    }
}

impl Interfaces for TestConnection {
    fn list_all_interfaces(&self, flags: u32) -> Result<Vec<InterfaceRef>> {
        let state = self.state();
        let is_listed = |interface: &&HostInterface| {
            let group = [
                (CONNECT_LIST_INTERFACES_ACTIVE, interface.active),
                (CONNECT_LIST_INTERFACES_INACTIVE, !interface.active),
            ];
            lookup::passes(&group, flags)
        };
        let listed = state.interfaces.list.iter().filter(is_listed);
        Ok(listed.map(HostInterface::reference).collect())
    }

    fn lookup_by_name(&self, name: &str) -> Result<InterfaceRef> {
        self.state().interfaces.find(name).map(HostInterface::reference)
    }

    fn lookup_by_mac_string(&self, mac: &str) -> Result<InterfaceRef> {
        let state = self.state();
        let mut found = state.interfaces.list.iter().filter(|known| known.mac().eq_ignore_ascii_case(mac));
        match (found.next(), found.next()) {
            (Some(interface), None) => Ok(interface.reference()),
            (Some(_), Some(_)) => Err(Error::new(ErrorCode::MULTIPLE_INTERFACES, mac)),
            (None, _) => Err(missing(format!("no interface with matching mac '{mac}'"))),
        }
    }

    fn xml(&self, interface: &InterfaceRef, flags: u32) -> Result<String> {
        only_flags(flags, 0, "testInterfaceGetXMLDesc")?;
        Ok(self.state().interfaces.find(&interface.name)?.tree.to_string())
    }

    fn is_active(&self, interface: &InterfaceRef) -> Result<bool> {
        Ok(self.state().interfaces.find(&interface.name)?.active)
    }

    fn define_xml(&self, text: &str, flags: u32) -> Result<InterfaceRef> {
        only_flags(flags, INTERFACE_DEFINE_VALIDATE, "testInterfaceDefineXML")?;
        let mut tree = xml::parse(text, "interface_definition")?;
        definition::expect_root(&tree, "interface")?;
        interface::complete(&mut tree)?;
        let new = HostInterface::new(tree);
        let reference = new.reference();
        self.state().interfaces.put(new);
        Ok(reference)
    }

    fn undefine(&self, interface: &InterfaceRef) -> Result<()> {
        let mut state = self.state();
        state.interfaces.find(&interface.name)?;
        state.interfaces.list.retain(|known| known.name != interface.name);
        Ok(())
    }

    fn create(&self, interface: &InterfaceRef, flags: u32) -> Result<()> {
        only_flags(flags, 0, "testInterfaceCreate")?;
        self.state().interfaces.set_active(&interface.name, true)
    }

    fn destroy(&self, interface: &InterfaceRef, flags: u32) -> Result<()> {
        only_flags(flags, 0, "testInterfaceDestroy")?;
        self.state().interfaces.set_active(&interface.name, false)
    }

    fn change_begin(&self, flags: u32) -> Result<()> {
        only_flags(flags, 0, "testInterfaceChangeBegin")?;
        let interfaces = &mut self.state().interfaces;
        if interfaces.before.is_some() {
            return Err(Error::invalid_operation("there is another transaction running."));
        }
        interfaces.before = Some(interfaces.list.clone());
        Ok(())
    }

    fn change_commit(&self, flags: u32) -> Result<()> {
        only_flags(flags, 0, "testInterfaceChangeCommit")?;
        match self.state().interfaces.before.take() {
            Some(_) => Ok(()),
            None => Err(Error::invalid_operation("no transaction running, nothing to be committed.")),
        }
    }

    fn change_rollback(&self, flags: u32) -> Result<()> {
        only_flags(flags, 0, "testInterfaceChangeRollback")?;
        let interfaces = &mut self.state().interfaces;
        let Some(mut before) = interfaces.before.take() else {
            let detail = "no transaction running, nothing to rollback.";
            return Err(Error::invalid_operation(detail));
        };
        // Definitions come back; what was up does not.
        before.iter_mut().for_each(|interface| interface.active = false);
        interfaces.list = before;
        Ok(())
    }
}
