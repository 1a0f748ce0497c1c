//! Where messages go: `Mail = root@localhost = all, !skipped` and its other forms.
//!
//! An address, if the destination has one, stands before a second `=`; after it the kinds of messages. A command for mail counts
//! for the destinations after it.

use towline_core::config::MessageTypes;
use towline_core::explain::codes;

use super::super::lex::{Kind as Of, Token};
use super::super::map::{Given, Mapped, Mapper};
use super::super::parse::Wrong;
use super::super::read::Kind;
use super::super::value::{Node, Value};
use super::list;
use crate::config::sources::Place;

/// A destination: its directive, the kind that it is, when, and what stands before its kinds of messages.
struct To(&'static str, &'static str, Option<&'static str>, Before);

/// What stands before the kinds of messages.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Before {
    Nothing,
    /// One or more addresses.
    Addresses,
    /// A file.
    File,
    /// Perhaps a facility.
    Facility,
    /// The name of a director, which does not count.
    Name,
}

const DESTINATIONS: &[To] = &[
    To("Mail", "mail", None, Before::Addresses),
    To("MailOnError", "mail", Some("on_error"), Before::Addresses),
    To("MailOnSuccess", "mail", Some("on_success"), Before::Addresses),
    To("Operator", "operator", None, Before::Addresses),
    To("Append", "append", None, Before::File),
    To("File", "file", None, Before::File),
    To("Syslog", "syslog", None, Before::Facility),
    To("Console", "console", None, Before::Nothing),
    To("Catalog", "catalog", None, Before::Nothing),
    To("Stdout", "stdout", None, Before::Nothing),
    To("Stderr", "stderr", None, Before::Nothing),
    To("Director", "director", None, Before::Name),
];

/// The resources with their destinations.
pub(super) fn build(mapper: &mut Mapper, found: Vec<Mapped>) -> Vec<Mapped> {
    found.into_iter().map(|messages| one(mapper, messages)).collect()
}

/// A daemon's own resource: what it is called, if there is one. Where that is the first, nothing is said.
pub(super) fn of_daemon(daemon: &mut Mapped, all: &[Mapped]) -> Option<String> {
    let first = all.first().map(|messages| messages.name.as_str());
    named(daemon, first);
    let own = daemon.said("Messages").or(first);
    own.map(str::to_owned)
}

/// The resource that a job or daemon names, unless it is the one that counts anyway.
pub(super) fn named(resource: &mut Mapped, usual: Option<&str>) {
    if let Some(node) = resource.made("Messages").cloned()
        && resource.said("Messages") != usual
    {
        resource.set("messages", node);
    }
}

/// Whether there is no more than a resource of the usual name that sends all messages to these places: so it is without it.
pub(super) fn say_what_is_so_anyway(all: &[Mapped], kinds: &[&str]) -> bool {
    let [messages] = all else { return all.is_empty() };
    let Some((_, destinations)) = messages.fields.iter().find(|(field, _)| *field == "destinations") else {
        return false;
    };
    let Value::List(list) = &destinations.value else { return false };
    let is = |node: &Node, field: &str, text: &str| {
        node.field(field).is_some_and(|node| node.value == Value::Text(text.to_owned()))
    };
    let has_all = |node: &Node| match node.field("types").map(|types| &types.value) {
        Some(Value::List(words)) => {
            words.len() == 1 && words.iter().all(|word| word.value == Value::Text("all".to_owned()))
        }
        _ => false,
    };
    let fits = |(node, kind): (&Node, &&str)| {
        is(node, "kind", kind) && has_all(node) && node.field("to").is_none() && node.field("command").is_none()
    };
    messages.name == towline_core::wire::names::MESSAGES
        && !messages.has("timestamp_format")
        && list.len() == kinds.len()
        && list.iter().zip(kinds).all(fits)
}

