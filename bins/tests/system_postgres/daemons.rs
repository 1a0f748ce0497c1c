//! Backups by real daemons with their catalog on a server that goes away.

use std::process::Command;
use std::thread;
use std::time::Duration;

use super::support::assert_restored;
use super::support::busy::{assert_cancelled_at_once, assert_logged, in_the_middle, slow_client};
use super::support::network::{Network, Plan};
use super::support::postgres::Server;

/// How long a server may be away without a job noticing.
const AWAY: Duration = Duration::from_secs(30);

fn catalog(server: &Server, more: &str) -> String {
    let socket = server.over_socket();
    format!(r#"postgres(host: {:?}, port: {}, {more})"#, socket.host, socket.port)
}

/// A network in the middle of a backup whose catalog's server has been stopped.
fn stopped(server: &Server, more: &str, client: String) -> (Network, u32) {
    let plan = Plan { catalog: catalog(server, more), client, ..Plan::default() };
    let (network, id, ()) = in_the_middle(&plan, |_| server.stop(), |()| server.resume());
    (network, id)
}

#[test]
fn a_backup_waits_for_a_server_that_is_away_for_30_seconds_and_ends_well() {
    let server = Server::start();
    let (network, id) = stopped(&server, "", String::new());
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
    let (network, id) = stopped(&server, r#"retry_for: "3 s""#, String::new());
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
    let (network, id) = stopped(&server, r#"retry_for: "1 h""#, slow_client());
    network.director.logged(0, "that it went away", |line| line.contains("the catalog is away"));
    assert_cancelled_at_once(&network, id);
    server.resume();
    let ended = network.end_of(id);
    assert_eq!(ended.termination(), "Backup Canceled", "{}", ended.report);
}

#[test]
fn one_director_has_a_catalog_in_a_file_and_one_on_a_server_and_each_goes_on_without_the_other() {
    fn rewrite(text: String) -> String {
        let job = r#"client: "f", fileset: "fs", storage: "s", pool: "deep""#;
        text.replace("pools: [", r#"pools: [(name: "deep", label_format: "deep-", catalog: "Archive"), "#)
            .replace("jobs: [", &format!(r#"jobs: [(name: "a", level: full, {job}), "#))
            .replace("catalog: catalogs: ", "catalogs: ")
    }
    let server = Server::start();
    let further = catalog(&server, r#"name: "Archive", retry_for: "10 min""#);
    let catalog = format!(r#"catalogs: [{further}], catalog: sqlite(path: "catalog.sqlite")"#);
    let network = Network::start(&Plan { catalog, rewrite, ..Plan::default() });
    std::fs::write(network.source.join("file"), "text").unwrap();
    let here = || network.run_in("MyCatalog", "run job=b yes");
    let (first, second) = (here(), network.run_in("Archive", "run job=a yes"));
    assert!(first.is_ok() && second.is_ok(), "{}{}", first.report, second.report);
    assert_eq!(server.sql("towline", "SELECT JobId, Name FROM Job").trim(), "2|a");
    server.stop();
    // What the server has is waited for, and nothing else is.
    let next = here();
    assert!(next.is_ok(), "{}", next.report);
    server.resume();
    let place = network.place("restored");
    let line = format!("restore client=f catalog=Archive where={} all done yes", place.display());
    let restored = network.run_in("Archive", &line);
    assert!(restored.is_ok(), "{}", restored.report);
    assert_restored(&network.source, &place);
}

#[test]
fn a_director_that_starts_before_its_server_waits_for_it_and_one_with_a_wrong_password_ends() {
    let server = Server::start();
    let network_catalog = catalog(&server, "");
    let mut network = Network::start(&Plan { catalog: network_catalog, ..Plan::default() });
    network.director.kill();
    server.stop();
    network.director.restart();
    network.director.logged(0, "that it waits", |line| line.contains("waiting for the catalog"));
    let said = network.ask(&["run job=b yes"]);
    assert!(said.contains("Jobs wait with it (T0780)"), "{said}");
    server.resume();
    network.director.logged(0, "that it is there", |line| line.contains("the catalog is there: jobs may run"));
    std::fs::write(network.source.join("file"), "text").unwrap();
    let ended = network.backup();
    assert!(ended.is_ok(), "{}", ended.report);
    network.director.kill();
    network.director.rewrite("postgres(host: ", r#"postgres(user: "nobody", host: "#);
    let file = network.place("director.ron");
    let ended = Command::new(env!("CARGO_BIN_EXE_towline-dir")).arg("-c").arg(file).output().unwrap();
    let said = String::from_utf8_lossy(&ended.stderr);
    assert!(ended.status.code() == Some(74) && said.contains("T0708"), "{said}");
}
