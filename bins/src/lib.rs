//! Towline daemons.
