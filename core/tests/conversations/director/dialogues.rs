//! Questions of the director to a person: menus, the tree of a restore, what a job is to be.

use towline_core::catalog::CatalogRequest;

use super::desk::{Desk, FILE_PORT, STORAGE_PORT, backup_file, backup_storage};

/// Where the files of the recorded backup are.
pub const TINY: &str = "/srv/bareos-run/data/tiny";

/// A console after the recorded backup: six files in `/srv/bareos-run/data/tiny`.
pub fn saved(desk: &mut Desk) -> usize {
    desk.world.await_dial(STORAGE_PORT, backup_storage());
    desk.world.await_dial(FILE_PORT, backup_file());
    let console = desk.console();
    desk.ask(console, "run job=backup-tiny yes");
    assert_eq!(desk.status(1), 'T', "{}", desk.report(1));
    desk.ask(console, "messages");
    console
}

/// The files that the last restore was ordered for.
fn restored(desk: &Desk) -> usize {
    desk.shelf()
        .asked
        .iter()
        .filter(|request| matches!(request, CatalogRequest::CreateJob(job) if job.job_type == b'R'))
        .count()
}

#[test]
fn files_are_marked_in_a_tree_and_restored() {
    let mut desk = Desk::open();
    let console = saved(&mut desk);
    let begin = desk.ask(console, "restore client=bareos-fd select");
    let text = begin.concat();
    assert!(text.contains("You have selected the following JobId: 1") && text.contains("6 files inserted"), "{text}");
    assert!(begin.contains(&"signal -25".to_owned()) && text.contains("cwd is: /\\n"), "{begin:?}");
    assert_eq!(begin[begin.len() - 2..], ["text $ ", "signal -27"]);
    for (line, answer) in [
        ("ls", "srv/\\n"),
        ("pwd", "cwd is: /\\n"),
        ("cd srv/bareos-run/data", "cwd is: /srv/bareos-run/data/\\n"),
        ("cd nowhere", "Invalid path given.\\ncwd is: /srv/bareos-run/data/\\n"),
        ("cd tiny/hello.txt", "Invalid path given.\\ncwd is: /srv/bareos-run/data/\\n"),
        ("cd", "Too few or too many arguments. Try using double quotes.\\n"),
        ("cd tiny", "cwd is: /srv/bareos-run/data/tiny/\\n"),
        ("ls hel*", "hello.txt\\n"),
        // The first name of the file comes with it.
        ("mark hello.txt", "2 files newly marked.\\n"),
        ("mark hello.txt", "No files newly marked.\\n"),
        ("ls hello*", "*hello.txt\\n"),
        ("lsmark", "*hardlink-to-hello\\n*hello.txt\\n"),
        (".lsmark", "hardlink-to-hello\\nhello.txt\\n"),
        ("cd ..", "cwd is: /srv/bareos-run/data/\\n"),
        ("ls", "+tiny/\\n"),
        ("count", "6 total files/dirs. 2 marked to be restored.\\n"),
        ("markdir tiny", "1 directory newly marked.\\n"),
        ("unmarkdir tiny", "1 directory newly unmarked.\\n"),
        ("mark **/data.bin", "1 file newly marked.\\n"),
        ("find *.bin", "*/srv/bareos-run/data/tiny/sub/data.bin\\n"),
        ("unmark tiny", "3 files newly unmarked.\\n"),
        ("mark /srv/*/data/tiny", "6 files newly marked.\\n"),
        ("unmark tiny/sub", "2 files newly unmarked.\\n"),
        ("frobnicate", "Invalid command \\\"frobnicate\\\". Enter \\\"done\\\" to exit.\\n"),
        (".messages", ""),
    ] {
        let heard = desk.ask(console, line);
        let expected: Vec<String> = [answer]
            .iter()
            .filter(|text| !text.is_empty())
            .map(|text| format!("text {text}").replace("\\\"", "\""))
            .collect();
        assert_eq!(heard[..heard.len() - 2], expected, "{line}");
        assert_eq!(heard[heard.len() - 2..], ["text $ ", "signal -27"], "{line}");
    }
    let program = desk.ask(console, ".dir tiny").concat();
    assert!(program.contains("drwx") && program.contains("),") && !program.contains("  "), "{program}");
    let listed = desk.ask(console, "dir tiny").concat();
    assert!(listed.contains("drwx") && listed.contains(&format!("{TINY}/")), "{listed}");
    let estimate = desk.ask(console, "estimate").concat();
    assert!(estimate.contains("6 total files; 4 marked to be restored; "), "{estimate}");
    let done = desk.ask(console, "done");
    let text = done.concat();
    assert!(done.contains(&"signal -26".to_owned()) && text.contains("4 files selected to be restored."), "{text}");
    assert!(text.contains("They have ") && !text.contains("They have about "), "the tree knows their sizes: {text}");
    assert!(text.contains("Run Restore job") && text.contains("Restore Client:  bareos-fd"), "{text}");
    assert!(text.ends_with("text OK to run? (yes/mod/no): signal -27"), "{text}");
    assert!(desk.ask(console, "yes").concat().contains("Job queued. JobId=2"));
    assert_eq!(restored(&desk), 1);
}

