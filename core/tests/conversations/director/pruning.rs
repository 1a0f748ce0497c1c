//! What goes out of the catalog because a person says so: by its age, at once, by its number.

use towline_core::catalog::{CatalogAnswer, CatalogRequest, JobEnd, JobStart, NewJob};

use super::desk::Desk;
use super::dialogues::saved;

/// One more good Full of the same client and fileset, which ended at a moment.
fn another_full(desk: &Desk, ended: i64) {
    let (client_id, file_set_id) = (1, 1);
    let new = NewJob {
        job: "again".into(),
        name: "backup-tiny".into(),
        job_type: b'B',
        level: b'F',
        client_id,
        ..NewJob::default()
    };
    let catalog = &mut desk.shelf().catalog;
    let Ok(CatalogAnswer::Id(job_id)) = catalog.serve(CatalogRequest::CreateJob(new)) else { panic!("no job") };
    let start = JobStart {
        job_id,
        job_status: b'R',
        level: b'F',
        start_time: ended,
        client_id,
        file_set_id,
        ..JobStart::default()
    };
    catalog.serve(CatalogRequest::StartJob(start)).expect("a job");
    let (end_time, real_end_time) = (ended, ended);
    let end = JobEnd {
        job_id,
        job_status: b'T',
        level: b'F',
        end_time,
        real_end_time,
        client_id,
        file_set_id,
        ..JobEnd::default()
    };
    catalog.serve(CatalogRequest::EndJob(Box::new(end))).expect("a job");
}

/// A director whose only backup is three days old, with retentions of a day, and a console.
fn saved_three_days_ago() -> (Desk, usize) {
    let mut config = super::desk::config();
    config["clients"][0]["job_retention"] = serde_json::json!("1 d");
    config["clients"][0]["file_retention"] = serde_json::json!("1 d");
    let mut desk = Desk::with(config, towline_core::catalog::memory::MemoryCatalog::default());
    let console = saved(&mut desk);
    desk.world.wait(std::time::Duration::from_secs(3 * 86_400));
    (desk, console)
}

#[test]
fn what_is_pruned_is_said_and_the_last_full_stays() {
    let (mut desk, console) = saved_three_days_ago();
    let kept = desk.ask(console, "prune jobs client=bareos-fd yes").concat();
    assert!(kept.contains("No Jobs found to prune."), "it is the last full of its client: {kept}");
    another_full(&desk, 1_795_438_890 + 3 * 86_400);
    let asked = desk.ask(console, "prune files").concat();
    assert!(
        asked.contains("Automatically selected Client: bareos-fd") && asked.contains("1 job is old enough: 1"),
        "{asked}"
    );
    assert!(asked.ends_with("text Prune the Files? (yes/no): signal -27"), "{asked}");
    assert!(desk.ask(console, "no").concat().contains("Nothing done."));
    assert!(!desk.shelf().catalog.job_row(1).unwrap().purged_files);
    assert!(desk.ask(console, "prune files client=bareos-fd yes").concat().contains("Pruned Files from 1 Jobs"));
    assert!(desk.shelf().catalog.job_row(1).unwrap().purged_files);
    desk.ask(console, "prune jobs client=bareos-fd");
    assert!(desk.ask(console, "yes").concat().contains("Pruned 1 Jobs from catalog."));
    assert!(desk.shelf().catalog.job_row(1).is_none() && desk.shelf().catalog.job_row(2).is_some());
    // What is left is the last one: it goes only if that is said.
    desk.world.wait(std::time::Duration::from_secs(3 * 86_400));
    let kept = desk.ask(console, "prune jobs client=bareos-fd yes").concat();
    assert!(kept.contains("Kept, though old enough: 2.") && kept.contains("No Jobs found to prune."), "{kept}");
    let forced = desk.ask(console, "prune jobs client=bareos-fd force").concat();
    assert!(forced.contains("1 job is old enough: 2\\n") && forced.ends_with("signal -27"), "{forced}");
    desk.ask(console, "no");
    let volume = desk.ask(console, "prune volume=Full-0001 yes").concat();
    assert!(volume.contains("cannot prune as Volstatus is Append but needs to be Full or Used."), "{volume}");
    // By itself nothing asks for the age.
    let purged = desk.ask(console, "purge jobs client=bareos-fd yes").concat();
    assert!(purged.contains("1 Jobs purged from the catalog."), "{purged}");
}

