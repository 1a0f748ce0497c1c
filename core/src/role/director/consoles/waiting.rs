//! The clients that wait for jobs, as `status director` shows them (`wire/1 §8.5`).

use crate::role::director::pool::Waiting;

use super::super::Director;
use super::output::{Cell, Table};

/// The table as Bareos prints it: with its heads even when it is empty.
pub(super) fn table(director: &Director) -> String {
    let heads = row("Connect time", "Protocol", "Authenticated", "Name");
    let mut text = format!("\n\nClient Initiated Connections (waiting for jobs):\n{heads}{}\n", "=".repeat(100));
    for (_, waiting) in director.reception.pool.iter() {
        let Waiting { client, protocol, since, .. } = waiting;
        // Nobody waits who is not authenticated: Bareos prints a constant too.
        text += &row(&director.identity.local(*since).short(), &protocol.to_string(), "1", client);
    }
    text + "====\n"
}

/// The same for a program.
pub(super) fn rows(director: &Director) -> Table {
    let rows = director.reception.pool.iter().map(|(_, waiting)| {
        let since = director.identity.local(waiting.since).to_string();
        vec![Cell::Text(since), Cell::Count(u64::from(waiting.protocol)), Cell::Text(waiting.client.clone())]
    });
    Table { name: "waiting", heads: &["connected", "protocol", "name"], rows: rows.collect() }
}

fn row(time: &str, protocol: &str, authenticated: &str, name: &str) -> String {
    format!("{time:<20}{protocol:<20}{authenticated:<20}{name:<40}\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_has_the_recorded_columns() {
        assert_eq!(
            row("23-Nov-26 13:02", "54", "1", "bareos-fd"),
            "23-Nov-26 13:02     54                  1                   bareos-fd                               \n"
        );
    }
}
