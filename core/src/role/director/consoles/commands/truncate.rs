//! `truncate`: gives up what is on purged volumes, so that the disk has its room back. The storage daemon labels each anew
//! under its own name.

use std::collections::VecDeque;

use crate::catalog::{CatalogAnswer, CatalogRequest, MediaRow, VolStatus};
use crate::wire::storage::{Label, StorageCommand};

use super::super::answer::{Cell, Column, Shown, Table};
use super::super::grammar::Takes::{Nothing, Value};
use super::super::grammar::{Command, Form};
use super::super::refusal::{BadValue, Kind, NoSuch, Refusal, number_of};
use super::super::reply::{Reply, View};
use super::super::words::Words;
use super::devices::Named;
use super::label;
use super::update::TRUNCATE;

pub(super) const COMMAND: Command = Command::new(
    "truncate",
    &[Form {
        words: &[
            ("volstatus", Value),
            ("storage", Value),
            ("pool", Value),
            ("volume", Value),
            ("drive", Value),
            ("yes", Nothing),
        ],
        help: &[(
            "truncate volstatus=Purged [storage=NAME] [pool=NAME] [volume=NAME] [drive=N] [yes]",
            "give up what is on purged volumes; without yes they are only listed",
        )],
        ..Form::PLAIN
    }],
    run,
);

/// Volumes with no more than this have nothing to give up, as for a stock director.
const SMALLEST: u64 = 512 * 126;

const COLUMNS: &[Column<MediaRow>] = &[
    Column("mediaid", |row| Cell::id(row.media_id)),
    Column("volumename", |row| Cell::text_of(&row.volume_name)),
    Column("volstatus", |row| Cell::text_of(row.vol_status.as_str())),
    Column("enabled", |row| Cell::id(u64::from(row.enabled))),
    Column("volbytes", |row| Cell::count(row.vol_bytes)),
    Column("volfiles", |row| Cell::count(row.vol_files)),
    Column("volretention", |row| Cell::count(row.vol_retention)),
    Column("recycle", |row| Cell::id(u64::from(row.recycle))),
    Column("slot", |row| Cell::Text(row.slot.to_string())),
    Column("inchanger", |row| Cell::id(u64::from(row.in_changer))),
    Column("mediatype", |row| Cell::text_of(&row.media_type)),
    Column("storage", |row| Cell::text_of(&row.storage)),
];

fn run(view: &View<'_>, words: &Words) -> Result<Reply, Refusal> {
    let status = words.value(&["volstatus"]).unwrap_or_default();
    if !status.eq_ignore_ascii_case("purged") {
        return Err(if status.is_empty() {
            Refusal::usage("Say which volumes: truncate volstatus=Purged.")
        } else {
            BadValue::new("volstatus", status, "Purged").into()
        });
    }
    for (word, kind) in [("storage", Kind::Storage), ("pool", Kind::Pool)] {
        words.value(&[word]).map_or(Ok(()), |name| NoSuch::check(view.config(), kind, name))?;
    }
    let drive = number_of::<i32>(words, "drive")?.unwrap_or(-1).max(-1);
    let of = |word: &str| words.value(&[word]).map(str::to_owned);
    let (storage, volume, confirmed) = (of("storage"), of("volume"), words.has("yes"));
    Ok(Reply::ask(CatalogRequest::ListMedia { pool: of("pool") }, move |view, answer| {
        let CatalogAnswer::Volumes(mut rows) = answer else { return Err(Refusal::unexpected(answer)) };
        let named = |wanted: &Option<String>, name: &str| wanted.as_ref().is_none_or(|wanted| wanted == name);
        rows.retain(|row| has_room(row) && named(&storage, &row.storage) && named(&volume, &row.volume_name));
        let table = Table::of("volumes", COLUMNS, &rows);
        if rows.is_empty() {
            return Ok(Reply::found(table));
        }
        let text = table.text();
        if !confirmed {
            return Ok(Reply::refused(Refusal::Unconfirmed).after(text));
        }
        Ok(next(view, rows.into(), drive).after(text))
    }))
}

/// Truncates the volumes that are purged and are to be truncated then, of this pool if one is named, and of those that fit.
pub(super) fn marked(pool: Option<String>, drive: i32, fits: impl Fn(&MediaRow) -> bool + Send + 'static) -> Reply {
    Reply::ask(CatalogRequest::ListMedia { pool }, move |view, answer| {
        let CatalogAnswer::Volumes(mut rows) = answer else { return Err(Refusal::unexpected(answer)) };
        rows.retain(|row| has_room(row) && row.action_on_purge & TRUNCATE != 0 && fits(row));
        if rows.is_empty() {
            let text = "No Volumes found to perform truncate action: they must be Purged, with ActionOnPurge Truncate, and hold data.\n";
            return Ok(Reply::found(text.to_owned()));
        }
        Ok(next(view, rows.into(), drive))
    })
}

/// Whether what is on a volume may be given up, and makes room.
fn has_room(row: &MediaRow) -> bool {
    row.vol_status == VolStatus::Purged && row.enabled && row.recycle && row.vol_bytes > SMALLEST
}

/// Truncates one volume after the other.
fn next(view: &View<'_>, mut rows: VecDeque<MediaRow>, drive: i32) -> Reply {
    let Some(row) = rows.pop_front() else { return Reply::found(String::new()) };
    if view.config().storage(&row.storage).is_none() {
        return Reply::refused(Refusal::StorageGone(row.storage));
    }
    let at = Named::at(view, &row.storage, drive);
    let name = row.volume_name.clone();
    let label = Label {
        device: at.device.clone(),
        volume: name.clone(),
        pool: row.pool.clone(),
        media_type: row.media_type.clone(),
        slot: 0,
        drive,
        min_block: row.min_block_size,
        max_block: row.max_block_size,
    };
    let text = format!("Sending relabel command from \"{name}\" to \"{name}\" ...\n");
    let command = StorageCommand::Relabel { old_name: name.clone(), label };
    let asked = at.command(view, &command, move |view, lines| {
        let bytes = label::labelled(&lines, &name)?;
        // It stays purged, so that it is used again in its turn.
        let row = MediaRow { vol_bytes: bytes, vol_files: 0, label_date: view.now(), ..row };
        Ok(Reply::ask(CatalogRequest::UpdateMedia(Box::new(row)), move |view, _| {
            Ok(next(view, rows, drive).after(format!("The volume '{name}' has been truncated.\n")))
        }))
    });
    asked.after(text)
}
