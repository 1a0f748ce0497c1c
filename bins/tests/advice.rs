//! An option that advice names is an option of one of the programs.

use std::collections::BTreeSet;
use std::process::Command;

#[test]
fn every_option_that_a_page_names_is_in_the_help_of_a_program() {
    let programs = [
        env!("CARGO_BIN_EXE_towline"),
        env!("CARGO_BIN_EXE_towline-dir"),
        env!("CARGO_BIN_EXE_towline-fd"),
        env!("CARGO_BIN_EXE_towline-sd"),
        env!("CARGO_BIN_EXE_towline-console"),
        env!("CARGO_BIN_EXE_towline-tray"),
    ];
    let mut known = BTreeSet::new();
    for program in programs {
        let help = Command::new(program).arg("--help").output().expect("to run a program that was just built");
        assert!(help.status.success(), "{program}");
        known.extend(options(&String::from_utf8_lossy(&help.stdout)));
    }
    assert!(known.contains("--config") && !known.contains("--invented"), "{known:?}");
    let named: BTreeSet<String> = towline_core::explain::all()
        .flat_map(|page| [page.meaning, page.remedy])
        .flat_map(|text| text.split('`').skip(1).step_by(2).filter(|name| name.starts_with("--")).flat_map(options))
        .collect();
    assert!(!named.is_empty());
    assert_eq!(named.difference(&known).collect::<Vec<_>>(), [""; 0]);
}

fn options(text: &str) -> Vec<String> {
    let words = text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '-'));
    words.filter(|word| word.starts_with("--") && word.len() > 2).map(str::to_owned).collect()
}

#[test]
fn every_command_of_the_tool_that_a_page_names_is_there() {
    let named: BTreeSet<&str> = towline_core::explain::all()
        .flat_map(|page| [page.meaning, page.remedy])
        .flat_map(|text| text.split('`').skip(1).step_by(2).filter_map(|name| name.strip_prefix("towline ")))
        .collect();
    assert!(!named.is_empty());
    for command in named {
        let mut tool = Command::new(env!("CARGO_BIN_EXE_towline"));
        let help = tool.args(command.split(' ')).arg("--help").output().expect("to run a program that was just built");
        assert!(help.status.success(), "towline {command}");
    }
}

#[test]
fn what_cannot_be_said_is_told_and_changes_the_exit_code() {
    let folder = tempfile::tempdir().unwrap();
    for arguments in [&["explain", "T0117"][..], &["completion", "bash"]] {
        let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
        let mut tool = Command::new(env!("CARGO_BIN_EXE_towline"));
        let done = tool.args(arguments).current_dir(folder.path()).stdout(full).output().unwrap();
        let said = String::from_utf8_lossy(&done.stderr).into_owned();
        assert_eq!(done.status.code(), Some(74), "{arguments:?}: {said}");
        assert!(said.contains("cannot write to standard output: No space left"), "{arguments:?}: {said}");
    }
}
