//! The part of the conformance suite that counts what the process has: alone in its process.

#[test]
fn nothing_leaks_and_nothing_spins() {
    let arm = towline_runtime_blocking::shared::conformance::Kernel::new(towline_runtime_blocking::Blocking);
    towline_core::conformance::nothing_leaks_and_nothing_spins(&arm);
}
