//! Lines the operator types, read one by one as the console takes them.

use std::io::{self, BufRead, IsTerminal as _};
use std::sync::mpsc::Receiver;
use std::thread;

use towline_core::drive::Injector;
use towline_core::event::Event;

use super::say;

/// Bytes of the longest line that is read; what is after them belongs to the next one.
const MAX_LINE: u64 = 64 * 1024;

/// Reads standard input on a thread: one line for each permit, then the end.
///
/// # Errors
/// The system has no thread left.
pub fn read_lines(permits: Receiver<()>, injector: Injector) -> io::Result<()> {
    let body = move || {
        let prompt = io::stdin().is_terminal();
        pass_on(&mut io::stdin().lock(), &permits, &injector, || {
            if prompt {
                say("*");
            }
        });
    };
    thread::Builder::new().name("input".to_owned()).spawn(body).map(drop)
}

/// Stops the node when standard input ends: whoever started this program has gone.
///
/// # Errors
/// The system has no thread left.
pub fn stop_at_the_end(injector: Injector) -> io::Result<()> {
    let body = move || {
        let _unread = io::copy(&mut io::stdin().lock(), &mut io::sink());
        injector.post(Event::StopRequested);
    };
    thread::Builder::new().name("input".to_owned()).spawn(body).map(drop)
}

fn pass_on(input: &mut dyn BufRead, permits: &Receiver<()>, injector: &Injector, prompt: impl Fn()) {
    while permits.recv().is_ok() {
        prompt();
        let line = read_line(input);
        let last = line.is_none();
        if !injector.post(Event::Typed(line)) || last {
            return;
        }
    }
}

/// The next line without its end; none at the end of the input, or when it cannot be read.
fn read_line(input: &mut dyn BufRead) -> Option<String> {
    let mut line = Vec::new();
    let read = io::Read::take(input, MAX_LINE).read_until(b'\n', &mut line).ok()?;
    let text = String::from_utf8_lossy(&line);
    (read > 0).then(|| text.trim_end_matches(['\n', '\r']).to_owned())
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{channel, sync_channel};
    use std::sync::{Arc, Mutex};

    use super::*;

    #[test]
    fn each_line_needs_a_permit_and_the_end_is_told_once() {
        let (permit, permits) = sync_channel(8);
        let (to, typed) = channel();
        let to = Mutex::new(to);
        let injector = Injector(Arc::new(move |event| {
            let Event::Typed(line) = event else { panic!() };
            to.lock().unwrap().send(line).is_ok()
        }));
        let reader = thread::spawn(move || {
            pass_on(&mut &b"run job=a yes\r\n\nlast"[..], &permits, &injector, || {});
        });
        let mut lines = Vec::new();
        for _ in 0..4 {
            permit.send(()).unwrap();
            lines.push(typed.recv().unwrap());
            assert!(typed.try_recv().is_err(), "a line without a permit");
        }
        reader.join().unwrap();
        let expected = ["run job=a yes", "", "last"].map(|line| Some(line.to_owned()));
        assert_eq!(lines[..3], expected);
        assert_eq!(lines[3], None);
    }
}
