//! Quantities with a unit: [`Seconds`] and [`Bytes`].
//!
//! Both read a bare number (seconds, bytes) or text with a unit, `"90 s"`, `"5 min"`, `"1 GiB"`, and write the
//! largest unit that divides the value.

use std::fmt;
use std::time::Duration;

use serde::de::{self, Deserialize, Deserializer, Visitor};
use serde::ser::{Serialize, Serializer};

/// A duration in whole seconds: `30`, `"30 s"`, `"5 min"`, `"2 h"`, `"7 d"`, `"4 weeks"`, `"1 year"` (365 days).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Seconds(pub u64);

impl Seconds {
    /// `n` seconds.
    #[must_use]
    pub const fn secs(n: u64) -> Self {
        Self(n)
    }

    /// `n` minutes.
    #[must_use]
    pub const fn minutes(n: u64) -> Self {
        Self(n.saturating_mul(60))
    }

    /// `n` days.
    #[must_use]
    pub const fn days(n: u64) -> Self {
        Self(n.saturating_mul(86_400))
    }

    /// The same as a `Duration`.
    #[must_use]
    pub const fn duration(self) -> Duration {
        Duration::from_secs(self.0)
    }

    /// Whether it is zero, which mostly means "off".
    #[must_use]
    pub const fn is_zero(self) -> bool {
        self.0 == 0
    }
}

/// A number of bytes: `65536`, `"64 KiB"`, `"1 GiB"` (powers of 1024) or `"5 GB"` (powers of 1000).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Bytes(pub u64);

impl Bytes {
    /// `n` times 1024 bytes.
    #[must_use]
    pub const fn kib(n: u64) -> Self {
        Self(n.saturating_mul(1 << 10))
    }

    /// `n` times 1024² bytes.
    #[must_use]
    pub const fn mib(n: u64) -> Self {
        Self(n.saturating_mul(1 << 20))
    }

    /// `n` times 1024³ bytes.
    #[must_use]
    pub const fn gib(n: u64) -> Self {
        Self(n.saturating_mul(1 << 30))
    }
}

impl Seconds {
    /// Reads a time as it is written in a configuration: `30`, `5 min`, `1 h 30 min`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        parse(text, &[TIME_UNITS, LONG_TIME_UNITS]).map(Self)
    }
}

impl Bytes {
    /// Reads a size as it is written in a configuration: `65536`, `64 KiB`, `5 GB`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        parse(text, &[BINARY_UNITS, DECIMAL_UNITS]).map(Self)
    }
}

/// The units of [`Seconds`], smallest first; the first name of each is the one that is written.
const TIME_UNITS: &[(&[&str], u64)] = &[
    (&["s", "sec", "secs", "second", "seconds"], 1),
    (&["min", "mins", "minute", "minutes", "m"], 60),
    (&["h", "hour", "hours"], 3_600),
    (&["d", "day", "days"], 86_400),
    (&["weeks", "w", "week"], 7 * 86_400),
    (&["years", "y", "year"], 365 * 86_400),
];

/// The units that [`Seconds`] only reads, as long as those of Bareos.
const LONG_TIME_UNITS: &[(&[&str], u64)] =
    &[(&["month", "months"], 30 * 86_400), (&["quarter", "quarters"], 91 * 86_400)];

/// The units that [`Bytes`] reads and writes, smallest first.
const BINARY_UNITS: &[(&[&str], u64)] = &[
    (&["B", "byte", "bytes"], 1),
    (&["KiB", "K"], 1 << 10),
    (&["MiB", "M"], 1 << 20),
    (&["GiB", "G"], 1 << 30),
    (&["TiB", "T"], 1 << 40),
];

/// The units that [`Bytes`] only reads.
const DECIMAL_UNITS: &[(&[&str], u64)] =
    &[(&["kB", "KB"], 1_000), (&["MB"], 1_000_000), (&["GB"], 1_000_000_000), (&["TB"], 1_000_000_000_000)];

