//! Memory: how much a domain has, and the limits it is kept in.

use super::definition::{self, drop_empty, insert_after, part};
use crate::error::{Error, ErrorCode, Result};
use crate::model::{ParamValue, TypedParam};
use crate::xml::Element;

/// What stands for no limit, in KiB.
const UNLIMITED: u64 = 9_007_199_254_740_991;
/// The limits, in the order they are told and written.
const LIMITS: [&str; 3] = ["hard_limit", "soft_limit", "swap_hard_limit"];

/// Refuses parameters that an operation does not know, or that have another type than it wants.
pub(super) fn known_parameters(params: &[TypedParam], known: &[(&str, Kind)]) -> Result<()> {
    let mut params: Vec<&TypedParam> = params.iter().collect();
    params.sort_by(|one, other| one.name.cmp(&other.name));
    for (at, param) in params.iter().enumerate() {
        let Some((_, kind)) = known.iter().find(|(name, _)| *name == param.name) else {
            let detail = format!("parameter '{}' not supported", param.name);
            return Err(Error::new(ErrorCode::ARGUMENT_UNSUPPORTED, detail));
        };
        if !kind.fits(&param.value) {
            let (found, wanted) = (type_name(&param.value), kind.name());
            let detail =
                format!("invalid type '{found}' for parameter '{}', expected '{wanted}'", param.name);
            return Err(Error::invalid_argument(detail));
        }
        if params[..at].iter().any(|earlier| earlier.name == param.name) {
            let detail = format!("parameter '{}' occurs multiple times", param.name);
            return Err(Error::invalid_argument(detail));
        }
    }
    Ok(())
}

/// The type that a parameter must have.
#[derive(Clone, Copy)]
pub(super) enum Kind {
    Int,
    UInt,
    ULLong,
    Boolean,
    Text,
}

/// What a value's type is called.
fn type_name(value: &ParamValue) -> &'static str {
    match value {
        ParamValue::Int(_) => "int",
        ParamValue::UInt(_) => "uint",
        ParamValue::LLong(_) => "llong",
        ParamValue::ULLong(_) => "ullong",
        ParamValue::Double(_) => "double",
        ParamValue::Boolean(_) => "boolean",
        ParamValue::String(_) => "string",
    }
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Kind::Int => "int",
            Kind::UInt => "uint",
            Kind::ULLong => "ullong",
            Kind::Boolean => "boolean",
            Kind::Text => "string",
        }
    }
    fn fits(self, value: &ParamValue) -> bool {
        matches!(
            (self, value),
            (Kind::Int, ParamValue::Int(_))
                | (Kind::UInt, ParamValue::UInt(_))
                | (Kind::ULLong, ParamValue::ULLong(_))
                | (Kind::Boolean, ParamValue::Boolean(_))
                | (Kind::Text, ParamValue::String(_))
        )
    }
}

/// Sets the memory a domain has, in KiB.
pub(super) fn set_current(tree: &mut Element, memory: u64) {
    let part = part(tree, "currentMemory");
    part.set("unit", "KiB");
    part.set_text(memory);
}

/// Sets the most memory a domain may have, in KiB; it cannot have more than that.
pub(super) fn set_max(tree: &mut Element, memory: u64) {
    let part = part(tree, "memory");
    part.set("unit", "KiB");
    part.set_text(memory);
    if definition::memory(tree) > memory {
        set_current(tree, memory);
    }
}

fn limit(tree: &Element, name: &str) -> u64 {
    definition::number(tree, &format!("memtune/{name}")).unwrap_or(UNLIMITED)
}

/// The limits of a definition.
pub(super) fn limits(tree: &Element) -> Vec<TypedParam> {
    let limit = |name: &&str| TypedParam::new(*name, limit(tree, name));
    LIMITS.iter().map(limit).collect()
}

/// Checks new limits against each other and the old ones.
pub(super) fn check_limits(tree: &Element, params: &[TypedParam]) -> Result<()> {
    known_parameters(params, &LIMITS.map(|name| (name, Kind::ULLong)))?;
    let after = |name: &str| match TypedParam::find(params, name).and_then(ParamValue::as_u64) {
        Some(value) => value,
        None => limit(tree, name),
    };
    let named = |name: &str| TypedParam::find(params, name).is_some();
    if (named("hard_limit") || named("swap_hard_limit")) && after("hard_limit") > after("swap_hard_limit") {
        let detail = "memory hard_limit tunable value must be lower than or equal to swap_hard_limit";
        return Err(Error::invalid_argument(detail));
    }
    Ok(())
}

/// Sets limits that were checked.
pub(super) fn set_limits(tree: &mut Element, params: &[TypedParam]) {
    let held = part(tree, "memtune");
    for param in params {
        held.remove(&param.name);
        let Some(value) = param.value.as_u64().filter(|value| *value < UNLIMITED) else {
            continue;
        };
        let place = LIMITS.iter().position(|name| *name == param.name).unwrap_or(0);
        let element = Element::new(&param.name).with("unit", "KiB").with_text(value);
        insert_after(held, element, &LIMITS[..place]);
    }
    drop_empty(tree, "memtune");
}

/// Sets how often the balloon reports, in seconds; zero is never.
pub(super) fn set_period(tree: &mut Element, period: i32) -> Result<()> {
    let devices = tree.child_mut("devices");
    let Some(balloon) = devices.and_then(|devices| devices.child_mut("memballoon")) else {
        let detail = "No memory balloon device configured, can not set the collection period";
        return Err(Error::internal(detail));
    };
    balloon.remove("stats");
    if period > 0 {
        let stats = Element::new("stats").with("period", period);
        insert_after(balloon, stats, &[]);
    }
    Ok(())
}

/// How a definition spreads memory over NUMA nodes.
pub(super) fn numa(tree: &Element) -> Vec<TypedParam> {
    let mode = tree.child_attribute("numatune/memory", "mode").unwrap_or("strict");
    let mode = NUMA_MODES.iter().position(|known| *known == mode).unwrap_or(0);
    let nodes = tree.child_attribute("numatune/memory", "nodeset").unwrap_or_default();
    vec![TypedParam::new("numa_mode", mode as i32), TypedParam::new("numa_nodeset", nodes)]
}

/// The modes by number (`virDomainNumatuneMemMode`).
pub(super) const NUMA_MODES: [&str; 4] = ["strict", "preferred", "interleave", "restrictive"];

/// Sets how a definition spreads memory over NUMA nodes.
pub(super) fn set_numa(tree: &mut Element, mode: Option<&str>, nodes: Option<&str>) -> Result<()> {
    if nodes.is_none() && tree.child_attribute("numatune/memory", "nodeset").is_none() {
        let detail = "nodeset for NUMA memory tuning must be set if 'placement' is 'static'";
        return Err(Error::unsupported_configuration(detail));
    }
    let held = part(tree, "numatune");
    let memory = held.child_or_new("memory");
    if memory.attribute("mode").is_none() || mode.is_some() {
        memory.set("mode", mode.unwrap_or("strict"));
    }
    if let Some(nodes) = nodes {
        memory.set("nodeset", nodes);
    }
    Ok(())
}
