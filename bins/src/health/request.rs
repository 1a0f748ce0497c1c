//! What somebody wants: the head of a request of HTTP/1.

use std::io::{self, Read};
use std::net::{IpAddr, TcpStream};
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// Bytes that a head may have.
const MOST: usize = 8 * 1024;
/// Fields that it may have.
const FIELDS: usize = 64;
/// How long it may take to come.
const PATIENCE: Duration = Duration::from_secs(5);

/// What is wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Request {
    pub(super) method: String,
    /// Without what stands after a question mark.
    pub(super) path: String,
    host: Option<String>,
    /// The password of `Basic`, or what stands after `Bearer`.
    pub(super) token: Option<String>,
}

/// Why it is not known what is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unread {
    /// It is none.
    Malformed,
    /// Its head is longer than any that makes sense.
    TooLong,
    /// It did not come in time.
    Slow,
    /// Whoever began it has gone.
    Gone,
}

impl Request {
    /// Reads it.
    pub(super) fn read(stream: &TcpStream) -> Result<Self, Unread> {
        let end = Instant::now() + PATIENCE;
        let mut head = Vec::new();
        let mut space = [0; 2048];
        loop {
            let left = end.checked_duration_since(Instant::now()).filter(|left| !left.is_zero()).ok_or(Unread::Slow)?;
            stream.set_read_timeout(Some(left)).map_err(|_| Unread::Gone)?;
            let mut from = stream;
            match from.read(&mut space) {
                Ok(0) => return Err(Unread::Gone),
                Ok(count) => head.extend_from_slice(&space[..count]),
                Err(error) if is_late(&error) => return Err(Unread::Slow),
                Err(_) => return Err(Unread::Gone),
            }
            if let Some(request) = Self::parse(&head)? {
                return Ok(request);
            }
            if head.len() > MOST {
                return Err(Unread::TooLong);
            }
        }
    }

    /// From what has come so far; `None` if that is not all.
    fn parse(head: &[u8]) -> Result<Option<Self>, Unread> {
        let mut fields = [httparse::EMPTY_HEADER; FIELDS];
        let mut request = httparse::Request::new(&mut fields);
        match request.parse(head) {
            Ok(httparse::Status::Complete(length)) if length > MOST => return Err(Unread::TooLong),
            Ok(httparse::Status::Complete(_)) => {}
            Ok(httparse::Status::Partial) => return Ok(None),
            Err(httparse::Error::TooManyHeaders) => return Err(Unread::TooLong),
            Err(_) => return Err(Unread::Malformed),
        }
        let field = |name: &str| {
            let found = request.headers.iter().find(|field| field.name.eq_ignore_ascii_case(name))?;
            std::str::from_utf8(found.value).ok().map(str::trim)
        };
        let whole = request.path.unwrap_or_default();
        Ok(Some(Self {
            method: request.method.unwrap_or_default().to_owned(),
            path: whole.split('?').next().unwrap_or_default().to_owned(),
            host: field("host").map(str::to_owned),
            token: field("authorization").and_then(token_of),
        }))
    }

    /// Whether it is for this machine by an address of its own, or by no name at all: a page of somebody else's that a browser
    /// shows can have a name of its own lead here.
    pub(super) fn is_for_this_machine(&self) -> bool {
        let Some(host) = &self.host else { return true };
        let name = match host.strip_prefix('[') {
            Some(rest) => rest.split(']').next().unwrap_or_default(),
            None => host.split(':').next().unwrap_or_default(),
        };
        name.eq_ignore_ascii_case("localhost") || name.parse::<IpAddr>().is_ok()
    }
}

/// The secret in the words of an authorization.
fn token_of(words: &str) -> Option<String> {
    let (scheme, rest) = words.split_once(' ')?;
    if scheme.eq_ignore_ascii_case("bearer") {
        return Some(rest.trim().to_owned());
    }
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let pair = String::from_utf8(STANDARD.decode(rest.trim()).ok()?).ok()?;
    pair.split_once(':').map(|(_, password)| password.to_owned())
}

fn is_late(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Option<Request>, Unread> {
        Request::parse(text.as_bytes())
    }

    #[test]
    fn a_request_says_what_it_wants_and_with_which_token() {
        let basic = STANDARD.encode("anybody:to:ken");
        let text = format!("GET /events?x=1 HTTP/1.1\r\nHost: 127.0.0.1:9109\r\nAUTHORIZATION: Basic {basic}\r\n\r\n");
        let request = parse(&text).unwrap().unwrap();
        assert_eq!((request.method.as_str(), request.path.as_str()), ("GET", "/events"));
        assert_eq!(request.token.as_deref(), Some("to:ken"));
        for (words, token) in [("Bearer abc", Some("abc")), ("Basic !!", None), ("Digest abc", None), ("abc", None)] {
            let text = format!("GET / HTTP/1.1\r\nAuthorization: {words}\r\n\r\n");
            assert_eq!(parse(&text).unwrap().unwrap().token.as_deref(), token, "{words}");
        }
        assert_eq!(parse("GET / HTTP/1.1\r\nHost: a\r\n"), Ok(None));
        assert_eq!(parse("\u{1}\r\n\r\n"), Err(Unread::Malformed));
        let many: String = (0..100).map(|at| format!("A{at}: b\r\n")).collect();
        assert_eq!(parse(&format!("GET / HTTP/1.1\r\n{many}\r\n")), Err(Unread::TooLong));
    }

    #[test]
    fn a_name_of_somebody_else_is_none_of_this_machine() {
        let of = |host: &str| parse(&format!("GET / HTTP/1.1\r\nHost: {host}\r\n\r\n")).unwrap().unwrap();
        for host in ["127.0.0.1:9109", "localhost:9109", "[::1]:9109", "192.0.2.1"] {
            assert!(of(host).is_for_this_machine(), "{host}");
        }
        for host in ["evil.example:9109", "127.0.0.1.evil.example", ""] {
            assert!(!of(host).is_for_this_machine(), "{host:?}");
        }
        assert!(parse("GET / HTTP/1.0\r\n\r\n").unwrap().unwrap().is_for_this_machine());
    }
}
