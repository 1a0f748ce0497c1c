//! The storage daemon.

use towline_core::explain::codes;

use super::super::map::{Mapped, Mapper, names};
use super::super::parse::{Block, plain};
use super::super::value::{Node, Value};
use super::{list, listen, mapped, of_kind, whole};

pub(in super::super) fn build(mapper: &mut Mapper, blocks: &[Block]) -> Node {
    let mut all = mapped(mapper, blocks);
    let (directors, messages) = (of_kind(&mut all, "Director"), of_kind(&mut all, "Messages"));
    let (mut devices, changers) = (of_kind(&mut all, "Device"), of_kind(&mut all, "Autochanger"));
    let storages = of_kind(&mut all, "Storage");
    let mut fields = Vec::new();
    let mut own = Vec::new();
    if let Some(mut daemon) = mapper.only("Storage", storages) {
        listen::listen(mapper, &mut daemon);
        if let Some(to) = daemon.made("Messages").cloned() {
            mapper.refer("Messages", &to, messages.iter().map(|messages| messages.name.as_str()));
        }
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
    for changer in &changers {
        stand_in(mapper, changer, &mut devices);
    }
    fields.push(("devices", list(devices.into_iter().map(Mapped::node).collect())));
    whole(fields)
}

/// A device is a folder.
fn one(mapper: &mut Mapper, device: &mut Mapped) {
    mapper.require(device, &[("name", "Name"), ("media_type", "MediaType"), ("archive_device", "ArchiveDevice")]);
    if let Some(kind) = device.made("DeviceType")
        && device.said("DeviceType").is_none_or(|kind| plain(kind) != "file")
    {
        let message = "a device is a folder, and of no other type".to_owned();
        let help = "write `Device Type = File`, and the folder as `Archive Device`";
        mapper.error(codes::REFUSED_DIRECTIVE, &kind.place, message, help);
    }
    if let Some(capacity) = device.made("VolumeCapacity").cloned() {
        device.set("maximum_volume_size", capacity);
    }
    if let Some(count) = device.made("Count").filter(|count| !matches!(count.value, Value::Number(0 | 1))) {
        let message = "`Count` has no effect: there is one device, and jobs take turns at it".to_owned();
        mapper.warning(codes::WITHOUT_EFFECT, &count.place, message, "");
    }
    // In Bareos nothing is labelled unless somebody says so, and nobody should find his volumes labelled after a change of
    // programs.
    device.default("label_media", Value::Bool(false));
}

/// One device with the name of an autochanger, in place of its own.
fn stand_in(mapper: &mut Mapper, changer: &Mapped, devices: &mut Vec<Mapped>) {
    let wanted: Vec<Node> = changer.words("Device").cloned().collect();
    let known = names(devices);
    for name in &wanted {
        mapper.refer("Device", name, known.iter().map(String::as_str));
    }
    let is_wanted = |device: &Mapped| wanted.iter().any(|name| name.value == Value::Text(device.name.clone()));
    let mut members: Vec<Mapped> = devices.extract_if(.., |device| is_wanted(device)).collect();
    let count = members.len();
    if count == 0 {
        let message = format!("autochanger {:?} has no devices", changer.name);
        return mapper.error(codes::EMPTY, &changer.place, message, "name them with `Device`");
    }
    let mut first = members.remove(0);
    if count > 1 {
        let message = format!(
            "autochanger {:?} is one device over the folder of {:?}; its {count} devices are not known by their names",
            changer.name, first.name
        );
        mapper.warning(codes::WITHOUT_EFFECT, &changer.place, message, "");
    }
    first.set("name", Node::text(changer.place.clone(), &*changer.name));
    first.name.clone_from(&changer.name);
    devices.push(first);
}
