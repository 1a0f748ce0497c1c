//! The file daemon when things go otherwise than recorded.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use towline_core::bulk::work::DiskWork;
use towline_core::limits;
use towline_core::role::file::FileDaemon;
use towline_core::secret::Secret;
use towline_core::time::Instant;
use towline_core::work::{Work, WorkDone};

use crate::recording;
use crate::support::conv::Side;
use crate::support::files::{self, Seen, recorded_files};
use crate::support::password;
use crate::support::peer::Script;
use crate::support::roles::{Protection, STARTED, file_daemon};
use crate::support::world::{Hands, PeerId, World};

const STORAGE_PORT: u16 = 42_003;
const KEY: &str = "DJFK-CCCF-FLNE-JBIH-NMCJ-NHGC-COAJ-PPMF";
const JOB: &str = "backup-tiny.2026-11-23_13.01.31_03";
const DIRECTOR: &str = recording!("01-backup-full/02-DIR-to-FD");
const STORAGE: &str = recording!("01-backup-full/03-FD-to-SD");
const RESTORE_DIRECTOR: &str = recording!("02-restore/02-DIR-to-FD");
const RESTORE_STORAGE: &str = recording!("02-restore/03-FD-to-SD");
const RESTORE_KEY: &str = "EIBJ-DAFA-AFKD-ONPH-LPLP-MLGP-MHGP-PFGA";
/// A backup that failed before a file was sent.
const FAILED: &str = r"text 2800 End Job TermCode=102 JobFiles=0 ReadBytes=0 JobBytes=0 Errors=1 VSS=0 Encrypt=0\n";
const CANCELED: &str = r"text 2800 End Job TermCode=65 JobFiles=0 ReadBytes=0 JobBytes=0 Errors=0 VSS=0 Encrypt=0\n";

fn world() -> (World<FileDaemon>, Arc<Mutex<Seen>>) {
    let (hands, seen) = files::hands(recorded_files(STORAGE));
    (file_daemon(Protection::Clear, STARTED, hands), seen)
}

/// A director whose recorded session goes on by hand before this text, after `backup` if it is empty.
fn director(world: &mut World<FileDaemon>, up_to: &str) -> PeerId {
    let script = Script::new(DIRECTOR, Side::Acceptor, password("fd-secret")).up_to(up_to);
    let peer = world.come_in(script);
    world.heard(peer);
    peer
}

fn storage(up_to: &str) -> Script {
    Script::new(STORAGE, Side::Dialler, Secret::from(KEY)).up_to(up_to)
}

fn storage_until(text: &str) -> Script {
    Script::new(STORAGE, Side::Dialler, Secret::from(KEY)).until_we_say(text)
}

/// Hands that answer what the others do, but for fills.
fn stuck_hands() -> (Hands, Arc<Mutex<Seen>>) {
    let (mut hands, seen) = files::hands(recorded_files(STORAGE));
    let stuck: Hands = Box::new(move |work| match work {
        Work::Disk(DiskWork::Fill { .. }) => None,
        work => hands(work),
    });
    (stuck, seen)
}

#[test]
fn as_many_idle_directors_stay_as_may_and_one_more_lets_the_first_of_them_go_and_none_with_a_job() {
    let (mut world, _) = world();
    let busy = director(&mut world, "level");
    let idle: Vec<PeerId> = (0..limits::IDLE_SESSIONS).map(|_| director(&mut world, "JobId=")).collect();
    assert_eq!(world.heard(idle[0]), [""; 0]);
    director(&mut world, "JobId=");
    let farewell = r"text This connection makes room for another one, after 0 s of silence (T0318).\n";
    assert_eq!(world.heard(idle[0]), [farewell, "signal -4", "fin"]);
    for stays in [busy, idle[1]] {
        assert_eq!(world.heard(stays), [""; 0]);
    }
}

