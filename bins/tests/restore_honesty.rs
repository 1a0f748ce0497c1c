//! A restore says OK only if every byte is back, and never writes outside of its folder.
#![allow(clippy::unwrap_used, reason = "helpers of tests")]

mod support;

use std::os::unix::fs::{FileExt, symlink};
use std::path::{Path, PathBuf};

use support::network::{Ended, Network, Plan};
use support::{assert_restored, plant, wait_for};
use towline::disk::compare::compare;
use towline_core::wire::block::{BlockHeader, seal};

/// A network with one good backup of a few megabytes.
fn backed_up() -> Network {
    let network = Network::start(&Plan::default());
    plant(&network.source, 3, 5 << 20);
    let backup = network.backup();
    assert!(backup.is_ok(), "{}", backup.report);
    network
}

fn only_volume(network: &Network) -> PathBuf {
    let mut volumes = network.volume_files();
    assert_eq!(volumes.len(), 1);
    volumes.remove(0)
}

/// Where a file of the source comes to lie.
fn below(place: &Path, network: &Network, name: &str) -> PathBuf {
    place.join(network.source.strip_prefix("/").unwrap()).join(name)
}

/// Everything is restored but the file `large`, of which there is no trace.
fn assert_only_large_is_missing(network: &Network, place: &Path) {
    let comparison = compare(&network.source, &below(place, network, ""));
    let found: Vec<_> = comparison.differences.iter().map(|d| (&d.path[..], d.what.as_str())).collect();
    assert_eq!(found, [(&b"large"[..], "is missing in the restored tree")]);
}

/// What the end of a report says of the files: restored, skipped, failed, incomplete.
fn fates(ended: &Ended) -> [u64; 4] {
    ["Restored", "Skipped", "Failed", "Incomplete"].map(|fate| figure(ended, &format!("Files {fate}:")))
}

fn figure(ended: &Ended, label: &str) -> u64 {
    let line = ended.report.lines().find_map(|line| line.trim().strip_prefix(label));
    let number = line.and_then(|line| line.split_whitespace().next()).map(|number| number.replace(',', ""));
    number.and_then(|number| number.parse().ok()).unwrap_or_else(|| panic!("no {label} in {}", ended.report))
}

/// Changes a byte of the volume and makes the checksum of its block right again.
fn change_with_checksum(volume: &Path, place: usize) {
    let mut bytes = std::fs::read(volume).unwrap();
    let mut start = 0;
    while start <= place {
        let len = BlockHeader::verify(&bytes[start..], true).unwrap().len as usize;
        if place < start + len {
            bytes[place] ^= 0x10;
            seal(&mut bytes[start..start + len]);
        }
        start += len;
    }
    std::fs::write(volume, bytes).unwrap();
}

#[test]
fn changed_data_in_a_block_that_is_right_are_found_by_their_digest() {
    let network = backed_up();
    let volume = only_volume(&network);
    let middle = usize::try_from(std::fs::metadata(&volume).unwrap().len()).unwrap() / 2;
    change_with_checksum(&volume, middle);
    let place = network.place("changed");
    let ended = network.restore(&place, "");
    assert_eq!(ended.termination(), "Restore *** Error ***", "{}", ended.report);
    assert!(ended.report.contains("source/large: its data are not those that were saved"), "{}", ended.report);
    let all = figure(&ended, "Files Expected:");
    assert_eq!(fates(&ended), [all - 1, 0, 0, 1], "{}", ended.report);
    let named = |report: &str, end: &str| report.lines().filter(|line| line.trim_end().ends_with(end)).count();
    assert_eq!(named(&ended.report, "source/large"), 1, "in the last lines, by name alone: {}", ended.report);
    assert_only_large_is_missing(&network, &place);
    // Over a good file nothing changes.
    change_with_checksum(&volume, middle);
    let ended = network.restore(&place, "");
    assert!(ended.is_ok(), "{}", ended.report);
    change_with_checksum(&volume, middle);
    let ended = network.restore(&place, "replace=always");
    assert_eq!(ended.termination(), "Restore *** Error ***", "{}", ended.report);
    assert_restored(&network.source, &place);
}

