//! What connections and the node give to the hands to do, and what comes of it.

use crate::bulk::work::{DiskDone, DiskWork};
use crate::catalog::{CatalogAnswer, CatalogError, CatalogRequest};

/// A piece of work for the hands.
#[derive(Debug)]
#[non_exhaustive]
pub enum Work {
    /// For the disk.
    Disk(DiskWork),
    /// For the catalog.
    Catalog(CatalogRequest),
}

/// What came of a piece of work.
#[derive(Debug)]
#[non_exhaustive]
pub enum WorkDone {
    /// From the disk.
    Disk(DiskDone),
    /// From the catalog.
    Catalog(Result<CatalogAnswer, CatalogError>),
    /// The hands have stopped; nothing was done.
    Refused,
}
