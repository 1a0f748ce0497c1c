//! Copies and migrations between two storage daemons: the director against both real ones.

use std::time::Duration;

use serde_json::{Value, json};
use towline_core::catalog::memory::MemoryCatalog;
use towline_core::catalog::{
    CatalogAnswer, CatalogRequest, JobEnd, JobMediaRow, JobStart, Listed, Listing, MediaRow, NewJob, VolStatus,
};
use towline_core::work::{Work, WorkDone};

use super::desk::{Desk, FILE_PORT, STORAGE_PORT, config, errand, our_letters};
use super::recorded::console;
use crate::recording;
use crate::support::conv::Side;
use crate::support::password;
use crate::support::peer::Script;
use crate::support::roles::SECOND_STORAGE_PORT;
use crate::support::world::PeerId;

/// The configuration of the director that copied and migrated.
fn copying() -> Value {
    let mut config = config();
    let second = json!({ "name": "File2", "address": "127.0.0.1", "port": SECOND_STORAGE_PORT, "password": "sd2-secret",
                         "device": "FileStorage2", "media_type": "File2", "maximum_concurrent_jobs": 10 });
    push(&mut config, "storages", second);
    config["pools"][0]["next_pool"] = json!("Copies");
    push(&mut config, "pools", json!({ "name": "MigSource", "label_format": "MigSrc-", "next_pool": "Copies" }));
    let copies = json!({ "name": "Copies", "label_format": "Copy-", "storage": "File2",
                         "maximum_volume_bytes": 21_474_836_480_u64 });
    push(&mut config, "pools", copies);
    for (name, kind, pool) in
        [("copy", "copy", "Full"), ("backup-tiny-migsrc", "backup", "MigSource"), ("migrate", "migrate", "MigSource")]
    {
        let mut job = config["jobs"][0].clone();
        (job["name"], job["kind"], job["pool"]) = (json!(name), json!(kind), json!(pool));
        job.as_object_mut().expect("an object").remove("where");
        push(&mut config, "jobs", job);
    }
    config
}

fn push(config: &mut Value, list: &str, resource: Value) {
    config[list].as_array_mut().expect("a list").push(resource);
}

/// Puts the backup that was migrated into the catalog, as it was there when the recording began: job 5.
fn record_original(desk: &Desk) {
    let mut shelf = desk.shelf();
    let mut ask = |request| shelf.catalog.serve(request).expect("an answer");
    let CatalogAnswer::Id(job_id) = ask(CatalogRequest::CreateJob(NewJob {
        job: "backup-tiny-migsrc.2026-11-23_13.03.35_09".to_owned(),
        name: "backup-tiny-migsrc".to_owned(),
        job_type: b'B',
        level: b'F',
        client_id: 1,
        sched_time: 1_795_439_015,
        at_least: 0,
        comment: String::new(),
    })) else {
        panic!("no number")
    };
    // `MigSource` is the second pool.
    let pool_id = 2;
    let (start_time, vol_session_id, vol_session_time) = (1_795_439_015, 3, 1_795_439_003);
    ask(CatalogRequest::StartJob(JobStart {
        job_id,
        job_status: b'R',
        level: b'F',
        start_time,
        client_id: 1,
        pool_id,
        file_set_id: 1,
        vol_session_id,
        vol_session_time,
    }));
    let volume = MediaRow {
        volume_name: "MigSrc-0003".to_owned(),
        pool_id,
        storage_id: 1,
        media_type: "File1".to_owned(),
        vol_jobs: 1,
        vol_blocks: 2,
        vol_mounts: 1,
        vol_bytes: 2_503,
        vol_writes: 2,
        vol_status: VolStatus::Append,
        enabled: true,
        ..MediaRow::default()
    };
    let CatalogAnswer::Volume(Some(volume)) = ask(CatalogRequest::CreateMedia(Box::new(volume))) else {
        panic!("no volume")
    };
    ask(CatalogRequest::CreateJobMedia(JobMediaRow {
        job_id,
        media_id: volume.media_id,
        first_index: 1,
        last_index: 6,
        start_file: 0,
        end_file: 0,
        start_block: 200,
        end_block: 2_502,
    }));
    ask(CatalogRequest::EndJob(Box::new(JobEnd {
        job_id,
        job_status: b'T',
        level: b'F',
        end_time: start_time + 1,
        real_end_time: start_time + 1,
        client_id: 1,
        pool_id,
        file_set_id: 1,
        vol_session_id,
        vol_session_time,
        job_files: 6,
        job_bytes: 1_043,
        read_bytes: 1_043,
        job_errors: 0,
        prior_job_id: 0,
        purged_files: false,
        last_file: None,
        stands_for: None,
        comment: None,
    })));
}

