//! Lists of volumes, of what lies on them, and of copies.

use std::collections::{BTreeMap, BTreeSet};

use crate::catalog::volumes::{Choice, Need, Prunes, Stock, choose};
use crate::catalog::{
    CatalogAnswer, CatalogRequest, Listed, ListedCopy, ListedPiece, ListedPool, Listing, MediaRow, VolStatus,
};
use crate::wire::json::Json;

use super::super::super::answer::{Both, Cell, Column, Shown, Table};
use super::super::super::refusal::{Kind, NoSuch, Refusal, number_of};
use super::super::super::reply::{Reply, View};
use super::super::super::words::Words;
use super::{Manner, list, unexpected, with_job};

/// Pieces that a list may have.
const MOST_PIECES: u32 = 10_000;

pub(super) fn run(_: &View<'_>, words: &Words, manner: Manner) -> Result<Reply, Refusal> {
    if words.has("jobid") || words.has("ujobid") {
        return with_job(words, "list volumes", |job| Ok(of_job(job.job_id)));
    }
    if let Some(name) = words.value(&["volume", "media"]) {
        let request = CatalogRequest::VolumeByName(name.to_owned());
        return Ok(Reply::ask(request, move |view, answer| {
            let CatalogAnswer::Volume(row) = answer else { return Err(Refusal::unexpected(answer)) };
            Ok(one(view, row.map(|row| *row).as_slice(), manner))
        }));
    }
    let id = number_of::<u32>(words, "mediaid")?.or(number_of(words, "volumeid")?);
    if let Some(id) = id {
        return Ok(Reply::ask(CatalogRequest::ListMedia { pool: None }, move |view, answer| {
            let CatalogAnswer::Volumes(mut rows) = answer else { return Err(Refusal::unexpected(answer)) };
            rows.retain(|row| row.media_id == id);
            Ok(one(view, &rows, manner))
        }));
    }
    let (pool, all) = (words.value(&["pool"]).map(str::to_owned), words.has("all"));
    Ok(Reply::ask(CatalogRequest::ListMedia { pool: pool.clone() }, move |view, answer| {
        let CatalogAnswer::Volumes(rows) = answer else { return Err(Refusal::unexpected(answer)) };
        if let Some(pool) = pool.as_ref().filter(|_| rows.is_empty()) {
            NoSuch::check(view.config(), Kind::Pool, pool)?;
        }
        if pool.is_some() || all {
            return Ok(Reply::found(manner.table(view, "volumes", &rows, (USUAL, ALL))));
        }
        let mut by_pool: BTreeMap<u32, Vec<MediaRow>> = BTreeMap::new();
        for row in rows {
            by_pool.entry(row.pool_id).or_default().push(row);
        }
        let table = |rows: Vec<MediaRow>| {
            let pool = rows.first().map(|row| row.pool.clone()).unwrap_or_default();
            (pool, manner.table(view, "volumes", &rows, (USUAL, ALL)))
        };
        Ok(Reply::found(ByPool(by_pool.into_values().map(table).collect())))
    }))
}

fn one(view: &View<'_>, rows: &[MediaRow], manner: Manner) -> Reply {
    Reply::found(manner.table(view, "volume", rows, (USUAL, ALL)).one())
}

/// The volumes that hold a job.
fn of_job(job_id: u32) -> Reply {
    list(Listing::Pieces { job_id: Some(job_id), limit: MOST_PIECES }, |_, listed| {
        let Listed::Pieces(pieces) = listed else { return Err(unexpected(listed)) };
        let mut seen = BTreeSet::new();
        let names: Vec<String> =
            pieces.into_iter().map(|piece| piece.volume_name).filter(|name| seen.insert(name.clone())).collect();
        Ok(Reply::found(Table::of("volumes", &[Column("volumename", |name: &String| Cell::text_of(name))], &names)))
    })
}

/// Volumes, a table for each pool.
#[derive(Debug)]
struct ByPool(Vec<(String, Table)>);

impl Shown for ByPool {
    fn text(&self) -> String {
        if self.0.is_empty() {
            return "No results to list.\n".to_owned();
        }
        self.0.iter().map(|(pool, table)| format!("Pool: {pool}\n{}", table.text())).collect()
    }

    fn bare(&self) -> String {
        self.0.iter().map(|(pool, table)| format!("Pool: {pool}\n{}", table.bare())).collect()
    }

    /// Bareos writes all keys in small letters, those that are names too.
    fn json(&self) -> Option<Json> {
        let pools = self.0.iter().map(|(pool, table)| (pool.to_lowercase(), table.rows())).collect();
        Some(Json::object([("volumes", Json::Object(pools))]))
    }
}

