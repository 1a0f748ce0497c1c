//! How a console hears of what a command came to: commands give values, and they are rendered as text, as text between
//! signals (API mode 1, `wire/1 §6.3`) or as one JSON document (API mode 2, `wire/1 §6.4`).

use std::borrow::Cow;

use crate::bulk::parcel::Parcel;
use crate::error::Code;
use crate::ids::ConnId;
use crate::role::director::Net;
use crate::role::report::thousands;
use crate::wire::frame::Signal;
use crate::wire::json::Json;
use crate::{limits, printable};

use super::super::Director;
use super::words::Words;
use super::{Asked, Doing, put_text, show, text_frames};
use crate::catalog::{CatalogRequest, FileKey, FileRow};

/// Files that a document may list: it must be whole before a console reads any of it.
const MAX_FILES: usize = 10_000;

/// Bytes of their names.
const MAX_FILE_BYTES: usize = 2 * 1024 * 1024;
/// Bytes of text that a command's JSON document may hold.
const MAX_TEXT: usize = 1 << 20;
/// Bytes of the last line of a text that does not fit: an estimate ends with its figures.
const MAX_LAST: usize = 1_000;

/// How a console wants its answers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Api {
    /// Text for a person: mode 0.
    #[default]
    Text,
    /// Text between signals: mode 1.
    Framed,
    /// One JSON document for each command: mode 2.
    Json {
        /// On one line.
        compact: bool,
    },
}

/// What a console is told by its present command, beside the text it is sent at once.
#[derive(Debug, Default)]
pub(super) struct Output {
    pub(super) api: Api,
    /// The command has been announced by a signal.
    begun: bool,
    /// What would be printed, in JSON.
    text: String,
    /// Lines that found no room in it, and the last of them.
    left_out: u64,
    last: String,
    /// Files that the present command has listed, in JSON.
    files: Vec<Json>,
    /// The bytes of their names.
    file_bytes: usize,
}

/// What a command comes to.
#[derive(Debug)]
pub(in super::super) struct Answer {
    how: How,
    text: String,
    value: Option<Json>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum How {
    Succeeded,
    Failed,
    /// No such command, or none for this console.
    Unknown,
}

impl Output {
    /// Keeps a text for the document, as far as there is room.
    fn keep(&mut self, text: &str) {
        if self.left_out == 0 && self.text.len() + text.len() <= MAX_TEXT {
            return self.text.push_str(text);
        }
        self.left_out += text.lines().count() as u64;
        if let Some(last) = text.lines().next_back() {
            self.last = printable::shortened(last, MAX_LAST).into_owned();
        }
    }

    /// What was kept, and how much was not.
    fn said(self) -> String {
        match self.left_out {
            0 => self.text,
            lines => format!("{}{}{}\n", self.text, left_out(lines - 1), self.last),
        }
    }
}

/// A line about lines that nobody is shown.
fn left_out(lines: u64) -> String {
    format!("… {lines} more lines are left out ({})\n", Code(650))
}

impl Answer {
    /// Success with a text that a program does not need.
    pub(in super::super) fn said(text: impl Into<String>) -> Self {
        Self { how: How::Succeeded, text: text.into(), value: None }
    }

    /// Success: a text for people, and what it says as a value.
    pub(in super::super) fn value(text: impl Into<String>, value: Json) -> Self {
        Self { value: Some(value), ..Self::said(text) }
    }

    /// Failure, and why.
    pub(in super::super) fn failed(text: impl Into<String>) -> Self {
        Self { how: How::Failed, ..Self::said(text) }
    }

    /// There is no such command, or the console has no access to it.
    pub(super) fn unknown(text: impl Into<String>) -> Self {
        Self { how: How::Unknown, ..Self::said(text) }
    }

    /// The same with nothing for a person to read.
    pub(super) fn without_text(self) -> Self {
        Self { text: String::new(), ..self }
    }

    /// What a person reads.
    pub(in super::super) fn text(&self) -> &str {
        &self.text
    }

