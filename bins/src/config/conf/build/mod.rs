//! From what the tables say of each resource to the configuration of a program: what refers to what, what a resource has from
//! another, and what only code can read.

pub(super) mod console;
mod device;
pub(super) mod director;
pub(super) mod file;
mod fileset;
mod job;
mod listen;
mod messages;
mod schedule;
mod scripts;
pub(super) mod storage;
pub(super) mod tray;

use super::map::{Mapped, Mapper};
use super::parse::Block;
use super::value::{Node, Value};

use super::super::sources::Place;

/// A list of resources.
fn list(nodes: Vec<Node>) -> Node {
    Node::new(nodes.first().map(|node| node.place.clone()).unwrap_or_default(), Value::List(nodes))
}

/// The whole configuration.
fn whole(fields: Vec<(&'static str, Node)>) -> Node {
    Node::new(Place::default(), Value::Fields(fields))
}

/// All resources, each as the tables say.
fn mapped(mapper: &mut Mapper, blocks: &[Block]) -> Vec<Mapped> {
    let found = mapper.resources(blocks);
    found.into_iter().map(|(table, block)| mapper.map(table, &block.name, &block.items, &[])).collect()
}

/// Takes the resources of a kind.
fn of_kind(all: &mut Vec<Mapped>, kind: &str) -> Vec<Mapped> {
    all.extract_if(.., |resource| resource.table.name == kind).collect()
}
