//! `towline plan` as an operator runs it, on each of its examples.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

fn examples() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/plan")
}

/// Plans an example with all configurations in its folder.
fn plan(example: &str, more: &[&str]) -> Output {
    let folder = examples().join(example);
    let mut command = Command::new(env!("CARGO_BIN_EXE_towline"));
    command.arg("plan").arg("--topology").arg(folder.join("network.ron")).args(more);
    let files = std::fs::read_dir(&folder).expect("the example is there");
    let mut files: Vec<PathBuf> = files.map(|file| file.expect("a file").path()).collect();
    files.sort();
    for file in files.iter().filter(|file| !file.ends_with("network.ron")) {
        command.arg("--config").arg(file);
    }
    command.output().expect("to run a program that was just built")
}

/// Job, verdict and connections of each row.
fn rows(example: &str, status: i32) -> Vec<String> {
    let output = plan(example, &["--json"]);
    let complaints = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(status), "{example}: {complaints}");
    let plan: Value = serde_json::from_slice(&output.stdout).expect("one JSON object");
    let rows = plan["rows"].as_array().expect("rows");
    let row = |row: &Value| {
        let connections = row["connections"].as_array().expect("connections");
        let numbers: Vec<&str> = connections.iter().filter_map(|one| one["number"].as_str()).collect();
        format!(
            "{}: {} {}",
            row["job"].as_str().unwrap_or(""),
            row["verdict"].as_str().unwrap_or(""),
            numbers.join(" ")
        )
    };
    rows.iter().map(row).collect()
}

#[test]
fn in_the_office_everything_works() {
    assert_eq!(rows("office", 0), ["files: works 5a 3 6", "web: works 5a 3 6", "restore: works 5a 3 6"]);
}

#[test]
fn a_laptop_behind_two_translations_works_if_it_dials() {
    assert_eq!(rows("laptop", 1), ["laptop: works 4 5a 6", "old-laptop: fails 5a 3"]);
    let text = String::from_utf8(plan("laptop", &[]).stdout).expect("UTF-8");
    let advice =
        "What to do: forward the port 9102 of the gateway of \"provider\" to 10.0.0.65:9102, or let the client dial";
    assert!(text.contains(advice), "{text}");
}

#[test]
fn in_a_branch_that_lets_nothing_out_passive_clients_work() {
    assert_eq!(rows("branch", 1), ["till: works 5a 3 7", "safe: fails 5a 3 6", "restore-till: works 5a 3 7"]);
}

#[test]
fn a_cloud_that_forgets_is_kept_awake_by_heartbeats_only() {
    let expected =
        ["fast: works 5a 3 6", "slow: works_until_idle 5a 3 6", "local: works 5a 3 6", "copy: works 5a 5b 8"];
    assert_eq!(rows("cloud", 1), expected);
}

#[test]
fn the_picture_has_each_host_and_a_red_arrow_to_the_gateway_that_stops() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("plan.svg");
    let path = file.to_str().expect("UTF-8");
    assert_eq!(plan("branch", &["--svg", path]).status.code(), Some(1));
    let svg = std::fs::read_to_string(&file).expect("the picture");
    for part in ["<svg ", "</svg>", ">till<", ">safe-fd<", ">gateway 192.0.2.254 routes<", ">5a</text>", ">7</text>"] {
        assert!(svg.contains(part), "{part}: {svg}");
    }
    let arrows = |class: &str| svg.matches(&format!("<path class=\"{class}\"")).count();
    assert_eq!((arrows("made"), arrows("stopped")), (4, 1), "{svg}");
    assert_eq!(plan("branch", &["--svg", "/nowhere/plan.svg"]).status.code(), Some(73));
}

#[test]
fn what_would_make_the_examples_work_is_suggested_as_a_diff() {
    for (example, words, diff) in [
        (
            "branch",
            "let the storage daemon dial safe-fd",
            "+        (name: \"safe-fd\", passive: true, address: \"safe\", password: \"***\"),",
        ),
        ("cloud", "send heartbeats from slow-fd every 60 s", "+    file: (name: \"slow-fd\", heartbeat_interval: 60),"),
        (
            "laptop",
            "let old-laptop-fd dial the director",
            "connection_from_client_to_director: true, address: \"192.0.2.200\"",
        ),
    ] {
        let output = plan(example, &["--suggest"]);
        let text = String::from_utf8(output.stdout).expect("UTF-8");
        assert_eq!(output.status.code(), Some(1), "{text}");
        assert!(text.contains(words) && text.contains(diff), "{example}: {text}");
        assert!(text.contains("No gateway and no firewall has to be changed."), "{text}");
    }
    let office = String::from_utf8(plan("office", &["--suggest"]).stdout).expect("UTF-8");
    assert!(office.contains("Nothing has to be changed."), "{office}");
    let json = plan("branch", &["--suggest", "--json"]).stdout;
    let json: Value = serde_json::from_slice(&json).expect("one JSON object");
    assert_eq!(json["suggestion"]["changes"][0]["jobs"], serde_json::json!(["safe"]), "{json:#}");
}

