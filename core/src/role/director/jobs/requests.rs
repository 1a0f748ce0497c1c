//! Serves the storage daemons' catalog requests: each needs one or more questions to the catalog before its one answer
//! (`wire/3 §2.3`).

use crate::calendar::Zone;
use crate::ids::Who;
use crate::role::director::Net;
use crate::wire::catalog::{self as wire, Ask, MediaUpdate};

use super::job::Job;
use super::naming;
use super::trouble::Trouble;
use crate::catalog::volumes::{self, Choice, Need, Prunes, Stock};
use crate::catalog::{
    CatalogAnswer, CatalogError, CatalogErrorKind, CatalogName, CatalogRequest, JobMediaRow, MediaRow, PoolRow,
};

/// How often a search may begin again because rows changed meanwhile.
const MAX_ROUNDS: u32 = 50;

/// A request under way.
#[derive(Debug)]
pub(crate) struct Request {
    ask: Ask,
    state: State,
    rounds: u32,
    volumes: Vec<MediaRow>,
    max_media_id: u32,
    pruned: Vec<u32>,
    collisions: u32,
    /// A new volume that waits for its name.
    unnamed: Option<Box<MediaRow>>,
    /// Volumes that were old enough and keep these jobs: not said yet.
    kept: Vec<(String, Vec<u32>)>,
}

/// What the catalog was asked last.
#[derive(Debug, PartialEq, Eq)]
enum State {
    Volumes,
    MaxId,
    Offering,
    Retrying,
    Pruning(u32),
    Creating,
    Counting,
    Looking,
    Updating,
    Recording,
}

/// What to do next for a request.
#[derive(Debug)]
pub(crate) enum Next {
    /// Ask the catalog.
    Ask(CatalogRequest),
    /// Send this line to the storage daemon: done.
    Answer(String),
    /// The same, and a warning of the job.
    Warn(String, Trouble),
    /// The catalog failed: the line for the storage daemon, and why.
    Fail(String, Trouble),
}

impl Request {
    /// Takes a request; gives what to do first.
    pub(crate) fn begin(ask: Ask, job: &Job, pool: &PoolRow) -> (Self, Next) {
        let (state, next) = match &ask {
            Ask::FindMedia { .. } => (State::Volumes, Next::Ask(volumes_of(job, pool))),
            Ask::GetVolInfo { volume, .. } => (State::Looking, Next::Ask(CatalogRequest::VolumeByName(volume.clone()))),
            Ask::UpdateMedia(update) => {
                (State::Looking, Next::Ask(CatalogRequest::VolumeByName(update.volume.clone())))
            }
            Ask::CreateJobMedia(media) => {
                let next = match JobMediaRow::of_report(job.id.0, media) {
                    Some(row) => Next::Ask(CatalogRequest::CreateJobMedia(row)),
                    None => Next::Answer(wire::JOB_MEDIA_FAILED.to_owned()),
                };
                (State::Recording, next)
            }
            Ask::DeleteNullJobMedia { .. } => {
                (State::Recording, Next::Ask(CatalogRequest::DeleteNullJobMedia { job_id: job.id.0 }))
            }
            Ask::UpdateJobRecord { files, bytes } => {
                let (job_files, job_bytes) = (*files, *bytes);
                let request = CatalogRequest::Checkpoint { job_id: job.id.0, job_files, job_bytes };
                (State::Recording, Next::Ask(request))
            }
            Ask::UpdateFileList => (State::Recording, Next::Answer(String::new())),
        };
        let request = Self {
            ask,
            state,
            rounds: 0,
            volumes: Vec::new(),
            max_media_id: 0,
            pruned: Vec::new(),
            collisions: 0,
            unnamed: None,
            kept: Vec::new(),
        };
        (request, next)
    }

    /// Takes the catalog's answer.
    pub(crate) fn on_answer(
        &mut self,
        answer: Result<CatalogAnswer, CatalogError>,
        job: &Job,
        pool: &PoolRow,
        (net, zone): (&Net, &Zone),
    ) -> Next {
        self.rounds += 1;
        if self.rounds > MAX_ROUNDS {
            return self.fail(Trouble::EndlessSearch);
        }
        let answer = match answer {
            Ok(CatalogAnswer::Pruned { volume, kept }) => {
                if let Some(row) = volume.as_ref().filter(|_| !kept.is_empty()) {
                    self.kept.push((row.volume_name.clone(), kept));
                }
                Ok(CatalogAnswer::Volume(volume))
            }
            answer => answer,
        };
        match answer {
            Ok(answer) => match self.ask {
                Ask::FindMedia { .. } => self.find(answer, job, pool, (net, zone)),
                Ask::GetVolInfo { write, .. } => self.info(answer, write, job, pool, net),
                Ask::UpdateMedia(ref update) => {
                    let update = update.clone();
                    self.update(answer, &update, job, net)
                }
                Ask::CreateJobMedia(_) => Next::Answer(wire::JOB_MEDIA_CREATED.to_owned()),
                Ask::DeleteNullJobMedia { .. } => Next::Answer(wire::NULL_JOB_MEDIA_DELETED.to_owned()),
                Ask::UpdateJobRecord { .. } | Ask::UpdateFileList => Next::Answer(String::new()),
            },
            Err(error) if error.kind == CatalogErrorKind::Constraint && self.state == State::Creating => {
                self.collisions += 1;
                self.search_again(job, pool)
            }
            Err(error) => self.fail(error.into()),
        }
    }

