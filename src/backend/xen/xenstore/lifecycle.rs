//! Asking a guest to go: a word in its `control/shutdown`, which it takes out when it obeys.

use super::identity::home;
use super::layer::{XenstoreLayer, invalid};
use crate::backend::DomainLifecycle;
use crate::error::{Error, Result};
use crate::model::DomainRef;
use crate::model::constants::{DOMAIN_REBOOT_PARAVIRT, DOMAIN_SHUTDOWN_PARAVIRT};

impl XenstoreLayer {
    /// Puts a word where the guest's kernel looks for what it is asked to do.
    fn ask_guest(&self, domain: &DomainRef, word: &str) -> Result<()> {
        if domain.uuid.is_nil() {
            return Err(invalid("Domain-0 does not support requested operation"));
        }
        self.change(domain, |transaction, id| {
            let kind = transaction.read(&format!("/libxl/{id}/type"))?.and_then(|kind| kind.text());
            let is_emulated = kind.is_some_and(|kind| kind == "hvm");
            let control = format!("{}/control", home(id));
            // Whether it hears: it says so itself, so this only spares its user a wait.
            let says = transaction.read(&format!("{control}/feature-{word}"))?;
            let hears = says.and_then(|says| says.number::<u32>()) == Some(1);
            if is_emulated && !hears {
                let what = "the guest has no paravirtual drivers that would hear it; shut it down from inside, or \
                            destroy it";
                return Err(invalid(what));
            }
            transaction.write(&format!("{control}/shutdown"), word.as_bytes())
        })
    }
}

impl DomainLifecycle for XenstoreLayer {
    fn shutdown(&self, domain: &DomainRef, flags: u32) -> Result<()> {
        if flags & !DOMAIN_SHUTDOWN_PARAVIRT != 0 {
            return Err(Error::unsupported("virDomainShutdownFlags"));
        }
        self.ask_guest(domain, "poweroff")
    }

    fn reboot(&self, domain: &DomainRef, flags: u32) -> Result<()> {
        if flags & !DOMAIN_REBOOT_PARAVIRT != 0 {
            return Err(Error::unsupported("virDomainReboot"));
        }
        self.ask_guest(domain, "reboot")
    }
}
