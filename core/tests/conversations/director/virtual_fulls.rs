//! Virtual fulls and consolidations, with a storage daemon that is led by hand (`wire/3 §1.7`, `§7.8`).

use serde_json::{Value, json};
use towline_core::catalog::memory::MemoryCatalog;
use towline_core::catalog::{
    CatalogAnswer, CatalogRequest, JobEnd, JobMediaRow, JobStart, MediaRow, NewJob, UpdCatBatch, VolStatus,
};
use towline_core::wire::catalog::CatalogUpdate;

use super::desk::{Desk, STORAGE_PORT, config, errand};
use crate::support::roles::SECOND_STORAGE_PORT;
use crate::support::world::PeerId;

const KEY: &str = "DJFK-CCCF-FLNE-JBIH-NMCJ-NHGC-COAJ-PPMF";
/// The second of the desk's clock at which the first backup began.
const BEGAN: i64 = 1_795_430_000;

/// The configuration of the recordings with a pool for virtual fulls on another device of the storage daemon.
fn joining(settings: &Value) -> Value {
    let mut config = config();
    let second = json!({ "name": "File1b", "address": "127.0.0.1", "port": STORAGE_PORT, "password": "sd-secret",
                         "device": "FileStorage1b", "media_type": "File1", "maximum_concurrent_jobs": 10 });
    config["storages"].as_array_mut().expect("storages").push(second);
    config["pools"][0]["next_pool"] = json!("Joined");
    let joined = json!({ "name": "Joined", "label_format": "Joined-", "storage": "File1b" });
    config["pools"].as_array_mut().expect("pools").push(joined);
    let mut consolidate = config["jobs"][0].clone();
    (consolidate["name"], consolidate["kind"]) = (json!("consolidate"), json!("consolidate"));
    consolidate["priority"] = json!(10);
    config["jobs"].as_array_mut().expect("jobs").push(consolidate);
    let job = config["jobs"][0].as_object_mut().expect("a job");
    job.insert("accurate".to_owned(), json!(true));
    job.extend(settings.as_object().expect("settings").clone());
    config
}

fn ask(desk: &Desk, request: CatalogRequest) -> CatalogAnswer {
    desk.shelf().catalog.serve(request).expect("an answer")
}

/// A row for the catalog: type and name of a file of this number.
fn attributes(index: i32, kind: u8, name: &str) -> Vec<u8> {
    let record = format!("{index} {kind} {name}\0P4A nyXJ IGk B A A A M BAA I BrBDUy BrBDUy BrBDUy A A C\0\0\0{}\0", 0);
    let (data, file_index) = (record.as_bytes(), index);
    let mut payload = Vec::new();
    CatalogUpdate { job: b"j", session_id: 1, session_time: 1, file_index, stream: 1, data }.put(&mut payload);
    payload
}

/// The same, and the storage for virtual fulls is of another storage daemon.
fn apart() -> Value {
    let mut config = joining(&json!({}));
    let storage = config["storages"][1].as_object_mut().expect("the second storage");
    storage.extend(
        json!({ "port": SECOND_STORAGE_PORT, "password": "sd2-secret", "device": "FileStorage2", "media_type": "File2" })
            .as_object()
            .expect("settings")
            .clone(),
    );
    config
}

/// Puts a good backup with these files into the catalog, which began a second after the one before.
fn back_up(desk: &Desk, level: u8, files: &[(u8, &str)]) -> u32 {
    back_up_to(desk, 1, level, files)
}

