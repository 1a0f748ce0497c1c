//! Listing, checking and restoring.

use std::fs;
use std::os::unix::fs::{MetadataExt as _, symlink};
use std::path::Path;

use towline_core::wire::block::BlockHeader;
use towline_core::wire::label::SessionLabel;
use towline_core::wire::stream::Stream;

use super::make::{Entry, asked, blocks, file, label, link, volume};
use crate::disk::restore::Replace;
use crate::volumes::extract::{Wish, extract};
use crate::volumes::{check::check, look, ls::list, show::show};

fn listed(folder: &Path, is_json: bool) -> (Vec<String>, Vec<String>) {
    let mut asked = asked(folder);
    let mut out = Vec::new();
    list(&mut asked, false, is_json, &mut out).unwrap();
    let text = String::from_utf8(out).unwrap();
    (text.lines().map(str::to_owned).collect(), asked.report.told)
}

fn checked(folder: &Path) -> (String, Vec<String>) {
    let mut asked = asked(folder);
    let line = check(&mut asked);
    (line, asked.report.told)
}

/// Ten files of 5,000 bytes.
fn ten() -> Vec<Entry> {
    (0..10).map(|n| file(&format!("/srv/file {n}"), &vec![n; 5000])).collect()
}

fn wish<'w>(to: &Path, patterns: &[&'w str]) -> Wish<'w> {
    Wish { to: to.to_owned(), patterns: patterns.to_vec(), bootstrap: None, replace: Replace::Always }
}

#[test]
fn jobs_and_files_are_listed_for_people_and_for_programs() {
    let folder = tempfile::tempdir().unwrap();
    let mut entries = ten();
    entries.push(link("/srv/again", "/srv/file 0", 1));
    volume(folder.path(), "v1", &blocks(&label(7, b'F'), 64_512, &entries));
    let (lines, told) = listed(folder.path(), false);
    assert_eq!(told, [""; 0]);
    assert!(lines[0].starts_with("job 7 nightly.2027-01-15_09.00.07_01 of laptop: B F T, "), "{}", lines[0]);
    assert!(lines[0].ends_with(", 11 files, 50000 bytes, on v1"), "{}", lines[0]);
    assert!(lines[1].starts_with("  -0640         5000 ") && lines[1].ends_with(" /srv/file 0"), "{}", lines[1]);
    assert!(lines[11].starts_with("  h0640") && lines[11].ends_with(" /srv/again -> /srv/file 0"), "{}", lines[11]);
    let (lines, _) = listed(folder.path(), true);
    let job: serde_json::Value = serde_json::from_str(&lines[0]).unwrap();
    assert_eq!((&job["job"], &job["level"], &job["files"]), (&7.into(), &"F".into(), &11.into()));
    let last: serde_json::Value = serde_json::from_str(&lines[11]).unwrap();
    assert_eq!((&last["file"], &last["link"]), (&"/srv/again".into(), &"/srv/file 0".into()));
}

#[test]
fn a_job_over_several_volumes_beside_another_is_read_in_its_order_whatever_the_files_are_called() {
    let folder = tempfile::tempdir().unwrap();
    let one = blocks(&label(1, b'F'), 4096, &ten());
    let two = blocks(&label(2, b'I'), 4096, &ten());
    assert!(one.len() > 12 && two.len() > 12);
    // The second part of the first job lies on a volume whose name comes first, between blocks of the second job.
    let mut mixed = Vec::new();
    for (a, b) in one[6..].iter().zip(&two) {
        mixed.extend([a.clone(), b.clone()]);
    }
    let rest = one.len() - 6;
    volume(folder.path(), "z", &one[..6]);
    volume(folder.path(), "a", &mixed);
    volume(folder.path(), "m", &two[rest..]);
    let (line, told) = checked(folder.path());
    assert_eq!(told, [""; 0]);
    assert!(line.contains("3 volumes, 2 jobs, 20 files, 100000 bytes: 20 files fit their digests"), "{line}");
    let asked = asked(folder.path());
    let mut out = Vec::new();
    show(&asked.shelf, &asked.jobs, false, &mut out).unwrap();
    let text = String::from_utf8(out).unwrap();
    assert!(
        text.contains("  pool daily (Backup), media type File, labelled ") && text.contains("job 1 nightly"),
        "{text}"
    );
}

