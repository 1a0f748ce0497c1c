//! What Linux was measured to do in situations that decide whether a backup works, made in the world, in both families of
//! addresses: the table is `situations.tsv`. `bins/tests/system_situations` makes the same on the kernel.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::rc::Rc;
use std::time::Duration;

use towline_core::conformance::Peer as _;
use towline_core::socket::{IoKind, Keepalive, SocketOptions};
use towline_simtests::arm::{Door, Raw, Shared};
use towline_simtests::edge::{Edge, Uplink};
use towline_simtests::gateway::{Firewall, Gateway, Rule, Unknown, Verdict, Way};
use towline_simtests::host::HostId;
use towline_simtests::link::Link;
use towline_simtests::network::NetworkId;
use towline_simtests::range::Prefix;
use towline_simtests::situations::{named, rows};
use towline_simtests::world::World;

const PORT: u16 = 9102;
/// How long a word may take, with a retry of TCP.
const WORD: Duration = Duration::from_secs(10);
/// More than any dial takes.
const PATIENCE: Duration = Duration::from_secs(300);
const STEP: Duration = Duration::from_millis(10);

/// A family of addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Family {
    V4,
    V6,
}

impl Family {
    fn inside(self, last: u8) -> IpAddr {
        match self {
            Self::V4 => [10, 0, 0, last].into(),
            Self::V6 => Ipv6Addr::new(0xfd00, 0, 0, 0, 0, 0, 0, last.into()).into(),
        }
    }

    fn outside(self, last: u8) -> IpAddr {
        match self {
            Self::V4 => [192, 0, 2, last].into(),
            Self::V6 => Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, last.into()).into(),
        }
    }

    fn gateway(self) -> IpAddr {
        self.outside(254)
    }

    /// All that is outside but the last so many bits.
    const fn but(self, bits: u8) -> u8 {
        match self {
            Self::V4 => 32 - bits,
            Self::V6 => 128 - bits,
        }
    }

    const fn any(self) -> IpAddr {
        match self {
            Self::V4 => IpAddr::V4(Ipv4Addr::UNSPECIFIED),
            Self::V6 => IpAddr::V6(Ipv6Addr::UNSPECIFIED),
        }
    }
}

