//! `prune`: what is older than its retention goes out of the catalog, but for what restores the newest state.

use crate::catalog::pruning::Pruning;
use crate::catalog::{CatalogAnswer, CatalogRequest, JobFilter, JobRow, MediaRow, VolStatus, pruning};
use crate::wire::status::JobType;

use super::super::grammar::Takes::{Either, Nothing, Value};
use super::super::grammar::{Command, Form, Takes};
use super::super::questions::choice;
use super::super::refusal::{Kind, NoSuch, Refusal};
use super::super::reply::{Reply, View};
use super::super::words::Words;
use super::update::with_volume;

const OF_A_CLIENT: &[(&str, Takes)] = &[("client", Value), ("force", Nothing), ("yes", Nothing)];

pub(super) const COMMAND: Command = Command::new(
    "prune",
    &[
        Form {
            subjects: &["files"],
            words: OF_A_CLIENT,
            help: &[(
                "prune files client=NAME [force] [yes]",
                "the files of jobs that are older than `file_retention`",
            )],
            ..Form::PLAIN
        },
        Form {
            subjects: &["jobs"],
            words: OF_A_CLIENT,
            help: &[(
                "prune jobs client=NAME [force] [yes]",
                "the jobs that are older than `job_retention`; with `force` the last full backup and what builds on it too",
            )],
            ..Form::PLAIN
        },
        Form {
            subjects: &["volume"],
            words: &[("volume", Either), ("force", Nothing), ("yes", Nothing)],
            help: &[("prune volume=NAME [force] [yes]", "the jobs of a volume, once its retention is over")],
            ..Form::PLAIN
        },
        Form {
            subjects: &["stats"],
            words: &[("yes", Nothing)],
            help: &[("prune stats", "there are none")],
            ..Form::PLAIN
        },
    ],
    run,
);

/// Jobs of one command: the oldest.
const MOST: u32 = 10_000;

/// What goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum What {
    Files,
    Jobs,
}

fn run(view: &View<'_>, words: &Words) -> Result<Reply, Refusal> {
    let reply = match words.word(1).as_str() {
        "files" => of_client(view, words, What::Files)?,
        "jobs" => of_client(view, words, What::Jobs)?,
        "stats" => Reply::found("No statistics are kept.\n".to_owned()),
        _ => volume(words),
    };
    Ok(reply.using_if(words.is_first()))
}

fn of_client(view: &View<'_>, words: &Words, what: What) -> Result<Reply, Refusal> {
    let Some(name) = words.value(&["client"]) else {
        return choice::resource(view, words, Kind::Client, "client", "Name the client: prune jobs client=NAME.");
    };
    NoSuch::check(view.config(), Kind::Client, name)?;
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
    let all = JobFilter { client: Some(name.to_owned()), limit: MOST, oldest_first: true, ..JobFilter::default() };
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
    let text = format!("{} jobs are old enough: {}\n", ids.len(), shown(ids));
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

fn volume(words: &Words) -> Reply {
    let Some(name) = words.value(&["volume"]) else {
        return choice::line(words, "volume", "Enter Volume name: ", "Name the volume: prune volume=NAME.");
    };
    let words = words.clone();
    with_volume(name, move |row| {
        let MediaRow { volume_name, vol_retention, vol_status, media_id, .. } = *row;
        let head = format!("The current Volume ({volume_name}) retention period is: {vol_retention} seconds\n");
        if !matches!(vol_status, VolStatus::Full | VolStatus::Used) {
            let status = vol_status.as_str();
            let why = format!("cannot prune as Volstatus is {status} but needs to be Full or Used.");
            return Reply::found(format!("{head}Pruning volume {volume_name}: {why}\n"));
        }
        newest_fulls(None, move |fulls| {
            Reply::ask(CatalogRequest::JobsOnVolume { media_id }, move |view, answer| {
                let CatalogAnswer::Jobs(rows) = answer else { return Err(Refusal::unexpected(answer)) };
                let before = view.now() - i64::try_from(vol_retention).unwrap_or(i64::MAX);
                let (ids, kept) = chosen(pruning::prune(&rows, &fulls, before), &words);
                Ok(of_volume(media_id, volume_name, ids, &words).after(kept))
            })
        })
        .after(head)
    })
}

/// The jobs of a volume go; one that holds none any more may be used again.
fn of_volume(media_id: u32, name: String, ids: Vec<u32>, words: &Words) -> Reply {
    if !ids.is_empty() && !words.has("yes") {
        return goes(What::Jobs, &ids, words);
    }
    Reply::ask(CatalogRequest::DeleteJobs(ids), move |_, answer| {
        let CatalogAnswer::Changed(jobs) = answer else { return Err(Refusal::unexpected(answer)) };
        // Nothing is older than this; the volume is marked if it is empty.
        Ok(Reply::ask(CatalogRequest::PruneVolume { media_id, before: i64::MIN }, move |_, answer| match answer {
            CatalogAnswer::Pruned { volume: Some(row), .. } => {
                let status = row.vol_status.as_str();
                Ok(Reply::found(format!("Pruned {jobs} Jobs on Volume {name}: its status is {status}.\n")))
            }
            other => Err(Refusal::unexpected(other)),
        }))
    })
}