#[test]
fn an_unknown_command_ends_the_session() {
    let (mut world, _) = world();
    let director = director(&mut world, "JobId=");
    world.say(director, r"text abracadabra\n");
    assert_eq!(world.heard(director), [r"text 2999 Invalid command\n", "signal -4", "fin"]);
    world.assert_done();
}

#[test]
fn an_unknown_command_within_a_job_ends_it_with_its_line() {
    let (mut world, _) = world();
    let director = director(&mut world, "level");
    world.say(director, r"text abracadabra\n");
    let heard = world.heard(director);
    assert_eq!(heard[0], r"text 2999 Invalid command\n");
    assert!(heard[1].starts_with("text 2800 End Job TermCode="), "{heard:?}");
    assert_eq!(heard[2..], ["signal -4", "fin"]);
}

#[test]
fn a_monitor_sees_the_status_and_nothing_else() {
    let (mut world, _) = world();
    let conv = DIRECTOR.replace("bareos-dir", "bareos-mon");
    let script = || Script::new(&conv, Side::Acceptor, password("mon-secret")).up_to("JobId=");
    let monitor = world.come_in(script());
    world.heard(monitor);
    world.say(monitor, "text .status current");
    assert_eq!(world.heard(monitor), [r"text 2000 OK .status\n", "signal -1"]);
    world.say(monitor, r"text JobId=1 Job=a SDid=1 SDtime=1 Authorization=x\n");
    let refusal = r"text 2997 Invalid command for a Director with Monitor directive enabled.\n";
    assert_eq!(world.heard(monitor), [refusal, "signal -1", "signal -4", "fin"]);
    world.assert_done();
}

#[test]
fn a_second_file_set_ends_the_job() {
    let (mut world, _) = world();
    let director = director(&mut world, "getSecureEraseCmd");
    world.say(director, r"text fileset vss=1\n");
    assert_eq!(world.heard(director), [FAILED, "signal -4", "fin"]);
    assert_eq!(world.job_messages(director).len(), 1);
    world.assert_done();
}

#[test]
fn a_second_job_in_one_session_ends_the_first() {
    let (mut world, _) = world();
    let director = director(&mut world, "level");
    world.say(director, r"text JobId=2 Job=b.2026-11-23_13.01.31_04 SDid=1 SDtime=1 Authorization=x\n");
    assert_eq!(world.heard(director), [FAILED, "signal -4", "fin"]);
    world.assert_done();
}

#[test]
fn a_storage_daemon_that_cannot_be_reached_fails_the_job_after_its_time() {
    let (mut world, _) = world();
    let director = director(&mut world, "storage address");
    world.say(director, r"text storage address=127.0.0.1 port=42003 ssl=0\n");
    world.wait(Duration::from_secs(30));
    assert_eq!(world.heard(director), [""; 0], "it tries again and again");
    world.wait(Duration::from_secs(40));
    assert_eq!(world.heard(director), [r"text 2902 Bad storage\n", FAILED, "signal -4", "fin"]);
    let messages = world.job_messages(director);
    let [tries @ .., end] = &messages[..] else { panic!("{messages:?}") };
    assert_eq!(tries.len(), 5, "each try but the last, which is the end: {messages:?}");
    for (number, text) in (1..).zip(tries) {
        assert!(text.contains("type=6 ") && text.contains(&format!("tries: {number}; the next in 10 s")), "{text}");
    }
    assert!(end.contains("type=3 ") && end.contains("Fatal"), "{messages:?}");
    assert!(end.contains("refused") && end.contains("127.0.0.1:42003"), "{messages:?}");
    world.assert_done();
}

#[test]
fn tls_that_is_asked_for_and_cannot_be_had_fails_the_job() {
    let (mut world, _) = world();
    let director = director(&mut world, "storage address");
    world.say(director, r"text storage address=127.0.0.1 port=42003 ssl=4\n");
    assert_eq!(world.heard(director), [r"text 2902 Bad storage\n", FAILED, "signal -4", "fin"]);
    assert!(world.job_messages(director)[0].contains("TLS is wanted"));
}

