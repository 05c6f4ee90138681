//! What the JSON and YAML answers of a command look like: a small notation, its reader, and the check of an answer.
//!
//! A row of the table says it (`Command::answers`), the manual page and `help` as data repeat it, and a test holds
//! the real answers against it, so that a field's name and type are promises.
//!
//! ```text
//! text integer number boolean any      a value; a "?" behind it says that it may be null
//! [T]                                  a list of T
//! {name: T, other?: T}                 an object; a "?" behind a name says that the field may be missing
//! {*: T}                               an object whose names are the hypervisor's own
//! T | T                                one or the other
//! T...                                 any number of documents, one after another
//! ```

use serde_json::Value;

/// The answer of commands that show a document.
pub const XML: &str = "{xml: text}";
/// The answer of commands that change something, or print the document that they would have used.
pub const PRINTED: &str = "{xml: text}...";
/// The reports of a long job, one after another.
pub const PROGRESS: &str = "{job: text, percent: number, data_total: integer?, data_processed: integer?, \
    data_remaining: integer?, elapsed_milliseconds: integer}...";
/// The same, or the document that would have been used.
pub const PRINTED_OR_PROGRESS: &str = "{xml: text} | {job: text, percent: number, data_total: integer?, \
    data_processed: integer?, data_remaining: integer?, elapsed_milliseconds: integer}...";

/// A shape as it was read.
#[derive(Clone, Debug, PartialEq)]
pub enum Shape {
    /// A string.
    Text,
    /// A whole number.
    Integer,
    /// Any number.
    Number,
    /// Yes or no.
    Boolean,
    /// Anything: what a hypervisor or a guest answered itself.
    Any,
    /// This or null.
    Optional(Box<Shape>),
    /// A list.
    List(Box<Shape>),
    /// An object with these fields.
    Object(Vec<Field>),
    /// An object of free names.
    Map(Box<Shape>),
    /// One of these.
    Either(Vec<Shape>),
    /// Documents one after another.
    Stream(Box<Shape>),
}

/// A field of an object.
#[derive(Clone, Debug, PartialEq)]
pub struct Field {
    /// Its name.
    pub name: String,
    /// Whether it may be missing.
    pub optional: bool,
    /// What it holds.
    pub shape: Shape,
}

impl Shape {
    /// Reads the notation.
    pub fn parse(text: &str) -> Result<Shape, String> {
        let mut reader = Reader { rest: text };
        let shape = reader.shape()?;
        reader.skip_blanks();
        match reader.rest {
            "" => Ok(shape),
            rest => Err(format!("'{rest}' is left over in the shape '{text}'")),
        }
    }

    /// What is wrong with the documents of one answer, a line each.
    pub fn faults(&self, documents: &[Value]) -> Vec<String> {
        let mut faults = Vec::new();
        match (self, documents) {
            (Shape::Stream(each), all) => {
                all.iter().for_each(|document| each.check(document, "", &mut faults));
            }
            // An answer that may be a stream or one document.
            (Shape::Either(shapes), all) if all.len() != 1 => {
                match shapes.iter().find(|shape| matches!(shape, Shape::Stream(_))) {
                    Some(stream) => faults = stream.faults(all),
                    None => faults.push(format!("{} documents instead of one", all.len())),
                }
            }
            (shape, [document]) => shape.check(document, "", &mut faults),
            (_, all) => faults.push(format!("{} documents instead of one", all.len())),
        }
        faults
    }

    fn check(&self, value: &Value, path: &str, faults: &mut Vec<String>) {
        let fits = match (self, value) {
            (Shape::Any, _)
            | (Shape::Text, Value::String(_))
            | (Shape::Number, Value::Number(_))
            | (Shape::Boolean, Value::Bool(_))
            | (Shape::Optional(_), Value::Null) => true,
            (Shape::Integer, Value::Number(number)) => !number.is_f64(),
            (Shape::Optional(shape) | Shape::Stream(shape), value) => {
                return shape.check(value, path, faults);
            }
            (Shape::List(shape), Value::Array(items)) => {
                items.iter().enumerate().for_each(|(at, item)| {
                    shape.check(item, &format!("{path}[{at}]"), faults);
                });
                true
            }
            (Shape::Map(shape), Value::Object(fields)) => {
                fields.iter().for_each(|(name, value)| shape.check(value, &format!("{path}.{name}"), faults));
                true
            }
            (Shape::Object(known), Value::Object(fields)) => {
                check_fields(known, fields, path, faults);
                true
            }
            (Shape::Either(shapes), value) => shapes.iter().any(|shape| shape.fits(value)),
            _ => false,
        };
        if !fits {
            faults.push(format!("{path}: {value} is not what was promised"));
        }
    }

