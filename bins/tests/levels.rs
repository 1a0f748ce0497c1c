//! Incremental, differential and accurate backups through real daemons, and restores that combine them.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on should fail")]

mod support;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use support::network::{CLEAR, Ended, Network, Plan};
use support::tree;

fn network() -> Network {
    Network::start(&Plan { all: CLEAR.to_owned(), ..Plan::default() })
}

/// Runs the backup with these words; it must end well. Returns how many files it saved.
fn backup(network: &Network, words: &str) -> u32 {
    let ended = network.run(&format!("run job=b {words} yes"));
    assert!(ended.is_ok(), "{}", ended.report);
    files_of(&ended)
}

fn files_of(ended: &Ended) -> u32 {
    let line = ended.report.lines().find_map(|line| line.trim().strip_prefix("FD Files Written:")).unwrap();
    line.trim().replace(',', "").parse().unwrap()
}

/// Restores everything elsewhere; what comes back.
fn restored(network: &Network, name: &str) -> BTreeMap<String, Vec<u8>> {
    let place = network.place(name);
    let ended = network.restore(&place, "");
    assert!(ended.is_ok(), "{}", ended.report);
    tree(&place.join(network.source.strip_prefix("/").unwrap()))
}

/// Lets the clock go on, so that a change is later than the start of the job before by whole seconds.
fn next_second() {
    let now = || std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    let began = now();
    support::wait_for("the next second but one", || (now() > began + 1).then_some(()));
}

#[test]
fn incrementals_and_a_differential_save_what_changed_and_a_restore_combines_them() {
    let network = network();
    let put = |name: &str, text: &str| fs::write(network.source.join(name), text).unwrap();
    fs::create_dir(network.source.join("sub")).unwrap();
    for name in ["same", "changed", "sub/deep"] {
        put(name, name);
    }
    next_second();
    assert_eq!(backup(&network, "level=incremental"), 5, "a Full for lack of one: three files, two folders");
    next_second();
    put("changed", "once");
    put("new", "new");
    next_second();
    assert_eq!(backup(&network, "level=incremental"), 3, "two files and the folder with the new one");
    let full = network.ask(&["estimate job=b level=full listing"]);
    assert!(full.contains("2000 OK estimate files=6 bytes=19\n"), "{full}");
    let listed = full.lines().filter(|line| line.contains(&network.source.display().to_string())).count();
    assert_eq!(listed, 6, "{full}");
    next_second();
    put("sub/deep", "deeper");
    let changed = network.ask(&["estimate job=b level=incremental"]);
    assert!(changed.contains("2000 OK estimate files=1 bytes=6\n"), "{changed}");
    next_second();
    assert_eq!(backup(&network, "level=incremental"), 1);
    assert_eq!(restored(&network, "one"), tree(&network.source));
    assert_eq!(backup(&network, "level=differential"), 4, "all changes since the Full");
    next_second();
    put("changed", "twice");
    assert_eq!(backup(&network, "level=incremental"), 1);
    let text = network.ask(&["list jobs"]);
    assert!(text.contains("| B    | D     |") && text.contains("| B    | I     |"), "{text}");
    let line = format!("restore client=f where={} all done yes", network.place("two").display());
    let chosen = network.ask(&[&line]);
    assert!(chosen.contains("You have selected the following JobIds: 1,5,6"), "{chosen}");
    assert_eq!(restored(&network, "three"), tree(&network.source));
}

/// Gives a job the times that it would have been given by a clock a day ahead.
fn a_day_ahead(network: &Network, job: u32) {
    let catalog = rusqlite::Connection::open(network.place("catalog.sqlite")).unwrap();
    catalog.busy_timeout(std::time::Duration::from_secs(30)).unwrap();
    let columns = ["SchedTime", "StartTime", "EndTime", "RealEndTime", "JobTDate"];
    let set = columns.map(|column| format!("{column} = {column} + 86400")).join(", ");
    assert_eq!(catalog.execute(&format!("UPDATE Job SET {set} WHERE JobId = ?1"), [job]).unwrap(), 1);
}

