//! `setip`: a client that moves tells the director by a named console where it can be dialled.

use crate::address::Address;

use super::super::answer::Answer;
use super::super::grammar::{Command, Form};
use super::super::refusal::Refusal;
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

/// Why no client is meant.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
enum NoClient {
    #[error("setip is for a console with the name of a client; this is the default console.")]
    DefaultConsole,
    #[error("There is no client \"{0}\".")]
    Unknown(String),
    /// The console's connection has just ended.
    #[error("the connection has ended")]
    Gone,
}

/// The client of the console's own name gets the address the console comes from, for new jobs.
fn run(view: &View<'_>, _: &Words) -> Result<Reply, Refusal> {
    let name = view.console().and_then(|console| console.name.clone()).ok_or(NoClient::DefaultConsole)?;
    let ends = view.net.ends(view.conn).ok_or(NoClient::Gone)?;
    // Of a link: with the interface of this machine that has the link.
    let address = Address::from(ends.peer).to_string();
    if view.config().client(&name).is_none() {
        return Err(NoClient::Unknown(name).into());
    }
    let answer = Answer::said(format!("Client \"{name}\" address set to {address}\n"));
    Ok(Reply::Done(Instruction::Move(name, address), answer))
}
