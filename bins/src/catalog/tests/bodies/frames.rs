//! Frames as a storage daemon sends them.

use towline_core::wire::base64::put_number;
use towline_core::wire::catalog::CatalogUpdate;

/// A whole frame around a record.
pub(crate) fn updcat(file_index: i32, stream: i32, record: &[u8]) -> Vec<u8> {
    let job = b"nightly.2026-11-23_12.45.50_04";
    let mut frame = Vec::new();
    CatalogUpdate { job, session_id: 1, session_time: 7, file_index, stream, data: record }.put(&mut frame);
    frame
}

/// Attributes of a file with a type and a link to the holder of its data.
pub(crate) fn attributes(file_index: i32, file_type: u32, name: &[u8], link_fi: i64) -> Vec<u8> {
    with_delta(file_index, file_type, name, link_fi, 0)
}

/// Attributes of a part of a delta.
pub(crate) fn with_delta(index: i32, file_type: u32, name: &[u8], link_fi: i64, delta: u32) -> Vec<u8> {
    let mut record = format!("{index} {file_type} ").into_bytes();
    record.extend_from_slice(name);
    record.extend_from_slice(b"\0P4A nyXJ IGk C A A A BAA BAA I BnQsjz BnQsjz BnQsjz ");
    put_number(&mut record, link_fi);
    record.extend_from_slice(format!(" A C\0\0\0{delta}\0").as_bytes());
    updcat(index, 1, &record)
}

/// A digest.
pub(crate) fn digest(file_index: i32, stream: i32, bytes: &[u8]) -> Vec<u8> {
    updcat(file_index, stream, bytes)
}