/// The same on the storage with this number.
fn back_up_to(desk: &Desk, storage_id: u32, level: u8, files: &[(u8, &str)]) -> u32 {
    let nth = (1..).find(|id| desk.shelf().catalog.job_row(*id).is_none()).expect("a free number");
    let CatalogAnswer::Id(job_id) = ask(
        desk,
        CatalogRequest::CreateJob(NewJob {
            job: format!("backup-tiny.{nth}"),
            name: "backup-tiny".to_owned(),
            job_type: b'B',
            level,
            client_id: 1,
            ..NewJob::default()
        }),
    ) else {
        panic!("no number")
    };
    let start_time = BEGAN + i64::from(job_id);
    let start = JobStart {
        job_id,
        job_status: b'R',
        level,
        start_time,
        client_id: 1,
        pool_id: 1,
        file_set_id: 1,
        vol_session_id: job_id,
        vol_session_time: 7,
    };
    ask(desk, CatalogRequest::StartJob(start));
    let mut batch = UpdCatBatch::new();
    for (index, (kind, name)) in (1..).zip(files) {
        batch.push(&attributes(index, *kind, name));
    }
    ask(desk, CatalogRequest::InsertFiles { job_id, batch });
    let volume = MediaRow {
        volume_name: format!("Full-{job_id:04}"),
        pool_id: 1,
        storage_id,
        media_type: "File1".to_owned(),
        vol_bytes: 1_000,
        vol_status: VolStatus::Full,
        enabled: true,
        ..MediaRow::default()
    };
    let CatalogAnswer::Volume(Some(volume)) = ask(desk, CatalogRequest::CreateMedia(Box::new(volume))) else {
        panic!("no volume")
    };
    let job_files = u32::try_from(files.len()).expect("few files");
    let (media_id, end_block) = (volume.media_id, 999);
    let piece = JobMediaRow {
        job_id,
        media_id,
        first_index: 1,
        last_index: job_files,
        start_block: 188,
        end_block,
        ..Default::default()
    };
    ask(desk, CatalogRequest::CreateJobMedia(piece));
    let end = JobEnd {
        job_id,
        job_status: b'T',
        level,
        end_time: start_time,
        real_end_time: start_time,
        client_id: 1,
        pool_id: 1,
        file_set_id: 1,
        vol_session_id: job_id,
        vol_session_time: 7,
        job_files,
        ..JobEnd::default()
    };
    ask(desk, CatalogRequest::EndJob(Box::new(end)));
    job_id
}

const FULL: &[(u8, &str)] = &[(3, "/a"), (3, "/b"), (3, "/gone")];
const INCREMENTAL: &[(u8, &str)] = &[(3, "/b"), (23, "/gone"), (3, "/new")];

/// A desk with a full backup and an incremental one.
fn desk(settings: &Value) -> Desk {
    let desk = Desk::with(joining(settings), MemoryCatalog::default());
    assert_eq!((back_up(&desk, b'F', FULL), back_up(&desk, b'I', INCREMENTAL)), (1, 2));
    desk
}

/// Orders a job; the storage daemon answers up to `run`. Returns what it heard before each answer, and its peer.
fn lead(desk: &mut Desk, order: &str) -> (Vec<String>, PeerId) {
    desk.world.await_dial(STORAGE_PORT, errand("storage", "sd-secret"));
    let console = desk.console();
    let said = desk.ask(console, order);
    assert!(said.concat().contains("Job queued"), "{said:?}");
    let sd = console + 1;
    let mut heard = Vec::new();
    for answer in [
        format!("3000 OK Job SDid=9 SDtime=1795438888 Authorization={KEY}\\n"),
        "3000 OK bootstrap\\n".to_owned(),
        "2000 OK SDSecureEraseCmd *None* \\n".to_owned(),
        "3000 OK use device device=FileStorage1\\n".to_owned(),
        "3000 OK use device device=JustInTime\\x01Device\\n".to_owned(),
    ] {
        heard.push(desk.world.heard(sd).concat());
        desk.world.say(sd, &format!("text {answer}"));
    }
    heard.push(desk.world.heard(sd).concat());
    (heard, sd)
}

/// The storage daemon has written so many files of a job.
fn end(desk: &mut Desk, sd: PeerId, job_id: u32, files: u32) {
    let unique = desk.shelf().catalog.job_row(job_id).expect("the job").job.clone();
    let line = format!("text 3099 Job {unique} end JobStatus=84 JobFiles={files} JobBytes=700 JobErrors=0\\n");
    desk.world.say(sd, &line);
}

/// Type, level and state of a job.
fn row(desk: &Desk, job_id: u32) -> String {
    let row = desk.shelf().catalog.job_row(job_id).expect("the job").clone();
    [row.job_type, row.level, row.job_status].map(char::from).iter().collect()
}

