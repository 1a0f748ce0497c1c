//! CRAM-MD5, both sides, as step machines: a line in, a line out (`wire/1 §4`).
//!
//! ```text
//!   dialler                              acceptor
//!     AwaitChallenge  <- challenge ---     AwaitAnswer
//!                     -- answer ------>
//!     AwaitVerdict    <- verdict -----     AwaitChallenge
//!                     -- challenge --->
//!     AwaitAnswer     <- answer ------     AwaitVerdict
//!                     -- verdict ----->    done
//!     done
//! ```

use super::reason::CloseReason;
use crate::secret::Secret;
use crate::time::Wall;
use crate::wire::cram_md5::{ACCEPTED, Challenge, REFUSED, is_accepted};
use crate::wire::hello::{CROWDED, TOWLINE, is_marked};
use crate::wire::names::{PeerKind, PeerName, unbash};
use crate::wire::scan::lossy;

/// What both sides of an authentication need.
#[derive(Debug)]
pub(super) struct Terms {
    /// The key of both directions (`wire/1 §4.6`).
    pub(super) key: Secret,
    /// Our qualified name.
    pub(super) own: String,
    /// Our challenge.
    pub(super) challenge: Challenge,
    /// Whom a wrong password is reported for.
    pub(super) peer: String,
    /// Whether our challenge says that we are Towline: only towards a dialler that has said so.
    pub(super) marked: bool,
    /// Why the acceptor refuses the dialler, whatever it answers: it must not notice before the end of the exchange.
    pub(super) doom: Option<CloseReason>,
}

impl Terms {
    pub(super) fn new(key: Secret, own: String, (nonce, wall): (u32, Wall), policy: u8, peer: String) -> Self {
        let seconds = u64::try_from(wall.seconds()).unwrap_or(0);
        let challenge = Challenge::new(nonce, seconds, &own, i32::from(policy));
        Self { key, own, challenge, peer, marked: false, doom: None }
    }
}

/// One side of an authentication under way.
#[derive(Debug)]
pub(super) struct Auth {
    terms: Terms,
    dialled: bool,
    awaits: Awaits,
    theirs: Theirs,
}

#[derive(Clone, Copy, Debug)]
enum Awaits {
    Challenge,
    Answer,
    Verdict,
}

/// What the peer's challenge said besides the challenge.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Theirs {
    /// Its TLS policy number; `None` if it announced none.
    pub(super) policy: Option<i32>,
    /// Who it says it is, if that is a qualified name of a kind we know.
    pub(super) name: Option<PeerName>,
    /// Whether it is Towline.
    pub(super) towline: bool,
}

/// What a line led to. A reply is the payload of one frame.
#[derive(Debug)]
pub(super) enum Step {
    /// Not done yet.
    Go(Auth, Vec<Vec<u8>>),
    /// Both directions agree.
    Done(Theirs, Option<Vec<u8>>),
    /// It failed; the reply is still to be sent.
    Failed(CloseReason, Option<Vec<u8>>),
}

impl Auth {
    /// The side that accepted, and its challenge.
    pub(super) fn accepted(terms: Terms) -> (Self, Vec<u8>) {
        let mut line = terms.challenge.to_line();
        if terms.marked {
            line.truncate(line.trim_end().len());
            line.push_str(TOWLINE);
            line.push('\n');
        }
        let line = line.into_bytes();
        (Self { terms, dialled: false, awaits: Awaits::Answer, theirs: Theirs::default() }, line)
    }

    /// The side that dialled; the peer challenges first.
    pub(super) fn dialled(terms: Terms) -> Self {
        Self { terms, dialled: true, awaits: Awaits::Challenge, theirs: Theirs::default() }
    }

    /// Takes a line of the peer.
    pub(super) fn line(self, line: &[u8]) -> Step {
        match self.awaits {
            Awaits::Challenge => self.challenge(line),
            Awaits::Answer => self.answer(line),
            Awaits::Verdict => self.verdict(line),
        }
    }

