//! `resolve`: which addresses a daemon finds for a name.

use crate::ids::Who;
use crate::wire::file::FileCommand;
use crate::wire::storage::StorageCommand;

use super::super::grammar::Takes::Value;
use super::super::grammar::{Command, Form};
use super::super::refusal::{Kind, NoSuch, Refusal};
use super::super::reply::{Instruction, Reply, View};
use super::super::words::Words;
use crate::role::director::errands::{Errand, For};

pub(super) const COMMAND: Command = Command::new(
    "resolve",
    &[Form {
        name: true,
        words: &[("client", Value), ("storage", Value)],
        one_of: &[&["client", "storage"]],
        help: &[(
            "resolve [client=NAME|storage=NAME] HOST",
            "which addresses a daemon, or the director, finds for the name HOST",
        )],
        ..Form::PLAIN
    }],
    run,
);

fn run(view: &View<'_>, words: &Words) -> Result<Reply, Refusal> {
    let own = words.arguments().find(|(word, value)| value.is_none() && !matches!(*word, "client" | "storage"));
    let usage = "Say what is looked up: resolve HOST, or resolve client=NAME HOST for what a daemon finds.";
    let Some((host, _)) = own else { return Err(Refusal::usage(usage)) };
    if !host.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(Refusal::usage("HOST is a host name or an address."));
    }
    let (who, name, command) = match (words.value(&["client"]), words.value(&["storage"])) {
        (Some(name), _) => {
            NoSuch::check(view.config(), Kind::FileDaemon, name)?;
            (Who::File, name, FileCommand::Resolve { host: host.to_owned() }.to_line())
        }
        (None, Some(name)) => {
            NoSuch::check(view.config(), Kind::StorageDaemon, name)?;
            (Who::Storage, name, StorageCommand::Resolve { host: host.to_owned() }.to_line())
        }
        (None, None) => return Ok(Reply::Do(Instruction::LookUp(host.to_owned()))),
    };
    let errand = Errand::new(who, name.to_owned(), command, For::Console(view.conn));
    Ok(Reply::Do(Instruction::Errand(Box::new(errand))))
}