const USUAL: &[Column<MediaRow>] = &[
    Column("mediaid", |row| Cell::id(row.media_id)),
    Column("volumename", |row| Cell::text_of(&row.volume_name)),
    Column("volstatus", |row| Cell::text_of(row.vol_status.as_str())),
    Column("enabled", |row| Cell::bit(row.enabled)),
    Column("volbytes", |row| Cell::count(row.vol_bytes)),
    Column("volfiles", |row| Cell::count(row.vol_files)),
    Column("volretention", |row| Cell::count(row.vol_retention)),
    Column("recycle", |row| Cell::bit(row.recycle)),
    Column("slot", |row| slot(row.slot)),
    Column("inchanger", |row| Cell::bit(row.in_changer)),
    Column("mediatype", |row| Cell::text_of(&row.media_type)),
    Column("lastwritten", |row| Cell::Moment(row.last_written)),
    Column("storage", |row| Cell::text_of(&row.storage)),
    // No volume is encrypted by its drive.
    Column("hasencryptionkey", |_| Cell::bit(false)),
];

const ALL: &[Column<MediaRow>] = &[
    Column("mediaid", |row| Cell::id(row.media_id)),
    Column("volumename", |row| Cell::text_of(&row.volume_name)),
    Column("slot", |row| slot(row.slot)),
    Column("poolid", |row| Cell::id(row.pool_id)),
    Column("pool", |row| Cell::text_of(&row.pool)),
    Column("mediatype", |row| Cell::text_of(&row.media_type)),
    Column("firstwritten", |row| Cell::Moment(row.first_written)),
    Column("lastwritten", |row| Cell::Moment(row.last_written)),
    Column("labeldate", |row| Cell::Moment(row.label_date)),
    Column("voljobs", |row| Cell::count(row.vol_jobs)),
    Column("volfiles", |row| Cell::count(row.vol_files)),
    Column("volblocks", |row| Cell::count(row.vol_blocks)),
    Column("volmounts", |row| Cell::count(row.vol_mounts)),
    Column("volbytes", |row| Cell::count(row.vol_bytes)),
    Column("volerrors", |row| Cell::count(row.vol_errors)),
    Column("volwrites", |row| Cell::count(row.vol_writes)),
    Column("volcapacitybytes", |row| Cell::count(row.vol_capacity_bytes)),
    Column("volstatus", |row| Cell::text_of(row.vol_status.as_str())),
    Column("enabled", |row| Cell::bit(row.enabled)),
    Column("recycle", |row| Cell::bit(row.recycle)),
    Column("volretention", |row| Cell::count(row.vol_retention)),
    Column("voluseduration", |row| Cell::count(row.vol_use_duration)),
    Column("maxvoljobs", |row| Cell::count(row.max_vol_jobs)),
    Column("maxvolfiles", |row| Cell::count(row.max_vol_files)),
    Column("maxvolbytes", |row| Cell::count(row.max_vol_bytes)),
    Column("inchanger", |row| Cell::bit(row.in_changer)),
    Column("endfile", |row| Cell::count(row.end_file)),
    Column("endblock", |row| Cell::count(row.end_block)),
    Column("labeltype", |row| Cell::id(row.label_type)),
    Column("storageid", |row| Cell::id(row.storage_id)),
    // Of Bareos' tables that there are none of.
    Column("deviceid", |_| Cell::id(0_u32)),
    Column("locationid", |_| Cell::id(0_u32)),
    Column("recyclecount", |row| Cell::count(row.recycle_count)),
    Column("initialwrite", |row| Cell::Moment(row.initial_write)),
    Column("scratchpoolid", |row| Cell::id(row.scratch_pool_id)),
    Column("scratchpool", |_| Cell::text_of("")),
    Column("recyclepoolid", |row| Cell::id(row.recycle_pool_id)),
    Column("recyclepool", |_| Cell::text_of("")),
    Column("hasencryptionkey", |_| Cell::bit(false)),
    Column("comment", |row| Cell::text_of(&row.comment)),
    Column("storage", |row| Cell::text_of(&row.storage)),
];

fn slot(slot: i32) -> Cell {
    Cell::id(u64::try_from(slot).unwrap_or(0))
}

/// Where jobs lie.
pub(super) fn pieces(words: &Words, manner: Manner) -> Result<Reply, Refusal> {
    if words.has("jobid") || words.has("ujobid") {
        return with_job(words, "list jobmedia", move |job| Ok(pieces_of(Some(job.job_id), manner)));
    }
    Ok(pieces_of(None, manner))
}