/// Plays a recorded backup: its console, its storage daemon and its file daemon.
fn back_up(desk: &mut Desk, [script, storage, file]: [String; 3]) {
    desk.world.await_dial(STORAGE_PORT, Script::new(&storage, Side::Dialler, password("sd-secret")));
    desk.world.await_dial(FILE_PORT, our_letters(Script::new(&file, Side::Dialler, password("fd-secret"))));
    desk.world.come_in(console(&script));
    desk.world.assert_done();
}

/// Plays a recorded copy: its console, the storage daemon that reads, and the one that writes.
fn play(desk: &mut Desk, [script, reads, writes]: [&str; 3]) {
    desk.world.await_dial(STORAGE_PORT, Script::new(reads, Side::Dialler, password("sd-secret")));
    desk.world.await_dial(SECOND_STORAGE_PORT, Script::new(writes, Side::Dialler, password("sd2-secret")));
    desk.world.come_in(console(script));
    desk.world.assert_done();
}

/// The type, status, prior job, files and bytes of a job.
fn row(desk: &Desk, job_id: u32) -> (char, char, u32, u32, u64) {
    let row = desk.shelf().catalog.job_row(job_id).expect("the job").clone();
    (row.job_type.into(), row.job_status.into(), row.prior_job_id, row.job_files, row.job_bytes)
}

/// Names of the six files, as the catalog has them for a job.
fn names(desk: &Desk, job_id: u32) -> Vec<String> {
    desk.shelf().catalog.file_rows(job_id).map(|row| String::from_utf8_lossy(&row.name).into_owned()).collect()
}

/// A backup like the one that was copied, whose storage daemon had been started at another time.
const BACKUP: [&str; 3] = [
    recording!("01-backup-full/00-CON-to-DIR"),
    recording!("01-backup-full/01-DIR-to-SD"),
    recording!("01-backup-full/02-DIR-to-FD"),
];

const COPY: [&str; 3] = [
    recording!("06-copy-sd-sd/00-CON-to-DIR"),
    recording!("06-copy-sd-sd/01-DIR-to-SD"),
    recording!("06-copy-sd-sd/02-DIR-to-SD2"),
];

const MIGRATION: [&str; 3] = [
    recording!("06b-migrate-sd-sd/00-CON-to-DIR"),
    recording!("06b-migrate-sd-sd/01-DIR-to-SD"),
    recording!("06b-migrate-sd-sd/02-DIR-to-SD2"),
];

#[test]
fn a_copy_and_then_a_migration_are_directed_as_recorded() {
    let mut desk = backed_up();
    play(&mut desk, COPY);
    assert_eq!(row(&desk, 1), ('B', 'T', 0, 6, 1_043));
    assert_eq!(row(&desk, 3), ('c', 'T', 4, 0, 0), "{}", desk.report(3));
    assert_eq!(row(&desk, 4), ('C', 'T', 1, 6, 1_749), "{}", desk.report(4));
    assert_eq!(names(&desk, 4).len(), 6);
    let path = "data channel: storage daemon dials second storage daemon at 127.0.0.1:42004 (connection 8), address\n";
    assert!(desk.report(3).contains(path), "{}", desk.report(3));
    let second = "Connected second storage daemon (connection 5b) at 127.0.0.1:42004, encryption: None\n";
    assert!(desk.report(4).contains(second), "{}", desk.report(4));
    // What was recorded of the copied job's times.
    {
        let shelf = desk.shelf();
        let (original, copy) = (shelf.catalog.job_row(1).unwrap(), shelf.catalog.job_row(4).unwrap());
        assert_eq!((copy.start_time, copy.job_t_date), (original.start_time, original.job_t_date));
        assert_eq!((copy.vol_session_id, copy.vol_session_time), (1, 1_795_439_003));
        let volume = shelf.catalog.volume("Copy-0002").unwrap();
        assert_eq!((volume.vol_bytes, volume.vol_blocks, volume.end_block, volume.vol_jobs), (2_465, 2, 2_464, 1));
    }

    record_original(&desk);
    play(&mut desk, MIGRATION);
    assert_eq!(row(&desk, 5), ('M', 'T', 0, 6, 1_043), "the migrated original");
    assert_eq!(names(&desk, 5), [""; 0], "its files are the new job's");
    assert_eq!(row(&desk, 7), ('g', 'T', 8, 0, 0), "{}", desk.report(7));
    assert_eq!(row(&desk, 8), ('B', 'T', 5, 6, 1_749), "{}", desk.report(8));
    assert_eq!(names(&desk, 8).len(), 6);
    assert_eq!(desk.shelf().catalog.volume("Copy-0002").unwrap().vol_jobs, 2);
}

