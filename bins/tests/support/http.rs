//! One request of HTTP, and what comes of it.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use super::PATIENCE;

/// The status and the body that somebody gets who asks a port of this machine for `what`, such as `GET /metrics`, with these
/// fields in the head, each with its line end.
pub fn ask(port: u16, what: &str, fields: &str, body: &str) -> (u16, String) {
    let mut stream = connect(port);
    let length = body.len();
    let text = format!(
        "{what} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\nContent-Length: {length}\r\n{fields}\r\n{body}"
    );
    // It may have answered before it has read all.
    let _answered = stream.write_all(text.as_bytes());
    answer(stream)
}

/// A connection on which nothing was said.
pub fn connect(port: u16) -> TcpStream {
    let stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream
}

/// What comes on a connection until its end, or until the body has the length that its head says.
pub fn answer(mut stream: TcpStream) -> (u16, String) {
    let (mut all, mut space) = (Vec::new(), [0; 65_536]);
    loop {
        if let Some((status, body, length)) = parts(&all)
            && length.is_some_and(|length| body.len() >= length)
        {
            return (status, body);
        }
        match stream.read(&mut space) {
            Ok(count) if count > 0 => all.extend_from_slice(&space[..count]),
            _ => return parts(&all).map_or((0, String::new()), |(status, body, _)| (status, body)),
        }
    }
}

fn parts(all: &[u8]) -> Option<(u16, String, Option<usize>)> {
    let text = String::from_utf8_lossy(all);
    let (head, body) = text.split_once("\r\n\r\n")?;
    let length = head.lines().find_map(|line| line.to_lowercase().strip_prefix("content-length:")?.trim().parse().ok());
    Some((head.split(' ').nth(1)?.parse().ok()?, body.to_owned(), length))
}
