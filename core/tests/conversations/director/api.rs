//! The console's API modes (`wire/1 §6.3`, `§6.4`): signals around the text, and JSON documents.

use serde_json::{Value, json};
use towline_core::catalog::memory::MemoryCatalog;

use super::desk::{Desk, FILE_PORT, STORAGE_PORT, backup_file, backup_storage, config};

/// The document of an answer in mode 2, which stands between its signals.
fn document(answer: &[String]) -> Value {
    let texts: String = answer.iter().filter_map(|line| line.strip_prefix("text ")).collect();
    // Frames are shown with line ends and backslashes escaped.
    let pieces = texts.split(r"\\").map(|piece| piece.replace(r"\n", "\n"));
    let text = pieces.collect::<Vec<_>>().join("\\");
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {answer:?}"))
}

/// The signals of an answer in order.
fn signals(answer: &[String]) -> Vec<&str> {
    answer.iter().filter_map(|line| line.strip_prefix("signal ")).collect()
}

/// A desk with a backup made, and a console in mode 2.
fn with_a_backup() -> (Desk, usize) {
    let mut desk = Desk::with(config(), MemoryCatalog::default());
    desk.world.await_dial(STORAGE_PORT, backup_storage());
    desk.world.await_dial(FILE_PORT, backup_file());
    let console = desk.console();
    let began = desk.ask(console, ".api 2 compact=yes");
    assert_eq!(began, ["signal -15", r#"text {"jsonrpc":"2.0","id":null,"result":{"api":2}}"#, "signal -18"]);
    (desk, console)
}

#[test]
fn mode_1_puts_signals_around_the_text_and_mode_0_takes_them_away() {
    let mut desk = Desk::open();
    let console = desk.console();
    assert_eq!(desk.ask(console, ".api 1"), [r"text api: 1\n", "signal -15", "signal -18"]);
    assert_eq!(desk.ask(console, ""), ["signal -18"]);
    let answer = desk.ask(console, "version");
    assert!(answer[1].starts_with("text bareos-dir Version: "), "{answer:?}");
    assert_eq!(signals(&answer), ["-16", "-15", "-18"]);
    assert_eq!(desk.ask(console, "list jobs"), ["signal -16", "signal -15", "signal -18"]);
    let failed = desk.ask(console, "run job=nothing yes");
    assert_eq!(signals(&failed), ["-16", "-21", "-14", "-18"]);
    let unknown = desk.ask(console, "frobnicate");
    assert_eq!(signals(&unknown), ["-21", "-18"]);
    assert_eq!(desk.ask(console, ".api 0"), ["signal -16", r"text api: 0\n", "signal -1"]);
    assert_eq!(desk.ask(console, ""), ["signal -1"]);
}

#[test]
fn mode_1_asks_with_its_own_signals() {
    let mut desk = Desk::open();
    let console = desk.console();
    desk.ask(console, ".api 1");
    let question = desk.ask(console, "run job=backup-tiny");
    assert_eq!(signals(&question), ["-16", "-23", "-28"]);
    let answer = desk.ask(console, "no");
    assert_eq!(answer, [r"text Job not run.\n", "signal -15", "signal -18"]);
}

#[test]
fn mode_2_gives_one_document_for_each_command() {
    let (mut desk, console) = with_a_backup();
    let run = desk.ask(console, "run job=backup-tiny yes");
    assert_eq!(run[..2], ["signal -16", "signal -15"]);
    assert_eq!(document(&run)["result"]["run"]["jobid"], "1");
    assert_eq!(desk.status(1), 'T', "{}", desk.report(1));
    let jobs = document(&desk.ask(console, "list jobs"));
    let job = &jobs["result"]["jobs"][0];
    assert_eq!((&job["jobid"], &job["jobstatus"], &job["name"]), (&json!("1"), &json!("T"), &json!("backup-tiny")));
    let status = document(&desk.ask(console, "status director"));
    assert_eq!(status["result"]["header"]["director"], "bareos-dir");
    assert_eq!(status["result"]["running"], json!([]));
    assert_eq!(status["result"]["terminated"][0]["jobid"], 1);
    let files = document(&desk.ask(console, "list files jobid=1"));
    let files = files["result"]["filenames"].as_array().unwrap();
    assert_eq!(files.len(), 6);
    assert!(files.contains(&json!({ "filename": "/srv/bareos-run/data/tiny/hello.txt" })), "{files:?}");
    let messages = document(&desk.ask(console, "messages"));
    assert!(messages["result"]["messages"][0].as_str().unwrap().contains("JobId 1"), "{messages}");
    assert_eq!(desk.ask(console, ""), ["signal -18"]);
}

#[test]
fn mode_2_tells_failures_as_error_documents() {
    let (mut desk, console) = with_a_backup();
    for (command, part) in [
        ("run job=nothing yes", "Name a job"),
        ("cancel jobid=99", "There is no running job"),
        ("cancel", "Name a running job"),
        ("list volumes pool=nothing", "There is no pool \"nothing\""),
        (".api 7", "expected 0, 1 or 2"),
    ] {
        let answer = desk.ask(console, command);
        assert_eq!(signals(&answer), ["-16", "-14", "-18"], "{command}");
        let error = &document(&answer)["error"];
        assert_eq!((&error["code"], &error["message"]), (&json!(1), &json!("failed")), "{command}");
        assert!(error["data"]["messages"]["error"][0].as_str().unwrap().contains(part), "{command}: {error}");
    }
    let unknown = desk.ask(console, "frobnicate");
    assert_eq!(signals(&unknown), ["-21", "-18"]);
    assert!(document(&unknown)["error"].is_object());
}

#[test]
fn mode_2_lists_connections_one_object_each_and_puts_other_texts_into_a_field() {
    let (mut desk, console) = with_a_backup();
    let network = document(&desk.ask(console, "status network"));
    let connections = network["result"]["connections"].as_array().unwrap();
    assert_eq!(connections.len(), 2, "the console and the catalog: {network}");
    assert_eq!(connections[0]["dialledby"], "it", "{network}");
    assert!(connections[0]["ouraddress"].as_str().unwrap().contains(':'), "{network}");
    assert!(connections[1]["peer"].as_str().unwrap().starts_with("catalog: "), "{network}");
    assert_eq!(connections[1]["read"], "", "nobody knows");
    let explained = document(&desk.ask(console, "explain T0103"));
    assert!(explained["result"]["text"].as_str().unwrap().starts_with("T0103: "), "{explained}");
    for (command, part) in [
        ("explain nothing", "does not know"),
        ("estimate job=nothing", "Name a backup job"),
        ("setip", "default console"),
    ] {
        let answer = desk.ask(console, command);
        assert_eq!(signals(&answer), ["-16", "-14", "-18"], "{command}");
        let error = document(&answer)["error"]["data"]["messages"]["error"][0].clone();
        assert!(error.as_str().unwrap().contains(part), "{command}: {error}");
    }
    desk.ask(console, ".api 1");
    let bare: String = desk.ask(console, "status network").concat();
    assert!(bare.contains("catalog: ") && !bare.contains("Connections:"), "{bare}");
}

#[test]
fn a_named_console_may_choose_its_mode_and_is_refused_in_it() {
    let mut desk = Desk::open();
    let reader = desk.come_in("reader", "reader-secret");
    desk.ask(reader, ".api json");
    let listed = desk.ask(reader, "list jobs");
    assert_eq!(document(&listed)["result"]["jobs"], json!([]));
    assert!(listed.iter().any(|line| line.contains("\\n  ")), "on several lines unless compact: {listed:?}");
    let refused = document(&desk.ask(reader, "run job=backup-tiny yes"));
    assert!(refused["error"]["data"]["messages"]["error"][0].as_str().unwrap().contains("no access"), "{refused}");
}
