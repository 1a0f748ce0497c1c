//! `towline-tray`: the tray monitor.

use std::process::ExitCode;

fn main() -> ExitCode {
    towline::daemon::ended(towline::daemon::tray::main())
}
