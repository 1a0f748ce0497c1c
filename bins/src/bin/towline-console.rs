//! `towline-console`: the operator's console.

use std::process::ExitCode;

fn main() -> ExitCode {
    towline::daemon::ended(towline::daemon::console::main())
}
