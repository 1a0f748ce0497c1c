//! Names of new volumes with variables, and their counters.

use serde_json::{Value, json};
use towline_core::catalog::CatalogRequest;
use towline_core::catalog::memory::MemoryCatalog;

use super::desk::{Desk, config};

fn desk(format: &str, counters: Value) -> Desk {
    let mut config = config();
    config["pools"][0]["label_format"] = json!(format);
    config["counters"] = counters;
    Desk::with(config, MemoryCatalog::default())
}

/// What a storage daemon is told that asks for a volume.
fn asked(desk: &mut Desk, sd: usize) -> String {
    desk.world.heard(sd);
    desk.world.say(sd, "text CatReq Job=J FindMedia=1 pool_name=Full media_type=File1 unwanted_volumes=\\n");
    let heard = desk.world.heard(sd);
    let line = heard.last().cloned().unwrap_or_default();
    line.split("VolName=")
        .nth(1)
        .map_or_else(|| line.clone(), |rest| rest.split(' ').next().unwrap_or_default().to_owned())
}

#[test]
fn a_new_volume_gets_a_name_of_its_job_of_the_present_and_of_counters() {
    let counters = json!([
        { "name": "Tape", "minimum": 98, "maximum": 99, "wrap_counter": "Box", "keep": true },
        { "name": "Box", "minimum": 1 },
    ]);
    let format = "${Pool:l}-${Year}${Month:p/2/0/r}${Day:p/2/0/r}-$Client.$JobId-$NumVols-$Level-$MediaType-$Box-${Tape+:p/4/0/r}";
    let mut desk = desk(format, counters);
    let (_, sd, _) = desk.backup();
    assert_eq!(asked(&mut desk, sd), "full-20261123-bareos-fd.1-0-Full-File1-1-0098");
    // The next one: that volume is used up.
    let used = |desk: &Desk, name: &str| {
        let mut row = desk.shelf().catalog.volume(name).cloned().expect("a volume");
        row.enabled = false;
        desk.shelf().catalog.serve(CatalogRequest::UpdateMedia(Box::new(row))).expect("stored");
    };
    used(&desk, "full-20261123-bareos-fd.1-0-Full-File1-1-0098");
    assert_eq!(asked(&mut desk, sd), "full-20261123-bareos-fd.1-1-Full-File1-1-0099");
    used(&desk, "full-20261123-bareos-fd.1-1-Full-File1-1-0099");
    assert_eq!(asked(&mut desk, sd), "full-20261123-bareos-fd.1-2-Full-File1-2-0098");
}

#[test]
fn a_name_that_is_taken_or_cannot_be_is_told_and_no_volume_is_made() {
    let mut desk = desk("Only-$Year", json!([]));
    let (_, sd, _) = desk.backup();
    assert_eq!(asked(&mut desk, sd), "Only-2026");
    let mut row = desk.shelf().catalog.volume("Only-2026").cloned().expect("a volume");
    row.enabled = false;
    desk.shelf().catalog.serve(CatalogRequest::UpdateMedia(Box::new(row))).expect("stored");
    assert!(asked(&mut desk, sd).starts_with("text 1901 No Media"), "no volume");
    let report = desk.report(1);
    assert!(report.contains("there is one called \"Only-2026\" already (T0749)"), "{report}");
    assert_eq!(desk.status(1), 'R', "the job waits for a volume");

    let mut desk = self::desk("x${JobName:o90-5}", json!([]));
    let (_, sd, _) = desk.backup();
    assert!(asked(&mut desk, sd).starts_with("text 1901 No Media"), "no volume");
    assert!(desk.report(1).contains("(T0748)"), "{}", desk.report(1));
}

#[test]
fn counters_are_shown_and_var_says_what_is_known_without_a_job() {
    let mut desk = desk("Full-", json!([{ "name": "Tape", "minimum": 3, "keep": true }]));
    let console = desk.console();
    let shown = desk.ask(console, "show counters").concat();
    assert!(shown.contains("Name = \"Tape\"") && shown.contains("Minimum = 3"), "{shown}");
    for (line, text) in [
        ("var ${Year}-${Month:p/2/0/r}-$Dir", "2026-11-bareos-dir"),
        ("var a$Job", "Job is known only in a job"),
        ("var a${", "a variable has no name"),
    ] {
        let answer = desk.ask(console, line).concat();
        assert!(answer.contains(text), "{line}: {answer}");
    }
}