/// A verdict, and after how many seconds.
type Observed = (&'static str, Option<f64>);

/// A host behind a gateway and one outside.
struct Site {
    world: Shared,
    family: Family,
    network: NetworkId,
    inside: HostId,
    outside: HostId,
}

impl Site {
    fn new(family: Family, gateway: Gateway) -> Self {
        let mut world = World::new(1);
        world.set_open_prefixes(vec![Prefix { address: family.outside(0), bits: family.but(8) }]);
        let network = world.add_network(NetworkId::OPEN, gateway);
        let inside = world.add_host_in(network, "inside", family.inside(10));
        let outside = world.add_host("outside", family.outside(1));
        Self { world: Rc::new(RefCell::new(world)), family, network, inside, outside }
    }

    fn connect(&self, from: HostId, to: IpAddr, options: SocketOptions) -> Result<Raw, IoKind> {
        Raw::connect_within(&self.world, from, (to, PORT).into(), options, PATIENCE)
    }

    fn door(&self, host: HostId) -> Door {
        Door::open(&self.world, host, (self.family.any(), PORT).into(), SocketOptions::default())
    }

    /// How a dial ends, and after how many seconds.
    fn dial(&self, from: HostId, to: IpAddr) -> Observed {
        let began = self.world.borrow().now();
        let end = self.connect(from, to, SocketOptions::default());
        let took = self.world.borrow().now().since(began);
        (named(end.err()), Some(took.as_secs_f64()))
    }

    /// A connection; the dialling end first.
    fn open(&self, dials: HostId, answers: HostId, to: IpAddr, options: SocketOptions) -> (Raw, Raw) {
        let door = self.door(answers);
        let dialled = self.connect(dials, to, options).expect("a connection");
        self.pass(Duration::from_secs(1));
        (dialled, door.try_accept().expect("a connection"))
    }

    /// A connection that the host inside has dialled.
    fn outwards(&self, options: SocketOptions) -> (Raw, Raw) {
        self.open(self.inside, self.outside, self.family.outside(1), options)
    }

    fn pass(&self, time: Duration) {
        self.world.borrow_mut().run_for(time);
    }

    /// One end says a word to the other: whether it comes. What happens meanwhile may depend on the time since then.
    fn says(&self, speaker: &mut Raw, hearer: &mut Raw, word: &[u8], mut meanwhile: impl FnMut(Duration)) -> Observed {
        let began = self.world.borrow().now();
        let (mut written, mut heard) = (0, 0);
        let mut space = vec![0; word.len() + 1];
        loop {
            if let Some(Ok(n)) = speaker.try_write(&word[written..]).filter(|_| written < word.len()) {
                written += n;
            }
            self.pass(STEP);
            let took = self.world.borrow().now().since(began);
            meanwhile(took);
            if let Some(Err(kind)) = speaker.try_read(&mut space) {
                return (named(Some(kind)), Some(took.as_secs_f64()));
            }
            while let Some(Ok(n)) = hearer.try_read(&mut space).filter(|answer| *answer != Ok(0)) {
                heard += n;
            }
            if heard == word.len() {
                return ("survives", Some(took.as_secs_f64()));
            }
            if took >= WORD {
                return ("swallowed", None);
            }
        }
    }

    fn word(&self, speaker: &mut Raw, hearer: &mut Raw) -> Observed {
        self.says(speaker, hearer, b"word", |_| {})
    }

    /// One end says a word, which the other one hears, and hears nothing itself.
    fn says_and_waits(&self, speaker: &mut Raw, hearer: &mut Raw) -> Observed {
        let began = self.world.borrow().now();
        assert_eq!(self.word(speaker, hearer).0, "survives");
        let mut end = None;
        while end.is_none() {
            self.pass(STEP);
            end = speaker.try_read(&mut [0; 9]);
        }
        let took = Some(self.world.borrow().now().since(began).as_secs_f64());
        (if end == Some(Err(IoKind::TimedOut)) { "heard, timed out" } else { "heard" }, took)
    }

    /// The gateway forgets; then one end says a word to the other.
    fn forgotten(&self, speaker: &mut Raw, hearer: &mut Raw) -> Observed {
        self.world.borrow_mut().restart_gateway(self.network);
        self.word(speaker, hearer)
    }
}

/// A user time-out of 5 s.
fn impatient() -> SocketOptions {
    let (idle, interval) = (Duration::from_secs(60), Duration::from_secs(60));
    let keepalive = Keepalive { idle, interval, probes: Some(3), user_timeout: Some(Duration::from_secs(5)) };
    SocketOptions { keepalive: Some(keepalive), ..SocketOptions::default() }
}

fn observe(name: &str, loose: bool, family: Family) -> Observed {
    let (what, rest) = name.split_once(", ").unwrap_or((name, ""));
    let own = if rest.ends_with("gateway answers") { Unknown::Reset } else { Unknown::Drop };
    let masquerade = Gateway::masquerading(family.gateway()).as_linux(loose, own);
    let forward = |last| masquerade.clone().forward(PORT, SocketAddr::from((family.inside(last), PORT)));
    let site = |gateway| Site::new(family, gateway);
    match what {
        "masquerade forgotten" => {
            let site = site(masquerade);
            let (mut inside, mut outside) = site.outwards(SocketOptions::default());
            match rest.starts_with("inside") {
                true => site.forgotten(&mut inside, &mut outside),
                false => site.forgotten(&mut outside, &mut inside),
            }
        }
        "forward forgotten" => {
            let site = site(forward(10));
            let options = SocketOptions::default();
            let (mut outside, mut inside) = site.open(site.outside, site.inside, family.gateway(), options);
            match rest.starts_with("inside") {
                true => site.forgotten(&mut inside, &mut outside),
                false => site.forgotten(&mut outside, &mut inside),
            }
        }
        "routed and forgotten" => {
            let mut gateway = Gateway::routing(family.gateway()).as_linux(loose, own);
            gateway.only_syn = rest.contains("only a SYN");
            let site = site(gateway);
            let (mut inside, mut outside) = site.outwards(SocketOptions::default());
            match rest.ends_with("dialler speaks") {
                true => site.forgotten(&mut inside, &mut outside),
                false => site.forgotten(&mut outside, &mut inside),
            }
        }
        "nobody has the address" if rest == "on the own link" => {
            let site = site(masquerade);
            site.dial(site.outside, family.outside(77))
        }
        "nobody has the address" => {
            let site = site(forward(77));
            site.dial(site.outside, family.gateway())
        }
        "no route" => {
            let site = site(masquerade);
            site.dial(site.outside, family.inside(10))
        }
        "the gateway prohibits it" => dial_by_rule(family, masquerade, Verdict::Prohibit),
        "the gateway resets it" => dial_by_rule(family, masquerade, Verdict::Reset),
        "the gateway drops it for good" => dial_by_rule(family, masquerade, Verdict::Drop),
        "two interfaces" => two_interfaces(&site(forward(10)), rest),
        "a rule for ranges" => ranges(family, rest),
        _ if what.contains("host") => by_firewall(&site(masquerade), what, rest, loose),
        _ => on_the_way(&site(masquerade), what, rest),
    }
}

fn dial_by_rule(family: Family, gateway: Gateway, verdict: Verdict) -> Observed {
    let site = Site::new(family, gateway.rule(Way::Out, PORT, verdict));
    site.dial(site.inside, family.outside(1))
}

/// The host inside is outside too.
fn two_interfaces(site: &Site, rest: &str) -> Observed {
    let _door = site.door(site.inside);
    let address = site.family.outside(10);
    site.world.borrow_mut().add_interface(site.inside, NetworkId::OPEN, address);
    match rest {
        "the answer leaves by the other" => site.dial(site.outside, site.family.gateway()),
        _ => site.dial(site.outside, address),
    }
}

/// A gateway that routes, and resets what comes from some addresses to some ports.
fn ranges(family: Family, rest: &str) -> Observed {
    let (first, bits) = if rest == "one address past" { (2, 1) } else { (0, 2) };
    let ports = if rest == "one port past" { PORT - 2..=PORT - 1 } else { PORT - 2..=PORT };
    let from = Prefix { address: family.outside(first), bits: family.but(bits) };
    let rule = Rule::new(Way::In, Verdict::Reset).from(from).ports(ports);
    let gateway = Gateway::routing(family.gateway()).policy(Verdict::Accept, Verdict::Accept).with_rule(rule);
    let site = Site::new(family, gateway);
    let _door = site.door(site.inside);
    site.dial(site.outside, family.inside(10))
}

/// Hosts with firewalls of their own.
fn by_firewall(site: &Site, what: &str, rest: &str, loose: bool) -> Observed {
    let verdict = match what {
        _ if what.ends_with("prohibits it") => Verdict::Prohibit,
        _ if what.ends_with("resets it") => Verdict::Reset,
        _ => Verdict::Drop,
    };
    let set = |host, firewall: Firewall| site.world.borrow_mut().set_firewall(host, firewall.as_linux(loose));
    let _door = site.door(site.outside);
    if what == "host firewall forgotten" {
        drop(_door);
        set(site.inside, Firewall::new(Verdict::Drop, Verdict::Accept));
        let (mut inside, mut outside) = site.outwards(SocketOptions::default());
        site.world.borrow_mut().restart_firewall(site.inside);
        return match rest.starts_with("inside") {
            true => site.word(&mut inside, &mut outside),
            false => site.word(&mut outside, &mut inside),
        };
    }
    match what.starts_with("the own host") {
        true => set(site.inside, Firewall::new(Verdict::Accept, Verdict::Accept).rule(Way::Out, PORT, verdict)),
        false => set(site.outside, Firewall::new(Verdict::Accept, Verdict::Accept).rule(Way::In, PORT, verdict)),
    }
    site.dial(site.inside, site.family.outside(1))
}

/// Something happens on the way of a connection that stands.
fn on_the_way(site: &Site, what: &str, rest: &str) -> Observed {
    let is_impatient = rest.ends_with("user time-out of 5 s");
    let options = if is_impatient { impatient() } else { SocketOptions::default() };
    let (mut inside, mut outside) = site.outwards(options);
    assert_eq!(site.word(&mut inside, &mut outside).0, "survives");
    let (one, two) = (site.inside, site.outside);
    match what {
        "data unanswered" => {
            site.world.borrow_mut().cut_gateway(site.network);
            site.word(&mut inside, &mut outside)
        }
        "a word is lost for 5 s" => {
            site.world.borrow_mut().cut(one, two);
            site.says(&mut inside, &mut outside, b"word", |took| {
                if took >= Duration::from_secs(5) {
                    site.world.borrow_mut().heal();
                }
            })
        }
        "only what goes out passes" => {
            site.world.borrow_mut().cut_way(two, one);
            match rest.starts_with("inside") {
                true => site.says_and_waits(&mut inside, &mut outside),
                false => site.word(&mut outside, &mut inside),
            }
        }
        "large segments are lost" => {
            site.world.borrow_mut().link(one, two, |link| link.largest = Some(1248));
            let word = if rest == "a page" { &[7; 4096][..] } else { b"word" };
            site.says(&mut inside, &mut outside, word, |_| {})
        }
        "the uplink is too narrow and says so" | "the uplink is too narrow and silent" => {
            let tells = what.ends_with("says so");
            let narrow = Uplink::both(Link::CLEAR.with_mtu(1_300, tells));
            site.world.borrow_mut().set_uplink(Edge::Network(site.network), narrow);
            let word = if rest == "a page" { &[7; 4096][..] } else { b"word" };
            site.says(&mut inside, &mut outside, word, |_| {})
        }
        "the far uplink is cut" => {
            site.world.borrow_mut().cut_uplink(Edge::Host(two));
            site.word(&mut inside, &mut outside)
        }
        "the far uplink is cut for 5 s" => {
            site.world.borrow_mut().cut_uplink(Edge::Host(two));
            site.says(&mut inside, &mut outside, b"word", |took| {
                if took >= Duration::from_secs(5) {
                    site.world.borrow_mut().mend_uplink(Edge::Host(two));
                }
            })
        }
        "every twentieth segment is lost" => {
            site.world.borrow_mut().link_way(one, two, |link| link.loss = 50_000);
            site.says(&mut inside, &mut outside, &vec![7; 1_000_000], |_| {})
        }
        "half closed for 50 s" | "half closed for 70 s" => {
            inside.shut_write();
            site.pass(Duration::from_secs(if what.contains("50") { 50 } else { 70 }));
            site.word(&mut outside, &mut inside)
        }
        _ => panic!("{what}, {rest}: no such situation"),
    }
}

#[test]
fn the_world_does_in_each_situation_what_linux_does() {
    let mut wrong = Vec::new();
    for row in rows() {
        for family in [Family::V4, Family::V6] {
            let (verdict, seconds) = observe(row.name, row.loose, family);
            let apart = match (row.seconds, seconds) {
                (Some(expected), Some(took)) => (expected - took).abs() / (expected * 0.1).max(1.0),
                _ => 0.0,
            };
            if verdict != row.verdict || apart > 1.0 {
                wrong.push(format!("{} (loose {}, {family:?}): {verdict} after {seconds:?}", row.name, row.loose));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn no_situation_stands_twice_in_the_table() {
    let all = rows();
    let names: BTreeSet<(&str, bool)> = all.iter().map(|row| (row.name, row.loose)).collect();
    assert_eq!(names.len(), all.len());
    assert!(all.len() >= 45, "{} situations", all.len());
}
