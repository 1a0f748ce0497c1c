//! What is noted while a draw runs, for the invariants to judge.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use towline_core::catalog::JobRow;
use towline_core::time::Instant;
use towline_core::wire::status_reply::StatusReply;

use crate::disk::Files;
use crate::operator::Heard;
use crate::scenario::Region;

use super::draw::{Draw, Who};
use super::scene;
use super::sealed::Seals;

/// States of a job that is good.
const GOOD: &[u8] = b"TW";

/// See the [module](self).
#[derive(Debug)]
pub(super) struct Evidence {
    pub(super) draw: Draw,
    /// How each job ended when that was seen first.
    pub(super) ended: BTreeMap<u32, u8>,
    /// Which versions of its client's files a backup may have saved: from the first to the last.
    pub(super) versions: BTreeMap<u32, (usize, usize)>,
    /// The versions of the files of each client.
    pub(super) trees: Vec<Vec<Files>>,
    /// Jobs whose end was seen to change.
    pub(super) changed: Vec<String>,
    /// Jobs that were cancelled, and since when a console knows.
    pub(super) cancelled: BTreeMap<u32, Instant>,
    /// Jobs that the director has said it has taken.
    pub(super) taken: Vec<u32>,
    /// Lines that order one backup each, so far.
    pub(super) ordered: usize,
    /// People with wrong passwords, and what they have heard.
    pub(super) strangers: Vec<(String, Heard)>,
    /// Restores that have said they are right, with what was wrong then.
    pub(super) restores: Vec<(u32, Result<(), String>)>,
    /// Good jobs that could not be restored.
    pub(super) lost: Vec<String>,
    /// What each daemon says of the jobs it knows, and the jobs that had ended when it was asked.
    pub(super) statuses: Vec<(Who, StatusReply, BTreeSet<u32>)>,
    /// Clients that were let in although they have no key.
    pub(super) let_in: Vec<String>,
    /// Signals that stock clients have heard while they waited.
    pub(super) to_stock: Vec<i32>,
    pub(super) seals: Rc<RefCell<Seals>>,
    /// Until when the director or its catalog was not well.
    pub(super) unwell: Instant,
    /// Pairs of hosts that could not hear each other for long, and still had a connection.
    pub(super) dead: Vec<String>,
    /// Jobs that have waited too long for a client that was away.
    pub(super) abandoned: Vec<String>,
}

impl Evidence {
    pub(super) fn new(draw: &Draw) -> Self {
        Self {
            draw: draw.clone(),
            ended: BTreeMap::new(),
            versions: BTreeMap::new(),
            trees: (0..draw.clients.len()).map(|n| vec![scene::tree(draw, n, 0)]).collect(),
            changed: Vec::new(),
            cancelled: BTreeMap::new(),
            taken: Vec::new(),
            ordered: 0,
            strangers: Vec::new(),
            restores: Vec::new(),
            lost: Vec::new(),
            statuses: Vec::new(),
            let_in: Vec::new(),
            to_stock: Vec::new(),
            seals: Rc::default(),
            unwell: Instant::ZERO,
            dead: Vec::new(),
            abandoned: Vec::new(),
        }
    }

    /// Looks at the catalog: what has begun, what has ended, what has changed since.
    pub(super) fn look(&mut self, region: &Region) {
        let tables = region.catalog.tables();
        for row in tables.jobs.values() {
            if row.job_type == b'B'
                && let Some(client) = self.client_of(row)
            {
                let newest = self.trees[client].len() - 1;
                let is_over = self.ended.contains_key(&row.job_id);
                let versions = self.versions.entry(row.job_id).or_insert((newest, newest));
                if !is_over {
                    versions.1 = newest;
                }
            }
            match self.ended.get(&row.job_id) {
                Some(&before) if before != row.job_status => {
                    let (old, new) = (char::from(before), char::from(row.job_status));
                    self.changed.push(format!("job {} ended with {old} and then had {new}", row.job_id));
                }
                Some(_) => {}
                None if is_end(row) => {
                    self.ended.insert(row.job_id, row.job_status);
                    if row.job_type == b'R' && row.job_status == b'T' {
                        let verdict = self.compare(region, row, None);
                        self.restores.push((row.job_id, verdict));
                    }
                }
                None => {}
            }
        }
    }

    /// Notes what the director has answered to the operator.
    pub(super) fn listen(&mut self, text: &str, now: Instant) {
        for (_, rest) in text.match_indices("Job queued. JobId=").map(|(at, found)| text.split_at(at + found.len())) {
            if let Some(job) = number(rest).filter(|job| !self.taken.contains(job)) {
                self.taken.push(job);
            }
        }
        for line in text.lines().filter(|line| line.contains("marked to be canceled")) {
            if let Some(job) = line.strip_prefix("JobId ").and_then(number) {
                self.cancelled.entry(job).or_insert(now);
            }
        }
    }

    /// Whether what a client got back is what it had: the files of one of these versions, or of any.
    pub(super) fn compare(&self, region: &Region, row: &JobRow, of: Option<(usize, usize)>) -> Result<(), String> {
        let Some(client) = self.client_of(row) else { return Err(format!("client {:?} is nobody", row.client)) };
        let back = region.restored(client);
        let (first, last) = of.unwrap_or((0, usize::MAX));
        let mut trees = self.trees[client].iter().enumerate().filter(|(n, _)| (first..=last).contains(n));
        if trees.any(|(_, tree)| *tree == back) {
            return Ok(());
        }
        let tree = &self.trees[client][first.min(self.trees[client].len() - 1)];
        let missing = tree.keys().filter(|name| !back.contains_key(*name)).count();
        let other = tree.iter().filter(|(name, bytes)| back.get(*name).is_some_and(|back| back != *bytes)).count();
        let more = back.keys().filter(|name| !tree.contains_key(*name)).count();
        let (job, files) = (row.job_id, tree.len());
        Err(format!("restore {job} of {files} files: {missing} are missing, {other} differ, {more} are too many"))
    }

    fn client_of(&self, row: &JobRow) -> Option<usize> {
        (0..self.trees.len()).find(|&n| scene::name(Who::Client(n)) == row.client)
    }
}

/// Whether a job has ended.
pub(super) fn is_end(row: &JobRow) -> bool {
    b"TWAEfeDI".contains(&row.job_status)
}

/// Whether it is good.
pub(super) fn is_good(row: &JobRow) -> bool {
    GOOD.contains(&row.job_status)
}

/// The number at the beginning of a text.
fn number(text: &str) -> Option<u32> {
    text.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
}
