//! `status network`: every live connection of the director.

use crate::config::{Catalog, ConsoleAccess};
use crate::ids::ConnId;
use crate::node::{Number, Row};
use crate::role::director::Net;
use crate::role::network::{Connection, in_order, lines};
use crate::wire::hello::Purpose;
use crate::wire::names::PeerKind;

use super::super::Director;
use super::Answer;
use super::output::{Api, Cell, Table};

/// What a console may use that is there for a monitor: it may only read.
const MONITORS: [&str; 5] = ["status", ".status", ".api", ".jobs", ".defaults"];

impl Director {
    /// Asks the connections; the console waits.
    pub(super) fn status_network(&mut self, net: &mut Net, conn: ConnId) {
        self.console_waits(conn);
        net.survey(conn);
    }

    /// The connections have answered: shows them to the console that asked.
    pub(in super::super) fn network_surveyed(&mut self, net: &mut Net, conn: ConnId, rows: &[Row]) {
        let connections = self.connections(rows);
        let answer = match self.api_of(conn) {
            Api::Text => {
                Answer::said(format!("\nConnections: {}\n{}", connections.len(), lines(&connections).concat()))
            }
            api => table(&connections).answer(api),
        };
        self.console_answers(net, conn, answer);
    }

    /// The rows with their numbers, and the catalog's.
    fn connections(&self, rows: &[Row]) -> Vec<Connection> {
        let mut all: Vec<Connection> = rows.iter().map(|row| Connection::of(row, self.number(row))).collect();
        let peer = match &self.config.catalog {
            Catalog::Sqlite(_) => "catalog: SQLite, embedded".to_owned(),
            Catalog::Postgres(server) => format!("catalog: PostgreSQL at {}, port {}", server.host, server.port),
        };
        all.push(Connection {
            number: Some(Number::Catalog),
            peer,
            dialled: true,
            ends: None,
            tls: "clear",
            version: String::new(),
            cipher: String::new(),
            age: None,
            traffic: None,
        });
        all
    }

    fn number(&self, row: &Row) -> Option<Number> {
        if let Purpose::Console { name, .. } = &row.peer.hello.purpose
            && self.config.console(name).is_some_and(is_monitor)
        {
            return Some(Number::MonitorToDirector);
        }
        let job = self.conns.get(&row.conn).and_then(|id| self.jobs.get(id));
        if let Some(job) = job.filter(|job| job.storage_daemon.presence.conn() == Some(row.conn)) {
            return Some(job.storage_number());
        }
        row.number(PeerKind::Director)
    }
}

/// The connections for a program: times in seconds, quantities in bytes, what is not known empty.
fn table(connections: &[Connection]) -> Table {
    let text = |value: &str| Cell::Text(value.to_owned());
    let count = |value: Option<u64>| value.map_or_else(|| text(""), Cell::Count);
    let row = |connection: &Connection| {
        let ends = connection.ends.map(|(ours, its)| (ours.to_string(), its.to_string())).unwrap_or_default();
        let traffic = connection.traffic;
        vec![
            text(&connection.number.map(|number| number.to_string()).unwrap_or_default()),
            text(&connection.peer),
            text(if connection.dialled { "us" } else { "it" }),
            text(&ends.0),
            text(&ends.1),
            text(connection.tls),
            text(&connection.version),
            text(&connection.cipher),
            count(connection.age.map(|age| age.as_secs())),
            count(traffic.map(|(heard, ..)| heard.as_secs())),
            count(traffic.map(|(_, read, _)| read)),
            count(traffic.map(|(.., written)| written)),
        ]
    };
    Table {
        name: "connections",
        heads: &[
            "number",
            "peer",
            "dialledby",
            "ouraddress",
            "itsaddress",
            "encryption",
            "tlsversion",
            "cipher",
            "age",
            "heard",
            "read",
            "written",
        ],
        rows: in_order(connections).into_iter().map(row).collect(),
    }
}

fn is_monitor(console: &ConsoleAccess) -> bool {
    let reads = |word: &String| MONITORS.iter().any(|known| word.eq_ignore_ascii_case(known));
    !console.command_acl.is_empty() && console.command_acl.iter().all(reads)
}
