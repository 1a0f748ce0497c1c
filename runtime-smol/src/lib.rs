//! Drives the Towline core on smol.
