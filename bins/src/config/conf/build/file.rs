//! The file daemon.

use towline_core::explain::codes;
use towline_core::wire::plugin;

use super::super::directives::file::COMMANDS;
use super::super::lex::Kind as Of;
use super::super::map::{Mapped, Mapper};
use super::super::parse::{Block, plain};
use super::super::read::Kind;
use super::super::value::{Node, Value};
use super::{list, listen, mapped, of_kind, whole};

pub(in super::super) fn build(mapper: &mut Mapper, blocks: &[Block]) -> Node {
    let mut all = mapped(mapper, blocks);
    let (directors, messages) = (of_kind(&mut all, "Director"), of_kind(&mut all, "Messages"));
    let clients = of_kind(&mut all, "Client");
    let mut fields = Vec::new();
    let mut own = Vec::new();
    let mut commands = None;
    if let Some(mut daemon) = mapper.only("Client", clients) {
        listen::listen(mapper, &mut daemon);
        commands = allowed(mapper, &daemon);
        plugins(mapper, &mut daemon);
        if let Some(to) = daemon.made("Messages").cloned() {
            mapper.refer("Messages", &to, messages.iter().map(|messages| messages.name.as_str()));
        }
        mapper.require(&daemon, &[("name", "Name")]);
        own.clone_from(&daemon.tls);
        fields.push(("file", daemon.node()));
    }
    let mut known = Vec::new();
    for mut director in directors {
        mapper.require(&director, &[("name", "Name"), ("password", "Password")]);
        if let Some(commands) = allowed(mapper, &director).or_else(|| commands.clone()) {
            director.set("allowed_job_commands", commands);
        }
        known.push(director.peer(&own));
    }
    fields.push(("directors", list(known)));
    if let Some(append) = append(mapper, &messages) {
        let place = append.place.clone();
        fields.push(("messages", Node::new(place, Value::Fields(vec![("append", append)]))));
    }
    whole(fields)
}

/// The plugins that may be used: all there are if there is a folder of them, or those of `PluginNames`.
fn plugins(mapper: &mut Mapper, daemon: &mut Mapped) {
    let words: Vec<Node> = daemon.words("PluginNames").cloned().collect();
    let Some(folder) = daemon.made("PluginDirectory").map(|node| node.place.clone()) else {
        if let Some(word) = words.first() {
            let message = "`PluginNames` has no effect: without `PluginDirectory` no plugin is used".to_owned();
            mapper.warning(codes::WITHOUT_EFFECT, &word.place, message, "");
        }
        return;
    };
    let mut found = Vec::new();
    for word in &words {
        let Value::Text(text) = &word.value else { continue };
        for name in text.split([':', ',']).map(str::trim).filter(|name| !name.is_empty()) {
            if name == plugin::BPIPE {
                found.push(Node::text(word.place.clone(), name));
            } else {
                let message = format!("`{name}` has no effect: `bpipe` is the only plugin");
                mapper.warning(codes::WITHOUT_EFFECT, &word.place, message, "");
            }
        }
    }
    if words.is_empty() {
        found.push(Node::text(folder, plugin::BPIPE));
    }
    if !found.is_empty() {
        daemon.set("plugin_names", list(found));
    }
}

/// The commands of `AllowedJobCommand` that there are.
fn allowed(mapper: &mut Mapper, from: &Mapped) -> Option<Node> {
    let words: Vec<Node> = from.words("AllowedJobCommand").cloned().collect();
    let first = words.first()?.place.clone();
    let Kind::Choice(known) = COMMANDS else { return None };
    let mut found = Vec::new();
    for word in words {
        let Value::Text(text) = &word.value else { continue };
        match known.iter().find(|(name, _)| plain(name) == plain(text)) {
            Some((_, ours)) => found.push(Node::text(word.place, *ours)),
            None => {
                let message = format!("`{text}` has no effect: a file daemon does only what {}", COMMANDS.example());
                mapper.warning(codes::WITHOUT_EFFECT, &word.place, message, "");
            }
        }
    }
    Some(Node::new(first, Value::List(found)))
}

/// The file that messages are appended to: `append = "file" = types`.
fn append(mapper: &mut Mapper, messages: &[Mapped]) -> Option<Node> {
    let mut found = None;
    for given in messages.iter().flat_map(|messages| messages.given("Append")) {
        match given.item.value.first().filter(|token| matches!(token.kind, Of::Word | Of::Text)) {
            Some(file) if found.is_none() => found = Some(Node::text(file.place.clone(), &*file.text)),
            Some(file) => {
                let message = "`Append` has no effect: messages are appended to one file".to_owned();
                mapper.warning(codes::WITHOUT_EFFECT, &file.place, message, "");
            }
            None => {
                let message = "`Append` names no file".to_owned();
                mapper.error(codes::WRONG_VALUE, &given.item.name.place, message, "write `Append = \"/file\" = all`");
            }
        }
    }
    found
}
