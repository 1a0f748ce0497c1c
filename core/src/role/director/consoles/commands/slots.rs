//! `import`, `export`, `move`, `update slots`, `status slots`: volumes in the slots of a changer. Devices are folders, so
//! each answers as a director does whose storage has no slots.

use super::super::grammar::Takes::{Nothing, Value};
use super::super::grammar::{Command, Form, Takes};
use super::super::output::Api;
use super::super::questions::choice;
use super::super::refusal::{Kind, NoSuch, Refusal};
use super::super::reply::{Reply, View};
use super::super::words::Words;

/// What a person is told who asks for slots.
pub(super) const NO_SLOTS: &str = "No slots in changer to scan.\n";

/// What a program is told who asks what is in them.
const NO_CONTENT: &str = "No Volumes found, or no barcodes.\n";

const WORDS: &[(&str, Takes)] =
    &[("storage", Value), ("srcslots", Value), ("dstslots", Value), ("volume", Value), ("scan", Nothing)];

pub(super) const IMPORT: Command = Command::new(
    "import",
    &[Form {
        words: WORDS,
        help: &[(
            "import [storage=NAME] [srcslots=SLOTS] [dstslots=SLOTS] [volume=NAME] [scan]",
            "move volumes from the slots at the door of a changer; no storage has any",
        )],
        ..Form::PLAIN
    }],
    run,
);

pub(super) const EXPORT: Command = Command::new(
    "export",
    &[Form {
        words: WORDS,
        help: &[(
            "export [storage=NAME] [srcslots=SLOTS] [dstslots=SLOTS] [volume=NAME] [scan]",
            "move volumes to the slots at the door of a changer; no storage has any",
        )],
        ..Form::PLAIN
    }],
    run,
);

pub(super) const MOVE: Command = Command::new(
    "move",
    &[Form {
        words: WORDS,
        help: &[("move [storage=NAME] srcslots=SLOTS dstslots=SLOTS", "move volumes in a changer; no storage is one")],
        ..Form::PLAIN
    }],
    run,
);

fn run(view: &View<'_>, words: &Words) -> Result<Reply, Refusal> {
    none(view, words, "No slots in changer.\n")
}

/// `update slots`.
pub(super) fn update(view: &View<'_>, words: &Words) -> Result<Reply, Refusal> {
    none(view, words, NO_SLOTS)
}

/// `status slots`.
pub(super) fn status(view: &View<'_>, words: &Words) -> Result<Reply, Refusal> {
    none(view, words, if view.api() == Api::Text { NO_SLOTS } else { NO_CONTENT })
}

/// A storage has no slots; asks which one, if the line names none and there are several.
fn none(view: &View<'_>, words: &Words, text: &'static str) -> Result<Reply, Refusal> {
    let Some(name) = words.value(&["storage"]) else {
        return choice::resource(view, words, Kind::Storage, "storage", "Name the storage: storage=NAME.");
    };
    NoSuch::check(view.config(), Kind::Storage, name)?;
    Ok(Reply::found(text.to_owned()))
}
