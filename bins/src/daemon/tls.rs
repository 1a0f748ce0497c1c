//! From the TLS settings of a configuration to the core's engines: everything is read and tried before a daemon starts.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};
use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use towline_core::error::Code;
use towline_core::explain::{codes, complaint};

use towline_core::config::{ConfigPath, Severity, TlsConfig, TlsMode};
use towline_core::error::{Explain as _, TlsError};
use towline_core::role::identity::{Credentials, DialOffer};
use towline_core::time::Wall;
use towline_core::tls::Acceptor;
use towline_core::tls::certificate::{CertificateConfig, SharedWall};
#[cfg(feature = "psk")]
use towline_core::tls::psk::{PskAcceptor, PskDialler};
use towline_core::tls::rustls::{CertificateAcceptor, CertificateDialler};
use towline_core::tls::terms::Terms;

use super::identity;
use crate::config::{Loaded, Report, read_certificates};

/// How often the time that certificates are judged by is set.
const TICK: Duration = Duration::from_secs(30);

/// What a daemon accepts with and dials with.
#[derive(Debug, Default)]
pub struct Tls {
    /// For connections that are accepted.
    pub engines: Arc<Acceptor>,
    /// For connections that are dialled.
    pub credentials: Credentials,
}

/// A peer with TLS settings of its own.
#[derive(Clone, Debug)]
pub struct Peer<'a> {
    /// As the core names it: `client laptop-fd`.
    pub name: String,
    /// Where its settings are.
    pub at: ConfigPath,
    /// Its settings.
    pub config: &'a TlsConfig,
}

/// Where a daemon has settings of TLS.
#[derive(Clone, Debug)]
pub struct Places<'a> {
    /// Its own.
    pub own: Peer<'a>,
    /// Those of peers that have settings of their own.
    pub peers: Vec<Peer<'a>>,
    /// Whether it accepts connections, and does not only dial.
    pub accepts: bool,
}

/// Reads the certificates of a daemon and of its peers.
///
/// # Errors
/// Everything that cannot be read or used.
pub fn read_tls<T>(loaded: &Loaded<T>, places: &Places<'_>) -> Result<Tls, Report> {
    let Places { own, peers, accepts } = places;
    let reader = Reader { loaded, wall: wall() };
    let mut report = loaded.report();
    let (certificate, offer) = noted(&mut report, reader.offer(own));
    let engines = if *accepts { noted(&mut report, reader.acceptor(own, peers, certificate)) } else { Acceptor::new() };
    let mut offers = BTreeMap::new();
    for peer in peers {
        offers.insert(peer.name.clone(), noted(&mut report, reader.offer(peer)).1);
    }
    if !report.is_empty() {
        return Err(report);
    }
    let credentials = Credentials { own: offer, peers: offers, version: Some(identity().version) };
    Ok(Tls { engines: Arc::new(engines), credentials })
}

/// What a program dials with that has no configuration, but a password.
///
/// # Errors
/// This program is built without pre-shared keys.
#[cfg(all(feature = "sqlite", feature = "psk"))]
pub(crate) fn psk_credentials() -> Result<Credentials, String> {
    let own = PskDialler::new(Terms::default()).map(DialOffer::Psk).map_err(|error| error.to_string())?;
    Ok(Credentials { own, peers: BTreeMap::new(), version: Some(identity().version) })
}

/// The same where it cannot be done.
///
/// # Errors
/// Always.
#[cfg(all(feature = "sqlite", not(feature = "psk")))]
pub(crate) fn psk_credentials() -> Result<Credentials, String> {
    Err(format!("{}; {}", TlsError::PskNotBuilt, TlsError::PskNotBuilt.help()))
}

/// Goes on with nothing where something is wrong, and notes it.
fn noted<T: Default>(report: &mut Report, outcome: Result<T, Report>) -> T {
    outcome.unwrap_or_else(|wrong| {
        report.take(wrong);
        T::default()
    })
}

struct Reader<'a, T> {
    loaded: &'a Loaded<T>,
    wall: &'a SharedWall,
}

