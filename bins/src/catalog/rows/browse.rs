//! Folders for browsers. A folder costs what is in it: its own folders come from what was learned of the jobs, its files
//! from walking the jobs side by side through that one folder.

use std::collections::BTreeMap;

use towline_core::catalog::browse::{Browse, Browsed, Entry, Folder, Place, Step, Version, Within, parent};
use towline_core::catalog::{CatalogAnswer, CatalogError};

use super::super::sql::{Result, Row, Session, all, first, scalar, values};
use super::jobs::PLACE;

/// Folders of a job that are learned in one transaction: others write to the catalog meanwhile.
const LEARNED_AT_ONCE: u32 = 2_000;

/// Files of a job that are read at once.
const PAGE: u32 = 1_000;

/// Bytes of a folder's name by which it is put in order: an index takes no name of any length.
const SORTED: usize = 255;

/// Entries of one answer: whoever wants more asks again.
const MOST: u32 = 10_000;

pub(super) fn answer(t: &mut dyn Session, browse: &Browse) -> Result<CatalogAnswer> {
    Ok(CatalogAnswer::Browsed(match browse {
        Browse::Unlearned(jobs) => Browsed::Jobs(unlearned(t, jobs)?),
        Browse::Learn { job_id, step } => Browsed::Learned(learn(t, *job_id, *step)?),
        Browse::Forget => {
            t.execute("DELETE FROM PathVisibility", &[])?;
            t.execute("DELETE FROM PathHierarchy", &[])?;
            t.execute("UPDATE Job SET HasCache = 0 WHERE HasCache <> 0", &[])?;
            Browsed::Learned(None)
        }
        Browse::Folder(place) => Browsed::Folder(folder(t, place)?),
        Browse::Folders(within) => Browsed::Entries(folders(t, within)?),
        Browse::Files(within) => Browsed::Entries(files(t, within)?),
        Browse::Itself { jobs, path_id } => Browsed::Entries(itself(t, jobs, *path_id)?),
        Browse::Versions { client, path_id, name, copies, limit, offset } => {
            let with = values![client, *path_id, name.as_slice(), u32::from(*copies), (*limit).min(MOST), *offset];
            Browsed::Versions(all(t, VERSIONS, &with, |row| version(row, name))?)
        }
        other => return Err(super::unknown(other)),
    }))
}

/// What was learned of a job is no longer true: its files go.
pub(in super::super) fn forget(t: &mut dyn Session, job_id: u32) -> Result<()> {
    t.execute("DELETE FROM PathVisibility WHERE JobId = ?1", &values![job_id])?;
    t.execute("UPDATE Job SET HasCache = 0 WHERE JobId = ?1", &values![job_id])?;
    Ok(())
}

fn unlearned(t: &mut dyn Session, jobs: &[u32]) -> Result<Vec<u32>> {
    let which = if jobs.is_empty() {
        "Type = 'B' AND JobStatus IN ('T', 'W') AND PurgedFiles = 0".to_owned()
    } else {
        format!("JobId IN ({})", list(jobs))
    };
    let sql = format!("SELECT JobId FROM Job WHERE HasCache = 0 AND EndTime > 0 AND {which} ORDER BY JobId");
    all(t, &sql, &[], Row::take::<u32>)
}

fn learn(t: &mut dyn Session, job_id: u32, step: Step) -> Result<Option<Step>> {
    match step {
        Step::Own(after) => {
            let own = all(t, &own_folders(), &values![job_id, after, LEARNED_AT_ONCE], Row::take::<i64>)?;
            let sql = "INSERT INTO PathVisibility (JobId, PathId) VALUES (?1, ?2) ON CONFLICT DO NOTHING";
            for path_id in &own {
                t.execute(sql, &values![job_id, *path_id])?;
            }
            let is_last = own.len() < LEARNED_AT_ONCE as usize;
            Ok(Some(own.last().filter(|_| !is_last).map_or(Step::Above(0), |last| Step::Own(*last))))
        }
        Step::Above(after) => {
            let unplaced = all(t, UNPLACED, &values![job_id, after, LEARNED_AT_ONCE], |row| {
                Ok((row.take::<i64>()?, row.take::<Vec<u8>>()?))
            })?;
            let last = unplaced.last().map(|(path_id, _)| *path_id);
            let is_last = unplaced.len() < LEARNED_AT_ONCE as usize;
            let mut known = BTreeMap::new();
            for (path_id, path) in unplaced {
                place(t, &mut known, path_id, path)?;
            }
            Ok(Some(last.filter(|_| !is_last).map_or(Step::All, Step::Above)))
        }
        Step::All => {
            t.execute(ABOVE, &values![job_id])?;
            t.execute("UPDATE Job SET HasCache = 1 WHERE JobId = ?1 AND EndTime > 0", &values![job_id])?;
            Ok(None)
        }
    }
}

