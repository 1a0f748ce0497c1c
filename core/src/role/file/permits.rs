//! What a job's fileset may have run on this client: commands that list paths, and plugins (`wire/2 §1.6`).

use std::sync::Arc;

use crate::bulk::refused::Refused;
use crate::bulk::work::{DiskError, Permits};
use crate::ids::SessionId;
use crate::limits;
use crate::role::file::Net;
use crate::role::trouble::Trouble;
use crate::wire::file_answers as answers;
use crate::wire::fileset::FileSet;
use crate::wire::plugin;

use super::job::{Job, Kind};
use super::session::Next;
use super::{FileDaemon, scripts};

impl FileDaemon {
    /// What the director of a session may have run.
    pub(super) fn permits(&self, id: SessionId) -> Permits {
        let session = self.sessions.get(id);
        let director = session.map_or("", |session| session.director.as_str());
        let job = session.and_then(|session| session.job.as_ref());
        let config = self.config_of(id);
        let limit = config.file.script_time_limit.duration().as_secs();
        Permits {
            folders: config.script_folders(director).to_vec(),
            limit: (limit > 0).then_some(limit),
            plugins: config.file.plugin_names.clone(),
            options: job.map(|job| job.asked.options.clone()).unwrap_or_default(),
            variables: job.map(|job| variables(job, &self.config.file.name)).unwrap_or_default(),
        }
    }

    /// `pluginoptions …`: what a plugin is told beside its definition. One of another plugin than there is ends the job.
    pub(super) fn take_options(&mut self, net: &mut Net, id: SessionId, options: String) -> Next {
        if plugin::name(&options) != plugin::BPIPE {
            self.say_fatal(net, id, &DiskError::from(Refused::Plugin(options)).into());
            self.sessions.tell(net, id, answers::BAD_PLUGIN_OPTIONS);
            return Next::End;
        }
        let Some(job) = self.sessions.job_mut(id) else { return Next::End };
        if job.asked.options.len() >= limits::SCRIPTS {
            self.say_fatal(net, id, &Trouble::OutOfTurn("more options for plugins than a job may have"));
            self.sessions.tell(net, id, answers::BAD_PLUGIN_OPTIONS);
            return Next::End;
        }
        job.asked.options.push(options);
        self.sessions.tell(net, id, answers::PLUGIN_OPTIONS);
        Next::Go
    }

    /// What the job is about to read is known now: the codes in its fileset's commands get their values.
    pub(super) fn make_ready(&mut self, id: SessionId) {
        let (permits, daemon) = (self.permits(id), self.config.file.name.clone());
        let Some(session) = self.sessions.get_mut(id) else { return };
        let Some(job) = &mut session.job else { return };
        job.asked.permits = permits;
        if job.asked.fileset.has_commands() {
            job.asked.fileset = Arc::new(expanded(job, &daemon, &session.director));
        }
    }
}

/// What commands of plugins find in their environment; real daemons give the same.
fn variables(job: &Job, daemon: &str) -> Vec<(&'static str, String)> {
    let kind = if matches!(job.kind, Kind::Restore { .. }) { "R" } else { "B" };
    vec![
        ("BareosClientName", daemon.to_owned()),
        ("BareosJobId", job.id.to_string()),
        ("BareosJobLevel", char::from(job.asked.level).to_string()),
        ("BareosSinceTime", job.asked.since.unwrap_or(0).to_string()),
        ("BareosJobType", kind.to_owned()),
    ]
}

/// The fileset of a job with what `%` stands for in its commands.
fn expanded(job: &Job, daemon: &str, director: &str) -> FileSet {
    let mut fileset = FileSet::clone(&job.asked.fileset);
    for block in fileset.includes.iter_mut().chain(&mut fileset.excludes) {
        for file in block.files.iter_mut().filter(|file| file.starts_with(b"|")) {
            let command = String::from_utf8_lossy(file.get(1..).unwrap_or_default()).into_owned();
            *file = format!("|{}", scripts::expanded(&command, job, daemon, director)).into_bytes();
        }
    }
    fileset
}
