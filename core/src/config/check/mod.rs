//! Everything that can be wrong with a configuration that has the right shape.
//!
//! [`Check::check`] never stops at the first finding: an operator repairs a file once.

mod access;
mod catalog;
mod commands;
mod consolidating;
mod copying;
mod director;
mod health;
mod messages;
mod naming;
mod peers;
mod reach;
mod relocation;
mod stores;
mod terms;
mod tray;
mod unsupported;

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use super::{Bytes, ConfigPath, MAX_NAME, Password, Seconds, TlsConfig, TlsMode};
use crate::address::{Address, Endpoint};
use crate::error::Code;
use crate::explain::codes;
use crate::nearest::nearest;
use crate::wire::names::PeerKind;

/// What the program was built with; some settings need it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Built {
    /// Whether pre-shared keys are built in.
    pub psk: bool,
}

/// How much a finding matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// The daemon would start, but probably not do what is meant.
    Warning,
    /// The daemon does not start.
    Error,
}

/// One thing that is wrong with a configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The stable code, `T08xx`.
    pub code: Code,
    /// How much it matters.
    pub severity: Severity,
    /// Where the value is, or would be.
    pub path: ConfigPath,
    /// What is wrong, in lower case without full stop.
    pub message: String,
    /// What to do about it.
    pub help: String,
    /// The known name that was probably meant.
    pub nearest: Option<String>,
}

/// A configuration that can be checked.
pub trait Check {
    /// Every finding, in the order of the resources. Empty: nothing is wrong.
    fn check(&self, built: Built) -> Vec<Finding>;
}

/// On which side of connections TLS settings are used.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Side {
    /// The daemon accepts connections, and may dial too.
    Accepting,
    /// It only dials.
    Dialling,
}

/// Bytes a second below which a limit is probably in another unit than was meant.
const SLOW: u64 = 8 * 1_024;

/// How the passwords of the examples begin.
const EXAMPLE: &str = "change-me";

/// Collects findings. Each method looks at one value.
struct Checker {
    built: Built,
    findings: Vec<Finding>,
}

impl Checker {
    const fn new(built: Built) -> Self {
        Self { built, findings: Vec::new() }
    }

    fn add(&mut self, severity: Severity, code: Code, path: ConfigPath, message: String, help: impl Into<String>) {
        self.findings.push(Finding { code, severity, path, message, help: help.into(), nearest: None });
    }

    fn error(&mut self, code: Code, path: ConfigPath, message: impl Into<String>, help: impl Into<String>) {
        self.add(Severity::Error, code, path, message.into(), help);
    }

    fn warning(&mut self, code: Code, path: ConfigPath, message: impl Into<String>, help: impl Into<String>) {
        self.add(Severity::Warning, code, path, message.into(), help);
    }

    fn name(&mut self, resource: &ConfigPath, name: &str) {
        let fault = if name.is_empty() {
            "is empty".to_owned()
        } else if name.len() > MAX_NAME {
            format!("has {} bytes, {MAX_NAME} are the most", name.len())
        } else if name.chars().any(char::is_control) {
            "contains a control character".to_owned()
        } else if name.trim() != name {
            "begins or ends with a space".to_owned()
        } else {
            return;
        };
        let help = "use letters, digits, `-`, `_`, `.`, `:` and single spaces";
        self.error(codes::BAD_NAME, resource.field("name"), format!("the name {name:?} {fault}"), help);
    }

    /// A name under which a peer of this kind dials.
    fn name_of(&mut self, kind: PeerKind, resource: &ConfigPath, name: &str) {
        self.name(resource, name);
        self.identity(kind, resource, name);
    }

