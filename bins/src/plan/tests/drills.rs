//! Drills and weeks of small networks.

use std::time::Duration;

use super::super::drill::{Drill, Drilled, Outcome, SLOWNESS, drilled};
use super::super::herd::herd;
use super::super::trial::Uplink;
use super::super::week::{moment, week};
use super::*;

/// What comes of a drill for the first row.
fn held(plan: &Plan, drill: &Drill) -> Vec<Drilled> {
    let first = &plan.rows[0];
    let alone = drilled(plan.topology(), &plan.given, &first.row, &first.verdict, drill);
    // The same is said of it among others. The director of one row has less to tell its catalog, and begins a moment earlier: the
    // disturbance may meet another of the job's pieces of work.
    let all = plan.trials.drilled(plan.topology(), &plan.given, &plan.rows, drill);
    let (timeless, times) = without_times(&alone);
    let (timeless_of_all, times_of_all) = without_times(&all[0]);
    assert_eq!((all.len(), timeless_of_all), (plan.rows.len(), timeless), "{drill}");
    let is_near = |(one, other): (&Duration, &Duration)| one.abs_diff(*other) < SLOWNESS;
    assert!(times.iter().zip(&times_of_all).all(is_near), "{drill}: {times:?} {times_of_all:?}");
    alone
}

/// What has come of drills but for when, and when.
fn without_times(all: &[Drilled]) -> (Vec<Drilled>, Vec<Duration>) {
    let mut all = all.to_vec();
    let times = all.iter_mut().filter_map(|drilled| match &mut drilled.outcome {
        Outcome::GoesOn { after } | Outcome::Ends { after, .. } => Some(std::mem::take(after)),
        Outcome::NeverWorked | Outcome::Apart | Outcome::Unknown(_) => None,
    });
    let times = times.collect();
    (all, times)
}

