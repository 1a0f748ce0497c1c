//! The storage daemon.

use super::super::map::{Mapped, Mapper};
use super::super::parse::Block;
use super::super::value::{Node, Value};
use super::{device, list, listen, mapped, messages, of_kind, whole};

pub(in super::super) fn build(mapper: &mut Mapper, blocks: &[Block]) -> Node {
    let mut all = mapped(mapper, blocks);
    let (directors, found) = (of_kind(&mut all, "Director"), of_kind(&mut all, "Messages"));
    let posts = messages::build(mapper, found);
    let (mut devices, changers) = (of_kind(&mut all, "Device"), of_kind(&mut all, "Autochanger"));
    let storages = of_kind(&mut all, "Storage");
    let mut fields = Vec::new();
    let mut own = Vec::new();
    if let Some(mut daemon) = mapper.only("Storage", storages) {
        listen::listen(mapper, &mut daemon);
        messages::of_daemon(&mut daemon, &posts);
        mapper.require(&daemon, &[("name", "Name")]);
        own.clone_from(&daemon.tls);
        fields.push(("storage", daemon.node()));
    }
    for director in &directors {
        mapper.require(director, &[("name", "Name"), ("password", "Password")]);
    }
    fields.push(("directors", list(directors.into_iter().map(|director| director.peer(&own)).collect())));
    for device in &mut devices {
        one(mapper, device);
    }
    fields.push(("devices", list(devices.into_iter().map(Mapped::node).collect())));
    for changer in &changers {
        mapper.require(changer, &[("name", "Name"), ("devices", "Device")]);
    }
    if !changers.is_empty() {
        fields.push(("autochangers", list(changers.into_iter().map(Mapped::node).collect())));
    }
    if !messages::say_what_is_so_anyway(&posts, &["director"]) {
        fields.push(("messages", list(posts.into_iter().map(Mapped::node).collect())));
    }
    whole(fields)
}

/// A device.
fn one(mapper: &mut Mapper, device: &mut Mapped) {
    mapper.require(device, &[("name", "Name"), ("media_type", "MediaType"), ("archive_device", "ArchiveDevice")]);
    device::device(mapper, device);
    if let Some(capacity) = device.made("VolumeCapacity").cloned() {
        device.set("maximum_volume_size", capacity);
    }
    // In Bareos nothing is labelled unless somebody says so, and nobody should find his volumes labelled after a change of
    // programs.
    device.default("label_media", Value::Bool(false));
}
