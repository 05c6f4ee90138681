//! What the host's scheduler is told about a domain.

use super::domains::Described;
use super::request::Form;
use super::{XendLayer, cannot, check_flags, invalid, is_for_running};
use crate::backend::xen::native::describe;
use crate::backend::xen::sxp::Sxp;
use crate::error::{Error, ErrorOrigin, Result};
use crate::model::constants::*;
use crate::model::{DomainRef, TypedParam};

/// The settings of the earliest deadline first, as xend calls them and libvirt would.
const SEDF: &[&str] = &["period", "slice", "latency", "extratime", "weight"];

/// The weight of a domain nobody gave one.
const USUAL_WEIGHT: u32 = 256;

/// The weight and the cap of the credit scheduler.
struct Credit {
    weight: u32,
    cap: u32,
}

impl XendLayer {
    /// The scheduler's name; releases that do not say had one each.
    pub(super) fn scheduler(&self) -> String {
        let named = self.requests.node.get("xen_scheduler");
        let default = if self.requests.release.has_credit_scheduler() { "credit" } else { "sedf" };
        named.unwrap_or_else(|| default.to_string())
    }

    /// The settings of a domain.
    pub(super) fn read_scheduler(&self, domain: &DomainRef, flags: u32) -> Result<Vec<TypedParam>> {
        let known = DOMAIN_AFFECT_LIVE | DOMAIN_AFFECT_CONFIG | TYPED_PARAM_STRING_OKAY;
        check_flags(flags, known, "virDomainGetSchedulerParametersFlags")?;
        let described = self.find(domain)?;
        if flags & DOMAIN_AFFECT_LIVE != 0 && !described.is_active() {
            return Err(super::not_running());
        }
        match self.scheduler().as_str() {
            "credit" => {
                let credit = self.credit(&described)?;
                Ok(vec![TypedParam::new("weight", credit.weight), TypedParam::new("cap", credit.cap)])
            }
            "sedf" => {
                let settings = self.sedf(&described)?;
                Ok(SEDF
                    .iter()
                    .map(|name| {
                        let value = settings.number(name).and_then(|value| u64::try_from(value).ok());
                        TypedParam::new(*name, value.unwrap_or(0))
                    })
                    .collect())
            }
            other => Err(unknown_scheduler("virDomainGetSchedulerParametersFlags", other)),
        }
    }

    /// Changes the settings of a domain.
    pub(super) fn change_scheduler(
        &self,
        domain: &DomainRef,
        params: &[TypedParam],
        flags: u32,
    ) -> Result<()> {
        check_flags(
            flags,
            DOMAIN_AFFECT_LIVE | DOMAIN_AFFECT_CONFIG,
            "virDomainSetSchedulerParametersFlags",
        )?;
        let described = self.find(domain)?;
        is_for_running(described.is_active(), flags)?;
        match self.scheduler().as_str() {
            "credit" => self.change_credit(&described, params),
            "sedf" => self.change_sedf(&described, params),
            other => Err(unknown_scheduler("virDomainSetSchedulerParametersFlags", other)),
        }
    }

    /// What the scheduler goes by. It knows best of a domain that runs: up to 3.1 a description says for ever what the
    /// domain began with, and from 3.2 to 3.4 nothing. Of one that does not run, the older ones have the description.
    fn credit(&self, described: &Described) -> Result<Credit> {
        let field = |name| described.sxp.number(name).and_then(|value| u32::try_from(value).ok());
        if described.file.is_some() {
            let (weight, cap) = (field("cpu_weight").unwrap_or(USUAL_WEIGHT), field("cpu_cap").unwrap_or(0));
            return Ok(Credit { weight, cap });
        }
        if !described.is_active() {
            if let (Some(weight), Some(cap)) = (field("cpu_weight"), field("cpu_cap")) {
                return Ok(Credit { weight, cap });
            }
        }
        let said = self.ask(described, &Form::new("domain_sched_credit_get"))?;
        let text = said.as_ref().and_then(Sxp::text).unwrap_or_default();
        match (in_dictionary(&text, "weight"), in_dictionary(&text, "cap")) {
            (Some(weight), cap) => Ok(Credit { weight, cap: cap.unwrap_or(0) }),
            (None, _) => Err(Error::internal(format!("xend describes a domain's weight as '{text}'"))
                .from_origin(ErrorOrigin::XEN)),
        }
    }