    /// What is to be said of volumes that are old enough and are not used again, by their names.
    pub(crate) fn kept(&mut self) -> Vec<(String, String)> {
        let text = |(volume, jobs): (String, Vec<u32>)| {
            let jobs: Vec<String> = jobs.iter().take(20).map(u32::to_string).collect();
            let text = format!(
                "Volume \"{volume}\" is old enough to be used again and stays: it holds jobs of a last full backup and of what \
                 builds on it ({}); prune volume={volume} force lets them go (T0759).",
                jobs.join(",")
            );
            (volume, text)
        };
        std::mem::take(&mut self.kept).into_iter().map(text).collect()
    }

    fn find(&mut self, answer: CatalogAnswer, job: &Job, pool: &PoolRow, (net, zone): (&Net, &Zone)) -> Next {
        match (&self.state, answer) {
            (State::Volumes, CatalogAnswer::Volumes(volumes)) => {
                self.volumes = volumes;
                self.state = State::MaxId;
                Next::Ask(CatalogRequest::MaxMediaId)
            }
            (State::MaxId, CatalogAnswer::Id(id)) => {
                self.max_media_id = id;
                self.choose(job, pool, (net, zone))
            }
            (State::Counting, CatalogAnswer::Counted(numbers)) => self.name(job, pool, (net, zone), numbers),
            (State::Offering | State::Creating, CatalogAnswer::Volume(Some(row))) => Next::Answer(row.info().to_line()),
            (State::Pruning(id), CatalogAnswer::Volume(_)) => {
                self.pruned.push(*id);
                self.search_again(job, pool)
            }
            (State::Offering | State::Retrying, CatalogAnswer::Stale(_)) | (State::Retrying, _) => {
                self.search_again(job, pool)
            }
            (_, other) => self.fail(Trouble::unexpected(&other)),
        }
    }

    fn choose(&mut self, job: &Job, pool: &PoolRow, (net, zone): (&Net, &Zone)) -> Next {
        let Ask::FindMedia { index, unwanted, .. } = &self.ask else { return Next::Answer(wire::NO_MEDIA.to_owned()) };
        let media_type = job.config.storage(&job.with.storage).map_or("", |storage| storage.media_type.as_str());
        let now = net.wall().seconds();
        let need = Need { pool, media_type, changer: None, index: *index, unwanted, prunes: prunes(job, pool), now };
        let stock = Stock {
            volumes: &self.volumes,
            scratch: &[],
            pruned: &self.pruned,
            max_media_id: self.max_media_id,
            collisions: self.collisions,
        };
        let (state, next) = match volumes::choose(&need, &stock) {
            Choice::Use(row) => return Next::Answer(row.info().to_line()),
            Choice::Nothing => return Next::Answer(wire::NO_MEDIA.to_owned()),
            Choice::StoreAndUse(row) => (State::Offering, CatalogRequest::UpdateMedia(row)),
            Choice::StoreAndRetry(row) => (State::Retrying, CatalogRequest::UpdateMedia(row)),
            Choice::Prune { media_id, before } => {
                (State::Pruning(media_id), CatalogRequest::PruneVolume { media_id, before })
            }
            Choice::Create(row) => (State::Creating, CatalogRequest::CreateMedia(row)),
            Choice::Name(row) => {
                self.unnamed = Some(row);
                let counters = naming::counters(pool);
                if counters.is_empty() {
                    return self.name(job, pool, (net, zone), Vec::new());
                }
                (State::Counting, CatalogRequest::TakeCounters(counters))
            }
        };
        self.state = state;
        Next::Ask(next)
    }

    /// A new volume gets its name, with these numbers of counters.
    fn name(&mut self, job: &Job, pool: &PoolRow, (net, zone): (&Net, &Zone), numbers: Vec<Option<u32>>) -> Next {
        let Some(mut row) = self.unnamed.take() else { return self.fail(Trouble::OtherTask) };
        let volumes = self.volumes.iter().filter(|volume| volume.pool_id == pool.pool_id).count();
        let named = naming::name(job, pool, zone.local(net.wall().seconds()), (volumes, numbers));
        match named {
            // Another try would come to the same.
            Ok((name, false)) if self.collisions > 0 => {
                Next::Warn(wire::NO_MEDIA.to_owned(), Trouble::NameTaken { pool: pool.name.clone(), name })
            }
            Ok((name, _)) => {
                row.volume_name = name;
                self.state = State::Creating;
                Next::Ask(CatalogRequest::CreateMedia(row))
            }
            Err(why) => Next::Warn(wire::NO_MEDIA.to_owned(), Trouble::NoName { pool: pool.name.clone(), why }),
        }
    }

