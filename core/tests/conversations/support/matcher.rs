//! Whether a frame of ours is the recorded one: byte for byte, but for nonces, keys, times, versions and names of jobs.

use std::collections::BTreeMap;

use super::conv::Frame;

/// Values that are ours where the recording has others: recorded text to our text. A peer's frames are changed so that it
/// says our values.
#[derive(Debug, Default)]
pub struct Bindings(BTreeMap<String, String>);

/// Fields of `name=value` that need not be equal, with what they must look like, and whether peers repeat them.
const FIELDS: &[(&str, Class, bool)] = &[
    ("Authorization", Class::Key, true),
    ("Job", Class::JobName, true),
    ("job", Class::JobName, true),
    ("EndTime", Class::Number, false),
    ("VolReadTime", Class::Number, false),
    ("VolWriteTime", Class::Number, false),
    ("VolFirstWritten", Class::Number, false),
    ("Version", Class::Version, false),
    ("FileSetMD5", Class::Digest, true),
];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Class {
    Number,
    Key,
    JobName,
    Version,
    /// MD5 in base64, of text that is each director's own.
    Digest,
}

impl Class {
    fn fits(self, recorded: &str, ours: &str) -> bool {
        match self {
            Self::Number => !ours.is_empty() && ours.bytes().all(|byte| byte.is_ascii_digit()),
            Self::Key => {
                let groups = || ours.split('-');
                groups().count() == 8
                    && groups().all(|group| group.len() == 4 && group.bytes().all(|b| b.is_ascii_uppercase()))
            }
            // `backup-tiny.2026-11-23_13.01.31_03`: the resource's name stays, the time and the counter are ours.
            Self::JobName => {
                let resource = |name: &str| name.rsplitn(4, '.').nth(3).map(ToOwned::to_owned);
                resource(recorded).is_some() && resource(recorded) == resource(ours)
            }
            Self::Version => ours.starts_with('"') && ours.ends_with('"'),
            Self::Digest => {
                ours.len() == 22 && ours.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+/".contains(&byte))
            }
        }
    }
}

impl Bindings {
    /// Our value for a recorded one.
    pub fn ours<'a>(&'a self, recorded: &'a str) -> &'a str {
        self.0.get(recorded).map_or(recorded, String::as_str)
    }

    /// Makes `ours` take the place of a recorded text in what peers say.
    pub fn bind(&mut self, recorded: &str, ours: &str) {
        if recorded != ours {
            self.0.insert(recorded.to_owned(), ours.to_owned());
        }
    }

    /// A recorded frame with our values in it.
    pub fn apply(&self, frame: &Frame) -> Frame {
        let Frame::Data(data) = frame else { return frame.clone() };
        let mut data = data.clone();
        for (recorded, ours) in &self.0 {
            data = replace(&data, recorded.as_bytes(), ours.as_bytes());
        }
        Frame::Data(data)
    }

    /// Whether `ours` is what the recording has; learns our values.
    pub fn matches(&mut self, recorded: &Frame, ours: &Frame) -> bool {
        let recorded = self.apply(recorded);
        if recorded == *ours {
            return true;
        }
        let (Frame::Data(recorded), Frame::Data(ours)) = (&recorded, ours) else { return false };
        match (std::str::from_utf8(recorded), std::str::from_utf8(ours)) {
            (Ok(recorded), Ok(ours)) => self.matches_text(recorded, ours),
            _ => false,
        }
    }

    fn matches_text(&mut self, recorded: &str, ours: &str) -> bool {
        if recorded.starts_with("auth cram-md5 <") {
            // The nonce and the time are ours; the name, the policy and the rest are not.
            return nonce(ours)
                && recorded.split_once('@').map(|(_, rest)| rest) == ours.split_once('@').map(|(_, rest)| rest);
        }
        // A hello of ours says that it is Towline's. Real daemons of every kind were seen to take that: none looks past
        // the version. So recordings stay as they are, and the mark must be there.
        let ours = match recorded.strip_prefix("Hello ") {
            Some(_) => match ours.strip_suffix(" Towline=1\n") {
                Some(bare) => &format!("{bare}\n"),
                None => return false,
            },
            None => ours,
        };
        if recorded.starts_with("2000 OK Job ") {
            // Version, build, system and platform; no line feed.
            return ours.starts_with("2000 OK Job ") && ours.contains(',') && !ours.ends_with('\n');
        }
        let (recorded, ours): (Vec<_>, Vec<_>) = (recorded.split(' ').collect(), ours.split(' ').collect());
        recorded.len() == ours.len()
            && recorded.iter().zip(&ours).all(|(recorded, ours)| self.matches_word(recorded, ours))
    }

