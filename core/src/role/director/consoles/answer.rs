//! What a command comes to: one value, which a person and a program are shown differently.

use std::fmt::Debug;

use crate::role::report::thousands;
use crate::wire::json::Json;

use super::refusal::Refusal;

/// What a command has found.
pub(crate) trait Shown: Debug + Send {
    /// For a person (API mode 0).
    fn text(&self) -> String;

    /// For a program that reads text (API mode 1).
    fn bare(&self) -> String {
        self.text()
    }

    /// For a program that reads JSON (API mode 2): the result. Without any it is the text.
    fn json(&self) -> Option<Json> {
        None
    }
}

impl Shown for String {
    fn text(&self) -> String {
        self.clone()
    }
}

/// What a command comes to.
#[derive(Debug)]
pub(crate) enum Answer {
    Found(Box<dyn Shown>),
    /// Why not.
    Failed(Refusal),
    /// There is no such command, or none for this console.
    Unknown(Refusal),
}

impl Answer {
    /// Success, with what was found.
    pub(crate) fn found(what: impl Shown + 'static) -> Self {
        Self::Found(Box::new(what))
    }

    /// Success with a text.
    pub(crate) fn said(text: impl Into<String>) -> Self {
        Self::found(text.into())
    }

    /// The document of API mode 2 (`wire/1 §6.4`). `said` was shown to a person before.
    pub(super) fn document(&self, said: &str) -> Json {
        let head = |last| Json::object([("jsonrpc", "2.0".into()), ("id", Json::Null), last]);
        let why = match self {
            Self::Found(what) => return head(("result", what.json().unwrap_or_else(|| in_text(said, what.as_ref())))),
            Self::Failed(why) | Self::Unknown(why) => why.to_string(),
        };
        let errors = Json::List(vec![why.trim_end().into()]);
        let data =
            Json::object([("result", Json::Object(Vec::new())), ("messages", Json::object([("error", errors)]))]);
        head(("error", Json::object([("code", Json::Number(1)), ("message", "failed".into()), ("data", data)])))
    }
}

fn in_text(said: &str, what: &dyn Shown) -> Json {
    let said = format!("{said}{}", what.text());
    match said.is_empty() {
        true => Json::Object(Vec::new()),
        false => Json::object([("text", said.trim_end().into())]),
    }
}