#[test]
fn a_migration_purges_the_original_if_it_is_to() {
    let mut config = copying();
    let jobs = config["jobs"].as_array_mut().expect("jobs");
    jobs.iter_mut().find(|job| job["name"] == "migrate").expect("it")["purge_migration_job"] = json!(true);
    let mut desk = Desk::with(config, MemoryCatalog::default());
    back_up(&mut desk, BACKUP.map(|conv| conv.replace("SDtime=1795438888", "SDtime=1795439003")));
    play(&mut desk, COPY);
    record_original(&desk);
    play(&mut desk, MIGRATION);
    assert!(desk.shelf().catalog.job_row(5).is_none());
    assert_eq!(row(&desk, 8), ('B', 'T', 5, 6, 1_749), "{}", desk.report(8));
}

#[test]
fn a_copy_between_two_lan_addresses_is_directed_as_recorded() {
    let mut config = copying();
    config["clients"][0]["lan_address"] = json!("127.0.0.2");
    config["storages"][0]["lan_address"] = json!("127.0.0.3");
    config["storages"][1]["lan_address"] = json!("127.0.0.4");
    let mut desk = Desk::with(config, MemoryCatalog::default());
    let backup = [
        recording!("08-lan-backup-copy/00-CON-to-DIR"),
        recording!("08-lan-backup-copy/01-DIR-to-SD"),
        recording!("08-lan-backup-copy/02-DIR-to-FD"),
    ];
    back_up(&mut desk, backup.map(str::to_owned));
    let copy = [
        recording!("08-lan-backup-copy/04-CON-to-DIR"),
        recording!("08-lan-backup-copy/05-DIR-to-SD"),
        recording!("08-lan-backup-copy/06-DIR-to-SD2"),
    ];
    play(&mut desk, copy);
    assert_eq!(row(&desk, 4), ('C', 'T', 1, 6, 1_749), "{}", desk.report(4));
    let path =
        "data channel: storage daemon dials second storage daemon at 127.0.0.4:42004 (connection 8), LAN address\n";
    assert!(desk.report(3).contains(path), "{}", desk.report(3));
}

#[cfg(feature = "psk")]
#[test]
fn a_copy_over_tls_is_directed_as_recorded() {
    use towline_core::wire::names::{DEFAULT_CONSOLE, PeerKind, PeerName};

    use crate::support::peer::Engine;
    use crate::support::roles::Protection;

    let me = || Engine::Psk(PeerName::new(PeerKind::Director, "bareos-dir"));
    let console = |conv| console(conv).protected(Engine::Psk(PeerName::new(PeerKind::Console, DEFAULT_CONSOLE)));
    let daemon = |conv, secret| Script::new(conv, Side::Dialler, password(secret)).protected(me());
    let mut config = copying();
    config["director"]["tls"] = json!({ "enable": true, "require": true });
    let mut desk = Desk::begin(config, MemoryCatalog::default(), Protection::Psk, |_| false);
    desk.world.await_dial(STORAGE_PORT, daemon(recording!("20-tls-backup/01-DIR-to-SD"), "sd-secret"));
    let file = our_letters(Script::new(recording!("20-tls-backup/02-DIR-to-FD"), Side::Dialler, password("fd-secret")));
    desk.world.await_dial(FILE_PORT, file.protected(me()));
    let first = console(recording!("20-tls-backup/00-CON-to-DIR"));
    let first = desk.world.come_in(first.until_we_say("You have messages."));
    desk.world.await_dial(STORAGE_PORT, daemon(recording!("20-tls-backup/05-DIR-to-SD"), "sd-secret"));
    desk.world.await_dial(SECOND_STORAGE_PORT, daemon(recording!("20-tls-backup/06-DIR-to-SD2"), "sd2-secret"));
    let second = console(recording!("20-tls-backup/04-CON-to-DIR"));
    // The recording has lost what follows, as that of the backup has.
    let second = desk.world.come_in(second.until_we_say("Using Catalog"));
    assert_eq!(row(&desk, 4), ('C', 'T', 1, 6, 1_749), "{}", desk.report(4));
    assert!(desk.report(4).contains("(connection 5b) at 127.0.0.1:42004, encryption: TLS"), "{}", desk.report(4));
    for console in [first, second] {
        desk.world.say(console, "text quit");
    }
    desk.world.assert_done();
}

