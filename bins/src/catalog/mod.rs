//! The catalog: rows of jobs, volumes and files, moved by engines behind one trait.
//!
//! The core decides what to ask ([`towline_core::catalog`]); an engine here answers on a thread of its
//! own ([`CatalogWorker`]).
//!
//! ```text
//!   CatalogWorker --> Catalog = Engine (engine.rs: joins attributes, settles lost commits)
//!   (tries again)       |  rows/: the statements, the same for both
//!                       +-- sqlite/      one file
//!                       +-- postgres/    a server (connection 12)
//! ```

pub mod copy;
mod engine;
mod files;
mod index_set;
mod known;
mod late;
mod path_cache;
#[cfg(feature = "postgres")]
mod postgres;
pub(crate) mod rebuild;
mod rows;
pub(crate) mod sql;
mod sqlite;
mod worker;

#[cfg(test)]
pub(crate) mod tests;

pub use late::{LateCatalog, Open};
#[cfg(feature = "postgres")]
pub use postgres::PostgresCatalog;
pub use sqlite::SqliteCatalog;
pub use worker::{CatalogWorker, Patience, Reply, SubmitError, WhyNot};

use towline_core::catalog::{CatalogAnswer, CatalogError, CatalogRequest};

/// An engine. It may block; it is used by one thread at a time.
pub trait Catalog: Send {
    /// Does what is asked. After an answer the change is on the disk; files of a job, and the last attribute that waits
    /// for its digest, are there after the next `CreateJobMedia` or `EndJob` of the job.
    ///
    /// # Errors
    /// Nothing of the request is stored then, or nobody knows and [`Attempt::Again`] finds out.
    fn handle(&mut self, request: &CatalogRequest, attempt: Attempt) -> Result<CatalogAnswer, CatalogError>;
}

/// Whether a request is new to an engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Attempt {
    /// It is.
    First,
    /// It is the request before, which failed; it is not done twice, whatever became of it then.
    Again,
}
