//! Jobs and volumes that go out of the catalog.

use super::{Check, Outcome, Session, Site, ensure, hold};

pub(super) const CHECKS: &[Check] = &[
    ("a job is deleted by its number", |site| {
        let keeper = site.keeper()?;
        let id = keeper.backup("b", "Full")?;
        delete(&keeper, &format!("jobid={id}"), std::slice::from_ref(&id))?;
        is_gone(&keeper, &id)
    }),
    ("jobs that are not there count as deleted", |site| {
        let keeper = site.keeper()?;
        delete(&keeper, "jobid=1001,1002,1003", &["1001", "1002", "1003"].map(str::to_owned))?;
        is_gone(&keeper, "1002")
    }),
    ("numbers, ranges and several lists of them are taken", |site| {
        let ids = |first: u32| {
            let range = first + 100..=first + 109;
            [first, first + 1].into_iter().chain(range).chain([first + 200])
        };
        let wanted: Vec<_> = ids(1001).chain(ids(2001)).map(|id| id.to_string()).collect();
        let line = "jobid=1001,1002,1101-1110,1201 jobid=2001,2002,2101-2110,2201";
        delete(&site.keeper()?, line, &wanted)
    }),
    ("what is no number is refused", |site| site.keeper()?.refuses("delete jobid=1000_INVALID")),
    ("a volume is deleted with its jobs", volume),
];

#[test]
fn deleted_jobs_and_volumes_are_named() {
    hold(CHECKS);
}

/// Deletes jobs that must be named as deleted, each once.
fn delete(keeper: &Session<'_>, line: &str, wanted: &[String]) -> Outcome {
    let answer = keeper.ask(format!("delete {line}"))?;
    let mut named: Vec<_> = answer["deleted"]["jobids"].as_array().into_iter().flatten().collect();
    named.sort_by_key(|id| id.to_string());
    let mut wanted: Vec<_> = wanted.to_vec();
    wanted.sort();
    ensure(named == wanted.iter().collect::<Vec<_>>(), || answer.to_string())
}

fn is_gone(keeper: &Session<'_>, id: &str) -> Outcome {
    let answer = keeper.ask(format!("llist jobid={id}"))?;
    ensure(answer["jobs"].as_array().is_none_or(Vec::is_empty), || answer.to_string())
}

fn volume(site: &Site) -> Outcome {
    let keeper = site.keeper()?;
    let id = keeper.backup("b", "Full")?;
    let rows = keeper.rows(&format!("list volume jobid={id}"), "volumes")?;
    let volume = rows.first().and_then(|row| row["volumename"].as_str()).ok_or_else(|| format!("{rows:?}"))?;
    let answer = keeper.ask(format!("delete volume={volume} yes"))?;
    for (key, wanted) in [("jobids", id.as_str()), ("volumes", volume)] {
        let named = answer["deleted"][key].as_array();
        ensure(named.is_some_and(|names| names.iter().any(|name| name == wanted)), || answer.to_string())?;
    }
    is_gone(&keeper, &id)
}
