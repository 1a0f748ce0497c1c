//! `.status`: a section of a status.

use crate::ids::Who;
use crate::wire::file::FileCommand;
use crate::wire::storage::StorageCommand;

use super::super::super::grammar::Takes::{Nothing, Value};
use super::super::super::grammar::{Command, Form};
use super::super::super::refusal::{Kind, NoSuch, Refusal};
use super::super::super::reply::{Reply, View};
use super::super::super::words::Words;
use super::super::status::{Section, Status, errand};

pub(in super::super) const COMMAND: Command = Command::new(
    ".status",
    &[Form {
        words: &[
            ("dir", Nothing),
            ("director", Nothing),
            ("client", Value),
            ("storage", Value),
            ("current", Nothing),
            ("last", Nothing),
            ("header", Nothing),
            ("scheduled", Nothing),
            ("running", Nothing),
            ("terminated", Nothing),
            ("devices", Nothing),
            ("volumes", Nothing),
            ("spooling", Nothing),
            ("waitreservation", Nothing),
        ],
        one_of: &[&["dir", "director", "client", "storage"], &SECTIONS],
        help: &[
            (".status dir current|last|header|scheduled|running|terminated", "a section of the director's status"),
            (".status client=NAME|storage=NAME header|running|terminated|devices…", "a section of a daemon's status"),
        ],
        ..Form::PLAIN
    }],
    run,
);

const SECTIONS: [&str; 10] = [
    "current",
    "last",
    "header",
    "scheduled",
    "running",
    "terminated",
    "devices",
    "volumes",
    "spooling",
    "waitreservation",
];

fn run(view: &View<'_>, words: &Words) -> Result<Reply, Refusal> {
    let section = SECTIONS.into_iter().find(|section| words.has(section));
    if let Some(name) = words.value(&["client"]) {
        NoSuch::check(view.config(), Kind::FileDaemon, name)?;
        let command = section.map_or(FileCommand::Status, |what| FileCommand::DotStatus { what: what.to_owned() });
        return Ok(errand(view, Who::File, name, command.to_line()));
    }
    if let Some(name) = words.value(&["storage"]) {
        NoSuch::check(view.config(), Kind::StorageDaemon, name)?;
        let device = view.config().storage(name).map(|storage| storage.device.clone());
        let command = match section {
            Some(what) => StorageCommand::DotStatus { what: what.to_owned() },
            None => StorageCommand::Status { devices: device.into_iter().collect() },
        };
        return Ok(errand(view, Who::Storage, name, command.to_line()));
    }
    let section = match section {
        Some("current") => Section::Current,
        Some("last") => Section::Last,
        Some("header") => Section::Header,
        Some("scheduled") => Section::Scheduled,
        Some("running") => Section::Running,
        Some("terminated") => Section::Terminated,
        Some(_) => {
            return Err(Refusal::usage(
                "A director has no such section: .status dir current|last|header|scheduled|running|terminated.",
            ));
        }
        None => return Ok(Reply::found(Status::of(view, None))),
    };
    Ok(Reply::found(Status::of(view, None).section(section)))
}
