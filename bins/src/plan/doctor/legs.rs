//! The legs of a row, each measured by the daemon that dials it for a job.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::Duration;

use towline_core::channel::{Channel, Pair, decide};
use towline_core::config::DirectorConfig;
use towline_core::node::Number;
use towline_core::wire::probe::SIZES;

use super::super::rows::Row;
use crate::dialogue::{Desk, Heard, NoAnswer, ONE_ANSWER};
use crate::probe::{self, clock, codes, reason};

/// A connection of a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Leg {
    /// Which of the overview it is.
    pub(super) number: Number,
    /// The daemon that dials.
    pub(super) from: String,
    /// The daemon that is dialled.
    pub(super) to: String,
    /// What it is dialled at; nothing if it waits at the director.
    pub(super) at: Option<String>,
    /// What the dialler finds for the name in that; nothing for an address, or if it was not asked.
    pub(super) found: Option<Vec<IpAddr>>,
    /// What was seen.
    pub(super) seen: Seen,
    /// By how many seconds the dialler's clock is ahead of the one here, if it has said what time it is.
    pub(super) clock: Option<i64>,
}

/// What was seen of a leg.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Seen {
    /// It was made and authenticated, and the daemon answered after this.
    Answered(Duration),
    /// It was made, and the other side refused a job that it does not know, as it must.
    Reached(Duration),
    /// It was not made: why.
    Broken(String),
    /// It cannot be measured: why.
    Unmeasured(String),
}

impl Seen {
    pub(super) const fn is_made(&self) -> bool {
        matches!(self, Self::Answered(_) | Self::Reached(_))
    }
}

/// Measures legs, each once: what has to be asked for them is asked side by side, in rounds.
pub(super) struct Ward<'a> {
    desk: Desk,
    pub(super) config: &'a DirectorConfig,
    heard: BTreeMap<String, Heard>,
    /// What has to be asked before more can be said.
    wanted: Vec<String>,
}

/// The most rounds: the ways and the names, small packets where a way stands still, large ones, and those between.
const ROUNDS: usize = 4;

impl<'a> Ward<'a> {
    pub(super) const fn new(desk: Desk, config: &'a DirectorConfig) -> Self {
        Self { desk, config, heard: BTreeMap::new(), wanted: Vec::new() }
    }

    /// All legs of rows, each row's in the order in which a job needs them.
    pub(super) fn legs(&mut self, rows: &[Row]) -> Result<Vec<Vec<Leg>>, NoAnswer> {
        for _ in 0..ROUNDS {
            rows.iter().for_each(|row| _ = self.of_row(row));
            if self.wanted.is_empty() {
                break;
            }
            let wanted = self.in_groups();
            self.heard.extend(self.desk.ask(wanted)?);
        }
        Ok(rows.iter().map(|row| self.of_row(row)).collect())
    }

    /// One line, and what is answered.
    pub(super) fn ask(&self, line: &str) -> Result<String, NoAnswer> {
        self.desk.ask_one(line).map(Option::unwrap_or_default)
    }

    /// What is wanted, in groups of lines that are asked one after the other: a client that waits at the director has one
    /// connection for them.
    fn in_groups(&mut self) -> Vec<Vec<String>> {
        let waits = self.config.clients.iter().filter(|client| !client.connection_from_director_to_client);
        let waiting: Vec<String> = waits.map(|client| format!("client={:?}", client.name)).collect();
        let mut groups: BTreeMap<&str, Vec<String>> = BTreeMap::new();
        let mut all = Vec::new();
        for line in std::mem::take(&mut self.wanted) {
            match waiting.iter().find(|client| line.contains(client.as_str())) {
                Some(client) => groups.entry(client).or_default().push(line),
                None => all.push(vec![line]),
            }
        }
        all.extend(groups.into_values());
        all
    }

    fn of_row(&mut self, row: &Row) -> Vec<Leg> {
        let mut legs = vec![self.storage(&row.storage, Number::DirectorToStorage)];
        if let Some(to) = &row.to {
            legs.push(self.storage(to, Number::DirectorToSecondStorage));
            legs.extend(self.between(&row.storage, to));
        }
        if let Some(client) = &row.client {
            legs.push(self.client(client));
            legs.extend(self.data(client, &row.storage));
        }
        if let Some((data, control)) = legs.split_last_mut() {
            untold(data, control);
        }
        legs
    }

    fn storage(&mut self, name: &str, number: Number) -> Leg {
        let storage = self.config.storage(name);
        let at = storage.map(|storage| format!("{}:{}", storage.address, storage.port));
        let host = storage.map(|storage| storage.address.clone());
        let seen = self.sized(&format!("storage={name:?}"));
        let found = self.found(None, host.as_deref());
        Leg { number, from: self.config.director.name.clone(), to: name.to_owned(), at, found, seen, clock: None }
    }

