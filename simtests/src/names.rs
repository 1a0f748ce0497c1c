//! What names mean: to everybody, and to a host that sees it otherwise.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use towline_core::socket::ResolveError;
use towline_core::time::Instant;

use crate::host::HostId;
use crate::world::World;

/// What a host's resolver says about a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum View {
    /// These addresses: split DNS, or an entry of `/etc/hosts`.
    Addresses(Vec<IpAddr>),
    /// No such name.
    Missing,
    /// The resolver cannot say until then; from then on it says what everybody's does.
    Failing(Instant),
}

/// All of them.
#[derive(Debug, Default)]
pub(crate) struct Names {
    names: BTreeMap<String, Vec<IpAddr>>,
    views: BTreeMap<(HostId, String), View>,
    /// How long hosts keep what they have heard of a name.
    lives: BTreeMap<String, Duration>,
    /// What they have heard, and until when they keep it.
    kept: BTreeMap<(HostId, String), (Instant, Found)>,
    /// How long a host's resolver takes.
    slow: BTreeMap<HostId, Duration>,
    /// What a host's resolver says of every name instead of what it means.
    blind: BTreeMap<HostId, ResolveError>,
}

/// What a name means.
type Found = Result<Vec<IpAddr>, ResolveError>;

impl Names {
    pub(crate) fn set(&mut self, name: &str, addresses: Vec<IpAddr>) {
        self.names.insert(name.to_owned(), addresses);
    }

    /// What a name means to a host; addresses mean themselves.
    pub(crate) fn look_up(
        &mut self,
        of: HostId,
        name: &str,
        port: u16,
        now: Instant,
    ) -> Result<Vec<SocketAddr>, ResolveError> {
        if let Ok(address) = name.parse::<IpAddr>() {
            return Ok(vec![SocketAddr::new(address, port)]);
        }
        let found = match self.kept.get(&(of, name.to_owned())) {
            Some((until, found)) if now < *until => found.clone(),
            _ => self.ask(of, name, now),
        };
        Ok(found?.iter().map(|address| SocketAddr::new(*address, port)).collect())
    }

    /// Asks the name servers. What they say is kept, that there is no such name too (RFC 2308 §5), no failure.
    fn ask(&mut self, of: HostId, name: &str, now: Instant) -> Found {
        if let Some(error) = self.blind.get(&of) {
            return Err(*error);
        }
        let everybodys = self.names.get(name);
        let found = match self.views.get(&(of, name.to_owned())) {
            Some(View::Addresses(addresses)) => Some(addresses),
            Some(View::Missing) => None,
            Some(View::Failing(until)) if now < *until => return Err(ResolveError::Temporary),
            Some(View::Failing(_)) | None => everybodys,
        };
        let found = found.filter(|found| !found.is_empty()).cloned().ok_or(ResolveError::NoSuchName);
        if let Some(life) = self.lives.get(name) {
            self.kept.insert((of, name.to_owned()), (now + *life, found.clone()));
        }
        found
    }

    /// How long a host's resolver takes, if that was said.
    pub(crate) fn slowness(&self, of: HostId) -> Option<Duration> {
        self.slow.get(&of).copied()
    }

    /// A host has lost its memory.
    pub(crate) fn forget(&mut self, of: HostId) {
        self.kept.retain(|(host, _), _| *host != of);
    }
}

impl World {
    /// What a name resolves to from now on for hosts without a [view](Self::set_view); nothing means that it does not exist.
    pub fn set_name(&mut self, name: &str, addresses: Vec<IpAddr>) {
        self.net.borrow_mut().names.set(name, addresses);
    }

    /// From now on a host that hears what a name means keeps that for so long, whatever becomes of the name meanwhile.
    /// Without it hosts ask each time.
    pub fn set_time_to_live(&mut self, name: &str, life: Duration) {
        self.net.borrow_mut().names.lives.insert(name.to_owned(), life);
    }

    /// From now on a host's resolver takes so long.
    pub fn set_resolver_slowness(&mut self, host: HostId, slowness: Duration) {
        self.net.borrow_mut().names.slow.insert(host, slowness);
    }

