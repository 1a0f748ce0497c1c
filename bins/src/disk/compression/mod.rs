//! Compressed file data (wire/2 §2.10): every record is compressed by itself, on the disk worker that reads or writes it.
//!
//! | module | does |
//! |---|---|
//! | [`compressor`] | makes records of a backup |
//! | [`decompressor`] | makes records plain again, for a restore and a verify job |
//! | [`fastlz`] | FastLZ, both ways |
//! | [`lz4hc`] | the slow and thorough search for LZ4; what it writes any LZ4 reads |
//! | [`out`] | what those two have in common |

pub(super) mod compressor;
pub(super) mod decompressor;
mod fastlz;
mod lz4hc;
mod out;

/// Plain bytes of one record at the most; real daemons read 262,144. Two records that do not get smaller fit into a parcel.
pub(super) const CHUNK: usize = 120 * 1024;