/// A copy whose storage daemons say what they were recorded to say up to some point. Returns the console, the storage daemon
/// that reads and the one that writes; the third connection to a storage daemon is a cancel's.
fn copy_up_to(desk: &mut Desk, reads: Script, writes: Script) -> (PeerId, PeerId, PeerId) {
    desk.world.await_dial(STORAGE_PORT, reads);
    desk.world.await_dial(SECOND_STORAGE_PORT, writes);
    let console = desk.console();
    desk.ask(console, "run job=copy yes");
    // The one that writes is dialled first.
    (console, console + 2, console + 1)
}

fn reader() -> Script {
    Script::new(COPY[1], Side::Dialler, password("sd-secret"))
}

fn writer() -> Script {
    Script::new(COPY[2], Side::Dialler, password("sd2-secret"))
}

/// A desk with a backup to copy.
fn backed_up() -> Desk {
    let mut desk = Desk::with(copying(), MemoryCatalog::default());
    back_up(&mut desk, BACKUP.map(|conv| conv.replace("SDtime=1795438888", "SDtime=1795439003")));
    desk
}

/// The unique name of a job.
fn unique(desk: &Desk, job_id: u32) -> String {
    desk.shelf().catalog.job_row(job_id).expect("the job").job.clone()
}

/// What a storage daemon says at the end of a job that has failed.
fn bad_end(desk: &Desk, job_id: u32) -> String {
    format!("text 3099 Job {} end JobStatus=102 JobFiles=0 JobBytes=0 JobErrors=1\\n", unique(desk, job_id))
}

#[test]
fn a_reading_storage_daemon_that_fails_has_the_writing_one_told_to_stop_waiting() {
    let mut desk = backed_up();
    let (console, sd, sd2) = copy_up_to(&mut desk, reader().up_to("CatReq "), writer().up_to("3010 "));
    assert_eq!(row(&desk, 3).1, 'R', "{}", desk.report(3));
    desk.world.await_dial(SECOND_STORAGE_PORT, errand("storage", "sd2-secret"));
    let (end, name) = (bad_end(&desk, 3), unique(&desk, 4));
    desk.world.say(sd, &end);
    assert_eq!(row(&desk, 3).1, 'f', "{}", desk.report(3));
    let why = "the reading storage daemon ended with status f and 1 error (T0573); the messages of that storage daemon";
    assert!(desk.report(3).contains(why), "{}", desk.report(3));
    let told = desk.world.heard(console + 3);
    assert!(told.contains(&format!("text cancel Job={name}\\n")), "{told:?}");
    // The writing one has its time to say how it ended.
    let end = bad_end(&desk, 4);
    desk.world.say(sd2, &end);
    assert_eq!((row(&desk, 4).0, row(&desk, 4).1), ('C', 'f'), "{}", desk.report(4));
    assert_eq!(row(&desk, 1), ('B', 'T', 0, 6, 1_043), "the original stays");
}

