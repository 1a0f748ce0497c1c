//! The director in the recorded conversations.

use std::time::Duration;

use crate::recording;
use crate::support::conv::Side;
use crate::support::password;
use crate::support::peer::Script;
use crate::support::world::PeerId;

use super::desk::{Desk, FILE_PORT, STORAGE_PORT, backup_file, backup_storage};

/// A console of a recording, greeted in our words.
pub fn console(conv: &str) -> Script {
    Script::new(conv, Side::Acceptor, password("dir-secret"))
        .differs("the version is ours", &["text 1000\\x1eOK: bareos-dir Version: "], &[GREETING])
        .differs(
            "no words about support",
            &["text 1002\\x1e"],
            &["text 1002\\x1eYou are connected using the default console"],
        )
}

const GREETING: &str = "text 1000\\x1eOK: bareos-dir Version: 26.0.0 (23Nov26)";

/// A desk on which the recorded backup has been made.
fn backed_up() -> Desk {
    let mut desk = Desk::open();
    make_backup(&mut desk);
    desk
}

fn make_backup(desk: &mut Desk) {
    desk.world.await_dial(STORAGE_PORT, backup_storage());
    desk.world.await_dial(FILE_PORT, backup_file());
    let console = console(recording!("01-backup-full/00-CON-to-DIR"));
    desk.world.come_in(console);
}

/// The recorded restore. Returns the console.
fn make_restore(desk: &mut Desk) -> PeerId {
    let storage = Script::new(recording!("02-restore/01-DIR-to-SD"), Side::Dialler, password("sd-secret"));
    let file = Script::new(recording!("02-restore/02-DIR-to-FD"), Side::Dialler, password("fd-secret"));
    desk.world.await_dial(STORAGE_PORT, storage);
    desk.world.await_dial(FILE_PORT, file);
    desk.world.come_in(console(recording!("02-restore/00-CON-to-DIR")).own_words_after("restore "))
}

#[test]
fn a_backup_is_directed_as_recorded() {
    let desk = backed_up();
    desk.world.assert_done();
    let shelf = desk.shelf();
    let job = shelf.catalog.job_row(1).unwrap();
    assert_eq!(
        (job.job_status, job.level, job.job_files, job.job_bytes, job.read_bytes),
        (b'T', b'F', 6, 1_043, 1_043)
    );
    assert_eq!((job.vol_session_id, job.vol_session_time, job.job_errors), (1, 1_795_438_888, 0));
    let names: Vec<_> = shelf.catalog.file_rows(1).map(|row| String::from_utf8_lossy(&row.name).into_owned()).collect();
    let expected = ["hardlink-to-hello", "hello.txt", "sub/data.bin", "sub/", "link-to-hello", ""];
    assert_eq!(names, expected.map(|name| format!("/srv/bareos-run/data/tiny/{name}")));
    let digests: Vec<_> = shelf.catalog.file_rows(1).filter(|row| row.md5 != b"0").map(|row| row.file_index).collect();
    assert_eq!(digests, [1, 2, 3]);
    let volume = shelf.catalog.volume("Full-0001").unwrap();
    assert_eq!((volume.vol_bytes, volume.vol_blocks, volume.end_block, volume.vol_jobs), (2_458, 2, 2_457, 1));
}

#[test]
fn a_restore_is_directed_as_recorded() {
    let mut desk = backed_up();
    let console = make_restore(&mut desk);
    desk.world.assert_done();
    let words = desk.world.heard(console);
    let words: Vec<_> = words.iter().map(String::as_str).collect();
    for line in ["text Using Catalog \"MyCatalog\"\\n", "text Job queued. JobId=2\\n", "text You have messages.\\n"] {
        assert_eq!(words.iter().filter(|word| **word == line).count(), 1, "{line} in {words:#?}");
    }
    let plan =
        "Full-0001\\nStorage File1 is at 127.0.0.1, its device is FileStorage1.\\n6 files selected to be restored.\\n";
    assert!(words.iter().any(|word| word.contains(plan)), "{words:#?}");
    let shelf = desk.shelf();
    let job = shelf.catalog.job_row(2).unwrap();
    assert_eq!((job.job_status, job.job_type, job.level, job.job_files), (b'T', b'R', b'F', 6), "{}", desk.report(2));
    assert_eq!((job.pool_id, job.file_set_id), (0, 0));
}

