//! What a command comes to: one value, which a person and a program are shown differently.

use std::fmt::Debug;

use crate::calendar::Zone;
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
    look: Look,
    /// It is about one thing: an object and no list.
    is_one: bool,
    range: Option<Range>,
}

/// How a person is shown a table.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Look {
    /// In a frame, a row a line.
    Framed,
    /// A value a line, under each other.
    Long,
    /// As these lines.
    Lines(String),
}

/// Which rows were asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Range {
    /// At most so many.
    pub(super) limit: Option<u32>,
    /// So many were passed over.
    pub(super) offset: Option<u32>,
}

/// One value of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Cell {
    /// A text.
    Text(String),
    /// A number with a fraction, as it is shown.
    Decimal(String),
    /// The number of something.
    Id(u64),
    /// How many there are of something.
    Count(u64),
    /// A moment in seconds since 1970, 0 for never.
    Moment(i64),
    /// What is a number for a program too.
    Number(i64),
    /// What is true or false for a program.
    Flag(bool),
}

impl Table {
    pub(super) fn of<'a, R: 'a>(
        name: &'static str,
        columns: &[Column<R>],
        rows: impl IntoIterator<Item = &'a R>,
    ) -> Self {
        let row = |row| columns.iter().map(|Column(_, value)| value(row)).collect();
        let heads = columns.iter().map(|Column(head, _)| *head).collect();
        let rows = rows.into_iter().map(row).collect();
        Self { name, heads, rows, look: Look::Framed, is_one: false, range: None }
    }

    /// Only how many rows there are.
    pub(super) fn count(name: &'static str, count: u64) -> Self {
        Self::of(name, &[Column("count", |count: &u64| Cell::count(*count))], &[count])
    }

    /// With all moments as a clock of this zone shows them.
    pub(super) fn at(mut self, zone: &Zone) -> Self {
        for cell in self.rows.iter_mut().flatten() {
            if let Cell::Moment(seconds) = *cell {
                *cell = Cell::Text(if seconds == 0 { String::new() } else { zone.local(seconds).to_string() });
            }
        }
        self
    }

    /// A value a line, if it is to be so.
    pub(super) fn long(mut self, long: bool) -> Self {
        if long {
            self.look = Look::Long;
        }
        self
    }

    /// Shown to a person as these lines.
    pub(super) fn lines(mut self, lines: String) -> Self {
        self.look = Look::Lines(lines);
        self
    }

    /// About one thing.
    pub(super) const fn one(mut self) -> Self {
        self.is_one = true;
        self
    }

    /// With the range that was asked for, if one was.
    pub(super) const fn within(mut self, range: Range) -> Self {
        if range.limit.is_some() {
            self.range = Some(range);
        }
        self
    }

    /// A list of objects. What is no number or flag for a program is a text, as it is with Bareos.
    pub(super) fn rows(&self) -> Json {
        let object = |row: &Vec<Cell>| {
            let members = self.heads.iter().zip(row);
            Json::Object(members.map(|(head, cell)| ((*head).to_owned(), cell.json())).collect())
        };
        let mut objects = self.rows.iter().map(object);
        if self.is_one {
            return objects.next().unwrap_or(Json::Object(Vec::new()));
        }
        Json::List(objects.collect())
    }

    /// The members of a document: the rows under their name, and the range.
    pub(super) fn members(&self) -> Vec<(String, Json)> {
        let mut members = vec![(self.name.to_owned(), self.rows())];
        if let Some(Range { limit, offset }) = self.range {
            let number =
                |name: &str, number: Option<u32>| number.map(|number| (name.to_owned(), Json::Number(number.into())));
            let numbers = number("limit", limit).into_iter().chain(number("offset", offset));
            // Rows that were left out because the console may not see them: they are not chosen in the first place.
            let range = numbers.chain([("filtered".to_owned(), Json::Number(0))]).collect();
            members.push(("meta".to_owned(), Json::object([("range", Json::Object(range))])));
        }
        members
    }

    /// A frame of lines around the cells; numbers stand to the right.
    fn framed(&self) -> String {
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
        // Their heads stand to the left whatever is under them.
        let heads: Vec<_> = self.heads.iter().map(|head| ((*head).to_owned(), false)).collect();
        rule.clone() + &line(&heads) + &rule + &rows.iter().map(|row| line(row)).collect::<String>() + &rule
    }

