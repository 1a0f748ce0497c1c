//! `bareos-fd`: the file daemon.

use super::super::build;
use super::super::read::Kind::{self, Bool, Choice, Number, Port, Speed, Text, Time, Words};
use super::super::table::{Act, Component, Directive, Resource, always, field, made, without};
use super::shared::{DAEMON, ELSEWHERE, LISTEN, NAMED, TLS};

pub(in super::super) const COMPONENT: Component = Component {
    name: "bareos-fd",
    ron: "file-daemon.ron",
    file: "bareos-fd.conf",
    tree: "bareos-fd.d",
    build: build::file::build,
    resources: &[
        Resource { name: "Client", also: &["Clients", "FileDaemon"], rows: &[NAMED, LISTEN, DAEMON, CLIENT, TLS] },
        Resource { name: "Director", also: &["Directors"], rows: &[NAMED, DIRECTOR, TLS] },
        Resource { name: "Messages", also: &[], rows: &[NAMED, ELSEWHERE] },
    ],
};

const SIGNED: &str = "files are not signed by the client";

const CLIENT: &[Directive] = &[
    field("MaximumConcurrentJobs", Number, "maximum_concurrent_jobs"),
    without("SecureEraseCommand", Text, "a file that a restore replaces is deleted by the system"),
    field("SdConnectTimeout", Time, "sd_connect_timeout"),
    field("HeartbeatInterval", Time, "heartbeat_interval"),
    field("MaximumBandwidthPerJob", Speed, "maximum_bandwidth_per_job"),
    made("AllowedJobCommand", Words, "is the `allowed_job_commands` of each director that has none of its own"),
    field("AllowedScriptDir", Words, "allowed_script_dir"),
    made(
        "PluginDirectory",
        Text,
        "with it the plugin bpipe can be used, unless `PluginNames` says otherwise; nothing is read there",
    ),
    made("PluginNames", Words, "is `plugin_names`, if there is a `PluginDirectory`; `bpipe` is the only plugin"),
    without("MaximumWorkersPerJob", Number, "a job has as many workers as it needs"),
    without("MaximumNetworkBufferSize", Number, "buffers have one size"),
    without("AllowBandwidthBursting", Bool, "what a job has not used is not saved up"),
    without("AlwaysUseLmdb", Bool, "the list of an accurate job is kept in memory"),
    without("LmdbThreshold", Number, "the list of an accurate job is kept in memory"),
    without("GrpcModule", Text, "the only plugin is bpipe"),
    always("PkiSignatures", Bool, &["no"], &Act::Refused("files would be saved unsigned; remove it if that is right")),
    always(
        "PkiEncryption",
        Bool,
        &["no"],
        &Act::Refused("files would be saved unencrypted; remove it if that is right"),
    ),
    without("PkiKeyPair", Text, SIGNED),
    without("PkiSigner", Words, SIGNED),
    without("PkiMasterKey", Words, SIGNED),
    without("PkiCipher", Text, SIGNED),
];

const DIRECTOR: &[Directive] = &[
    field("Password", Text, "password"),
    field("Address", Text, "address"),
    field("Port", Port, "port"),
    field("ConnectionFromDirectorToClient", Bool, "connection_from_director_to_client"),
    field("ConnectionFromClientToDirector", Bool, "connection_from_client_to_director"),
    field("Monitor", Bool, "monitor"),
    field("MaximumBandwidthPerJob", Speed, "maximum_bandwidth_per_job"),
    field("AllowedScriptDir", Words, "allowed_script_dir"),
    made("AllowedJobCommand", Words, "is `allowed_job_commands`"),
];

/// The words of `AllowedJobCommand` that a file daemon acts on, and what the typed model calls them.
pub(in super::super) const COMMANDS: Kind = Choice(&[
    ("backup", "backup"),
    ("restore", "restore"),
    ("verify", "verify"),
    ("estimate", "estimate"),
    ("runscript", "runscript"),
]);
