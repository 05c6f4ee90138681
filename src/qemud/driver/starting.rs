//! Starting domains: from their definition, or from their managed-save image.

use super::{QemuConnection, blueprint, invalid};
use crate::error::Result;
use crate::model::DomainRef;
use crate::model::constants::*;
use crate::qemud::store::{remove_durably, rename_durably};
use crate::qemud::vm::guest::{Definition, Guest};
use crate::qemud::vm::image::Image;
use crate::qemud::vm::jobs::Turn;
use crate::qemud::vm::launch::{self, Manner};
use crate::qemud::vm::restore;
use crate::xml::Element;
use std::path::Path;
use std::sync::{Arc, PoisonError};

/// How a domain is to be started.
#[derive(Clone, Copy, Default)]
pub struct Boot {
    /// How it is to come up.
    pub manner: Manner,
    /// Go past the host's page cache when reading an image.
    pub bypass_cache: bool,
    /// Throw a managed-save image away instead of using it.
    pub force: bool,
    /// Begin with fresh firmware variables.
    pub reset_nvram: bool,
}

impl Boot {
    /// Reads `virDomainCreateFlags`.
    pub fn from_flags(flags: u32) -> Boot {
        Boot {
            manner: Manner {
                paused: flags & DOMAIN_START_PAUSED != 0,
                paused_by_client: flags & DOMAIN_START_PAUSED != 0,
                autodestroy: flags & DOMAIN_START_AUTODESTROY != 0,
                restored: false,
            },
            bypass_cache: flags & DOMAIN_START_BYPASS_CACHE != 0,
            force: flags & DOMAIN_START_FORCE_BOOT != 0,
            reset_nvram: flags & DOMAIN_START_RESET_NVRAM != 0,
        }
    }
}

impl QemuConnection {
    /// Starts a persistent domain, from its managed-save image if it has one.
    pub(super) fn start(&self, guest: &Arc<Guest>, flags: u32) -> Result<()> {
        let turn = guest.jobs.take_turn("virDomainCreate")?;
        let boot = Boot::from_flags(flags);
        let (name, definition) = {
            let condition = guest.lock();
            if condition.active.is_some() {
                return Err(invalid("domain is already running"));
            }
            (condition.name.clone(), condition.persistent.clone())
        };
        let definition = definition.ok_or_else(|| invalid("domain is not running"))?;
        let image = self.inventory().store.paths.managed_save(&name);
        if image.exists() && boot.force {
            remove_durably(&image)?;
            guest.lock().managed_save = false;
        }
        if image.exists() {
            return self.start_from_managed_save(guest, &turn, &image, &boot);
        }
        self.boot(guest, &turn, &definition, &boot)
    }

    /// Starts a domain that boots.
    pub(super) fn boot(
        &self,
        guest: &Arc<Guest>,
        turn: &Turn<'_>,
        definition: &Definition,
        boot: &Boot,
    ) -> Result<()> {
        let _ = turn;
        let starting = launch::start(self.inventory(), guest, definition, &|site| {
            blueprint::draw(definition, site, false, boot.reset_nvram)
        })?;
        starting.finish(boot.manner)?;
        self.remember_autodestroy(guest, boot.manner.autodestroy);
        Ok(())
    }

    fn remember_autodestroy(&self, guest: &Guest, autodestroy: bool) {
        if autodestroy {
            let mut doomed = self.autodestroy.lock().unwrap_or_else(PoisonError::into_inner);
            doomed.push(guest.uuid);
        }
    }

    /// Starts a domain whose memory is in an image.
    pub(super) fn boot_from_image(
        &self,
        guest: &Arc<Guest>,
        turn: &Turn<'_>,
        image: &Image,
        path: &Path,
        boot: &Boot,
    ) -> Result<()> {
        let tree = crate::xml::parse(&image.xml, "domain_definition")?;
        let definition = Definition::new(&tree);
        let starting = launch::start(self.inventory(), guest, &definition, &|site| {
            blueprint::draw(&definition, site, true, false)
        })?;
        restore::restore(starting, turn, image, path, boot.bypass_cache, boot.manner)?;
        self.remember_autodestroy(guest, boot.manner.autodestroy);
        Ok(())
    }

