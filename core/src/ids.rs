//! Names for things that live a while. Each is counted up and never used again.

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub u64);
    )*};
}

ids! {
    /// One TCP connection, from dial or accept to its end.
    ConnId;
    /// One attempt to reach a host, or one of its addresses.
    DialId;
    /// One listening socket.
    ListenerId;
    /// One accepted socket that the node has not admitted yet.
    TicketId;
    /// One name look-up.
    QueryId;
    /// One piece of work for the disk or the catalog.
    WorkId;
    /// The place a worker keeps between pieces of work: an open file tree, an open volume.
    HandleId;
    /// A director's session with a storage or a file daemon, which may outlive its connection.
    SessionId;
}

/// A job, by the number that the catalog has given it (`wire/3 §0.5`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct JobId(pub u32);

impl std::fmt::Display for JobId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

/// Which daemon of a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Who {
    /// The director.
    Director,
    /// The file daemon.
    File,
    /// The storage daemon.
    Storage,
}

impl std::fmt::Display for Who {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Director => "director",
            Self::File => "file daemon",
            Self::Storage => "storage daemon",
        })
    }
}
