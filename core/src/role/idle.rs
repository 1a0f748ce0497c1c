//! Authenticated connections that have nothing to do, such as a console that has logged in and says nothing: how many
//! there may be, and which goes for one that comes. Whoever has something to do stays.
//!
//! A name gives of its own first; else the name with the most connections gives. There, the one that has been silent
//! longest goes. So neither a forgotten script nor somebody with one valid key can lock out the others.

use std::collections::BTreeMap;

use crate::ids::ConnId;
use crate::node::AnyNet;
use crate::notice::Level;
use crate::quiet::{Quiet, more};
use crate::time::Instant;

/// How many connections of one kind there may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Bounds {
    /// Of one name.
    pub per_name: usize,
    /// Of all names.
    pub total: usize,
}

impl Bounds {
    /// So many in all, of which a quarter stays free for other names.
    pub(crate) const fn of(total: usize) -> Self {
        Self { per_name: total - total / 4, total }
    }
}

/// A connection that holds a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Seat<'a> {
    pub conn: ConnId,
    pub name: &'a str,
    /// When it last said something.
    pub heard: Instant,
    /// Whether something of it is under way.
    pub is_busy: bool,
}

/// What there is for one that comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Free,
    /// That of a connection which has to go, silent since then.
    Of(ConnId, Instant),
    /// All that could go are busy.
    None,
}

/// There is no place: all that hold one are busy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Full;

/// Makes room, and says so: to whoever has to go, and to the log, there once a minute for each name.
#[derive(Debug, Default)]
pub(crate) struct Doorkeeper {
    said: Quiet<String>,
}

impl Doorkeeper {
    /// Makes room for a `kind` (console, director) of this name; returns the connection that was closed for it, which the
    /// caller forgets.
    ///
    /// # Errors
    /// [`Full`]: nobody can go.
    pub(crate) fn make_room(
        &mut self,
        net: &mut AnyNet,
        (kind, name): (&str, &str),
        seats: &[Seat<'_>],
        bounds: Bounds,
    ) -> Result<Option<ConnId>, Full> {
        let (conn, heard) = match place(name, seats, bounds) {
            Place::Free => return Ok(None),
            Place::Of(conn, heard) => (conn, heard),
            Place::None => return Err(Full),
        };
        let seconds = net.now().since(heard).as_secs();
        let whose = seats.iter().find(|seat| seat.conn == conn).map_or("", |seat| seat.name).to_owned();
        if let Some(unsaid) = self.said.turn(&whose, net.now()) {
            let from = net.ends(conn).map(|ends| ends.peer.to_string()).unwrap_or_default();
            let count = seats.iter().filter(|seat| seat.name == whose).count();
            let text = format!(
                "{kind} {whose} at {from} is let go after {seconds} s of silence, for {kind} {name}: of {} \
                 connections {count} are of its name{}",
                seats.len(),
                more(unsaid)
            );
            net.complain(Level::Warn, 318, &text);
        }
        let text = format!("This connection makes room for another one, after {seconds} s of silence (T0318).\n");
        net.send_text(conn, text);
        net.close(conn, true);
        Ok(Some(conn))
    }
}

fn place(name: &str, seats: &[Seat<'_>], bounds: Bounds) -> Place {
    let mut held: BTreeMap<&str, usize> = BTreeMap::new();
    seats.iter().for_each(|seat| *held.entry(seat.name).or_insert(0) += 1);
    let of = |name: &str| held.get(name).copied().unwrap_or(0);
    let is_over = of(name) >= bounds.per_name;
    if !is_over && seats.len() < bounds.total {
        return Place::Free;
    }
    let idle = seats.iter().filter(|seat| !seat.is_busy && (!is_over || seat.name == name));
    let oldest = idle.min_by_key(|seat| (std::cmp::Reverse(of(seat.name)), seat.heard, seat.conn));
    oldest.map_or(Place::None, |seat| Place::Of(seat.conn, seat.heard))
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOUNDS: Bounds = Bounds { per_name: 3, total: 5 };

    /// Seats in the order of their last words; a name in capitals is busy.
    fn seats<'a>(names: &[&'a str]) -> Vec<Seat<'a>> {
        let is_busy = |name: &str| name.chars().all(char::is_uppercase);
        let seat = |(n, &name): (u64, &&'a str)| Seat {
            conn: ConnId(n),
            name: match name {
                "A" => "a",
                "B" => "b",
                name => name,
            },
            heard: Instant(100 + n),
            is_busy: is_busy(name),
        };
        (0..).zip(names).map(seat).collect()
    }

    fn goes(name: &str, names: &[&str]) -> Place {
        place(name, &seats(names), BOUNDS)
    }

    #[test]
    fn up_to_the_bounds_everybody_stays_and_one_more_lets_the_one_go_that_was_silent_longest() {
        assert_eq!(goes("a", &["a", "a"]), Place::Free);
        assert_eq!(goes("a", &["b", "a", "a", "a"]), Place::Of(ConnId(1), Instant(101)), "of its own name");
        assert_eq!(goes("c", &["b", "a", "a", "a"]), Place::Free);
        assert_eq!(goes("c", &["b", "a", "a", "a", "b"]), Place::Of(ConnId(1), Instant(101)), "of whoever has most");
        assert_eq!(goes("e", &["a", "b", "c", "d", "f"]), Place::Of(ConnId(0), Instant(100)));
    }

    #[test]
    fn who_is_busy_stays_and_when_all_are_there_is_no_place() {
        assert_eq!(goes("a", &["A", "a", "A"]), Place::Of(ConnId(1), Instant(101)));
        assert_eq!(goes("a", &["A", "A", "A", "b"]), Place::None, "another name does not pay for it");
        assert_eq!(goes("c", &["A", "A", "A", "b", "b"]), Place::Of(ConnId(3), Instant(103)));
        assert_eq!(goes("c", &["A", "A", "A", "B", "B"]), Place::None);
    }

    #[test]
    fn one_name_leaves_a_quarter_to_others_and_a_single_place_is_one() {
        assert_eq!(Bounds::of(20), Bounds { per_name: 15, total: 20 });
        assert_eq!(Bounds::of(1), Bounds { per_name: 1, total: 1 });
    }
}