fn pieces_of(job_id: Option<u32>, manner: Manner) -> Reply {
    const USUAL: &[Column<ListedPiece>] = &[
        Column("jobid", |row| Cell::id(row.piece.job_id)),
        Column("volumename", |row| Cell::text_of(&row.volume_name)),
        Column("firstindex", |row| Cell::count(row.piece.first_index)),
        Column("lastindex", |row| Cell::count(row.piece.last_index)),
    ];
    const ALL: &[Column<ListedPiece>] = &[
        Column("jobmediaid", |row| Cell::id(row.job_media_id)),
        Column("jobid", |row| Cell::id(row.piece.job_id)),
        Column("mediaid", |row| Cell::id(row.piece.media_id)),
        Column("volumename", |row| Cell::text_of(&row.volume_name)),
        Column("firstindex", |row| Cell::count(row.piece.first_index)),
        Column("lastindex", |row| Cell::count(row.piece.last_index)),
        Column("startfile", |row| Cell::count(row.piece.start_file)),
        Column("endfile", |row| Cell::count(row.piece.end_file)),
        Column("startblock", |row| Cell::count(row.piece.start_block)),
        Column("endblock", |row| Cell::count(row.piece.end_block)),
    ];
    list(Listing::Pieces { job_id, limit: MOST_PIECES }, move |view, listed| {
        let Listed::Pieces(rows) = listed else { return Err(unexpected(listed)) };
        Ok(Reply::found(manner.table(view, "jobmedia", &rows, (USUAL, ALL))))
    })
}

/// Which jobs have copies.
pub(super) fn copies(words: &Words, manner: Manner) -> Result<Reply, Refusal> {
    if words.has("jobid") || words.has("ujobid") {
        return with_job(words, "list copies", move |job| Ok(copies_of(Some(job.job_id), manner)));
    }
    Ok(copies_of(None, manner))
}

fn copies_of(job_id: Option<u32>, manner: Manner) -> Reply {
    const ALL: &[Column<ListedCopy>] = &[
        Column("jobid", |row| Cell::id(row.job_id)),
        Column("job", |row| Cell::text_of(&row.job)),
        Column("copyjobid", |row| Cell::id(row.copy_job_id)),
        Column("mediatype", |row| Cell::text_of(&row.media_type)),
    ];
    list(Listing::Copies { job_id }, move |view, listed| {
        let Listed::Copies(rows) = listed else { return Err(unexpected(listed)) };
        Ok(Reply::found(manner.table(view, "copies", &rows, (ALL, ALL))))
    })
}

/// The volume that a job would write to now, of those that there are and that need nothing done to them first.
pub(super) fn next(view: &View<'_>, words: &Words) -> Result<Reply, Refusal> {
    let config = view.config();
    let wanted = words.value(&["job"]).ok_or_else(|| Refusal::usage("Name a job: list nextvol job=NAME."))?;
    let job = config.job(wanted).ok_or_else(|| {
        let names: Vec<&str> = config.jobs.iter().map(|job| job.name.as_str()).collect();
        Refusal::usage(format!("There is no job \"{wanted}\". There are: {}", names.join(", ")))
    })?;
    let media_type = config.storage(&job.storage).map(|storage| storage.media_type.clone()).unwrap_or_default();
    let (name, pool) = (job.name.clone(), job.pool.clone());
    Ok(list(Listing::Pools, move |_, listed| {
        let Listed::Pools(pools) = listed else { return Err(unexpected(listed)) };
        let Some(row) = pools.into_iter().find(|row| row.row.name == pool) else {
            return Err(Refusal::usage(format!("The catalog has no pool \"{pool}\" yet.")));
        };
        Ok(Reply::ask(CatalogRequest::ListMedia { pool: Some(pool) }, move |view, answer| {
            let CatalogAnswer::Volumes(volumes) = answer else { return Err(Refusal::unexpected(answer)) };
            let found = next_of(view, &row, &volumes, &media_type);
            let volume = found.ok_or_else(|| Refusal::NoVolume(name.clone()))?;
            let text = format!("The next Volume to be used by Job \"{name}\" will be {volume}\n");
            let members = [("job", name.into()), ("pool", row.row.name.into()), ("volumename", volume.into())];
            Ok(Reply::found(Both { text, json: Json::object([("nextvol", Json::object(members))]) }))
        }))
    }))
}

fn next_of(view: &View<'_>, pool: &ListedPool, volumes: &[MediaRow], media_type: &str) -> Option<String> {
    let need = Need {
        pool: &pool.row,
        media_type,
        changer: None,
        index: 1,
        unwanted: &[],
        prunes: Prunes::of(view.config().pool(&pool.row.name)),
        now: view.now(),
    };
    let stock = Stock { volumes, scratch: &[], pruned: &[], max_media_id: 0, collisions: 0 };
    match choose(&need, &stock) {
        Choice::Use(volume) => Some(volume.volume_name),
        Choice::StoreAndUse(volume) if volume.vol_status == VolStatus::Recycle => Some(volume.volume_name),
        Choice::Prune { media_id, .. } => {
            volumes.iter().find(|volume| volume.media_id == media_id).map(|volume| volume.volume_name.clone())
        }
        _ => None,
    }
}
