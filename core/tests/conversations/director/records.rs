//! What a console changes of the catalog's rows and hears of them: volumes, jobs, pools, storages, subscriptions.

use towline_core::catalog::{CatalogAnswer, CatalogRequest, MediaRow, PoolRow, VolStatus};

use super::desk::Desk;
use super::dialogues::saved;

#[test]
fn a_job_is_corrected_and_a_pool_and_a_storage_that_are_used_no_more_are_deleted() {
    let mut desk = Desk::open();
    let console = saved(&mut desk);
    let before = desk.shelf().catalog.job_row(1).expect("the job").clone();
    let said = desk.ask(console, "update jobid=1 jobname=other jobtype=A starttime=\"2026-11-23 12:00:00\"").concat();
    assert!(said.contains("The record of JobId 1 is updated."), "{said}");
    let row = desk.shelf().catalog.job_row(1).expect("the job").clone();
    assert_eq!((&row.name[..], row.job_type), ("other", b'A'));
    let moved = row.start_time - before.start_time;
    assert!(moved != 0 && row.end_time == before.end_time + moved && row.sched_time == before.sched_time + moved);
    assert_eq!(row.real_end_time, before.real_end_time);
    // Rows of resources that the configuration has no more.
    let ask = |desk: &Desk, request| desk.shelf().catalog.serve(request).expect("an answer");
    let pool = PoolRow { name: "Old".to_owned(), ..PoolRow::default() };
    let CatalogAnswer::Id(pool_id) = ask(&desk, CatalogRequest::EnsurePool(Box::new(pool))) else {
        panic!("no number")
    };
    let storage = CatalogRequest::EnsureStorage { name: "Gone".to_owned(), auto_changer: false };
    let CatalogAnswer::Id(storage_id) = ask(&desk, storage) else { panic!("no number") };
    let volume = MediaRow { volume_name: "Last".to_owned(), pool_id, storage_id, ..MediaRow::default() };
    ask(&desk, CatalogRequest::CreateMedia(Box::new(volume)));
    for (line, words) in [
        ("delete pool=Old yes", "Volumes belong to pool \"Old\": it stays in the catalog."),
        ("delete storage=Gone", "Volumes belong to storage \"Gone\": it stays in the catalog."),
        ("delete volume=Last yes", "Volume Last deleted."),
        ("delete pool=Old yes", "Pool Old deleted."),
        ("delete storage=Gone", "Found 1 orphaned Storage records.\\nDeleting 1 orphaned storage record(s)."),
        ("delete storage=Gone", "Found 0 orphaned Storage records."),
    ] {
        let said = desk.ask(console, line).concat().replace("\\ntext ", "\\n");
        assert!(said.contains(words), "{line}: {said}");
    }
}

#[test]
fn a_director_that_is_started_again_still_shows_the_jobs_that_ended_before() {
    let mut before = Desk::open();
    saved(&mut before);
    let catalog = before.shelf().catalog.clone();
    let mut desk = Desk::with(super::desk::config(), catalog);
    let console = desk.console();
    let said = desk.ask(console, "status director").concat();
    let ended = said.split_once("Terminated Jobs:").expect("the list").1;
    assert!(ended.contains("Full") && ended.contains(" OK "), "{said}");
}

#[test]
fn what_a_real_director_says_of_subscriptions_is_said_of_clients_and_plugins() {
    let mut desk = Desk::open();
    let console = saved(&mut desk);
    for (line, words) in [
        ("status subscriptions", "| bareos-fd | none (file data) |     1 |    0.00 |\\n| TOTAL     |"),
        ("status subscriptions", " accounting_mode: volume-based (1 volume-based units >= 1 count-based units)\\n"),
        ("status subscriptions", "            used: 1\\n      configured: 0\\n       remaining: -1\\n"),
        ("status subscriptions clients", "Backup unit report aggregated by client:\\n"),
        ("status subscriptions plugins", "Backup unit report aggregated by plugin:\\n"),
        ("status subscriptions all anonymize", "| Client 1 |"),
        ("status subscriptions client=bareos-fd", "Detailed backup unit report for client 'bareos-fd':\\n"),
        ("status subscriptions detail", "Parameter 'detail' ignored. This is now the default.\\n"),
        ("status plugins", "plugins is said of subscriptions: status subscriptions plugins."),
    ] {
        let said = desk.ask(console, line).concat().replace("\\ntext ", "\\n");
        assert!(said.contains(words), "{line}: {said}");
    }
}

