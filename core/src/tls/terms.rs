//! What a handshake may agree on, in the words that people know from OpenSSL and Bareos: versions, the suites of TLS 1.3 by
//! name, and a list for TLS 1.2 in its small language. Read once, into the suites that the engines have (`wire/1 §2.8`).

use std::fmt;

use super::Versions;

/// The suites of TLS 1.3, the fastest first. Only those with SHA-256 can carry a pre-shared key, `wire/1 §2.4`.
const SUITES_13: [&str; 3] = ["TLS_AES_128_GCM_SHA256", "TLS_CHACHA20_POLY1305_SHA256", "TLS_AES_256_GCM_SHA384"];

/// A suite of TLS 1.2 by its OpenSSL name, and what the words of a list can say of it.
#[derive(Debug)]
struct Suite {
    name: &'static str,
    words: &'static [&'static str],
    bits: u16,
}

/// The suites of TLS 1.2: those with keys (forward secrecy first, CBC last because it is five times slower), then those with
/// certificates.
const SUITES_12: [Suite; 17] = [
    suite("ECDHE-PSK-CHACHA20-POLY1305", &["kECDHEPSK", "CHACHA20", "TLSv1.2"], 256),
    suite("DHE-PSK-AES128-GCM-SHA256", &["kDHEPSK", "AES128", "AES", "AESGCM", "TLSv1.2"], 128),
    suite("DHE-PSK-AES256-GCM-SHA384", &["kDHEPSK", "AES256", "AES", "AESGCM", "TLSv1.2"], 256),
    suite("DHE-PSK-CHACHA20-POLY1305", &["kDHEPSK", "CHACHA20", "TLSv1.2"], 256),
    suite("PSK-AES128-GCM-SHA256", &["kPSK", "AES128", "AES", "AESGCM", "TLSv1.2"], 128),
    suite("PSK-AES256-GCM-SHA384", &["kPSK", "AES256", "AES", "AESGCM", "TLSv1.2"], 256),
    suite("PSK-CHACHA20-POLY1305", &["kPSK", "CHACHA20", "TLSv1.2"], 256),
    suite("ECDHE-PSK-AES128-CBC-SHA256", &["kECDHEPSK", "AES128", "AES", "SHA256", "TLSv1"], 128),
    suite("ECDHE-PSK-AES256-CBC-SHA384", &["kECDHEPSK", "AES256", "AES", "SHA384", "TLSv1"], 256),
    suite("PSK-AES128-CBC-SHA256", &["kPSK", "AES128", "AES", "SHA256", "TLSv1"], 128),
    suite("PSK-AES256-CBC-SHA384", &["kPSK", "AES256", "AES", "SHA384", "TLSv1"], 256),
    suite("ECDHE-ECDSA-AES128-GCM-SHA256", &["kECDHE", "aECDSA", "AES128", "AES", "AESGCM", "TLSv1.2"], 128),
    suite("ECDHE-RSA-AES128-GCM-SHA256", &["kECDHE", "aRSA", "AES128", "AES", "AESGCM", "TLSv1.2"], 128),
    suite("ECDHE-ECDSA-AES256-GCM-SHA384", &["kECDHE", "aECDSA", "AES256", "AES", "AESGCM", "TLSv1.2"], 256),
    suite("ECDHE-RSA-AES256-GCM-SHA384", &["kECDHE", "aRSA", "AES256", "AES", "AESGCM", "TLSv1.2"], 256),
    suite("ECDHE-ECDSA-CHACHA20-POLY1305", &["kECDHE", "aECDSA", "CHACHA20", "TLSv1.2"], 256),
    suite("ECDHE-RSA-CHACHA20-POLY1305", &["kECDHE", "aRSA", "CHACHA20", "TLSv1.2"], 256),
];

