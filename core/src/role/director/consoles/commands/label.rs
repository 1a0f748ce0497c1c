//! `label` and `relabel`: the storage daemon writes a label, and the catalog hears of the volume (`wire/3 §1.4.1`).

use crate::catalog::volumes::{hand_labelled, is_volume_name, relabelled, volume_name};
use crate::catalog::{CatalogAnswer, CatalogRequest, MediaRow, PoolRow, VolStatus};
use crate::naming::has_variables;
use crate::wire::storage::{Drive, Label, StorageCommand};
use crate::wire::storage_answers::parse_labeled;

use super::super::grammar::Takes::{Either, Nothing, Value};
use super::super::grammar::{Command, Form};
use super::super::questions::choice;
use super::super::refusal::{BadValue, Refusal, number_of};
use super::super::reply::{Reply, View};
use super::super::words::Words;
use super::devices::{self, Named};
use super::slots;

pub(super) const LABEL: Command = Command::new(
    "label",
    &[Form {
        words: &[
            ("volume", Value),
            ("storage", Value),
            ("pool", Value),
            ("slot", Value),
            ("slots", Value),
            ("drive", Value),
            ("barcodes", Nothing),
            ("barcode", Nothing),
            ("yes", Nothing),
        ],
        help: &[(
            "label [volume=NAME] [storage=NAME] [pool=NAME] [slot=N] [drive=N] [barcodes] [yes]",
            "label a new volume and add it to the catalog; without a name the pool's label format gives one",
        )],
        ..Form::PLAIN
    }],
    label,
);

pub(super) const RELABEL: Command = Command::new(
    "relabel",
    &[Form {
        words: &[
            ("oldvolume", Value),
            ("volume", Value),
            ("storage", Value),
            ("pool", Value),
            ("slot", Value),
            ("drive", Value),
            ("yes", Either),
        ],
        help: &[(
            "relabel oldvolume=NAME volume=NAME [storage=NAME] [pool=NAME] [slot=N] [drive=N] [yes]",
            "give up what is on a purged volume, and label it anew",
        )],
        ..Form::PLAIN
    }],
    relabel,
);

/// What a name may be.
const NAME: &str = "letters, digits and :.-_/ (at most 127, and no / first)";

/// What is to be labelled, and where.
#[derive(Clone, Debug)]
struct Wanted {
    at: Named,
    /// The media type of the storage.
    media_type: String,
    storage_id: u32,
    pool: PoolRow,
    slot: i32,
}

impl Wanted {
    fn of(view: &View<'_>, words: &Words) -> Result<Self, Refusal> {
        let at = Named::of(view, words)?;
        let pool = devices::pool(view, words)?;
        let storage = view.config().storage(&at.storage);
        Ok(Self {
            media_type: storage.map(|storage| storage.media_type.clone()).unwrap_or_default(),
            storage_id: view.ids().storages.get(&at.storage).copied().unwrap_or(0),
            slot: number_of::<i32>(words, "slot")?.unwrap_or(0).max(0),
            at,
            pool,
        })
    }

    fn label(&self, volume: &str) -> Label {
        Label {
            device: self.at.device.clone(),
            volume: volume.to_owned(),
            pool: self.pool.name.clone(),
            media_type: self.media_type.clone(),
            slot: self.slot,
            drive: self.at.drive,
            min_block: self.pool.min_block_size,
            max_block: self.pool.max_block_size,
        }
    }
}

fn label(view: &View<'_>, words: &Words) -> Result<Reply, Refusal> {
    if words.has("barcodes") || words.has("barcode") {
        return Ok(Reply::found(slots::NO_SLOTS.to_owned()));
    }
    if let Some(question) = devices::which_storage(view, words).or_else(|| devices::which_pool(view, words)) {
        return question;
    }
    let wanted = Wanted::of(view, words)?;
    if let Some(name) = words.value(&["volume"]) {
        return named(wanted, name);
    }
    // What variables stand for is known only in a job.
    let makes_names = |format: &String| !format.is_empty() && format != "*" && !has_variables(format);
    let format = wanted.pool.label_format.clone().filter(makes_names);
    let Some(format) = format else {
        let usage = "Name the volume: label volume=NAME. Its pool has no label format without variables.";
        return Ok(choice::line(words, "volume", "Enter new Volume name: ", usage));
    };
    Ok(Reply::ask(CatalogRequest::MaxMediaId, move |_, answer| match answer {
        CatalogAnswer::Id(highest) => named(wanted, &volume_name(&format, highest.saturating_add(1))),
        other => Err(Refusal::unexpected(other)),
    }))
}

