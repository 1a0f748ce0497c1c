//! How much memory the data of a job takes.

use crate::limits;

/// What a connection takes for the machine it carries: the usual sizes are the fastest, and a simulation of thousands of
/// daemons needs less.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BulkSizes {
    parcel: usize,
    buffer: usize,
}

impl Default for BulkSizes {
    fn default() -> Self {
        Self { parcel: limits::PARCEL, buffer: limits::BULK_BUFFER }
    }
}

impl BulkSizes {
    /// The smallest: what has to go together still does.
    pub const SMALL: Self = Self { parcel: limits::LEAST_PARCEL, buffer: 4 * limits::IDLE_BUFFER };

    /// Bytes of a parcel that a worker fills.
    #[must_use]
    pub const fn parcel(self) -> usize {
        self.parcel
    }

    /// Bytes of the buffers of a connection while it carries a machine.
    #[must_use]
    pub const fn buffer(self) -> usize {
        self.buffer
    }

    /// Bytes of the buffers of a connection while it gathers frames.
    #[must_use]
    pub const fn gather_buffer(self) -> usize {
        if self.buffer < limits::GATHER_BUFFER { self.buffer } else { limits::GATHER_BUFFER }
    }
}
