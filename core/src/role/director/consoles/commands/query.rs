//! `query`: questions to the catalog that the director's `query_file` holds. Like `sqlquery` they only read.

mod stored;

use std::collections::VecDeque;

use super::super::answer::Shown;
use super::super::grammar::{Command, Form};
use super::super::questions::{Matter, Prompt, Question};
use super::super::refusal::Refusal;
use super::super::reply::{Gathered, Reply, View};
use super::super::words::Words;
use super::dot::sql;
use crate::role::director::jobs::lists::Wanted;
pub(in super::super) use stored::Stored;

pub(super) const COMMAND: Command = Command::new(
    "query",
    &[Form {
        help: &[("query", "choose from the questions to the catalog that the file `query_file` holds, and ask it")],
        ..Form::PLAIN
    }],
    run,
);

/// A question that somebody has chosen.
#[derive(Debug)]
pub(in super::super) struct Asking {
    stored: Stored,
    /// The answers so far, by the number of what is asked.
    answers: [Option<String>; stored::MOST_PROMPTS],
    /// What is still to be asked for.
    open: VecDeque<usize>,
}

fn run(view: &View<'_>, _: &Words) -> Result<Reply, Refusal> {
    let none = || Refusal::usage("There are no stored queries: set `query_file` of the director, or use sqlquery.");
    let file = view.config().director.query_file.clone().ok_or_else(none)?;
    let wanted = Wanted::of_file(&file);
    let then = Gathered::either(move |_, lines| match lines {
        Ok(lists) => menu(stored::read(lists.of(&file))),
        Err(unread) => Err(Refusal::NoQueries { file, why: unread.why }),
    });
    Ok(Reply::Gather(wanted, then).using())
}

fn menu(mut all: Vec<Stored>) -> Result<Reply, Refusal> {
    match all.len() {
        0 => Err(Refusal::Empty("query".to_owned())),
        1 => {
            let text = format!("Automatically selected query: {}\n", all[0].title);
            Ok(begin(all.remove(0))?.after(text))
        }
        _ => {
            let items = all.iter().map(|stored| stored.title.clone()).collect();
            let (title, ask) = ("Available queries:".to_owned(), "Choose a query".to_owned());
            let prompt = Prompt::Choice { title, items, ask };
            Ok(Reply::Question(Box::new(Question { prompt, matter: Matter::Query(all), again: false })))
        }
    }
}

/// The question at this place was chosen.
///
/// # Errors
/// It is not written as a question is.
pub(in super::super) fn chosen(mut all: Vec<Stored>, at: usize) -> Result<Reply, Refusal> {
    if at < all.len() { begin(all.swap_remove(at)) } else { Err(Refusal::Empty("query".to_owned())) }
}

fn begin(stored: Stored) -> Result<Reply, Refusal> {
    if stored.prompts.len() > stored::MOST_PROMPTS {
        let most = stored::MOST_PROMPTS;
        return Err(Refusal::usage(format!(
            "Too many prompts in query, max is {most}: correct the file `query_file`."
        )));
    }
    let open = stored.wanted().into();
    Ok(next(Box::new(Asking { stored, answers: Default::default(), open })))
}

/// Asks for the next value, or the catalog.
fn next(asking: Box<Asking>) -> Reply {
    let Some(prompt) = asking.open.front().and_then(|at| asking.stored.prompts.get(*at)) else {
        return each(asking.stored.filled(&asking.answers).into());
    };
    let prompt = Prompt::Line(format!("{prompt} "));
    Reply::Question(Box::new(Question { prompt, matter: Matter::QueryValue(asking), again: false }))
}

/// A value was given.
pub(in super::super) fn answered(mut asking: Box<Asking>, value: String) -> Reply {
    if let Some(place) = asking.open.pop_front().and_then(|at| asking.answers.get_mut(at)) {
        *place = Some(value);
    }
    next(asking)
}

/// Asks one statement after the other, and shows each answer.
fn each(mut statements: VecDeque<String>) -> Reply {
    let Some(statement) = statements.pop_front() else { return Reply::found(String::new()) };
    let (sql, vertical) = match statement.strip_prefix('!') {
        Some(rest) => (rest.to_owned(), true),
        None => (statement, false),
    };
    sql::ask_then(sql, move |rows| {
        let text = if vertical { rows.under_each_other() } else { rows.text() };
        if statements.is_empty() { Reply::found(text) } else { each(statements).after(text) }
    })
}
