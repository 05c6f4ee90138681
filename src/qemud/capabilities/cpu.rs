//! CPU models: what a binary knows under an accelerator, and which of them run here.

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
        let at = self
            .models
            .binary_search_by(|model| model.name.as_str().cmp(name))
            .ok()?;
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
        let on = self
            .model
            .props
            .into_iter()
            .filter(|(_, value)| *value == Value::Bool(true));
        on.map(|(name, _)| name).collect()
    }
}