    fn fits(&self, value: &Value) -> bool {
        let mut faults = Vec::new();
        self.check(value, "", &mut faults);
        faults.is_empty()
    }
}

fn check_fields(
    known: &[Field],
    fields: &serde_json::Map<String, Value>,
    path: &str,
    faults: &mut Vec<String>,
) {
    for field in known {
        match fields.get(&field.name) {
            Some(value) => field.shape.check(value, &format!("{path}.{}", field.name), faults),
            None if field.optional => {}
            None => faults.push(format!("{path}.{} is missing", field.name)),
        }
    }
    let unknown = fields.keys().filter(|name| known.iter().all(|field| field.name != **name));
    faults.extend(unknown.map(|name| format!("{path}.{name} was never promised")));
}

/// What is left of a notation.
struct Reader<'a> {
    rest: &'a str,
}

impl Reader<'_> {
    fn skip_blanks(&mut self) {
        self.rest = self.rest.trim_start();
    }

    fn eat(&mut self, mark: &str) -> bool {
        self.skip_blanks();
        match self.rest.strip_prefix(mark) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    fn want(&mut self, mark: &str) -> Result<(), String> {
        if self.eat(mark) { Ok(()) } else { Err(format!("'{mark}' is wanted before '{}'", self.rest)) }
    }

    fn word(&mut self) -> Result<String, String> {
        self.skip_blanks();
        let end = self.rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(self.rest.len());
        let (word, rest) = self.rest.split_at(end);
        self.rest = rest;
        match word {
            "" => Err(format!("a name is wanted before '{rest}'")),
            word => Ok(word.to_string()),
        }
    }

    fn shape(&mut self) -> Result<Shape, String> {
        let mut shapes = vec![self.one()?];
        while self.eat("|") {
            shapes.push(self.one()?);
        }
        match shapes.pop() {
            Some(only) if shapes.is_empty() => Ok(only),
            last => {
                shapes.extend(last);
                Ok(Shape::Either(shapes))
            }
        }
    }

    fn one(&mut self) -> Result<Shape, String> {
        let shape = if self.eat("[") {
            let items = self.shape()?;
            self.want("]")?;
            Shape::List(Box::new(items))
        } else if self.eat("{") {
            self.object()?
        } else {
            match self.word()?.as_str() {
                "text" => Shape::Text,
                "integer" => Shape::Integer,
                "number" => Shape::Number,
                "boolean" => Shape::Boolean,
                "any" => Shape::Any,
                other => return Err(format!("'{other}' is no kind of value")),
            }
        };
        Ok(match () {
            () if self.eat("?") => Shape::Optional(Box::new(shape)),
            () if self.eat("...") => Shape::Stream(Box::new(shape)),
            () => shape,
        })
    }

    fn object(&mut self) -> Result<Shape, String> {
        if self.eat("*") {
            self.want(":")?;
            let values = self.shape()?;
            self.want("}")?;
            return Ok(Shape::Map(Box::new(values)));
        }
        let mut fields = Vec::new();
        loop {
            let name = self.word()?;
            let optional = self.eat("?");
            self.want(":")?;
            fields.push(Field { name, optional, shape: self.shape()? });
            if self.eat("}") {
                return Ok(Shape::Object(fields));
            }
            self.want(",")?;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn faults(shape: &str, value: Value) -> Vec<String> {
        Shape::parse(shape).unwrap().faults(&[value])
    }

    #[test]
    fn what_was_promised_is_found_and_nothing_else() {
        let shape = "[{id: integer?, name: text, title?: text}]";
        assert!(
            faults(shape, json!([{"id": null, "name": "a"}, {"id": 1, "name": "b", "title": "c"}]))
                .is_empty()
        );
        assert_eq!(
            faults(shape, json!([{"id": "1", "nam": "a"}])),
            ["[0].id: \"1\" is not what was promised", "[0].name is missing", "[0].nam was never promised"]
        );
        assert_eq!(faults("{*: number}", json!({"a": 1.5, "b": true})).len(), 1);
        assert_eq!(faults("integer", json!(1.5)).len(), 1);
        assert!(faults("{a: text} | [text]", json!(["x"])).is_empty());
        assert_eq!(faults("{a: text} | [text]", json!([1])).len(), 1);
    }

    #[test]
    fn a_stream_has_any_number_of_documents() {
        let stream = Shape::parse(PROGRESS).unwrap();
        assert!(stream.faults(&[]).is_empty());
        let one = Shape::parse("{a: text}").unwrap();
        assert_eq!(one.faults(&[]), ["0 documents instead of one"]);
    }

    #[test]
    fn a_wrong_notation_is_refused() {
        for wrong in ["", "word", "[text", "{a text}", "{a: text", "text text", "{a: text,}"] {
            assert!(Shape::parse(wrong).is_err(), "{wrong}");
        }
    }
}
