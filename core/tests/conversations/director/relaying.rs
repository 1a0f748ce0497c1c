//! What daemons answer to consoles: however much it is and however slowly a console reads, nothing of it piles up.

use towline_core::limits::{PARCEL, UNDER_WAY};

use super::desk::{Desk, FILE_PORT, STORAGE_PORT, errand};
use crate::support::conv::Frame;
use crate::support::world::PeerId;

const FILES: usize = 100_000;
const END: &str = "2000 OK estimate files=100,000 bytes=0\n";

fn line(index: usize) -> String {
    format!(
        "-rw-r----- 1 root root 0 2026-11-23 13:01:31  /srv/a/folder/with/a/name/that/is/long/enough/for/this/file-{index}\n"
    )
}

/// A console that has asked for an estimate, and the file daemon that is about to list its files.
fn estimating(desk: &mut Desk, console: PeerId) -> PeerId {
    desk.world.await_dial(FILE_PORT, errand("file", "fd-secret"));
    desk.ask(console, "estimate job=backup-tiny listing");
    let fd = desk.world.peers.len() - 1;
    for answer in ["2000 OK Job 26.0.0 (21Aug26) Debian GNU/Linux,debian", "2000 OK level\\n", "2000 OK include\\n"] {
        desk.world.say(fd, &format!("text {answer}"));
    }
    assert_eq!(desk.world.heard(fd).last().map(String::as_str), Some("text estimate listing=1\\n"));
    fd
}

fn list_all(desk: &mut Desk, fd: PeerId) {
    let peer = &mut desk.world.peers[fd];
    (0..FILES).for_each(|index| peer.say(&Frame::text(&line(index))));
    peer.say(&Frame::text(END));
    peer.say(&Frame::Signal(-1));
    desk.world.run();
}

/// The texts a console hears, without the frames they come in.
fn texts(desk: &Desk, console: PeerId) -> String {
    let heard = &desk.world.peers[console].heard;
    heard.iter().map(|frame| String::from_utf8_lossy(frame.data()).into_owned()).collect()
}

#[test]
fn a_hundred_thousand_lines_reach_a_console_that_reads_slowly_and_nothing_piles_up() {
    let mut desk = Desk::open();
    let console = desk.console();
    let fd = estimating(&mut desk, console);
    let before = desk.world.peers[fd].out.len();
    desk.world.deaf.insert(console);
    list_all(&mut desk, fd);
    let total: usize = (0..FILES).map(|index| line(index).len() + 4).sum();
    let taken = before + total - desk.world.peers[fd].out.len();
    assert!(taken > PARCEL, "{taken} bytes: the test shows nothing");
    assert!(
        taken <= (UNDER_WAY as usize + 2) * PARCEL,
        "{taken} bytes of {total} were taken for a console that reads nothing"
    );
    desk.world.deaf.clear();
    desk.world.run();
    let told = texts(&desk, console);
    let wanted: String = (0..FILES).map(line).collect();
    assert!(told.contains(&(wanted + END)), "all lines, in order: {} bytes", told.len());
    assert_eq!(desk.world.heard(console).last().map(String::as_str), Some("signal -1"));
    assert!(desk.ask(console, "version").concat().contains("Version: 26.0.0"), "it goes on");
}

#[test]
fn a_document_holds_the_beginning_and_the_end_of_a_long_answer_and_how_much_is_left_out() {
    let mut desk = Desk::open();
    let console = desk.console();
    desk.ask(console, ".api json compact=yes");
    let fd = estimating(&mut desk, console);
    list_all(&mut desk, fd);
    let document = texts(&desk, console);
    let document = document.rsplit_once(r#"{"jsonrpc""#).expect("a document").1;
    assert!(document.len() < 2 * 1024 * 1024, "{}", document.len());
    assert!(document.contains("/file-0\\n") && document.contains(END.trim_end()), "{}", &document[..300]);
    let shown = document.matches("/file-").count();
    let note = format!("… {} more lines are left out (T0650)", FILES - shown);
    assert!(document.contains(&note), "{note}: {}", &document[document.len() - 300..]);
}

#[test]
fn a_console_that_leaves_takes_its_errand_with_it() {
    for farewell in ["signal -4", "fin"] {
        let mut desk = Desk::open();
        let console = desk.console();
        let fd = estimating(&mut desk, console);
        desk.world.deaf.insert(console);
        list_all(&mut desk, fd);
        assert!(!desk.world.peers[fd].ended);
        desk.world.deaf.clear();
        if farewell == "fin" {
            desk.world.cut(console);
        } else {
            desk.world.say(console, farewell);
        }
        assert!(desk.world.peers[fd].ended, "{farewell}");
        desk.world.assert_empty();
    }
}

#[test]
fn a_daemon_that_is_lost_in_the_middle_of_its_answer_is_a_failure_that_says_so() {
    let mut desk = Desk::open();
    let console = desk.towline_console();
    desk.world.await_dial(STORAGE_PORT, errand("storage", "sd-secret"));
    desk.ask(console, "status storage=File1");
    let sd = desk.world.peers.len() - 1;
    desk.world.say(sd, "text one line of many\\n");
    desk.world.cut(sd);
    let heard = desk.world.heard(console);
    let at = heard.iter().position(|line| line == "text one line of many\\n").unwrap_or_else(|| panic!("{heard:?}"));
    assert!(heard[at + 1].contains("Lost the storage daemon before the end of its answer: "), "{heard:?}");
    assert_eq!(heard[at + 2..], ["signal -14", "signal -1"], "{heard:?}");
}

#[test]
fn a_daemon_that_cannot_be_reached_is_a_failure() {
    let mut desk = Desk::open();
    let console = desk.towline_console();
    desk.ask(console, "status client=bareos-fd");
    desk.world.wait(std::time::Duration::from_secs(120));
    let mut heard = desk.world.heard(console);
    heard.retain(|line| line != "signal -6");
    assert!(heard[0].contains("connection refused"), "{heard:?}");
    assert_eq!(heard[1..], ["signal -14", "signal -1"], "{heard:?}");
}

#[test]
fn a_daemon_that_answers_an_order_with_lines_without_end_is_hung_up_on() {
    let mut desk = Desk::open();
    let (console, _, fd) = desk.backup();
    desk.world.await_dial(FILE_PORT, errand("file", "fd-secret"));
    desk.world.await_dial(STORAGE_PORT, errand("storage", "sd-secret"));
    desk.ask(console, "cancel jobid=1");
    for told in [fd + 1, fd + 2] {
        for _ in 0..=100 {
            assert!(!desk.world.peers[told].ended);
            desk.world.say(told, "text 2999 and so on\\n");
        }
        assert!(desk.world.peers[told].ended);
    }
    assert!(desk.log().contains("answers with more than 100 lines"), "{}", desk.log());
}