#[test]
fn a_storage_daemon_that_comes_up_late_is_reached() {
    let (mut world, _) = world();
    let director = director(&mut world, "storage address");
    world.say(director, r"text storage address=127.0.0.1 port=42003 ssl=0\n");
    world.wait(Duration::from_secs(15));
    world.await_dial(STORAGE_PORT, storage("3000 OK open ticket"));
    world.wait(Duration::from_secs(10));
    assert_eq!(world.heard(director), [r"text 2000 OK storage\n"]);
}

#[test]
fn a_backup_without_a_storage_daemon_is_refused() {
    let (mut world, seen) = world();
    let director = director(&mut world, "storage address");
    world.say(director, r"text backup FileIndex=0\n");
    assert_eq!(world.heard(director), [""; 0], "one may dial");
    world.wait(Duration::from_secs(61));
    assert_eq!(world.heard(director), [r"text 2902 Bad backup\n", FAILED, "signal -4", "fin"]);
    assert_eq!(seen.lock().unwrap().filesets.len(), 0);
}

#[test]
fn a_lost_data_channel_fails_the_job_and_closes_the_files() {
    let (hands, seen) = stuck_hands();
    let mut world = file_daemon(Protection::Clear, STARTED, hands);
    world.await_dial(STORAGE_PORT, storage_until("1 1 0"));
    let director = director(&mut world, "");
    assert!(!world.kept.is_empty(), "files are being read");
    world.heard(director);
    world.cut(director + 1);
    assert_eq!(world.heard(director), [FAILED, "signal -4", "fin"]);
    assert_eq!(seen.lock().unwrap().closed, 1);
    let messages = world.job_messages(director);
    assert!(messages.iter().any(|text| text.contains("lost the storage daemon")), "{messages:?}");
}

#[test]
fn a_storage_daemon_that_gives_up_is_quoted() {
    let (hands, seen) = stuck_hands();
    let mut world = file_daemon(Protection::Clear, STARTED, hands);
    world.await_dial(STORAGE_PORT, storage_until("1 1 0"));
    let director = director(&mut world, "");
    world.heard(director);
    world.say(director + 1, r"text 3903 Error append data\n");
    assert_eq!(world.heard(director), [FAILED, "signal -4", "fin"]);
    assert_eq!(seen.lock().unwrap().closed, 1);
    let messages = world.job_messages(director);
    assert!(messages.iter().any(|text| text.contains("3903 Error append data")), "{messages:?}");
    assert_eq!(world.heard(director + 1).last().map(String::as_str), Some("fin"));
}

#[test]
fn a_bad_status_at_the_end_fails_the_job() {
    let (mut world, _) = world();
    world.await_dial(STORAGE_PORT, storage("3000 OK close Status"));
    let director = director(&mut world, "");
    world.heard(director);
    world.say(director + 1, r"text 3000 OK close Status = 69\n");
    let heard = world.heard(director);
    assert_eq!(heard.len(), 3, "{heard:?}");
    assert!(heard[0].starts_with("text 2800 End Job TermCode=102"), "{heard:?}");
}

#[test]
fn a_cancel_from_another_session_ends_the_job() {
    let (hands, seen) = stuck_hands();
    let mut world = file_daemon(Protection::Clear, STARTED, hands);
    world.await_dial(STORAGE_PORT, storage_until("1 1 0"));
    let job = director(&mut world, "");
    let canceler = director(&mut world, "JobId=");
    world.heard(job);
    world.say(canceler, r"text cancel Job=another\n");
    assert_eq!(world.heard(canceler), [r"text 2901 Job another not found.\n", "signal -1"]);
    world.say(canceler, &format!(r"text cancel Job={JOB}\n"));
    let answer = format!(r"text 2001 Job {JOB} marked to be canceled.\n");
    assert_eq!(world.heard(canceler), [answer, "signal -1".to_owned()]);
    assert_eq!(world.heard(job), [CANCELED, "signal -4", "fin"]);
    assert_eq!(seen.lock().unwrap().closed, 1);
    let data = world.heard(job + 1);
    assert!(data.last().is_some_and(|last| last == "fin") && !data.contains(&"signal -4".to_owned()), "{data:?}");
    world.say(canceler, &format!(r"text cancel Job={JOB}\n"));
    assert_eq!(world.heard(canceler), [format!(r"text 2901 Job {JOB} not found.\n"), "signal -1".to_owned()]);
}