    /// As [`names`](Self::names), of peers of this kind.
    fn names_of<'a>(&mut self, kind: PeerKind, list: &'static str, names: impl Iterator<Item = &'a str> + Clone) {
        self.names(list, names.clone());
        for (index, name) in names.enumerate() {
            self.identity(kind, &ConfigPath::of(list).index(index), name);
        }
    }

    /// Whoever dials gives its kind and name as the identity of a pre-shared key, which has less room than the wire.
    fn identity(&mut self, kind: PeerKind, resource: &ConfigPath, name: &str) {
        let most = kind.longest_name();
        if (most + 1..=MAX_NAME).contains(&name.len()) {
            let message = format!(
                "the name {name:?} has {} bytes, {most} are the most in the identity of a pre-shared key, after {kind}",
                name.len()
            );
            let help = "choose a shorter name, and use it on both sides";
            self.error(codes::BAD_NAME, resource.field("name"), message, help);
        }
    }

    /// Checks each name of a list and that none comes twice.
    fn names<'a>(&mut self, list: &'static str, names: impl Iterator<Item = &'a str>) {
        let mut seen = BTreeMap::new();
        for (index, name) in names.enumerate() {
            let resource = ConfigPath::of(list).index(index);
            self.name(&resource, name);
            if let Some(first) = seen.get(name) {
                let message = format!("the name {name:?} is already used by {list}[{first}]");
                self.error(
                    codes::DUPLICATE_NAME,
                    resource.field("name"),
                    message,
                    "give each resource a name of its own",
                );
            } else {
                seen.insert(name, index);
            }
        }
    }

    fn password(&mut self, resource: &ConfigPath, password: &Password) {
        if let Some(fault) = password.fault() {
            let help = "write the same password, not an empty one, on both sides";
            self.error(codes::BAD_PASSWORD, resource.field("password"), fault, help);
        } else if password.clear().expose().starts_with(EXAMPLE.as_bytes()) {
            let message = "this password is that of an example, which everybody knows";
            let help = "write a long random one, the same on both sides";
            self.warning(codes::EXAMPLE_PASSWORD, resource.field("password"), message, help);
        }
    }

    /// A host name or IP address to dial.
    fn address(&mut self, path: ConfigPath, address: &str) {
        if let Some(literal) = Address::parse(address) {
            if literal.lacks_scope() {
                let message = format!("{address} is an address of one link, and nothing says of which");
                let help = "add the interface of the machine that dials, by name or number, as in `fe80::1%eth0`";
                self.warning(codes::NO_SCOPE, path, message, help);
            }
            return;
        }
        if is_host_name(address) {
            return;
        }
        let help = if address.parse::<std::net::SocketAddr>().is_ok()
            || address.rsplit_once(':').is_some_and(|(host, port)| is_host_name(host) && port.parse::<u16>().is_ok())
        {
            "write the port into `port`"
        } else if address.starts_with('[') {
            "write an IPv6 address without brackets"
        } else if address.contains('%') {
            "write an interface only after an address of its link, by name or number, as in `fe80::1%eth0`"
        } else {
            "write a host name such as `backup.example.org` or an IP address"
        };
        self.error(codes::BAD_ADDRESS, path, format!("{address:?} is no host name and no IP address"), help);
    }

    fn optional_address(&mut self, path: ConfigPath, address: Option<&str>) {
        if let Some(address) = address {
            self.address(path, address);
        }
    }

    /// An address of our own, which must be an IP address.
    fn source_address(&mut self, resource: &ConfigPath, address: Option<&str>) {
        if let Some(address) = address
            && address.parse::<IpAddr>().is_err()
        {
            let message = format!("{address:?} is no IP address");
            let help = match address.contains('%') {
                true => "leave the interface out: it is the one of the address that is dialled",
                false => "write an IP address of this host, or leave it out",
            };
            self.error(codes::BAD_ADDRESS, resource.field("source_address"), message, help);
        }
    }

    fn networks(&mut self, resource: &ConfigPath, networks: &BTreeMap<String, String>) {
        let path = resource.field("networks");
        for (network, address) in networks {
            if network.is_empty() {
                self.error(codes::BAD_NAME, path.key(network), "the name of a network is empty", "name the network");
            }
            self.address(path.key(network), address);
        }
    }

    fn port(&mut self, resource: &ConfigPath, port: u16) {
        if port == 0 {
            let help = "leave it out for the usual port (9101 director, 9102 file daemon, 9103 storage daemon)";
            self.error(codes::PORT_ZERO, resource.field("port"), "port 0 cannot be dialled", help);
        }
    }

    fn listen(&mut self, resource: &ConfigPath, listen: &[String], port: u16) {
        self.port(resource, port);
        let mut seen = BTreeSet::new();
        for (index, text) in listen.iter().enumerate() {
            let path = resource.field("listen").index(index);
            match Endpoint::parse(text, port) {
                None => {
                    let help = "write an IP address of this host, such as \"192.0.2.1\", \"192.0.2.1:9105\" or \"::\"";
                    self.error(codes::BAD_LISTEN, path, format!("{text:?} is no address to listen on"), help);
                }
                Some(on) if on.address.lacks_scope() => {
                    let message = format!("{text:?} is an address of one link, and nothing says of which");
                    let help = "add the interface, by name or number, as in `fe80::1%eth0` or `[fe80::1%eth0]:9105`";
                    self.error(codes::NO_SCOPE, path, message, help);
                }
                Some(on) if on.port == 0 && port != 0 => {
                    self.error(codes::PORT_ZERO, path, "port 0 cannot be dialled", "leave the port out, or write one");
                }
                Some(on) if !seen.insert(on.clone()) => {
                    self.error(codes::DUPLICATE_LISTEN, path, format!("{on} is listed twice"), "remove one of them");
                }
                Some(_) => {}
            }
        }
    }

    fn tls(&mut self, path: &ConfigPath, tls: &TlsConfig, side: Side) {
        self.certificate_pair(path, tls);
        if tls.mode() == TlsMode::Off {
            if tls.certificate.is_some() || tls.ca.is_some() {
                let message = "certificates are given, but TLS is off";
                self.warning(codes::TLS_CONTRADICTION, path.field("enable"), message, "remove `enable: false`");
            }
            return;
        }
        unsupported::tls(self, path, tls);
        let remedy =
            "give `certificate` and `key` (and the peer's authority as `ca`), or `enable: false` for clear text";
        if !tls.psk && tls.certificate.is_none() && side == Side::Accepting {
            self.error(codes::NO_TLS_METHOD, path.field("psk"), "no way to protect a connection is left", remedy);
        } else if !self.built.psk
            && tls.psk
            && (tls.mode() == TlsMode::Psk || tls.certificate.is_none())
            && needs_psk(tls, side)
        {
            let message = "TLS without certificates uses pre-shared keys, which are not built into this program";
            let help = format!("{remedy}; or use a build with the feature `psk`");
            self.error(codes::PSK_NOT_BUILT, path.clone(), message, help);
        }
        if tls.verify_peer == Some(true) && tls.ca.is_none() {
            let message = "`verify_peer` needs the authorities that may have signed the peer's certificate";
            self.error(codes::TLS_CONTRADICTION, path.field("verify_peer"), message, "give their PEM file as `ca`");
        }
        if !tls.allowed_cn.is_empty() && !tls.verifies() {
            let message = "`allowed_cn` has no effect without verification";
            self.error(
                codes::TLS_CONTRADICTION,
                path.field("allowed_cn"),
                message,
                "give `ca`, and no `verify_peer: false`",
            );
        }
        if tls.revocation_list.is_some() && !tls.verifies() {
            let message = "`revocation_list` has no effect without verification";
            let help = "give the authorities as `ca`, and no `verify_peer: false`";
            self.error(codes::TLS_CONTRADICTION, path.field("revocation_list"), message, help);
        }
        terms::terms(self, path, tls, side == Side::Accepting);
        if tls.ca.is_some() && tls.verify_peer == Some(false) {
            let message = "`ca` is given, but the peer's certificate is not verified";
            self.warning(codes::UNVERIFIED, path.field("verify_peer"), message, "set `verify_peer` to yes");
        } else if side == Side::Dialling && tls.mode() == TlsMode::Certificate && !tls.verifies() {
            let message = "nobody verifies the peer's certificate: whoever is in between can read along";
            self.warning(codes::UNVERIFIED, path.clone(), message, "give the authority that signed it as `ca`");
        }
    }

    fn certificate_pair(&mut self, path: &ConfigPath, tls: &TlsConfig) {
        let (given, missing) = match (&tls.certificate, &tls.key) {
            (Some(_), None) => ("certificate", "key"),
            (None, Some(_)) => ("key", "certificate"),
            _ => return,
        };
        let message = format!("`{given}` is given without `{missing}`");
        self.error(
            codes::HALF_CERTIFICATE,
            path.field(given),
            message,
            format!("give the PEM file as `{missing}` too"),
        );
    }

    fn optional_tls(&mut self, resource: &ConfigPath, tls: Option<&TlsConfig>, side: Side) {
        if let Some(tls) = tls {
            self.tls(&resource.field("tls"), tls, side);
        }
    }

    /// A name that must be one of `known`.
    fn reference<'a>(
        &mut self,
        path: ConfigPath,
        kind: &str,
        name: &str,
        known: impl Iterator<Item = &'a str> + Clone,
    ) {
        if known.clone().any(|known| known == name) {
            return;
        }
        let near = nearest(name, known.clone()).map(str::to_owned);
        let help = match &near {
            Some(near) => format!("did you mean {near:?}?"),
            None => match known.take(8).map(|name| format!("{name:?}")).collect::<Vec<_>>() {
                names if names.is_empty() => format!("add a {kind} of this name"),
                names => format!("known: {}", names.join(", ")),
            },
        };
        self.error(codes::UNKNOWN_REFERENCE, path, format!("there is no {kind} {name:?}"), help);
        if let Some(finding) = self.findings.last_mut() {
            finding.nearest = near;
        }
    }

    fn not_zero(&mut self, path: ConfigPath, value: u64) {
        if value == 0 {
            self.error(codes::ZERO, path, "this cannot be 0", "leave it out for the default");
        }
    }

    /// The time for all attempts to reach a peer and the pause between two, both fields of `resource`.
    fn attempts(&mut self, resource: &ConfigPath, within: (&'static str, Seconds), retry: (&'static str, Seconds)) {
        self.not_zero(resource.field(within.0), within.1.0);
        self.not_zero(resource.field(retry.0), retry.1.0);
        if retry.1 >= within.1 && within.1.0 != 0 {
            let message = format!("there is no second attempt: `{}` is over before the first pause is", within.0);
            let help = format!("lower `{}`, or raise `{}`", retry.0, within.0);
            self.warning(codes::CONTRADICTION, resource.field(retry.0), message, help);
        }
    }

    fn heartbeat(&mut self, path: ConfigPath, interval: Option<Seconds>) {
        if interval.is_some_and(Seconds::is_zero) {
            let message = "without heartbeats a vanished peer is noticed after two hours, and a firewall may drop idle connections";
            self.warning(codes::NO_HEARTBEAT, path, message, "leave it out for one a minute");
        }
    }

    /// Bytes a second for a job's data; 0 is no limit.
    fn bandwidth(&mut self, path: ConfigPath, limit: Bytes) {
        if i64::try_from(limit.0).is_err() {
            let message = format!("{limit} a second is more than a peer can be told");
            self.error(codes::OUT_OF_RANGE, path, message, "leave it out for no limit");
        } else if (1..SLOW).contains(&limit.0) {
            let message = format!("at {limit} a second a gigabyte takes {} days", 1_000_000_000 / limit.0 / 86_400);
            let help =
                format!("it is in bytes a second: write \"{} KiB\" if that was meant, or 0 for no limit", limit.0);
            self.warning(codes::SLOW_LIMIT, path, message, help);
        }
    }

    fn not_empty(&mut self, path: ConfigPath, length: usize, what: &str) {
        if length == 0 {
            self.error(codes::EMPTY, path, format!("there is no {what}"), format!("add a {what}"));
        }
    }

    /// The limits every daemon has on connections that are not authenticated.
    fn admission(&mut self, resource: &ConfigPath, unauthenticated: u32, within: Seconds) {
        self.not_zero(resource.field("max_unauthenticated"), u64::from(unauthenticated));
        self.not_zero(resource.field("authenticate_within"), within.0);
    }
}

/// Whether `side` could not work without pre-shared keys: a dialler with a `ca` can.
fn needs_psk(tls: &TlsConfig, side: Side) -> bool {
    side == Side::Accepting || tls.mode() == TlsMode::Psk
}

/// Letters, digits, `-`, `_` and dots, as resolvers take them; at most 253 bytes. What looks like an IPv4 address but
/// is none, such as `10.0.0.256`, is no name either.
fn is_host_name(text: &str) -> bool {
    let text = text.strip_suffix('.').unwrap_or(text);
    let label = |label: &str| {
        !label.is_empty()
            && label.len() <= 63
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.chars().all(|c| c.is_alphanumeric() || c == '-' || c == '_')
    };
    text.len() <= 253
        && text.split('.').all(label)
        && !text.split('.').all(|label| label.bytes().all(|b| b.is_ascii_digit()))
}
