//! Going down through the folders of backups.

use serde_json::Value;

use super::{Check, Outcome, Session, Site, ensure, hold};

pub(super) const CHECKS: &[Check] = &[
    ("two backups with pipes are browsed, and a folder of them is restored", browse),
    ("a cache that was cleared is filled again", again),
];

#[test]
fn backups_are_browsed_and_restored() {
    hold(CHECKS);
}

/// How many rows this part of a query has.
fn count(keeper: &Session<'_>, from: &str) -> Result<u64, String> {
    let rows = keeper.rows(&format!(".sql query=\"SELECT count(*) FROM {from};\""), "query")?;
    let first = rows.first().and_then(|row| row.as_object()).and_then(|row| row.values().next());
    let number = first.and_then(Value::as_str).and_then(|number| number.parse().ok());
    number.ok_or_else(|| format!("{rows:?}"))
}

fn names(rows: &[Value]) -> Vec<&str> {
    rows.iter().filter_map(|row| row["name"].as_str()).collect()
}

/// A full backup and an incremental one of the job with pipes; their numbers, with a comma between.
fn two_backups(site: &Site, keeper: &Session<'_>) -> Result<String, String> {
    let file = site.place("source/browsed.txt");
    std::fs::write(&file, "first").map_err(|error| error.to_string())?;
    keeper.run("run job=b-piped level=Full yes")?;
    std::fs::write(&file, "first and second").map_err(|error| error.to_string())?;
    let newest = keeper.run("run job=b-piped level=Incremental yes")?;
    let rows = keeper.rows(&format!(".bvfs_get_jobids jobid={newest}"), "jobids")?;
    let ids: Vec<_> = rows.iter().filter_map(|row| row["id"].as_str()).collect();
    ensure(ids.len() >= 2, || format!("{rows:?}"))?;
    let ids = ids.join(",");
    keeper.ask(format!(".bvfs_update jobid={ids}"))?;
    Ok(ids)
}

fn browse(site: &Site) -> Outcome {
    let keeper = site.keeper()?;
    let ids = two_backups(site, &keeper)?;
    let folders = |path: &str| keeper.rows(&format!(".bvfs_lsdirs jobid={ids} path={path}"), "directories");
    let files = |path: &str| keeper.rows(&format!(".bvfs_lsfiles jobid={ids} path={path}"), "files");
    let roots = folders("")?;
    ensure(["/", "PIPES/"].iter().all(|root| names(&roots).contains(root)), || format!("{roots:?}"))?;
    ensure(folders(" offset=1000 limit=1000")?.is_empty(), || "there are rows after the last".to_owned())?;
    // Itself, the one above, and what is in it.
    ensure(folders("/")?.len() >= 3, || "the root has no folders".to_owned())?;

    let source = site.source();
    let inside = folders(&format!("{source}/"))?;
    let own = inside.iter().find(|row| row["name"] == ".").and_then(|row| row["pathid"].as_u64());
    let own = own.ok_or_else(|| format!("{inside:?}"))?;
    let saved = files(&format!("{source}/"))?;
    let file = saved.iter().find(|row| row["name"] == "browsed.txt");
    ensure(file.is_some_and(|row| row["fileid"].is_u64()), || format!("{saved:?}"))?;
    let command = format!(".bvfs_versions jobid=0 client=f path={source}/ fname=browsed.txt");
    let versions = keeper.rows(&command, "versions")?;
    ensure(versions.len() >= 2, || format!("{versions:?}"))?;
    let piped = files("PIPES/")?;
    ensure(names(&piped).contains(&"first"), || format!("{piped:?}"))?;

    keeper.ask(format!(".bvfs_restore path=b201 jobid={ids} dirid={own}"))?;
    keeper.run("restore client=f file=?b201 yes")?;
    let restored = site.place("restored").join(source.trim_start_matches('/')).join("browsed.txt");
    let text = std::fs::read_to_string(&restored).map_err(|error| error.to_string())?;
    ensure(text == "first and second", || text.clone())?;
    keeper.ask(".bvfs_cleanup path=b201")?;
    keeper.refuses("restore client=f file=?b201 yes")
}

fn again(site: &Site) -> Outcome {
    let keeper = site.keeper()?;
    let ids = two_backups(site, &keeper)?;
    let cached = "Job WHERE HasCache!=0";
    ensure(count(&keeper, cached)? >= 2, || "no job has a cache".to_owned())?;
    keeper.ask(".bvfs_clear_cache yes")?;
    for table in [cached, "PathHierarchy", "PathVisibility"] {
        let left = count(&keeper, table)?;
        ensure(left == 0, || format!("{table}: {left}"))?;
    }
    keeper.ask(format!(".bvfs_update jobid={ids}"))?;
    let roots = keeper.rows(&format!(".bvfs_lsdirs jobid={ids} path="), "directories")?;
    ensure(["/", "PIPES/"].iter().all(|root| names(&roots).contains(root)), || format!("{roots:?}"))
}
