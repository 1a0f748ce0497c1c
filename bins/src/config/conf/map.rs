//! Directives to fields, by the tables: what each resource says, and a finding for each directive that does not act.

use towline_core::config::Severity;
use towline_core::error::Code;
use towline_core::explain::codes;
use towline_core::nearest::nearest;

use super::super::Report;
use super::super::sources::Place;
use super::parse::{Block, Item, Name, Wrong, plain};
use super::read::{Kind, boolean};
use super::table::{Act, Component, Directive, Resource};
use super::value::{Node, Value};

/// A resource after the tables were asked.
#[derive(Debug)]
pub(super) struct Mapped {
    pub(super) table: &'static Resource,
    /// What it is called, empty if nothing says so.
    pub(super) name: String,
    /// Where its name stands, else that of its kind.
    pub(super) place: Place,
    /// The fields of the typed resource.
    pub(super) fields: Vec<(&'static str, Node)>,
    /// Its TLS settings, if any are given.
    pub(super) tls: Vec<(&'static str, Node)>,
    /// What code of its own makes something of.
    made: Vec<(&'static str, Given)>,
    /// Whether something in it must keep its job from running.
    pub(super) is_disabled: bool,
    /// The directives that have no effect: once is enough to say so.
    moot: Vec<&'static str>,
}

/// A directive that code of its own reads: as a value, or as it stands.
#[derive(Clone, Debug)]
pub(super) struct Given {
    pub(super) node: Node,
    pub(super) item: Item,
}

impl Mapped {
    /// What a directive with a single value says; the last one counts.
    pub(super) fn made(&self, directive: &'static str) -> Option<&Node> {
        self.given(directive).last().map(|given| &given.node)
    }

    /// All of a directive that may come more than once.
    pub(super) fn given(&self, directive: &'static str) -> impl Iterator<Item = &Given> {
        self.made.iter().filter(move |(name, _)| *name == directive).map(|(_, given)| given)
    }

    /// All that code of its own reads, in the order in which it is written.
    pub(super) fn given_in_order(&self) -> impl Iterator<Item = (&'static str, &Given)> {
        self.made.iter().map(|(name, given)| (*name, given))
    }

    /// The words of a directive that is a list, over all times it is given.
    pub(super) fn words(&self, directive: &'static str) -> impl Iterator<Item = &Node> {
        self.given(directive).flat_map(|given| match &given.node.value {
            Value::List(list) => list.as_slice(),
            _ => std::slice::from_ref(&given.node),
        })
    }

    /// What a directive says, if it is text.
    pub(super) fn said(&self, directive: &'static str) -> Option<&str> {
        match &self.made(directive)?.value {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    /// `false` only if it says so.
    pub(super) fn is_enabled(&self) -> bool {
        self.made("Enabled").is_none_or(|node| node.value != Value::Bool(false))
    }

    pub(super) fn set(&mut self, field: &'static str, node: Node) {
        self.fields.retain(|(known, _)| *known != field);
        self.fields.push((field, node));
    }

    /// Sets a field unless it is there.
    pub(super) fn default(&mut self, field: &'static str, value: Value) {
        if !self.has(field) {
            self.fields.push((field, Node::new(self.place.clone(), value)));
        }
    }

    pub(super) fn has(&self, field: &str) -> bool {
        self.fields.iter().any(|(known, _)| *known == field)
    }

    /// The resource as a value, with its TLS settings.
    pub(super) fn node(mut self) -> Node {
        if let Some((_, first)) = self.tls.first() {
            let place = first.place.clone();
            self.fields.push(("tls", Node::new(place, Value::Fields(self.tls))));
        }
        Node::new(self.place, Value::Fields(self.fields))
    }

    /// The same for a peer of a daemon that has TLS settings: in Bareos each resource has its own, and nothing is taken from
    /// the daemon's.
    pub(super) fn peer(mut self, own: &[(&'static str, Node)]) -> Node {
        if self.tls.is_empty() && !own.is_empty() {
            self.fields.push(("tls", Node::new(self.place.clone(), Value::Fields(Vec::new()))));
        }
        self.node()
    }
}

/// Goes through the resources of a configuration and notes what is wrong.
#[derive(Debug)]
pub(super) struct Mapper {
    pub(super) component: &'static Component,
    pub(super) report: Report,
}

impl Mapper {
    pub(super) fn error(&mut self, code: Code, place: &Place, message: String, help: impl Into<String>) {
        self.report.add_at(Severity::Error, code, Some(place.clone()), message, help.into());
    }

    pub(super) fn warning(&mut self, code: Code, place: &Place, message: String, help: impl Into<String>) {
        self.report.add_at(Severity::Warning, code, Some(place.clone()), message, help.into());
    }

    pub(super) fn wrong(&mut self, wrong: &Wrong) {
        self.error(codes::WRONG_VALUE, &wrong.place, wrong.message.clone(), wrong.help.clone());
    }

    /// All resources whose kind is known.
    pub(super) fn resources<'a>(&mut self, blocks: &'a [Block]) -> Vec<(&'static Resource, &'a Block)> {
        let mut found = Vec::new();
        for block in blocks {
            match self.component.resource(&block.name.text) {
                Some(table) => found.push((table, block)),
                None => {
                    let name = &block.name.text;
                    let message = format!("{} has no resource `{name}`", self.component.name);
                    let help = self.component.near(name).map_or_else(
                        || {
                            let names: Vec<_> = self.component.resources.iter().map(|known| known.name).collect();
                            format!("known: {}", names.join(", "))
                        },
                        |near| format!("did you mean `{near}`?"),
                    );
                    self.error(codes::UNKNOWN_RESOURCE, &block.name.place, message, help);
                }
            }
        }
        found
    }

    /// What a resource says; where it is silent, what `inherited` says, of which nothing is found fault with here.
    pub(super) fn map(&mut self, table: &'static Resource, name: &Name, items: &[Item], inherited: &[Item]) -> Mapped {
        let mut mapped = Mapped {
            table,
            name: String::new(),
            place: name.place.clone(),
            fields: Vec::new(),
            tls: Vec::new(),
            made: Vec::new(),
            is_disabled: false,
            moot: Vec::new(),
        };
        let mut seen: Vec<&'static str> = Vec::new();
        for item in items {
            match table.directive(&item.name.text) {
                Some(directive) => {
                    self.once(directive, item, &seen);
                    seen.push(directive.name);
                    self.take(&mut mapped, directive, item);
                }
                None => self.unknown(table, item),
            }
        }
        let before = self.report.mark();
        for item in inherited {
            let directive = table.directive(&item.name.text);
            if let Some(directive) = directive.filter(|directive| !seen.contains(&directive.name)) {
                self.take(&mut mapped, directive, item);
            }
        }
        // It was said of the resource that is inherited from.
        self.report.back_to(before);
        self.unverified(&mut mapped);
        if let Some((_, node)) = mapped.fields.iter().find(|(field, _)| *field == "name") {
            mapped.place = node.place.clone();
            if let Value::Text(text) = &node.value {
                mapped.name.clone_from(text);
            }
        }
        mapped
    }

    /// In Bareos nobody's certificate is verified unless a resource asks for it, whatever else it names (`wire/1 §2.8`).
    fn unverified(&mut self, mapped: &mut Mapped) {
        let given = |tls: &[(&str, Node)], field: &str| tls.iter().position(|(known, _)| *known == field);
        let asked = given(&mapped.tls, "verify_peer");
        if asked.and_then(|at| mapped.tls.get(at)).is_some_and(|(_, node)| node.value == Value::Bool(true)) {
            return;
        }
        for (field, directive) in [("allowed_cn", "TlsAllowedCn"), ("revocation_list", "TlsCertificateRevocationList")]
        {
            if let Some(at) = given(&mapped.tls, field) {
                let (_, node) = mapped.tls.remove(at);
                let message = format!("`{directive}` has no effect: the peer's certificate is not verified");
                self.warning(codes::UNVERIFIED, &node.place, message, "add `TLS Verify Peer = yes`");
            }
        }
        if let (None, Some((_, ca))) = (asked, given(&mapped.tls, "ca").and_then(|at| mapped.tls.get(at))) {
            let place = ca.place.clone();
            mapped.tls.push(("verify_peer", Node::new(place, Value::Bool(false))));
        }
    }

    /// A directive that counts once must not come twice.
    fn once(&mut self, directive: &Directive, item: &Item, seen: &[&'static str]) {
        let is_list = matches!(directive.kind, Kind::Words | Kind::Any)
            || matches!(directive.act, Act::Note | Act::Without(_) | Act::Disables(_));
        if !is_list && seen.contains(&directive.name) {
            let message = format!("`{}` is given twice: this one counts", directive.name);
            self.warning(codes::WITHOUT_EFFECT, &item.name.place, message, "remove one of them");
        }
    }

    fn unknown(&mut self, table: &Resource, item: &Item) {
        let name = &item.name.text;
        if !self.report.has_room() {
            return self.error(codes::UNKNOWN_DIRECTIVE, &item.name.place, String::new(), "");
        }
        if item.block.is_some() && self.component.resource(name).is_some() {
            let message = format!("a resource `{name}` begins here, and the one before it has not ended");
            let help = format!("close the `{}` with `}}` before it", table.name);
            return self.error(codes::CONF_SYNTAX, &item.name.place, message, help);
        }
        let message = format!("`{}` has no directive `{name}`", table.name);
        let others = self.component.with(name);
        let help = match table.near(name) {
            Some(near) => format!("did you mean `{near}`?"),
            None if !others.is_empty() => format!("it belongs into {}", others.join(", ")),
            None => "remove it; of a newer version, see the table of directives for those that are known".to_owned(),
        };
        self.error(codes::UNKNOWN_DIRECTIVE, &item.name.place, message, help);
    }

    fn take(&mut self, mapped: &mut Mapped, directive: &'static Directive, item: &Item) {
        let acts = |node: Node, fields: &mut Vec<(&'static str, Node)>, field: &'static str| {
            let known = fields.iter_mut().find(|(known, _)| *known == field);
            match (known, node.value) {
                (Some((_, Node { value: Value::List(list), .. })), Value::List(more)) => list.extend(more),
                (Some((_, known)), value) => *known = Node::new(node.place, value),
                (None, value) => fields.push((field, Node::new(node.place, value))),
            }
        };
        match directive.act {
            Act::Field(field) => {
                if let Some(node) = self.read(directive, item) {
                    acts(node, &mut mapped.fields, field);
                }
            }
            Act::Tls(field) => {
                if let Some(node) = self.read(directive, item) {
                    acts(node, &mut mapped.tls, field);
                }
            }
            Act::Made(_) => {
                let node = match directive.kind {
                    Kind::Any => Some(Node::text(item.name.place.clone(), "")),
                    _ => self.read(directive, item),
                };
                if let Some(node) = node {
                    mapped.made.push((directive.name, Given { node, item: item.clone() }));
                }
            }
            Act::Always(values, other) => {
                if self.read(directive, item).is_some_and(|node| !is_one_of(&node, values)) {
                    self.other(mapped, directive, item, other);
                }
            }
            _ => self.other(mapped, directive, item, &directive.act),
        }
    }

    /// A directive that does not act.
    fn other(&mut self, mapped: &mut Mapped, directive: &'static Directive, item: &Item, act: &Act) {
        let (name, place) = (directive.name, &item.name.place);
        match act {
            Act::Without(_) if mapped.moot.contains(&name) => {}
            Act::Without(instead) => {
                mapped.moot.push(name);
                let message = format!("`{name}` has no effect: {instead}");
                self.warning(codes::WITHOUT_EFFECT, place, message, "");
            }
            Act::Refused(remedy) => {
                let message = format!("`{name}` with this value is not supported");
                self.error(codes::REFUSED_DIRECTIVE, place, message, *remedy);
            }
            Act::Disables(why) => {
                mapped.is_disabled = true;
                let whose = if matches!(mapped.table.name, "Job" | "JobDefs") { "the job" } else { "each job with it" };
                let message = format!("`{name}` is not supported, so {whose} is disabled: {why}");
                self.warning(codes::DISABLED, place, message, "remove it if the job is right without it");
            }
            Act::Field(_) | Act::Tls(_) | Act::Made(_) | Act::Note | Act::Always(..) => {}
        }
    }

    /// The value of a directive. What is wrong with it is noted.
    pub(super) fn read(&mut self, directive: &Directive, item: &Item) -> Option<Node> {
        self.read_as(directive.kind, item)
    }

    pub(super) fn read_as(&mut self, kind: Kind, item: &Item) -> Option<Node> {
        match kind.read(item) {
            Ok((node, doubt)) => {
                if let Some(Wrong { place, message, help }) = doubt {
                    self.warning(codes::WITHOUT_EFFECT, &place, message, help);
                }
                Some(node)
            }
            Err(wrong) => {
                self.wrong(&wrong);
                None
            }
        }
    }

    /// Says which directives a resource lacks.
    pub(super) fn require(&mut self, mapped: &Mapped, needed: &[(&str, &str)]) {
        for (field, directive) in needed {
            if !mapped.has(field) {
                let message = format!("`{}` needs the directive `{directive}`", mapped.table.name);
                self.error(codes::MISSING_FIELD, &mapped.place, message, format!("add `{directive} = …`"));
            }
        }
    }

    /// A name that must be one of those.
    pub(super) fn refer<'a>(&mut self, kind: &str, to: &Node, known: impl Iterator<Item = &'a str> + Clone) {
        let Value::Text(name) = &to.value else { return };
        if known.clone().any(|known| known == name) {
            return;
        }
        let help = nearest(name, known)
            .map_or_else(|| format!("add a `{kind}` of this name"), |near| format!("did you mean {near:?}?"));
        let message = format!("there is no {} {name:?}", kind.to_lowercase());
        self.error(codes::UNKNOWN_REFERENCE, &to.place, message, help);
    }

    /// The one resource of a kind that there must be.
    pub(super) fn only(&mut self, kind: &str, mut found: Vec<Mapped>) -> Option<Mapped> {
        if found.is_empty() {
            let message = format!("there is no resource `{kind}`");
            let help = format!("add `{kind} {{ … }}`, which says what the program itself is called");
            self.report.add(Severity::Error, codes::MISSING_FIELD, None, message, help);
            return None;
        }
        let first = found.remove(0);
        for other in &found {
            let message = format!("there are several resources `{kind}`, and one is enough");
            self.error(codes::DUPLICATE_NAME, &other.place, message, "remove one of them");
        }
        Some(first)
    }
}

/// Whether a value is one of those that say what is so anyway.
fn is_one_of(node: &Node, values: &[&str]) -> bool {
    let fits = |text: &str| values.iter().any(|value| plain(value) == plain(text));
    match &node.value {
        Value::Bool(is) => values.iter().any(|value| boolean(value) == Some(*is)),
        Value::Number(number) => fits(&number.to_string()),
        Value::Text(text) => fits(text),
        Value::List(list) => list.iter().all(|each| is_one_of(each, values)),
        Value::Fields(_) | Value::Choice(..) => false,
    }
}
