//! The legs of a row, each measured by the daemon that dials it for a job.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use towline_core::channel::{Channel, Pair, decide};
use towline_core::config::DirectorConfig;
use towline_core::node::Number;

use super::super::rows::Row;
use super::dialogue::Dialogue;

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

/// Measures legs, each once.
pub(super) struct Ward<'a> {
    pub(super) dialogue: Dialogue,
    pub(super) config: &'a DirectorConfig,
    seen: BTreeMap<String, (Seen, Option<i64>)>,
    found: BTreeMap<String, Option<Vec<IpAddr>>>,
}

impl<'a> Ward<'a> {
    pub(super) const fn new(dialogue: Dialogue, config: &'a DirectorConfig) -> Self {
        Self { dialogue, config, seen: BTreeMap::new(), found: BTreeMap::new() }
    }

    /// All legs of a row, in the order in which a job needs them.
    pub(super) fn legs(&mut self, row: &Row) -> Result<Vec<Leg>, String> {
        let mut legs = vec![self.storage(&row.storage, Number::DirectorToStorage)?];
        if let Some(to) = &row.to {
            legs.push(self.storage(to, Number::DirectorToSecondStorage)?);
            legs.extend(self.between(&row.storage, to));
        }
        if let Some(client) = &row.client {
            legs.push(self.client(client)?);
            legs.extend(self.data(client, &row.storage)?);
        }
        Ok(legs)
    }

    fn storage(&mut self, name: &str, number: Number) -> Result<Leg, String> {
        let at = self.config.storage(name).map(|storage| format!("{}:{}", storage.address, storage.port));
        let (seen, _) = self.ask(&format!("status storage={name:?}"), answered)?;
        let host = self.config.storage(name).map(|storage| storage.address.clone());
        let found = self.found(None, host.as_deref())?;
        Ok(Leg { number, from: self.config.director.name.clone(), to: name.to_owned(), at, found, seen, clock: None })
    }

    fn client(&mut self, name: &str) -> Result<Leg, String> {
        let client = self.config.client(name);
        let dialled = client.filter(|client| client.connection_from_director_to_client);
        let at = dialled.and_then(|client| Some(format!("{}:{}", client.address.as_ref()?, client.port)));
        let host = dialled.and_then(|client| client.address.clone());
        let (seen, _) = self.ask(&format!("status client={name:?}"), answered)?;
        let found = self.found(None, host.as_deref())?;
        let (own, name) = (self.config.director.name.clone(), name.to_owned());
        Ok(match at {
            Some(_) => Leg { number: Number::DirectorToFile, from: own, to: name, at, found, seen, clock: None },
            None => Leg { number: Number::FileToDirector, from: name, to: own, at, found, seen, clock: None },
        })
    }

    /// The data channel of a client and a storage.
    fn data(&mut self, client: &str, storage: &str) -> Result<Option<Leg>, String> {
        let Some((one, other)) = self.config.client(client).zip(self.config.storage(storage)) else { return Ok(None) };
        let channel = match decide(Pair::Job { client: one, storage: other }) {
            Ok(channel) => channel,
            Err(none) => {
                let (from, to) = (storage.to_owned(), client.to_owned());
                let seen = Seen::Broken(format!("{none}: {}", none.help()));
                return Ok(Some(Leg {
                    number: Number::StorageToFile,
                    from,
                    to,
                    at: None,
                    found: None,
                    seen,
                    clock: None,
                }));
            }
        };
        let (seen, clock) = self.ask(&format!("probe client={client:?} storage={storage:?}"), refused)?;
        let word = if channel.number == Number::StorageToFile { "storage" } else { "client" };
        let found = self.found(Some((word, channel.dialler.as_str())), Some(channel.address.as_str()))?;
        let Channel { number, dialler, dialled, address, port, .. } = channel;
        Ok(Some(Leg { number, from: dialler, to: dialled, at: Some(format!("{address}:{port}")), found, seen, clock }))
    }

    /// That of a copy, which only a copy can dial.
    fn between(&self, from: &str, to: &str) -> Option<Leg> {
        let (reading, writing) = self.config.storage(from).zip(self.config.storage(to))?;
        let channel = decide(Pair::Copy { reading, writing }).ok()?;
        let Channel { number, dialler, dialled, address, port, .. } = channel;
        let seen = Seen::Unmeasured("only a copy dials it".to_owned());
        Some(Leg {
            number,
            from: dialler,
            to: dialled,
            at: Some(format!("{address}:{port}")),
            found: None,
            seen,
            clock: None,
        })
    }

    /// What is seen, and the dialler's clock.
    fn ask(&mut self, line: &str, judge: fn(&str, Duration) -> Seen) -> Result<(Seen, Option<i64>), String> {
        if let Some(seen) = self.seen.get(line) {
            return Ok(seen.clone());
        }
        let (text, after) = self.dialogue.ask(line)?;
        let now = SystemTime::now().duration_since(UNIX_EPOCH).ok().and_then(|now| i64::try_from(now.as_secs()).ok());
        let seen = (judge(&text, after), now.and_then(|now| clock(&text, now)));
        self.seen.insert(line.to_owned(), seen.clone());
        Ok(seen)
    }

