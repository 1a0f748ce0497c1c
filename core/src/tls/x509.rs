//! The few fields of a certificate that our own checks read: names and dates. The signature is checked elsewhere.

use std::net::IpAddr;

/// Names and dates of one certificate. RFC 5280 §4.1, §4.2.1.6.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Fields {
    /// Every common name of the subject.
    pub(super) common_names: Vec<String>,
    /// Every alternative name of the kind DNS.
    pub(super) dns: Vec<String>,
    /// Every alternative name that is an address.
    pub(super) addresses: Vec<IpAddr>,
    /// First second of its life, since 1970-01-01 UTC.
    pub(super) not_before: i64,
    /// Last second of its life.
    pub(super) not_after: i64,
}

impl Fields {
    /// Reads a certificate in DER. None if it is malformed.
    pub(super) fn read(certificate: &[u8]) -> Option<Self> {
        let mut outer = Der(certificate).expect(SEQUENCE)?;
        let mut body = outer.expect(SEQUENCE)?;
        let mut fields = Self::default();
        if body.0.first() == Some(&0xa0) {
            body.next()?;
        }
        body.expect(INTEGER)?;
        body.expect(SEQUENCE)?; // signature algorithm
        body.expect(SEQUENCE)?; // issuer
        let mut validity = body.expect(SEQUENCE)?;
        fields.not_before = validity.time()?;
        fields.not_after = validity.time()?;
        fields.subject(body.expect(SEQUENCE)?)?;
        body.expect(SEQUENCE)?; // public key
        while !body.0.is_empty() {
            let (tag, mut content) = body.next()?;
            if tag == 0xa3 {
                fields.extensions(content.expect(SEQUENCE)?)?;
            }
        }
        Some(fields)
    }

    /// Whether `address`, as configured, is one of the names: any DNS name or common name without regard to case, or
    /// an IP address. No wildcards. `wire/1 §2.8`, which knows no IP addresses: those are our addition.
    pub(super) fn names(&self, address: &str) -> bool {
        let ip: Option<IpAddr> = address.parse().ok();
        self.dns.iter().chain(&self.common_names).any(|name| name.eq_ignore_ascii_case(address))
            || ip.is_some_and(|ip| self.addresses.contains(&ip))
    }

    /// Whether a common name is exactly one of `allowed`, `wire/1 §2.8`.
    pub(super) fn is_one_of(&self, allowed: &[String]) -> bool {
        self.common_names.iter().any(|name| allowed.contains(name))
    }

    fn subject(&mut self, mut names: Der<'_>) -> Option<()> {
        while !names.0.is_empty() {
            let mut set = names.expect(SET)?;
            while !set.0.is_empty() {
                let mut pair = set.expect(SEQUENCE)?;
                let kind = pair.expect(OBJECT)?;
                let (_, value) = pair.next()?;
                if kind.0 == COMMON_NAME {
                    self.common_names.push(String::from_utf8_lossy(value.0).into_owned());
                }
            }
        }
        Some(())
    }

    fn extensions(&mut self, mut list: Der<'_>) -> Option<()> {
        while !list.0.is_empty() {
            let mut extension = list.expect(SEQUENCE)?;
            let kind = extension.expect(OBJECT)?;
            let (mut tag, mut value) = extension.next()?;
            if tag == BOOLEAN {
                (tag, value) = extension.next()?;
            }
            if kind.0 == ALTERNATIVE_NAME && tag == OCTETS {
                self.alternatives(value.expect(SEQUENCE)?)?;
            }
        }
        Some(())
    }

    fn alternatives(&mut self, mut names: Der<'_>) -> Option<()> {
        while !names.0.is_empty() {
            match names.next()? {
                (0x82, name) => self.dns.push(String::from_utf8_lossy(name.0).into_owned()),
                (0x87, address) => {
                    let four = <[u8; 4]>::try_from(address.0).map(IpAddr::from);
                    self.addresses.extend(four.or_else(|_| <[u8; 16]>::try_from(address.0).map(IpAddr::from)).ok());
                }
                _ => {}
            }
        }
        Some(())
    }
}

