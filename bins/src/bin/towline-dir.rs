//! `towline-dir`: the director.

use std::process::ExitCode;

fn main() -> ExitCode {
    towline::daemon::main::<towline::daemon::director::DirectorDaemon>()
}
