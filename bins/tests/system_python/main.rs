//! Clients nobody here wrote: a browser at the page of a director (`browser.rs`), and python-bareos and the REST library made of it against a director, over TLS with pre-shared keys and in clear, as default
//! and as named console. Needs a Python with `python-bareos`, `bareos-restapi`, and `sslpsk3` unless it has
//! pre-shared keys itself, in `target/python` or at `TOWLINE_PYTHON`.
#![allow(clippy::unwrap_used, reason = "helpers of tests")]

mod browser;
mod fuse;
mod library;
#[path = "../support/mod.rs"]
mod support;

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};
use support::daemon::run;
use support::network::{CLEAR, Network, Plan};
use support::plant;

/// A file that takes a while to read: it needs no disk.
const ENDLESS: u64 = 3 << 30;
/// So much of it on a volume shows that the backup is under way.
const UNDER_WAY: u64 = 8 << 20;

fn python() -> PathBuf {
    let made = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/python/bin/python");
    let python = std::env::var_os("TOWLINE_PYTHON").map_or(made, PathBuf::from);
    let hint = "make it: python3 -m venv target/python && target/python/bin/pip install python-bareos sslpsk3 bareos-restapi bareos-fuse";
    assert!(python.exists(), "there is no {}; {hint}", python.display());
    python
}

/// Who comes in, and how.
#[derive(Clone, Copy)]
struct Visitor {
    name: Option<&'static str>,
    password: &'static str,
    tls: bool,
    json: bool,
}

const DEFAULT: Visitor = Visitor { name: None, password: "console", tls: true, json: true };
const READER: Visitor = Visitor { name: Some("reader"), password: "reader-secret", tls: true, json: true };

/// What a visitor hears: first how it came in, then an answer to each command.
fn hears(network: &Network, visitor: Visitor, commands: &[&str]) -> Vec<Value> {
    let Visitor { name, password, tls, json } = visitor;
    let port = network.director.address.port();
    let orders =
        json!({ "port": port, "name": name, "password": password, "tls": tls, "json": json, "commands": commands });
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/python/console.py");
    let (code, output, errors) = run(Command::new(python()).arg(script), &orders.to_string());
    assert_eq!(code, Some(0), "{output}\n{errors}");
    let answers: Vec<Value> = output.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(answers[0].get("refused").is_some() || answers.len() == commands.len() + 1, "{output}\n{errors}");
    answers
}

/// The one answer to one command.
fn answer(network: &Network, visitor: Visitor, command: &str) -> Value {
    hears(network, visitor, &[command]).remove(1)
}

fn network(all: &str) -> Network {
    let tls = if all.is_empty() { String::new() } else { format!(", {all}") };
    let consoles = format!(
        r#"(name: "reader", password: "reader-secret", command_acl: ["list", "status"], job_acl: ["*all*"],
           client_acl: ["*all*"], fileset_acl: ["*all*"], catalog_acl: ["*all*"]{tls}),
           (name: "rest", password: "rest-secret", command_acl: ["*all*"], job_acl: ["*all*"], client_acl: ["*all*"],
            storage_acl: ["*all*"], schedule_acl: ["*all*"], pool_acl: ["*all*"], fileset_acl: ["*all*"],
            catalog_acl: ["*all*"], where_acl: ["*all*"]{tls})"#
    );
    let network = Network::start(&Plan { all: all.to_owned(), consoles, ..Plan::default() });
    plant(&network.source, 1, 300_000);
    network
}

