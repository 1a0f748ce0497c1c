//! All targets under libFuzzer: the environment variable `TOWLINE_FUZZ` names the one that runs.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use towline_core::fuzzing::{Target, target};

static CHOSEN: LazyLock<&'static Target> = LazyLock::new(|| {
    let name = std::env::var("TOWLINE_FUZZ").unwrap_or_default();
    target(&name).unwrap_or_else(|| panic!("set TOWLINE_FUZZ to the name of a target; there is no {name:?}"))
});

fuzz_target!(|bytes: &[u8]| (CHOSEN.body)(bytes));
