//! What goes over a link between two ends.

/// The initial sequence numbers of two streams (RFC 9293 §3.4.1), as the sender of a segment knows them. Places in segments are
/// counted from these, and numbers that are others than the receiver's are out of its window.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Isns {
    /// Of the sender's stream.
    pub from: u32,
    /// Of the receiver's stream.
    pub to: u32,
}

/// What goes over a link.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Segment {
    /// May I?
    Syn {
        /// Where the sender's stream begins.
        isn: u32,
        /// Bytes of the longest segment the sender takes.
        longest: usize,
    },
    /// You may; this is how much I take.
    SynAck {
        /// Where both streams begin.
        isns: Isns,
        /// Bytes of the stream the sender takes.
        limit: u64,
        /// Bytes of the longest segment the sender takes.
        longest: usize,
    },
    /// Nobody here knows of this connection.
    Rst {
        /// Where the receiver's stream begins, as far as the sender knows; without it, it fits whoever receives it.
        to: Option<u32>,
    },
    /// Data, an acknowledgement, or both.
    Data(Data),
}

/// A segment of an established connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Data {
    /// Where both streams begin.
    pub isns: Isns,
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
    /// The reset of one who knows nothing of this segment's connection (RFC 9293 §3.5.2); none for a reset.
    #[must_use]
    pub const fn refusal(&self) -> Option<Self> {
        match self {
            Self::Syn { isn, .. } => Some(Self::Rst { to: Some(*isn) }),
            Self::SynAck { isns, .. } | Self::Data(Data { isns, .. }) => Some(Self::Rst { to: Some(isns.from) }),
            Self::Rst { .. } => None,
        }
    }

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
