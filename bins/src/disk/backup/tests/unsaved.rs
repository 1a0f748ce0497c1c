//! What could not be saved is tried again by the jobs after it.

use super::*;

/// A folder with three old files, and the place of the list. Jobs begin at times long after those of the files.
struct Series {
    bench: Bench,
    place: PathBuf,
}

impl Series {
    fn new() -> Self {
        let bench = Bench::new();
        ["a", "b", "c"].iter().for_each(|name| drop(bench.write(name, &noise(10))));
        let place = bench.dir.path().join("job.0.unsaved");
        Self { bench, place }
    }

    fn list(&self, began: i64, forget: Option<i64>) -> Option<UnsavedList> {
        Some(UnsavedList { path: self.place.to_str().unwrap().to_owned(), began, forget })
    }

    /// A job in the midst of `/b`, which cannot be read.
    fn failing(&self, since: Option<i64>, began: i64) -> BackupSource {
        let from = self.bench.from();
        fail_at(source_with("M", &[&from], since, self.list(began, None)), &from, "/b")
    }

    /// The names that a job saves, below the folder.
    fn saved(&self, since: i64, began: i64, forget: Option<i64>) -> Vec<String> {
        let from = self.bench.from();
        self.names_of(&mut source_with("M", &[&from], Some(since), self.list(began, forget)))
    }

    fn names_of(&self, source: &mut BackupSource) -> Vec<String> {
        let (stream, _) = drain(source);
        let names = objects(&stream).iter().filter(|o| o.1 == 1).map(|o| attributes(o).1).collect::<Vec<_>>();
        assert_eq!(source.counters().warnings, 0, "{:?}", source.take_notices());
        let top = self.bench.from();
        let short = |name: &Vec<u8>| {
            let name = name.strip_prefix(top.as_os_str().as_bytes()).unwrap_or(name);
            String::from_utf8_lossy(name).into_owned()
        };
        names.iter().map(short).collect()
    }
}

/// Times after all files of a test.
const fn after(seconds: i64) -> i64 {
    4_000_000_000 + seconds
}

#[test]
fn a_file_that_could_not_be_read_is_in_the_next_incremental_though_its_times_are_old() {
    let series = Series::new();
    drain(&mut series.failing(None, after(0)));
    assert_eq!(std::fs::metadata(&series.place).unwrap().permissions().mode() & 0o777, 0o600);
    // Once by the job that saves it, once more by the one that cannot know whether that counted.
    assert_eq!(series.saved(after(0) - 1, after(10), None), ["/b"]);
    assert_eq!(series.saved(after(9), after(20), None), ["/b"]);
    assert_eq!(series.saved(after(19), after(30), None), [] as [&str; 0]);
    // A differential takes the place of them all, and one after a new full backup needs it no more.
    assert_eq!(series.saved(after(0) - 1, after(40), Some(after(0) - 1)), ["/b"]);
    assert_eq!(series.saved(after(50), after(51), Some(after(50))), [] as [&str; 0]);
    let left: Vec<_> = std::fs::read_dir(&series.bench.dir).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left, ["from"], "nothing is left to be tried again");
}

#[test]
fn a_file_that_fails_again_and_again_is_tried_again_and_again() {
    let series = Series::new();
    drain(&mut series.failing(None, after(0)));
    for round in 1..4 {
        drain(&mut series.failing(Some(after(round * 10 - 11)), after(round * 10)));
    }
    assert_eq!(series.saved(after(100), after(101), None), ["/b"]);
}

#[test]
fn a_job_that_is_cut_short_leaves_what_it_could_not_read() {
    let series = Series::new();
    let mut source = series.failing(None, after(0));
    source.packer.give(Parcel::new());
    let item = source.item.as_mut().unwrap();
    assert!(matches!(item.pump(&mut source.packer, &mut source.work), Ok(Pumped::Finished)));
    // Nobody asks for more.
    source.close();
    let lines = format!("towline unsaved files 1\n- file {}\n", series.bench.from().join("b").display());
    assert_eq!(std::fs::read_to_string(&series.place).unwrap(), lines);
}

#[test]
fn what_lies_below_a_folder_that_was_not_there_is_saved_when_it_is() {
    let series = Series::new();
    let later = series.bench.dir.path().join("later");
    let order = |since, began| source_with("M", &[&series.bench.from(), &later], since, series.list(began, None));
    let mut first = order(None, after(0));
    drain(&mut first);
    assert_eq!(first.counters().errors, 1);
    let hidden = series.bench.dir.path().join("hidden");
    std::fs::create_dir_all(hidden.join("sub")).unwrap();
    std::fs::write(hidden.join("sub/old"), "old").unwrap();
    std::fs::rename(&hidden, &later).unwrap();
    let names = series.names_of(&mut order(Some(after(0) - 1), after(10)));
    let expected = ["sub/old", "sub/", ""].map(|name| format!("{}/{name}", later.display()));
    assert_eq!(names, expected);
}

#[test]
fn a_list_that_cannot_be_read_or_written_is_a_warning_and_the_job_goes_on() {
    let series = Series::new();
    std::fs::write(&series.place, "something else").unwrap();
    let mut source = series.failing(None, after(0));
    let said: Vec<_> = source.take_notices().iter().map(ToString::to_string).collect();
    assert!(said.len() == 1 && said[0].contains("does not begin as such a list does (T0640)"), "{said:?}");
    drain(&mut source);
    assert_eq!(series.saved(after(1), after(2), None), ["/b"], "a new list has begun");

    let series = Series { place: series.bench.dir.path().join("missing/job.0.unsaved"), ..series };
    let mut source = series.failing(None, after(0));
    let (stream, _) = drain(&mut source);
    assert!(objects(&stream).len() > 2);
    let said: Vec<_> = source.take_notices().iter().map(ToString::to_string).collect();
    assert!(said.len() == 2 && said[1].contains("cannot be written") && said[1].ends_with("(T0641)"), "{said:?}");
    assert_eq!(source.counters().warnings, 1);

    // A link in its place is not followed, and not written through.
    let target = series.bench.write("target", b"towline unsaved files 1\n");
    let series = Series { place: series.bench.dir.path().join("linked"), ..series };
    symlink(&target, &series.place).unwrap();
    let mut source = series.failing(None, after(0));
    assert!(source.take_notices()[0].text.ends_with("(T0640)"));
    drain(&mut source);
    assert!(std::fs::symlink_metadata(&series.place).unwrap().is_file());
    assert_eq!(std::fs::read(&target).unwrap(), b"towline unsaved files 1\n");
}

#[test]
fn names_without_room_in_the_list_are_counted_in_a_warning() {
    let series = Series::new();
    let mut source = series.failing(None, after(0));
    for number in 0..towline_core::limits::UNSAVED_NAMES + 2 {
        source.work.retries.failed(format!("/{number}").as_bytes(), false);
    }
    drain(&mut source);
    let said = source.take_notices();
    let last = said.last().unwrap();
    assert!(last.kind == NoticeKind::Warning && last.text.contains("full; 3 names are not in it"), "{last}");
    assert!(last.text.ends_with("(T0642)"), "{last}");
}
