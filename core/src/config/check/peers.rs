//! Checks of the file daemon, the storage daemon and the console.

use std::collections::BTreeMap;

use super::{Built, Check, Checker, Finding, Side, messages, stores};
use crate::config::{Bytes, ConfigPath, ConsoleConfig, Device, FileConfig, FileDirector, StorageConfig, TlsMode};
use crate::explain::codes;
use crate::wire::command;
use crate::wire::names::PeerKind;
use crate::wire::plugin;

/// The smallest block a volume can have: its label must fit (`wire/3 §5.1`).
const SMALLEST_BLOCK: Bytes = Bytes::kib(4);
/// The largest block the tools that read volumes accept (`wire/3 §5.1`).
const LARGEST_BLOCK: Bytes = Bytes(20_000_000);

/// The devices that one may stand for: their serial numbers have four digits.
const MOST_DEVICES: u32 = 9_999;

impl Check for FileConfig {
    fn check(&self, built: Built) -> Vec<Finding> {
        let mut c = Checker::new(built);
        let (file, path) = (&self.file, ConfigPath::of("file"));
        let side = if file.listen.is_empty() { Side::Dialling } else { Side::Accepting };
        c.name_of(PeerKind::Client, &path, &file.name);
        c.listen(&path, &file.listen, file.port);
        c.tls(&path.field("tls"), &file.tls, side);
        c.heartbeat(path.field("heartbeat_interval"), Some(file.heartbeat_interval));
        let within = ("sd_connect_timeout", file.sd_connect_timeout);
        c.attempts(&path, within, ("sd_retry_interval", file.sd_retry_interval));
        c.not_zero(path.field("director_connect_timeout"), file.director_connect_timeout.0);
        c.not_zero(path.field("redial_interval"), file.redial_interval.0);
        c.source_address(&path, file.source_address.as_deref());
        c.not_zero(path.field("maximum_concurrent_jobs"), u64::from(file.maximum_concurrent_jobs));
        c.admission(&path, file.max_unauthenticated, file.authenticate_within);
        c.bandwidth(path.field("maximum_bandwidth_per_job"), file.maximum_bandwidth_per_job);
        script_folders(&mut c, &path, &file.allowed_script_dir);
        for (index, name) in file.plugin_names.iter().enumerate().filter(|(_, name)| *name != plugin::BPIPE) {
            let message = format!("there is no plugin {name:?}");
            let path = path.field("plugin_names").index(index);
            c.error(codes::UNKNOWN_VALUE, path, message, "write `bpipe`: it is the only one");
        }
        messages::of_daemon(&mut c, &path, file.messages.as_deref(), &self.messages);
        c.not_empty(ConfigPath::of("directors"), self.directors.len(), "director");
        c.names_of(PeerKind::Director, "directors", self.directors.iter().map(|director| director.name.as_str()));
        for (index, director) in self.directors.iter().enumerate() {
            let path = ConfigPath::of("directors").index(index);
            script_folders(&mut c, &path, &director.allowed_script_dir);
            file_director(&mut c, &path, director, file.listen.is_empty());
        }
        c.findings
    }
}

fn script_folders(c: &mut Checker, path: &ConfigPath, folders: &[String]) {
    for (index, folder) in folders.iter().enumerate().filter(|(_, folder)| !folder.starts_with('/')) {
        let path = path.field("allowed_script_dir").index(index);
        let help = "write it from the root: `/etc/towline/scripts`";
        c.error(codes::RELATIVE_PATH, path, format!("{folder:?} is not an absolute path"), help);
    }
}

fn file_director(c: &mut Checker, path: &ConfigPath, director: &FileDirector, deaf: bool) {
    c.password(path, &director.password);
    c.optional_address(path.field("address"), director.address.as_deref());
    c.port(path, director.port);
    c.optional_tls(path, director.tls.as_ref(), Side::Dialling);
    c.heartbeat(path.field("heartbeat_interval"), director.heartbeat_interval);
    limit_of(c, path, director.maximum_bandwidth_per_job, director.monitor);
    let dials = director.connection_from_client_to_director;
    if dials && director.address.is_none() {
        let message = format!("this daemon dials director {:?}, which has no address", director.name);
        c.error(codes::NO_ADDRESS, path.field("connection_from_client_to_director"), message, "add `address`");
    }
    if !dials && (deaf || !director.connection_from_director_to_client) {
        let message = format!("neither side may dial, so director {:?} is never reached", director.name);
        let help = "set `connection_from_client_to_director: true`, or listen and let the director dial";
        c.error(codes::NO_DIRECTION, path.clone(), message, help);
    }
    if deaf && dials && director.connection_from_director_to_client {
        let message =
            format!("both directions are set, but this daemon does not listen for director {:?}", director.name);
        let help = "set `connection_from_director_to_client: false`, or give `file` an address in `listen`";
        c.warning(codes::BOTH_DIRECTIONS, path.field("connection_from_director_to_client"), message, help);
    }
    if director.monitor && dials {
        let message = "a monitor waits for no connection of a client";
        let help = "remove `monitor` or `connection_from_client_to_director`";
        c.error(codes::CONTRADICTION, path.field("monitor"), message, help);
    }
    if director.allowed_job_commands.is_empty() && !director.monitor {
        let message = format!("director {:?} may not do anything", director.name);
        let help = "leave it out to allow all, or set `monitor: true`";
        c.warning(codes::EMPTY, path.field("allowed_job_commands"), message, help);
    }
}

