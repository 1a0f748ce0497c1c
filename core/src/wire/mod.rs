//! Bytes <-> values: pure codecs of the Bareos wire protocol. Nothing here decides anything.

pub mod accurate;
pub mod acl;
pub mod attributes;
pub mod base64;
pub mod block;
pub mod bsr;
pub mod catalog;
pub mod cram_md5;
pub mod digest;
pub mod file;
pub mod file_answers;
pub mod fileset;
mod fileset_options;
pub mod frame;
pub mod hello;
pub mod label;
pub mod message;
pub mod names;
pub mod record;
pub mod scan;
pub mod session;
pub mod status;
pub mod storage;
pub mod storage_answers;
pub mod stream;
pub mod verify;
pub mod xattr;