    fn change_credit(&self, described: &Described, params: &[TypedParam]) -> Result<()> {
        let mut credit = self.credit(described)?;
        let (vcpus, _) = describe::vcpus(&described.sxp);
        for param in params {
            let value = param.value.as_u64().and_then(|value| u32::try_from(value).ok());
            match (param.name.as_str(), value) {
                ("weight", Some(weight @ 1..=65535)) => credit.weight = weight,
                ("cap", Some(cap)) if cap <= vcpus.saturating_mul(100) => credit.cap = cap,
                ("weight", _) => return Err(out_of_range("weight", "1 to 65535")),
                ("cap", _) => {
                    return Err(out_of_range("cap", &format!("0 to {}", vcpus.saturating_mul(100))));
                }
                (other, _) => return Err(no_such_setting(other, "credit")),
            }
        }
        let release = self.requests.release;
        if !release.heeds_cap() && params.iter().any(|param| param.name == "cap") {
            return Err(invalid(format!("xend {release} does not heed a cap; only the weight can be set")));
        }
        let form = Form::new("domain_sched_credit_set").with("weight", credit.weight).with("cap", credit.cap);
        match self.ask(described, &form) {
            // Some find no scheduler for a domain that does not run; its definition has a place for both.
            Err(_) if !described.is_active() => self.redefine(described, |sxp| {
                sxp.set("cpu_weight", credit.weight);
                sxp.set("cpu_cap", credit.cap);
                Ok(())
            }),
            answer => answer.map(|_| ()),
        }
    }

    /// `(sedf (period '100000000') …)`.
    fn sedf(&self, described: &Described) -> Result<Sxp> {
        let said = self.ask(described, &Form::new("cpu_sedf_get"))?;
        said.ok_or_else(|| super::request::no_answer("cpu_sedf_get"))
    }

    fn change_sedf(&self, described: &Described, params: &[TypedParam]) -> Result<()> {
        let mut settings = self.sedf(described)?;
        for param in params {
            match param.value.as_u64() {
                Some(value) if SEDF.contains(&param.name.as_str()) => settings.set(&param.name, value),
                _ => return Err(no_such_setting(&param.name, "sedf")),
            }
        }
        let form = SEDF.iter().fold(Form::new("cpu_sedf_set"), |form, name| {
            form.with(name, settings.get(name).unwrap_or_else(|| "0".to_string()))
        });
        self.ask(described, &form).map(|_| ())
    }
}

fn out_of_range(name: &str, range: &str) -> Error {
    Error::invalid_argument(format!("{name} must be {range}")).from_origin(ErrorOrigin::XEN)
}

fn no_such_setting(name: &str, scheduler: &str) -> Error {
    let detail = format!("the {scheduler} scheduler has no setting '{name}'");
    Error::invalid_argument(detail).from_origin(ErrorOrigin::XEN)
}

fn unknown_scheduler(function: &'static str, scheduler: &str) -> Error {
    cannot(function, format!("xend knows nothing of scheduler '{scheduler}'"))
}

/// A number in the printed form of a Python dictionary, `{'cap': 0, 'weight': 256}`.
fn in_dictionary(text: &str, key: &str) -> Option<u32> {
    let quoted = format!("'{key}':");
    let (_, rest) = text.split_once(&quoted)?;
    let number: String = rest.trim_start().chars().take_while(char::is_ascii_digit).collect();
    number.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_found_in_a_dictionary() {
        assert_eq!(in_dictionary("{'cap': 0, 'weight': 256}", "weight"), Some(256));
        assert_eq!(in_dictionary("{'cap': 50}", "cap"), Some(50));
        assert_eq!(in_dictionary("{}", "cap"), None);
    }
}
