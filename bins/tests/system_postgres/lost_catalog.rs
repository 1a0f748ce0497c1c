//! A catalog on a server that is lost: made again from a copy, and from the volumes.

use std::fs;
use std::path::Path;
use std::process::Command;

use super::support::daemon::run;
use super::support::network::{CLEAR, Network, Plan};
use super::support::postgres::Server;
use super::support::{assert_restored, plant};

fn towline(words: &[&str], config: &Path, path: &Path) -> (Option<i32>, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_towline"));
    run(command.args(words).arg("--config").arg(config).arg(path), "")
}

#[test]
fn a_catalog_on_a_server_is_made_again_from_its_copy_and_from_the_volumes() {
    let server = Server::start();
    let socket = server.over_socket();
    let catalog =
        |database: &str| format!(r#"postgres(host: {:?}, port: {}, database: "{database}")"#, socket.host, socket.port);
    let mut network = Network::start(&Plan { all: CLEAR.to_owned(), catalog: catalog("towline"), ..Plan::default() });
    plant(&network.source, 4, 300_000);
    for level in ["full", "incremental"] {
        let ended = network.run(&format!("run job=b level={level} yes"));
        assert!(ended.is_ok(), "{}", ended.report);
        if level == "full" {
            fs::write(network.source.join("changed"), level).unwrap();
        }
    }
    let (config, copy) = (network.place("director.ron"), network.place("copy"));
    let (code, said, complaints) = towline(&["catalog", "backup"], &config, &copy);
    assert_eq!((code, complaints.as_str()), (Some(0), ""), "{said}");
    assert!(said.starts_with("2 jobs in "), "{said}");
    let (code, _, complaints) = towline(&["catalog", "restore"], &config, &copy);
    assert!(code == Some(2) && complaints.contains("T0620"), "the director runs: {code:?} {complaints}");
    network.director.kill();
    let (code, _, complaints) = towline(&["catalog", "restore"], &config, &copy);
    assert!(code == Some(2) && complaints.contains("holds 2 jobs"), "{code:?} {complaints}");
    let rows = |database: &str| {
        let sql =
            "SELECT JobId, Job, Level, JobStatus, JobFiles, (SELECT COUNT(*) FROM File WHERE File.JobId = Job.JobId),
            (SELECT COUNT(*) FROM JobMedia WHERE JobMedia.JobId = Job.JobId), (SELECT SUM(NumVols) FROM Pool)
            FROM Job ORDER BY JobId";
        server.sql(database, sql)
    };
    let before = rows("towline");
    for (name, words, path) in
        [("copied", ["catalog", "restore"], &copy), ("scanned", ["volume", "scan"], &network.volumes.clone())]
    {
        server.database(name);
        let last = fs::read_to_string(&config).unwrap();
        let start = last.find("postgres(").unwrap();
        let end = start + last[start..].find(')').unwrap() + 1;
        fs::write(&config, format!("{}{}{}", &last[..start], catalog(name), &last[end..])).unwrap();
        let (code, said, complaints) = towline(&words, &config, path);
        assert_eq!((code, complaints.as_str()), (Some(0), ""), "{name}: {said}");
        assert_eq!(rows(name), before, "{name}");
        network.director.restart();
        let place = network.place(name);
        let ended = network.restore(&place, "");
        assert!(ended.is_ok(), "{name}: {}", ended.report);
        assert_eq!(ended.id, 3, "{name}: numbers go on");
        assert_restored(&network.source, &place);
        network.director.kill();
    }
    let mut broken = fs::read(&copy).unwrap();
    let middle = broken.len() / 2;
    broken[middle] ^= 1;
    fs::write(&copy, broken).unwrap();
    let (code, _, complaints) = towline(&["catalog", "restore"], &config, &copy);
    assert!(code == Some(2) && complaints.contains("damaged or cut off (T0639)"), "{code:?} {complaints}");
}
