//! Copies and migrations: a control job that reads, and a job that writes and is the copy afterwards (`wire/3 §1.7` to
//! `§1.9`).
//!
//! ```text
//!   run job=copy            -> selects jobs, orders a control job for each, ends
//!   run job=copy jobid=N    -> control job: N and its pieces -> orders the writing job
//!     two storage daemons:     control --- reading daemon ==== connection 8 ====> writing daemon --- writing job
//!     one storage daemon:      control prepares the one connection, then hands it to the writing job
//!   both ends good          -> the original's times go to the copy; a migrated original gives up its files
//! ```
//! A copy is written as type C from the beginning, so that one that is cut never counts as a backup.

mod ended;

use std::collections::BTreeMap;

use crate::config::{DirectorConfig, Selection};
use crate::error::Code;
use crate::ids::JobId;
use crate::limits::ORIGINALS;
use crate::printable;
use crate::quantity::{counted, either};
use crate::role::director::Net;
use crate::role::director::common::{Tools, Use};
use crate::script::Scripted;
use crate::secret::Secret;
use crate::wire::message::MessageKind;
use crate::wire::status::{JobLevel, JobStatus, JobType, StorageEnd};

use super::Jobs;
use super::daemons::{Presence, StorageDaemon};
use super::dialogue::Event;
use super::life::Life;
use super::ordering::{Order, Resources};
use super::selecting::{self, Chooser, Page};
use super::tables;
use super::task::Task;
use super::trouble::Trouble;
use super::virtual_full::is_same;
use crate::catalog::restore_selection::RestorePlan as Selected;
use crate::catalog::{
    CatalogAnswer, CatalogError, CatalogName, CatalogRequest, IndexRange, JobEnd, JobFilter, JobMediaPiece, JobRow,
    Listed, Listing, MediaRow, NewJob, RestoreFiles, restore_selection,
};
use crate::role::director::Owner;

/// Jobs that are asked for at a time when some are to be selected: each of them may be ordered, and the catalog's queue has
/// room for so many requests at once.
const PAGE: u32 = 100;

/// What the control job of a copy knows of it.
#[derive(Clone, Debug, Default)]
pub(crate) struct CopyControl {
    /// The job that was asked for, if one was.
    wanted: Option<u32>,
    /// The writing job, once there is one.
    pub(crate) partner: Option<JobId>,
    /// The job that is copied.
    original: JobRow,
    /// What is read of it.
    pub(crate) selected: Option<Selected>,
    pub(crate) to: Target,
    /// What the reading storage daemon is told of the writing job: its unique name and its key.
    pub(crate) writer: Option<(String, Secret)>,
    /// How the writing job ended.
    outcome: Option<JobStatus>,
    /// How many jobs it has ordered to be copied so far.
    ordered: u32,
    /// How many it has left out so far, because other jobs take them.
    busy: u32,
    /// Which jobs it takes.
    chooser: Chooser,
    /// There is nothing to do: other jobs were ordered, or the original has no files.
    idle: bool,
    /// It has no original, and reads for the virtual full that is its partner.
    joins: bool,
}

/// Where a copy goes.
#[derive(Clone, Debug, Default)]
pub(crate) struct Target {
    pub(crate) storage: String,
    pub(crate) pool: String,
    /// Whether one storage daemon reads and writes.
    is_local: bool,
}

/// What the writing job of a copy knows of it.
#[derive(Clone, Debug)]
pub(crate) struct CopyWriter {
    /// The control job.
    pub(crate) partner: JobId,
    original: JobRow,
    /// The name under which the one storage daemon that reads and writes knows the job: the control job's.
    pub(crate) known_as: Option<String>,
    /// How the reading storage daemon has ended, if that is another one.
    pub(crate) reader_end: Option<StorageEnd>,
}

impl CopyWriter {
    /// Whether its storage daemon is the one that reads.
    const fn reads_too(&self) -> bool {
        self.known_as.is_some()
    }
}

