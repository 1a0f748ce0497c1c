//! `setip`: a client that moves tells the director by a named console where it can be dialled.

use crate::address::Address;

use super::super::answer::Answer;
use super::super::grammar::{Command, Form};
use super::super::refusal::{Kind, Meant, NoSuch, Refusal};
use super::super::reply::{Instruction, Reply, View};
use super::super::words::Words;

pub(super) const COMMAND: Command = Command::new(
    "setip",
    &[Form {
        help: &[("setip", "dial the client with this console's name at the address the console comes from")],
        ..Form::PLAIN
    }],
    run,
);

/// Only a client has an address.
const DEFAULT_CONSOLE: Refusal =
    Refusal::NotHere("setip is for a console with the name of a client; this is the default console.");

/// The client of the console's own name gets the address the console comes from, for new jobs.
fn run(view: &View<'_>, _: &Words) -> Result<Reply, Refusal> {
    let name = view.console().and_then(|console| console.name.clone()).ok_or(DEFAULT_CONSOLE)?;
    let ends = view.net.ends(view.conn).ok_or(Refusal::NotHere("the connection has ended"))?;
    // Of a link: with the interface of this machine that has the link.
    let address = Address::from(ends.peer).to_string();
    if view.config().client(&name).is_none() {
        return Err(NoSuch::new(Kind::Client, &name, Meant(None)).into());
    }
    let answer = Answer::said(format!("Client \"{name}\" address set to {address}\n"));
    Ok(Reply::Done(Instruction::Move(name, address), answer))
}
