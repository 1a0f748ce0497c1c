//! What somebody gets: answers of HTTP/1.1, each the last one of its connection.

use std::io::{self, Read as _, Write as _};
use std::net::{Shutdown, TcpStream};
use std::time::{Duration, Instant};

/// How long somebody may take to read an answer.
const PATIENCE: Duration = Duration::from_secs(30);
/// Bytes that are written before the time is looked at.
const PIECE: usize = 16 * 1024;
/// What is read of what nobody wants to know, before the connection is closed: else what was answered may be lost.
const LINGER: usize = 2 * 1024 * 1024;

/// The first line and what every answer has in its head.
pub(super) struct Head {
    status: &'static str,
    fields: String,
}

impl Head {
    pub(super) fn new(status: &'static str, content: &str) -> Self {
        let fields = format!(
            "Content-Type: {content}\r\nConnection: close\r\nCache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\n\
             Referrer-Policy: no-referrer\r\n"
        );
        Self { status, fields }
    }

    /// Of a text for a person.
    pub(super) fn plain(status: &'static str) -> Self {
        Self::new(status, "text/plain; charset=utf-8")
    }

    /// With one field more.
    pub(super) fn with(mut self, name: &str, value: &str) -> Self {
        self.fields += &format!("{name}: {value}\r\n");
        self
    }

    fn bytes(&self) -> Vec<u8> {
        format!("HTTP/1.1 {}\r\n{}\r\n", self.status, self.fields).into_bytes()
    }

    /// Answers with this, and ends the connection.
    pub(super) fn answer(self, stream: &TcpStream, body: &str) -> io::Result<()> {
        let mut all = self.with("Content-Length", &body.len().to_string()).bytes();
        all.extend_from_slice(body.as_bytes());
        write(stream, &all)?;
        linger(stream);
        Ok(())
    }

    /// Begins an answer that goes on.
    pub(super) fn begin(&self, stream: &TcpStream) -> io::Result<()> {
        write(stream, &self.bytes())
    }
}

/// Writes all, to somebody who reads.
pub(super) fn write(stream: &TcpStream, bytes: &[u8]) -> io::Result<()> {
    let end = Instant::now() + PATIENCE;
    for piece in bytes.chunks(PIECE) {
        let left = end.checked_duration_since(Instant::now()).filter(|left| !left.is_zero());
        stream.set_write_timeout(Some(left.ok_or(io::ErrorKind::TimedOut)?))?;
        let mut to = stream;
        to.write_all(piece)?;
    }
    Ok(())
}

/// Whether nobody reads any more.
pub(super) fn is_left(stream: &TcpStream) -> bool {
    let is_shut = stream.set_nonblocking(true).is_err() || matches!(stream.peek(&mut [0]), Ok(0));
    let is_lost = stream.take_error().is_ok_and(|error| error.is_some());
    is_shut || is_lost || stream.set_nonblocking(false).is_err()
}

/// Lets the peer read the answer before the connection goes, whatever it still sends.
fn linger(stream: &TcpStream) {
    let _gone = stream.shutdown(Shutdown::Write);
    let end = Instant::now() + Duration::from_secs(2);
    let (mut space, mut taken) = ([0; PIECE], 0);
    while taken < LINGER {
        let left = end.checked_duration_since(Instant::now()).filter(|left| !left.is_zero());
        let Some(left) = left else { return };
        if stream.set_read_timeout(Some(left)).is_err() {
            return;
        }
        let mut from = stream;
        match from.read(&mut space) {
            Ok(0) | Err(_) => return,
            Ok(count) => taken += count,
        }
    }
}