#[test]
fn what_changed_after_a_full_whose_clock_was_ahead_is_saved_and_restored() {
    let network = network();
    let put = |name: &str, text: &str| fs::write(network.source.join(name), text).unwrap();
    put("same", "same");
    put("changed", "before");
    backup(&network, "level=full");
    a_day_ahead(&network, 1);
    next_second();
    put("changed", "after");
    let incremental = network.run("run job=b level=incremental yes");
    assert!(incremental.report.contains("(T0570)"), "{}", incremental.report);
    assert_eq!((incremental.termination(), files_of(&incremental)), ("Backup OK -- with warnings", 3), "everything");
    assert_eq!(restored(&network, "one"), tree(&network.source));
    next_second();
    put("changed", "again");
    assert_eq!(backup(&network, "level=incremental"), 1, "the one before has a sound time");
    assert_eq!(restored(&network, "two"), tree(&network.source));
    fs::remove_file(network.source.join("same")).unwrap();
    assert_eq!(backup(&network, "level=incremental accurate=yes"), 2, "the folder, and one that is gone");
    assert_eq!(restored(&network, "three"), tree(&network.source));
    let differential = network.run("run job=b level=differential yes");
    assert!(differential.report.contains("(T0570)"), "{}", differential.report);
    let verified = network.run("run job=v yes");
    let id = differential.id;
    assert!(verified.is_ok() && verified.report.contains(&format!("JobId {id},")), "{}", verified.report);
}

#[test]
fn times_of_winter_and_summer_are_shown_and_taken_by_the_rules_of_their_own_day() {
    let director_prefix = ["/usr/bin/env", "TZ=CET-1CEST,M3.5.0,M10.5.0/3"].map(Into::into).to_vec();
    let network = Network::start(&Plan { all: CLEAR.to_owned(), director_prefix, ..Plan::default() });
    fs::write(network.source.join("file"), "text").unwrap();
    let catalog = rusqlite::Connection::open(network.place("catalog.sqlite")).unwrap();
    catalog.busy_timeout(std::time::Duration::from_secs(30)).unwrap();
    // 15 January and 15 July 2026, noon of UTC: 13:00 and 14:00 there.
    for (job, noon) in [(1, 1_768_478_400_i64), (2, 1_784_116_800)] {
        backup(&network, "level=full");
        let set = "SchedTime = ?2, StartTime = ?2, EndTime = ?2, RealEndTime = ?2, JobTDate = ?2";
        catalog.execute(&format!("UPDATE Job SET {set} WHERE JobId = ?1"), [job, noon]).unwrap();
    }
    let listed = network.ask(&["list jobs"]);
    assert!(listed.contains("| 2026-01-15 13:00:00 |") && listed.contains("| 2026-07-15 14:00:00 |"), "{listed}");
    let chosen = |before: &str| network.ask(&[&format!("restore client=f before=\"{before}\" all done")]);
    assert!(chosen("2026-01-15 13:00:00").contains("no good full backup"));
    assert!(chosen("2026-01-15 13:00:01").contains("following JobId: 1\n"));
    assert!(chosen("2026-07-15 14:00:00").contains("following JobId: 1\n"));
    assert!(chosen("2026-07-15 14:00:01").contains("following JobId: 2\n"));
}

#[test]
fn an_accurate_incremental_notices_what_is_gone_and_what_is_old_but_new_here() {
    let network = network();
    let put = |name: &str, text: &str| fs::write(network.source.join(name), text).unwrap();
    fs::create_dir(network.source.join("gone")).unwrap();
    for name in ["stays", "leaves", "gone/too"] {
        put(name, name);
    }
    let elsewhere = network.place("elsewhere");
    fs::write(&elsewhere, "old").unwrap();
    backup(&network, "level=full");
    next_second();
    fs::remove_file(network.source.join("leaves")).unwrap();
    fs::remove_dir_all(network.source.join("gone")).unwrap();
    // A file that was there before the backup, only somewhere else: its times do not tell.
    let moved = network.source.join("moved");
    fs::rename(&elsewhere, &moved).unwrap();
    let saved = backup(&network, "level=incremental accurate=yes");
    assert_eq!(saved, 5, "the moved file, the folder, and three that are gone");
    let listed = network.ask(&["list files jobid=2"]);
    assert!(listed.contains("moved"), "{listed}");
    assert_eq!(restored(&network, "back"), tree(&network.source));
    assert_eq!(backup(&network, "level=incremental accurate=yes"), 0, "nothing has changed");
    assert_eq!(restored(&network, "again"), tree(&network.source));
}

