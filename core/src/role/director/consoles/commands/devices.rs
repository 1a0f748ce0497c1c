//! `mount`, `unmount` and `release`: an operator's hand on a device of a storage daemon (`wire/3 §1.4`); and what commands
//! about volumes and devices have in common.

use crate::catalog::PoolRow;
use crate::ids::Who;
use crate::wire::storage::{Drive, StorageCommand};

use super::super::grammar::Takes::Value;
use super::super::grammar::{Command, Form, Takes};
use super::super::questions::choice;
use super::super::refusal::{Kind, NoSuch, Refusal, number_of};
use super::super::reply::{Continued, Instruction, Reply, View};
use super::super::words::Words;
use crate::role::director::errands::{Errand, For};

const WORDS: &[(&str, Takes)] = &[("storage", Value), ("drive", Value)];

pub(super) const MOUNT: Command = Command::new(
    "mount",
    &[Form {
        words: &[("storage", Value), ("drive", Value), ("slot", Value)],
        help: &[(
            "mount [storage=NAME] [drive=N] [slot=N]",
            "let jobs use a device again, and look for a volume that they wait for",
        )],
        ..Form::PLAIN
    }],
    |view, words| {
        if let Some(question) = which_storage(view, words) {
            return question;
        }
        let at = Named::of(view, words)?;
        let slot = number_of::<i32>(words, "slot")?;
        Ok(at.relayed(view, &StorageCommand::Mount(Drive { slot, ..at.drive() })))
    },
);

pub(super) const UNMOUNT: Command = Command {
    aliases: &["umount"],
    ..Command::new(
        "unmount",
        &[Form {
            words: WORDS,
            help: &[("unmount [storage=NAME] [drive=N]", "let no job begin to use a device until it is mounted")],
            ..Form::PLAIN
        }],
        |view, words| {
            if let Some(question) = which_storage(view, words) {
                return question;
            }
            let at = Named::of(view, words)?;
            Ok(at.relayed(view, &StorageCommand::Unmount(at.drive())))
        },
    )
};

pub(super) const RELEASE: Command = Command::new(
    "release",
    &[Form {
        words: WORDS,
        help: &[("release [storage=NAME] [drive=N]", "let a device close the volume that no job uses any more")],
        ..Form::PLAIN
    }],
    |view, words| {
        if let Some(question) = which_storage(view, words) {
            return question;
        }
        let at = Named::of(view, words)?;
        Ok(at.relayed(view, &StorageCommand::Release(at.drive())))
    },
);

const NAME_STORAGE: &str = "Name the storage: add storage=NAME.";
const NAME_POOL: &str = "Name the pool: add pool=NAME.";

/// Asks for the storage if the line names none and there are several.
pub(super) fn which_storage(view: &View<'_>, words: &Words) -> Option<Result<Reply, Refusal>> {
    let is_wanted = !words.has("storage") && view.config().storages.len() > 1;
    is_wanted.then(|| choice::resource(view, words, Kind::Storage, "storage", NAME_STORAGE))
}

/// Asks for the pool if the line names none and there are several.
pub(super) fn which_pool(view: &View<'_>, words: &Words) -> Option<Result<Reply, Refusal>> {
    let is_wanted = !words.has("pool") && view.config().pools.len() > 1;
    is_wanted.then(|| choice::resource(view, words, Kind::Pool, "pool", NAME_POOL))
}

/// A device that a command names by its storage.
#[derive(Clone, Debug)]
pub(super) struct Named {
    pub(super) storage: String,
    /// As the storage daemon knows it.
    pub(super) device: String,
    /// The drive of a changer; -1 for any.
    pub(super) drive: i32,
}

impl Named {
    /// The device of `storage=`, or of the only storage there is.
    pub(super) fn of(view: &View<'_>, words: &Words) -> Result<Self, Refusal> {
        let drive = number_of::<i32>(words, "drive")?.unwrap_or(-1).max(-1);
        let config = view.config();
        let storage = match (words.value(&["storage"]), &config.storages[..]) {
            (Some(name), _) => {
                NoSuch::check(config, Kind::Storage, name)?;
                name
            }
            (None, [only]) => &only.name,
            (None, _) => return Err(Refusal::usage(NAME_STORAGE)),
        };
        Ok(Self::at(view, storage, drive))
    }

    /// The device of this storage.
    pub(super) fn at(view: &View<'_>, storage: &str, drive: i32) -> Self {
        let device = view.config().storage(storage).map(|storage| storage.device.clone()).unwrap_or_default();
        Self { storage: storage.to_owned(), device, drive }
    }

    pub(super) fn drive(&self) -> Drive {
        Drive { device: self.device.clone(), drive: self.drive, slot: None }
    }

    /// Ends the command with what the storage daemon answers.
    pub(super) fn relayed(&self, view: &View<'_>, command: &StorageCommand) -> Reply {
        let purpose = For::Console(view.conn);
        let errand = Errand::new(Who::Storage, self.storage.clone(), command.to_line(), purpose);
        Reply::Do(Instruction::Errand(Box::new(errand)))
    }

    /// Goes on with what the storage daemon answers.
    pub(super) fn command(
        &self,
        view: &View<'_>,
        command: &StorageCommand,
        then: impl FnOnce(&View<'_>, Vec<String>) -> Result<Reply, Refusal> + Send + 'static,
    ) -> Reply {
        let purpose = For::Command(view.conn, Continued::new(view, then), Vec::new());
        let errand = Errand::new(Who::Storage, self.storage.clone(), command.to_line(), purpose);
        Reply::Do(Instruction::Errand(Box::new(errand)))
    }
}

/// The pool of `pool=`, or the only one there is.
pub(super) fn pool(view: &View<'_>, words: &Words) -> Result<PoolRow, Refusal> {
    let config = view.config();
    let name = match (words.value(&["pool"]), &config.pools[..]) {
        (Some(name), _) => {
            NoSuch::check(config, Kind::Pool, name)?;
            name
        }
        (None, [only]) => &only.name,
        (None, _) => return Err(Refusal::usage(NAME_POOL)),
    };
    let row = view.ids().pools.get(name).cloned();
    row.ok_or(Refusal::PoolsUnknown)
}
