//! Lists of jobs, volumes, pools and files, and their keys.

use std::collections::BTreeSet;

use serde_json::Value;

use super::site::{KEEPER, MANY};
use super::{Check, Outcome, Session, Site, ensure, hold};

const JOB: &str = "client duration jobbytes jobfiles jobid jobstatus level name starttime type";
const LONG_JOB: &str = "client clientid duration endtime fileset filesetid job jobbytes joberrors jobfiles jobid \
                        jobmissingfiles jobstatus jobtdate level name poolid poolname priorjobid purgedfiles \
                        realendtime schedtime starttime type volsessionid volsessiontime";
const VOLUME: &str = "enabled hasencryptionkey inchanger lastwritten mediaid mediatype recycle slot storage volbytes \
                      volfiles volretention volstatus volumename";
const POOL: &str = "labelformat maxvols name numvols poolid pooltype";
const LONG_POOL: &str = "acceptanyvolume autoprune enabled labelformat labeltype maxvolbytes maxvoljobs maxvols name \
                         numvols poolid pooltype recycle recyclepoolid scratchpoolid usecatalog useonce volretention \
                         voluseduration";
/// What a row of a pool has only where something may be pruned.
const PRUNABLE: [&str; 3] = ["prunablevolumes", "prunablejobs", "prunablebytes"];

pub(super) const CHECKS: &[Check] = &[
    ("jobs are listed with their keys", keys_of_jobs),
    ("jobs are listed by what is said of them", filters_of_jobs),
    ("one job is listed by each of its names", names_of_jobs),
    ("volumes are listed", volumes),
    ("pools are listed", pools),
    ("files are listed in JSON as in text", files),
    ("a log is listed", |site| {
        let keeper = site.keeper()?;
        let id = keeper.backup("b", "Full")?;
        ensure(!keeper.log(&id)?.is_empty(), || "nothing was logged".to_owned())
    }),
];

#[test]
fn lists_have_the_rows_and_keys_of_a_real_director() {
    hold(CHECKS);
}

fn keys(row: &Value, wanted: &str) -> Outcome {
    let found: BTreeSet<_> = row.as_object().into_iter().flat_map(|row| row.keys().map(String::as_str)).collect();
    let wanted: BTreeSet<_> = wanted.split_whitespace().collect();
    ensure(found == wanted, || format!("{:?}", found.symmetric_difference(&wanted)))
}

/// A full backup, an incremental one, a restore, and a backup that is cancelled.
fn some_of_each(site: &Site) -> Result<(Session<'_>, String), String> {
    let keeper = site.keeper()?;
    let full = keeper.backup("b", "Full")?;
    keeper.run(&format!("restore client=f jobid={full} all done yes"))?;
    keeper.backup("b", "Incremental")?;
    Ok((keeper, full))
}

fn keys_of_jobs(site: &Site) -> Outcome {
    let (keeper, _) = some_of_each(site)?;
    let rows = keeper.rows("list jobs", "jobs")?;
    keys(&rows[0], JOB)?;
    let duration = rows[0]["duration"].as_str().unwrap_or_default();
    ensure(duration.len() == 8 && duration.matches(':').count() == 2, || format!("{duration:?} is no duration"))?;
    for command in ["llist jobs", "llist jobs last"] {
        keys(&keeper.rows(command, "jobs")?[0], LONG_JOB)?;
    }
    for command in
        ["llist jobs current", "llist jobs enable", "llist jobs last current", "llist jobs last current enable"]
    {
        ensure(!keeper.rows(command, "jobs")?.is_empty(), || format!("{command} has no jobs"))?;
    }
    for list in ["list", "llist"] {
        for more in ["", " last", " current"] {
            let rows = keeper.rows(&format!("{list} jobs count{more}"), "jobs")?;
            keys(&rows[0], "count")?;
            let count = rows[0]["count"].as_str().unwrap_or_default();
            ensure(count.parse().is_ok_and(|count: u32| count > 0), || format!("{count:?}"))?;
        }
    }
    let beyond = "9".repeat(40);
    let rows = keeper.rows(&format!("llist jobs limit={beyond} offset={beyond}"), "jobs")?;
    ensure(rows.is_empty(), || format!("{rows:?}"))
}