/// Runs a job to its end, lists it, and cancels another.
fn jobs(network: &Network, visitor: Visitor) {
    let started = answer(network, visitor, "run job=b yes");
    let id = started["result"]["run"]["jobid"].as_str().unwrap_or_else(|| panic!("{started}")).to_owned();
    let heard = hears(network, visitor, &[&format!("wait jobid={id}"), &format!("list jobs jobid={id}"), "messages"]);
    let job = &heard[2]["result"]["jobs"][0];
    assert_eq!((&job["jobid"], &job["jobstatus"], &job["name"]), (&json!(id), &json!("T"), &json!("b")), "{heard:?}");
    assert!(job["jobfiles"].as_str().unwrap().parse::<u32>().unwrap() > 20, "{job}");
    let messages = heard[3]["result"]["messages"].as_array().unwrap();
    assert!(messages.iter().any(|line| line.as_str().unwrap().contains("Backup OK")), "{messages:?}");

    File::create(network.source.join("endless")).unwrap().set_len(ENDLESS).unwrap();
    let before = network.written();
    let started = answer(network, visitor, "run job=b yes");
    let id = started["result"]["run"]["jobid"].as_str().unwrap().to_owned();
    network.wait_written(before + UNDER_WAY);
    let running = answer(network, visitor, "status director");
    assert_eq!(running["result"]["running"][0]["jobid"].to_string(), id, "{running}");
    let cancel = format!("cancel jobid={id}");
    let heard =
        hears(network, visitor, &[&cancel, &format!("wait jobid={id}"), &format!("list jobs jobid={id}"), &cancel]);
    assert!(heard[1]["result"]["text"].as_str().unwrap().contains("marked to be canceled"), "{heard:?}");
    assert_eq!(heard[3]["result"]["jobs"][0]["jobstatus"], "A", "{heard:?}");
    let error = &heard[4]["error"]["data"]["messages"]["error"][0];
    assert!(error.as_str().unwrap().contains("There is no running job"), "{heard:?}");
    std::fs::remove_file(network.source.join("endless")).unwrap();
}

#[test]
fn the_default_console_runs_lists_and_cancels_jobs_over_a_pre_shared_key() {
    let network = network("");
    jobs(&network, DEFAULT);
    let heard = hears(&network, DEFAULT, &["status director", "list clients", "version", ".help"]);
    assert_eq!(heard[0]["tls"], "TLSv1.2");
    let status = &heard[1]["result"];
    assert_eq!(status["header"]["director"], "d");
    assert_eq!(status["running"], json!([]));
    assert_eq!(status["terminated"].as_array().unwrap().len(), 2, "{status}");
    assert_eq!(heard[2]["result"]["clients"][0]["name"], "f");
    assert_eq!(heard[3]["result"]["version"]["name"], "d");
    assert_eq!(heard[4]["result"][".api"]["command"], ".api");
}

#[test]
fn a_named_console_is_refused_what_its_list_does_not_have_and_goes_on() {
    let network = network("");
    let heard =
        hears(&network, READER, &["run job=b yes", "cancel jobid=1", "messages", "list clients", "status director"]);
    assert_eq!(heard[0]["tls"], "TLSv1.2");
    for refused in &heard[1..=3] {
        let error = &refused["error"]["data"]["messages"]["error"][0];
        assert!(error.as_str().unwrap().contains("no access"), "{refused}");
    }
    assert_eq!(heard[4]["result"]["clients"][0]["name"], "f");
    assert_eq!(heard[5]["result"]["header"]["jobs_run"], 0, "nothing was run: {}", heard[5]);
}

#[test]
fn both_consoles_come_in_clear_where_tls_is_off() {
    let network = network(CLEAR);
    let clear = |visitor: Visitor| Visitor { tls: false, ..visitor };
    jobs(&network, clear(DEFAULT));
    let heard = hears(&network, clear(READER), &["list clients", "run job=b yes"]);
    assert_eq!(heard[0]["tls"], Value::Null);
    assert_eq!(heard[1]["result"]["clients"][0]["name"], "f");
    assert_eq!(heard[2]["error"]["code"], 1);
    let text = Visitor { json: false, ..clear(DEFAULT) };
    let heard = hears(&network, text, &["list clients", ".api 1", "list clients", "version"]);
    assert!(heard[1]["result"].as_str().unwrap().contains("| clientid |"), "{heard:?}");
    assert!(heard[3]["result"].as_str().unwrap().starts_with("1\tf\t"), "{heard:?}");
    assert!(heard[4]["result"].as_str().unwrap().starts_with("d Version: "), "{heard:?}");
}

