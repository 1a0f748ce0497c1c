//! The clients that wait for jobs, as `status director` shows them (`wire/1 §8.5`).

use crate::node::pool::Waiting;

use super::super::Director;

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
