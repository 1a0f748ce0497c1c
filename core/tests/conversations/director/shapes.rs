//! What a director answers to programs, by its shape: keys, nesting and kinds of values are those of Bareos' director in the
//! same command (`fixtures/console-shapes.tsv`), so that its tools read ours.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Map, Value, json};
use towline_core::catalog::memory::MemoryCatalog;
use towline_core::catalog::*;
use towline_core::wire::catalog::CatalogUpdate;

use super::desk::{Desk, config};

const SHAPES: &str = include_str!("../../fixtures/console-shapes.tsv");

/// Commands that are not compared, and why.
const LEFT_OUT: &[(&str, &str)] = &[
    ("estimate job=b", DAEMON),
    ("estimate job=b listing", DAEMON),
    ("estimate job=b accurate=yes", DAEMON),
    ("status client=rfd", DAEMON),
    ("status storage=RFile", DAEMON),
    (".status client=rfd header", DAEMON),
    (".status storage=RFile devices", DAEMON),
    ("setdebug level=0 client=rfd trace=0", DAEMON),
    ("resolve client=rfd 127.0.0.1", DAEMON),
    ("release storage=RFile", DAEMON),
    ("mount storage=RFile", DAEMON),
    ("unmount storage=RFile", DAEMON),
    ("label volume=TESTVOL1 pool=RPool storage=RFile yes", DAEMON),
    ("truncate volstatus=Purged pool=RPool storage=RFile yes", DAEMON),
    ("setbandwidth limit=0 client=rfd yes", "is done; the recorded director found no job to limit"),
    ("list nextvol job=b", "finds the volume that the recorded director did not find"),
    ("list nosuch", "is refused with the words there are"),
    ("wait", WAITS),
    ("rerun jobid=1 yes", WAITS),
    ("run job=b client=rfd fileset=Tiny comment=\"a comment\" priority=11 yes", WAITS),
    ("show jobdefs", "job defaults are a part of each job here"),
    (".jobdefs", "job defaults are a part of each job here"),
    (".sql query=\"select jobid,name from job order by jobid limit 2\"", "a catalog of maps knows no SQL"),
    (".messages", "the recording has no document"),
    ("update stats days=1", TEXT),
    ("update volume=RPool-0001 volstatus=Append", TEXT),
    ("update pool=RPool", TEXT),
    ("prune files client=rfd yes", TEXT),
    ("prune volume=RPool-0001 yes", "is done; the recorded director refused it"),
    ("memory", "a configuration with warnings is no state of the director"),
    ("delete volume=nosuch yes", NAMED),
    ("delete volume=TESTVOL1 yes", NAMED),
    (".exit", "the recording has no document"),
];

const DAEMON: &str = "a daemon answers it";
const WAITS: &str = "depends on a job that runs, which other tests lead";
const TEXT: &str = "what was done is told as text too";
const NAMED: &str = "what there is not is an error that names it";

/// Keys that ours lacks, and why.
const LACKING: &[(&str, &str)] = &[("show messages/append", "messages of jobs go to no file of their own")];

/// Keys that only ours has.
const MORE: &[(&str, &str)] = &[
    ("status director", "unrecorded"),
    ("status director days=2", "unrecorded"),
    ("status director", "failed"),
    ("status director days=2", "failed"),
    ("status director", "undelivered"),
    ("status director days=2", "undelivered"),
    ("status director", "catalog"),
    ("status director days=2", "catalog"),
    (".status dir header", "catalog"),
    // Whoever asks a program in JSON is told what a person would be told.
    ("messages", "messages"),
    ("wait jobid=1", "text"),
];

#[test]
fn each_recorded_answer_is_compared_or_named_here() {
    let shapes = shapes();
    assert_eq!(shapes.len(), 155);
    for (command, _) in LEFT_OUT {
        assert!(shapes.iter().any(|(known, _)| known == command), "{command} is not recorded");
    }
    let compared = shapes.iter().filter(|(command, _)| !is_left_out(command)).count();
    assert!(compared >= 105, "{compared} are compared");
}

#[test]
fn programs_are_answered_in_the_recorded_shapes() {
    let mut desk = Desk::with(network(), catalog());
    let console = desk.console();
    desk.ask(console, ".api 2 compact=yes");
    // A job that has ended since the start: nobody is there for it.
    desk.ask(console, "run job=b yes");
    desk.world.wait(Duration::from_secs(120));
    desk.world.heard(console);
    let mut wrong = Vec::new();
    for (command, shape) in shapes().into_iter().filter(|(command, _)| !is_left_out(command)) {
        // It would end the mode that the others are asked in.
        let said = if command == ".api" { ".api 2 compact=yes" } else { command };
        let answer = desk.ask(console, said);
        match document(&answer) {
            Err(error) => wrong.push(format!("{command}: {error}: {answer:?}")),
            Ok(mut document) => {
                let head = [document["jsonrpc"].take(), document["id"].take()];
                assert_eq!(head, [json!("2.0"), Value::Null], "{command}");
                let root = document.as_object_mut().expect("an object");
                root.retain(|key, _| !matches!(key.as_str(), "jsonrpc" | "id"));
                let mut found = Vec::new();
                compare(command, "", &shape, &document, &mut found);
                wrong.extend(found.into_iter().map(|what| format!("{command}: {what}")));
            }
        }
    }
    assert!(wrong.is_empty(), "{} differ:\n{}", wrong.len(), wrong.join("\n"));
}

