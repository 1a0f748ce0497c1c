//! `.types`, `.levels` and the like: the words that settings and commands take, and what the letters of the catalog mean.

use crate::wire::status::{JobLevel, JobType};

use super::super::super::answer::{Cell, Column, Table};
use super::super::super::grammar::Takes::Value;
use super::super::super::grammar::{Command, Form};
use super::super::super::reply::Reply;
use super::plain;

pub(in super::super) const TYPES: Command =
    Command::new(".types", &[Form { help: &[(".types", "the types of jobs")], ..Form::PLAIN }], |_, _| {
        let types = ["Backup", "Admin", "Archive", "Verify", "Restore", "Migrate", "Copy", "Consolidate"];
        Ok(plain("jobtypes", types))
    });

pub(in super::super) const VOLSTATUS: Command =
    Command::new(".volstatus", &[Form { help: &[(".volstatus", "the states of volumes")], ..Form::PLAIN }], |_, _| {
        let states =
            ["Unlabeled", "Append", "Full", "Used", "Recycle", "Purged", "Cleaning", "Error", "Archive", "Disabled"];
        Ok(plain("volstatus", states))
    });

pub(in super::super) const ACTIONONPURGE: Command = Command::new(
    ".actiononpurge",
    &[Form { help: &[(".actiononpurge", "what can be done with a purged volume")], ..Form::PLAIN }],
    |_, _| Ok(plain("actiononpurge", ["None", "Truncate"])),
);

/// A level of jobs of a type.
struct Level(&'static str, JobLevel, JobType);

pub(in super::super) const LEVELS: Command = Command::new(
    ".levels",
    &[Form { help: &[(".levels", "the levels of jobs, with the letters of level and type")], ..Form::PLAIN }],
    |_, _| {
        const COLUMNS: &[Column<Level>] = &[
            Column("name", |row| Cell::text_of(row.0)),
            Column("level", |row| Cell::number(row.1.letter())),
            Column("jobtype", |row| Cell::number(row.2.letter())),
        ];
        let level = |name, letter, kind| Level(name, JobLevel::from_letter(letter), kind);
        let backup = [
            level("Full", b'F', JobType::Backup),
            level("Base", b'B', JobType::Backup),
            level("Incremental", b'I', JobType::Backup),
            level("Differential", b'D', JobType::Backup),
            level("Since", b'S', JobType::Backup),
            level("VirtualFull", b'f', JobType::Backup),
        ];
        let verify = [
            level("Catalog", b'C', JobType::Verify),
            level("InitCatalog", b'V', JobType::Verify),
            level("VolumeToCatalog", b'O', JobType::Verify),
            level("DiskToCatalog", b'd', JobType::Verify),
            level("Data", b'A', JobType::Verify),
        ];
        let others = [JobType::Copy, JobType::Migrate].into_iter().flat_map(|kind| {
            [level("Full", b'F', kind), level("Incremental", b'I', kind), level("Differential", b'D', kind)]
        });
        let rows: Vec<Level> = backup.into_iter().chain(verify).chain(others).collect();
        let lines = rows.iter().map(|row| format!("{}\n", row.0)).collect();
        Ok(Reply::found(Table::of("levels", COLUMNS, &rows).lines(lines)))
    },
);

/// What a status of a job means: its letter, words, how bad it is, and what a program that waits for it ends with.
struct Meaning(u8, &'static str, u32, Option<(u32, &'static str)>);

/// In the order of their letters.
const STATUSES: &[Meaning] = &[
    Meaning(b'A', "Canceled by user", 90, ERROR),
    Meaning(b'B', "Blocked", 15, None),
    Meaning(b'C', "Created, not yet running", 15, None),
    Meaning(b'D', "Verify found differences", 15, None),
    Meaning(b'E', "Terminated with errors", 25, ERROR),
    Meaning(b'F', "Waiting for Client", 15, None),
    Meaning(b'I', "Incomplete job", 15, None),
    Meaning(b'L', "Committing data", 15, None),
    Meaning(b'M', "Waiting for media mount", 15, None),
    Meaning(b'R', "Running", 15, None),
    Meaning(b'S', "Waiting for Storage daemon", 15, None),
    Meaning(b'T', "Completed successfully", 10, Some((0, "Ok"))),
    Meaning(b'W', "Terminated with warnings", 20, Some((1, "Warning"))),
    Meaning(b'a', "SD despooling attributes", 15, None),
    Meaning(b'c', "Waiting for client resource", 15, None),
    Meaning(b'd', "Waiting on maximum jobs", 15, None),
    Meaning(b'e', "Non-fatal error", 20, ERROR),
    Meaning(b'f', "Fatal error", 100, ERROR),
    Meaning(b'i', "Doing batch insert file records", 15, None),
    Meaning(b'j', "Waiting for job resource", 15, None),
    Meaning(b'l', "Doing data despooling", 15, None),
    Meaning(b'm', "Waiting for new media", 15, None),
    Meaning(b'p', "Waiting on higher priority jobs", 15, None),
    Meaning(b'q', "Queued waiting for device", 15, None),
    Meaning(b's', "Waiting for storage resource", 15, None),
    Meaning(b't', "Waiting on start time", 15, None),
];

const ERROR: Option<(u32, &str)> = Some((2, "Error"));

pub(in super::super) const JOBSTATUS: Command = Command::new(
    ".jobstatus",
    &[Form {
        words: &[("", Value)],
        help: &[(".jobstatus [=LETTER]", "what the states of jobs mean, or one of them")],
        ..Form::PLAIN
    }],
    |_, words| {
        const COLUMNS: &[Column<Meaning>] = &[
            Column("jobstatus", |row| Cell::letter(row.0)),
            Column("jobstatuslong", |row| Cell::text_of(row.1)),
            Column("severity", |row| Cell::count(row.2)),
            Column("exitlevel", |row| Cell::Text(row.3.map_or_else(String::new, |(level, _)| level.to_string()))),
            Column("exitstatus", |row| Cell::text_of(row.3.map_or("", |(_, status)| status))),
        ];
        let wanted = words.value(&[""]);
        let rows = STATUSES.iter().filter(|row| wanted.is_none_or(|wanted| wanted.as_bytes() == [row.0]));
        Ok(Reply::found(Table::of("jobstatus", COLUMNS, rows)))
    },
);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::status::JobStatus;

    #[test]
    fn the_states_are_in_order_and_their_letters_are_known() {
        assert!(STATUSES.is_sorted_by_key(|row| row.0));
        for status in JobStatus::ALL {
            assert!(STATUSES.iter().any(|row| row.0 == status.letter()), "{status:?}");
        }
    }
}
