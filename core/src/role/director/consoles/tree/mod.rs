//! The files of jobs as a tree in which a person marks what is to be restored.
//!
//! `growing.rs` makes it of the catalog's pages, `shell.rs` takes commands on it.
//! A tree is a few long lists, without an allocation for each file: about two hundred bytes a file while it is made, names included.

mod growing;
pub(super) mod shell;

use std::collections::BTreeMap;

use crate::catalog::{IndexRange, RestoreFiles};

pub(super) use growing::{Growing, TooMany};

/// The number of a node; 0 is the root, above all names.
type Id = u32;

const ROOT: Id = 0;

/// The tree.
#[derive(Debug)]
pub(super) struct Tree {
    /// The names of all nodes, one after the other.
    names: Vec<u8>,
    nodes: Vec<Node>,
    /// The children of all nodes, by their names; those of one node stand together.
    order: Vec<Id>,
    /// The jobs of the files.
    jobs: Vec<u32>,
}

/// A file or folder.
#[derive(Clone, Debug, Default)]
struct Node {
    /// Where its name is in the names.
    name: (u32, u32),
    parent: Id,
    /// Where its children are in the order.
    children: (u32, u32),
    /// How many nodes below it are marked.
    marked_below: u32,
    /// Its place in its job; 0 if no job has saved it, but what is in it.
    file_index: u32,
    /// The node that has its contents, if it is a further name of a file; else 0.
    link: Id,
    size: i64,
    time: i64,
    mode: u32,
    uid: u32,
    gid: u32,
    /// Its job, by the place in the list of the jobs.
    job: u16,
    nlink: u16,
    is_folder: bool,
    marked: bool,
}

impl Tree {
    fn node(&self, id: Id) -> &Node {
        &self.nodes[id as usize]
    }

    fn node_mut(&mut self, id: Id) -> &mut Node {
        &mut self.nodes[id as usize]
    }

    fn name(&self, id: Id) -> &[u8] {
        let (at, length) = self.node(id).name;
        &self.names[at as usize..(at + length) as usize]
    }

    /// All nodes but the root.
    fn all(&self) -> impl Iterator<Item = Id> {
        1..Id::try_from(self.nodes.len()).unwrap_or(Id::MAX)
    }

    /// How many files and folders of jobs are in it.
    pub(super) fn files(&self) -> u64 {
        self.nodes.iter().filter(|node| node.file_index > 0).count() as u64
    }

    /// The children of a node in the order of their names.
    fn children(&self, id: Id) -> &[Id] {
        let (at, length) = self.node(id).children;
        &self.order[at as usize..(at + length) as usize]
    }

    /// The child of this name; a folder if there is a file too.
    fn child(&self, id: Id, name: &[u8]) -> Option<Id> {
        let children = self.children(id);
        let first = children.partition_point(|child| self.name(*child) < name);
        let same = children[first..].iter().copied().take_while(|child| self.name(*child) == name);
        same.max_by_key(|child| self.node(*child).is_folder)
    }

    /// The whole name of a node; of a folder with a slash at its end.
    fn path(&self, id: Id) -> Vec<u8> {
        let mut ids = Vec::new();
        let mut at = id;
        while at != ROOT {
            ids.push(at);
            at = self.node(at).parent;
        }
        let mut path = Vec::new();
        for id in ids.into_iter().rev() {
            // A drive stands at the beginning.
            if !(path.is_empty() && self.name(id).ends_with(b":")) {
                path.push(b'/');
            }
            path.extend_from_slice(self.name(id));
        }
        if path.is_empty() || (self.node(id).is_folder && !path.ends_with(b"/")) {
            path.push(b'/');
        }
        path
    }

    /// The node that a way leads to from another: absolute, or with `..` for the folder above.
    fn walk(&self, from: Id, way: &[u8]) -> Option<Id> {
        let mut at = if way.starts_with(b"/") || way.get(1) == Some(&b':') { ROOT } else { from };
        for part in way.split(|byte| *byte == b'/') {
            at = match part {
                b"" | b"." => at,
                b".." => self.node(at).parent,
                name => self.child(at, name)?,
            };
        }
        Some(at)
    }

    /// Marks a node and all below it, or takes the mark off. Returns how many are new.
    fn mark(&mut self, id: Id, on: bool) -> u64 {
        let (mut todo, mut count) = (vec![id], 0);
        while let Some(id) = todo.pop() {
            count += u64::from(self.mark_one(id, on));
            todo.extend_from_slice(self.children(id));
            let link = self.node(id).link;
            // The contents of a file with several names come with the first.
            if on && link != 0 && !self.node(link).marked {
                todo.push(link);
            }
        }
        count
    }

    /// Marks a node alone, or takes its mark off. Whether that is new.
    fn mark_one(&mut self, id: Id, on: bool) -> bool {
        let node = self.node_mut(id);
        if node.file_index == 0 || node.marked == on {
            return false;
        }
        node.marked = on;
        let mut at = id;
        while at != ROOT {
            at = self.node(at).parent;
            let above = self.node_mut(at);
            above.marked_below = if on { above.marked_below + 1 } else { above.marked_below.saturating_sub(1) };
        }
        true
    }

    /// The files and folders that are marked, by their jobs.
    pub(super) fn marked(&self) -> Vec<RestoreFiles> {
        let mut indexes: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
        for node in self.nodes.iter().filter(|node| node.marked) {
            let job = self.jobs.get(usize::from(node.job)).copied().unwrap_or_default();
            indexes.entry(job).or_default().push(node.file_index);
        }
        let of_job = |(job_id, indexes)| RestoreFiles { job_id, ranges: IndexRange::runs(indexes) };
        indexes.into_iter().map(of_job).collect()
    }

    /// Bytes that it takes.
    fn bytes(&self) -> usize {
        self.names.capacity() + self.nodes.capacity() * size_of::<Node>() + self.order.capacity() * size_of::<Id>()
    }
}