#[test]
fn a_flipped_byte_is_named_with_its_place_and_its_file_and_all_else_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let path = volume(folder.path(), "v1", &blocks(&label(1, b'F'), 4096, &ten()));
    let mut bytes = fs::read(&path).unwrap();
    let at = bytes.windows(200).position(|window| window == [4; 200]).unwrap();
    bytes[at] ^= 1;
    fs::write(&path, &bytes).unwrap();
    let (line, told) = checked(folder.path());
    assert!(
        told[0].starts_with("volume \"v1\": bytes ") && told[0].ends_with("are no sound block (T0629)"),
        "{told:?}"
    );
    assert!(told[1].starts_with("job 1 nightly") && told[1].contains("is not complete: /srv/file"), "{told:?}");
    assert!(line.contains("9 files fit their digests") || line.contains("8 files fit their digests"), "{line}");
    let back = folder.path().join("back");
    let mut asked = asked(folder.path());
    extract(&mut asked, &wish(&back, &[])).unwrap();
    assert_eq!(fs::read(back.join("srv/file 0")).unwrap(), [0; 5000]);
    assert_eq!(fs::read(back.join("srv/file 9")).unwrap(), [9; 5000]);
    assert!(!back.join("srv/file 4").exists() && asked.report.findings() > 0);
}

#[test]
fn data_that_were_saved_wrong_are_found_by_their_digest() {
    let folder = tempfile::tempdir().unwrap();
    let mut made = blocks(&label(1, b'F'), 64_512, &ten());
    for block in &mut made {
        if let Some(at) = block.bytes.windows(200).position(|window| window == [6; 200]) {
            block.bytes[at] ^= 1;
        }
    }
    // The writer seals them: the checksum is right.
    volume(folder.path(), "v1", &made);
    let (line, told) = checked(folder.path());
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].contains("/srv/file 6: its data are not those that were saved") && told[0].ends_with("(T0631)"));
    assert!(line.contains("9 files fit their digests") && line.ends_with("1 finding"), "{line}");
}

#[test]
fn a_volume_that_is_missing_costs_what_lies_on_it_and_names_it() {
    let folder = tempfile::tempdir().unwrap();
    let made = blocks(&label(3, b'F'), 4096, &ten());
    volume(folder.path(), "v1", &made[..4]);
    volume(folder.path(), "v3", &made[9..]);
    let (_, told) = checked(folder.path());
    assert!(told.iter().any(|line| line.contains("is not complete")), "{told:?}");
    assert!(told.iter().any(|line| line.contains("gone")), "{told:?}");
    fs::remove_file(folder.path().join("v1")).unwrap();
    let (_, told) = checked(folder.path());
    assert!(told.iter().any(|line| line.contains("its beginning is not on these volumes (T0632)")), "{told:?}");
    // Its name is known from its end.
    assert!(told.iter().all(|line| line.contains("job 3 nightly")), "{told:?}");
}

