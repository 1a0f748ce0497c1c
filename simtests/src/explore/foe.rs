//! Somebody who holds the key of a file daemon or of a storage daemon and has taken its place. The key opens its director and
//! the data channels of its jobs, and it misuses both.

mod line;

use std::collections::VecDeque;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use towline_core::drive::{DialOrder, ListenOrder};
use towline_core::secret::Secret;
use towline_core::socket::SocketOptions;
use towline_core::time::Instant;
use towline_core::tls::keyring::{Clear, Keyring};
use towline_core::wire::cram_md5::{ACCEPTED, Challenge, password_key};
use towline_core::wire::hello::{FILE_PROTOCOL, Hello, Purpose, Version};
use towline_core::wire::names::{PeerKind, PeerName};

use crate::host::HostId;
use crate::misuse::{ANSWERS, Gift, Misuse, REPLIES, babble, whole_file};
use crate::net::Owner;
use crate::rng::Rng;
use crate::said::{self, Said};
use crate::world::World;

use super::draw::{Abuse, Who};
use super::scene;
use line::{Breach, Line, Step, With};

/// The key that it gives for a job, where it is a storage daemon.
const KEY: &str = "DJFK-CCCF-FLNE-JBIH-NMCJ-NHGC-COAJ-PPMF";
/// Connections that it has at a time.
const MOST_LINES: usize = 40;
/// Jobs whose keys it keeps.
const MOST_JOBS: usize = 40;
/// How long it pauses before it dials its director again, and before it babbles again.
const DIAL: Duration = Duration::from_secs(30);
const WORD: Duration = Duration::from_millis(200);

/// See the [module](self).
#[derive(Debug)]
pub(super) struct Foe {
    pub(super) who: Who,
    host: HostId,
    name: String,
    abuse: Abuse,
    rng: Rng,
    /// After how many orders it begins to misbehave.
    well: u64,
    lines: Vec<Line>,
    is_protected: bool,
    /// The jobs that it has heard of, the last one last, and their keys.
    jobs: VecDeque<(String, Secret)>,
    /// Where the storage daemon for the data of the last one is.
    storage: Option<SocketAddr>,
    /// When it dials its director, if it does.
    next_dial: Option<Instant>,
    /// When it babbles of its own accord, and how often yet.
    next_word: Instant,
    words: u64,
    /// What it has done, for the trace.
    pub(super) news: Vec<String>,
}

impl Foe {
    /// Takes the place of a daemon, which is dead, in a world that is protected or not.
    pub(super) fn begin(
        world: &World,
        (who, host): (Who, HostId),
        is_protected: bool,
        abuse: Abuse,
        mut rng: Rng,
    ) -> Self {
        let door = SocketAddr::from((Ipv4Addr::UNSPECIFIED, scene::port(who)));
        let order = ListenOrder { on: door, socket: SocketOptions::default(), backlog: 0 };
        let _taken = world.net.borrow_mut().listen(host, None, &order);
        let (well, words) = (rng.below(16), 50 + rng.below(200));
        Self {
            who,
            host,
            name: scene::name(who),
            abuse,
            rng,
            well,
            lines: Vec::new(),
            is_protected,
            jobs: VecDeque::new(),
            storage: None,
            next_dial: None,
            next_word: world.now(),
            words,
            news: Vec::new(),
        }
    }

    /// It dials its director too, and waits there.
    pub(super) fn dialling(mut self, world: &World) -> Self {
        self.next_dial = Some(world.now());
        self
    }

    /// Goes on as far as it can; `at` knows where a name leads.
    pub(super) fn go_on(&mut self, world: &World, at: &dyn Fn(&str) -> Option<IpAddr>) {
        let door = SocketAddr::from((Ipv4Addr::UNSPECIFIED, scene::port(self.who)));
        while let Some(socket) = world.net.borrow_mut().accept(self.host, door) {
            let line = Line::accepted(socket);
            let line = if self.is_protected { line.protected_by(self.keys()) } else { line };
            self.add(world, line);
        }
        if self.next_dial.is_some_and(|next| next <= world.now()) {
            self.call_director(world, at);
        }
        for n in 0..self.lines.len() {
            self.lines[n].pump(world);
            while self.lines[n].step != Step::Over
                && let Some(said) = said::next(&mut self.lines[n].ahead)
            {
                match said {
                    Said::Text(text) => self.on_text(world, n, &text, at),
                    Said::Signal(signal) => self.on_signal(n, signal),
                }
            }
        }
        self.babble(world.now());
        self.lines.iter_mut().for_each(|line| line.pump(world));
        self.lines.retain(|line| line.step != Step::Over);
    }

