//! From words to the tree of an expression.

use super::XPathError;
use super::lexer::{Token, Word, words};

/// How deep parentheses, predicates and arguments may be nested.
const DEEPEST: usize = 60;

#[derive(Debug)]
pub(super) enum Expression {
    Number(f64),
    Literal(String),
    Negative(Box<Expression>),
    Binary(&'static str, Box<Expression>, Box<Expression>),
    Call(String, Vec<Expression>),
    /// Where to start, and the steps from there.
    Path(Start, Vec<Step>),
}

#[derive(Debug)]
pub(super) enum Start {
    Root,
    Context,
    /// An expression in parentheses or a call, and predicates on the whole of it.
    From(Box<Expression>, Vec<Expression>),
}

#[derive(Debug)]
pub(super) struct Step {
    pub axis: Axis,
    pub test: Test,
    pub predicates: Vec<Expression>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Axis {
    Ancestor,
    AncestorOrSelf,
    Attribute,
    Child,
    Descendant,
    DescendantOrSelf,
    Following,
    FollowingSibling,
    Parent,
    Preceding,
    PrecedingSibling,
    Myself,
}

#[derive(Debug)]
pub(super) enum Test {
    /// `*`, `prefix:*` or a name.
    Name(String),
    Text,
    AnyNode,
    /// Comments and processing instructions, which the tree does not hold.
    Nothing,
}

/// Operators from the loosest to the tightest.
const LEVELS: &[&[&str]] =
    &[&["or"], &["and"], &["=", "!="], &["<", "<=", ">", ">="], &["+", "-"], &["*", "div", "mod"]];

/// Reads a whole expression.
pub(super) fn parse(expression: &str) -> Result<Expression, XPathError> {
    let mut parser = Parser { words: words(expression)?, at: 0, depth: 0, end: expression.len() + 1 };
    let parsed = parser.expression()?;
    match parser.peek() {
        None => Ok(parsed),
        Some(_) => Err(parser.expected("the end")),
    }
}

struct Parser {
    words: Vec<Word>,
    at: usize,
    depth: usize,
    end: usize,
}

impl Parser {
    fn peek(&self) -> Option<&Token> {
        self.words.get(self.at).map(|word| &word.token)
    }

    fn expected(&self, expected: &'static str) -> XPathError {
        let at = self.words.get(self.at).map_or(self.end, |word| word.at + 1);
        XPathError::Syntax { expected, at }
    }

    fn take(&mut self, sign: &str) -> bool {
        let found = matches!(self.peek(), Some(Token::Sign(known)) if *known == sign);
        self.at += usize::from(found);
        found
    }

    fn require(&mut self, sign: &'static str) -> Result<(), XPathError> {
        if self.take(sign) { Ok(()) } else { Err(self.expected(sign)) }
    }

    fn expression(&mut self) -> Result<Expression, XPathError> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err(XPathError::TooDeep);
        }
        let parsed = self.binary(0);
        self.depth -= 1;
        parsed
    }

    fn binary(&mut self, level: usize) -> Result<Expression, XPathError> {
        let Some(operators) = LEVELS.get(level) else {
            return self.unary();
        };
        let mut left = self.binary(level + 1)?;
        while let Some(operator) = operators.iter().find(|operator| self.take(operator)) {
            let right = self.binary(level + 1)?;
            left = Expression::Binary(operator, Box::new(left), Box::new(right));
        }
        Ok(left)
    }

    fn unary(&mut self) -> Result<Expression, XPathError> {
        let mut signs = 0;
        while self.take("-") {
            signs += 1;
        }
        let mut value = self.path()?;
        while self.take("|") {
            let right = self.path()?;
            value = Expression::Binary("|", Box::new(value), Box::new(right));
        }
        Ok(match signs {
            0 => value,
            // Twice negative is still a number, no longer what it was.
            signs if signs % 2 == 0 => Expression::Negative(Box::new(Expression::Negative(Box::new(value)))),
            _ => Expression::Negative(Box::new(value)),
        })
    }

    fn path(&mut self) -> Result<Expression, XPathError> {
        if self.take("//") {
            let mut steps = vec![any_descendant()];
            self.steps(&mut steps)?;
            return Ok(Expression::Path(Start::Root, steps));
        }
        if self.take("/") {
            let mut steps = Vec::new();
            if self.begins_step() {
                self.steps(&mut steps)?;
            }
            return Ok(Expression::Path(Start::Root, steps));
        }
        if self.begins_primary() {
            return self.filter();
        }
        let mut steps = Vec::new();
        self.steps(&mut steps)?;
        Ok(Expression::Path(Start::Context, steps))
    }

