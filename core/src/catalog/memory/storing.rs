//! What a storage daemon has said of the files of a job.

use std::collections::BTreeMap;

use super::{FileRow, FilesStored, MemoryCatalog, UpdCatBatch};
use crate::wire::attributes::AttributeRecord;
use crate::wire::base64::{self, Variant};
use crate::wire::catalog::CatalogUpdate;
use crate::wire::digest::marks_unread;
use crate::wire::stream::FileType;

/// Streams whose record is a file's attributes (`wire/3 §2.4`).
const ATTRIBUTES: [i32; 2] = [1, 5];

impl MemoryCatalog {
    pub(super) fn insert_files(&mut self, job_id: u32, batch: &UpdCatBatch) -> FilesStored {
        let mut stored = FilesStored::default();
        let files = self.files.entry(job_id).or_default();
        for payload in batch.iter() {
            let refusal = match CatalogUpdate::parse(payload) {
                Some(update) => store_record(job_id, files, &update, &mut stored).err(),
                None => Some("no row for the catalog".to_owned()),
            };
            if let Some(why) = refusal {
                stored.refused += 1;
                stored.first_refused.get_or_insert(why);
            }
        }
        stored
    }
}

fn store_record(
    job_id: u32,
    files: &mut BTreeMap<u32, FileRow>,
    update: &CatalogUpdate<'_>,
    stored: &mut FilesStored,
) -> Result<(), String> {
    let index = u32::try_from(update.file_index).map_err(|_| "a negative file index".to_owned())?;
    if ATTRIBUTES.contains(&(update.stream & 0x7FF)) {
        let record = AttributeRecord::parse(update.data).map_err(|error| error.to_string())?;
        let (name, lstat) = (record.name.to_vec(), record.lstat.to_vec());
        // A deleted file has no place in the job; rows are kept by the place in the stream.
        let file_index = if record.kind() == Some(FileType::Deleted) { 0 } else { index };
        files.insert(index, FileRow { job_id, file_index, name, lstat, md5: b"0".to_vec(), delta_seq: 0 });
        stored.files += 1;
        stored.highest = stored.highest.max(index);
        return Ok(());
    }
    if marks_unread(update.data) && files.remove(&index).is_some() {
        stored.unread += 1;
        return Ok(());
    }
    let row = files.get_mut(&index).ok_or_else(|| format!("a digest of file {index}, which is not there"))?;
    row.md5 = base64::encode(update.data, Variant::Standard).into_bytes();
    Ok(())
}
