//! OpenSSL's settings and callbacks for pre-shared keys, and what a connection carries for them.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use openssl::error::ErrorStack;
use openssl::ex_data::Index;
use openssl::pkey::PKey;
use openssl::ssl::{
    Ssl, SslContext, SslContextBuilder, SslMethod, SslMode, SslOptions, SslRef, SslSessionCacheMode, SslVerifyMode,
    SslVersion,
};
use openssl::x509::store::X509StoreBuilder;
use openssl::x509::verify::X509VerifyFlags;
use openssl::x509::{X509, X509StoreContext};

use crate::error::TlsError;
use crate::secret::Secret;
use crate::tls::Versions;
use crate::tls::certificate::CertificateConfig;
use crate::tls::keyring::{Keyring, readable_identity};
use crate::tls::psk::engine;
use crate::tls::terms::{Offered, Proof, Terms};
use crate::wire::names::PeerName;

/// What a dialling connection carries: who it claims to be and the proof.
pub(super) struct Offer {
    identity: Vec<u8>,
    key: Secret,
    certificate_seen: AtomicBool,
}

impl Offer {
    pub(super) const fn new(identity: Vec<u8>, key: Secret) -> Self {
        Self { identity, key, certificate_seen: AtomicBool::new(false) }
    }

    /// Whether the acceptor showed a certificate, which a dialler with a key refuses.
    pub(super) fn certificate_was_seen(&self) -> bool {
        self.certificate_seen.load(Ordering::Relaxed)
    }
}

/// What an accepted connection carries: the keys of this moment, and what the dialler has claimed so far.
pub(super) struct Claims {
    keyring: Arc<Keyring>,
    /// The last claimed name that has a key. Proved only once the handshake is finished.
    pub(super) known: Option<PeerName>,
    /// The first claimed name that has none, fit for a log.
    pub(super) unknown: Option<String>,
}

impl Claims {
    pub(super) const fn new(keyring: Arc<Keyring>) -> Self {
        Self { keyring, known: None, unknown: None }
    }
}

/// Where a dialling connection keeps its [`Offer`].
///
/// # Errors
/// If OpenSSL is out of memory.
pub(super) fn offer_index() -> Result<Index<Ssl, Offer>, ErrorStack> {
    static INDEX: OnceLock<Index<Ssl, Offer>> = OnceLock::new();
    once(&INDEX)
}

/// Where an accepted connection keeps its [`Claims`].
///
/// # Errors
/// If OpenSSL is out of memory.
pub(super) fn claims_index() -> Result<Index<Ssl, Claims>, ErrorStack> {
    static INDEX: OnceLock<Index<Ssl, Claims>> = OnceLock::new();
    once(&INDEX)
}

pub(super) fn offer(ssl: &SslRef) -> Option<&Offer> {
    ssl.ex_data(offer_index().ok()?)
}

pub(super) fn claims(ssl: &SslRef) -> Option<&Claims> {
    ssl.ex_data(claims_index().ok()?)
}

/// The settings of a daemon that dials with keys.
///
/// # Errors
/// [`TlsError::NothingAllowed`], or [`TlsError::Engine`] if OpenSSL refuses them.
pub(super) fn dialler(terms: &Terms) -> Result<SslContext, TlsError> {
    let offered = terms.offered(Proof::Keys).ok_or(TlsError::NothingAllowed)?;
    let mut builder = base(&offered).map_err(|error| engine(&error))?;
    builder.set_psk_client_callback(|ssl, _hint, identity, key| {
        Ok(offer(ssl).map_or(0, |offer| fill(offer, identity, key)))
    });
    // Asked for only if the acceptor shows a certificate: with a key there is none.
    builder.set_verify_callback(SslVerifyMode::PEER, |_, context| {
        let ssl = X509StoreContext::ssl_idx().ok().and_then(|index| context.ex_data(index));
        if let Some(offer) = ssl.and_then(|ssl| offer(ssl)) {
            offer.certificate_seen.store(true, Ordering::Relaxed);
        }
        false
    });
    Ok(builder.build())
}

/// The settings of a daemon that accepts diallers with keys, and shows the others its certificate if it has one.
///
/// # Errors
/// [`TlsError::BadCertificate`]; [`TlsError::NothingAllowed`]; [`TlsError::Engine`] if OpenSSL refuses its own settings.
pub(super) fn acceptor(certificate: Option<&CertificateConfig>, terms: &Terms) -> Result<SslContext, TlsError> {
    let proof = if certificate.is_some() { Proof::Both } else { Proof::Keys };
    let offered = terms.offered(proof).ok_or(TlsError::NothingAllowed)?;
    let mut builder = base(&offered).map_err(|error| engine(&error))?;
    if let Some(config) = certificate {
        show(&mut builder, config).map_err(|error| TlsError::BadCertificate(error.to_string()))?;
    }
    builder.set_psk_server_callback(|ssl, identity, key| Ok(look_up(ssl, identity.unwrap_or_default(), key)));
    Ok(builder.build())
}

