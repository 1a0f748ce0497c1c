//! `memory`: which director this is, since when, and what it has done. A real director counts no bytes there either.

use super::super::answer::Shown;
use super::super::grammar::{Command, Form};
use super::super::reply::Reply;
use crate::wire::json::Json;

pub(super) const COMMAND: Command = Command::new(
    "memory",
    &[Form { help: &[("memory", "version, start and jobs of the director")], ..Form::PLAIN }],
    |view, _| {
        let (director, identity) = (view.director, &view.director.common.identity);
        Ok(Reply::found(Header {
            name: view.config().director.name.clone(),
            version: identity.full.clone(),
            date: identity.date.clone(),
            system: identity.system.clone(),
            started: identity.local(director.started).short(),
            catalog: view.config().catalog_engines(),
            run: director.jobs.begun(),
            running: view.jobs().count(),
        }))
    },
);

#[derive(Debug)]
struct Header {
    name: String,
    version: String,
    date: String,
    system: String,
    started: String,
    catalog: String,
    run: u32,
    running: usize,
}

impl Shown for Header {
    fn text(&self) -> String {
        let Self { name, version, date, system, started, catalog, run, running } = self;
        format!(
            "{name} Version: {version} ({date}) {system}\nDaemon started {started}. Jobs: run={run}, running={running} \
             db:{catalog}, Towline binary\n"
        )
    }

    fn json(&self) -> Option<Json> {
        let header = Json::object([
            ("director", self.name.as_str().into()),
            ("version", self.version.as_str().into()),
            ("release_date", self.date.as_str().into()),
            ("os", self.system.as_str().into()),
            ("binary_info", "Towline binary".into()),
            ("daemon_started", self.started.as_str().into()),
            ("jobs_run", Json::Number(self.run.into())),
            ("jobs_running", Json::Number(i64::try_from(self.running).unwrap_or(i64::MAX))),
        ]);
        Some(Json::object([("header", header)]))
    }
}
