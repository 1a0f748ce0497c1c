//! `prune`: what is older than its retention goes out of the catalog, but for what restores the newest state.

use std::collections::VecDeque;

use crate::catalog::pruning::Pruning;
use crate::catalog::{CatalogAnswer, CatalogRequest, JobFilter, JobRow, MediaRow, VolStatus, pruning};
use crate::printable;
use crate::quantity::{counted, either};
use crate::wire::status::JobType;

use super::super::grammar::Takes::{Either, Nothing, Several, Value};
use super::super::grammar::{Command, Form, Takes};
use super::super::questions::choice;
use super::super::refusal::{Kind, NoSuch, Refusal};
use super::super::reply::{Reply, View};
use super::super::words::Words;
use super::shelf::{self, Held};

const OF_A_CLIENT: &[(&str, Takes)] = &[("client", Value), ("pool", Value), ("force", Nothing), ("yes", Nothing)];

pub(super) const COMMAND: Command = Command::new(
    "prune",
    &[
        Form {
            subjects: &["files"],
            words: OF_A_CLIENT,
            help: &[(
                "prune files client=NAME [pool=NAME] [force] [yes]",
                "the files of jobs that are older than `file_retention`; pool: only of jobs of that one",
            )],
            ..Form::PLAIN
        },
        Form {
            subjects: &["jobs"],
            words: OF_A_CLIENT,
            help: &[(
                "prune jobs client=NAME [pool=NAME] [force] [yes]",
                "the jobs that are older than `job_retention`; with `force` the last full backup and what builds on it too",
            )],
            ..Form::PLAIN
        },
        Form {
            subjects: &["volume"],
            words: &[("volume", Several), ("all", Nothing), ("pool", Value), ("force", Nothing), ("yes", Nothing)],
            help: &[
                (
                    "prune volume=NAME [volume=NAME] … [force] [yes]",
                    "the jobs of volumes, once the retention of these is over",
                ),
                ("prune volume all [pool=NAME] [force] [yes]", "the same of all volumes, or of all of a pool"),
            ],
            ..Form::PLAIN
        },
        Form { subjects: &[""], help: &[("prune", "choose what to prune from a menu")], ..Form::PLAIN },
        Form {
            subjects: &["stats"],
            words: &[("yes", Nothing)],
            help: &[("prune stats", "there are none")],
            ..Form::PLAIN
        },
        Form {
            subjects: &["directory"],
            words: &[("directory", Either), ("client", Value), ("recursive", Nothing), ("yes", Nothing)],
            help: &[(
                "prune directory=PATH [client=NAME] [recursive] [yes]",
                "the files in a folder of a client, or of all, whatever their age; recursive: in those below it too",
            )],
            ..Form::PLAIN
        },
    ],
    run,
)
.led_by(&["files", "jobs", "volume", "stats", "directory"]);

/// Jobs of one command: the oldest.
const MOST: u32 = 10_000;

/// What goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum What {
    Files,
    Jobs,
}

fn run(view: &View<'_>, words: &Words) -> Result<Reply, Refusal> {
    let reply = match subject(words).as_str() {
        "" => {
            let usage = "Say what to prune: prune files, jobs, volume, stats or directory.";
            choice::item(words, MENU, "Choose item to prune", &ITEMS, usage)
        }
        "files" => of_client(view, words, What::Files)?,
        "jobs" => of_client(view, words, What::Jobs)?,
        "stats" => Reply::found("No statistics are kept.\n".to_owned()),
        "directory" => directory(view, words)?,
        _ => volumes(view, words)?,
    };
    Ok(reply.using_if(words.is_first()))
}

/// What was chosen from the menu.
pub(super) const MENU: &str = "item";

const ITEMS: [&str; 5] = ["Files", "Jobs", "Volume", "Stats", "Directory"];

/// What a line is about, also if that was chosen from a menu; empty if it does not say.
pub(super) fn subject(words: &Words) -> String {
    match words.word(1).as_str() {
        "" | MENU => words.value(&[MENU]).unwrap_or_default().to_lowercase(),
        what => what.to_owned(),
    }
}

fn of_client(view: &View<'_>, words: &Words, what: What) -> Result<Reply, Refusal> {
    let Some(name) = words.value(&["client"]) else {
        return choice::resource(view, words, Kind::Client, "client", "Name the client: prune jobs client=NAME.");
    };
    NoSuch::check(view.config(), Kind::Client, name)?;
    let pool = words.value(&["pool"]).map(str::to_owned);
    if let Some(pool) = &pool {
        NoSuch::check(view.config(), Kind::Pool, pool)?;
    }
    let client = view.config().client(name);
    let (word, retention) = match what {
        What::Files => ("File", client.map_or(0, |client| client.file_retention.0)),
        What::Jobs => ("Job", client.map_or(0, |client| client.job_retention.0)),
    };
    if retention == 0 {
        let text = format!("The {word} retention period is that of the volume: nothing goes before its volume does.\n");
        return Ok(Reply::found(text));
    }
    let before = view.now() - i64::try_from(retention).unwrap_or(i64::MAX);
    let head = format!("The current {word} retention period is: {retention} seconds\nBegin pruning {word}s.\n");
    let client = Some(name.to_owned());
    let all = JobFilter { client, pool, limit: MOST, oldest_first: true, ..JobFilter::default() };
    let words = words.clone();
    Ok(newest_fulls(Some(name), move |fulls| {
        Reply::ask(CatalogRequest::ListJobs(all), move |_, answer| {
            let CatalogAnswer::Jobs(mut rows) = answer else { return Err(Refusal::unexpected(answer)) };
            if what == What::Files {
                rows.retain(|row| !row.purged_files && row.job_files > 0);
            }
            let (ids, kept) = chosen(pruning::prune(&rows, &fulls, before), &words);
            Ok(goes(what, &ids, &words).after(kept))
        })
    })
    .after(head))
}

