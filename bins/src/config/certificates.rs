//! Reads the PEM files that a [`TlsConfig`] names.

use std::fs::File;
use std::io::Read as _;

use towline_core::config::{ConfigPath, Severity, TlsConfig, TlsMode};
use towline_core::explain::codes;
use towline_core::secret::Secret;

use super::{Loaded, Report};

/// The largest PEM file in bytes: room for a bundle of authorities.
const MAX_PEM: u64 = 4 << 20;

/// The contents of the PEM files of one [`TlsConfig`], unparsed.
#[derive(Clone, Debug, Default)]
pub struct Certificates {
    /// Our certificate and its chain.
    pub certificate: Option<Vec<u8>>,
    /// Our private key.
    pub key: Option<Secret>,
    /// The authorities we trust.
    pub ca: Option<Vec<u8>>,
    /// Lists of what authorities have revoked.
    pub revocation_list: Option<Vec<u8>>,
}

/// Reads the files that `tls`, which is at `at` in the configuration, names. With TLS off none is read.
///
/// # Errors
/// Each file that cannot be read, or has no PEM block of its kind, with the line that names it.
pub fn read_certificates<T>(loaded: &Loaded<T>, at: &ConfigPath, tls: &TlsConfig) -> Result<Certificates, Report> {
    let mut report = loaded.report();
    if tls.mode() == TlsMode::Off {
        return Ok(Certificates::default());
    }
    let mut read = |field: &'static str, name: &Option<String>, kind: &str| {
        let name = name.as_deref()?;
        let path = loaded.resolve(name);
        let (code, message, help) = match pem(&path, kind) {
            Ok(bytes) => return Some(bytes),
            Err(Fault::Unreadable(error)) => {
                let help = "check the name, and that this user may read the file";
                (codes::UNREADABLE_CERTIFICATE, format!("cannot read {}: {error}", path.display()), help.to_owned())
            }
            Err(Fault::NoBlock) => {
                let message = format!("{} has no PEM block `{kind}`", path.display());
                (codes::EMPTY_CERTIFICATE, message, format!("it needs a line `-----BEGIN {kind}-----`"))
            }
        };
        let place = loaded.locate(&at.field(field));
        report.add_at(Severity::Error, code, Some(place), message, help);
        None
    };
    let certificates = Certificates {
        certificate: read("certificate", &tls.certificate, "CERTIFICATE"),
        key: read("key", &tls.key, "PRIVATE KEY").map(Secret::new),
        ca: read("ca", &tls.ca, "CERTIFICATE"),
        revocation_list: read("revocation_list", &tls.revocation_list, "X509 CRL"),
    };
    if report.is_empty() { Ok(certificates) } else { Err(report) }
}

enum Fault {
    Unreadable(std::io::Error),
    NoBlock,
}

/// The bytes of a PEM file that has a block of `kind`; `RSA PRIVATE KEY` is a `PRIVATE KEY` too.
fn pem(path: &std::path::Path, kind: &str) -> Result<Vec<u8>, Fault> {
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(Fault::Unreadable)?;
    file.take(MAX_PEM).read_to_end(&mut bytes).map_err(Fault::Unreadable)?;
    let end = format!("{kind}-----");
    let text = String::from_utf8_lossy(&bytes);
    let found = text.lines().any(|line| line.starts_with("-----BEGIN ") && line.trim_end().ends_with(&end));
    if found { Ok(bytes) } else { Err(Fault::NoBlock) }
}
