//! What is left when all is over: in a process of its own, as on the other adapters.

use towline_core::conformance::nothing_leaks_and_nothing_spins;
use towline_simtests::arm::Arm;

#[test]
fn the_simulator_leaks_nothing_and_does_not_spin() {
    nothing_leaks_and_nothing_spins(&Arm::new(1));
}