/// The good Fulls, and the good copies, newest first: of a client, or of all.
fn newest_fulls(client: Option<&str>, next: impl FnOnce(Vec<JobRow>) -> Reply + Send + 'static) -> Reply {
    let good = |kind: JobType, levels: &[u8]| JobFilter {
        client: client.map(str::to_owned),
        types: vec![kind.letter()],
        levels: levels.to_vec(),
        statuses: b"TW".to_vec(),
        limit: MOST,
        ..JobFilter::default()
    };
    let copies = CatalogRequest::ListJobs(good(JobType::JobCopy, b""));
    Reply::ask(CatalogRequest::ListJobs(good(JobType::Backup, b"F")), move |_, answer| {
        let CatalogAnswer::Jobs(mut fulls) = answer else { return Err(Refusal::unexpected(answer)) };
        Ok(Reply::ask(copies, move |_, answer| match answer {
            CatalogAnswer::Jobs(copies) => {
                fulls.extend(copies);
                Ok(next(fulls))
            }
            other => Err(Refusal::unexpected(other)),
        }))
    })
}

/// What goes, which is all that is old enough if that is forced; and what is said of what stays.
fn chosen(pruning: Pruning, words: &Words) -> (Vec<u32>, String) {
    let Pruning { mut gone, kept } = pruning;
    if kept.is_empty() {
        return (gone, String::new());
    }
    if words.has("force") {
        gone.extend(kept);
        gone.sort_unstable();
        return (gone, String::new());
    }
    let text = format!(
        "Kept, though old enough: {}. The newest state is restored from the last full backup and what builds on it; with \
         `force` they go too.\n",
        shown(&kept)
    );
    (gone, text)
}

/// Numbers of jobs, as many as a person reads.
fn old_enough(ids: &[u32]) -> String {
    format!("{} {} old enough", counted(ids.len(), "job"), either(ids.len(), "is", "are"))
}

fn shown(ids: &[u32]) -> String {
    let shown: Vec<String> = ids.iter().take(50).map(u32::to_string).collect();
    let more = if ids.len() > shown.len() { ", …" } else { "" };
    format!("{}{more}", shown.join(","))
}

/// Says what goes, and lets it go if that is said.
fn goes(what: What, ids: &[u32], words: &Words) -> Reply {
    let word = if what == What::Files { "Files" } else { "Jobs" };
    if ids.is_empty() {
        return Reply::found(format!("No {word} found to prune.\n"));
    }
    let text = format!("{}: {}\n", old_enough(ids), shown(ids));
    if !words.has("yes") {
        return choice::yes(words, &format!("Prune the {word}? (yes/no): ")).after(text);
    }
    let request = match what {
        What::Files => CatalogRequest::PurgeFiles(ids.to_vec()),
        What::Jobs => CatalogRequest::DeleteJobs(ids.to_vec()),
    };
    Reply::ask(request, move |_, answer| match answer {
        CatalogAnswer::Changed(jobs) => Ok(Reply::found(match what {
            What::Files => format!("Pruned Files from {jobs} Jobs from catalog.\n"),
            What::Jobs => format!("Pruned {jobs} Jobs from catalog.\n"),
        })),
        other => Err(Refusal::unexpected(other)),
    })
    .after(text)
}

/// What is open to be pruned: what may still be written to is not.
const fn is_closed(row: &MediaRow) -> bool {
    matches!(row.vol_status, VolStatus::Full | VolStatus::Used)
}

fn volumes(view: &View<'_>, words: &Words) -> Result<Reply, Refusal> {
    let (names, now) = (shelf::names(words), view.now());
    let pool = words.value(&["pool"]).map(str::to_owned);
    let usage = "Name the volume: prune volume=NAME.";
    let all = words.clone();
    if words.has("all") {
        if !names.is_empty() {
            return Err(Refusal::usage("Name the volumes, or say all: not both."));
        }
        return Ok(shelf::of_pool(
            pool,
            Box::new(move |mut rows| {
                rows.retain(is_closed);
                let found = rows.len();
                old(rows, now, all).after(format!(
                    "{} {} Full or Used.\n",
                    counted(found, "volume"),
                    either(found, "is", "are")
                ))
            }),
        ));
    }
    if names.is_empty() && pool.is_none() && words.has(MENU) {
        return choice::resource(view, words, Kind::Pool, "pool", usage);
    }
    Ok(match pool {
        Some(pool) if names.is_empty() => shelf::choose(words, pool, is_closed, usage),
        None if names.is_empty() => choice::line(words, "volume", "Enter Volume name: ", usage),
        pool => shelf::named(
            names,
            pool,
            Box::new(move |mut rows| {
                let text: String = rows.iter().map(told).collect();
                rows.retain(is_closed);
                if rows.is_empty() { Reply::found(text) } else { old(rows, now, all).after(text) }
            }),
        ),
    })
}

