//! `setdebug`: how much the log of a daemon says.

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
            ("yes", Nothing),
        ],
        one_of: &[&["client", "storage", "director", "dir"]],
        help: &[(
            "setdebug level=N [trace=0|1] [timestamp=0|1] client=NAME|storage=NAME|director",
            "let a daemon's log say more, or less again; with trace in a file of its own as well",
        )],
        ..Form::PLAIN
    }],
    run,
);

/// What leaves a value as it is.
const UNCHANGED: i32 = -1;

fn run(view: &View<'_>, words: &Words) -> Result<Reply, Refusal> {
    let usage = || Refusal::usage("Use setdebug level=N with client=NAME, storage=NAME or director.");
    let level = number_of::<u16>(words, "level")?.ok_or_else(usage)?;
    let flag = |word| Ok::<_, Refusal>(number_of::<u8>(words, word)?.map_or(UNCHANGED, i32::from));
    let (trace, timestamp) = (flag("trace")?, Some(flag("timestamp")?));
    let debug = Debug { level: level.into(), trace, hangup: None, timestamp };
    if words.has("director") || words.has("dir") {
        return Ok(Reply::Do(Instruction::Debug(debug)));
    }
    let (who, name, line) = match (words.value(&["client"]), words.value(&["storage"])) {
        (Some(client), None) => {
            NoSuch::check(view.config(), Kind::FileDaemon, client)?;
            let debug = Debug { hangup: Some(UNCHANGED), ..debug };
            (Who::File, client, FileCommand::SetDebug(debug).to_line())
        }
        (None, Some(storage)) => {
            NoSuch::check(view.config(), Kind::StorageDaemon, storage)?;
            (Who::Storage, storage, StorageCommand::SetDebug(debug).to_line())
        }
        _ => return Err(usage()),
    };
    let then = Continued::new(|_, _| Ok(Reply::found(String::new())));
    let errand = Errand::new(who, name.to_owned(), line, For::Command(view.conn, then, Vec::new()));
    // No end of data follows the one line of its answer.
    Ok(Reply::Do(Instruction::Errand(Box::new(Errand { is_brief: true, ..errand }))))
}
