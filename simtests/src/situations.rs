//! The table of situations (`situations.tsv`): what Linux does with TCP in each. The world is held to it by a test of this
//! crate, the kernel by one of the daemons'.

use towline_core::socket::IoKind;

const TABLE: &str = include_str!("../situations.tsv");

/// A line of the table.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    /// What the situation is called.
    pub name: &'static str,
    /// Whether the gateway takes up connections whose beginning it did not see.
    pub loose: bool,
    /// How it ends.
    pub verdict: &'static str,
    /// After how long, in seconds, where that matters.
    pub seconds: Option<f64>,
}

/// All of them.
///
/// # Panics
/// If a line has other than four fields.
#[must_use]
pub fn rows() -> Vec<Row> {
    let lines = TABLE.lines().filter(|line| !line.starts_with('#'));
    let row = |line: &'static str| {
        let fields: Vec<&str> = line.split('\t').collect();
        let [name, loose, verdict, seconds] = fields[..] else { panic!("a line of four fields: {line}") };
        Row { name, loose: loose == "1", verdict, seconds: seconds.parse().ok() }
    };
    lines.map(row).collect()
}

/// A way to end, as the table names it; `None`: a connection.
///
/// # Panics
/// If the table has no name for it.
#[must_use]
pub fn named(end: Option<IoKind>) -> &'static str {
    match end {
        None => "connects",
        Some(IoKind::Reset) => "reset",
        Some(IoKind::Refused) => "refused",
        Some(IoKind::TimedOut) => "timed out",
        Some(IoKind::NoNeighbour) => "no neighbour",
        Some(IoKind::Unreachable) => "unreachable",
        Some(IoKind::NoRoute) => "no route",
        Some(IoKind::Prohibited) => "prohibited",
        Some(IoKind::Denied) => "denied",
        Some(other) => panic!("{other:?} is no verdict of the table"),
    }
}