    /// A value a line: its name to the right of a column, a blank line after each row.
    fn under_each_other(&self) -> String {
        let width = self.heads.iter().map(|head| head.len()).max().unwrap_or(0) + 1;
        let line = |(head, cell): (&&str, &Cell)| format!("{head:>width$}: {}\n", cell.shown().0);
        let row = |row: &Vec<Cell>| self.heads.iter().zip(row).map(line).collect::<String>() + "\n";
        self.rows.iter().map(row).collect()
    }
}

impl Shown for Table {
    fn text(&self) -> String {
        match &self.look {
            Look::Lines(lines) => lines.clone(),
            _ if self.rows.is_empty() => "No results to list.\n".to_owned(),
            Look::Framed => self.framed(),
            Look::Long => self.under_each_other(),
        }
    }

    /// Only the values: one line a row.
    fn bare(&self) -> String {
        match &self.look {
            Look::Lines(lines) => return lines.clone(),
            Look::Long => return self.under_each_other(),
            Look::Framed => {}
        }
        let line = |row: &Vec<Cell>| row.iter().map(Cell::plain).collect::<Vec<_>>().join("\t") + "\n";
        self.rows.iter().map(line).collect()
    }

    fn json(&self) -> Option<Json> {
        Some(Json::Object(self.members()))
    }
}

/// Several tables, each after a line of its own, if it has one.
#[derive(Debug)]
pub(super) struct Tables(pub(super) Vec<(String, Table)>);

impl Shown for Tables {
    fn text(&self) -> String {
        self.0.iter().map(|(head, table)| format!("{head}{}", table.text())).collect()
    }

    fn bare(&self) -> String {
        self.0.iter().map(|(_, table)| table.bare()).collect()
    }

    fn json(&self) -> Option<Json> {
        Some(Json::Object(self.0.iter().flat_map(|(_, table)| table.members()).collect()))
    }
}

/// A text for a person and something else for a program.
#[derive(Debug)]
pub(super) struct Both {
    pub(super) text: String,
    pub(super) json: Json,
}

impl Shown for Both {
    fn text(&self) -> String {
        self.text.clone()
    }

    fn json(&self) -> Option<Json> {
        Some(self.json.clone())
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

    /// What is a number for a program too.
    pub(super) fn number(number: impl Into<i64>) -> Self {
        Self::Number(number.into())
    }

    /// A flag of the catalog: 0 or 1.
    pub(super) fn bit(flag: bool) -> Self {
        Self::Id(u64::from(flag))
    }

    /// For a person, and whether it stands to the right.
    fn shown(&self) -> (String, bool) {
        match self {
            Self::Text(text) => (text.clone(), false),
            Self::Decimal(number) => (number.clone(), true),
            Self::Id(number) => (number.to_string(), true),
            Self::Count(number) => (thousands(*number), true),
            Self::Moment(seconds) | Self::Number(seconds) => (seconds.to_string(), true),
            Self::Flag(flag) => (if *flag { "yes" } else { "no" }.to_owned(), false),
        }
    }

    /// For a program.
    fn plain(&self) -> String {
        match self {
            Self::Count(number) => number.to_string(),
            other => other.shown().0,
        }
    }

    fn json(&self) -> Json {
        match self {
            Self::Number(number) => Json::Number(*number),
            Self::Flag(flag) => Json::Bool(*flag),
            other => other.plain().into(),
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
    fn a_long_list_has_a_value_a_line() {
        assert_eq!(table().long(true).text(), "    id: 1\n  name: somebody\n bytes: 1,234\n\n");
        assert_eq!(Table::of::<u8>("none", &[], &[]).long(true).text(), "No results to list.\n");
    }

    #[test]
    fn a_range_is_said_and_one_thing_is_no_list() {
        let said = |table: Table| Answer::found(table).document("").to_text(true);
        let ranged = said(table().within(Range { limit: Some(1), offset: None }));
        assert!(ranged.ends_with(r#""bytes":"1234"}],"meta":{"range":{"limit":1,"filtered":0}}}}"#), "{ranged}");
        assert!(said(table().one()).ends_with(r#""people":{"id":"1","name":"somebody","bytes":"1234"}}}"#));
        assert!(said(Table::of::<u8>("none", &[], &[]).one()).ends_with(r#"{"none":{}}}"#));
    }

    #[test]
    fn a_moment_is_shown_by_the_clock_of_its_zone_and_never_is_nothing() {
        let columns = &[Column("at", |seconds: &i64| Cell::Moment(*seconds))];
        let table = Table::of("moments", columns, &[0, 60]).at(&Zone::default());
        assert_eq!(table.bare(), "\n1970-01-01 00:01:00\n");
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