    /// It is gone.
    pub(super) fn leave(&mut self, world: &World) {
        let mut net = world.net.borrow_mut();
        net.unlisten(self.host, SocketAddr::from((Ipv4Addr::UNSPECIFIED, scene::port(self.who))));
        self.lines.drain(..).for_each(|line| net.close(line.socket));
    }

    fn add(&mut self, world: &World, line: Line) {
        if self.lines.len() < MOST_LINES { self.lines.push(line) } else { world.net.borrow_mut().close(line.socket) }
    }

    fn call_director(&mut self, world: &World, at: &dyn Fn(&str) -> Option<IpAddr>) {
        self.next_dial = Some(world.now() + DIAL);
        let is_there = self.lines.iter().any(|line| line.with == With::Director && line.hello.is_some());
        if let Some(address) = at("dir").filter(|_| !is_there) {
            let purpose = Purpose::Client { name: self.name.clone(), protocol: FILE_PROTOCOL };
            let hello = Hello::new(purpose, Version { major: 24, minor: 0, patch: 0 });
            self.dial(world, (address, scene::port(Who::Director)).into(), With::Director, hello.to_line());
        }
    }

    fn dial(&mut self, world: &World, to: SocketAddr, with: With, hello: String) {
        let give_up = world.time_of(self.host) + Duration::from_secs(60);
        let order = DialOrder { to, from: None, socket: SocketOptions::default(), give_up };
        let socket = world.net.borrow_mut().dial(self.host, Owner::Held, &order);
        if let Ok(socket) = socket {
            let line = Line::dialled(socket, with, hello);
            let line = if self.is_protected { line.protected_as(self.identity(with), self.key_of(with)) } else { line };
            self.add(world, line);
        }
    }

    // Letting others in, and being let in.

    /// As who it dials, where connections are protected.
    fn identity(&self, with: With) -> PeerName {
        match with {
            With::Director => PeerName::new(self.kind(), &self.name),
            With::Data => PeerName::new(PeerKind::Job, self.job()),
        }
    }

    const fn kind(&self) -> PeerKind {
        if matches!(self.who, Who::Storage(_)) { PeerKind::Storage } else { PeerKind::Client }
    }

    fn key_of(&self, with: With) -> Secret {
        match with {
            With::Director => password_key(&self.name),
            With::Data => self.jobs.back().map_or_else(|| Secret::from(KEY), |(_, key)| key.clone()),
        }
    }

    /// Whom it lets in.
    fn keys(&self) -> Keyring {
        let director = PeerName::new(PeerKind::Director, scene::name(Who::Director));
        let mut keys = Keyring::builder().with(director, self.key_of(With::Director), Clear::Never);
        for (job, key) in &self.jobs {
            keys.insert(PeerName::new(PeerKind::Job, job), key.clone(), Clear::Never);
        }
        keys.build()
    }

    /// The last job that it has heard of.
    fn job(&self) -> &str {
        self.jobs.back().map_or("", |(job, _)| job)
    }

    fn hear_of(&mut self, job: &str, key: &str) {
        self.jobs.push_back((job.to_owned(), Secret::from(key)));
        if self.jobs.len() > MOST_JOBS {
            self.jobs.pop_front();
        }
    }

