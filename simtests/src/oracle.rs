//! What must come of a job, told from the picture of the network alone.
//!
//! A closed form: it imports nothing of the core and nothing of the world, and neither of them knows it. The world and real
//! networks are held to it over [`grid`], all of it.
//!
//! ```text
//!   director ──1──▶ storage      each of the three: in the open, or in a LAN behind a box of its own,
//!   director ──2──▶ client       or in one LAN with others behind the same box
//!   client   ──3──▶ storage      1 always; 2 and 3 as the mode says; the first that fails fails the job
//! ```

mod grid;
mod reach;
mod samples;

pub use grid::{grid, rows};
pub use samples::samples;

use std::fmt;

/// A daemon of a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Who {
    /// The director.
    Director,
    /// The client.
    Client,
    /// The storage daemon.
    Storage,
}

impl Who {
    /// All three, in the order of [`Row::places`].
    pub const ALL: [Self; 3] = [Self::Director, Self::Client, Self::Storage];
}

/// Where a daemon is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// In the open: everybody reaches it.
    Open,
    /// Behind a box that masquerades and lets nobody in.
    Home,
    /// Behind such a box that forwards the daemon's port.
    Forwarded,
    /// Behind such a box that is itself behind a provider's.
    Carrier,
    /// Behind a firewall that routes, lets everything out and nobody in.
    OutOnly,
    /// Behind a firewall that routes, lets everybody in and nothing out.
    InOnly,
}

impl Place {
    /// All of them.
    pub const ALL: [Self; 6] = [Self::Open, Self::Home, Self::Forwarded, Self::Carrier, Self::OutOnly, Self::InOnly];

    /// Whether its box translates addresses.
    #[must_use]
    pub const fn is_translated(self) -> bool {
        matches!(self, Self::Home | Self::Forwarded | Self::Carrier)
    }
}

/// Where the three daemons are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Row {
    /// The places of director, client and storage daemon.
    pub places: [Place; 3],
    /// The LANs of the three by number: equal ones are one LAN behind one box. Each daemon in the open has a number of its
    /// own.
    pub lans: [u8; 3],
}

impl Row {
    /// Where somebody is.
    #[must_use]
    pub const fn place(&self, who: Who) -> Place {
        self.places[who as usize]
    }

    /// The number of somebody's LAN.
    #[must_use]
    pub const fn lan(&self, who: Who) -> u8 {
        self.lans[who as usize]
    }

    /// Whether two are in one LAN.
    #[must_use]
    pub const fn together(&self, one: Who, other: Who) -> bool {
        self.lan(one) == self.lan(other)
    }
}

/// Who dials whom.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Mode {
    /// The director dials the client, the client the storage daemon.
    Default,
    /// The director dials the client, the storage daemon the client.
    Passive,
    /// The client dials the director and the storage daemon.
    ClientInitiated,
    /// Client and director dial each other, the client the storage daemon.
    Both,
}

impl Mode {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Default, Self::Passive, Self::ClientInitiated, Self::Both];
}

/// Which of client and storage daemon have something in the director's configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Given {
    /// Neither.
    Neither,
    /// The one that is dialled.
    One,
    /// Both.
    Both,
}

impl Given {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Neither, Self::One, Self::Both];
}

/// What the daemons' names resolve to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum View {
    /// For everybody to the address that a daemon has outside.
    Public,
    /// The same, but to the inner address in its own LAN.
    Split,
    /// For everybody to the inner address.
    Inner,
}

/// The heartbeat interval of all daemons, against the time after which boxes forget a connection that is silent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Heartbeat {
    /// A second below it.
    Below,
    /// The same. That is enough: an interval begins with what is said, and its answer passes the boxes a little later.
    At,
    /// A second above it.
    Above,
    /// No heartbeats. Not in [`grid`].
    Off,
}

/// A point of the grid. Names stand in the `address` of daemons, inner addresses where LAN addresses and networks are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Case {
    /// Where the daemons are.
    pub row: Row,
    /// Who dials whom.
    pub mode: Mode,
    /// Who has a LAN address.
    pub lan_address: Given,
    /// Who is in a network of the director's configuration, which is the same.
    pub networks: Given,
    /// What names resolve to.
    pub view: View,
    /// How often daemons say that they are there.
    pub heartbeat: Heartbeat,
    /// Whether boxes take up a connection whose beginning they did not see (`nf_conntrack_tcp_loose`). Not in [`grid`].
    pub loose: bool,
}

/// A connection of a job: who dials whom.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Leg {
    /// Who dials.
    pub from: Who,
    /// Who is dialled.
    pub to: Who,
}

/// What must come of a job that is silent in its middle for longer than boxes remember.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It ends well.
    Works,
    /// It would end well without the silence.
    UntilIdle,
    /// This connection does not come about.
    Fails(Leg, Stop),
}

/// How a connection does not come about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stop {
    /// The box around the one who dials lets nothing out, silently.
    NotOut,
    /// The box around the one who is dialled lets nobody in, silently.
    NotIn,
    /// Both are behind one box, which does not lead from inside to itself.
    NoHairpin,
    /// The dialler's own host knows no way to the address.
    NoRoute,
    /// A router on the way knows none, and says so.
    Unreachable,
}

impl Case {
    /// What must come of its job.
    #[must_use]
    pub fn verdict(&self) -> Verdict {
        let mut crossed = Vec::new();
        for ways in self.legs() {
            let mut stop = None;
            let open = ways.into_iter().flatten().find(|leg| match self.reach(*leg) {
                Ok(()) => true,
                Err(why) => {
                    stop = stop.or(Some((*leg, why)));
                    false
                }
            });
            match (open, stop) {
                (Some(leg), _) => crossed.push(leg),
                (None, Some((leg, why))) => return Verdict::Fails(leg, why),
                (None, None) => {}
            }
        }
        let lives = matches!(self.heartbeat, Heartbeat::Below | Heartbeat::At)
            || crossed.into_iter().all(|leg| self.outlives_silence(leg));
        if lives { Verdict::Works } else { Verdict::UntilIdle }
    }

    /// The connections of a job in the order in which it needs them, each with the ways in which it may come about: one that
    /// a client has dialled is taken before the director dials.
    fn legs(&self) -> [[Option<Leg>; 2]; 3] {
        use Who::{Client, Director, Storage};
        let leg = |from, to| Some(Leg { from, to });
        let control = match self.mode {
            Mode::Default | Mode::Passive => [leg(Director, Client), None],
            Mode::ClientInitiated => [leg(Client, Director), None],
            Mode::Both => [leg(Client, Director), leg(Director, Client)],
        };
        let data = if self.mode == Mode::Passive { leg(Storage, Client) } else { leg(Client, Storage) };
        [[leg(Director, Storage), None], control, [data, None]]
    }
}

impl fmt::Display for Who {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Director => "director",
            Self::Client => "client",
            Self::Storage => "storage",
        })
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Open => "open",
            Self::Home => "home",
            Self::Forwarded => "forwarded",
            Self::Carrier => "carrier",
            Self::OutOnly => "out-only",
            Self::InOnly => "in-only",
        })
    }
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Default => "default",
            Self::Passive => "passive",
            Self::ClientInitiated => "client-initiated",
            Self::Both => "both directions",
        })
    }
}

#[cfg(test)]
mod tests;
