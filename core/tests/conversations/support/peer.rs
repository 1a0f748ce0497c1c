//! A real daemon's side of one recorded connection, and what it makes of ours.

use std::collections::VecDeque;

use towline_core::buf::Buf;
use towline_core::secret::Secret;
use towline_core::tls::plain::Plain;
use towline_core::tls::{Session, State};
use towline_core::wire::cram_md5::Challenge;

use super::conv::{self, Frame, Line, Side};
use super::matcher::{Bindings, is_job_message};

/// What a peer says and expects.
#[derive(Debug)]
pub struct Script {
    name: String,
    #[cfg(feature = "psk")]
    ours: Side,
    lines: Vec<Expected>,
    key: Secret,
    engine: Engine,
    /// Whether the test goes on by hand where the recording ends.
    goes_on: bool,
    /// Whether we may say anything else than the recording.
    is_loose: bool,
}

/// How a peer protects its connection.
#[derive(Debug)]
pub enum Engine {
    Clear,
    /// A pre-shared key: the identity the dialling side offers.
    #[cfg(feature = "psk")]
    Psk(towline_core::wire::names::PeerName),
}

#[derive(Clone, Debug)]
enum Expected {
    /// The peer says this.
    Says(Frame),
    /// We say this.
    Hears(Frame),
    /// We say one or more texts: the lines of a status are Towline's own.
    HearsTexts,
}

impl Script {
    /// The peer of the recording `conv`, in which `ours` is Towline's side. `key` opens the connection.
    pub fn new(conv: &str, ours: Side, key: Secret) -> Self {
        let expected = |Line { from, frame }: Line| {
            if from != ours {
                Some(Expected::Says(frame))
            } else if is_job_message(&frame) {
                None // any number of ours may stand anywhere
            } else {
                Some(Expected::Hears(frame))
            }
        };
        let name = conv.lines().next().unwrap_or_default().to_owned();
        let lines = conv::parse(conv).into_iter().filter_map(expected).collect();
        Self {
            name,
            #[cfg(feature = "psk")]
            ours,
            lines,
            key,
            engine: Engine::Clear,
            goes_on: false,
            is_loose: false,
        }
    }

    /// Protects the connection.
    #[cfg(feature = "psk")]
    #[must_use]
    pub fn protected(self, engine: Engine) -> Self {
        Self { engine, ..self }
    }

    /// States a difference between Towline and the recording, and why it is meant. Our recorded frames that begin with the
    /// frames `recorded`, one after the other, are expected to be `ours` instead.
    #[must_use]
    pub fn differs(mut self, why: &str, recorded: &[&str], ours: &[&str]) -> Self {
        assert!(!why.is_empty());
        let frame = |text: &&str| Frame::parse(text).unwrap_or_else(|| panic!("cannot read {text:?}"));
        let recorded: Vec<Frame> = recorded.iter().map(frame).collect();
        let is_it = |(line, wanted): (&Expected, &Frame)| match (line, wanted) {
            (Expected::Hears(Frame::Data(line)), Frame::Data(wanted)) => line.starts_with(wanted),
            (Expected::Hears(line), wanted) => line == wanted,
            _ => false,
        };
        let found = self.lines.windows(recorded.len()).position(|lines| lines.iter().zip(&recorded).all(is_it));
        let found = found.unwrap_or_else(|| panic!("the recording has no such frames: {recorded:?}"));
        let ours: Vec<Expected> = ours.iter().map(|text| Expected::Hears(frame(text))).collect();
        self.lines.splice(found..found + recorded.len(), ours);
        self
    }

    /// States that we do not send a recorded frame of ours, the last one that is like this, and why.
    #[must_use]
    pub fn omits(mut self, why: &str, recorded: &str) -> Self {
        assert!(!why.is_empty());
        let wanted = Frame::parse(recorded).unwrap_or_else(|| panic!("cannot read {recorded:?}"));
        let is_it = |line: &Expected| matches!(line, Expected::Hears(frame) if *frame == wanted);
        let found = self.lines.iter().rposition(is_it).unwrap_or_else(|| panic!("the recording has no {recorded:?}"));
        self.lines.remove(found);
        self
    }

