//! The system's log and standard error.

use std::io::{ErrorKind, Write as _};
use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::time::Duration;

use towline_core::printable;
use towline_core::work::delivery::Undelivered;

/// Where the system's log takes messages.
const LOG: &str = "/dev/log";

/// Bytes of the longest message that every log takes (RFC 5424 §6.1).
const LONGEST: usize = 2_000;

/// Hands lines to the system's log, each with its severity, in the form that it reads from programs of its own machine
/// (RFC 3164 §4.1.1, without the host). The times are the log's own.
pub(super) fn log(facility: u8, program: &str, lines: &[(u8, String)], limit: Duration) -> Result<(), Undelivered> {
    log_to(Path::new(LOG), facility, program, lines, limit)
}

fn log_to(
    path: &Path,
    facility: u8,
    program: &str,
    lines: &[(u8, String)],
    limit: Duration,
) -> Result<(), Undelivered> {
    let failed = |error: &std::io::Error| Undelivered::Unwritten(format!("{}: {error}", path.display()));
    let socket = UnixDatagram::unbound().map_err(|error| failed(&error))?;
    socket.set_write_timeout(Some(limit)).and_then(|()| socket.connect(path)).map_err(|error| failed(&error))?;
    // What a program is called ends at a blank or a colon.
    let tag: String =
        program.chars().map(|c| if c.is_ascii_alphanumeric() || "-_.".contains(c) { c } else { '_' }).collect();
    for (severity, line) in lines {
        let text = printable::line(line);
        let text = printable::shortened(&text, LONGEST);
        let number = u16::from(facility) * 8 + u16::from(*severity);
        socket.send(format!("<{number}>{tag}[{}]: {text}", std::process::id()).as_bytes()).map_err(
            |error| match error.kind() {
                ErrorKind::WouldBlock | ErrorKind::TimedOut => Undelivered::TooSlow(limit.as_secs()),
                _ => failed(&error),
            },
        )?;
    }
    Ok(())
}

/// Writes text to standard error.
pub(super) fn errors(text: &str) -> Result<(), Undelivered> {
    let mut out = std::io::stderr().lock();
    let written = out.write_all(text.as_bytes()).and_then(|()| out.flush());
    written.map_err(|error| Undelivered::Unwritten(format!("standard error: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_line_is_a_message_with_its_priority_and_none_has_two() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        let socket = UnixDatagram::bind(&path).unwrap();
        let lines = [(6, "all is well".to_owned()), (2, "two\nlines".to_owned())];
        log_to(&path, 3, "my dir", &lines, Duration::from_secs(5)).unwrap();
        let mut buffer = [0; 512];
        let id = std::process::id();
        for expected in [format!("<30>my_dir[{id}]: all is well"), format!("<26>my_dir[{id}]: two\\x0alines")] {
            let length = socket.recv(&mut buffer).unwrap();
            assert_eq!(String::from_utf8_lossy(&buffer[..length]), expected);
        }
    }

    #[test]
    fn a_log_that_is_not_there_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let none = log_to(&folder.path().join("none"), 3, "dir", &[(6, "x".to_owned())], Duration::from_secs(5));
        assert!(matches!(none, Err(Undelivered::Unwritten(_))), "{none:?}");
    }
}