#[test]
fn a_volume_is_changed_from_a_menu_until_that_is_done() {
    let mut desk = Desk::open();
    let console = saved(&mut desk);
    desk.ask(console, "update volume");
    for (line, words) in [
        ("2", "Enter *MediaId or Volume name: "),
        ("*1", "Updating Volume \"Full-0001\"\\nCurrent retention period is: "),
        ("30 days", "New retention period is: 1 month \\n"),
        // The menu is there again, and asks for the volume again.
        ("1", "Enter *MediaId or Volume name: "),
        ("Full-0001", "Possible Values are:\\n1: Append\\n2: Archive\\n"),
        ("Used", "New Volume status is: Used\\n"),
        ("19", "Selection terminated."),
    ] {
        let said = desk.ask(console, line).concat().replace("\\ntext ", "\\n");
        assert!(said.contains(words), "{line}: {said}");
    }
    desk.ask(console, "update volume=Full-0001");
    for (line, words) in [
        ("10", "Enter new number of Files for Volume: "),
        ("5", "Normally, you should only increase Volume Files by one!\\n"),
        ("yes", "New Volume Files is: 5\\n"),
        ("10", "Current Volume Files is: 5\\n"),
        ("6", "New Volume Files is: 6\\n"),
        ("17", "Current ActionOnPurge is: None\\n"),
        ("Truncate", "New ActionOnPurge is: Truncate\\n"),
        ("7", "Current recycle flag is: yes\\n"),
        ("no", "New Recycle flag is: no\\n"),
        ("12", "Volume defaults updated from \"Full\" Pool record.\\n"),
    ] {
        let said = desk.ask(console, line).concat().replace("\\ntext ", "\\n");
        assert!(said.contains(words), "{line}: {said}");
    }
    let shelf = desk.shelf();
    let row = shelf.catalog.volume("Full-0001").expect("the volume");
    assert_eq!((row.vol_files, row.action_on_purge, row.recycle, row.vol_status), (6, 0, true, VolStatus::Used));
}

#[test]
fn a_volume_is_changed_by_words_and_all_of_a_pool_at_once() {
    let mut desk = Desk::open();
    let console = saved(&mut desk);
    let line = "update volume=Full-0001 volretention=1d voluse=\"2 days\" maxvoljobs=3 maxvolfiles=4 maxvolbytes=5g slot=6 \
                inchanger=yes enabled=0 recyclepool=Full actiononpurge=truncate storage=File1";
    let said = desk.ask(console, line).concat().replace("\\ntext ", "\\n");
    for words in [
        "New retention period is: 1 day ",
        "New use duration is: 2 days ",
        "New max jobs is: 3",
        "New max files is: 4",
        "New Max bytes is: 5368709120",
        "New InChanger flag is: yes",
        "New Slot is: 6",
        "New Enabled is: 0",
        "New RecyclePool is: Full",
        "New ActionOnPurge is: Truncate",
        "New Storage is: File1",
    ] {
        assert!(said.contains(words), "{words}: {said}");
    }
    let row = |desk: &Desk| desk.shelf().catalog.volume("Full-0001").expect("the volume").clone();
    let found = row(&desk);
    assert_eq!((found.vol_use_duration, found.max_vol_files, found.slot), (172_800, 4, 6));
    assert_eq!((found.in_changer, found.enabled, found.recycle_pool_id, found.action_on_purge), (true, false, 1, 1));
    for (line, words) in [
        ("update volume=*1 recyclepool=\"\"", "New RecyclePool is: *None*"),
        ("update media=Full-0001 frompool", "Volume defaults updated from \"Full\" Pool record."),
        ("update volume=Full-0001 voluse=3d", "New use duration is: 3 days"),
        ("update volume allfrompool=Full", "All Volume defaults updated from \"Full\" Pool record."),
        ("update volume=Full-0001 actiononpurge=burn", "actiononpurge=burn: expected truncate or none"),
        ("update volume=Full-0001 storage=nosuch", "nosuch"),
        ("update volume=*99 slot=1", "There is no volume \"*99\"."),
        ("update volume=Full-0001 maxvoljobs=9", "New max jobs is: 9"),
        ("update volume fromallpools", "All Volume defaults updated from \"Full\" Pool record."),
    ] {
        let said = desk.ask(console, line).concat().replace("\\ntext ", "\\n");
        assert!(said.contains(words), "{line}: {said}");
    }
    let found = row(&desk);
    assert_eq!((found.vol_use_duration, found.max_vol_jobs, found.recycle_pool_id), (0, 0, 0));
    assert_eq!((found.slot, found.enabled), (6, false), "that is the volume's own");
}