    /// States that before a recorded frame of ours that begins so we say something more, and what the peer answers; and why.
    #[must_use]
    pub fn asks_before(mut self, why: &str, recorded: &str, ours: &str, answer: &str) -> Self {
        assert!(!why.is_empty());
        let frame = |text: &str| Frame::parse(text).unwrap_or_else(|| panic!("cannot read {text:?}"));
        let wanted = frame(recorded);
        let is_it = |line: &Expected| matches!(line, Expected::Hears(line) if line.data().starts_with(wanted.data()));
        let found = self.lines.iter().position(is_it).unwrap_or_else(|| panic!("the recording has no {recorded:?}"));
        self.lines.splice(found..found, [Expected::Hears(frame(ours)), Expected::Says(frame(answer))]);
        self
    }

    /// States that the peer says something else, because of what differs on our side.
    #[must_use]
    pub fn peer_differs(mut self, why: &str, recorded: &str, says: &[&str]) -> Self {
        assert!(!why.is_empty());
        let frame = |text: &str| Frame::parse(text).unwrap_or_else(|| panic!("cannot read {text:?}"));
        let wanted = frame(recorded);
        let is_it = |line: &Expected| match (line, &wanted) {
            (Expected::Says(Frame::Data(line)), Frame::Data(wanted)) => line.starts_with(wanted),
            (Expected::Says(line), wanted) => line == wanted,
            _ => false,
        };
        let found = self.lines.iter().position(is_it).unwrap_or_else(|| panic!("the recording has no {recorded:?}"));
        self.lines.splice(found..=found, says.iter().map(|text| Expected::Says(frame(text))));
        self
    }

    /// Our texts between the peer's frame that begins with `after` and the next signal are Towline's own words.
    #[must_use]
    pub fn own_words_after(mut self, after: &str) -> Self {
        let is_start =
            |line: &Expected| matches!(line, Expected::Says(Frame::Data(said)) if said.starts_with(after.as_bytes()));
        let is_text = |line: &Expected| matches!(line, Expected::Hears(Frame::Data(_)));
        // The first one whose answer is not our own words already.
        let found = self.lines.windows(2).position(|pair| is_start(&pair[0]) && is_text(&pair[1]));
        let start = found.unwrap_or_else(|| panic!("our words follow {after}")) + 1;
        let length = self.lines[start..].iter().take_while(|line| is_text(line)).count();
        self.lines.splice(start..start + length, [Expected::HearsTexts]);
        self
    }

    /// Ends before the peer's first frame that begins with this text, or after its last text if this is empty: what
    /// follows is up to the test.
    #[must_use]
    pub fn up_to(mut self, text: &str) -> Self {
        self.goes_on = true;
        if text.is_empty() {
            let last = self.lines.iter().rposition(|line| matches!(line, Expected::Says(Frame::Data(_))));
            self.lines.truncate(last.map_or(0, |last| last + 1));
            return self;
        }
        let is_it =
            |line: &Expected| matches!(line, Expected::Says(Frame::Data(said)) if said.starts_with(text.as_bytes()));
        let at = self.lines.iter().position(is_it).unwrap_or_else(|| panic!("the peer never says {text:?}"));
        self.lines.truncate(at);
        self
    }

    /// Leaves out all from our second question on, up to the end: we ask `question` once.
    #[must_use]
    pub fn asked_once(mut self, question: &str) -> Self {
        let is_it = |line: &&Expected| matches!(line, Expected::Hears(frame) if frame.data() == question.as_bytes());
        assert!(self.lines.iter().filter(is_it).count() > 1, "the recording has {question:?} once");
        let second = self.lines.iter().rposition(|line| is_it(&line)).expect("it was counted");
        let end = self.lines.iter().rposition(|line| matches!(line, Expected::Hears(Frame::Fin)));
        self.lines.drain(second..end.expect("the recording has an end"));
        self
    }

    /// Ends after so many of its lines, and takes whatever we say: for connections that are cut.
    #[must_use]
    pub fn cut_after(mut self, lines: usize) -> Self {
        self.lines.truncate(lines);
        self.goes_on = true;
        self.is_loose = true;
        self
    }

