//! What is noted while a draw runs, for the invariants to judge.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use towline_core::catalog::JobRow;
use towline_core::time::Instant;
use towline_core::wire::status_reply::StatusReply;

use crate::catalog::Tables;
use crate::disk::{Contents, Disk, Files, Flaw};
use crate::operator::Heard;
use crate::scenario::Region;

use super::draw::{Draw, Who};
use super::scene;
use super::sealed::Seals;

/// States of a job that is good.
const GOOD: &[u8] = b"TW";

/// Flaws of a client's files, by the names of these.
type Flaws = BTreeSet<(Vec<u8>, Flaw)>;

/// What was wrong with the files of a client while a backup of them ran.
#[derive(Clone, Debug, Default)]
pub(super) struct Flawed {
    /// All the time, and from before it was ordered.
    steady: Flaws,
    /// At any time.
    ever: Flaws,
}

/// See the [module](self).
#[derive(Debug)]
pub(super) struct Evidence {
    pub(super) draw: Draw,
    /// How each job ended when that was seen first.
    pub(super) ended: BTreeMap<u32, u8>,
    /// Which versions of its client's files a backup may have saved: from the first to the last.
    pub(super) versions: BTreeMap<u32, (usize, usize)>,
    /// What was wrong with them meanwhile.
    pub(super) flawed: BTreeMap<u32, Flawed>,
    /// What is wrong with the files of each client.
    flaws: Vec<Flaws>,
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
    /// Daemons whose place somebody has taken who holds their key.
    pub(super) foes: BTreeSet<Who>,
    /// Jobs in which such a one had a part: they may say what they like.
    pub(super) tainted: BTreeSet<u32>,
    /// Jobs that were open beside such a storage daemon, and whose pool was not known yet.
    without_pool: BTreeSet<u32>,
}

impl Evidence {
    pub(super) fn new(draw: &Draw) -> Self {
        Self {
            draw: draw.clone(),
            ended: BTreeMap::new(),
            versions: BTreeMap::new(),
            flawed: BTreeMap::new(),
            flaws: vec![Flaws::new(); draw.clients.len()],
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
            foes: BTreeSet::new(),
            tainted: BTreeSet::new(),
            without_pool: BTreeSet::new(),
        }
    }

    /// Looks at the catalog: what has begun, what has ended, what has changed since.
    pub(super) fn look(&mut self, region: &Region) {
        let before = self.look_at_flaws(region);
        let tables = region.catalog.tables();
        for row in tables.jobs.values() {
            if !self.ended.contains_key(&row.job_id) {
                self.look_for_foes(row, tables.pool_of(row));
            }
            if row.job_type == b'B'
                && let Some(client) = self.client_of(row)
            {
                let newest = self.trees[client].len() - 1;
                let is_over = self.ended.contains_key(&row.job_id);
                let versions = self.versions.entry(row.job_id).or_insert((newest, newest));
                if !is_over {
                    versions.1 = newest;
                    let now = &self.flaws[client];
                    let flawed = self
                        .flawed
                        .entry(row.job_id)
                        .or_insert_with(|| Flawed { steady: before[client].clone(), ever: BTreeSet::new() });
                    flawed.steady.retain(|flaw| now.contains(flaw));
                    flawed.ever.extend(now.iter().cloned());
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
                    let is_good = row.job_type == b'R' && row.job_status == b'T';
                    if is_good && !self.may_be_others(&tables, &row.client) {
                        let verdict = self.compare(region, row, None);
                        self.restores.push((row.job_id, verdict));
                    }
                }
                None => {}
            }
        }
    }

    /// Whether somebody in the place of a daemon has a part in a job that had not ended at the last look.
    fn look_for_foes(&mut self, row: &JobRow, pool: &str) {
        if self.foes.iter().any(|foe| has_part(*foe, row, pool)) {
            self.tainted.insert(row.job_id);
        }
        // What a migration writes has the name of its original, and no pool before it has begun.
        if self.draw.copies && pool.is_empty() {
            if self.foes.iter().any(|foe| matches!(foe, Who::Storage(_))) {
                self.without_pool.insert(row.job_id);
            }
            if is_end(row) && self.without_pool.contains(&row.job_id) {
                self.tainted.insert(row.job_id);
            }
        }
    }

    /// Whether what is restored of a client may be somebody else's.
    pub(super) fn may_be_others(&self, tables: &Tables, client: &str) -> bool {
        tables.jobs.values().any(|row| row.client == client && self.tainted.contains(&row.job_id))
    }