#[test]
fn a_wrong_password_or_name_does_not_come_in() {
    for (all, tls) in [("", true), (CLEAR, false)] {
        let network = network(all);
        for visitor in [
            Visitor { password: "wrong", tls, ..DEFAULT },
            Visitor { password: "console", tls, ..READER },
            Visitor { name: Some("nobody"), tls, ..READER },
        ] {
            assert!(hears(&network, visitor, &["version"])[0]["refused"].is_string());
        }
        assert_eq!(answer(&network, Visitor { tls, ..DEFAULT }, "version")["result"]["version"]["name"], "d");
    }
}

/// The result of a command that must succeed.
fn result(network: &Network, command: &str) -> Value {
    let mut answer = answer(network, DEFAULT, command);
    assert!(answer.get("error").is_none(), "{command}: {answer}");
    answer["result"].take()
}

#[test]
fn a_browser_goes_down_to_a_file_and_restores_what_it_has_chosen() {
    let network = network("");
    let started = result(&network, "run job=b yes");
    let id = started["run"]["jobid"].as_str().unwrap().to_owned();
    result(&network, &format!("wait jobid={id}"));
    assert_eq!(result(&network, &format!(".bvfs_get_jobids jobid={id} all"))["jobids"][0]["id"], json!(id));
    result(&network, &format!(".bvfs_update jobid={id}"));
    let source = network.source.to_str().unwrap();
    let mut folder = result(&network, &format!(".bvfs_lsdirs jobid={id} path="))["directories"][1]["pathid"].clone();
    for part in source.split('/').skip(1) {
        let inside = result(&network, &format!(".bvfs_lsdirs jobid={id} pathid={folder}"));
        let rows = inside["directories"].as_array().unwrap();
        let row =
            rows.iter().find(|row| row["name"] == format!("{part}/")).unwrap_or_else(|| panic!("{part}: {inside}"));
        folder = row["pathid"].clone();
    }
    let files = result(&network, &format!(".bvfs_lsfiles jobid={id} pathid={folder}"));
    let file = files["files"]
        .as_array()
        .unwrap()
        .iter()
        .find(|row| row["stat"]["size"] != 0)
        .unwrap_or_else(|| panic!("{files}"));
    let name = file["name"].as_str().unwrap();
    let versions = result(&network, &format!(".bvfs_versions jobid=0 client=f pathid={folder} fname=\"{name}\""));
    assert_eq!(versions["versions"].as_array().unwrap().len(), 1, "{versions}");
    let chosen = file["fileid"].as_u64().unwrap();
    result(&network, &format!(".bvfs_restore path=b21 jobid={id} fileid={chosen}"));
    let to = network.source.with_file_name("chosen");
    let restored = result(&network, &format!("restore file=?b21 client=f where=\"{}\" yes", to.display()));
    let id = restored["run"]["jobid"].as_str().unwrap().to_owned();
    assert_eq!(result(&network, &format!("wait jobid={id}"))["job"]["jobstatus"], "T", "{restored}");
    let (was, is) = (network.source.join(name), to.join(source.trim_start_matches('/')).join(name));
    assert_eq!(std::fs::read(was).unwrap(), std::fs::read(is).unwrap());
    result(&network, ".bvfs_cleanup path=b21");
    for (command, key) in [("show clients", "clients"), ("llist pools", "pools"), (".defaults job=b", "defaults")] {
        assert!(!result(&network, command)[key].is_null(), "{command}");
    }
    let query = result(&network, ".sql query=\"SELECT JobId, Name FROM Job ORDER BY JobId LIMIT 1\"");
    assert_eq!(query["query"], json!([{ "jobid": "1", "name": "b" }]));
}