#[test]
fn one_damaged_byte_of_a_volume_is_told() {
    let network = backed_up();
    let volume = std::fs::File::options().read(true).write(true).open(only_volume(&network)).unwrap();
    let middle = volume.metadata().unwrap().len() / 2;
    let mut byte = [0];
    volume.read_exact_at(&mut byte, middle).unwrap();
    volume.write_all_at(&[byte[0] ^ 0x10], middle).unwrap();
    let ended = network.restore(&network.place("damaged"), "");
    assert_eq!(ended.termination(), "Restore *** Error ***", "{}", ended.report);
    assert!(ended.report.contains("v-0001"), "the volume is not named: {}", ended.report);
    assert!(ended.report.contains("source/large) (T0552)"), "{}", ended.report);
    assert!(ended.report.contains("source/large: records of it are damaged"), "{}", ended.report);
    assert_only_large_is_missing(&network, &network.place("damaged"));
    // Mended, the same backup restores: nothing was written to the volume.
    volume.write_all_at(&byte, middle).unwrap();
    let place = network.place("mended");
    let ended = network.restore(&place, "");
    assert!(ended.is_ok(), "{}", ended.report);
    assert_restored(&network.source, &place);
}

#[test]
fn a_volume_that_is_gone_is_an_error_that_names_it() {
    let network = backed_up();
    std::fs::remove_file(only_volume(&network)).unwrap();
    let ended = network.restore(&network.place("gone"), "");
    assert_eq!(ended.termination(), "Restore *** Error ***", "{}", ended.report);
    assert!(ended.report.contains("v-0001"), "{}", ended.report);
    network.assert_all_serve();
}

#[test]
fn a_second_restore_that_replaces_nothing_leaves_what_is_there() {
    let network = backed_up();
    let place = network.place("twice");
    let first = network.restore(&place, "replace=never");
    assert!(first.is_ok(), "{}", first.report);
    assert_restored(&network.source, &place);
    let (kept, missing) = (below(&place, &network, "large"), below(&place, &network, "a/file 3"));
    std::fs::write(&kept, "mine").unwrap();
    std::fs::remove_file(&missing).unwrap();
    let second = network.restore(&place, "replace=never");
    assert!(second.termination().starts_with("Restore OK"), "{}", second.report);
    let all = figure(&first, "Files Expected:");
    assert_eq!((fates(&first), fates(&second)), ([all, 0, 0, 0], [1, all - 1, 0, 0]), "{}", second.report);
    assert!(second.report.contains("(replace=never)"), "{}", second.report);
    let after = second.report.split_once("(replace=never)").map_or("", |(_, after)| after);
    let names: Vec<&str> = after.lines().skip(1).map(str::trim).take_while(|line| line.starts_with('/')).collect();
    assert_eq!(names.len() as u64, (all - 1).min(20), "{}", second.report);
    assert!(names.iter().all(|name| name.contains("/source/")), "{}", second.report);
    let more = format!("and {} more, not named here", all.saturating_sub(21));
    assert_eq!(second.report.contains(&more), all > 21, "{}", second.report);
    assert_eq!(std::fs::read(&kept).unwrap(), b"mine");
    assert_eq!(std::fs::read(&missing).unwrap(), std::fs::read(network.source.join("a/file 3")).unwrap());
    let third = network.restore(&place, "replace=always");
    assert!(third.is_ok(), "{}", third.report);
    assert_restored(&network.source, &place);
}

#[test]
fn a_plan_says_what_would_be_overwritten_and_restores_nothing() {
    let network = backed_up();
    let place = network.place("planned");
    let plan = |more: &str| network.ask(&[&format!("restore client=f where={} {more} all done plan", place.display())]);
    let text = plan("replace=always");
    assert!(text.contains("needs these volumes of storage s: v-0001\n"), "{text}");
    assert!(text.contains("In their places stand 0 files"), "{text}");
    assert!(!place.exists(), "nothing was restored");
    let first = network.restore(&place, "");
    let bytes = figure(&first, "Bytes Restored:");
    let (newer, older) = (below(&place, &network, "large"), below(&place, &network, "a/file 3"));
    std::fs::write(&newer, "mine").unwrap();
    let hour = std::time::Duration::from_secs(3_600);
    let moved = |path: &Path, by: fn(std::time::SystemTime, std::time::Duration) -> std::time::SystemTime| {
        let file = std::fs::File::options().write(true).open(path).unwrap();
        file.set_modified(by(std::time::SystemTime::now(), hour)).unwrap();
    };
    moved(&newer, |now, hour| now + hour);
    moved(&older, |now, hour| now - hour);
    for (replace, overwritten, lost) in [("always", 21, 1), ("ifnewer", 1, 0), ("ifolder", 1, 1), ("never", 0, 0)] {
        let text = plan(&format!("replace={replace}"));
        let there = "In their places stand 21 files: 19 as they were saved, 1 newer than that.";
        let said = format!("{there} With replace={replace} {overwritten} of them would be overwritten, {lost} newer");
        assert!(text.contains(&said), "{text}");
        let named = format!("Newer, and would be overwritten: {}\n", newer.display());
        assert_eq!(text.contains(&named), lost == 1, "{text}");
    }
    assert_eq!(std::fs::read(&newer).unwrap(), b"mine");
    let line = format!("restore client=f where={} replace=always all done plan", place.display());
    let json = network.ask(&[".api 2 compact=yes", &line]);
    let [place, newer] = [place.display(), newer.display()];
    let said = format!(
        r#""plan":{{"client":"f","where":"{place}","replace":"always","files":"{}","bytes":"{bytes}","volumes":[{{"storage":"s","volume":"v-0001","slot":null}}],"there":"21","same":"19","newer":"1","overwritten":"21","newer_overwritten":"1","newer_files":["{newer}"]}}"#,
        figure(&first, "Files Expected:"),
    );
    assert!(json.contains(&said), "{json}\n{said}");
}