/// Words of OpenSSL's language for suites that are weak, old or rare, none of which any engine here has.
const NEVER: &str = "COMPLEMENTOFALL COMPLEMENTOFDEFAULT eNULL NULL aNULL ADH AECDH LOW MEDIUM EXP EXPORT EXPORT40 EXPORT56 \
    DES 3DES RC4 RC2 IDEA SEED CAMELLIA CAMELLIA128 CAMELLIA256 ARIA ARIA128 ARIA256 ARIAGCM AESCCM AESCCM8 CBC MD5 SHA1 SHA \
    kRSA RSA kRSAPSK aDSS DSS DHE EDH DH kDHE kEDH kDH kDHr kDHd aDH GOST GOST89 GOST89MAC GOST94 GOST2012 kGOST aGOST \
    aGOST01 aGOST12 SRP kSRP aSRP SSLv2 SSLv3";

const fn suite(name: &'static str, words: &'static [&'static str], bits: u16) -> Suite {
    Suite { name, words, bits }
}

impl Suite {
    fn is_for_keys(&self) -> bool {
        self.words[0].ends_with("PSK")
    }

    /// Whether a word of a list means this suite.
    fn is(&self, word: &str) -> bool {
        match word {
            "ALL" | "DEFAULT" | "HIGH" => true,
            "FIPS" => self.is("AES"),
            "PSK" | "aPSK" => self.is_for_keys(),
            "ECDHE" | "EECDH" | "kEECDH" | "ECDH" => self.is("kECDHE"),
            "ECDSA" => self.is("aECDSA"),
            "TLSv1.0" => self.is("TLSv1"),
            word => word == self.name || self.words.contains(&word),
        }
    }
}

/// What proves who a peer is: not every suite can carry both.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Proof {
    /// Pre-shared keys.
    Keys,
    /// Certificates.
    Certificates,
    /// Either, on the same port.
    Both,
}

/// Why [`Terms`] cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WrongTerms {
    /// No version of TLS has this name.
    #[error("{0:?} is no version of TLS")]
    UnknownVersion(String),
    /// All versions that can be spoken are switched off.
    #[error("TLS 1.2 and TLS 1.3 are both switched off")]
    NoVersion,
    /// No suite of TLS 1.3 that is named is spoken; the first.
    #[error("{0:?} is no cipher suite of TLS 1.3 that is spoken here")]
    UnknownSuite(String),
    /// A command in a list of ciphers that is not known.
    #[error("{0:?} is no command of a list of ciphers")]
    UnknownCommand(String),
}

/// The versions and suites that may be agreed on, the preferred ones first. The default is all there are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Terms {
    versions: Versions,
    suites_13: Option<Vec<&'static str>>,
    suites_12: Option<Vec<&'static str>>,
}

/// What is left of [`Terms`] for one kind of proof. Where a version has no suite left, it is not among `versions`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offered {
    /// The versions with a suite.
    pub versions: Versions,
    /// Names of suites of TLS 1.3, the preferred one first.
    pub suites_13: Vec<&'static str>,
    /// OpenSSL's names of suites of TLS 1.2, the preferred one first.
    pub suites_12: Vec<&'static str>,
}

impl From<Versions> for Terms {
    fn from(versions: Versions) -> Self {
        Self { versions, ..Self::default() }
    }
}

impl Terms {
    /// Reads versions (`-TLSv1.2`), a list of ciphers for TLS 1.2 (`HIGH:!CHACHA20`) and suites of TLS 1.3 by their names.
    /// `None`: all there are.
    ///
    /// # Errors
    /// The first word that cannot be meant, or that no version is left.
    pub fn read(protocol: Option<&str>, list: Option<&str>, suites: Option<&str>) -> Result<Self, WrongTerms> {
        Ok(Self {
            versions: protocol.map(versions).transpose()?.unwrap_or_default(),
            suites_13: suites.map(named).transpose()?,
            suites_12: list.map(chosen).transpose()?,
        })
    }