/// What `bareos-fuse` asks while somebody goes through its folders: it shows jobs, volumes and files as a file system.
#[test]
fn the_questions_of_a_file_system_of_backups_are_answered() {
    let network = network("");
    let id = result(&network, "run job=b yes")["run"]["jobid"].as_str().unwrap().to_owned();
    result(&network, &format!("wait jobid={id}"));
    let volumes = result(&network, "llist volumes pool=p");
    let volume = volumes["volumes"][0]["volumename"].as_str().unwrap_or_else(|| panic!("{volumes}")).to_owned();
    let asked = [
        (".clients".to_owned(), "/clients/0/name"),
        (".jobs".to_owned(), "/jobs/0/name"),
        ("llist jobs client=f count".to_owned(), "/jobs/0/count"),
        ("llist jobs client=f".to_owned(), "/jobs/0/realendtime"),
        ("llist job=b count".to_owned(), "/jobs/0/count"),
        ("llist job=b".to_owned(), "/jobs/0/jobstatus"),
        ("llist backups client=f".to_owned(), "/backups/0/jobid"),
        (format!("llist joblog jobid={id}"), "/joblog/0/logtext"),
        ("llist pools".to_owned(), "/pools/0/name"),
        ("llist volumes all".to_owned(), "/volumes/0/volstatus"),
        (format!("llist volume={volume}"), "/volume/labeldate"),
        (format!("llist jobs volume={volume}"), "/jobs/0/client"),
        (format!(".bvfs_lsdirs  jobid={id} path=\"\""), "/directories/1/fullpath"),
    ];
    result(&network, &format!(".bvfs_update jobid={id}"));
    for (command, key) in asked {
        let answer = result(&network, &command);
        assert!(answer.pointer(key).is_some_and(|value| !value.is_null()), "{command} has no {key}: {answer}");
    }
}

#[test]
fn the_rest_librarys_routes_are_served() {
    let network = network("");
    let calls = json!([
        ["GET", "/control/directors/version", null],
        ["POST", "/control/jobs/run", { "jobControl": { "job": "b" } }],
        ["GET", "/control/clients", null],
        ["GET", "/control/clients/1", null],
        ["GET", "/configuration/clients", null],
        ["GET", "/configuration/clients/f", null],
        ["GET", "/configuration/filesets", null],
        ["GET", "/configuration/jobs", null],
        ["GET", "/configuration/jobs/b", null],
        ["GET", "/configuration/pools", null],
        ["GET", "/configuration/storages", null],
        ["GET", "/control/jobs/totals", null],
        ["GET", "/control/jobs", null],
        ["GET", "/control/jobs/1", null],
        ["GET", "/control/jobs/logs/1", null],
        ["GET", "/control/pools", null],
        ["GET", "/control/volumes", null],
        ["GET", "/control/jobs/99", null],
    ]);
    let orders = json!({ "port": network.director.address.port(), "director": "d", "username": "rest",
                         "password": "rest-secret", "calls": calls });
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/python/rest.py");
    let (code, output, errors) = run(Command::new(python()).arg(script), &orders.to_string());
    assert_eq!(code, Some(0), "{output}\n{errors}");
    let answers: Vec<Value> = output.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(answers.len(), calls.as_array().unwrap().len() + 1, "{output}\n{errors}");
    let (last, others) = answers.split_last().unwrap();
    for answer in others {
        assert_eq!(answer["status"], 200, "{answer}\n{errors}");
    }
    assert_ne!(last["status"], 200, "there is no such job: {last}");
    let of = |path: &str| &others.iter().find(|answer| answer["path"] == path).unwrap()["body"];
    assert_eq!(of("/control/clients")["clients"][0]["name"], "f");
    assert_eq!(of("/configuration/jobs/b")["b"]["name"], "b", "{}", of("/configuration/jobs/b"));
}