    /// From now on a host's resolver takes as long as one usually does.
    pub fn reset_resolver_slowness(&mut self, host: HostId) {
        self.net.borrow_mut().names.slow.remove(&host);
    }

    /// From now on a host's resolver says this of every name; nothing: it says what they mean.
    pub fn set_blind(&mut self, host: HostId, error: Option<ResolveError>) {
        let blind = &mut self.net.borrow_mut().names.blind;
        match error {
            Some(error) => _ = blind.insert(host, error),
            None => _ = blind.remove(&host),
        }
    }

    /// What a name means to one host from now on.
    pub fn set_view(&mut self, host: HostId, name: &str, view: View) {
        self.net.borrow_mut().names.views.insert((host, name.to_owned()), view);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_host_has_its_own_view_of_a_name() {
        let mut names = Names::default();
        let [everybody, split, blind, patient] = [0, 1, 2, 3].map(HostId);
        let (outside, inside): (IpAddr, IpAddr) = ([192, 0, 2, 254].into(), [10, 0, 0, 20].into());
        names.set("sd", vec![outside]);
        let heals = Instant(1_000);
        for (host, view) in
            [(split, View::Addresses(vec![inside])), (blind, View::Missing), (patient, View::Failing(heals))]
        {
            names.views.insert((host, "sd".to_owned()), view);
        }
        let mut at = |host, now| names.look_up(host, "sd", 9103, Instant(now));
        let one = |address| Ok(vec![SocketAddr::new(address, 9103)]);
        assert_eq!(at(everybody, 0), one(outside));
        assert_eq!(at(split, 0), one(inside));
        assert_eq!(at(blind, 0), Err(ResolveError::NoSuchName));
        assert_eq!(at(patient, 999), Err(ResolveError::Temporary), "one before");
        assert_eq!(at(patient, 1_000), one(outside), "healed");
        assert_eq!(names.look_up(blind, "10.0.0.20", 1, Instant::ZERO), Ok(vec![(inside, 1).into()]));
        assert_eq!(names.look_up(everybody, "fd", 1, Instant::ZERO), Err(ResolveError::NoSuchName));
        names.blind.insert(split, ResolveError::Temporary);
        assert_eq!(names.look_up(split, "sd", 1, Instant::ZERO), Err(ResolveError::Temporary));
        assert_eq!(names.look_up(split, "10.0.0.20", 1, Instant::ZERO), Ok(vec![(inside, 1).into()]), "no name");
    }

    #[test]
    fn what_a_host_has_heard_is_kept_for_its_time_to_live_and_then_asked_for_again() {
        let mut names = Names::default();
        let (one, other) = (HostId(0), HostId(1));
        let (old, new): (IpAddr, IpAddr) = ([192, 0, 2, 1].into(), [192, 0, 2, 2].into());
        let life = Duration::from_nanos(100);
        names.lives.insert("sd".to_owned(), life);
        let answer = |address| Ok(vec![SocketAddr::new(address, 1)]);
        assert_eq!(names.look_up(one, "sd", 1, Instant(0)), Err(ResolveError::NoSuchName));
        names.set("sd", vec![old]);
        assert_eq!(names.look_up(one, "sd", 1, Instant(99)), Err(ResolveError::NoSuchName), "kept too");
        assert_eq!(names.look_up(one, "sd", 1, Instant(100)), answer(old));
        names.set("sd", vec![new]);
        assert_eq!(names.look_up(one, "sd", 1, Instant(199)), answer(old), "stale");
        assert_eq!(names.look_up(other, "sd", 1, Instant(199)), answer(new), "who never asked asks now");
        assert_eq!(names.look_up(one, "sd", 1, Instant(200)), answer(new));
        names.set("sd", vec![old]);
        names.forget(one);
        assert_eq!(names.look_up(one, "sd", 1, Instant(201)), answer(old), "its memory is gone");
        names.views.insert((one, "sd".to_owned()), View::Failing(Instant(400)));
        assert_eq!(names.look_up(one, "sd", 1, Instant(300)), answer(old), "nobody needs to be asked");
        assert_eq!(names.look_up(one, "sd", 1, Instant(301)), Err(ResolveError::Temporary));
        assert_eq!(names.look_up(one, "sd", 1, Instant(400)), answer(old), "a failure is not kept");
    }
}