/// The limit of a director's jobs. A monitor has none.
fn limit_of(c: &mut Checker, director: &ConfigPath, limit: Bytes, monitor: bool) {
    let path = director.field("maximum_bandwidth_per_job");
    if monitor && limit.0 > 0 {
        let message = "a monitor runs no jobs whose bandwidth could be limited";
        return c.warning(codes::CONTRADICTION, path, message, "remove it, or `monitor: true`");
    }
    c.bandwidth(path, limit);
}

impl Check for StorageConfig {
    fn check(&self, built: Built) -> Vec<Finding> {
        let mut c = Checker::new(built);
        let (storage, path) = (&self.storage, ConfigPath::of("storage"));
        c.name(&path, &storage.name);
        c.not_empty(path.field("listen"), storage.listen.len(), "address to listen on");
        c.listen(&path, &storage.listen, storage.port);
        c.tls(&path.field("tls"), &storage.tls, Side::Accepting);
        messages::of_daemon(&mut c, &path, storage.messages.as_deref(), &self.messages);
        c.heartbeat(path.field("heartbeat_interval"), Some(storage.heartbeat_interval));
        let within = ("fd_connect_timeout", storage.fd_connect_timeout);
        c.attempts(&path, within, ("fd_retry_interval", storage.fd_retry_interval));
        let within = ("sd_connect_timeout", storage.sd_connect_timeout);
        c.attempts(&path, within, ("sd_retry_interval", storage.sd_retry_interval));
        c.not_zero(path.field("client_connect_wait"), storage.client_connect_wait.0);
        c.source_address(&path, storage.source_address.as_deref());
        c.not_zero(path.field("maximum_concurrent_jobs"), u64::from(storage.maximum_concurrent_jobs));
        c.admission(&path, storage.max_unauthenticated, storage.authenticate_within);
        c.bandwidth(path.field("maximum_bandwidth_per_job"), storage.maximum_bandwidth_per_job);
        if storage.secure_erase_command.as_deref().is_some_and(|command| command::split(command).is_empty()) {
            let help = "name a program, such as `/usr/bin/shred -u`, or leave it out";
            c.error(codes::ERASE_COMMAND, path.field("secure_erase_command"), "there is no program", help);
        }
        c.not_empty(ConfigPath::of("directors"), self.directors.len(), "director");
        c.names_of(PeerKind::Director, "directors", self.directors.iter().map(|director| director.name.as_str()));
        for (index, director) in self.directors.iter().enumerate() {
            let path = ConfigPath::of("directors").index(index);
            c.password(&path, &director.password);
            c.optional_tls(&path, director.tls.as_ref(), Side::Dialling);
            c.heartbeat(path.field("heartbeat_interval"), director.heartbeat_interval);
            limit_of(&mut c, &path, director.maximum_bandwidth_per_job, director.monitor);
        }
        c.not_empty(ConfigPath::of("devices"), self.devices.len(), "device");
        c.names("devices", self.devices.iter().map(|device| device.name.as_str()));
        devices(&mut c, self);
        stores::together(&mut c, self);
        changers(&mut c, self);
        c.findings
    }
}

fn devices(c: &mut Checker, config: &StorageConfig) {
    let mut folders = BTreeMap::new();
    let in_changer = |device: &Device| config.autochangers.iter().any(|changer| changer.devices.contains(&device.name));
    for (index, device) in config.devices.iter().enumerate() {
        let path = ConfigPath::of("devices").index(index);
        if device.media_type.is_empty() {
            let help = "write the same word as in the director's `storages`";
            c.error(codes::BAD_NAME, path.field("media_type"), "the media type is empty", help);
        }
        if device.archive_device.is_empty() {
            c.error(
                codes::EMPTY,
                path.field("archive_device"),
                "there is no folder",
                "name the folder for the volumes",
            );
        } else if !in_changer(device)
            && let Some(first) = folders.insert((&device.archive_device, &device.media_type), index)
        {
            // Two devices over one folder are how several jobs run at once, as long as the volumes can be told apart.
            let message =
                format!("devices[{first}] has the same folder and media type, so both may need the same volume");
            c.warning(
                codes::SHARED_FOLDER,
                path.field("archive_device"),
                message,
                "give each device a folder of its own",
            );
        }
        stores::check(c, &path, device);
        if !(SMALLEST_BLOCK..=LARGEST_BLOCK).contains(&device.maximum_block_size) {
            let message = format!("a block of {} is not possible", device.maximum_block_size);
            let help = format!("choose from {SMALLEST_BLOCK} to {LARGEST_BLOCK}; 1 MiB is the default");
            c.error(codes::OUT_OF_RANGE, path.field("maximum_block_size"), message, help);
        }
        if device.maximum_volume_size.0 != 0 && device.maximum_volume_size < device.maximum_block_size {
            let message = "a volume would be smaller than one block";
            let help = "raise `maximum_volume_size`, or lower `maximum_block_size`";
            c.error(codes::CONTRADICTION, path.field("maximum_volume_size"), message, help);
        }
        c.not_zero(path.field("maximum_file_size"), device.maximum_file_size.0);
        if device.count > MOST_DEVICES {
            let message = format!("a device cannot stand for {}", device.count);
            let help = format!("choose from 1 to {MOST_DEVICES}");
            c.error(codes::OUT_OF_RANGE, path.field("count"), message, help);
        }
    }
}