/// `towline plan diff` in the branch, after a change of one of its files.
fn branch_then(file: &str, change: (&str, &str), more: &[&str]) -> (Option<i32>, String) {
    let folder = tempfile::tempdir().expect("a folder");
    let (old, new) = (examples().join("branch").join(file), folder.path().join(file));
    let text = std::fs::read_to_string(&old).expect("the example");
    assert!(text.contains(change.0), "{text}");
    std::fs::write(&new, text.replace(change.0, change.1)).expect("to write");
    let other = if file == "network.ron" { ("--config", "director.ron") } else { ("--topology", "network.ron") };
    let mut command = Command::new(env!("CARGO_BIN_EXE_towline"));
    command
        .args(["plan", "diff"])
        .arg(&old)
        .arg(&new)
        .arg(other.0)
        .arg(examples().join("branch").join(other.1))
        .args(more);
    let output = command.output().expect("to run a program that was just built");
    let said = String::from_utf8_lossy(&output.stderr).into_owned() + &String::from_utf8_lossy(&output.stdout);
    (output.status.code(), said)
}

#[test]
fn a_diff_of_two_configurations_or_topologies_says_what_begins_to_work_and_what_breaks() {
    let passive = (r#"(name: "safe-fd", "#, r#"(name: "safe-fd", passive: true, "#);
    let (status, said) = branch_then("director.ron", passive, &[]);
    assert_eq!(status, Some(0), "{said}");
    assert!(
        said.contains("Begins to work:\n  safe (backup): works, was: fails\n2 of 3 as before; 3 of 3 work."),
        "{said}"
    );
    let shut = (r#"(way: in, from: "192.0.2.2", port: 9102, verdict: accept),"#, "");
    let (status, said) = branch_then("network.ron", shut, &[]);
    assert_eq!(status, Some(1), "{said}");
    assert!(
        said.contains("Breaks:\n  till (backup): fails") && said.contains("restore-till (restore): fails"),
        "{said}"
    );
    let lost = (r#"daemons: ["till-fd"]"#, "daemons: []");
    let (status, said) = branch_then("network.ron", lost, &[]);
    assert_eq!(status, Some(2), "{said}");
    assert!(said.contains("Not known any more:\n  till (backup): unknown"), "{said}");
    let (_, said) = branch_then("network.ron", shut, &["--json"]);
    let json: Value = serde_json::from_str(&said).expect("one JSON object");
    assert_eq!((json["breaks"].as_array().map(Vec::len), &json["same"]), (Some(2), &serde_json::json!(1)), "{said}");
}

#[test]
fn drills_say_of_each_job_what_becomes_of_it() {
    let output = plan("cloud", &["--cut", "fast.uplink@50%", "--idle", "30m", "--week"]);
    let text = String::from_utf8(output.stdout).expect("UTF-8");
    for part in [
        "Drill: host \"fast\" is cut off at 50% of the job\n  fast (backup): fails after",
        "works again afterwards\n",
        "  slow (backup): has nothing there\n",
        "Drill: connections are silent for 30 min\n  fast (backup): goes on, and ends well after",
        "Nothing is scheduled.\n",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    let output = plan("cloud", &["--reboot", "clod"]);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.code() == Some(64) && said.contains("did you mean \"cloud\"?"), "{said}");
}

#[test]
fn each_example_says_in_its_header_what_it_is_about() {
    for folder in std::fs::read_dir(examples()).expect("examples") {
        let file = folder.expect("a folder").path().join("network.ron");
        let text = std::fs::read_to_string(&file).expect("a topology");
        let header = text.lines().take_while(|line| line.starts_with("//")).count();
        assert!(header > 5, "{}", file.display());
    }
}

#[test]
fn what_is_no_topology_is_said_with_its_line() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("network.ron");
    std::fs::write(&file, "(\n    networks: [],\n    hots: [],\n)").expect("to write");
    let mut command = Command::new(env!("CARGO_BIN_EXE_towline"));
    command.arg("plan").arg("--config").arg(examples().join("office/director.ron")).arg("--topology").arg(&file);
    let output = command.output().expect("to run a program that was just built");
    assert_eq!(output.status.code(), Some(78));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("network.ron:3:5") && said.contains("did you mean `hosts`?"), "{said}");
}

#[test]
fn no_program_is_built_with_the_toy_engine_or_the_conformance_suite() {
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["tree", "--offline", "--locked", "--all-features", "--edges", "normal", "--prefix", "none"]);
    cargo.args(["--format", "{p} features: {f},", "--manifest-path"]);
    // Of this package alone, whatever the build that runs this test unites.
    cargo.env_remove("CARGO_RESOLVER_FEATURE_UNIFICATION").env_remove("CARGO_UNSTABLE_FEATURE_UNIFICATION");
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml");
    let output = cargo.arg(manifest).output().expect("cargo runs");
    let tree = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    for (package, known) in [("towline-core", Some("psk,")), ("towline-simtests", None)] {
        let line = tree.lines().find(|line| line.starts_with(package)).expect("it is in every build with `plan`");
        let (_, features) = line.split_once(" features: ").expect("the format");
        assert!(known.is_none_or(|known| features.contains(known)), "the test can tell: {line}");
        for toy in ["sim", "conformance", "toy", "suite"] {
            assert!(!features.split(',').any(|feature| feature == toy), "{toy}: {line}");
        }
    }
}
