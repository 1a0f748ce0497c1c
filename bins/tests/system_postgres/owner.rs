//! One owner of a catalog at a time, over connections that end.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, channel};
use std::thread;

use super::bodies::{ask, refused};
use super::support::daemon::{free_port, run};
use super::support::network::{CLEAR, Network, Plan};
use super::support::postgres::Server;
use super::{PostgresCatalog, name, shared};
use towline_core::catalog::{CatalogAnswer, CatalogErrorKind, CatalogRequest};
use towline_core::config::Postgres;

/// Ends all connections of directors to a database; how many there were.
fn end_connections(server: &Server, database: &str) -> usize {
    let end = "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE application_name = 'towline-dir'
               AND datname = current_database()";
    server.sql(database, end).lines().filter(|line| *line == "t").count()
}

#[test]
fn a_second_owner_is_refused_before_it_writes_and_let_in_after_the_first() {
    let server = shared();
    let database = server.database(&name());
    let mut first = PostgresCatalog::open_as_owner(&database).unwrap();
    let version = server.sql(&database.database, "SELECT VersionId FROM TowlineVersion");
    // Were the schema looked at before the lock, this would be the error.
    server.sql(&database.database, "UPDATE TowlineVersion SET VersionId = 999");
    let error = PostgresCatalog::open_as_owner(&database).err().unwrap();
    assert_eq!(error.kind, CatalogErrorKind::Taken, "{error}");
    assert!(error.text.contains(&format!("database {}: another director has it", database.database)), "{error}");
    server.sql(&database.database, &format!("UPDATE TowlineVersion SET VersionId = {version}"));
    assert_eq!(ask(&mut first, CatalogRequest::MaxMediaId), CatalogAnswer::Id(0));
    // Whoever asks for no lock is let in, and an owner of another database.
    drop(PostgresCatalog::open(&database).unwrap());
    drop(PostgresCatalog::open_as_owner(&server.database(&name())).unwrap());
    drop(first);
    let mut next = PostgresCatalog::open_as_owner(&database);
    while next.as_ref().is_err_and(|error| error.kind == CatalogErrorKind::Taken) {
        // The server takes a moment to notice.
        thread::yield_now();
        next = PostgresCatalog::open_as_owner(&database);
    }
    drop(next.unwrap());
}

#[test]
fn an_owner_whose_connection_ended_is_the_owner_again() {
    let server = shared();
    let database = server.database(&name());
    let mut owner = PostgresCatalog::open_as_owner(&database).unwrap();
    assert_eq!(end_connections(&server, &database.database), 1);
    assert_eq!(refused(&mut owner, CatalogRequest::MaxMediaId).kind, CatalogErrorKind::Unreachable);
    ask(&mut owner, CatalogRequest::MaxMediaId);
    assert_eq!(PostgresCatalog::open_as_owner(&database).err().unwrap().kind, CatalogErrorKind::Taken);
}

#[test]
fn an_owner_that_was_replaced_while_it_was_away_is_told() {
    let server = shared();
    let database = server.database(&name());
    let mut first = PostgresCatalog::open_as_owner(&database).unwrap();
    assert_eq!(end_connections(&server, &database.database), 1);
    let mut second = PostgresCatalog::open_as_owner(&database).unwrap();
    assert_eq!(refused(&mut first, CatalogRequest::MaxMediaId).kind, CatalogErrorKind::Unreachable);
    assert_eq!(refused(&mut first, CatalogRequest::MaxMediaId).kind, CatalogErrorKind::Taken);
    ask(&mut second, CatalogRequest::MaxMediaId);
    drop(second);
    end_connections(&server, &database.database);
    ask(&mut first, CatalogRequest::MaxMediaId);
}

/// A way to the server that loses connections without telling the server: its port, and what came over it.
fn way(server: &Server) -> (u16, Receiver<TcpStream>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let (port, to) = (listener.local_addr().unwrap().port(), server.port);
    let (came, clients) = channel();
    thread::spawn(move || {
        // What the server still takes for connections.
        let mut kept = Vec::new();
        for client in listener.incoming().map_while(Result::ok) {
            let server = TcpStream::connect(("127.0.0.1", to)).unwrap();
            carry(client.try_clone().unwrap(), server.try_clone().unwrap());
            carry(server.try_clone().unwrap(), client.try_clone().unwrap());
            kept.push(server);
            if came.send(client).is_err() {
                break;
            }
        }
    });
    (port, clients)
}

fn carry(mut from: TcpStream, mut to: TcpStream) {
    thread::spawn(move || {
        let mut bytes = vec![0; 1 << 16];
        while let Some(n) = from.read(&mut bytes).ok().filter(|n| *n > 0) {
            if to.write_all(&bytes[..n]).is_err() {
                break;
            }
        }
    });
}

#[test]
fn an_owner_is_not_shut_out_by_its_own_connection_that_the_server_believes_in() {
    let server = shared();
    let database = server.database(&name()).database;
    let (port, clients) = way(&server);
    let mut owner =
        PostgresCatalog::open_as_owner(&Postgres { database: database.clone(), ..server.over_port(port) }).unwrap();
    clients.recv().unwrap().shutdown(Shutdown::Both).unwrap();
    assert_eq!(refused(&mut owner, CatalogRequest::MaxMediaId).kind, CatalogErrorKind::Unreachable);
    let holds = "SELECT COUNT(*) FROM pg_locks WHERE locktype = 'advisory' AND objid = 1417104495 AND database =
                 (SELECT oid FROM pg_database WHERE datname = current_database())";
    assert_eq!(server.sql(&database, holds), "1", "the server has not noticed");
    ask(&mut owner, CatalogRequest::MaxMediaId);
    assert_eq!(server.sql(&database, holds), "1");
}

#[test]
fn a_second_director_on_a_server_is_refused_and_the_first_goes_on() {
    let server = Server::start();
    let socket = server.over_socket();
    let catalog = format!(r#"postgres(host: {:?}, port: {})"#, socket.host, socket.port);
    let network = Network::start(&Plan { all: CLEAR.to_owned(), catalog, ..Plan::default() });
    std::fs::write(network.source.join("file"), "text").unwrap();
    let text = std::fs::read_to_string(network.place("director.ron")).unwrap();
    let (taken, free) = (format!("port: {}", network.director.address.port()), format!("port: {}", free_port()));
    assert!(text.contains(&taken), "{text}");
    std::fs::write(network.place("elsewhere.ron"), text.replacen(&taken, &free, 1)).unwrap();
    let mut second = std::process::Command::new(env!("CARGO_BIN_EXE_towline-dir"));
    let (code, _, said) = run(second.arg("-c").arg(network.place("elsewhere.ron")), "");
    assert_eq!(code, Some(75), "{said}");
    assert!(said.contains("T0620"), "{said}");
    let ended = network.backup();
    assert!(ended.is_ok(), "{}", ended.report);
}