    fn begins_step(&self) -> bool {
        match self.peek() {
            Some(Token::Name(_) | Token::Axis(_)) => true,
            Some(Token::Sign(sign)) => matches!(*sign, "." | ".." | "@"),
            _ => false,
        }
    }

    fn begins_primary(&self) -> bool {
        match self.peek() {
            Some(Token::Number(_) | Token::Literal(_) | Token::Variable(_) | Token::Sign("(")) => true,
            Some(Token::Name(name)) => {
                let called =
                    matches!(self.words.get(self.at + 1), Some(word) if word.token == Token::Sign("("));
                called && node_type(name).is_none()
            }
            _ => false,
        }
    }

    fn filter(&mut self) -> Result<Expression, XPathError> {
        let primary = self.primary()?;
        let predicates = self.predicates()?;
        let mut steps = Vec::new();
        if self.take("//") {
            steps.push(any_descendant());
            self.steps(&mut steps)?;
        } else if self.take("/") {
            self.steps(&mut steps)?;
        }
        if steps.is_empty() && predicates.is_empty() {
            return Ok(primary);
        }
        Ok(Expression::Path(Start::From(Box::new(primary), predicates), steps))
    }

    fn primary(&mut self) -> Result<Expression, XPathError> {
        let token = self.peek().cloned();
        self.at += 1;
        match token {
            Some(Token::Number(number)) => Ok(Expression::Number(number)),
            Some(Token::Literal(text)) => Ok(Expression::Literal(text)),
            Some(Token::Variable(name)) => Err(XPathError::Variable(name)),
            Some(Token::Name(name)) => {
                self.require("(")?;
                let mut arguments = Vec::new();
                if !self.take(")") {
                    arguments.push(self.expression()?);
                    while self.take(",") {
                        arguments.push(self.expression()?);
                    }
                    self.require(")")?;
                }
                Ok(Expression::Call(name, arguments))
            }
            _ => {
                let inner = self.expression()?;
                self.require(")")?;
                Ok(inner)
            }
        }
    }

    fn steps(&mut self, steps: &mut Vec<Step>) -> Result<(), XPathError> {
        steps.push(self.step()?);
        loop {
            if self.take("//") {
                steps.push(any_descendant());
            } else if !self.take("/") {
                return Ok(());
            }
            steps.push(self.step()?);
        }
    }

    fn step(&mut self) -> Result<Step, XPathError> {
        if self.take(".") {
            return Ok(plain(Axis::Myself));
        }
        if self.take("..") {
            return Ok(plain(Axis::Parent));
        }
        let axis = if self.take("@") { Axis::Attribute } else { self.axis()? };
        let test = self.test()?;
        let predicates = self.predicates()?;
        Ok(Step { axis, test, predicates })
    }

    fn axis(&mut self) -> Result<Axis, XPathError> {
        let Some(Token::Axis(name)) = self.peek() else {
            return Ok(Axis::Child);
        };
        let axis = match name.as_str() {
            "ancestor" => Axis::Ancestor,
            "ancestor-or-self" => Axis::AncestorOrSelf,
            "attribute" => Axis::Attribute,
            "child" => Axis::Child,
            "descendant" => Axis::Descendant,
            "descendant-or-self" => Axis::DescendantOrSelf,
            "following" => Axis::Following,
            "following-sibling" => Axis::FollowingSibling,
            "parent" => Axis::Parent,
            "preceding" => Axis::Preceding,
            "preceding-sibling" => Axis::PrecedingSibling,
            "self" => Axis::Myself,
            _ => return Err(self.expected("an axis")),
        };
        self.at += 1;
        Ok(axis)
    }

    fn test(&mut self) -> Result<Test, XPathError> {
        let Some(Token::Name(name)) = self.peek().cloned() else {
            return Err(self.expected("a name"));
        };
        self.at += 1;
        if !self.take("(") {
            return Ok(Test::Name(name));
        }
        let Some(test) = node_type(&name) else {
            return Err(self.expected("a kind of node"));
        };
        if matches!(self.peek(), Some(Token::Literal(_))) {
            self.at += 1;
        }
        self.require(")")?;
        Ok(test)
    }

    fn predicates(&mut self) -> Result<Vec<Expression>, XPathError> {
        let mut predicates = Vec::new();
        while self.take("[") {
            predicates.push(self.expression()?);
            self.require("]")?;
        }
        Ok(predicates)
    }
}

fn node_type(name: &str) -> Option<Test> {
    match name {
        "text" => Some(Test::Text),
        "node" => Some(Test::AnyNode),
        "comment" | "processing-instruction" => Some(Test::Nothing),
        _ => None,
    }
}

fn plain(axis: Axis) -> Step {
    Step { axis, test: Test::AnyNode, predicates: Vec::new() }
}

/// What `//` stands for.
fn any_descendant() -> Step {
    plain(Axis::DescendantOrSelf)
}
