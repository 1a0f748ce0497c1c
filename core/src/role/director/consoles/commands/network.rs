//! `status network`: every live connection of the director.

use crate::config::Catalog;
use crate::node::{Number, Row};
use crate::role::network::{Connection, in_order, lines};
use crate::wire::json::Json;
use crate::wire::names::PeerKind;

use super::super::access::Access;
use super::super::answer::{Answer, Cell, Column, Shown, Table};
use super::super::reply::{Reply, View};

/// The connections, sorted by number.
#[derive(Debug)]
struct Connections(Vec<Connection>);

/// Asks the connections, and ends with what they say.
pub(super) fn run() -> Reply {
    Reply::Survey(|view, rows| Answer::found(Connections(connections(view, rows))))
}

/// The rows with their numbers, and the catalog's.
fn connections(view: &View<'_>, rows: &[Row]) -> Vec<Connection> {
    let mut all: Vec<Connection> = rows
        .iter()
        .filter(|row| is_seen(view, row))
        .map(|row| Connection::of(row, view.director.number_of(row)))
        .collect();
    let config = view.config();
    all.extend(view.catalogs().filter_map(|name| {
        let which = if config.has_several_catalogs() { format!("catalog {name}") } else { "catalog".to_owned() };
        config.catalog(name).map(|catalog| of_catalog(catalog, &which))
    }));
    all
}

/// The connection to a catalog.
fn of_catalog(catalog: &Catalog, which: &str) -> Connection {
    let peer = match catalog {
        Catalog::Sqlite(_) => format!("{which}: SQLite, embedded"),
        Catalog::Postgres(server) => format!("{which}: PostgreSQL at {}, port {}", server.host, server.port),
    };
    Connection {
        number: Some(Number::Catalog),
        peer,
        dialled: true,
        ends: None,
        tls: "clear",
        version: String::new(),
        cipher: String::new(),
        age: None,
        traffic: None,
    }
}

/// A console with access lists is shown the daemons that these allow, and itself.
fn is_seen(view: &View<'_>, row: &Row) -> bool {
    let name = row.peer.name.name.as_str();
    row.conn == view.conn
        || view.access().is_some_and(Access::is_open)
        || (row.peer.name.kind == PeerKind::Client && view.config().client(name).is_some())
        || view.config().storages.iter().any(|storage| storage.name == name)
}

/// For a program: times in seconds, quantities in bytes, what is not known empty.
const CONNECTIONS: &[Column<Connection>] = &[
    Column("number", |row| Cell::Text(row.number.map(|number| number.to_string()).unwrap_or_default())),
    Column("peer", |row| Cell::text_of(&row.peer)),
    Column("dialledby", |row| Cell::text_of(if row.dialled { "us" } else { "it" })),
    Column("ouraddress", |row| Cell::Text(row.ends.map(|(ours, _)| ours.to_string()).unwrap_or_default())),
    Column("itsaddress", |row| Cell::Text(row.ends.map(|(_, its)| its.to_string()).unwrap_or_default())),
    Column("encryption", |row| Cell::text_of(row.tls)),
    Column("tlsversion", |row| Cell::text_of(&row.version)),
    Column("cipher", |row| Cell::text_of(&row.cipher)),
    Column("age", |row| known(row.age.map(|age| age.as_secs()))),
    Column("heard", |row| known(row.traffic.map(|(heard, ..)| heard.as_secs()))),
    Column("read", |row| known(row.traffic.map(|(_, read, _)| read))),
    Column("written", |row| known(row.traffic.map(|(.., written)| written))),
];

fn known(count: Option<u64>) -> Cell {
    count.map_or_else(|| Cell::text_of(""), Cell::Count)
}

impl Connections {
    fn table(&self) -> Table {
        Table::of("connections", CONNECTIONS, in_order(&self.0))
    }
}

impl Shown for Connections {
    fn text(&self) -> String {
        format!("\nConnections: {}\n{}", self.0.len(), lines(&self.0).concat())
    }

    fn bare(&self) -> String {
        self.table().bare()
    }

    fn json(&self) -> Option<Json> {
        self.table().json()
    }
}
