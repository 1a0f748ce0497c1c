//! Backups whose file daemon, storage daemon and catalog do not agree on what was saved, and those that only seem so.

use super::desk::Desk;
use crate::support::conv::Frame;
use crate::support::world::PeerId;

/// What a daemon says at its end: its status, files, bytes and errors.
type End = (u8, u32, u64, u32);

fn file_end((status, files, bytes, errors): End) -> String {
    let status = u32::from(status);
    format!(
        "text 2800 End Job TermCode={status} JobFiles={files} ReadBytes={bytes} JobBytes={bytes} Errors={errors} VSS=0 Encrypt=0\\n"
    )
}

fn storage_end((status, files, bytes, errors): End) -> String {
    let status = u32::from(status);
    format!("text 3099 Job J end JobStatus={status} JobFiles={files} JobBytes={bytes} JobErrors={errors}\\n")
}

/// The recorded backup up to its ends: six files are in the catalog. Returns the storage and the file daemon.
fn running() -> (Desk, PeerId, PeerId) {
    let mut desk = Desk::open();
    let (_, sd, fd) = desk.backup_up_to("3099 ", "2800 ");
    assert_eq!(rows(&desk), [1, 2, 3, 4, 5, 6]);
    (desk, sd, fd)
}

/// The same without any file in the catalog.
fn without_rows() -> (Desk, PeerId, PeerId) {
    let mut desk = Desk::open();
    let (_, sd, fd) = desk.backup_up_to("UpdCat ", "2800 ");
    assert_eq!(rows(&desk), [0_u32; 0]);
    (desk, sd, fd)
}

fn end((desk, sd, fd): &mut (Desk, PeerId, PeerId), file: End, storage: End) {
    desk.world.say(*fd, &file_end(file));
    desk.world.say(*sd, &storage_end(storage));
}

/// The files in the catalog, by their indexes.
fn rows(desk: &Desk) -> Vec<u32> {
    desk.shelf().catalog.file_rows(1).map(|row| row.file_index).collect()
}

/// The storage daemon tells the catalog of one more file.
fn tell(desk: &mut Desk, sd: PeerId, index: u32, stream: u32, record: &[u8]) {
    let mut payload = b"UpdCat Job=J FileAttributes ".to_vec();
    for number in [1, 1_795_438_888, index, stream, u32::try_from(record.len()).expect("short")] {
        payload.extend_from_slice(&number.to_be_bytes());
    }
    payload.extend_from_slice(record);
    desk.world.peers[sd].say(&Frame::Data(payload));
    desk.world.run();
}

fn attributes(index: u32) -> Vec<u8> {
    format!("{index} 3 /srv/bareos-run/data/tiny/more-{index}\0P4A\0\0\x000\0").into_bytes()
}

#[test]
fn a_backup_on_whose_figures_the_daemons_disagree_is_an_error_that_says_both() {
    for (what, file, storage, code, figures) in [
        ("more files", (b'T', 9, 1_043, 0), (b'T', 6, 1_749, 0), "T0560", ["sent 9 files", "stored 6"]),
        ("fewer files", (b'T', 4, 1_043, 0), (b'T', 6, 1_749, 0), "T0560", ["sent 4 files", "stored 6"]),
        ("more bytes", (b'T', 6, 1_750, 0), (b'T', 6, 1_749, 0), "T0561", ["sent 1750 bytes", "stored 1749"]),
    ] {
        let mut job = running();
        end(&mut job, file, storage);
        let desk = &job.0;
        let report = desk.report(1);
        assert_eq!(desk.status(1), 'E', "{what}: {report}");
        let line = report.lines().find(|line| line.contains(code)).unwrap_or_else(|| panic!("{what}: {report}"));
        assert!(line.contains("Error: ") && figures.iter().all(|text| line.contains(text)), "{what}: {line}");
        assert_eq!(rows(desk), [1, 2, 3, 4, 5, 6], "{what}: what was stored can be restored by its JobId");
    }
}

#[test]
fn rows_of_files_that_the_data_never_had_are_refused_one_by_one() {
    let mut job = running();
    let (desk, sd, _) = &mut job;
    for index in [7, 9] {
        tell(desk, *sd, index, 1, &attributes(index));
    }
    end(&mut job, (b'T', 6, 1_043, 0), (b'T', 6, 1_749, 0));
    let desk = &job.0;
    let report = desk.report(1);
    assert_eq!(desk.status(1), 'E', "{report}");
    assert!(report.contains("told of file 9, ") && report.contains("stored 6 files; the rows of later"), "{report}");
    assert!(report.contains("(T0562)"), "{report}");
    assert_eq!(rows(desk), [1, 2, 3, 4, 5, 6], "{report}");
}

