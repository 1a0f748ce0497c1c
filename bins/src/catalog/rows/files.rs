//! Listing and finding files.

use towline_core::catalog::{CatalogAnswer, FileKey, FileRow, NamePattern};
use towline_core::limits;

use super::super::files::split_path;
use super::super::known::{Page, newest};
use super::super::sql::{Result, Row, Session, Value, all, first, values};
use super::browse;

/// The longest page of a list.
const PAGE_LIMIT: u32 = 10_000;

/// Files fetched at a time of which some may fit a name.
const FOUND: usize = 1_000;

/// Rows fetched before their length is known: with the longest names a few megabytes.
const FIRST: u32 = 64;

pub(super) fn list(t: &mut dyn Session, job_id: u32, after: Option<&FileKey>, limit: u32) -> Result<CatalogAnswer> {
    let limit = limit.clamp(1, PAGE_LIMIT);
    let Page { rows, is_last } = page(t, job_id, after, limit, limits::PAGE)?;
    let next = rows.last().filter(|_| !is_last).map(|(key, _)| key.clone());
    Ok(CatalogAnswer::FileList { files: rows.into_iter().map(|(_, row)| row).collect(), next })
}

/// Takes back the file of this FileIndex, whose client has said that its contents are not whole.
pub(in super::super) fn retract(t: &mut dyn Session, job_id: u32, file_index: u32) -> Result<()> {
    t.execute("DELETE FROM File WHERE JobId = ?1 AND FileIndex = ?2", &values![job_id, file_index])?;
    Ok(())
}

/// Takes back all files after this FileIndex, of which there is no data.
pub(super) fn retract_after(t: &mut dyn Session, job_id: u32, last: u32) -> Result<()> {
    t.execute("DELETE FROM File WHERE JobId = ?1 AND FileIndex > ?2", &values![job_id, last])?;
    Ok(())
}

/// Rows of files that these jobs, oldest first, have deleted and none of the later ones has saved again: they become rows of
/// this job.
pub(super) fn keep_deleted(t: &mut dyn Session, job_id: u32, jobs: &[u32]) -> Result<()> {
    for (at, from) in jobs.iter().enumerate() {
        let later = jobs.get(at + 1..).unwrap_or_default();
        let mut with = values![job_id, *from].to_vec();
        with.extend(later.iter().map(|id| Value::from(*id)));
        let places: Vec<String> = (3..=with.len()).map(|n| format!("?{n}")).collect();
        let newest = match places.is_empty() {
            true => String::new(),
            false => format!(
                "AND NOT EXISTS (SELECT 1 FROM File Later WHERE Later.JobId IN ({}) AND Later.PathId = File.PathId
                     AND Later.Name = File.Name)",
                places.join(", ")
            ),
        };
        t.execute(
            &format!(
                "INSERT INTO File (JobId, PathId, Name, FileIndex, LinkFI, DeltaSeq, LStat, Md5)
                 SELECT CAST(?1 AS BIGINT), PathId, Name, 0, 0, 0, LStat, Md5 FROM File
                 WHERE JobId = ?2 AND FileIndex = 0 {newest} ON CONFLICT DO NOTHING"
            ),
            &with,
        )?;
    }
    Ok(())
}

/// Deletes the files of those of these jobs that have ended.
pub(super) fn purge(t: &mut dyn Session, jobs: &[u32]) -> Result<CatalogAnswer> {
    let mut changed = 0;
    for job_id in jobs {
        let sql = "UPDATE Job SET PurgedFiles = 1 WHERE JobId = ?1 AND RealEndTime > 0";
        if t.execute(sql, &values![*job_id])? > 0 {
            t.execute("DELETE FROM File WHERE JobId = ?1", &values![*job_id])?;
            changed += 1;
        }
    }
    Ok(CatalogAnswer::Changed(changed))
}

