//! `towline-fd`: the file daemon.

use std::process::ExitCode;

fn main() -> ExitCode {
    towline::daemon::main::<towline::daemon::file::FileProgram>()
}
