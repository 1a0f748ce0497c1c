//! `T02`: TLS.

use super::{Page, entry};
use crate::error::{Fault, Retry};

pub(super) const PAGES: &[Page] = &[
    entry(
        201,
        "no key for the offered name",
        (Fault::Config, Retry::Backoff),
        "A peer offered a pre-shared key under a name that no resource here has, and no running job either. The peer hears \
         the same as with a wrong key.",
        "Compare the name in the log with the resources here, letter by letter, with the kind of daemon before it. If it \
         is a job's name, that job has ended or was never told to this daemon.",
    ),
    entry(
        202,
        "the pre-shared key differs from the peer's",
        (Fault::Config, Retry::Never),
        "The name of the peer is known here, but its key is another one. Keys are made from passwords.",
        "Write the same password into the two resources that name each other, and restart the daemon that had another.",
    ),
    entry(
        203,
        "the peer has no key for the name we offered",
        (Fault::Config, Retry::Backoff),
        "This daemon dialled and offered a pre-shared key under its own name, and the peer has no resource of that name.",
        "Add a resource with this daemon's name at the peer, or correct the name here. Check that the peer has loaded its \
         configuration since it was changed.",
    ),
    entry(
        204,
        "the peer refuses our key",
        (Fault::Config, Retry::Never),
        "The peer's key for the name we offered is another one. A Towline daemon says the same when it does not know the \
         name at all, so that strangers cannot try out names; only its log tells which.",
        "Make the password here equal to the one in the peer's resource for this daemon, and see that the resource is \
         there and has this daemon's name.",
    ),
    entry(
        205,
        "a certificate came where a pre-shared key is required",
        (Fault::Config, Retry::Never),
        "This daemon is set to use pre-shared keys with the peer. The peer chose a certificate instead, so nothing proves \
         that it knows the password.",
        "Let the peer prefer cipher suites with SHA-256, or configure certificates for this peer here. The advice in the \
         log line has the setting for Bareos.",
    ),
    entry(
        206,
        "the peer refused a handshake with certificates",
        (Fault::Peer, Retry::Never),
        "The peer accepts no certificates: it has none of its own, or it requires a pre-shared key.",
        "Give the peer a certificate and its key, or use pre-shared keys on both sides.",
    ),
    entry(
        207,
        "the peer offered no pre-shared key",
        (Fault::Peer, Retry::Never),
        "The peer began TLS without a pre-shared key, and this daemon has no certificate that it could show.",
        "Configure a certificate and its key here, or let the peer use a name and a password.",
    ),
    entry(
        208,
        "TLS is not configured here",
        (Fault::Config, Retry::Never),
        "A peer began TLS, and this daemon has neither a certificate nor a pre-shared key.",
        "Configure a password, or a certificate and its key, in this daemon's resource.",
    ),
    entry(
        209,
        "built without pre-shared keys",
        (Fault::Config, Retry::Never),
        "The peer needs a pre-shared key, as Bareos does by default, and this program was built without them: the small \
         file daemon leaves out OpenSSL.",
        "Install a build with the feature `psk`, or give both daemons certificates.",
    ),
    entry(
        210,
        "the peer's certificate is not trusted",
        (Fault::Peer, Retry::Never),
        "The authority that signed the peer's certificate is not among those configured here.",
        "Put the certificate of that authority into the file named as `ca` in the TLS settings, with all intermediate ones.",
    ),
    entry(
        211,
        "the peer's certificate is for another name",
        (Fault::Peer, Retry::Never),
        "The certificate is good, but it names neither the address dialled nor an allowed common name.",
        "List its common name in `allowed_cn`, or dial the peer by a name that stands in its certificate.",
    ),
    entry(
        212,
        "the peer's certificate is not valid at this time",
        (Fault::Peer, Retry::Never),
        "The certificate has expired, or begins in the future. A wrong clock looks the same.",
        "Compare the clocks of both machines first. Then renew the certificate.",
    ),
    entry(
        213,
        "the peer showed no certificate",
        (Fault::Peer, Retry::Never),
        "This daemon verifies its peers, and this one has no certificate to show.",
        "Configure a certificate and its key at the peer, or stop verifying peers here.",
    ),
    entry(
        214,
        "the peer refused our certificate",
        (Fault::Config, Retry::Never),
        "The peer looked at the certificate of this daemon, or missed one, and ended the connection with an alert.",
        "Read the log of the peer. Then give this daemon a certificate signed by an authority that the peer trusts.",
    ),
    entry(
        215,
        "the configured certificate cannot be used",
        (Fault::Config, Retry::Never),
        "The files named in the configuration can be read, but they do not make a certificate chain with its private key.",
        "Check that both files are PEM, that the key belongs to the first certificate, and that it is not encrypted.",
    ),
    entry(
        216,
        "the pre-shared key cannot be used",
        (Fault::Config, Retry::Never),
        "The name or the key is empty, too long for TLS, or has a zero byte in it.",
        "Choose a name and a password that are not empty and shorter than 255 bytes.",
    ),
    entry(
        217,
        "the peer does not speak TLS",
        (Fault::Peer, Retry::Never),
        "The bytes that came are not TLS. Either the port belongs to another program, or the peer has TLS switched off.",
        "Check the port, and that TLS is enabled in the resources of both sides.",
    ),
    entry(
        218,
        "the peer refused in clear text",
        (Fault::Peer, Retry::Backoff),
        "Instead of TLS the peer answered with the signal that ends a conversation. A Bareos daemon does so when it does \
         not know the name, has TLS switched off for it, or takes no more connections.",
        "Read the peer's log: it says which of these it was.",
    ),
    entry(
        219,
        "no TLS version or cipher suite in common",
        (Fault::Peer, Retry::Never),
        "Both sides speak TLS, but they allow no version or no cipher suite that the other allows too.",
        "Allow TLS 1.2 or 1.3 and the default cipher suites on both sides.",
    ),
    entry(
        220,
        "the peer ended TLS with an alert",
        (Fault::Peer, Retry::Backoff),
        "The peer sent an alert that has no code of its own here. Its number is in the log line.",
        "Read the peer's log: only the peer knows its reason.",
    ),
    entry(
        221,
        "a TLS record is damaged",
        (Fault::Network, Retry::Backoff),
        "A record did not pass the check that only the peer's key can satisfy. It was changed on the way, by accident or \
         on purpose.",
        "Look for a proxy or firewall that rewrites the data, and for faulty memory or network cards.",
    ),
    entry(
        222,
        "the peer broke the rules of TLS",
        (Fault::Peer, Retry::Backoff),
        "What came looks like TLS and is not correct. Another protocol on the port or an old library can be the reason.",
        "Check that the port belongs to a backup daemon, and update the TLS library of the peer.",
    ),
    entry(
        223,
        "the TLS engine failed",
        (Fault::Bug, Retry::Backoff),
        "The TLS library reported something that should not be possible.",
        "Report it as a bug, with the log of this connection and the versions of both daemons.",
    ),
    entry(
        224,
        "the keys of this connection are used up",
        (Fault::Peer, Retry::Backoff),
        "A key may protect only so much data, and TLS 1.2 cannot change keys in the middle of a connection.",
        "Let the peer speak TLS 1.3 or a ChaCha20 suite, or split jobs of more than 256 GiB.",
    ),
];
