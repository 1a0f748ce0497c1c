//! The machines at work on a connection.
