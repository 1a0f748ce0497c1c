//! The suite of all adapters, on the simulator: so the simulator is checked against the kernel.

use towline_simtests::arm::Arm;

towline_core::conformance_suite!(Arm::new(1));
