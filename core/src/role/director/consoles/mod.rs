//! The director's consoles: who may say what, and the answers. One command at a time for each console.
//!
//! `words.rs` cuts a line into words, `grammar.rs` knows which words a command takes, `commands.rs` what it does; `list.rs`
//! lists what the catalog knows, `wait.rs` waits for the ends of jobs, `explain.rs` explains codes and ways, `restore.rs`
//! leads a restore from the client's name to the order, `show.rs` prints tables and statuses, `waiting.rs` the clients
//! that wait; `setip.rs` hears where a client has moved to, `bandwidth.rs` how fast jobs may be. `output.rs` renders answers as the console wants them.

mod bandwidth;
mod commands;
mod explain;
mod grammar;
mod list;
mod network;
mod output;
mod restore;
mod setip;
mod show;
mod wait;
mod waiting;
mod words;

pub(super) use commands::order_level;

use std::collections::VecDeque;

use crate::config::keepalive;
use crate::conn::Peer;
use crate::ids::ConnId;
use crate::notice::Level;
use crate::role::director::Net;
use crate::role::idle::{Bounds, Full, Seat};
use crate::time::{Instant, Wall};
use crate::wire::frame::{self, Signal};
use crate::wire::hello::{CONSOLE_18_2, Purpose};
use crate::wire::names::DEFAULT_CONSOLE;

use super::Director;
use super::estimate::Estimate;
use super::ordering::Order;
use crate::catalog::{CatalogRequest, FileKey};
use list::Listing;
use output::Output;
use restore::Restoring;
use wait::Ends;

pub(super) use output::Answer;

/// Bytes of the longest command line.
const MAX_COMMAND: usize = 64 * 1024;

/// Lines that may wait for the command before them to end.
const MAX_WAITING: usize = 100;

/// Bytes of text in a frame.
const FRAME: usize = 32 * 1024;

/// One authenticated console.
#[derive(Debug)]
pub(super) struct Console {
    /// None for the default console.
    pub(super) name: Option<String>,
    pub(super) since: Wall,
    /// When it last said something.
    heard: Instant,
    doing: Doing,
    /// How many report lines it has been shown, counted from the director's start.
    seen: u64,
    /// Whether it has been told of lines it has not been shown; it is told once until it reads them (`wire/1 §6.1`).
    notified: bool,
    output: Output,
    /// Lines that came before the command before them had ended.
    waiting: VecDeque<String>,
    /// How the jobs ended that it has ordered or waited for.
    ends: Ends,
    /// It is ours: told of failures by a signal in text mode too, where a stock console hears none (`wire/1 §6.2`).
    is_towline: bool,
}

/// What a console is in the middle of.
#[derive(Debug)]
enum Doing {
    /// Nothing: the next line is a command.
    Idle,
    /// Waits for an answer of the catalog, an errand or a job's number.
    Asking(Asked),
    /// Waits for this job to end; none means all.
    Waiting(Option<u32>),
    /// Is being sent a page of a job's files; then comes the next, if there is one.
    Listing(u32, Option<FileKey>),
    /// Has been asked whether to go on.
    Confirming(Box<Order>),
}

/// What was asked of the catalog, and so how to show the answer.
#[derive(Debug)]
enum Asked {
    Jobs(Listing),
    /// Whether there is such a job, before it is asked what is wanted of it.
    Known(u32, Box<(Self, CatalogRequest)>),
    /// How the job of this name or number ended.
    Ended(String),
    Files(u32),
    /// Those of the pool of this name, or all.
    Volumes(Option<String>),
    Clients,
    Log,
    Estimate(Box<Estimate>),
    Restore(Box<Restoring>),
    Other,
}

impl Console {
    fn seat(&self, conn: ConnId) -> Seat<'_> {
        let name = self.name.as_deref().unwrap_or(DEFAULT_CONSOLE);
        let is_busy = !matches!(self.doing, Doing::Idle | Doing::Confirming(_)) || !self.waiting.is_empty();
        Seat { conn, name, heard: self.heard, is_busy }
    }
}