#[test]
fn volumes_are_pruned_and_purged_by_their_pool_and_by_several_names() {
    let (mut desk, console) = saved_three_days_ago();
    another_full(&desk, 1_795_438_890 + 3 * 86_400);
    desk.ask(console, "add volume=Other");
    desk.ask(console, "update volume=Other volstatus=Append");
    desk.ask(console, "update pool=Full volume=Full-0001 volstatus=Used volretention=1d");
    assert_eq!(desk.shelf().catalog.volume("Full-0001").unwrap().vol_retention, 86_400, "pool= did not lead the line");
    for (line, words) in [
        ("prune jobs client=bareos-fd pool=nosuch yes", "There is no pool \"nosuch\"."),
        ("prune files client=bareos-fd pool=Inc yes", "There is no pool \"Inc\"."),
        ("prune volume all pool=nosuch yes", "There is no pool \"nosuch\"."),
        ("prune volume=Full-0001 all", "not both"),
        ("prune volume=Full-0001 pool=Copies yes", "Volume \"Full-0001\" is in pool \"Full\" (T0963)."),
        ("prune volume=Full-0001 volume=Other", "Pruning volume Other: cannot prune as Volstatus is Append"),
        ("no", "Nothing done."),
        ("prune volume pool=Full", "Automatically selected Volume: Full-0001"),
        ("no", "Nothing done."),
        ("prune volume all", "Full-0001: 1 job is old enough: 1\\n"),
        ("no", "Nothing done."),
        ("delete volume pool=Full", "The volumes are:"),
        ("1", "and all Jobs saved on that volume from the Catalog: 1 jobs."),
        ("no", "Nothing done."),
        ("delete volume=Full-0001 pool=Copies yes", "is in pool \"Full\" (T0963)."),
        ("purge volume pool=Full", "The volumes are:"),
        (".", "nothing done."),
        ("purge jobs pool=Full jobstatus=f yes", "0 Jobs purged from the catalog.\\n"),
        ("purge jobs pool=Full jobstatus=lost", "jobstatus=lost: expected "),
        ("purge files job=backup-tiny", "JobId 1: backup-tiny."),
        ("1", "The files of 1 job go out of the catalog."),
        ("no", "Nothing done."),
        ("purge files job=nosuch", "The catalog has no job \"nosuch\""),
        ("purge volume=Full-0001 drive=0 yes", "add action=truncate"),
        ("purge volume action=eject", "action=eject: expected truncate."),
        ("purge quota client=bareos-fd", "No quotas are kept"),
        ("purge quota client=nosuch", "There is no client \"nosuch\"."),
        ("prune", "5: Directory\\n"),
        ("4", "No statistics are kept."),
        ("prune", "1: Files\\n"),
        ("2", "Begin pruning Jobs."),
        ("no", "Nothing done."),
        ("prune", "3: Volume\\n"),
        ("3", "Automatically selected Pool: Full\\ntext Automatically selected Volume: Full-0001"),
        ("no", "Nothing done."),
        ("purge", "4: quota\\n"),
        ("3", "The volumes are:"),
        (".", "nothing done."),
        ("purge", "Choose item to purge (1-4): "),
        ("4", "No quotas are kept"),
        ("update volume=Full-0001 encrypt=no", "No encryption key for volume 'Full-0001' configured."),
        ("update volume=Full-0001 encrypt=rotate", "encrypt takes only no (T0965)."),
        ("update volume=Full-0001 encrypt=x", "encrypt=x: expected no."),
    ] {
        let answer = desk.ask(console, line).concat();
        assert!(answer.contains(words), "{line}: {answer}");
    }
    assert!(desk.shelf().catalog.job_row(1).is_some());
    let pruned = desk.ask(console, "prune yes volume all pool=Full").concat();
    assert!(pruned.contains("Pruned 1 Jobs on Volume Full-0001: its status is Purged."), "{pruned}");
    assert!(desk.shelf().catalog.job_row(1).is_none() && desk.shelf().catalog.job_row(2).is_some());
    assert!(desk.ask(console, "prune volume all yes").concat().contains("0 volumes are Full or Used."));
    let kept = desk.ask(console, "purge volume=Full-0001 yes").concat();
    assert!(kept.contains("has VolStatus \"Purged\" and cannot be purged: that takes Append"), "{kept}");
    let none = desk.ask(console, "purge volume action=truncate allpools").concat();
    assert!(none.contains("No Volumes found to perform truncate action: they must be Purged"), "{none}");
    desk.ask(console, "update volume=Full-0001 volstatus=Archive");
    assert!(desk.ask(console, "purge jobs volume=Full-0001 yes").concat().contains("VolStatus \"Archive\""));
    let both = desk.ask(console, "purge volume=Other volume=Other yes").concat();
    assert!(both.contains("Volume \"Other\" has status Purged now."), "{both}");
}

