//! What goes over a link between two ends.

/// What goes over a link.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Segment {
    /// May I?
    Syn {
        /// Bytes of the longest segment the sender takes.
        longest: usize,
    },
    /// You may; this is how much I take.
    SynAck {
        /// Bytes of the stream the sender takes.
        limit: u64,
        /// Bytes of the longest segment the sender takes.
        longest: usize,
    },
    /// Nobody here knows of this connection.
    Rst,
    /// Data, an acknowledgement, or both.
    Data(Data),
}

/// A segment of an established connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Data {
    /// Place of the first byte in its stream.
    pub at: u64,
    /// The bytes.
    pub bytes: Vec<u8>,
    /// Whether the stream ends after them. Takes a place of its own.
    pub fin: bool,
    /// All before this place of the other stream has come.
    pub ack: u64,
    /// The other stream may go up to here.
    pub limit: u64,
    /// Wants an answer even if there is nothing new in it.
    pub probe: bool,
}

impl Segment {
    /// Payload bytes.
    #[must_use]
    pub const fn len(&self) -> usize {
        match self {
            Self::Data(data) => data.bytes.len(),
            _ => 0,
        }
    }

    /// Whether it has no payload.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }
}