#[test]
fn a_lost_director_frees_everything() {
    let (hands, seen) = stuck_hands();
    let mut world = file_daemon(Protection::Clear, STARTED, hands);
    world.await_dial(STORAGE_PORT, storage_until("1 1 0"));
    let job = director(&mut world, "");
    world.cut(job);
    assert_eq!(seen.lock().unwrap().closed, 1);
    let data = world.heard(job + 1);
    assert!(data.last().is_some_and(|last| last == "fin") && !data.contains(&"signal -4".to_owned()), "{data:?}");
}

#[test]
fn a_director_lost_while_the_files_are_being_opened_leaves_none_open() {
    let seen = Arc::<Mutex<Vec<String>>>::default();
    let log = seen.clone();
    let hands: Hands = Box::new(move |work| {
        log.lock().unwrap().push(format!("{work:?}").chars().take(30).collect());
        None
    });
    let mut world = file_daemon(Protection::Clear, STARTED, hands);
    world.await_dial(STORAGE_PORT, storage_until("append open"));
    let job = director(&mut world, "");
    world.cut(job);
    world.answer(WorkDone::Disk(towline_core::bulk::work::DiskDone::Opened));
    let seen = seen.lock().unwrap();
    assert_eq!(seen.len(), 2, "{seen:?}");
    assert!(seen[0].contains("OpenBackup") && seen[1].contains("Close"), "{seen:?}");
}

#[test]
fn a_lost_director_calls_a_dial_off() {
    let (mut world, _) = world();
    let director = director(&mut world, "storage address");
    world.say(director, r"text storage address=127.0.0.1 port=42003 ssl=0\n");
    world.cut(director);
    assert!(world.node.poll_timeout().is_none(), "nothing is tried again");
}

#[test]
fn a_restore_whose_key_came_once_ends_by_itself() {
    let (hands, seen) = files::hands(Vec::new());
    let mut world = file_daemon(Protection::Clear, STARTED, hands);
    let script = Script::new(RESTORE_STORAGE, Side::Dialler, Secret::from(RESTORE_KEY));
    world.await_dial(STORAGE_PORT, script.omits("as in the recorded restore", "signal -4"));
    let key = format!(" Authorization={RESTORE_KEY}");
    let conv = RESTORE_DIRECTOR.replace(&format!("ssl=0{key}"), "ssl=0");
    assert_ne!(conv, RESTORE_DIRECTOR);
    let script = Script::new(&conv, Side::Acceptor, password("fd-secret"));
    let script = script.omits("no second key, no second storage daemon", r"text 2000 OK storage end\n");
    let script = script.peer_differs("nothing is left to end", "text endrestore", &[]);
    world.come_in(script);
    world.assert_done();
    assert_eq!(seen.lock().unwrap().restored.len(), 6);
}