#[test]
fn a_tree_is_left_without_a_restore() {
    let mut desk = Desk::open();
    let console = saved(&mut desk);
    for line in ["quit", ".", "abort"] {
        desk.ask(console, "restore client=bareos-fd select all");
        let left = desk.ask(console, line);
        assert_eq!(left, ["signal -26", "text Restore not done.\\n", "signal -1"], "{line}");
    }
    desk.ask(console, "restore client=bareos-fd select");
    let none = desk.ask(console, "done").concat();
    assert!(none.contains("There is no file to restore."), "{none}");
    // A console that goes takes its tree with it.
    desk.ask(console, "restore client=bareos-fd select");
    desk.world.cut(console);
    let other = desk.console();
    assert_eq!(desk.ask(other, ""), ["signal -1"]);
    assert_eq!(restored(&desk), 0);
}

#[test]
fn the_menu_of_a_restore_has_its_thirteen_items() {
    let mut desk = Desk::open();
    let console = saved(&mut desk);
    let menu = desk.ask(console, "restore").concat();
    assert!(menu.contains(" 1: List last 20 Jobs run\\n") && menu.contains("13: Cancel\\n"), "{menu}");
    assert!(menu.ends_with("text Select item:  (1-13): signal -27"), "{menu}");
    let again = |answer: &str| answer.ends_with("text Select item:  (1-13): signal -27");
    let jobs = desk.ask(console, "1").concat();
    assert!(jobs.contains("|     1 | F") && again(&jobs), "{jobs}");
    assert!(desk.ask(console, "2").concat().contains("Automatically selected Client: bareos-fd"));
    let found = desk.ask(console, "hello.txt").concat();
    assert!(found.contains("|     1 | F") && again(&found), "{found}");
    let found = desk.ask(console, "9").concat();
    assert!(found.contains("following JobId: 1") && again(&found), "{found}");
    // The jobs that were found, and folders of theirs.
    let folders = desk.ask(console, "11").concat();
    assert!(folders.contains("already selected the following JobIds: 1"), "{folders}");
    assert!(folders.ends_with("text Enter directory name: signal -27"), "{folders}");
    desk.ask(console, &format!("{TINY}/sub"));
    let order = desk.ask(console, "").concat();
    assert!(order.contains("2 files selected to be restored."), "{order}");
    assert_eq!(desk.ask(console, "no"), ["text Job not run.\\n", "signal -1"]);
}

#[test]
fn each_way_of_the_menu_leads_to_an_order() {
    let mut desk = Desk::open();
    let console = saved(&mut desk);
    let hello = format!("{TINY}/hello.txt");
    let ways: [(&str, &[&str]); 7] = [
        ("3", &["1", "mark *", "done"]),
        ("5", &["mark *", "done"]),
        ("6", &["2099-01-01 00:00:00", "mark *", "done"]),
        ("7", &[&hello, ""]),
        ("8", &["2099-01-01 00:00:00", &hello, ""]),
        ("11", &["1", TINY, ""]),
        ("12", &["1", "mark *", "done"]),
    ];
    for (way, lines) in ways {
        desk.ask(console, "restore");
        let mut heard = desk.ask(console, way).concat();
        for line in lines {
            heard = desk.ask(console, line).concat();
        }
        assert!(heard.contains("OK to run? (yes/mod/no): "), "{way}: {heard}");
        desk.ask(console, "no");
    }
    desk.ask(console, "restore");
    assert_eq!(desk.ask(console, "13"), ["text Nothing chosen, nothing done.\\n", "signal -1"]);
    desk.ask(console, "restore");
    let wrong = desk.ask(console, "14").concat();
    assert!(wrong.contains("Please enter a number between 1 and 13") && wrong.ends_with("signal -27"), "{wrong}");
    assert_eq!(desk.ask(console, "."), ["text Nothing chosen, nothing done.\\n", "signal -1"]);
}

