//! Catalogs made from volumes of tests.

use std::fs;
use std::path::Path;

use towline_core::catalog::{CatalogAnswer, CatalogRequest, JobRow, MediaRow, VolStatus};
use towline_core::config::DirectorConfig;
use towline_core::wire::label::SessionLabel;

use super::super::report::Report;
use super::super::tests::make::{Entry, asked, blocks, file, label, volume};
use super::super::{Asked, look};
use super::store::{COMMENT, Terms};
use super::{Done, Refused, scan};
use crate::catalog::rebuild::Rebuild;
use crate::catalog::{Attempt, Catalog, SqliteCatalog};

fn config() -> DirectorConfig {
    serde_json::from_value(serde_json::json!({
        "director": { "name": "dir", "password": "x" },
        "clients": [{ "name": "laptop", "address": "laptop.example", "password": "y", "file_retention": "60 days" }],
        "storages": [{ "name": "other", "address": "a.example", "password": "z", "device": "t", "media_type": "Tape" },
                     { "name": "disk", "address": "b.example", "password": "z", "device": "d", "media_type": "File" }],
        "pools": [{ "name": "daily", "volume_retention": "30 days", "maximum_volume_bytes": "1 MiB" }],
    }))
    .unwrap()
}

fn run(catalog: &mut SqliteCatalog, asked: Asked) -> (Result<Done, Refused>, Report) {
    let Asked { shelf, jobs, mut report } = asked;
    let config = config();
    let done = scan(catalog, &shelf, &jobs, &Terms::new(Some(&config), None), &mut report);
    (done, report)
}

fn scanned(catalog: &mut SqliteCatalog, folder: &Path) -> Done {
    let (done, report) = run(catalog, asked(folder));
    assert_eq!(report.told, [""; 0]);
    done.unwrap()
}

fn open(folder: &Path) -> SqliteCatalog {
    SqliteCatalog::open(&folder.join("catalog.sqlite")).unwrap()
}

fn ask(catalog: &mut dyn Catalog, request: CatalogRequest) -> CatalogAnswer {
    catalog.handle(&request, Attempt::First).unwrap()
}

fn jobs(catalog: &mut dyn Catalog, request: CatalogRequest) -> Vec<JobRow> {
    match ask(catalog, request) {
        CatalogAnswer::Jobs(rows) => rows,
        other => panic!("{other:?}"),
    }
}

fn all_jobs(catalog: &mut dyn Catalog) -> Vec<JobRow> {
    jobs(
        catalog,
        CatalogRequest::ListJobs(towline_core::catalog::JobFilter { oldest_first: true, ..Default::default() }),
    )
}

fn media(catalog: &mut dyn Catalog, name: &str) -> MediaRow {
    match ask(catalog, CatalogRequest::VolumeByName(name.to_owned())) {
        CatalogAnswer::Volume(Some(row)) => *row,
        other => panic!("{other:?}"),
    }
}

fn names(catalog: &mut dyn Catalog, job_id: u32) -> Vec<String> {
    match ask(catalog, CatalogRequest::ListFiles { job_id, after: None, limit: 1000 }) {
        CatalogAnswer::FileList { files, .. } => {
            files.iter().map(|file| String::from_utf8(file.name.clone()).unwrap()).collect()
        }
        other => panic!("{other:?}"),
    }
}

/// What a restore of the newest state would take, from which job.
fn restore(catalog: &mut dyn Catalog) -> Vec<(u32, u32)> {
    let request = CatalogRequest::JobsForRestore {
        client: "laptop".into(),
        name: None,
        file_set: None,
        before: i64::MAX,
        now: i64::MAX,
    };
    let ids: Vec<u32> = jobs(catalog, request).iter().map(|row| row.job_id).collect();
    match ask(catalog, CatalogRequest::FilesForRestore { jobs: ids, only: Vec::new() }) {
        CatalogAnswer::RestoreFiles(files) => {
            let count = |of: &towline_core::catalog::RestoreFiles| of.ranges.iter().map(|r| r.last - r.first + 1).sum();
            files.iter().map(|of| (of.job_id, count(of))).collect()
        }
        other => panic!("{other:?}"),
    }
}

