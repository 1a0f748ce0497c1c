//! `version`: which director this is.

use crate::wire::json::Json;

use super::super::answer::Shown;
use super::super::grammar::{Command, Form, Rights};
use super::super::reply::Reply;

pub(super) const COMMAND: Command = Command {
    rights: Rights::All,
    ..Command::new(
        "version",
        &[Form { help: &[("version", "the version of this director")], ..Form::PLAIN }],
        |view, _| {
            let identity = &view.director.common.identity;
            let name = view.config().director.name.clone();
            Ok(Reply::found(Version { name, version: identity.full.clone(), date: identity.date.clone() }))
        },
    )
};

#[derive(Debug)]
struct Version {
    name: String,
    version: String,
    date: String,
}

impl Shown for Version {
    fn text(&self) -> String {
        format!("{} Version: {} ({})\n", self.name, self.version, self.date)
    }

    fn json(&self) -> Option<Json> {
        let members = [("name", &self.name), ("version", &self.version), ("date", &self.date)];
        Some(Json::object([("version", Json::object(members.map(|(name, value)| (name, value.as_str().into()))))]))
    }
}