fn forwarded() -> String {
    home(r#"forwards: [(port: 9102, to: "10.0.0.10")]"#)
}

#[test]
fn a_job_that_is_cut_off_fails_within_minutes_and_works_again_afterwards() {
    let plan = Case::new(DIALLED, STORE, "").topology(&forwarded()).unwrap();
    for (text, edge) in [
        ("laptop.uplink@50%", "host \"den\""),
        ("den@50%", "host \"den\""),
        ("home.uplink", "network \"home\""),
        ("home.uplink.in", "network \"home\""),
        ("center.uplink.out", "host \"center\""),
    ] {
        let drill = Drill::cut(plan.topology(), text).unwrap();
        let [Drilled { outcome: Outcome::Ends { after, logs, recovers, stopped }, .. }] = &held(&plan, &drill)[..]
        else {
            panic!("{text}: {:?}", held(&plan, &drill));
        };
        let (at, why) = stopped.as_ref().unwrap_or_else(|| panic!("{text}: it does not say where"));
        assert_eq!((at.to_string(), *why), (format!("the uplink of {edge}"), "cut"), "{text}");
        assert!(
            *recovers && *after > Duration::from_secs(5) && *after < Duration::from_secs(1_800),
            "{text}: {after:?}"
        );
        assert!(logs.iter().any(|(daemon, _)| daemon == "dir"), "{logs:?}");
    }
    let elsewhere = Drill::cut(plan.topology(), "offsite").unwrap();
    assert_eq!(held(&plan, &elsewhere), [Drilled { when: None, outcome: Outcome::Apart }]);
    let inside =
        home("").replace(r#"network: "internet", address: "192.0.2.1""#, r#"network: "home", address: "10.0.0.1""#);
    let plan = Case::new(r#"address: "den""#, STORE, "").topology(&inside).unwrap();
    let drill = Drill::reboot(plan.topology(), "home").unwrap();
    assert_eq!(held(&plan, &drill), [Drilled { when: None, outcome: Outcome::Apart }]);
}

#[test]
fn a_job_goes_on_through_half_an_hour_of_silence_and_a_gateway_that_takes_up_what_it_forgot() {
    let plan = Case::new(DIALLED, STORE, "").topology(&forwarded()).unwrap();
    let [Drilled { outcome, .. }] = &held(&plan, &Drill::idle("30m").unwrap())[..] else { panic!("one") };
    assert!(matches!(outcome, Outcome::GoesOn { after } if *after > Duration::from_secs(1_800)), "{outcome:?}");
    for (forgotten, survives) in [("resume", true), ("reset", false)] {
        let gateway = format!(r#"forwards: [(port: 9102, to: "10.0.0.10")], forgotten: {forgotten}"#);
        let plan = Case::new(DIALLED, STORE, "").topology(&home(&gateway)).unwrap();
        let [before, middle] = &held(&plan, &Drill::reboot(plan.topology(), "home").unwrap())[..] else {
            panic!("two")
        };
        assert!(matches!(before.outcome, Outcome::GoesOn { .. }), "{before:?}");
        let goes_on = matches!(middle.outcome, Outcome::GoesOn { .. });
        assert_eq!(goes_on, survives, "{forgotten}: {middle:?}");
    }
}

#[test]
fn half_an_hour_of_silence_ends_no_restore_by_its_slowness() {
    let restore = r#"(name: "restore", client: "laptop", fileset: "set", storage: "store", pool: "pool", kind: restore, where: "/r"),"#;
    let plan = Case::new(DIALLED, STORE, restore).topology(&forwarded()).unwrap();
    let all = plan.trials.drilled(plan.topology(), &plan.given, &plan.rows, &Drill::idle("30m").unwrap());
    let [Drilled { outcome, .. }] = &all[1][..] else { panic!("one") };
    assert!(matches!(outcome, Outcome::GoesOn { after } if *after > Duration::from_secs(1_800)), "{outcome:?}");
}

#[test]
fn a_drill_that_means_nothing_is_refused_with_what_was_probably_meant() {
    let plan = Case::new(DIALLED, STORE, "").topology(&forwarded()).unwrap();
    let topology = plan.topology();
    let cut = Drill::Cut { at: Uplink::Host("den".to_owned()), way: None, percent: 50 };
    assert_eq!(Drill::cut(topology, "laptop"), Ok(cut));
    for (wrong, said) in [
        (Drill::cut(topology, "laptap@10%"), "did you mean \"laptop\"?"),
        (Drill::cut(topology, "laptop@150%"), "none of 0% to 99%"),
        (Drill::cut(topology, "laptop.uplink.up@50%"), "after \".uplink\" comes \".in\", \".out\" or nothing"),
        (Drill::cut(topology, "internet"), "there is no host, daemon or network with a gateway"),
        (Drill::idle("soon"), "write a span"),
        (Drill::idle("0"), "write a span"),
        (Drill::reboot(topology, "hom"), "did you mean \"home\"?"),
    ] {
        let text = wrong.unwrap_err();
        assert!(text.contains(said), "{text}");
    }
}

/// Two clients that are backed up at nine in the evening, fully on Saturdays, through a gateway of 10 MB a second.
fn evenings(data: &str) -> Plan {
    let mut case = Case { folder: tempfile::tempdir().unwrap(), configs: Vec::new() };
    case.config(&format!(
        r#"(director: (name: "dir", password: "{PASSWORD}"),
            clients: [(name: "one", address: "one", password: "{PASSWORD} 1"), (name: "two", address: "two", password: "{PASSWORD} 2")],
            storages: [(name: "store", address: "center", password: "{PASSWORD} s", device: "dev", media_type: "File")],
            schedules: [(name: "nightly", runs: [(level: full, days: [sat], at: ["21:00"]),
                (level: incremental, days: [mon, tue, wed, thu, fri, sun], at: ["21:00"])])],
            jobs: [(name: "first", client: "one", fileset: "set", storage: "store", pool: "pool", schedule: "nightly"),
                   (name: "second", client: "two", fileset: "set", storage: "store", pool: "pool", schedule: "nightly")],
            pools: [(name: "pool", label_format: "v-")],
            filesets: [(name: "set", include: [(files: ["/etc"])])])"#
    ));
    let text = format!(
        r#"(networks: [
                (name: "site", addresses: ["192.0.2.0/24"]),
                (name: "branch", addresses: ["10.0.0.0/24"],
                 gateway: (to: "site", address: "192.0.2.254", translates: false, inward: accept, rate: "10 MB")),
            ],
            hosts: [
                (name: "center", network: "site", address: "192.0.2.1", daemons: ["dir", "store"]),
                (name: "one", network: "branch", address: "10.0.0.10", daemons: ["one"], {data}, changes: "36 GB"),
                (name: "two", network: "branch", address: "10.0.0.11", daemons: ["two"], {data}, changes: "36 GB"),
            ])"#
    );
    case.topology(&text).unwrap()
}

#[test]
fn a_week_shows_the_night_that_does_not_fit() {
    // Each night one hour for each, one after the other; on Saturdays 15 hours for each.
    let plan = evenings(r#"data: "540 GB""#);
    let rows: Vec<&Row> = plan.rows.iter().map(|tried| &tried.row).collect();
    let found = week(plan.topology(), &plan.given, &rows).unwrap();
    assert_eq!(found.days.len(), 7, "{found:#?}");
    for day in &found.days {
        assert!(day.jobs == 2 && day.failed.is_empty(), "{day:?}");
        assert_eq!(day.late.is_empty(), day.name != "Saturday", "{day:?}");
    }
    let monday = &found.days[0];
    assert_eq!(moment(monday.first), "Monday 21:00");
    assert!(moment(monday.last).starts_with("Monday 23:0"), "{}", moment(monday.last));
    assert!((3_600..3_700).contains(&monday.waited.0), "{monday:?}");
    assert!(moment(found.days[5].last).starts_with("Monday 03:"), "{}", moment(found.days[5].last));
    assert!(found.unknown.is_empty() && found.left_out.is_empty());
    let plan = evenings("firewall: None");
    let found = week(plan.topology(), &plan.given, &[&plan.rows[0].row]).unwrap();
    assert_eq!((found.unknown, found.left_out), (vec!["one".to_owned()], vec!["second".to_owned()]));
}

#[test]
fn the_herd_comes_back_after_a_restart_spread_over_seconds() {
    let client = "connection_from_client_to_director: true, connection_from_director_to_client: false";
    let plan = Case::new(client, STORE, "").dials_in(60).topology(&home("")).unwrap();
    let herd = herd(plan.topology(), &plan.given).unwrap();
    assert_eq!((herd.clients, herd.back), (1, 1));
    assert!(herd.peak == 1 && herd.after < Duration::from_secs(120), "{herd:?}");
}
