//! One line of the monitor: a greeting, a reply or an event.

use serde_json::Value;

/// QEMU's version, as its greeting tells it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub struct Version {
    /// The first number.
    pub major: u32,
    /// The second number.
    pub minor: u32,
    /// The third number.
    pub micro: u32,
}

/// What a command was refused with.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Refusal {
    /// QEMU's class of the error: `GenericError`, `CommandNotFound`, `DeviceNotFound`, …
    pub class: String,
    /// QEMU's own words.
    pub words: String,
}

/// Something that happened, as QEMU tells it.
#[derive(Clone, PartialEq, Debug)]
pub struct QmpEvent {
    /// Its name, such as `STOP`.
    pub name: String,
    /// Its data; `Null` if it has none.
    pub data: Value,
    /// Seconds since 1970.
    pub seconds: i64,
    /// Microseconds within the second.
    pub micros: u32,
}

/// A line that made sense.
#[derive(Clone, PartialEq, Debug)]
pub enum Message {
    /// The first thing QEMU says.
    Greeting(Version),
    /// The answer to the command with this id.
    Reply(u64, Result<Value, Refusal>),
    /// An event.
    Event(QmpEvent),
    /// Valid JSON of a kind not known here: a reply to no id, something new.
    Unknown,
}

impl QmpEvent {
    /// A text field of the data.
    pub fn text(&self, field: &str) -> Option<&str> {
        self.data.get(field).and_then(Value::as_str)
    }

    /// A yes-or-no field of the data; no if it is missing.
    pub fn flag(&self, field: &str) -> bool {
        self.data.get(field).and_then(Value::as_bool).unwrap_or(false)
    }

    /// A whole number of the data.
    pub fn number(&self, field: &str) -> Option<i64> {
        self.data.get(field).and_then(Value::as_i64)
    }
}

impl Message {
    /// Reads a line; `None` when it is no JSON object.
    pub fn parse(line: &[u8]) -> Option<Message> {
        let Value::Object(mut fields) = serde_json::from_slice(line).ok()? else {
            return None;
        };
        if let Some(greeting) = fields.get("QMP") {
            return Some(Message::Greeting(version_of(greeting)));
        }
        if let Some(name) = fields.get("event").and_then(Value::as_str) {
            let moment = |field: &str| {
                let stamp = fields.get("timestamp")?.get(field)?;
                stamp.as_i64()
            };
            return Some(Message::Event(QmpEvent {
                name: name.to_string(),
                seconds: moment("seconds").unwrap_or(0),
                micros: moment("microseconds").and_then(|m| u32::try_from(m).ok()).unwrap_or(0),
                data: fields.remove("data").unwrap_or(Value::Null),
            }));
        }
        let Some(id) = fields.get("id").and_then(Value::as_u64) else {
            return Some(Message::Unknown);
        };
        if let Some(answer) = fields.remove("return") {
            return Some(Message::Reply(id, Ok(answer)));
        }
        let Some(error) = fields.get("error") else {
            return Some(Message::Unknown);
        };
        let field = |name: &str| error.get(name).and_then(Value::as_str).unwrap_or("").to_string();
        let refusal = Refusal { class: field("class"), words: field("desc") };
        Some(Message::Reply(id, Err(refusal)))
    }
}

fn version_of(greeting: &Value) -> Version {
    let number = |name: &str| {
        let value = greeting.pointer(&format!("/version/qemu/{name}"));
        value.and_then(Value::as_u64).and_then(|v| u32::try_from(v).ok()).unwrap_or(0)
    };
    Version { major: number("major"), minor: number("minor"), micro: number("micro") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn parse(value: Value) -> Message {
        Message::parse(value.to_string().as_bytes()).unwrap()
    }

    #[test]
    fn the_three_kinds_are_told_apart() {
        let greeting = json!({"QMP": {"version": {"qemu": {"major": 7, "minor": 2, "micro": 1}}, "capabilities": ["oob"]}});
        let version = Version { major: 7, minor: 2, micro: 1 };
        assert_eq!(parse(greeting), Message::Greeting(version));
        assert_eq!(parse(json!({"return": {"a": 1}, "id": 4})), Message::Reply(4, Ok(json!({"a": 1}))));
        let refusal = Refusal { class: "GenericError".into(), words: "no".into() };
        assert_eq!(
            parse(json!({"error": {"class": "GenericError", "desc": "no"}, "id": 5})),
            Message::Reply(5, Err(refusal))
        );
        let event = parse(json!({"event": "STOP", "timestamp": {"seconds": 3, "microseconds": 4}}));
        let Message::Event(event) = event else { panic!("{event:?}") };
        assert_eq!((event.name.as_str(), event.seconds, event.micros), ("STOP", 3, 4));
        assert_eq!(parse(json!({"something": "new"})), Message::Unknown);
    }

    proptest! {
        #[test]
        fn noise_never_panics(line in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = Message::parse(&line);
        }

        #[test]
        fn strange_fields_never_panic(seconds in any::<i64>(), micros in any::<i64>(), id in any::<i64>()) {
            let line = json!({"event": "X", "timestamp": {"seconds": seconds, "microseconds": micros}, "id": id});
            prop_assert!(Message::parse(line.to_string().as_bytes()).is_some());
            let reply = json!({"return": [], "id": id}).to_string();
            let parsed = Message::parse(reply.as_bytes());
            prop_assert!(parsed.is_some());
        }
    }
}
