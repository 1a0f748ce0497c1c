//! Whether the daemons answer, and what their clocks say.

use towline_core::config::{Client, DirectorConfig, JobKind};

use super::{Finding, Level};
use crate::dialogue::{Dialogue, NoAnswer};
use crate::joining::now;
use crate::probe::{Seen, clock, judge, reason};

/// Seconds by which a clock may differ before it is worth a word, and before that is urgent.
const CLOCKS: [i64; 2] = [5, 300];

/// Asks each daemon for its status, and has the data channel of each client and storage dialled.
pub(super) fn look(
    dialogue: &mut Dialogue,
    config: &DirectorConfig,
    findings: &mut Vec<Finding>,
) -> Result<(), NoAnswer> {
    for storage in &config.storages {
        let (said, _) = dialogue.ask(&format!("status storage={:?}", storage.name))?;
        findings.push(match answers(&said) {
            true => Finding::new(Level::Good, format!("storage {}", storage.name), "answers"),
            false => Finding::new(Level::Critical, format!("storage {}", storage.name), reason(&said)),
        });
    }
    for client in &config.clients {
        let about = format!("client {}", client.name);
        let (said, _) = dialogue.ask(&format!("status client={:?}", client.name))?;
        if answers(&said) {
            findings.push(Finding::new(Level::Good, about, "answers"));
            channels(dialogue, config, client, findings)?;
        } else if may_be_away(client) {
            findings.push(Finding::new(Level::Good, about, "is away"));
        } else {
            findings.push(Finding::new(Level::Critical, about, reason(&said)));
        }
    }
    Ok(())
}

/// Whether a daemon has shown its status.
fn answers(said: &str) -> bool {
    said.contains(" Version: ")
}

/// Whether it only dials in, so that nobody can say when it is here.
const fn may_be_away(client: &Client) -> bool {
    client.connection_from_client_to_director && !client.connection_from_director_to_client
}

fn channels(
    dialogue: &mut Dialogue,
    config: &DirectorConfig,
    client: &Client,
    findings: &mut Vec<Finding>,
) -> Result<(), NoAnswer> {
    let of_client = |job: &&towline_core::config::Job| {
        job.client == client.name && job.enabled && matches!(job.kind, JobKind::Backup | JobKind::Restore)
    };
    let mut storages: Vec<&str> = config.jobs.iter().filter(of_client).map(|job| job.storage.as_str()).collect();
    storages.sort_unstable();
    storages.dedup();
    for storage in storages {
        let about = format!("data of {} to {storage}", client.name);
        let (said, after) = dialogue.ask(&format!("probe client={:?} storage={storage:?}", client.name))?;
        findings.push(match judge(&said, after) {
            Seen::Reached => Finding::new(Level::Good, about, "can be sent"),
            Seen::Broken(why) => Finding::new(Level::Critical, about, why),
            Seen::Unmeasured(why) => Finding::new(Level::Good, about, format!("not tried: {why}")),
        });
        if let Some(offset) = clock(&said, now()) {
            findings.push(offset_of(&format!("clock seen by {} and {storage}", client.name), offset));
        }
    }
    Ok(())
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
