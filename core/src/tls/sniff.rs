//! The acceptor's first bytes: clear hello or ClientHello, and which engine a ClientHello asks for.

use crate::tls::record::{HEAD, record_len};
#[cfg(feature = "sim")]
use crate::tls::toy;

/// Most first bytes an acceptor collects before it gives up.
pub const MAX_FIRST_BYTES: usize = 16 * 1024;

/// How the dialler of an accepted connection begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum First {
    /// Not enough bytes to tell: read on.
    More,
    /// A frame with a hello in clear, `wire/1 §2.2`. Its rest may still be under way.
    ClearHello,
    /// A whole ClientHello.
    Tls {
        /// Whether it offers a pre-shared key: the extension `pre_shared_key`, or a suite of TLS 1.2 with one.
        psk_offered: bool,
        /// Whether it offers a suite that only a certificate can go with, `wire/1 §2.8`.
        takes_certificates: bool,
    },
    /// The simulator's engine; only [`sniff_simulated`] finds it.
    #[cfg(feature = "sim")]
    Toy,
    /// Nothing a backup daemon says, or a ClientHello of more than [`MAX_FIRST_BYTES`].
    Neither,
}

/// Judges all bytes that have come so far, in any split. Consumes nothing: the engine reads them again.
#[must_use]
pub fn sniff(bytes: &[u8]) -> First {
    match bytes.first() {
        None => First::More,
        Some(0x16) => client_hello(bytes),
        Some(_) => clear_hello(bytes),
    }
}

/// [`sniff`] for a daemon of the simulator: knows its engine too.
#[cfg(feature = "sim")]
#[must_use]
pub fn sniff_simulated(bytes: &[u8]) -> First {
    if bytes.first() == Some(&toy::FIRST_BYTE) { First::Toy } else { sniff(bytes) }
}

/// A head of four bytes with a length that a hello can have, then `Hello `.
fn clear_hello(bytes: &[u8]) -> First {
    const WORD: &[u8] = b"Hello ";
    let (head, text) = bytes.split_at(bytes.len().min(4));
    let known = text.len().min(WORD.len());
    if head.iter().take(2).any(|byte| *byte != 0) || text[..known] != WORD[..known] {
        return First::Neither;
    }
    if let [_, _, high, low] = head
        && !(WORD.len() + 1..=MAX_FIRST_BYTES).contains(&usize::from(u16::from_be_bytes([*high, *low])))
    {
        return First::Neither;
    }
    if known == WORD.len() { First::ClearHello } else { First::More }
}

/// Joins the records of the ClientHello and parses it. RFC 8446 §4.1.2, §5.1.
fn client_hello(bytes: &[u8]) -> First {
    let mut message = Vec::new();
    let mut rest = bytes;
    loop {
        match handshake_len(&message) {
            Err(NotHello) => return First::Neither,
            Ok(Some(len)) if HEAD + len > MAX_FIRST_BYTES => return First::Neither,
            Ok(Some(len)) if message.len() >= len => {
                return judge(&message[4..len]).unwrap_or(First::Neither);
            }
            Ok(_) => {}
        }
        if rest.iter().zip([0x16, 3]).any(|(byte, wanted)| *byte != wanted) {
            return First::Neither;
        }
        let incomplete = if bytes.len() >= MAX_FIRST_BYTES { First::Neither } else { First::More };
        let Some(len) = record_len(rest) else { return incomplete };
        if len == HEAD || len > HEAD + crate::tls::record::MAX_PLAIN {
            return First::Neither;
        }
        let Some((record, after)) = rest.split_at_checked(len) else { return incomplete };
        message.extend_from_slice(&record[HEAD..]);
        rest = after;
    }
}

struct NotHello;

/// The size of the handshake message, head included, once its head is there.
fn handshake_len(message: &[u8]) -> Result<Option<usize>, NotHello> {
    match message {
        [] => Ok(None),
        [1, high, middle, low, ..] => {
            Ok(Some(4 + (usize::from(*high) << 16 | usize::from(*middle) << 8 | usize::from(*low))))
        }
        [1, ..] => Ok(None),
        _ => Err(NotHello),
    }
}