    /// How many lines it has.
    pub const fn count(&self) -> usize {
        self.lines.len()
    }

    /// Ends before the first frame of ours that begins with this text: what follows is up to the test.
    #[must_use]
    pub fn until_we_say(mut self, text: &str) -> Self {
        let is_it =
            |line: &Expected| matches!(line, Expected::Hears(Frame::Data(said)) if said.starts_with(text.as_bytes()));
        let at = self.lines.iter().position(is_it).unwrap_or_else(|| panic!("we never say {text:?}"));
        self.lines.truncate(at);
        self.goes_on = true;
        self
    }
}

/// A peer with a connection.
pub struct Peer {
    name: String,
    lines: VecDeque<Expected>,
    key: Secret,
    engine: Box<dyn Session>,
    cipher: Buf,
    plain: Buf,
    /// Bytes for us.
    pub out: VecDeque<u8>,
    /// The peer sends nothing more.
    pub closed: bool,
    /// Frames to be sealed once the engine is ready.
    waiting: Vec<u8>,
    /// All that we said, job messages and the end too.
    pub heard: Vec<Frame>,
    goes_on: bool,
    is_loose: bool,
    /// A challenge of ours that is to be answered.
    challenge: Option<Challenge>,
    /// We have ended what we send.
    pub ended: bool,
    /// How many of `heard` the test has seen.
    pub seen: usize,
}

impl Peer {
    pub fn new(script: Script, bindings: &Bindings) -> Self {
        let key = Secret::from(bindings.ours(&script.key.expose_text()));
        let engine = start(&script, &key);
        let mut peer = Self {
            name: script.name,
            lines: script.lines.into(),
            key,
            engine,
            cipher: Buf::with_capacity(0),
            plain: Buf::with_capacity(0),
            out: VecDeque::new(),
            closed: false,
            waiting: Vec::new(),
            heard: Vec::new(),
            goes_on: script.goes_on,
            is_loose: script.is_loose,
            challenge: None,
            ended: false,
            seen: 0,
        };
        peer.open();
        peer.play(bindings);
        peer
    }

    /// Takes bytes of ours.
    pub fn take(&mut self, bytes: &[u8], bindings: &mut Bindings) {
        assert!(!self.ended, "{}: bytes after the end", self.name);
        self.cipher.extend(bytes);
        self.open();
        while let Some(frame) = self.next_frame() {
            self.hear(frame, bindings);
        }
    }

    /// We have ended what we send.
    pub fn on_end(&mut self, bindings: &Bindings) {
        if self.ended {
            return;
        }
        self.ended = true;
        assert!(self.plain.is_empty(), "{}: we ended within a frame", self.name);
        self.heard.push(Frame::Fin);
        self.lines.retain(|line| !matches!(line, Expected::Hears(Frame::Fin)));
        self.play(bindings);
        let left = self.lines.iter().find(|line| !matches!(line, Expected::Says(_)));
        assert!(left.is_none() || self.is_loose, "{}: we ended where the recording has {left:?}", self.name);
        self.close();
    }

    /// Whether all of the recording has happened.
    pub fn assert_done(&self) {
        let left: Vec<_> = self.lines.iter().filter(|line| !matches!(line, Expected::Hears(Frame::Fin))).collect();
        assert!(left.is_empty(), "{}: the recording goes on with {left:?}; heard {:?}", self.name, self.heard);
        assert!(self.ended, "{}: we never ended the connection", self.name);
    }

    /// Says something that no recording has.
    pub fn say(&mut self, frame: &Frame) {
        match frame {
            Frame::Data(data) => {
                let length = u32::try_from(data.len()).expect("short");
                self.waiting.extend(length.to_be_bytes());
                self.waiting.extend(data);
            }
            Frame::Signal(number) => self.waiting.extend(number.to_be_bytes()),
            Frame::Fin => return self.close(),
        }
        self.flush();
    }

    /// Ends what the peer sends.
    pub fn close(&mut self) {
        if !self.closed {
            self.closed = true;
            let mut out = Vec::new();
            self.engine.close(&mut out);
            self.out.extend(out);
        }
    }

