//! The commands of jobs: `RunScript` and its short forms (`wire/2 §1.9`).

use towline_core::explain::codes;

use super::super::directives::job::RUN_SCRIPT;
use super::super::map::Mapper;
use super::super::parse::{Item, Name, plain};
use super::super::read::{Kind, boolean};
use super::super::value::{Node, Value};

/// A short form: its name, when it runs, whether on the client, on success, on failure, and whether the job fails with it.
struct Short(&'static str, &'static str, [bool; 4]);

const SHORT: &[Short] = &[
    Short("runbeforejob", "before", [false, true, false, true]),
    Short("runafterjob", "after", [false, true, false, false]),
    Short("runafterfailedjob", "after", [false, false, true, false]),
    Short("clientrunbeforejob", "before", [true, true, false, true]),
    Short("clientrunafterjob", "after", [true, true, false, false]),
];

/// The commands among these directives, in their order.
pub(super) fn scripts(mapper: &mut Mapper, items: &[Item]) -> Vec<Node> {
    let mut found = Vec::new();
    for item in items {
        let name = plain(&item.name.text);
        if name == "runscript" {
            found.extend(block(mapper, item));
        } else if let Some(short) = SHORT.iter().find(|short| short.0 == name) {
            found.extend(mapper.read_as(Kind::Text, item).map(|command| short.node(command)));
        }
    }
    found
}

impl Short {
    fn node(&self, command: Node) -> Node {
        let Self(_, when, [on_client, on_success, on_failure, fails]) = *self;
        let place = command.place.clone();
        let is = |is: bool| Node::new(place.clone(), Value::Bool(is));
        let fields = vec![
            ("command", command),
            ("runs_when", Node::text(place.clone(), when)),
            ("runs_on_client", is(on_client)),
            ("runs_on_success", is(on_success)),
            ("runs_on_failure", is(on_failure)),
            ("fail_job_on_error", is(fails)),
        ];
        Node::new(place.clone(), Value::Fields(fields))
    }
}

/// One block: each of its commands is one of its own, alike but for that.
fn block(mapper: &mut Mapper, item: &Item) -> Vec<Node> {
    let Some(items) = &item.block else {
        let message = "`RunScript` is a block".to_owned();
        mapper.error(codes::WRONG_VALUE, &item.name.place, message, "write `RunScript { Command = …; Runs When = … }`");
        return Vec::new();
    };
    let name = Name { text: RUN_SCRIPT.name.to_owned(), place: item.name.place.clone() };
    let mut mapped = mapper.map(&RUN_SCRIPT, &name, items, &[]);
    for directive in ["Target", "RunsOnClient"] {
        let Some(node) = mapped.made(directive).cloned() else { continue };
        let text = mapped.said(directive).unwrap_or_default();
        match if text == "%c" { Some(true) } else { boolean(text) } {
            Some(is) => mapped.set("runs_on_client", Node::new(node.place, Value::Bool(is))),
            None => {
                let message = "a command of a job runs on the director or on the job's own client".to_owned();
                mapper.error(codes::REFUSED_DIRECTIVE, &node.place, message, "write `Runs On Client = yes` or `no`");
            }
        }
    }
    let is_command = |item: &&Item| matches!(plain(&item.name.text).as_str(), "command" | "console");
    let commands: Vec<Item> = items.iter().filter(is_command).cloned().collect();
    if commands.is_empty() {
        let message = "`RunScript` needs the directive `Command` or `Console`".to_owned();
        mapper.error(codes::MISSING_FIELD, &item.name.place, message, "add `Command = \"/path/of/a/program\"`");
    }
    if !mapped.has("runs_when") {
        let message = "`RunScript` has no effect: without `Runs When` it never runs";
        mapper.warning(
            codes::WITHOUT_EFFECT,
            &item.name.place,
            message.to_owned(),
            "write `Runs When = Before`, or remove it",
        );
        return Vec::new();
    }
    let mut found = Vec::new();
    for item in &commands {
        let Some(command) = mapper.read_as(Kind::Text, item) else { continue };
        let place = command.place.clone();
        let mut fields = mapped.fields.clone();
        fields.push(("command", command));
        if plain(&item.name.text) == "console" {
            fields.push(("console", Node::new(place.clone(), Value::Bool(true))));
        }
        found.push(Node::new(place, Value::Fields(fields)));
    }
    found
}
