//! What no bytes from outside may do: one body for each parser, each machine of the data channel and the connection as a
//! whole. A body takes any bytes and panics when a promise is broken: no panic in the code under it, no more steps than
//! the bytes allow, no more memory than a multiple of them, and what is written comes back when it is read again.
//!
//! The same bodies are run by `cargo test` (a bounded random run from a fixed seed), by the plain runner and by libFuzzer;
//! `core/fuzz/README.md` has the commands.

mod connection;
mod generate;
mod lines;
mod machines;
mod records;
mod streams;
#[cfg(test)]
mod tests;

pub use generate::{Generator, Steer};

/// What a target looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Bytes to a value, without state.
    Parser,
    /// A machine of the data channel.
    Machine,
    /// A whole connection.
    Connection,
}

/// A body and what it is fed with.
#[derive(Clone, Copy, Debug)]
pub struct Target {
    /// Its name: one word, as a file of a corpus has it.
    pub name: &'static str,
    /// What it looks at.
    pub kind: Kind,
    /// The body: panics when a promise is broken.
    pub body: fn(&[u8]),
    /// Valid inputs, to begin from.
    pub samples: fn() -> Vec<Vec<u8>>,
}

/// All targets, in order of their kinds.
pub fn targets() -> impl Iterator<Item = &'static Target> {
    [lines::TARGETS, records::TARGETS, streams::TARGETS, machines::TARGETS, connection::TARGETS].into_iter().flatten()
}

/// The target of this name.
#[must_use]
pub fn target(name: &str) -> Option<&'static Target> {
    targets().find(|target| target.name == name)
}

/// Runs the body of a target on these bytes.
///
/// # Panics
/// When there is no such target, or a promise is broken.
pub fn run(name: &str, bytes: &[u8]) {
    match target(name) {
        Some(target) => (target.body)(bytes),
        None => panic!("there is no target {name}"),
    }
}

const fn parser(name: &'static str, body: fn(&[u8]), samples: fn() -> Vec<Vec<u8>>) -> Target {
    Target { name, kind: Kind::Parser, body, samples }
}

/// Ends a loop of a body that goes round more often than its bytes allow.
struct Steps {
    left: usize,
    what: &'static str,
}

impl Steps {
    const fn over(what: &'static str, bytes: usize) -> Self {
        Self { left: 8 * bytes + 4_096, what }
    }

    fn take(&mut self) {
        match self.left.checked_sub(1) {
            Some(left) => self.left = left,
            None => panic!("{} goes round for ever", self.what),
        }
    }
}