    /// What a daemon, or the director, finds for a name.
    fn found(&mut self, who: Option<(&str, &str)>, host: Option<&str>) -> Result<Option<Vec<IpAddr>>, String> {
        let Some(host) = host.filter(|host| host.parse::<IpAddr>().is_err()) else { return Ok(None) };
        let line =
            who.map_or_else(|| format!("resolve {host}"), |(word, name)| format!("resolve {word}={name:?} {host}"));
        if let Some(found) = self.found.get(&line) {
            return Ok(found.clone());
        }
        let (text, _) = self.dialogue.ask(&line)?;
        let found = addresses(&text);
        self.found.insert(line, found.clone());
        Ok(found)
    }
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

/// Whether the other side refused a job that it does not know. What a daemon of Bareos says is in its own words.
fn refused(text: &str, after: Duration) -> Seen {
    let codes = codes(text);
    let is = |range: std::ops::RangeInclusive<u16>| codes.iter().any(|code| range.contains(code));
    let says = |words: &[&str]| words.iter().any(|word| text.contains(word));
    // T01xx: it cannot be dialled. T02xx: TLS. T03xx: authentication.
    if is(100..=199) || says(&["Failed to connect", "Could not connect", "has not answered within"]) {
        Seen::Broken(reason(text))
    } else if is(200..=399) || says(&["ailed to authenticate", "uthorization", "TLS negotiation failed"]) {
        Seen::Reached(after)
    } else {
        Seen::Unmeasured(reason(text))
    }
}

/// The codes that a text names.
fn codes(text: &str) -> Vec<u16> {
    let is_code =
        |word: &&str| word.len() == 5 && word.starts_with('T') && word[1..].bytes().all(|byte| byte.is_ascii_digit());
    text.split(|c: char| !c.is_ascii_alphanumeric()).filter(is_code).filter_map(|word| word[1..].parse().ok()).collect()
}

/// By how much the clock of whoever wrote the last message is ahead: each has the time at which it was written.
fn clock(text: &str, now: i64) -> Option<i64> {
    let time = |line: &str| -> Option<i64> {
        let (_, rest) = line.strip_prefix("Jmsg ")?.split_once(" level=")?;
        rest.split(' ').next()?.parse().ok()
    };
    text.lines().rev().find_map(time).map(|time| time - now)
}

/// The line that says most: the last with a code, else the last. Of a message to a director, what it says.
fn reason(text: &str) -> String {
    let lines: Vec<&str> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    let with_code = lines.iter().rev().find(|line| !codes(line).is_empty());
    let Some(line) = with_code.or_else(|| lines.last()) else { return "no answer".to_owned() };
    let said = line.split_once(" JobId 0: ").map_or(*line, |(_, said)| said);
    said.strip_prefix("Fatal error: ").unwrap_or(said).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_name_resolves_to_is_read_from_the_answer() {
        let text = "laptop resolves sd.example to host[ipv4;10.0.0.20] host[ipv6;2001:db8::1] \n";
        assert_eq!(addresses(text), Some(vec![[10, 0, 0, 20].into(), "2001:db8::1".parse().unwrap()]));
        assert_eq!(addresses("laptop: Failed to resolve sd.example\n"), Some(Vec::new()));
        assert_eq!(addresses("no such client\n"), None);
    }

    #[test]
    fn a_message_says_the_reason_and_the_time_of_whoever_wrote_it() {
        let text = "data channel: …\nJmsg Job=-Probe-.2026_00 type=6 level=1000 fd JobId 0: connection refused (T0103). Failed tries: 1\n\
                    Jmsg Job=-Probe-.2026_00 type=3 level=1010 fd JobId 0: Fatal error: cannot connect (T0103); start it\n2902 Bad storage\n";
        assert_eq!(reason(text), "cannot connect (T0103); start it");
        assert_eq!((clock(text, 1000), clock(text, 1100), clock("2902 Bad storage\n", 0)), (Some(10), Some(-90), None));
    }

    #[test]
    fn a_refusal_shows_that_the_way_is_there() {
        let after = Duration::from_millis(5);
        for text in [
            "Fatal error: the storage daemon refuses (T0311)\n2902 Bad storage\n",
            "Fatal error: Failed to authenticate Storage daemon.\n2902 Bad storage\n",
            "TLS negotiation failed\n2902 Bad storage\n",
        ] {
            assert_eq!(refused(text, after), Seen::Reached(after), "{text}");
        }
        for text in [
            "Error: connection refused at 10.0.0.20:9103 (T0103)\n2902 Bad storage\n",
            "Failed to connect to Storage daemon: 10.0.0.20:9103\n2902 Bad storage\n",
        ] {
            assert!(matches!(refused(text, after), Seen::Broken(_)), "{text}");
        }
        assert!(matches!(refused("2902 Bad storage\n", after), Seen::Unmeasured(_)));
    }
}
