//! What is known of daemons as lines and as JSON.

use serde_json::{Value, json};
use towline_core::error::Explain as _;
use towline_core::ids::Who;
use towline_core::notice::{DaemonView, Health};
use towline_core::quantity::counted;
use towline_core::wire::status_reply::{RunningJob, TerminatedJob};

/// The lines of a daemon: one for itself, one for each of its running jobs.
pub(super) fn lines(view: &DaemonView) -> String {
    let mut text = format!("{} {} ({}): {}", view.who, view.name, view.address, health(view));
    if view.health == Health::Reachable {
        text += &format!(", {}", jobs(view));
    }
    text.push('\n');
    for job in view.status.running.iter().filter(|_| view.health == Health::Reachable) {
        text += &format!("    {}\n", running(job));
    }
    text
}

/// Whether it is reachable, or why not and what to do.
pub(super) fn health(view: &DaemonView) -> String {
    match &view.health {
        Health::Unknown => "being asked".to_owned(),
        Health::Reachable => "reachable".to_owned(),
        Health::Unreachable(why) => format!("unreachable: {}", why.line()),
    }
}

/// How many jobs run, the last one that ended, and who waits.
pub(super) fn jobs(view: &DaemonView) -> String {
    let status = &view.status;
    let mut text = match status.running.len() {
        0 => "no job runs".to_owned(),
        1 => "1 job runs".to_owned(),
        more => format!("{more} jobs run"),
    };
    if let Some(last) = status.terminated.last() {
        text += &format!(", last job {}", ended(last));
    }
    if !status.waiting.is_empty() {
        let names: Vec<&str> = status.waiting.iter().map(|client| client.name.as_str()).collect();
        text += &format!(", waiting: {}", names.join(", "));
    }
    text
}

/// `7 web: OK, 23-Nov-26 13:03`
pub(super) fn ended(job: &TerminatedJob) -> String {
    format!("{} {}: {}, {}", job.id, job.name, job.status, job.ended)
}

/// `job 7 web: running, 12 files, 1.5 MB, 3.2 MB/s, /home/a`
pub(super) fn running(job: &RunningJob) -> String {
    let mut text = match job.id {
        Some(id) => format!("job {id} {}: {}", job.name, job.state),
        None => format!("job {}: {}", job.name, job.state),
    };
    if let Some(files) = job.files {
        text += &format!(", {}", counted(files, "file"));
    }
    if let Some(bytes) = job.bytes {
        text += &format!(", {}", size(bytes));
    }
    if let Some(rate) = job.rate.filter(|rate| *rate > 0) {
        text += &format!(", {}/s", size(rate));
    }
    if let Some(file) = &job.file {
        text += &format!(", {file}");
    }
    text
}

/// `1.5 MB`
fn size(bytes: u64) -> String {
    let mut value = bytes as f64;
    for unit in ["B", "kB", "MB", "GB", "TB"] {
        if value < 1_000.0 {
            return if unit == "B" { format!("{bytes} B") } else { format!("{value:.1} {unit}") };
        }
        value /= 1_000.0;
    }
    format!("{value:.1} PB")
}

/// All daemons as one object for a program.
pub(super) fn json(views: &[DaemonView]) -> Value {
    let all = views.iter().all(|view| view.health == Health::Reachable);
    json!({ "all_reachable": all, "daemons": views.iter().map(daemon).collect::<Vec<_>>() })
}

fn daemon(view: &DaemonView) -> Value {
    let status = &view.status;
    let error = match &view.health {
        Health::Unreachable(why) => {
            json!({ "code": why.code().to_string(), "message": why.to_string(), "advice": why.help() })
        }
        Health::Unknown | Health::Reachable => Value::Null,
    };
    let running = status.running.iter().map(|job| {
        json!({ "jobid": job.id, "name": job.name, "state": job.state, "files": job.files, "bytes": job.bytes,
                "bytes_per_second": job.rate, "file": job.file })
    });
    let terminated = status.terminated.iter().map(|job| {
        json!({ "jobid": job.id, "name": job.name, "level": job.level, "files": job.files, "bytes": job.bytes,
                "status": job.status, "ended": job.ended })
    });
    let waiting = status
        .waiting
        .iter()
        .map(|client| json!({ "name": client.name, "since": client.since, "protocol": client.protocol }));
    let kind = match view.who {
        Who::Director => "director",
        Who::File => "file_daemon",
        Who::Storage => "storage_daemon",
    };
    json!({
        "kind": kind,
        "name": view.name,
        "address": view.address,
        "reachable": view.health == Health::Reachable,
        "error": error,
        "encryption": view.encryption,
        "version": status.version,
        "started": status.started,
        "jobs_run": status.jobs_run,
        "running": running.collect::<Vec<_>>(),
        "terminated": terminated.collect::<Vec<_>>(),
        "waiting": waiting.collect::<Vec<_>>(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_units() {
        assert_eq!([size(0), size(999), size(1_000), size(1_500_000)], ["0 B", "999 B", "1.0 kB", "1.5 MB"]);
    }

    #[test]
    fn a_job_is_told_in_one_line() {
        let mut job = RunningJob { name: "web".to_owned(), state: "running".to_owned(), ..RunningJob::default() };
        assert_eq!(running(&job), "job web: running");
        job = RunningJob { id: Some(7), files: Some(2), bytes: Some(3_000), rate: Some(1_000), ..job };
        job.file = Some("/a".to_owned());
        assert_eq!(running(&job), "job 7 web: running, 2 files, 3.0 kB, 1.0 kB/s, /a");
    }
}
