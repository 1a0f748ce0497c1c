//! `version`: which director this is.

use crate::wire::console::LIKE_VERSION;
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
            let (version, date, system) = (identity.full.clone(), identity.date.clone(), identity.system.clone());
            Ok(Reply::found(Version { name, version, date, system }))
        },
    )
};

#[derive(Debug)]
struct Version {
    name: String,
    version: String,
    date: String,
    system: String,
}

impl Shown for Version {
    fn text(&self) -> String {
        format!("{} Version: {} ({}) {}\n", self.name, self.version, self.date, self.system)
    }

    fn json(&self) -> Option<Json> {
        let own = format!("Towline {}", self.version);
        let members = [
            ("name", self.name.as_str()),
            ("type", "bareos-director"),
            ("version", LIKE_VERSION),
            ("bdate", &self.date),
            ("operatingsystem", &self.system),
            ("distname", ""),
            ("distversion", ""),
            ("customversionid", &own),
        ];
        Some(Json::object([("version", Json::object(members.map(|(name, value)| (name, value.into()))))]))
    }
}
