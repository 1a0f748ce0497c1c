//! Scripts of jobs, by what they leave in the log.

use std::process::Command;

use super::{Check, Outcome, Site, ensure, has, hold};

pub(super) const CHECKS: &[Check] = &[
    ("a script of a job runs on the client by default", |site| {
        says(site, "on-the-client-by-default", &["ClientBeforeJob: job=on-the-client-by-default"])
    }),
    ("a script runs on the client", |site| says(site, "on-the-client", &["ClientBeforeJob: job=on-the-client"])),
    ("a script runs on the director", |site| {
        says(site, "on-the-director", &["BeforeJob: job=on-the-director daemon=d"])
    }),
    ("a script of an admin job runs on the director", |site| {
        says(site, "admin", &["BeforeJob: job=admin daemon=d type=Admin"])
    }),
    ("a script that fails is the end of an admin job by default", |site| fails(site, "admin-that-fails-by-default")),
    ("a script that fails is the end of an admin job that says so", |site| fails(site, "admin-that-fails")),
    ("a script that fails is not the end of an admin job that goes on", |site| {
        says(site, "admin-that-goes-on", &["BeforeJob returned non-zero status="])
    }),
    ("an admin job runs no script on a client", |site| {
        says(site, "admin-on-the-client", &["Invalid runscript definition"])
    }),
    ("an admin job runs its script on the director and none on a client", |site| {
        says(site, "admin-of-both", &["Invalid runscript definition", "BeforeJob: job=admin-of-both"])
    }),
    ("an admin job runs commands of a console by default", |site| {
        console(site, "Admin", "Runs On Client = no", "version")
    }),
    ("an admin job runs commands of a console", |site| {
        console(site, "Admin", "Runs On Client = no\nRuns On Failure = yes\nFail Job On Error = yes", "whoami")
    }),
    ("an admin job fails by a command that no console has", |site| {
        console(site, "Admin", "Runs On Client = no\nFail Job On Error = yes", "nosuchcommand")
    }),
    ("a backup runs commands of a console on the director", |site| {
        console(site, "Backup", "Runs On Client = no\nFail Job On Error = yes", "version")
    }),
    ("a backup runs commands of a console beside a script on the client", |site| {
        console(site, "Backup", "Runs On Client = yes\nCommand = \"echo job=%n\"", "list jobid=%i")
    }),
    ("a log with bytes that are no text is JSON", |site| {
        let keeper = site.keeper()?;
        let id = keeper.run("run job=bytes-in-the-log yes")?;
        has(&keeper.log(&id)?, " bytes")
    }),
    ("a plugin in Python saves and restores", |site| {
        let keeper = site.keeper()?;
        let id = keeper.run("run job=b-foreign level=Full yes")?;
        keeper.run(&format!("restore client=f restorejob=r jobid={id} fileset=foreign all done yes")).map(drop)
    }),
    ("a plugin in Python gets the options of an order", |site| {
        let order = "run job=b-foreign level=Full pluginoptions=python:more=backup yes";
        site.keeper()?.run(order).map(drop)
    }),
    ("the options of an order go before those of the fileset", |site| {
        let order = "run job=b-foreign level=Full pluginoptions=python:option=console yes";
        site.keeper()?.run(order).map(drop)
    }),
];

#[test]
fn scripts_run_where_and_when_they_should() {
    hold(CHECKS);
}

fn says(site: &Site, job: &str, wanted: &[&str]) -> Outcome {
    let keeper = site.keeper()?;
    let id = keeper.run(&format!("run job={job} yes"))?;
    let log = keeper.log(&id)?;
    wanted.iter().try_for_each(|wanted| has(&log, wanted))
}

fn fails(site: &Site, job: &str) -> Outcome {
    let keeper = site.keeper()?;
    let id = keeper.ends(&format!("run job={job} yes"), "Error")?;
    has(&keeper.log(&id)?, "Error: Runscript: BeforeJob returned non-zero status=")
}

/// That a director takes a job whose script is a command of a console.
fn console(site: &Site, kind: &str, directives: &str, command: &str) -> Outcome {
    let text = std::fs::read_to_string(site.place("dir/bareos-dir.d/all/all.conf"));
    let job = format!(
        "Job {{\nName = with-a-console\nType = {kind}\nJobDefs = usual\nRun Script {{\nRuns When = Before\n\
         {directives}\nConsole = \"{command}\"\n}}\n}}\n"
    );
    let file = site.place("with-a-console.conf");
    let written = text.and_then(|text| std::fs::write(&file, text + &job));
    written.map_err(|error| error.to_string())?;
    let tested = Command::new(env!("CARGO_BIN_EXE_towline-dir")).arg("-t").arg("-c").arg(&file).output();
    let tested = tested.map_err(|error| error.to_string())?;
    ensure(tested.status.success(), || String::from_utf8_lossy(&tested.stderr).into_owned())
}