#[test]
fn a_restore_over_damage_is_an_error_that_names_what_is_gone() {
    let mut desk = backed_up();
    let jmsg = r"text Jmsg Job=restore.2026-11-23_13.02.08_05 type=6 level=1795438932 bareos-sd JobId 2: End of all volumes.\n";
    let damage = r"text Jmsg Job=restore.2026-11-23_13.02.08_05 type=4 level=1795438932 bareos-sd JobId 2: Error: damage on the volumes, session 1/1795438888, gone: 2-3 (T0552)\n";
    let end = r"text 3099 Job restore.2026-11-23_13.02.08_05 end JobStatus=84 JobFiles=0 JobBytes=0 JobErrors=";
    let why = "the storage daemon has passed over damage";
    let storage = Script::new(recording!("02-restore/01-DIR-to-SD"), Side::Dialler, password("sd-secret"))
        .peer_differs(why, jmsg, &[damage])
        .peer_differs(why, &format!(r"{end}0\n"), &[&format!(r"{end}1\n")]);
    let file_end = |files: u32| {
        format!(
            r"text 2800 End Job TermCode=84 JobFiles={files} ReadBytes=1043 JobBytes=1043 Errors=0 VSS=0 Encrypt=0\n"
        )
    };
    let file = Script::new(recording!("02-restore/02-DIR-to-FD"), Side::Dialler, password("fd-secret")).peer_differs(
        why,
        &file_end(6),
        &[&file_end(4)],
    );
    desk.world.await_dial(STORAGE_PORT, storage);
    desk.world.await_dial(FILE_PORT, file);
    desk.world.come_in(console(recording!("02-restore/00-CON-to-DIR")).own_words_after("restore "));
    desk.world.assert_done();
    let report = desk.report(2);
    assert_eq!(desk.shelf().catalog.job_row(2).unwrap().job_status, b'E', "{report}");
    let gone: Vec<&str> = report.lines().filter_map(|line| line.split_once("Gone: ").map(|(_, name)| name)).collect();
    let expected = ["hello.txt", "sub/data.bin"]
        .map(|name| format!("/srv/bareos-run/data/tiny/{name}: it lay in a damaged part of its volume"));
    assert_eq!(gone, expected, "{report}");
}

/// The whole of what a console was told, as text.
fn told(desk: &mut Desk, console: PeerId) -> String {
    desk.world.heard(console).join("\n")
}

#[test]
fn statuses_and_lists_are_shown_in_the_recorded_frames() {
    let mut desk = backed_up();
    make_restore(&mut desk);
    let file = Script::new(recording!("03-console/01-DIR-to-FD"), Side::Dialler, password("fd-secret"));
    let storage = Script::new(recording!("03-console/02-DIR-to-SD"), Side::Dialler, password("sd-secret"));
    desk.world.await_dial(FILE_PORT, file);
    desk.world.await_dial(STORAGE_PORT, storage);
    let mut script = console(recording!("03-console/00-CON-to-DIR"));
    for command in ["status dir", "list jobs", "status client=", "status storage="] {
        script = script.own_words_after(command);
    }
    let console = desk.world.come_in(script);
    desk.world.assert_done();
    let told = told(&mut desk, console);
    for line in [
        "bareos-dir Version: 26.0.0 (23Nov26) Debian GNU/Linux 12 (bookworm)\\n",
        "Jobs: run=2, running=0 ",
        "\\nNo Jobs running.\\n",
        "     1  Full          6    1.043 K  OK       23-Nov-26 13:01 backup-tiny\\n",
        "     2                6    1.043 K  OK       23-Nov-26 13:01 restore\\n",
        "|     1 | backup-tiny | bareos-fd | 2026-11-23 13:01:31 | 00:00:00 | B    | F     |        6 |    1,043 | T         |\\n",
        "|     2 | restore     | bareos-fd | 2026-11-23 13:01:31 | 00:00:00 | R    | F     |        6 |    1,043 | T         |\\n",
        "text  Sizeof: boffset_t=8 size_t=8 debug=0 trace=0 bwlimit=0kB/s\\n\n",
        "text Used Volume status:\\n\n",
    ] {
        assert!(told.contains(line), "{line} in\n{told}");
    }
}

/// `list jobs` in JSON.
const JOBS: &str = r#"text {\n  "jsonrpc": "2.0",\n  "id": null,\n  "result": {\n    "jobs": [\n      {\n        "jobid": "1",\n        "name": "backup-tiny",\n        "client": "bareos-fd",\n        "starttime": "2026-11-23 13:01:31",\n        "duration": "00:00:00",\n        "type": "B",\n        "level": "F",\n        "jobfiles": "6",\n        "jobbytes": "1043",\n        "jobstatus": "T"\n      },\n      {\n        "jobid": "2",\n        "name": "restore",\n        "client": "bareos-fd",\n        "starttime": "2026-11-23 13:01:31",\n        "duration": "00:00:00",\n        "type": "R",\n        "level": "F",\n        "jobfiles": "6",\n        "jobbytes": "1043",\n        "jobstatus": "T"\n      }\n    ]\n  }\n}"#;

