//! What days and months are called.

/// The days of a week from Sunday on, in English.
pub const WEEKDAYS: [&str; 7] = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];

/// The months of a year, in English.
pub const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

/// The first three letters of a month from 1; of the nearest, if no month has this number.
#[must_use]
pub fn short_month(month: u8) -> &'static str {
    let name = MONTHS.get(usize::from(month.clamp(1, 12) - 1)).copied().unwrap_or_default();
    name.get(..3).unwrap_or(name)
}
