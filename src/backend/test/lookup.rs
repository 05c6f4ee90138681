//! Finding domains and reading what they are and how they fare.

use super::definition;
use super::state::Guest;
use super::*;
use crate::error::ErrorCode;
use crate::model::constants::*;

/// The refusal of a domain that does not exist.
fn no_domain(detail: String) -> Error {
    Error::new(ErrorCode::NO_DOMAIN, detail)
}

impl DomainLookup for TestConnection {
    fn list_all_domains(&self, flags: u32) -> Result<Vec<DomainRef>> {
        let state = self.state();
        let chosen = state.guests.iter().filter(|guest| is_listed(guest, flags));
        Ok(chosen.map(Guest::reference).collect())
    }

    fn lookup_by_id(&self, id: i32) -> Result<DomainRef> {
        let state = self.state();
        let wanted = u32::try_from(id).ok();
        let found = state.guests.iter().find(|guest| guest.is_active() && guest.id == wanted);
        found.map(Guest::reference).ok_or_else(|| no_domain(format!("no domain with matching id '{id}'")))
    }

    fn lookup_by_name(&self, name: &str) -> Result<DomainRef> {
        let state = self.state();
        let found = state.guests.iter().find(|guest| guest.name == name);
        found.map(Guest::reference).ok_or_else(|| no_domain(format!("no domain with matching name '{name}'")))
    }

    fn lookup_by_uuid(&self, uuid: uuid::Uuid) -> Result<DomainRef> {
        let state = self.state();
        let found = state.guests.iter().find(|guest| guest.uuid == uuid);
        found.map(Guest::reference).ok_or_else(|| no_domain(format!("no domain with matching uuid '{uuid}'")))
    }

    fn xml(&self, domain: &DomainRef, flags: u32) -> Result<String> {
        let allowed = DOMAIN_XML_SECURE | DOMAIN_XML_INACTIVE | DOMAIN_XML_MIGRATABLE;
        only_flags(flags, allowed, "testDomainGetXMLDesc")?;
        let state = self.state();
        let guest = state.guest(domain)?;
        let secrets = flags & DOMAIN_XML_SECURE != 0;
        Ok(match flags & DOMAIN_XML_INACTIVE {
            0 => definition::show(&guest.current, guest.id, secrets),
            _ => definition::show(guest.persistent_definition(), None, secrets),
        })
    }

    fn autostart(&self, domain: &DomainRef) -> Result<bool> {
        Ok(self.state().guest(domain)?.autostart)
    }

    fn info(&self, domain: &DomainRef) -> Result<DomainInfo> {
        let state = self.state();
        let guest = state.guest(domain)?;
        let (seconds, micros) = now();
        Ok(DomainInfo {
            state: u8::try_from(guest.state.state).unwrap_or_default(),
            max_memory: definition::max_memory(&guest.current),
            memory: definition::memory(&guest.current),
            vcpus: u16::try_from(definition::vcpus(&guest.current)).unwrap_or(u16::MAX),
            cpu_time: seconds * 1_000_000_000 + micros * 1000,
        })
    }

    fn os_type(&self, domain: &DomainRef) -> Result<String> {
        // Every guest of this driver claims to run Linux, whatever its definition boots.
        self.state().guest(domain).map(|_| "linux".to_string())
    }

    fn is_active(&self, domain: &DomainRef) -> Result<bool> {
        Ok(self.state().guest(domain)?.is_active())
    }

    fn is_persistent(&self, domain: &DomainRef) -> Result<bool> {
        Ok(self.state().guest(domain)?.persistent)
    }

    fn is_updated(&self, domain: &DomainRef) -> Result<bool> {
        self.state().guest(domain).map(|_| false)
    }

    fn state(&self, domain: &DomainRef, flags: u32) -> Result<StateReason> {
        only_flags(flags, 0, "testDomainGetState")?;
        Ok(self.state().guest(domain)?.state)
    }

    fn control_info(&self, domain: &DomainRef, flags: u32) -> Result<ControlInfo> {
        only_flags(flags, 0, "testDomainGetControlInfo")?;
        self.state().active(domain)?;
        Ok(ControlInfo::default())
    }

    fn security_label(&self, domain: &DomainRef) -> Result<SecurityLabel> {
        // Only what runs has a label.
        let active = self.state().guest(domain)?.is_active();
        Ok(SecurityLabel {
            label: if active { "libvirt-test".to_string() } else { String::new() },
            enforcing: active,
        })
    }

