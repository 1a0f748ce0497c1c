//! Verify jobs: which job's files are read from its volumes, and what they are compared with (`wire/2 §1.12`).
//!
//! ```text
//!   file daemon -- lines, by the parcel --> FilesByName -- catalog --> compare: a line of the report for each difference
//!   at the end:                             ListFiles   -- catalog --> what has not come is missing
//! ```
//! What agrees and what differs is found by [`Comparison`].

use crate::bulk::parcel::Parcel;
use crate::ids::{ConnId, JobId};
use crate::quantity::counted;
use crate::role::director::common::Tools;
use crate::role::report::thousands;
use crate::script::{Progress, Scripted};
use crate::wire::bsr::Bootstrap;
use crate::wire::status::{JobLevel, JobStatus, JobType};

use super::Jobs;
use super::dialogue::Event;
use super::job::Job;
use super::task::Task;
use super::trouble::Trouble;
use crate::catalog::{
    CatalogAnswer, CatalogError, CatalogRequest, Comparison, IndexRange, JobFilter, JobMediaPiece, JobRow, OnVolume,
    RestoreFiles, restore_selection, rows_of,
};
use crate::role::director::Owner;

/// What a verify job knows of the job it verifies.
#[derive(Clone, Debug, Default)]
pub(crate) struct Verifying {
    /// The job that was asked for, if one was.
    wanted: Option<u32>,
    /// The job whose files are looked at.
    pub(crate) original: JobRow,
    /// Where these lie.
    pub(crate) bootstrap: Bootstrap,
    /// The file that came last, once the catalog is asked for it.
    asked: Option<OnVolume>,
    pub(crate) comparison: Comparison,
}

impl Verifying {
    /// Of this job, or of the newest good one.
    pub(crate) fn new(wanted: Option<u32>, level: JobLevel) -> Self {
        let comparison = if level == JobLevel::VerifyVolume { Comparison::default() } else { Comparison::of_disk() };
        Self { wanted, comparison, ..Self::default() }
    }

    /// Whether the job to verify is known and has no files.
    pub(crate) const fn is_idle(&self) -> bool {
        self.original.job_id > 0 && self.original.job_files == 0
    }

    /// What the catalog must be asked for the file that came last, if there is one.
    pub(crate) fn ask_last(&mut self) -> Option<CatalogRequest> {
        self.asked = self.comparison.take_last();
        self.asked.as_ref().map(|file| self.request(std::slice::from_ref(file)))
    }

    /// The file that came last, if the catalog was asked for it.
    pub(crate) const fn asked_last(&mut self) -> Option<OnVolume> {
        self.asked.take()
    }