#[test]
fn a_restore_that_was_cut_goes_on_where_it_was() {
    let network = Network::start(&Plan::default());
    plant(&network.source, 3, 3 << 20);
    std::fs::copy(network.source.join("large"), network.source.join("too large")).unwrap();
    let backup = network.backup();
    assert!(backup.is_ok(), "{}", backup.report);
    network.ask(&["setbandwidth client=f limit=1500k/s"]);
    let place = network.place("cut");
    let text = network.ask(&[&format!("restore client=f where={} replace=always all done yes", place.display())]);
    let cut = backup.id + 1;
    assert!(text.contains(&format!("JobId={cut}\n")), "{text}");
    let large = ["large", "too large"].map(|name| below(&place, &network, name));
    wait_for("one of the large files", || large.iter().any(|file| file.exists()).then_some(()));
    let early = network.ask(&[&format!("restore continue jobid={cut} yes")]);
    assert!(early.contains("it has not ended"), "{early}");
    network.ask(&[&format!("cancel jobid={cut}")]);
    let ended = network.end_of(cut);
    assert_eq!(ended.termination(), "Restore Canceled", "{}", ended.report);
    assert!(ended.report.contains("Files Skipped:          not known"), "{}", ended.report);
    assert_eq!(large.iter().filter(|file| file.exists()).count(), 1);

    network.ask(&["setbandwidth client=f limit=0"]);
    let text = network.ask(&[&format!("restore continue jobid={cut} yes"), "wait"]);
    assert!(text.contains(" are there as they were saved, and are left out.\n"), "{text}");
    let continued = network.end_of(cut + 1);
    assert!(continued.is_ok(), "{}", continued.report);
    assert!((3 << 20..4 << 20).contains(&figure(&continued, "Bytes Restored:")), "{}", continued.report);
    assert_restored(&network.source, &place);
    // What one has changed since is restored again, and no other file.
    std::fs::write(&large[0], "changed").unwrap();
    let text = network.ask(&[&format!("restore continue jobid={cut} yes"), "wait"]);
    let again = network.end_of(cut + 2);
    assert!(again.is_ok() && figure(&again, "Bytes Restored:") == 3 << 20, "{text}\n{}", again.report);
    assert_restored(&network.source, &place);

    for (line, why) in [
        (format!("restore continue jobid={}", backup.id), "it is no restore"),
        ("restore continue jobid=99".to_owned(), "no job \"99\""),
        ("restore continue".to_owned(), "Name the restore that was cut"),
        (format!("restore continue jobid={cut} where=/x"), "does not know the word \"where\""),
        (format!("restore continue jobid={cut} plan yes"), "use plan or yes, not both"),
    ] {
        let text = network.ask(&[&line]);
        assert!(text.contains(why), "{line}: {text}");
    }
    network.ask(&[&format!("delete jobid={} yes", backup.id)]);
    let text = network.ask(&[&format!("restore continue jobid={cut} yes")]);
    assert!(text.contains(&format!("job {}, which has some of its files", backup.id)), "{text}");
}

#[test]
fn a_planted_link_does_not_lead_a_restore_out_of_its_folder() {
    let network = backed_up();
    let (place, outside) = (network.place("trap"), network.place("outside"));
    std::fs::create_dir_all(&outside).unwrap();
    std::fs::write(outside.join("precious"), "untouched").unwrap();
    std::fs::create_dir_all(below(&place, &network, "")).unwrap();
    symlink(&outside, below(&place, &network, "a")).unwrap();
    symlink(outside.join("precious"), below(&place, &network, "large")).unwrap();
    let ended = network.restore(&place, "replace=always");
    let left: Vec<_> = std::fs::read_dir(&outside).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left, ["precious"], "{}", ended.report);
    assert_eq!(std::fs::read(outside.join("precious")).unwrap(), b"untouched", "{}", ended.report);
    // Either everything is back in its place, or the job does not say so.
    if ended.is_ok() {
        assert_restored(&network.source, &place);
    } else {
        assert!(!std::fs::symlink_metadata(below(&place, &network, "large")).unwrap().is_symlink());
    }
}
