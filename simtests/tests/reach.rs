//! Every pair of file daemon and storage daemon, inside and outside of a gateway, in every way the gateway may be set up:
//! a job is good or bad as an independent picture of the network says.

use std::time::Duration;

use towline_simtests::gateway::{Gateway, Verdict};
use towline_simtests::scenario::{GATEWAY, Region, Scenario};
use towline_simtests::station::{ClientStation, StorageStation};

const HOUR: Duration = Duration::from_secs(3600);

/// Where a daemon is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Side {
    Inside,
    Outside,
}
use Side::{Inside, Outside};

/// What somebody is dialled at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Dialled {
    /// The gateway's address for what is inside, its own for what is outside.
    Address,
    /// An address of the inner network, whether the daemon is there or not.
    Lan,
}

/// What networks of the director's configuration say about client and storage daemon.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Networks {
    Nothing,
    /// Both are in one, with addresses of the inner network.
    Inner,
    /// Both are in one, with the addresses at which the director dials them.
    Outer,
    /// Each is in another one.
    Apart,
}

/// One point of the grid.
#[derive(Clone, Copy, Debug)]
struct Case {
    client: Side,
    storage: Side,
    /// Whether the storage daemon dials.
    passive: bool,
    /// Whether client and storage daemon have a LAN address in the director's configuration.
    lan: (bool, bool),
    networks: Networks,
    /// Whether the gateway forwards the ports of the file daemon and of the storage daemon.
    forwards: (bool, bool),
    /// Whether those inside may dial out.
    out: bool,
    hairpin: bool,
}

impl Case {
    /// Whether who is `from` there reaches what is `at` there, by that address, on a port that is forwarded or not. Told
    /// from the picture alone: it shares nothing with the world.
    const fn reachable(&self, from: Side, at: Side, by: Dialled, forwarded: bool) -> bool {
        match (from, at, by) {
            // Nobody has that address outside, and inside it is nobody's.
            (_, Outside, Dialled::Lan) | (Outside, Inside, Dialled::Lan) => false,
            (Inside, Inside, Dialled::Lan) | (Outside, Outside, Dialled::Address) => true,
            (Inside, Outside, Dialled::Address) => self.out,
            (Outside, Inside, Dialled::Address) => forwarded,
            (Inside, Inside, Dialled::Address) => forwarded && self.hairpin && self.out,
        }
    }

    const fn dialled(&self) -> Dialled {
        match self.networks {
            Networks::Inner => Dialled::Lan,
            Networks::Outer => Dialled::Address,
            Networks::Nothing | Networks::Apart if self.lan.0 && self.lan.1 => Dialled::Lan,
            Networks::Nothing | Networks::Apart => Dialled::Address,
        }
    }

    /// What must come of a job; of a bad one the first connection that fails.
    const fn expected(&self) -> Result<(), &'static str> {
        let data = if self.passive {
            self.reachable(self.storage, self.client, self.dialled(), self.forwards.0)
        } else {
            self.reachable(self.client, self.storage, self.dialled(), self.forwards.1)
        };
        if !self.reachable(Outside, self.storage, Dialled::Address, self.forwards.1) {
            Err("to the storage daemon")
        } else if !self.reachable(Outside, self.client, Dialled::Address, self.forwards.0) {
            Err("to the file daemon")
        } else if !data {
            Err("between the two")
        } else {
            Ok(())
        }
    }

    fn region(&self, seed: u64) -> Region {
        let outward = if self.out { Verdict::Accept } else { Verdict::Drop };
        let mut gateway = Gateway::masquerading(GATEWAY).policy(Verdict::Drop, outward).hairpin(self.hairpin);
        if self.forwards.0 {
            gateway = gateway.forward(9102, ([10, 0, 0, 10], 9102));
        }
        if self.forwards.1 {
            gateway = gateway.forward(9103, ([10, 0, 0, 20], 9103));
        }
        let address = |side, last: u8| match side {
            Inside => "192.0.2.254".to_owned(),
            Outside => format!("192.0.2.{last}"),
        };
        let lan = |has: bool, last: u8| has.then(|| format!("10.0.0.{last}"));
        let networks = |own: &str, last: u8, address: &str| {
            let network = match self.networks {
                Networks::Nothing => None,
                Networks::Inner => Some(("site", format!("10.0.0.{last}"))),
                Networks::Outer => Some(("site", address.to_owned())),
                Networks::Apart => Some((own, format!("10.0.0.{last}"))),
            };
            network.into_iter().map(|(name, address)| (name.to_owned(), address)).collect()
        };
        let at = address(self.client, 10);
        let place = if self.client == Inside { ClientStation::inside } else { ClientStation::outside };
        let client = place("fd", 10).at(&at).with(|fd| {
            fd.resource.passive = self.passive;
            (fd.resource.lan_address, fd.resource.networks) = (lan(self.lan.0, 10), networks("homes", 10, &at));
        });
        let at = address(self.storage, 20);
        let place = if self.storage == Inside { StorageStation::inside } else { StorageStation::outside };
        let storage = place("sd", 20).at(&at).with(|sd| {
            (sd.resource.lan_address, sd.resource.networks) = (lan(self.lan.1, 20), networks("racks", 20, &at));
        });
        Scenario::new(seed, gateway).client(client).storage(storage).start()
    }

    /// What the report of a bad job must say: who could not be dialled where.
    fn complaint(&self, which: &str) -> String {
        let address = |side, last| if side == Inside { "192.0.2.254".to_owned() } else { format!("192.0.2.{last}") };
        match which {
            "to the storage daemon" => {
                format!("storage daemon: cannot connect to {}:9103", address(self.storage, 20))
            }
            "to the file daemon" => format!("file daemon: cannot connect to {}:9102", address(self.client, 10)),
            _ => {
                let (side, last, port) = if self.passive { (self.client, 10, 9102) } else { (self.storage, 20, 9103) };
                match self.dialled() {
                    Dialled::Lan => format!("10.0.0.{last}:{port}"),
                    Dialled::Address => format!("{}:{port}", address(side, last)),
                }
            }
        }
    }
}

