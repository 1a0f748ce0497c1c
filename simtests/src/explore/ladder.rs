//! Who sent what to whom, as a ladder of text: a column a host, a line a segment.
//!
//! ```text
//!                   dir         fd0         sd0
//!     1.000412       │───────────▶           │      SYN to 9102
//!     1.000612       ◀───────────│           │      SYN ACK
//! ```
//! What only acknowledges is left out.

use std::cell::RefCell;
use std::rc::Rc;

use crate::host::HostId;
use crate::tap::Passing;
use crate::tcp::Segment;

use super::draw::Draw;
use super::scene::name;

/// Characters from one column to the next.
const WIDE: usize = 12;
/// Characters of the time before the first column.
const TIME: usize = 14;
/// Characters of what was said that are shown.
const SAID: usize = 70;
/// Lines that are kept; what comes later is counted only.
const MOST: usize = 20_000;

/// A ladder; clones write into the same one.
#[derive(Clone, Debug)]
pub struct Ladder {
    hosts: Vec<String>,
    lines: Rc<RefCell<(Vec<String>, usize)>>,
}

impl Ladder {
    /// Of the hosts of a draw.
    #[must_use]
    pub fn new(draw: &Draw) -> Self {
        let mut hosts: Vec<String> = draw.everybody().into_iter().map(name).collect();
        // In the order in which a scenario adds them to its world.
        hosts.insert(1, "operator".to_owned());
        Self { hosts, lines: Rc::default() }
    }

    /// A segment is sent.
    pub fn see(&self, passing: &Passing<'_>) {
        let Some(label) = label(passing.segment) else { return };
        let mut lines = self.lines.borrow_mut();
        if lines.0.len() == MOST {
            lines.1 += 1;
            return;
        }
        let seconds = passing.at.0 as f64 / 1e9;
        let rung = self.rung(passing.from, passing.to);
        lines.0.push(format!("{seconds:>width$.6}{rung} {} {label}", passing.ends.peer.port(), width = TIME - 2));
    }

    /// All of it.
    #[must_use]
    pub fn to_text(&self) -> String {
        let heads: String = self.hosts.iter().map(|host| format!("{host:^WIDE$}")).collect();
        let lines = self.lines.borrow();
        let mut text = format!("{:TIME$}{heads}\n", "");
        lines.0.iter().for_each(|line| text.extend([line.trim_end(), "\n"]));
        if lines.1 > 0 {
            text.push_str(&format!("and {} more\n", lines.1));
        }
        text
    }

    /// The columns of one line, with an arrow from one to another.
    fn rung(&self, from: HostId, to: Option<HostId>) -> String {
        let at = |host: usize| host * WIDE + WIDE / 2 + 2;
        let mut line = vec![' '; self.hosts.len() * WIDE + 2];
        (0..self.hosts.len()).for_each(|host| put(&mut line, at(host), '│'));
        match to.filter(|to| *to != from) {
            Some(to) => {
                let (first, last) = (at(from.0.min(to.0)), at(from.0.max(to.0)));
                (first + 1..last).for_each(|place| put(&mut line, place, '─'));
                put(&mut line, at(to.0), if to > from { '▶' } else { '◀' });
            }
            None => put(&mut line, at(from.0) + 1, '✗'),
        }
        line.into_iter().collect()
    }
}

fn put(line: &mut [char], at: usize, sign: char) {
    if let Some(place) = line.get_mut(at) {
        *place = sign;
    }
}

/// What a segment says, if it says anything.
fn label(segment: &Segment) -> Option<String> {
    match segment {
        Segment::Syn { .. } => Some("SYN".to_owned()),
        Segment::SynAck { .. } => Some("SYN ACK".to_owned()),
        Segment::Rst { .. } => Some("RST".to_owned()),
        Segment::Data(data) if data.bytes.is_empty() && data.fin => Some("FIN".to_owned()),
        Segment::Data(data) if data.bytes.is_empty() => None,
        Segment::Data(data) => {
            let fin = if data.fin { " FIN" } else { "" };
            Some(format!("{}+{}{fin}: {}", data.at, data.bytes.len(), said(&data.bytes)))
        }
    }
}

/// The beginning of what is said, with a dot for what cannot be printed.
fn said(bytes: &[u8]) -> String {
    let printable = |byte: &u8| if byte.is_ascii_graphic() || *byte == b' ' { char::from(*byte) } else { '.' };
    bytes.iter().take(SAID).map(printable).collect()
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use towline_core::socket::Ends;
    use towline_core::time::Instant;

    use super::*;

    #[test]
    fn an_arrow_goes_from_one_column_to_the_other_and_what_is_led_nowhere_is_crossed_out() {
        let mut draw = Draw::of(1);
        draw.clients.truncate(1);
        draw.storages.truncate(1);
        let ladder = Ladder::new(&draw);
        let end = |port: u16| SocketAddr::from(([192, 0, 2, 1], port));
        let ends = Ends { local: end(32_768), peer: end(9102) };
        let segment = Segment::Syn { isn: 0, longest: 1 };
        let passing = |to| Passing { at: Instant(1_000_412_000), from: HostId(0), ends, segment: &segment, to };
        ladder.see(&passing(Some(HostId(2))));
        ladder.see(&passing(None));
        let text = ladder.to_text();
        let lines: Vec<&str> = text.lines().collect();
        assert!(lines[0].contains("dir") && lines[0].contains("operator") && lines[0].contains("fd0"), "{text}");
        assert!(lines[1].contains("1.000412") && lines[1].contains("│───────────────────────▶"), "{text}");
        assert!(lines[1].ends_with("9102 SYN"), "{text}");
        assert!(lines[2].contains("│✗"), "{text}");
    }
}
