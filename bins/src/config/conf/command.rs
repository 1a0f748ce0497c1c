//! What a command prints, within a limit of time and of bytes.

use std::io::Read as _;
use std::os::unix::process::CommandExt as _;
use std::process::{Command, Stdio};
use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::thread;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};

/// How long a command may take.
pub(super) const WITHIN: Duration = Duration::from_secs(30);
/// What became of one that takes longer.
pub(super) const TOO_LONG: &str = "did not end within 30 s";

/// What a command writes to its standard output. It is run without a shell, in a process group of its own that ends when
/// the time or the bytes are used up.
///
/// # Errors
/// What became of the command instead, to go on with its name: `ended with exit status: 1`.
pub(super) fn output(line: &str, most: u64, within: Duration) -> Result<Vec<u8>, String> {
    let words = words(line);
    let (program, arguments) = words.split_first().ok_or("is empty")?;
    let mut child = Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .process_group(0)
        .spawn()
        .map_err(|error| format!("cannot be started: {error}"))?;
    let group = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
    let end = move || {
        if let Some(group) = group {
            // It may have ended by now.
            let _gone = kill_process_group(group, Signal::KILL);
        }
    };
    let (done, ended) = sync_channel(1);
    let body = move || {
        let mut bytes = Vec::new();
        let pipe = child.stdout.take();
        let read = pipe.map_or(Ok(0), |pipe| pipe.take(most + 1).read_to_end(&mut bytes));
        if bytes.len() as u64 > most {
            end();
        }
        let _nobody_waits = done.send((read.map(|_| bytes), child.wait()));
    };
    thread::Builder::new()
        .name("include".to_owned())
        .spawn(body)
        .map_err(|error| format!("cannot be read: {error}"))?;
    let (bytes, status) = match ended.recv_timeout(within) {
        Ok(outcome) => outcome,
        Err(RecvTimeoutError::Timeout) => {
            end();
            return Err(TOO_LONG.to_owned());
        }
        Err(RecvTimeoutError::Disconnected) => return Err("cannot be read".to_owned()),
    };
    let bytes = bytes.map_err(|error| format!("cannot be read: {error}"))?;
    if bytes.len() as u64 > most {
        return Err(format!("printed more than {} MiB", most >> 20));
    }
    let status = status.map_err(|error| format!("cannot be waited for: {error}"))?;
    if status.success() { Ok(bytes) } else { Err(format!("ended with {status}")) }
}

/// The words of a command: separated by spaces, with `'…'` and `"…"` around what belongs together.
fn words(line: &str) -> Vec<String> {
    let (mut words, mut word, mut quote) = (Vec::new(), None::<String>, None);
    let mut chars = line.chars();
    while let Some(c) = chars.next() {
        match (c, quote) {
            (c, Some(open)) if c == open => quote = None,
            ('\'' | '"', None) => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            ('\\', None | Some('"')) => word.get_or_insert_default().extend(chars.next()),
            (c, None) if c.is_whitespace() => words.extend(word.take()),
            (c, _) => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONG: Duration = Duration::from_secs(60);

    #[test]
    fn words_belong_together_in_quotes() {
        assert_eq!(words("sh -c 'echo \"a b\"' \"c d\" e\\ f ''"), ["sh", "-c", "echo \"a b\"", "c d", "e f", ""]);
    }

    #[test]
    fn what_a_command_prints_is_taken() {
        assert_eq!(output("printf 'Name = %s' x", 100, LONG), Ok(b"Name = x".to_vec()));
        assert_eq!(output("printf 1234", 4, LONG), Ok(b"1234".to_vec()));
    }

    #[test]
    fn a_command_that_fails_prints_too_much_or_never_ends_is_refused_and_ended() {
        let wrong = |line: &str, most, within| output(line, most, within).unwrap_err();
        assert!(wrong("false", 100, LONG).contains("exit status: 1"));
        assert!(wrong("/no/such/program", 100, LONG).starts_with("cannot be started"));
        assert_eq!(wrong("", 100, LONG), "is empty");
        assert_eq!(wrong("yes", 1 << 20, LONG), "printed more than 1 MiB");
        assert_eq!(wrong("printf 12345", 4, LONG), "printed more than 0 MiB");
        // A command that closes its output and goes on is waited for no longer.
        assert_eq!(wrong("sh -c 'exec >&-; exec sleep 600'", 4, Duration::from_millis(200)), TOO_LONG);
    }
}