    /// The image is moved out of the way before the guest runs and removed after: whatever happens in between, it
    /// is never used a second time after the guest ran, and never lost before.
    fn start_from_managed_save(
        &self,
        guest: &Arc<Guest>,
        turn: &Turn<'_>,
        path: &Path,
        boot: &Boot,
    ) -> Result<()> {
        let image = Image::open(path, false)?;
        let spent = path.with_extension("save.spent");
        rename_durably(path, &spent)?;
        let manner = Manner { paused: boot.manner.paused || !image.header.running, ..boot.manner };
        let started = self.boot_spent(guest, turn, &image, &spent, &Boot { manner, ..*boot });
        match started {
            Ok(()) => {
                guest.lock().managed_save = false;
                remove_durably(&spent)?;
                let mut condition = guest.lock();
                if let Some(active) = condition.active.as_mut() {
                    active.spent_image = None;
                }
                self.inventory().write_status(&condition);
                Ok(())
            }
            Err(error) => {
                rename_durably(&spent, path)?;
                Err(error)
            }
        }
    }

    fn boot_spent(
        &self,
        guest: &Arc<Guest>,
        turn: &Turn<'_>,
        image: &Image,
        spent: &Path,
        boot: &Boot,
    ) -> Result<()> {
        let tree = crate::xml::parse(&image.xml, "domain_definition")?;
        let definition = Definition::new(&tree);
        let starting = launch::start(self.inventory(), guest, &definition, &|site| {
            blueprint::draw(&definition, site, true, false)
        })?;
        {
            let mut condition = guest.lock();
            if let Some(active) = condition.active.as_mut() {
                active.spent_image = Some(spent.to_path_buf());
            }
            self.inventory().write_status(&condition);
        }
        restore::restore(starting, turn, image, spent, boot.bypass_cache, boot.manner)?;
        self.remember_autodestroy(guest, boot.manner.autodestroy);
        Ok(())
    }

    /// Makes a domain that lives only as long as it runs, and starts it as `start` says. A persistent domain of the
    /// same name and uuid is started with this definition instead.
    pub(super) fn create_transient(
        &self,
        tree: &Element,
        start: impl FnOnce(&Arc<Guest>, &Turn<'_>) -> Result<()>,
    ) -> Result<DomainRef> {
        let (name, uuid) = super::lifecycle::identity(tree)?;
        let inventory = self.inventory();
        let naming = inventory.naming.lock().unwrap_or_else(PoisonError::into_inner);
        let guest = match self.claim(&name, uuid)? {
            Some(known) => known,
            None => {
                let guest = Arc::new(Guest::new(uuid, &name));
                inventory.insert(guest.clone(), &name);
                guest
            }
        };
        drop(naming);
        let turn = guest.jobs.take_turn("virDomainCreateXML")?;
        if guest.lock().active.is_some() {
            return Err(invalid(format!("domain '{name}' is already active")));
        }
        let started = start(&guest, &turn);
        if let Err(error) = started {
            let mut condition = guest.lock();
            if condition.persistent.is_none() && condition.active.is_none() {
                inventory.remove(&mut condition);
            }
            return Err(error);
        }
        let reference = guest.lock().reference();
        Ok(reference)
    }

    /// Starts everything that is marked so; what fails is logged and harms nobody else.
    pub(super) fn start_marked(&self) {
        let mut guests = self.inventory().all();
        guests.retain(|guest| guest.lock().autostart);
        guests.sort_by_key(|guest| guest.lock().name.clone());
        for guest in guests {
            if guest.lock().active.is_none()
                && let Err(error) = self.start(&guest, 0)
            {
                let name = guest.lock().name.clone();
                tracing::error!("domain '{name}' is marked to start but does not: {error}");
            }
        }
    }
}