#[test]
fn rows_that_make_no_sense_are_left_out_and_counted_and_the_rest_is_kept() {
    let mut job = running();
    let (desk, sd, _) = &mut job;
    tell(desk, *sd, u32::MAX, 1, &attributes(1));
    tell(desk, *sd, 8, 3, b"a digest of a file that is not there");
    tell(desk, *sd, 6, 1, b"6 3 no end");
    end(&mut job, (b'T', 6, 1_043, 0), (b'T', 6, 1_749, 0));
    let desk = &job.0;
    let report = desk.report(1);
    let refused = report.lines().filter(|line| line.contains("row for the catalog was refused")).count();
    assert!(refused > 0 && report.contains("a digest of file 8, which is not there"), "{report}");
    assert_eq!((desk.status(1), rows(desk)), ('W', vec![1, 2, 3, 4, 5, 6]), "{report}");
}

#[test]
fn rows_without_data_are_refused_however_the_file_daemon_ends() {
    for (status, ends_as) in [(b'E', 'E'), (b'f', 'f')] {
        let mut job = running();
        let (desk, sd, _) = &mut job;
        tell(desk, *sd, 7, 1, &attributes(7));
        end(&mut job, (status, 6, 1_043, 1), (b'T', 6, 1_749, 0));
        let desk = &job.0;
        assert_eq!((desk.status(1), rows(desk)), (ends_as, vec![1, 2, 3, 4, 5, 6]), "{}", desk.report(1));
    }
}

/// The figures of real daemons (`wire/3 §2.7`).
#[test]
fn the_figures_of_honest_daemons_never_contradict_each_other() {
    for (what, file, storage, expected) in [
        // The first four are recorded.
        ("plain files, a hard link, a symbolic link, folders", (b'T', 6, 1_043, 0), (b'T', 6, 1_749, 0), 'T'),
        ("compressed, sparse and empty files, attributes", (b'T', 10, 570_367, 0), (b'T', 10, 571_500, 0), 'T'),
        ("an incremental with a deleted file", (b'T', 4, 136, 0), (b'T', 4, 543, 0), 'T'),
        ("cancelled before any data", (b'A', 1, 0, 0), (b'A', 0, 0, 0), 'A'),
        ("cancelled in the middle", (b'A', 900, 90_000, 0), (b'A', 880, 80_000, 0), 'A'),
        ("only empty files and hard links", (b'T', 3, 0, 0), (b'T', 3, 270, 0), 'T'),
        ("unreadable files beside good ones", (b'T', 6, 1_043, 2), (b'T', 6, 1_749, 0), 'W'),
        ("nothing has changed", (b'T', 0, 0, 0), (b'T', 0, 0, 0), 'T'),
        ("the storage daemon fails", (b'T', 6, 1_043, 0), (b'f', 2, 300, 1), 'f'),
        ("the file daemon fails", (b'E', 9, 2_000, 1), (b'T', 6, 1_749, 0), 'E'),
    ] {
        let mut job = if file.1 < 6 { without_rows() } else { running() };
        end(&mut job, file, storage);
        let (report, status) = (job.0.report(1), job.0.status(1));
        assert_eq!(status, expected, "{what}: {report}");
        assert!(!report.contains("T056"), "{what}: {report}");
    }
}

#[test]
fn a_full_backup_of_nothing_with_errors_is_no_good_one() {
    let mut job = without_rows();
    end(&mut job, (b'T', 0, 0, 2), (b'T', 0, 0, 0));
    let desk = &job.0;
    let report = desk.report(1);
    assert_eq!(desk.status(1), 'E', "{report}");
    assert!(report.contains("no file at all, and the file daemon counts 2 errors (T0563)"), "{report}");
}

#[test]
fn what_a_running_job_has_saved_so_far_is_in_the_status() {
    let (mut desk, sd, _) = running();
    let console = desk.console();
    desk.world.say(sd, "text Catreq Job=J UpdateJobRecord JobFiles=3 JobBytes=1234567\\n");
    assert_eq!(desk.world.heard(sd).iter().filter(|line| line.contains("1992")).count(), 0, "it waits for no answer");
    let row = desk.shelf().catalog.job_row(1).expect("the job").clone();
    assert_eq!((row.job_files, row.job_bytes), (3, 1_234_567));
    let text = desk.ask(console, "status director").concat();
    assert!(text.contains("    Files=6 Bytes=1,234,567\\n"), "{text}");
    desk.ask(console, ".api 2 compact=yes");
    let json = desk.ask(console, "status director").concat();
    assert!(json.contains(r#""files":6,"bytes":1234567,"#), "{json}");
}
