//! The challenge and its answer, CRAM-MD5 in the dialect of the real daemons (`wire/1 §4`).
//!
//! The side that accepted the TCP connection challenges first, then the other; every connection does both.

use hmac::{Hmac, KeyInit, Mac};
use md5::{Digest, Md5};

use super::base64::{Variant, encode};
use super::names::bash;
use super::scan::{Scan, lossy};
use crate::secret::{Secret, same};

/// The verdict on a right answer (`wire/1 §4.5`).
pub const ACCEPTED: &str = "1000 OK auth\n";

/// The verdict on anything else (`wire/1 §4.5`).
pub const REFUSED: &str = "1999 Authorization failed.\n";

/// The placeholder for a key where no job has one; it opens nothing (`wire/1 §2.6`).
pub const NO_KEY: &str = "dummy";

/// The longest qualified name that fits into the buffer of a real peer, in bytes (`wire/1 §4.2`).
pub const MAX_QUALIFIED: usize = 60;

/// Whether a line says that the answer was right. Only the exact text does.
pub fn is_accepted(line: &[u8]) -> bool {
    super::frame::text(line) == ACCEPTED.as_bytes()
}

/// A qualified name as it stands in a challenge: bashed, and no longer than a real peer takes.
fn cut(qualified: &str) -> String {
    let mut name = bash(qualified);
    while name.len() > MAX_QUALIFIED {
        name.pop();
    }
    name
}

/// A challenge line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Challenge {
    /// The text between keyword and policy, with its angle brackets: what the answer is computed over.
    text: Vec<u8>,
    /// The encoding in which the challenger expects the answer.
    pub variant: Variant,
    /// The challenger's TLS policy, 0 none, 1 enabled, 2 required, 4 at once; old peers announce none.
    pub policy: Option<i32>,
}

impl Challenge {
    /// Makes a challenge. `random` must be unpredictable, `unix_time` is in seconds, `own` is the challenger's
    /// qualified name (bashed here if it is not yet; cut to [`MAX_QUALIFIED`] bytes).
    pub fn new(random: u32, unix_time: u64, own: &str, policy: i32) -> Self {
        let own = cut(own);
        Self {
            text: format!("<{random}.{unix_time}@{own}>").into_bytes(),
            variant: Variant::Bareos,
            policy: Some(policy),
        }
    }

    /// The line.
    pub fn to_line(&self) -> String {
        let keyword = match self.variant {
            Variant::Standard => "cram-md5c",
            Variant::Bareos => "cram-md5",
        };
        let policy = self.policy.map(|number| format!(" ssl={number}")).unwrap_or_default();
        ["auth ", keyword, " ", &lossy(&self.text), &policy, "\n"].concat()
    }

    /// Reads the three forms of a challenge (`wire/1 §4.2`). `None` if it is none; the answer then is [`REFUSED`].
    pub fn parse(line: &[u8]) -> Option<Self> {
        let mut scan = Scan::new(line);
        scan.literal("auth cram-md5")?;
        let variant = match scan.rest().first() {
            Some(b'c') => {
                scan.literal("c")?;
                Variant::Standard
            }
            _ => Variant::Bareos,
        };
        scan.literal(" ")?;
        let text = scan.word(usize::MAX).to_vec();
        let policy = scan.literal(" ssl=").map(|()| scan.i32());
        // The standard form exists with a policy only.
        if variant == Variant::Standard && policy.is_none() {
            return None;
        }
        let challenge = Self { text, variant, policy };
        challenge.challenger()?;
        Some(challenge)
    }

    /// The bashed qualified name of the challenger, possibly empty. `None` if the text is not `<digits.digits@name>`.
    pub fn challenger(&self) -> Option<&[u8]> {
        let mut scan = Scan::new(&self.text);
        scan.literal("<")?;
        scan.unsigned();
        scan.literal(".")?;
        scan.unsigned();
        scan.literal("@")?;
        scan.rest().strip_suffix(b">")
    }

    /// Whether this asks for the same as another one.
    pub fn is_same_as(&self, other: &Self) -> bool {
        self.text == other.text
    }

    /// Whether the peer sends our own challenge back: it is in our name as far as a challenge has it, and not from a storage daemon, which may talk
    /// to itself (`wire/1 §4.2`). `own` is our qualified name.
    pub fn is_replay(&self, own: &str) -> bool {
        const EXCEPTION: &[u8] = b"R_STORAGE";
        self.challenger() == Some(cut(own).as_bytes()) && !self.text.windows(EXCEPTION.len()).any(|w| w == EXCEPTION)
    }