/// A column of a table: its name, and its value for a row.
pub(super) struct Column<R>(pub(super) &'static str, pub(super) fn(&R) -> Cell);

/// Rows with names for their columns.
#[derive(Debug)]
pub(super) struct Table {
    /// What the rows are.
    pub(super) name: &'static str,
    heads: Vec<&'static str>,
    rows: Vec<Vec<Cell>>,
}

/// One value of a table.
#[derive(Clone, Debug)]
pub(super) enum Cell {
    /// A text.
    Text(String),
    /// The number of something.
    Id(u64),
    /// How many there are of something.
    Count(u64),
}

impl Table {
    pub(super) fn of<'a, R: 'a>(
        name: &'static str,
        columns: &[Column<R>],
        rows: impl IntoIterator<Item = &'a R>,
    ) -> Self {
        let row = |row| columns.iter().map(|Column(_, value)| value(row)).collect();
        let heads = columns.iter().map(|Column(head, _)| *head).collect();
        Self { name, heads, rows: rows.into_iter().map(row).collect() }
    }

    /// A list of objects. All values are texts, as Bareos's are.
    pub(super) fn rows(&self) -> Json {
        let object = |row: &Vec<Cell>| {
            let members = self.heads.iter().zip(row);
            Json::Object(members.map(|(head, cell)| ((*head).to_owned(), cell.plain().into())).collect())
        };
        Json::List(self.rows.iter().map(object).collect())
    }

    /// A frame of lines around the cells; numbers stand to the right.
    fn framed(&self) -> String {
        if self.rows.is_empty() {
            return "No results to list.\n".to_owned();
        }
        let rows: Vec<Vec<(String, bool)>> =
            self.rows.iter().map(|row| row.iter().map(Cell::shown).collect()).collect();
        let width = |at: usize| {
            let cells = rows.iter().filter_map(|row| row.get(at)).map(|(cell, _)| cell.chars().count());
            cells.chain([self.heads[at].len()]).max().unwrap_or(0)
        };
        let widths: Vec<usize> = (0..self.heads.len()).map(width).collect();
        let rule: String = widths.iter().map(|width| format!("+{}", "-".repeat(width + 2))).collect::<String>() + "+\n";
        let line = |cells: &[(String, bool)]| {
            let mut text = String::new();
            for ((cell, right), width) in cells.iter().zip(&widths) {
                text += &if *right { format!("| {cell:>width$} ") } else { format!("| {cell:<width$} ") };
            }
            text + "|\n"
        };
        let right = |at: usize| rows.first().and_then(|row| row.get(at)).is_some_and(|(_, right)| *right);
        let heads: Vec<_> = self.heads.iter().enumerate().map(|(at, head)| ((*head).to_owned(), right(at))).collect();
        rule.clone() + &line(&heads) + &rule + &rows.iter().map(|row| line(row)).collect::<String>() + &rule
    }
}

impl Shown for Table {
    fn text(&self) -> String {
        self.framed()
    }

    /// Only the values: one line a row.
    fn bare(&self) -> String {
        let line = |row: &Vec<Cell>| row.iter().map(Cell::plain).collect::<Vec<_>>().join("\t") + "\n";
        self.rows.iter().map(line).collect()
    }

    fn json(&self) -> Option<Json> {
        Some(Json::object([(self.name, self.rows())]))
    }
}

impl Cell {
    pub(super) fn text_of(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }

    /// A letter of the catalog.
    pub(super) fn letter(letter: u8) -> Self {
        Self::Text(char::from(letter).to_string())
    }

    pub(super) fn id(number: impl Into<u64>) -> Self {
        Self::Id(number.into())
    }

    pub(super) fn count(number: impl Into<u64>) -> Self {
        Self::Count(number.into())
    }

    /// For a person, and whether it stands to the right.
    fn shown(&self) -> (String, bool) {
        match self {
            Self::Text(text) => (text.clone(), false),
            Self::Id(number) => (number.to_string(), true),
            Self::Count(number) => (thousands(*number), true),
        }
    }

    /// For a program.
    fn plain(&self) -> String {
        match self {
            Self::Text(text) => text.clone(),
            Self::Id(number) | Self::Count(number) => number.to_string(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> Table {
        const PEOPLE: &[Column<(u32, &str, u64)>] = &[
            Column("id", |row| Cell::id(row.0)),
            Column("name", |row| Cell::text_of(row.1)),
            Column("bytes", |row| Cell::count(row.2)),
        ];
        Table::of("people", PEOPLE, &[(1, "somebody", 1234)])
    }

    #[test]
    fn a_table_is_as_wide_as_its_widest_cell() {
        assert_eq!(
            table().text(),
            "+----+----------+-------+\n| id | name     | bytes |\n+----+----------+-------+\n\
             |  1 | somebody | 1,234 |\n+----+----------+-------+\n"
        );
    }

    #[test]
    fn a_program_gets_names_and_plain_values() {
        assert_eq!(table().bare(), "1\tsomebody\t1234\n");
        let document = Answer::found(table()).document("").to_text(true);
        assert_eq!(
            document,
            r#"{"jsonrpc":"2.0","id":null,"result":{"people":[{"id":"1","name":"somebody","bytes":"1234"}]}}"#
        );
    }

    #[test]
    fn a_failure_is_an_error_document_with_its_message() {
        let document = Answer::Failed(Refusal::usage("There is no job \"x\".")).document("lost").to_text(true);
        assert_eq!(
            document,
            r#"{"jsonrpc":"2.0","id":null,"error":{"code":1,"message":"failed","data":{"result":{},"messages":{"error":["There is no job \"x\"."]}}}}"#
        );
    }
}