/// A file that was changed at this time.
fn changed(name: &str, at: i64, data: &[u8]) -> Entry {
    let mut entry = file(name, data);
    (entry.stat.ctime, entry.stat.mtime) = (at, at);
    entry
}

#[test]
fn jobs_files_and_volumes_come_back_with_their_numbers_and_a_second_scan_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let volumes = folder.path().join("volumes");
    fs::create_dir(&volumes).unwrap();
    let full: Vec<Entry> = (0..5).map(|n| changed(&format!("/srv/{n}"), 100, &[n; 900])).collect();
    let first = blocks(&label(4, b'F'), 2048, &full);
    let second = blocks(&label(9, b'I'), 2048, &[changed("/srv/1", 200, b"new"), changed("/srv/new", 200, b"new")]);
    volume(&volumes, "v1", &first[..2]);
    volume(&volumes, "v2", &[&first[2..], &second[..]].concat());
    let mut catalog = open(folder.path());
    let done = scanned(&mut catalog, &volumes);
    assert_eq!((done.jobs, done.added, done.files, done.volumes, done.placed), (2, 2, 7, 2, 0));
    let rows = all_jobs(&mut catalog);
    let told: Vec<_> = rows.iter().map(|r| (r.job_id, r.level, r.job_status, r.job_files, r.client.as_str())).collect();
    assert_eq!(told, [(4, b'F', b'T', 5, "laptop"), (9, b'I', b'T', 2, "laptop")]);
    assert!(rows[0].start_time < rows[0].end_time && rows[0].comment == COMMENT && rows[0].pool == "daily");
    assert_eq!(names(&mut catalog, 9), ["/srv/1", "/srv/new"]);
    assert_eq!(restore(&mut catalog), [(4, 4), (9, 2)]);
    let (v1, v2) = (media(&mut catalog, "v1"), media(&mut catalog, "v2"));
    assert_eq!((v1.vol_status, v2.vol_status), (VolStatus::Used, VolStatus::Append), "only the last may grow");
    assert_eq!((v2.vol_retention, v2.max_vol_bytes, v2.storage.as_str()), (30 * 86_400, 1 << 20, "disk"));
    assert_eq!(v2.vol_bytes, fs::metadata(volumes.join("v2")).unwrap().len());
    let pieces = |catalog: &mut SqliteCatalog| match ask(catalog, CatalogRequest::JobMediaOf { jobs: vec![4, 9] }) {
        CatalogAnswer::Pieces(pieces) => pieces,
        other => panic!("{other:?}"),
    };
    let before = pieces(&mut catalog);
    let told: Vec<_> = before.iter().map(|p| (p.piece.job_id, p.volume_name.as_str(), p.vol_index)).collect();
    assert_eq!(told, [(4, "v1", 1), (4, "v2", 2), (9, "v2", 1)]);
    let again = scanned(&mut catalog, &volumes);
    assert_eq!((again.added, again.volumes), (0, 0));
    assert_eq!((all_jobs(&mut catalog), pieces(&mut catalog)), (rows, before));
    assert_eq!(names(&mut catalog, 4).len(), 5);
}

