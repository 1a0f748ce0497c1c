//! The tray monitor.

use towline_core::explain::codes;

use super::super::map::Mapper;
use super::super::parse::Block;
use super::super::value::{Node, Value};
use super::{list, mapped, of_kind, whole};

pub(in super::super) fn build(mapper: &mut Mapper, blocks: &[Block]) -> Node {
    let mut all = mapped(mapper, blocks);
    let kinds = [("Director", "directors"), ("Client", "clients"), ("Storage", "storages")];
    let watched = kinds.map(|(kind, field)| (field, of_kind(&mut all, kind)));
    let monitors = of_kind(&mut all, "Monitor");
    let mut fields = Vec::new();
    let (mut own, mut password) = (Vec::new(), None);
    if let Some(mut monitor) = mapper.only("Monitor", monitors) {
        mapper.require(&monitor, &[("name", "Name")]);
        let timeouts = ["DirConnectTimeout", "FdConnectTimeout", "SdConnectTimeout"];
        let longest = timeouts.iter().filter_map(|name| monitor.made(name)).max_by_key(|node| match node.value {
            Value::Number(seconds) => seconds,
            _ => 0,
        });
        if let Some(longest) = longest.cloned() {
            monitor.set("timeout", longest);
        }
        password = monitor.made("Password").cloned();
        if password.is_none() && !watched[0].1.is_empty() {
            let message = "`Monitor` needs the directive `Password`".to_owned();
            mapper.error(codes::MISSING_FIELD, &monitor.place, message, "add `Password = …`, that of its console");
        }
        own.clone_from(&monitor.tls);
        fields.push(("monitor", monitor.node()));
    }
    for (field, resources) in watched {
        let mut found = Vec::new();
        for mut resource in resources {
            if field == "directors"
                && let Some(password) = &password
            {
                resource.set("password", password.clone());
            } else if field != "directors" {
                mapper.require(&resource, &[("password", "Password")]);
            }
            mapper.require(&resource, &[("name", "Name"), ("address", "Address")]);
            found.push(resource.peer(&own));
        }
        fields.push((field, list(found)));
    }
    whole(fields)
}
