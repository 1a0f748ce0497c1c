//! Commands of a job on the client: when they run, what of them the director hears, and what they cost the job.

use std::sync::{Arc, Mutex};

use towline_core::limits;
use towline_core::role::file::FileDaemon;
use towline_core::secret::Secret;
use towline_core::work::script::{ScriptDone, ScriptEnd, ScriptOrder, ScriptOutcome, ScriptWork};
use towline_core::work::{Work, WorkDone};

use crate::recording;
use crate::support::conv::Side;
use crate::support::files::{self, recorded_files};
use crate::support::password;
use crate::support::peer::Script;
use crate::support::roles::{Protection, STARTED, file_daemon_with};
use crate::support::world::{Hands, PeerId, World};

const STORAGE_PORT: u16 = 42_003;
const KEY: &str = "DJFK-CCCF-FLNE-JBIH-NMCJ-NHGC-COAJ-PPMF";
const JOB: &str = "backup-tiny.2026-11-23_13.01.31_03";
const DIRECTOR: &str = recording!("01-backup-full/02-DIR-to-FD");
const STORAGE: &str = recording!("01-backup-full/03-FD-to-SD");

/// What was to run, and which were to end.
#[derive(Debug, Default)]
struct Ran {
    orders: Vec<ScriptOrder>,
    stopped: usize,
}

fn ended(outcome: ScriptOutcome, lines: &[&str], left_out: u64) -> WorkDone {
    let lines = lines.iter().map(|line| (*line).to_owned()).collect();
    WorkDone::Script(ScriptDone::Ended(ScriptEnd { lines, left_out, outcome }))
}

/// A file daemon whose commands end at once as this says, or not at all.
fn world(ends: fn(&ScriptOrder) -> Option<WorkDone>) -> (World<FileDaemon>, Arc<Mutex<Ran>>) {
    world_with(ends, |_| {})
}

/// The same with another configuration.
fn world_with(
    ends: fn(&ScriptOrder) -> Option<WorkDone>,
    change: fn(&mut serde_json::Value),
) -> (World<FileDaemon>, Arc<Mutex<Ran>>) {
    let (mut disk, _) = files::hands(recorded_files(STORAGE));
    let ran = Arc::<Mutex<Ran>>::default();
    let seen = Arc::clone(&ran);
    let hands: Hands = Box::new(move |work| match work {
        Work::Script(ScriptWork::Run(order)) => {
            seen.lock().expect("no test panics here").orders.push(order.clone());
            ends(order)
        }
        Work::Script(ScriptWork::Stop(_)) => {
            seen.lock().expect("no test panics here").stopped += 1;
            Some(WorkDone::Script(ScriptDone::Told))
        }
        work => disk(work),
    });
    (file_daemon_with(Protection::Clear, STARTED, hands, change), ran)
}

fn well(_: &ScriptOrder) -> Option<WorkDone> {
    Some(ended(ScriptOutcome::Exited(0), &[], 0))
}

/// Ends with the status that its first argument is.
fn as_told(order: &ScriptOrder) -> Option<WorkDone> {
    Some(ended(ScriptOutcome::Exited(order.words[1].parse().expect("a number")), &[], 0))
}

fn never(_: &ScriptOrder) -> Option<WorkDone> {
    None
}

/// A director that has sent its fileset, and these commands.
fn told(world: &mut World<FileDaemon>, scripts: &[&str]) -> PeerId {
    let peer = world.come_in(Script::new(DIRECTOR, Side::Acceptor, password("fd-secret")).up_to("storage "));
    world.heard(peer);
    for script in scripts {
        world.say(peer, &format!(r"text Run {script}\n"));
        assert_eq!(world.heard(peer), [r"text 2000 OK RunScript\n"], "{script}");
    }
    peer
}

