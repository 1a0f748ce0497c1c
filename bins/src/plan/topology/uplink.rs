//! The edges of the tree as an operator writes them: what connects a host with its network, and a gateway with the network on
//! its other side.

use std::time::Duration;

use serde::Deserialize;
use serde::de::{Deserializer, Error as _, Unexpected};
use towline_core::config::Bytes;
use towline_simtests::edge;
use towline_simtests::link::Link;

/// What an edge carries, in both directions. What is not said is not in the way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(in super::super) struct Uplink {
    /// How long a packet is under way, `"30 ms"`.
    pub(in super::super) latency: Span,
    /// How much longer than that it may be.
    pub(in super::super) jitter: Span,
    /// How many packets are lost, `"0.5 %"`.
    pub(in super::super) loss: Share,
    /// Bytes of the largest IP packet that gets through. Interfaces of hosts are for 1,500: more is no limit.
    pub(in super::super) mtu: Option<u32>,
    /// What becomes of a larger one.
    pub(in super::super) too_large: Option<TooLarge>,
    /// Bytes a second, `"12 MB"`.
    pub(in super::super) rate: Option<Bytes>,
}

/// What becomes of a packet that is larger than the MTU.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(in super::super) enum TooLarge {
    /// Its sender is told by ICMP, and sends smaller ones.
    #[default]
    Tell,
    /// It vanishes, as where a firewall drops all ICMP.
    Swallow,
}

impl Uplink {
    /// The same for the simulated world.
    pub(in super::super) fn edge(&self) -> edge::Uplink {
        let plain = Link {
            latency: self.latency.0,
            jitter: self.jitter.0,
            loss: self.loss.0,
            rate: self.rate.map_or(0, |rate| rate.0),
            ..Link::CLEAR
        };
        let tells = self.too_large.unwrap_or_default() == TooLarge::Tell;
        let mtu = self.mtu.and_then(|mtu| usize::try_from(mtu).ok());
        edge::Uplink::both(mtu.map_or(plain, |mtu| plain.with_mtu(mtu, tells)))
    }
}

/// A short time: `"30 ms"`, `"1.5 s"`, `"200 us"`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in super::super) struct Span(pub(in super::super) Duration);

impl Span {
    fn parse(text: &str) -> Option<Self> {
        let (number, unit) = number(text)?;
        let unit = match unit {
            "us" | "µs" => 1e-6,
            "ms" => 1e-3,
            "s" => 1.0,
            _ => return None,
        };
        let seconds = number * unit;
        (seconds <= 60.0).then(|| Self(Duration::from_secs_f64(seconds)))
    }
}

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        read(deserializer, Self::parse, "a time of at most 60 s as \"30 ms\"")
    }
}

/// A part of all packets, in millionths: `"0.5 %"`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in super::super) struct Share(pub(in super::super) u32);

impl Share {
    fn parse(text: &str) -> Option<Self> {
        let (number, unit) = number(text)?;
        // At most a million.
        (unit == "%" && number <= 100.0).then(|| Self((number * 10_000.0).round() as u32))
    }
}

impl<'de> Deserialize<'de> for Share {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        read(deserializer, Self::parse, "a part of all packets as \"0.5 %\"")
    }
}

fn read<'de, D: Deserializer<'de>, T>(from: D, parse: fn(&str) -> Option<T>, expected: &str) -> Result<T, D::Error> {
    let text = String::deserialize(from)?;
    parse(&text).ok_or_else(|| D::Error::invalid_value(Unexpected::Str(&text), &expected))
}

/// A number that is not negative, and the unit after it.
fn number(text: &str) -> Option<(f64, &str)> {
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.')?;
    Some((text[..end].parse().ok()?, text[end..].trim()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_and_parts_are_read_with_their_units_and_nothing_else_is() {
        let span = |text: &str| Span::parse(text).map(|span| span.0);
        assert_eq!(span("30 ms"), Some(Duration::from_millis(30)));
        assert_eq!(
            (span("1.5s"), span("200 us")),
            (Some(Duration::from_millis(1_500)), Some(Duration::from_micros(200)))
        );
        let share = |text: &str| Share::parse(text).map(|share| share.0);
        assert_eq!((share("0.5 %"), share("100%"), share("0 %")), (Some(5_000), Some(1_000_000), Some(0)));
        for wrong in ["", "30", "ms", "-1 ms", "1.2.3 ms", "2 min", "61 s", "1 %"] {
            assert!(span(wrong).is_none(), "{wrong}");
        }
        for wrong in ["", "1", "%", "-1 %", "101 %", "1 ms"] {
            assert!(share(wrong).is_none(), "{wrong}");
        }
    }

    #[test]
    fn an_edge_of_which_nothing_is_said_is_clear() {
        assert_eq!(Uplink::default().edge(), edge::Uplink::default());
        let narrow = Uplink { mtu: Some(1_400), too_large: Some(TooLarge::Swallow), ..Uplink::default() }.edge();
        assert_eq!((narrow.out.largest, narrow.out.tells, narrow.back), (Some(1_348), false, narrow.out));
    }
}