#[test]
fn a_named_console_is_served_as_recorded_in_text_and_in_json() {
    let mut desk = backed_up();
    make_restore(&mut desk);
    let mut script =
        Script::new(recording!("03b-console-named/00-CON-to-DIR"), Side::Acceptor, password("admin-secret"))
            .differs("the version is ours", &["text 1000\\x1eOK: bareos-dir Version: "], &[GREETING])
            .differs("no words about support", &["text 1002\\x1e"], &["text 1002\\x1eYou are logged in as: admin"]);
    for command in ["version", "list jobs", "llist jobid=1"] {
        script = script.own_words_after(command);
    }
    // The first jobs of the list; the whole document is that of the recording but for when they ran.
    let begins = r#"text {\n  "jsonrpc": "2.0",\n  "id": null,\n  "result": {\n    "jobs": ["#;
    let script = script.differs("the jobs ran at other times", &[begins], &[JOBS]);
    let console = desk.world.come_in(script.up_to("list files"));
    let told = told(&mut desk, console);
    desk.world.say(console, "text quit");
    let last = r#"text {\n  "jsonrpc": "2.0",\n  "id": null,\n  "result": {}\n}"#;
    assert_eq!(desk.world.heard(console), ["signal -16", "signal -15", last, "fin"], "as recorded");
    assert!(told.contains("|     2 | restore     |"), "{told}");
    assert!(told.contains(r#""jobfiles": "6",\n        "jobbytes": "1043",\n        "jobstatus": "T"\n"#), "{told}");
}

/// A console that does not get in, played with this name; returns the log.
fn refused(name: &str) -> String {
    let mut desk = Desk::open();
    let conv = recording!("12-auth-failures/00-CON-to-DIR").replace("Hello *UserAgent*", &format!("Hello {name}"));
    let script = Script::new(&conv, Side::Acceptor, password("wrong")).omits(
        "real daemons say it twice, five seconds apart; once is enough to be understood",
        "text 1999 Authorization failed.\\n",
    );
    desk.world.come_in(script);
    desk.world.wait(Duration::from_secs(10));
    desk.world.assert_done();
    desk.log()
}

#[test]
fn a_wrong_password_is_refused_as_recorded() {
    let log = refused("*UserAgent*");
    assert!(log.contains("wrong password for R_CONSOLE::*UserAgent*"), "{log}");
}

/// A real director hangs up on a name it does not know, before any challenge (`wire/1 §3.2`), and so tells which names
/// there are.
#[test]
fn an_unknown_console_hears_what_one_with_a_wrong_password_hears() {
    let log = refused("nobody");
    assert!(log.contains("unknown name R_CONSOLE::nobody"), "{log}");
}

#[cfg(feature = "psk")]
mod protected {
    use towline_core::catalog::memory::MemoryCatalog;
    use towline_core::wire::names::{DEFAULT_CONSOLE, PeerKind, PeerName};

    use super::*;
    use crate::director::desk::config;
    use crate::support::peer::Engine;
    use crate::support::roles::Protection;

    fn me() -> Engine {
        Engine::Psk(PeerName::new(PeerKind::Director, "bareos-dir"))
    }

    fn default_console() -> Engine {
        Engine::Psk(PeerName::new(PeerKind::Console, DEFAULT_CONSOLE))
    }

    #[test]
    fn a_backup_over_tls_is_directed_as_recorded() {
        let mut config = config();
        config["director"]["tls"] = serde_json::json!({ "enable": true, "require": true });
        let mut desk = Desk::begin(config, MemoryCatalog::default(), Protection::Psk, |_| false);
        let storage = Script::new(recording!("20-tls-backup/01-DIR-to-SD"), Side::Dialler, password("sd-secret"));
        let file = Script::new(recording!("20-tls-backup/02-DIR-to-FD"), Side::Dialler, password("fd-secret"));
        desk.world.await_dial(STORAGE_PORT, storage.protected(me()));
        desk.world.await_dial(FILE_PORT, crate::director::desk::our_letters(file).protected(me()));
        let console = console(recording!("20-tls-backup/00-CON-to-DIR"));
        let console = console.protected(default_console());
        // The recording has lost the console's `wait` and all after it.
        let console = desk.world.come_in(console.until_we_say("You have messages."));
        assert_eq!(desk.status(1), 'T', "{}", desk.report(1));
        assert!(desk.report(1).contains("encryption: TLS"), "{}", desk.report(1));
        desk.world.say(console, "text quit");
        desk.world.assert_done();
    }

    #[test]
    fn a_console_may_use_tls_where_clear_text_is_allowed_too() {
        // Connection 02 of the recorded failures: a console with TLS at a director without.
        let mut desk = Desk::begin(config(), MemoryCatalog::default(), Protection::Psk, |_| false);
        let console = crate::director::desk::console(DEFAULT_CONSOLE, "dir-secret").protected(default_console());
        let ours = "text auth cram-md5 <1.2@R_DIRECTOR::bareos-dir> ssl=2\\n";
        let theirs = "text auth cram-md5 <1.2@R_CONSOLE::*UserAgent*> ssl=2\\n";
        let console = console
            .differs("the number says how this connection is protected", &["text auth cram-md5 "], &[ours])
            .peer_differs("and so does theirs", "text auth cram-md5 ", &[theirs]);
        let console = desk.world.come_in(console);
        assert!(told(&mut desk, console).contains("1002\\x1eYou are connected using the default console"));
        assert_eq!(desk.ask(console, ""), ["signal -1"]);
    }
}
