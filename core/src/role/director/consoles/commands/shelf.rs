//! Volumes that a line names, by themselves or by their pool, and the jobs on them.

use std::collections::VecDeque;

use crate::catalog::{CatalogAnswer, CatalogRequest, JobRow, MediaRow};

use super::super::questions::choice;
use super::super::refusal::{Kind, NoSuch, Refusal};
use super::super::reply::Reply;
use super::super::words::Words;
use super::update::with_volume;

/// What a command does with all that was found.
pub(super) type Next<T> = Box<dyn FnOnce(Vec<T>) -> Reply + Send>;

/// A volume, and the jobs on it.
#[derive(Debug)]
pub(super) struct Held {
    pub(super) volume: MediaRow,
    pub(super) jobs: Vec<JobRow>,
}

/// Jobs of one command.
const MOST: usize = 10_000;

/// The names of volumes on a line.
pub(super) fn names(words: &Words) -> Vec<String> {
    words.values("volume").map(|name| String::from_utf8_lossy(name).into_owned()).collect()
}

/// Goes on with the volumes of these names, all of which are in this pool if one is named.
pub(super) fn named(names: Vec<String>, pool: Option<String>, next: Next<MediaRow>) -> Reply {
    each_name(names.into(), pool, Vec::new(), next)
}

fn each_name(
    mut names: VecDeque<String>,
    pool: Option<String>,
    mut found: Vec<MediaRow>,
    next: Next<MediaRow>,
) -> Reply {
    let Some(name) = names.pop_front() else { return next(found) };
    with_volume(&name, move |row| {
        if let Err(refusal) = is_in(&row, pool.as_deref()) {
            return Reply::refused(refusal);
        }
        if found.iter().all(|known| known.media_id != row.media_id) {
            found.push(*row);
        }
        each_name(names, pool, found, next)
    })
}

/// Checks that a volume is in the pool that a line names.
///
/// # Errors
/// It is in another one.
pub(super) fn is_in(row: &MediaRow, pool: Option<&str>) -> Result<(), Refusal> {
    match pool.filter(|pool| *pool != row.pool) {
        Some(_) => Err(Refusal::OtherPool { volume: row.volume_name.clone(), pool: row.pool.clone() }),
        None => Ok(()),
    }
}

/// Goes on with the volumes of a pool, or of all.
pub(super) fn of_pool(pool: Option<String>, next: Next<MediaRow>) -> Reply {
    Reply::ask(CatalogRequest::ListMedia { pool: pool.clone() }, move |view, answer| {
        let CatalogAnswer::Volumes(rows) = answer else { return Err(Refusal::unexpected(answer)) };
        if let Some(pool) = pool.filter(|_| rows.is_empty()) {
            NoSuch::check(view.config(), Kind::Pool, &pool)?;
        }
        Ok(next(rows))
    })
}

/// Asks which of the volumes of a pool is meant, of those that fit.
pub(super) fn choose(words: &Words, pool: String, fits: fn(&MediaRow) -> bool, usage: &'static str) -> Reply {
    let words = words.clone();
    Reply::ask(CatalogRequest::ListMedia { pool: Some(pool) }, move |view, answer| {
        let CatalogAnswer::Volumes(rows) = answer else { return Err(Refusal::unexpected(answer)) };
        let names = rows.into_iter().filter(fits).map(|row| row.volume_name).collect();
        choice::one_of(view, &words, "volume", ("The volumes are:", "Volume"), names, usage)
    })
}

/// Goes on with these volumes and their jobs.
pub(super) fn with_jobs(volumes: Vec<MediaRow>, next: Next<Held>) -> Reply {
    each_volume(volumes.into(), Vec::new(), next)
}

fn each_volume(mut left: VecDeque<MediaRow>, mut found: Vec<Held>, next: Next<Held>) -> Reply {
    let Some(volume) = left.pop_front() else { return next(found) };
    if found.iter().map(|held| held.jobs.len()).sum::<usize>() > MOST {
        let text = format!("More than {MOST} jobs: repeat the command for the remaining volumes.\n");
        return next(found).after(text);
    }
    Reply::ask(CatalogRequest::JobsOnVolume { media_id: volume.media_id }, move |_, answer| match answer {
        CatalogAnswer::Jobs(jobs) => {
            found.push(Held { volume, jobs });
            Ok(each_volume(left, found, next))
        }
        other => Err(Refusal::unexpected(other)),
    })
}

/// Marks those of these volumes Purged that hold no job any more, says what has become of each, and goes on.
pub(super) fn mark(mut volumes: VecDeque<MediaRow>, last: Box<dyn FnOnce() -> Reply + Send>) -> Reply {
    let Some(MediaRow { media_id, volume_name, .. }) = volumes.pop_front() else { return last() };
    // Nothing is older than this: no job goes.
    Reply::ask(CatalogRequest::PruneVolume { media_id, before: i64::MIN }, move |_, answer| match answer {
        CatalogAnswer::Pruned { volume: Some(row), .. } => {
            let text = format!("Volume \"{volume_name}\" has status {} now.\n", row.vol_status.as_str());
            Ok(mark(volumes, last).after(text))
        }
        other => Err(Refusal::unexpected(other)),
    })
}
