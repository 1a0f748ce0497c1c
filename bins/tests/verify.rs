//! Verify jobs through real daemons: a good volume, changed bytes on it, and changed rows in the catalog.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on should fail")]

mod support;

use std::path::PathBuf;

use support::network::{Network, Plan};
use support::plant;
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

/// Changes the marked contents on the volume, and makes the checksum of their block right again.
fn change_volume(network: &Network) {
    let path = volume(network);
    let mut bytes = std::fs::read(&path).unwrap();
    let place = bytes.windows(MARK.len()).position(|bytes| bytes == MARK).unwrap();
    let mut start = 0;
    while start <= place {
        let len = BlockHeader::verify(&bytes[start..], false).unwrap().len as usize;
        if place < start + len {
            bytes[place] = b'T';
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
        assert!(ended.report.contains("  Differences:   0\n"), "{}", ended.report);
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
fn changed_data_on_the_volume_are_found_by_their_digest() {
    let network = backed_up("");
    change_volume(&network);
    let ended = network.run("run job=v yes");
    assert_eq!(ended.termination(), "Verify Differences", "{}", ended.report);
    assert!(ended.report.contains("source/marked: digest: catalog "), "{}", ended.report);
    assert!(ended.report.contains("  Differences:   1\n"), "{}", ended.report);
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
    assert!(ended.report.contains("  Differences:   2\n"), "{}", ended.report);
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