/// Lets the job come to its end: the rest of the recorded conversation.
fn goes_on(world: &mut World<FileDaemon>, peer: PeerId) -> Vec<String> {
    world.await_dial(STORAGE_PORT, Script::new(STORAGE, Side::Dialler, Secret::from(KEY)));
    world.say(peer, r"text storage address=127.0.0.1 port=42003 ssl=0\n");
    world.say(peer, r"text backup FileIndex=0\n");
    world.heard(peer)
}

fn end(code: u32, errors: u32) -> String {
    format!(
        r"text 2800 End Job TermCode={code} JobFiles=6 ReadBytes=1043 JobBytes=1043 Errors={errors} VSS=0 Encrypt=0\n"
    )
}

fn commands(ran: &Mutex<Ran>) -> Vec<String> {
    ran.lock().expect("an answer").orders.iter().map(|order| order.words.join(" ")).collect()
}

#[test]
fn commands_run_before_and_after_a_job_and_their_words_reach_its_log() {
    let (mut world, ran) = world(|_| Some(ended(ScriptOutcome::Exited(0), &["one", "two\u{7}"], 3)));
    let peer = told(
        &mut world,
        &[
            r"OnSuccess=1 OnFailure=0 AbortOnError=1 When=2 Command=/b\x01'%j\x01%i'\x01%n\x01%c\x01%D\x01%%",
            r"OnSuccess=1 OnFailure=0 AbortOnError=0 When=1 Command=/a\x01%e\x01%F\x01%b\x01%l\x01%t",
            r"OnSuccess=0 OnFailure=1 AbortOnError=0 When=3 Command=/failed",
            r"OnSuccess=1 OnFailure=1 AbortOnError=0 When=3 Command=/both",
        ],
    );
    world.say(peer, r"text RunBeforeNow\n");
    assert_eq!(world.heard(peer), [r"text 2000 OK RunBeforeNow\n"]);
    let heard = goes_on(&mut world, peer);
    assert_eq!(heard[heard.len() - 3..], [end(84, 0), "signal -4".to_owned(), "fin".to_owned()], "{heard:?}");
    let name = format!("/b {JOB} 1 backup-tiny bareos-fd bareos-dir %");
    assert_eq!(commands(&ran), [&*name, "/both", "/a OK 6 1043 Full Backup", "/both"]);
    let ran = ran.lock().unwrap();
    assert_eq!(ran.orders[0].words[1], format!("{JOB} 1"), "a quoted word stays one");
    assert!(ran.orders.iter().all(|order| order.folders.is_empty() && order.limit == Some(3_600)));
    let messages = world.job_messages(peer);
    for text in [
        format!("shell command: run ClientBeforeJob \"{name}\""),
        "ClientBeforeJob: one".to_owned(),
        r"ClientBeforeJob: two\x07".to_owned(),
        "ClientBeforeJob: 3 more lines are left out".to_owned(),
        "ClientAfterJob: one".to_owned(),
    ] {
        assert!(messages.iter().any(|message| message.contains(&text)), "{text}: {messages:#?}");
    }
}

