//! Drives the Towline core on tokio.