    fn challenge(mut self, line: &[u8]) -> Step {
        let refused = || Some(REFUSED.as_bytes().to_vec());
        let Some(theirs) = Challenge::parse(line) else {
            return match first_line(line) {
                text if text == REFUSED.trim_end() => Step::Failed(CloseReason::RefusedByPeer, None),
                text if text == CROWDED.trim_end() => Step::Failed(CloseReason::Crowded, None),
                text if self.dialled => Step::Failed(CloseReason::Refused(text), refused()),
                text => Step::Failed(CloseReason::Protocol(format!("{text:?} instead of a challenge")), refused()),
            };
        };
        // The second test closes what `is_replay` leaves open for storage daemons: nobody may return our own challenge.
        if theirs.is_replay(&self.terms.own) || theirs.is_same_as(&self.terms.challenge) {
            return Step::Failed(CloseReason::Reflection, refused());
        }
        self.theirs = Theirs { policy: theirs.policy, name: challenger(&theirs), towline: is_marked(line) };
        let answer = theirs.answer(&self.terms.key);
        self.awaits = Awaits::Verdict;
        Step::Go(self, vec![answer])
    }

    /// Why the dialler will be refused in any case, if it will.
    pub(super) const fn doom(&self) -> Option<&CloseReason> {
        self.terms.doom.as_ref()
    }

    fn answer(mut self, line: &[u8]) -> Step {
        let is_right = self.terms.challenge.verify(&self.terms.key, line);
        if !is_right || self.terms.doom.is_some() {
            let reason = match self.terms.doom {
                Some(doom) => doom,
                None if line == REFUSED.as_bytes() => CloseReason::RefusedByPeer,
                None if line == CROWDED.as_bytes() => CloseReason::Crowded,
                None => CloseReason::WrongPassword(self.terms.peer),
            };
            return Step::Failed(reason, Some(REFUSED.as_bytes().to_vec()));
        }
        let accepted = ACCEPTED.as_bytes().to_vec();
        if self.dialled {
            return Step::Done(self.theirs, Some(accepted));
        }
        self.awaits = Awaits::Challenge;
        Step::Go(self, vec![accepted])
    }

    fn verdict(mut self, line: &[u8]) -> Step {
        if !is_accepted(line) {
            let is_crowded = line == CROWDED.as_bytes();
            return Step::Failed(if is_crowded { CloseReason::Crowded } else { CloseReason::RefusedByPeer }, None);
        }
        if !self.dialled {
            return Step::Done(self.theirs, None);
        }
        self.awaits = Awaits::Answer;
        let challenge = self.terms.challenge.to_line().into_bytes();
        Step::Go(self, vec![challenge])
    }
}

/// The peer of a challenge in the name `<type>::<name>` (`wire/1 §4.2`).
fn challenger(challenge: &Challenge) -> Option<PeerName> {
    let qualified = lossy(challenge.challenger()?);
    let (kind, name) = qualified.split_once("::")?;
    let kind: PeerKind = kind.parse().ok()?;
    (!name.is_empty()).then(|| PeerName { kind, name: unbash(name) })
}

/// The first line of what a peer says, fit for a log: of at most 200 bytes.
pub(super) fn first_line(text: &[u8]) -> String {
    let line = text.split(|&byte| byte == b'\n').next().unwrap_or_default();
    crate::printable::line_of(&line.trim_ascii_end()[..line.trim_ascii_end().len().min(200)])
}

/// What the two policy numbers ask for on a connection in clear (`wire/1 §2.9`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum InBand {
    Clear,
    Tls,
    Deny,
}