/// The folders in which a job has files, after a PathId, each found by a look into the index of files.
pub(in super::super) fn own_folders() -> String {
    "WITH RECURSIVE Own (PathId) AS (
         SELECT MIN(PathId) FROM File WHERE JobId = ?1 AND PathId > ?2
         UNION ALL
         SELECT (SELECT MIN(File.PathId) FROM File WHERE File.JobId = ?1 AND File.PathId > Own.PathId)
         FROM Own WHERE Own.PathId IS NOT NULL)
     SELECT PathId FROM Own WHERE PathId IS NOT NULL LIMIT ?3"
        .to_owned()
}

/// Folders of a job of which nobody knows yet where they are.
const UNPLACED: &str =
    "SELECT Path.PathId, Path.Path FROM PathVisibility JOIN Path ON Path.PathId = PathVisibility.PathId
     WHERE PathVisibility.JobId = ?1 AND PathVisibility.PathId > ?2
         AND NOT EXISTS (SELECT 1 FROM PathHierarchy WHERE PathHierarchy.PathId = PathVisibility.PathId)
     ORDER BY PathVisibility.PathId LIMIT ?3";

/// All folders above those of a job.
const ABOVE: &str = "INSERT INTO PathVisibility (JobId, PathId)
     WITH RECURSIVE Up (PathId) AS (
         SELECT PathId FROM PathVisibility WHERE JobId = ?1
         UNION
         SELECT PathHierarchy.PPathId FROM Up JOIN PathHierarchy ON PathHierarchy.PathId = Up.PathId)
     SELECT CAST(?1 AS BIGINT), PathId FROM Up WHERE TRUE
     ON CONFLICT DO NOTHING";

/// Stores where a folder is, and where that one is, up to one that is stored already.
fn place(t: &mut dyn Session, known: &mut BTreeMap<Vec<u8>, i64>, path_id: i64, path: Vec<u8>) -> Result<()> {
    let (mut path_id, mut path) = (path_id, path);
    while let Some(above) = parent(&path).map(<[u8]>::to_vec) {
        let (above_id, is_known) = match known.get(&above) {
            Some(id) => (*id, true),
            None => (path_id_of(t, &above)?, false),
        };
        let name = path.get(above.len()..).unwrap_or_default();
        let name = name.get(..SORTED.min(name.len())).unwrap_or_default();
        let sql = "INSERT INTO PathHierarchy (PathId, PPathId, Name) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING";
        if t.execute(sql, &values![path_id, above_id, name])? == 0 || is_known {
            return Ok(());
        }
        known.insert(above.clone(), above_id);
        (path_id, path) = (above_id, above);
    }
    Ok(())
}

/// The PathId of a path, which gets one if it has none.
fn path_id_of(t: &mut dyn Session, path: &[u8]) -> Result<i64> {
    let find = format!("SELECT PathId FROM Path WHERE {}", t.dialect().path_is);
    match first(t, &find, &values![path])? {
        Some(mut row) => row.take(),
        None => scalar(t, "INSERT INTO Path (Path) VALUES (?1) RETURNING PathId", &values![path]),
    }
}

fn folder(t: &mut dyn Session, place: &Place) -> Result<Option<Folder>> {
    let columns = "SELECT Path.PathId, Path.Path, COALESCE(PathHierarchy.PPathId, 0) FROM Path
         LEFT JOIN PathHierarchy ON PathHierarchy.PathId = Path.PathId";
    let found = match place {
        Place::Id(id) => first(t, &format!("{columns} WHERE Path.PathId = ?1"), &values![*id])?,
        Place::Path(path) => {
            let find = format!("SELECT PathId FROM Path WHERE {}", t.dialect().path_is);
            let Some(mut row) = first(t, &find, &values![path.as_slice()])? else { return Ok(None) };
            let id: i64 = row.take()?;
            first(t, &format!("{columns} WHERE Path.PathId = ?1"), &values![id])?
        }
    };
    found.map(|mut row| Ok(Folder { path_id: row.take()?, path: row.take()?, parent: row.take()? })).transpose()
}