impl CopyControl {
    /// Of this job, or of those that it has yet to select.
    pub(crate) fn new(wanted: Option<u32>) -> Self {
        Self { wanted, ..Self::default() }
    }

    /// For a virtual full, of which another storage daemon writes to `storage` what is read.
    pub(crate) fn joining(partner: JobId, selected: Selected, (storage, pool): (String, String)) -> Self {
        let to = Target { storage, pool, is_local: false };
        Self { partner: Some(partner), selected: Some(selected), to, joins: true, ..Self::default() }
    }

    /// Whether it reads for a virtual full.
    pub(crate) const fn joins(&self) -> bool {
        self.joins
    }

    /// Whether it chooses what is copied, and no job was named.
    pub(crate) const fn selects(&self) -> bool {
        self.wanted.is_none() && !self.joins
    }

    /// What was to be written is written, and the writing job has ended so.
    pub(crate) const fn ends(&mut self, status: JobStatus) {
        self.outcome = Some(status);
    }
}

/// What the catalog was asked for a copy.
#[derive(Clone, Debug)]
pub enum Asked {
    /// The job to copy.
    Original,
    /// The volumes whose jobs may be selected.
    Volumes,
    /// Jobs to select from.
    Jobs,
    /// The jobs that a statement of the resource selects.
    Statement,
    /// Where those of a page lie that are chosen by their names.
    Places(Page),
    Pieces,
    /// The writing job's number.
    Number(Partner),
    /// The number of the job that reads for a virtual full.
    Reader(Partner),
    /// Taking over the original; how the copy ended.
    Adopted(JobStatus),
}

/// The other job of a copy, whose number the catalog was asked for.
#[derive(Clone, Debug)]
pub struct Partner {
    /// Its unique name.
    pub(super) unique: String,
    pub(super) catalog: CatalogName,
    pub(super) level: u8,
    pub(super) client: u32,
}

impl Jobs {
    /// Starts a control job: looks for what to copy.
    pub(crate) fn begin_copy(&mut self, tools: &mut Tools<'_>, id: JobId) {
        let Some(job) = self.all.get(&id) else { return };
        let Task::CopyControl(control) = &job.task else { return };
        match control.wanted {
            Some(wanted) => {
                let filter = JobFilter { limit: 1, job_id: Some(wanted), ..JobFilter::default() };
                job.ask(tools, CatalogRequest::ListJobs(filter), Owner::Copy(id, Asked::Original));
            }
            None => self.begin_selection(tools, id),
        }
    }

    /// Looks at the volumes first if the selection goes by them.
    fn begin_selection(&mut self, tools: &mut Tools<'_>, id: JobId) {
        let Some(job) = self.all.get_mut(&id) else { return };
        let pool_id = job.rows.pool;
        let Some(resource) = job.config.job(&job.name) else { return self.fail_job(tools, id, &Trouble::Unconfigured) };
        if resource.selection == Selection::SqlQuery {
            let sql = resource.selection_pattern.clone().unwrap_or_default();
            // One more than are taken, so that it is said if there are more.
            let request = CatalogRequest::List(Listing::Query { sql, limit: ORIGINALS.saturating_add(1) });
            return job.ask(tools, request, Owner::Copy(id, Asked::Statement));
        }
        let by_volumes = selecting::goes_by_volumes(resource.selection);
        let chooser = Chooser::of(resource, job.config.pool(&job.with.pool), tools.net.wall().seconds());
        if let Task::CopyControl(control) = &mut job.task {
            control.chooser = chooser;
        }
        match by_volumes {
            true => {
                let request = CatalogRequest::VolumesOfPool { pool_id, media_type: None };
                job.ask(tools, request, Owner::Copy(id, Asked::Volumes));
            }
            false => self.ask_jobs_to_copy(tools, id, 0),
        }
    }

