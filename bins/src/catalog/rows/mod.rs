//! The statements behind each request, the same for every engine.

pub(super) mod browse;
mod counters;
pub(super) mod files;
mod gone;
pub(super) mod jobs;
mod listing;
mod media;
mod resources;
mod restore;

use std::fmt::Debug;

use towline_core::catalog::{CatalogAnswer, CatalogError, CatalogErrorKind, CatalogRequest};

use super::sql::{Result, Session};

/// Does a request that needs nothing but the tables.
///
/// # Errors
/// What the engine says; `Constraint` if a row that must be there is not.
pub(super) fn answer(t: &mut dyn Session, request: &CatalogRequest) -> Result<CatalogAnswer> {
    match request {
        CatalogRequest::CreateJob(job) => jobs::create(t, job),
        CatalogRequest::StartJob(start) => jobs::start(t, start),
        CatalogRequest::EndJob(end) => jobs::end(t, end),
        CatalogRequest::Checkpoint { job_id, job_files, job_bytes } => {
            jobs::checkpoint(t, *job_id, *job_files, *job_bytes)
        }
        CatalogRequest::AdoptOriginal(adopt) => jobs::adopt(t, adopt),
        CatalogRequest::ListJobs(filter) => jobs::list(t, filter),
        CatalogRequest::JobsById(ids) => jobs::by_id(t, ids),
        CatalogRequest::JobsToCopy { pool_id, uncopied, after, limit } => {
            jobs::to_copy(t, *pool_id, *uncopied, *after, *limit)
        }
        CatalogRequest::NewestBackup { name, client } => jobs::newest(t, name.as_deref(), client.as_deref()),
        CatalogRequest::LastJobs { name, client_id, file_set_id, now } => {
            jobs::last(t, name, *client_id, *file_set_id, *now)
        }
        CatalogRequest::JobsForRestore { client, name, file_set, before, now } => {
            let (name, file_set) = (name.as_deref(), file_set.as_deref());
            jobs::for_restore(t, &jobs::ForRestore { client, name, file_set, before: *before, now: *now })
        }
        CatalogRequest::MarkUnfinishedJobsFailed { now } => jobs::mark_unfinished(t, *now),
        CatalogRequest::AddLogs(lines) => jobs::add_logs(t, lines),
        CatalogRequest::JobLog { job_id } => jobs::log(t, *job_id),
        CatalogRequest::EnsureClient(client) => resources::client(t, client),
        CatalogRequest::EnsureFileSet(set) => resources::file_set(t, set),
        CatalogRequest::EnsurePool(pool) => resources::pool(t, pool),
        CatalogRequest::EnsureStorage { name, auto_changer } => resources::storage(t, name, *auto_changer),
        CatalogRequest::EnsureCounter { counter, restarts } => counters::ensure(t, counter, *restarts),
        CatalogRequest::TakeCounters(wanted) => counters::take(t, wanted),
        CatalogRequest::UpdateClientUname { client, uname } => resources::uname(t, client, uname),
        CatalogRequest::ListClients => resources::clients(t),
        CatalogRequest::VolumesOfPool { pool_id, media_type } => media::of_pool(t, *pool_id, media_type.as_deref()),
        CatalogRequest::VolumeByName(name) => media::by_name(t, name),
        CatalogRequest::CreateMedia(row) => media::create(t, row),
        CatalogRequest::UpdateMedia(row) => media::update(t, row),
        CatalogRequest::PruneVolume { media_id, before } => media::prune(t, *media_id, *before),
        CatalogRequest::JobsOnVolume { media_id } => jobs::on_volume(t, *media_id).map(CatalogAnswer::Jobs),
        CatalogRequest::DeleteJobs(ids) => media::delete_jobs(t, ids),
        CatalogRequest::PurgeFiles(ids) => files::purge(t, ids),
        CatalogRequest::PurgeFolder { path, recursive, client } => {
            files::purge_folder(t, path, *recursive, client.as_deref())
        }
        CatalogRequest::DeleteMedia { media_id } => media::delete(t, *media_id),
        CatalogRequest::CorrectJob(correction) => jobs::correct(t, correction),
        CatalogRequest::DeletePool(name) => resources::delete_pool(t, name),
        CatalogRequest::DeleteStorage(name) => resources::delete_storage(t, name),
        CatalogRequest::ListMedia { pool } => media::list(t, pool.as_deref()),
        CatalogRequest::MaxJobId => jobs::max_id(t),
        CatalogRequest::MaxMediaId => media::max_id(t),
        CatalogRequest::CreateJobMedia(row) => media::create_job_media(t, row),
        CatalogRequest::DeleteNullJobMedia { job_id } => media::delete_null(t, *job_id),
        CatalogRequest::JobMediaOf { jobs } => media::pieces(t, jobs),
        CatalogRequest::JobsWithFile { client, name, limit } => jobs::with_file(t, client, name, *limit),
        CatalogRequest::FindFiles { jobs, name, limit } => files::find(t, jobs, name, *limit),
        CatalogRequest::FilesForRestore { jobs, only } => restore::files(t, jobs, only),
        CatalogRequest::ListFiles { job_id, after, limit } => files::list(t, *job_id, after.as_ref(), *limit),
        CatalogRequest::FilesByName { job_id, names } => files::by_name(t, *job_id, names),
        CatalogRequest::KnownFiles { jobs, after, limit } => files::known(t, jobs, after.as_ref(), *limit),
        CatalogRequest::List(listing) => listing::answer(t, listing),
        CatalogRequest::Browse(browse) => browse::answer(t, browse),
        other => Err(unknown(other)),
    }
}

/// A question that is newer than the engine.
fn unknown(request: &impl Debug) -> CatalogError {
    CatalogError::new(CatalogErrorKind::Bug, format!("the engine does not know {request:?}"))
}
