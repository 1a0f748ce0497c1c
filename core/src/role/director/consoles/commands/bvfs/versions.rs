//! `.bvfs_versions`: all versions of a file of a client.

use crate::catalog::browse::{Browse, Browsed, Version};
use crate::printable;
use crate::wire::json::Json;

use super::super::super::answer::Shown;
use super::super::super::grammar::Takes::{Nothing, Value};
use super::super::super::grammar::{Command, Form};
use super::super::super::refusal::{Kind, NoSuch, Refusal, number_of};
use super::super::super::reply::{Reply, View};
use super::super::super::words::Words;
use super::{LIMIT, attributes, browse, in_folder, members, number_of as file_number, place, stat, unexpected};

pub(in super::super) const COMMAND: Command = Command::new(
    ".bvfs_versions",
    &[Form {
        words: &[
            ("client", Value),
            ("path", Value),
            ("pathid", Value),
            ("fname", Value),
            ("name", Value),
            ("filename", Value),
            ("jobid", Value),
            ("copies", Nothing),
            ("versions", Nothing),
            ("limit", Value),
            ("offset", Value),
        ],
        one_of: &[&["path", "pathid"], &["fname", "name", "filename"]],
        help: &[(
            ".bvfs_versions client=NAME path=FOLDER|pathid=N fname=NAME [copies] [limit=N] [offset=N]",
            "all versions of a file of a client, of every job and each with its volume; jobid= and versions change nothing",
        )],
        ..Form::PLAIN
    }],
    run,
);

fn run(view: &View<'_>, words: &Words) -> Result<Reply, Refusal> {
    let missing = || Refusal::usage("Name the file: .bvfs_versions client=NAME path=FOLDER fname=NAME.");
    let client = words.value(&["client"]).ok_or_else(missing)?.to_owned();
    let name = ["fname", "name", "filename"].into_iter().find_map(|word| words.values(word).next());
    let name = name.ok_or_else(missing)?.to_vec();
    NoSuch::check(view.config(), Kind::Client, &client)?;
    let copies = words.has("copies");
    let (limit, offset) = (number_of(words, "limit")?.unwrap_or(LIMIT), number_of(words, "offset")?.unwrap_or(0));
    Ok(in_folder(place(words)?, move |_, folder| {
        let versions = Browse::Versions { client, path_id: folder.path_id, name, copies, limit, offset };
        Ok(browse(versions, |_, browsed| match browsed {
            Browsed::Versions(versions) => Ok(Reply::found(Versions(versions))),
            other => Err(unexpected(other)),
        }))
    }))
}

#[derive(Debug)]
struct Versions(Vec<Version>);

impl Shown for Versions {
    fn text(&self) -> String {
        let line = |version: &Version| {
            let Version { entry, md5, volume_name, in_changer } = version;
            let (number, attributes, digest) = (file_number(entry), attributes(entry), printable::name(md5));
            let (path, job, in_changer) = (entry.path_id, entry.job_id, u8::from(*in_changer));
            format!("{path}\t{number}\t{job}\t{attributes}\t{digest}\t{volume_name}\t{in_changer}\n")
        };
        self.0.iter().map(line).collect()
    }

    fn json(&self) -> Option<Json> {
        let object = |version: &Version| {
            let more = [
                ("md5", printable::name(&version.md5).into()),
                ("volumename", version.volume_name.as_str().into()),
                ("volumeinchanger", Json::Number(version.in_changer.into())),
                ("stat", stat(&version.entry)),
            ];
            let more = more.map(|(name, value): (&str, Json)| (name.to_owned(), value));
            Json::Object(members("V", &version.entry).into_iter().chain(more).collect())
        };
        Some(Json::object([("versions", Json::List(self.0.iter().map(object).collect()))]))
    }
}
