//! A stock client that waits at the director: its hello has no mark, and it answers no signal. Or somebody who says to be
//! one, has no key, and believes whatever the director answers.
//!
//! It does the little that a client does until it waits (`wire/1 §8.2`), in clear, and notes what it hears then.

use std::time::Duration;

use towline_core::drive::DialOrder;
use towline_core::socket::SocketOptions;
use towline_core::wire::cram_md5::{ACCEPTED, Challenge, password_key};
use towline_core::wire::frame;
use towline_core::wire::hello::{FILE_PROTOCOL, Hello, Purpose, Version};

use crate::host::HostId;
use crate::net::{Owner, SocketId};
use crate::said::{self, Said};
use crate::world::World;

use super::faults::IMPOSTOR;

/// The signal that asks for an answer (`wire/1 §9.7`).
const HEARTBEAT: i32 = -6;
/// The director's port.
const PORT: u16 = 9101;

/// One of them.
#[derive(Debug)]
pub(super) struct Waiter {
    name: String,
    password: String,
    socket: SocketId,
    step: Step,
    ahead: Vec<u8>,
    /// Heartbeats that it has heard while it waited.
    pub(super) signals: Vec<i32>,
}

/// What it waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    Open,
    Challenge,
    Verdict,
    Answer,
    Greeting,
    Job,
    Over,
}

impl Waiter {
    /// Dials the director as the client of this name, with this password.
    pub(super) fn dial(world: &World, from: HostId, director: HostId, pass: (&str, &str)) -> Option<Self> {
        let (_, address) = world.home(director)?;
        let give_up = world.time_of(from) + Duration::from_secs(60);
        let order = DialOrder { to: (address, PORT).into(), from: None, socket: SocketOptions::default(), give_up };
        let socket = world.net.borrow_mut().dial(from, Owner::Held, &order).ok()?;
        let (name, password) = (pass.0.to_owned(), pass.1.to_owned());
        Some(Self { name, password, socket, step: Step::Open, ahead: Vec::new(), signals: Vec::new() })
    }

    /// The name it was let in by, although its password is not its name's.
    pub(super) fn let_in_wrongly(&self) -> Option<&str> {
        let is_in = matches!(self.step, Step::Answer | Step::Greeting | Step::Job);
        (is_in && (self.password != self.name || self.name == IMPOSTOR)).then_some(&self.name)
    }

    /// Goes on as far as it can.
    pub(super) fn go_on(&mut self, world: &World) {
        if self.step == Step::Open && world.net.borrow().end(self.socket).is_some_and(crate::tcp::End::can_write) {
            let purpose = Purpose::Client { name: self.name.clone(), protocol: FILE_PROTOCOL };
            let hello = Hello::new(purpose, Version { major: 24, minor: 0, patch: 0 });
            self.say(world, hello.to_line());
            self.step = Step::Challenge;
        }
        let mut space = [0; 4096];
        while let Some(Ok(n @ 1..)) = world.net.borrow_mut().read(self.socket, &mut space) {
            self.ahead.extend_from_slice(&space[..n]);
        }
        while let Some(said) = said::next(&mut self.ahead) {
            match said {
                Said::Text(text) => self.on_text(world, &text),
                Said::Signal(signal) => self.on_signal(signal),
            }
        }
    }

    /// It is gone.
    pub(super) fn leave(&mut self, world: &World) {
        self.step = Step::Over;
        world.net.borrow_mut().close(self.socket);
    }

    fn on_signal(&mut self, signal: i32) {
        if self.step == Step::Job && signal == HEARTBEAT {
            self.signals.push(signal);
        }
    }

    fn on_text(&mut self, world: &World, text: &[u8]) {
        let key = password_key(&self.password);
        self.step = match self.step {
            Step::Challenge => match Challenge::parse(text) {
                Some(challenge) => {
                    let answer = challenge.answer(&key);
                    self.say(world, &answer);
                    Step::Verdict
                }
                None => Step::Over,
            },
            Step::Verdict if text == ACCEPTED.as_bytes() => {
                let own = Challenge::new(12_345, 1_767_225_600, &format!("R_CLIENT::{}", self.name), 0);
                self.say(world, own.to_line());
                Step::Answer
            }
            Step::Answer => {
                self.say(world, ACCEPTED);
                Step::Greeting
            }
            Step::Greeting => Step::Job,
            // A job: this one has no disk.
            _ => {
                self.leave(world);
                Step::Over
            }
        };
    }

    fn say(&self, world: &World, text: impl AsRef<[u8]>) {
        let mut frames = Vec::new();
        frame::put_data(&mut frames, text.as_ref());
        let _written = world.net.borrow_mut().write(self.socket, &frames);
    }
}
