//! What goes wrong.

use serde::{Deserialize, Serialize};

use super::Who;
use crate::disk::Flaw;

/// A way over an edge.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Flow {
    /// Towards the host, or the network inside.
    In,
    /// Away from it.
    Out,
}

/// An edge of the network tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Edge {
    /// Between a daemon's host and its network.
    Of(Who),
    /// Between the gateway and the network outside.
    Border,
}

/// What somebody does who holds a valid key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Abuse {
    /// Begins well, and says nothing more.
    Silence,
    /// Begins well, and then says what comes to its mind.
    Babble,
    /// Says that all is done, and does nothing.
    Lies,
    /// Follows its director, and misuses the data channel.
    Data,
    /// Begins well, and then breaks the rules of the protection.
    Breach,
}

/// Something that goes wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fault {
    /// When.
    pub at: u64,
    /// How long; what happens in a moment has no use for it.
    pub lasts: u64,
    /// What.
    pub kind: Kind,
}

/// What goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Kind {
    /// Nothing gets through between two hosts.
    Cut(Who, Who),
    /// Nothing gets through from one host to another.
    CutWay(Who, Who),
    /// So many of a million segments between two hosts are lost.
    Loss(Who, Who, u32),
    /// Segments between two hosts with more bytes than this are lost.
    Narrow(Who, Who, usize),
    /// Nothing gets over an edge.
    CutUplink(Edge),
    /// Nothing gets over an edge inwards, or nothing outwards.
    CutUplinkWay(Edge, Flow),
    /// So many of a million segments are lost on an edge, each way.
    LossUplink(Edge, u32),
    /// An edge carries packets of so many bytes, and tells of larger ones or swallows them.
    NarrowUplink(Edge, usize, bool),
    /// What is open between two hosts is reset from outside, once.
    Reset(Who, Who),
    /// The daemon dies, and is started again.
    Kill(Who),
    /// The host loses its power, and has it again.
    Power(Who),
    /// The host sleeps.
    Sleep(Who),
    /// The host has another address.
    Roam(Who),
    /// The gateway begins anew and knows no session.
    GatewayReboot,
    /// The gateway lets nothing through.
    GatewayCut,
    /// The disk of a storage daemon has room for so many bytes more.
    DiskFull(usize, u64),
    /// Every write of a storage daemon fails.
    DiskBroken(usize),
    /// Every sync of a storage daemon fails.
    SyncFails(usize),
    /// A piece of work of a host's disk takes so many milliseconds.
    DiskSlow(Who, u64),
    /// A host's clock is wrong by so many seconds.
    Clock(Who, i64),
    /// The catalog refuses everything.
    CatalogAway,
    /// The catalog answers nothing.
    CatalogHangs,
    /// A daemon is told that its network has changed.
    NetworkChanged(Who),
    /// Somebody with a wrong password dials a daemon as a console.
    Stranger(Who),
    /// A daemon that no configuration knows dials the director as a client, and waits.
    Impostor,
    /// A stock daemon, which answers no heartbeat, dials the director as this client, and waits.
    StockWaits(usize),
    /// A host's resolver cannot say what any daemon's name means.
    NamesFail(Who),
    /// A host's resolver says that no daemon's name exists.
    NamesMissing(Who),
    /// A host's resolver takes so many milliseconds.
    NamesSlow(Who, u64),
    /// Somebody who holds its key has taken the place of a file daemon or of a storage daemon.
    Foe(Who, Abuse),
    /// A file of a client, or the folder of all its files, cannot be saved as it is.
    Flawed(usize, usize, Flaw),
}

impl Kind {
    /// The daemons it mentions.
    pub(in super::super) fn names(self) -> Vec<Who> {
        match self {
            Self::Cut(one, two)
            | Self::CutWay(one, two)
            | Self::Loss(one, two, _)
            | Self::Narrow(one, two, _)
            | Self::Reset(one, two) => vec![one, two],
            Self::Kill(who)
            | Self::Power(who)
            | Self::Sleep(who)
            | Self::Roam(who)
            | Self::DiskSlow(who, _)
            | Self::Clock(who, _)
            | Self::NetworkChanged(who)
            | Self::NamesFail(who)
            | Self::NamesMissing(who)
            | Self::NamesSlow(who, _)
            | Self::Foe(who, _)
            | Self::Stranger(who) => vec![who],
            Self::StockWaits(client) | Self::Flawed(client, ..) => vec![Who::Client(client)],
            Self::DiskFull(storage, _) | Self::DiskBroken(storage) | Self::SyncFails(storage) => {
                vec![Who::Storage(storage)]
            }
            Self::CutUplink(edge)
            | Self::CutUplinkWay(edge, _)
            | Self::LossUplink(edge, _)
            | Self::NarrowUplink(edge, ..) => match edge {
                Edge::Of(who) => vec![who],
                Edge::Border => Vec::new(),
            },
            Self::GatewayReboot | Self::GatewayCut | Self::CatalogAway | Self::CatalogHangs | Self::Impostor => {
                Vec::new()
            }
        }
    }

    /// The edge that it happens at, if it does.
    pub(in super::super) const fn edge(self) -> Option<Edge> {
        match self {
            Self::CutUplink(edge)
            | Self::CutUplinkWay(edge, _)
            | Self::LossUplink(edge, _)
            | Self::NarrowUplink(edge, ..) => Some(edge),
            _ => None,
        }
    }

    /// Whether it happens and is over.
    #[must_use]
    pub const fn is_moment(self) -> bool {
        matches!(self, Self::Reset(..) | Self::GatewayReboot | Self::NetworkChanged(_) | Self::Stranger(_))
    }
}
