//! Settings that are known and that nothing acts on yet. They are refused, so that nobody relies on them; what equals the
//! behaviour there is may be written.

use super::Checker;
use crate::config::{ConfigPath, Pool, PoolKind, TlsConfig};
use crate::explain::codes;

/// `is_set` tells whether the field has a value that would need support; `instead` what happens instead.
fn refuse(c: &mut Checker, resource: &ConfigPath, field: &'static str, is_set: bool, instead: &str) {
    if is_set {
        let message = format!("`{field}` with this value is not supported yet: {instead}");
        c.error(codes::UNSUPPORTED, resource.field(field), message, format!("remove `{field}`"));
    }
}

pub(super) fn pool(c: &mut Checker, path: &ConfigPath, pool: &Pool) {
    let instead = "no pool takes volumes from another; each labels its own (`label_format`)";
    refuse(c, path, "kind", pool.kind == PoolKind::Scratch, instead);
}

pub(super) fn tls(c: &mut Checker, path: &ConfigPath, tls: &TlsConfig) {
    let instead = "with TLS on, a connection in clear text is always refused";
    refuse(c, path, "require", !tls.require, instead);
}
