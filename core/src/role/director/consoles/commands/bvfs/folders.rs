//! `.bvfs_lsdirs`, `.bvfs_lsfiles`: what is in a folder.

use crate::catalog::browse::{Browse, Browsed, Entry, Folder, Within};
use crate::printable;
use crate::wire::json::Json;

use super::super::super::answer::Shown;
use super::super::super::grammar::Takes::Value;
use super::super::super::grammar::{Command, Form, Takes};
use super::super::super::refusal::{Refusal, number_of};
use super::super::super::reply::{Reply, View};
use super::super::super::words::Words;
use super::learning::learned;
use super::{LIMIT, browse, in_folder, line, link, members, numbers, place, stat, unexpected};

const WORDS: &[(&str, Takes)] =
    &[("jobid", Value), ("path", Value), ("pathid", Value), ("limit", Value), ("offset", Value)];

const ONE_PLACE: &[&[&str]] = &[&["path", "pathid"]];

pub(in super::super) const DIRS: Command = Command::new(
    ".bvfs_lsdirs",
    &[Form {
        words: WORDS,
        one_of: ONE_PLACE,
        help: &[(
            ".bvfs_lsdirs jobid=N,… path=FOLDER|pathid=N [limit=N] [offset=N]",
            "the folders in a folder of these jobs, that folder itself and the one it is in",
        )],
        ..Form::PLAIN
    }],
    |_, words| run(words, dirs),
);

pub(in super::super) const FILES: Command = Command::new(
    ".bvfs_lsfiles",
    &[Form {
        words: WORDS,
        one_of: ONE_PLACE,
        help: &[(
            ".bvfs_lsfiles jobid=N,… path=FOLDER|pathid=N [limit=N] [offset=N]",
            "the files in a folder of these jobs, the newest of each name",
        )],
        ..Form::PLAIN
    }],
    |_, words| run(words, files),
);

fn run(words: &Words, then: fn(Folder, Within) -> Reply) -> Result<Reply, Refusal> {
    let jobs: Vec<u32> =
        numbers(words, "jobid")?.filter(|jobs: &Vec<u32>| !jobs.is_empty()).ok_or_else(jobs_missing)?;
    let (limit, offset) = (number_of(words, "limit")?.unwrap_or(LIMIT), number_of(words, "offset")?.unwrap_or(0));
    let place = place(words)?;
    Ok(learned(jobs.clone(), move || {
        Ok(in_folder(place, move |_, folder| {
            let within = Within { jobs, path_id: folder.path_id, limit, offset };
            Ok(then(folder, within))
        }))
    }))
}

fn jobs_missing() -> Refusal {
    Refusal::usage("Name the jobs: jobid=N or jobid=N,N. .bvfs_get_jobids says which belong together.")
}

/// First the folder itself and the one it is in, then its folders: all in one list with one limit.
fn dirs(folder: Folder, within: Within) -> Reply {
    let mut special = vec![(folder.path_id, ".")];
    if folder.parent > 0 {
        special.push((folder.parent, ".."));
    }
    let passed = within.offset;
    let taken = special.into_iter().skip(passed as usize).take(within.limit as usize).collect();
    special_dirs(taken, within, passed, Vec::new())
}

fn special_dirs(mut rest: Vec<(i64, &'static str)>, mut within: Within, passed: u32, mut rows: Vec<Row>) -> Reply {
    if rest.is_empty() {
        let shown = u32::try_from(rows.len()).unwrap_or(u32::MAX);
        within.limit -= shown;
        within.offset = if shown > 0 { 0 } else { passed.saturating_sub(2) };
        return sub_dirs(within, rows);
    }
    let (path_id, name) = rest.remove(0);
    browse(Browse::Itself { jobs: within.jobs.clone(), path_id }, move |_, browsed| {
        let Browsed::Entries(entries) = browsed else { return Err(unexpected(browsed)) };
        let entry = entries.into_iter().next().unwrap_or_else(|| Entry { path_id, ..Entry::default() });
        rows.push(Row { entry, name: name.to_owned(), path: name.to_owned() });
        Ok(special_dirs(rest, within, passed, rows))
    })
}

fn sub_dirs(within: Within, mut rows: Vec<Row>) -> Reply {
    if within.limit == 0 {
        return Reply::found(Dirs(rows));
    }
    browse(Browse::Folders(within), move |_, browsed| {
        let Browsed::Entries(entries) = browsed else { return Err(unexpected(browsed)) };
        rows.extend(entries.into_iter().map(|entry| {
            let path = entry.name.clone();
            let stem = path.strip_suffix(b"/").unwrap_or(&path);
            let begin = stem.iter().rposition(|byte| *byte == b'/').map_or(0, |slash| slash + 1);
            let name = printable::name(path.get(begin..).unwrap_or_default());
            Row { entry, name, path: printable::name(&path) }
        }));
        Ok(Reply::found(Dirs(rows)))
    })
}

/// An entry, with its name and its whole path as they are shown.
#[derive(Debug)]
struct Row {
    entry: Entry,
    name: String,
    path: String,
}

#[derive(Debug)]
struct Dirs(Vec<Row>);

impl Shown for Dirs {
    fn text(&self) -> String {
        self.0.iter().map(|row| line(&row.entry, &row.name)).collect()
    }

    fn json(&self) -> Option<Json> {
        let object = |row: &Row| {
            let names = [("name", row.name.as_str().into()), ("fullpath", row.path.as_str().into())];
            let rest = [("stat", stat(&row.entry)), ("linkfileindex", link(&row.entry))];
            let more = names.into_iter().chain(rest).map(|(name, value): (&str, Json)| (name.to_owned(), value));
            Json::Object(members("D", &row.entry).into_iter().chain(more).collect())
        };
        Some(Json::object([("directories", Json::List(self.0.iter().map(object).collect()))]))
    }
}

fn files(_: Folder, within: Within) -> Reply {
    browse(Browse::Files(within), |_: &View<'_>, browsed| match browsed {
        Browsed::Entries(entries) => Ok(Reply::found(Files(entries))),
        other => Err(unexpected(other)),
    })
}

#[derive(Debug)]
struct Files(Vec<Entry>);

impl Shown for Files {
    fn text(&self) -> String {
        self.0.iter().map(|entry| line(entry, &printable::name(&entry.name))).collect()
    }

    fn json(&self) -> Option<Json> {
        let object = |entry: &Entry| {
            let name = printable::name(&entry.name).into();
            let more = [("name", name), ("stat", stat(entry)), ("linkfileindex", link(entry))];
            let more = more.map(|(name, value): (&str, Json)| (name.to_owned(), value));
            Json::Object(members("F", entry).into_iter().chain(more).collect())
        };
        Some(Json::object([("files", Json::List(self.0.iter().map(object).collect()))]))
    }
}
