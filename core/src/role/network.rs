//! The list of a daemon's connections, as every daemon's status shows it.

use std::net::SocketAddr;
use std::time::Duration;

use crate::node::{Number, Row};
use crate::role::report::suffixed;
use crate::tls::Kind;

/// The heads of the columns.
const HEADS: [&str; 10] =
    ["no", "peer", "dialled by", "our address", "its address", "encryption", "age", "heard", "read", "written"];

/// The columns that hold quantities, aligned to the right.
const RIGHT: std::ops::Range<usize> = 6..10;

/// One connection, ready to be shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Connection {
    /// Its number in the overview.
    pub number: Option<Number>,
    /// Who is at the other end, such as `R_CLIENT::web-fd`.
    pub peer: String,
    /// Whether this daemon dialled.
    pub dialled: bool,
    /// Our address and the peer's, as this side sees them; none where another library holds the connection.
    pub ends: Option<(SocketAddr, SocketAddr)>,
    /// How it is protected: `clear`, `certificate` or `psk`.
    pub tls: &'static str,
    /// The version of TLS; empty in clear.
    pub version: String,
    /// The cipher suite; empty in clear.
    pub cipher: String,
    /// How long it has been authenticated.
    pub age: Option<Duration>,
    /// How long ago its last byte came, and bytes read and written; none if it has not said in time.
    pub traffic: Option<(Duration, u64, u64)>,
}

impl Connection {
    /// From a row of a survey.
    #[must_use]
    pub fn of(row: &Row, number: Option<Number>) -> Self {
        let tls = &row.peer.tls;
        Self {
            number,
            peer: row.peer.name.to_string(),
            dialled: row.dialled,
            ends: Some((row.peer.ends.local, row.peer.ends.peer)),
            tls: match tls.kind {
                Kind::Clear => "clear",
                Kind::Certificate => "certificate",
                Kind::Psk => "psk",
                Kind::Toy => "toy",
            },
            version: tls.version.clone(),
            cipher: tls.cipher.clone(),
            age: Some(row.age),
            traffic: row.traffic.map(|(traffic, heard)| (heard, traffic.read, traffic.written)),
        }
    }

    fn cells(&self) -> [String; 10] {
        let none = || "-".to_owned();
        let number = self.number.map_or_else(none, |number| number.to_string());
        let by = if self.dialled { "us" } else { "it" }.to_owned();
        let (local, remote) =
            self.ends.map_or_else(|| (none(), none()), |(local, remote)| (local.to_string(), remote.to_string()));
        let encryption = match self.tls {
            "clear" => "none".to_owned(),
            kind => format!("{kind} {} {}", self.version, self.cipher),
        };
        let bytes = |n: u64| format!("{}B", suffixed(n));
        let seconds = |time: Duration| format!("{} s", time.as_secs());
        let age = self.age.map_or_else(none, seconds);
        let (heard, read, written) =
            self.traffic.map_or_else(|| (none(), none(), none()), |(heard, r, w)| (seconds(heard), bytes(r), bytes(w)));
        [number, self.peer.clone(), by, local, remote, encryption, age, heard, read, written]
    }
}

/// The connections sorted by number; those without one are last.
#[must_use]
pub fn in_order(connections: &[Connection]) -> Vec<&Connection> {
    let mut sorted: Vec<&Connection> = connections.iter().collect();
    sorted.sort_by_key(|connection| connection.number.map_or((1, Number::Catalog), |number| (0, number)));
    sorted
}

/// The list in columns, sorted by number: one line each, the heads first.
#[must_use]
pub fn lines(connections: &[Connection]) -> Vec<String> {
    let mut rows = vec![HEADS.map(str::to_owned)];
    rows.extend(in_order(connections).into_iter().map(Connection::cells));
    let width = |at: usize| rows.iter().map(|row| row[at].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..HEADS.len()).map(width).collect();
    let line = |row: &[String; 10]| {
        let mut text = String::new();
        for (at, (cell, &width)) in row.iter().zip(&widths).enumerate() {
            text += &if RIGHT.contains(&at) { format!("{cell:>width$}  ") } else { format!("{cell:<width$}  ") };
        }
        text.truncate(text.trim_end().len());
        text.push('\n');
        text
    };
    rows.iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_sorted_by_number_and_aligned() {
        let end = |last: u8, port: u16| SocketAddr::from(([192, 0, 2, last], port));
        let clear = Connection {
            number: Some(Number::FileToStorage),
            peer: "R_JOB::a".to_owned(),
            dialled: false,
            ends: Some((end(1, 9103), end(2, 40_000))),
            tls: "clear",
            version: String::new(),
            cipher: String::new(),
            age: Some(Duration::from_millis(61_900)),
            traffic: Some((Duration::from_secs(3), 1_043, 7)),
        };
        let number = Some(Number::DirectorToStorage);
        let (version, cipher) = ("TLSv1.3".to_owned(), "C".to_owned());
        let tls = Connection { number, tls: "psk", version, cipher, dialled: true, traffic: None, ..clear.clone() };
        let unknown = Connection { number: None, ..clear.clone() };
        assert_eq!(
            lines(&[unknown, clear, tls]).concat(),
            "no  peer      dialled by  our address     its address      encryption      age  heard      read  written\n\
             5a  R_JOB::a  us          192.0.2.1:9103  192.0.2.2:40000  psk TLSv1.3 C  61 s      -         -        -\n\
             6   R_JOB::a  it          192.0.2.1:9103  192.0.2.2:40000  none           61 s    3 s  1.043 KB      7 B\n\
             -   R_JOB::a  it          192.0.2.1:9103  192.0.2.2:40000  none           61 s    3 s  1.043 KB      7 B\n"
        );
    }
}
