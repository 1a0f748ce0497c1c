//! Which connections there are, as the daemons say it themselves while a job runs.

use std::time::Duration;

use towline_simtests::town::{Plan, Town, some_files};

const SECOND: Duration = Duration::from_secs(1);

/// A backup that moves data for some minutes.
fn busy_town(tls: bool) -> Town {
    let plan = Plan { files: some_files(41, 40, 400_000), rate: 20_000, tls, ..Plan::new(41) };
    let mut town = Town::new(plan);
    let Some(job) = town.order("run job=backup yes") else { panic!("the order was not taken: {:?}", town.heard()) };
    let client = town.client;
    assert!(town.world.run_until(60 * SECOND, |world| world.connections(client) == 2), "{}", town.report(job));
    town.world.run_for(20 * SECOND);
    assert!(town.ended(job).is_none(), "the job is over already");
    town
}

/// The numbers in the first column of the list, and the line of one of them.
fn list(text: &str) -> (Vec<&str>, impl Fn(&str) -> String) {
    let (_, list) = text.split_once("Connections:").unwrap_or_else(|| panic!("no list in {text:?}"));
    let rows = list.lines().skip_while(|line| !line.starts_with("no ")).skip(1);
    let is_row = |line: &&str| line.starts_with(|first: char| first.is_ascii_digit() || first == '-');
    let rows: Vec<&str> = rows.take_while(is_row).collect();
    let numbers = rows.iter().filter_map(|row| row.split_whitespace().next()).collect();
    let line = move |number: &str| {
        let begins = |row: &&&str| row.split_whitespace().next() == Some(number);
        rows.iter().find(begins).map_or_else(|| panic!("no {number} in {rows:#?}"), |row| (*row).to_owned())
    };
    (numbers, line)
}

#[test]
fn status_network_lists_every_connection_of_the_director() {
    let mut town = busy_town(true);
    let text = town.say("status network", 10 * SECOND).unwrap_or_default();
    let (numbers, line) = list(&text);
    assert_eq!(numbers, ["2", "3", "5a", "12"], "{text}");
    for (number, words) in [
        ("2", vec!["R_CONSOLE::*UserAgent*", " it ", "10.0.0.1:9101"]),
        ("3", vec!["R_CLIENT::fd", " us ", "10.0.0.3:9102"]),
        ("5a", vec!["R_STORAGE::sd", " us ", "10.0.0.2:9103"]),
        ("12", vec!["catalog"]),
    ] {
        let line = line(number);
        assert!(words.iter().all(|word| line.contains(word)), "{line}");
        assert!(
            number == "12" || line.contains("toy") && line.trim_end().ends_with('B'),
            "protection and bytes: {line}"
        );
    }
}

#[test]
fn the_data_channel_is_in_the_status_of_both_its_ends() {
    let mut town = busy_town(false);
    for (command, numbers) in [("status client=fd", ["3", "3", "6"]), ("status storage=sd", ["5a", "5a", "6"])] {
        let text = town.say(command, 30 * SECOND).unwrap_or_default();
        let (found, line) = list(&text);
        assert_eq!(found, numbers, "{text}");
        let data = line("6");
        let bytes = data.contains(" KB") || data.contains(" MB");
        assert!(data.contains("none") && bytes, "kilobytes have gone over it: {data}");
    }
}