    fn client(&mut self, name: &str) -> Leg {
        let client = self.config.client(name);
        let dialled = client.filter(|client| client.connection_from_director_to_client);
        let at = dialled.and_then(|client| Some(format!("{}:{}", client.address.as_ref()?, client.port)));
        let host = dialled.and_then(|client| client.address.clone());
        let seen = self.sized(&format!("client={name:?}"));
        let found = self.found(None, host.as_deref());
        let (own, name) = (self.config.director.name.clone(), name.to_owned());
        match at {
            Some(_) => Leg { number: Number::DirectorToFile, from: own, to: name, at, found, seen, clock: None },
            None => Leg { number: Number::FileToDirector, from: name, to: own, at, found, seen, clock: None },
        }
    }

    /// The data channel of a client and a storage.
    fn data(&mut self, client: &str, storage: &str) -> Option<Leg> {
        let (one, other) = self.config.client(client).zip(self.config.storage(storage))?;
        match decide(Pair::Job { client: one, storage: other }) {
            Ok(channel) => Some(self.probed(&format!("probe client={client:?} storage={storage:?}"), channel)),
            Err(none) => {
                let (from, to) = (storage.to_owned(), client.to_owned());
                let seen = Seen::Broken(format!("{none}: {}", none.help()));
                Some(Leg { number: Number::StorageToFile, from, to, at: None, found: None, seen, clock: None })
            }
        }
    }

    /// That of a copy.
    fn between(&mut self, from: &str, to: &str) -> Option<Leg> {
        let (reading, writing) = self.config.storage(from).zip(self.config.storage(to))?;
        if reading.address == writing.address && reading.port == writing.port {
            // One daemon copies within itself.
            return None;
        }
        let channel = decide(Pair::Copy { reading, writing }).ok()?;
        Some(self.probed(&format!("probe storage={from:?} to={to:?}"), channel))
    }

    /// A channel that a daemon dials when it is told to, with packets as large as its way should carry if it can send such.
    fn probed(&mut self, line: &str, channel: Channel) -> Leg {
        let (mut seen, clock) = self.see(line, refused);
        let question = Question::Probe(line);
        let word = if channel.number == Number::FileToStorage { "client" } else { "storage" };
        // A handshake may be too large for a way itself.
        let is_narrow = |ward: &mut Self| ward.stood_still(line) && ward.passes(&question, SHORT) == Some(true);
        if self.is_ours(word, &channel.dialler) && (seen.is_made() || is_narrow(self)) {
            seen = self.widest(&question).map_or(seen, Seen::Broken);
        }
        let found = self.found(Some((word, channel.dialler.as_str())), Some(channel.address.as_str()));
        if found.as_ref().is_some_and(Vec::is_empty) && seen.is_made() {
            // A daemon of Bareos refuses in the same words.
            seen = Seen::Broken(format!("{} finds no address for {}", channel.dialler, channel.address));
        }
        let Channel { number, dialler, dialled, address, port, .. } = channel;
        Leg { number, from: dialler, to: dialled, at: Some(format!("{address}:{port}")), found, seen, clock }
    }

    /// What was heard; what was not is asked for in the next round.
    fn heard(&mut self, line: &str) -> Option<Heard> {
        let heard = self.heard.get(line).cloned();
        if heard.is_none() && !self.wanted.iter().any(|wanted| wanted == line) {
            self.wanted.push(line.to_owned());
        }
        heard
    }

    /// What is seen, and the dialler's clock.
    fn see(&mut self, line: &str, judge: fn(&str, Duration) -> Seen) -> (Seen, Option<i64>) {
        match self.heard(line) {
            None => (Seen::Unmeasured("it was not asked".to_owned()), None),
            Some(Heard { text: None, .. }) => (Seen::Broken(late()), None),
            Some(Heard { text: Some(text), after, at }) => (judge(&text, after), at.and_then(|now| clock(&text, now))),
        }
    }

    /// What is seen of a leg between the director and this daemon, with packets as large as its way should carry: asked to
    /// look up a name too long for any, it says that there is none, and repeats it.
    fn sized(&mut self, who: &str) -> Seen {
        let status = format!("status {who}");
        let (seen, _) = self.see(&status, answered);
        let question = Question::Resolve(who);
        if !seen.is_made() {
            // A handshake may be too large for a way itself: then the director dials again with small segments.
            let is_narrow = self.stood_still(&status) && self.passes(&question, SHORT) == Some(true);
            return if is_narrow { Seen::Broken(NARROW.to_owned()) } else { seen };
        }
        self.widest(&question).map_or(seen, Seen::Broken)
    }