    /// The suites that can carry this proof; `None` if none is left in any version.
    #[must_use]
    pub fn offered(&self, proof: Proof) -> Option<Offered> {
        let fits_13 = |name: &&str| proof != Proof::Keys || name.ends_with("SHA256");
        let fits_12 = |suite: &&Suite| match proof {
            Proof::Keys => suite.is_for_keys(),
            Proof::Certificates => !suite.is_for_keys(),
            Proof::Both => true,
        };
        let mut suites_13 = self.suites_13.clone().unwrap_or_else(|| SUITES_13.to_vec());
        suites_13.retain(fits_13);
        let of_12 = SUITES_12.iter().filter(fits_12).map(|suite| suite.name);
        let mut suites_12: Vec<_> = match &self.suites_12 {
            None => of_12.collect(),
            Some(chosen) => {
                let fit: Vec<_> = of_12.collect();
                chosen.iter().copied().filter(|name| fit.contains(name)).collect()
            }
        };
        if self.versions == Versions::Only12 {
            suites_13.clear();
        }
        if self.versions == Versions::Only13 {
            suites_12.clear();
        }
        let versions = match (suites_13.is_empty(), suites_12.is_empty()) {
            (false, false) => Versions::All,
            (false, true) => Versions::Only13,
            (true, false) => Versions::Only12,
            (true, true) => return None,
        };
        Some(Offered { versions, suites_13, suites_12 })
    }

    /// Whether the suites of TLS 1.2 are in an order that somebody has chosen.
    pub(super) const fn has_list(&self) -> bool {
        self.suites_12.is_some()
    }
}

/// The words of a list of ciphers that mean nothing here: names of suites that are not spoken, and slips.
#[must_use]
pub fn unknown_words(list: &str) -> Vec<String> {
    let word = |entry: &str| entry.trim_start_matches(['!', '-', '+']).to_owned();
    let is_known = |word: &str| {
        word.starts_with('@')
            || NEVER.split_ascii_whitespace().any(|never| never == word)
            || SUITES_12.iter().any(|suite| suite.is(word))
    };
    let mut found = Vec::new();
    for entry in entries(list).map(word) {
        found.extend(entry.split('+').filter(|word| !is_known(word)).map(str::to_owned));
    }
    found
}

/// The suites in a list of those of TLS 1.3 that are not spoken here.
#[must_use]
pub fn unknown_suites(list: &str) -> Vec<String> {
    entries(list).filter(|entry| !SUITES_13.contains(entry)).map(str::to_owned).collect()
}

/// The names a person can choose from, for advice.
#[must_use]
pub fn known_suites(proof: Proof) -> impl fmt::Display {
    let offered = Terms::default().offered(proof);
    let names = offered.map(|offered| [offered.suites_13, offered.suites_12].concat()).unwrap_or_default();
    names.join(", ")
}

fn entries(list: &str) -> impl Iterator<Item = &str> {
    list.split([':', ',', ';', ' ']).filter(|entry| !entry.is_empty())
}

/// OpenSSL's `Protocol`: everything is on, `-` switches a version off, a plain name switches it on again.
fn versions(protocol: &str) -> Result<Versions, WrongTerms> {
    let (mut has_12, mut has_13) = (true, true);
    for entry in protocol.split(',').map(str::trim).filter(|entry| !entry.is_empty()) {
        let is_on = !entry.starts_with('-');
        match entry.trim_start_matches(['+', '-']).to_ascii_lowercase().as_str() {
            "all" => (has_12, has_13) = (is_on, is_on),
            "tlsv1.2" => has_12 = is_on,
            "tlsv1.3" => has_13 = is_on,
            // Never spoken here, whatever is said of them.
            "sslv2" | "sslv3" | "tlsv1" | "tlsv1.1" => {}
            _ => return Err(WrongTerms::UnknownVersion(entry.to_owned())),
        }
    }
    match (has_12, has_13) {
        (true, true) => Ok(Versions::All),
        (true, false) => Ok(Versions::Only12),
        (false, true) => Ok(Versions::Only13),
        (false, false) => Err(WrongTerms::NoVersion),
    }
}