/// The grid: all of it that the daemons can be set to.
fn grid() -> Vec<Case> {
    let both = [false, true];
    let pairs = || both.into_iter().flat_map(move |one| both.map(|two| (one, two)));
    let mut cases = Vec::new();
    for client in [Inside, Outside] {
        for storage in [Inside, Outside] {
            for (lan, passive) in pairs().flat_map(|lan| both.map(|passive| (lan, passive))) {
                for (forwards, (out, hairpin)) in pairs().flat_map(|one| pairs().map(move |two| (one, two))) {
                    for networks in [Networks::Nothing, Networks::Inner, Networks::Outer, Networks::Apart] {
                        cases.push(Case { client, storage, passive, lan, networks, forwards, out, hairpin });
                    }
                }
            }
        }
    }
    cases
}

/// Runs a backup, and a restore if that is good; says what came of them.
fn outcome(case: &Case, region: &mut Region) -> (char, String) {
    let Some(job) = region.order("run job=fd-sd yes") else { panic!("{case:?}: the order was not taken") };
    let Some(row) = region.await_end(job, 5 * HOUR) else {
        panic!("{case:?}: job {job} hangs: {:#?}\n{}", region.world.pending(), region.report(job));
    };
    let state = char::from(row.job_status);
    if state != 'T' {
        return (state, region.report(job));
    }
    let bytes: u64 = region.saved().values().map(|contents| contents.len() as u64).sum();
    assert_eq!(row.read_bytes, bytes, "{case:?}");
    let Some(restore) = region.order("restore client=fd all done yes") else { panic!("{case:?}: not taken") };
    let row = region.await_end(restore, 5 * HOUR);
    assert_eq!(row.map(|row| row.job_status), Some(b'T'), "{case:?}: {}", region.report(restore));
    assert!(region.restored(0) == *region.saved(), "{case:?}: what came back differs");
    (state, region.report(job))
}

#[test]
fn a_job_is_good_exactly_where_the_picture_of_the_network_says_so() {
    let (mut good, mut bad) = (0, 0);
    for (n, case) in (0..).zip(grid()) {
        let mut region = case.region(n);
        let (state, report) = outcome(&case, &mut region);
        match case.expected() {
            Ok(()) => {
                good += 1;
                assert_eq!(state, 'T', "{case:?}: {report}");
            }
            Err(which) => {
                bad += 1;
                assert_eq!(state, 'f', "{case:?} must fail {which}: {report}");
                assert!(report.contains(&case.complaint(which)), "{case:?} must fail {which}: {report}");
            }
        }
    }
    // Where no network counts: for 6 of the 8 ways to name addresses a pair inside needs one of the 16 ways to set up the gateway; a pair with the
    // side inside that dials 4, with the other one 8; a pair outside any. Of the 2 with LAN addresses a pair inside needs
    // both ports forwarded, and no other pair has them in common.
    let (by_address, by_lan) = (1 + 4 + 8 + 16, 4);
    let without = 6 * by_address + 2 * by_lan;
    // A network that both are in counts whatever LAN addresses there are.
    let all = 2 * without + 8 * by_lan + 8 * by_address;
    assert_eq!((good, bad), (all, 4 * 512 - all));
}

#[test]
fn one_case_in_fifty_leaves_the_same_trace_twice() {
    // Neither a multiple of the ways in any dimension nor a part of it.
    for (n, case) in (0..).zip(grid().into_iter().step_by(49)) {
        let [once, again] = [0, 1].map(|_| {
            let mut region = case.region(n);
            outcome(&case, &mut region);
            region.world.trace().hash()
        });
        assert_eq!(once, again, "{case:?}");
    }
}