#[test]
fn a_restore_to_a_relative_path_is_refused_before_anything_is_opened() {
    let (hands, seen) = files::hands(Vec::new());
    let mut world = file_daemon(Protection::Clear, STARTED, hands);
    let script = Script::new(RESTORE_STORAGE, Side::Dialler, Secret::from(RESTORE_KEY)).until_we_say("read open");
    world.await_dial(STORAGE_PORT, script);
    let script = Script::new(RESTORE_DIRECTOR, Side::Acceptor, password("fd-secret")).up_to("restore ");
    let director = world.come_in(script);
    world.heard(director);
    world.say(director, r"text restore replace=a prelinks=0 where=srv/restored\n");
    assert_eq!(world.heard(director), [FAILED, "signal -4", "fin"]);
    let messages = world.job_messages(director);
    let why = "where=srv/restored is not an absolute path, so that nothing is restored (T0553)";
    assert!(messages.iter().any(|text| text.contains(why)), "{messages:?}");
    assert!(seen.lock().unwrap().orders.is_empty());
}

#[test]
fn a_restore_that_changes_names_hands_the_changes_to_the_disk_or_is_refused() {
    let bad = "regexwhere=!a!b cannot be read, so that nothing is restored: \"!a!b\" needs three separators, as in \
               !search!replacement! (T0722)";
    for (words, refused) in [("!^!/a\\x01b!,/x/y/i", None), ("!a!b", Some(bad))] {
        let (hands, seen) = files::hands(Vec::new());
        let mut world = file_daemon(Protection::Clear, STARTED, hands);
        let script = Script::new(RESTORE_STORAGE, Side::Dialler, Secret::from(RESTORE_KEY)).until_we_say("read open");
        world.await_dial(STORAGE_PORT, script);
        let script = Script::new(RESTORE_DIRECTOR, Side::Acceptor, password("fd-secret")).up_to("restore ");
        let director = world.come_in(script);
        world.heard(director);
        world.say(director, &format!(r"text restore replace=a prelinks=1 regexwhere={words}\n"));
        let heard = world.heard(director);
        let seen = seen.lock().unwrap();
        let Some(why) = refused else {
            assert_eq!(heard[0], r"text 2000 OK restore\n");
            let changes: Vec<_> =
                seen.orders[0].relocations.iter().map(|one| (&*one.search, &*one.replacement)).collect();
            assert_eq!((changes, seen.orders[0].to.len()), (vec![("^", "/a b"), ("x", "y")], 0));
            continue;
        };
        assert_eq!(heard, [FAILED, "signal -4", "fin"]);
        let messages = world.job_messages(director);
        assert!(messages.iter().any(|text| text.contains(why)), "{messages:?}");
        assert!(seen.orders.is_empty());
    }
}

#[test]
fn a_restore_from_two_storage_daemons_counts_both() {
    let (hands, seen) = files::hands(Vec::new());
    let mut world = file_daemon(Protection::Clear, STARTED, hands);
    let storage = || {
        Script::new(RESTORE_STORAGE, Side::Dialler, Secret::from(RESTORE_KEY))
            .omits("as in the recorded restore", "signal -4")
    };
    world.await_dial(STORAGE_PORT, storage());
    let director =
        world.come_in(Script::new(RESTORE_DIRECTOR, Side::Acceptor, password("fd-secret")).up_to("endrestore"));
    assert_eq!(world.heard(director).last().map(String::as_str), Some(r"text 2000 OK storage end\n"));
    world.await_dial(STORAGE_PORT, storage());
    world.say(director, &format!(r"text storage address=127.0.0.1 port=42003 ssl=0 Authorization={RESTORE_KEY}\n"));
    assert_eq!(world.heard(director), [r"text 2000 OK storage\n"]);
    world.say(director, r"text restore replace=a prelinks=0 where=/srv/bareos-run/restored\n");
    assert_eq!(world.heard(director), [r"text 2000 OK restore\n", r"text 2000 OK storage end\n"]);
    world.say(director, "text endrestore");
    let end = r"text 2800 End Job TermCode=84 JobFiles=12 ReadBytes=2086 JobBytes=2086 Errors=0 VSS=0 Encrypt=0\n";
    assert_eq!(world.heard(director), [end, "signal -4", "fin"]);
    let seen = seen.lock().unwrap();
    assert_eq!((seen.orders.len(), seen.closed), (1, 1), "one restore, so that folders know files of both");
    drop(seen);
    world.assert_done();
}

