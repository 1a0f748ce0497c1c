//! The storage daemon when things go otherwise than recorded.

use std::time::Duration;

use towline_core::bulk::work::{DiskDone, Tally};
use towline_core::limits;
use towline_core::secret::Secret;
use towline_core::work::WorkDone;

use crate::recording;
use crate::support::catalog::Catalog;
use crate::support::conv::Side;
use crate::support::password;
use crate::support::peer::Script;
use crate::support::roles::{Protection, STARTED};
use crate::support::volumes::hands;
use crate::support::world::PeerId;

use super::jobs::*;

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

/// A file daemon that says it comes for this job, is asked for the key like any other, and is refused.
fn turned_away(job: &str) -> Script {
    let conv = format!(
        "# turned away\n> text Hello Start Job {job} Version=\"26.0.0\"\\n\n\
         < text auth cram-md5 <1.2@R_STORAGE::bareos-sd> ssl=0\\n\n\
         > text xxxxxxxxxxxxxxxxxxxxxx\\0\n< text 1999 Authorization failed.\\n\n"
    );
    Script::new(&conv, Side::Acceptor, Secret::from(KEY))
}

#[test]
fn a_file_daemon_of_an_unknown_job_is_turned_away() {
    let (mut world, _) = world();
    world.come_in(turned_away("nobody.2026-11-23_13.01.31_03"));
    world.assert_done();
}

#[test]
fn a_file_daemon_that_comes_twice_is_turned_away() {
    let (mut world, _) = world();
    let job = job(1);
    run(&mut world, &job);
    world.come_in(file_script(&job).up_to("append open"));
    let again = world.come_in(turned_away(&job.name));
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
    assert_eq!(world.exit, Some(towline_core::notice::ExitReason::Done));
}

#[test]
fn a_storage_daemon_that_is_terminated_lets_its_job_end_and_takes_no_other() {
    let (mut world, shelf) = world();
    let mut catalog = Catalog::with(&["Full-0001"]);
    let first = job(1);
    let director = run(&mut world, &first);
    let idle = world.come_in(director_script(&job(2)).up_to("JobId="));
    world.heard(idle);
    world.event(towline_core::event::Event::TerminateRequested);
    world.run();
    assert_eq!(world.exit, None, "its client may still come");
    let line = DIRECTOR.lines().find_map(|line| line.strip_prefix("> text JobId=1 ")).unwrap();
    world.say(idle, &format!("text JobId=2 {line}"));
    let refused = world.heard(idle);
    assert!(refused.concat().contains("3999 Job refused: this storage daemon is being stopped."), "{refused:?}");
    world.come_in(file_script(&first));
    let heard = serve(&mut world, director, &mut catalog);
    let end = heard.iter().find(|line| line.starts_with("text 3099 ")).unwrap();
    assert!(end.contains("JobStatus=84 "), "{end}");
    assert!(shelf.lock().unwrap().is_shut());
    assert_eq!(world.exit, Some(towline_core::notice::ExitReason::Done));
}

#[test]
fn as_many_idle_directors_stay_as_may_and_one_more_lets_the_first_of_them_go_and_none_with_a_job() {
    let (mut world, _) = world();
    let mut come = |before: &str| {
        let peer = world.come_in(director_script(&job(1)).up_to(before));
        world.heard(peer);
        peer
    };
    let busy = come("use storage");
    let idle: Vec<PeerId> = (0..=limits::IDLE_SESSIONS).map(|_| come("JobId=")).collect();
    let farewell = r"text This connection makes room for another one, after 0 s of silence (T0318).\n";
    assert_eq!(world.heard(idle[0]), [farewell, "signal -4", "fin"]);
    for stays in [busy, idle[1], idle[limits::IDLE_SESSIONS]] {
        assert_eq!(world.heard(stays), [""; 0]);
    }
}

#[test]
fn a_director_cut_off_anywhere_leaves_nothing_behind() {
    let lines = director_script(&job(1)).count();
    for after in 0..lines {
        let (mut world, shelf) = world();
        let director = world.come_in(director_script(&job(1)).cut_after(after));
        world.come_in(file_script(&job(1)).cut_after(usize::MAX));
        world.cut(director);
        assert!(shelf.lock().unwrap().is_shut(), "cut after {after} lines");
        world.assert_empty();
    }
}

#[test]
fn a_file_daemon_cut_off_anywhere_leaves_nothing_behind_and_the_director_knows() {
    let lines = file_script(&job(1)).count();
    let mut good = 0;
    for after in 0..lines {
        let (mut world, shelf) = world();
        let director = world.come_in(director_script(&job(1)).cut_after(usize::MAX));
        let file = world.come_in(file_script(&job(1)).cut_after(after));
        world.cut(file);
        world.wait(Duration::from_secs(1_900));
        assert!(shelf.lock().unwrap().is_shut(), "cut after {after} lines");
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
    let refusal = r"text 3999 Job refused: 1 job is under way, the most this storage daemon takes.\n";
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
