//! The most memory a small world has at a time, by the allocator's count.
//!
//! `cargo bench -p towline-simtests --bench world_memory`
#![allow(clippy::print_stdout, reason = "it measures and prints")]

mod small;

use peak_alloc::PeakAlloc;

#[global_allocator]
static COUNTED: PeakAlloc = PeakAlloc;

fn main() {
    let site = small::open_site();
    // What is made once in a process is no world's.
    drop(small::back_up_and_restore(&site, 0));
    let before = COUNTED.current_usage();
    COUNTED.reset_peak_usage();
    drop(small::back_up_and_restore(&site, 1));
    let peak = COUNTED.peak_usage().saturating_sub(before);
    println!("a small world: {peak} bytes at the most ({:.2} MiB; at most 1)", peak as f64 / f64::from(1 << 20));
}