fn filters_of_jobs(site: &Site) -> Outcome {
    let (keeper, _) = some_of_each(site)?;
    let started = keeper.ask("run job=b yes")?;
    let id = started["run"]["jobid"].as_str().ok_or_else(|| started.to_string())?.to_owned();
    keeper.ask(format!("cancel jobid={id} yes"))?;
    keeper.ask(format!("wait jobid={id}"))?;
    let of = |filter: &str, key: &str| -> Result<BTreeSet<String>, String> {
        let rows = keeper.rows(&format!("list jobs {filter}"), "jobs")?;
        Ok(rows.iter().filter_map(|row| row[key].as_str().map(str::to_owned)).collect())
    };
    for (filter, key, wanted) in [
        ("jobstatus=T", "jobstatus", vec!["T"]),
        ("jobstatus=R", "jobstatus", vec![]),
        ("jobtype=B", "type", vec!["B"]),
        ("jobtype=Restore", "type", vec!["R"]),
        ("jobtype=B,R", "type", vec!["B", "R"]),
        ("joblevel=F jobtype=B", "level", vec!["F"]),
        ("level=F jobtype=B", "level", vec!["F"]),
        ("level=I", "level", vec!["I"]),
        ("joblevel=F,I jobtype=B", "level", vec!["F", "I"]),
    ] {
        let found = of(filter, key)?;
        ensure(found.iter().eq(&wanted), || format!("{filter}: {found:?} instead of {wanted:?}"))?;
    }
    // It may have been faster than the order to cancel it.
    let ended = of("jobstatus=T,A,f", "jobstatus")?;
    ensure(ended.contains("T"), || format!("{ended:?}"))?;
    ensure(keeper.jobs("list jobs joblevel=F")? == keeper.jobs("list jobs level=F")?, || {
        "joblevel and level".to_owned()
    })
}

fn names_of_jobs(site: &Site) -> Outcome {
    let (keeper, full) = some_of_each(site)?;
    for command in ["list jobs=x", "list job", "list jobid", "list ujobid"] {
        keeper.refuses(command)?;
    }
    for command in ["list job=b", "list jobs job=b", "list jobname=b", "list jobs jobname=b"] {
        ensure(keeper.jobs(command)?.len() > 1, || format!("{command} does not list the jobs"))?;
    }
    let row = keeper.rows(&format!("llist jobid={full}"), "jobs")?;
    let unique = row[0]["job"].as_str().ok_or_else(|| format!("{row:?}"))?.to_owned();
    for name in [format!("jobid={full}"), format!("ujobid={unique}")] {
        for command in [format!("llist {name}"), format!("llist jobs {name}")] {
            let found = keeper.jobs(&command)?;
            ensure(found == [full.clone()], || format!("{command}: {found:?}"))?;
        }
    }
    for command in ["list job=nosuchjob", "llist ujobid=nosuchjob"] {
        ensure(keeper.jobs(command)?.is_empty(), || format!("{command} lists jobs"))?;
    }
    Ok(())
}

fn volumes(site: &Site) -> Outcome {
    let keeper = site.keeper()?;
    keeper.backup("b", "Full")?;
    let listed = keeper.ask("list media")?;
    keys(&listed["volumes"]["full"][0], VOLUME)?;
    keeper.ask("label volume=by-hand pool=Full")?;
    let mut id = String::new();
    for command in ["list media=by-hand", "list volume=by-hand"] {
        let answer = keeper.ask(command)?;
        ensure(answer["volume"]["volumename"] == "by-hand", || format!("{command}: {answer}"))?;
        answer["volume"]["mediaid"].as_str().ok_or_else(|| answer.to_string())?.clone_into(&mut id);
    }
    for list in ["list", "llist"] {
        for word in ["mediaid", "volumeid"] {
            let answer = keeper.ask(format!("{list} {word}={id}"))?;
            ensure(answer["volume"]["mediaid"] == *id, || format!("{list} {word}: {answer}"))?;
        }
    }
    Ok(())
}

fn pools(site: &Site) -> Outcome {
    let keeper = site.keeper()?;
    keys(&keeper.rows("list pool", "pools")?[0], POOL)?;
    let mut row = keeper.rows("llist pool", "pools")?[0].take();
    for key in PRUNABLE {
        row.as_object_mut().ok_or("a pool is no object")?.remove(key);
    }
    keys(&row, LONG_POOL)?;
    for list in ["list", "llist"] {
        for name in ["Incremental", "Full"] {
            let rows = keeper.rows(&format!("{list} pool={name}"), "pools")?;
            ensure(rows.len() == 1 && rows[0]["name"] == name, || format!("{rows:?}"))?;
            let id = rows[0]["poolid"].as_str().ok_or_else(|| format!("{rows:?}"))?;
            let rows = keeper.rows(&format!("{list} poolid={id}"), "pools")?;
            ensure(rows.len() == 1 && rows[0]["name"] == name, || format!("{rows:?}"))?;
        }
    }
    Ok(())
}

fn files(site: &Site) -> Outcome {
    let keeper = site.keeper()?;
    let id = keeper.run("run job=b level=Full fileset=many yes")?;
    let command = format!("list files jobid={id}");
    let rows = keeper.rows(&command, "filenames")?;
    let listed: BTreeSet<_> = rows.iter().filter_map(|row| row["filename"].as_str().map(str::to_owned)).collect();
    ensure(listed.len() > MANY, || format!("{} names in {} rows", listed.len(), rows.len()))?;
    let text = site.text(KEEPER)?.says(command)?;
    let printed: BTreeSet<_> =
        text.lines().map(str::trim).filter(|line| line.starts_with('/')).map(str::to_owned).collect();
    ensure(printed == listed, || format!("{} files in text, {} in JSON", printed.len(), listed.len()))
}
