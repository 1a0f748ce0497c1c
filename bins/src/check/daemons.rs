//! Whether the daemons answer, and what their clocks say.

use std::collections::{BTreeMap, BTreeSet};

use towline_core::config::{Client, DirectorConfig, Job, JobKind, Storage};

use super::{Finding, Level};
use crate::dialogue::{Desk, Heard, NoAnswer, ONE_ANSWER};
use crate::probe::{Seen, clock, judge, reason};

/// Seconds by which a clock may differ before it is worth a word, and before that is urgent.
const CLOCKS: [i64; 2] = [5, 300];

/// Asks each daemon for its status, and has the data channel of each client and storage dialled: side by side, so that one that
/// is silent holds up no other.
pub(super) fn look(desk: &Desk, config: &DirectorConfig, findings: &mut Vec<Finding>) -> Result<(), NoAnswer> {
    // Whoever only dials in and is not here would be waited for.
    let network = desk.ask_one("status network")?.unwrap_or_default();
    let is_away = |client: &Client| may_be_away(client) && !is_connected(&network, &client.name);
    let of_storage = |storage: &Storage| format!("status storage={:?}", storage.name);
    let of_client = |client: &Client| format!("status client={:?}", client.name);
    let clients = config.clients.iter().filter(|client| !is_away(client)).map(of_client);
    let heard = desk.ask(config.storages.iter().map(of_storage).chain(clients).map(|line| vec![line]).collect())?;
    for storage in &config.storages {
        let about = format!("storage {}", storage.name);
        findings.push(match said(&heard, &of_storage(storage)) {
            Ok(()) => Finding::new(Level::Good, about, "answers"),
            Err(why) => Finding::new(Level::Critical, about, why),
        });
    }
    let probes = |client: &Client| channels(config, client).map(|storage| probe(client, storage)).collect::<Vec<_>>();
    let answering = config.clients.iter().filter(|client| said(&heard, &of_client(client)).is_ok());
    let probed = desk.ask(answering.map(probes).collect())?;
    for client in &config.clients {
        let about = format!("client {}", client.name);
        match said(&heard, &of_client(client)) {
            Ok(()) => {
                findings.push(Finding::new(Level::Good, about, "answers"));
                for storage in channels(config, client) {
                    findings.extend(
                        probed
                            .get(&probe(client, storage))
                            .into_iter()
                            .flat_map(|heard| channel(client, storage, heard)),
                    );
                }
            }
            Err(_) if may_be_away(client) => findings.push(Finding::new(Level::Good, about, "is away")),
            Err(why) => findings.push(Finding::new(Level::Critical, about, why)),
        }
    }
    Ok(())
}

/// Whether a daemon has shown its status; else why not.
fn said(heard: &BTreeMap<String, Heard>, line: &str) -> Result<(), String> {
    match heard.get(line).map(|heard| heard.text.as_deref()) {
        Some(Some(text)) if text.contains(" Version: ") => Ok(()),
        Some(Some(text)) => Err(reason(text)),
        Some(None) => Err(format!("no answer within {} s", ONE_ANSWER.as_secs())),
        None => Err("was not asked".to_owned()),
    }
}

/// Whether a client has a connection to the director, as `status network` shows it.
fn is_connected(network: &str, name: &str) -> bool {
    let peer = format!(" R_CLIENT::{name} ");
    network.lines().any(|line| line.contains(&peer))
}

/// Whether it only dials in, so that nobody can say when it is here.
const fn may_be_away(client: &Client) -> bool {
    client.connection_from_client_to_director && !client.connection_from_director_to_client
}

/// The storages that jobs of a client use.
fn channels<'c>(config: &'c DirectorConfig, client: &Client) -> impl Iterator<Item = &'c str> {
    let of_client =
        |job: &&Job| job.client == client.name && job.enabled && matches!(job.kind, JobKind::Backup | JobKind::Restore);
    let storages: BTreeSet<&str> = config.jobs.iter().filter(of_client).map(|job| job.storage.as_str()).collect();
    storages.into_iter()
}

fn probe(client: &Client, storage: &str) -> String {
    format!("probe client={:?} storage={storage:?}", client.name)
}

/// What is found of a data channel.
fn channel(client: &Client, storage: &str, heard: &Heard) -> Vec<Finding> {
    let about = format!("data of {} to {storage}", client.name);
    let Some(text) = &heard.text else {
        return vec![Finding::new(Level::Critical, about, format!("no answer within {} s", ONE_ANSWER.as_secs()))];
    };
    let way = match judge(text, heard.after) {
        Seen::Reached => Finding::new(Level::Good, about, "can be sent"),
        Seen::Broken(why) => Finding::new(Level::Critical, about, why),
        Seen::Unmeasured(why) => Finding::new(Level::Good, about, format!("not tried: {why}")),
    };
    let offset = heard.at.and_then(|now| clock(text, now));
    let clock = offset.map(|offset| offset_of(&format!("clock seen by {} and {storage}", client.name), offset));
    std::iter::once(way).chain(clock).collect()
}

fn offset_of(about: &str, offset: i64) -> Finding {
    let away = offset.abs();
    let level = match away {
        _ if away >= CLOCKS[1] => Level::Critical,
        _ if away >= CLOCKS[0] => Level::Warning,
        _ => Level::Good,
    };
    let text = match offset {
        _ if level == Level::Good => "agrees with this one".to_owned(),
        1.. => format!("{away} s ahead of this one: set it, or its files get times that are to come"),
        _ => format!("{away} s behind this one: set it, or changes may be missed by an incremental"),
    };
    Finding::new(level, about, text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_is_here_if_the_director_shows_a_connection_of_it() {
        let network = "no  peer             dialled by\n4   R_CLIENT::laptop it          192.0.2.2:9101\n";
        let here = ["laptop", "lap", "top", "laptop it"].map(|name| is_connected(network, name));
        assert_eq!(
            here,
            [true, false, false, true],
            "of a name with a blank the rest is a guess, and it is asked then"
        );
    }

    #[test]
    fn a_clock_that_is_far_off_is_told_with_the_side() {
        for (offset, level, words) in [
            (0, Level::Good, "agrees"),
            (-4, Level::Good, "agrees"),
            (5, Level::Warning, "5 s ahead"),
            (-299, Level::Warning, "299 s behind"),
            (300, Level::Critical, "300 s ahead"),
        ] {
            let found = offset_of("x", offset);
            assert!(found.level == level && found.text.contains(words), "{offset}: {found:?}");
        }
    }
}