/// The folders in a folder, with their own entries in these jobs. Whether a job has something in a folder is asked for each
/// folder, and not joined: a server that has no statistics yet would read all that was learned.
pub(in super::super) fn folders_in(jobs: &[u32]) -> String {
    let jobs = list(jobs);
    format!(
        "WITH Page AS (
             SELECT PathHierarchy.PathId AS PathId, PathHierarchy.Name AS Name FROM PathHierarchy
             WHERE PathHierarchy.PPathId = ?1 AND (
                 SELECT 1 FROM PathVisibility WHERE PathVisibility.JobId IN ({jobs})
                     AND PathVisibility.PathId = PathHierarchy.PathId LIMIT 1) = 1
             ORDER BY PathHierarchy.Name, PathHierarchy.PathId LIMIT ?2 OFFSET ?3)
         SELECT Page.PathId, Path.Path, COALESCE(File.JobId, 0), COALESCE(File.FileIndex, 0), File.LStat,
             COALESCE({PLACE}, 0)
         FROM Page JOIN Path ON Path.PathId = Page.PathId LEFT JOIN File ON File.JobId IN ({jobs}) AND File.PathId = Page.PathId AND File.Name = ?4
         LEFT JOIN Job ON Job.JobId = File.JobId
         ORDER BY Page.Name, Page.PathId, {PLACE}, File.JobId, File.FileIndex"
    )
}

fn folders(t: &mut dyn Session, within: &Within) -> Result<Vec<Entry>> {
    if within.jobs.is_empty() {
        return Ok(Vec::new());
    }
    let with = values![within.path_id, within.limit.min(MOST), within.offset, &[][..]];
    let rows = all(t, &folders_in(&within.jobs), &with, |row| {
        let (path_id, name, job_id) = (row.take()?, row.take()?, row.take()?);
        let file_index: u32 = row.take()?;
        let lstat = bytes(row)?;
        Ok((Entry { path_id, job_id, file_index, lstat, name }, job_id))
    })?;
    // The last row of a folder is its newest entry; one that says that the folder was deleted hides it.
    let mut entries: Vec<(Entry, u32)> = Vec::new();
    for row in rows {
        match entries.last_mut().filter(|(last, _)| last.path_id == row.0.path_id) {
            Some(last) => *last = row,
            None => entries.push(row),
        }
    }
    Ok(entries
        .into_iter()
        .filter(|(entry, job_id)| entry.file_index > 0 || *job_id == 0)
        .map(|(entry, _)| entry)
        .collect())
}

fn itself(t: &mut dyn Session, jobs: &[u32], path_id: i64) -> Result<Vec<Entry>> {
    if jobs.is_empty() {
        return Ok(Vec::new());
    }
    let sql = format!(
        "SELECT File.JobId, File.FileIndex, File.LStat FROM File JOIN Job ON Job.JobId = File.JobId
         WHERE File.JobId IN ({}) AND File.PathId = ?1 AND File.Name = ?2
         ORDER BY {PLACE} DESC, File.JobId DESC, File.FileIndex DESC LIMIT 1",
        list(jobs)
    );
    all(t, &sql, &values![path_id, &[][..]], |row| {
        let (job_id, file_index, lstat) = (row.take()?, row.take()?, row.take()?);
        Ok(Entry { path_id, job_id, file_index, lstat, name: Vec::new() })
    })
}

/// The files of one job in one folder in the order of their names, one ahead, read page by page.
struct Cursor {
    job_id: u32,
    path_id: i64,
    page: std::vec::IntoIter<File>,
    is_last: bool,
    at: Option<File>,
}

#[derive(Clone)]
struct File {
    name: Vec<u8>,
    index: u32,
    lstat: Vec<u8>,
}

/// The files of a job in a folder after one of them.
pub(in super::super) const FILES: &str = "SELECT Name, FileIndex, LStat FROM File
     WHERE JobId = ?1 AND PathId = ?2 AND (Name, FileIndex) > (?3, ?4) ORDER BY Name, FileIndex LIMIT ?5";

impl Cursor {
    fn start(t: &mut dyn Session, job_id: u32, path_id: i64, page: u32) -> Result<Self> {
        let mut cursor = Self { job_id, path_id, page: Vec::new().into_iter(), is_last: false, at: None };
        // The folder's own entry has no name.
        cursor.read(t, &[], u32::MAX, page)?;
        cursor.at = cursor.page.next();
        Ok(cursor)
    }

