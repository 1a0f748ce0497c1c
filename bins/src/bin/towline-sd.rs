//! `towline-sd`: the storage daemon.

use std::process::ExitCode;

fn main() -> ExitCode {
    towline::daemon::main::<towline::daemon::storage::StorageProgram>()
}