    fn matches_word(&mut self, recorded: &str, ours: &str) -> bool {
        if recorded == ours {
            return true;
        }
        if recorded.ends_with('\n') != ours.ends_with('\n') {
            return false;
        }
        let halves =
            |word: &str| word.trim_end_matches('\n').split_once('=').map(|(a, b)| (a.to_owned(), b.to_owned()));
        let (Some((name, recorded)), Some((our_name, ours))) = (halves(recorded), halves(ours)) else { return false };
        let Some((_, class, repeated)) = FIELDS.iter().find(|(field, ..)| *field == name) else { return false };
        if name != our_name || !class.fits(&recorded, &ours) {
            return false;
        }
        if *repeated {
            self.bind(&recorded, &ours);
        }
        true
    }
}

/// Whether a frame is a job message with a line feed at its end: `wire/2 §4.2`.
pub fn is_job_message(frame: &Frame) -> bool {
    let Ok(text) = std::str::from_utf8(frame.data()) else { return false };
    let mut words = text.split(' ');
    let number = |word: Option<&str>, name: &str| {
        word.and_then(|word| word.strip_prefix(name)).is_some_and(|digits| digits.parse::<u64>().is_ok())
    };
    words.next() == Some("Jmsg")
        && words.next().is_some_and(|word| word.starts_with("Job=") && word.len() > 4)
        && number(words.next(), "type=")
        && number(words.next(), "level=")
        && text.ends_with('\n')
}

fn nonce(challenge: &str) -> bool {
    let inner = challenge.strip_prefix("auth cram-md5 <").and_then(|rest| rest.split_once('@'));
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    inner.and_then(|(nonce, _)| nonce.split_once('.')).is_some_and(|(random, time)| digits(random) && digits(time))
}

fn replace(data: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(data.len());
    let mut rest = data;
    while !rest.is_empty() {
        if let Some(after) = rest.strip_prefix(from) {
            out.extend_from_slice(to);
            rest = after;
        } else {
            out.push(rest[0]);
            rest = &rest[1..];
        }
    }
    out
}

#[test]
fn only_listed_fields_may_differ() {
    let mut bindings = Bindings::default();
    let is = |bindings: &mut Bindings, a: &str, b: &str| bindings.matches(&Frame::text(a), &Frame::text(b));
    assert!(is(&mut bindings, "CatReq VolBytes=1 EndTime=17\n", "CatReq VolBytes=1 EndTime=18\n"));
    assert!(!is(&mut bindings, "CatReq VolBytes=1 EndTime=17\n", "CatReq VolBytes=2 EndTime=17\n"));
    assert!(!is(&mut bindings, "CatReq VolBytes=1 EndTime=17\n", "CatReq VolBytes=1 EndTime=x\n"));
    assert!(!is(&mut bindings, "CatReq VolBytes=1 EndTime=17\n", "CatReq VolBytes=1 EndTime=18"));
    assert!(!is(&mut bindings, "auth cram-md5 <1.2@R_CLIENT::a> ssl=0\n", "auth cram-md5 <3.4@R_CLIENT::b> ssl=0\n"));
    assert!(is(&mut bindings, "auth cram-md5 <1.2@R_CLIENT::a> ssl=0\n", "auth cram-md5 <3.4@R_CLIENT::a> ssl=0\n"));
}

#[test]
fn what_differs_is_said_by_the_peer_too() {
    let mut bindings = Bindings::default();
    let (recorded, ours) = ("x.2026-11-23_13.01.31_03", "x.2026-01-01_00.00.00_01");
    assert!(
        bindings.matches(&Frame::text(&format!("run job={recorded}\n")), &Frame::text(&format!("run job={ours}\n")))
    );
    assert_eq!(
        bindings.apply(&Frame::text(&format!("3010 Job {recorded} start\n"))),
        Frame::text(&format!("3010 Job {ours} start\n"))
    );
}