#[test]
fn a_command_that_fails_before_the_job_ends_it_where_it_says_so_and_those_for_a_failure_run() {
    let scripts = |aborts: u8| {
        [
            format!(r"OnSuccess=1 OnFailure=0 AbortOnError={aborts} When=2 Command=/first\x013"),
            r"OnSuccess=1 OnFailure=0 AbortOnError=0 When=2 Command=/second\x010".to_owned(),
            r"OnSuccess=1 OnFailure=0 AbortOnError=0 When=1 Command=/good\x010".to_owned(),
            r"OnSuccess=0 OnFailure=1 AbortOnError=0 When=1 Command=/bad\x010".to_owned(),
        ]
    };
    for (aborts, expected) in [(1, &["/first 3", "/bad 0"][..]), (0, &["/first 3", "/second 0", "/good 0"])] {
        let (mut world, ran) = world(as_told);
        let scripts = scripts(aborts);
        let peer = told(&mut world, &scripts.each_ref().map(String::as_str));
        world.say(peer, r"text RunBeforeNow\n");
        let heard = world.heard(peer);
        if aborts == 1 {
            let end = r"text 2800 End Job TermCode=69 JobFiles=0 ReadBytes=0 JobBytes=0 Errors=1 VSS=0 Encrypt=0\n";
            assert_eq!(heard, [r"text 2905 Failed RunScript\n", end, "signal -4", "fin"]);
        } else {
            assert_eq!(heard, [r"text 2000 OK RunBeforeNow\n"]);
            let heard = goes_on(&mut world, peer);
            assert!(heard.contains(&end(84, 1)), "{heard:?}");
        }
        assert_eq!(commands(&ran), expected);
        let messages = world.job_messages(peer);
        let why = "Runscript: ClientBeforeJob returned non-zero status=3 (T0724)";
        assert!(messages.iter().any(|message| message.contains(why)), "{messages:#?}");
    }
}

#[test]
fn a_command_that_fails_after_the_job_costs_it_its_success_only_where_it_says_so() {
    for (aborts, code) in [(1, 69), (0, 84)] {
        let (mut world, _) = world(as_told);
        let script = format!(r"OnSuccess=1 OnFailure=0 AbortOnError={aborts} When=1 Command=/a\x011");
        let peer = told(&mut world, &[&script]);
        let heard = goes_on(&mut world, peer);
        assert!(heard.contains(&end(code, 1)), "{heard:?}");
    }
}

#[test]
fn each_way_to_fail_has_a_code_and_one_that_may_not_run_fails_its_job() {
    type Ends = fn(&ScriptOrder) -> Option<WorkDone>;
    let rows: [(Ends, &str, bool); 5] = [
        (|_| Some(ended(ScriptOutcome::Signalled(9), &[], 0)), "was ended by signal 9 (T0724)", true),
        (|_| Some(ended(ScriptOutcome::TooLong, &[], 0)), "`script_time_limit` allows, and was ended (T0725)", true),
        (|_| Some(ended(ScriptOutcome::NotAllowed("/x".to_owned()), &[], 0)), "/x is in none of the folders", false),
        (|_| Some(ended(ScriptOutcome::NotStarted("why".to_owned()), &[], 0)), "not be started: why (T0727)", true),
        (|_| Some(WorkDone::Refused), "the workers have stopped (T0727)", true),
    ];
    for (ends, text, goes_on) in rows {
        let (mut world, _) = world(ends);
        let peer = told(&mut world, &[r"OnSuccess=1 OnFailure=0 AbortOnError=0 When=2 Command=/x"]);
        world.say(peer, r"text RunBeforeNow\n");
        let answer = if goes_on { r"text 2000 OK RunBeforeNow\n" } else { r"text 2905 Failed RunScript\n" };
        assert_eq!(world.heard(peer)[0], answer, "{text}");
        let messages = world.job_messages(peer);
        assert!(messages.iter().any(|message| message.contains(text)), "{messages:#?}");
    }
}

#[test]
fn a_command_is_ended_with_its_job_and_those_of_the_end_run_though_the_director_is_lost() {
    let (mut world, ran) = world(|order| if order.words[0] == "/long" { None } else { well(order) });
    let peer = told(
        &mut world,
        &[
            r"OnSuccess=1 OnFailure=0 AbortOnError=1 When=2 Command=/long",
            r"OnSuccess=1 OnFailure=1 AbortOnError=0 When=1 Command=/start\x01again\x01%e",
        ],
    );
    world.say(peer, r"text RunBeforeNow\n");
    assert_eq!(commands(&ran), ["/long"]);
    world.cut(peer);
    assert_eq!(ran.lock().unwrap().stopped, 1);
    assert_eq!(commands(&ran), ["/long", "/start again Fatal Error"]);
    // The answer of the one that was ended comes late, and is nobody's.
    world.answer(ended(ScriptOutcome::Stopped, &[], 0));
    world.assert_empty();
}

