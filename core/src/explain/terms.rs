//! `T0871` to `T0879`: what TLS may agree on, certificates that were revoked, catalogs of Bareos, and topologies.

use super::{Page, codes, entry};
use crate::error::{Fault, Retry};

pub(super) const PAGES: &[Page] = &[
    entry(
        871,
        "the peer's certificate is revoked",
        (Fault::Peer, Retry::Never),
        "The peer's certificate, or that of an authority above it, stands in a revocation list of the authority that signed \
         it. Somebody has declared it invalid before its time.",
        "Give the peer a new certificate. If the old one was revoked by mistake, let the authority publish a new list, put \
         it in place here and start this daemon again.",
    ),
    entry(
        872,
        "nothing says whether a certificate is revoked",
        (Fault::Config, Retry::Never),
        "This daemon has revocation lists, and none of them is of the authority that signed a certificate in the peer's \
         chain, or its signature is wrong. What cannot be looked up is not trusted.",
        "Put the lists of all authorities between the peer and the trusted one into the file, one after the other.",
    ),
    entry(
        873,
        "a revocation list is out of date",
        (Fault::Config, Retry::Backoff),
        "The list of the authority that signed the peer's certificate says when the next one was to come, and that time is \
         over. A certificate that was revoked since would not be in it.",
        "Fetch the newest list of that authority, put it in place and start this daemon again. Check this machine's clock.",
    ),
    entry(
        874,
        "no version and cipher suite is left",
        (Fault::Config, Retry::Never),
        "The settings of TLS leave nothing that this kind of connection could use. Pre-shared keys need suites with PSK in \
         their name in TLS 1.2, and one with SHA-256 in TLS 1.3; certificates need the others.",
        "Allow more: remove TLS protocol, TLS cipher suites or TLS cipher list from the resource in question.",
    ),
    entry(
        codes::TLS_TERMS.0,
        "a version of TLS or a cipher suite cannot be used",
        (Fault::Config, Retry::Never),
        "A setting of TLS names a version or a cipher suite that is not spoken here, or leaves none at all for the way this \
         resource is protected.",
        "Correct the name, or remove the setting: without it everything that is safe may be agreed on.",
    ),
    entry(
        codes::UNKNOWN_CIPHERS.0,
        "words in a list of ciphers mean nothing",
        (Fault::Config, Retry::Never),
        "The list names suites that are not spoken here, because they are weak or rare, or has slips of the pen. The rest \
         of it counts.",
        "Check the words for slips. Remove them to be rid of the warning.",
    ),
    entry(
        877,
        "a catalog of Bareos has a version that is not read",
        (Fault::Config, Retry::Never),
        "The database holds the tables of Bareos, and a director here can take over one version of them only, 2250, which \
         Bareos 25 and 26 have. Nothing was changed.",
        "Let Bareos bring the catalog to that version with its own script, then start this director again. Or give it an \
         empty database.",
    ),
    entry(
        878,
        "there is no room beside the catalog of Bareos",
        (Fault::Config, Retry::Never),
        "The database holds the tables of Bareos. They are left alone, and their rows are copied into a schema of its own, \
         which the user of the database may not make. Nothing was changed.",
        "Let a superuser of the server give that user the right to make schemas in this database (GRANT CREATE ON DATABASE).",
    ),
    entry(
        codes::WORLD_TOO_LARGE.0,
        "a topology is too large to plan for",
        (Fault::Config, Retry::Never),
        "The topology has more hosts or networks than a plan is made for; the message says how many there are and how many fit.",
        "Leave out what has no daemon, or plan for a part of the networks at a time.",
    ),
];
