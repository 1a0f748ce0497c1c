//! The director's configuration, as a text with comments.

use super::site::{LOCAL, Site};
use crate::fresh::quoted;

/// What no backup of a machine needs: made by the system, or made again by itself.
const LEFT_OUT: [&str; 15] = [
    "/proc",
    "/sys",
    "/dev",
    "/run",
    "/tmp",
    "/var/tmp",
    "/var/cache",
    "/var/run",
    "/media",
    "/swapfile",
    "/swap.img",
    "/var/lib/docker/overlay2",
    "/var/lib/containers/storage/overlay",
    "/var/lib/systemd/coredump",
    "/var/lib/lxcfs",
];

/// The whole file.
pub(super) fn text(site: &Site) -> String {
    let parts = [head(site), daemons(site), jobs(site), schedules(), filesets(site), pools(), rest(site)];
    parts.concat()
}

fn head(site: &Site) -> String {
    format!(
        r#"// The director: it runs the jobs and keeps the catalog. Change this file as you like: `towline-dir -t -c director.ron` tests it,
// and `reload` in the console takes it into use while jobs run. Durations are written "30 s", "5 min", "60 d"; sizes "50 GiB".
(
    director: (
        name: {name},
        password: {password}, // of the default console, in console.ron
        port: {port}, // the console, and clients that dial in
        working_directory: {folder},
{tls}    ),
"#,
        name = quoted(&site.named("dir")),
        password = quoted(&site.passwords.console),
        port = site.port,
        folder = site.in_data("director"),
        tls = site.tls("director", "        "),
    )
}

fn daemons(site: &Site) -> String {
    format!(
        r#"    // The machines that are saved. `towline client add NAME` adds one here, with its job.
    clients: [
        (
            name: {client}, // this machine
            address: "{LOCAL}",
            port: {file_port},
            password: {client_password}, // the same as in file-daemon.ron
        ),
    ],
    // Where the data go. The clients dial this address too.
    storages: [
        (
            name: "volumes",
            address: {address},
            port: {storage_port},
            password: {storage_password}, // the same as in storage-daemon.ron
            device: "volumes",
            media_type: "File",
            maximum_concurrent_jobs: 4, // as many as the storage daemon's device has places
        ),
    ],
"#,
        client = quoted(&site.named("fd")),
        file_port = site.file_port(),
        client_password = quoted(&site.passwords.client),
        address = quoted(&site.address),
        storage_port = site.storage_port(),
        storage_password = quoted(&site.passwords.storage),
    )
}

/// The command that makes a copy of the catalog that does not change while it is saved.
fn copies_the_catalog(site: &Site) -> String {
    let word = |path: &std::path::Path| format!("'{}'", path.display());
    let copy = site.data.join("catalog-copy.sqlite");
    format!("{} catalog backup {} --config {}", word(&site.program), word(&copy), word(&site.director_file()))
}

fn jobs(site: &Site) -> String {
    format!(
        r#"    jobs: [
        (
            // This machine. What is full goes to the pool "full", and so on.
            name: {name},
            client: {client},
            fileset: "machine",
            storage: "volumes",
            pool: "incremental",
            full_pool: "full",
            differential_pool: "differential",
            schedule: "nightly",
            accurate: true, // files that are gone or have been moved here are noticed
            reschedule_on_error: true,
            reschedule_times: 2,
        ),
        (
            // The catalog and these configurations, the last of the night: a higher number waits until the others have ended.
            name: "catalog",
            client: {client},
            fileset: "catalog",
            storage: "volumes",
            pool: "catalog",
            level: full,
            schedule: "after-the-others",
            priority: 20,
            run_scripts: [
                (
                    command: {command},
                    runs_when: before,
                    runs_on_client: false,
                ),
            ],
        ),
        (
            // What `restore` of the console uses unless told otherwise. Files go below this folder, not over those of today.
            name: "restore",
            kind: restore,
            client: {client},
            fileset: "machine",
            storage: "volumes",
            pool: "full",
            where: "/var/tmp/restored",
        ),
    ],
"#,
        name = quoted(&site.name),
        client = quoted(&site.named("fd")),
        command = quoted(&copies_the_catalog(site)),
    )
}