    fn info(&mut self, answer: CatalogAnswer, write: bool, job: &Job, pool: &PoolRow, net: &Net) -> Next {
        let Ask::GetVolInfo { volume, .. } = &self.ask else { return Next::Answer(wire::NO_MEDIA.to_owned()) };
        let row = match (&self.state, answer) {
            (State::Looking, CatalogAnswer::Volume(Some(row))) => row,
            (State::Looking, CatalogAnswer::Volume(None)) => return Next::Answer(wire::not_in_catalog(volume)),
            (State::Offering | State::Pruning(_), CatalogAnswer::Volume(Some(row))) => {
                return Next::Answer(row.info().to_line());
            }
            (_, CatalogAnswer::Stale(row)) => row,
            (_, other) => return self.fail(Trouble::unexpected(&other)),
        };
        if !write {
            return Next::Answer(if row.enabled {
                row.info().to_line()
            } else {
                wire::not_usable(&row.volume_name, row.vol_status.as_str(), "is not Enabled")
            });
        }
        let media_type = job.config.storage(&job.with.storage).map_or("", |storage| storage.media_type.as_str());
        let (prunes, now) = (prunes(job, pool), net.wall().seconds());
        let need = Need { pool, media_type, changer: None, index: 1, unwanted: &[], prunes, now };
        match volumes::may_write(&need, &row, pool.recycle, &self.pruned) {
            Ok(Choice::StoreAndUse(row) | Choice::StoreAndRetry(row)) => {
                self.state = State::Offering;
                Next::Ask(CatalogRequest::UpdateMedia(row))
            }
            Ok(Choice::Prune { media_id, before }) => {
                self.state = State::Looking;
                self.pruned.push(media_id);
                Next::Ask(CatalogRequest::PruneVolume { media_id, before })
            }
            Ok(Choice::Use(row) | Choice::Create(row) | Choice::Name(row)) => Next::Answer(row.info().to_line()),
            Ok(Choice::Nothing) => Next::Answer(wire::not_usable(volume, row.vol_status.as_str(), "cannot be written")),
            Err(refusal) => Next::Answer(wire::not_usable(&row.volume_name, row.vol_status.as_str(), refusal.as_str())),
        }
    }

    fn update(&mut self, answer: CatalogAnswer, update: &MediaUpdate, job: &Job, net: &Net) -> Next {
        let row = match (&self.state, answer) {
            (State::Looking, CatalogAnswer::Volume(None)) => {
                return Next::Answer(wire::update_failed(&update.volume, "no such volume"));
            }
            (State::Updating, CatalogAnswer::Volume(Some(row))) => return Next::Answer(row.info().to_line()),
            (_, CatalogAnswer::Volume(Some(row)) | CatalogAnswer::Stale(row)) => row,
            (_, other) => return self.fail(Trouble::unexpected(&other)),
        };
        let updated = volumes::apply_report(&row, update, job.times.started, job.rows.storage, net.wall().seconds());
        self.state = State::Updating;
        Next::Ask(CatalogRequest::UpdateMedia(Box::new(updated.row)))
    }

    fn search_again(&mut self, job: &Job, pool: &PoolRow) -> Next {
        self.state = State::Volumes;
        Next::Ask(volumes_of(job, pool))
    }

    fn fail(&self, why: Trouble) -> Next {
        let line = match &self.ask {
            Ask::FindMedia { .. } => wire::NO_MEDIA.to_owned(),
            Ask::GetVolInfo { volume, .. } => wire::not_usable(volume, "unknown", "the catalog failed"),
            Ask::UpdateMedia(_) => wire::UPDATE_MEDIA_FAILED.to_owned(),
            Ask::CreateJobMedia(_) => wire::JOB_MEDIA_FAILED.to_owned(),
            Ask::DeleteNullJobMedia { .. } => wire::NULL_JOB_MEDIA_FAILED.to_owned(),
            Ask::UpdateJobRecord { .. } | Ask::UpdateFileList => wire::FAILED.to_owned(),
        };
        Next::Fail(line, why)
    }
}

/// The catalog that is asked for a job: its own, but for the numbers of counters, which lie where their resources say.
pub(crate) fn catalog_of(job: &Job, request: &CatalogRequest) -> CatalogName {
    let CatalogRequest::TakeCounters(wanted) = request else { return job.catalog.clone() };
    let counter = wanted.first().and_then(|(name, _)| job.config.counters.iter().find(|one| one.name == *name));
    counter.and_then(|counter| counter.catalog.as_deref()).unwrap_or_else(|| job.config.catalog.name()).into()
}

/// Sends the answer of a request; an empty one means that none is due.
pub(crate) fn answer(job: &Job, net: &mut Net, line: &str) {
    if !line.is_empty() {
        job.send(net, Who::Storage, line);
    }
}

fn prunes(job: &Job, pool: &PoolRow) -> Prunes {
    Prunes::of(job.config.pool(&pool.name))
}

fn volumes_of(job: &Job, pool: &PoolRow) -> CatalogRequest {
    let media_type = job.config.storage(&job.with.storage).map(|storage| storage.media_type.clone());
    CatalogRequest::VolumesOfPool { pool_id: pool.pool_id, media_type }
}
