//! `.bvfs_*`: browsing what jobs have saved, folder by folder, and choosing from it. A program says which jobs it means; the
//! folders of a job are learned from the catalog when one of them is first looked at, or by `.bvfs_update`.

mod choosing;
mod folders;
mod jobs;
mod learning;
mod versions;

use crate::catalog::browse::{Browse, Browsed, Entry, Folder, Place, file_id};
use crate::catalog::{CatalogAnswer, CatalogRequest};
use crate::printable;
use crate::wire::attributes::Stat;
use crate::wire::json::Json;

use super::super::refusal::{BadValue, Refusal};
use super::super::reply::{Reply, View};
use super::super::words::Words;

pub(in super::super) use choosing::Choices;
pub(super) use choosing::{CLEANUP, RESTORE};
pub(super) use folders::{DIRS as LSDIRS, FILES as LSFILES};
pub(super) use jobs::COMMAND as GET_JOBIDS;
pub(super) use learning::{CLEAR as CLEAR_CACHE, UPDATE};
pub(super) use versions::COMMAND as VERSIONS;

/// Entries that are shown when nobody says how many.
const LIMIT: u32 = 2_000;

/// Attributes of a folder that no job has an entry of.
const NO_STAT: &str = "A A A A A A A A A A A A A A";

/// Asks the catalog for something that a browser shows.
fn browse(browse: Browse, then: impl FnOnce(&View<'_>, Browsed) -> Result<Reply, Refusal> + Send + 'static) -> Reply {
    Reply::ask(CatalogRequest::Browse(browse), move |view, answer| match answer {
        CatalogAnswer::Browsed(browsed) => then(view, browsed),
        other => Err(Refusal::unexpected(other)),
    })
}

/// The catalog has answered another question.
fn unexpected(browsed: Browsed) -> Refusal {
    Refusal::unexpected(CatalogAnswer::Browsed(browsed))
}

/// Numbers with commas between them.
fn numbers<N: std::str::FromStr>(words: &Words, word: &'static str) -> Result<Option<Vec<N>>, BadValue> {
    let Some(text) = words.value(&[word]) else { return Ok(None) };
    let words = text.split(',').map(str::trim).filter(|number| !number.is_empty());
    let numbers: Result<Vec<N>, N::Err> = words.map(str::parse).collect();
    numbers.map(Some).map_err(|_| BadValue::new(word, text, "numbers with commas between them"))
}

/// The folder that the words name.
fn place(words: &Words) -> Result<Place, Refusal> {
    if let Some(id) = super::super::refusal::number_of::<i64>(words, "pathid")? {
        return Ok(Place::Id(id));
    }
    let path = words.values("path").next().ok_or_else(|| Refusal::usage("Name a folder: path=FOLDER or pathid=N."))?;
    let is_whole = path.is_empty() || path.ends_with(b"/");
    Ok(Place::Path(if is_whole { path.to_vec() } else { [path, b"/"].concat() }))
}

/// Goes on with the folder, if there is one.
fn in_folder(place: Place, then: impl FnOnce(&View<'_>, Folder) -> Result<Reply, Refusal> + Send + 'static) -> Reply {
    let named = match &place {
        Place::Id(id) => format!("pathid={id}"),
        Place::Path(path) => printable::name(path),
    };
    browse(Browse::Folder(place), move |view, browsed| match browsed {
        Browsed::Folder(folder) => then(view, folder.ok_or(Refusal::NoFolder(named))?),
        other => Err(unexpected(other)),
    })
}

/// An entry as a program reads it: the number of its folder, its own, its job, its attributes, its name.
fn line(entry: &Entry, name: &str) -> String {
    format!("{}\t{}\t{}\t{}\t{name}\n", entry.path_id, number_of(entry), entry.job_id, attributes(entry))
}

/// The number that names an entry; 0 for a folder without one.
fn number_of(entry: &Entry) -> u64 {
    if entry.file_index == 0 { 0 } else { file_id(entry.job_id, entry.file_index) }
}

fn attributes(entry: &Entry) -> String {
    if entry.lstat.is_empty() { NO_STAT.to_owned() } else { printable::name(&entry.lstat) }
}

/// The members that all entries have.
fn members(kind: &str, entry: &Entry) -> Vec<(String, Json)> {
    let number = |number: u64| Json::Number(i64::try_from(number).unwrap_or(i64::MAX));
    [
        ("type", kind.into()),
        ("pathid", Json::Number(entry.path_id)),
        ("fileid", number(number_of(entry))),
        ("jobid", Json::Number(entry.job_id.into())),
        ("lstat", attributes(entry).into()),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .into()
}

/// What `stat` says of an entry. Whom the numbers belong to, the director does not know; 0 is the same everywhere.
fn stat(entry: &Entry) -> Json {
    let stat = Stat::decode(&entry.lstat);
    let number = |number: u64| Json::Number(i64::try_from(number).unwrap_or(i64::MAX));
    let name = |id: u32| if id == 0 { "root".to_owned() } else { id.to_string() };
    Json::object([
        ("dev", number(stat.dev)),
        ("ino", number(stat.ino)),
        ("mode", Json::Number(stat.mode.into())),
        ("nlink", number(stat.nlink)),
        ("uid", Json::Number(stat.uid.into())),
        ("gid", Json::Number(stat.gid.into())),
        ("user", name(stat.uid).into()),
        ("group", name(stat.gid).into()),
        ("rdev", number(stat.rdev)),
        ("size", Json::Number(stat.size)),
        ("atime", Json::Number(stat.atime)),
        ("mtime", Json::Number(stat.mtime)),
        ("ctime", Json::Number(stat.ctime)),
    ])
}

/// The first name of a hard link in its job, 0 for anything else.
fn link(entry: &Entry) -> Json {
    Json::Number(Stat::decode(&entry.lstat).link_fi.into())
}
