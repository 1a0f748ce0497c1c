//! The storage daemon when things go otherwise than recorded.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use towline_core::bulk::work::{DiskDone, Tally};
use towline_core::drive::WorkDone;
use towline_core::role::storage::StorageDaemon;
use towline_core::secret::Secret;

use crate::recording;
use crate::support::catalog::Catalog;
use crate::support::conv::{Frame, Side};
use crate::support::password;
use crate::support::peer::Script;
use crate::support::roles::{Protection, STARTED, storage_daemon};
use crate::support::volumes::{Shelf, hands};
use crate::support::world::{PeerId, World};

const KEY: &str = "DJFK-CCCF-FLNE-JBIH-NMCJ-NHGC-COAJ-PPMF";
const JOB: &str = "backup-tiny.2026-11-23_13.01.31_03";
const DIRECTOR: &str = recording!("01-backup-full/01-DIR-to-SD");
const FILE: &str = recording!("01-backup-full/03-FD-to-SD");
/// What a recorded backup comes to.
const GOOD: &str = "JobStatus=84 JobFiles=6 JobBytes=1749 JobErrors=0";

/// The recorded job or another one after it: what the director and the file daemon say, its name and its key.
struct Job {
    director: String,
    file: String,
    name: String,
    key: String,
}

fn job(number: u32) -> Job {
    let name = JOB.replace("_03", &format!("_0{}", number + 2));
    let key = KEY.replace("DJFK", &format!("DJF{}", char::from(b'J' + number as u8)));
    let adapt = |conv: &str| {
        conv.replace(JOB, &name)
            .replace(KEY, &key)
            .replace("SDid=1 ", &format!("SDid={number} "))
            .replace("ticket = 1", &format!("ticket = {number}"))
    };
    Job { director: adapt(DIRECTOR), file: adapt(FILE), name: name.clone(), key }
}

fn world() -> (World<StorageDaemon>, Arc<Mutex<Shelf>>) {
    let (hands, shelf) = hands();
    (storage_daemon(Protection::Clear, STARTED, hands), shelf)
}

fn director_script(job: &Job) -> Script {
    Script::new(&job.director, Side::Acceptor, password("sd-secret"))
}

/// A director that has said `run`, and goes on by hand.
fn run(world: &mut World<StorageDaemon>, job: &Job) -> PeerId {
    let peer = world.come_in(director_script(job).until_we_say("Status Job="));
    world.heard(peer);
    peer
}

/// A director that has only let itself in.
fn session(world: &mut World<StorageDaemon>) -> PeerId {
    let peer = world.come_in(director_script(&job(1)).up_to("JobId="));
    world.heard(peer);
    peer
}

fn file_script(job: &Job) -> Script {
    Script::new(&job.file, Side::Acceptor, Secret::from(job.key.as_str()))
}

/// Lets the catalog answer until nothing is asked any more. Gives what else the director heard.
fn serve(world: &mut World<StorageDaemon>, director: PeerId, catalog: &mut Catalog) -> Vec<String> {
    let mut heard = Vec::new();
    loop {
        let mut asked = false;
        for line in world.heard(director) {
            match catalog.answer(&line) {
                Some(answer) => {
                    asked = true;
                    world.say(director, &answer);
                }
                None => heard.push(line),
            }
        }
        if !asked {
            return heard;
        }
    }
}

fn assert_ended(heard: &[String], name: &str, how: &str) {
    let [.., end, eod, terminate, fin] = heard else { panic!("no end in {heard:#?}") };
    assert!(end.starts_with("text 3099 "), "no end in {heard:#?}");
    assert_eq!(*end, format!(r"text 3099 Job {name} end {how}\n"));
    assert_eq!([eod, terminate, fin], ["signal -1", "signal -4", "fin"]);
}

fn status_of(number: u8, name: &str) -> String {
    format!(r"text Status Job={name} JobStatus={number}\n")
}