/// What the body of a ClientHello offers; None if it is malformed.
fn judge(body: &[u8]) -> Option<First> {
    let mut reader = Reader(body);
    reader.take(2 + 32)?;
    reader.with_len8()?;
    let suites = reader.with_len16()?;
    if suites.len() % 2 != 0 {
        return None;
    }
    let mut suites = suites.chunks_exact(2).map(|pair| u16::from_be_bytes([pair[0], pair[1]]));
    let in_suites = suites.clone().any(is_psk_suite);
    let takes_certificates = suites.clone().any(is_certificate_suite);
    reader.with_len8()?;
    if reader.0.is_empty() {
        return Some(First::Tls { psk_offered: in_suites, takes_certificates });
    }
    let mut extensions = Reader(reader.with_len16()?);
    let (mut in_extensions, mut offers_13) = (false, false);
    while !extensions.0.is_empty() {
        let kind = extensions.u16()?;
        let data = extensions.with_len16()?;
        in_extensions |= kind == PRE_SHARED_KEY;
        offers_13 |=
            kind == SUPPORTED_VERSIONS && data.get(1..).is_some_and(|list| list.chunks(2).any(|v| v == TLS_13));
    }
    // Of two that speak TLS 1.3 only its suites count.
    let takes_certificates = if offers_13 { suites.any(|suite| suite == WITH_SHA384) } else { takes_certificates };
    Some(First::Tls { psk_offered: in_suites || in_extensions, takes_certificates })
}

/// The extension `pre_shared_key`. RFC 8446 §4.2.
const PRE_SHARED_KEY: u16 = 41;

/// The extension `supported_versions`, and TLS 1.3 in it. RFC 8446 §4.2.1.
const SUPPORTED_VERSIONS: u16 = 43;
const TLS_13: [u8; 2] = [3, 4];

/// `TLS_AES_256_GCM_SHA384`: no key from Bareos's callbacks can go with it. RFC 8446 §B.4.
const WITH_SHA384: u16 = 0x1302;

/// The suites of TLS 1.2 that use a pre-shared key: RFC 4279, 4785, 5487, 5489, 6209, 6367, 6655, 7905, 8442.
const fn is_psk_suite(suite: u16) -> bool {
    matches!(
        suite,
        0x002c..=0x002e
            | 0x008a..=0x0095
            | 0x00a8..=0x00b9
            | 0xc033..=0xc03b
            | 0xc064..=0xc06f
            | 0xc08e..=0xc09b
            | 0xc0a4..=0xc0ab
            | 0xccab..=0xccae
            | 0xd001..=0xd005
    )
}

/// The suites that no key from Bareos's callbacks can go with: of TLS 1.3 the one with SHA-384, of TLS 1.2 those whose
/// server signs with ECDSA or RSA and is not named in [`is_psk_suite`] (RFC 5246, 5288, 5289, 7905).
const fn is_certificate_suite(suite: u16) -> bool {
    matches!(
        suite,
        WITH_SHA384 | 0x002f | 0x0035 | 0x003c | 0x003d | 0x009c..=0x009f | 0xc009 | 0xc00a | 0xc013 | 0xc014
            | 0xc023..=0xc024 | 0xc027..=0xc028 | 0xc02b..=0xc02c | 0xc02f..=0xc030 | 0xcca8..=0xccaa
    )
}