    /// Figures for the end of the report, with their labels.
    pub(crate) fn figures(&self) -> [(&'static str, String); 4] {
        let JobRow { job_id, job, job_files, .. } = &self.original;
        [
            ("Verify JobId", job_id.to_string()),
            ("Verify Job", job.clone()),
            ("Files Expected", thousands((*job_files).into())),
            ("Differences", self.comparison.differences().to_string()),
        ]
    }

    fn request(&self, files: &[OnVolume]) -> CatalogRequest {
        let names = files.iter().map(|file| file.name().to_vec()).collect();
        CatalogRequest::FilesByName { job_id: self.original.job_id, names }
    }
}

/// Asks for the job to verify: the one that was named, else the newest good backup of a job resource or of the client.
///
/// # Errors
/// It is no verify job.
pub(crate) fn request(job: &mut Job) -> Result<CatalogRequest, Trouble> {
    if let Some(wanted) = job.task.verify()?.wanted {
        return Ok(CatalogRequest::ListJobs(JobFilter { limit: 1, job_id: Some(wanted), ..JobFilter::default() }));
    }
    if job.level == JobLevel::VerifyCatalog {
        return Ok(CatalogRequest::ListJobs(JobFilter {
            limit: 1,
            name: Some(job.name.clone()),
            client: Some(job.with.client.clone()),
            types: vec![JobType::Verify.letter()],
            levels: vec![JobLevel::VerifyInit.letter()],
            statuses: b"TW".to_vec(),
            ..JobFilter::default()
        }));
    }
    let name = job.config.job(&job.name).and_then(|job| job.verify_job.clone());
    let client = name.is_none().then(|| job.with.client.clone());
    Ok(CatalogRequest::NewestBackup { name, client })
}

/// Takes the answer to [`request`]. Returns what the report says of it.
///
/// # Errors
/// That there is none.
pub(crate) fn choose(job: &mut Job, rows: &[JobRow]) -> Result<String, Trouble> {
    let (level, of_disk) = (job.level, job.verifies_disk());
    let verifying = job.task.verify()?;
    let is_backup = |row: &&JobRow| row.job_type == JobType::Backup.letter();
    let is_init =
        |row: &&JobRow| (row.job_type, row.level) == (JobType::Verify.letter(), JobLevel::VerifyInit.letter());
    let original = match verifying.wanted {
        _ if level == JobLevel::VerifyCatalog => rows.iter().find(is_init),
        None => rows.iter().find(is_backup),
        // One may ask for a copy too.
        Some(_) => rows.iter().find(|row| is_backup(row) || row.job_type == JobType::JobCopy.letter()),
    };
    let Some(original) = original.filter(|row| b"TW".contains(&row.job_status)) else {
        return Err(match level {
            JobLevel::VerifyCatalog => Trouble::NoInit,
            _ => Trouble::NothingToVerify(verifying.wanted),
        });
    };
    if original.purged_files {
        return Err(Trouble::NoFileList(original.job_id));
    }
    let about = format!("JobId {}, Job={}", original.job_id, original.job);
    let text = if of_disk {
        format!("Verifying against {about}: {}.", counted(original.job_files, "file"))
    } else if original.job_files == 0 {
        format!("There is nothing to verify: {about} has no files.")
    } else {
        format!("Verifying {about}: {}.", counted(original.job_files, "file"))
    };
    verifying.original = original.clone();
    // What is on a volume was saved with that fileset; the disk is looked at with the job's own.
    if !of_disk && job.config.fileset(&original.file_set).is_some() {
        job.with.fileset.clone_from(&original.file_set);
    }
    Ok(text)
}

/// Finds where the files of the job to verify lie.
///
/// # Errors
/// Why they cannot be read.
pub(crate) fn find(job: &mut Job, pieces: &[JobMediaPiece]) -> Result<(), Trouble> {
    let original = &job.task.verify()?.original;
    let ranges = vec![IndexRange { first: 1, last: original.job_files }];
    let all = RestoreFiles { job_id: original.job_id, ranges };
    let device = |name: &str| job.config.storage(name).map(|storage| storage.device.clone());
    let selected = restore_selection::plan(std::slice::from_ref(original), &[all], pieces, None, device)?;
    let mut storages: Vec<&str> =
        selected.bootstrap.sections.iter().map(|section| section.storage.as_deref().unwrap_or_default()).collect();
    storages.dedup();
    let [storage] = storages[..] else {
        return Err(Trouble::SeveralStorages(storages.into_iter().map(str::to_owned).collect()));
    };
    if job.config.storage(storage).is_none() {
        return Err(Trouble::UnknownStorage(storage.to_owned()));
    }
    job.with.storage = storage.to_owned();
    job.task.verify()?.bootstrap = selected.bootstrap;
    Ok(())
}

impl Jobs {
    /// What a file daemon has found on a volume. The connection reads on when it is compared.
    pub(crate) fn compare_files(&mut self, tools: &mut Tools<'_>, id: JobId, conn: ConnId, lines: &Parcel) {
        let job = self.all.get_mut(&id).filter(|job| job.is_alive());
        let Some(job) = job else { return tools.net.parcel_taken(conn) };
        let (is_init, unique, catalog) = (job.level == JobLevel::VerifyInit, job.unique.clone(), job.catalog.clone());
        let (storing, Ok(verifying)) = (&mut job.attributes.under_way, job.task.verify()) else {
            return tools.net.parcel_taken(conn);
        };
        let files = verifying.comparison.take(lines);
        if files.is_empty() {
            return tools.net.parcel_taken(conn);
        }
        *storing += 1;
        if is_init {
            let batch = rows_of(&unique, &files);
            return tools.ask(&catalog, CatalogRequest::InsertFiles { job_id: id.0, batch }, Owner::Files(id, conn));
        }
        let request = verifying.request(&files);
        tools.ask(&catalog, request, Owner::Compare(id, conn, files));
    }

    /// The catalog has these files so.
    pub(crate) fn files_found(
        &mut self,
        tools: &mut Tools<'_>,
        (id, conn): (JobId, ConnId),
        files: &[OnVolume],
        answer: Result<CatalogAnswer, CatalogError>,
    ) {
        tools.net.parcel_taken(conn);
        let rows = match answer {
            Ok(CatalogAnswer::FileList { files, .. }) => files,
            Ok(other) => return self.fail_job(tools, id, &Trouble::unexpected(&other)),
            Err(error) => return self.fail_job(tools, id, &error.into()),
        };
        self.advance(tools, id, |job, tools| {
            job.attributes.under_way = job.attributes.under_way.saturating_sub(1);
            let mut notes = Vec::new();
            job.task.verify()?.comparison.compare(files, &rows, &mut notes);
            tools.notes(job, &notes);
            if job.attributes.under_way == 0 { job.on_event(Event::FilesStored, tools) } else { Ok(Progress::Waiting) }
        });
    }
}

impl Job {
    /// How a verify job ended, unless it has failed; `None` for other jobs. Differences count more than warnings, and
    /// whatever was not looked at counts more than both.
    pub(crate) fn verify_status(&self) -> Option<JobStatus> {
        let Task::Verify(verifying) = &self.task else { return None };
        if verifying.is_idle() && !self.verifies_disk() {
            return Some(self.status.merge(JobStatus::Ok));
        }
        let file = self.file_daemon.presence.end().map_or((JobStatus::Error, 0), |end| (end.status, end.errors));
        let storage = match self.storage_daemon.presence.end() {
            _ if self.verifies_disk() => (JobStatus::Ok, 0),
            end => end.map_or((JobStatus::Error, 0), |end| (end.status, end.errors)),
        };
        if !file.0.is_ok() || !storage.0.is_ok() {
            let worst = [file.0, storage.0].into_iter().filter(|status| !status.is_ok());
            return Some(worst.fold(self.status, JobStatus::merge).merge(JobStatus::Error));
        }
        let has_warnings =
            self.tally.errors + self.tally.warnings > 0 || [file.0, storage.0].contains(&JobStatus::Warnings);
        if storage.1 > 0 {
            // What the storage daemon could not read was not verified.
            return Some(self.status.merge(JobStatus::Error));
        }
        Some(match (verifying.comparison.differences() + u64::from(file.1), has_warnings) {
            (0, false) => JobStatus::Ok,
            (0, true) => JobStatus::Warnings,
            _ => self.status.merge(JobStatus::Differences),
        })
    }
}
