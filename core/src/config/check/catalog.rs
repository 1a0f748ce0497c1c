//! The catalog.

use super::Checker;
use crate::config::{Catalog, ConfigPath, Postgres, Seconds, Sqlite};
use crate::explain::codes;

pub(super) fn check(c: &mut Checker, catalog: &Catalog) {
    let path = ConfigPath::of("catalog");
    match catalog {
        Catalog::Sqlite(Sqlite { path: file, .. }) if file.is_empty() => {
            let help = "name the file of the SQLite catalog";
            c.error(codes::EMPTY, path.field("path"), "there is no catalog file", help);
        }
        Catalog::Sqlite(_) => {}
        Catalog::Postgres(postgres) => server(c, &path, postgres),
    }
    if catalog.retry_for() < SHORTEST_RESTART {
        let message = "a restart of the catalog's server fails every running job";
        let help = "let requests be tried again for longer than a restart takes, such as `\"2 min\"`";
        c.warning(codes::CATALOG_SETTING, path.field("retry_for"), message, help);
    }
}

/// A server that is upgraded or restarted is away for about so long.
const SHORTEST_RESTART: Seconds = Seconds::secs(5);

fn server(c: &mut Checker, path: &ConfigPath, postgres: &Postgres) {
    if postgres.host.is_empty() {
        let help = "name the folder of its Unix socket, such as `/run/postgresql`, or its address";
        c.error(codes::EMPTY, path.field("host"), "there is no host of the catalog's server", help);
    } else if !postgres.host.starts_with('/') {
        c.optional_address(path.field("host"), Some(&postgres.host));
    }
    if !postgres.host.is_empty() && !postgres.is_local() && !postgres.clear_text {
        let message = format!("the catalog's server {:?} would be reached in clear text", postgres.host);
        let help = "run the server on the director's machine (a Unix socket or a loopback address), or set \
                    `clear_text: true` if a tunnel protects the way to it";
        c.error(codes::CLEAR_CATALOG, path.field("host"), message, help);
    }
    if postgres.port == 0 {
        let help = "leave it out for the usual port 5432";
        c.error(codes::CATALOG_SETTING, path.field("port"), "no server listens on port 0", help);
    }
    c.not_zero(path.field("connect_timeout"), postgres.connect_timeout.0);
    for (field, value) in [("database", &postgres.database), ("user", &postgres.user)] {
        if value.is_empty() || value.contains('\0') {
            let message = format!("the {field} of the catalog has no name a server could know");
            c.error(
                codes::CATALOG_SETTING,
                path.field(field),
                message,
                "leave it out for `towline`, or give it a name",
            );
        }
    }
    let Some(password) = &postgres.password else { return };
    if password.clear().expose().starts_with(b"[md5]") {
        let message = "the password of the catalog's server is a digest";
        let help = "write the password itself: a server of PostgreSQL does not take this form";
        c.error(codes::CATALOG_SETTING, path.field("password"), message, help);
    } else {
        c.password(path, password);
    }
}

#[cfg(test)]
mod tests {
    use super::super::Built;
    use super::*;
    use crate::config::check::Severity;

    fn findings(value: serde_json::Value) -> Vec<(Severity, String)> {
        let mut c = Checker::new(Built { psk: true });
        check(&mut c, &serde_json::from_value(value).unwrap());
        c.findings.into_iter().map(|f| (f.severity, format!("{} {}", f.code, f.path))).collect()
    }

    fn postgres(value: serde_json::Value) -> Vec<(Severity, String)> {
        findings(serde_json::json!({ "postgres": value }))
    }

    #[test]
    fn what_works_is_not_found_fault_with() {
        for value in [
            serde_json::json!({}),
            serde_json::json!({ "host": "localhost", "password": "x" }),
            serde_json::json!({ "host": "::1", "port": 5433 }),
            serde_json::json!({ "host": "db.example.org", "clear_text": true }),
        ] {
            assert_eq!(postgres(value.clone()), [], "{value}");
        }
        assert_eq!(findings(serde_json::json!({ "sqlite": { "path": "c.sqlite" } })), []);
    }

    #[test]
    fn what_cannot_work_is_found_at_its_place() {
        let error = |text: &str| vec![(Severity::Error, text.to_owned())];
        for (value, expected) in [
            (serde_json::json!({ "host": "db.example.org" }), "T0845 catalog.host"),
            (serde_json::json!({ "host": "192.0.2.1" }), "T0845 catalog.host"),
            (serde_json::json!({ "host": "" }), "T0836 catalog.host"),
            (serde_json::json!({ "host": "no host", "clear_text": true }), "T0824 catalog.host"),
            (serde_json::json!({ "port": 0 }), "T0846 catalog.port"),
            (serde_json::json!({ "user": "" }), "T0846 catalog.user"),
            (serde_json::json!({ "database": "" }), "T0846 catalog.database"),
            (serde_json::json!({ "password": "[md5]5ebe2294ecd0e0f08eab7690d2a6ee69" }), "T0846 catalog.password"),
            (serde_json::json!({ "password": "" }), "T0823 catalog.password"),
            (serde_json::json!({ "connect_timeout": 0 }), "T0835 catalog.connect_timeout"),
        ] {
            assert_eq!(postgres(value.clone()), error(expected), "{value}");
        }
        assert_eq!(findings(serde_json::json!({ "sqlite": { "path": "" } })), error("T0836 catalog.path"));
    }

    #[test]
    fn a_time_that_no_restart_fits_into_is_warned_of() {
        for (time, warned) in [(4, true), (5, false)] {
            let found = postgres(serde_json::json!({ "retry_for": time }));
            let expected = [(Severity::Warning, "T0846 catalog.retry_for".to_owned())];
            assert_eq!(found, if warned { &expected[..] } else { &[] }, "{time}");
        }
    }
}