    /// The document of mode 2 as text, and whether it is that: one that is too long is an error in its place.
    fn whole_document(self, said: String, compact: bool) -> (String, bool) {
        let text = self.document(said).to_text(compact);
        if text.len() <= limits::ANSWER {
            return (text, true);
        }
        let (long, most) = (text.len(), limits::ANSWER);
        let why = format!("The document is {long} bytes long, and at most {most} are sent ({}).\n", Code(650));
        (Self::failed(why).document(String::new()).to_text(compact), false)
    }

    /// The document of mode 2.
    fn document(self, said: String) -> Json {
        let head = |last| Json::object([("jsonrpc", "2.0".into()), ("id", Json::Null), last]);
        if self.how == How::Succeeded {
            let said = said + &self.text;
            let nothing_else = || match said.is_empty() {
                true => Json::Object(Vec::new()),
                false => Json::object([("text", said.trim_end().into())]),
            };
            return head(("result", self.value.unwrap_or_else(nothing_else)));
        }
        let errors = Json::List(vec![self.text.trim_end().into()]);
        let data =
            Json::object([("result", Json::Object(Vec::new())), ("messages", Json::object([("error", errors)]))]);
        head(("error", Json::object([("code", Json::Number(1)), ("message", "failed".into()), ("data", data)])))
    }
}

impl Director {
    /// Announces a command to a console that wants signals.
    pub(super) fn command_begins(&mut self, net: &mut Net, conn: ConnId) {
        let Some(console) = self.consoles.get_mut(&conn) else { return };
        console.output.text.clear();
        console.output.begun = console.output.api != Api::Text;
        if console.output.begun {
            net.send_signal(conn, Signal::CommandBegin);
        }
    }

    /// Shows a console some text; longer texts take several frames. In JSON it waits for the end of the command.
    pub(in super::super) fn console_prints(&mut self, net: &mut Net, conn: ConnId, text: &str) {
        let Some(console) = self.consoles.get_mut(&conn) else { return };
        if matches!(console.output.api, Api::Json { .. }) {
            console.output.keep(text);
        } else {
            send(net, conn, text);
        }
    }

    /// Passes a daemon's lines on to a console, in JSON at the end of the command. Whether they are being written: then the
    /// role hears once they are.
    pub(in super::super) fn console_takes(
        &mut self,
        net: &mut Net,
        conn: ConnId,
        lines: impl Iterator<Item = String>,
    ) -> bool {
        let Some(console) = self.consoles.get_mut(&conn) else { return false };
        if matches!(console.output.api, Api::Json { .. }) {
            lines.for_each(|line| console.output.keep(&line));
            return false;
        }
        let mut bytes = Vec::new();
        lines.for_each(|line| put_text(&mut bytes, &line));
        net.send_parcel(conn, Parcel { bytes, frames: 1, ..Parcel::default() });
        true
    }

    /// Ends a console's command with these last words.
    pub(in super::super) fn console_done(&mut self, net: &mut Net, conn: ConnId, text: &str) {
        self.console_answers(net, conn, Answer::said(text));
    }

    /// Ends a console's command: it failed, and why.
    pub(in super::super) fn console_fails(&mut self, net: &mut Net, conn: ConnId, text: &str) {
        self.console_answers(net, conn, Answer::failed(text));
    }

    /// Ends a console's command.
    pub(in super::super) fn console_answers(&mut self, net: &mut Net, conn: ConnId, answer: Answer) {
        let (total, may_read) = (self.journal.total(), self.may(conn, "messages"));
        let Some(console) = self.consoles.get_mut(&conn) else { return };
        console.doing = Doing::Idle;
        let output = std::mem::take(&mut console.output);
        let (api, begun, said) = (output.api, output.begun, output.said());
        console.output.api = api;
        let notify = console.seen < total && !console.notified && may_read;
        console.notified |= notify;
        let is_towline = console.is_towline;
        let how = if answer.how == How::Succeeded { Signal::CommandOk } else { Signal::CommandFailed };
        match api {
            Api::Text => {
                send(net, conn, &answer.text);
                if notify {
                    net.send_text(conn, "You have messages.\n");
                }
                if is_towline && answer.how != How::Succeeded {
                    net.send_signal(conn, how);
                }
                net.send_signal(conn, Signal::Eod);
                return self.console_goes_on(net, conn);
            }
            Api::Framed => {
                if answer.how != How::Succeeded {
                    net.send_signal(conn, Signal::ErrorMessage);
                }
                send(net, conn, &answer.text);
                if begun || answer.how == How::Succeeded {
                    net.send_signal(conn, how);
                }
            }
            Api::Json { compact } => {
                let is_unknown = answer.how == How::Unknown;
                let (document, is_whole) = answer.whole_document(said, compact);
                let how = if is_whole { how } else { Signal::CommandFailed };
                net.send_signal(conn, if is_unknown { Signal::ErrorMessage } else { how });
                send(net, conn, &document);
            }
        }
        if notify {
            net.send_signal(conn, Signal::MessagesPending);
        }
        net.send_signal(conn, Signal::MainPrompt);
        self.console_goes_on(net, conn);
    }