    /// The payload of the answer, in the encoding the challenger asks for, with the NUL at its end (`wire/1 §4.3`).
    pub fn answer(&self, key: &Secret) -> Vec<u8> {
        let mut answer = encode(&hmac_md5(key.expose(), &self.text), self.variant).into_bytes();
        answer.push(0);
        answer
    }

    /// Whether `answer` is right, in either encoding, with or without the NUL. An empty key opens nothing, nor does
    /// [`NO_KEY`].
    pub fn verify(&self, key: &Secret, answer: &[u8]) -> bool {
        if key.is_empty() || *key == Secret::from(NO_KEY) {
            return false;
        }
        let digest = hmac_md5(key.expose(), &self.text);
        let answer = super::scan::until_nul(answer);
        let standard = same(encode(&digest, Variant::Standard).as_bytes(), answer);
        let bareos = same(encode(&digest, Variant::Bareos).as_bytes(), answer);
        standard | bareos
    }
}

/// The key of a configured password: its MD5 as 32 lower-case hexadecimal digits, or, of `[md5]` and 32 digits, those
/// digits as they are (`wire/1 §2.6`).
pub fn password_key(password: &str) -> Secret {
    match password.strip_prefix("[md5]") {
        Some(digits) if digits.len() == 32 && digits.bytes().all(|b| b.is_ascii_hexdigit()) => Secret::from(digits),
        _ => md5_hex(password.as_bytes()),
    }
}

/// The MD5 of bytes as 32 lower-case hexadecimal digits.
pub fn md5_hex(bytes: &[u8]) -> Secret {
    Secret::new(hex(&Md5::digest(bytes)))
}

/// Bytes in lower-case hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> Vec<u8> {
    let digit = |nibble: u8| b"0123456789abcdef"[usize::from(nibble)];
    let mut text = Vec::with_capacity(2 * bytes.len());
    bytes.iter().for_each(|byte| text.extend_from_slice(&[digit(byte >> 4), digit(byte & 15)]));
    text
}

/// The text of a session key: eight groups of four letters (`wire/1 §4.6`). `random` must be unpredictable.
pub fn session_key(random: [u8; 16]) -> Secret {
    let mut text = Vec::with_capacity(39);
    for (i, byte) in random.into_iter().enumerate() {
        if i > 0 && i % 2 == 0 {
            text.push(b'-');
        }
        text.extend([b'A' + (byte & 15), b'A' + (byte >> 4)]);
    }
    Secret::new(text)
}