fn schedules() -> String {
    r#"    schedules: [
        (
            // Full once a month, what has changed since then once a week, what has changed since yesterday every night.
            name: "nightly",
            runs: [
                (at: ["21:00"], level: full, days: [sun], weeks: [first]), // of several lines for one moment the first counts
                (at: ["21:00"], level: differential, days: [sun]),
                (at: ["21:00"], level: incremental),
            ],
        ),
        (name: "after-the-others", runs: [(at: ["21:10"], level: full)]),
    ],
"#
    .to_owned()
}

fn filesets(site: &Site) -> String {
    let kinds: Vec<String> = site.file_systems.iter().map(|kind| quoted(kind)).collect();
    let line = |path: &str| format!("                    {},\n", quoted(path));
    let own = [&site.data.join("volumes"), &site.data.join("catalog.sqlite"), &site.data.join("catalog-copy.sqlite")];
    let own = own.map(|path| path.display().to_string());
    let left_out: String = LEFT_OUT.iter().copied().chain(own.iter().map(String::as_str)).map(line).collect();
    let configurations = quoted(&site.folder.display().to_string());
    let copy = quoted(&site.data.join("catalog-copy.sqlite").display().to_string());
    format!(
        r#"    filesets: [
        (
            // A whole machine: all of its disks, without what changes by itself or is no data.
            name: "machine",
            include: [
                (
                    files: ["/"],
                    options: [
                        (
                            // The first block that matches a file counts for it.
                            exclude: true,
                            wild_dir: ["*/.cache", "*/lost+found", "*/.local/share/Trash", "*/.Trash-*"],
                        ),
                        (
                            // All other files.
                            digest: xxh128,
                            compression: lz4,
                            onefs: false, // other disks too, if they have one of these file systems: no network, no memory
                            fs_types: [{kinds}],
                        ),
                    ],
                    exclude_dir_containing: ["CACHEDIR.TAG", ".nobackup"], // folders with such a file
                ),
            ],
            exclude: (
                files: [
{left_out}                ],
            ),
        ),
        (
            name: "catalog",
            include: [
                (
                    files: [{copy}, {configurations}],
                    options: [
                        (
                            digest: xxh128,
                            compression: lz4,
                        ),
                    ],
                ),
            ],
            exclude: (
                files: [
{own}                ],
            ),
        ),
    ],
"#,
        kinds = kinds.join(", "),
        own = [&own[0], &own[1]].map(|path| line(path)).concat(),
    )
}

fn pools() -> String {
    let pool = |name: &str, why: &str, retention: &str, use_for: &str, size: &str| {
        format!(
            r#"        (
            name: "{name}", // {why}
            label_format: "{name}-", // and a number, which goes on over all pools: {name}-0001, …
            maximum_volume_bytes: "{size}",
            maximum_volumes: 200,
            volume_use_duration: "{use_for}",
            volume_retention: "{retention}",
        ),
"#
        )
    };
    let pools = [
        pool("full", "three months and the one that is being made", "120 d", "2 d", "50 GiB"),
        pool("differential", "two months", "60 d", "2 d", "20 GiB"),
        pool("incremental", "one month", "31 d", "7 d", "10 GiB"),
        pool("catalog", "one month", "31 d", "7 d", "10 GiB"),
    ];
    format!(
        "    // Volumes, by how long they are kept. One that is full or was written for its `volume_use_duration` keeps its jobs for its\n    \
             // `volume_retention`; then it is written again. The last full backup of a client stays.\n    \
             pools: [\n{}    ],\n",
        pools.concat()
    )
}

fn rest(site: &Site) -> String {
    format!(
        r#"    catalog: sqlite(path: {catalog}),
    consoles: [
        (
            // The tray monitor: it sees the state of everything, and may do nothing.
            name: {monitor},
            password: {password}, // the same as in towline-tray.ron
            command_acl: ["status", ".status"],
            job_acl: ["*all*"],
            client_acl: ["*all*"],
            storage_acl: ["*all*"],
            schedule_acl: ["*all*"],
            pool_acl: ["*all*"],
            fileset_acl: ["*all*"],
            catalog_acl: ["*all*"],
        ),
    ],
)
"#,
        catalog = site.in_data("catalog.sqlite"),
        monitor = quoted(&site.named("mon")),
        password = quoted(&site.passwords.watched_director),
    )
}