#[test]
fn a_writing_storage_daemon_that_fails_has_the_reading_one_told_to_stop() {
    let mut desk = backed_up();
    let (console, sd, sd2) = copy_up_to(&mut desk, reader().up_to("3099 "), writer().up_to("3010 "));
    desk.world.await_dial(STORAGE_PORT, errand("storage", "sd-secret"));
    let (end, name) = (bad_end(&desk, 4), unique(&desk, 3));
    desk.world.say(sd2, &end);
    assert_eq!(row(&desk, 4).1, 'f', "{}", desk.report(4));
    let told = desk.world.heard(console + 3);
    assert!(told.contains(&format!("text cancel Job={name}\\n")), "{told:?}");
    let end = bad_end(&desk, 3);
    desk.world.say(sd, &end);
    assert_eq!(row(&desk, 3).1, 'f', "{}", desk.report(3));
}

#[test]
fn a_cancelled_copy_says_of_both_storage_daemons_whether_they_have_confirmed() {
    let mut desk = backed_up();
    let (console, ..) = copy_up_to(&mut desk, reader().up_to("3099 "), writer().up_to("3010 "));
    desk.world.await_dial(STORAGE_PORT, errand("storage", "sd-secret"));
    desk.world.await_dial(SECOND_STORAGE_PORT, errand("storage", "sd2-secret"));
    let said = desk.ask(console, "cancel jobid=3");
    assert!(said.concat().contains("marked to be canceled"), "{said:?}");
    let confirm = |job| format!("text 3000 JobId={job} marked to be canceled.\\n");
    let peers = [console + 3, console + 4];
    for (peer, job) in peers.into_iter().zip([3, 4]) {
        desk.world.say(peer, &confirm(job));
        desk.world.say(peer, "signal -1");
        let told = desk.world.heard(console).concat();
        let both = "The storage daemon \"File1\" has confirmed.\\nThe storage daemon \"File2\" has confirmed.\\n";
        assert_eq!(told.contains(both), job == 4, "{told}");
    }
    // The other job of the copy is as good: the console hears of both at once, once it has waited long enough.
    let mut desk = backed_up();
    let (console, ..) = copy_up_to(&mut desk, reader().up_to("3099 "), writer().up_to("3010 "));
    desk.world.await_dial(STORAGE_PORT, errand("storage", "sd-secret"));
    desk.world.await_dial(SECOND_STORAGE_PORT, errand("storage", "sd2-secret"));
    desk.ask(console, "cancel jobid=4");
    desk.world.wait(Duration::from_secs(1));
    let told = desk.world.heard(console).concat();
    for storage in ["File1", "File2"] {
        assert!(told.contains(&format!("storage daemon \"{storage}\" has not confirmed yet")), "{told}");
    }
}

/// Puts good backups with these numbers into the catalog.
fn add_backups(desk: &Desk, numbers: std::ops::RangeInclusive<u32>) {
    for number in numbers {
        let mut shelf = desk.shelf();
        let mut ask = |request| shelf.catalog.serve(request).expect("an answer");
        let (job, name) = (format!("b.{number}"), "b".to_owned());
        let new = NewJob { job, name, job_type: b'B', level: b'F', ..NewJob::default() };
        assert_eq!(ask(CatalogRequest::CreateJob(new)), CatalogAnswer::Id(number));
        ask(CatalogRequest::StartJob(JobStart { job_id: number, pool_id: 1, ..JobStart::default() }));
        let (job_status, job_bytes) = (b'T', 1);
        let end = JobEnd { job_id: number, job_status, job_bytes, job_files: 1, end_time: 1, ..JobEnd::default() };
        ask(CatalogRequest::EndJob(Box::new(end)));
    }
}

