//! The value of an expression in a document.

use super::XPathError;
use super::function;
use super::node::{Chosen, Document};
use super::parser::{Axis, Expression, Start, Step, Test};
use super::value::{Value, compare};

/// Where an expression is evaluated.
#[derive(Clone, Copy)]
pub(super) struct Context<'d, 'a> {
    pub document: &'d Document<'a>,
    pub node: usize,
    /// Counted from one.
    pub position: usize,
    pub size: usize,
}

/// The value of a whole expression.
pub(super) fn evaluate(document: &Document, expression: &Expression) -> Result<Value, XPathError> {
    let context = Context { document, node: 0, position: 1, size: 1 };
    value(context, expression)
}

fn value(context: Context, expression: &Expression) -> Result<Value, XPathError> {
    let document = context.document;
    match expression {
        Expression::Number(number) => Ok(Value::Number(*number)),
        Expression::Literal(text) => Ok(Value::Text(text.clone())),
        Expression::Negative(inner) => Ok(Value::Number(-value(context, inner)?.number(document))),
        Expression::Binary(operator, left, right) => binary(context, operator, left, right),
        Expression::Call(name, arguments) => {
            let evaluated = arguments.iter().map(|argument| value(context, argument));
            function::call(context, name, &evaluated.collect::<Result<Vec<_>, _>>()?)
        }
        Expression::Path(start, steps) => path(context, start, steps),
    }
}

fn binary(
    context: Context,
    operator: &'static str,
    left: &Expression,
    right: &Expression,
) -> Result<Value, XPathError> {
    let document = context.document;
    let left = value(context, left)?;
    // The right side of a decided `and` or `or` is not looked at.
    match (operator, left.boolean()) {
        ("and", false) => return Ok(Value::Boolean(false)),
        ("or", true) => return Ok(Value::Boolean(true)),
        _ => {}
    }
    let right = value(context, right)?;
    let numbers = || (left.number(document), right.number(document));
    Ok(match operator {
        "and" | "or" => Value::Boolean(right.boolean()),
        "|" => match (left, right) {
            (Value::Nodes(mut nodes), Value::Nodes(more)) => {
                nodes.extend(more);
                in_order(nodes)
            }
            _ => return Err(XPathError::NotNodes),
        },
        "+" => Value::Number(numbers().0 + numbers().1),
        "-" => Value::Number(numbers().0 - numbers().1),
        "*" => Value::Number(numbers().0 * numbers().1),
        "div" => Value::Number(numbers().0 / numbers().1),
        "mod" => Value::Number(numbers().0 % numbers().1),
        _ => Value::Boolean(compare(document, operator, &left, &right)),
    })
}

fn in_order(mut nodes: Vec<usize>) -> Value {
    nodes.sort_unstable();
    nodes.dedup();
    Value::Nodes(nodes)
}

fn path(context: Context, start: &Start, steps: &[Step]) -> Result<Value, XPathError> {
    let mut nodes = match start {
        Start::Root => vec![0],
        Start::Context => vec![context.node],
        Start::From(expression, predicates) => match value(context, expression)? {
            Value::Nodes(nodes) => filter(context.document, nodes, predicates)?,
            _ => return Err(XPathError::NotNodes),
        },
    };
    for step in steps {
        let mut next = Vec::new();
        for &node in &nodes {
            let found = along(context.document, node, step.axis);
            let found = found.into_iter().filter(|&node| passes(context.document, node, step));
            next.extend(filter(context.document, found.collect(), &step.predicates)?);
        }
        next.sort_unstable();
        next.dedup();
        nodes = next;
    }
    Ok(Value::Nodes(nodes))
}

/// The nodes along an axis, in the order in which their positions count.
fn along(document: &Document, node: usize, axis: Axis) -> Vec<usize> {
    let siblings = |node| document.parent(node).filter(|_| !document.is_attribute(node));
    match axis {
        Axis::Myself => vec![node],
        Axis::Parent => document.parent(node).into_iter().collect(),
        Axis::Ancestor => document.ancestors(node).collect(),
        Axis::AncestorOrSelf => std::iter::once(node).chain(document.ancestors(node)).collect(),
        Axis::Attribute => document.attributes(node).collect(),
        Axis::Child => document.children(node).collect(),
        Axis::Descendant => document.descendants(node).collect(),
        Axis::DescendantOrSelf => std::iter::once(node).chain(document.descendants(node)).collect(),
        Axis::Following => document.following(node).collect(),
        Axis::Preceding => document.preceding(node).collect(),
        Axis::FollowingSibling => match siblings(node) {
            Some(parent) => document.children(parent).filter(|&other| other > node).collect(),
            None => Vec::new(),
        },
        Axis::PrecedingSibling => match siblings(node) {
            Some(parent) => {
                let mut before: Vec<_> = document.children(parent).filter(|&other| other < node).collect();
                before.reverse();
                before
            }
            None => Vec::new(),
        },
    }
}

fn passes(document: &Document, node: usize, step: &Step) -> bool {
    let part = document.chosen(node);
    match &step.test {
        Test::AnyNode => true,
        Test::Nothing => false,
        Test::Text => matches!(part, Chosen::Text(_)),
        Test::Name(wanted) => {
            // A name chooses attributes along their axis, elements along all others.
            let principal = match part {
                Chosen::Attribute(..) => step.axis == Axis::Attribute,
                Chosen::Element(_) => step.axis != Axis::Attribute,
                Chosen::Document(_) | Chosen::Text(_) => false,
            };
            let name = document.name(node);
            principal
                && match wanted.strip_suffix('*') {
                    Some(prefix) => name.starts_with(prefix),
                    None => name == wanted,
                }
        }
    }
}

fn filter(
    document: &Document,
    nodes: Vec<usize>,
    predicates: &[Expression],
) -> Result<Vec<usize>, XPathError> {
    let mut nodes = nodes;
    for predicate in predicates {
        let size = nodes.len();
        let mut kept = Vec::new();
        for (index, node) in nodes.into_iter().enumerate() {
            let position = index + 1;
            let context = Context { document, node, position, size };
            let keep = match value(context, predicate)? {
                #[allow(clippy::float_cmp, clippy::cast_precision_loss)] // positions are small whole numbers
                Value::Number(number) => number == position as f64,
                other => other.boolean(),
            };
            if keep {
                kept.push(node);
            }
        }
        nodes = kept;
    }
    Ok(nodes)
}
