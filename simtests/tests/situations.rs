//! What Linux was measured to do in situations that decide whether a backup works, made in the world: the table is
//! `situations.tsv`.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::rc::Rc;
use std::time::Duration;

use towline_core::socket::{IoKind, Keepalive, SocketOptions};
use towline_simtests::arm::{Door, Raw, Shared};
use towline_simtests::gateway::{Gateway, Unknown, Verdict, Way};
use towline_simtests::host::HostId;
use towline_simtests::network::{NetworkId, Prefix};
use towline_simtests::world::World;

const TABLE: &str = include_str!("../situations.tsv");
const GATEWAY: [u8; 4] = [192, 0, 2, 254];
const INSIDE: [u8; 4] = [10, 0, 0, 10];
const OUTSIDE: [u8; 4] = [192, 0, 2, 1];
const PORT: u16 = 9102;
/// How long a word may take, with a retry of TCP.
const WORD: Duration = Duration::from_secs(10);
/// More than any dial takes.
const PATIENCE: Duration = Duration::from_secs(300);

/// A line of the table.
struct Row {
    name: &'static str,
    loose: bool,
    verdict: &'static str,
    seconds: Option<f64>,
}

fn rows() -> Vec<Row> {
    let lines = TABLE.lines().filter(|line| !line.starts_with('#'));
    let row = |line: &'static str| {
        let fields: Vec<&str> = line.split('\t').collect();
        let [name, loose, verdict, seconds] = fields[..] else { panic!("a line of four fields: {line}") };
        Row { name, loose: loose == "1", verdict, seconds: seconds.parse().ok() }
    };
    lines.map(row).collect()
}

/// A host behind a gateway and one outside.
struct Site {
    world: Shared,
    network: NetworkId,
    inside: HostId,
    outside: HostId,
}

impl Site {
    fn new(gateway: Gateway) -> Self {
        let mut world = World::new(1);
        world.set_open_prefixes(vec![Prefix { address: OUTSIDE.into(), bits: 24 }]);
        let network = world.add_network(NetworkId::OPEN, gateway);
        let inside = world.add_host_in(network, "inside", INSIDE.into());
        let outside = world.add_host("outside", OUTSIDE.into());
        Self { world: Rc::new(RefCell::new(world)), network, inside, outside }
    }

    fn connect(&self, from: HostId, to: [u8; 4], options: SocketOptions) -> Result<Raw, IoKind> {
        Raw::connect_within(&self.world, from, (to, PORT).into(), options, PATIENCE)
    }

    /// How a dial ends, and after how many seconds.
    fn dial(&self, from: HostId, to: [u8; 4]) -> Observed {
        let began = self.world.borrow().now();
        let end = self.connect(from, to, SocketOptions::default());
        let took = self.world.borrow().now().since(began);
        (named(end.err()), Some(took.as_secs_f64()))
    }

    /// A connection; the dialling end first.
    fn open(&self, dials: HostId, answers: HostId, to: [u8; 4], options: SocketOptions) -> (Raw, Raw) {
        let door = Door::open(&self.world, answers, ([0, 0, 0, 0], PORT).into(), SocketOptions::default());
        let dialled = self.connect(dials, to, options).expect("a connection");
        self.world.borrow_mut().run_for(Duration::from_secs(1));
        (dialled, door.try_accept().expect("a connection"))
    }

    /// The gateway forgets; then one end says a word to the other.
    fn forgotten(&self, speaker: &mut Raw, hearer: &mut Raw) -> Observed {
        self.world.borrow_mut().restart_gateway(self.network);
        assert_eq!(speaker.try_write(b"word"), Some(Ok(4)));
        let began = self.world.borrow().now();
        for _ in 0..WORD.as_millis() / 10 {
            self.world.borrow_mut().run_for(Duration::from_millis(10));
            let seconds = Some(self.world.borrow().now().since(began).as_secs_f64());
            let mut space = [0; 9];
            match (speaker.try_read(&mut space), hearer.try_read(&mut space)) {
                (Some(Err(kind)), _) => return (named(Some(kind)), seconds),
                (_, Some(Ok(4))) => return ("survives", seconds),
                _ => {}
            }
        }
        ("swallowed", None)
    }
}

/// A verdict, and after how many seconds.
type Observed = (&'static str, Option<f64>);

fn named(end: Option<IoKind>) -> &'static str {
    match end {
        None => "connects",
        Some(IoKind::Reset) => "reset",
        Some(IoKind::Refused) => "refused",
        Some(IoKind::TimedOut) => "timed out",
        Some(IoKind::NoNeighbour) => "no neighbour",
        Some(IoKind::Unreachable) => "unreachable",
        Some(IoKind::NoRoute) => "no route",
        Some(IoKind::Prohibited) => "prohibited",
        Some(other) => panic!("{other:?} is no verdict of the table"),
    }
}