#[test]
fn what_the_catalog_lacks_is_added_and_what_it_says_itself_stays() {
    let folder = tempfile::tempdir().unwrap();
    let volumes = folder.path().join("volumes");
    fs::create_dir(&volumes).unwrap();
    let entries = [changed("/a", 100, b"a"), changed("/b", 100, b"b")];
    volume(&volumes, "v1", &blocks(&label(4, b'F'), 2048, &entries));
    volume(&volumes, "v2", &blocks(&label(5, b'F'), 2048, &entries));
    let mut catalog = open(folder.path());
    scanned(&mut catalog, &volumes);
    // A director says of job 4 that it failed, and the files of job 5 were purged; a third volume is new.
    catalog
        .rebuild(&mut |t| {
            t.execute("UPDATE Job SET JobStatus = 'f', Comment = '' WHERE JobId = 4", &[])?;
            t.execute("UPDATE Job SET PurgedFiles = 1 WHERE JobId = 5", &[])?;
            t.execute("DELETE FROM File WHERE JobId = 5", &[]).map(drop)
        })
        .unwrap();
    volume(&volumes, "v3", &blocks(&label(6, b'F'), 2048, &entries));
    let done = scanned(&mut catalog, &volumes);
    assert_eq!((done.added, done.volumes), (1, 1));
    let told: Vec<_> = all_jobs(&mut catalog).iter().map(|r| (r.job_id, r.job_status, r.purged_files)).collect();
    assert_eq!(told, [(4, b'f', false), (5, b'T', false), (6, b'T', false)]);
    assert_eq!(names(&mut catalog, 5).len(), 2);
    assert_eq!(media(&mut catalog, "v3").vol_status, VolStatus::Used, "the director's own volumes go on");
    let next = towline_core::catalog::NewJob { job: "next".into(), ..Default::default() };
    let next = towline_core::catalog::NewJob { job_type: b'B', level: b'F', ..next };
    assert_eq!(ask(&mut catalog, CatalogRequest::CreateJob(next)), CatalogAnswer::Id(7));
}

#[test]
fn a_catalog_with_other_jobs_of_the_same_numbers_is_not_touched_and_a_new_one_counts_on() {
    let folder = tempfile::tempdir().unwrap();
    let (old, new) = (folder.path().join("old"), folder.path().join("new"));
    fs::create_dir(&old).unwrap();
    fs::create_dir(&new).unwrap();
    let entries = |at: i64| [changed("/a", at, b"a")];
    for (id, level) in [(1, b'F'), (2, b'I'), (3, b'I')] {
        volume(&old, &format!("old{id}"), &blocks(&label(id, level), 2048, &entries(i64::from(id))));
    }
    // A month later somebody has lost the catalog and begun anew.
    for (id, level) in [(1, b'F'), (2, b'I')] {
        let mut label = label(id, level);
        label.job = format!("nightly.2027-02-15_09.00.{id:02}_01").into_bytes();
        label.written += 31 * 86_400_000_000;
        volume(&new, &format!("new{id}"), &blocks(&label, 2048, &entries(1000 + i64::from(id))));
    }
    let mut catalog = open(folder.path());
    scanned(&mut catalog, &new);
    let rows = all_jobs(&mut catalog);
    let (refused, _) = run(&mut catalog, asked(&old));
    assert!(matches!(&refused, Err(Refused::Disagrees(text)) if text.contains("job 1 on the volumes")), "{refused:?}");
    // Numbers that are free, and yet older jobs.
    let (refused, _) = run(&mut catalog, look("test", &[old.join("old3")], &[]).ok().unwrap());
    assert!(matches!(&refused, Err(Refused::Disagrees(text)) if text.contains("does not fit")), "{refused:?}");
    assert_eq!(all_jobs(&mut catalog), rows);
    let whole = tempfile::tempdir().unwrap();
    let mut catalog = open(whole.path());
    let (done, _) = run(&mut catalog, look("test", &[new, old], &[]).ok().unwrap());
    assert_eq!(done.unwrap().added, 5);
    let told: Vec<_> = all_jobs(&mut catalog).iter().map(|r| (r.job_id, r.level, r.job.contains("-02-"))).collect();
    let expected = [(1, b'F', false), (2, b'I', false), (3, b'I', false), (4, b'F', true), (5, b'I', true)];
    assert_eq!(told, expected);
}

