//! Makes a tree of the catalog's pages.

use std::collections::BTreeMap;

use crate::catalog::{FileRow, RestoreFiles};
use crate::wire::attributes::Stat;

use super::{Id, Node, ROOT, Tree};

/// Bytes that a tree may take: about two and a half million files.
const MOST: usize = 512 << 20;

/// The tree of these files would take more than a tree may.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) struct TooMany;

/// A tree that grows.
#[derive(Debug)]
pub(in super::super) struct Growing {
    tree: Tree,
    /// The folders so far, by their whole names.
    folders: BTreeMap<Vec<u8>, Id>,
    /// Bytes of those names.
    folder_bytes: usize,
    /// The folder of the file before: files come folder by folder.
    last: (Vec<u8>, Id),
    /// What the jobs have together, in their order; the rest was replaced or deleted later.
    wanted: Vec<RestoreFiles>,
    /// Further names of files: the node, and the place of the first name in the node's job.
    links: Vec<(Id, u32)>,
    most: usize,
}

impl Growing {
    /// A tree of those files of the jobs that a restore of all would bring.
    pub(in super::super) fn new(wanted: Vec<RestoreFiles>) -> Self {
        let jobs = wanted.iter().map(|files| files.job_id).collect();
        let root = Node { is_folder: true, ..Node::default() };
        Self {
            tree: Tree { names: Vec::new(), nodes: vec![root], order: Vec::new(), jobs },
            folders: BTreeMap::new(),
            folder_bytes: 0,
            last: (Vec::new(), ROOT),
            wanted,
            links: Vec::new(),
            most: MOST,
        }
    }

    /// A file of a page.
    ///
    /// # Errors
    /// There are too many.
    pub(in super::super) fn add(&mut self, row: &FileRow) -> Result<(), TooMany> {
        let Some(job) = self.wanted.iter().position(|files| files.job_id == row.job_id) else { return Ok(()) };
        let ranges = &self.wanted[job].ranges;
        let at = ranges.partition_point(|range| range.last < row.file_index);
        if ranges.get(at).is_none_or(|range| range.first > row.file_index) {
            return Ok(());
        }
        let cut = row.name.iter().rposition(|byte| *byte == b'/').map_or(0, |at| at + 1);
        let (path, name) = row.name.split_at(cut);
        let folder = self.folder(path)?;
        let id = if name.is_empty() { folder } else { self.node(folder, name, false)? };
        let stat = Stat::decode(&row.lstat);
        let node = self.tree.node_mut(id);
        node.file_index = row.file_index;
        node.job = u16::try_from(job).map_err(|_| TooMany)?;
        (node.size, node.time, node.mode) = (stat.size, stat.mtime.max(stat.ctime), stat.mode);
        (node.uid, node.gid, node.nlink) = (stat.uid, stat.gid, u16::try_from(stat.nlink).unwrap_or(u16::MAX));
        if let Ok(first @ 1..) = u32::try_from(stat.link_fi) {
            self.links.push((id, first));
        }
        Ok(())
    }

    /// All files are in it.
    pub(in super::super) fn grown(self) -> Tree {
        let Self { mut tree, links, .. } = self;
        let mut order: Vec<Id> = tree.all().collect();
        order.sort_unstable_by(|one, other| {
            let parents = tree.node(*one).parent.cmp(&tree.node(*other).parent);
            parents.then_with(|| tree.name(*one).cmp(tree.name(*other)))
        });
        for (at, id) in (0_u32..).zip(&order) {
            let parent = tree.node(*id).parent;
            let children = &mut tree.node_mut(parent).children;
            *children = if children.1 == 0 { (at, 1) } else { (children.0, children.1 + 1) };
        }
        tree.order = order;
        let mut firsts: BTreeMap<(u16, u32), Id> =
            links.iter().map(|(id, first)| ((tree.node(*id).job, *first), ROOT)).collect();
        if !firsts.is_empty() {
            for id in tree.all() {
                let node = tree.node(id);
                if let Some(first) = firsts.get_mut(&(node.job, node.file_index)) {
                    *first = id;
                }
            }
        }
        for (id, first) in links {
            let first = firsts.get(&(tree.node(id).job, first)).copied().unwrap_or(ROOT);
            tree.node_mut(id).link = first;
        }
        tree
    }