#[test]
fn a_virtual_full_is_read_and_written_by_one_storage_daemon_without_the_client() {
    let mut desk = desk(&json!({}));
    let (heard, sd) = lead(&mut desk, "run job=backup-tiny level=VirtualFull yes");
    let [job, bootstrap, erase, read, append, run] = &heard[..] else { panic!("{heard:?}") };
    assert!(job.contains("JobId=3 ") && job.contains(" type=66 level=102 "), "{job}");
    // The newest version of each file, of the jobs in their order, with the device that each volume lies on.
    let of = |id: u32, indexes: &str, count: u32| {
        format!(
            "text Storage=\"File1\"\\ntext Volume=\"Full-000{id}\"\\ntext MediaType=\"File1\"\\n\
             text Device=\"FileStorage1\"\\ntext VolSessionId={id}\\ntext VolSessionTime=7\\ntext VolAddr=188-999\\n\
             {indexes}text Count={count}\\n"
        )
    };
    let first = of(1, "text FileIndex=1\\n", 1);
    let second = of(2, "text FileIndex=1\\ntext FileIndex=3\\n", 2);
    assert!(bootstrap.contains(&format!("{first}{second}")), "{bootstrap}");
    assert!(erase.contains("getSecureEraseCmd"), "{erase}");
    let uses = "text use storage=File1 media_type=File1 pool_name=Full pool_type=Backup append=0 copy=0 stripe=0\\n";
    assert!(read.contains(&format!("{uses}text use device=FileStorage1\\n")), "{read}");
    let uses = "text use storage=File1b media_type=File1 pool_name=Joined pool_type=Backup append=1 copy=0 stripe=0\\n";
    assert!(append.contains(&format!("{uses}text use device=FileStorage1b\\n")), "{append}");
    assert!(run.contains("text run"), "{run}");
    assert_eq!(row(&desk, 3), "BfR");
    // Volumes are those of the next pool.
    desk.world.say(sd, "text CatReq Job=x FindMedia=1 pool_name=Joined media_type=File1 unwanted_volumes=\\n");
    let found = desk.world.heard(sd).concat();
    assert!(found.contains("VolName=Joined-"), "{found}");
    end(&mut desk, sd, 3, 3);
    assert_eq!(row(&desk, 3), "BFT", "{}", desk.report(3));
    let shelf = desk.shelf();
    let (last, made) = (shelf.catalog.job_row(2).unwrap(), shelf.catalog.job_row(3).unwrap());
    assert_eq!((made.start_time, made.end_time, made.job_t_date), (last.start_time, last.end_time, last.job_t_date));
    assert_eq!((made.place(), made.prior_job_id, made.job_files, made.pool_id), (2, 0, 3, 2));
    assert_eq!((made.vol_session_id, made.vol_session_time), (9, 1_795_438_888));
}

#[test]
fn a_virtual_full_that_lacks_a_file_fails_and_keeps_what_it_was_made_of() {
    let always = json!({ "always_incremental": true, "always_incremental_job_retention": 1 });
    let mut desk = desk(&always);
    let (_, sd) = lead(&mut desk, "run job=backup-tiny level=virtualfull jobid=2,1 yes");
    end(&mut desk, sd, 3, 2);
    assert_eq!(row(&desk, 3), "Bff", "it keeps its level, with which nothing builds on it");
    assert!(desk.report(3).contains("2 of the 3 files of the virtual full were written (T0886)"), "{}", desk.report(3));
    assert_eq!((row(&desk, 1), row(&desk, 2)), ("BFT".to_owned(), "BIT".to_owned()));
}

#[test]
fn what_named_jobs_say_of_deleted_files_goes_into_the_virtual_full_and_they_are_purged() {
    let always = json!({ "always_incremental": true, "always_incremental_job_retention": 1 });
    let mut desk = desk(&always);
    assert_eq!(back_up(&desk, b'I', &[(23, "/a"), (3, "/newer")]), 3);
    let (heard, sd) = lead(&mut desk, "run job=backup-tiny level=virtualfull jobid=2,3 yes");
    assert!(!heard[1].contains("Full-0001"), "{heard:?}");
    end(&mut desk, sd, 4, 3);
    assert_eq!(row(&desk, 4), "BIT", "{}", desk.report(4));
    assert!(desk.report(4).contains("JobIds 2,3 are purged: this job stands for them."), "{}", desk.report(4));
    let shelf = desk.shelf();
    assert!(shelf.catalog.job_row(2).is_none() && shelf.catalog.job_row(3).is_none());
    let mut gone: Vec<_> =
        shelf.catalog.file_rows(4).filter(|row| row.file_index == 0).map(|row| row.name.clone()).collect();
    gone.sort();
    assert_eq!(gone, [b"/a".to_vec(), b"/gone".to_vec()]);
}

