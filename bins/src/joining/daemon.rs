//! Starts the file daemon of a machine that has joined.

use std::fs::OpenOptions;
use std::os::unix::fs::OpenOptionsExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use towline_core::config::FileConfig;

use super::letter::FILE;
use crate::config::load;

/// The program.
const PROGRAM: &str = "towline-fd";
/// How long it may take until it runs.
const PATIENCE: Duration = Duration::from_secs(30);
/// Pause between two looks at it.
const LOOK: Duration = Duration::from_millis(20);

/// A daemon that runs.
pub(super) struct Started {
    /// Its process id.
    pub(super) id: u32,
    /// What it logs and prints.
    pub(super) log: PathBuf,
    /// How to have it start with the machine.
    pub(super) by: String,
}

/// Starts it in the background, with its configuration in this folder, and waits until it holds its process file: then it has
/// read its configuration.
///
/// # Errors
/// It does not start; the end of what it has said.
pub(super) fn start(folder: &Path) -> Result<Started, String> {
    let (file, log, pid) = (folder.join(FILE), folder.join("file-daemon.log"), folder.join("file-daemon.pid"));
    let to = OpenOptions::new().create(true).append(true).mode(0o600).open(&log);
    let to = to.map_err(|error| format!("cannot write {}: {error}", log.display()))?;
    let both = to.try_clone().map_err(|error| format!("cannot write {}: {error}", log.display()))?;
    let loaded = load::<FileConfig>(&file).map_err(|report| report.render(false))?;
    let listens = !loaded.config.file.listen.is_empty();
    let mut command = command()?;
    command.arg("-c").arg(&file).arg("-p").arg(&pid).stdin(Stdio::null()).stdout(both).stderr(to);
    // Ctrl-C in this terminal is not for it.
    command.process_group(0);
    let mut child = command.spawn().map_err(|error| format!("cannot start {PROGRAM}: {error}"))?;
    wait(&mut child, listens, &log, &pid)
        .map_err(|why| format!("{why}; start it by hand: {PROGRAM} -c {}", file.display()))?;
    let by = format!("echo CONFIG={} > /etc/default/{PROGRAM} && systemctl enable --now {PROGRAM}", file.display());
    Ok(Started { id: child.id(), log, by })
}

/// The program beside this one, else this one, which can be it.
fn command() -> Result<Command, String> {
    let own = std::env::current_exe().map_err(|error| format!("this program does not know where it is: {error}"))?;
    let beside = own.with_file_name(PROGRAM);
    if beside.is_file() {
        return Ok(Command::new(beside));
    }
    let mut command = Command::new(own);
    command.args(["daemon", "file"]);
    Ok(command)
}

/// Waits until it has its process file, and listens if it is to.
fn wait(child: &mut Child, listens: bool, log: &Path, pid: &Path) -> Result<(), String> {
    let until = Instant::now() + PATIENCE;
    loop {
        let said = std::fs::read_to_string(log).unwrap_or_default();
        if let Ok(Some(status)) = child.try_wait() {
            let last: Vec<&str> = said.lines().rev().take(5).collect();
            let last: Vec<&str> = last.into_iter().rev().collect();
            return Err(format!("the file daemon has ended with {status}:\n{}", last.join("\n")));
        }
        let runs = std::fs::read_to_string(pid).is_ok_and(|id| id.trim() == child.id().to_string());
        if runs && (!listens || said.lines().any(|line| line.contains("listening on "))) {
            return Ok(());
        }
        if Instant::now() > until {
            return Err(format!("the file daemon does not say that it runs; see {}", log.display()));
        }
        std::thread::sleep(LOOK);
    }
}