#[test]
fn a_cancelled_job_ends_the_command_that_runs_before_or_after_it() {
    for before in [true, false] {
        let (mut world, ran) = world(never);
        let when = if before { 2 } else { 1 };
        let peer = told(&mut world, &[&format!("OnSuccess=1 OnFailure=0 AbortOnError=0 When={when} Command=/long")]);
        if before {
            world.say(peer, r"text RunBeforeNow\n");
        } else {
            goes_on(&mut world, peer);
        }
        let other = world.come_in(Script::new(DIRECTOR, Side::Acceptor, password("fd-secret")).up_to("JobId="));
        world.heard(other);
        world.say(other, "text .status running");
        let status = world.heard(other).concat();
        assert!(status.contains("running the client's commands"), "{status}");
        world.say(other, &format!(r"text cancel Job={JOB}\n"));
        let answer = format!(r"text 2001 Job {JOB} marked to be canceled.\n");
        assert_eq!(world.heard(other), [&*answer, "signal -1"]);
        assert_eq!(ran.lock().unwrap().stopped, 1);
        world.answer(ended(ScriptOutcome::Stopped, &[], 0));
        let heard = world.heard(peer);
        assert!(heard.iter().any(|text| text.contains("2800 End Job TermCode=65")), "{heard:?}");
        assert_eq!(heard.last().map(String::as_str), Some("fin"));
    }
}

#[test]
fn a_director_that_speaks_while_commands_run_or_says_too_much_is_refused() {
    let (mut world, ran) = world(never);
    let peer = told(&mut world, &[r"OnSuccess=1 OnFailure=0 AbortOnError=0 When=2 Command=/long"]);
    world.say(peer, r"text RunBeforeNow\n");
    world.say(peer, r"text getSecureEraseCmd\n");
    assert!(world.heard(peer).iter().any(|text| text.contains("TermCode=102")));
    assert_eq!(ran.lock().unwrap().stopped, 1);

    let line = "OnSuccess=1 OnFailure=0 AbortOnError=0 When=2 Command=";
    let most = vec![format!("{line}/x"); limits::SCRIPTS];
    let long = [format!("{line}/{}", "x".repeat(limits::SCRIPT_COMMAND - 1))];
    for (fits, one_more) in [(&most[..], format!("{line}/x")), (&long[..], format!("{}x", long[0]))] {
        let (mut world, _) = self::world(well);
        let peer = told(&mut world, &fits.iter().map(String::as_str).collect::<Vec<_>>());
        world.say(peer, &format!(r"text Run {one_more}\n"));
        let heard = world.heard(peer);
        assert_eq!(heard[0], r"text 2905 Failed RunScript\n");
        assert!(heard.iter().any(|text| text.contains("TermCode=102")), "{heard:?}");
    }
}

#[test]
fn the_director_is_told_only_the_kinds_of_messages_that_are_for_it() {
    let (mut world, _) = world_with(
        |_| Some(ended(ScriptOutcome::Exited(0), &["one"], 3)),
        |config| {
            config["messages"] = serde_json::json!([{ "name": "Standard", "destinations": [
                { "kind": "director", "types": ["all", "!info"] },
            ] }]);
        },
    );
    let peer = told(&mut world, &[r"OnSuccess=1 OnFailure=0 AbortOnError=1 When=2 Command=/b"]);
    world.say(peer, r"text RunBeforeNow\n");
    let heard = goes_on(&mut world, peer);
    assert!(heard.contains(&end(84, 0)), "{heard:?}");
    let messages = world.job_messages(peer);
    assert!(messages.iter().any(|text| text.contains("3 more lines are left out")), "{messages:#?}");
    assert!(messages.iter().all(|text| text.contains(" type=5 ")), "{messages:#?}");
}
