//! `towline`: the operator's tool.

use std::process::ExitCode;

use clap::Command;
use towline::daemon::director::DirectorDaemon;
use towline::daemon::file::FileProgram;
use towline::daemon::storage::StorageProgram;
use towline::daemon::{Daemon, Options, ended, run};
use towline::{catalog, check, convert, explain, export, init, joining, manual, quickstart, volumes};

fn main() -> ExitCode {
    ended(do_as_told())
}

fn do_as_told() -> ExitCode {
    let matches = command().get_matches();
    match matches.subcommand() {
        Some(("quickstart", matches)) => quickstart::run(&quickstart::Options::of(matches)),
        Some(("init", matches)) => init::run(matches),
        Some(("man", matches)) => manual::write(matches, command()),
        Some(("completion", matches)) => manual::complete(matches, command()),
        Some(("check", matches)) => check::run(matches),
        Some(("client", matches)) => joining::client::run(matches),
        Some(("join", matches)) => joining::join::run(matches),
        Some(("convert", matches)) => convert::run(matches),
        Some(("export", matches)) => export::run(matches),
        Some(("explain", matches)) => explain::run(matches),
        Some(("volume", matches)) => volumes::run(matches),
        Some(("catalog", matches)) => catalog::copy::run(matches),
        #[cfg(feature = "plan")]
        Some(("plan", matches)) => towline::plan::run(matches),
        #[cfg(feature = "plan")]
        Some(("doctor", matches)) => towline::plan::doctor::run(matches),
        Some(("daemon", matches)) => match matches.subcommand() {
            Some(("director", matches)) => run::<DirectorDaemon>(&Options::of(matches)),
            Some(("storage", matches)) => run::<StorageProgram>(&Options::of(matches)),
            Some(("file", matches)) => run::<FileProgram>(&Options::of(matches)),
            _ => ExitCode::FAILURE,
        },
        _ => ExitCode::FAILURE,
    }
}

fn command() -> Command {
    let command = Command::new("towline")
        .about("The operator's tool of a backup network")
        .version(env!("CARGO_PKG_VERSION"))
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommand(quickstart::command())
        .subcommand(init::command())
        .subcommands(manual::commands())
        .subcommand(check::command())
        .subcommand(joining::client::command())
        .subcommand(joining::join::command())
        .subcommand(convert::command())
        .subcommand(export::command())
        .subcommand(explain::command())
        .subcommand(volumes::command())
        .subcommand(catalog::copy::command())
        .subcommand(
            // quickstart's daemons are processes of this program, so that `cargo run` has to build nothing else.
            Command::new("daemon")
                .hide(true)
                .subcommand_required(true)
                .subcommand(daemon::<DirectorDaemon>("director"))
                .subcommand(daemon::<StorageProgram>("storage"))
                .subcommand(daemon::<FileProgram>("file")),
        );
    #[cfg(feature = "plan")]
    let command = command.subcommand(towline::plan::command()).subcommand(towline::plan::doctor::command());
    command
}

fn daemon<D: Daemon>(name: &'static str) -> Command {
    Options::of_daemons(Options::arguments(Command::new(name).about(D::ABOUT), D::FILE))
}
