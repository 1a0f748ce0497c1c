//! The answers in text and JSON.

use serde_json::Value;

use super::site::KEEPER;
use super::{Check, Outcome, Session, Site, ensure, has, hold};

/// What `show` has resources of.
const KINDS: [&str; 11] = [
    "directors",
    "clients",
    "jobs",
    "storages",
    "schedules",
    "catalogs",
    "filesets",
    "pools",
    "messages",
    "profiles",
    "consoles",
];

pub(super) const CHECKS: &[Check] = &[
    ("a list has the client", |site| {
        let rows = site.keeper()?.rows("list clients", "clients")?;
        ensure(rows.iter().any(|row| row["name"] == "f"), || format!("{rows:?}"))
    }),
    ("an unknown command is an error", |site| site.keeper()?.refuses("nosuchcommand")),
    ("a console asks who it is", |site| {
        let answer = site.keeper()?.ask("whoami")?;
        ensure(answer["whoami"] == KEEPER, || answer.to_string())
    }),
    ("a console without `.api` gets no JSON", |site| match site.json("no-api") {
        Ok(_) => Err("it came in".to_owned()),
        Err(why) => ensure(why == "JsonRpcInvalidJsonReceivedException", || why),
    }),
    ("an order that is not for the console makes no noise at its start", |site| {
        let console = site.text("no-autodisplay")?;
        let help = console.says(".help all")?;
        has(&help, "list")?;
        ensure(!help.contains("autodisplay"), || help.clone())?;
        let heard = console.says("whoami")?;
        ensure(heard.trim_end() == "no-autodisplay", || heard.clone())
    }),
    ("`.help full` takes no value", |site| {
        let console = site.text(KEEPER)?;
        has(&console.says(".help full")?, ".help")?;
        has(&console.says(".help full=yes")?, "The full option does not take a value.")
    }),
    ("a console of text turns to JSON", |site| {
        let console = site.text(KEEPER)?;
        console.says(".api json")?;
        let heard = console.says("whoami")?;
        let answer: Value = serde_json::from_str(&heard).map_err(|error| format!("{error}: {heard}"))?;
        ensure(answer["result"]["whoami"] == KEEPER, || heard)
    }),
    ("`show` has the resources that are in use", |site| {
        let keeper = site.keeper()?;
        KINDS.iter().try_for_each(|kind| shows(&keeper, kind))
    }),
    ("`show` has what jobs take their directives from", |site| shows(&site.keeper()?, "jobdefs")),
    ("`show` has the counters", |site| shows(&site.keeper()?, "counters")),
    ("`show` has the users", |site| shows(&site.keeper()?, "users")),
    ("the catalog keeps what a fileset says", fileset),
    ("the volumes of an empty pool are updated with the words of a real director", empty_pool),
];

#[test]
fn answers_are_what_a_library_reads() {
    hold(CHECKS);
}

fn shows(keeper: &Session<'_>, kind: &str) -> Outcome {
    let shown = keeper.ask(format!("show {kind}"))?;
    ensure(shown[kind].as_object().is_some_and(|all| !all.is_empty()), || format!("show {kind}: {shown}"))
}

fn fileset(site: &Site) -> Outcome {
    let keeper = site.keeper()?;
    let id = keeper.run("run job=b yes")?;
    let job = keeper.ask(format!("llist jobid={id}"))?;
    let name = job["jobs"][0]["fileset"].as_str().ok_or_else(|| job.to_string())?;
    let listed = keeper.ask(format!("list fileset jobid={id} limit=1"))?;
    let shown = keeper.ask(format!("show fileset={name}"))?;
    let description = shown["filesets"][name]["description"].as_str().ok_or_else(|| shown.to_string())?;
    has(listed["filesets"][0]["filesettext"].as_str().unwrap_or_default(), description)
}

fn empty_pool(site: &Site) -> Outcome {
    site.keeper()?.ask("configure add pool=empty")?;
    let console = site.text(KEEPER)?;
    console.says("reload")?;
    console.says("update volume")?;
    // The number of the pool is its place in the menu.
    let menu = console.says("13")?;
    let line = menu.lines().find(|line| line.trim_end().ends_with(": empty")).ok_or_else(|| menu.clone())?;
    let number = line.split(':').next().unwrap_or_default().trim().to_owned();
    let heard = console.says(number)?;
    ensure(heard == "All Volume defaults updated from \"empty\" Pool record.\n", || format!("{heard:?}"))
}
