//! `help`: the commands there are, as their table has them.

use super::super::answer::Both;
use super::super::grammar::{Command, Form, Rights};
use super::super::refusal::{Kind, NoSuch, Refusal};
use super::super::reply::{Reply, View};
use super::super::words::Words;
use super::{COMMANDS, dot, find, meant};

pub(super) const COMMAND: Command = Command {
    aliases: &["?"],
    rights: Rights::All,
    ..Command::new(
        "help",
        &[Form { free: true, help: &[("help [COMMAND]", "this list, or how to write one command")], ..Form::PLAIN }],
        run,
    )
};

fn run(view: &View<'_>, words: &Words) -> Result<Reply, Refusal> {
    let wanted = words.word(1);
    let commands = match find(&wanted) {
        Some(command) => std::slice::from_ref(command),
        None if wanted.is_empty() => COMMANDS,
        None => return Err(NoSuch::new(Kind::Command, &wanted, meant(&wanted)).into()),
    };
    // What people say comes before what programs say.
    let (of_programs, of_people): (Vec<_>, Vec<_>) = commands.iter().partition(|command| command.name.starts_with('.'));
    let lines = of_people.iter().chain(&of_programs).flat_map(|command| command.forms).flat_map(|form| form.help);
    let text: String = lines.map(|(usage, what)| format!("  {usage}\n      {what}\n")).collect();
    Ok(Reply::found(Both { text, ..dot::help::shown(view, commands) }))
}
