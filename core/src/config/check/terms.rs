//! What TLS may agree on: nothing unknown is asked for, and something is left.

use super::Checker;
use crate::config::{ConfigPath, TlsConfig, TlsMode};
use crate::explain::codes;
use crate::tls::terms::{Proof, WrongTerms, known_suites, unknown_suites, unknown_words};

/// Checks the versions and suites of a resource that has TLS.
pub(super) fn terms(c: &mut Checker, path: &ConfigPath, tls: &TlsConfig, accepts: bool) {
    let terms = match tls.terms() {
        Ok(terms) => terms,
        Err(wrong) => {
            let (field, help) = match wrong {
                WrongTerms::UnknownVersion(_) | WrongTerms::NoVersion => {
                    ("protocol", "leave TLSv1.2 or TLSv1.3 on".to_owned())
                }
                WrongTerms::UnknownSuite(_) => ("cipher_suites", format!("known: {}", known_suites(Proof::Both))),
                WrongTerms::UnknownCommand(_) => {
                    ("cipher_list", "known: @STRENGTH, @SECLEVEL=0 to @SECLEVEL=5".to_owned())
                }
            };
            return c.error(codes::TLS_TERMS, path.field(field), wrong.to_string(), help);
        }
    };
    for (field, list, unknown) in [
        ("cipher_list", &tls.cipher_list, unknown_words as fn(&str) -> Vec<String>),
        ("cipher_suites", &tls.cipher_suites, unknown_suites),
    ] {
        let unknown = list.as_deref().map(unknown).unwrap_or_default();
        if !unknown.is_empty() {
            let message = format!("nothing here is called {}", unknown.join(" or "));
            c.warning(codes::UNKNOWN_CIPHERS, path.field(field), message, "the rest of the list counts");
        }
    }
    let by_certificate = tls.mode() == TlsMode::Certificate && (tls.certificate.is_some() || !accepts);
    let by_key = tls.psk && (accepts || tls.mode() == TlsMode::Psk);
    for (is_used, proof, what) in
        [(by_certificate, Proof::Certificates, "certificates"), (by_key, Proof::Keys, "pre-shared keys")]
    {
        if is_used && terms.offered(proof).is_none() {
            let message = format!("no version and cipher suite is left for {what}");
            let help = format!("allow one of {}", known_suites(proof));
            let fields = [
                ("cipher_list", tls.cipher_list.is_some()),
                ("cipher_suites", tls.cipher_suites.is_some()),
                ("protocol", true),
            ];
            let field = fields.iter().find(|(_, is_given)| *is_given).map_or("protocol", |(field, _)| field);
            c.error(codes::TLS_TERMS, path.field(field), message, help);
        }
    }
}