#[test]
fn a_full_that_holds_older_files_than_incrementals_before_it_stands_before_them() {
    let folder = tempfile::tempdir().unwrap();
    let volumes = folder.path().join("volumes");
    fs::create_dir(&volumes).unwrap();
    let old = [changed("/srv/", 100, b""), changed("/srv/a", 100, b"one")];
    let day = |id: u32, level, entries: &[Entry]| blocks(&label(id, level), 2048, entries);
    volume(&volumes, "v1", &day(1, b'F', &old));
    volume(&volumes, "v2", &day(2, b'I', &[changed("/srv/a", 200, b"two")]));
    volume(&volumes, "v3", &day(3, b'I', &[changed("/srv/b", 300, b"new"), changed("/srv/", 300, b"")]));
    // Made by another storage daemon of what job 1 had saved.
    volume(&volumes, "w1", &day(5, b'F', &old));
    let mut catalog = open(folder.path());
    let done = scanned(&mut catalog, &volumes);
    assert_eq!(done.placed, 1);
    let row = all_jobs(&mut catalog).pop().unwrap();
    assert_eq!((row.job_id, row.origin, row.start_time), (5, 1, 100));
    let newest = restore(&mut catalog);
    assert!(newest.contains(&(2, 1)) && newest.contains(&(3, 2)), "{newest:?}");
}

#[test]
fn a_local_copy_has_the_name_of_its_original_and_becomes_its_copy() {
    let folder = tempfile::tempdir().unwrap();
    let volumes = folder.path().join("volumes");
    fs::create_dir(&volumes).unwrap();
    let entries = [changed("/a", 100, b"a")];
    let original = label(1, b'F');
    let copy = SessionLabel { job: original.job.clone(), pool: b"copies".to_vec(), ..label(3, b'F') };
    volume(&volumes, "v1", &blocks(&original, 2048, &entries));
    volume(&volumes, "c1", &blocks(&copy, 2048, &entries));
    let mut catalog = open(folder.path());
    scanned(&mut catalog, &volumes);
    let rows = all_jobs(&mut catalog);
    let told: Vec<_> = rows.iter().map(|r| (r.job_id, r.job_type, r.prior_job_id, r.origin, r.pool.as_str())).collect();
    assert_eq!(told, [(1, b'B', 0, 0, "daily"), (2, b'C', 1, 1, "copies")]);
    assert_eq!(restore(&mut catalog), [(1, 1)]);
    assert_eq!(scanned(&mut catalog, &volumes).added, 0, "it is known again by its session");
}

#[test]
fn a_job_that_was_tried_again_is_what_its_last_attempt_has_written() {
    let folder = tempfile::tempdir().unwrap();
    let volumes = folder.path().join("volumes");
    fs::create_dir(&volumes).unwrap();
    let entries: Vec<Entry> = (0..6).map(|n| changed(&format!("/srv/{n}"), 100, &[n; 900])).collect();
    let first = blocks(&label(1, b'F'), 2048, &entries);
    let mut again = blocks(&label(1, b'F'), 2048, &entries[..5]);
    // Another session of the same job.
    again.iter_mut().for_each(|block| block.bytes[16..20].copy_from_slice(&7_u32.to_be_bytes()));
    volume(&volumes, "v1", &[&first[..2], &again[..]].concat());
    let mut catalog = open(folder.path());
    let (done, _) = run(&mut catalog, asked(&volumes));
    assert_eq!(done.unwrap().jobs, 1);
    let told: Vec<_> = all_jobs(&mut catalog).iter().map(|r| (r.job_id, r.job_status, r.vol_session_id)).collect();
    assert_eq!(told, [(1, b'T', 7)]);
    let (done, _) = run(&mut catalog, asked(&volumes));
    assert_eq!((done.unwrap().added, names(&mut catalog, 1).len()), (0, 5));
}

