//! `delete`: jobs, a volume with all its jobs, a pool or a storage, out of the catalog. What is on the disk stays.

mod resources;

use crate::catalog::{CatalogAnswer, CatalogRequest, JobFilter};
use crate::wire::json::Json;

use super::super::answer::Shown;
use super::super::grammar::Takes::{Either, Nothing, Value, Values};
use super::super::grammar::{Command, Form};
use super::super::questions::{Matter, Prompt, Question, Wanted, choice};
use super::super::refusal::{BadValue, Refusal};
use super::super::reply::{Reply, View};
use super::super::words::Words;
use super::shelf;
use super::update::with_volume;

pub(super) const COMMAND: Command = Command::new(
    "delete",
    &[
        Form {
            subjects: &["volume"],
            words: &[("volume", Either), ("pool", Value), ("yes", Nothing)],
            help: &[
                ("delete volume=NAME [yes]", "a volume and all its jobs, out of the catalog; its file stays"),
                ("delete volume pool=NAME [yes]", "the same; the volume is chosen from those of a pool"),
            ],
            ..Form::PLAIN
        },
        Form {
            subjects: &["pool"],
            words: &[("pool", Either), ("yes", Nothing)],
            help: &[("delete pool=NAME [yes]", "a pool that is not in the configuration any more and has no volumes")],
            ..Form::PLAIN
        },
        Form {
            subjects: &["storage"],
            words: &[("storage", Either), ("yes", Nothing)],
            help: &[(
                "delete storage=NAME",
                "a storage that is not in the configuration any more and no volume was written to last",
            )],
            ..Form::PLAIN
        },
        Form { subjects: &[""], help: &[("delete", "choose what to delete from a menu")], ..Form::PLAIN },
        Form {
            subjects: &["jobid"],
            words: &[("jobid", Values), ("yes", Nothing)],
            help: &[("delete jobid=N[,N…|-N] … [yes]", "jobs with their files and reports, out of the catalog")],
            ..Form::PLAIN
        },
    ],
    run,
)
.led_by(&["volume", "pool", "storage", "jobid"]);

/// Jobs of one command.
const MOST: usize = 1_000;

/// Numbers from one to another, of which more than this are asked about first, as a real director does.
const MANY: usize = 25;

/// What was chosen from the menu.
const MENU: &str = "item";

/// Asks what is to go.
fn menu(words: &Words) -> Reply {
    let items = ["volume", "pool", "jobid", "storage"].map(str::to_owned).to_vec();
    let title = "In general it is not a good idea to delete either a\nPool or a Volume since they may contain data.\n";
    let ask = "Choose catalog item to delete".to_owned();
    let usage = "Say what to delete: delete volume=NAME, pool=NAME, jobid=N or storage=NAME.".to_owned();
    let wanted = Wanted { words: words.clone(), key: MENU, usage, may_be_empty: false };
    let prompt = Prompt::Choice { title: title.to_owned(), items, ask };
    Reply::Question(Box::new(Question { prompt, matter: Matter::Word(wanted), again: false }))
}

/// What is gone.
#[derive(Debug)]
struct Deleted {
    /// Jobs, those too that were not there.
    jobs: Vec<u32>,
    volume: Option<String>,
}

fn run(view: &View<'_>, words: &Words) -> Result<Reply, Refusal> {
    let what = match words.word(1).as_str() {
        "" | MENU => words.value(&[MENU]).unwrap_or_default().to_owned(),
        what => what.to_owned(),
    };
    let reply = match what.as_str() {
        "" => menu(words),
        "jobid" => jobs(words)?,
        "pool" => resources::pool(view, words)?,
        "storage" => resources::storage(view, words)?,
        _ => volume(words),
    };
    Ok(reply.using_if(words.is_first()))
}

fn jobs(words: &Words) -> Result<Reply, Refusal> {
    let (mut ids, mut has_many) = (Vec::new(), false);
    for list in words.values("jobid") {
        let text = String::from_utf8_lossy(list);
        let wrong = || BadValue::new("jobid", &text, "numbers, with commas between them, or N-N");
        has_many |= add_ids(&text, &mut ids).ok_or_else(wrong)?;
    }
    if ids.is_empty() {
        return Ok(choice::line(words, "jobid", "Enter JobId to delete: ", "Name the jobs: delete jobid=N."));
    }
    if has_many && !words.has("yes") {
        let question = format!("Are you sure you want to delete {} JobIds ? (yes/no): ", ids.len());
        return Ok(choice::yes(words, &question));
    }
    let left = ids.iter().rev().copied().collect();
    Ok(each(left, Vec::new(), ids))
}

/// Adds the numbers of `1,2,5-9`, at most [`MOST`] in all; whether many are one run of numbers.
fn add_ids(text: &str, ids: &mut Vec<u32>) -> Option<bool> {
    let mut has_many = false;
    for part in text.split(',') {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let (first, last): (u32, u32) = (first.trim().parse().ok()?, last.trim().parse().ok()?);
        let more = last.checked_sub(first)? as usize;
        if ids.len() + more >= MOST {
            return None;
        }
        has_many |= more > MANY;
        ids.extend(first..=last);
    }
    Some(has_many)
}

