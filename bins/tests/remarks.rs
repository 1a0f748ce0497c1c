//! A folder of sockets, each of which is worth a line of the report: none ends the job, and none is lost.
#![allow(clippy::unwrap_used, reason = "helpers of tests")]

mod support;

use std::os::unix::net::UnixListener;

use support::network::{Network, Plan};
use support::plant;

#[test]
fn a_folder_of_three_hundred_sockets_is_backed_up_and_each_is_named() {
    let network = Network::start(&Plan::default());
    plant(&network.source, 3, 1 << 20);
    let sockets: Vec<UnixListener> =
        (0..300).map(|n| UnixListener::bind(network.source.join(format!("s{n}"))).unwrap()).collect();
    let ended = network.backup();
    let named = ended.report.lines().filter(|line| line.contains("is a socket and is not saved")).count();
    assert_eq!(named, sockets.len(), "{}", ended.report);
    assert!(ended.termination().starts_with("Backup OK"), "{}", ended.report);
    network.assert_all_serve();
}
