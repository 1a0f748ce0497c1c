//! Folders for browsers, from the maps: there is nothing to learn.

use std::collections::BTreeMap;

use super::super::FileRow;
use super::super::browse::{Browse, Browsed, Entry, Folder, Place, Version, Within, parent};
use super::MemoryCatalog;

impl MemoryCatalog {
    pub(super) fn browse(&mut self, browse: Browse) -> Browsed {
        match browse {
            Browse::Unlearned(_) => Browsed::Jobs(Vec::new()),
            Browse::Learn { .. } | Browse::Forget => Browsed::Learned(None),
            Browse::Folder(place) => Browsed::Folder(self.folder(place)),
            Browse::Folders(within) => Browsed::Entries(self.folders(&within)),
            Browse::Files(within) => Browsed::Entries(self.files_in(&within)),
            Browse::Itself { jobs, path_id } => {
                let path = self.path(path_id);
                let newest = self.newest(&jobs).remove(&path).map(|(job_id, row)| entry(path_id, job_id, row, path));
                Browsed::Entries(newest.into_iter().collect())
            }
            Browse::Versions { client, path_id, name, copies, limit, offset } => {
                let mut versions = self.versions(&client, path_id, &name, copies);
                versions.drain(..versions.len().min(offset as usize));
                versions.truncate(limit as usize);
                Browsed::Versions(versions)
            }
        }
    }

    fn folder(&mut self, place: Place) -> Option<Folder> {
        let path = match place {
            Place::Id(id) => Some(self.path(id)).filter(|path| id > 0 && self.paths.contains(path))?,
            Place::Path(path) => {
                let holds = |row: &FileRow| row.name.starts_with(&path);
                self.files.values().flat_map(BTreeMap::values).any(holds).then_some(path)?
            }
        };
        let above = parent(&path).map_or(0, |above| self.path_id(above));
        Some(Folder { path_id: self.path_id(&path), path, parent: above })
    }

    fn path(&self, id: i64) -> Vec<u8> {
        let at = usize::try_from(id - 1).ok();
        at.and_then(|at| self.paths.get(at)).cloned().unwrap_or_default()
    }

    fn path_id(&mut self, path: &[u8]) -> i64 {
        let at = self.paths.iter().position(|known| known == path).unwrap_or_else(|| {
            self.paths.push(path.to_vec());
            self.paths.len() - 1
        });
        i64::try_from(at + 1).unwrap_or(i64::MAX)
    }

    /// The newest version of each name.
    fn newest(&self, jobs: &[u32]) -> BTreeMap<Vec<u8>, (u32, FileRow)> {
        let mut jobs: Vec<u32> = jobs.to_vec();
        jobs.sort_by_key(|id| (self.job_row(*id).map_or(0, super::JobRow::place), *id));
        let mut newest = BTreeMap::new();
        for id in jobs {
            newest.extend(self.file_rows(id).map(|row| (row.name.clone(), (id, row.clone()))));
        }
        newest
    }

    fn folders(&mut self, within: &Within) -> Vec<Entry> {
        let path = self.path(within.path_id);
        let newest = self.newest(&within.jobs);
        let mut children: BTreeMap<Vec<u8>, Option<(u32, FileRow)>> = BTreeMap::new();
        for (name, found) in &newest {
            let Some(rest) = name.strip_prefix(path.as_slice()) else { continue };
            let Some(slash) = rest.iter().position(|byte| *byte == b'/') else { continue };
            let child = name.get(..=path.len() + slash).unwrap_or_default().to_vec();
            let own = (child == *name).then(|| found.clone());
            let known = children.entry(child).or_default();
            *known = own.or_else(|| known.take());
        }
        children.retain(|_, own| own.as_ref().is_none_or(|(_, row)| row.file_index > 0));
        let page = children.into_iter().skip(within.offset as usize).take(within.limit as usize);
        let page: Vec<_> = page.collect();
        page.into_iter()
            .map(|(name, own)| {
                let path_id = self.path_id(&name);
                own.map_or_else(
                    || Entry { path_id, name: name.clone(), ..Entry::default() },
                    |(job_id, row)| entry(path_id, job_id, row, name.clone()),
                )
            })
            .collect()
    }

    fn files_in(&self, within: &Within) -> Vec<Entry> {
        let path = self.path(within.path_id);
        let file = |(name, (job_id, row)): (Vec<u8>, (u32, FileRow))| {
            let rest = name.strip_prefix(path.as_slice()).filter(|rest| !rest.is_empty() && !rest.contains(&b'/'))?;
            (row.file_index > 0).then(|| entry(within.path_id, job_id, row, rest.to_vec()))
        };
        let files = self.newest(&within.jobs).into_iter().filter_map(file);
        files.skip(within.offset as usize).take(within.limit as usize).collect()
    }

    fn versions(&self, client: &str, path_id: i64, name: &[u8], copies: bool) -> Vec<Version> {
        let whole = [self.path(path_id).as_slice(), name].concat();
        let counts = |letter: u8| letter == b'B' || copies && letter == b'C';
        let mut versions = Vec::new();
        for job in self.jobs.values().filter(|job| job.client == client && counts(job.job_type)) {
            for row in self.file_rows(job.job_id).filter(|row| row.name == whole && row.file_index > 0) {
                let holds = |piece: &&super::JobMediaRow| {
                    piece.job_id == job.job_id && (piece.first_index..=piece.last_index).contains(&row.file_index)
                };
                let media = self.job_media.iter().filter(holds).filter_map(|piece| self.media.get(&piece.media_id));
                versions.extend(media.map(|media| Version {
                    entry: entry(path_id, job.job_id, row.clone(), name.to_vec()),
                    md5: row.md5.clone(),
                    volume_name: media.volume_name.clone(),
                    in_changer: media.in_changer,
                }));
            }
        }
        versions
    }
}

fn entry(path_id: i64, job_id: u32, row: FileRow, name: Vec<u8>) -> Entry {
    Entry { path_id, job_id, file_index: row.file_index, lstat: row.lstat, name }
}
