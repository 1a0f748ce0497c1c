//! The file daemon.

use towline_core::explain::codes;
use towline_core::wire::plugin;

use super::super::directives::file::COMMANDS;
use super::super::map::{Mapped, Mapper};
use super::super::parse::{Block, plain};
use super::super::read::Kind;
use super::super::value::{Node, Value};
use super::{list, listen, mapped, messages, of_kind, whole};

pub(in super::super) fn build(mapper: &mut Mapper, blocks: &[Block]) -> Node {
    let mut all = mapped(mapper, blocks);
    let (directors, found) = (of_kind(&mut all, "Director"), of_kind(&mut all, "Messages"));
    let posts = messages::build(mapper, found);
    let clients = of_kind(&mut all, "Client");
    let mut fields = Vec::new();
    let mut own = Vec::new();
    let mut commands = None;
    if let Some(mut daemon) = mapper.only("Client", clients) {
        listen::listen(mapper, &mut daemon);
        commands = allowed(mapper, &daemon);
        plugins(mapper, &mut daemon);
        messages::of_daemon(&mut daemon, &posts);
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
    if !messages::say_what_is_so_anyway(&posts, &["director"]) {
        fields.push(("messages", list(posts.into_iter().map(Mapped::node).collect())));
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
