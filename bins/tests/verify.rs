//! Verify jobs through real daemons: a good volume, changed bytes on it, and changed rows in the catalog.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on should fail")]

mod support;

use std::path::PathBuf;

use support::network::{Network, Plan};
use support::{assert_restored, plant};
use towline_core::wire::block::{BlockHeader, seal};

/// What a file of the source contains, so that it is found on its volume.
const MARK: &[u8] = b"the marked contents of a file";

/// A network with a good backup of some megabytes: the job `v` verifies it.
fn backed_up(client: &str) -> Network {
    let network = Network::start(&Plan { client: client.to_owned(), ..Plan::default() });
    plant(&network.source, 7, 2 << 20);
    std::fs::write(network.source.join("marked"), MARK).unwrap();
    let backup = network.backup();
    assert!(backup.is_ok(), "{}", backup.report);
    network
}

fn volume(network: &Network) -> PathBuf {
    let mut volumes = network.volume_files();
    assert_eq!(volumes.len(), 1);
    volumes.remove(0)
}

/// Changes a byte of the volume, so far after the first place of these, and makes the checksum of its block right again.
fn change_volume(network: &Network, mark: &[u8], after: usize) {
    let path = volume(network);
    let mut bytes = std::fs::read(&path).unwrap();
    let place = bytes.windows(mark.len()).position(|bytes| bytes == mark).unwrap() + after;
    let mut start = 0;
    while start <= place {
        let len = BlockHeader::verify(&bytes[start..], false).unwrap().len as usize;
        if place < start + len {
            bytes[place] ^= 0x20;
            seal(&mut bytes[start..start + len]);
        }
        start += len;
    }
    std::fs::write(&path, bytes).unwrap();
}

#[test]
fn a_good_volume_is_verified_whichever_side_dials() {
    for (client, connection) in [("", "(connection 6)"), ("passive: true,", "(connection 7)")] {
        let network = backed_up(client);
        let before = std::fs::read(volume(&network)).unwrap();
        let ended = network.run("run job=v yes");
        assert_eq!(ended.termination(), "Verify OK", "{}", ended.report);
        assert!(ended.report.contains(connection), "{}", ended.report);
        assert!(ended.report.contains("  Differences:            0\n"), "{}", ended.report);
        let row = network.row_of(ended.id);
        assert!(row.contains("| V    | O     |") && row.contains("| T "), "{row}");
        assert!(std::fs::read(volume(&network)).unwrap() == before, "the volume was written to");
        // By number too, and after other jobs of the client.
        let again = network.run("run job=v jobid=1 yes");
        assert_eq!(again.termination(), "Verify OK", "{}", again.report);
        let none = network.run(&format!("run job=v jobid={} yes", ended.id));
        assert_eq!(none.termination(), "Verify *** Error ***", "{}", none.report);
        network.assert_all_serve();
    }
}

#[test]
fn compressed_data_are_restored_verified_and_found_when_they_change() {
    for options in ["compression: gzip,", "compression: lz4hc, sparse: true,"] {
        let network = Network::start(&Plan { options: options.to_owned(), ..Plan::default() });
        plant(&network.source, 7, 1 << 20);
        let text = "a line that comes again and again\n".repeat(60_000);
        std::fs::write(network.source.join("text"), &text).unwrap();
        let backup = network.backup();
        assert!(backup.is_ok(), "{}", backup.report);
        assert!(std::fs::metadata(volume(&network)).unwrap().len() < 2_000_000, "{options}");
        let verified = network.run("run job=v yes");
        assert_eq!(verified.termination(), "Verify OK", "{}", verified.report);
        let place = network.place("restored");
        let restored = network.restore(&place, "");
        assert!(restored.is_ok(), "{}", restored.report);
        assert_restored(&network.source, &place);

        match options.contains("gzip") {
            true => change_volume(&network, b"GZIP", 15),
            false => change_volume(&network, b"a line that comes again", 3),
        }
        let verified = network.run("run job=v yes");
        assert_ne!(verified.termination(), "Verify OK", "{}", verified.report);
        let told = if options.contains("gzip") { "(T0720)" } else { "source/text: digest: catalog " };
        assert!(verified.report.contains(told), "{}", verified.report);
        network.assert_all_serve();
    }
}

#[test]
fn changed_data_on_the_volume_are_found_by_their_digest() {
    let network = backed_up("");
    change_volume(&network, MARK, 0);
    let ended = network.run("run job=v yes");
    assert_eq!(ended.termination(), "Verify Differences", "{}", ended.report);
    assert!(ended.report.contains("source/marked: digest: catalog "), "{}", ended.report);
    assert!(ended.report.contains("  Differences:            1\n"), "{}", ended.report);
    let row = network.row_of(ended.id);
    assert!(row.contains("| D "), "{row}");
    let status = network.ask(&["status director"]);
    assert!(status.lines().any(|line| line.contains("VVol") && line.contains("Diffs")), "{status}");
}

#[test]
fn changed_rows_of_the_catalog_are_found() {
    let network = backed_up("");
    let catalog = rusqlite::Connection::open(network.place("catalog.sqlite")).unwrap();
    catalog.busy_timeout(std::time::Duration::from_secs(10)).unwrap();
    let change = |sql: &str| assert_eq!(catalog.execute(sql, []).unwrap(), 1, "{sql}");
    change("UPDATE File SET Md5 = CAST('none-of-it' AS BLOB) WHERE Name = CAST('marked' AS BLOB)");
    change(
        "INSERT INTO File SELECT JobId, PathId, CAST('never saved' AS BLOB), 100000, LinkFI, DeltaSeq, LStat, Md5 FROM File \
            WHERE Name = CAST('marked' AS BLOB)",
    );
    drop(catalog);
    let ended = network.run("run job=v yes");
    assert_eq!(ended.termination(), "Verify Differences", "{}", ended.report);
    assert!(ended.report.contains("source/marked: digest: catalog none-of-it, volume "), "{}", ended.report);
    assert!(ended.report.contains("source/never saved: is not on the volume"), "{}", ended.report);
    assert!(ended.report.contains("  Differences:            2\n"), "{}", ended.report);
}

#[test]
fn a_damaged_block_ends_a_verify_job_as_an_error() {
    let network = backed_up("");
    let path = volume(&network);
    let mut bytes = std::fs::read(&path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 0x10;
    std::fs::write(&path, bytes).unwrap();
    let ended = network.run("run job=v yes");
    assert_eq!(ended.termination(), "Verify *** Error ***", "{}", ended.report);
    assert!(ended.report.contains("v-0001"), "{}", ended.report);
    // The rest is looked at, and the one file is named by both daemons.
    assert!(ended.report.contains("source/large) (T0552)"), "{}", ended.report);
    assert!(ended.report.contains("source/large: records of it are damaged"), "{}", ended.report);
    let others: Vec<&str> =
        ended.report.lines().filter(|line| line.contains("/source/") && !line.contains("/large")).collect();
    assert!(others.is_empty(), "{others:?}");
    network.assert_all_serve();
}