    /// The volumes of the pool: those of which jobs are taken.
    fn copy_chooses_volumes(&mut self, tools: &mut Tools<'_>, id: JobId, all: &[MediaRow]) {
        let Some(job) = self.all.get_mut(&id).filter(|job| !job.life.is_recording() && job.is_alive()) else { return };
        let Some(resource) = job.config.job(&job.name) else { return };
        let volumes = selecting::volumes(resource, job.config.pool(&job.with.pool), all);
        let names = volumes.iter().cloned().collect::<Vec<_>>().join(", ");
        let text = if volumes.is_empty() { "none".to_owned() } else { names };
        job.say(tools, MessageKind::Info, &format!("Jobs are selected on these volumes: {text}."));
        let Some(job) = self.all.get_mut(&id) else { return };
        if let Task::CopyControl(control) = &mut job.task {
            control.chooser.volumes = Some(volumes);
        }
        self.ask_jobs_to_copy(tools, id, 0);
    }

    fn ask_jobs_to_copy(&self, tools: &mut Tools<'_>, id: JobId, after: u32) {
        let Some(job) = self.all.get(&id) else { return };
        let (pool_id, uncopied) = (job.rows.pool, job.kind == JobType::Copy);
        let request = CatalogRequest::JobsToCopy { pool_id, uncopied, after, limit: PAGE };
        job.ask(tools, request, Owner::Copy(id, Asked::Jobs));
    }

    /// The catalog's answers for a copy.
    pub(crate) fn copy_answered(
        &mut self,
        tools: &mut Tools<'_>,
        id: JobId,
        asked: Asked,
        answer: Result<CatalogAnswer, CatalogError>,
    ) {
        match (asked, answer) {
            (Asked::Original, Ok(CatalogAnswer::Jobs(rows))) => self.copy_takes(tools, id, rows.first()),
            (Asked::Volumes, Ok(CatalogAnswer::Volumes(rows))) => self.copy_chooses_volumes(tools, id, &rows),
            (Asked::Jobs, Ok(CatalogAnswer::Jobs(rows))) => self.copy_looks_at(tools, id, &rows),
            (Asked::Statement, Ok(CatalogAnswer::Listed(Listed::Table { rows, .. }))) => {
                match selecting::of_statement(&rows) {
                    Ok(chosen) => self.copy_selects(tools, id, Page { chosen, next: None }),
                    Err(cell) => self.fail_job(tools, id, &Trouble::NotJobIds(printable::line(&cell).to_string())),
                }
            }
            (Asked::Places(page), Ok(CatalogAnswer::Pieces(pieces))) => self.copy_finds(tools, id, page, &pieces),
            (Asked::Pieces, Ok(CatalogAnswer::Pieces(pieces))) => self.copy_plans(tools, id, &pieces),
            (Asked::Number(partner) | Asked::Reader(partner), Ok(CatalogAnswer::Id(number)))
                if self.get(id).is_none_or(|job| !job.life.goes_on()) =>
            {
                tools.common.know_job(JobId(number));
                never_begins(tools, partner, number);
            }
            (Asked::Number(partner), Ok(CatalogAnswer::Id(writer))) => {
                tools.common.know_job(JobId(writer));
                self.copy_starts(tools, id, JobId(writer), partner.unique)
            }
            (Asked::Number(_), Err(error)) if self.is_taken(&error) => {
                self.order_writer(tools, id);
            }
            (Asked::Reader(partner), Ok(CatalogAnswer::Id(reader))) => {
                self.reader_starts(tools, id, JobId(reader), partner.unique);
            }
            (Asked::Reader(_), Err(error)) if self.is_taken(&error) => self.order_reader(tools, id),
            (Asked::Adopted(status), Ok(_)) => self.copy_ended(tools, id, status),
            (_, Err(error)) => self.fail_job(tools, id, &error.into()),
            (_, Ok(other)) => self.fail_job(tools, id, &Trouble::unexpected(&other)),
        }
    }

