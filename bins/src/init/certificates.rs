//! A small authority of one's own, and certificates that it signs.

use std::path::Path;

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose,
};

use towline_core::calendar::Civil;

use super::Failure;
use crate::fresh::private_file;

/// Where they are, below the folder of the configurations.
pub(crate) const FOLDER: &str = "certificates";
/// The programs that have one.
pub(super) const ROLES: [&str; 4] = ["director", "storage-daemon", "file-daemon", "console"];
/// Days for which the authority is good.
const AUTHORITY_DAYS: i64 = 3_650;
/// Days for which a certificate is good: `towline check` warns before they are over.
const DAYS: i64 = 825;
const DAY: i64 = 86_400;

/// Who signs.
pub(crate) struct Authority(Issuer<'static, KeyPair>);

impl Authority {
    /// Makes an authority in this folder: `ca.pem`, which all programs have, and `ca-key.pem`, which only signs.
    pub(super) fn make(name: &str, folder: &Path) -> Result<Self, Failure> {
        let (certificate, key) = Self::fresh(name)?;
        for (file, text) in [("ca.pem", &certificate), ("ca-key.pem", &key)] {
            let file = folder.join(file);
            private_file(&file, text).map_err(|error| Failure::Unwritten(file, error))?;
        }
        Self::of(&certificate, &key).map_err(Failure::from)
    }

    /// The certificate and the key of a new authority, in PEM.
    ///
    /// # Errors
    /// The name cannot be in a certificate.
    pub(crate) fn fresh(name: &str) -> Result<(String, String), rcgen::Error> {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        params.distinguished_name.push(DnType::CommonName, format!("Towline authority of {name}"));
        last(&mut params, AUTHORITY_DAYS);
        let made = CertifiedIssuer::self_signed(params, KeyPair::generate()?)?;
        Ok((made.pem(), made.key().serialize_pem()))
    }

    /// The authority with this certificate and this key, in PEM.
    ///
    /// # Errors
    /// They are none of an authority.
    pub(crate) fn of(certificate: &str, key: &str) -> Result<Self, rcgen::Error> {
        Ok(Self(Issuer::from_ca_cert_pem(certificate, KeyPair::from_pem(key)?)?))
    }

    /// A certificate for a program with these names and addresses, and its key, in PEM.
    ///
    /// # Errors
    /// A name cannot be in a certificate.
    pub(crate) fn certificate(&self, common: &str, names: &[&str]) -> Result<(String, String), rcgen::Error> {
        let mut all: Vec<String> = Vec::new();
        for name in names {
            // An address of one link has no interface there.
            let name = name.split('%').next().unwrap_or_default().to_owned();
            if !all.contains(&name) {
                all.push(name);
            }
        }
        let mut params = CertificateParams::new(all)?;
        params.distinguished_name.push(DnType::CommonName, common);
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        // Each daemon dials and is dialled.
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
        params.use_authority_key_identifier_extension = true;
        last(&mut params, DAYS);
        let key = KeyPair::generate()?;
        let certificate = params.signed_by(&key, &self.0)?;
        Ok((certificate.pem(), key.serialize_pem()))
    }
}

/// From yesterday on, for machines whose clocks are late.
fn last(params: &mut CertificateParams, days: i64) {
    let now = jiff::Timestamp::now().as_second();
    let day = |days: i64| {
        let date = Civil::of(now.saturating_add(days * DAY));
        rcgen::date_time_ymd(i32::try_from(date.year).unwrap_or(i32::MAX), date.month, date.day)
    };
    (params.not_before, params.not_after) = (day(-1), day(days));
}
