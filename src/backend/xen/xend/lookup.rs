//! Finding domains and reading what they are.

use super::domains::Described;
use super::{XendLayer, check_flags, invalid};
use crate::backend::DomainLookup;
use crate::backend::xen::native;
use crate::error::Result;
use crate::model::constants::*;
use crate::model::*;
use uuid::Uuid;

impl DomainLookup for XendLayer {
    fn xml(&self, domain: &DomainRef, flags: u32) -> Result<String> {
        let known = DOMAIN_XML_SECURE | DOMAIN_XML_INACTIVE | DOMAIN_XML_UPDATE_CPU | DOMAIN_XML_MIGRATABLE;
        check_flags(flags, known, "virDomainGetXMLDesc")?;
        let mut described = self.find(domain)?;
        if flags & DOMAIN_XML_INACTIVE != 0 {
            described = self.stored(&described);
            described.must_be_read()?;
            described.sxp.unset("domid");
        }
        Ok(native::describe::describe(&described.sxp, flags & DOMAIN_XML_SECURE != 0)?.to_string())
    }

    fn autostart(&self, domain: &DomainRef) -> Result<bool> {
        Ok(self.starts_by_itself(&self.find(domain)?))
    }

    fn info(&self, domain: &DomainRef) -> Result<DomainInfo> {
        Ok(self.find(domain)?.info(self.requests.release))
    }

    fn os_type(&self, domain: &DomainRef) -> Result<String> {
        let described = self.find(domain)?;
        let is_hvm = native::describe::Image::of(&described.sxp).is_hvm;
        // Not the word that the definition has for it.
        Ok(if is_hvm { "hvm" } else { "xen" }.to_string())
    }

    fn lookup_by_id(&self, id: i32) -> Result<DomainRef> {
        let found = match u32::try_from(id) {
            Ok(id) => self.by_id(id)?,
            Err(_) => None,
        };
        found.map(|found| found.reference).ok_or_else(|| XendLayer::no_such_id(id))
    }

    fn lookup_by_name(&self, name: &str) -> Result<DomainRef> {
        let found = if name.is_empty() { None } else { self.by_name(name)? };
        found.map(|found| found.reference).ok_or_else(|| XendLayer::no_such_name(name))
    }

    fn lookup_by_uuid(&self, uuid: Uuid) -> Result<DomainRef> {
        self.by_uuid(uuid)?.map(|found| found.reference).ok_or_else(|| XendLayer::no_such_uuid(uuid))
    }

    fn xml_from_native(&self, native_format: &str, native_config: &str, flags: u32) -> Result<String> {
        check_flags(flags, 0, "virConnectDomainXMLFromNative")?;
        native::to_xml(native_format, native_config)
    }

    fn xml_to_native(&self, native_format: &str, domain_xml: &str, flags: u32) -> Result<String> {
        check_flags(flags, 0, "virConnectDomainXMLToNative")?;
        native::from_xml(native_format, domain_xml)
    }

    fn is_active(&self, domain: &DomainRef) -> Result<bool> {
        Ok(self.find(domain)?.is_active())
    }

    fn is_persistent(&self, domain: &DomainRef) -> Result<bool> {
        let described = self.find(domain)?;
        Ok(self.is_managed(&described))
    }

    fn is_updated(&self, domain: &DomainRef) -> Result<bool> {
        self.find(domain).map(|_| false)
    }

    fn state(&self, domain: &DomainRef, flags: u32) -> Result<StateReason> {
        check_flags(flags, 0, "virDomainGetState")?;
        Ok(self.find(domain)?.state(self.requests.release))
    }

    fn control_info(&self, domain: &DomainRef, flags: u32) -> Result<ControlInfo> {
        check_flags(flags, 0, "virDomainGetControlInfo")?;
        match self.find(domain)?.is_active() {
            true => Ok(ControlInfo::default()),
            false => Err(invalid("domain is not running")),
        }
    }

    fn list_all_domains(&self, flags: u32) -> Result<Vec<DomainRef>> {
        let all = self.all()?.into_iter().filter(|described| self.is_listed(described, flags));
        Ok(all.map(|described| described.reference).collect())
    }

    fn messages(&self, domain: &DomainRef, _flags: u32) -> Result<Vec<String>> {
        self.find(domain).map(|_| Vec::new())
    }
}

impl XendLayer {
    /// Whether a listing with these flags shows a domain: within each group of filters that is used, one must hold.
    fn is_listed(&self, described: &Described, flags: u32) -> bool {
        let state = described.state(self.requests.release);
        let (active, managed) = (described.is_active(), self.is_managed(described));
        let saved = state.reason == DOMAIN_SHUTOFF_SAVED && state.state == DOMAIN_SHUTOFF;
        let is = |wanted| state.state == wanted;
        let other = ![DOMAIN_RUNNING, DOMAIN_PAUSED, DOMAIN_SHUTOFF].contains(&state.state);
        let autostart = self.starts_by_itself(described);
        let groups: [&[(u32, bool)]; 7] = [
            &[(CONNECT_LIST_DOMAINS_ACTIVE, active), (CONNECT_LIST_DOMAINS_INACTIVE, !active)],
            &[(CONNECT_LIST_DOMAINS_PERSISTENT, managed), (CONNECT_LIST_DOMAINS_TRANSIENT, !managed)],
            &[
                (CONNECT_LIST_DOMAINS_RUNNING, is(DOMAIN_RUNNING)),
                (CONNECT_LIST_DOMAINS_PAUSED, is(DOMAIN_PAUSED)),
                (CONNECT_LIST_DOMAINS_SHUTOFF, is(DOMAIN_SHUTOFF)),
                (CONNECT_LIST_DOMAINS_OTHER, other),
            ],
            &[(CONNECT_LIST_DOMAINS_MANAGEDSAVE, saved), (CONNECT_LIST_DOMAINS_NO_MANAGEDSAVE, !saved)],
            &[(CONNECT_LIST_DOMAINS_AUTOSTART, autostart), (CONNECT_LIST_DOMAINS_NO_AUTOSTART, !autostart)],
            &[(CONNECT_LIST_DOMAINS_HAS_SNAPSHOT, false), (CONNECT_LIST_DOMAINS_NO_SNAPSHOT, true)],
            &[(CONNECT_LIST_DOMAINS_HAS_CHECKPOINT, false), (CONNECT_LIST_DOMAINS_NO_CHECKPOINT, true)],
        ];
        groups.iter().all(|group| {
            let mut used = group.iter().filter(|(flag, _)| flags & flag != 0).peekable();
            used.peek().is_none() || used.any(|(_, holds)| *holds)
        })
    }
}
