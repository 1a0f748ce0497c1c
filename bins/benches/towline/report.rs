//! Medians, and the two ways to print them: a table for a person, JSON for a program.

use serde_json::{Value, json};

/// What a figure counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unit {
    /// 10^9 bytes a second.
    GigabytesPerSecond,
    /// Files a second.
    FilesPerSecond,
    /// Milliseconds.
    Milliseconds,
    /// 2^20 bytes.
    Mebibytes,
    /// 2^10 bytes.
    Kibibytes,
}

impl Unit {
    const fn name(self) -> &'static str {
        match self {
            Self::GigabytesPerSecond => "GB/s",
            Self::FilesPerSecond => "files/s",
            Self::Milliseconds => "ms",
            Self::Mebibytes => "MiB",
            Self::Kibibytes => "KiB",
        }
    }

    fn print(self, value: f64) -> String {
        match self {
            Self::FilesPerSecond => format!("{value:.0}"),
            Self::Milliseconds | Self::Mebibytes | Self::Kibibytes => format!("{value:.1}"),
            Self::GigabytesPerSecond => format!("{value:.2}"),
        }
    }
}

/// One line: what was measured, over all rounds.
#[derive(Clone, Debug)]
pub(crate) struct Line {
    /// `a`, `a2`, `a3`, `b`, `c`, `d`, `e`.
    pub(crate) part: &'static str,
    pub(crate) name: String,
    pub(crate) unit: Unit,
    pub(crate) rounds: Vec<f64>,
    /// A yardstick's name and its share of it, round by round.
    pub(crate) against: Option<(&'static str, Vec<f64>)>,
    /// Processor seconds per GiB or per 1,000 files, where they are known.
    pub(crate) processor: Vec<f64>,
    /// What is to be reached, and whether it is.
    pub(crate) goal: Option<(String, bool)>,
}

impl Line {
    /// A line without a yardstick or a goal.
    pub(crate) fn new(part: &'static str, name: impl Into<String>, unit: Unit, rounds: Vec<f64>) -> Self {
        Self { part, name: name.into(), unit, rounds, against: None, processor: Vec::new(), goal: None }
    }

    /// The median of the rounds.
    pub(crate) fn median(&self) -> f64 {
        median(&self.rounds)
    }

    /// The median of the shares of the yardstick.
    pub(crate) fn share(&self) -> Option<f64> {
        self.against.as_ref().map(|(_, shares)| median(shares))
    }

    fn json(&self) -> Value {
        json!({
            "part": self.part,
            "name": self.name,
            "unit": self.unit.name(),
            "median": self.median(),
            "rounds": self.rounds,
            "yardstick": self.against.as_ref().map(|(name, _)| name),
            "share_of_yardstick": self.share(),
            "processor_seconds": (!self.processor.is_empty()).then(|| median(&self.processor)),
            "goal": self.goal.as_ref().map(|(goal, _)| goal),
            "reached": self.goal.as_ref().map(|(_, reached)| reached),
        })
    }

    fn row(&self) -> String {
        let share = match (&self.against, self.share()) {
            (Some((name, _)), Some(share)) => format!("{share:.2} of ({name})"),
            _ => String::new(),
        };
        let processor =
            if self.processor.is_empty() { String::new() } else { format!("{:.3}", median(&self.processor)) };
        let goal = match &self.goal {
            Some((goal, true)) => format!("{goal}: reached"),
            Some((goal, false)) => format!("{goal}: NOT reached"),
            None => String::new(),
        };
        let figure = format!("{} {}", self.unit.print(self.median()), self.unit.name());
        format!("| {:2} | {:60} | {figure:>15} | {share:13} | {processor:>5} | {goal}", self.part, self.name)
    }
}

/// The head of the table. Processor time, all processes together, is per GiB or per 1,000 files.
pub(crate) fn head() -> String {
    let columns =
        format!("| {:2} | {:60} | {:>15} | {:13} | {:5} | to reach", "", "median of the rounds", "", "share", "cpu s");
    format!("{columns}\n|{:-<4}|{:-<62}|{:->17}|{:-<15}|{:->7}|{:-<10}", "", "", ":", "", ":", "")
}

/// One line of the table, to be printed as soon as it is known.
pub(crate) fn row(line: &Line) -> String {
    line.row()
}

/// Everything, for a program.
pub(crate) fn json(machine: &str, quick: bool, lines: &[Line]) -> String {
    json!({ "machine": machine, "quick": quick, "lines": lines.iter().map(Line::json).collect::<Vec<_>>() }).to_string()
}

/// The middle of the values; of an even number the mean of the two in the middle.
pub(crate) fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    match sorted.len() {
        0 => f64::NAN,
        n if n % 2 == 1 => sorted[n / 2],
        n => f64::midpoint(sorted[n / 2 - 1], sorted[n / 2]),
    }
}
