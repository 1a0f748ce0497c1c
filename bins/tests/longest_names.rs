//! A backup and its restore by daemons, a job and a console whose names are all as long as a name may be, under pre-shared
//! keys, whichever side of the data channel dials.
#![allow(clippy::unwrap_used, reason = "helpers of tests")]

mod support;

use std::process::Command;

use support::network::{Network, Plan};
use support::plant;

/// The longest name for each of the short ones of a network.
const NAMES: [(&str, usize); 8] =
    [("d", 117), ("f", 119), ("s", 127), ("b", 127), ("r", 127), ("v", 127), ("fs", 127), ("c", 118)];

/// This name with as many bytes as it may have.
fn long(name: &str) -> String {
    let (_, length) = NAMES.into_iter().find(|(short, _)| *short == name).unwrap();
    format!("{name}{}", "-".repeat(length - name.len()))
}

/// The configuration with the longest names.
fn lengthened(text: String) -> String {
    let mut text = text;
    for (name, _) in NAMES {
        for field in ["name", "client", "fileset", "storage"] {
            text = text.replace(&format!(r#"{field}: "{name}""#), &format!(r#"{field}: "{}""#, long(name)));
        }
    }
    text
}

fn works(client: &str) {
    let consoles = r#"(name: "c", password: "cpw", command_acl: ["*all*"], job_acl: ["*all*"], client_acl: ["*all*"],
        storage_acl: ["*all*"], pool_acl: ["*all*"], fileset_acl: ["*all*"], catalog_acl: ["*all*"], where_acl: ["*all*"]),"#.to_owned();
    let plan = Plan { client: client.to_owned(), consoles, rewrite: lengthened, ..Plan::default() };
    let network = Network::start(&plan);
    plant(&network.source, 7, 200_000);
    let saved = network.run(&format!("run job={} yes", long("b")));
    assert!(saved.is_ok(), "{}", saved.report);
    let to = network.folder.path().join("restored");
    let line = format!("restore client={} where={} all done yes", long("f"), to.display());
    let restored = network.run(&line);
    assert!(restored.is_ok(), "{}", restored.report);
    let copy = to.join(network.source.strip_prefix("/").unwrap());
    assert!(Command::new("diff").arg("-r").args([&network.source, &copy]).status().unwrap().success());
    let named = format!(r#"console: (name: "{}", password: "cpw"), director:"#, long("c"));
    let (exit, shown, log) = network.ask_as("director:", &named, &["status director"]);
    assert_eq!(exit, Some(0), "{log}");
    assert!(shown.contains("Terminated Jobs:"), "{shown}");
}

#[test]
fn a_job_of_the_longest_names_is_saved_and_restored() {
    works("");
}

#[test]
fn a_job_of_a_passive_client_of_the_longest_names_is_saved_and_restored() {
    works("passive: true,");
}