fn hmac_md5(key: &[u8], message: &[u8]) -> [u8; 16] {
    let mut block = [0; 64];
    match block.get_mut(..key.len()) {
        Some(front) => front.copy_from_slice(key),
        None => block[..16].copy_from_slice(&Md5::digest(key)),
    }
    let mut mac = Hmac::<Md5>::new(&block.into());
    mac.update(message);
    mac.finalize().into_bytes().into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const EXAMPLE: &str = "auth cram-md5 <1522876701.1562050758@R_STORAGE::bareos-sd> ssl=2\n";

    #[test]
    fn the_worked_example_agrees() {
        let key = password_key("secret");
        assert_eq!(key.expose(), b"5ebe2294ecd0e0f08eab7690d2a6ee69");
        let challenge = Challenge::new(1_522_876_701, 1_562_050_758, "R_STORAGE::bareos-sd", 2);
        assert_eq!(challenge.to_line(), EXAMPLE);
        assert_eq!(challenge.answer(&key), b"151q4/h3cg5dp4/JZC4DkA\0");
        let standard = Challenge { variant: Variant::Standard, ..challenge.clone() };
        assert_eq!(standard.answer(&key), b"1J1q4fh3cg5dpozJZC4DkA\0");
        for answer in ["151q4/h3cg5dp4/JZC4DkA\0", "151q4/h3cg5dp4/JZC4DkA", "1J1q4fh3cg5dpozJZC4DkA\0"] {
            assert!(challenge.verify(&key, answer.as_bytes()), "{answer:?}");
        }
        for answer in ["", "\0", "151q4/h3cg5dp4/JZC4Dk", "151q4/h3cg5dp4/JZC4DkB", "151q4/h3cg5dp4/JZC4DkAA"] {
            assert!(!challenge.verify(&key, answer.as_bytes()), "{answer:?}");
        }
    }

    #[test]
    fn recorded_answers_agree() {
        let session = "DJFK-CCCF-FLNE-JBIH-NMCJ-NHGC-COAJ-PPMF";
        let password = |text| password_key(text);
        for (key, challenge, answer) in [
            (password("dir-secret"), "<186154524.1795438891@R_DIRECTOR::bareos-dir>", "r9pJnn/3A//W2V/y3H/xzB"),
            (password("dir-secret"), "<1680993682.1795438891@R_CONSOLE::*UserAgent*>", "M9hZciRQF+h1o8ZqM7+fEC"),
            (password("sd-secret"), "<1567158817.1795438893@R_STORAGE::bareos-sd>", "N3/kak5NIgIuw9/gI6kBjC"),
            (password("sd-secret"), "<954125919.1795438893@R_DIRECTOR::bareos-dir>", "2G+nZ8/mK//Ob8/em5+OWD"),
            (password("fd-secret"), "<112881987.1795438893@R_CLIENT::bareos-fd>", "CG15gg/zD7/jTk+w0F/vYD"),
            (password("fd-secret"), "<1377021904.1795438893@R_DIRECTOR::bareos-dir>", "h9/AZx+Ww7+1dh+h9EYRtC"),
            (Secret::from(session), "<871364035.1795438893@R_STORAGE::bareos-sd>", "a5/W44Bcp5+9a7V8x4J67A"),
            (Secret::from(session), "<362383699.1795438893@R_CLIENT::bareos-fd>", "Z5l9jDlfYG+qsysHxz+R6B"),
        ] {
            let line = format!("auth cram-md5 {challenge} ssl=0\n");
            let challenge = Challenge::parse(line.as_bytes()).unwrap();
            assert_eq!(challenge.policy, Some(0));
            assert_eq!(challenge.to_line(), line);
            assert_eq!(challenge.answer(&key), [answer.as_bytes(), b"\0"].concat());
            assert!(challenge.verify(&key, answer.as_bytes()));
        }
    }

    #[test]
    fn the_forms_of_a_challenge_are_understood() {
        for (line, variant, policy, challenger) in [
            (EXAMPLE, Variant::Bareos, Some(2), "R_STORAGE::bareos-sd"),
            ("auth cram-md5c <1.2@R_CLIENT::fd> ssl=1\n", Variant::Standard, Some(1), "R_CLIENT::fd"),
            ("auth cram-md5 <1.2@R_CLIENT::fd>\n", Variant::Bareos, None, "R_CLIENT::fd"),
            ("auth cram-md5 <1.2@> ssl=0\n", Variant::Bareos, Some(0), ""),
            ("auth cram-md5 <9999999999.1795438893@admin> ssl=0\n", Variant::Bareos, Some(0), "admin"),
            ("auth cram-md5 <1.2@a> ssl=4 qualified-name=a b\n", Variant::Bareos, Some(4), "a"),
        ] {
            let challenge = Challenge::parse(line.as_bytes()).unwrap_or_else(|| panic!("{line:?}"));
            assert_eq!((challenge.variant, challenge.policy), (variant, policy), "{line:?}");
            assert_eq!(challenge.challenger(), Some(challenger.as_bytes()), "{line:?}");
        }
        for line in [
            "",
            "auth cram-md5\n",
            "auth cram-md5 1.2@x ssl=0\n",
            "auth cram-md5 <1.2x> ssl=0\n",
            "auth cram-md5 <1.2@x ssl=0\n",
            "auth cram-md5c <1.2@x>\n",
            "1999 Authorization failed.\n",
        ] {
            assert_eq!(Challenge::parse(line.as_bytes()), None, "{line:?}");
        }
    }

    #[test]
    fn a_challenge_in_our_own_name_is_a_replay_unless_we_are_a_storage() {
        let challenge = |own: &str| Challenge::new(1, 2, own, 0);
        assert!(challenge("R_DIRECTOR::my dir").is_replay("R_DIRECTOR::my dir"));
        assert!(challenge("R_DIRECTOR::my dir").is_replay("R_DIRECTOR::my\x01dir"));
        assert!(!challenge("R_DIRECTOR::dir").is_replay("R_CLIENT::fd"));
        assert!(!challenge("R_STORAGE::sd").is_replay("R_STORAGE::sd"));
    }

    #[test]
    fn our_own_challenge_is_known_again_however_long_our_name_is() {
        for len in [MAX_QUALIFIED, MAX_QUALIFIED + 1, 2 * MAX_QUALIFIED] {
            let own = format!("R_DIRECTOR::{}", "x".repeat(len - 12));
            let sent_back = Challenge::parse(Challenge::new(1, 2, &own, 0).to_line().as_bytes()).unwrap();
            assert!(sent_back.is_replay(&own), "{len}");
            assert!(!sent_back.is_replay("R_CLIENT::x"));
        }
    }

    #[test]
    fn long_names_are_cut_in_a_challenge() {
        let line = Challenge::new(1, 2, &"ä".repeat(100), 0).to_line();
        assert_eq!(line, format!("auth cram-md5 <1.2@{}> ssl=0\n", "ä".repeat(30)));
        for len in [MAX_QUALIFIED, MAX_QUALIFIED + 1] {
            let line = Challenge::new(1, 2, &"x".repeat(len), 0).to_line();
            assert_eq!(line, format!("auth cram-md5 <1.2@{}> ssl=0\n", "x".repeat(MAX_QUALIFIED)));
        }
    }

    #[test]
    fn no_key_and_the_placeholder_open_nothing() {
        for key in [Secret::default(), Secret::from(NO_KEY)] {
            let challenge = Challenge::new(1, 2, "x", 0);
            assert!(!challenge.verify(&key, &challenge.answer(&key)));
        }
    }

    #[test]
    fn keys_come_from_passwords_and_from_digests() {
        let digits = "5EBE2294ecd0e0f08eab7690d2a6ee69";
        assert_eq!(password_key(&format!("[md5]{digits}")), Secret::from(digits));
        assert_eq!(password_key("[md5]short"), md5_hex(b"[md5]short"));
        assert_eq!(password_key(""), Secret::from("d41d8cd98f00b204e9800998ecf8427e"));
    }

    #[test]
    fn a_key_longer_than_a_block_is_hashed_first() {
        // RFC 2202, test case 6: 80 bytes of 0xaa.
        let digest = hmac_md5(&[0xAA; 80], b"Test Using Larger Than Block-Size Key - Hash Key First");
        let expected = 0x6b1a_b7fe_4bd7_bf8f_0b62_e6ce_61b9_d0cd_u128;
        assert_eq!(u128::from_be_bytes(digest), expected);
    }

    #[test]
    fn a_session_key_has_the_low_nibble_first() {
        let mut random = [0; 16];
        random[..3].copy_from_slice(&[0x10, 0xF2, 0xFF]);
        assert_eq!(session_key(random).expose(), b"ABCP-PPAA-AAAA-AAAA-AAAA-AAAA-AAAA-AAAA");
    }

    #[test]
    fn only_the_exact_verdict_accepts() {
        assert!(is_accepted(b"1000 OK auth\n") && is_accepted(b"1000 OK auth\n\0"));
        for line in ["", "1000 OK auth", "1000 OK auth\n ", "1999 Authorization failed.\n"] {
            assert!(!is_accepted(line.as_bytes()), "{line:?}");
        }
    }

    proptest! {
        #[test]
        fn no_bytes_make_the_parser_fail(bytes: Vec<u8>, tail: Vec<u8>) {
            let _ = Challenge::parse(&bytes);
            let _ = Challenge::parse(&[b"auth cram-md5 <1.2@", &tail[..]].concat());
            prop_assert!(!Challenge::new(1, 2, "x", 0).verify(&Secret::from("key"), &bytes));
        }

        #[test]
        fn challenges_come_back_and_their_answers_are_right(random: u32, time: u64, own in "[!-;=?-~ ]{0,50}", n in 0..5) {
            let challenge = Challenge::new(random, time, &own, n);
            prop_assert_eq!(Challenge::parse(challenge.to_line().as_bytes()), Some(challenge.clone()));
            let key = Secret::from("key");
            prop_assert!(challenge.verify(&key, &challenge.answer(&key)));
            prop_assert!(!challenge.verify(&Secret::from("other"), &challenge.answer(&key)));
        }
    }
}
