//! `sqlquery`: an operator's own question to the catalog, which can only read.

use super::super::grammar::Takes::Value;
use super::super::grammar::{Command, Form};
use super::super::questions::choice;
use super::super::refusal::Refusal;
use super::super::reply::{Reply, View};
use super::super::words::Words;
use super::dot::sql;

pub(super) const COMMAND: Command = Command::new(
    "sqlquery",
    &[Form {
        words: &[("query", Value)],
        help: &[("sqlquery [query=\"SELECT …\"]", "ask the catalog in SQL; nothing can be changed by it")],
        ..Form::PLAIN
    }],
    run,
);

/// What asks for a question, as real directors ask.
pub(super) const PROMPT: &str = "Enter SQL query: ";

fn run(_: &View<'_>, words: &Words) -> Result<Reply, Refusal> {
    match words.value(&["query"]) {
        Some(sql) => Ok(sql::ask(sql.to_owned())),
        None => Ok(choice::line(words, "query", PROMPT, "Say the question: sqlquery query=\"SELECT …\".")),
    }
}
