//! The conformance suite on this runtime.

towline_core::conformance_suite!(towline_runtime_blocking::shared::conformance::Kernel::new(
    towline_runtime_smol::Smol
));