/// What is said of a volume that was named.
fn told(row: &MediaRow) -> String {
    let MediaRow { volume_name, vol_retention, .. } = row;
    let head = format!("The current Volume ({volume_name}) retention period is: {vol_retention} seconds\n");
    if is_closed(row) {
        return head;
    }
    let status = row.vol_status.as_str();
    format!("{head}Pruning volume {volume_name}: cannot prune as Volstatus is {status} but needs to be Full or Used.\n")
}

/// The jobs of these volumes that are older than their retention.
fn old(volumes: Vec<MediaRow>, now: i64, words: Words) -> Reply {
    newest_fulls(None, move |fulls| {
        shelf::with_jobs(
            volumes,
            Box::new(move |held| {
                let (mut each, mut text, mut count) = (VecDeque::new(), String::new(), 0);
                let is_one = held.len() == 1;
                for Held { volume, jobs } in held {
                    let before = now.saturating_sub(i64::try_from(volume.vol_retention).unwrap_or(i64::MAX));
                    let (ids, kept) = chosen(pruning::prune(&jobs, &fulls, before), &words);
                    text += &kept;
                    count += ids.len();
                    // Whoever has said yes is told what has gone.
                    if !ids.is_empty() && !words.has("yes") {
                        let name = &volume.volume_name;
                        text += &format!("{name}: {}: {}\n", old_enough(&ids), shown(&ids));
                    }
                    if !ids.is_empty() || jobs.is_empty() || is_one {
                        each.push_back((volume, ids));
                    }
                }
                if each.is_empty() {
                    return Reply::found("No Jobs found to prune.\n".to_owned()).after(text);
                }
                if count > 0 && !words.has("yes") {
                    return choice::yes(&words, "Prune the Jobs? (yes/no): ").after(text);
                }
                of_volumes(each).after(text)
            }),
        )
    })
}

/// The jobs of volumes go, of one after the other; one that holds none any more may be used again.
fn of_volumes(mut left: VecDeque<(MediaRow, Vec<u32>)>) -> Reply {
    let Some((MediaRow { media_id, volume_name, .. }, ids)) = left.pop_front() else {
        return Reply::found(String::new());
    };
    Reply::ask(CatalogRequest::DeleteJobs(ids), move |_, answer| {
        let CatalogAnswer::Changed(jobs) = answer else { return Err(Refusal::unexpected(answer)) };
        // Nothing is older than this; the volume is marked if it is empty.
        Ok(Reply::ask(CatalogRequest::PruneVolume { media_id, before: i64::MIN }, move |_, answer| match answer {
            CatalogAnswer::Pruned { volume: Some(row), .. } => {
                let status = row.vol_status.as_str();
                let text = format!("Pruned {jobs} Jobs on Volume {volume_name}: its status is {status}.\n");
                Ok(of_volumes(left).after(text))
            }
            other => Err(Refusal::unexpected(other)),
        }))
    })
}

/// The files in a folder, out of the lists of all jobs that have ended.
fn directory(view: &View<'_>, words: &Words) -> Result<Reply, Refusal> {
    if !view.access().is_some_and(super::super::access::Access::is_open) {
        return Err(Refusal::NotForSome);
    }
    let Some(path) = words.values("directory").next().filter(|path| !path.is_empty()) else {
        let usage = "Name the folder: prune directory=PATH.";
        return Ok(choice::line(words, "directory", "Please enter the full path to remove: ", usage));
    };
    let client = words.value(&["client"]).map(str::to_owned);
    if let Some(name) = &client {
        NoSuch::check(view.config(), Kind::Client, name)?;
    }
    let recursive = words.has("recursive");
    let path = if path.ends_with(b"/") { path.to_vec() } else { [path, b"/"].concat() };
    let of = client.as_ref().map_or_else(|| "all clients".to_owned(), |name| format!("client {name}"));
    let below = if recursive { " and the folders below it" } else { "" };
    let folder = printable::name(&path);
    if !words.has("yes") {
        let text = format!(
            "The files of {of} in {folder}{below} go out of the lists of their jobs: they cannot be restored by name any more, and a \
             virtual full leaves them out.\n"
        );
        return Ok(choice::yes(words, "Prune the directory? (yes/no): ").after(text));
    }
    let request = CatalogRequest::PurgeFolder { path, recursive, client };
    Ok(Reply::ask(request, move |_, answer| match answer {
        CatalogAnswer::Changed(files) => {
            Ok(Reply::found(format!("Pruned {files} Files in {folder}{below} of {of}.\n")))
        }
        other => Err(Refusal::unexpected(other)),
    }))
}
