//! Backups by real daemons with their catalog on a server that goes away.

use std::thread;
use std::time::Duration;

use super::support::assert_restored;
use super::support::busy::{assert_cancelled_at_once, assert_logged, in_the_middle};
use super::support::network::Network;
use super::support::postgres::Server;

/// How long a server may be away without a job noticing.
const AWAY: Duration = Duration::from_secs(30);

fn catalog(server: &Server, more: &str) -> String {
    let socket = server.over_socket();
    format!(r#"postgres(host: {:?}, port: {}, {more})"#, socket.host, socket.port)
}

/// A network in the middle of a backup whose catalog's server has been stopped.
fn stopped(server: &Server, more: &str) -> (Network, u32) {
    let (network, id, ()) = in_the_middle(catalog(server, more), |_| server.stop(), |()| server.resume());
    (network, id)
}

#[test]
fn a_backup_waits_for_a_server_that_is_away_for_30_seconds_and_ends_well() {
    let server = Server::start();
    let (network, id) = stopped(&server, "");
    network.director.logged(0, "that it went away", |line| line.contains("the catalog is away"));
    thread::sleep(AWAY);
    server.resume();
    let ended = network.end_of(id);
    assert!(ended.is_ok(), "{}", ended.report);
    assert_logged(&network.director);
    let rows =
        server.sql("towline", &format!("SELECT COUNT(*), COUNT(DISTINCT FileIndex) FROM File WHERE JobId = {id}"));
    let files = server.sql("towline", &format!("SELECT JobFiles, JobFiles FROM Job WHERE JobId = {id}"));
    assert_eq!(rows, files, "every file once");
    let place = network.place("restored");
    let restored = network.restore(&place, "");
    assert!(restored.is_ok(), "{}", restored.report);
    assert_restored(&network.source, &place);
}

#[test]
fn a_backup_whose_server_does_not_come_back_fails_with_its_code_and_the_next_one_works() {
    let server = Server::start();
    let (network, id) = stopped(&server, r#"retry_for: "3 s""#);
    network.director.logged(0, "the code", |line| line.contains("T0707"));
    network.ask(&[&format!("wait jobid={id}")]);
    server.resume();
    network.assert_all_serve();
    let next = network.backup();
    assert!(next.is_ok(), "{}", next.report);
}

#[test]
fn a_backup_that_waits_for_its_server_is_cancelled_at_once() {
    let server = Server::start();
    let (network, id) = stopped(&server, r#"retry_for: "1 h""#);
    network.director.logged(0, "that it went away", |line| line.contains("the catalog is away"));
    assert_cancelled_at_once(&network, id);
    server.resume();
    let ended = network.end_of(id);
    assert_eq!(ended.termination(), "Backup Canceled", "{}", ended.report);
}