#[test]
fn single_files_and_folders_come_back_as_they_were_at_a_date() {
    let network = network();
    let put = |name: &str, text: &str| fs::write(network.source.join(name), text).unwrap();
    fs::create_dir_all(network.source.join("sub/below")).unwrap();
    for name in ["one", "two words", "other", "sub/a", "sub/below/b", "subway"] {
        put(name, name);
    }
    fs::hard_link(network.source.join("other"), network.source.join("same")).unwrap();
    backup(&network, "level=full");
    next_second();
    put("one", "changed");
    put("sub/a", "changed");
    next_second();
    backup(&network, "level=incremental");
    let row = network.row_of(2);
    let date = row.split('|').map(str::trim).find(|cell| cell.starts_with("20") && cell.contains(':')).unwrap();

    let at = |name: &str| network.source.join(name).display().to_string();
    let restore = |place: &str, words: &str| {
        let place = network.place(place);
        let ended = network.run(&format!("restore client=f where={} {words} done yes", place.display()));
        assert!(ended.is_ok(), "{}", ended.report);
        tree(&place.join(network.source.strip_prefix("/").unwrap()))
    };
    let of = |names: &[(&str, &str)]| -> BTreeMap<String, Vec<u8>> {
        names.iter().map(|(name, text)| ((*name).to_owned(), text.as_bytes().to_vec())).collect()
    };
    let words = format!("file={} file=\"{}\"", at("one"), at("two words"));
    assert_eq!(restore("files", &words), of(&[("one", "changed"), ("two words", "two words")]));
    let folder = [("sub/", ""), ("sub/a", "changed"), ("sub/below/", ""), ("sub/below/b", "sub/below/b")];
    assert_eq!(restore("folder", &format!("file={}", at("sub"))), of(&folder));
    assert_eq!(restore("slash", &format!("file={} file={}", at("sub/"), at("sub/below"))), of(&folder));
    let name = at("same");
    assert_eq!(restore("link", &format!("file={name}")).get("same"), Some(&b"other".to_vec()));
    let words = format!("file={} before=\"{}\"", at("one"), date);
    assert_eq!(restore("before", &words), of(&[("one", "one")]));

    assert_eq!(restore("words", &format!("file={} at=now", at("one"))), of(&[("one", "changed")]));
    assert_eq!(restore("named", "name=*o*ds"), of(&[("two words", "two words")]));
    assert_eq!(restore("below", "name=sub/?"), of(&[("sub/", ""), ("sub/a", "changed")]));

    let refused = network.ask(&[&format!("restore client=f file={} file={} done yes", at("one"), at("none"))]);
    assert!(refused.contains(&format!("{} is not in the backup", at("none"))), "{refused}");
    let refused = network.ask(&["restore client=f name=ONE done yes"]);
    assert!(refused.contains("No file fits ONE"), "capital letters are meant as they are: {refused}");
    for early in ["1999-12-31", "an-hour-ago", "\"last monday\""] {
        let early = network.ask(&[&format!("restore client=f all before={early} done yes")]);
        assert!(
            early.contains("there is no good full backup") && early.contains("Backups that began before"),
            "{early}"
        );
    }
}

