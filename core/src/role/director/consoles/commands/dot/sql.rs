//! `.sql`: an operator's own question to the catalog, which can only read.

use crate::catalog::{CatalogAnswer, CatalogRequest, Listed, Listing};
use crate::role::report::thousands;
use crate::wire::json::Json;

use super::super::super::answer::Shown;
use super::super::super::grammar::Takes::Value;
use super::super::super::grammar::{Command, Form};
use super::super::super::refusal::Refusal;
use super::super::super::reply::{Reply, View};
use super::super::super::words::Words;

pub(in super::super) const COMMAND: Command = Command::new(
    ".sql",
    &[Form {
        words: &[("query", Value)],
        help: &[(".sql query=\"SELECT …\"", "a question to the catalog; nothing can be changed by it")],
        ..Form::PLAIN
    }],
    run,
);

/// Rows that a question may bring.
const MOST_ROWS: u32 = 10_000;

fn run(_: &View<'_>, words: &Words) -> Result<Reply, Refusal> {
    let sql = words.value(&["query"]).ok_or_else(|| Refusal::usage("Say the question: .sql query=\"SELECT …\"."))?;
    Ok(ask(sql.to_owned()))
}

/// Asks the catalog, and shows what it answers.
pub(in super::super) fn ask(sql: String) -> Reply {
    ask_then(sql, Reply::found)
}

/// Asks the catalog; what it answers goes on as `then` says.
pub(in super::super) fn ask_then(sql: String, then: impl FnOnce(Rows) -> Reply + Send + 'static) -> Reply {
    Reply::ask(CatalogRequest::List(Listing::Query { sql, limit: MOST_ROWS }), |_, answer| match answer {
        CatalogAnswer::Listed(Listed::Table { heads, rows }) => Ok(then(Rows { heads, rows })),
        other => Err(Refusal::unexpected(other)),
    })
}

/// What a question has brought: columns that nobody knew before.
#[derive(Debug)]
pub(in super::super) struct Rows {
    heads: Vec<String>,
    rows: Vec<Vec<String>>,
}

impl Rows {
    /// A value a line, and an empty line after each row.
    pub(in super::super) fn under_each_other(&self) -> String {
        if self.rows.is_empty() {
            return "No results to list.\n".to_owned();
        }
        let width = self.heads.iter().map(|head| head.chars().count()).max().unwrap_or(0);
        let line = |(head, cell): (&String, &String)| format!("{head:>width$}: {cell}\n");
        let row = |row: &Vec<String>| self.heads.iter().zip(row).map(line).collect::<String>() + "\n";
        self.rows.iter().map(row).collect()
    }
}

impl Shown for Rows {
    fn text(&self) -> String {
        if self.rows.is_empty() {
            return "No results to list.\n".to_owned();
        }
        let shown = |cell: &String| match cell.parse::<u64>() {
            Ok(number) if cell.len() < 20 => (thousands(number), true),
            _ => (cell.clone(), false),
        };
        let rows: Vec<Vec<(String, bool)>> = self.rows.iter().map(|row| row.iter().map(shown).collect()).collect();
        let width = |(at, head): (usize, &String)| {
            let cells = rows.iter().filter_map(|row| row.get(at)).map(|(cell, _)| cell.chars().count());
            cells.chain([head.chars().count()]).max().unwrap_or(0)
        };
        let widths: Vec<usize> = self.heads.iter().enumerate().map(width).collect();
        let rule: String = widths.iter().map(|width| format!("+{}", "-".repeat(width + 2))).collect::<String>() + "+\n";
        let cell = |(text, right): &(String, bool), width: usize| match right {
            true => format!("| {text:>width$} "),
            false => format!("| {text:<width$} "),
        };
        let line = |cells: &[(String, bool)]| {
            cells.iter().zip(&widths).map(|(text, width)| cell(text, *width)).collect::<String>() + "|\n"
        };
        let heads: Vec<_> = self.heads.iter().map(|head| (head.clone(), false)).collect();
        rule.clone() + &line(&heads) + &rule + &rows.iter().map(|row| line(row)).collect::<String>() + &rule
    }

    fn bare(&self) -> String {
        self.rows.iter().map(|row| row.join("\t") + "\n").collect()
    }

    fn json(&self) -> Option<Json> {
        let object = |row: &Vec<String>| {
            Json::Object(self.heads.iter().zip(row).map(|(head, cell)| (head.clone(), cell.as_str().into())).collect())
        };
        Some(Json::object([("query", Json::List(self.rows.iter().map(object).collect()))]))
    }
}
