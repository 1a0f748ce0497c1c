//! What a restore will need and do, before it runs: volumes and where they are, files and bytes, and with `plan` what stands
//! in the places of the files.

use std::collections::BTreeSet;

use crate::catalog::{JobRow, RestoreFiles};
use crate::config::DirectorConfig;
use crate::role::director::jobs::job::RestorePart;
use crate::role::report::{suffixed, thousands};
use crate::wire::file::RestoreTo;
use crate::wire::json::Json;

use super::super::super::answer::Both;
use super::super::super::questions::modify::replace_word;
use super::super::super::reply::Reply;
use super::look::Seen;

/// The bytes that files of these jobs have, by the average of each job. A job whose files are all restored has them as they
/// were read, and one of which that is not known as they were written.
pub(super) fn about(jobs: &[JobRow], files: &[RestoreFiles]) -> u64 {
    let of = |files: &RestoreFiles| {
        let job = jobs.iter().find(|job| job.job_id == files.job_id)?;
        let bytes = if job.read_bytes > 0 { job.read_bytes } else { job.job_bytes };
        let all = u64::from(job.job_files).max(1);
        let part = u128::from(bytes) * u128::from(files.files().min(all)) / u128::from(all);
        u64::try_from(part).ok()
    };
    files.iter().filter_map(of).fold(0, u64::saturating_add)
}

/// Lines with where the volumes are that a storage daemon will read.
pub(super) fn needed_volumes(config: &DirectorConfig, part: &RestorePart) -> String {
    let volumes: Vec<String> = volumes(part).into_iter().map(|(volume, slot)| shown(volume, slot)).collect();
    let at = config.storage(&part.storage).map(|storage| {
        let address = &storage.address;
        format!("Storage {} is at {address}, its device is {}.\n", part.storage, storage.device)
    });
    let volumes = volumes.join(", ");
    format!("The job needs these volumes of storage {}: {volumes}\n{}", part.storage, at.unwrap_or_default())
}

fn shown(volume: &str, slot: Option<u32>) -> String {
    slot.map_or_else(|| volume.to_owned(), |slot| format!("{volume} (slot {slot})"))
}

/// The volumes in the order in which they are read, each once, and their slots.
fn volumes(part: &RestorePart) -> Vec<(&str, Option<u32>)> {
    let mut known = BTreeSet::new();
    let sections = part.bootstrap.sections.iter();
    let all = sections.flat_map(|section| section.volumes.iter().map(|volume| (volume.as_str(), section.slot)));
    all.filter(|(volume, _)| known.insert(*volume)).collect()
}

/// What a restore would do, once the client was asked.
pub(super) struct Planned {
    pub(super) client: String,
    pub(super) to: RestoreTo,
    pub(super) replace: u8,
    pub(super) files: u64,
    pub(super) parts: Vec<RestorePart>,
}

impl Planned {
    /// Says it.
    pub(super) fn reply(&self, seen: &Seen) -> Reply {
        Reply::found(Both { text: self.text(seen), json: self.json(seen) })
    }

    fn text(&self, seen: &Seen) -> String {
        let [files, there, same, newer, replaced, lost] =
            [seen.files, seen.there, seen.same, seen.newer, seen.replaced, seen.lost].map(thousands);
        let replace = replace_word(self.replace);
        let mut text = format!(
            "The plan: {files} files with {} bytes ({}B) to client {}.\nIn their places stand {there} files: {same} as they \
             were saved, {newer} newer than that. With replace={replace} {replaced} of them would be overwritten, {lost} newer \
             ones among them.\n",
            thousands(seen.bytes),
            suffixed(seen.bytes),
            self.client
        );
        for name in &seen.lost_names {
            text += &format!("Newer, and would be overwritten: {name}\n");
        }
        let unnamed = seen.lost.saturating_sub(seen.lost_names.len() as u64);
        if unnamed > 0 {
            text += &format!("… and {} more.\n", thousands(unnamed));
        }
        text + "Nothing has been restored. To run it, repeat the command with `yes` instead of `plan`.\n"
    }

    fn json(&self, seen: &Seen) -> Json {
        let number = |number: u64| Json::from(number.to_string().as_str());
        let of_part = |part: &RestorePart| {
            let storage = part.storage.clone();
            let rows = volumes(part).into_iter().map(move |(volume, slot)| {
                let slot = slot.map_or(Json::Null, |slot| number(slot.into()));
                Json::object([("storage", storage.as_str().into()), ("volume", volume.into()), ("slot", slot)])
            });
            rows.collect::<Vec<_>>()
        };
        let place = match &self.to {
            RestoreTo::Where(folder) => ("where", folder.as_str().into()),
            RestoreTo::Regex(expression) => ("regexwhere", expression.as_str().into()),
        };
        let names = seen.lost_names.iter().map(|name| name.as_str().into()).collect();
        let plan = Json::object([
            ("client", self.client.as_str().into()),
            place,
            ("replace", replace_word(self.replace).into()),
            ("files", number(self.files)),
            ("bytes", number(seen.bytes)),
            ("volumes", Json::List(self.parts.iter().flat_map(of_part).collect())),
            ("there", number(seen.there)),
            ("same", number(seen.same)),
            ("newer", number(seen.newer)),
            ("overwritten", number(seen.replaced)),
            ("newer_overwritten", number(seen.lost)),
            ("newer_files", Json::List(names)),
        ]);
        Json::object([("plan", plan)])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::IndexRange;

    #[test]
    fn bytes_are_those_of_whole_jobs_and_a_part_of_those_of_others() {
        let job = |job_id, job_files, read_bytes, job_bytes| JobRow {
            job_id,
            job_files,
            read_bytes,
            job_bytes,
            ..JobRow::default()
        };
        let jobs = [job(1, 10, 1_000, 500), job(2, 4, 0, 800), job(3, 0, 0, 0)];
        let files = |job_id, last| RestoreFiles { job_id, ranges: vec![IndexRange { first: 1, last }] };
        assert_eq!(about(&jobs, &[files(1, 10)]), 1_000);
        assert_eq!(about(&jobs, &[files(1, 5), files(2, 2)]), 900);
        assert_eq!(about(&jobs, &[files(1, u32::MAX), files(3, 1), files(9, 1)]), 1_000);
    }
}