#[test]
fn files_are_chosen_by_pattern_and_a_hard_link_brings_its_data() {
    let folder = tempfile::tempdir().unwrap();
    let mut entries = ten();
    entries.push(link("/home/a (copy).txt", "/srv/file 3", 4));
    volume(folder.path(), "v1", &blocks(&label(1, b'F'), 4096, &entries));
    let back = folder.path().join("back");
    let mut asked = asked(folder.path());
    extract(&mut asked, &wish(&back, &["/home/*(copy).t?t", "*file 8"])).unwrap();
    assert_eq!(asked.report.told, [""; 0]);
    let mut names: Vec<_> = fs::read_dir(back.join("srv")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    names.sort();
    assert_eq!(names, ["file 3", "file 8"]);
    let ino = |name: &str| fs::metadata(back.join(name)).unwrap().ino();
    assert_eq!(ino("home/a (copy).txt"), ino("srv/file 3"));
}

#[test]
fn an_encrypted_file_is_named_and_costs_no_other() {
    let folder = tempfile::tempdir().unwrap();
    let mut entries = ten();
    entries[4].stat.data_stream = Stream::ENCRYPTED;
    volume(folder.path(), "v1", &blocks(&label(1, b'F'), 64_512, &entries));
    let back = folder.path().join("back");
    let mut asked = asked(folder.path());
    let tally = extract(&mut asked, &wish(&back, &[])).unwrap();
    assert_eq!((tally.files, asked.report.findings()), (9, 1), "{:?}", asked.report.told);
    assert!(asked.report.told[0].contains("/srv/file 4"), "{:?}", asked.report.told);
    assert_eq!(fs::read(back.join("srv/file 5")).unwrap(), [5; 5000]);
    let (line, told) = checked(folder.path());
    assert!(told.is_empty() && line.contains("9 files fit their digests, 1 have none"), "{line} {told:?}");
}

#[test]
fn nothing_is_written_outside_the_folder() {
    let folder = tempfile::tempdir().unwrap();
    let outside = folder.path().join("outside");
    let entries = [file("/../../outside", b"evil"), file("/good", b"good"), file("relative", b"here")];
    volume(folder.path(), "v1", &blocks(&label(1, b'F'), 4096, &entries));
    let back = folder.path().join("back");
    let mut asked = asked(folder.path());
    extract(&mut asked, &wish(&back, &[])).unwrap();
    assert!(!outside.exists() && asked.report.findings() == 1, "{:?}", asked.report.told);
    assert_eq!(fs::read(back.join("good")).unwrap(), b"good");
}

#[test]
fn the_newest_of_several_jobs_stays_and_one_can_be_chosen() {
    let folder = tempfile::tempdir().unwrap();
    let mut made = blocks(&label(2, b'I'), 4096, &[file("/srv/file 1", b"new")]);
    made.extend(blocks(&label(1, b'F'), 4096, &ten()));
    volume(folder.path(), "v1", &made);
    let back = folder.path().join("back");
    extract(&mut asked(folder.path()), &wish(&back, &[])).unwrap();
    assert_eq!(fs::read(back.join("srv/file 1")).unwrap(), b"new");
    let mut first = look("test", &[folder.path().to_owned()], &["1".to_owned()]).expect("job 1");
    extract(&mut first, &wish(&back, &[])).unwrap();
    assert_eq!(fs::read(back.join("srv/file 1")).unwrap(), [1; 5000]);
    assert!(look("test", &[folder.path().to_owned()], &["9".to_owned()]).is_err());
}

#[test]
fn a_bootstrap_selects_files_and_volumes_that_are_gone_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let made = blocks(&label(1, b'F'), 4096, &ten());
    volume(folder.path(), "v1", &made);
    let bootstrap = folder.path().join("one.bsr");
    let section = "VolSessionId=1\nVolSessionTime=1800000000\nFileIndex=2-3\nCount=2\n";
    fs::write(&bootstrap, format!("Volume=\"v1\"\n{section}Volume=\"v9\"\n{section}")).unwrap();
    let back = folder.path().join("back");
    let mut asked = asked(folder.path());
    let wish = Wish { bootstrap: Some(bootstrap.clone()), ..wish(&back, &[]) };
    let tally = extract(&mut asked, &wish).unwrap();
    assert_eq!(tally.files, 2);
    assert_eq!(asked.report.told, ["volume \"v9\" of the bootstrap is not here (T0633)"]);
    for (text, why) in [(format!("Volume=\"v9\"\n{section}"), "none of its volumes"), ("what\n".into(), "line 1")] {
        fs::write(&bootstrap, text).unwrap();
        let refused = extract(&mut super::make::asked(folder.path()), &wish).unwrap_err();
        assert!(refused.contains(why), "{refused}");
    }
}

#[test]
fn jobs_of_daemons_that_were_started_in_the_same_second_are_told_apart() {
    let folder = tempfile::tempdir().unwrap();
    let other =
        SessionLabel { job: b"other.2027-01-15_10.00.00_01".to_vec(), client: b"desk".to_vec(), ..label(1, b'F') };
    let (one, two) = (blocks(&label(1, b'F'), 2048, &ten()), blocks(&other, 4096, &ten()[..3]));
    volume(folder.path(), "v1", &one[..5]);
    volume(folder.path(), "v2", &one[5..]);
    volume(folder.path(), "w1", &two);
    let (line, told) = checked(folder.path());
    assert!(told.is_empty() && line.contains("3 volumes, 2 jobs, 13 files"), "{line} {told:?}");
}

