//! `explain`: what a code means, and which way data would go.

use crate::error::Code;
use crate::{channel, explain};

use super::super::grammar::Takes::Value;
use super::super::grammar::{Command, Form};
use super::super::refusal::Refusal;
use super::super::reply::{Reply, View};
use super::super::words::Words;

pub(super) const COMMAND: Command = Command::new(
    "explain",
    &[Form {
        free: true,
        words: &[("client", Value), ("storage", Value), ("copy-to", Value)],
        help: &[(
            "explain CODE|client=NAME storage=NAME|storage=NAME copy-to=NAME",
            "what a code means; which way data goes, and why",
        )],
        ..Form::PLAIN
    }],
    run,
);

fn run(view: &View<'_>, words: &Words) -> Result<Reply, Refusal> {
    if let Some((word, None)) = words.arguments().next() {
        let number = word.strip_prefix(['T', 't']).unwrap_or(word).parse().ok();
        let page = number.and_then(|number| explain::page(Code(number)));
        let page = page.ok_or_else(|| Refusal::NoPage(word.to_owned()))?;
        return Ok(Reply::found(format!("{page}\n")));
    }
    let end = |name: &str| words.value(&[name]);
    let config = view.director.common.overrides.over(view.config());
    let text = channel::explain(&config, end("client"), end("storage"), end("copy-to")).map_err(Refusal::usage)?;
    Ok(Reply::found(text))
}
