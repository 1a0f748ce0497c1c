//! Invitations: what a new client is to have, left here for whoever proves to know the password that came with it.
//!
//! ```text
//!   a console with all rights --invite--> kept here, with a name and a password of its own, until it is over
//!   the new machine, as a console of that name, over a pre-shared key --join--> what was left, once
//! ```
//! No listener, no file and no table of the catalog is needed: a director that stops forgets what it has kept, and whoever was
//! invited asks for another. One that was used or is over is remembered for a while, so that a refusal can say why.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use crate::config::{ConsoleAccess, DirectorConfig, Password};
use crate::secret::Secret;
use crate::tls::keyring::{Builder, Clear};
use crate::wire::names::{PeerKind, PeerName};

/// What the names of consoles begin with that are invitations.
pub(crate) const PREFIX: &str = "invitation-";
/// Invitations that are kept at the same time, those that are over too.
pub(crate) const MOST: usize = 64;
/// Bytes of what is left for a client.
pub(crate) const LONGEST: usize = 48 * 1024;
/// Seconds for which one that is over is remembered.
const REMEMBERED: i64 = 7 * 86_400;

/// The invitations of a director.
#[derive(Debug, Default)]
pub(crate) struct Invitations(BTreeMap<String, Invitation>);

/// One of them.
#[derive(Debug)]
pub(crate) struct Invitation {
    /// The name of the console.
    pub(crate) name: String,
    /// The client it is for.
    pub(crate) client: String,
    pub(crate) password: Password,
    /// Seconds since 1970 until when it is good.
    pub(crate) until: i64,
    pub(crate) state: State,
}

/// Whether it is still to be used.
#[derive(Debug)]
pub(crate) enum State {
    /// What the client is to have.
    Open(Secret),
    /// When it was fetched, and by whom.
    Used(i64, Option<SocketAddr>),
}

/// Why nothing is handed out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NotHanded {
    /// The console is no invitation.
    NotInvited,
    /// It was used at this time, from this address.
    Used(i64, Option<SocketAddr>),
    /// It was good until this time.
    Over(i64),
}

impl Invitations {
    /// Keeps one. Whether there was room; an earlier one of the same client that was not used is withdrawn.
    pub(crate) fn keep(&mut self, new: Invitation, now: i64) -> bool {
        self.0.retain(|_, old| {
            let is_open = matches!(old.state, State::Open(_));
            old.until + REMEMBERED > now && !(is_open && old.client == new.client)
        });
        if self.0.len() >= MOST {
            let is_over = |old: &Invitation| old.until <= now || matches!(old.state, State::Used(..));
            let oldest = self.0.values().filter(|old| is_over(old)).min_by_key(|old| old.until);
            let Some(oldest) = oldest.map(|old| old.name.clone()) else { return false };
            self.0.remove(&oldest);
        }
        self.0.insert(new.name.clone(), new);
        true
    }

    /// Whether one more could be kept.
    pub(crate) fn has_room(&self, now: i64) -> bool {
        let counts = |one: &&Invitation| one.until > now && matches!(one.state, State::Open(_));
        self.0.values().filter(counts).count() < MOST
    }

    /// Adds their passwords. They are no use without TLS, in which what is left would go over the network as it is.
    pub(crate) fn keys(&self, keys: Builder) -> Builder {
        self.0.values().fold(keys, |keys, one| {
            keys.with(PeerName::new(PeerKind::Console, &one.name), one.password.key(), Clear::Never)
        })
    }

    /// What a console that is an invitation may see and say: nothing but its own client, and the ways of that.
    pub(crate) fn console(&self, name: &str, config: &DirectorConfig, now: i64) -> Option<ConsoleAccess> {
        let one = self.0.get(name).filter(|one| one.until > now && matches!(one.state, State::Open(_)))?;
        let texts = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
        let mut console = ConsoleAccess::new(one.name.clone(), one.password.clone());
        console.command_acl = texts(&["status", "probe", "explain"]);
        console.client_acl = vec![one.client.clone()];
        let of_client = config.jobs.iter().filter(|job| job.client == one.client);
        console.storage_acl = of_client.map(|job| job.storage.clone()).collect();
        Some(console)
    }

