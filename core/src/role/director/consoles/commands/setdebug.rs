//! `setdebug`: how much the log of a daemon says.

use std::collections::{BTreeSet, VecDeque};

use crate::ids::Who;
use crate::wire::file::{Debug, FileCommand};
use crate::wire::storage::StorageCommand;

use super::super::grammar::Takes::{Nothing, Value};
use super::super::grammar::{Command, Form};
use super::super::refusal::{Kind, NoSuch, Refusal, number_of};
use super::super::reply::{Continued, Instruction, Reply, View};
use super::super::words::Words;
use crate::role::director::errands::{Errand, For};

pub(super) const COMMAND: Command = Command::new(
    "setdebug",
    &[Form {
        words: &[
            ("level", Value),
            ("trace", Value),
            ("timestamp", Value),
            ("client", Value),
            ("storage", Value),
            ("director", Nothing),
            ("dir", Nothing),
            ("all", Nothing),
            ("yes", Nothing),
        ],
        one_of: &[&["client", "storage", "director", "dir", "all"]],
        help: &[(
            "setdebug level=N [trace=0|1] [timestamp=0|1] client=NAME|storage=NAME|director|all",
            "let a daemon's log say more, or less again; with trace in a file of its own as well",
        )],
        ..Form::PLAIN
    }],
    run,
);

/// What leaves a value as it is.
const UNCHANGED: i32 = -1;

fn run(view: &View<'_>, words: &Words) -> Result<Reply, Refusal> {
    let usage = || Refusal::usage("Use setdebug level=N with client=NAME, storage=NAME, director or all.");
    let level = number_of::<u16>(words, "level")?.ok_or_else(usage)?;
    let flag = |word| Ok::<_, Refusal>(number_of::<u8>(words, word)?.map_or(UNCHANGED, i32::from));
    let (trace, timestamp) = (flag("trace")?, Some(flag("timestamp")?));
    let debug = Debug { level: level.into(), trace, hangup: None, timestamp };
    if words.has("director") || words.has("dir") {
        return Ok(Reply::Do(Instruction::Debug(debug)));
    }
    if words.has("all") {
        return Ok(round(view, debug, everybody(view)));
    }
    let (who, name) = match (words.value(&["client"]), words.value(&["storage"])) {
        (Some(client), None) => {
            NoSuch::check(view.config(), Kind::FileDaemon, client)?;
            (Who::File, client)
        }
        (None, Some(storage)) => {
            NoSuch::check(view.config(), Kind::StorageDaemon, storage)?;
            (Who::Storage, storage)
        }
        _ => return Err(usage()),
    };
    let then = Continued::new(view, |_, _| Ok(Reply::found(String::new())));
    Ok(errand(who, name.to_owned(), debug, For::Command(view.conn, then, Vec::new())))
}

/// The daemons that the console may see: each storage daemon once, however many storages it has.
fn everybody(view: &View<'_>) -> VecDeque<(Who, String)> {
    let mut seen = BTreeSet::new();
    let storages = view.config().storages.iter().filter(|storage| seen.insert((&storage.address, storage.port)));
    let storages: Vec<_> = storages.map(|storage| (Who::Storage, storage.name.clone())).collect();
    storages.into_iter().chain(view.config().clients.iter().map(|client| (Who::File, client.name.clone()))).collect()
}

/// Tells one after the other, and the director last. One that is not reached holds nobody up for longer than that takes.
fn round(view: &View<'_>, debug: Debug, mut left: VecDeque<(Who, String)>) -> Reply {
    match left.pop_front() {
        None => Reply::Do(Instruction::Debug(debug)),
        Some((who, name)) => {
            let then = Continued::new(view, move |view, _| Ok(round(view, debug, left)));
            errand(who, name, debug, For::Round(view.conn, then))
        }
    }
}

/// Tells one daemon. No end of data follows the one line of its answer.
fn errand(who: Who, name: String, debug: Debug, purpose: For) -> Reply {
    let line = match who {
        Who::File => FileCommand::SetDebug(Debug { hangup: Some(UNCHANGED), ..debug }).to_line(),
        _ => StorageCommand::SetDebug(debug).to_line(),
    };
    let errand = Errand { is_brief: true, ..Errand::new(who, name, line, purpose) };
    Reply::Do(Instruction::Errand(Box::new(errand)))
}
