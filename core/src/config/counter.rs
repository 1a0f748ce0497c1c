//! Counters that names of volumes are made with.

use super::resource::resources;

/// The highest number that a counter has where nothing is said.
const HIGHEST: u32 = i32::MAX.unsigned_abs();

/// What a name of a volume can hold without a counter, as `${Pool}` in `label_format`: real directors know the same.
pub const VARIABLES: &[&str] = &[
    "Year",
    "Month",
    "Day",
    "Hour",
    "Minute",
    "Second",
    "WeekDay",
    "Job",
    "Dir",
    "Level",
    "Type",
    "JobId",
    "Client",
    "NumVols",
    "Pool",
    "Storage",
    "Catalog",
    "MediaType",
    "JobName",
];

resources! {
    /// A number that goes on by one with each name of a volume that has it, as `${Tape+}` in `label_format`.
    Counter {
        /// Its name, of letters, digits and `_`.
        name: String,
        /// A note for people.
        description: Option<String> = None,
        /// The number that it begins with, also after the highest one.
        minimum: u32 = 0,
        /// The highest number that it has; 0: 2147483647.
        maximum: u32 = 0,
        /// A counter that goes on by one when this one begins again. (In Bareos without effect.)
        wrap_counter: Option<String> = None,
        /// Whether the catalog keeps its number. If not, it begins anew with each start of the director.
        keep: bool = false,
        /// The catalog that has its number, whatever the catalogs of the jobs that use it; `None`: `catalog` of the director.
        catalog: Option<String> = None,
    }
}

impl Counter {
    /// The highest number that it has.
    #[must_use]
    pub const fn highest(&self) -> u32 {
        if self.maximum == 0 { HIGHEST } else { self.maximum }
    }
}