impl Director {
    pub(super) fn console_arrived(&mut self, net: &mut Net, conn: ConnId, peer: &Peer) {
        let Purpose::Console { name, .. } = &peer.hello.purpose else { return };
        if !self.has_place(net, name) {
            let most = self.consoles.len();
            let text = format!("console {name} refused: {most} consoles are connected, and all that could go are busy");
            net.complain(Level::Warn, 914, &text);
            net.send_text(
                conn,
                format!("1999 {most} consoles are connected, and all that could go are busy (T0914).\n"),
            );
            return net.close(conn, true);
        }
        net.keep_alive(conn, keepalive::socket(self.config.console_heartbeat(), keepalive::End::Control));
        let (director, full, date) = (&self.config.director.name, &self.identity.full, &self.identity.date);
        let named = (name != DEFAULT_CONSOLE).then(|| name.clone());
        if peer.hello.console_version() >= CONSOLE_18_2 {
            let how = match &named {
                Some(name) => format!("You are logged in as: {name}"),
                None => "You are connected using the default console".to_owned(),
            };
            net.send_text(conn, format!("1000\x1eOK: {director} Version: {full} ({date})"));
            net.send_text(conn, format!("1002\x1e{how}"));
        } else {
            let tls = &peer.tls;
            net.send_text(conn, format!("1000 OK: {director} Version: {full} ({date}) --  Encryption: {tls}\n"));
        }
        let seen = self.journal.shown();
        let console = Console {
            name: named,
            since: net.wall(),
            heard: net.now(),
            doing: Doing::Idle,
            seen,
            notified: false,
            output: Output::default(),
            waiting: VecDeque::new(),
            ends: Ends::default(),
            is_towline: peer.towline,
        };
        self.consoles.insert(conn, console);
    }

    /// Whether there is a place for a console of this name, if need be that of one that is idle.
    fn has_place(&mut self, net: &mut Net, name: &str) -> bool {
        let most = usize::try_from(self.config.director.max_console_connections).unwrap_or(usize::MAX);
        let seats: Vec<Seat<'_>> = self.consoles.iter().map(|(&conn, console)| console.seat(conn)).collect();
        match self.doorkeeper.make_room(net, ("console", name), &seats, Bounds::of(most)) {
            Ok(gone) => {
                gone.map(|gone| self.consoles.remove(&gone));
                true
            }
            Err(Full) => false,
        }
    }

    /// A line from a console: a command, or the answer to a question.
    pub(super) fn console_says(&mut self, net: &mut Net, conn: ConnId, text: &[u8]) {
        let Some(console) = self.consoles.get_mut(&conn) else { return };
        console.heard = net.now();
        if text.len() > MAX_COMMAND {
            return net.abort(conn);
        }
        let line = String::from_utf8_lossy(text).trim().to_owned();
        match std::mem::replace(&mut console.doing, Doing::Idle) {
            Doing::Idle => self.command(net, conn, &line),
            Doing::Confirming(order) => self.confirmed(net, conn, *order, &line),
            doing => {
                console.doing = doing;
                console.waiting.push_back(line);
                if console.waiting.len() > MAX_WAITING {
                    net.complain(Level::Warn, 915, "a console sends commands faster than they end: closed");
                    net.abort(conn);
                }
            }
        }
    }

    /// Goes on with a line that came too early.
    pub(super) fn console_goes_on(&mut self, net: &mut Net, conn: ConnId) {
        let line = self.consoles.get_mut(&conn).and_then(|console| console.waiting.pop_front());
        if let Some(line) = line {
            self.console_says(net, conn, line.as_bytes());
        }
    }

    /// POLL and the like (`wire/1 §1.2`): the console loop answers what it does not expect with POLL.
    pub(super) fn console_signals(&mut self, net: &mut Net, conn: ConnId, signal: Signal) {
        match signal {
            Signal::Terminate => self.console_leaves(net, conn),
            Signal::Heartbeat | Signal::HeartbeatResponse => {}
            // At a question signals count for nothing (`wire/1 §6.2`).
            _ if self.consoles.get(&conn).is_some_and(|console| matches!(console.doing, Doing::Confirming(_))) => {}
            _ => net.send_signal(conn, Signal::Poll),
        }
    }

    /// A console has said good-bye: the connection is closed without a word (`wire/1 §6.1`).
    fn console_leaves(&mut self, net: &mut Net, conn: ConnId) {
        self.consoles.remove(&conn);
        self.forget_errands_of(net, conn);
        net.close(conn, false);
    }

    /// Marks a console as waiting for what is under way.
    pub(super) fn console_waits(&mut self, conn: ConnId) {
        if let Some(console) = self.consoles.get_mut(&conn) {
            console.doing = Doing::Asking(Asked::Other);
        }
    }
}

/// A text in frames that any console takes, cut between characters.
fn text_frames(text: &str) -> Vec<u8> {
    let mut frames = Vec::with_capacity(text.len() + 4 * (1 + text.len() / FRAME));
    put_text(&mut frames, text);
    frames
}

/// Appends a text in such frames.
fn put_text(frames: &mut Vec<u8>, mut text: &str) {
    while !text.is_empty() {
        let most = text.len().min(FRAME);
        let at = (0..=most).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(most);
        let (piece, rest) = text.split_at(at);
        frame::put_data(frames, piece.as_bytes());
        text = rest;
    }
}