/// Reads one or more pairs of number and unit: `"1 h 30 min"`. A last number without unit has the unit 1.
fn parse(text: &str, units: &[&[(&[&str], u64)]]) -> Option<u64> {
    let mut rest = text.trim();
    let mut total = None;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
        let number: u64 = rest[..digits].parse().ok()?;
        rest = rest[digits..].trim_start();
        let letters = rest.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(rest.len());
        let name = &rest[..letters];
        rest = rest[letters..].trim_start();
        let factor = match name {
            "" if rest.is_empty() => 1,
            name => units.iter().flat_map(|table| table.iter()).find(|(names, _)| names.contains(&name))?.1,
        };
        total = Some(number.checked_mul(factor)?.checked_add(total.unwrap_or(0))?);
    }
    total
}

fn write(f: &mut fmt::Formatter<'_>, value: u64, units: &[(&[&str], u64)]) -> fmt::Result {
    let fits = units.iter().rev().find(|(_, factor)| value != 0 && value.is_multiple_of(*factor));
    let (names, factor) = fits.or_else(|| units.first()).copied().unwrap_or((&[""], 1));
    write!(f, "{} {}", value / factor, names.first().unwrap_or(&""))
}

impl fmt::Display for Seconds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Weeks and years are read, but a person compares days more easily.
        write(f, self.0, TIME_UNITS.get(..4).unwrap_or(TIME_UNITS))
    }
}

impl fmt::Display for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write(f, self.0, BINARY_UNITS)
    }
}

impl Serialize for Seconds {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl Serialize for Bytes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Seconds {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let quantity =
            Quantity { what: "a duration such as 30, \"30 s\", \"5 min\" or \"1 day\"", units: &[TIME_UNITS] };
        deserializer.deserialize_any(quantity).map(Self)
    }
}

impl<'de> Deserialize<'de> for Bytes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let units = &[BINARY_UNITS, DECIMAL_UNITS];
        let quantity = Quantity { what: "a size such as 65536, \"64 KiB\", \"1 GiB\" or \"5 GB\"", units };
        deserializer.deserialize_any(quantity).map(Self)
    }
}

/// Reads a number or text with units.
struct Quantity {
    what: &'static str,
    units: &'static [&'static [(&'static [&'static str], u64)]],
}

impl Visitor<'_> for Quantity {
    type Value = u64;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.what)
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> Result<u64, E> {
        Ok(value)
    }

    fn visit_i64<E: de::Error>(self, value: i64) -> Result<u64, E> {
        u64::try_from(value).map_err(|_| E::invalid_value(de::Unexpected::Signed(value), &self))
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<u64, E> {
        parse(text, self.units).ok_or_else(|| E::invalid_value(de::Unexpected::Str(text), &self))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_read_every_unit_and_bare_numbers() {
        let read = |text: &str| serde_json::from_str::<Seconds>(text).ok().map(|s| s.0);
        assert_eq!(read("45"), Some(45));
        assert_eq!(read("\"45\""), Some(45));
        assert_eq!(read("\"30 s\""), Some(30));
        assert_eq!(read("\"5min\""), Some(300));
        assert_eq!(read("\"1 h 30 min\""), Some(5_400));
        assert_eq!(read("\"30 days\""), Some(2_592_000));
        assert_eq!(read("\"1 year\""), Some(31_536_000));
    }

    #[test]
    fn durations_refuse_unknown_units_signs_fractions_and_overflow() {
        for bad in ["\"5 parsecs\"", "\"\"", "\"s\"", "-3", "1.5", "\"-3 s\"", "\"99999999999999 years\"", "\"5 s x\""]
        {
            assert!(serde_json::from_str::<Seconds>(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn sizes_tell_binary_from_decimal_units() {
        let read = |text: &str| serde_json::from_str::<Bytes>(text).ok().map(|b| b.0);
        assert_eq!(read("\"64 KiB\""), Some(65_536));
        assert_eq!(read("\"1 GiB\""), Some(1 << 30));
        assert_eq!(read("\"5 GB\""), Some(5_000_000_000));
        assert_eq!(read("\"5 gb\""), None);
    }

    #[test]
    fn the_largest_whole_unit_is_written_and_reads_back() {
        for (value, text) in
            [(0, "0 s"), (30, "30 s"), (90, "90 s"), (300, "5 min"), (5_400, "90 min"), (86_400, "1 d")]
        {
            assert_eq!(Seconds(value).to_string(), text);
            assert_eq!(parse(text, &[TIME_UNITS]), Some(value));
        }
        assert_eq!(Bytes::mib(1).to_string(), "1 MiB");
        assert_eq!(Bytes(1_500).to_string(), "1500 B");
    }
}
