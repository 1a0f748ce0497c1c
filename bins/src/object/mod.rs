//! Volumes in stores of objects: S3 and what speaks it, and folders of objects.
//!
//! ```text
//!   Mount, Append, Sync ─► writer.rs     blocks to parts, two on their way ─┐
//!   Label               ─► labelling.rs                                    ├─► store.rs ─► client.rs, settings.rs
//!   OpenRead, the tools ─► source.rs     reads by range, ahead             ─┘   puts, lists, gets; tries again
//! ```
//! A volume is a row of objects, its parts, each called `PREFIX/VOLUME/OFFSET` with the address of its first byte in 20
//! digits. A part is never changed once it is there, and holds whole blocks, so that it ends where the next begins. The
//! volume ends where the row breaks off: what lies behind a gap was never acknowledged, and goes when the volume is mounted
//! again. A part is put only where none is, which is how a second writer is noticed.

mod client;
pub(crate) mod labelling;
mod parts;
mod settings;
pub mod source;
mod store;
#[cfg(test)]
mod tests;
pub mod writer;

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use tokio::runtime::Runtime;
use towline_core::bulk::stores::StoreTrouble;
use towline_core::bulk::work::DiskError;
use towline_core::config::ObjectStore as Settings;

pub(crate) use store::Store;
pub use store::{Plain, Stop};

/// The stores that this program knows, by their addresses.
static KNOWN: Mutex<BTreeMap<String, Arc<Store>>> = Mutex::new(BTreeMap::new());

/// Requests are made by two threads of their own, whatever else the program runs on.
static RUNTIME: LazyLock<Result<Runtime, String>> = LazyLock::new(|| {
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    let built = builder.worker_threads(2).thread_name("object").enable_all().build();
    built.map_err(|error| error.to_string())
});

fn runtime() -> Result<&'static Runtime, DiskError> {
    RUNTIME.as_ref().map_err(|error| unusable("object", format!("its threads cannot be started: {error}")))
}

/// Looks whether settings lead to a store, without asking it for anything.
///
/// # Errors
/// They do not.
pub(crate) fn examine(address: &str, settings: &Settings) -> Result<(), DiskError> {
    Store::open(whole(address), settings).map(drop)
}

/// Makes a store known under its address: devices and tools that name it use these settings.
///
/// # Errors
/// The settings lead to no store.
pub fn register(address: &str, settings: &Settings) -> Result<(), DiskError> {
    let store = Arc::new(Store::open(whole(address), settings)?);
    KNOWN.lock().unwrap_or_else(PoisonError::into_inner).insert(whole(address).to_owned(), store);
    Ok(())
}

/// The store at an address; if nobody has made it known, with the settings of the environment.
///
/// # Errors
/// There are none there that lead to a store.
pub(crate) fn store(address: &str) -> Result<Arc<Store>, DiskError> {
    let address = whole(address);
    let known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(store) = known.get(address) {
        return Ok(Arc::clone(store));
    }
    // Below a store that is known.
    let above = |(start, store): (&String, &Arc<Store>)| {
        address.strip_prefix(start.as_str())?.strip_prefix('/').map(|rest| Arc::new(store.below(rest)))
    };
    if let Some(store) = known.iter().rev().find_map(above) {
        return Ok(store);
    }
    drop(known);
    Store::open(address, &Settings::default()).map(Arc::new)
}

/// The store and the name in it that a path means, such as `s3://bucket/prefix/volume`.
///
/// # Errors
/// It names nothing in a store, or there are no settings for it.
pub(crate) fn place(path: &str) -> Result<(Arc<Store>, String), DiskError> {
    match path.rsplit_once('/') {
        Some((address, name)) if !name.is_empty() && !address.ends_with('/') => Ok((store(address)?, name.to_owned())),
        _ => Err(unusable(path, "it names no volume in a store".to_owned())),
    }
}

/// An address as it is compared.
fn whole(address: &str) -> &str {
    address.trim_end_matches('/')
}

fn trouble(place: &str, trouble: StoreTrouble, text: String) -> DiskError {
    DiskError::Store { place: place.to_owned(), trouble, text }
}

fn unusable(place: &str, text: String) -> DiskError {
    trouble(place, StoreTrouble::Unusable, text)
}
