//! CPU models: what a binary knows under an accelerator, and which of them run here.

use crate::xml::Element;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// One model.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct CpuModel {
    /// Its name (`Nehalem`).
    pub name: String,
    /// Its QOM type.
    #[serde(default)]
    pub typename: String,
    /// The features it needs that are missing here; unknown under some targets.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unavailable_features: Option<Vec<String>>,
    /// The versioned model it stands for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alias_of: Option<String>,
    /// Whether QEMU's makers advise against it.
    #[serde(default)]
    pub deprecated: bool,
}

/// All models of a binary under an accelerator, sorted by name.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct CpuModels {
    /// The models.
    pub models: Vec<CpuModel>,
    /// The features that the model `max` switches on.
    pub maximum: BTreeSet<String>,
}

impl CpuModels {
    /// The model of a name.
    pub fn model(&self, name: &str) -> Option<&CpuModel> {
        let at = self.models.binary_search_by(|model| model.name.as_str().cmp(name)).ok()?;
        self.models.get(at)
    }
}

/// An answer of `query-cpu-model-expansion`.
#[derive(Deserialize, Default)]
pub struct Expansion {
    model: ExpandedModel,
}

#[derive(Deserialize, Default)]
struct ExpandedModel {
    #[serde(default)]
    props: BTreeMap<String, Value>,
}

impl Expansion {
    /// The names of the features that are on.
    pub fn flags(self) -> BTreeSet<String> {
        let on = self.model.props.into_iter().filter(|(_, value)| *value == Value::Bool(true));
        on.map(|(name, _)| name).collect()
    }
}

impl CpuModel {
    /// The model as documents list it.
    pub fn element(&self) -> Element {
        let usable = match &self.unavailable_features {
            Some(missing) if missing.is_empty() => "yes",
            Some(_) => "no",
            None => "unknown",
        };
        let mut element = Element::new("model").with("usable", usable);
        if self.deprecated {
            element.set("deprecated", "yes");
        }
        element.set("vendor", self.vendor());
        if let Some(canonical) = &self.alias_of {
            element.set("canonical", canonical);
        }
        element.with_text(&self.name)
    }

    /// The features that are missing here, if any.
    pub fn blockers(&self) -> Option<Element> {
        let missing = self.unavailable_features.as_ref().filter(|missing| !missing.is_empty())?;
        let mut names: Vec<String> = missing.iter().map(|name| definition_name(name)).collect();
        names.sort();
        names.dedup();
        let mut element = Element::new("blockers").with("model", &self.name);
        for name in names {
            element.push(Element::new("feature").with("name", name));
        }
        Some(element)
    }

    /// Whose processor it imitates; QEMU does not say, but the names do.
    fn vendor(&self) -> &'static str {
        let starts = |prefixes: &[&str]| prefixes.iter().any(|prefix| self.name.starts_with(prefix));
        if starts(&["EPYC", "Opteron", "phenom", "athlon"]) {
            "AMD"
        } else if starts(&["Dhyana"]) {
            "Hygon"
        } else if starts(&["YongFeng"]) {
            "Zhaoxin"
        } else if !self.typename.ends_with("-x86_64-cpu") && !self.typename.ends_with("-i386-cpu")
            || starts(&["486", "pentium", "qemu", "kvm", "max", "base", "host"])
        {
            "unknown"
        } else {
            "Intel"
        }
    }
}

/// A feature as definitions name it: some keep the underscore that QEMU has given up.
fn definition_name(name: &str) -> String {
    const UNDERSCORED: &[&str] = &[
        "lahf-lm",
        "cmp-legacy",
        "fxsr-opt",
        "nodeid-msr",
        "perfctr-core",
        "perfctr-nb",
        "tsc-adjust",
        "tsc-scale",
    ];
    match name {
        "pclmulqdq" => "pclmuldq".into(),
        name if UNDERSCORED.contains(&name) => name.replace('-', "_"),
        name => name.into(),
    }
}