/// Those that are known, as OpenSSL does.
///
/// # Errors
/// None is.
fn named(suites: &str) -> Result<Vec<&'static str>, WrongTerms> {
    let mut found = Vec::new();
    let mut unknown = None;
    for entry in entries(suites) {
        match SUITES_13.into_iter().find(|name| *name == entry) {
            Some(name) if found.contains(&name) => {}
            Some(name) => found.push(name),
            None => unknown = unknown.or(Some(entry)),
        }
    }
    match unknown {
        Some(entry) if found.is_empty() => Err(WrongTerms::UnknownSuite(entry.to_owned())),
        _ => Ok(found),
    }
}

/// Goes through a list as OpenSSL does: a word adds what is not there yet at the end, `-` takes it out, `!` for good, `+`
/// moves it to the end.
fn chosen(list: &str) -> Result<Vec<&'static str>, WrongTerms> {
    let mut rest: Vec<&Suite> = SUITES_12.iter().collect();
    let mut chosen: Vec<&Suite> = Vec::new();
    for entry in entries(list) {
        if let Some(command) = entry.strip_prefix('@') {
            command_of(command, &mut chosen).ok_or_else(|| WrongTerms::UnknownCommand(entry.to_owned()))?;
            continue;
        }
        let words = entry.trim_start_matches(['!', '-', '+']);
        let is_meant = |suite: &&Suite| words.split('+').all(|word| suite.is(word));
        match entry.chars().next() {
            Some('!') => {
                chosen.retain(|suite| !is_meant(suite));
                rest.retain(|suite| !is_meant(suite));
            }
            Some('-') => {
                let (out, stays) = std::mem::take(&mut chosen).into_iter().partition::<Vec<_>, _>(is_meant);
                chosen = stays;
                rest.splice(0..0, out);
            }
            Some('+') => chosen.sort_by_key(is_meant),
            _ => {
                let (new, stays) = std::mem::take(&mut rest).into_iter().partition::<Vec<_>, _>(is_meant);
                rest = stays;
                chosen.extend(new);
            }
        }
    }
    Ok(chosen.into_iter().map(|suite| suite.name).collect())
}