fn one(mapper: &mut Mapper, mut messages: Mapped) -> Mapped {
    mapper.require(&messages, &[("name", "Name")]);
    let given: Vec<(&'static str, Given)> =
        messages.given_in_order().map(|(name, given)| (name, given.clone())).collect();
    let (mut mail, mut operator) = (None, None);
    let mut found: Vec<Vec<(&'static str, Node)>> = Vec::new();
    for (name, given) in &given {
        match *name {
            "MailCommand" => mail = command(mapper, given),
            "OperatorCommand" => operator = command(mapper, given),
            name => {
                let Some(to) = DESTINATIONS.iter().find(|to| to.0 == name) else { continue };
                let command = match to.1 {
                    "mail" => mail.clone(),
                    "operator" => operator.clone(),
                    _ => None,
                };
                match to.read(given) {
                    Ok(fields) => add(&mut found, fields, command),
                    Err(Wrong { place, message, help }) => mapper.error(codes::WRONG_VALUE, &place, message, help),
                }
            }
        }
    }
    let place = messages.place.clone();
    let nodes = found.into_iter().map(|fields| Node::new(place_of(&fields, &place), Value::Fields(fields)));
    let nodes: Vec<Node> = nodes.collect();
    if !nodes.is_empty() {
        messages.set("destinations", list(nodes));
    }
    messages
}

/// A command for the destinations after it; an empty one is none.
fn command(mapper: &mut Mapper, given: &Given) -> Option<Node> {
    mapper.read_as(Kind::Text, &given.item).filter(|node| node.value != Value::Text(String::new()))
}

fn place_of(fields: &[(&'static str, Node)], otherwise: &Place) -> Place {
    fields.first().map_or_else(|| otherwise.clone(), |(_, node)| node.place.clone())
}

/// One more destination. As in Bareos, kinds for a place that is there already go to that one.
fn add(found: &mut Vec<Vec<(&'static str, Node)>>, mut fields: Vec<(&'static str, Node)>, command: Option<Node>) {
    fields.extend(command.map(|command| ("command", command)));
    let value = |fields: &[(&'static str, Node)], name: &str| {
        let found = fields.iter().find(|(field, _)| *field == name);
        found.map(|(_, node)| match &node.value {
            Value::List(list) => list.iter().map(|node| node.value.clone()).collect(),
            other => vec![other.clone()],
        })
    };
    let is_same = |earlier: &&mut Vec<(&'static str, Node)>| {
        ["kind", "to", "when", "command"].iter().all(|name| value(earlier, name) == value(&fields, name))
    };
    let types = |fields: &[(&'static str, Node)]| fields.iter().position(|(field, _)| *field == "types");
    if let Some(earlier) = found.iter_mut().find(is_same) {
        let more = types(&fields).map(|at| fields.remove(at).1.value);
        let known = types(earlier).and_then(|at| earlier.get_mut(at));
        if let (Some(Value::List(more)), Some((_, Node { value: Value::List(list), .. }))) = (more, known) {
            list.extend(more);
        }
        return;
    }
    found.push(fields);
}

impl To {
    fn read(&self, given: &Given) -> Result<Vec<(&'static str, Node)>, Wrong> {
        let Self(directive, kind, when, before) = self;
        let place = &given.item.name.place;
        let tokens = given.item.value.as_slice();
        let equals = tokens.iter().position(|token| token.kind == Of::Equals);
        let (address, types) = match (equals, before) {
            (Some(at), Before::Addresses | Before::File | Before::Facility | Before::Name) => {
                (tokens.get(..at).unwrap_or_default(), tokens.get(at + 1..).unwrap_or_default())
            }
            (None, Before::Nothing | Before::Facility) => (&[][..], tokens),
            (Some(_), Before::Nothing) => {
                return Err(wrong(
                    place,
                    format!("`{directive}` has no address"),
                    format!("write `{directive} = all, !skipped`"),
                ));
            }
            (None, _) => {
                let message = format!("`{directive}` has an address and kinds of messages");
                let example = if *before == Before::File { "\"/var/log/towline/jobs.log\"" } else { "root@localhost" };
                return Err(wrong(place, message, format!("write `{directive} = {example} = all, !skipped`")));
            }
        };
        let mut fields = vec![("kind", Node::text(place.clone(), *kind))];
        let addresses = words(address)?;
        let is_one = addresses.len() == 1 || (*before == Before::Addresses && !addresses.is_empty());
        if !address.is_empty() && !is_one {
            return Err(wrong(
                place,
                format!("`{directive}` has one address"),
                "put a name with spaces in quotes".to_owned(),
            ));
        }
        if !addresses.is_empty() && *before != Before::Name {
            // Bareos takes a list in one word too.
            let split = addresses.iter().flat_map(|(text, place)| {
                let separator = if *before == Before::Addresses { ',' } else { '\0' };
                text.split(separator).map(|text| Node::text(place.clone(), text.trim())).collect::<Vec<_>>()
            });
            fields.push(("to", list(split.collect())));
        }
        let words = words(types)?;
        if words.is_empty() {
            return Err(wrong(
                place,
                format!("`{directive}` has no kinds of messages"),
                "write `all, !skipped`".to_owned(),
            ));
        }
        for (word, place) in &words {
            let mut types = MessageTypes::NONE;
            if let Err(help) = types.take(word) {
                return Err(wrong(place, format!("`{word}` is no kind of message"), help));
            }
        }
        let nodes = words.iter().map(|(word, place)| Node::text(place.clone(), word.to_ascii_lowercase()));
        fields.push(("types", list(nodes.collect())));
        fields.extend(when.map(|when| ("when", Node::text(place.clone(), when))));
        Ok(fields)
    }
}

/// Words with or without commas between them, each with its place.
fn words(tokens: &[Token]) -> Result<Vec<(String, Place)>, Wrong> {
    let mut found = Vec::new();
    for token in tokens {
        match token.kind {
            Of::Word | Of::Text => found.push((token.text.clone(), token.place.clone())),
            Of::Comma => {}
            _ => {
                let help = "put text with such a character in quotes".to_owned();
                return Err(wrong(&token.place, format!("`{}` is out of place here", token.text), help));
            }
        }
    }
    Ok(found)
}

fn wrong(place: &Place, message: String, help: String) -> Wrong {
    Wrong { place: place.clone(), message, help }
}