fn observe(name: &str, loose: bool) -> Observed {
    let (what, rest) = name.split_once(',').unwrap_or((name, ""));
    let own = if rest.ends_with("is silent") { Unknown::Drop } else { Unknown::Reset };
    let masquerade = Gateway::masquerading(GATEWAY).as_linux(loose, own);
    let options = SocketOptions::default();
    match what {
        "masquerade forgotten" => {
            let site = Site::new(masquerade);
            let (mut inside, mut outside) = site.open(site.inside, site.outside, OUTSIDE, options);
            match rest.starts_with(" inside") {
                true => site.forgotten(&mut inside, &mut outside),
                false => site.forgotten(&mut outside, &mut inside),
            }
        }
        "forward forgotten" => {
            let site = Site::new(masquerade.forward(PORT, (INSIDE, PORT)).unknown_own(Unknown::Drop));
            let (mut outside, mut inside) = site.open(site.outside, site.inside, GATEWAY, options);
            match rest.starts_with(" inside") {
                true => site.forgotten(&mut inside, &mut outside),
                false => site.forgotten(&mut outside, &mut inside),
            }
        }
        "routed and forgotten" => {
            let mut gateway = Gateway::routing(GATEWAY).as_linux(loose, own);
            gateway.only_syn = rest.contains("only a SYN");
            let site = Site::new(gateway);
            let (mut inside, mut outside) = site.open(site.inside, site.outside, OUTSIDE, options);
            match rest.ends_with("dialler speaks") {
                true => site.forgotten(&mut inside, &mut outside),
                false => site.forgotten(&mut outside, &mut inside),
            }
        }
        "nobody has the address" if rest.ends_with("own link") => {
            let site = Site::new(masquerade);
            site.dial(site.outside, [192, 0, 2, 77])
        }
        "nobody has the address" => {
            let site = Site::new(masquerade.forward(PORT, ([10, 0, 0, 77], PORT)));
            site.dial(site.outside, GATEWAY)
        }
        "no route" => {
            let site = Site::new(masquerade);
            site.dial(site.outside, INSIDE)
        }
        "the gateway prohibits it" => dial_by_rule(masquerade, Verdict::Prohibit),
        "the gateway resets it" => dial_by_rule(masquerade, Verdict::Reset),
        "the gateway drops it for good" => dial_by_rule(masquerade, Verdict::Drop),
        "data unanswered" => {
            let site = Site::new(masquerade);
            let (idle, interval) = (Duration::from_secs(60), Duration::from_secs(60));
            let keepalive = Keepalive { idle, interval, probes: Some(3), user_timeout: Some(Duration::from_secs(5)) };
            let options = SocketOptions { keepalive: Some(keepalive), ..options };
            let (mut inside, mut outside) = site.open(site.inside, site.outside, OUTSIDE, options);
            assert_eq!(inside.try_write(b"word"), Some(Ok(4)));
            site.world.borrow_mut().run_for(Duration::from_secs(1));
            assert_eq!(outside.try_read(&mut [0; 9]), Some(Ok(4)));
            site.world.borrow_mut().cut_gateway(site.network);
            site.forgotten(&mut inside, &mut outside)
        }
        _ => panic!("{name}: no such situation"),
    }
}

fn dial_by_rule(gateway: Gateway, verdict: Verdict) -> Observed {
    let site = Site::new(gateway.rule(Way::Out, PORT, verdict));
    site.dial(site.inside, OUTSIDE)
}

#[test]
fn the_world_does_in_each_situation_what_linux_does() {
    for row in rows() {
        let (verdict, seconds) = observe(row.name, row.loose);
        let case = format!("{} (loose {}): {verdict} after {seconds:?}", row.name, row.loose);
        assert_eq!(verdict, row.verdict, "{case}");
        let apart = row.seconds.unwrap_or(0.0) - seconds.filter(|_| row.seconds.is_some()).unwrap_or(0.0);
        assert!(apart.abs() <= (row.seconds.unwrap_or(0.0) * 0.1).max(1.0), "{case}");
    }
}

#[test]
fn no_situation_stands_twice_in_the_table() {
    let all = rows();
    let names: BTreeSet<(&str, bool)> = all.iter().map(|row| (row.name, row.loose)).collect();
    assert_eq!(names.len(), all.len());
    assert!(all.len() >= 22, "{} situations", all.len());
}