/// Deletes the files in a folder, of jobs that have ended.
pub(super) fn purge_folder(
    t: &mut dyn Session,
    path: &[u8],
    recursive: bool,
    client: Option<&str>,
) -> Result<CatalogAnswer> {
    // The byte after a slash ends the range of all that begins with this folder.
    let end = [path.strip_suffix(b"/").unwrap_or(path), &[b'/' + 1]].concat();
    let is_it = if recursive { "Path >= ?1" } else { t.dialect().path_is };
    let of_client = "AND ClientId IN (SELECT ClientId FROM Client WHERE Name = ?3)";
    let mut with = values![path, end.as_slice()].to_vec();
    with.extend(client.map(Value::from));
    let which = format!(
        "PathId IN (SELECT PathId FROM Path WHERE {is_it} AND Path < ?2)
         AND JobId IN (SELECT JobId FROM Job WHERE RealEndTime > 0 {})",
        client.map_or("", |_| of_client)
    );
    let learned = format!("SELECT DISTINCT JobId FROM PathVisibility WHERE {which}");
    for job_id in all(t, &learned, &with, Row::take::<u32>)? {
        browse::forget(t, job_id)?;
    }
    t.execute(&format!("DELETE FROM File WHERE {which}"), &with).map(CatalogAnswer::Changed)
}

/// A page of what several jobs make of a client's files together.
pub(super) fn known(t: &mut dyn Session, jobs: &[u32], after: Option<&FileKey>, limit: u32) -> Result<CatalogAnswer> {
    let limit = limit.clamp(1, PAGE_LIMIT);
    // All versions of one name are before this.
    let after = after.map(|key| FileKey { file_index: u32::MAX, ..key.clone() });
    let mut pages = Vec::with_capacity(jobs.len());
    for job_id in jobs {
        pages.push(page(t, *job_id, after.as_ref(), limit, limits::PAGE / jobs.len().max(1))?);
    }
    Ok(newest(pages))
}

/// The files with these names.
pub(super) fn by_name(t: &mut dyn Session, job_id: u32, names: &[Vec<u8>]) -> Result<CatalogAnswer> {
    let path_is = format!("SELECT PathId FROM Path WHERE {}", t.dialect().path_is);
    let mut files = Vec::new();
    // A walk returns the files of a folder one after the other.
    let mut folder: Option<(&[u8], Option<i64>)> = None;
    for whole in names {
        let (path, name) = split_path(whole);
        let path_id = match folder.filter(|(known, _)| *known == path) {
            Some((_, path_id)) => path_id,
            None => first(t, &path_is, &values![path])?.map(|mut row| row.take::<i64>()).transpose()?,
        };
        folder = Some((path, path_id));
        let Some(path_id) = path_id else { continue };
        files.extend(all(
            t,
            "SELECT FileIndex, LStat, Md5, DeltaSeq FROM File WHERE JobId = ?1 AND PathId = ?2 AND Name = ?3",
            &values![job_id, path_id, name],
            |row: &mut Row| {
                let (file_index, lstat, md5, delta_seq) = (row.take()?, row.take()?, row.take()?, row.take()?);
                Ok(FileRow { job_id, file_index, name: whole.clone(), lstat, md5, delta_seq })
            },
        )?);
    }
    Ok(CatalogAnswer::FileList { files, next: None })
}

/// The files of these jobs with names that fit. The engine looks through a job's files where they lie, in the order of their
/// paths, and gives away what may fit: for a million of them that is a fraction of a second.
pub(super) fn find(t: &mut dyn Session, jobs: &[u32], wanted: &NamePattern, limit: u32) -> Result<CatalogAnswer> {
    let mut files: Vec<FileRow> = Vec::new();
    for job_id in jobs {
        find_in(t, *job_id, wanted, limit.clamp(1, PAGE_LIMIT) as usize, &mut files)?;
    }
    Ok(CatalogAnswer::FileList { files, next: None })
}

