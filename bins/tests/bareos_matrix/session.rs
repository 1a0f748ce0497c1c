//! The session that `console_session.rs` replays, with Bareos' own console: it says what is recorded, and hears it.
//! `BAREOS_RECORD` names a file that the session is written to instead.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;

use towline_core::wire::frame::{Frame, Frames, MAX_ACCEPT};

use crate::console_session::{Heard, Lines, Turn, Words, network, recorded, render};
use crate::rig::Rig;
use crate::support::daemon::Lines as Printed;
use crate::support::wait_for;

/// Frames of a login, of each side, before the console says what it is told.
const LOGIN: [usize; 2] = [4, 5];

#[test]
fn their_console_says_and_hears_what_is_recorded() {
    let Some(rig) = Rig::of_environment() else { return };
    let network = network();
    let words = Words::of(network.folder.path());
    let heard = Arc::new(Mutex::new(Vec::new()));
    let port = relay(network.director.address.port(), &heard);
    let config = network.place("bconsole.conf");
    let text = format!(
        "Director {{\n  Name = d\n  Address = 127.0.0.1\n  DIR Port = {port}\n  Password = console\n  TLS Enable = no\n}}\n"
    );
    std::fs::write(&config, text).unwrap();
    let mut command = Command::new(rig.program_named("bconsole"));
    let mut console = command.arg("-c").arg(&config).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let printed = Printed::collect(console.stdout.take().unwrap());
    let mut stdin = console.stdin.take().unwrap();

    let record = std::env::var_os("BAREOS_RECORD");
    let wanted = recorded();
    let mut turns = Vec::new();
    for turn in &wanted {
        if let Some(after) = turn.after {
            after.wait(&network);
        }
        writeln!(stdin, "{}", words.fill(&turn.said)).unwrap();
        let (said, heard_then) = wait_for("the answer to a line", || {
            let all: Vec<(String, Vec<Heard>)> = heard.lock().unwrap().clone();
            let is_over = all.len() > turns.len() && all[turns.len()].1.last().is_some_and(Heard::is_prompt);
            is_over.then(|| all[turns.len()].clone())
        });
        turns.push(Turn {
            said: said.replace(network.folder.path().to_str().unwrap(), "@at@"),
            after: turn.after,
            heard: words.clean(&heard_then),
        });
        if let Some(file) = &record {
            std::fs::write(file, render(&turns)).unwrap();
        }
    }
    drop(stdin);
    console.wait().unwrap();
    if record.is_some() {
        return;
    }
    assert_eq!(render(&turns), render(&wanted), "{}", printed.from(0).join("\n"));
}

/// What the console said, and what it heard then.
type Log = Arc<Mutex<Vec<(String, Vec<Heard>)>>>;

/// Stands between the console and the director, and writes down what goes through.
fn relay(director: u16, log: &Log) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let log = Arc::clone(log);
    thread::spawn(move || {
        let (console, _) = listener.accept().unwrap();
        let director = TcpStream::connect(("127.0.0.1", director)).unwrap();
        let (said, lines) = (Arc::clone(&log), Mutex::new(Lines::default()));
        let (from, to) = (console.try_clone().unwrap(), director.try_clone().unwrap());
        thread::spawn(move || {
            pass(from, to, LOGIN[0], |frame| {
                if let Frame::Data(line) = frame {
                    let line = String::from_utf8_lossy(line).trim_end_matches('\0').to_owned();
                    said.lock().unwrap().push((line, Vec::new()));
                }
            });
        });
        pass(director, console, LOGIN[1], |frame| {
            let mut lines = lines.lock().unwrap();
            let more = match frame {
                Frame::Data(text) => lines.text(text),
                Frame::Signal(signal) => lines.signal(signal),
            };
            if let Some((_, heard)) = log.lock().unwrap().last_mut() {
                heard.extend(more);
            }
        });
        if let Some((_, heard)) = log.lock().unwrap().last_mut() {
            heard.push(Heard::End);
        }
    });
    port
}

/// Passes bytes on until one side ends; what the frames after the first are is told before they are passed on.
fn pass(mut from: TcpStream, mut to: TcpStream, first: usize, mut tell: impl FnMut(Frame<'_>)) {
    let (mut frames, mut space, mut count) = (Frames::new(MAX_ACCEPT), vec![0; 64 * 1024], 0);
    while let Ok(length @ 1..) = from.read(&mut space) {
        let mut input = &space[..length];
        while let Ok(Some(frame)) = frames.next(&mut input) {
            count += 1;
            if count > first {
                tell(frame);
            }
        }
        if to.write_all(&space[..length]).is_err() {
            break;
        }
    }
    let _closed = to.shutdown(std::net::Shutdown::Write);
}
