//! What names mean: to everybody, and to a host that sees it otherwise.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};

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
}

impl Names {
    pub(crate) fn set(&mut self, name: &str, addresses: Vec<IpAddr>) {
        self.names.insert(name.to_owned(), addresses);
    }

    /// What a name means to a host; addresses mean themselves.
    pub(crate) fn look_up(
        &self,
        of: HostId,
        name: &str,
        port: u16,
        now: Instant,
    ) -> Result<Vec<SocketAddr>, ResolveError> {
        if let Ok(address) = name.parse::<IpAddr>() {
            return Ok(vec![SocketAddr::new(address, port)]);
        }
        let everybodys = self.names.get(name);
        let found = match self.views.get(&(of, name.to_owned())) {
            Some(View::Addresses(addresses)) => Some(addresses),
            Some(View::Missing) => None,
            Some(View::Failing(until)) if now < *until => return Err(ResolveError::Temporary),
            Some(View::Failing(_)) | None => everybodys,
        };
        let found = found.filter(|found| !found.is_empty()).ok_or(ResolveError::NoSuchName)?;
        Ok(found.iter().map(|address| SocketAddr::new(*address, port)).collect())
    }
}

impl World {
    /// What a name resolves to from now on for hosts without a [view](Self::set_view); nothing means that it does not exist.
    pub fn set_name(&mut self, name: &str, addresses: Vec<IpAddr>) {
        self.net.borrow_mut().names.set(name, addresses);
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
        let at = |host, now| names.look_up(host, "sd", 9103, Instant(now));
        let one = |address| Ok(vec![SocketAddr::new(address, 9103)]);
        assert_eq!(at(everybody, 0), one(outside));
        assert_eq!(at(split, 0), one(inside));
        assert_eq!(at(blind, 0), Err(ResolveError::NoSuchName));
        assert_eq!(at(patient, 999), Err(ResolveError::Temporary), "one before");
        assert_eq!(at(patient, 1_000), one(outside), "healed");
        assert_eq!(names.look_up(blind, "10.0.0.20", 1, Instant::ZERO), Ok(vec![(inside, 1).into()]));
        assert_eq!(names.look_up(everybody, "fd", 1, Instant::ZERO), Err(ResolveError::NoSuchName));
    }
}
