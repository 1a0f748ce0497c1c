//! What is wrong with volumes: told at once on standard error, and counted for the exit code.

use std::collections::BTreeSet;
use std::fmt;
use std::io::Write as _;
use std::ops::Range;
use std::path::PathBuf;
use std::process::ExitCode;

use towline_core::bulk::work::DiskError;
use towline_core::error::{Code, Explain as _};
use towline_core::explain::page;
use towline_core::printable;
use towline_core::wire::label::LabelError;

use super::shelf::shown;

/// Everything asked for was done, and nothing is wrong.
pub(super) const GOOD: u8 = 0;
/// Something is damaged, missing or was not done.
pub(super) const FLAWED: u8 = 1;
/// Nothing could be done.
pub(super) const FAILED: u8 = 2;
/// Findings that are told one by one.
const TOLD: u64 = 10_000;
/// Damaged stretches that are known again.
const DAMAGE_KEPT: usize = 100_000;

/// Something that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Finding {
    /// A file or folder cannot be read, or is no volume although a person named it.
    Unreadable { path: PathBuf, why: String },
    /// A store of objects does not do its part.
    Store { error: DiskError },
    /// A label that is not read.
    OtherLabel { path: PathBuf, error: LabelError },
    /// A second file with the label of another.
    Twice { name: String, path: PathBuf },
    /// More sessions than can be kept.
    TooMany { path: PathBuf },
    /// Bytes of a volume that are no sound block.
    Damage { volume: String, stretch: Range<u64>, at_end: bool },
    /// More stretches of one volume than are named.
    MoreDamage { volume: String, stretches: u64 },
    /// What a job has lost, or a file of it.
    Lost { job: String, what: String },
    /// A file whose data are not those that were saved.
    Differs { job: String, file: String, why: String },
    /// The beginning or the end of a job is not on these volumes.
    Open { job: String, what: &'static str },
    /// A volume that a bootstrap names is not here.
    Gone { volume: String },
    /// Something about an entry that was restored, as the restore says it; whether it counts as an error.
    Entry { text: String, is_error: bool },
}

impl Finding {
    /// The code whose page explains it.
    pub(super) fn code(&self) -> Option<Code> {
        Some(Code(match self {
            Self::Store { error } => return Some(error.code()),
            Self::Unreadable { .. } => 625,
            Self::OtherLabel { .. } => 626,
            Self::Twice { .. } => 627,
            Self::TooMany { .. } => 628,
            Self::Damage { .. } | Self::MoreDamage { .. } => 629,
            Self::Lost { .. } => 630,
            Self::Differs { .. } => 631,
            Self::Open { .. } => 632,
            Self::Gone { .. } => 633,
            Self::Entry { .. } => return None,
        }))
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreadable { path, why } => write!(f, "{}: {why}", shown(path)),
            Self::Store { error } => write!(f, "{error}"),
            Self::OtherLabel { path, error } => write!(f, "{}: {error}", shown(path)),
            Self::Twice { name, path } => write!(f, "{}: a second file of volume {name:?}, left out", shown(path)),
            Self::TooMany { path } => write!(f, "{}: more sessions than can be kept", shown(path)),
            Self::Damage { volume, stretch: Range { start, end }, at_end: false } => {
                write!(f, "volume {volume:?}: bytes {start} to {end} are no sound block")
            }
            Self::Damage { volume, stretch: Range { start, end }, at_end: true } => {
                write!(
                    f,
                    "volume {volume:?}: ends in the middle of a block, {} bytes from byte {start} on",
                    end - start
                )
            }
            Self::MoreDamage { volume, stretches } => {
                write!(f, "volume {volume:?}: {stretches} more stretches are no sound blocks")
            }
            Self::Lost { job, what } => write!(f, "job {job}: {what}"),
            Self::Differs { job, file, why } => write!(f, "job {job}: {file}: {why}"),
            Self::Open { job, what } => write!(f, "job {job}: {what}"),
            Self::Gone { volume } => write!(f, "volume {volume:?} of the bootstrap is not here"),
            Self::Entry { text, .. } => f.write_str(text),
        }
    }
}

/// Who hears of findings.
pub(super) struct Report {
    program: &'static str,
    findings: u64,
    /// Where damage was told of: several jobs may come by.
    damage: BTreeSet<(String, u64)>,
    /// Of tests: what was told.
    #[cfg(test)]
    pub(super) told: Vec<String>,
}

impl Report {
    /// Of one subcommand.
    pub(super) const fn of(program: &'static str) -> Self {
        Self {
            program,
            findings: 0,
            damage: BTreeSet::new(),
            #[cfg(test)]
            told: Vec::new(),
        }
    }

    /// Tells of a finding, and counts it.
    pub(super) fn add(&mut self, finding: Finding) {
        if let Finding::Damage { volume, stretch, .. } = &finding
            && self.damage.len() < DAMAGE_KEPT
            && !self.damage.insert((volume.clone(), stretch.start))
        {
            return;
        }
        if !matches!(finding, Finding::Entry { is_error: false, .. }) {
            self.findings += 1;
        }
        let text = match finding.code() {
            Some(code) => format!("{finding} ({code})"),
            None => finding.to_string(),
        };
        if self.findings <= TOLD {
            self.say(&text);
        } else if self.findings == TOLD + 1 {
            self.say("there is more, which is counted and not told");
        }
    }

    /// Says something that is no finding.
    #[cfg_attr(not(test), expect(clippy::needless_pass_by_ref_mut, reason = "tests keep what is said"))]
    pub(super) fn say(&mut self, text: &str) {
        let text = printable::line(text);
        #[cfg(test)]
        self.told.push(text.into_owned());
        #[cfg(not(test))]
        {
            let _closed = writeln!(std::io::stderr(), "towline {}: {text}", self.program);
        }
    }

    /// Says why nothing is done, in several lines if need be.
    pub(super) fn refuse(&self, text: &str) {
        let _closed = writeln!(std::io::stderr(), "towline {}: {}", self.program, printable::text(text.trim_end()));
    }

    /// How many findings there were.
    pub(super) const fn findings(&self) -> u64 {
        self.findings
    }

    /// 0 if nothing was found, else 1.
    pub(super) fn exit(&self) -> ExitCode {
        ExitCode::from(if self.findings == 0 { GOOD } else { FLAWED })
    }

    /// Nothing can be done: says why, with the remedy of the code.
    pub(super) fn fail(&mut self, code: Code, text: &str) -> ExitCode {
        let remedy = page(code).map_or("", |page| page.remedy);
        self.say(&format!("{text} ({code}). {remedy}"));
        ExitCode::from(FAILED)
    }
}
