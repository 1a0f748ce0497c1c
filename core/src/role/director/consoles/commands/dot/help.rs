//! `.help`: the commands for a program that offers them.

use crate::wire::json::Json;

use super::super::super::answer::Both;
use super::super::super::grammar::Takes::{Nothing, Value};
use super::super::super::grammar::{Command, Form};
use super::super::super::refusal::{Kind, NoSuch, Refusal};
use super::super::super::reply::{Reply, View};
use super::super::super::words::Words;
use super::super::{COMMANDS, find, may, meant};

pub(in super::super) const COMMAND: Command = Command::new(
    ".help",
    &[Form {
        words: &[("all", Nothing), ("full", Nothing), ("item", Value)],
        one_of: &[&["all", "item"]],
        help: &[
            (".help [all]", "the commands for programs, or those for people, with their words"),
            (".help item=COMMAND", "one command"),
        ],
        ..Form::PLAIN
    }],
    run,
);

fn run(view: &View<'_>, words: &Words) -> Result<Reply, Refusal> {
    if let Some(item) = words.value(&["item"]) {
        let command = find(item).ok_or_else(|| NoSuch::new(Kind::Command, item, meant(item)))?;
        return Ok(Reply::found(shown(view, [command])));
    }
    let all = words.has("all");
    Ok(Reply::found(shown(view, COMMANDS.iter().filter(|command| !all || !command.name.starts_with('.')))))
}

/// These commands: a line for each that the console may say, an object each.
pub(in super::super) fn shown<'a>(view: &View<'_>, commands: impl IntoIterator<Item = &'a Command>) -> Both {
    let (mut text, mut members) = (String::new(), Vec::new());
    for command in commands {
        let usages = command.forms.iter().flat_map(|form| form.help);
        let description = usages.clone().next().map_or("", |(_, what)| what);
        let arguments: Vec<&str> =
            usages.filter_map(|(usage, _)| usage.split_once(' ')).map(|(_, arguments)| arguments).collect();
        let arguments = arguments.join(" | ");
        let is_allowed = view.access().is_some_and(|access| may(access, command.name));
        if is_allowed {
            text += &format!("{} {description} -- {arguments}\n", command.name);
        }
        members.push((
            command.name.to_owned(),
            Json::object([
                ("command", command.name.into()),
                ("description", description.into()),
                ("arguments", arguments.into()),
                ("permission", Json::Bool(is_allowed)),
            ]),
        ));
    }
    Both { text, json: Json::Object(members) }
}
