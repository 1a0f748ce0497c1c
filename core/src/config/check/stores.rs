//! Devices that keep their volumes in a store of objects.

use std::collections::BTreeMap;

use super::Checker;
use crate::config::{Bytes, ConfigPath, Device, ObjectStore, StorageConfig, store_address};
use crate::explain::codes;

/// Sizes that a part may have.
const SMALLEST_PART: Bytes = Bytes::mib(1);
const LARGEST_PART: Bytes = Bytes::gib(1);

/// What is wrong with the stores of a configuration, besides what is wrong with each of them.
pub(super) fn together(c: &mut Checker, config: &StorageConfig) {
    let mut known: BTreeMap<&str, (usize, &ObjectStore)> = BTreeMap::new();
    for (index, device) in config.devices.iter().enumerate().filter(|(_, device)| device.is_object()) {
        let path = ConfigPath::of("devices").index(index);
        let (first, settings) = known.entry(&device.archive_device).or_insert((index, &device.object));
        if **settings != device.object {
            let message = format!("devices[{first}] has the same store, and other settings for it");
            let help = "write the same settings for both, or give each a prefix of its own";
            c.error(codes::STORE_SETTING, path.field("object"), message, help);
        }
        if config.storage.secure_erase_command.is_some() {
            let help = "keep volumes that are to be erased in folders, or have the store encrypt what it keeps";
            let message = "`secure_erase_command` does not reach a store: parts are deleted as the store deletes them";
            c.warning(codes::STORE_SETTING, path.field("kind"), message, help);
        }
    }
}

/// What is wrong with the store of a device, or with its being none. `path` is that of the device.
pub(super) fn check(c: &mut Checker, path: &ConfigPath, device: &Device) {
    let address = store_address(&device.archive_device);
    match (device.is_object(), address) {
        (false, None) => {
            if device.object != ObjectStore::default() {
                let help = "write `kind: object`, or leave `object` out";
                c.error(codes::STORE_SETTING, path.field("object"), "a folder has no settings of a store", help);
            }
            return;
        }
        (false, Some(_)) => {
            let message =
                format!("{:?} is the address of a store, and the device is of kind `file`", device.archive_device);
            return c.error(codes::STORE_ADDRESS, path.field("kind"), message, "write `kind: object`");
        }
        (true, None) => {
            let message = format!("{:?} is no address of a store", device.archive_device);
            let help = "write it as \"s3://bucket/prefix\", or leave `kind` out for a folder";
            return c.error(codes::STORE_ADDRESS, path.field("archive_device"), message, help);
        }
        (true, Some((kind, rest))) => {
            if !is_whole(kind, rest) {
                let message = format!("{:?} is no whole address of a store", device.archive_device);
                let help = "write it as \"s3://bucket/prefix\" or \"file:///folder\"";
                c.error(codes::STORE_ADDRESS, path.field("archive_device"), message, help);
            }
            settings(c, &path.field("object"), kind, &device.object);
        }
    }
    if device.object.part_size < device.maximum_block_size {
        let help = "raise `part_size`, or lower `maximum_block_size`";
        c.error(codes::STORE_SETTING, path.field("object"), "a part would be smaller than one block", help);
    }
}

/// Whether there is a bucket, or a folder from the root on, and no name that leads elsewhere.
fn is_whole(kind: &str, rest: &str) -> bool {
    let (first, others) = match kind {
        "file" => match rest.strip_prefix('/') {
            Some(folder) => (folder, ""),
            None => return false,
        },
        _ => rest.split_once('/').unwrap_or((rest, "")),
    };
    let mut names = first.split('/').chain(others.split('/'));
    !first.is_empty() && !names.any(|name| name == "." || name == "..") && !rest.contains(['?', '#', '@', '\\'])
}

