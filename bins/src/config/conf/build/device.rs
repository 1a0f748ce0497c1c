//! A device: a folder, or a store of objects with its options in one line.

use towline_core::explain::codes;

use super::super::map::{Mapped, Mapper};
use super::super::parse::plain;
use super::super::read;
use super::super::value::{Node, Value};

/// What an option of a store is.
enum Is {
    Text(&'static str),
    Bool(&'static str),
    Size(&'static str),
    Time(&'static str),
    /// The bucket, without a prefix.
    Bucket,
    /// Without effect here. What happens instead.
    Moot(&'static str),
}

const OPTIONS: &[(&str, Is)] = &[
    ("bucket", Is::Bucket),
    ("endpoint", Is::Text("endpoint")),
    ("region", Is::Text("region")),
    ("location", Is::Text("region")),
    ("credentials", Is::Text("credentials")),
    ("profile", Is::Text("credentials")),
    ("s3cfg", Is::Text("credentials")),
    ("virtual_hosts", Is::Bool("virtual_hosts")),
    ("clear_text", Is::Bool("clear_text")),
    ("tls_ca", Is::Text("tls_ca")),
    ("part_size", Is::Size("part_size")),
    ("chunksize", Is::Size("part_size")),
    ("retry_for", Is::Time("retry_for")),
    ("iothreads", Is::Moot("two parts are on their way at a time")),
    ("ioslots", Is::Moot("two parts are on their way at a time")),
    ("retries", Is::Moot("a request is tried again for the time in `retry_for`")),
    ("mmap", Is::Moot("parts are kept in memory")),
    ("program", Is::Moot("the store is reached without one")),
    ("program_timeout", Is::Moot("the store is reached without a program")),
];

/// Makes its fields what `DeviceType` and `DeviceOptions` say.
pub(super) fn device(mapper: &mut Mapper, device: &mut Mapped) {
    let kind = device.made("DeviceType").cloned();
    let said = device.said("DeviceType").map(plain);
    match said.as_deref() {
        None | Some("file") => {
            if let Some(options) = device.made("DeviceOptions") {
                let message =
                    "`DeviceOptions` has no effect: a device is a folder, and a folder has no options".to_owned();
                mapper.warning(codes::WITHOUT_EFFECT, &options.place, message, "");
            }
        }
        Some("object" | "droplet" | "dplcompat") => {
            let place = kind.map_or_else(|| device.place.clone(), |kind| kind.place);
            if said.as_deref() != Some("object") {
                let message =
                    "volumes that Bareos has written to this store are not read, its parts have other names".to_owned();
                mapper.warning(codes::WITHOUT_EFFECT, &place, message, "use a bucket that Bareos does not write to");
            }
            device.set("kind", Node::text(place, "object"));
            options(mapper, device);
        }
        Some(_) => {
            if let Some(kind) = kind {
                let message = "a device is a folder or a store of objects, and of no other type".to_owned();
                let help = "write `Device Type = File` and a folder as `Archive Device`, or `Object` and the address of a store";
                mapper.error(codes::REFUSED_DIRECTIVE, &kind.place, message, help);
            }
        }
    }
}

/// Pairs like `bucket=x`, with commas between them.
fn options(mapper: &mut Mapper, device: &mut Mapped) {
    let Some(node) = device.made("DeviceOptions").cloned() else { return };
    let text = device.said("DeviceOptions").unwrap_or_default().to_owned();
    let place = &node.place;
    let mut fields: Vec<(&'static str, Node)> = Vec::new();
    for pair in text.split(',').map(str::trim).filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').map_or((pair, "yes"), |(name, value)| (name.trim(), value.trim()));
        let known = OPTIONS.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
        let made = match known.map(|(_, is)| is) {
            Some(Is::Text(field)) => Some((*field, Some(Value::Text(value.to_owned())))),
            Some(Is::Bool(field)) => Some((*field, read::boolean(value).map(Value::Bool))),
            Some(Is::Size(field)) => Some((*field, read::size(value).map(Value::Number))),
            Some(Is::Time(field)) => Some((*field, read::seconds(value).map(Value::Number))),
            Some(Is::Bucket) => {
                device.set("archive_device", Node::text(place.clone(), format!("s3://{value}")));
                continue;
            }
            Some(Is::Moot(instead)) => {
                let message = format!("the option `{name}` has no effect: {instead}");
                mapper.warning(codes::WITHOUT_EFFECT, place, message, "");
                continue;
            }
            None => None,
        };
        match made {
            Some((field, Some(value))) => {
                fields.retain(|(known, _)| *known != field);
                fields.push((field, Node::new(place.clone(), value)));
            }
            Some((_, None)) => {
                let message = format!("{value:?} is no value for the option `{name}`");
                mapper.error(
                    codes::WRONG_VALUE,
                    place,
                    message,
                    "write it as in `part_size=64m` or `retry_for=5 minutes`",
                );
            }
            None => {
                let names: Vec<_> = OPTIONS.iter().map(|(known, _)| *known).collect();
                let message = format!("a store has no option `{name}`");
                mapper.error(codes::REFUSED_DIRECTIVE, place, message, format!("known: {}", names.join(", ")));
            }
        }
    }
    if !fields.is_empty() {
        device.set("object", Node::new(place.clone(), Value::Fields(fields)));
    }
}