#[test]
fn a_device_nobody_knows_is_refused() {
    for device in ["Nope", "FileStorage2"] {
        let (mut world, _) = world();
        let director = world.come_in(director_script(&job(1)).up_to("use device="));
        world.heard(director);
        world.say(director, &format!(r"text use device={device}\n"));
        world.say(director, "signal -1");
        world.say(director, "signal -1");
        let heard = world.heard(director);
        let refusal = format!(r#"text 3924 Device "{device}" not in SD Device resources or no matching Media Type.\n"#);
        assert_eq!(heard, [refusal.as_str(), "signal -4", "fin"]);
        world.assert_done();
    }
}

#[test]
fn an_unknown_command_ends_the_session() {
    let (mut world, _) = world();
    let director = session(&mut world);
    world.say(director, r"text abracadabra\n");
    assert_eq!(world.heard(director), [r"text 3900 Invalid command: abracadabra\n\n", "signal -4", "fin"]);
}

#[test]
fn a_monitor_sees_the_status_and_nothing_else() {
    let (mut world, _) = world();
    let conv = DIRECTOR.replace("bareos-dir", "bareos-mon");
    let monitor = world.come_in(Script::new(&conv, Side::Acceptor, password("mon-secret")).up_to("JobId="));
    world.heard(monitor);
    world.say(monitor, "text .status current");
    assert_eq!(world.heard(monitor).last().map(String::as_str), Some("signal -1"));
    world.say(monitor, "text run");
    let heard = world.heard(monitor);
    assert!(heard[0].starts_with("text 3997 Invalid command for a Director with Monitor directive"), "{heard:?}");
    assert_eq!(heard[1], "signal -1");
    assert!(heard[2].starts_with("text 3900 Invalid command"), "{heard:?}");
    assert_eq!(heard[3..], ["signal -4", "fin"]);
}

#[test]
fn a_job_in_a_session_that_has_one_is_refused() {
    let (mut world, _) = world();
    let director = world.come_in(director_script(&job(1)).up_to("use storage"));
    world.heard(director);
    let line = DIRECTOR.lines().find_map(|line| line.strip_prefix("> text JobId=1 ")).unwrap();
    world.say(director, &format!("text JobId=2 {line}"));
    let heard = world.heard(director);
    assert!(heard[0].starts_with("text 3900 Invalid command"), "{heard:?}");
    world.assert_done();
}

#[test]
fn a_full_volume_is_followed_by_the_next_and_both_are_read_again() {
    let (mut world, shelf) = world();
    shelf.lock().unwrap().room.insert("Full-0001".to_owned(), 2);
    let mut catalog = Catalog::with(&["Full-0001", "Full-0002"]);
    let job = job(1);
    let director = run(&mut world, &job);
    serve(&mut world, director, &mut catalog);
    let file = world.come_in(file_script(&job).up_to("1 1 0"));
    world.heard(file);
    let contents: Vec<Vec<u8>> = (0..5_u8).map(|n| vec![n; 900_000]).collect();
    send_file(&mut world, file, &contents);
    let mut heard = serve(&mut world, director, &mut catalog);
    assert_eq!(world.heard(file), [r"text 3000 OK append data\n"]);
    finish(&mut world, file);
    heard.extend(serve(&mut world, director, &mut catalog));
    let bytes = attributes().len() + 5 * 900_000;
    assert_ended(&heard, &job.name, &format!("JobStatus=84 JobFiles=1 JobBytes={bytes} JobErrors=0"));
    assert_eq!(catalog.field("Full-0001", "VolStatus"), "Full");
    assert_eq!(catalog.field("Full-0002", "VolStatus"), "Append");
    {
        let shelf = shelf.lock().unwrap();
        for name in ["Full-0001", "Full-0002"] {
            assert_eq!(catalog.field(name, "VolBytes"), shelf.volumes[name].bytes.to_string());
            assert_eq!(catalog.field(name, "VolBlocks"), (shelf.volumes[name].blocks.len() + 1).to_string());
            assert_eq!(catalog.field(name, "VolJobs"), "1");
        }
        assert!(shelf.volumes["Full-0002"].blocks.len() >= 2 && shelf.is_shut());
    }
    let pieces: Vec<&String> =
        catalog.asked.iter().filter(|ask| ask.starts_with("CreateJobMedia FirstIndex=1 LastIndex=1")).collect();
    assert_eq!(pieces.len(), 2, "one piece on each volume: {:#?}", catalog.asked);
    assert!(pieces[0].ends_with("MediaId=1") && pieces[1].ends_with("MediaId=2"), "{pieces:?}");
    world.assert_done();
    read_again(&mut world, &contents, &mut catalog);
    assert!(shelf.lock().unwrap().is_shut());
}

/// Restores what the test above has written over two volumes.
fn read_again(world: &mut World<StorageDaemon>, contents: &[Vec<u8>], catalog: &mut Catalog) {
    const CONV: &str = recording!("02-restore/01-DIR-to-SD");
    let script = Script::new(CONV, Side::Acceptor, password("sd-secret"));
    let script = script.peer_differs("both volumes", r"text VolAddr=", &[r"text FileIndex=1\n"]);
    let script = script.peer_differs(
        "both volumes",
        r"text FileIndex=1-6",
        &[
            r#"text Volume="Full-0002"\n"#,
            r#"text MediaType="File1"\n"#,
            r"text VolSessionId=1\n",
            r"text VolSessionTime=1795438888\n",
            r"text FileIndex=1\n",
        ],
    );
    let script = script.peer_differs("both volumes", r"text Count=6", &[]);
    let director = world.come_in(script.until_we_say("Status Job="));
    world.heard(director);
    let key = Secret::from("EIBJ-DAFA-AFKD-ONPH-LPLP-MLGP-MHGP-PFGA");
    let file = Script::new(recording!("02-restore/03-FD-to-SD"), Side::Acceptor, key).until_we_say("3000 OK data");
    let file = world.come_in(file);
    world.heard(file);
    let mut heard = serve(world, director, catalog);
    let records: Vec<Frame> =
        world.peers[file].heard.iter().skip_while(|f| !f.data().starts_with(b"rechdr")).cloned().collect();
    let data: Vec<&[u8]> = records.chunks(2).skip(1).take(contents.len()).map(|pair| pair[1].data()).collect();
    assert!(data == contents, "the contents came back: {} frames", records.len());
    assert_eq!(records.last(), Some(&Frame::Signal(-1)));
    world.heard(file);
    world.say(file, r"text read close session 2\n");
    assert_eq!(world.heard(file), [r"text 3000 OK close Status = 82\n", "signal -1"]);
    world.say(file, "signal -4");
    heard.extend(serve(world, director, catalog));
    assert_ended(&heard, "restore.2026-11-23_13.02.08_05", "JobStatus=84 JobFiles=0 JobBytes=0 JobErrors=0");
    let asked: Vec<&String> = catalog.asked.iter().filter(|ask| ask.ends_with("write=0")).collect();
    assert_eq!(asked.len(), 2, "{asked:?}");
}

/// The recorded attributes of the first file.
fn attributes() -> Vec<u8> {
    crate::support::files::recorded_files(FILE)[0].1.clone()
}

/// Sends one file with these data messages, and the end of the data.
fn send_file(world: &mut World<StorageDaemon>, file: PeerId, contents: &[Vec<u8>]) {
    let peer = &mut world.peers[file];
    let mut frames = vec![Frame::text("1 1 0"), Frame::Data(attributes()), Frame::Signal(-1), Frame::text("1 2 0")];
    frames.extend(contents.iter().map(|bytes| Frame::Data(bytes.clone())));
    frames.extend([Frame::Signal(-1), Frame::Signal(-1)]);
    frames.iter().for_each(|frame| peer.say(frame));
    world.run();
}

/// Says what a file daemon says behind its data.
fn finish(world: &mut World<StorageDaemon>, file: PeerId) {
    world.say(file, r"text append end session 1\n");
    world.say(file, r"text append close session 1\n");
    let heard = world.heard(file);
    assert_eq!(heard, [r"text 3000 OK end\n", r"text 3000 OK close Status = 84\n", "signal -1"]);
    world.say(file, "signal -4");
}

#[test]
fn a_job_without_a_volume_waits_until_there_is_one_and_says_so_once() {
    let (mut world, _) = world();
    let mut catalog = Catalog::default();
    let job = job(1);
    let director = run(&mut world, &job);
    let file = world.come_in(file_script(&job).until_we_say("3000 OK append data"));
    let heard = serve(&mut world, director, &mut catalog);
    assert_eq!(heard.last(), Some(&status_of(109, &job.name)), "{heard:?}");
    let mut beats = 0;
    for _ in 0..5 {
        world.wait(Duration::from_secs(31));
        let heard = serve(&mut world, director, &mut catalog);
        assert!(heard.iter().all(|line| line == "signal -6"), "{heard:?}");
        beats += heard.len();
    }
    assert_eq!((catalog.asked.len(), beats), (6, 2), "one heartbeat a minute");
    assert_eq!(world.heard(file).iter().filter(|line| *line == "signal -6").count(), 2);
    let waiting = |world: &World<StorageDaemon>| {
        world.job_messages(director).iter().filter(|text| text.contains("is waiting")).count()
    };
    assert_eq!(waiting(&world), 1);
    catalog.add("Full-0001");
    world.wait(Duration::from_secs(31));
    let mut heard = serve(&mut world, director, &mut catalog);
    heard.retain(|line| line != "signal -6");
    assert_eq!(heard[0], status_of(82, &job.name));
    assert_eq!(waiting(&world), 1);
    assert_eq!(world.heard(file).last().map(String::as_str), Some(r"text 3000 OK append data\n"));
    finish(&mut world, file);
    heard.extend(serve(&mut world, director, &mut catalog));
    assert_ended(&heard, &job.name, GOOD);
    world.assert_done();
    world.wait(Duration::from_secs(300));
    assert!(world.node.poll_timeout().is_none(), "no heartbeat for a job that has ended");
}

#[test]
fn a_spoilt_volume_is_marked_and_the_next_one_used() {
    let (mut world, shelf) = world();
    shelf.lock().unwrap().spoilt.push("Full-0001".to_owned());
    let mut catalog = Catalog::with(&["Full-0001", "Full-0002"]);
    catalog.set("Full-0001", "VolStatus", "Append");
    catalog.set("Full-0001", "VolBytes", "193");
    let job = job(1);
    let director = run(&mut world, &job);
    world.come_in(file_script(&job));
    let heard = serve(&mut world, director, &mut catalog);
    assert_ended(&heard, &job.name, GOOD);
    assert_eq!(catalog.field("Full-0001", "VolStatus"), "Error");
    assert_eq!(catalog.field("Full-0001", "VolErrors"), "1");
    assert_eq!(catalog.field("Full-0002", "VolStatus"), "Append");
    assert!(shelf.lock().unwrap().is_shut());
}

#[test]
fn a_file_in_the_place_of_a_new_volume_costs_that_volume_only() {
    let (mut world, shelf) = world();
    shelf.lock().unwrap().spoilt.push("Full-0001".to_owned());
    let mut catalog = Catalog::with(&["Full-0001", "Full-0002"]);
    let job = job(1);
    let director = run(&mut world, &job);
    world.come_in(file_script(&job));
    let heard = serve(&mut world, director, &mut catalog);
    assert_ended(&heard, &job.name, GOOD);
    assert_eq!(catalog.field("Full-0001", "VolStatus"), "Error");
}

#[test]
fn a_daemon_whose_volumes_are_all_spoilt_gives_up() {
    let (mut world, shelf) = world();
    let names: Vec<String> = (1..=9).map(|n| format!("Full-000{n}")).collect();
    let mut catalog = Catalog::with(&names.iter().map(String::as_str).collect::<Vec<_>>());
    shelf.lock().unwrap().spoilt = names;
    let job = job(1);
    let director = run(&mut world, &job);
    let file = world.come_in(file_script(&job).until_we_say("3000 OK append data"));
    let heard = serve(&mut world, director, &mut catalog);
    let [.., end, _, _, _] = &heard[..] else { panic!("{heard:?}") };
    assert!(end.contains("JobStatus=102 "), "{end}");
    assert!(catalog.asked.len() < 20, "{:#?}", catalog.asked);
    assert_eq!(world.heard(file).last().map(String::as_str), Some("fin"));
}

#[test]
fn a_volume_that_the_director_takes_back_is_passed_over() {
    let (mut world, _) = world();
    let mut catalog = Catalog::with(&["Full-0001", "Full-0002"]);
    catalog.withheld.push("Full-0001".to_owned());
    let job = job(1);
    let director = run(&mut world, &job);
    world.come_in(file_script(&job));
    let heard = serve(&mut world, director, &mut catalog);
    assert_ended(&heard, &job.name, GOOD);
    assert_eq!(catalog.field("Full-0002", "VolJobs"), "1");
}

#[test]
fn a_file_daemon_that_never_comes_ends_the_job_in_time() {
    let (mut world, _) = world();
    let job = job(1);
    let director = run(&mut world, &job);
    world.wait(Duration::from_secs(1_790));
    assert_eq!(world.heard(director), [""; 0]);
    world.wait(Duration::from_secs(20));
    let heard = world.heard(director);
    assert_ended(&heard, &job.name, "JobStatus=69 JobFiles=0 JobBytes=0 JobErrors=1");
    let messages = world.job_messages(director);
    assert!(messages.last().unwrap().contains("did not come in time"), "{messages:?}");
    world.assert_done();
}

#[test]
fn a_file_daemon_that_leaves_early_fails_the_job() {
    let (mut world, shelf) = world();
    let mut catalog = Catalog::with(&["Full-0001"]);
    let job = job(1);
    let director = run(&mut world, &job);
    let file = world.come_in(file_script(&job).up_to("3 2 0"));
    let mut heard = serve(&mut world, director, &mut catalog);
    world.cut(file);
    heard.extend(serve(&mut world, director, &mut catalog));
    let end = heard.iter().find(|line| line.starts_with("text 3099 ")).unwrap();
    assert!(end.contains("JobStatus=69 ") && end.ends_with(r"JobErrors=1\n"), "{end}");
    assert!(shelf.lock().unwrap().is_shut());
    let messages = world.job_messages(director);
    assert!(messages.iter().any(|text| text.contains("lost the file daemon")), "{messages:?}");
}

#[test]
fn a_file_daemon_that_says_goodbye_in_the_middle_fails_the_job() {
    let (mut world, shelf) = world();
    let mut catalog = Catalog::with(&["Full-0001"]);
    let job = job(1);
    let director = run(&mut world, &job);
    let file = world.come_in(file_script(&job).up_to("3 2 0"));
    let mut heard = serve(&mut world, director, &mut catalog);
    world.say(file, "signal -4");
    heard.extend(serve(&mut world, director, &mut catalog));
    let end = heard.iter().find(|line| line.starts_with("text 3099 ")).unwrap();
    assert!(!end.contains("JobStatus=84"), "{end}");
    assert!(shelf.lock().unwrap().is_shut());
}

#[test]
fn a_file_daemon_may_come_before_run() {
    let (mut world, _) = world();
    let mut catalog = Catalog::with(&["Full-0001"]);
    let job = job(1);
    let director = world.come_in(director_script(&job).up_to("run"));
    world.come_in(file_script(&job));
    world.heard(director);
    world.say(director, "text run");
    let heard = serve(&mut world, director, &mut catalog);
    assert_eq!(heard[0], status_of(70, &job.name));
    assert_eq!(heard[1], format!(r"text 3010 Job {} start\n", job.name));
    assert_ended(&heard, &job.name, GOOD);
    world.assert_done();
}

#[test]
fn a_cancel_from_another_session_ends_the_job() {
    let (mut world, shelf) = world();
    let mut catalog = Catalog::with(&["Full-0001"]);
    let job = job(1);
    let director = run(&mut world, &job);
    let file = world.come_in(file_script(&job).up_to("3 2 0"));
    let mut heard = serve(&mut world, director, &mut catalog);
    world.heard(file);
    let canceler = session(&mut world);
    world.say(canceler, r"text cancel Job=another\n");
    let answer = world.heard(canceler);
    assert!(answer[0].starts_with("text 3904 Job another not found"), "{answer:?}");
    assert_eq!(answer[1..], ["signal -1"]);
    world.say(canceler, &format!(r"text cancel Job={}\n", job.name));
    let answer = world.heard(canceler);
    assert!(answer[0].contains("marked to be canceled"), "{answer:?}");
    assert_eq!(answer[1..], ["signal -1"]);
    heard.extend(serve(&mut world, director, &mut catalog));
    assert!(heard.contains(&status_of(65, &job.name)), "{heard:?}");
    assert_ended(&heard, &job.name, "JobStatus=65 JobFiles=0 JobBytes=0 JobErrors=0");
    assert_eq!(world.heard(file).last().map(String::as_str), Some("fin"));
    assert!(shelf.lock().unwrap().is_shut());
}

#[test]
fn a_lost_director_frees_everything() {
    let (mut world, shelf) = world();
    shelf.lock().unwrap().stuck.push("append");
    let mut catalog = Catalog::with(&["Full-0001"]);
    let job = job(1);
    let director = run(&mut world, &job);
    let file = world.come_in(file_script(&job).until_we_say("3000 OK append data"));
    serve(&mut world, director, &mut catalog);
    assert_eq!(world.kept.len(), 1, "a block is being written");
    world.cut(director);
    assert_eq!(world.heard(file).last().map(String::as_str), Some("fin"));
    assert!(shelf.lock().unwrap().is_shut());
}

#[test]
fn a_director_that_says_goodbye_frees_everything() {
    let (mut world, shelf) = world();
    let mut catalog = Catalog::with(&["Full-0001"]);
    let job = job(1);
    let director = run(&mut world, &job);
    let file = world.come_in(file_script(&job).up_to("3 2 0"));
    serve(&mut world, director, &mut catalog);
    world.say(director, "signal -4");
    assert_eq!(world.heard(director), ["fin"]);
    assert_eq!(world.heard(file).last().map(String::as_str), Some("fin"));
    assert!(shelf.lock().unwrap().is_shut());
}

#[test]
fn a_second_job_waits_for_the_device() {
    let (mut world, shelf) = world();
    shelf.lock().unwrap().stuck.push("append");
    let mut catalog = Catalog::with(&["Full-0001"]);
    let (one, two) = (job(1), job(2));
    let first = run(&mut world, &one);
    world.come_in(file_script(&one).until_we_say("3000 OK append data"));
    serve(&mut world, first, &mut catalog);
    let asked = catalog.asked.len();
    let second = run(&mut world, &two);
    world.come_in(file_script(&two));
    let mut heard = serve(&mut world, second, &mut catalog);
    assert_eq!(catalog.asked.len(), asked, "the second asks for no volume yet");
    assert_eq!(heard.last(), Some(&status_of(83, &two.name)));
    let messages = world.job_messages(second);
    assert!(messages.last().unwrap().contains("FileStorage1"), "{messages:?}");
    shelf.lock().unwrap().stuck = vec!["close"];
    world.cut(first);
    assert_eq!(serve(&mut world, second, &mut catalog), [""; 0], "the volume is still open");
    assert_eq!(catalog.asked.len(), asked);
    shelf.lock().unwrap().stuck.clear();
    world.kept.retain(|kept| format!("{:?}", kept.work).contains("Close"));
    world.answer(WorkDone::Disk(DiskDone::Closed(Tally::default())));
    heard.extend(serve(&mut world, second, &mut catalog));
    assert_ended(&heard, &two.name, GOOD);
}

#[test]
fn a_waiting_job_that_is_canceled_does_not_get_the_device() {
    let (mut world, shelf) = world();
    shelf.lock().unwrap().stuck.push("append");
    let mut catalog = Catalog::with(&["Full-0001"]);
    let jobs = [job(1), job(2), job(3)];
    let mut directors = Vec::new();
    for job in &jobs {
        let director = run(&mut world, job);
        world.come_in(file_script(job).until_we_say("3000 OK append data"));
        serve(&mut world, director, &mut catalog);
        directors.push(director);
    }
    world.cut(directors[1]);
    shelf.lock().unwrap().stuck.clear();
    let asked = catalog.asked.len();
    world.cut(directors[0]);
    serve(&mut world, directors[2], &mut catalog);
    assert!(catalog.asked.len() > asked, "the third has the device");
}

#[test]
fn a_file_daemon_of_an_unknown_job_is_turned_away() {
    let (mut world, _) = world();
    let script = Script::new(
        "# an unknown job\n> text Hello Start Job nobody.2026-11-23_13.01.31_03 Version=\"26.0.0\"\\n\n< signal -4\n",
        Side::Acceptor,
        Secret::from(KEY),
    );
    world.come_in(script);
    world.assert_done();
}

#[test]
fn a_file_daemon_that_comes_twice_is_turned_away() {
    let (mut world, _) = world();
    let job = job(1);
    run(&mut world, &job);
    world.come_in(file_script(&job).up_to("append open"));
    let conv = format!("# again\n> text Hello Start Job {} Version=\"26.0.0\"\\n\n< signal -4\n", job.name);
    let again = world.come_in(Script::new(&conv, Side::Acceptor, Secret::from(KEY)));
    world.peers[again].assert_done();
}

#[test]
fn data_commands_in_the_wrong_order_are_refused() {
    let commands = [
        (r"text append data 1\n", r"text 3902 Error session not opened\n"),
        (r"text read data 1\n", r"text 3902 Error session not opened\n"),
        (r"text append end session 1\n", r"text 3900 Invalid command\n"),
        (r"text abracadabra\n", r"text 3900 Invalid command\n"),
    ];
    for (command, answer) in commands {
        let (mut world, _) = world();
        let job = job(1);
        let director = run(&mut world, &job);
        let file = world.come_in(file_script(&job).up_to("append open"));
        world.heard(file);
        world.say(file, command);
        let heard = world.heard(file);
        assert_eq!(heard, [answer, "signal -4", "fin"], "{command}");
        let heard = world.heard(director);
        assert_ended(&heard, &job.name, "JobStatus=102 JobFiles=0 JobBytes=0 JobErrors=1");
    }
}

#[test]
fn a_second_open_is_refused() {
    let (mut world, _) = world();
    let job = job(1);
    let director = run(&mut world, &job);
    let file = world.come_in(file_script(&job).up_to("append data"));
    world.heard(file);
    world.say(file, r"text append open session\n");
    assert_eq!(world.heard(file), [r"text 3901 Error session already open\n", "signal -4", "fin"]);
    let heard = world.heard(director);
    assert_ended(&heard, &job.name, "JobStatus=102 JobFiles=0 JobBytes=0 JobErrors=1");
}

#[test]
fn an_empty_backup_touches_no_volume() {
    let (mut world, shelf) = world();
    let mut catalog = Catalog::default();
    let job = job(1);
    let director = run(&mut world, &job);
    let file = world.come_in(file_script(&job).up_to("1 1 0"));
    world.heard(file);
    world.say(file, "signal -1");
    assert_eq!(world.heard(file), [r"text 3000 OK append data\n"]);
    finish(&mut world, file);
    let heard = serve(&mut world, director, &mut catalog);
    assert_ended(&heard, &job.name, "JobStatus=84 JobFiles=0 JobBytes=0 JobErrors=0");
    assert_eq!((catalog.asked.len(), shelf.lock().unwrap().done.len()), (0, 0));
    world.assert_done();
}

#[test]
fn a_broken_stream_fails_the_job_and_tells_the_file_daemon() {
    let (mut world, shelf) = world();
    let mut catalog = Catalog::with(&["Full-0001"]);
    let job = job(1);
    let director = run(&mut world, &job);
    let file = world.come_in(file_script(&job).up_to("2 1 0"));
    let mut heard = serve(&mut world, director, &mut catalog);
    world.heard(file);
    world.say(file, "text 7 1 0");
    heard.extend(serve(&mut world, director, &mut catalog));
    let answer = world.heard(file);
    let expected = [r"text 3999 Failed append\n", r"text 3903 Error append data\n", "signal -4", "fin"];
    assert_eq!(answer, expected);
    let end = heard.iter().find(|line| line.starts_with("text 3099 ")).unwrap();
    assert!(end.contains("JobStatus=102 "), "{end}");
    assert!(shelf.lock().unwrap().is_shut());
}

#[test]
fn a_restore_of_a_volume_that_is_gone_tells_the_file_daemon() {
    let (mut world, shelf) = world();
    let mut catalog = Catalog::with(&["Full-0001"]);
    let conv = recording!("02-restore/01-DIR-to-SD").replace("SDid=2 ", "SDid=1 ");
    let director = world.come_in(Script::new(&conv, Side::Acceptor, password("sd-secret")).until_we_say("Status Job="));
    let key = Secret::from("EIBJ-DAFA-AFKD-ONPH-LPLP-MLGP-MHGP-PFGA");
    let conv = recording!("02-restore/03-FD-to-SD").replace("ticket = 2", "ticket = 1");
    let file = world.come_in(Script::new(&conv, Side::Acceptor, key).until_we_say("3000 OK data"));
    world.heard(file);
    let heard = serve(&mut world, director, &mut catalog);
    assert_eq!(world.heard(file), [r"text 3000 error\n", "signal -4", "fin"]);
    assert_ended(&heard, "restore.2026-11-23_13.02.08_05", "JobStatus=102 JobFiles=0 JobBytes=0 JobErrors=1");
    assert!(shelf.lock().unwrap().done.iter().any(|work| work == "read"));
}

#[test]
fn a_stop_cancels_the_jobs_and_ends_the_daemon_once_the_volumes_are_closed() {
    let (mut world, shelf) = world();
    let mut catalog = Catalog::with(&["Full-0001"]);
    let job = job(1);
    let director = run(&mut world, &job);
    world.come_in(file_script(&job).up_to("3 2 0"));
    serve(&mut world, director, &mut catalog);
    shelf.lock().unwrap().stuck = vec!["close"];
    world.event(towline_core::event::Event::StopRequested);
    world.run();
    let heard = world.heard(director);
    let [.., end, _, _, _] = &heard[..] else { panic!("{heard:?}") };
    assert!(end.contains("JobStatus=65 "), "{end}");
    let has_mounted = shelf.lock().unwrap().done.iter().any(|work| work.starts_with("mount"));
    assert!(has_mounted && world.exit.is_none());
    world.answer(WorkDone::Disk(DiskDone::Closed(Tally::default())));
    assert_eq!(world.exit, Some(towline_core::drive::ExitReason::Done));
}

#[test]
fn a_director_cut_off_anywhere_leaves_nothing_behind() {
    let lines = director_script(&job(1)).count();
    for behind in 0..lines {
        let (mut world, shelf) = world();
        let director = world.come_in(director_script(&job(1)).cut_behind(behind));
        world.come_in(file_script(&job(1)).cut_behind(usize::MAX));
        world.cut(director);
        assert!(shelf.lock().unwrap().is_shut(), "cut behind {behind} lines");
        world.assert_empty();
    }
}

#[test]
fn a_file_daemon_cut_off_anywhere_leaves_nothing_behind_and_the_director_knows() {
    let lines = file_script(&job(1)).count();
    let mut good = 0;
    for behind in 0..lines {
        let (mut world, shelf) = world();
        let director = world.come_in(director_script(&job(1)).cut_behind(usize::MAX));
        let file = world.come_in(file_script(&job(1)).cut_behind(behind));
        world.cut(file);
        world.wait(Duration::from_secs(1_900));
        assert!(shelf.lock().unwrap().is_shut(), "cut behind {behind} lines");
        let heard = world.heard(director);
        let end = heard.iter().find(|line| line.starts_with("text 3099 ")).unwrap_or_else(|| panic!("{heard:#?}"));
        good += usize::from(end.contains("JobStatus=84"));
        world.assert_empty();
    }
    assert!(good > 0 && good < 10, "good only where all data had come: {good} of {lines}");
}

#[test]
fn one_job_more_than_the_storage_daemon_takes_is_refused_with_the_reason() {
    let (hands, _) = hands();
    let mut world = crate::support::roles::storage_daemon_with(Protection::Clear, STARTED, hands, |config| {
        config["storage"]["maximum_concurrent_jobs"] = serde_json::json!(1);
    });
    run(&mut world, &job(1));
    let second = session(&mut world);
    let line = crate::support::conv::parse(DIRECTOR).into_iter().find(|line| line.frame.data().starts_with(b"JobId="));
    let Some(line) = line else { panic!("no job in the recording") };
    world.say(second, &format!("{:?}", line.frame));
    let refusal = r"text 3999 Job refused: 1 jobs are under way, the most this storage daemon takes.\n";
    assert_eq!(world.heard(second), [refusal, "signal -4", "fin"]);
}

#[test]
fn a_cancel_is_answered_as_recorded_while_the_job_waits_for_its_client() {
    let (mut world, _) = world();
    let director = run(&mut world, &job(1));
    let conv = recording!("11-cancel/09-DIR-to-SD").replace("bench-big.2026-11-23_13.07.50_03", JOB);
    world.come_in(Script::new(&conv, Side::Acceptor, password("sd-secret")));
    assert_ended(&world.heard(director), JOB, "JobStatus=65 JobFiles=0 JobBytes=0 JobErrors=0");
}
