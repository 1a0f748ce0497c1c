//! What a job leaves beside its volumes: a bootstrap that says where it lies on them (`wire/3 §6`), so that it can be restored
//! without a catalog.

use crate::catalog::restore_selection::whole;
use crate::catalog::{JobMediaPiece, JobMediaRow};
use crate::printable;
use crate::wire::catalog::JobMedia;

use super::job::Job;

/// How the name of the file ends.
const END: &str = "bsr";

impl Job {
    /// The job has written this piece.
    pub(super) fn note_piece(&mut self, row: &JobMedia) {
        let wanted = self.order.uses.iter().find(|group| group.append);
        let of_order =
            |get: fn(&crate::wire::storage::UseStorage) -> &String| wanted.map(get).cloned().unwrap_or_default();
        let piece = JobMediaPiece {
            piece: JobMediaRow {
                job_id: self.order.line.job_id,
                media_id: 0,
                first_index: row.first_index,
                last_index: row.last_index,
                start_file: row.start_file,
                end_file: row.end_file,
                start_block: row.start_block,
                end_block: row.end_block,
            },
            vol_index: u32::try_from(self.writing.pieces.len()).unwrap_or(u32::MAX).saturating_add(1),
            volume_name: self.writing.volume.volume.clone(),
            media_type: of_order(|group| &group.media_type),
            slot: self.writing.volume.slot,
            enabled: true,
            storage: of_order(|group| &group.storage),
        };
        self.writing.pieces.push(piece);
    }

    /// The file, and what goes into it; `None` if the job has written nothing.
    pub(super) fn bootstrap(&self) -> Option<(String, Vec<u8>)> {
        if self.writing.pieces.is_empty() {
            return None;
        }
        let (line, session) = (&self.order.line, self.session);
        let mut bootstrap = whole((session.id, session.time), &self.writing.pieces);
        let device = self.order.append.as_ref().map(|place| place.device.clone());
        bootstrap.sections.iter_mut().for_each(|section| section.device.clone_from(&device));
        let head = format!("{} {} of {}", line.job, char::from(line.level.letter()), line.client);
        let head = format!("# {}\n", printable::line(&head));
        Some((format!("{}/{}.{END}", self.folder(), file_name(&line.job)), format!("{head}{bootstrap}").into_bytes()))
    }
}

/// The name of a job as that of a file in the folder and nowhere else, not a hidden one.
fn file_name(job: &str) -> String {
    let letter = |(at, c): (usize, char)| match c {
        '.' if at == 0 => '_',
        '/' => '_',
        c if c.is_control() => '_',
        c => c,
    };
    job.chars().enumerate().map(letter).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_called_as_its_job_and_lies_in_the_folder() {
        assert_eq!(file_name("nightly.2026-11-23_12.45.50_04"), "nightly.2026-11-23_12.45.50_04");
        assert_eq!(file_name("../../etc/passwd"), "_._.._etc_passwd");
        assert_eq!(file_name("a\nb/c d"), "a_b_c d");
    }
}