    /// The job that was asked for is there, or not.
    fn copy_takes(&mut self, tools: &mut Tools<'_>, id: JobId, row: Option<&JobRow>) {
        let Some(catalog) = self.all.get(&id).map(|job| job.catalog.clone()) else { return };
        let taken = self.originals_taken(tools.net, &catalog);
        let Some(job) = self.all.get_mut(&id).filter(|job| !job.life.is_over()) else { return };
        let Task::CopyControl(control) = &mut job.task else { return };
        let wanted = control.wanted.unwrap_or_default();
        // Of two the one with the lower number has it, whichever began first.
        if let Some(by) = taken.get(&wanted).copied().flatten().filter(|other| *other < id) {
            return self.fail_job(tools, id, &Trouble::Taken { job: wanted, by });
        }
        let Some(row) = row.filter(|row| is_good_backup(row)) else {
            return self.fail_job(tools, id, &Trouble::NothingToCopy(wanted));
        };
        control.original = row.clone();
        if row.job_files == 0 {
            control.idle = true;
            let text = format!("Job {wanted} has no files: there is nothing to copy.");
            job.say(tools, MessageKind::Info, &text);
            return self.end_job(tools, id);
        }
        (job.with.client, job.with.fileset) = (row.client.clone(), row.file_set.clone());
        (job.rows.client, job.rows.fileset) = (row.client_id, row.file_set_id);
        job.level = JobLevel::from_letter(row.level);
        job.rows.fileset_md5 =
            tools.common.ids(&job.catalog).filesets.get(&row.file_set).map(|set| set.md5.clone()).unwrap_or_default();
        job.ask(tools, CatalogRequest::JobMediaOf { jobs: vec![wanted] }, Owner::Copy(id, Asked::Pieces));
    }

    /// A page of jobs: chooses by their names, and asks where they lie if that counts.
    fn copy_looks_at(&mut self, tools: &mut Tools<'_>, id: JobId, rows: &[JobRow]) {
        let Some(job) = self.all.get(&id).filter(|job| !job.life.is_recording() && job.is_alive()) else { return };
        let Task::CopyControl(control) = &job.task else { return };
        let chosen = control.chooser.choose(rows);
        let page = Page { chosen, next: rows.last().map(JobRow::place).filter(|_| rows.len() == PAGE as usize) };
        if control.chooser.volumes.is_none() || page.chosen.is_empty() {
            return self.copy_selects(tools, id, page);
        }
        let request = CatalogRequest::JobMediaOf { jobs: page.chosen.clone() };
        job.ask(tools, request, Owner::Copy(id, Asked::Places(page)));
    }

    /// Where the jobs of a page lie.
    fn copy_finds(&mut self, tools: &mut Tools<'_>, id: JobId, page: Page, pieces: &[JobMediaPiece]) {
        let Some(Task::CopyControl(control)) = self.all.get(&id).map(|job| &job.task) else { return };
        let chosen = control.chooser.on_volumes(page.chosen, pieces);
        self.copy_selects(tools, id, Page { chosen, ..page });
    }

