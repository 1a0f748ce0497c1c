//! A peer that holds a valid key and need not behave: it passes the authentication as the protocol has it, in clear, and then
//! says what it likes.

use std::time::Duration;

use towline_core::conformance::Peer as _;
use towline_core::secret::Secret;
use towline_core::socket::{IoKind, SocketOptions};
use towline_core::wire::cram_md5::{ACCEPTED, Challenge, password_key};
use towline_core::wire::frame;

use crate::arm::{Door, Raw, Shared};
use crate::host::HostId;
use crate::said::{self, Said};

/// How long an accepted peer waits for who dials it.
const PATIENCE: Duration = Duration::from_secs(600);

/// See the [module](self). Dropping it closes its connection.
#[derive(Debug)]
pub struct Keyholder {
    raw: Raw,
    /// What has come and was not heard yet.
    ahead: Vec<u8>,
}

/// As who it comes, and with which key.
#[derive(Clone, Copy, Debug)]
pub struct Pass<'a> {
    /// Its qualified name, `R_DIRECTOR::dir`.
    pub name: &'a str,
    /// The password that it shares with its peer.
    pub password: &'a str,
}

impl Keyholder {
    /// Dials a daemon, says this hello, and is let in.
    ///
    /// # Errors
    /// The connection cannot be made or breaks, or `Aborted`: the daemon does not let it in.
    pub fn dial(world: &Shared, from: HostId, to: ([u8; 4], u16), hello: &str, pass: Pass<'_>) -> Result<Self, IoKind> {
        Self::dial_with(world, from, to, hello, (pass.name, &password_key(pass.password)))
    }

    /// The same with a key that no password makes: that of a job (`wire/3 §3.1`).
    ///
    /// # Errors
    /// As of [`dial`](Self::dial).
    pub fn dial_with(
        world: &Shared,
        from: HostId,
        to: ([u8; 4], u16),
        hello: &str,
        (name, key): (&str, &Secret),
    ) -> Result<Self, IoKind> {
        let raw = Raw::connect(world, from, to.into(), SocketOptions::default())?;
        let mut holder = Self { raw, ahead: Vec::new() };
        holder.say(hello.as_bytes())?;
        holder.answer(key)?;
        holder.challenge(name, key)?;
        Ok(holder)
    }

    /// Lets somebody in who has dialled; its hello too, by which it is known which name and key count.
    ///
    /// # Errors
    /// The connection breaks, or `Aborted`: one of the two does not let the other in.
    pub fn welcome(raw: Raw, pass: impl Fn(&[u8]) -> (String, Secret)) -> Result<(Self, Vec<u8>), IoKind> {
        let mut holder = Self { raw, ahead: Vec::new() };
        let hello = holder.hear()?;
        let (name, key) = pass(&hello);
        holder.challenge(&name, &key)?;
        holder.answer(&key)?;
        Ok((holder, hello))
    }

    /// Waits for a daemon that dials, and lets it in; its hello too.
    ///
    /// # Errors
    /// Nobody comes (`TimedOut`), the connection breaks, or `Aborted`: one of the two does not let the other in.
    pub fn accept(world: &Shared, door: &Door, pass: Pass<'_>) -> Result<(Self, Vec<u8>), IoKind> {
        let give_up = world.borrow().now() + PATIENCE;
        let raw = loop {
            if let Some(raw) = door.try_accept() {
                break raw;
            }
            if !world.borrow_mut().step() || world.borrow().now() > give_up {
                return Err(IoKind::TimedOut);
            }
        };
        Self::welcome(raw, |_| (pass.name.to_owned(), password_key(pass.password)))
    }

    /// Says a text.
    ///
    /// # Errors
    /// The connection is gone.
    pub fn say(&mut self, text: &[u8]) -> Result<(), IoKind> {
        let mut frames = Vec::new();
        frame::put_data(&mut frames, text);
        self.put(&frames)
    }

    /// Writes any bytes.
    ///
    /// # Errors
    /// The connection is gone.
    pub fn put(&mut self, mut bytes: &[u8]) -> Result<(), IoKind> {
        while !bytes.is_empty() {
            let n = self.raw.write(bytes)?;
            bytes = &bytes[n..];
        }
        Ok(())
    }

    /// The next text; signals are passed over.
    ///
    /// # Errors
    /// The connection is gone, or has ended (`Aborted`).
    pub fn hear(&mut self) -> Result<Vec<u8>, IoKind> {
        loop {
            let head = self.take(4)?;
            let head = i32::from_be_bytes([head[0], head[1], head[2], head[3]]);
            if let Ok(bytes) = usize::try_from(head) {
                return self.take(bytes);
            }
        }
    }

    /// What has been said next, if it has come; waits for nothing.
    ///
    /// # Errors
    /// The connection is gone, or has ended (`Aborted`).
    pub fn heard(&mut self) -> Result<Option<Said>, IoKind> {
        if let Some(said) = said::next(&mut self.ahead) {
            return Ok(Some(said));
        }
        let arrived = self.arrived().map(|_| ());
        match said::next(&mut self.ahead) {
            Some(said) => Ok(Some(said)),
            None => arrived.map(|()| None),
        }
    }

    /// The bytes that have come and were not heard yet; waits for none.
    ///
    /// # Errors
    /// The connection is gone, or has ended (`Aborted`).
    pub fn arrived(&mut self) -> Result<&[u8], IoKind> {
        let mut space = [0; 4096];
        while let Some(read) = self.raw.try_read(&mut space) {
            match read? {
                0 => return Err(IoKind::Aborted),
                n => self.ahead.extend_from_slice(&space[..n]),
            }
        }
        Ok(&self.ahead)
    }

    /// Breaks the connection off.
    pub fn reset(self) {
        Box::new(self.raw).reset();
    }

    fn take(&mut self, bytes: usize) -> Result<Vec<u8>, IoKind> {
        let mut space = [0; 4096];
        while self.ahead.len() < bytes {
            match self.raw.read(&mut space)? {
                0 => return Err(IoKind::Aborted),
                n => self.ahead.extend_from_slice(&space[..n]),
            }
        }
        Ok(self.ahead.drain(..bytes).collect())
    }

    /// Answers the other side's challenge.
    fn answer(&mut self, key: &Secret) -> Result<(), IoKind> {
        let challenge = Challenge::parse(&self.hear()?).ok_or(IoKind::Aborted)?;
        self.say(&challenge.answer(key))?;
        if self.hear()? == ACCEPTED.as_bytes() { Ok(()) } else { Err(IoKind::Aborted) }
    }

    /// Challenges the other side.
    fn challenge(&mut self, name: &str, key: &Secret) -> Result<(), IoKind> {
        let own = Challenge::new(12_345, 1_700_000_000, name, 0);
        self.say(own.to_line().as_bytes())?;
        let answer = self.hear()?;
        if !own.verify(key, &answer) {
            return Err(IoKind::Aborted);
        }
        self.say(ACCEPTED.as_bytes())
    }
}
