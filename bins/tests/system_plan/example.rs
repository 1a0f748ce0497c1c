//! An example of a plan as its daemons read it: each with a configuration of its own, and times that a test can wait for.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use ron::extensions::Extensions;
use serde::Deserialize;
use serde_json::Value;
use towline_core::config::{Client, DirectorConfig, Password, Seconds, Storage};

/// After how many seconds the cloud forgets, instead of as many minutes.
const IDLE: u32 = 4;
/// How many seconds a client says nothing if it is told to: longer than the cloud remembers.
const SILENCE: u32 = 13;

/// A network as a topology has it: what the namespaces are made of.
#[derive(Debug, Deserialize)]
pub(crate) struct Topology {
    pub(crate) networks: Vec<Network>,
    pub(crate) hosts: Vec<Host>,
    #[serde(default)]
    pub(crate) names: Vec<Name>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Network {
    pub(crate) name: String,
    pub(crate) addresses: Vec<String>,
    #[serde(default)]
    pub(crate) gateway: Option<Gateway>,
}

/// What the examples use of gateways; a field that is not here fails the test.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Gateway {
    pub(crate) to: String,
    pub(crate) address: String,
    #[serde(default = "yes")]
    pub(crate) translates: bool,
    #[serde(default)]
    pub(crate) forwards: Vec<Forward>,
    #[serde(default)]
    pub(crate) rules: Vec<Rule>,
    #[serde(default)]
    pub(crate) inward: Option<Verdict>,
    #[serde(default)]
    pub(crate) outward: Option<Verdict>,
    #[serde(default)]
    pub(crate) idle: Option<Seconds>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Forward {
    pub(crate) port: u16,
    pub(crate) to: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Rule {
    pub(crate) way: Way,
    pub(crate) from: Option<String>,
    pub(crate) to: Option<String>,
    pub(crate) port: Option<u16>,
    pub(crate) verdict: Verdict,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Way {
    In,
    Out,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Verdict {
    Accept,
    Drop,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Host {
    pub(crate) name: String,
    pub(crate) network: String,
    pub(crate) address: String,
    #[serde(default)]
    pub(crate) daemons: Vec<String>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Name {
    pub(crate) name: String,
    pub(crate) addresses: Vec<String>,
    #[serde(default)]
    pub(crate) seen_by: Vec<String>,
}

const fn yes() -> bool {
    true
}

/// See the [module](self).
#[derive(Debug)]
pub(crate) struct Example {
    pub(crate) folder: tempfile::TempDir,
    pub(crate) topology: Topology,
    pub(crate) director: DirectorConfig,
    /// The configurations by the daemons' names, the director's among them.
    pub(crate) configs: BTreeMap<String, PathBuf>,
    /// While it is there, clients are silent for [`SILENCE`] before they say what they have.
    pub(crate) silence: PathBuf,
}

impl Example {
    /// The example of this name.
    pub(crate) fn read(name: &str) -> Self {
        let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/plan").join(name);
        let folder = tempfile::tempdir().unwrap();
        let at = folder.path();
        let network = read(&from.join("network.ron")).replace("4 min", &format!("{IDLE} s"));
        fs::write(at.join("network.ron"), &network).unwrap();
        let silence = at.join("silence");
        let text = director(&read(&from.join("director.ron")), at, &silence);
        let director: DirectorConfig = options().from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"));
        fs::write(at.join("director.ron"), text).unwrap();
        let mut configs: BTreeMap<String, PathBuf> = [(director.director.name.clone(), at.join("director.ron"))].into();
        let given: Vec<String> = fs::read_dir(&from)
            .unwrap()
            .map(|file| file.unwrap().path())
            .filter(|file| !file.ends_with("director.ron") && !file.ends_with("network.ron"))
            .map(|file| read(&file))
            .collect();
        let own = |name: &str| given.iter().find(|text| text.contains(&format!("(name: \"{name}\""))).cloned();
        let mut write = |name: &str, text: String| {
            let file = at.join(format!("{name}.ron"));
            fs::write(&file, text).unwrap();
            configs.insert(name.to_owned(), file);
        };
        for client in &director.clients {
            let text = own(&client.name).unwrap_or_else(|| file(&director, client));
            write(
                &client.name,
                equipped(
                    &text,
                    &client.name,
                    at,
                    "plugin_names: [\"bpipe\"], sd_connect_timeout: 12, sd_retry_interval: 3",
                ),
            );
        }
        for storage in &director.storages {
            let text = own(&storage.name).unwrap_or_else(|| storage_daemon(&director, storage));
            let volumes = at.join(format!("{}-volumes", storage.name));
            fs::create_dir_all(&volumes).unwrap();
            let text = text.replace("/var/lib/towline/volumes", &volumes.display().to_string());
            write(&storage.name, equipped(&text, &storage.name, at, "fd_connect_timeout: 12, fd_retry_interval: 3"));
        }
        let topology = options().from_str(&network).unwrap_or_else(|error| panic!("{error}: {network}"));
        Self { topology, director, configs, silence, folder }
    }

    /// What a plan says of it: its rows.
    pub(crate) fn rows(&self) -> Vec<Value> {
        let mut command = Command::new(env!("CARGO_BIN_EXE_towline"));
        command.args(["plan", "--json", "--topology"]).arg(self.folder.path().join("network.ron"));
        self.configs.values().for_each(|file| _ = command.arg("--config").arg(file));
        let output = command.output().unwrap();
        let errors = String::from_utf8_lossy(&output.stderr);
        let mut plan: Value =
            serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {errors}"));
        let Value::Array(rows) = plan["rows"].take() else { panic!("no rows: {plan}") };
        rows
    }
}

fn read(file: &Path) -> String {
    fs::read_to_string(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
}

fn options() -> ron::Options {
    ron::Options::default().with_default_extension(Extensions::IMPLICIT_SOME | Extensions::UNWRAP_VARIANT_NEWTYPES)
}

/// The director's configuration with a place to work in, dials that end soon, and something to save.
fn director(text: &str, at: &Path, silence: &Path) -> String {
    let data = at.join("data");
    fs::create_dir_all(&data).unwrap();
    fs::write(data.join("file"), "some data").unwrap();
    let script = at.join("speak");
    let silent = format!("#!/bin/sh\n[ ! -e {} ] || sleep {SILENCE}\necho data\n", silence.display());
    fs::write(&script, silent).unwrap();
    fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).unwrap();
    let plugin = format!("bpipe:file=/said:reader={}:writer=cat", script.display());
    let include = format!("(files: [{data:?}], plugins: [{plugin:?}])");
    let times = "fd_connect_timeout: 12, fd_retry_interval: 3, sd_connect_timeout: 12, sd_retry_interval: 3";
    let place = format!("listen: [\"0.0.0.0\"], working_directory: {at:?}, heartbeat_interval: 1, {times}");
    let own = "password: \"change-me-console\"";
    assert!(text.contains(own), "{text}");
    let mut text = text.replace(own, &format!("{own}, {place}"));
    for files in ["(files: [\"/srv\"])", "(files: [\"/home\"])"] {
        text = text.replace(files, &include);
    }
    assert!(text.contains(&include), "{text}");
    let all = text.trim_end().strip_suffix(')').unwrap_or_else(|| panic!("no end: {text}"));
    format!("{all}    catalog: sqlite(path: {:?}),\n)\n", at.join("catalog.sqlite"))
}

/// A file daemon as a plan takes it to be that knows nothing of it.
fn file(config: &DirectorConfig, client: &Client) -> String {
    let (name, port, password) = (&client.name, client.port, clear(&client.password));
    let dir = &config.director.name;
    format!("(file: (name: {name:?}, port: {port}), directors: [(name: {dir:?}, password: {password:?})])")
}

/// The same of a storage daemon.
fn storage_daemon(config: &DirectorConfig, storage: &Storage) -> String {
    let Storage { name, port, device, media_type, .. } = storage;
    let (dir, password) = (&config.director.name, clear(&storage.password));
    format!(
        "(storage: (name: {name:?}, port: {port}), directors: [(name: {dir:?}, password: {password:?})], devices: [(name: \
         {device:?}, media_type: {media_type:?}, archive_device: \"/var/lib/towline/volumes\")])"
    )
}

/// With a place to work in, and heartbeats as often as they must be where the cloud forgets so soon.
fn equipped(text: &str, name: &str, at: &Path, more: &str) -> String {
    let own = format!("(name: {name:?}");
    let folder = at.join(format!("{name}-work"));
    fs::create_dir_all(&folder).unwrap();
    let text = text.replace("heartbeat_interval: 60", "heartbeat_interval: 1");
    let mut equipped = format!("{own}, listen: [\"0.0.0.0\"], working_directory: {folder:?}, {more}");
    let rest = text.split_once(&own).map(|(_, rest)| rest).unwrap_or_else(|| panic!("{name}: {text}"));
    if !rest.split_once(')').is_some_and(|(own, _)| own.contains("heartbeat_interval")) {
        let _ = write!(equipped, ", heartbeat_interval: 1");
    }
    text.replacen(&own, &equipped, 1)
}

fn clear(password: &Password) -> String {
    String::from_utf8(password.clear().expose().to_vec()).unwrap()
}
