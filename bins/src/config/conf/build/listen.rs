//! Where a daemon listens: `Address`, and `Addresses` with its blocks of an address and a port each.

use towline_core::explain::codes;

use super::super::map::{Mapped, Mapper};
use super::super::parse::{Item, plain};
use super::super::read::Kind;
use super::super::value::{Node, Value};

/// Makes `listen` of them.
pub(super) fn listen(mapper: &mut Mapper, daemon: &mut Mapped) {
    let mut found: Vec<Node> = daemon.given("Address").map(|given| given.node.clone()).collect();
    let blocks: Vec<Item> = daemon.given("Addresses").map(|given| given.item.clone()).collect();
    for item in &blocks {
        match &item.block {
            Some(each) => found.extend(each.iter().filter_map(|each| one(mapper, each))),
            None => {
                let message = format!("`{}` is a block", item.name.text);
                let help = "write `Addresses = { ip = { addr = 192.0.2.1; port = 9102 } }`";
                mapper.error(codes::WRONG_VALUE, &item.name.place, message, help);
            }
        }
    }
    if let Some(first) = found.first() {
        let place = first.place.clone();
        daemon.set("listen", Node::new(place, Value::List(found)));
    }
}

/// `ip = { addr = …; port = … }`, either of which may be missing.
fn one(mapper: &mut Mapper, item: &Item) -> Option<Node> {
    let help = "write `ip`, `ipv4` or `ipv6`, and in its block `addr` and `port`";
    let family = plain(&item.name.text);
    let Some(block) = item.block.as_ref().filter(|_| ["ip", "ipv4", "ipv6"].contains(&family.as_str())) else {
        let message = format!("`{}` is no block of an address", item.name.text);
        mapper.error(codes::UNKNOWN_DIRECTIVE, &item.name.place, message, help);
        return None;
    };
    let (mut address, mut port) = (None, None);
    for each in block {
        match plain(&each.name.text).as_str() {
            "addr" => address = mapper.read_as(Kind::Text, each),
            "port" => port = mapper.read_as(Kind::Port, each),
            _ => {
                let message = format!("an address has no `{}`", each.name.text);
                mapper.error(codes::UNKNOWN_DIRECTIVE, &each.name.place, message, help);
            }
        }
    }
    let place = address.as_ref().or(port.as_ref()).map_or(&item.name.place, |node| &node.place).clone();
    let address = match address.map(|node| node.value) {
        Some(Value::Text(text)) => text,
        _ if family == "ipv6" => "::".to_owned(),
        _ => "0.0.0.0".to_owned(),
    };
    let text = match port.map(|node| node.value) {
        Some(Value::Number(port)) if address.contains(':') => format!("[{address}]:{port}"),
        Some(Value::Number(port)) => format!("{address}:{port}"),
        _ => address,
    };
    Some(Node::text(place, text))
}
