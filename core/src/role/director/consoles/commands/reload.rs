//! `reload`: the director reads its configuration again and goes by it, if nothing is wrong with it.

use super::super::answer::Shown;
use super::super::grammar::{Command, Form};
use super::super::reply::{Instruction, Reply};
use crate::wire::json::Json;
use crate::work::configuration::ConfigurationWork;

pub(super) const COMMAND: Command = Command::new(
    "reload",
    &[Form { help: &[("reload", "read the configuration again, and go by it if it has no error")], ..Form::PLAIN }],
    |_, _| Ok(Reply::Do(Instruction::Configure(ConfigurationWork::Read))),
);

/// The configuration that was read is in use.
#[derive(Debug)]
pub(crate) struct Reloaded {
    /// The settings that differ and are changed by a restart only.
    pub(crate) fixed: Vec<&'static str>,
    /// What is doubtful about it, a line each.
    pub(crate) warnings: Vec<String>,
}

impl Shown for Reloaded {
    fn text(&self) -> String {
        let mut text = "reloaded\n".to_owned();
        if !self.fixed.is_empty() {
            text += &format!("Not changed before the director is restarted: {}.\n", self.fixed.join(", "));
        }
        self.warnings.iter().for_each(|warning| text += &format!("{warning}\n"));
        text
    }

    fn json(&self) -> Option<Json> {
        let list = |lines: Vec<&str>| Json::List(lines.into_iter().map(Json::from).collect());
        let mut members = vec![("success".to_owned(), Json::Bool(true))];
        if !self.fixed.is_empty() {
            members.push(("restart".to_owned(), list(self.fixed.clone())));
        }
        if !self.warnings.is_empty() {
            members.push(("warnings".to_owned(), list(self.warnings.iter().map(String::as_str).collect())));
        }
        Some(Json::object([("reload", Json::Object(members))]))
    }
}