#[test]
fn a_stop_fails_the_jobs_and_ends_the_daemon() {
    let (hands, seen) = stuck_hands();
    let mut world = file_daemon(Protection::Clear, STARTED, hands);
    world.await_dial(STORAGE_PORT, storage_until("1 1 0"));
    let job = director(&mut world, "");
    world.heard(job);
    world.event(towline_core::event::Event::StopRequested);
    world.run();
    assert_eq!(world.heard(job), [FAILED, "signal -4", "fin"]);
    assert_eq!(seen.lock().unwrap().closed, 1);
    assert_eq!(world.exit, Some(towline_core::notice::ExitReason::Done));
}

#[test]
fn a_client_that_is_terminated_lets_its_job_end_and_takes_no_other() {
    let (hands, seen) = stuck_hands();
    let mut world = file_daemon(Protection::Clear, STARTED, hands);
    world.await_dial(STORAGE_PORT, storage_until("1 1 0"));
    let job = director(&mut world, "");
    world.heard(job);
    let idle = director(&mut world, "JobId=");
    world.event(towline_core::event::Event::TerminateRequested);
    world.run();
    assert_eq!(world.heard(job), [""; 0], "it goes on");
    assert_eq!(world.exit, None);
    world.say(idle, r"text JobId=7 Job=other SDid=1 SDtime=1 Authorization=dummy\n");
    let refused = world.heard(idle);
    assert!(refused.concat().contains("the file daemon is being stopped"), "{refused:?}");
    // The director cancels it: with the last job the daemon ends, whoever else is connected.
    let canceller = director(&mut world, "JobId=");
    world.say(canceller, &format!(r"text cancel Job={JOB}\n"));
    world.run();
    assert_eq!(seen.lock().unwrap().closed, 1);
    assert_eq!(world.exit, Some(towline_core::notice::ExitReason::Done));
}

#[test]
fn a_director_with_a_wrong_password_is_not_let_in() {
    let (mut world, _) = world();
    let script = Script::new(DIRECTOR, Side::Acceptor, password("wrong")).up_to("auth cram-md5");
    let script =
        script.differs("the password is wrong", &[r"text 1000 OK auth\n"], &[r"text 1999 Authorization failed.\n"]);
    let peer = world.come_in(script);
    let heard = world.heard(peer);
    assert_eq!(heard[1..], [r"text 1999 Authorization failed.\n", "fin"], "{heard:?}");
}

#[test]
fn a_director_hears_heartbeats_while_files_are_read_and_none_before() {
    let (hands, _) = stuck_hands();
    let mut world = file_daemon(Protection::Clear, STARTED, hands);
    let idle = director(&mut world, "JobId=");
    world.await_dial(STORAGE_PORT, storage_until("1 1 0"));
    let job = director(&mut world, "");
    world.heard(job);
    world.wait(Duration::from_secs(185));
    assert_eq!(world.heard(job), ["signal -6"; 3]);
    assert_eq!(world.heard(idle), [""; 0]);
    world.cut(job);
    world.wait(Duration::from_secs(185));
    assert!(world.node.poll_timeout().is_none(), "no heartbeat for a job that has ended");
}

fn director_script() -> Script {
    Script::new(DIRECTOR, Side::Acceptor, password("fd-secret"))
}

fn storage_script() -> Script {
    Script::new(STORAGE, Side::Dialler, Secret::from(KEY))
}

#[test]
fn a_director_cut_off_anywhere_leaves_nothing_behind() {
    for after in 0..director_script().count() {
        let (mut world, seen) = world();
        world.await_dial(STORAGE_PORT, storage_script().cut_after(usize::MAX));
        let director = world.come_in(director_script().cut_after(after));
        world.cut(director);
        world.assert_empty();
        let seen = seen.lock().unwrap();
        assert_eq!(seen.filesets.len(), seen.closed, "cut after {after} lines");
    }
}