    /// Orders a control job for each job of a page that is chosen, and asks for the next page.
    fn copy_selects(&mut self, tools: &mut Tools<'_>, id: JobId, page: Page) {
        let Some(catalog) = self.all.get(&id).map(|job| job.catalog.clone()) else { return };
        let taken = self.originals_taken(tools.net, &catalog);
        let Some(job) = self.all.get_mut(&id).filter(|job| !job.life.is_over() && job.is_alive()) else { return };
        let kind = job.kind;
        let most = job.config.job(&job.name).map_or(0, |resource| resource.max_concurrent_copies);
        let most = if most == 0 { ORIGINALS } else { most.min(ORIGINALS) };
        let Task::CopyControl(control) = &mut job.task else { return };
        control.idle = true;
        let Page { mut chosen, next } = page;
        let found = chosen.len();
        chosen.retain(|original| !taken.contains_key(original));
        control.busy = control.busy.saturating_add(u32::try_from(found - chosen.len()).unwrap_or(u32::MAX));
        let is_cut = cut(&mut chosen, &mut control.ordered, most);
        let next = next.filter(|_| !is_cut);
        if next.is_none() {
            let (selected, busy) = (control.ordered, control.busy);
            let are = either(selected, "is", "are");
            let text = format!("{} of pool \"{}\" {are} selected.", counted(selected, "job"), job.with.pool);
            job.say(tools, MessageKind::Info, &text);
            if busy > 0 {
                let text = format!("{busy} more are left out, because other jobs that have not ended take them.");
                job.say(tools, MessageKind::Info, &text);
            }
            if is_cut && most < ORIGINALS {
                let text = "The others are left for the next run: see max_concurrent_copies.";
                job.say(tools, MessageKind::Info, text);
            } else if is_cut {
                let text = format!(
                    "one job takes no more than {selected}, the others are left for its next run ({})",
                    Code(651)
                );
                job.say(tools, MessageKind::Warning, &text);
            }
        }
        let terms = job.terms.clone();
        let catalog = Some(job.catalog.clone());
        let order = Order { terms, catalog, ..Order::of(&job.name, kind, JobLevel::Full, job.with.clone()) };
        for original in chosen {
            self.order(tools, Order { original: Some(original), ..order.clone() });
        }
        match next {
            Some(after) => self.ask_jobs_to_copy(tools, id, after),
            None => self.end_job(tools, id),
        }
    }

    /// The jobs of a catalog that control jobs have which have not ended, or will have once they have a number: each with the
    /// first of those jobs that has a number.
    fn originals_taken(&self, net: &Net, catalog: &CatalogName) -> BTreeMap<u32, Option<JobId>> {
        let is_control = |kind: JobType| matches!(kind, JobType::Copy | JobType::Migrate);
        let ordered = net.works().filter_map(|owner| match owner {
            Owner::Create(order) | Owner::Client(order)
                if is_control(order.kind) && order.catalog.as_ref() == Some(catalog) =>
            {
                order.original
            }
            _ => None,
        });
        let mut taken: BTreeMap<u32, Option<JobId>> = ordered.map(|original| (original, None)).collect();
        for (id, job) in self.all.iter().rev().filter(|(_, job)| !job.life.is_over() && job.catalog == *catalog) {
            if let Task::CopyControl(CopyControl { wanted: Some(original), .. }) = job.task {
                taken.insert(original, Some(*id));
            }
        }
        taken
    }

    fn copy_plans(&mut self, tools: &mut Tools<'_>, id: JobId, pieces: &[JobMediaPiece]) {
        let config = std::sync::Arc::clone(&tools.common.config);
        let Some(job) = self.all.get_mut(&id).filter(|job| !job.life.is_over()) else { return };
        let Task::CopyControl(control) = &mut job.task else { return };
        let original = &control.original;
        let all =
            RestoreFiles { job_id: original.job_id, ranges: vec![IndexRange { first: 1, last: original.job_files }] };
        let device = |name: &str| config.storage(name).map(|storage| storage.device.clone());
        let plan = restore_selection::plan(std::slice::from_ref(original), &[all], pieces, None, device);
        let selected = match plan {
            Ok(selected) => selected,
            Err(error) => return self.fail_job(tools, id, &error.into()),
        };
        let mut storages: Vec<String> =
            selected.bootstrap.sections.iter().filter_map(|section| section.storage.clone()).collect();
        storages.dedup();
        let reading = match storages.as_slice() {
            [one] => one.clone(),
            _ => job.with.storage.clone(),
        };
        let place = target(&config, &job.with.pool, job.terms.next_pool.as_deref()).and_then(|(storage, pool)| {
            let (Some(from), Some(to)) = (config.storage(&reading), config.storage(&storage)) else {
                return Err(Trouble::UnknownStorage(reading.clone()));
            };
            if storages.len() > 1 {
                return Err(Trouble::SeveralStorages(storages));
            }
            if from.name == to.name {
                return Err(Trouble::SameStorage { storage, pool });
            }
            let is_local = is_same(from, to);
            Ok(Target { storage, pool, is_local })
        });
        match place {
            Ok(to) => control.to = to,
            Err(why) => return self.fail_job(tools, id, &why),
        }
        control.selected = Some(selected);
        job.rows.storage = tools.common.ids(&job.catalog).storages.get(&reading).copied().unwrap_or(0);
        job.with.storage = reading;
        self.order_writer(tools, id);
    }

