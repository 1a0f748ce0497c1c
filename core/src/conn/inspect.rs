//! What a connection holds, to look at from outside.

use super::Conn;

/// How full a connection's queues are. All of them are bounded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Inspection {
    /// Bytes that wait to be written, ciphertext included; a parcel and a block of a machine more than
    /// [`SEND_QUEUE`](crate::limits::SEND_QUEUE) at most.
    pub unsent: usize,
    /// Bytes that have come and were not passed on: what no machine and no message has yet.
    pub unread: usize,
    /// Messages to the node that wait to be given out.
    pub untold: usize,
    /// Messages that the node has and has not taken.
    pub untaken: usize,
    /// Whether a machine moves a job's data over it.
    pub carries: bool,
}

impl Conn {
    /// What it holds now.
    #[must_use]
    pub fn inspect(&self) -> Inspection {
        Inspection {
            unsent: self.tx.queued(),
            unread: self.rx.len() + self.frames.len(),
            untold: self.messages.len(),
            untaken: self.untaken,
            carries: self.carried.is_some(),
        }
    }
}