#[test]
fn a_virtual_full_that_cannot_be_made_is_refused_before_a_storage_daemon_is_dialled() {
    let refused = |settings: &Value, order: &str, why: &str| {
        let mut desk = desk(settings);
        desk.shelf().catalog.serve(CatalogRequest::PurgeFiles(if why == "T0883" { vec![1] } else { vec![] })).unwrap();
        let console = desk.console();
        desk.ask(console, order);
        assert!(desk.report(3).contains(why), "{why}: {}", desk.report(3));
        assert_eq!(row(&desk, 3), "Bff");
    };
    let plain = json!({});
    refused(
        &plain,
        "run job=backup-tiny level=virtualfull jobid=1,7 yes",
        "job 7 is no backup of client \"bareos-fd\"",
    );
    refused(&plain, "run job=backup-tiny level=virtualfull yes", "T0883");
    refused(&json!({ "always_incremental": true }), "run job=backup-tiny level=virtualfull yes", "(T0881)");
    let mut desk = Desk::with(joining(&plain), MemoryCatalog::default());
    let console = desk.console();
    desk.ask(console, "run job=backup-tiny level=virtualfull yes");
    assert!(desk.report(1).contains("(T0880)"), "{}", desk.report(1));
    let mut desk = Desk::with(apart(), MemoryCatalog::default());
    back_up_to(&desk, 2, b'F', FULL);
    back_up(&desk, b'I', INCREMENTAL);
    let console = desk.console();
    desk.ask(console, "run job=backup-tiny level=virtualfull yes");
    let why = "the backups lie on storage \"File1b\" and storage \"File1\" of different storage daemons";
    assert!(desk.report(3).contains(why) && desk.report(3).contains("(T0885)"), "{}", desk.report(3));
    let said = |desk: &mut Desk, order: &str| desk.ask(console, order).concat();
    assert!(said(&mut desk, "run job=backup-tiny level=virtualfull jobid=1,x yes").contains("numbers of jobs"));
    assert!(said(&mut desk, "run job=backup-tiny level=full jobid=1 yes").contains("jobid= needs the number"));
    assert!(said(&mut desk, "estimate job=backup-tiny level=virtualfull").contains("nothing to estimate"));
}

#[test]
fn an_incremental_whose_full_is_too_old_becomes_a_virtual_full() {
    let mut desk = desk(&json!({ "max_virtual_full_interval": 60, "level": "incremental" }));
    let (heard, sd) = lead(&mut desk, "run job=backup-tiny yes");
    assert!(heard[0].contains(" type=66 level=102 "), "{heard:?}");
    end(&mut desk, sd, 3, 3);
    assert_eq!(row(&desk, 3), "BFT", "{}", desk.report(3));
    assert!(desk.report(3).contains("The last Full backup is too old. Doing a Virtual Full backup."));
}

#[test]
fn a_consolidation_orders_a_virtual_full_of_the_oldest_and_no_second_one() {
    let always = json!({ "always_incremental": true, "always_incremental_job_retention": 1,
                         "always_incremental_keep_number": 1 });
    let mut desk = desk(&always);
    assert_eq!(back_up(&desk, b'I', &[]), 3, "an empty one");
    assert_eq!(back_up(&desk, b'I', &[(3, "/newer")]), 4);
    assert_eq!(back_up(&desk, b'I', &[(3, "/newest")]), 5);
    let (heard, sd) = lead(&mut desk, "run job=consolidate yes");
    let report = desk.report(6);
    let text = "Job \"backup-tiny\": JobIds 1,2,4 are taken together: the full backup is taken too. JobIds 3 have no files \
                and are purged.";
    assert!(report.contains(text), "{report}");
    assert_eq!(row(&desk, 6), "O T");
    assert!(desk.shelf().catalog.job_row(3).is_none());
    assert!(heard[0].contains("JobId=7 ") && heard[0].contains("level=102"), "{heard:?}");
    // While it runs another consolidation would take the same.
    let console = desk.console();
    desk.ask(console, "run job=consolidate yes");
    let report = desk.report(8);
    assert!(report.contains("A virtual full of job \"backup-tiny\", JobId 7, has not ended"), "{report}");
    desk.ask(console, "run job=backup-tiny level=virtualfull jobid=1,2 yes");
    assert!(desk.report(9).contains("(T0887)") && row(&desk, 9).ends_with('A'), "{}", desk.report(9));
    end(&mut desk, sd, 7, 4);
    assert_eq!(row(&desk, 7), "BFT", "{}", desk.report(7));
    assert!(desk.shelf().catalog.job_row(4).is_none() && desk.shelf().catalog.job_row(5).is_some());
}

