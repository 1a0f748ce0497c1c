//! Drives the Towline core on blocking.