const BOOLEAN: u8 = 0x01;
const INTEGER: u8 = 0x02;
const OCTETS: u8 = 0x04;
const OBJECT: u8 = 0x06;
const UTC_TIME: u8 = 0x17;
const LONG_TIME: u8 = 0x18;
const SEQUENCE: u8 = 0x30;
const SET: u8 = 0x31;
const COMMON_NAME: [u8; 3] = [0x55, 4, 3];
const ALTERNATIVE_NAME: [u8; 3] = [0x55, 0x1d, 0x11];

/// The rest of a list of DER values.
#[derive(Clone, Copy)]
struct Der<'a>(&'a [u8]);

impl<'a> Der<'a> {
    fn next(&mut self) -> Option<(u8, Self)> {
        let (&[tag, first], rest) = self.0.split_first_chunk()?;
        let (len, rest) = if first < 0x80 {
            (usize::from(first), rest)
        } else {
            let count = usize::from(first & 0x7f);
            let (bytes, rest) = rest.split_at_checked(count).filter(|_| (1..=3).contains(&count))?;
            (bytes.iter().fold(0, |len, byte| len << 8 | usize::from(*byte)), rest)
        };
        let (content, rest) = rest.split_at_checked(len)?;
        self.0 = rest;
        Some((tag, Self(content)))
    }

    fn expect(&mut self, wanted: u8) -> Option<Self> {
        self.next().filter(|(tag, _)| *tag == wanted).map(|(_, content)| content)
    }

    /// `YYMMDDhhmmssZ` or `YYYYMMDDhhmmssZ`. RFC 5280 §4.1.2.5.
    fn time(&mut self) -> Option<i64> {
        let (tag, text) = self.next()?;
        let text = text.0.strip_suffix(b"Z")?;
        let (year, rest) = text.split_at_checked(if tag == LONG_TIME { 4 } else { 2 })?;
        if !text.iter().all(u8::is_ascii_digit) || rest.len() != 10 || !matches!(tag, UTC_TIME | LONG_TIME) {
            return None;
        }
        let number = |digits: &[u8]| digits.iter().fold(0, |n, digit| n * 10 + i64::from(digit - b'0'));
        let year = match (tag, number(year)) {
            (LONG_TIME, year) => year,
            (_, year) if year >= 50 => 1900 + year,
            (_, year) => 2000 + year,
        };
        let mut parts = rest.chunks_exact(2).map(number);
        let (month, day) = (parts.next()?, parts.next()?);
        let clock = parts.fold(0, |seconds, part| seconds * 60 + part);
        (1..=12).contains(&month).then(|| days(year, month, day) * 86_400 + clock)
    }
}

/// Days from 1970-01-01 to a date of the Gregorian calendar, counted in years that begin in March.
const fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    year * 365 + year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400) + of_year - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;
    use rcgen::{CertificateParams, DnType, KeyPair, date_time_ymd};

    #[test]
    fn names_and_dates_of_a_generated_certificate_are_read() {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(vec!["one.example".to_owned(), "10.1.2.3".to_owned()]).unwrap();
        params.distinguished_name.push(DnType::CommonName, "bareos-fd");
        params.distinguished_name.push(DnType::OrganizationName, "Example");
        params.not_before = date_time_ymd(2024, 2, 29);
        params.not_after = date_time_ymd(2055, 12, 31);
        let der = params.self_signed(&key).unwrap();
        let fields = Fields::read(der.der()).unwrap();
        assert_eq!(fields.common_names, ["bareos-fd"]);
        assert_eq!((fields.not_before, fields.not_after), (1_709_164_800, 2_713_824_000));
        for name in ["ONE.example", "bareos-fd", "10.1.2.3"] {
            assert!(fields.names(name), "{name}");
        }
        assert!(!fields.names("two.example") && !fields.names("10.1.2.4"));
        assert!(fields.is_one_of(&["x".to_owned(), "bareos-fd".to_owned()]));
        assert!(!fields.is_one_of(&["Bareos-fd".to_owned()]));
    }

    #[test]
    fn every_truncation_is_refused() {
        let certificate = rcgen::generate_simple_self_signed(vec!["one.example".to_owned()]).unwrap();
        let der = certificate.cert.der();
        for n in 0..der.len() {
            assert_eq!(Fields::read(&der[..n]), None);
        }
    }
}
