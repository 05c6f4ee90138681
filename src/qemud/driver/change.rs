//! Changing definitions: which of the two a change is for, and how it is kept.

use super::invalid;
use crate::error::Result;
use crate::model::constants::*;
use crate::qemud::vm::guest::{Condition, Definition, Guest, not_running};
use crate::qemud::vm::inventory::Inventory;
use crate::xml::Element;

/// What a change is for: the running guest, its definition for the next start, or both.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Impact {
    /// The running guest.
    pub live: bool,
    /// The persistent definition.
    pub config: bool,
}

/// Reads `virDomainModificationImpact`: without a flag the running guest is meant if there is one.
pub fn impact(condition: &Condition, flags: u32) -> Result<Impact> {
    let asked = flags & (DOMAIN_AFFECT_LIVE | DOMAIN_AFFECT_CONFIG);
    let active = condition.is_active();
    let impact = Impact {
        live: asked & DOMAIN_AFFECT_LIVE != 0 || asked == 0 && active,
        config: asked & DOMAIN_AFFECT_CONFIG != 0 || asked == 0 && !active,
    };
    if impact.live && !active {
        return Err(not_running());
    }
    if impact.config && condition.persistent.is_none() {
        return Err(invalid("transient domains do not have any persistent configuration"));
    }
    Ok(impact)
}

/// The definition a question is about.
pub fn asked_definition(condition: &Condition, flags: u32) -> Result<Definition> {
    let impact = impact(condition, flags)?;
    let definition = if impact.live {
        condition.active.as_ref().map(|active| &active.definition)
    } else {
        condition.persistent.as_ref()
    };
    definition.cloned().ok_or_else(not_running)
}

/// Changes the persistent definition, on disk first. The caller has the turn.
pub fn edit_config(
    inventory: &Inventory,
    guest: &Guest,
    edit: impl FnOnce(&mut Element) -> Result<()>,
) -> Result<()> {
    let (name, definition) = {
        let condition = guest.lock();
        (condition.name.clone(), condition.persistent.clone())
    };
    let definition =
        definition.ok_or_else(|| invalid("transient domains do not have any persistent configuration"))?;
    let mut tree = definition.tree()?;
    edit(&mut tree)?;
    inventory.store.save_definition(&name, &tree)?;
    guest.lock().persistent = Some(Definition::new(&tree));
    Ok(())
}

/// Writes into the definitions of a running guest what has been done to it. The caller has the turn.
pub fn edit_live(
    inventory: &Inventory,
    guest: &Guest,
    mut edit: impl FnMut(&mut Element) -> Result<()>,
) -> Result<()> {
    let (definition, base) = {
        let condition = guest.lock();
        let active = condition.running()?;
        (active.definition.clone(), active.base.clone())
    };
    let (mut tree, mut base) = (definition.tree()?, base.tree()?);
    edit(&mut tree)?;
    edit(&mut base)?;
    keep_live(inventory, guest, &tree, &base)
}

/// Replaces the definitions of a running guest.
pub fn keep_live(inventory: &Inventory, guest: &Guest, tree: &Element, base: &Element) -> Result<()> {
    let (definition, base) = (Definition::new(tree), Definition::new(base));
    inventory.store.save_active(guest.uuid, &definition.text)?;
    inventory.store.save_base(guest.uuid, &base.text)?;
    let mut condition = guest.lock();
    let active = condition.running_mut()?;
    active.definition = definition;
    active.base = base;
    Ok(())
}
