//! The catalog: rows of jobs, volumes and files, moved by engines behind one trait.
//!
//! The core decides what to ask ([`towline_core::role::director::catalog`]); an engine here answers on a thread of its
//! own ([`CatalogWorker`]).

mod files;
mod index_set;
mod known;
mod migrations;
mod path_cache;
mod sqlite;
mod worker;

#[cfg(test)]
mod tests;

pub use sqlite::SqliteCatalog;
pub use worker::{CatalogWorker, Reply, SubmitError, WhyNot};

use towline_core::role::director::catalog::{CatalogAnswer, CatalogError, CatalogRequest};

/// An engine. It may block; it is used by one thread at a time.
pub trait Catalog: Send {
    /// Does what is asked. After an answer the change is on the disk; files of a job, and the last attribute that waits
    /// for its digest, are there after the next `CreateJobMedia` or `EndJob` of the job.
    ///
    /// # Errors
    /// Nothing of the request is stored then.
    fn handle(&mut self, request: CatalogRequest) -> Result<CatalogAnswer, CatalogError>;
}
