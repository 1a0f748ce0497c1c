//! Who reaches whom, and which connections outlive a silence.

use super::{Case, Given, Leg, Mode, Place, Stop, View, Who};

/// What somebody is dialled at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum At {
    /// The address it has in its LAN.
    Inner,
    /// The one it has outside: its own, or that of the outermost box around it.
    Outer,
}

impl Case {
    /// Whether a connection comes about.
    pub(super) fn reach(&self, leg: Leg) -> Result<(), Stop> {
        let (from, to) = (self.row.place(leg.from), self.row.place(leg.to));
        let is_private = to.is_translated() && self.at(leg) == At::Inner;
        if self.row.together(leg.from, leg.to) {
            // Where nothing is translated there is but one address.
            return if to.is_translated() && !is_private { Err(Stop::NoHairpin) } else { Ok(()) };
        }
        if from == Place::InOnly {
            return Err(Stop::NotOut);
        }
        if is_private {
            return Err(if from == Place::Open { Stop::NoRoute } else { Stop::Unreachable });
        }
        match to {
            Place::Open | Place::Forwarded | Place::InOnly => Ok(()),
            Place::Home | Place::Carrier | Place::OutOnly => Err(Stop::NotIn),
        }
    }

    /// Whether a connection that came about is alive after a silence in which all boxes on its way have forgotten it.
    pub(super) fn outlives_silence(&self, leg: Leg) -> bool {
        if self.row.together(leg.from, leg.to) {
            return true;
        }
        let (from, to) = (self.row.place(leg.from), self.row.place(leg.to));
        if from == Place::Open && to == Place::Open {
            return true;
        }
        // The client has its data at last and says so; then the storage daemon has something to say to the director.
        let speaker = if leg.from == Who::Client || leg.to == Who::Client { Who::Client } else { Who::Storage };
        let dialler_speaks = speaker == leg.from;
        // What a box takes up, it sees as it sees the beginning of a connection: it must be allowed to begin there.
        let around_dialler = from == Place::Open || dialler_speaks;
        let around_dialled = to == Place::Open || dialler_speaks || to == Place::Forwarded;
        self.loose && around_dialler && around_dialled
    }

    fn at(&self, leg: Leg) -> At {
        // The director and whoever dials it use names.
        let is_data = leg.from != Who::Director && leg.to != Who::Director;
        if is_data && (self.networks == Given::Both || self.lan_address == Given::Both) {
            return At::Inner;
        }
        match self.view {
            View::Public => At::Outer,
            View::Split if self.row.together(leg.from, leg.to) => At::Inner,
            View::Split => At::Outer,
            View::Inner => At::Inner,
        }
    }

    /// Who is dialled on the data channel: whose LAN address or network is there where only one is.
    #[must_use]
    pub const fn dialled(&self) -> Who {
        if matches!(self.mode, Mode::Passive) { Who::Client } else { Who::Storage }
    }
}