#[test]
fn a_file_is_found_by_its_name_across_jobs() {
    let network = network();
    let put = |name: &str, text: &str| fs::write(network.source.join(name), text).unwrap();
    fs::create_dir(network.source.join("sub")).unwrap();
    put("sub/Keys.KDBX", "one");
    put("other.kdbx", "other");
    put("leaves", "soon");
    next_second();
    backup(&network, "level=full");
    next_second();
    put("sub/Keys.KDBX", "more than one");
    fs::remove_file(network.source.join("leaves")).unwrap();
    backup(&network, "level=incremental");
    let at = |name: &str| network.source.join(name).display().to_string();
    let cells = |line: &str| line.split('|').map(str::trim).map(str::to_owned).collect::<Vec<_>>();
    let found = |line: &str| {
        let text = network.ask(&[line]);
        let rows = text.lines().filter(|line| line.contains("| f "));
        let rows: Vec<_> = rows.map(cells).map(|row| [1, 5, 6, 7].map(|at| row[at].clone())).collect();
        (rows, text)
    };
    let row = |job: &str, bytes: &str, versions: &str, name: &str| [job, bytes, versions, &at(name)].map(str::to_owned);
    let (rows, text) = found("find name=*.kdbx client=f");
    assert_eq!(rows, [row("1", "5", "1", "other.kdbx"), row("2", "13", "2", "sub/Keys.KDBX")], "{text}");
    assert!(text.contains(&format!("restore jobid=1 file=\"{}\" done\n", at("other.kdbx"))), "{text}");
    assert_eq!(found("find name=*.KDBX").0, [row("2", "13", "2", "sub/Keys.KDBX")]);
    assert_eq!(found("find name=leaves").0, [row("1", "4", "1", "leaves")]);
    let (rows, text) = found("find name=* limit=1");
    assert!(rows.len() == 1 && text.contains("There are more: narrow the pattern"), "{text}");
    let (rows, text) = found("find name=*.kdbx before=yesterday");
    assert!(rows.is_empty() && text.contains("No file of this name is saved."), "{text}");
    let json = network.ask(&[".api 2 compact=yes", "find name=keys.*"]);
    let file = format!(r#""bytes":"13","versions":"2","file":"{}"}}],"complete":true"#, at("sub/Keys.KDBX"));
    assert!(json.contains(r#""files":[{"jobid":"2","client":"f","#) && json.contains(&file), "{json}");
    for (line, why) in [
        ("find", "Give a name"),
        ("find name=x client=nobody", "There is no client \"nobody\""),
        ("find name=x before=soon", "before=soon: expected a date"),
        ("find name=", "name=: expected a name"),
        (&format!("find name={}", "*a".repeat(600)), "expected a name of at most 1000 bytes"),
        ("find name=x limit=many", "expected a number"),
    ] {
        let text = network.ask(&[line]);
        assert!(text.contains(why), "{line}: {text}");
    }
}

#[test]
fn an_accurate_job_that_compares_digests_saves_what_changed_and_not_what_was_touched() {
    for sparse in [false, true] {
        let options = format!(r#"accurate: "s5", sparse: {sparse},"#);
        let network = Network::start(&Plan { all: CLEAR.to_owned(), options, ..Plan::default() });
        let put = |name: &str, text: &[u8]| fs::write(network.source.join(name), text).unwrap();
        let large = vec![7; 300_000];
        let mut holes = vec![0; 300_000];
        holes[200_000] = 1;
        for (name, text) in [("changed", &b"once"[..]), ("touched", b"text"), ("large", &large), ("holes", &holes)] {
            put(name, text);
        }
        put("empty", b"");
        backup(&network, "level=full");
        next_second();
        // The same sizes: only what is in the files tells.
        put("changed", b"then");
        put("touched", b"text");
        put("large", &large);
        assert_eq!(backup(&network, "level=incremental accurate=yes"), 1);
        assert!(network.ask(&["list files jobid=2"]).contains("changed"));
        holes[200_000] = 2;
        put("holes", &holes);
        assert_eq!(backup(&network, "level=incremental accurate=yes"), 1);
        assert_eq!(restored(&network, "back"), tree(&network.source));
    }
}

/// A configuration whose fileset has the folder `later` beside the source, too.
fn with_later(text: String) -> String {
    let Some((before, rest)) = text.split_once("files: [\"") else { return text };
    let (source, after) = rest.split_once('"').unwrap();
    format!("{before}files: [{source:?}, {:?}{after}", Path::new(source).with_file_name("later"))
}

#[test]
fn what_could_not_be_saved_is_in_the_next_incremental_and_its_restore_though_its_times_are_old() {
    let network = Network::start(&Plan { all: CLEAR.to_owned(), rewrite: with_later, ..Plan::default() });
    let (later, hidden) = (network.place("later"), network.place("hidden"));
    fs::write(network.source.join("file"), "text").unwrap();
    fs::create_dir(&hidden).unwrap();
    fs::write(hidden.join("old"), "older than any job").unwrap();
    next_second();
    let full = network.run("run job=b level=full yes");
    assert!(full.report.contains(&format!("{}: ", later.display())) && files_of(&full) == 2, "{}", full.report);
    fs::rename(&hidden, &later).unwrap();
    next_second();
    assert_eq!(backup(&network, "level=incremental"), 2, "the folder and its file");
    let lists = || fs::read_dir(network.folder.path()).unwrap().map(|entry| entry.unwrap().path());
    let list = lists().find(|path| path.extension().is_some_and(|end| end == "unsaved")).unwrap();
    assert!(list.file_name().unwrap().to_string_lossy().starts_with("b."), "{list:?}");
    let place = network.place("back");
    let ended = network.restore(&place, "");
    assert!(ended.is_ok(), "{}", ended.report);
    assert_eq!(tree(&place.join(later.strip_prefix("/").unwrap())), tree(&later));
    // Two jobs later at the latest it is known to be saved; a differential has it all the same.
    next_second();
    backup(&network, "level=incremental");
    next_second();
    assert_eq!(backup(&network, "level=incremental"), 0);
    assert_eq!(backup(&network, "level=differential"), 2);
}