#[test]
fn two_runs_of_a_copy_job_never_take_the_same_job() {
    let mut config = copying();
    config["director"]["maximum_concurrent_jobs"] = json!(10);
    let mut desk = Desk::with(config, MemoryCatalog::default());
    add_backups(&desk, 1..=3);
    let console = desk.console();
    // The control jobs stand still at the question for their originals, then at the one for the pieces.
    desk.shelf().slow = |request| matches!(request, CatalogRequest::ListJobs(_) | CatalogRequest::JobMediaOf { .. });
    desk.ask(console, "run job=copy yes");
    assert!(desk.report(4).contains("3 jobs of pool \"Full\" are selected."), "{}", desk.report(4));
    desk.ask(console, "cancel jobid=5");
    desk.ask(console, "run job=copy yes");
    // Two wait, and what the cancelled one had is free again.
    let second = desk.report(8);
    assert!(second.contains("1 job of pool \"Full\" is selected."), "{second}");
    assert!(second.contains("2 more are left out, because other jobs that have not ended take them."), "{second}");
    desk.ask(console, "run job=copy jobid=2 yes");
    for _ in 0..desk.world.kept.len() {
        let Work::Catalog(_, request) = &desk.world.kept[0].work else { panic!("a director has no disk") };
        let answer = desk.shelf().catalog.serve(request.clone());
        desk.world.answer(WorkDone::Catalog(answer));
    }
    let is_refused = |id: &u32| desk.report(*id).contains("job 2 is taken by JobId 6, which has not ended");
    assert_eq!((4..=10).filter(is_refused).collect::<Vec<_>>(), [10], "the one that was asked for by hand");
    assert_eq!((desk.status(6), desk.status(10)), ('C', 'f'));
}

#[test]
fn a_writing_job_that_gets_its_number_after_its_copy_was_cancelled_ends_as_well() {
    let mut desk = backed_up();
    let console = desk.console();
    desk.shelf().slow = |request| matches!(request, CatalogRequest::CreateJob(new) if new.job_type != b'c');
    desk.ask(console, "run job=copy jobid=1 yes");
    let asked = desk.world.kept.len();
    assert_eq!(asked, 1, "the number of the writing job");
    desk.ask(console, "cancel jobid=2");
    assert_eq!(row(&desk, 2).1, 'A', "{}", desk.report(2));
    desk.release();
    assert_eq!(row(&desk, 3).1, 'A');
    assert_eq!(desk.shelf().catalog.job_row(3).expect("the job").level, b'F');
}

/// Puts a volume of the first pool into the catalog, on which a job lies.
fn add_volume(desk: &Desk, job_id: u32, vol_status: VolStatus, last_written: i64) {
    let mut shelf = desk.shelf();
    let mut ask = |request| shelf.catalog.serve(request).expect("an answer");
    let volume = MediaRow {
        volume_name: format!("Vol-{job_id}"),
        pool_id: 1,
        storage_id: 1,
        media_type: "File1".to_owned(),
        vol_jobs: 1,
        vol_bytes: 1_000,
        last_written,
        vol_status,
        enabled: true,
        ..MediaRow::default()
    };
    let CatalogAnswer::Volume(Some(volume)) = ask(CatalogRequest::CreateMedia(Box::new(volume))) else {
        panic!("no volume")
    };
    let media_id = volume.media_id;
    ask(CatalogRequest::CreateJobMedia(JobMediaRow {
        job_id,
        media_id,
        first_index: 1,
        last_index: 1,
        ..JobMediaRow::default()
    }));
}

#[test]
fn copies_take_the_jobs_of_volumes_that_their_selection_means_and_no_more_than_it_says() {
    let rows: [(&str, Value, &str, &str); 5] = [
        ("volume", json!({ "selection_pattern": "[123]$" }), "Vol-1, Vol-3", "2 jobs of pool \"Full\" are"),
        ("oldest_volume", json!({}), "Vol-3", "1 job of pool \"Full\" is"),
        ("pool_occupancy", json!({}), "Vol-1, Vol-3", "2 jobs of pool \"Full\" are"),
        ("pool_time", json!({}), "Vol-1, Vol-3", "2 jobs of pool \"Full\" are"),
        ("pool_time", json!({ "max_concurrent_copies": 1 }), "Vol-1, Vol-3", "1 job of pool \"Full\" is"),
    ];
    for (selection, settings, volumes, count) in rows {
        let mut config = copying();
        (config["pools"][0]["migration_high_bytes"], config["pools"][0]["migration_low_bytes"]) =
            (json!(3_000), json!(1));
        let jobs = config["jobs"].as_array_mut().expect("jobs");
        let job = jobs.iter_mut().find(|job| job["name"] == "copy").expect("it").as_object_mut().expect("a job");
        job.insert("selection".to_owned(), json!(selection));
        job.extend(settings.as_object().expect("settings").clone());
        let mut desk = Desk::with(config, MemoryCatalog::default());
        add_backups(&desk, 1..=3);
        add_volume(&desk, 1, VolStatus::Full, 30);
        add_volume(&desk, 2, VolStatus::Append, 10);
        add_volume(&desk, 3, VolStatus::Used, 20);
        let console = desk.console();
        desk.ask(console, "run job=copy yes");
        let report = desk.report(4);
        assert!(report.contains(&format!("Jobs are selected on these volumes: {volumes}.")), "{selection}: {report}");
        assert!(report.contains(&format!("{count} selected.")), "{selection}: {report}");
        assert_eq!(report.contains("see max_concurrent_copies"), count.starts_with('1') && selection == "pool_time");
    }
}

