//! Every bound of the core, in one place. Each has a test at the limit and one past it.

/// Bytes of a parcel: one batch between machines, one system call.
pub const PARCEL: usize = 256 * 1024;

/// Messages a connection may have under way to the node before it stops reading.
pub const UNDER_WAY: u32 = 8;

/// Bytes of a connection's buffers before a machine is carried.
pub const IDLE_BUFFER: usize = 4 * 1024;

/// Bytes of a connection's buffers while a machine is carried.
pub const BULK_BUFFER: usize = 512 * 1024;

/// Bytes of the longest text frame a control channel accepts.
pub const TEXT: usize = 128 * 1024;

/// Bytes queued to be written on one connection; past that the connection is aborted, because its peer does not read.
pub const SEND_QUEUE: usize = 8 * 1024 * 1024;

/// Length of the system's queue of connections to accept.
pub const BACKLOG: u32 = 512;

/// Addresses of one name that are tried.
pub const ADDRESSES_PER_NAME: usize = 16;