/// The table of `wire/1 §2.9`.
pub(super) const fn in_band(local: u8, remote: Option<i32>) -> InBand {
    match (local, remote) {
        (0, Some(0 | 1)) | (1, Some(0)) => InBand::Clear,
        (0, Some(2)) | (2, Some(0)) => InBand::Deny,
        _ => InBand::Tls,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::cram_md5::password_key;

    fn terms(own: &str, key: &Secret, nonce: u32, at: i64) -> Terms {
        Terms::new(key.clone(), own.to_owned(), (nonce, Wall(at * 1_000_000)), 0, "peer".to_owned())
    }

    /// Runs both sides; returns all lines in the order they were sent, `>` from the dialler.
    fn dialogue(dialler: Terms, acceptor: Terms) -> (Vec<String>, Result<(Theirs, Theirs), CloseReason>) {
        let mut lines = Vec::new();
        let (mut acceptor, first) = Auth::accepted(acceptor);
        let mut dialler = Auth::dialled(dialler);
        let mut to_dialler = vec![first];
        let mut done = None;
        loop {
            let mut to_acceptor = Vec::new();
            for line in std::mem::take(&mut to_dialler) {
                lines.push(format!("< {}", String::from_utf8_lossy(&line)));
                match dialler.line(&line) {
                    Step::Go(next, replies) => (dialler, to_acceptor) = (next, replies),
                    Step::Done(theirs, reply) => {
                        done = Some(theirs);
                        to_acceptor.extend(reply);
                        dialler = Auth::dialled(terms("x", &Secret::from("x"), 0, 0));
                    }
                    Step::Failed(reason, _) => return (lines, Err(reason)),
                }
            }
            for line in to_acceptor {
                lines.push(format!("> {}", String::from_utf8_lossy(&line)));
                match acceptor.line(&line) {
                    Step::Go(next, replies) => {
                        acceptor = next;
                        to_dialler.extend(replies);
                    }
                    Step::Done(theirs, None) => return (lines, Ok((done.take().unwrap(), theirs))),
                    Step::Done(_, Some(_)) => panic!("the acceptor speaks first and hears last"),
                    Step::Failed(reason, _) => return (lines, Err(reason)),
                }
            }
        }
    }

    #[test]
    fn the_recorded_dialogues_come_out_byte_for_byte() {
        let session = Secret::from("DJFK-CCCF-FLNE-JBIH-NMCJ-NHGC-COAJ-PPMF");
        for (key, acceptor, dialler, at, answers) in [
            (
                password_key("dir-secret"),
                ("R_DIRECTOR::bareos-dir", 186_154_524),
                ("R_CONSOLE::*UserAgent*", 1_680_993_682),
                1_795_438_891,
                ["r9pJnn/3A//W2V/y3H/xzB", "M9hZciRQF+h1o8ZqM7+fEC"],
            ),
            (
                password_key("sd-secret"),
                ("R_STORAGE::bareos-sd", 1_567_158_817),
                ("R_DIRECTOR::bareos-dir", 954_125_919),
                1_795_438_893,
                ["N3/kak5NIgIuw9/gI6kBjC", "2G+nZ8/mK//Ob8/em5+OWD"],
            ),
            (
                password_key("fd-secret"),
                ("R_CLIENT::bareos-fd", 112_881_987),
                ("R_DIRECTOR::bareos-dir", 1_377_021_904),
                1_795_438_893,
                ["CG15gg/zD7/jTk+w0F/vYD", "h9/AZx+Ww7+1dh+h9EYRtC"],
            ),
            (
                session,
                ("R_STORAGE::bareos-sd", 871_364_035),
                ("R_CLIENT::bareos-fd", 362_383_699),
                1_795_438_893,
                ["a5/W44Bcp5+9a7V8x4J67A", "Z5l9jDlfYG+qsysHxz+R6B"],
            ),
        ] {
            let (lines, outcome) =
                dialogue(terms(dialler.0, &key, dialler.1, at), terms(acceptor.0, &key, acceptor.1, at));
            let expected = [
                format!("< auth cram-md5 <{}.{at}@{}> ssl=0\n", acceptor.1, acceptor.0),
                format!("> {}\0", answers[0]),
                "< 1000 OK auth\n".to_owned(),
                format!("> auth cram-md5 <{}.{at}@{}> ssl=0\n", dialler.1, dialler.0),
                format!("< {}\0", answers[1]),
                "> 1000 OK auth\n".to_owned(),
            ];
            assert_eq!(lines, expected);
            let (by_dialler, by_acceptor) = outcome.unwrap();
            assert_eq!(by_dialler.name.unwrap().to_string(), acceptor.0);
            assert_eq!(by_acceptor.name.unwrap().to_string(), dialler.0);
            assert_eq!((by_dialler.policy, by_acceptor.policy), (Some(0), Some(0)));
        }
    }

    #[test]
    fn the_worked_example_is_answered_in_the_variant_asked_for() {
        let key = password_key("secret");
        for (keyword, answer) in [("cram-md5", "151q4/h3cg5dp4/JZC4DkA\0"), ("cram-md5c", "1J1q4fh3cg5dpozJZC4DkA\0")] {
            let auth = Auth::dialled(terms("R_DIRECTOR::d", &key, 1, 1));
            let line = format!("auth {keyword} <1522876701.1562050758@R_STORAGE::bareos-sd> ssl=2\n");
            let Step::Go(_, replies) = auth.line(line.as_bytes()) else { panic!("{keyword}") };
            assert_eq!(replies, [answer.as_bytes()]);
        }
    }

    #[test]
    fn a_wrong_answer_names_the_peer_and_is_refused() {
        let (key, other) = (Secret::from("one"), Secret::from("two"));
        let (auth, _) = Auth::accepted(terms("R_STORAGE::s", &key, 1, 2));
        let Step::Go(_, replies) =
            Auth::dialled(terms("R_DIRECTOR::d", &other, 3, 4)).line(b"auth cram-md5 <1.2@R_STORAGE::s> ssl=0\n")
        else {
            panic!("a challenge is answered")
        };
        let Step::Failed(reason, reply) = auth.line(&replies[0]) else { panic!("two keys cannot agree") };
        assert_eq!(reason, CloseReason::WrongPassword("peer".to_owned()));
        assert_eq!(reply.as_deref(), Some(REFUSED.as_bytes()));
    }

    #[test]
    fn our_own_challenge_sent_back_is_a_reflection_even_between_storage_daemons() {
        let key = Secret::from("one");
        for own in ["R_DIRECTOR::d", "R_STORAGE::s"] {
            let (auth, challenge) = Auth::accepted(terms(own, &key, 1, 2));
            let answer = Challenge::parse(&challenge).unwrap().answer(&key);
            let Step::Go(auth, _) = auth.line(&answer) else { panic!("the answer is right") };
            assert!(matches!(auth.line(&challenge), Step::Failed(CloseReason::Reflection, Some(_))), "{own}");
        }
        let theirs = b"auth cram-md5 <9.9@R_DIRECTOR::d> ssl=0\n";
        let auth = Auth::dialled(terms("R_DIRECTOR::d", &key, 1, 2));
        assert!(matches!(auth.line(theirs), Step::Failed(CloseReason::Reflection, _)));
    }

    #[test]
    fn the_policy_table_agrees_with_the_notes() {
        use InBand::{Clear, Deny, Tls};
        for (local, row) in
            [(0, [Clear, Clear, Deny, Tls, Tls]), (1, [Clear, Tls, Tls, Tls, Tls]), (2, [Deny, Tls, Tls, Tls, Tls])]
        {
            let remotes = [Some(0), Some(1), Some(2), Some(4), None];
            assert_eq!(remotes.map(|remote| in_band(local, remote)), row, "{local}");
        }
    }

    #[test]
    fn what_a_peer_says_is_made_fit_for_a_log() {
        assert_eq!(first_line(b"Connection from unknown\x1bDirector\nmore"), "Connection from unknown\\x1bDirector");
        assert_eq!(first_line(&[b'x'; 300]).len(), 200);
    }
}