#[test]
fn a_statement_selects_the_jobs_that_its_first_column_names_and_nothing_else() {
    for (cells, selected) in [(&["3", "1", "3"][..], true), (&["1", "b.2"], false)] {
        let mut config = copying();
        let jobs = config["jobs"].as_array_mut().expect("jobs");
        let job = jobs.iter_mut().find(|job| job["name"] == "copy").expect("it");
        (job["selection"], job["selection_pattern"]) = (json!("sql_query"), json!("SELECT JobId FROM Job"));
        let mut desk = Desk::with(config, MemoryCatalog::default());
        add_backups(&desk, 1..=3);
        let console = desk.console();
        desk.shelf().slow = |request| matches!(request, CatalogRequest::List(Listing::Query { .. }));
        desk.ask(console, "run job=copy yes");
        let statement = Listing::Query { sql: "SELECT JobId FROM Job".to_owned(), limit: 10_001 };
        assert_eq!(desk.shelf().asked.last(), Some(&CatalogRequest::List(statement)));
        let rows = cells.iter().map(|cell| vec![(*cell).to_owned()]).collect();
        let table = Listed::Table { heads: vec!["jobid".to_owned()], rows };
        desk.world.answer(WorkDone::Catalog(Ok(CatalogAnswer::Listed(table))));
        let report = desk.report(4);
        let text = if selected { "2 jobs of pool \"Full\" are selected." } else { "is no JobId: \"b.2\" (T0906)" };
        assert!(report.contains(text), "{report}");
        let originals: Vec<u32> = desk
            .shelf()
            .asked
            .iter()
            .filter_map(|request| match request {
                CatalogRequest::ListJobs(filter) => filter.job_id,
                _ => None,
            })
            .collect();
        assert_eq!(originals, if selected { vec![1, 3] } else { Vec::new() });
    }
}

#[test]
fn jobs_to_copy_are_asked_for_page_by_page_and_a_named_one_alone() {
    let mut config = copying();
    let jobs = config["jobs"].as_array_mut().expect("jobs");
    jobs.iter_mut().find(|job| job["name"] == "copy").expect("it")["select_jobs"] = json!("nothing-*");
    let mut desk = Desk::with(config, MemoryCatalog::default());
    add_backups(&desk, 1..=250);
    let console = desk.console();
    desk.ask(console, "run job=copy yes");
    assert!(desk.report(251).contains("0 jobs of pool \"Full\" are selected."), "{}", desk.report(251));
    let page = |request: &CatalogRequest| match request {
        CatalogRequest::JobsToCopy { pool_id: 1, uncopied: true, after, limit: 100 } => Some(*after),
        _ => None,
    };
    assert_eq!(desk.shelf().asked.iter().filter_map(page).collect::<Vec<_>>(), [0, 100, 200]);
    desk.shelf().asked.clear();
    desk.ask(console, "run job=copy jobid=7 yes");
    let lists = |request: &CatalogRequest| match request {
        CatalogRequest::ListJobs(filter) => Some((filter.limit, filter.job_id)),
        _ => None,
    };
    assert_eq!(desk.shelf().asked.iter().filter_map(lists).collect::<Vec<_>>(), [(1, Some(7))]);
    assert!(desk.report(252).contains("on which volume the files of job 7"), "{}", desk.report(252));
    // None of the 250 ever started by its clock: no duration is shown.
    let listed = desk.ask(console, "list jobs jobid=7").concat();
    assert!(listed.contains("| b    |") && !listed.contains(":00"), "{listed}");
}