    /// Whether a connection was made and came no further, as far as has been heard.
    fn stood_still(&self, line: &str) -> bool {
        let stands_still = |code: &u16| (130..500).contains(code) && !is_refusal(*code);
        let heard = self.heard.get(line);
        heard.is_some_and(|heard| heard.text.as_ref().is_none_or(|text| codes(text).iter().any(stands_still)))
    }

    /// What to say if packets of full size do not get through.
    fn widest(&mut self, question: &Question<'_>) -> Option<String> {
        if self.passes(question, FULL) != Some(false) {
            return None;
        }
        let mut passing = Vec::new();
        for length in LENGTHS {
            passing.extend(self.passes(question, length).filter(|passes| *passes).map(|_| length));
        }
        Some(match passing.into_iter().max() {
            Some(largest) => format!(
                "large packets vanish: of about {largest} bytes they get through, of full size they do not; something on \
                 the way carries less than the MTU of an interface says: let ICMP \"fragmentation needed\" through, or set \
                 the MTU to {largest}"
            ),
            None => "it answers short questions, and none with a packet of 576 bytes or more: the way loses packets"
                .to_owned(),
        })
    }

    /// Whether a question with a packet of about this length, or longer than any packet, is answered.
    fn passes(&mut self, question: &Question<'_>, length: usize) -> Option<bool> {
        let Heard { text, .. } = self.heard(&question.line(length))?;
        Some(text.is_some_and(|text| question.has_come(&text)))
    }

    /// Whether a daemon has said that it is Towline: one of Bareos dials with packets of its own size.
    fn is_ours(&mut self, word: &str, name: &str) -> bool {
        let text = self.heard(&format!("status {word}={name:?}")).and_then(|heard| heard.text);
        text.is_some_and(|text| text.contains(TOWLINE))
    }

    /// What a daemon, or the director, finds for a name.
    fn found(&mut self, who: Option<(&str, &str)>, host: Option<&str>) -> Option<Vec<IpAddr>> {
        let host = host.filter(|host| host.parse::<IpAddr>().is_err())?;
        let line =
            who.map_or_else(|| format!("resolve {host}"), |(word, name)| format!("resolve {word}={name:?} {host}"));
        addresses(&self.heard(&line)?.text?)
    }
}

/// Who is not reached cannot be told to dial: then the reason is that of the director's own leg, and of the data channel
/// nothing is known.
fn untold(data: &mut Leg, control: &[Leg]) {
    let same = |leg: &&Leg| (leg.to == data.from || leg.from == data.from) && leg.seen == data.seen;
    if let (true, Seen::Broken(_), Some(leg)) = (data.number.is_data(), &data.seen, control.iter().find(same)) {
        let director = if leg.to == data.from { &leg.from } else { &leg.to };
        data.seen = Seen::Unmeasured(format!("{director} does not reach {}, which would dial", data.from));
    }
}

/// What is asked with packets of a size.
enum Question<'q> {
    /// This daemon looks up a name so long, and repeats it.
    Resolve(&'q str),
    /// The dialler of this probe fills its first line, and the daemon that it dials fills the answer.
    Probe(&'q str),
}

impl Question<'_> {
    fn line(&self, length: usize) -> String {
        match self {
            Self::Resolve(who) => format!("resolve {who} {}", "a".repeat(length.saturating_sub(OVERHEAD))),
            Self::Probe(line) => {
                let size = length.saturating_sub(HEADERS).clamp(*SIZES.start(), *SIZES.end());
                format!("{line} size={size}")
            }
        }
    }

    /// Whether an answer shows that the packet has come.
    fn has_come(&self, text: &str) -> bool {
        let codes = codes(text);
        match self {
            // Whatever it says of the name. The codes of dials that failed, and of connections that stood still.
            Self::Resolve(_) => {
                !codes.iter().any(|code| (100..400).contains(code)) && !text.contains("has not answered")
            }
            // It was refused, or hung up on by a daemon of Bareos (T0311).
            Self::Probe(_) => codes.iter().any(|code| is_refusal(*code) || *code == 311),
        }
    }
}

/// Lengths of IP packets that ways carry which do not carry 1,500 bytes: what each way must, what IPv6 must, tunnels.
const LENGTHS: [usize; 4] = [576, 1_280, 1_400, 1_460];
/// More than one packet of any Ethernet without jumbo frames.
const FULL: usize = 2_900;
/// Little more than what is in each packet.
const SHORT: usize = OVERHEAD + 10;
/// What is in a packet beside the name at least: the headers of IP, of TCP with its options, and of the question.
const OVERHEAD: usize = 64;
/// The headers of IP and of TCP with its options, and the length of a line.
const HEADERS: usize = 56;

