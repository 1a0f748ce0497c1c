//! `whoami`: which console this is.

use crate::wire::json::Json;

use super::super::answer::Shown;
use super::super::grammar::{Command, Form, Rights};
use super::super::reply::Reply;

pub(super) const COMMAND: Command = Command {
    rights: Rights::All,
    ..Command::new(
        "whoami",
        &[Form { help: &[("whoami", "the name of this console; root for the default console")], ..Form::PLAIN }],
        |view, _| {
            let name = view.console().and_then(|console| console.name.clone());
            Ok(Reply::found(Name(name.unwrap_or_else(|| "root".to_owned()))))
        },
    )
};

#[derive(Debug)]
struct Name(String);

impl Shown for Name {
    fn text(&self) -> String {
        format!("{}\n", self.0)
    }

    fn json(&self) -> Option<Json> {
        Some(Json::object([("whoami", self.0.as_str().into())]))
    }
}