    /// The files of a client as they are now.
    pub(super) fn newest(&self, client: usize) -> &Files {
        &self.trees[client][self.trees[client].len() - 1]
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

    /// Looks what is wrong with the files of the clients; what was wrong with them at the last look.
    fn look_at_flaws(&mut self, region: &Region) -> Vec<Flaws> {
        let of = |disk: &Disk| disk.store().flaws.iter().map(|(name, flaw)| (name.clone(), *flaw)).collect();
        let now = region.clients.iter().map(|client| of(&client.disk)).collect();
        std::mem::replace(&mut self.flaws, now)
    }

    /// What a good backup has to say of files that were not well all the time, and does not.
    pub(super) fn unsaid(&self, row: &JobRow, report: &str) -> Option<String> {
        let client = self.client_of(row)?;
        let &(first, last) = self.versions.get(&row.job_id)?;
        let matters = |(name, flaw): &&(Vec<u8>, Flaw)| {
            let touches = |tree: &Files| match (flaw, tree.get(name)) {
                (Flaw::FailsAt(end) | Flaw::ShrinksTo(end), Some(bytes)) => *end < bytes.len(),
                (Flaw::Grows, Some(bytes)) => !bytes.is_empty(),
                (Flaw::Vanishes, Some(_)) | (Flaw::Unlisted, _) => true,
                (_, None) => false,
            };
            self.trees[client].iter().skip(first).take(last + 1 - first).all(touches)
        };
        let steady = &self.flawed.get(&row.job_id)?.steady;
        // What is below a folder that cannot be listed is not seen.
        let folder = steady.iter().find(|(_, flaw)| *flaw == Flaw::Unlisted);
        let (name, flaw) = folder.or_else(|| steady.iter().find(matters))?;
        let name = String::from_utf8_lossy(name);
        let status = char::from(row.job_status);
        let is_said = (status == 'W' || flaw.is_mild()) && report.contains(&*name);
        (!is_said).then(|| format!("job {} ends with {status}; {name} had {flaw:?}:\n{report}", row.job_id))
    }

    /// Whether a backup may have saved a file that could not be read to its end: its restore does not end well.
    pub(super) fn has_unread(&self, job: u32) -> bool {
        let is_unread = |(_, flaw): &(Vec<u8>, Flaw)| matches!(flaw, Flaw::FailsAt(_));
        self.flawed.get(&job).is_some_and(|flawed| flawed.ever.iter().any(is_unread))
    }

    /// Whether what a client got back is what it had: the files of one of these versions, or of any. What was wrong with some of
    /// them meanwhile (of this job, or of any) explains a difference in these.
    pub(super) fn compare(
        &self,
        region: &Region,
        row: &JobRow,
        of: Option<(u32, (usize, usize))>,
    ) -> Result<(), String> {
        let Some(client) = self.client_of(row) else { return Err(format!("client {:?} is nobody", row.client)) };
        let back = region.restored(client);
        let flawed = match of {
            Some((job, _)) => self.flawed.get(&job).map(|flawed| flawed.ever.clone()).unwrap_or_default(),
            None => self.flawed.values().flat_map(|flawed| flawed.ever.iter().cloned()).collect(),
        };
        let (first, last) = of.map_or((0, usize::MAX), |(_, versions)| versions);
        let mut trees = self.trees[client].iter().enumerate().filter(|(n, _)| (first..=last).contains(n));
        if trees.any(|(_, tree)| *tree == back || is_explained(&flawed, tree, &back)) {
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

/// Whether all in which these two differ is explained by flaws.
fn is_explained(flaws: &Flaws, tree: &Files, back: &Files) -> bool {
    let explains = |name: &[u8], bytes: &[u8], (of, flaw): &(Vec<u8>, Flaw)| {
        let is_about = if *flaw == Flaw::Unlisted { name.starts_with(of) } else { name == of.as_slice() };
        is_about && flaw.explains(bytes, back.get(name).map(|back| &**back))
    };
    let is_right = |(name, bytes): (&Vec<u8>, &Contents)| {
        back.get(name) == Some(bytes) || flaws.iter().any(|flaw| explains(name, bytes, flaw))
    };
    !flaws.is_empty() && back.keys().all(|name| tree.contains_key(name)) && tree.iter().all(is_right)
}

/// Whether somebody in the place of a daemon has a part in a job.
fn has_part(foe: Who, row: &JobRow, pool: &str) -> bool {
    let name = scene::name(foe);
    match foe {
        // What copies has nothing to do with a client.
        Who::Client(_) => row.client == name && b"BRV".contains(&row.job_type) && row.prior_job_id == 0,
        // Whatever is restored or copied may be there.
        Who::Storage(n) => {
            let is_first = n == 0 && [scene::TIMED, "near"].contains(&row.name.as_str());
            let is_there = is_first || row.name.ends_with(&name) || pool == name;
            is_there || !b"BV".contains(&row.job_type) || row.prior_job_id != 0
        }
        Who::Director => true,
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