/// What a Towline daemon says of itself in its status.
const TOWLINE: &str = "Towline binary";

const NARROW: &str = "large packets vanish: it stands still, and with small segments it answers; something on the way carries \
                      less than the MTU of an interface says: let ICMP \"fragmentation needed\" through, or lower the MTU";

/// Whether a code says that the other side has answered, and does not want us: `T0201` to `T0219` and `T0302` to `T0308`.
const fn is_refusal(code: u16) -> bool {
    matches!(code, 201..=219 | 302..=308)
}

fn late() -> String {
    format!("no answer within {} s", ONE_ANSWER.as_secs())
}

/// `… resolves NAME to host[ipv4;10.0.0.1] …`; an empty list if it says that there are none, nothing if it says neither.
fn addresses(text: &str) -> Option<Vec<IpAddr>> {
    let of = |part: &str| part.split_once(']')?.0.split_once(';')?.1.parse().ok();
    let all: Vec<IpAddr> = text.split("host[").skip(1).filter_map(of).collect();
    (!all.is_empty() || text.contains("Failed to resolve")).then_some(all)
}

/// Whether a daemon has shown its status.
fn answered(text: &str, after: Duration) -> Seen {
    if text.contains(" Version: ") { Seen::Answered(after) } else { Seen::Broken(reason(text)) }
}

/// Whether the other side refused a job that it does not know.
fn refused(text: &str, after: Duration) -> Seen {
    match probe::judge(text, after) {
        probe::Seen::Reached => Seen::Reached(after),
        probe::Seen::Broken(why) => Seen::Broken(why),
        probe::Seen::Unmeasured(why) => Seen::Unmeasured(why),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_login_that_is_refused_is_no_large_packet_that_vanishes() {
        assert!([204, 210, 307].into_iter().all(is_refusal));
        assert!(![130, 133, 220, 311, 312, 319].into_iter().any(is_refusal), "these ways may be too narrow");
    }

    #[test]
    fn a_data_channel_is_not_measured_where_nobody_can_be_told_to_dial_it() {
        let leg = |number, from: &str, to: &str, why: &str| Leg {
            number,
            from: from.to_owned(),
            to: to.to_owned(),
            at: None,
            found: None,
            seen: Seen::Broken(why.to_owned()),
            clock: None,
        };
        let control = [
            leg(Number::DirectorToStorage, "dir", "sd", "storage daemon: refused"),
            leg(Number::DirectorToFile, "dir", "fd", "file daemon: refused"),
        ];
        for (from, why, is_told) in [
            ("fd", "file daemon: refused", false),
            ("fd", "cannot reach the storage daemon: refused", true),
            ("sd", "storage daemon: refused", false),
            ("sd", "file daemon: refused", true),
        ] {
            let mut data = leg(Number::FileToStorage, from, "other", why);
            untold(&mut data, &control);
            let untold = Seen::Unmeasured(format!("dir does not reach {from}, which would dial"));
            assert_eq!(data.seen, if is_told { Seen::Broken(why.to_owned()) } else { untold });
        }
        let mut waiting = leg(Number::FileToStorage, "fd", "sd", "no client waits");
        untold(&mut waiting, &[leg(Number::FileToDirector, "fd", "dir", "no client waits")]);
        assert_eq!(waiting.seen, Seen::Unmeasured("dir does not reach fd, which would dial".to_owned()));
    }

    #[test]
    fn a_large_packet_has_come_when_it_is_refused_and_not_when_its_connection_stands_still() {
        let probe = Question::Probe("probe client=\"c\" storage=\"s\"");
        assert_eq!(probe.line(2_900), "probe client=\"c\" storage=\"s\" size=2844");
        let said = |code: &str| format!("Jmsg x type=3 level=1 c JobId 0: Fatal error: … ({code})\n2902 Bad storage\n");
        assert!(["T0307", "T0311"].into_iter().all(|code| probe.has_come(&said(code))));
        assert!(["T0312", "T0131", "T0110"].into_iter().all(|code| !probe.has_come(&said(code))));
    }

    #[test]
    fn what_a_name_resolves_to_is_read_from_the_answer() {
        let text = "laptop resolves sd.example to host[ipv4;10.0.0.20] host[ipv6;2001:db8::1] \n";
        assert_eq!(addresses(text), Some(vec![[10, 0, 0, 20].into(), "2001:db8::1".parse().unwrap()]));
        assert_eq!(addresses("laptop: Failed to resolve sd.example\n"), Some(Vec::new()));
        assert_eq!(addresses("no such client\n"), None);
    }
}
