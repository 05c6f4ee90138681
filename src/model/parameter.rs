//! Typed parameters: the open-ended name and value lists of tunables and statistics.

use std::fmt;

/// A value with its type (`virTypedParameterType`).
#[derive(Clone, PartialEq, Debug)]
pub enum ParamValue {
    /// Type 1.
    Int(i32),
    /// Type 2.
    UInt(u32),
    /// Type 3.
    LLong(i64),
    /// Type 4.
    ULLong(u64),
    /// Type 5.
    Double(f64),
    /// Type 6.
    Boolean(bool),
    /// Type 7.
    String(String),
}

/// A named value.
#[derive(Clone, PartialEq, Debug)]
pub struct TypedParam {
    /// The field's name, such as `cpu_shares` or `block.0.rd.reqs`.
    pub name: String,
    /// Its value.
    pub value: ParamValue,
}

impl TypedParam {
    /// A parameter from its name and anything that is a value.
    pub fn new(name: impl Into<String>, value: impl Into<ParamValue>) -> TypedParam {
        TypedParam { name: name.into(), value: value.into() }
    }

    /// Finds a parameter's value by its name.
    pub fn find<'a>(params: &'a [TypedParam], name: &str) -> Option<&'a ParamValue> {
        params.iter().find(|param| param.name == name).map(|param| &param.value)
    }
}

impl ParamValue {
    /// The value as an unsigned number, if it is a number that fits.
    pub fn as_u64(&self) -> Option<u64> {
        match self {
            ParamValue::Int(v) => u64::try_from(*v).ok(),
            ParamValue::UInt(v) => Some(u64::from(*v)),
            ParamValue::LLong(v) => u64::try_from(*v).ok(),
            ParamValue::ULLong(v) => Some(*v),
            ParamValue::Boolean(v) => Some(u64::from(*v)),
            ParamValue::Double(_) | ParamValue::String(_) => None,
        }
    }

    /// The value as a signed number, if it is a number that fits.
    pub fn as_i64(&self) -> Option<i64> {
        match self {
            ParamValue::Int(v) => Some(i64::from(*v)),
            ParamValue::LLong(v) => Some(*v),
            other => other.as_u64().and_then(|v| i64::try_from(v).ok()),
        }
    }

    /// The text of a string value.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            ParamValue::String(text) => Some(text),
            _ => None,
        }
    }
}

impl fmt::Display for ParamValue {
    /// As virsh prints values: booleans as yes or no, doubles with six digits.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ParamValue::Int(v) => write!(f, "{v}"),
            ParamValue::UInt(v) => write!(f, "{v}"),
            ParamValue::LLong(v) => write!(f, "{v}"),
            ParamValue::ULLong(v) => write!(f, "{v}"),
            ParamValue::Double(v) => write!(f, "{v:.6}"),
            ParamValue::Boolean(v) => f.write_str(if *v { "yes" } else { "no" }),
            ParamValue::String(v) => f.write_str(v),
        }
    }
}

macro_rules! from_value {
    ($($type:ty => $variant:ident),*) => {$(
        impl From<$type> for ParamValue {
            fn from(value: $type) -> ParamValue {
                ParamValue::$variant(value)
            }
        }
    )*};
}
from_value!(i32 => Int, u32 => UInt, i64 => LLong, u64 => ULLong, f64 => Double, bool => Boolean, String => String);

impl From<&str> for ParamValue {
    fn from(value: &str) -> ParamValue {
        ParamValue::String(value.to_string())
    }
}
