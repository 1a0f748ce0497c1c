//! What a director does when its catalog fails.