#[test]
fn the_files_of_a_folder_go_out_of_the_lists() {
    let mut desk = Desk::open();
    let console = saved(&mut desk);
    let files = |desk: &Desk| desk.shelf().catalog.file_rows(1).count();
    let all = files(&desk);
    for (line, words) in [
        ("prune directory", "Please enter the full path to remove: "),
        ("/srv/bareos-run/data/tiny/sub", "The files of all clients in /srv/bareos-run/data/tiny/sub/ go out"),
        ("no", "Nothing done."),
        ("prune directory=/srv client=nosuch recursive yes", "There is no client \"nosuch\"."),
        ("prune directory=/srv/nowhere client=bareos-fd recursive yes", "Pruned 0 Files"),
    ] {
        let answer = desk.ask(console, line).concat();
        assert!(answer.contains(words), "{line}: {answer}");
    }
    assert_eq!(files(&desk), all);
    let pruned = desk.ask(console, "prune directory=/srv/bareos-run/data/tiny/sub client=bareos-fd yes").concat();
    assert!(pruned.contains("Pruned 2 Files in /srv/bareos-run/data/tiny/sub/ of client bareos-fd."), "{pruned}");
    assert_eq!(files(&desk), all - 2);
    desk.ask(console, "prune directory=/srv recursive client=bareos-fd yes");
    assert_eq!(files(&desk), 0);
}

#[test]
fn jobs_and_volumes_are_deleted_when_that_is_said() {
    let mut desk = Desk::open();
    let console = saved(&mut desk);
    for (line, words) in [
        ("delete jobid=9 jobid=11-12", "Jobid 12 and associated records deleted from the catalog."),
        ("delete jobid=x yes", "jobid=x: expected numbers"),
        ("delete volume=nosuch yes", "There is no volume \"nosuch\"."),
        ("purge volume=nosuch yes", "There is no volume \"nosuch\"."),
        ("update volume=nosuch volstatus=Used", "There is no volume \"nosuch\"."),
        ("update volume=Full-0001 volstatus=Lost", "volstatus=Lost: expected "),
        ("delete pool=Full yes", "The configuration has pool \"Full\": it stays in the catalog."),
        ("delete storage=File1", "The configuration has storage \"File1\": it stays in the catalog."),
        ("delete pool=nosuch yes", "There is no pool \"nosuch\"."),
        ("delete storage=nosuch", "Found 0 orphaned Storage records."),
        ("delete", "Choose catalog item to delete (1-4): "),
        ("2", "Enter pool to delete: "),
        ("nosuch", "Are you sure you want to delete Pool \"nosuch\"? (yes/no): "),
        ("no", "Nothing done."),
        ("update jobid=1", "Neither Client, StartTime, Filesetid, JobType nor Name specified."),
        ("update jobid=9 jobname=x", "The catalog has no job \"9\""),
        ("update jobid=1 jobtype=X", "jobtype=X: expected one of the letters"),
        ("update jobid=1 starttime=now", "starttime=now: expected a date"),
        ("update jobid=1 client=nosuch", "nosuch"),
    ] {
        let answer = desk.ask(console, line).concat();
        assert!(answer.contains(words), "{line}: {answer}");
    }
    // A name is all that a volume needs to be known by.
    desk.ask(console, "add");
    assert!(desk.ask(console, "By-Hand").concat().contains("Volume By-Hand is in pool Full."));
    assert!(desk.ask(console, "add volume=By-Hand").concat().contains("is there already"));
    assert!(desk.ask(console, "add volume=a/b").concat().contains("volume=a/b: expected "));
    assert_eq!(desk.shelf().catalog.volume("By-Hand").unwrap().media_type, "File1");
    let changed = desk.ask(console, "update volume=Full-0001 volstatus=Used recycle=no").concat();
    assert!(changed.contains("New Volume status is: Used\\nNew Recycle flag is: no"), "{changed}");
    assert!(!desk.shelf().catalog.volume("Full-0001").unwrap().recycle);
    let asked = desk.ask(console, "delete volume=Full-0001").concat();
    assert!(asked.contains("and all Jobs saved on that volume from the Catalog: 1 jobs."), "{asked}");
    assert!(desk.ask(console, "no").concat().contains("Nothing done."));
    let asked = desk.ask(console, "delete jobid=1-30").concat();
    assert!(asked.contains("Are you sure you want to delete 30 JobIds ?"), "{asked}");
    assert!(desk.ask(console, "no").concat().contains("Nothing done."));
    assert!(desk.ask(console, "delete jobid=1").concat().contains("Jobid 1 and associated records deleted"));
    assert!(desk.ask(console, "delete volume=Full-0001 yes").concat().contains("Volume Full-0001 deleted."));
    assert!(desk.shelf().catalog.volume("Full-0001").is_none());
}

#[test]
fn a_job_that_runs_keeps_its_records() {
    let mut desk = Desk::open();
    let (console, ..) = desk.backup();
    for line in ["delete jobid=1 yes", "purge jobs client=bareos-fd yes"] {
        desk.ask(console, line);
        assert!(desk.shelf().catalog.job_row(1).is_some(), "{line}");
    }
    assert!(desk.ask(console, "delete jobid=1 yes").concat().contains("Job 1 has not ended"));
}
