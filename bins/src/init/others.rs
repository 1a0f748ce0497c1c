//! The configurations of the storage daemon, the file daemon, the console and the tray monitor, as texts with comments.

use super::site::{LOCAL, Site};
use crate::fresh::quoted;

/// That of the storage daemon.
pub(super) fn storage(site: &Site) -> String {
    format!(
        r#"// The storage daemon: it keeps the volumes. `towline-sd -t -c storage-daemon.ron` tests this file; the signal HUP has it read again.
(
    storage: (
        name: {name},
        port: {port}, // the director and the clients
        working_directory: {folder},
{tls}    ),
    directors: [
        (
            name: {director},
            password: {password}, // the same as in the director's `storages`
        ),
        (
            name: {monitor}, // the tray monitor may only ask for the status
            password: {watched},
            monitor: true,
        ),
    ],
    devices: [
        (
            name: "volumes", // the `device` of the director's storage
            media_type: "File",
            archive_device: {volumes}, // one file for each volume
            count: 4, // so many jobs at the same time, each with a volume of its own
        ),
    ],
)
"#,
        name = quoted(&site.named("sd")),
        port = site.storage_port(),
        folder = site.in_data("storage-daemon"),
        tls = site.tls("storage-daemon", "        "),
        director = quoted(&site.named("dir")),
        password = quoted(&site.passwords.storage),
        monitor = quoted(&site.named("mon")),
        watched = quoted(&site.passwords.watched_storage),
        volumes = site.in_data("volumes"),
    )
}

/// That of the file daemon of this machine.
pub(super) fn file(site: &Site) -> String {
    format!(
        r#"// The file daemon: it reads what is saved and writes what is restored. Run it as root to save and restore all files of the machine.
// `towline-fd -t -c file-daemon.ron` tests this file; the signal HUP has it read again.
(
    file: (
        name: {name},
        port: {port},
        working_directory: {folder},
{tls}        // Folders whose programs a director's jobs may run here; without it any program.
        // allowed_script_dir: ["/etc/towline/scripts"],
    ),
    directors: [
        (
            name: {director},
            password: {password}, // the same as in the director's `clients`
        ),
        (
            name: {monitor}, // the tray monitor may only ask for the status
            password: {watched},
            monitor: true,
        ),
    ],
)
"#,
        name = quoted(&site.named("fd")),
        port = site.file_port(),
        folder = site.in_data("file-daemon"),
        tls = site.tls("file-daemon", "        "),
        director = quoted(&site.named("dir")),
        password = quoted(&site.passwords.client),
        monitor = quoted(&site.named("mon")),
        watched = quoted(&site.passwords.watched_client),
    )
}

/// That of the console.
pub(super) fn console(site: &Site) -> String {
    format!(
        r#"// The console: `towline-console -c console.ron`. This one may do everything.
(
    director: (
        name: {name},
        address: "{LOCAL}", // on another machine: {address}
        port: {port},
        password: {password}, // the same as in the director's `director`
{tls}    ),
)
"#,
        name = quoted(&site.named("dir")),
        address = site.address,
        port = site.port,
        password = quoted(&site.passwords.console),
        tls = site.tls("console", "        "),
    )
}

/// That of the tray monitor.
pub(super) fn tray(site: &Site) -> String {
    let watched = |name: &str, port: u16, password: &str, whose: &str| {
        format!(
            r#"        (
            name: {name},
            address: "{LOCAL}",
            port: {port},
            password: {password}, // {whose}
        ),
"#,
            name = quoted(name),
            password = quoted(password),
        )
    };
    let Site { passwords, .. } = site;
    let console = format!("of the console \"{}\" of the director", site.named("mon"));
    let director = format!("of the director \"{}\" of the daemon", site.named("mon"));
    format!(
        r#"// The tray monitor: `towline-tray -c towline-tray.ron` shows what all daemons do.
(
    monitor: (
        name: {name},
{tls}    ),
    directors: [
{dir}    ],
    clients: [
{fd}    ],
    storages: [
{sd}    ],
)
"#,
        name = quoted(&site.named("mon")),
        tls = site.tls("console", "        "),
        dir = watched(&site.named("dir"), site.port, &passwords.watched_director, &console),
        fd = watched(&site.named("fd"), site.file_port(), &passwords.watched_client, &director),
        sd = watched(&site.named("sd"), site.storage_port(), &passwords.watched_storage, &director),
    )
}
