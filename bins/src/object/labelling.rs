//! Labels of volumes in a store: on new ones, and on those whose data is given up.

use std::sync::Arc;

use bytes::Bytes;
use towline_core::bulk::work::DiskError;
use towline_core::wire::block::Session;
use towline_core::wire::label::VolumeLabel;

use super::parts::Row;
use super::source::ObjectSource;
use super::store::{Stop, Store};
use super::{runtime, store};
use crate::volume::blocks::{Blocks, Next};
use crate::volume::{bootstraps, volume_path};

/// Writes a label to a volume in a store; returns its length. What [`crate::volume::labelling::label`] does in a folder.
///
/// # Errors
/// There is a volume of the new name already; the volume before is not there or is another one; or the store failed.
pub(crate) fn label(folder: &str, label: &VolumeLabel, before: Option<&str>) -> Result<u64, DiskError> {
    let name = String::from_utf8_lossy(&label.volume);
    let (store, stop) = (store(folder)?, Stop::default());
    let rows = |name: &str| -> Result<Row, DiskError> {
        volume_path(folder, name)?;
        Ok(Row::of(runtime()?.block_on(store.parts(name, None, &stop))?))
    };
    let row = rows(&name)?;
    // Labels that an operator has written are of no session (`wire/3 §5.5`).
    let block = label.block(Session::default());
    if let Some(old) = before {
        let of_old = rows(old)?;
        if of_old.parts.is_empty() {
            return Err(DiskError::Missing(store.shown(old)));
        }
        match label_of(&store, old, &of_old)? {
            Ok((found, _)) if found == old => {}
            Ok((found, _)) => return Err(wrong(&store, old, format!("volume {found:?}"))),
            Err(found) => return Err(wrong(&store, old, found)),
        }
        if old != name {
            refuse_taken(&store, &name, &row)?;
            clear(&store, &name, &row, &block, &stop)?;
            remove(&store, old, &of_old, &stop)?;
        } else {
            clear(&store, &name, &row, &block, &stop)?;
        }
        bootstraps::forget_in_store(folder, old);
    } else {
        refuse_taken(&store, &name, &row)?;
        clear(&store, &name, &row, &block, &stop)?;
    }
    Ok(block.len() as u64)
}

/// Makes a volume its label and nothing else.
pub(super) fn clear(store: &Store, name: &str, row: &Row, block: &[u8], stop: &Stop) -> Result<(), DiskError> {
    let replaces = !row.parts.is_empty();
    let rest = Row { parts: row.parts.iter().skip(1).copied().collect(), strays: row.strays.clone() };
    // What is behind the label goes first: else it would be taken for what follows the new one.
    remove(store, name, &rest, stop)?;
    let block = Bytes::copy_from_slice(block);
    runtime()?.block_on(store.put_part((name, 0), block.into(), replaces, stop))
}

/// Removes all parts, from the end on, so that what is left is a row at any time.
fn remove(store: &Store, name: &str, row: &Row, stop: &Stop) -> Result<(), DiskError> {
    for part in row.strays.iter().rev().chain(row.parts.iter().rev()) {
        runtime()?.block_on(store.delete_part(name, part.start, stop))?;
    }
    Ok(())
}

fn refuse_taken(store: &Arc<Store>, name: &str, row: &Row) -> Result<(), DiskError> {
    if row.parts.is_empty() && row.strays.is_empty() {
        return Ok(());
    }
    Err(match label_of(store, name, row)? {
        Ok((volume, _)) => DiskError::HasLabel { path: store.shown(name), volume },
        Err(_) => wrong(store, name, format!("{} bytes that are no volume", row.end())),
    })
}

/// The name in the label of a volume, and the label's length; or what is there in its place.
pub(super) fn label_of(store: &Arc<Store>, name: &str, row: &Row) -> Result<Result<(String, u64), String>, DiskError> {
    let source = ObjectSource::of(Arc::clone(store), name, row.parts.clone());
    let (mut blocks, mut block) = (Blocks::new(source, store.shown(name)), Vec::new());
    Ok(match blocks.read(&mut block)? {
        Next::Block(_) => match VolumeLabel::from_block(&block, "") {
            Ok(label) => Ok((String::from_utf8_lossy(&label.volume).into_owned(), block.len() as u64)),
            Err(error) => Err(error.to_string()),
        },
        Next::Damage(_) | Next::End => Err("no volume label".to_owned()),
    })
}

pub(super) fn wrong(store: &Store, wanted: &str, found: String) -> DiskError {
    DiskError::WrongVolume { path: store.shown(wanted), wanted: wanted.to_owned(), found }
}
