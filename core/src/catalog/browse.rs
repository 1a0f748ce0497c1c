//! Browsing what jobs have saved, folder by folder, as consoles do with the `.bvfs_*` commands.
//!
//! A catalog answers for one folder at a time, and in a time that depends on what is in the folder and not on how much
//! there is in the catalog. For that it keeps, for each job, the folders in which the job has something at any depth; it
//! learns them from the job's files in steps, once ([`Browse::Learn`]).

/// A question of a browser.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Browse {
    /// Which of these jobs have ended and are not learned yet; without any, of all good backups. Answer:
    /// [`Browsed::Jobs`].
    Unlearned(Vec<u32>),
    /// Learns the folders of a job, one step of it. Answer: [`Browsed::Learned`].
    Learn {
        /// The job.
        job_id: u32,
        /// Which step.
        step: Step,
    },
    /// Forgets the folders of all jobs. Answer: [`Browsed::Learned`] without a next step.
    Forget,
    /// A folder and the one it is in. Answer: [`Browsed::Folder`].
    Folder(Place),
    /// Folders in a folder in which these jobs have something, by their names. Answer: [`Browsed::Entries`], whose names
    /// are whole paths; one of which there is no entry has FileIndex 0.
    Folders(Within),
    /// Files in a folder, the newest version of each name, by their names. Answer: [`Browsed::Entries`].
    Files(Within),
    /// The entry of a folder itself, the newest of these jobs. Answer: [`Browsed::Entries`], at most one.
    Itself {
        /// The jobs.
        jobs: Vec<u32>,
        /// The folder.
        path_id: i64,
    },
    /// All versions of a file of a client, oldest first. Answer: [`Browsed::Versions`].
    Versions {
        /// The client's name.
        client: String,
        /// The folder.
        path_id: i64,
        /// The name in it.
        name: Vec<u8>,
        /// Whether copies count too.
        copies: bool,
        /// At most so many.
        limit: u32,
        /// So many are passed over.
        offset: u32,
    },
}

/// Names a folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// By its PathId.
    Id(i64),
    /// By its whole path, with the slash at its end. The folder of all roots is empty.
    Path(Vec<u8>),
}

/// What of a folder.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Within {
    /// The jobs, in any order.
    pub jobs: Vec<u32>,
    /// The folder.
    pub path_id: i64,
    /// At most so many.
    pub limit: u32,
    /// So many are passed over.
    pub offset: u32,
}

/// A step of learning a job's folders.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// The folders in which its files are, after this PathId.
    Own(i64),
    /// Where those folders are, after this PathId.
    Above(i64),
    /// All folders that hold one of them: then the job is learned.
    All,
}

impl Step {
    /// Where learning begins.
    pub const FIRST: Self = Self::Own(0);
}

/// What came of a [`Browse`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Browsed {
    /// Jobs.
    Jobs(Vec<u32>),
    /// The step that comes next; `None` if the job is learned.
    Learned(Option<Step>),
    /// The folder, if there is one.
    Folder(Option<Folder>),
    /// Files or folders.
    Entries(Vec<Entry>),
    /// Versions of a file.
    Versions(Vec<Version>),
}

/// A folder.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Folder {
    /// PathId.
    pub path_id: i64,
    /// The whole path, with the slash at its end.
    pub path: Vec<u8>,
    /// PathId of the folder it is in, 0 if none is known.
    pub parent: i64,
}

/// A file or a folder in a folder.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Entry {
    /// The folder that it is, or of a file the folder it is in.
    pub path_id: i64,
    /// The job that has this version, 0 if none has an entry.
    pub job_id: u32,
    /// Its position in the job, 0 if none.
    pub file_index: u32,
    /// The encoded attributes, `wire/3 §7.3`; empty if none.
    pub lstat: Vec<u8>,
    /// Of a file its name in the folder, of a folder its whole path.
    pub name: Vec<u8>,
}

/// A version of a file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Version {
    /// Where it is, and its job.
    pub entry: Entry,
    /// The digest in base64, `0` if none.
    pub md5: Vec<u8>,
    /// The volume that holds it.
    pub volume_name: String,
    /// Whether that is in a changer.
    pub in_changer: bool,
}

/// The folder that a folder is in: up to the slash before its last. The roots `/` and `C:/` are in the folder without a
/// name, which is in none.
#[must_use]
pub fn parent(path: &[u8]) -> Option<&[u8]> {
    let (_, rest) = path.split_last()?;
    let end = rest.iter().rposition(|byte| *byte == b'/').map_or(0, |slash| slash + 1);
    path.get(..end)
}

/// The number that names a file to a browser: its job and its FileIndex in one. A number up to JobId 4,194,303 is one
/// that every JSON reader takes as it is.
#[must_use]
pub const fn file_id(job_id: u32, file_index: u32) -> u64 {
    ((job_id as u64) << 31) | (file_index as u64 & 0x7FFF_FFFF)
}

/// The job and the FileIndex that a [`file_id`] names; `None` if there can be none.
#[must_use]
pub fn file_of(id: u64) -> Option<(u32, u32)> {
    let job_id = u32::try_from(id >> 31).ok()?;
    let file_index = u32::try_from(id & 0x7FFF_FFFF).ok()?;
    (job_id > 0 && file_index > 0).then_some((job_id, file_index))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_folder_but_the_one_of_all_roots_is_in_a_folder() {
        let parents: [(&[u8], Option<&[u8]>); 6] = [
            (b"/a/b/", Some(b"/a/")),
            (b"/a/", Some(b"/")),
            (b"/", Some(b"")),
            (b"C:/", Some(b"")),
            (b"no slash", Some(b"")),
            (b"", None),
        ];
        for (path, above) in parents {
            assert_eq!(parent(path), above, "{}", String::from_utf8_lossy(path));
        }
    }

    #[test]
    fn a_number_names_a_file_of_a_job() {
        for (job, index) in [(1, 1), (7, 50_101), (u32::MAX, i32::MAX.unsigned_abs())] {
            assert_eq!(file_of(file_id(job, index)), Some((job, index)));
        }
        assert_eq!((file_of(0), file_of(5), file_of(1 << 31), file_of(u64::MAX)), (None, None, None, None));
        assert!(file_id((1 << 22) - 1, i32::MAX.unsigned_abs()) <= 1 << 53);
    }
}
