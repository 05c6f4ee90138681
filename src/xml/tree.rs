//! The element tree: what a document says, in its order, with the line each element began on.

/// Something inside an element.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Node {
    /// A child element.
    Element(Element),
    /// Text, entities resolved.
    Text(String),
}

/// An element. Names keep their namespace prefix (`qemu:arg`).
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Element {
    /// Its name.
    pub name: String,
    /// Its attributes in their order.
    pub attributes: Vec<(String, String)>,
    /// Its contents in their order.
    pub nodes: Vec<Node>,
    /// The line of the document its start tag began on; 0 for elements that were not read.
    pub line: u32,
}

impl Element {
    /// An empty element.
    pub fn new(name: impl Into<String>) -> Element {
        Element { name: name.into(), ..Element::default() }
    }

    /// The element with one more attribute.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl ToString) -> Element {
        self.set(name, value);
        self
    }

    /// The element with a text inside.
    #[must_use]
    pub fn with_text(mut self, text: impl ToString) -> Element {
        self.set_text(text);
        self
    }

    /// The element with one more child at its end.
    #[must_use]
    pub fn with_child(mut self, child: Element) -> Element {
        self.push(child);
        self
    }

    /// The value of an attribute.
    pub fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// Sets an attribute, in its place if it is there already.
    pub fn set(&mut self, name: &str, value: impl ToString) {
        match self.attributes.iter_mut().find(|(known, _)| known == name) {
            Some((_, old)) => *old = value.to_string(),
            None => self.attributes.push((name.to_string(), value.to_string())),
        }
    }

    /// Takes an attribute away.
    pub fn unset(&mut self, name: &str) {
        self.attributes.retain(|(known, _)| known != name);
    }

    /// All child elements.
    pub fn elements(&self) -> impl Iterator<Item = &Element> {
        self.nodes.iter().filter_map(|node| match node {
            Node::Element(element) => Some(element),
            Node::Text(_) => None,
        })
    }

    /// All child elements, to be changed.
    pub fn elements_mut(&mut self) -> impl Iterator<Item = &mut Element> {
        self.nodes.iter_mut().filter_map(|node| match node {
            Node::Element(element) => Some(element),
            Node::Text(_) => None,
        })
    }

    /// The child elements of one name.
    pub fn children<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Element> {
        self.elements().filter(move |element| element.name == name)
    }

    /// The first child of a name.
    pub fn child(&self, name: &str) -> Option<&Element> {
        self.elements().find(|element| element.name == name)
    }

    /// The first child of a name, to be changed.
    pub fn child_mut(&mut self, name: &str) -> Option<&mut Element> {
        self.elements_mut().find(|element| element.name == name)
    }

    /// The first child of a name, made at the end if there is none.
    pub fn child_or_new(&mut self, name: &str) -> &mut Element {
        let found = self.nodes.iter().position(|node| matches!(node, Node::Element(e) if e.name == name));
        let at = found.unwrap_or_else(|| {
            self.push(Element::new(name));
            self.nodes.len() - 1
        });
        match &mut self.nodes[at] {
            Node::Element(element) => element,
            Node::Text(_) => unreachable!("the position is that of an element"),
        }
    }

    /// The element at the end of a path of child names such as `os/type`.
    pub fn find(&self, path: &str) -> Option<&Element> {
        path.split('/').try_fold(self, |element, name| element.child(name))
    }

    /// All text directly inside, put together.
    pub fn text(&self) -> String {
        let texts = self.nodes.iter().filter_map(|node| match node {
            Node::Text(text) => Some(text.as_str()),
            Node::Element(_) => None,
        });
        texts.collect()
    }

    /// The trimmed text of a child, if there is such a child.
    pub fn child_text(&self, path: &str) -> Option<String> {
        self.find(path).map(|element| element.text().trim().to_string())
    }

    /// The text of a child as it stands, blanks included, if there is such a child and any text in it.
    pub fn child_string(&self, path: &str) -> Option<String> {
        self.find(path).map(Element::text).filter(|text| !text.is_empty())
    }

    /// The value of a child's attribute.
    pub fn child_attribute(&self, path: &str, name: &str) -> Option<&str> {
        self.find(path).and_then(|element| element.attribute(name))
    }

    /// Replaces the contents by a text.
    pub fn set_text(&mut self, text: impl ToString) {
        self.nodes = vec![Node::Text(text.to_string())];
    }

    /// Adds a child at the end.
    pub fn push(&mut self, child: Element) {
        self.nodes.push(Node::Element(child));
    }

    /// Takes away all children of a name.
    pub fn remove(&mut self, name: &str) {
        self.nodes.retain(|node| !matches!(node, Node::Element(element) if element.name == name));
    }

    /// Keeps only the child elements that `keep` wants; texts stay.
    pub fn retain(&mut self, mut keep: impl FnMut(&Element) -> bool) {
        self.nodes.retain(|node| match node {
            Node::Element(element) => keep(element),
            Node::Text(_) => true,
        });
    }
}
