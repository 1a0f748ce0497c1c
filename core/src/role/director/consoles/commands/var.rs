//! `var`: what a name of a volume becomes.

use super::super::grammar::{Command, Form};
use super::super::refusal::Refusal;
use super::super::reply::{Reply, View};
use super::super::words::Words;

pub(super) const COMMAND: Command = Command::new(
    "var",
    &[Form { free: true, help: &[("var TEXT", "what TEXT becomes as the name of a volume")], ..Form::PLAIN }],
    run,
);

/// As `label_format`: without variables.
fn run(_: &View<'_>, words: &Words) -> Result<Reply, Refusal> {
    let Some((text, None)) = words.arguments().next() else {
        return Err(Refusal::usage("Say the text: var TEXT."));
    };
    if text.contains(['$', '[']) {
        return Err(Refusal::usage(
            "The names of volumes have no variables: a number of four digits follows the text.",
        ));
    }
    Ok(Reply::found(format!("{text}\n")))
}