#[test]
fn a_name_that_is_left_out_is_asked_for() {
    let mut config = super::desk::config();
    let mut more = config["jobs"][0].clone();
    more["name"] = serde_json::json!("another");
    config["jobs"].as_array_mut().unwrap().push(more);
    let mut desk = Desk::with(config, towline_core::catalog::memory::MemoryCatalog::default());
    let console = desk.console();
    let menu = desk.ask(console, "run");
    let text = menu.concat();
    assert!(text.contains("The defined Job resources are:\\n1: another\\n2: backup-tiny\\n"), "{text}");
    assert_eq!(menu[menu.len() - 2..], ["text Select Job resource (1-2): ", "signal -27"]);
    let again = desk.ask(console, "x");
    assert_eq!(again[0], "text Expected a positive integer, got: x\\n");
    let order = desk.ask(console, "2").concat();
    assert!(order.contains("JobName:  backup-tiny\\n"), "{order}");
    assert_eq!(desk.ask(console, "quit"), ["text Job not run.\\n", "signal -1"]);
}

#[test]
fn what_a_job_is_to_be_can_be_changed_before_it_runs() {
    let mut desk = Desk::open();
    let console = desk.console();
    let shown = desk.ask(console, "run job=backup-tiny").concat();
    assert!(shown.contains("Level:    Full\\n") && shown.contains("Priority: 10\\n"), "{shown}");
    let menu = desk.ask(console, "mod").concat();
    assert!(menu.contains("Parameters to modify:\\n1: Level\\n") && menu.contains("9: Pool\\n"), "{menu}");
    desk.ask(console, "1");
    let shown = desk.ask(console, "2").concat();
    assert!(shown.contains("Level:    Incremental\\n") && shown.ends_with("(yes/mod/no): signal -27"), "{shown}");
    desk.ask(console, "mod");
    let refused = desk.ask(console, "6").concat();
    assert!(refused.contains("Backup Format cannot be changed here"), "{refused}");
    // As for a real director a line feed is a yes.
    assert!(desk.ask(console, "").concat().contains("Job queued. JobId=1"));
    let level = desk.shelf().asked.iter().find_map(|request| match request {
        CatalogRequest::CreateJob(job) => Some(job.level),
        _ => None,
    });
    assert_eq!(level, Some(b'I'));
}

#[test]
fn a_restore_goes_to_another_client_and_place_if_that_is_said() {
    let mut config = super::desk::config();
    let mut other = config["clients"][0].clone();
    other["name"] = serde_json::json!("other-fd");
    config["clients"].as_array_mut().unwrap().push(other);
    let mut desk = Desk::with(config, towline_core::catalog::memory::MemoryCatalog::default());
    let console = saved(&mut desk);
    let shown = desk.ask(console, "restore client=bareos-fd restoreclient=other-fd where=/tmp/x all done").concat();
    assert!(
        shown.contains("Backup Client:   bareos-fd\\n") && shown.contains("Restore Client:  other-fd\\n"),
        "{shown}"
    );
    desk.ask(console, "mod");
    desk.ask(console, "12");
    let shown = desk.ask(console, "4").concat();
    assert!(shown.contains("Where:           /tmp/x\\n") && shown.contains("Replace:         never\\n"), "{shown}");
    assert!(desk.ask(console, "yes").concat().contains("Job queued"));
    let order = desk.shelf().asked.iter().rev().find_map(|request| match request {
        CatalogRequest::CreateJob(job) => Some(job.client_id),
        _ => None,
    });
    assert_eq!(order, Some(2), "the client that the files go to");
}

#[test]
fn a_program_is_told_the_choices_and_asked_nothing() {
    let mut desk = Desk::open();
    let console = saved(&mut desk);
    desk.ask(console, ".api 2 compact=yes");
    let answer = desk.ask(console, "restore client=bareos-fd select").concat();
    assert!(answer.contains("Say what to restore") && answer.ends_with("signal -18"), "{answer}");
    desk.ask(console, ".api 1");
    let menu = desk.ask(console, "restore");
    let signals: Vec<&str> = menu.iter().filter_map(|line| line.strip_prefix("signal ")).collect();
    assert_eq!(signals, ["-16", "-11", "-12", "-19", "-28"]);
    assert!(menu.contains(&"text List last 20 Jobs run".to_owned()), "{menu:?}");
    desk.ask(console, "5");
    let tree = desk.ask(console, "ls");
    assert_eq!(tree, ["signal -16", "text srv/\\n", "signal -15", "text $ ", "signal -27"]);
}

