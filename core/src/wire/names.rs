//! Names on the wire: bashing, `<type>::<name>` and the PSK identity `<type> RS <name>`.

/// The type half of a qualified name, `wire/1 §2.5`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PeerKind {
    /// `R_DIRECTOR`
    Director,
    /// `R_CLIENT`
    Client,
    /// `R_STORAGE`
    Storage,
    /// `R_CONSOLE`
    Console,
    /// `R_JOB`
    Job,
}

/// Who a peer says it is: the kind of resource and its name, unbashed.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PeerName {
    /// The kind of resource.
    pub kind: PeerKind,
    /// The name of the resource, or the unique name of a job.
    pub name: String,
}
