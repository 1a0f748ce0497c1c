//! What the web interface says, in its order, and what it needs of the answers: its pages show nothing else.

use serde_json::{Value, json};

use super::desk::Desk;
use super::shapes::{catalog, document, network};

/// The result of a command that must succeed.
fn ask(desk: &mut Desk, console: usize, command: &str) -> Value {
    let answer = desk.ask(console, command);
    let mut document = document(&answer).unwrap_or_else(|error| panic!("{command}: {error}: {answer:?}"));
    assert!(document["error"].is_null(), "{command}: {document}");
    document["result"].take()
}

fn session() -> (Desk, usize) {
    let mut desk = Desk::with(network(), catalog());
    let console = desk.console();
    desk.ask(console, ".api 2 compact=yes");
    (desk, console)
}

#[test]
fn its_pages_are_filled() {
    let (mut desk, console) = session();
    for (command, key) in [
        (".help", ".api"),
        ("llist jobs days=3000 order=desc", "jobs"),
        ("llist jobs jobname=\"b\" last current enabled", "jobs"),
        ("llist jobs client=\"rfd\" limit=2 offset=0 order=desc", "meta"),
        ("llist jobs jobstatus=T,W jobtype=B joblevel=F hours=24", "jobs"),
        ("llist jobs volume=\"RPool-0001\"", "jobs"),
        ("list jobs count", "jobs"),
        ("llist jobid=1", "jobs"),
        ("list joblog jobid=1", "joblog"),
        ("list log limit=10", "log"),
        ("list jobtotals", "jobtotals"),
        ("list jobstatistics jobid=1", "jobstats"),
        ("llist jobmedia jobid=1", "jobmedia"),
        ("list files jobid=1", "filenames"),
        ("llist volumes all", "volumes"),
        ("llist volumes pool=\"RPool\"", "volumes"),
        ("llist volume=\"RPool-0001\"", "volume"),
        ("llist media all", "volumes"),
        ("llist pools", "pools"),
        ("llist pool=\"RPool\"", "pools"),
        ("llist clients current", "clients"),
        ("llist client=\"rfd\"", "clients"),
        ("llist backups client=\"rfd\" fileset=\"Tiny\" order=desc", "backups"),
        ("llist filesets", "filesets"),
        ("llist fileset filesetid=1", "filesets"),
        ("llist storages", "storages"),
        ("list copies", "copies"),
        ("show jobs", "jobs"),
        ("show clients", "clients"),
        ("show fileset=\"Tiny\"", "filesets"),
        ("show pools verbose", "pools"),
        ("status director", "header"),
        ("status scheduler days=7", "preview"),
        ("status subscriptions", "unit-summary"),
        (".jobs type=R", "jobs"),
        (".jobs type=B,C", "jobs"),
        (".clients enabled", "clients"),
        (".pools type=Backup", "pools"),
        (".filesets", "filesets"),
        (".storages", "storages"),
        (".schedule", "schedules"),
        (".defaults job=\"restore\"", "defaults"),
        ("version", "version"),
    ] {
        let result = ask(&mut desk, console, command);
        assert!(!result[key].is_null(), "{command}: {result}");
    }
    let enabled = ask(&mut desk, console, "llist jobs current disabled");
    assert_eq!(enabled["jobs"], json!([]));
}

#[test]
fn its_restore_page_goes_down_to_a_file_and_restores_what_was_chosen() {
    let (mut desk, console) = session();
    let jobs = ask(&mut desk, console, ".bvfs_get_jobids jobid=1 all");
    assert_eq!(jobs["jobids"], json!([{ "id": "1" }]));
    assert_eq!(ask(&mut desk, console, ".bvfs_update jobid=1"), json!({}));
    let names = |result: &Value, key: &str| -> Vec<String> {
        result[key].as_array().unwrap().iter().map(|row| row["name"].as_str().unwrap().to_owned()).collect()
    };
    let roots = ask(&mut desk, console, ".bvfs_lsdirs jobid=1 path=");
    assert_eq!(names(&roots, "directories"), [".", "/"]);
    let mut folder = roots["directories"][1]["pathid"].as_i64().unwrap();
    for wanted in ["var/", "tmp/", "interop/", "data/", "tiny/"] {
        let inside = ask(&mut desk, console, &format!(".bvfs_lsdirs jobid=1 pathid={folder} limit=1000 offset=0"));
        assert_eq!(names(&inside, "directories"), [".", "..", wanted]);
        let page = ask(&mut desk, console, &format!(".bvfs_lsdirs jobid=1 pathid={folder} limit=1 offset=2"));
        assert_eq!(page["directories"].as_array().unwrap(), &inside["directories"].as_array().unwrap()[2..]);
        folder = inside["directories"][2]["pathid"].as_i64().unwrap();
    }
    let files = ask(&mut desk, console, &format!(".bvfs_lsfiles jobid=1 pathid={folder}"));
    assert_eq!(names(&files, "files"), ["a", "b"]);
    assert_eq!(files["files"][0]["stat"]["mode"], 33_188);
    let versions =
        ask(&mut desk, console, &format!(".bvfs_versions jobid=0 client=rfd pathid={folder} fname=b copies"));
    let volume = |at: usize| &versions["versions"][at]["volumename"];
    assert_eq!((volume(0), volume(1)), (&json!("RPool-0001"), &json!("RCopy-0002")));

    let (file, deleted) = (files["files"][1]["fileid"].as_i64().unwrap(), "b2000001");
    ask(&mut desk, console, &format!(".bvfs_restore path=b2000000 jobid=1 fileid={file}"));
    ask(&mut desk, console, &format!(".bvfs_restore path={deleted} jobid=1 dirid={folder}"));
    ask(&mut desk, console, &format!(".bvfs_cleanup path={deleted}"));
    let restore =
        |name: &str| format!("restore file=?{name} client=rfd restorejob=restore where=/tmp/r replace=never yes");
    let refused = document(&desk.ask(console, &restore(deleted))).unwrap();
    assert!(
        refused["error"]["data"]["messages"]["error"][0].as_str().unwrap().contains("Nothing is chosen"),
        "{refused}"
    );
    // Another connection restores what this one has chosen.
    let other = desk.console();
    desk.ask(other, ".api 2 compact=yes");
    let ordered = ask(&mut desk, other, &restore("b2000000"));
    assert_eq!(ordered["run"]["jobid"], "4", "{ordered}");
    let wrong = document(&desk.ask(console, ".bvfs_restore path=b2x jobid=1 fileid=1")).unwrap();
    assert_eq!(wrong["error"]["code"], 1, "{wrong}");
    let stranger = document(&desk.ask(console, &format!(".bvfs_restore path=b21 jobid=2 fileid={file}"))).unwrap();
    assert!(stranger["error"].is_object(), "a file of no job that was named: {stranger}");
}
