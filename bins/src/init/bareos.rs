//! The same configurations in Bareos' syntax: the trees that its packages install, a file for each resource.

use towline_core::config::{ConsoleConfig, DirectorConfig, FileConfig, Passwords, StorageConfig, TrayConfig};

use super::site::Site;
use super::{Failure, checked, director, others};
use crate::config::{Configured, to_conf};
use crate::fresh::{private_file, private_folder};

/// What the files of a folder are for.
const ABOUT: [(&str, &str); 20] = [
    ("bareos-dir.d/director", "The director itself: it runs the jobs and keeps the catalog."),
    ("bareos-dir.d/client", "A machine that is saved; its password is in bareos-fd.d/director of that machine."),
    (
        "bareos-dir.d/storage",
        "Where the data go. The clients dial this address too; its password is in bareos-sd.d/director.",
    ),
    ("bareos-dir.d/job", "A job: which client, which fileset, when, and to which pools."),
    (
        "bareos-dir.d/fileset",
        "Which files are saved, and how. The first options block that matches a file counts for it.",
    ),
    (
        "bareos-dir.d/pool",
        "Volumes with the same rules: a full one keeps its jobs for its retention and is then written again.",
    ),
    ("bareos-dir.d/schedule", "When jobs run. Of several lines for one moment the first counts."),
    ("bareos-dir.d/catalog", "The catalog: what was saved where."),
    ("bareos-dir.d/console", "A named console. The tray monitor sees the state of everything, and may do nothing."),
    ("bareos-dir.d/messages", "Where the messages of jobs go."),
    ("bareos-sd.d/storage", "The storage daemon itself: it keeps the volumes."),
    ("bareos-sd.d/director", "A director that may use it; the password is that of the director's storage."),
    ("bareos-sd.d/device", "A folder with volumes, one file for each."),
    ("bareos-sd.d/messages", "What the director is told."),
    ("bareos-fd.d/client", "The file daemon itself. Run it as root to save and restore all files of the machine."),
    ("bareos-fd.d/director", "A director that may use it; the password is that of the director's client."),
    ("bareos-fd.d/messages", "What the director is told."),
    ("bconsole.d", "The console. This one may do everything."),
    ("bconsole.conf", "The console. This one may do everything."),
    ("tray-monitor.d", "The tray monitor: it shows what all daemons do."),
];

/// Writes the trees. Returns what Bareos has no directive for.
pub(super) fn write(site: &Site) -> Result<Vec<String>, Failure> {
    let mut left_out = Vec::new();
    program::<DirectorConfig>(site, &director::text(site), &mut left_out)?;
    program::<StorageConfig>(site, &others::storage(site), &mut left_out)?;
    program::<FileConfig>(site, &others::file(site), &mut left_out)?;
    program::<ConsoleConfig>(site, &others::console(site), &mut left_out)?;
    program::<TrayConfig>(site, &others::tray(site), &mut left_out)?;
    Ok(left_out)
}

fn program<T>(site: &Site, text: &str, left_out: &mut Vec<String>) -> Result<(), Failure>
where
    T: Configured + Passwords + Clone,
{
    let config = checked::<T>(T::COMPONENT.name(), text)?;
    let conf = to_conf(&config).map_err(|error| Failure::Bug(error.to_string()))?;
    for (name, text) in conf.files {
        let about = ABOUT.iter().find(|(folder, _)| name.starts_with(folder)).map_or("", |(_, about)| about);
        let text = if about.is_empty() { text } else { format!("# {about}\n{text}") };
        let file = site.folder.join(name);
        let made = file.parent().map_or(Ok(()), private_folder).and_then(|()| private_file(&file, &text));
        made.map_err(|error| Failure::Unwritten(file, error))?;
    }
    left_out.extend(conf.left_out.into_iter().map(|field| format!("{} of {}", field, T::COMPONENT.name())));
    Ok(())
}