    /// The folder of this whole name, which ends with a slash, and those above it.
    fn folder(&mut self, path: &[u8]) -> Result<Id, TooMany> {
        if path == self.last.0 {
            return Ok(self.last.1);
        }
        // From below to the first that is there, and down again.
        let (mut known, mut missing) = (ROOT, Vec::new());
        let mut rest = path;
        while !rest.iter().all(|byte| *byte == b'/') {
            if let Some(id) = self.folders.get(rest) {
                known = *id;
                break;
            }
            missing.push(rest);
            let inside = &rest[..rest.len() - 1];
            rest = &rest[..inside.iter().rposition(|byte| *byte == b'/').map_or(0, |at| at + 1)];
        }
        for path in missing.into_iter().rev() {
            let inside = &path[..path.len() - 1];
            let name = &inside[inside.iter().rposition(|byte| *byte == b'/').map_or(0, |at| at + 1)..];
            if !name.is_empty() {
                known = self.node(known, name, true)?;
            }
            self.folder_bytes += path.len() + size_of::<(Vec<u8>, Id)>();
            self.folders.insert(path.to_vec(), known);
        }
        self.last = (path.to_vec(), known);
        Ok(known)
    }

    fn node(&mut self, parent: Id, name: &[u8], is_folder: bool) -> Result<Id, TooMany> {
        let tree = &mut self.tree;
        if tree.bytes() + self.folder_bytes + tree.nodes.len() * size_of::<Id>() > self.most {
            return Err(TooMany);
        }
        let id = Id::try_from(tree.nodes.len()).map_err(|_| TooMany)?;
        let at = u32::try_from(tree.names.len()).map_err(|_| TooMany)?;
        let length = u32::try_from(name.len()).map_err(|_| TooMany)?;
        tree.names.extend_from_slice(name);
        tree.nodes.push(Node { name: (at, length), parent, is_folder, ..Node::default() });
        Ok(id)
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::catalog::IndexRange;

    pub(in super::super) fn row(job_id: u32, file_index: u32, name: &str, stat: &Stat) -> FileRow {
        let mut lstat = Vec::new();
        stat.encode(&mut lstat);
        FileRow { job_id, file_index, name: name.into(), lstat, md5: Vec::new(), delta_seq: 0 }
    }

    pub(in super::super) fn wanted(job_id: u32, first: u32, last: u32) -> RestoreFiles {
        RestoreFiles { job_id, ranges: vec![IndexRange { first, last }] }
    }

    fn grown(wanted: Vec<RestoreFiles>, rows: &[FileRow]) -> Tree {
        let mut growing = Growing::new(wanted);
        rows.iter().for_each(|row| growing.add(row).unwrap());
        growing.grown()
    }

    #[test]
    fn what_a_restore_of_all_would_not_bring_is_not_in_the_tree() {
        let stat = Stat::default();
        let rows =
            [row(1, 1, "/a/x", &stat), row(1, 2, "/a/y", &stat), row(2, 1, "/a/z", &stat), row(3, 1, "/b", &stat)];
        let tree = grown(vec![wanted(1, 2, 2), wanted(2, 1, 9)], &rows);
        let paths: Vec<String> = tree.all().map(|id| String::from_utf8(tree.path(id)).unwrap()).collect();
        assert_eq!(paths, ["/a/", "/a/y", "/a/z"]);
    }

    #[test]
    fn a_further_name_of_a_file_brings_the_first_with_it() {
        let further = Stat { nlink: 2, link_fi: 1, ..Stat::default() };
        let rows = [row(1, 1, "/d/first", &Stat::default()), row(1, 2, "/e/second", &further)];
        let mut tree = grown(vec![wanted(1, 1, 2)], &rows);
        let second = tree.walk(ROOT, b"/e/second").unwrap();
        assert_eq!(tree.mark(second, true), 2);
        assert_eq!(tree.marked(), [wanted(1, 1, 2)]);
    }

    #[test]
    fn a_tree_has_an_end() {
        let mut growing = Growing { most: 10_000, ..Growing::new(vec![wanted(1, 1, 1_000)]) };
        let fits = (1..=1_000)
            .take_while(|index| growing.add(&row(1, *index, &format!("/{index}"), &Stat::default())).is_ok());
        let fits = fits.count();
        assert!((40..=140).contains(&fits), "{fits}");
    }

    #[test]
    fn a_file_takes_about_two_hundred_bytes() {
        let mut growing = Growing::new(vec![wanted(1, 1, 100_000)]);
        for index in 1..=100_000_u32 {
            let name = format!("/srv/folder-{:04}/file-{index:06}.data", index / 100);
            growing.add(&row(1, index, &name, &Stat::default())).unwrap();
        }
        let folders = growing.folder_bytes;
        let tree = growing.grown();
        assert_eq!(tree.nodes.len(), 1 + 1 + 1_001 + 100_000);
        let each = (tree.bytes() + folders) / 100_000;
        assert!(each < 220, "{each} bytes a file, growth of the lists included");
        assert_eq!(tree.children(tree.walk(ROOT, b"/srv/folder-0500").unwrap()).len(), 100);
    }
}
