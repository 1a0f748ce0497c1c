//! Which runtime drives the node: those that are compiled in, by name.

use std::sync::Arc;

use towline_core::drive::{Hands, Injector, Runtime};
use towline_core::node::{Node, Role};
use towline_core::notice::ExitReason;

/// The names of the runtimes that are built in; the first is the default.
pub const BUILT: &[&str] = &[
    #[cfg(feature = "tokio")]
    "tokio",
    #[cfg(feature = "smol")]
    "smol",
    #[cfg(feature = "blocking")]
    "blocking",
];

/// One of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Choice {
    /// Tasks on tokio.
    #[cfg(feature = "tokio")]
    Tokio,
    /// Tasks on smol.
    #[cfg(feature = "smol")]
    Smol,
    /// Plain threads.
    #[cfg(feature = "blocking")]
    Blocking,
}

/// A runtime that is not there.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoRuntime {
    /// This one is not.
    #[error("the runtime {0:?} is not built in; there are: {built}", built = BUILT.join(", "))]
    Unknown(String),
    /// None is.
    #[error("this program was built without any runtime; build it with the feature tokio, smol or blocking")]
    None,
}

impl Choice {
    /// The runtime of this name, or the default.
    ///
    /// # Errors
    /// It is not built in; the error names those that are.
    pub fn named(name: Option<&str>) -> Result<Self, NoRuntime> {
        let name = name.or(BUILT.first().copied()).ok_or(NoRuntime::None)?;
        match name {
            #[cfg(feature = "tokio")]
            "tokio" => Ok(Self::Tokio),
            #[cfg(feature = "smol")]
            "smol" => Ok(Self::Smol),
            #[cfg(feature = "blocking")]
            "blocking" => Ok(Self::Blocking),
            other => Err(NoRuntime::Unknown(other.to_owned())),
        }
    }

    /// Its name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            #[cfg(feature = "tokio")]
            Self::Tokio => "tokio",
            #[cfg(feature = "smol")]
            Self::Smol => "smol",
            #[cfg(feature = "blocking")]
            Self::Blocking => "blocking",
        }
    }

    /// Drives a node to its end.
    pub fn run<R: Role>(
        self,
        node: Node<R>,
        hands: Arc<dyn Hands>,
        started: Box<dyn FnOnce(Injector) + Send>,
    ) -> ExitReason {
        match self {
            #[cfg(feature = "tokio")]
            Self::Tokio => towline_runtime_tokio::Tokio.run(node, hands, started),
            #[cfg(feature = "smol")]
            Self::Smol => towline_runtime_smol::Smol.run(node, hands, started),
            #[cfg(feature = "blocking")]
            Self::Blocking => towline_runtime_blocking::Blocking.run(node, hands, started),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_runtime_names_those_that_are_built() {
        let error = Choice::named(Some("fibers")).unwrap_err().to_string();
        assert!(BUILT.iter().all(|name| error.contains(name)), "{error}");
        for name in BUILT {
            assert_eq!(Choice::named(Some(name)).map(Choice::name).as_ref(), Ok(name));
        }
        assert_eq!(Choice::named(None).ok().map(Choice::name), BUILT.first().copied());
    }
}
