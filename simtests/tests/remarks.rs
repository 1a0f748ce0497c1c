//! What a client has to say of single files, in number: it reaches the report, and ends no job.

use std::time::Duration;

use towline_simtests::disk::{Files, Flaw};
use towline_simtests::town::{Plan, Town};

const HOUR: Duration = Duration::from_secs(3600);

/// A town whose client has so many files that are refused, and one that is not.
fn town(refused: usize, prefix: &str) -> Town {
    let name = |n: usize| format!("/data/{n:05}").into_bytes();
    let mut files: Files = (0..refused).map(|n| (name(n), b"contents".to_vec().into())).collect();
    files.insert(b"/data/good".to_vec(), b"contents".to_vec().into());
    let town = Town::new(Plan { files, ..Plan::new(11) });
    let refused = (0..refused).map(|n| [prefix.as_bytes(), &name(n)].concat());
    town.files.store().refused.extend(refused);
    town
}

/// Runs a job to its end; returns its status and its report.
fn run(town: &mut Town, line: &str) -> (char, String) {
    let job = town.order(line).expect("the order is taken");
    let Some(row) = town.await_end(job, HOUR) else {
        panic!("job {job} hangs: {:#?}\n{}", town.world.pending(), town.world.trace().tail(120));
    };
    // The last lines are stored a moment after the end.
    let _answer = town.say("status director", HOUR);
    (char::from(row.job_status), town.report(job))
}

fn count(report: &str, words: &str) -> usize {
    report.lines().filter(|line| line.contains(words)).count()
}

#[test]
fn three_hundred_files_that_cannot_be_read_are_each_named_and_the_backup_goes_on() {
    for refused in [65, 300] {
        let mut town = town(refused, "");
        let (status, report) = run(&mut town, "run job=backup yes");
        assert!("TW".contains(status), "{report}");
        assert_eq!(count(&report, "could not be read"), refused, "{report}");
        assert_eq!(town.catalog.tables().files.len(), 1, "the good one is saved");
    }
}

#[test]
fn three_hundred_files_that_are_refused_in_a_restore_are_each_named_and_the_rest_is_restored() {
    let mut town = town(300, "/restored");
    let (status, report) = run(&mut town, "run job=backup yes");
    assert_eq!(status, 'T', "{report}");
    let (_, report) = run(&mut town, "restore client=fd all done yes");
    assert_eq!(count(&report, "could not be restored"), 300, "{report}");
    assert!(town.restored().contains_key(&b"/data/good"[..]), "{report}");
}

#[test]
fn of_three_thousand_remarks_two_thousand_reach_the_report_and_the_rest_is_counted() {
    let mut town = town(3_000, "");
    let (status, report) = run(&mut town, "run job=backup yes");
    assert!("TW".contains(status), "{report}");
    assert_eq!(count(&report, "could not be read"), 2_000);
    assert_eq!(count(&report, "1000 more lines about single files were left out (T0541)"), 1, "{report}");
}

#[test]
fn a_backup_names_a_file_or_folder_that_fails_has_warnings_if_it_is_not_saved_and_restores_all_else() {
    let path = |name: &str| name.as_bytes().to_vec();
    let flawed = path("/data/sub/flawed");
    let bytes = |count: usize| (0..count).map(|n| (n % 251) as u8).collect::<Vec<_>>();
    let (small, large) = (1_000, 900_000);
    // What is wrong, the size of the file, what is said of it, how the restore ends and how much of the file comes back.
    for (flaw, size, said, restored, back) in [
        (Flaw::FailsAt(400), small, "could not be read from byte 0 on", 'T', None),
        (Flaw::FailsAt(800_000), large, "could not be read from byte 800000 on", 'E', None),
        (Flaw::ShrinksTo(700_000), large, "shrank to 700000 bytes", 'T', Some(700_000)),
        (Flaw::ShrinksTo(0), small, "shrank to 0 bytes", 'T', Some(0)),
        (Flaw::Grows, small, "grew while it was read", 'T', Some(small)),
        (Flaw::Vanishes, small, "vanished before it could be saved", 'T', None),
        (Flaw::Unlisted, small, "could not be read; what it contains is not saved", 'T', None),
    ] {
        let mut files: Files =
            [("/data/a", 5_000), ("/data/z", 300_000)].map(|(n, size)| (path(n), bytes(size).into())).into();
        files.insert(flawed.clone(), bytes(size).into());
        let mut town = Town::new(Plan { files: files.clone(), ..Plan::new(12) });
        let of = if flaw == Flaw::Unlisted { path("/data/sub/") } else { flawed.clone() };
        town.files.store().flaws.insert(of.clone(), flaw);
        let (status, report) = run(&mut town, "run job=backup yes");
        assert_eq!(status, if flaw.is_mild() { 'T' } else { 'W' }, "{flaw:?}: {report}");
        let named = format!("{} {said}", String::from_utf8_lossy(&of));
        assert_eq!(count(&report, &named), 1, "{flaw:?}: {report}");
        let (status, report) = run(&mut town, "restore client=fd all done yes");
        assert_eq!(status, restored, "{flaw:?}: {report}");
        assert_eq!(status == 'E', report.contains("/data/sub/flawed"), "{flaw:?}: {report}");
        let mut all = town.restored();
        let found = all.remove(&flawed);
        assert_eq!(found.as_deref(), back.map(|back| &files[&flawed][..back]), "{flaw:?}");
        assert!(
            found.as_deref() == Some(&files[&flawed]) || flaw.explains(&files[&flawed], found.as_deref()),
            "{flaw:?}"
        );
        files.remove(&flawed);
        assert_eq!(all, files, "{flaw:?}");
    }
}