    fn on_text(&mut self, world: &World, n: usize, text: &[u8], at: &dyn Fn(&str) -> Option<IpAddr>) {
        let own = PeerName::new(self.kind(), &self.name).qualified();
        let challenge = Challenge::new(12_345, 1_767_225_600, &own, 0).to_line();
        let Line { step, with, ref hello, .. } = self.lines[n];
        let has_dialled = hello.is_some();
        let next = match step {
            Step::Hello => {
                let is_director = text.starts_with(b"Hello Director");
                self.lines[n].with = if is_director { With::Director } else { With::Data };
                self.lines[n].say(challenge);
                Step::Answer
            }
            Step::Challenge => match Challenge::parse(text) {
                Some(challenge) => {
                    let answer = challenge.answer(&self.key_of(with));
                    self.lines[n].say(answer);
                    Step::Verdict
                }
                None => Step::Over,
            },
            Step::Verdict if text != ACCEPTED.as_bytes() => Step::Over,
            Step::Verdict if has_dialled => {
                self.lines[n].say(challenge);
                Step::Answer
            }
            Step::Verdict => self.welcome(n),
            Step::Answer => {
                self.lines[n].say(ACCEPTED);
                if has_dialled { self.welcome(n) } else { Step::Challenge }
            }
            Step::Talk => {
                self.talk(world, n, &String::from_utf8_lossy(text), at);
                Step::Talk
            }
            Step::Open | Step::Over => step,
        };
        self.lines[n].step = next;
    }

    /// Both are in.
    fn welcome(&mut self, n: usize) -> Step {
        let line = &mut self.lines[n];
        self.news.push(format!("{} and its peer are in: {:?}", self.name, line.with));
        match (self.who, line.with) {
            (Who::Storage(_), With::Director) => line.say("3000 OK Hello\n"),
            (_, With::Director) if line.hello.is_none() => line.say("2000 OK Hello 54\n"),
            (Who::Client(_), With::Data) => line.say("append open session\n"),
            _ => {}
        }
        Step::Talk
    }

    // What it does then.

    fn talk(&mut self, world: &World, n: usize, text: &str, at: &dyn Fn(&str) -> Option<IpAddr>) {
        let line = &mut self.lines[n];
        line.orders += 1;
        let is_due = line.orders > if line.with == With::Data { self.well % 3 } else { self.well };
        if self.abuse == Abuse::Breach && is_due {
            let breach = pick(&mut self.rng, &Breach::ALL);
            self.news.push(format!("{} breaches its protection: {breach:?}", self.name));
            line.breach(breach);
        }
        match (self.abuse, line.with) {
            (Abuse::Silence, _) if line.orders > self.well => {}
            (Abuse::Babble, _) if line.orders > self.well => line.unsent.extend(babble(&mut self.rng, words(self.who))),
            (_, With::Director) if matches!(self.who, Who::Storage(_)) => self.ordered_as_storage(n, text),
            (_, With::Director) => self.ordered_as_client(world, n, text, at),
            (_, With::Data) if matches!(self.who, Who::Storage(_)) => self.serve_file(n, text),
            (_, With::Data) => self.send_data(n, text),
        }
    }

    /// An order to a file daemon (`wire/2`).
    fn ordered_as_client(&mut self, world: &World, n: usize, text: &str, at: &dyn Fn(&str) -> Option<IpAddr>) {
        let command = text.split([' ', '=']).next().unwrap_or("").trim().to_owned();
        let line = &mut self.lines[n];
        match command.as_str() {
            _ if line.in_fileset => {}
            "JobId" => {
                line.say("2000 OK Job 26.0.0 (01Jan26) hostile\n");
                self.hear_of(word(text, " Job="), word(text, "Authorization="));
            }
            "fileset" => line.in_fileset = true,
            "getSecureEraseCmd" => line.say("2000 OK FDSecureEraseCmd *None*\n"),
            "storage" => {
                let port = word(text, "port=").parse().unwrap_or(scene::port(Who::Storage(0)));
                self.storage = at(word(text, "address=")).map(|address| (address, port).into());
                line.say("2000 OK storage\n");
            }
            "backup" => {
                line.say("2000 OK backup\n");
                if self.abuse == Abuse::Lies {
                    line.say(ALL_IS_WELL);
                } else if let Some(storage) = self.storage {
                    let hello = format!("Hello Start Job {} Version=\"26.0.0\"\n", self.job());
                    self.dial(world, storage, With::Data, hello);
                }
            }
            _ => line.say(format!("2000 OK {command}\n")),
        }
    }

