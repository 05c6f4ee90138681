//! Settings as lines of `name: value`, the form of all the tuning commands.

use crate::model::{ParamValue, TypedParam};
use crate::shell::cell::Cell;
use crate::shell::session::Session;
use anyhow::Result;
use serde_json::{Map, Value};

/// A line: a name and a value.
pub struct Setting {
    name: String,
    value: Cell,
}

impl Setting {
    /// A parameter as the driver gave it.
    pub fn of(param: &TypedParam) -> Setting {
        Setting::with(&param.name, param.value.to_string(), value(&param.value))
    }

    /// A parameter shown in other words.
    pub fn with(name: &str, text: impl Into<String>, value: impl Into<Value>) -> Setting {
        Setting { name: name.to_string(), value: Cell::with(text.into(), value) }
    }
}

/// A parameter's value as JSON has it.
pub fn value(value: &ParamValue) -> Value {
    match value {
        ParamValue::Int(v) => Value::from(*v),
        ParamValue::UInt(v) => Value::from(*v),
        ParamValue::LLong(v) => Value::from(*v),
        ParamValue::ULLong(v) => Value::from(*v),
        ParamValue::Double(v) => Value::from(*v),
        ParamValue::Boolean(v) => Value::from(*v),
        ParamValue::String(v) => Value::from(v.as_str()),
    }
}

/// The lines as virsh prints them.
pub fn text(settings: &[Setting]) -> String {
    let line = |setting: &Setting| format!("{:<15}: {}\n", setting.name, setting.value.text);
    settings.iter().map(line).collect()
}

/// Prints the lines, or the object they stand for.
pub fn show(session: &mut Session, settings: Vec<Setting>) -> Result<()> {
    session.show(&object(&settings), |session| session.print(text(&settings)))
}

/// The same of a command that says nothing under `-q`.
pub fn show_extra(session: &mut Session, settings: Vec<Setting>) -> Result<()> {
    session.show(&object(&settings), |session| session.print_extra(text(&settings)))
}

fn object(settings: &[Setting]) -> Map<String, Value> {
    settings.iter().map(|setting| (setting.name.clone(), setting.value.value.clone())).collect()
}