/// Looks at the jobs one after the other, the last of `left` first; then they go, those that are there.
fn each(mut left: Vec<u32>, mut found: Vec<u32>, named: Vec<u32>) -> Reply {
    let Some(id) = left.pop() else { return all(found, named) };
    let request = CatalogRequest::ListJobs(JobFilter { limit: 1, job_id: Some(id), ..JobFilter::default() });
    Reply::ask(request, move |_, answer| {
        let CatalogAnswer::Jobs(rows) = answer else { return Err(Refusal::unexpected(answer)) };
        if let Some(row) = rows.first() {
            if row.end_time == 0 {
                return Err(Refusal::StillRuns(id));
            }
            found.push(id);
        }
        Ok(each(left, found, named))
    })
}

fn all(found: Vec<u32>, named: Vec<u32>) -> Reply {
    Reply::ask(CatalogRequest::DeleteJobs(found), move |_, answer| match answer {
        CatalogAnswer::Changed(_) => Ok(Reply::found(Deleted { jobs: named, volume: None })),
        other => Err(Refusal::unexpected(other)),
    })
}

fn volume(words: &Words) -> Reply {
    let (pool, usage) = (words.value(&["pool"]).map(str::to_owned), "Name the volume: delete volume=NAME.");
    let Some(name) = words.value(&["volume"]) else {
        return match pool {
            Some(pool) => shelf::choose(words, pool, |_| true, usage),
            None => choice::line(words, "volume", "Enter Volume name: ", usage),
        };
    };
    let (words, name) = (words.clone(), name.to_owned());
    with_volume(&name.clone(), move |row| {
        if let Err(refusal) = shelf::is_in(&row, pool.as_deref()) {
            return Reply::refused(refusal);
        }
        let media_id = row.media_id;
        Reply::ask(CatalogRequest::JobsOnVolume { media_id }, move |_, answer| {
            let CatalogAnswer::Jobs(rows) = answer else { return Err(Refusal::unexpected(answer)) };
            if let Some(row) = rows.iter().find(|row| row.end_time == 0) {
                return Err(Refusal::StillRuns(row.job_id));
            }
            let text = format!(
                "\nThis command will delete volume {name}\nand all Jobs saved on that volume from the Catalog: {} jobs.\n",
                rows.len()
            );
            if !words.has("yes") {
                return Ok(choice::yes(
                    &words,
                    &format!("Are you sure you want to delete Volume \"{name}\"? (yes/no): "),
                )
                .after(text));
            }
            let jobs = rows.iter().map(|row| row.job_id).collect();
            Ok(gone(name, media_id, jobs).after(text))
        })
    })
}

fn gone(name: String, media_id: u32, jobs: Vec<u32>) -> Reply {
    Reply::ask(CatalogRequest::DeleteJobs(jobs.clone()), move |_, answer| {
        let CatalogAnswer::Changed(_) = answer else { return Err(Refusal::unexpected(answer)) };
        Ok(Reply::ask(CatalogRequest::DeleteMedia { media_id }, move |_, answer| match answer {
            CatalogAnswer::Changed(_) => Ok(Reply::found(Deleted { jobs, volume: Some(name) })),
            other => Err(Refusal::unexpected(other)),
        }))
    })
}

impl Shown for Deleted {
    fn text(&self) -> String {
        let jobs = &self.jobs;
        let Some(volume) = &self.volume else {
            let line = |id: &u32| format!("Jobid {id} and associated records deleted from the catalog.\n");
            return jobs.iter().map(line).collect();
        };
        let names: Vec<_> = jobs.iter().map(u32::to_string).collect();
        let jobs = match jobs.len() {
            0 => String::new(),
            count => format!(
                "Deleted {count} jobs and associated records deleted from the catalog (jobids: {}).\n",
                names.join(",")
            ),
        };
        format!("{jobs}Volume {volume} deleted.\n")
    }

    fn json(&self) -> Option<Json> {
        let mut members = Vec::new();
        if self.volume.is_none() || !self.jobs.is_empty() {
            let jobs = self.jobs.iter().map(|id| id.to_string().into()).collect();
            members.push(("jobids".to_owned(), Json::List(jobs)));
        }
        members.extend(self.volume.iter().map(|name| ("volumes".to_owned(), Json::List(vec![name.as_str().into()]))));
        Some(Json::object([("deleted", Json::Object(members))]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_runs_of_them_are_jobs() {
        let ids = |text: &str| {
            let mut ids = Vec::new();
            add_ids(text, &mut ids).map(|has_many| (ids, has_many))
        };
        assert_eq!(ids("1,3-5, 9"), Some((vec![1, 3, 4, 5, 9], false)));
        assert_eq!(ids("1-26").map(|(_, has_many)| has_many), Some(false));
        assert_eq!(ids("1-27").map(|(_, has_many)| has_many), Some(true));
        assert_eq!(ids("1-1000").map(|(ids, _)| ids.len()), Some(1_000));
        for text in ["", "x", "5-3", "1-1001", "1-999,2000-2002", "1-4294967296"] {
            assert_eq!(ids(text), None, "{text}");
        }
    }
}
