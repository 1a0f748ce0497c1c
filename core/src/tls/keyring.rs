//! Whose key is what: an immutable snapshot that travels with a connection.

use std::collections::BTreeMap;

use sha2::{Digest, Sha256};

use crate::secret::Secret;
use crate::wire::cram_md5::hex;
use crate::wire::names::PeerName;

/// The keys of all peers and running jobs at one moment. Shared as `Arc<Keyring>`, never changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Keyring {
    entries: BTreeMap<PeerName, Entry>,
    decoy: Secret,
    takes_clear: bool,
}

impl Default for Keyring {
    fn default() -> Self {
        Builder::default().build()
    }
}

/// What a keyring knows about one peer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The bytes of the pre-shared key, which are those of the CRAM-MD5 key too, `wire/1 §2.6`.
    pub key: Secret,
    /// Whether this peer may begin in clear.
    pub clear: Clear,
}

/// Whether a peer may begin with a hello in clear, `wire/1 §2.3`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Clear {
    /// It must begin with TLS.
    #[default]
    Never,
    /// It may.
    Allowed,
}

impl Keyring {
    /// Starts an empty keyring.
    #[must_use]
    pub fn builder() -> Builder {
        Builder::default()
    }

    /// The key of `peer`, if it is known.
    #[must_use]
    pub fn key(&self, peer: &PeerName) -> Option<&Secret> {
        self.entries.get(peer).map(|entry| &entry.key)
    }

    /// Whether `peer` is known and may begin in clear.
    #[must_use]
    pub fn allows_clear(&self, peer: &PeerName) -> bool {
        self.entries.get(peer).is_some_and(|entry| entry.clear == Clear::Allowed)
    }

    /// Whether anybody at all may begin in clear.
    #[must_use]
    pub const fn takes_clear(&self) -> bool {
        self.takes_clear
    }

    /// The key for a name that is not known: whoever claims one then sees the same steps as with a wrong key, and cannot
    /// tell the two apart. Nobody outside can know it, because it is made from all the others; it proves nothing.
    #[must_use]
    pub const fn decoy(&self) -> &Secret {
        &self.decoy
    }

    /// Whether nobody has a key.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The known name that looks most like `peer`: for the local log only, a peer must never see it.
    ///
    /// The same name of another kind counts as one letter away. None when nothing is nearer than a third of the letters.
    #[must_use]
    pub fn nearest(&self, peer: &PeerName) -> Option<&PeerName> {
        let most = (peer.name.chars().count() / 3).max(1);
        self.entries
            .keys()
            .map(|known| (distance(&known.name, &peer.name) + usize::from(known.kind != peer.kind), known))
            .filter(|(away, _)| *away <= most)
            .min_by_key(|(away, _)| *away)
            .map(|(_, known)| known)
    }
}

/// Collects the entries of a [`Keyring`].
#[derive(Clone, Debug, Default)]
pub struct Builder(BTreeMap<PeerName, Entry>);

impl Builder {
    /// Adds a peer, or replaces what was said about it.
    #[must_use]
    pub fn with(mut self, peer: PeerName, key: Secret, clear: Clear) -> Self {
        self.insert(peer, key, clear);
        self
    }

    /// Adds a peer, or replaces what was said about it.
    pub fn insert(&mut self, peer: PeerName, key: Secret, clear: Clear) {
        self.0.insert(peer, Entry { key, clear });
    }

    /// The finished snapshot.
    #[must_use]
    pub fn build(self) -> Keyring {
        let takes_clear = self.0.values().any(|entry| entry.clear == Clear::Allowed);
        Keyring { decoy: decoy(&self.0), takes_clear, entries: self.0 }
    }
}

/// As long as the key of a password (`wire/1 §2.6`).
fn decoy(entries: &BTreeMap<PeerName, Entry>) -> Secret {
    let mut hash = Sha256::new();
    for Entry { key, .. } in entries.values() {
        hash.update(key.expose().len().to_be_bytes());
        hash.update(key.expose());
    }
    Secret::new(hex(&hash.finalize()[..16]))
}

/// An identity as a person reads it: at most 255 bytes, the separator as a blank, no control characters.
#[must_use]
pub fn readable_identity(bytes: &[u8]) -> String {
    let bytes: Vec<u8> = bytes.iter().take(255).map(|byte| if *byte == 0x1e { b' ' } else { *byte }).collect();
    crate::printable::line_of(&bytes)
}

/// Levenshtein's distance, on characters, without regard to case.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.to_lowercase().chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.to_lowercase().chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let change = diagonal + usize::from(x != *y);
            diagonal = row[j + 1];
            row[j + 1] = change.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::names::PeerKind;

    fn peer(kind: PeerKind, name: &str) -> PeerName {
        PeerName { kind, name: name.to_owned() }
    }

    fn keyring() -> Keyring {
        Keyring::builder()
            .with(peer(PeerKind::Client, "bareos-fd"), Secret::new(*b"one"), Clear::Never)
            .with(peer(PeerKind::Director, "bareos-dir"), Secret::new(*b"two"), Clear::Allowed)
            .build()
    }

    #[test]
    fn a_key_belongs_to_the_kind_and_the_name() {
        let keyring = keyring();
        assert_eq!(keyring.key(&peer(PeerKind::Client, "bareos-fd")), Some(&Secret::new(*b"one")));
        assert_eq!(keyring.key(&peer(PeerKind::Storage, "bareos-fd")), None);
        assert!(keyring.allows_clear(&peer(PeerKind::Director, "bareos-dir")));
        assert!(!keyring.allows_clear(&peer(PeerKind::Client, "bareos-fd")));
        assert!(!keyring.allows_clear(&peer(PeerKind::Client, "nobody")));
    }

    #[test]
    fn the_key_of_an_unknown_name_is_nobodys_and_depends_on_every_key() {
        let one = keyring();
        assert_eq!(one.decoy().expose().len(), 32);
        assert!(one.entries.values().all(|entry| entry.key != *one.decoy()));
        let other = Keyring::builder()
            .with(peer(PeerKind::Client, "bareos-fd"), Secret::new(*b"one"), Clear::Never)
            .with(peer(PeerKind::Director, "bareos-dir"), Secret::new(*b"too"), Clear::Allowed)
            .build();
        assert_ne!(one.decoy(), other.decoy());
        assert_eq!(Keyring::default(), Keyring::builder().build());
        assert!(one.takes_clear() && !Keyring::default().takes_clear());
    }

    #[test]
    fn the_nearest_name_is_found_and_a_far_one_is_not() {
        let keyring = keyring();
        let near = keyring.nearest(&peer(PeerKind::Client, "Bareos-fb"));
        assert_eq!(near, Some(&peer(PeerKind::Client, "bareos-fd")));
        let other_kind = keyring.nearest(&peer(PeerKind::Client, "bareos-dir"));
        assert_eq!(other_kind, Some(&peer(PeerKind::Director, "bareos-dir")));
        assert_eq!(keyring.nearest(&peer(PeerKind::Client, "laptop")), None);
    }

    #[test]
    fn an_identity_is_made_fit_for_a_log() {
        assert_eq!(readable_identity(b"R_JOB\x1ea\nb\xff"), "R_JOB a\\x0ab\\xff");
        assert_eq!(readable_identity(&[b'x'; 300]).len(), 255);
    }

    #[test]
    fn a_keyring_shows_no_key() {
        assert!(!format!("{:?}", keyring()).contains("111"));
        assert!(format!("{:?}", keyring()).contains("***"));
    }
}
