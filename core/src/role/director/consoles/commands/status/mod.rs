//! `status`: what the director does, what a daemon does, every connection, and what the schedules and the catalog hold.

mod director;
mod scheduler;
mod subscriptions;
mod trouble;

use crate::calendar::Zone;
use crate::ids::Who;
use crate::role::director::errands::{Errand, For};
use crate::wire::file::FileCommand;
use crate::wire::storage::StorageCommand;

use super::super::grammar::Takes::{Either, Nothing, Value};
use super::super::grammar::{Command, Form};
use super::super::refusal::{Kind, NoSuch, Refusal, number_of};
use super::super::reply::{Instruction, Reply, View};
use super::super::words::Words;
use super::{network, slots};

pub(super) use director::{Section, Status};

pub(super) const COMMAND: Command = Command::new(
    "status",
    &[Form {
        words: &[
            ("director", Nothing),
            ("dir", Nothing),
            ("client", Either),
            ("storage", Either),
            ("network", Nothing),
            ("scheduler", Nothing),
            ("schedule", Value),
            ("job", Value),
            ("subscriptions", Nothing),
            ("subscription", Nothing),
            ("clients", Nothing),
            ("plugins", Nothing),
            ("all", Nothing),
            ("anonymize", Nothing),
            ("detail", Nothing),
            ("unknown", Nothing),
            ("configuration", Nothing),
            ("slots", Either),
            ("days", Value),
        ],
        one_of: &[
            &["slots", "director", "dir", "client", "network", "scheduler", "configuration"],
            &["subscriptions", "subscription", "director", "dir", "network", "scheduler", "configuration"],
            &["subscriptions", "storage"],
            &["subscriptions", "slots"],
            &["director", "dir", "client", "storage", "network", "scheduler", "configuration"],
            &["days", "client"],
            &["days", "storage"],
            &["days", "network"],
            &["job", "schedule"],
        ],
        help: &[
            ("status [director] [days=N]", "what the director does, and what it will do within N days"),
            ("status client=NAME|storage=NAME", "what a daemon does"),
            ("status [storage=NAME] slots", "what is in the slots of a changer; no storage is one"),
            ("status network", "every connection of this director"),
            ("status scheduler [days=N] [job=NAME|schedule=NAME]", "what the schedules start, and when"),
            (
                "status subscriptions [clients] [plugins] [all] [anonymize] [client=NAME]",
                "which clients have backups, and how much of them",
            ),
            ("status configuration", "what of the configuration should be changed"),
        ],
        ..Form::PLAIN
    }],
    run,
);

fn run(view: &View<'_>, words: &Words) -> Result<Reply, Refusal> {
    if words.has("subscriptions") || words.has("subscription") {
        return subscriptions::run(view, words);
    }
    if let Some(word) = ["clients", "plugins", "anonymize", "detail", "unknown"].iter().find(|word| words.has(word)) {
        return Err(Refusal::usage(format!("{word} is said of subscriptions: status subscriptions {word}.")));
    }
    if let Some(name) = words.value(&["client"]) {
        NoSuch::check(view.config(), Kind::FileDaemon, name)?;
        return Ok(errand(view, Who::File, name, FileCommand::Status.to_line()));
    }
    if words.has("slots") {
        return slots::status(view, words);
    }
    if let Some(name) = words.value(&["storage"]) {
        NoSuch::check(view.config(), Kind::StorageDaemon, name)?;
        let devices = view.config().storage(name).map(|storage| storage.device.clone()).into_iter().collect();
        return Ok(errand(view, Who::Storage, name, StorageCommand::Status { devices }.to_line()));
    }
    if words.has("client") || words.has("storage") {
        return Err(Refusal::usage("Name the daemon: status client=NAME or status storage=NAME."));
    }
    if words.has("network") {
        return Ok(network::run());
    }
    if words.has("scheduler") {
        return scheduler::run(view, words);
    }
    if words.has("job") || words.has("schedule") {
        return Err(Refusal::usage("Say what of it: status scheduler job=NAME or schedule=NAME."));
    }
    if words.has("configuration") {
        return Ok(Reply::found(Configuration));
    }
    Ok(Reply::found(Status::of(view, number_of(words, "days")?)))
}

/// Sends somebody to a daemon, whose answer is the console's.
pub(super) fn errand(view: &View<'_>, who: Who, name: &str, command: String) -> Reply {
    let errand = Errand::new(who, name.to_owned(), command, For::Console(view.conn));
    Reply::Do(Instruction::Errand(Box::new(errand)))
}

/// `status configuration`: a configuration with a fault is refused before the director starts.
#[derive(Debug)]
struct Configuration;

impl super::super::answer::Shown for Configuration {
    fn text(&self) -> String {
        "No deprecated configuration settings detected.\n".to_owned()
    }

    fn json(&self) -> Option<crate::wire::json::Json> {
        Some(crate::wire::json::Json::Object(Vec::new()))
    }
}

/// A moment in local time; nothing for one that has not come.
pub(super) fn moment(seconds: i64, zone: &Zone) -> String {
    if seconds == 0 { String::new() } else { zone.local(seconds).to_string() }
}

pub(super) fn duration(seconds: i64) -> String {
    let seconds = seconds.max(0);
    format!("{:02}:{:02}:{:02}", seconds / 3_600, seconds / 60 % 60, seconds % 60)
}