/// Orders a virtual full that one storage daemon reads and another writes, and leads both to their data. Returns the console,
/// the peer that writes and the one that reads.
fn lead_apart(desk: &mut Desk) -> [PeerId; 3] {
    desk.world.await_dial(STORAGE_PORT, errand("storage", "sd-secret"));
    desk.world.await_dial(SECOND_STORAGE_PORT, errand("storage", "sd2-secret"));
    let console = desk.console();
    desk.ask(console, "run job=backup-tiny level=virtualfull yes");
    let (writer, reader) = (console + 1, console + 2);
    let mut says = |peer: PeerId, wanted: &str, answer: &str| {
        let heard = desk.world.heard(peer).concat();
        assert!(heard.contains(wanted), "{wanted}: {heard}");
        desk.world.say(peer, &format!("text {answer}\\n"));
    };
    let accepted = |id: u32| format!("3000 OK Job SDid={id} SDtime=1795438888 Authorization={KEY}");
    // The label on the volume is that of a full backup.
    says(writer, "JobId=3 job=backup-tiny.", &accepted(9));
    says(writer, "getSecureEraseCmd", "2000 OK SDSecureEraseCmd *None* ");
    let uses = "text use storage=File1b media_type=File2 pool_name=Joined pool_type=Backup append=1 copy=0 stripe=0\\n";
    says(writer, uses, "3000 OK use device device=JustInTime\\x01Device");
    says(reader, "JobId=4 job=backup-tiny.", &accepted(5));
    says(reader, "Volume=\"Full-0002\"", "3000 OK bootstrap");
    says(reader, "getSecureEraseCmd", "2000 OK SDSecureEraseCmd *None* ");
    let uses = "text use storage=File1 media_type=File1 pool_name=Full pool_type=Backup append=0 copy=0 stripe=0\\n";
    says(reader, uses, "3000 OK use device device=FileStorage1");
    assert!(desk.world.heard(writer).concat().contains("text listen"));
    let replicate = desk.world.heard(reader).concat();
    let job = desk.shelf().catalog.job_row(3).expect("the job").job.clone();
    let order = format!(
        "text replicate JobId=3 Job={job} address=127.0.0.1 port={SECOND_STORAGE_PORT} ssl=0 Authorization={KEY}\\n"
    );
    assert!(replicate.contains(&order), "{replicate}");
    desk.world.say(reader, "text 3000 OK replicate\\n");
    assert!(desk.world.heard(reader).concat().contains("text run"));
    [console, writer, reader]
}

/// A desk with a full backup and an incremental one, and a second storage daemon.
fn desk_of_two() -> Desk {
    let desk = Desk::with(apart(), MemoryCatalog::default());
    assert_eq!((back_up(&desk, b'F', FULL), back_up(&desk, b'I', INCREMENTAL)), (1, 2));
    desk
}

