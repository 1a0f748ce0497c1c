//! Servers and databases that cannot hold a catalog, and catalogs that are there already.

use super::bodies::{ask, jobs, running, site};
use super::support::postgres::Server;
use super::{PostgresCatalog, name, shared};
use towline_core::catalog::{CatalogErrorKind, CatalogRequest, JobFilter};
use towline_core::config::{Password, Postgres};

fn kind(server: &Postgres) -> (CatalogErrorKind, String) {
    let error = PostgresCatalog::open(server).err().unwrap();
    (error.kind, error.text)
}

#[test]
fn a_catalog_is_found_again_with_its_rows() {
    let server = shared();
    let database = server.database(&name());
    let mut catalog = PostgresCatalog::open(&database).unwrap();
    let site = site(&mut catalog);
    running(&mut catalog, &site, b'F', 100);
    drop(catalog);
    let version = || server.sql(&database.database, "SELECT VersionId FROM TowlineVersion");
    let before = version();
    let mut catalog = PostgresCatalog::open(&database).unwrap();
    assert_eq!(jobs(&mut catalog, CatalogRequest::ListJobs(JobFilter::default())).len(), 1);
    assert_eq!(version(), before);
}

#[test]
fn a_newer_catalog_is_refused_and_not_touched() {
    let server = shared();
    let database = server.database(&name());
    drop(PostgresCatalog::open(&database).unwrap());
    server.sql(&database.database, "UPDATE TowlineVersion SET VersionId = 999");
    let (kind, text) = kind(&database);
    assert_eq!(kind, CatalogErrorKind::NewerSchema);
    assert!(text.contains("version 999"), "{text}");
    assert_eq!(server.sql(&database.database, "SELECT VersionId FROM TowlineVersion"), "999");
}

#[test]
fn another_programs_database_is_refused() {
    let server = shared();
    let database = server.database(&name());
    server.sql(&database.database, "CREATE TABLE songs (title TEXT)");
    assert_eq!(kind(&database).0, CatalogErrorKind::Unsuitable);
    assert_eq!(server.sql(&database.database, "SELECT COUNT(*) FROM pg_tables WHERE schemaname = 'public'"), "1");
}

#[test]
fn a_database_of_another_encoding_is_refused() {
    let server = shared();
    let name = name();
    let create = format!("CREATE DATABASE {name} TEMPLATE template0 ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C'");
    server.sql("postgres", &create);
    let (kind, text) = kind(&Postgres { database: name, ..server.over_socket() });
    assert_eq!(kind, CatalogErrorKind::Unsuitable);
    assert!(text.contains("LATIN1"), "{text}");
}

#[test]
fn a_wrong_password_user_or_database_is_told_and_no_password_shown() {
    let server = shared();
    let right = Postgres { database: server.database(&name()).database, ..server.over_loopback() };
    drop(PostgresCatalog::open(&right).unwrap());
    for wrong in [
        Postgres { password: Some(Password::new("pomegranate")), ..right.clone() },
        Postgres { password: None, ..right.clone() },
        Postgres { user: "nobody".to_owned(), ..right.clone() },
        Postgres { database: "nothing".to_owned(), ..right.clone() },
    ] {
        let (kind, text) = kind(&wrong);
        assert_eq!(kind, CatalogErrorKind::Denied, "{text}");
        assert!(!text.contains("pomegranate") && !text.contains("sesame"), "{text}");
    }
}

#[test]
fn a_user_who_may_not_make_tables_is_told() {
    let server = shared();
    let database = server.database(&name());
    let guest = name();
    server.sql(&database.database, &format!("REVOKE CREATE ON SCHEMA public FROM PUBLIC; CREATE ROLE {guest} LOGIN"));
    assert_eq!(kind(&Postgres { user: guest, ..database }).0, CatalogErrorKind::Denied);
}

/// What tells a catalog of Bareos from anything else.
fn theirs(version: u32) -> String {
    let tables = "CREATE TABLE PathHierarchy (x INT); CREATE TABLE BaseFiles (x INT); CREATE TABLE JobMedia (x INT)";
    format!("CREATE TABLE Version (VersionId INTEGER NOT NULL); INSERT INTO Version VALUES ({version}); {tables}")
}

#[test]
fn a_catalog_of_bareos_of_another_version_is_refused_and_left_alone() {
    let server = shared();
    let database = server.database(&name());
    server.sql(&database.database, &theirs(2240));
    let (kind, text) = kind(&database);
    assert_eq!(kind, CatalogErrorKind::ForeignVersion);
    assert!(text.contains("version 2240"), "{text}");
    assert_eq!(server.sql(&database.database, "SELECT COUNT(to_regnamespace('towline_catalog'))"), "0");
}

#[test]
fn a_user_who_may_make_nothing_beside_a_catalog_of_bareos_is_told() {
    let server = shared();
    let database = server.database(&name());
    let guest = name();
    let may = format!("CREATE ROLE {guest} LOGIN; GRANT SELECT ON ALL TABLES IN SCHEMA public TO {guest}");
    server.sql(&database.database, &format!("{}; {may}", theirs(2250)));
    assert_eq!(kind(&Postgres { user: guest, ..database }).0, CatalogErrorKind::NoRoomBeside);
}

#[test]
fn a_database_without_an_encoding_is_only_for_a_catalog_of_bareos() {
    let server = shared();
    let name = name();
    let create = format!("CREATE DATABASE {name} TEMPLATE template0 ENCODING 'SQL_ASCII' LC_COLLATE 'C' LC_CTYPE 'C'");
    server.sql("postgres", &create);
    let (kind, text) = kind(&Postgres { database: name, ..server.over_socket() });
    assert_eq!(kind, CatalogErrorKind::Unsuitable);
    assert!(text.contains("SQL_ASCII"), "{text}");
}

#[test]
fn a_server_that_is_not_there_is_told_by_its_socket() {
    let server = Server::start();
    let (socket, loopback) = (server.over_socket(), server.over_loopback());
    server.stop();
    for gone in [socket, loopback] {
        let (kind, text) = kind(&gone);
        assert_eq!(kind, CatalogErrorKind::Unreachable, "{text}");
        assert!(text.contains(&gone.host), "{text}");
    }
}

#[test]
fn requests_go_on_over_a_new_connection_after_the_old_one_was_ended() {
    let server = shared();
    let database = server.database(&name());
    let mut catalog = PostgresCatalog::open(&database).unwrap();
    let site = site(&mut catalog);
    running(&mut catalog, &site, b'F', 100);
    let end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'towline-dir'
               AND datname = current_database()";
    assert_eq!(server.sql(&database.database, end), "t");
    let gone = super::bodies::refused(&mut catalog, CatalogRequest::MaxMediaId);
    assert_eq!(gone.kind, CatalogErrorKind::Unreachable);
    ask(&mut catalog, CatalogRequest::MaxMediaId);
    assert_eq!(jobs(&mut catalog, CatalogRequest::ListJobs(JobFilter::default())).len(), 1);
}
