//! Typed parameters as programs get them: one object, each value with its type.

use crate::model::{ParamValue, TypedParam};
use serde_json::{Map, Value, json};

/// The parameters by their names.
pub fn object(params: &[TypedParam]) -> Map<String, Value> {
    params.iter().map(|param| (param.name.clone(), value(&param.value))).collect()
}

fn value(value: &ParamValue) -> Value {
    match value {
        ParamValue::Int(value) => json!(value),
        ParamValue::UInt(value) => json!(value),
        ParamValue::LLong(value) => json!(value),
        ParamValue::ULLong(value) => json!(value),
        ParamValue::Double(value) => json!(value),
        ParamValue::Boolean(value) => json!(value),
        ParamValue::String(value) => json!(value),
    }
}
