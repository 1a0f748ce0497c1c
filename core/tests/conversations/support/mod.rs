//! Real daemons' recorded conversations, played against our roles in memory.

pub mod catalog;
pub mod conv;
pub mod files;
pub mod matcher;
pub mod peer;
pub mod roles;
pub mod volumes;
pub mod world;

use towline_core::secret::Secret;
use towline_core::wire::cram_md5::password_key;

/// A recording of `tests/fixtures`.
#[macro_export]
macro_rules! recording {
    ($path:literal) => {
        include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/", $path, ".conv"))
    };
}

/// The key of a configured password.
pub fn password(text: &str) -> Secret {
    password_key(text)
}