/// The document of an answer, whose frames are shown with escapes.
pub fn document(answer: &[String]) -> Result<Value, serde_json::Error> {
    let texts: String = answer.iter().filter_map(|line| line.strip_prefix("text ")).collect();
    let (mut bytes, mut rest) = (Vec::new(), texts.as_bytes());
    while let [first, after @ ..] = rest {
        let (byte, left) = match (first, after) {
            (b'\\', [b'n', left @ ..]) => (b'\n', left),
            (b'\\', [b'x', high, low, left @ ..]) => {
                let digits: String = [*high, *low].map(char::from).iter().collect();
                (u8::from_str_radix(&digits, 16).expect("two digits"), left)
            }
            (b'\\', [escaped, left @ ..]) => (*escaped, left),
            (byte, left) => (*byte, left),
        };
        bytes.push(byte);
        rest = left;
    }
    serde_json::from_slice(&bytes)
}

fn shapes() -> Vec<(&'static str, Value)> {
    let lines = SHAPES.lines().filter(|line| !line.starts_with('#'));
    let shape = |line: &'static str| {
        let (command, shape) = line.split_once('\t').expect("a command and a shape");
        (command, serde_json::from_str(shape).unwrap_or(Value::Null))
    };
    lines.map(shape).collect()
}

fn is_left_out(command: &str) -> bool {
    LEFT_OUT.iter().any(|(name, _)| *name == command)
}

/// Notes where a value has another shape.
fn compare(command: &str, place: &str, shape: &Value, value: &Value, wrong: &mut Vec<String>) {
    match (shape, value) {
        (Value::String(kinds), value) => {
            let kind = match value {
                Value::Null => "null",
                Value::Bool(_) => "boolean",
                Value::Number(_) => "number",
                Value::String(_) => "string",
                Value::Array(_) => "list",
                Value::Object(_) => "object",
            };
            if !kinds.split('|').any(|wanted| wanted == kind) {
                wrong.push(format!("{place} is a {kind}, not a {kinds}"));
            }
        }
        (Value::Array(shapes), Value::Array(values)) => {
            let Some(shape) = shapes.first() else { return };
            if values.is_empty() {
                wrong.push(format!("{place} has no element: nothing is compared"));
            }
            values.iter().for_each(|value| compare(command, &format!("{place}[]"), shape, value, wrong));
        }
        (Value::Object(shapes), Value::Object(values)) => members(command, place, shapes, values, wrong),
        (shape, value) => wrong.push(format!("{place} is {value}, not {shape}")),
    }
}

fn members(
    command: &str,
    place: &str,
    shapes: &Map<String, Value>,
    values: &Map<String, Value>,
    wrong: &mut Vec<String>,
) {
    // Whatever is told to a person is told: Bareos leaves some of it out.
    if place.ends_with("/messages") && command != "show messages" {
        return;
    }
    let any = shapes.get("*");
    let optional: BTreeMap<&str, &Value> =
        shapes.iter().filter_map(|(key, shape)| Some((key.strip_suffix('?')?, shape))).collect();
    for (key, shape) in shapes.iter().filter(|(key, _)| *key != "*" && !key.ends_with('?')) {
        let lacks = || LACKING.iter().any(|(name, _)| *name == format!("{command}/{key}"));
        match values.get(key) {
            Some(value) => compare(command, &format!("{place}/{key}"), shape, value, wrong),
            None if lacks() => {}
            None => wrong.push(format!("{place} lacks {key}")),
        }
    }
    for (key, value) in values.iter().filter(|(key, _)| !shapes.contains_key(*key)) {
        let here = format!("{place}/{key}");
        match any.or_else(|| optional.get(key.as_str()).copied()) {
            Some(shape) => compare(command, &here, shape, value, wrong),
            // A configuration has the settings that it has.
            None if command.starts_with("show ") => {}
            None if MORE.contains(&(command, key.as_str())) => {}
            None => wrong.push(format!("{here} is not in the recording")),
        }
    }
    if any.is_some() && values.is_empty() {
        wrong.push(format!("{place} has no member: nothing is compared"));
    }
}

/// A network like the recorded one, by the names that the commands say.
pub fn network() -> Value {
    let mut config = config();
    let job = |name: &str, kind: &str| {
        json!({ "name": name, "client": "rfd", "fileset": "Tiny", "storage": "RFile", "pool": "RPool", "kind": kind,
                "level": "full", "maximum_concurrent_jobs": 10 })
    };
    let options = json!({ "digest": "xxh128" });
    config["director"]["working_directory"] = json!("/srv/site/dir");
    config["clients"][0]["name"] = json!("rfd");
    config["storages"][0]["name"] = json!("RFile");
    config["storages"][0]["media_type"] = json!("RFile");
    config["jobs"] = json!([job("b", "backup"), job("restore", "restore")]);
    config["filesets"] = json!([{ "name": "Tiny", "include": [{ "files": ["/srv/tiny"], "options": [options] }] }]);
    config["pools"] = json!([
        { "name": "RPool", "label_format": "RPool-", "next_pool": "RCopy", "storage": "RFile", "auto_prune": false },
        { "name": "RCopy", "label_format": "RCopy-", "storage": "RFile" },
    ]);
    config
}

