//! A program in a terminal.

use std::io::Read as _;
use std::process::{ChildStdin, Command, Stdio};
use std::sync::mpsc::RecvTimeoutError;
use std::time::Instant;

use super::PATIENCE;
use super::network::Network;

/// Runs a line of a shell in a terminal of 30 lines and 120 columns, with the modes of the terminal noted before and
/// after, and returns what it wrote. `act` sees what the terminal shows after each piece, and types into it or does more.
pub fn in_terminal(network: &Network, line: &str, act: &mut dyn FnMut(&str, &mut ChildStdin)) -> (Option<i32>, String) {
    let [before, after] = ["before", "after"].map(|name| network.place(name));
    let text = format!(
        "trap : INT; stty rows 30 cols 120; stty -g >{before:?}; {line}; code=$?; stty -g >{after:?}; exit $code"
    );
    let mut child = Command::new("script")
        .args(["--quiet", "--return", "--flush", "--command", &text, "/dev/null"])
        .env("TERM", "xterm")
        .env("SHELL", "/bin/sh")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let (mut input, mut output) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
    let (said, bytes) = std::sync::mpsc::channel();
    let reader = std::thread::spawn(move || {
        let mut piece = [0; 4096];
        while let Some(n) = output.read(&mut piece).ok().filter(|n| *n > 0) {
            if said.send(piece[..n].to_vec()).is_err() {
                return;
            }
        }
    });
    let mut seen = Vec::new();
    // Only what changes is drawn, so that words come in pieces: a terminal puts them together.
    let mut terminal = vt100::Parser::new(30, 120, 0);
    let give_up = Instant::now() + PATIENCE;
    // The end of the output is the end of the program.
    loop {
        match bytes.recv_timeout(give_up.saturating_duration_since(Instant::now())) {
            Ok(piece) => {
                terminal.process(&piece);
                seen.extend(piece);
            }
            Err(RecvTimeoutError::Disconnected) => break,
            Err(RecvTimeoutError::Timeout) => {
                let _ended = child.kill();
                panic!("the program does not end; it shows:\n{}", terminal.screen().contents());
            }
        }
        act(&terminal.screen().contents(), &mut input);
    }
    let code = child.wait().unwrap().code();
    reader.join().unwrap();
    let [before, after] = [before, after].map(|file| std::fs::read_to_string(file).unwrap());
    assert!(!before.is_empty() && before == after, "the terminal is as it was: {before} {after}");
    (code, String::from_utf8_lossy(&seen).into_owned())
}