    /// What is left for the console of this name.
    ///
    /// # Errors
    /// Why it gets nothing.
    pub(crate) fn look(&self, name: Option<&str>, now: i64) -> Result<&Secret, NotHanded> {
        let one = name.and_then(|name| self.0.get(name)).ok_or(NotHanded::NotInvited)?;
        match &one.state {
            State::Used(at, from) => Err(NotHanded::Used(*at, *from)),
            State::Open(_) if one.until <= now => Err(NotHanded::Over(one.until)),
            State::Open(left) => Ok(left),
        }
    }

    /// It was handed out. Returns the client's name.
    pub(crate) fn used(&mut self, name: &str, now: i64, from: Option<SocketAddr>) -> Option<&str> {
        let one = self.0.get_mut(name)?;
        one.state = State::Used(now, from);
        Some(&one.client)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn invitation(name: &str, client: &str, until: i64) -> Invitation {
        let state = State::Open(Secret::from("left"));
        Invitation { name: name.to_owned(), client: client.to_owned(), password: Password::new("pw"), until, state }
    }

    #[test]
    fn what_is_left_is_handed_out_once_and_in_time() {
        let mut all = Invitations::default();
        assert!(all.keep(invitation("a", "one", 100), 0));
        assert_eq!(all.look(Some("a"), 99), Ok(&Secret::from("left")));
        assert_eq!(all.look(Some("a"), 100), Err(NotHanded::Over(100)));
        for stranger in [None, Some("b")] {
            assert_eq!(all.look(stranger, 0), Err(NotHanded::NotInvited));
        }
        assert_eq!(all.used("a", 50, None), Some("one"));
        assert_eq!(all.look(Some("a"), 60), Err(NotHanded::Used(50, None)));
        assert_eq!(all.used("b", 50, None), None);
    }

    #[test]
    fn another_invitation_of_a_client_withdraws_the_one_before_it() {
        let mut all = Invitations::default();
        assert!(all.keep(invitation("a", "one", 100), 0) && all.keep(invitation("b", "two", 100), 0));
        assert!(all.keep(invitation("c", "one", 100), 1));
        assert_eq!(all.look(Some("a"), 1), Err(NotHanded::NotInvited));
        assert!(all.look(Some("b"), 1).is_ok() && all.look(Some("c"), 1).is_ok());
    }

    #[test]
    fn there_are_so_many_at_most_and_what_is_over_makes_room() {
        let mut all = Invitations::default();
        for n in 0..MOST {
            assert!(all.has_room(0) && all.keep(invitation(&n.to_string(), &n.to_string(), 100), 0), "{n}");
        }
        assert!(!all.has_room(0) && !all.keep(invitation("more", "more", 100), 0));
        assert_eq!(all.0.len(), MOST);
        all.used("7", 1, None);
        assert!(all.has_room(1) && all.keep(invitation("more", "more", 100), 1));
        assert_eq!((all.0.len(), all.look(Some("7"), 1)), (MOST, Err(NotHanded::NotInvited)));
        assert!(all.keep(invitation("late", "late", 100 + REMEMBERED * 2), 100 + REMEMBERED));
        assert_eq!(all.0.len(), 1);
    }

    #[test]
    fn an_invitation_sees_its_client_while_it_is_open() {
        let config: DirectorConfig = serde_json::from_value(serde_json::json!({
            "director": {"name": "d", "password": "p"},
            "jobs": [
                {"name": "j", "client": "one", "fileset": "f", "storage": "s", "pool": "p"},
                {"name": "k", "client": "two", "fileset": "f", "storage": "other", "pool": "p"},
            ],
        }))
        .unwrap();
        let mut all = Invitations::default();
        all.keep(invitation("a", "one", 100), 0);
        let console = all.console("a", &config, 0).unwrap();
        assert_eq!((console.client_acl, console.storage_acl), (vec!["one".to_owned()], vec!["s".to_owned()]));
        assert!(console.job_acl.is_empty() && !console.command_acl.contains(&"run".to_owned()));
        assert!(all.console("a", &config, 100).is_none() && all.console("b", &config, 0).is_none());
        all.used("a", 1, None);
        assert!(all.console("a", &config, 1).is_none());
    }
}
