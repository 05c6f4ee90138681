//! Finding one's way in an expression of the form `(domain (name demo) (memory 256) …)`.

use super::Sxp;

impl Sxp {
    /// What an atom says; bytes that are no UTF-8 are replaced. `None` for a list.
    pub fn text(&self) -> Option<String> {
        match self {
            Sxp::Atom(bytes) => Some(String::from_utf8_lossy(bytes).into_owned()),
            Sxp::List(_) => None,
        }
    }

    /// The parts of a list; none of an atom.
    pub fn items(&self) -> &[Sxp] {
        match self {
            Sxp::Atom(_) => &[],
            Sxp::List(items) => items,
        }
    }

    /// The atom a list opens with.
    pub fn head(&self) -> Option<String> {
        self.items().first().and_then(Sxp::text)
    }

    /// Whether this is a list that opens with `name`.
    pub fn is_headed(&self, name: &str) -> bool {
        matches!(self.items().first(), Some(Sxp::Atom(bytes)) if bytes == name.as_bytes())
    }

    /// All parts of a list that are lists headed by `name`.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Sxp> {
        self.items().iter().filter(move |item| item.is_headed(name))
    }

    /// The first part of a list that is a list headed by `name`.
    pub fn child(&self, name: &str) -> Option<&Sxp> {
        self.items().iter().find(|item| item.is_headed(name))
    }

    /// What stands second in a list: the value of `(name value)`.
    pub fn value(&self) -> Option<&Sxp> {
        self.items().get(1)
    }

    /// The text of `(name text)` within a list. An empty one is `None`, as is Python's word for nothing: releases
    /// differ in how they print what is not set.
    pub fn get(&self, name: &str) -> Option<String> {
        self.child(name)?.value()?.text().filter(|text| !text.is_empty() && text != "None")
    }

    /// The number of `(name number)` within a list; a fraction is cut off.
    pub fn number(&self, name: &str) -> Option<i64> {
        let text = self.get(name)?;
        let whole = text.parse::<i64>().ok();
        whole.or_else(|| {
            text.parse::<f64>().ok().filter(|number| number.abs() < 9e15).map(|number| number as i64)
        })
    }

    /// The seconds of `(name 12.5)` within a list, in nanoseconds.
    pub fn nanoseconds(&self, name: &str) -> Option<u64> {
        let seconds: f64 = self.get(name)?.parse().ok()?;
        (seconds >= 0.0).then_some((seconds * 1e9) as u64)
    }

    /// Gives `(name …)` within a list another value, adding it at the end if it is not there. Later ones of the same
    /// name go: only the first is ever read.
    pub fn set(&mut self, name: &str, value: impl ToString) {
        let new = Sxp::pair(name, value);
        self.replace(name, Some(new));
    }

    /// Takes every `(name …)` out of a list.
    pub fn unset(&mut self, name: &str) {
        self.replace(name, None);
    }

    fn replace(&mut self, name: &str, new: Option<Sxp>) {
        let Sxp::List(items) = self else { return };
        let place = items.iter().position(|item| item.is_headed(name)).unwrap_or(items.len());
        items.retain(|item| !item.is_headed(name));
        if let Some(new) = new {
            items.insert(place.min(items.len()), new);
        }
    }

    /// Leaves one of each of a list's parts that are the same to the letter. Some releases repeat a field dozens of
    /// times; what they say of a device twice is within the device.
    pub fn drop_repeated(&mut self) {
        let Sxp::List(items) = self else { return };
        let mut seen: Vec<Sxp> = Vec::new();
        items.retain(|item| {
            let is_new = item.is_headed("device") || !seen.contains(item);
            if is_new {
                seen.push(item.clone());
            }
            is_new
        });
    }

    /// Adds a part to a list.
    pub fn push(&mut self, part: Sxp) {
        if let Sxp::List(items) = self {
            items.push(part);
        }
    }
}