    /// Asks for the number of the writing job, which has the name of the original's resource.
    fn order_writer(&mut self, tools: &mut Tools<'_>, id: JobId) {
        let Some(Task::CopyControl(control)) = self.all.get(&id).map(|job| &job.task) else { return };
        let name = control.original.name.clone();
        let unique = self.unique_name(tools, &name);
        let Some(job) = self.all.get(&id) else { return };
        let job_type = if job.kind == JobType::Copy { JobType::JobCopy } else { JobType::Backup };
        let new = NewJob {
            job: unique.clone(),
            name,
            job_type: job_type.letter(),
            level: job.level.letter(),
            client_id: job.rows.client,
            sched_time: tools.net.wall().seconds(),
            comment: String::new(),
            at_least: tools.common.next_job(),
        };
        let partner = Partner { unique, catalog: job.catalog.clone(), level: new.level, client: new.client_id };
        job.ask(tools, CatalogRequest::CreateJob(new), Owner::Copy(id, Asked::Number(partner)));
    }

    /// Both jobs are there: their dialogues begin.
    fn copy_starts(&mut self, tools: &mut Tools<'_>, id: JobId, writer: JobId, unique: String) {
        let Some(job) = self.all.get_mut(&id).filter(|job| job.life.goes_on()) else { return };
        let known_as = job.unique.clone();
        let Task::CopyControl(control) = &mut job.task else { return };
        control.partner = Some(writer);
        let (original, to) = (control.original.clone(), control.to.clone());
        let (level, rows) = (job.level, job.rows.clone());
        let with = Resources {
            client: job.with.client.clone(),
            fileset: job.with.fileset.clone(),
            storage: to.storage,
            pool: to.pool,
        };
        let scheduled = tools.net.wall().seconds();
        let catalog = Some(job.catalog.clone());
        let order = Order { unique, scheduled, catalog, ..Order::of(&original.name, JobType::Backup, level, with) };
        let text = format!("Job {} is written by JobId {writer}, Job={}", original.job_id, order.unique);
        job.say(tools, MessageKind::Info, &text);
        let mut new = Self::new_job(tools, writer, order);
        new.life = Life::BEGUN;
        (new.rows.client, new.rows.fileset, new.rows.fileset_md5) = (rows.client, rows.fileset, rows.fileset_md5);
        let known_as = to.is_local.then_some(known_as);
        new.task = Task::CopyWriter(CopyWriter { partner: id, original, known_as, reader_end: None });
        self.all.insert(writer, new);
        if !to.is_local {
            self.advance(tools, writer, |job, tools| job.begin(tables::copy::WRITER, tools));
        }
        let table = if to.is_local { tables::copy::LOCAL } else { tables::copy::READER };
        self.advance(tools, id, |job, tools| job.begin(table, tools));
    }

    /// The storage daemon of a writing job listens: its control job may tell the reading one where to go.
    pub(crate) fn writer_listens(&mut self, tools: &mut Tools<'_>, writer: JobId) {
        let Some(job) = self.all.get(&writer) else { return };
        let Some(control) = job.task.partner() else { return };
        let known = (job.unique.clone(), job.storage_daemon.key.clone());
        self.advance(tools, control, |job, tools| {
            job.task.control()?.writer = Some(known);
            job.on_event(Event::WriterListens, tools)
        });
    }