fn settings(c: &mut Checker, path: &ConfigPath, kind: &str, store: &ObjectStore) {
    let places = [store.credentials.is_some(), store.access_key.is_some()];
    if kind == "file" && (places.contains(&true) || store.endpoint.is_some() || store.tls_ca.is_some()) {
        let message = "a folder needs neither a server nor keys";
        return c.error(codes::STORE_SETTING, path.clone(), message, "leave `object` out");
    }
    if store.access_key.is_some() != store.secret_key.is_some() {
        let help = "give `access_key` and `secret_key`, or neither";
        c.error(codes::STORE_SETTING, path.clone(), "one of the two keys is missing", help);
    }
    if places == [true, true] {
        let help = "keep `credentials`, or `access_key` and `secret_key`";
        c.error(codes::STORE_SETTING, path.field("credentials"), "the keys are given twice", help);
    }
    if let Some(key) = &store.secret_key
        && let Some(fault) = key.fault()
    {
        c.error(codes::BAD_PASSWORD, path.field("secret_key"), fault, "write the secret key as the store has given it");
    }
    if let Some(endpoint) = &store.endpoint
        && !["http://", "https://"]
            .iter()
            .any(|start| endpoint.strip_prefix(start).is_some_and(|host| !host.is_empty()))
    {
        let message = format!("{endpoint:?} is no address of a server");
        c.error(codes::STORE_SETTING, path.field("endpoint"), message, "write it as \"https://s3.example.com\"");
    }
    if store.is_exposed() && !store.clear_text {
        let help = "write `https://`, or set `clear_text: true` if a tunnel protects the way to it";
        c.error(codes::CLEAR_STORE, path.field("endpoint"), "the store would be reached in clear text", help);
    }
    if store.tls_ca.is_some() && store.endpoint.as_deref().is_some_and(|endpoint| endpoint.starts_with("http://")) {
        let help = "write `https://` in `endpoint`, or leave `tls_ca` out";
        c.error(codes::STORE_SETTING, path.field("tls_ca"), "nothing is held against these authorities", help);
    }
    if !(SMALLEST_PART..=LARGEST_PART).contains(&store.part_size) {
        let message = format!("a part of {} is not possible", store.part_size);
        let help = format!("choose from {SMALLEST_PART} to {LARGEST_PART}; 64 MiB is the default");
        c.error(codes::OUT_OF_RANGE, path.field("part_size"), message, help);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::config::{Built, Check as _, Severity, StorageConfig};

    fn findings(mut device: Value) -> Vec<String> {
        device["name"] = "d".into();
        device["media_type"] = "S3".into();
        let config = json!({
            "storage": { "name": "sd" },
            "directors": [{ "name": "dir", "password": "x" }],
            "devices": [device],
        });
        let config: StorageConfig = serde_json::from_value(config).expect("it is a configuration");
        let errors = config.check(Built { psk: true }).into_iter().filter(|one| one.severity == Severity::Error);
        errors.map(|one| format!("{} {}", one.code, one.path)).collect()
    }

    #[test]
    fn stores_that_can_work_have_no_findings() {
        for device in [
            json!({ "kind": "object", "archive_device": "s3://bucket" }),
            json!({ "kind": "object", "archive_device": "s3://bucket/a/b", "object": { "credentials": "keys" } }),
            json!({ "kind": "object", "archive_device": "file:///srv/objects", "object": { "part_size": 1 << 20 } }),
            json!({ "kind": "object", "archive_device": "s3://b", "object": { "endpoint": "http://localhost:9000",
                "access_key": "a", "secret_key": "b" } }),
            json!({ "kind": "object", "archive_device": "s3://b", "object": { "endpoint": "http://far.example",
                "clear_text": true } }),
            json!({ "kind": "file", "archive_device": "/srv/volumes" }),
        ] {
            assert_eq!(findings(device.clone()), [""; 0], "{device}");
        }
    }

    #[test]
    fn what_cannot_work_is_found_at_its_place() {
        let object = |settings: Value| json!({ "kind": "object", "archive_device": "s3://b", "object": settings });
        for (device, expected) in [
            (json!({ "archive_device": "s3://bucket" }), "T0971 devices[0].kind"),
            (json!({ "kind": "object", "archive_device": "/srv" }), "T0971 devices[0].archive_device"),
            (json!({ "kind": "object", "archive_device": "s3://" }), "T0971 devices[0].archive_device"),
            (json!({ "kind": "object", "archive_device": "s3://b/../c" }), "T0971 devices[0].archive_device"),
            (json!({ "kind": "object", "archive_device": "s3://key@b" }), "T0971 devices[0].archive_device"),
            (json!({ "kind": "object", "archive_device": "file://srv" }), "T0971 devices[0].archive_device"),
            (json!({ "archive_device": "/srv", "object": { "region": "x" } }), "T0972 devices[0].object"),
            (object(json!({ "access_key": "a" })), "T0972 devices[0].object"),
            (
                object(json!({ "access_key": "a", "secret_key": "b", "credentials": "c" })),
                "T0972 devices[0].object.credentials",
            ),
            (object(json!({ "access_key": "a", "secret_key": "" })), "T0823 devices[0].object.secret_key"),
            (object(json!({ "endpoint": "s3.example.com" })), "T0972 devices[0].object.endpoint"),
            (object(json!({ "endpoint": "http://192.0.2.1" })), "T0973 devices[0].object.endpoint"),
            (object(json!({ "endpoint": "http://localhost", "tls_ca": "ca.pem" })), "T0972 devices[0].object.tls_ca"),
            (object(json!({ "part_size": 1_u64 << 40 })), "T0837 devices[0].object.part_size"),
        ] {
            assert_eq!(findings(device.clone()), [expected], "{device}");
        }
        let device = json!({ "kind": "object", "archive_device": "file:///srv", "object": { "credentials": "x" } });
        assert_eq!(findings(device), ["T0972 devices[0].object"]);
    }

    #[test]
    fn one_store_has_one_way_to_it_and_no_command_erases_there() {
        let device = |name: &str, region: &str| {
            json!({ "name": name, "media_type": name, "kind": "object", "archive_device": "s3://b",
                    "object": { "region": region } })
        };
        let found = |second: Value, erase: Option<&str>| {
            let config = json!({
                "storage": { "name": "sd", "secure_erase_command": erase },
                "directors": [{ "name": "dir", "password": "x" }],
                "devices": [device("one", "eu"), second],
            });
            let config: StorageConfig = serde_json::from_value(config).expect("it is a configuration");
            let found = config.check(Built { psk: true });
            found.iter().map(|one| format!("{:?} {} {}", one.severity, one.code, one.path)).collect::<Vec<_>>()
        };
        assert_eq!(found(device("two", "eu"), None), [""; 0]);
        assert_eq!(found(device("two", "us"), None), ["Error T0972 devices[1].object"]);
        let folder = json!({ "name": "two", "media_type": "File", "archive_device": "/srv" });
        assert_eq!(found(folder, Some("shred -u")), ["Warning T0972 devices[0].kind"]);
    }
}
