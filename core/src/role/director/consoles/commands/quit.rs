//! `quit` and its other words: the console leaves.

use super::super::grammar::{Command, Form, Rights};
use super::super::reply::Reply;

pub(super) const QUIT: Command =
    Command { forms: &[Form { help: &[("quit", "leave")], ..Form::PLAIN }], ..named("quit") };
pub(super) const EXIT: Command = named("exit");
pub(super) const DOT_QUIT: Command = named(".quit");
pub(super) const DOT_EXIT: Command = named(".exit");

const fn named(name: &'static str) -> Command {
    Command { rights: Rights::All, ..Command::new(name, &[Form::PLAIN], |_, _| Ok(Reply::Leave)) }
}