    fn hear(&mut self, frame: Frame, bindings: &mut Bindings) {
        self.heard.push(frame.clone());
        if is_job_message(&frame) {
            return;
        }
        if let Some(Expected::HearsTexts) = self.lines.front() {
            if matches!(frame, Frame::Data(_)) {
                return;
            }
            self.lines.pop_front();
        }
        match self.lines.front() {
            None if self.goes_on => return,
            Some(Expected::Hears(expected)) if bindings.matches(expected, &frame) => {}
            Some(_) if self.is_loose => return self.lines.clear(),
            expected => {
                let expected = expected.map_or_else(|| "nothing".to_owned(), |line| format!("{line:?}"));
                panic!("{}:\n  recorded {expected}\n  we said  {frame:?}\n  before   {:#?}", self.name, self.heard)
            }
        }
        self.lines.pop_front();
        if frame.data().starts_with(b"auth cram-md5 <") {
            self.challenge = Challenge::parse(frame.data());
        }
        self.play(bindings);
    }

    /// Says what is next, until it is our turn.
    fn play(&mut self, bindings: &Bindings) {
        while let Some(Expected::Says(_) | Expected::Hears(Frame::Fin)) = self.lines.front() {
            let Some(Expected::Says(frame)) = self.lines.pop_front() else { continue };
            let mut frame = bindings.apply(&frame);
            if let Some(challenge) = self.challenge.take() {
                frame = Frame::Data(challenge.answer(&self.key));
            }
            if frame.data().starts_with(b"auth cram-md5 <") {
                self.expect_answer(&frame);
            }
            self.say(&frame);
        }
    }

    /// The peer's challenge is the recorded one: so is our answer if the key is, else it is computed.
    fn expect_answer(&mut self, challenge: &Frame) {
        let answer = Challenge::parse(challenge.data()).expect("a challenge").answer(&self.key);
        if let Some(Expected::Hears(Frame::Data(recorded))) = self.lines.front_mut()
            && !recorded.starts_with(b"1999 ")
        {
            *recorded = answer;
        }
    }

    fn open(&mut self) {
        let mut out = Vec::new();
        let opened = self.engine.open(&mut self.cipher, &mut self.plain, usize::MAX, &mut out);
        opened.unwrap_or_else(|error| panic!("{}: {error}", self.name));
        self.out.extend(out);
        self.flush();
    }

    fn flush(&mut self) {
        if !self.waiting.is_empty() && matches!(self.engine.state(), State::Ready(_)) {
            let mut out = Vec::new();
            self.engine.seal(&[&self.waiting], &mut out).expect("sealed");
            self.waiting.clear();
            self.out.extend(out);
        }
    }

    fn next_frame(&mut self) -> Option<Frame> {
        let (head, rest) = self.plain.filled().split_first_chunk::<4>()?;
        let number = i32::from_be_bytes(*head);
        let (taken, frame) = match usize::try_from(number) {
            Ok(length) => (4 + length, Frame::Data(rest.get(..length)?.to_vec())),
            Err(_) => (4, Frame::Signal(number)),
        };
        self.plain.consume(taken);
        Some(frame)
    }
}

fn start(script: &Script, key: &Secret) -> Box<dyn Session> {
    let _ = key;
    match &script.engine {
        Engine::Clear => Box::<Plain>::default(),
        #[cfg(feature = "psk")]
        Engine::Psk(identity) => {
            use std::sync::Arc;
            use towline_core::tls::certificate::SharedWall;
            use towline_core::tls::keyring::{Clear, Keyring};
            use towline_core::tls::psk::{PskAcceptor, PskDialler};
            use towline_core::tls::{Dialler, Versions};
            if script.ours == Side::Acceptor {
                let settings = PskDialler::new(Versions::All).expect("a dialler");
                let dialler = Dialler::Psk { settings, identity: identity.clone(), key: key.clone() };
                return dialler.start().expect("an engine");
            }
            let keyring = Keyring::builder().with(identity.clone(), key.clone(), Clear::Never).build();
            let acceptor =
                PskAcceptor::new(None, Versions::All, &SharedWall::new(super::roles::STARTED)).expect("an acceptor");
            acceptor.start(Arc::new(keyring)).expect("an engine")
        }
    }
}