    /// A page of a job's files for a document; the next is asked for until there is none.
    pub(super) fn list_files(
        &mut self,
        net: &mut Net,
        conn: ConnId,
        job_id: u32,
        files: &[FileRow],
        next: Option<FileKey>,
    ) {
        let Some(console) = self.consoles.get_mut(&conn) else { return };
        let listed = &mut console.output.files;
        let name = |file: &FileRow| printable::name(&file.name);
        listed.extend(files.iter().map(|file| Json::object([("filename", name(file).into())])));
        let bytes = console.output.file_bytes + files.iter().map(FileRow::bytes).sum::<usize>();
        console.output.file_bytes = if next.is_some() { bytes } else { 0 };
        if listed.len() > MAX_FILES || bytes > MAX_FILE_BYTES {
            listed.clear();
            console.output.file_bytes = 0;
            let text = format!(
                "The job has more than {MAX_FILES} files, or their names are too long: list them in API mode 0 or 1.\n"
            );
            return self.console_fails(net, conn, &text);
        }
        if next.is_some() {
            let request = CatalogRequest::ListFiles { job_id, after: next, limit: show::PAGE };
            return self.console_asks(net, conn, Asked::Files(job_id), request);
        }
        let value = Json::object([("filenames", Json::List(std::mem::take(listed)))]);
        self.console_answers(net, conn, Answer::value("", value));
    }

    /// What a console that leaves is still told: in text nothing.
    pub(super) fn last_words(&self, net: &mut Net, conn: ConnId) {
        let api = self.api_of(conn);
        if api != Api::Text {
            net.send_signal(conn, Signal::CommandOk);
        }
        if let Api::Json { compact } = api {
            send(net, conn, &Answer::said("").document(String::new()).to_text(compact));
        }
    }

    /// `.api`: how the answers are to be from now on, this one included.
    pub(super) fn set_api(&mut self, net: &mut Net, conn: ConnId, words: &Words) {
        let compact = words.value(&["compact"]).is_some_and(|word| ["yes", "true", "on", "1"].contains(&word));
        let (api, number) = match words.word(1).as_str() {
            "0" | "off" => (Api::Text, 0),
            "" | "1" | "on" => (Api::Framed, 1),
            "2" | "json" => (Api::Json { compact }, 2),
            other => return self.console_fails(net, conn, &format!(".api {other}: say 0, 1 or 2.\n")),
        };
        if let Some(console) = self.consoles.get_mut(&conn) {
            console.output.api = api;
        }
        let value = Json::object([("api", Json::Number(number))]);
        self.console_answers(net, conn, Answer::value(format!("api: {number}\n"), value));
    }

    /// How a console wants its answers.
    pub(super) fn api_of(&self, conn: ConnId) -> Api {
        self.consoles.get(&conn).map(|console| console.output.api).unwrap_or_default()
    }
}

/// What daemons said may be in the text: whatever console it is, its terminal is not theirs.
fn send(net: &mut Net, conn: ConnId, text: &str) {
    if !text.is_empty() {
        net.send(conn, text_frames(&bounded(&printable::text(text))));
    }
}

/// As much of an answer as one may be, in whole lines, and how much is missing.
fn bounded(text: &str) -> Cow<'_, str> {
    if text.len() <= limits::ANSWER {
        return text.into();
    }
    let end = text.as_bytes()[..limits::ANSWER].iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
    let (shown, rest) = text.split_at(end);
    format!("{shown}{}", left_out(rest.lines().count() as u64)).into()
}