#[test]
fn a_virtual_full_is_read_by_one_storage_daemon_and_written_by_another() {
    let mut desk = desk_of_two();
    let [_, writer, reader] = lead_apart(&mut desk);
    assert_eq!((row(&desk, 3), row(&desk, 4)), ("BfR".to_owned(), "cfR".to_owned()));
    desk.world.say(writer, "text CatReq Job=x FindMedia=1 pool_name=Joined media_type=File2 unwanted_volumes=\\n");
    let found = desk.world.heard(writer).concat();
    assert!(found.contains("VolName=Joined-"), "{found}");
    desk.world.say(reader, "text CatReq Job=x GetVolInfo VolName=Full-0001 write=0\\n");
    let found = desk.world.heard(reader).concat();
    assert!(found.contains("VolName=Full-0001"), "{found}");
    end(&mut desk, reader, 4, 3);
    assert_eq!((row(&desk, 3), row(&desk, 4)), ("BfR".to_owned(), "cfR".to_owned()), "the writing one goes on");
    end(&mut desk, writer, 3, 3);
    assert_eq!(row(&desk, 3), "BFT", "{}", desk.report(3));
    assert_eq!(row(&desk, 4), "cfT", "{}", desk.report(4));
    let shelf = desk.shelf();
    let (made, read) = (shelf.catalog.job_row(3).unwrap(), shelf.catalog.job_row(4).unwrap());
    assert_eq!((made.job_files, made.pool_id, made.vol_session_id), (3, 2, 9));
    assert_eq!((read.prior_job_id, read.job_files), (3, 0));
    assert_eq!(made.start_time, shelf.catalog.job_row(2).unwrap().start_time);
}

#[test]
fn a_virtual_full_fails_with_the_storage_daemon_that_reads_for_it_and_the_writing_one_is_told_to_stop() {
    let mut desk = desk_of_two();
    let [console, writer, reader] = lead_apart(&mut desk);
    desk.world.await_dial(SECOND_STORAGE_PORT, errand("storage", "sd2-secret"));
    let name = |id: u32| desk.shelf().catalog.job_row(id).expect("the job").job.clone();
    let (made, read) = (name(3), name(4));
    let bad = |name: &str| format!("text 3099 Job {name} end JobStatus=102 JobFiles=0 JobBytes=0 JobErrors=1\\n");
    desk.world.say(reader, &bad(&read));
    assert_eq!(row(&desk, 4), "cff", "{}", desk.report(4));
    let why = "the reading storage daemon ended with status f and 1 error (T0573)";
    assert!(desk.report(4).contains(why), "{}", desk.report(4));
    let told = desk.world.heard(console + 3);
    assert!(told.contains(&format!("text cancel Job={made}\\n")), "{told:?}");
    desk.world.say(writer, &bad(&made));
    assert_eq!(row(&desk, 3), "Bff", "{}", desk.report(3));
    assert!(desk.report(3).contains("the job that goes with it, JobId 4, has failed (T0591)"), "{}", desk.report(3));
    assert_eq!((row(&desk, 1), row(&desk, 2)), ("BFT".to_owned(), "BIT".to_owned()));
}

#[test]
fn a_virtual_full_with_fewer_files_than_were_read_for_it_fails_and_the_job_that_read_with_it() {
    let mut desk = desk_of_two();
    let [_, writer, reader] = lead_apart(&mut desk);
    end(&mut desk, writer, 3, 2);
    end(&mut desk, reader, 4, 3);
    assert_eq!(row(&desk, 3), "Bff");
    assert!(desk.report(3).contains("2 of the 3 files of the virtual full were written (T0886)"), "{}", desk.report(3));
    assert_eq!(row(&desk, 4), "cff", "{}", desk.report(4));
}

#[test]
fn cancelling_a_virtual_full_stops_both_storage_daemons() {
    let mut desk = desk_of_two();
    let [console, writer, reader] = lead_apart(&mut desk);
    desk.world.await_dial(SECOND_STORAGE_PORT, errand("storage", "sd2-secret"));
    desk.world.await_dial(STORAGE_PORT, errand("storage", "sd-secret"));
    let name = |id: u32| desk.shelf().catalog.job_row(id).expect("the job").job.clone();
    let (made, read) = (name(3), name(4));
    desk.ask(console, "cancel jobid=3");
    let told = [desk.world.heard(console + 3).concat(), desk.world.heard(console + 4).concat()].concat();
    for name in [&made, &read] {
        assert!(told.contains(&format!("text cancel Job={name}\\n")), "{told}");
    }
    let ends = |name: &str| format!("text 3099 Job {name} end JobStatus=65 JobFiles=0 JobBytes=0 JobErrors=0\\n");
    desk.world.say(reader, &ends(&read));
    desk.world.say(writer, &ends(&made));
    assert_eq!((row(&desk, 3), row(&desk, 4)), ("BfA".to_owned(), "cfA".to_owned()), "{}", desk.report(4));
}