#[test]
fn a_storage_daemon_cut_off_anywhere_fails_the_job_and_leaves_nothing_behind() {
    let lines = storage_script().count();
    for after in 0..lines {
        let (mut world, seen) = world();
        world.await_dial(STORAGE_PORT, storage_script().cut_after(after));
        let director = world.come_in(director_script().cut_after(usize::MAX));
        if world.peers.len() > 1 {
            world.cut(1);
        }
        world.wait(Duration::from_secs(120));
        let heard = world.heard(director);
        let end = heard.iter().find(|line| line.starts_with("text 2800 ")).unwrap_or_else(|| panic!("{heard:#?}"));
        let is_good = end.contains("TermCode=84 JobFiles=6");
        assert!(is_good == (after + 1 >= lines - 4) || end.contains("TermCode=102"), "after {after} of {lines}: {end}");
        world.assert_empty();
        let seen = seen.lock().unwrap();
        assert_eq!(seen.filesets.len(), seen.closed, "cut after {after} lines");
    }
}

#[test]
fn one_job_more_than_the_client_takes_is_refused_with_the_reason() {
    let (hands, _) = stuck_hands();
    let mut world = crate::support::roles::file_daemon_with(Protection::Clear, STARTED, hands, |config| {
        config["file"]["maximum_concurrent_jobs"] = serde_json::json!(1);
    });
    let first = director(&mut world, "level");
    let second = director(&mut world, "JobId=");
    world.say(second, r"text JobId=2 Job=b.2026-11-23_13.01.31_04 SDid=1 SDtime=1 Authorization=x\n");
    let heard = world.heard(second);
    assert!(heard[0].contains("1 job is under way, the most this client takes"), "{heard:?}");
    assert_eq!(heard[1..], ["signal -4", "fin"]);
    world.say(first, r"text level = full  mtime_only=0 \n");
    assert_eq!(world.heard(first), [r"text 2000 OK level\n"], "the first goes on");
}

#[test]
fn a_cancel_from_another_session_is_answered_as_recorded_and_ends_the_job() {
    let (hands, _) = stuck_hands();
    let mut world = file_daemon(Protection::Clear, STARTED, hands);
    world.await_dial(STORAGE_PORT, storage_until("1 1 0"));
    let director = director(&mut world, "");
    let conv = recording!("11-cancel/08-DIR-to-FD").replace("bench-big.2026-11-23_13.07.50_03", JOB);
    world.come_in(Script::new(&conv, Side::Acceptor, password("fd-secret")));
    assert_eq!(world.heard(director), [CANCELED, "signal -4", "fin"]);
}

#[test]
fn answers_that_are_long_on_their_way_make_no_file_count_as_unchanged() {
    let (mut world, seen) = world();
    let director = director(&mut world, "level");
    let since = STARTED.seconds() - 100;
    world.say(director, r"text level = incremental  mtime_only=0 \n");
    world.say(director, &format!(r"text level = since_utime {since} mtime_only=0 prev_job=before\n"));
    for _ in 0..10 {
        assert_eq!(world.heard(director), ["signal -9"]);
        // It looks at its clock at once, and its answer, or whoever asks, sleeps for a quarter of an hour.
        let theirs = STARTED.after(world.now.since(Instant::ZERO)).0;
        world.wait(Duration::from_secs(900));
        world.say(director, &format!(r"text btime {theirs}\n"));
    }
    world.await_dial(STORAGE_PORT, storage(""));
    world.say(director, r"text storage address=127.0.0.1 port=42003 ssl=0\n");
    world.say(director, r"text backup FileIndex=1\n");
    let found = seen.lock().unwrap().changes[0].since.expect("a time");
    assert!((since - 1..=since).contains(&found), "{} s later", found - since);
}
