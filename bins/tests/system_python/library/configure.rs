//! Resources that are added and shown.

use super::{Check, Outcome, Session, Site, ensure, hold};

pub(super) const CHECKS: &[Check] = &[
    ("a client is added and shown", client),
    ("quoted words are kept", quoted),
    ("a description is kept", |site| {
        let keeper = site.keeper()?;
        add(&keeper, "jobs", "described", "job jobdefs=usual name=described description=\"words with blanks\"")?;
        let shown = keeper.ask("show jobs=described")?;
        ensure(shown["jobs"]["described"]["description"] == "words with blanks", || shown.to_string())
    }),
    ("a console with a place to restore to is added", |site| where_acl(site, "to-a-place", "/tmp/a-place")),
    ("a place that is none is refused", |site| match where_acl(site, "to-nowhere", "|!(){}") {
        Ok(()) => Err("it is added".to_owned()),
        Err(why) => {
            ensure(why.contains("\"error\""), || why.clone())?;
            is_there(&site.keeper()?, "consoles", "to-nowhere", false)
        }
    }),
];

#[test]
fn added_resources_are_shown() {
    hold(CHECKS);
}

fn is_there(keeper: &Session<'_>, kind: &str, name: &str, wanted: bool) -> Outcome {
    let rows = keeper.rows(&format!(".{kind}"), kind)?;
    ensure(rows.iter().any(|row| row["name"] == name) == wanted, || format!("{name} in {rows:?}: not {wanted}"))
}

/// Adds a resource that was not there.
fn add(keeper: &Session<'_>, kind: &str, name: &str, line: &str) -> Outcome {
    is_there(keeper, kind, name, false)?;
    let answer = keeper.ask(format!("configure add {line}"))?;
    ensure(answer["configure"]["add"]["name"] == name, || answer.to_string())?;
    is_there(keeper, kind, name, true)
}

fn client(site: &Site) -> Outcome {
    let keeper = site.keeper()?;
    keeper.ask("show all")?;
    keeper.refuses("show client=added")?;
    add(&keeper, "clients", "added", "client=added password=secret address=127.0.0.1")?;
    for command in ["show all", "show all verbose", "show client=added verbose"] {
        keeper.ask(command)?;
    }
    let shown = keeper.ask("show client=added")?;
    ensure(shown["clients"]["added"]["address"] == "127.0.0.1", || shown.to_string())
}

fn quoted(site: &Site) -> Outcome {
    let keeper = site.keeper()?;
    let line = r#"job jobdefs=usual name=quoted runafterjob="/bin/bash -c \"echo Hallo\"" priority=11"#;
    add(&keeper, "jobs", "quoted", line)?;
    let shown = keeper.ask("show jobs=quoted")?;
    let job = &shown["jobs"]["quoted"];
    ensure(job["runscript"][0]["command"] == r#"/bin/bash -c "echo Hallo""#, || shown.to_string())?;
    ensure(job["priority"] == 11, || shown.to_string())?;
    let id = keeper.run("run job=quoted yes")?;
    super::has(&keeper.log(&id)?, "AfterJob: Hallo")
}

fn where_acl(site: &Site, name: &str, place: &str) -> Outcome {
    let line = format!("console name={name} password=secret profile=operator WhereACL=\"{place}\"");
    add(&site.keeper()?, "consoles", name, &line)
}