/// The name of the new volume is known.
fn named(wanted: Wanted, name: &str) -> Result<Reply, Refusal> {
    check(name)?;
    let name = name.to_owned();
    Ok(Reply::ask(CatalogRequest::VolumeByName(name.clone()), move |view, answer| {
        let row = match answer {
            CatalogAnswer::Volume(Some(row)) if row.vol_bytes > 0 => return Err(Refusal::VolumeTaken(name)),
            CatalogAnswer::Volume(row) => row,
            other => return Err(Refusal::unexpected(other)),
        };
        let command = StorageCommand::Label(wanted.label(&name));
        let text = format!("Sending label command for Volume \"{name}\" Slot {} ...\n", wanted.slot);
        let asked = wanted.at.clone().command(view, &command, move |view, lines| {
            let bytes = labelled(&lines, &name)?;
            let (media_type, slot, storage_id) = (wanted.media_type.clone(), wanted.slot, wanted.storage_id);
            let new = MediaRow { volume_name: name.clone(), media_type, slot, storage_id, ..MediaRow::default() };
            // It may have been created without a label, with an id of its own.
            let (request, text) = match row {
                Some(row) => {
                    let row = MediaRow { media_id: row.media_id, revision: row.revision, ..new };
                    let row = hand_labelled(row, &wanted.pool, bytes, view.now());
                    (CatalogRequest::UpdateMedia(Box::new(row)), String::new())
                }
                None => {
                    let text = format!("Catalog record for Volume \"{name}\", Slot {slot} successfully created.\n");
                    let row = hand_labelled(new, &wanted.pool, bytes, view.now());
                    (CatalogRequest::CreateMedia(Box::new(row)), text)
                }
            };
            Ok(recorded(request, wanted.at, text))
        });
        Ok(asked.after(text))
    }))
}

/// Puts a labelled volume into the catalog, then has it mounted: a job may wait for it.
fn recorded(request: CatalogRequest, at: Named, text: String) -> Reply {
    Reply::ask(request, move |view, answer| match answer {
        CatalogAnswer::Volume(Some(_)) => {
            let text = format!("{text}Requesting to mount {} ...\n", at.device);
            let drive = Drive { device: at.device.clone(), drive: at.drive, slot: None };
            Ok(at.relayed(view, &StorageCommand::Mount(drive)).after(text))
        }
        CatalogAnswer::Stale(row) => Err(Refusal::VolumeTaken(row.volume_name)),
        other => Err(Refusal::unexpected(other)),
    })
}

fn relabel(view: &View<'_>, words: &Words) -> Result<Reply, Refusal> {
    let usage = || Refusal::usage("Name both volumes: relabel oldvolume=NAME volume=NAME.");
    let old = words.value(&["oldvolume"]).ok_or_else(usage)?.to_owned();
    let new = words.value(&["volume"]).ok_or_else(usage)?.to_owned();
    check(&new)?;
    let wanted = Wanted::of(view, words)?;
    Ok(Reply::ask(CatalogRequest::VolumeByName(old.clone()), move |view, answer| {
        let row = match answer {
            CatalogAnswer::Volume(Some(row)) => row,
            CatalogAnswer::Volume(None) => return Err(Refusal::NoSuchVolume(old)),
            other => return Err(Refusal::unexpected(other)),
        };
        if !matches!(row.vol_status, VolStatus::Purged | VolStatus::Recycle) {
            return Err(Refusal::NotPurged { volume: old, status: row.vol_status.as_str() });
        }
        if old == new {
            return Ok(relabelling(view, wanted, row, new));
        }
        Ok(Reply::ask(CatalogRequest::VolumeByName(new.clone()), move |view, answer| match answer {
            CatalogAnswer::Volume(Some(_)) => Err(Refusal::VolumeTaken(new)),
            CatalogAnswer::Volume(None) => Ok(relabelling(view, wanted, row, new)),
            other => Err(Refusal::unexpected(other)),
        }))
    }))
}

/// The volume of `row` gets another label; its row goes on under the new name.
fn relabelling(view: &View<'_>, wanted: Wanted, row: Box<MediaRow>, new: String) -> Reply {
    let old = row.volume_name.clone();
    let label = Label { min_block: row.min_block_size, max_block: row.max_block_size, ..wanted.label(&new) };
    let command = StorageCommand::Relabel { old_name: old.clone(), label };
    let text = format!("Sending relabel command from \"{old}\" to \"{new}\" ...\n");
    let asked = wanted.at.clone().command(view, &command, move |view, lines| {
        let bytes = labelled(&lines, &new)?;
        let now = view.now();
        let (slot, storage_id) = (wanted.slot, wanted.storage_id);
        let text = format!(
            "Catalog record for Volume \"{new}\", Slot {slot} successfully created.\nOld volume \"{old}\" deleted from \
             catalog.\n"
        );
        let renamed = MediaRow { volume_name: new, slot, storage_id, ..relabelled(&row, bytes, now) };
        let row = hand_labelled(renamed, &wanted.pool, bytes, now);
        Ok(recorded(CatalogRequest::UpdateMedia(Box::new(row)), wanted.at, text))
    });
    asked.after(text)
}

fn check(name: &str) -> Result<(), BadValue> {
    if is_volume_name(name) { Ok(()) } else { Err(BadValue::new("volume", name, NAME)) }
}

/// The bytes of the label, if it was written.
pub(super) fn labelled(lines: &[String], volume: &str) -> Result<u64, Refusal> {
    let bytes = lines.iter().find_map(|line| parse_labeled(line.as_bytes()));
    bytes.ok_or_else(|| Refusal::NotLabelled(volume.to_owned()))
}