    fn metadata(&self, domain: &DomainRef, kind: i32, uri: Option<&str>, flags: u32) -> Result<String> {
        let state = self.state();
        let tree = state.guest(domain)?.chosen(flags)?;
        metadata::read(tree, kind, uri, ErrorCode::NO_DOMAIN_METADATA)
    }

    fn launch_security_info(&self, _domain: &DomainRef, flags: u32) -> Result<Vec<TypedParam>> {
        only_flags(flags | TYPED_PARAM_STRING_OKAY, 0, "testDomainGetLaunchSecurityInfo")?;
        Ok(Vec::new())
    }

    fn messages(&self, domain: &DomainRef, flags: u32) -> Result<Vec<String>> {
        only_flags(flags, 3, "testDomainGetMessages")?;
        self.state().guest(domain).map(|_| Vec::new())
    }
}

/// Whether a listing with these flags shows a domain: within each group of filters that is used, one must hold.
pub(super) fn is_listed(guest: &Guest, flags: u32) -> bool {
    let state = guest.state.state;
    let groups: [&[(u32, bool)]; 7] = [
        &[
            (CONNECT_LIST_DOMAINS_ACTIVE, guest.is_active()),
            (CONNECT_LIST_DOMAINS_INACTIVE, !guest.is_active()),
        ],
        &[
            (CONNECT_LIST_DOMAINS_PERSISTENT, guest.persistent),
            (CONNECT_LIST_DOMAINS_TRANSIENT, !guest.persistent),
        ],
        &[
            (CONNECT_LIST_DOMAINS_RUNNING, state == DOMAIN_RUNNING),
            (CONNECT_LIST_DOMAINS_PAUSED, state == DOMAIN_PAUSED),
            (CONNECT_LIST_DOMAINS_SHUTOFF, state == DOMAIN_SHUTOFF),
            (CONNECT_LIST_DOMAINS_OTHER, ![DOMAIN_RUNNING, DOMAIN_PAUSED, DOMAIN_SHUTOFF].contains(&state)),
        ],
        &[
            (CONNECT_LIST_DOMAINS_MANAGEDSAVE, guest.managed_save),
            (CONNECT_LIST_DOMAINS_NO_MANAGEDSAVE, !guest.managed_save),
        ],
        &[
            (CONNECT_LIST_DOMAINS_AUTOSTART, guest.autostart),
            (CONNECT_LIST_DOMAINS_NO_AUTOSTART, !guest.autostart),
        ],
        &[
            (CONNECT_LIST_DOMAINS_HAS_SNAPSHOT, guest.has_snapshots()),
            (CONNECT_LIST_DOMAINS_NO_SNAPSHOT, !guest.has_snapshots()),
        ],
        &[
            (CONNECT_LIST_DOMAINS_HAS_CHECKPOINT, guest.has_checkpoints()),
            (CONNECT_LIST_DOMAINS_NO_CHECKPOINT, !guest.has_checkpoints()),
        ],
    ];
    groups.iter().all(|group| passes(group, flags))
}

/// Whether one of the filters that `flags` use holds, or none of them is used.
pub(super) fn passes(group: &[(u32, bool)], flags: u32) -> bool {
    let mut used = group.iter().filter(|(flag, _)| flags & flag != 0).peekable();
    used.peek().is_none() || used.any(|(_, holds)| *holds)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn node() -> TestConnection {
        TestConnection::open(&Uri::parse("test:///default").unwrap()).unwrap()
    }

    #[test]
    fn the_default_domain_lives_and_dies() {
        let node = node();
        let node = node.domains();
        let test = node.lookup_by_name("test").unwrap();
        assert_eq!((test.id, node.lookup_by_id(1).unwrap().uuid), (Some(1), test.uuid));
        node.destroy(&test, 0).unwrap();
        assert_eq!(
            node.destroy(&test, 0).unwrap_err().message,
            "Requested operation is not valid: domain is not running"
        );
        assert!(node.lookup_by_id(1).is_err());
        assert_eq!(node.create(&test, 0).unwrap().id, Some(2));
        node.undefine(&test, 0).unwrap();
        node.destroy(&test, 0).unwrap();
        assert!(node.list_all_domains(0).unwrap().is_empty());
    }
}