/// The devices of an autochanger are there, and a volume that one of them has written is found by all.
fn changers(c: &mut Checker, config: &StorageConfig) {
    c.names("autochangers", config.autochangers.iter().map(|changer| changer.name.as_str()));
    let counted = |device: &Device| device.count > 1;
    let of_count = config.devices.iter().filter(|device| counted(device));
    // A device with a count has its name no longer, and its autochanger has it.
    let singles = config.devices.iter().filter(|device| !counted(device) || device.count > MOST_DEVICES);
    let few = of_count.clone().filter(|device| device.count <= MOST_DEVICES);
    let mut known: BTreeMap<String, &Device> = singles.map(|device| (device.name.clone(), device)).collect();
    known.extend(few.flat_map(|device| device.each().map(move |each| (each.name, device))));
    for (index, changer) in config.autochangers.iter().enumerate() {
        let path = ConfigPath::of("autochangers").index(index);
        c.not_empty(path.field("devices"), changer.devices.len(), "device");
        if known.contains_key(&changer.name) || of_count.clone().any(|device| device.name == changer.name) {
            let message = format!("the name {:?} is already used by a device", changer.name);
            let help = "give the autochanger a name of its own";
            c.error(codes::DUPLICATE_NAME, path.field("name"), message, help);
        }
        let mut first: Option<&Device> = None;
        for (place, name) in changer.devices.iter().enumerate() {
            let at = path.field("devices").index(place);
            let counted = of_count.clone().find(|device| device.name == *name);
            let Some(device) = known.get(name).copied().or(counted) else {
                let message = format!("there is no device {name:?}");
                c.error(codes::UNKNOWN_REFERENCE, at, message, "name one of `devices`");
                continue;
            };
            let first = first.get_or_insert(device);
            if (&first.archive_device, &first.media_type) != (&device.archive_device, &device.media_type) {
                let message = format!("{name:?} has another folder or media type than {:?}", first.name);
                let help =
                    "give all devices of an autochanger one folder and one media type: a volume is found on each";
                c.error(codes::CONTRADICTION, at, message, help);
            }
        }
    }
}

impl Check for ConsoleConfig {
    fn check(&self, built: Built) -> Vec<Finding> {
        let mut c = Checker::new(built);
        let (director, path) = (&self.director, ConfigPath::of("director"));
        c.name_of(PeerKind::Director, &path, &director.name);
        c.address(path.field("address"), &director.address);
        c.port(&path, director.port);
        // Only one of the two is used, so only that one can be wrong.
        let own_tls = self.console.as_ref().and_then(|console| console.tls.as_ref());
        if own_tls.is_none() {
            c.tls(&path.field("tls"), &director.tls, Side::Dialling);
        }
        c.heartbeat(path.field("heartbeat_interval"), Some(director.heartbeat_interval));
        let within = ("connect_timeout", director.connect_timeout);
        c.attempts(&path, within, ("retry_interval", director.retry_interval));
        let Some(console) = &self.console else {
            c.password(&path, &director.password);
            return c.findings;
        };
        let path = ConfigPath::of("console");
        c.name_of(PeerKind::Console, &path, &console.name);
        c.password(&path, &console.password);
        c.optional_tls(&path, console.tls.as_ref(), Side::Dialling);
        c.heartbeat(path.field("heartbeat_interval"), console.heartbeat_interval);
        // Both decide: one whether TLS starts at once, the other what is negotiated (`wire/1 §2.8` case C).
        if own_tls.is_some_and(|tls| (tls.mode() == TlsMode::Off) != (director.tls.mode() == TlsMode::Off)) {
            let message = "the console and its director disagree on whether TLS is used";
            let help = "set `enable` to the same value in `director.tls` and `console.tls`";
            c.error(codes::TLS_CONTRADICTION, path.field("tls"), message, help);
        }
        c.findings
    }
}
