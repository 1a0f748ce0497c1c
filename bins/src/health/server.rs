//! Serves the port: at most so many at a time, each for so long, and the rest of the director never waits for any.

use std::collections::BTreeMap;
use std::io;
use std::net::{IpAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use towline_core::config::Password;
use towline_core::error::Code;
use towline_core::explain::complaint;

use super::answer::{Head, is_left, write};
use super::board::Board;
use super::request::{Request, Unread};
use super::{Token, metrics};

/// Connections at a time.
const MOST: usize = 64;
/// Of them people who watch the page.
const WATCHERS: usize = 16;
/// What a thread of one may put on its stack.
const STACK: usize = 256 * 1024;
/// How old what monitors get may be: several that come at once are one question.
const FRESH: Duration = Duration::from_secs(1);
/// The pause between two views of who watches; longer where the director takes long for one.
const PAUSE: Duration = Duration::from_secs(2);
/// So many times what a view took is the pause at least.
const SHARE: u32 = 20;
/// A line of a kind is in the log once in so long.
const QUIET: Duration = Duration::from_secs(60);
/// Of a connection that could not be accepted.
const AGAIN: Duration = Duration::from_millis(100);

const PAGE: &str = include_str!("page.html");
/// What stands in the page where each answer has a word of its own that lets its own script run, and no other.
const NONCE: &str = "NONCE";

/// The port, and who is served there.
pub(super) struct Server {
    board: Board,
    token: Token,
    /// Whether only this machine reaches it.
    is_local: bool,
    catalogs: BTreeMap<String, PathBuf>,
    served: Arc<AtomicUsize>,
    watchers: Arc<AtomicUsize>,
    refused: Mutex<Counted>,
    turned_away: Mutex<Counted>,
}

/// What is told now and then.
#[derive(Default)]
struct Counted {
    count: u64,
    told: Option<Instant>,
}

impl Counted {
    /// One more: how many there were since the last line, if it is time for one.
    fn more(counted: &Mutex<Self>) -> Option<u64> {
        let mut counted = counted.lock().unwrap_or_else(PoisonError::into_inner);
        counted.count += 1;
        if counted.told.is_some_and(|told| told.elapsed() < QUIET) {
            return None;
        }
        counted.told = Some(Instant::now());
        Some(std::mem::take(&mut counted.count))
    }
}

/// One of the places that there are; given back when it is dropped.
struct Place(Arc<AtomicUsize>);

impl Place {
    fn take(taken: &Arc<AtomicUsize>, most: usize) -> Option<Self> {
        let more = |count: usize| (count < most).then_some(count + 1);
        taken.fetch_update(Ordering::SeqCst, Ordering::SeqCst, more).ok().map(|_| Self(Arc::clone(taken)))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Server {
    pub(super) fn new(board: Board, token: Token, is_local: bool, catalogs: BTreeMap<String, PathBuf>) -> Self {
        Self {
            board,
            token,
            is_local,
            catalogs,
            served: Arc::default(),
            watchers: Arc::default(),
            refused: Mutex::default(),
            turned_away: Mutex::default(),
        }
    }

    pub(super) const fn board(&self) -> &Board {
        &self.board
    }

    /// Accepts for as long as the process lives.
    pub(super) fn accept(self: Arc<Self>, listener: &TcpListener) {
        loop {
            match listener.accept() {
                Ok((stream, _)) => self.begin(stream),
                // Out of descriptors perhaps: what the director needs them for goes before.
                Err(_) => thread::sleep(AGAIN),
            }
        }
    }

    /// Serves a connection on a thread of its own, if there is a place for it.
    fn begin(self: &Arc<Self>, stream: TcpStream) {
        let server = Arc::clone(self);
        let Some(place) = Place::take(&self.served, MOST) else { return self.turn_away(&stream) };
        let body = move || {
            let _place = place;
            // Nobody is left to tell of one that has gone.
            let _gone = server.serve(&stream);
        };
        // Without a thread the connection is closed, and its place is free again.
        let _started = thread::Builder::new().name("metrics-peer".to_owned()).stack_size(STACK).spawn(body);
    }

    fn turn_away(&self, stream: &TcpStream) {
        // What does not fit into the socket is not waited for.
        if stream.set_nonblocking(true).is_ok() {
            let _gone = Head::plain("503 Service Unavailable").with("Retry-After", "5").begin(stream);
        }
        if let Some(count) = Counted::more(&self.turned_away) {
            let text =
                format!("the port for metrics is full: connections turned away since the last such line {count}");
            tracing::warn!("{}", complaint(Code(993), &text));
        }
    }

    fn serve(&self, stream: &TcpStream) -> io::Result<()> {
        let request = match Request::read(stream) {
            Ok(request) => request,
            Err(Unread::Gone) => return Ok(()),
            Err(Unread::Slow) => {
                return Head::plain("408 Request Timeout").answer(stream, "The request did not arrive in time.\n");
            }
            Err(Unread::TooLong) => {
                let head = Head::plain("431 Request Header Fields Too Large");
                return head.answer(stream, "The request is too long.\n");
            }
            Err(Unread::Malformed) => return Head::plain("400 Bad Request").answer(stream, "This is no request.\n"),
        };
        if request.method != "GET" {
            let head = Head::plain("405 Method Not Allowed").with("Allow", "GET");
            return head.answer(stream, "Here one can only look.\n");
        }
        match request.path.as_str() {
            "/metrics" => self.metrics(stream, &request),
            "/" | "/events" if self.token.is_none() => {
                Head::plain("404 Not Found").answer(stream, "There is no page: set `page_token` of the director.\n")
            }
            "/" | "/events" if !self.may_see(&request) => self.refuse(stream, &request),
            "/" => page(stream),
            "/events" => self.events(stream),
            _ => Head::plain("404 Not Found").answer(stream, "Only / and /metrics exist here.\n"),
        }
    }

    fn metrics(&self, stream: &TcpStream, request: &Request) -> io::Result<()> {
        if self.is_local && !request.is_for_this_machine() {
            let text = "Ask for this machine by its address, as in http://127.0.0.1:9109/metrics.\n";
            return Head::plain("403 Forbidden").answer(stream, text);
        }
        let Some(view) = self.board.look(FRESH) else { return silent(stream) };
        let text = metrics::text(&view.health, &self.catalogs);
        Head::new("200 OK", "text/plain; version=0.0.4; charset=utf-8").answer(stream, &text)
    }

    /// Whether the token is right. The time it takes says nothing of it.
    fn may_see(&self, request: &Request) -> bool {
        // The digest is no token: whoever has the configuration of somebody who wrote it so does not have that.
        let said = request.token.as_deref().filter(|said| !said.is_empty() && !said.starts_with("[md5]"));
        said.is_some_and(|said| Some(Password::new(said).key()) == self.token)
    }

    fn refuse(&self, stream: &TcpStream, request: &Request) -> io::Result<()> {
        if request.token.is_some()
            && let Some(count) = Counted::more(&self.refused)
        {
            let from = stream.peer_addr().map_or_else(|_| "somebody".to_owned(), |from| shown(from.ip()));
            let text = format!(
                "the page was asked for with a wrong token: tries since the last such line {count}, the last from {from}"
            );
            tracing::warn!("{}", complaint(Code(992), &text));
        }
        let head =
            Head::plain("401 Unauthorized").with("WWW-Authenticate", "Basic realm=\"Towline\", charset=\"UTF-8\"");
        head.answer(stream, "The password is the `page_token` of the director; the name does not matter.\n")
    }

    /// Shows the director's state, again and again, until nobody watches any more.
    fn events(&self, stream: &TcpStream) -> io::Result<()> {
        let Some(_place) = Place::take(&self.watchers, WATCHERS) else {
            let text = "Too many watch already.\n";
            return Head::plain("503 Service Unavailable").with("Retry-After", "30").answer(stream, text);
        };
        Head::new("200 OK", "text/event-stream").begin(stream)?;
        while !is_left(stream) {
            let begun = Instant::now();
            match self.board.look(FRESH) {
                Some(view) => write(stream, format!("data: {}\n\n", view.json()).as_bytes())?,
                // A comment: the page sees that there is nothing new.
                None => write(stream, b": the director does not answer\n\n")?,
            }
            thread::sleep(PAUSE.max(begun.elapsed().saturating_mul(SHARE)).min(QUIET));
        }
        Ok(())
    }
}

fn page(stream: &TcpStream) -> io::Result<()> {
    let mut random = [0; 16];
    getrandom::fill(&mut random).map_err(io::Error::other)?;
    let nonce: String = random.iter().map(|byte| format!("{byte:02x}")).collect();
    let policy = format!(
        "default-src 'none'; script-src 'nonce-{nonce}'; style-src 'nonce-{nonce}'; connect-src 'self'; \
         frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
    );
    let head = Head::new("200 OK", "text/html; charset=utf-8").with("Content-Security-Policy", &policy);
    head.answer(stream, &PAGE.replace(NONCE, &nonce))
}

fn silent(stream: &TcpStream) -> io::Result<()> {
    let head = Head::plain("503 Service Unavailable").with("Retry-After", "5");
    head.answer(stream, "The director does not answer.\n")
}

fn shown(from: IpAddr) -> String {
    from.to_canonical().to_string()
}