#[test]
fn jobs_clients_and_schedules_are_switched_off_and_on() {
    let mut desk = Desk::open();
    let console = desk.console();
    for (word, name) in [("job", "backup-tiny"), ("client", "bareos-fd")] {
        let off = desk.ask(console, &format!("disable {word}={name}")).concat();
        assert!(off.contains(&format!("\"{name}\" disabled")), "{off}");
        let refused = desk.ask(console, "run job=backup-tiny yes").concat();
        assert!(refused.contains("Job \"backup-tiny\" is disabled"), "{refused}");
        desk.ask(console, &format!("enable {word}={name}"));
    }
    assert!(desk.ask(console, "run job=backup-tiny yes").concat().contains("Job queued"));
    assert!(desk.ask(console, "disable schedule=none").concat().contains("There is no schedule \"none\"."));
}

#[test]
fn a_schedule_that_is_switched_off_starts_no_job() {
    let mut config = super::desk::config();
    let times: Vec<String> = (0..24).map(|hour| format!("{hour}:30")).collect();
    config["schedules"] = serde_json::json!([{ "name": "hourly", "runs": [{ "at": times }] }]);
    config["jobs"][0]["schedule"] = serde_json::json!("hourly");
    let mut desk = Desk::with(config, towline_core::catalog::memory::MemoryCatalog::default());
    let console = desk.console();
    desk.ask(console, "disable schedule=hourly");
    desk.world.wait(std::time::Duration::from_secs(7_200));
    assert!(desk.shelf().catalog.job_row(1).is_none());
    desk.ask(console, "enable schedule=hourly");
    desk.world.wait(std::time::Duration::from_secs(3_700));
    assert!(desk.shelf().catalog.job_row(1).is_some());
}

#[test]
fn a_job_is_run_once_more_as_it_was() {
    let mut desk = Desk::open();
    let console = saved(&mut desk);
    let again = desk.ask(console, "rerun jobid=1 yes").concat();
    assert!(again.contains("rerunning jobid 1\\n") && again.contains("Job queued. JobId=2"), "{again}");
    desk.world.wait(std::time::Duration::from_secs(300));
    assert_eq!(desk.status(2), 'f');
    let failed = desk.ask(console, "rerun days=2 yes").concat();
    assert!(failed.contains("rerunning jobid 2\\n") && failed.contains("Job queued. JobId=3"), "{failed}");
    let shown = desk.ask(console, "rerun jobid=1").concat();
    assert!(shown.contains("OK to run? (yes/mod/no): "), "{shown}");
    desk.ask(console, "no");
    assert!(desk.ask(console, "rerun").concat().contains("Please specify jobid"));
    assert!(desk.ask(console, "rerun jobid=1,9 yes").concat().contains("The catalog has no job \"9\""));
}

#[test]
fn what_to_update_is_chosen_from_a_menu() {
    let mut desk = Desk::open();
    let console = desk.console();
    let menu = desk.ask(console, "update").concat();
    assert!(menu.contains("Update choice:\\n1: Volume parameters\\n"), "{menu}");
    assert!(menu.ends_with("text Choose catalog item to update (1-4): signal -27"), "{menu}");
    assert!(desk.ask(console, "3").concat().contains("No slots in changer to scan."));
    desk.ask(console, "update");
    assert!(desk.ask(console, "4").concat().contains("Updating 0 job(s)."));
    desk.ask(console, "update");
    assert!(desk.ask(console, "2").concat().contains("Pool DB record updated from resource."));
    desk.ask(console, "update");
    let menu = desk.ask(console, "1").concat();
    assert!(menu.contains("Parameters to modify:\\n 1: Volume Status\\n"), "{menu}");
    assert!(menu.ends_with("text Select parameter to modify (1-19): signal -27"), "{menu}");
    assert_eq!(desk.ask(console, "1"), ["text Enter *MediaId or Volume name: ", "signal -27"]);
}