/// Reads a slice from its front.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn take(&mut self, n: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(n)?;
        self.0 = rest;
        Some(taken)
    }

    fn u16(&mut self) -> Option<u16> {
        self.take(2).map(|bytes| u16::from_be_bytes([bytes[0], bytes[1]]))
    }

    fn with_len8(&mut self) -> Option<&'a [u8]> {
        let len = self.take(1)?[0];
        self.take(usize::from(len))
    }

    fn with_len16(&mut self) -> Option<&'a [u8]> {
        let len = self.u16()?;
        self.take(usize::from(len))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// A ClientHello with these suites and extensions, in records of `size` bytes.
    fn hello(suites: &[u16], extensions: &[(u16, usize)], size: usize) -> Vec<u8> {
        let mut body = vec![3, 3];
        body.extend([9; 32]);
        body.push(0);
        body.extend(u16::try_from(suites.len() * 2).unwrap().to_be_bytes());
        body.extend(suites.iter().flat_map(|suite| suite.to_be_bytes()));
        body.extend([1, 0]);
        let mut list = Vec::new();
        for (kind, len) in extensions {
            list.extend(kind.to_be_bytes());
            list.extend(u16::try_from(*len).unwrap().to_be_bytes());
            list.resize(list.len() + len, 0);
        }
        body.extend(u16::try_from(list.len()).unwrap().to_be_bytes());
        body.extend(list);
        let mut message = vec![1];
        message.extend(&u32::try_from(body.len()).unwrap().to_be_bytes()[1..]);
        message.extend(body);
        let mut out = Vec::new();
        for piece in message.chunks(size) {
            out.extend([0x16, 3, 1]);
            out.extend(u16::try_from(piece.len()).unwrap().to_be_bytes());
            out.extend(piece);
        }
        out
    }

    fn clear(text: &[u8]) -> Vec<u8> {
        [&u32::try_from(text.len()).unwrap().to_be_bytes()[..], text].concat()
    }

    /// Every prefix must wait, the whole must be `expected`, and bytes after it change nothing.
    fn decides(bytes: &[u8], needed: usize, expected: First) {
        for n in 0..needed {
            assert_eq!(sniff(&bytes[..n]), First::More, "after {n} bytes");
        }
        assert_eq!(sniff(&bytes[..needed]), expected);
        assert_eq!(sniff(&[bytes, b"tail"].concat()), expected);
    }

    #[test]
    fn a_clear_hello_is_known_after_ten_bytes_in_any_split() {
        decides(&clear(b"Hello Director bareos-dir calling\n"), 10, First::ClearHello);
    }

    #[test]
    fn a_client_hello_with_a_key_or_without_is_known_once_it_is_whole() {
        for size in [1, 7, 100, 16_384] {
            let plain = hello(&[0x1301, 0xc02f], &[(43, 3)], size);
            decides(&plain, plain.len(), First::Tls { psk_offered: false, takes_certificates: true });
            let extension = hello(&[0x1301], &[(43, 3), (41, 60)], size);
            decides(&extension, extension.len(), First::Tls { psk_offered: true, takes_certificates: false });
            let suite = hello(&[0xc02f, 0xccac, 0x00ff], &[], size);
            decides(&suite, suite.len(), First::Tls { psk_offered: true, takes_certificates: true });
            let both = hello(&[0x1302, 0x1303, 0x1301], &[(43, 3), (41, 60)], size);
            decides(&both, both.len(), First::Tls { psk_offered: true, takes_certificates: true });
            let keys_only = hello(&[0x00a8, 0xccac, 0x00ff], &[(43, 3)], size);
            decides(&keys_only, keys_only.len(), First::Tls { psk_offered: true, takes_certificates: false });
        }
    }

    #[test]
    fn foreign_protocols_are_neither() {
        let foreign: [&[u8]; 8] = [
            b"GET / HTTP/1.1\r\n",
            b"SSH-2.0-OpenSSH_9.2\r\n",
            &(-4i32).to_be_bytes(),
            &clear(b"hello Director x calling\n"),
            &[0, 1, 0, 0],
            &[0x16, 2, 0],
            &[0x16, 3, 1, 0, 0],
            &[0x16, 3, 1, 0, 4, 2, 0, 0, 0],
        ];
        for bytes in foreign {
            assert_eq!(sniff(bytes), First::Neither, "{bytes:02x?}");
        }
    }

    #[test]
    fn a_client_hello_at_the_limit_passes_and_one_byte_more_does_not() {
        let fixed = hello(&[0x1301], &[(21, 0)], 16_384).len();
        let most = hello(&[0x1301], &[(21, MAX_FIRST_BYTES - fixed)], 16_384);
        assert_eq!(most.len(), MAX_FIRST_BYTES);
        assert_eq!(sniff(&most), First::Tls { psk_offered: false, takes_certificates: false });
        let more = hello(&[0x1301], &[(21, MAX_FIRST_BYTES - fixed + 1)], 16_384);
        assert_eq!(sniff(&more), First::Neither);
        assert_eq!(sniff(&more[..MAX_FIRST_BYTES]), First::Neither);
    }

    #[test]
    fn a_malformed_client_hello_is_neither() {
        let mut bytes = hello(&[0x1301], &[(41, 4)], 16_384);
        let last = bytes.len() - 5;
        bytes[last] = 9;
        assert_eq!(sniff(&bytes), First::Neither);
    }

    #[cfg(feature = "sim")]
    #[test]
    fn only_a_simulated_daemon_knows_the_toy() {
        assert_eq!(sniff(&[toy::FIRST_BYTE]), First::Neither);
        assert_eq!(sniff_simulated(&[toy::FIRST_BYTE]), First::Toy);
        assert_eq!(sniff_simulated(&clear(b"Hello x")), First::ClearHello);
    }

    proptest! {
        #[test]
        fn random_bytes_never_panic_and_a_verdict_is_final(
            mut bytes in proptest::collection::vec(any::<u8>(), 0..600), kind in 0..3,
        ) {
            match kind {
                1 => bytes.splice(0..0, [0x16, 3, 1, 0, 200, 1, 0, 0, 196, 3, 3]).for_each(drop),
                2 => bytes.splice(0..0, *b"\0\0\0\x20Hel").for_each(drop),
                _ => {}
            }
            let mut verdict = First::More;
            for n in 0..=bytes.len() {
                let now = sniff(&bytes[..n]);
                prop_assert!(verdict == First::More || now == verdict);
                verdict = now;
            }
        }
    }
}