/// Its catalog: a full backup, a restore of it, a copy, and volumes.
pub fn catalog() -> MemoryCatalog {
    let mut catalog = MemoryCatalog::default();
    let client_id =
        id(&mut catalog, CatalogRequest::EnsureClient(ClientSpec { name: "rfd".into(), ..ClientSpec::default() }));
    let set = FileSetSpec { file_set: "Tiny".into(), md5: "m".into(), text: "text".into(), create_time: 100 };
    let file_set_id = id(&mut catalog, CatalogRequest::EnsureFileSet(set));
    let pool = |name: &str| PoolRow { name: name.into(), pool_type: "Backup".into(), ..PoolRow::default() };
    let pools = ["RPool", "RCopy"].map(|name| id(&mut catalog, CatalogRequest::EnsurePool(Box::new(pool(name)))));
    let storage_id = id(&mut catalog, CatalogRequest::EnsureStorage { name: "RFile".into(), auto_changer: false });
    for (name, pool_id) in [("RPool-0001", pools[0]), ("RCopy-0002", pools[1])] {
        let row = MediaRow {
            volume_name: name.into(),
            pool_id,
            storage_id,
            media_type: "RFile".into(),
            vol_status: VolStatus::Append,
            last_written: 200,
            ..MediaRow::default()
        };
        ask(&mut catalog, CatalogRequest::CreateMedia(Box::new(row)));
    }
    for (number, job_type, name) in [(1, b'B', "b"), (2, b'R', "restore"), (3, b'C', "b")] {
        let job = format!("{name}.2026-11-29_04.44.02_0{number}");
        let new = NewJob { job, name: name.into(), job_type, level: b'F', client_id, ..NewJob::default() };
        let due = 1_795_438_000 + i64::from(number);
        let job_id = id(&mut catalog, CatalogRequest::CreateJob(NewJob { sched_time: due, ..new }));
        assert_eq!(job_id, number);
        let start = JobStart {
            job_id,
            job_status: b'R',
            level: b'F',
            start_time: due,
            client_id,
            file_set_id,
            ..JobStart::default()
        };
        ask(
            &mut catalog,
            CatalogRequest::StartJob(JobStart { pool_id: pools[usize::from(job_type == b'C')], ..start }),
        );
        let mut batch = UpdCatBatch::new();
        for (index, name) in
            (1..).zip(["/var/tmp/interop/data/tiny/a", "/var/tmp/interop/data/tiny/b", "/var/tmp/interop/data/tiny/"])
        {
            batch.push(&attribute_frame(index, name));
        }
        ask(&mut catalog, CatalogRequest::InsertFiles { job_id, batch });
        let media_id = if job_type == b'C' { 2 } else { 1 };
        ask(
            &mut catalog,
            CatalogRequest::CreateJobMedia(JobMediaRow {
                job_id,
                media_id,
                first_index: 1,
                last_index: 3,
                ..JobMediaRow::default()
            }),
        );
        let end = JobEnd {
            job_id,
            job_status: b'T',
            level: b'F',
            end_time: due + 1,
            real_end_time: due + 1,
            job_files: 3,
            ..JobEnd::default()
        };
        ask(
            &mut catalog,
            CatalogRequest::EndJob(Box::new(JobEnd { prior_job_id: u32::from(job_type == b'C'), ..end })),
        );
        ask(
            &mut catalog,
            CatalogRequest::AddLogs([LogRow { job_id, time: due, text: "bareos-dir JobId 1: a line\n".into() }].into()),
        );
    }
    catalog
}

/// Attributes of a file, or of a folder if the name ends so.
fn attribute_frame(file_index: i32, name: &str) -> Vec<u8> {
    let kind = if name.ends_with('/') { 5 } else { 3 };
    let record =
        format!("{file_index} {kind} {name}\0P4A nyXJ IGk C A A A BAA BAA I BnQsjz BnQsjz BnQsjz A A C\0\0\x000\0");
    let mut frame = Vec::new();
    let data = record.as_bytes();
    CatalogUpdate { job: b"b.1", session_id: 1, session_time: 7, file_index, stream: 1, data }.put(&mut frame);
    frame
}

fn ask(catalog: &mut MemoryCatalog, request: CatalogRequest) -> CatalogAnswer {
    catalog.serve(request).expect("the catalog takes it")
}

fn id(catalog: &mut MemoryCatalog, request: CatalogRequest) -> u32 {
    match ask(catalog, request) {
        CatalogAnswer::Id(id) => id,
        other => panic!("{other:?}"),
    }
}