#[test]
fn small_commands_answer_as_a_real_director_does() {
    let mut desk = Desk::open();
    let console = desk.console();
    for (line, begin) in [
        ("whoami", "text root\\n"),
        ("time", "text Mon 23-Nov-2026 "),
        ("memory", "text bareos-dir Version: "),
        ("use", "text Automatically selected Catalog: MyCatalog\\n"),
        ("use catalog=other", "text There is no catalog \"other\"."),
        ("var Full-", "text Full-\\n"),
        ("var ${Job}", "text ${Job} is no name of a volume: Job is known only in a job.\\n"),
        // `fd-secret` as both ends know it.
        ("configure export", "text Automatically selected Client: bareos-fd\\n"),
        ("configure export client=x", "text There is no client \"x\"."),
        ("configure add client address=y password=z", "text Name what is added: configure add client name="),
        ("configure add name=x", "text configure add needs one of client, console, "),
        ("configure add pool name=x yes", "text configure does not know the word \"yes\"."),
        ("import storage=File1", "text No slots in changer.\\n"),
        ("update slots storage=File1 scan", "text No slots in changer to scan.\\n"),
        ("update slots", "text Automatically selected Storage: File1\\n"),
        ("update slot=1-3 storage=File1", "text No slots in changer to scan.\\n"),
        ("status slots", "text Automatically selected Storage: File1\\n"),
        ("status storage=File1 slots", "text No slots in changer to scan.\\n"),
        ("status storage=nosuch slots", "text There is no storage \"nosuch\"."),
        ("export", "text Automatically selected Storage: File1\\n"),
        ("move storage=x", "text There is no storage \"x\"."),
        ("create pool=Full", "text Using Catalog"),
        ("update pool=Full", "text Using Catalog"),
        ("update stats", "text Updating 0 job(s).\\n"),
        ("gui on", "signal -1"),
        ("query", "text There are no stored queries"),
        ("trace on", "text Use setdebug level=N trace=1 director"),
        ("autodisplay on", "text Messages are shown by messages"),
        ("automount off", "text Volumes lie in folders"),
        ("setdevice storage=File1 device=x autoselect=no", "text A device is what"),
        (
            "setdebug level=5 trace=1 dir",
            "text 2000 OK setdebug=5 trace=1 hangup=0 timestamp=0 tracefile=./bareos-dir.trace",
        ),
        ("resolve 192.0.2.7", "text bareos-dir resolves 192.0.2.7 to host[ipv4;192.0.2.7] "),
        ("resolve nowhere", "text bareos-dir: Failed to resolve nowhere"),
        ("resolve client=bareos-fd", "text Say what is looked up"),
        ("resolve client=x host", "text There is no file daemon \"x\"."),
    ] {
        let answer = desk.ask(console, line);
        assert!(answer[0].starts_with(begin), "{line}: {answer:?}");
        assert_eq!(answer.last().map(String::as_str), Some("signal -1"), "{line}");
    }
    let exported = desk.ask(console, "configure export client=bareos-fd").concat();
    assert!(exported.contains("Director {\\n  Name = \"bareos-dir\"\\n  Password = \"[md5]"), "{exported}");
    let admin = desk.come_in("admin", "admin-secret");
    assert_eq!(desk.ask(admin, "whoami"), ["text admin\\n", "signal -1"]);
    desk.world.await_dial(FILE_PORT, super::desk::errand("file", "fd-secret"));
    desk.ask(console, "resolve client=bareos-fd localhost");
    let heard = desk.world.heard(admin + 1);
    assert!(heard.iter().any(|line| line.contains("resolve localhost")), "{heard:?}");
}

#[test]
fn a_job_to_cancel_and_a_client_to_slow_down_are_chosen_from_menus() {
    let mut desk = Desk::open();
    let (console, ..) = desk.backup();
    let menu = desk.ask(console, "cancel").concat();
    assert!(menu.contains("Select Job(s):\\n1: backup-tiny.") && menu.ends_with("signal -27"), "{menu}");
    assert_eq!(desk.ask(console, ".")[0], "text Nothing chosen, nothing done.\\n");
    desk.ask(console, "cancel");
    let chosen = desk.ask(console, "1").concat();
    assert!(!chosen.contains("no running job") && !chosen.ends_with("signal -27"), "{chosen}");
    let other = desk.console();
    assert_eq!(desk.ask(other, "setbandwidth").last().map(String::as_str), Some("signal -27"));
    let chosen = desk.ask(other, "300").concat();
    assert!(chosen.contains("Automatically selected Client: bareos-fd"), "{chosen}");
}

#[test]
fn a_question_to_the_catalog_is_asked_for_as_a_command_and_in_the_menu_of_a_restore() {
    let mut desk = Desk::open();
    let console = saved(&mut desk);
    let begin = desk.ask(console, "sqlquery").concat();
    assert!(begin.contains("Enter SQL query: "), "{begin}");
    let answer = desk.ask(console, "select 1").concat();
    assert!(answer.contains("knows no SQL"), "{answer}");
    desk.ask(console, "restore");
    let begin = desk.ask(console, "4").concat();
    assert!(begin.contains("Enter SQL query: "), "{begin}");
}