fn find_in(
    t: &mut dyn Session,
    job_id: u32,
    wanted: &NamePattern,
    limit: usize,
    files: &mut Vec<FileRow>,
) -> Result<()> {
    let sql = format!(
        "SELECT File.PathId, File.Name, File.FileIndex, Path.Path, File.LStat, File.Md5, File.DeltaSeq FROM File
         JOIN Path ON Path.PathId = File.PathId
         WHERE File.JobId = ?1 AND (File.PathId, File.Name, File.FileIndex) > (?2, ?3, ?4) AND File.FileIndex > 0
             AND {}
         ORDER BY File.JobId, File.PathId, File.Name, File.FileIndex LIMIT {FOUND}",
        t.dialect().name_is_like
    );
    let like = wanted.like();
    let mut after = FileKey { path_id: i64::MIN, name: Vec::new(), file_index: 0 };
    let mut bytes: usize = files.iter().map(FileRow::bytes).sum();
    while files.len() < limit && bytes < limits::PAGE {
        let place = values![job_id, after.path_id, after.name.as_slice(), after.file_index, like.as_str()];
        let found = all(t, &sql, &place, |row| key_and_file(job_id, row))?;
        let is_last = found.len() < FOUND;
        // What cannot be said to the engine is looked at here.
        for (key, file) in found {
            if files.len() < limit && wanted.fits(&file.name) {
                bytes += file.bytes();
                files.push(file);
            }
            after = key;
        }
        if is_last {
            break;
        }
    }
    Ok(())
}

/// The next files of a job, at least one if there is any: at most `limit`, and not much more than so many bytes.
fn page(t: &mut dyn Session, job_id: u32, after: Option<&FileKey>, limit: u32, most: usize) -> Result<Page> {
    let mut rows: Vec<(FileKey, FileRow)> = Vec::new();
    let (mut bytes, mut wanted) = (0, FIRST.min(limit));
    loop {
        let after = rows.last().map(|(key, _)| key).or(after);
        let part = fetch(t, job_id, after, wanted)?;
        let is_last = part.len() < wanted as usize;
        for (key, row) in part {
            if bytes >= most {
                return Ok(Page { rows, is_last: false });
            }
            bytes += row.bytes();
            rows.push((key, row));
        }
        let left = limit.saturating_sub(u32::try_from(rows.len()).unwrap_or(u32::MAX));
        if is_last || left == 0 || bytes >= most {
            return Ok(Page { rows, is_last });
        }
        // As many as fit if the names go on like this.
        let each = (bytes / rows.len().max(1)).max(1);
        wanted = u32::try_from((most - bytes) / each).unwrap_or(u32::MAX).clamp(1, left);
    }
}

fn fetch(t: &mut dyn Session, job_id: u32, after: Option<&FileKey>, limit: u32) -> Result<Vec<(FileKey, FileRow)>> {
    let (path_id, name, index) =
        after.map_or((i64::MIN, &[][..], 0), |key| (key.path_id, key.name.as_slice(), key.file_index));
    all(
        t,
        "SELECT File.PathId, File.Name, File.FileIndex, Path.Path, File.LStat, File.Md5, File.DeltaSeq FROM File
         JOIN Path ON Path.PathId = File.PathId
         WHERE File.JobId = ?1 AND (File.PathId, File.Name, File.FileIndex) > (?2, ?3, ?4)
         ORDER BY File.JobId, File.PathId, File.Name, File.FileIndex LIMIT ?5",
        &values![job_id, path_id, name, index, limit],
        |row| key_and_file(job_id, row),
    )
}

/// A file of a job from a row of PathId, Name, FileIndex, Path, LStat, Md5, DeltaSeq.
fn key_and_file(job_id: u32, row: &mut Row) -> Result<(FileKey, FileRow)> {
    let key = FileKey { path_id: row.take()?, name: row.take()?, file_index: row.take()? };
    let mut name: Vec<u8> = row.take()?;
    name.extend_from_slice(&key.name);
    let (lstat, md5, delta_seq) = (row.take()?, row.take()?, row.take()?);
    let file = FileRow { job_id, file_index: key.file_index, name, lstat, md5, delta_seq };
    Ok((key, file))
}
