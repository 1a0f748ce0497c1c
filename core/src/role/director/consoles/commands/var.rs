//! `var`: what a name of a volume becomes.

use crate::config::VARIABLES;
use crate::naming::{Naming, Variable};
use crate::role::director::jobs::naming::of_time;

use super::super::grammar::{Command, Form};
use super::super::refusal::Refusal;
use super::super::reply::{Reply, View};
use super::super::words::Words;

pub(super) const COMMAND: Command = Command::new(
    "var",
    &[Form { free: true, help: &[("var TEXT", "what TEXT becomes as the name of a volume")], ..Form::PLAIN }],
    run,
);

/// As `label_format`, as far as it is known without a job.
fn run(view: &View<'_>, words: &Words) -> Result<Reply, Refusal> {
    let Some((text, None)) = words.arguments().next() else {
        return Err(Refusal::usage("Say the text: var TEXT."));
    };
    let unusable = |why: &dyn std::fmt::Display| Refusal::usage(format!("{text} is no name of a volume: {why}."));
    let naming = Naming::parse(text).map_err(|why| unusable(&why))?;
    let now = view.zone().local(view.now());
    let mut value = |variable: &Variable| match variable.name.as_str() {
        "Dir" => Some(view.config().director.name.clone()),
        "Catalog" => Some(view.catalog().to_owned()),
        name => of_time(now, name),
    };
    let known = |variable: &&Variable| VARIABLES.contains(&variable.name.as_str()) && value(variable).is_none();
    if let Some(variable) = naming.variables().into_iter().find(known) {
        return Err(unusable(&format!("{} is known only in a job", variable.name)));
    }
    let name = naming.expand(&mut value).map_err(|why| unusable(&why))?;
    Ok(Reply::found(format!("{name}\n")))
}
