//! A host's own firewall: it translates nothing and tracks connections as a gateway does.

use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use super::{Gateway, Rule, Unknown, Verdict, Way};
use crate::range::Ports;

/// The firewall of a host. *In* are connections that others dial, *out* those that the host dials. What belongs to a
/// connection that it remembers passes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Firewall(Gateway);

impl Firewall {
    /// What becomes of connections inwards and outwards that no rule is about. It forgets as RFC 5382 allows, and drops what
    /// it does not know.
    #[must_use]
    pub fn new(inward: Verdict, outward: Verdict) -> Self {
        // No segment is for the firewall itself.
        Self(Gateway::routing(IpAddr::from(Ipv4Addr::UNSPECIFIED)).policy(inward, outward))
    }

    /// Tracks connections as Linux does, with or without taking up what it has forgotten (`nf_conntrack_tcp_loose`).
    #[must_use]
    pub fn as_linux(mut self, loose: bool) -> Self {
        self.0 = self.0.as_linux(loose, Unknown::Drop);
        self
    }

    /// Forgets open sessions after this, and what becomes of their segments then.
    #[must_use]
    pub fn forgets(mut self, established: Duration, unknown: Unknown) -> Self {
        self.0 = self.0.forgets(established, unknown);
        self
    }

    /// Adds a rule about connections to ports.
    #[must_use]
    pub fn rule(self, way: Way, ports: impl Into<Ports>, verdict: Verdict) -> Self {
        self.with_rule(Rule::new(way, verdict).ports(ports))
    }

    /// Adds a rule. The first one that fits a new connection decides.
    #[must_use]
    pub fn with_rule(self, rule: Rule) -> Self {
        Self(self.0.with_rule(rule))
    }
}

impl From<Firewall> for Gateway {
    fn from(firewall: Firewall) -> Self {
        firewall.0
    }
}