impl<T> Reader<'_, T> {
    /// What a resource dials with, and its certificates.
    fn offer(&self, peer: &Peer<'_>) -> Result<(Option<Arc<CertificateConfig>>, DialOffer), Report> {
        match peer.config.mode() {
            TlsMode::Off => Ok((None, DialOffer::Nothing)),
            TlsMode::Psk => Ok((None, self.psk(peer)?)),
            TlsMode::Certificate => {
                let certificates = Arc::new(self.certificates(peer)?);
                let dialler = CertificateDialler::new(&certificates, self.terms(peer)?, self.wall);
                let offer = DialOffer::Certificate(dialler.map_err(|error| self.report(peer, &error))?);
                Ok((Some(certificates), offer))
            }
        }
    }

    #[cfg(feature = "psk")]
    fn psk(&self, peer: &Peer<'_>) -> Result<DialOffer, Report> {
        PskDialler::new(self.terms(peer)?).map(DialOffer::Psk).map_err(|error| self.report(peer, &error))
    }

    /// The check of the configuration has refused this already.
    #[cfg(not(feature = "psk"))]
    fn psk(&self, peer: &Peer<'_>) -> Result<DialOffer, Report> {
        Err(self.report(peer, &TlsError::PskNotBuilt))
    }

    fn certificates(&self, peer: &Peer<'_>) -> Result<CertificateConfig, Report> {
        let files = read_certificates(self.loaded, &peer.at, peer.config)?;
        let key = files.key.unwrap_or_default();
        let config = CertificateConfig::from_pem(
            &files.certificate.unwrap_or_default(),
            key.expose(),
            &files.ca.unwrap_or_default(),
            peer.config.verifies(),
            peer.config.allowed_cn.clone(),
        );
        let config = config.and_then(|config| match &files.revocation_list {
            Some(lists) => config.with_revoked(lists),
            None => Ok(config),
        });
        config.map_err(|error| self.report(peer, &error))
    }

    /// What may be agreed on. The check of the configuration has refused what is wrong already.
    fn terms(&self, peer: &Peer<'_>) -> Result<Terms, Report> {
        peer.config.terms().map_err(|wrong| {
            let mut report = self.loaded.report();
            let message = format!("{}: {wrong}", peer.at);
            report.add(Severity::Error, codes::TLS_TERMS, None, message, String::new());
            report
        })
    }

    /// The engines for accepted connections: those of the daemon's own settings, and keys if any peer has one.
    fn acceptor(
        &self,
        own: &Peer<'_>,
        peers: &[Peer<'_>],
        certificates: Option<Arc<CertificateConfig>>,
    ) -> Result<Acceptor, Report> {
        let mut acceptor = Acceptor::new();
        let certificates = certificates.filter(|config| config.key.is_some());
        if let Some(config) = &certificates {
            let certificate = CertificateAcceptor::new(config, self.terms(own)?, self.wall);
            acceptor = acceptor.with_certificate(certificate.map_err(|error| self.report(own, &error))?);
        }
        #[cfg(feature = "psk")]
        if std::iter::once(own).chain(peers).any(|peer| peer.config.enable && peer.config.psk) {
            let psk = PskAcceptor::new(certificates, self.terms(own)?, self.wall);
            acceptor = acceptor.with_psk(psk.map_err(|error| self.report(own, &error))?);
        }
        #[cfg(not(feature = "psk"))]
        let _ = peers;
        Ok(acceptor)
    }

    fn report(&self, peer: &Peer<'_>, error: &TlsError) -> Report {
        let mut report = self.loaded.report();
        let message = format!("{}: {error}", peer.at);
        report.add(Severity::Error, error.code(), None, message, error.help().to_owned());
        report
    }
}

fn now() -> Wall {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Wall(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
}

/// The time that certificates are judged by: one for the process, however often its configuration is read.
fn wall() -> &'static SharedWall {
    static WALL: OnceLock<SharedWall> = OnceLock::new();
    WALL.get_or_init(|| {
        let wall = SharedWall::new(now());
        keep_time(wall.clone());
        wall
    })
}

/// Sets that time again and again. The thread ends with the process.
fn keep_time(wall: SharedWall) {
    let body = move || {
        loop {
            thread::sleep(TICK);
            wall.set(now());
        }
    };
    if let Err(error) = thread::Builder::new().name("clock".to_owned()).spawn(body) {
        let text = format!("no thread for the clock, certificates are judged by the time of the start: {error}");
        tracing::warn!("{}", complaint(Code(918), &text));
    }
}