/// `@STRENGTH` sorts by the length of the key; `@SECLEVEL` sets the least one.
fn command_of(command: &str, chosen: &mut Vec<&Suite>) -> Option<()> {
    if command == "STRENGTH" {
        chosen.sort_by_key(|suite| std::cmp::Reverse(suite.bits));
        return Some(());
    }
    let least = match command.strip_prefix("SECLEVEL=")?.parse::<u8>().ok()? {
        0..=3 => 128,
        4 => 192,
        5 => 256,
        _ => return None,
    };
    chosen.retain(|suite| suite.bits >= least);
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(text: &str, proof: Proof) -> Vec<&'static str> {
        let terms = Terms::read(Some("-TLSv1.3"), Some(text), None).unwrap();
        terms.offered(proof).map(|offered| offered.suites_12).unwrap_or_default()
    }

    #[test]
    fn a_protocol_switches_versions_off_as_in_openssl() {
        let read = |text| Terms::read(Some(text), None, None).map(|terms| terms.versions);
        assert_eq!(read(""), Ok(Versions::All));
        // A name alone switches nothing off.
        assert_eq!(read("TLSv1.2"), Ok(Versions::All));
        assert_eq!(read("-TLSv1.2"), Ok(Versions::Only13));
        assert_eq!(read("-SSLv3, -TLSv1.3"), Ok(Versions::Only12));
        assert_eq!(read("-ALL,TLSv1.2"), Ok(Versions::Only12));
        assert_eq!(read("ALL,-tlsv1.2"), Ok(Versions::Only13));
        assert_eq!(read("-ALL,TLSv1.1"), Err(WrongTerms::NoVersion));
        assert_eq!(read("TLSv1.4"), Err(WrongTerms::UnknownVersion("TLSv1.4".into())));
    }

    #[test]
    fn suites_of_tls_1_3_come_in_the_order_they_are_named() {
        let read =
            |text, proof| Terms::read(None, None, Some(text)).map(|terms| terms.offered(proof).unwrap().suites_13);
        let text = "TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256:TLS_AES_256_GCM_SHA384";
        let both = vec!["TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256"];
        assert_eq!(read(text, Proof::Certificates), Ok(both.clone()));
        assert_eq!(read(text, Proof::Keys), Ok(vec![both[1]]));
        let ccm = "TLS_AES_128_CCM_SHA256:TLS_AES_128_GCM_SHA256:TLS_AES_128_CCM_8_SHA256";
        assert_eq!(read(ccm, Proof::Keys), Ok(vec!["TLS_AES_128_GCM_SHA256"]));
        assert_eq!(unknown_suites(ccm), ["TLS_AES_128_CCM_SHA256", "TLS_AES_128_CCM_8_SHA256"]);
        assert_eq!(read("TLS_NULL", Proof::Keys), Err(WrongTerms::UnknownSuite("TLS_NULL".into())));
    }

    #[test]
    fn a_list_of_ciphers_chooses_orders_and_excludes_as_in_openssl() {
        let certificates = |text| list(text, Proof::Certificates);
        assert_eq!(
            certificates("ECDHE-RSA-AES256-GCM-SHA384:ECDHE-RSA-AES128-GCM-SHA256"),
            ["ECDHE-RSA-AES256-GCM-SHA384", "ECDHE-RSA-AES128-GCM-SHA256"]
        );
        assert_eq!(certificates("ECDHE+aRSA+AESGCM:!AES128"), ["ECDHE-RSA-AES256-GCM-SHA384"]);
        assert_eq!(
            certificates("aRSA:-CHACHA20:+AES128:aRSA"),
            ["ECDHE-RSA-AES256-GCM-SHA384", "ECDHE-RSA-AES128-GCM-SHA256", "ECDHE-RSA-CHACHA20-POLY1305"]
        );
        // What is excluded once never comes back.
        assert_eq!(certificates("!CHACHA20:ECDSA+CHACHA20"), [""; 0]);
        // What a Bareos daemon says unless it is told something.
        let theirs = certificates("ALL:!ADH:!LOW:!EXP:!MD5:@STRENGTH");
        assert_eq!((theirs.len(), theirs[0]), (6, "ECDHE-ECDSA-AES256-GCM-SHA384"));
        assert_eq!(certificates("RC4:AES128-SHA"), [""; 0]);
        assert_eq!(
            list("PSK+CHACHA20:-kDHEPSK", Proof::Keys),
            ["ECDHE-PSK-CHACHA20-POLY1305", "PSK-CHACHA20-POLY1305"]
        );
        assert_eq!(list("kPSK+AES:@SECLEVEL=5", Proof::Keys), ["PSK-AES256-GCM-SHA384", "PSK-AES256-CBC-SHA384"]);
        let wrong = Terms::read(None, Some("ALL:@WEAKNESS"), None);
        assert_eq!(wrong, Err(WrongTerms::UnknownCommand("@WEAKNESS".into())));
    }

    #[test]
    fn a_version_without_a_suite_is_not_offered() {
        let terms = Terms::read(None, Some("ECDHE"), None).unwrap();
        assert_eq!(terms.offered(Proof::Keys).unwrap().versions, Versions::Only13);
        assert_eq!(terms.offered(Proof::Both).unwrap().versions, Versions::All);
        let terms = Terms::read(None, Some("PSK"), Some("TLS_AES_256_GCM_SHA384")).unwrap();
        assert_eq!(terms.offered(Proof::Keys).unwrap().versions, Versions::Only12);
        let terms = Terms::read(Some("-TLSv1.3"), Some("PSK"), None).unwrap();
        assert_eq!(terms.offered(Proof::Certificates), None);
        let all = Terms::default().offered(Proof::Both).unwrap();
        assert_eq!((all.suites_13.len(), all.suites_12.len()), (3, 17));
    }

    #[test]
    fn words_that_mean_nothing_here_are_named() {
        assert_eq!(unknown_words("HIGH:!aNULL:ECDHE+AESGM:-AES128-SHA:@STRENGTH:PSK"), ["AESGM", "AES128-SHA"]);
        assert!(
            known_suites(Proof::Keys).to_string().starts_with("TLS_AES_128_GCM_SHA256, TLS_CHACHA20_POLY1305_SHA256, ")
        );
    }
}