fn base(offered: &Offered) -> Result<SslContextBuilder, ErrorStack> {
    let mut builder = SslContextBuilder::new(SslMethod::tls())?;
    let (least, most) = match offered.versions {
        Versions::All => (SslVersion::TLS1_2, SslVersion::TLS1_3),
        Versions::Only12 => (SslVersion::TLS1_2, SslVersion::TLS1_2),
        Versions::Only13 => (SslVersion::TLS1_3, SslVersion::TLS1_3),
    };
    builder.set_min_proto_version(Some(least))?;
    builder.set_max_proto_version(Some(most))?;
    builder.set_options(
        SslOptions::CIPHER_SERVER_PREFERENCE
            | SslOptions::NO_TICKET
            | SslOptions::NO_RENEGOTIATION
            | SslOptions::NO_COMPRESSION,
    );
    // A connection that waits holds no records: 33 KiB of buffers for them go back to the system's heap meanwhile.
    builder.set_mode(SslMode::RELEASE_BUFFERS);
    // Unread tickets at the close of a one-way sender turn into a reset that loses the tail of the stream. And that
    // nothing is ever resumed is what tells a key from a ticket in TLS 1.3.
    builder.set_num_tickets(0)?;
    builder.set_session_cache_mode(SslSessionCacheMode::OFF);
    // A version without a suite is switched off: OpenSSL takes no empty list.
    if !offered.suites_13.is_empty() {
        builder.set_ciphersuites(&offered.suites_13.join(":"))?;
    }
    if !offered.suites_12.is_empty() {
        builder.set_cipher_list(&offered.suites_12.join(":"))?;
    }
    Ok(builder)
}

fn show(builder: &mut SslContextBuilder, config: &CertificateConfig) -> Result<(), ErrorStack> {
    let mut chain = config.chain.iter().map(|der| X509::from_der(der));
    if let (Some(own), Some(key)) = (chain.next(), &config.key) {
        builder.set_certificate(&*own?)?;
        for authority in chain {
            builder.add_extra_chain_cert(authority?)?;
        }
        builder.set_private_key(&*PKey::private_key_from_der(key.secret_der())?)?;
        builder.check_private_key()?;
    }
    if config.verify_peer {
        let mut store = X509StoreBuilder::new()?;
        for authority in &config.ca {
            store.add_cert(X509::from_der(authority)?)?;
        }
        store.set_flags(X509VerifyFlags::PARTIAL_CHAIN)?;
        builder.set_verify_cert_store(store.build())?;
        // Without a name for its sessions OpenSSL refuses to verify diallers, though it never stores one.
        builder.set_session_id_context(b"towline")?;
        builder.set_verify(SslVerifyMode::PEER | SslVerifyMode::FAIL_IF_NO_PEER_CERT);
    }
    Ok(())
}

/// Writes the offer where OpenSSL expects it and returns the length of the key; 0 means none.
///
/// Nothing here may panic: OpenSSL is above us on the stack.
fn fill(offer: &Offer, identity: &mut [u8], key: &mut [u8]) -> usize {
    let secret = offer.key.expose();
    let (Some((text, rest)), Some(room)) =
        (identity.split_at_mut_checked(offer.identity.len()), key.get_mut(..secret.len()))
    else {
        return 0;
    };
    text.copy_from_slice(&offer.identity);
    // OpenSSL has one more byte, a zero, where the identity takes all the room it gives.
    if let Some(zero) = rest.first_mut() {
        *zero = 0;
    }
    room.copy_from_slice(secret);
    secret.len()
}

/// Finds the key of a claimed identity, notes the claim and returns the length of the key; 0 means none.
///
/// A name without a key gets the decoy: then the proof fails in the same step and with the same alert as with a wrong
/// key, in TLS 1.3 and in 1.2. What is no name at all (a ticket of somebody else, say) has none, and OpenSSL goes on to
/// the next identity or to the certificate.
///
/// Nothing here may panic: OpenSSL is above us on the stack.
fn look_up(ssl: &mut SslRef, identity: &[u8], key: &mut [u8]) -> usize {
    let Some(claims) = claims_index().ok().and_then(|index| ssl.ex_data_mut(index)) else { return 0 };
    let peer = PeerName::from_psk_identity(identity);
    let keyring = claims.keyring.clone();
    let known = peer.as_ref().and_then(|peer| keyring.key(peer)).map(Secret::expose);
    let known = known.filter(|secret| (1..=key.len()).contains(&secret.len()));
    let is_name = peer.is_some();
    match known {
        Some(_) => claims.known = peer,
        None => drop(claims.unknown.get_or_insert_with(|| readable_identity(identity))),
    }
    let secret = if is_name { known.unwrap_or_else(|| keyring.decoy().expose()) } else { &[] };
    key.get_mut(..secret.len()).map_or(0, |room| {
        room.copy_from_slice(secret);
        room.len()
    })
}

fn once<T: Send + Sync + 'static>(cell: &OnceLock<Index<Ssl, T>>) -> Result<Index<Ssl, T>, ErrorStack> {
    match cell.get() {
        Some(index) => Ok(*index),
        None => {
            let new = Ssl::new_ex_index()?;
            Ok(*cell.get_or_init(|| new))
        }
    }
}