/// Rows with names for their columns.
#[derive(Debug)]
pub(super) struct Table {
    /// What the rows are.
    pub(super) name: &'static str,
    pub(super) heads: &'static [&'static str],
    pub(super) rows: Vec<Vec<Cell>>,
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
    /// As the answer to a command, as this console wants it.
    pub(super) fn answer(&self, api: Api) -> Answer {
        match api {
            Api::Text => Answer::said(self.text()),
            Api::Framed => Answer::said(self.bare()),
            Api::Json { .. } => Answer::value("", Json::object([(self.name, self.json())])),
        }
    }

    /// A frame of lines around the cells; numbers stand to the right.
    pub(super) fn text(&self) -> String {
        if self.rows.is_empty() {
            return "No results to list.\n".to_owned();
        }
        let rows: Vec<Vec<(String, bool)>> = self.rows.iter().map(|row| row.iter().map(Cell::text).collect()).collect();
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

    /// Only the values: one line a row.
    fn bare(&self) -> String {
        let line = |row: &Vec<Cell>| row.iter().map(Cell::plain).collect::<Vec<_>>().join("\t") + "\n";
        self.rows.iter().map(line).collect()
    }

    /// A list of objects. All values are texts, as Bareos's are.
    pub(super) fn json(&self) -> Json {
        let object = |row: &Vec<Cell>| {
            let members = self.heads.iter().zip(row);
            Json::Object(members.map(|(head, cell)| ((*head).to_owned(), cell.plain().into())).collect())
        };
        Json::List(self.rows.iter().map(object).collect())
    }
}

impl Cell {
    /// For a person, and whether it stands to the right.
    fn text(&self) -> (String, bool) {
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
        let rows = vec![vec![Cell::Id(1), Cell::Text("somebody".into()), Cell::Count(1234)]];
        Table { name: "people", heads: &["id", "name", "bytes"], rows }
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
        let document = table().answer(Api::Json { compact: true }).document(String::new()).to_text(true);
        assert_eq!(
            document,
            r#"{"jsonrpc":"2.0","id":null,"result":{"people":[{"id":"1","name":"somebody","bytes":"1234"}]}}"#
        );
    }

    #[test]
    fn an_answer_is_four_megabytes_long_and_not_one_byte_more() {
        let lines = "0123456\n".repeat(limits::ANSWER / 8);
        assert_eq!(bounded(&lines), lines);
        let more = format!("{lines}x\ny\n");
        assert_eq!(bounded(&more), format!("{lines}… 2 more lines are left out (T0650)\n"));
        let said = |bytes: usize| Answer::said("x".repeat(bytes)).whole_document(String::new(), true);
        let head = said(0).0.len() + r#""text":"""#.len();
        assert!(said(limits::ANSWER - head).1);
        let (document, is_whole) = said(limits::ANSWER - head + 1);
        assert!(!is_whole && document.contains("bytes long, and at most 4194304 are sent (T0650)"), "{document}");
    }

    #[test]
    fn a_document_keeps_a_megabyte_of_text_and_the_last_line() {
        let mut output = Output::default();
        output.keep(&"x".repeat(MAX_TEXT - 2));
        output.keep("\n\n");
        assert_eq!(output.left_out, 0);
        for line in ["one\n", "two\n", "2000 OK estimate files=3 bytes=4\n"] {
            output.keep(line);
        }
        let said = output.said();
        assert!(said.ends_with("x\n\n… 2 more lines are left out (T0650)\n2000 OK estimate files=3 bytes=4\n"));
    }

    #[test]
    fn a_failure_is_an_error_document_with_its_message() {
        let document = Answer::failed("There is no job \"x\".\n").document("lost".to_owned()).to_text(true);
        assert_eq!(
            document,
            r#"{"jsonrpc":"2.0","id":null,"error":{"code":1,"message":"failed","data":{"result":{},"messages":{"error":["There is no job \"x\"."]}}}}"#
        );
    }
}
