//! The tree as XPath sees it: every node with its parent and its place in document order.

use super::super::{Element, Node};

/// A part of a document.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Chosen<'a> {
    /// The document itself, by its root element.
    Document(&'a Element),
    /// An element and all in it.
    Element(&'a Element),
    /// An attribute's name and value.
    Attribute(&'a str, &'a str),
    /// A run of text.
    Text(&'a str),
}

/// All nodes in document order; a node is named by its number.
pub(super) struct Document<'a> {
    nodes: Vec<Entry<'a>>,
}

struct Entry<'a> {
    part: Chosen<'a>,
    parent: Option<usize>,
    /// One past the last descendant.
    end: usize,
}

impl<'a> Document<'a> {
    pub fn new(root: &'a Element) -> Document<'a> {
        let mut document = Document { nodes: Vec::new() };
        document.nodes.push(Entry { part: Chosen::Document(root), parent: None, end: 0 });
        document.add_element(root, 0);
        document.nodes[0].end = document.nodes.len();
        document
    }

    fn add(&mut self, part: Chosen<'a>, parent: usize) -> usize {
        let number = self.nodes.len();
        self.nodes.push(Entry { part, parent: Some(parent), end: number + 1 });
        number
    }

    /// Elements nest no deeper than the reader of documents allows.
    fn add_element(&mut self, element: &'a Element, parent: usize) {
        let number = self.add(Chosen::Element(element), parent);
        for (name, value) in &element.attributes {
            if name != "xmlns" && !name.starts_with("xmlns:") {
                self.add(Chosen::Attribute(name, value), number);
            }
        }
        let layout = element.elements().next().is_some();
        for node in &element.nodes {
            match node {
                Node::Element(child) => self.add_element(child, number),
                Node::Text(text) if layout && text.trim().is_empty() => {}
                Node::Text(text) => {
                    self.add(Chosen::Text(text), number);
                }
            }
        }
        self.nodes[number].end = self.nodes.len();
    }

    pub fn chosen(&self, node: usize) -> Chosen<'a> {
        self.nodes[node].part
    }

    pub fn parent(&self, node: usize) -> Option<usize> {
        self.nodes[node].parent
    }

    pub fn is_attribute(&self, node: usize) -> bool {
        matches!(self.nodes[node].part, Chosen::Attribute(..))
    }

    /// All nodes below, attributes left out.
    pub fn descendants(&self, node: usize) -> impl Iterator<Item = usize> {
        (node + 1..self.nodes[node].end).filter(|&below| !self.is_attribute(below))
    }

    pub fn children(&self, node: usize) -> impl Iterator<Item = usize> {
        self.descendants(node).filter(move |&below| self.parent(below) == Some(node))
    }

    pub fn attributes(&self, node: usize) -> impl Iterator<Item = usize> {
        let next = (node + 1..self.nodes[node].end).take_while(|&below| self.is_attribute(below));
        next.filter(move |&below| self.parent(below) == Some(node))
    }

    /// All nodes after the whole of `node`, attributes left out.
    pub fn following(&self, node: usize) -> impl Iterator<Item = usize> {
        (self.nodes[node].end..self.nodes.len()).filter(|&after| !self.is_attribute(after))
    }

    /// All nodes that ended before `node` began, the nearest first.
    pub fn preceding(&self, node: usize) -> impl Iterator<Item = usize> {
        let before = (0..node).rev();
        before.filter(move |&before| !self.is_attribute(before) && self.nodes[before].end <= node)
    }

    /// From the parent up to the document.
    pub fn ancestors(&self, node: usize) -> impl Iterator<Item = usize> {
        std::iter::successors(self.parent(node), |&above| self.parent(above))
    }

    /// The name of an element or attribute.
    pub fn name(&self, node: usize) -> &'a str {
        match self.nodes[node].part {
            Chosen::Element(element) => &element.name,
            Chosen::Attribute(name, _) => name,
            Chosen::Document(_) | Chosen::Text(_) => "",
        }
    }

    /// The string that stands for a node.
    pub fn text(&self, node: usize) -> String {
        match self.nodes[node].part {
            Chosen::Attribute(_, value) => value.to_string(),
            Chosen::Text(text) => text.to_string(),
            Chosen::Element(_) | Chosen::Document(_) => {
                let texts = self.descendants(node).filter_map(|below| match self.nodes[below].part {
                    Chosen::Text(text) => Some(text),
                    _ => None,
                });
                texts.collect()
            }
        }
    }
}