#[test]
fn what_is_damaged_is_told_and_the_rest_is_in_the_catalog() {
    let folder = tempfile::tempdir().unwrap();
    let volumes = folder.path().join("volumes");
    fs::create_dir(&volumes).unwrap();
    let entries: Vec<Entry> = (0..10).map(|n| changed(&format!("/srv/{n}"), 100, &[n; 900])).collect();
    let path = volume(&volumes, "v1", &blocks(&label(1, b'F'), 2048, &entries));
    let mut bytes = fs::read(&path).unwrap();
    let at = bytes.windows(200).position(|window| window == [4; 200]).unwrap();
    bytes[at] ^= 1;
    fs::write(&path, bytes).unwrap();
    let mut catalog = open(folder.path());
    let (done, report) = run(&mut catalog, asked(&volumes));
    assert!(done.unwrap().files >= 8 && report.findings() >= 2, "{:?}", report.told);
    assert!(names(&mut catalog, 1).contains(&"/srv/9".to_owned()));
    assert_eq!(media(&mut catalog, "v1").vol_status, VolStatus::Append, "its headers are whole");
}

#[test]
fn a_job_that_was_broken_off_is_no_good_backup() {
    let folder = tempfile::tempdir().unwrap();
    let volumes = folder.path().join("volumes");
    fs::create_dir(&volumes).unwrap();
    let entries: Vec<Entry> = (0..10).map(|n| changed(&format!("/srv/{n}"), 100, &[n; 900])).collect();
    let made = blocks(&label(1, b'F'), 2048, &entries);
    volume(&volumes, "v1", &made[..made.len() - 1]);
    let mut catalog = open(folder.path());
    let (done, report) = run(&mut catalog, asked(&volumes));
    assert!(done.is_ok() && report.findings() == 1, "{:?}", report.told);
    assert_eq!(all_jobs(&mut catalog)[0].job_status, b'f');
    assert_eq!(restore(&mut catalog), []);
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig { cases: 24, ..proptest::prelude::ProptestConfig::default() })]

    #[test]
    fn whatever_a_volume_holds_it_is_scanned_to_its_end_and_the_catalog_stays_whole(
        changes in proptest::collection::vec((0_usize..8000, proptest::prelude::any::<u8>()), 1..30),
        reseal: bool,
    ) {
        let folder = tempfile::tempdir().unwrap();
        let volumes = folder.path().join("volumes");
        fs::create_dir(&volumes).unwrap();
        let entries: Vec<Entry> = (0..6).map(|n| changed(&format!("/srv/{n}"), 100, &[n; 900])).collect();
        let mut made = blocks(&label(1, b'F'), 2048, &entries);
        // With a right checksum only the data are wrong, and otherwise the blocks too.
        let total: usize = made.iter().map(|block| block.bytes.len()).sum();
        for (at, byte) in &changes {
            let mut at = at % total;
            for block in &mut made {
                match block.bytes.get_mut(at) {
                    Some(_) if at < 16 => break,
                    Some(old) => {
                        *old = *byte;
                        break;
                    }
                    None => at -= block.bytes.len(),
                }
            }
        }
        let path = volume(&volumes, "v1", &made);
        if !reseal {
            let mut bytes = fs::read(&path).unwrap();
            for (at, byte) in &changes {
                let len = bytes.len();
                bytes[at % len] ^= byte;
            }
            fs::write(&path, bytes).unwrap();
        }
        if let Ok(asked) = look("test", std::slice::from_ref(&volumes), &[]) {
            let mut catalog = open(folder.path());
            let (done, _) = run(&mut catalog, asked);
            // Numbers that no label can have are the only reason to refuse.
            if let Err(Refused::Catalog(error)) = &done {
                proptest::prop_assert!(false, "{error}");
            }
            for row in all_jobs(&mut catalog) {
                ask(&mut catalog, CatalogRequest::ListFiles { job_id: row.job_id, after: None, limit: 1000 });
            }
        }
    }
}