    /// An order to a storage daemon (`wire/3`).
    fn ordered_as_storage(&mut self, n: usize, text: &str) {
        let line = &mut self.lines[n];
        match text {
            _ if text.starts_with("JobId=") => {
                line.say(format!("3000 OK Job SDid=1 SDtime=1767225600 Authorization={KEY}\n"));
                self.hear_of(word(text, " job="), KEY);
            }
            "getSecureEraseCmd\n" => line.say("2000 OK SDSecureEraseCmd *None*\n"),
            // One end follows, where the devices have two.
            "bootstrap\n" => line.ends = 10,
            "run" | "run\n" => {
                let job = self.job().to_owned();
                let line = &mut self.lines[n];
                line.say(format!("3010 Job {job} start\n"));
                if self.abuse == Abuse::Lies {
                    line.say(format!("3099 Job {job} end JobStatus=84 JobFiles=9 JobBytes=9000 JobErrors=0\n"));
                }
            }
            _ => {}
        }
    }

    fn on_signal(&mut self, n: usize, signal: i32) {
        let line = &mut self.lines[n];
        let is_silent = matches!(self.abuse, Abuse::Silence | Abuse::Babble) && line.orders > self.well;
        if line.step != Step::Talk || line.with != With::Director || signal != -1 || is_silent {
            return;
        }
        line.ends += 1;
        match (self.who, line.ends) {
            (Who::Storage(_), 2) => line.say("3000 OK use device device=dev\n"),
            (Who::Storage(_), 11) => line.say("3000 OK bootstrap\n"),
            (Who::Client(_), _) if std::mem::take(&mut line.in_fileset) => line.say("2000 OK include\n"),
            _ => {}
        }
    }

    /// What its storage daemon says on a data channel.
    fn send_data(&mut self, n: usize, text: &str) {
        let line = &mut self.lines[n];
        if text.starts_with("3000 OK open") {
            line.say("append data 1\n");
        } else if text.starts_with("3000 OK data") {
            let misuse = pick(&mut self.rng, &Misuse::ALL);
            self.news.push(format!("{} sends {misuse:?}", self.name));
            let bytes = [whole_file(1), whole_file(2), misuse.bytes(&mut self.rng)].concat();
            line.unsent.extend(bytes);
            if misuse == Misuse::ForgottenEnd {
                self.lines.iter_mut().filter(|line| line.with == With::Director).for_each(|line| line.say(ALL_IS_WELL));
            }
        }
    }

    /// What its client asks for on a data channel.
    fn serve_file(&mut self, n: usize, text: &str) {
        let line = &mut self.lines[n];
        match text.split(' ').take(2).collect::<Vec<_>>()[..] {
            ["append" | "read", "open"] => line.say("3000 OK open ticket = 1\n"),
            ["append", "data"] => {
                line.say("3000 OK data\n");
                match self.rng.below(3) {
                    0 => line.is_deaf = true,
                    1 => line.unsent.extend(Gift::Garbage.bytes(&mut self.rng)),
                    _ => {}
                }
            }
            ["read", "data"] => {
                let gift = pick(&mut self.rng, &Gift::ALL);
                self.news.push(format!("{} gives {gift:?}", self.name));
                line.say("3000 OK data\n");
                line.unsent.extend(gift.bytes(&mut self.rng));
            }
            _ => {}
        }
    }

    /// Says something of its own accord.
    fn babble(&mut self, now: Instant) {
        if self.abuse != Abuse::Babble || self.words == 0 || now < self.next_word {
            return;
        }
        let well = self.well;
        let those = self.lines.iter_mut().filter(|line| line.step == Step::Talk && line.orders > well);
        for line in those {
            self.words = self.words.saturating_sub(1);
            line.unsent.extend(babble(&mut self.rng, words(self.who)));
        }
        self.next_word = now + WORD;
    }
}

/// What a file daemon says at the end of a good backup.
const ALL_IS_WELL: &str = "2800 End Job TermCode=84 JobFiles=2 ReadBytes=10 JobBytes=10 Errors=0 VSS=0 Encrypt=0\n";

/// The words of a file daemon, or of a storage daemon.
const fn words(who: Who) -> &'static [&'static str] {
    if matches!(who, Who::Storage(_)) { REPLIES } else { ANSWERS }
}

fn pick<T: Copy>(rng: &mut Rng, all: &[T]) -> T {
    all[usize::try_from(rng.below(all.len() as u64)).unwrap_or(0)]
}

/// What follows a name in an order, up to the next blank.
fn word<'a>(text: &'a str, name: &str) -> &'a str {
    text.split_once(name).and_then(|(_, rest)| rest.split_whitespace().next()).unwrap_or("")
}