#[test]
fn foreign_files_links_and_copies_of_a_volume_are_no_trouble() {
    let folder = tempfile::tempdir().unwrap();
    let path = volume(folder.path(), "v1", &blocks(&label(1, b'F'), 4096, &ten()));
    fs::write(folder.path().join("letter"), "Dear Sir").unwrap();
    fs::write(folder.path().join("empty"), "").unwrap();
    fs::create_dir(folder.path().join("folder")).unwrap();
    symlink(&path, folder.path().join("link")).unwrap();
    let (line, told) = checked(folder.path());
    assert!(told.is_empty() && line.contains("1 volume, 1 job, 10 files"), "{line} {told:?}");
    symlink("nowhere", folder.path().join("broken")).unwrap();
    fs::copy(&path, folder.path().join("a copy")).unwrap();
    let (line, told) = checked(folder.path());
    assert!(
        told.iter().any(|line| line.contains("a copy: a second file of volume \"v1\", left out (T0627)")),
        "{told:?}"
    );
    assert!(told.iter().any(|line| line.contains("broken: ") && line.ends_with("(T0625)")), "{told:?}");
    assert!(line.contains("1 volume, 1 job, 10 files"), "{line}");
    assert!(look("test", &[folder.path().join("letter")], &[]).is_err());
}

#[test]
fn a_label_of_another_version_is_refused_by_its_number() {
    let folder = tempfile::tempdir().unwrap();
    let path = volume(folder.path(), "v1", &blocks(&label(1, b'F'), 4096, &ten()));
    volume(folder.path(), "v2", &blocks(&label(2, b'F'), 4096, &ten()));
    let mut bytes = fs::read(&path).unwrap();
    let len = BlockHeader::decode(&bytes).unwrap().len as usize;
    let at = bytes.windows(9).position(|window| window == b"immortal\n").unwrap() + 10;
    bytes[at + 3] = 11;
    towline_core::wire::block::seal(&mut bytes[..len]);
    fs::write(&path, bytes).unwrap();
    let (line, told) = checked(folder.path());
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].ends_with("v1: the label has version 11, not 20 (T0626)"), "{told:?}");
    assert!(line.contains("1 volume, 1 job"), "{line}");
}

#[test]
fn a_job_that_was_broken_off_is_listed_and_restored_as_far_as_it_goes() {
    let folder = tempfile::tempdir().unwrap();
    let made = blocks(&label(1, b'F'), 4096, &ten());
    volume(folder.path(), "v1", &made[..made.len() - 3]);
    let (lines, told) = listed(folder.path(), false);
    assert!(lines[0].contains(": B F f, ") && lines[0].contains(" to not ended, on v1"), "{}", lines[0]);
    assert!(told.iter().any(|line| line.contains("it has no end")), "{told:?}");
    let back = folder.path().join("back");
    extract(&mut asked(folder.path()), &wish(&back, &[])).unwrap();
    assert_eq!(fs::read(back.join("srv/file 2")).unwrap(), [2; 5000]);
}

/// The first block of a volume as a storage daemon of Bareos 26 has written it (`wire/3 §B.1`).
const REAL_LABEL: &str = "ef0e49f4000000bc0000000042423032000000016b043539fffffffe0000000000000098426172656f7320322e30\
    20696d6d6f7274616c0a0000000014000660f0f96576e4000660f0f96577150000000000000000000000000000000046756c6c2d30303031\
    000046756c6c004261636b75700046696c6500766d0077332d7364005665722e2032362e302e307e70726531203231204175677573742032\
    303236004275696c6420323032362d30382d32312030343a34343a303600";

#[test]
fn a_volume_of_a_real_daemon_is_shown_under_its_own_name() {
    let folder = tempfile::tempdir().unwrap();
    let digits: Vec<u8> = REAL_LABEL.bytes().filter(u8::is_ascii_hexdigit).collect();
    let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap();
    fs::write(folder.path().join("moved"), digits.chunks(2).map(byte).collect::<Vec<u8>>()).unwrap();
    let asked = asked(folder.path());
    let mut out = Vec::new();
    show(&asked.shelf, &asked.jobs, false, &mut out).unwrap();
    let text = String::from_utf8(out).unwrap();
    assert!(text.starts_with("volume Full-0001: ") && text.contains("moved, 188 bytes, 1 blocks"), "{text}");
    assert!(text.contains("pool Full (Backup), media type File, labelled 2026-11-23"), "{text}");
    assert!(text.contains("by w3-sd on vm, Ver. 26.0.0~pre1 21 August 2026"), "{text}");
    assert_eq!(checked(folder.path()).1, [""; 0]);
}