    /// The reading storage daemon of a control job has ended: its writing job needs to know how.
    pub(crate) fn reader_ended(&mut self, tools: &mut Tools<'_>, control: JobId) {
        let Some(job) = self.all.get(&control) else { return };
        let Some(writer) = job.task.partner() else { return };
        let end = job.storage_daemon.presence.end().cloned();
        self.advance(tools, writer, |job, tools| {
            job.task.reader_ends(end);
            job.on_event(Event::ReaderEnded, tools)
        });
    }

    /// The one storage daemon of a copy has begun: from here on its connection belongs to the writing job.
    pub(crate) fn hand_over(&mut self, tools: &mut Tools<'_>, control: JobId) {
        let Some(job) = self.all.get_mut(&control) else { return };
        let Some(partner) = job.task.partner() else { return };
        let (conn, session) = (job.storage_daemon.presence.leave(), job.storage_daemon.session);
        if let (Some(conn), Some(writer)) = (conn, self.all.get_mut(&partner)) {
            writer.storage_daemon =
                StorageDaemon { presence: Presence::Here(conn), session, runs: true, ..Default::default() };
            tools.common.uses.attach(conn, Use::Job(partner));
        }
        self.advance(tools, partner, |job, tools| job.begin(tables::copy::LOCAL_WRITER, tools));
    }
}

/// Where copies and virtual fulls of a pool's jobs go: a storage and a pool, which may be named beside that pool.
///
/// # Errors
/// What the configuration lacks.
pub(crate) fn target(config: &DirectorConfig, pool: &str, next: Option<&str>) -> Result<(String, String), Trouble> {
    let lacks = |pool: &str, setting| Trouble::NoTarget { pool: pool.to_owned(), setting };
    let of_pool = || config.pool(pool).and_then(|pool| pool.next_pool.as_deref());
    let next = next.or_else(of_pool).ok_or_else(|| lacks(pool, "next_pool"))?.to_owned();
    let storage = config.pool(&next).and_then(|pool| pool.storage.clone()).ok_or_else(|| lacks(&next, "storage"))?;
    Ok((storage, next))
}

/// Leaves of the chosen jobs as many as one control job may still order, and counts them. Whether any had to go.
fn cut(chosen: &mut Vec<u32>, selected: &mut u32, most: u32) -> bool {
    let room = most.saturating_sub(*selected) as usize;
    let is_cut = chosen.len() > room;
    chosen.truncate(room);
    *selected += u32::try_from(chosen.len()).unwrap_or(u32::MAX);
    is_cut
}

fn is_good_backup(row: &JobRow) -> bool {
    b"BA".contains(&row.job_type) && b"TW".contains(&row.job_status)
}

/// A job has its number now that the one it belongs to has ended: so does its row.
fn never_begins(tools: &mut Tools<'_>, partner: Partner, number: u32) {
    let now = tools.net.wall().seconds();
    let end = Box::new(JobEnd {
        job_id: number,
        job_status: JobStatus::Canceled.letter(),
        level: partner.level,
        end_time: now,
        real_end_time: now,
        client_id: partner.client,
        comment: Some("not begun: the job that it belongs to has ended".to_owned()),
        ..JobEnd::default()
    });
    tools.ask(&partner.catalog, CatalogRequest::EndJob(end.clone()), Owner::End(end));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ten_thousand_jobs_are_taken_and_not_one_more() {
        let mut selected = ORIGINALS - 2;
        let (mut both, mut three) = (vec![1, 2], vec![1, 2, 3]);
        assert!(!cut(&mut both, &mut selected.clone(), ORIGINALS));
        assert!(cut(&mut three, &mut selected, ORIGINALS));
        assert_eq!((both, three, selected), (vec![1, 2], vec![1, 2], 10_000));
        assert!(!cut(&mut Vec::new(), &mut selected, ORIGINALS));
        assert!(cut(&mut vec![7], &mut selected, ORIGINALS) && selected == 10_000);
    }
}
