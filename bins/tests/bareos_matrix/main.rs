//! Real Bareos daemons beside ours: `BAREOS_SBIN` names the folder of theirs (`bareos-dir`, `bareos-sd`, `bareos-fd`,
//! `bconsole`), `BAREOS_DDL` the file that makes the tables of their catalog (`creates/postgresql.sql`), which needs a
//! PostgreSQL server's programs too. Needs root: a tree has owners and devices. `BAREOS_CELLS=our-real` runs only the cells
//! whose names have that in them. Without `BAREOS_SBIN` nothing is run, and that is printed.
#![allow(clippy::unwrap_used, reason = "helpers of tests")]
#![allow(clippy::print_stderr, reason = "the table is what a person runs this for")]

mod cell;
#[path = "../support/session.rs"]
#[allow(dead_code, reason = "its other user speaks for itself")]
mod console_session;
mod rig;
mod session;
mod site;
#[cfg(feature = "postgres")]
mod stock;
#[path = "../support/mod.rs"]
mod support;
mod tree;

use std::time::Instant;

use cell::{CELLS, Cell};
use rig::Rig;

#[test]
fn each_daemon_works_with_each_in_every_mode_and_with_every_kind_of_tls() {
    let Some(rig) = Rig::of_environment() else { return };
    let wanted = std::env::var("BAREOS_CELLS").unwrap_or_default();
    let (mut failed, mut run) = (Vec::new(), 0);
    for name in CELLS.iter().flat_map(Cell::names).filter(|name| name.to_string().contains(&wanted)) {
        if !rig.can_run(&name) {
            eprintln!("{name}: not run, `BAREOS_DDL` is not set");
            continue;
        }
        let begun = Instant::now();
        let outcome = cell::run(&rig, &name);
        run += 1;
        let took = begun.elapsed().as_secs();
        match outcome {
            Ok(()) => eprintln!("{name}: equal, {took} s"),
            Err(why) => {
                eprintln!("{name}: FAILED, {took} s: {why}");
                failed.push(name.to_string());
            }
        }
    }
    eprintln!("{run} cells run with {}, {} failed", rig.version(), failed.len());
    assert!(run > 0, "no cell is called {wanted:?}");
    assert!(failed.is_empty(), "{failed:?}");
}