    fn read(&mut self, t: &mut dyn Session, name: &[u8], index: u32, page: u32) -> Result<()> {
        let rows = all(t, FILES, &values![self.job_id, self.path_id, name, index, page], |row| {
            Ok(File { name: row.take()?, index: row.take()?, lstat: row.take()? })
        })?;
        self.is_last = rows.len() < page as usize;
        self.page = rows.into_iter();
        Ok(())
    }

    fn advance(&mut self, t: &mut dyn Session) -> Result<Option<File>> {
        let Some(now) = self.at.take() else { return Ok(None) };
        if self.page.len() == 0 && !self.is_last {
            self.read(t, &now.name, now.index, PAGE)?;
        }
        self.at = self.page.next();
        Ok(Some(now))
    }

    fn name(&self) -> Option<&[u8]> {
        self.at.as_ref().map(|file| file.name.as_slice())
    }
}

fn files(t: &mut dyn Session, within: &Within) -> Result<Vec<Entry>> {
    let limit = within.limit.min(MOST) as usize;
    let begin = within.limit.saturating_add(within.offset).saturating_add(1).clamp(2, PAGE);
    let mut cursors = Vec::new();
    for job_id in ordered(t, &within.jobs)? {
        cursors.push(Cursor::start(t, job_id, within.path_id, begin)?);
    }
    let (mut entries, mut passed) = (Vec::new(), 0);
    while let Some(name) = cursors.iter().filter_map(Cursor::name).min().map(<[u8]>::to_vec) {
        let mut newest = None;
        for cursor in &mut cursors {
            while cursor.name() == Some(name.as_slice()) {
                newest = cursor.advance(t)?.map(|file| (cursor.job_id, file)).or(newest);
            }
        }
        let Some((job_id, file)) = newest.filter(|(_, file)| file.index > 0) else { continue };
        if passed < within.offset {
            passed += 1;
        } else if entries.len() < limit {
            let (path_id, file_index, lstat) = (within.path_id, file.index, file.lstat);
            entries.push(Entry { path_id, job_id, file_index, lstat, name });
        }
        if entries.len() >= limit {
            break;
        }
    }
    Ok(entries)
}

/// These jobs, oldest first, as far as they are there.
fn ordered(t: &mut dyn Session, jobs: &[u32]) -> Result<Vec<u32>> {
    if jobs.is_empty() {
        return Ok(Vec::new());
    }
    let sql = format!("SELECT Job.JobId FROM Job WHERE Job.JobId IN ({}) ORDER BY {PLACE}, Job.JobId", list(jobs));
    all(t, &sql, &[], Row::take::<u32>)
}

/// All versions of a file, each with the volume that holds it.
pub(in super::super) const VERSIONS: &str = "SELECT File.PathId, File.JobId, File.FileIndex, File.LStat, File.Md5,
         Media.VolumeName, Media.InChanger
     FROM Client JOIN Job ON Job.ClientId = Client.ClientId
     JOIN File ON File.JobId = Job.JobId AND File.PathId = ?2 AND File.Name = ?3
     JOIN JobMedia ON JobMedia.JobId = Job.JobId
         AND JobMedia.FirstIndex <= File.FileIndex AND JobMedia.LastIndex >= File.FileIndex
     JOIN Media ON Media.MediaId = JobMedia.MediaId
     WHERE Client.Name = ?1 AND File.FileIndex > 0 AND (Job.Type = 'B' OR CAST(?4 AS BIGINT) = 1 AND Job.Type = 'C')
     ORDER BY File.JobId, File.FileIndex, JobMedia.VolIndex LIMIT ?5 OFFSET ?6";

fn version(row: &mut Row, name: &[u8]) -> Result<Version> {
    let (path_id, job_id, file_index, lstat) = (row.take()?, row.take()?, row.take()?, row.take()?);
    Ok(Version {
        entry: Entry { path_id, job_id, file_index, lstat, name: name.to_vec() },
        md5: row.take()?,
        volume_name: row.take()?,
        in_changer: row.take()?,
    })
}

/// Bytes, or none.
fn bytes(row: &mut Row) -> std::result::Result<Vec<u8>, CatalogError> {
    use super::super::sql::Value;
    match row.take::<Value>()? {
        Value::Bytes(bytes) => Ok(bytes),
        _ => Ok(Vec::new()),
    }
}

fn list(jobs: &[u32]) -> String {
    jobs.iter().map(u32::to_string).collect::<Vec<_>>().join(", ")
}
