//! Lists of what the configuration names: clients, pools, storages, filesets, as the catalog has them.

use crate::catalog::{
    CatalogAnswer, CatalogRequest, ClientRow, Listed, ListedFileSet, ListedPool, ListedStorage, Listing, MediaRow,
    VolStatus,
};

use super::super::super::answer::{Cell, Column};
use super::super::super::refusal::{Refusal, number_of};
use super::super::super::reply::Reply;
use super::super::super::words::Words;
use super::{Manner, list, unexpected, with_job};

pub(super) fn clients(words: &Words, manner: Manner) -> Reply {
    const USUAL: &[Column<ClientRow>] = &[
        Column("clientid", |row| Cell::id(row.client_id)),
        Column("name", |row| Cell::text_of(&row.spec.name)),
        Column("fileretention", |row| Cell::count(row.spec.file_retention)),
        Column("jobretention", |row| Cell::count(row.spec.job_retention)),
    ];
    const ALL: &[Column<ClientRow>] = &[
        Column("clientid", |row| Cell::id(row.client_id)),
        Column("name", |row| Cell::text_of(&row.spec.name)),
        Column("uname", |row| Cell::text_of(&row.uname)),
        Column("autoprune", |row| Cell::bit(row.spec.auto_prune)),
        Column("fileretention", |row| Cell::count(row.spec.file_retention)),
        Column("jobretention", |row| Cell::count(row.spec.job_retention)),
    ];
    let wanted = words.value(&["client"]).map(str::to_owned);
    Reply::ask(CatalogRequest::ListClients, move |view, answer| {
        let CatalogAnswer::Clients(mut rows) = answer else { return Err(Refusal::unexpected(answer)) };
        rows.retain(|row| {
            wanted.as_ref().is_none_or(|name| *name == row.spec.name)
                && (!manner.current || view.config().client(&row.spec.name).is_some())
        });
        Ok(Reply::found(manner.table(view, "clients", &rows, (USUAL, ALL))))
    })
}

pub(super) fn storages(words: &Words, manner: Manner) -> Reply {
    const ALL: &[Column<ListedStorage>] = &[
        Column("storageid", |row| Cell::id(row.storage_id)),
        Column("name", |row| Cell::text_of(&row.name)),
        Column("autochanger", |row| Cell::bit(row.auto_changer)),
    ];
    let wanted = words.value(&["storage"]).map(str::to_owned);
    list(Listing::Storages, move |view, listed| {
        let Listed::Storages(mut rows) = listed else { return Err(unexpected(listed)) };
        rows.retain(|row| {
            wanted.as_ref().is_none_or(|name| *name == row.name)
                && (!manner.current || view.config().storage(&row.name).is_some())
        });
        Ok(Reply::found(manner.table(view, "storages", &rows, (ALL, ALL))))
    })
}

pub(super) fn file_sets(words: &Words, manner: Manner) -> Result<Reply, Refusal> {
    let (id, name) = (number_of(words, "filesetid")?, words.value(&["fileset"]).map(str::to_owned));
    if words.has("jobid") || words.has("ujobid") {
        return with_job(words, "list fileset", move |job| Ok(file_sets_of(Some(job.file_set_id), None, manner)));
    }
    Ok(file_sets_of(id, name, manner))
}

fn file_sets_of(id: Option<u32>, name: Option<String>, manner: Manner) -> Reply {
    const ALL: &[Column<ListedFileSet>] = &[
        Column("filesetid", |row| Cell::id(row.file_set_id)),
        Column("fileset", |row| Cell::text_of(&row.file_set)),
        Column("md5", |row| Cell::text_of(&row.md5)),
        Column("createtime", |row| Cell::Moment(row.create_time)),
        Column("filesettext", |row| Cell::text_of(&row.text)),
    ];
    list(Listing::FileSets, move |view, listed| {
        let Listed::FileSets(mut rows) = listed else { return Err(unexpected(listed)) };
        rows.retain(|row| {
            id.is_none_or(|id| id == row.file_set_id)
                && name.as_ref().is_none_or(|name| *name == row.file_set)
                && (!manner.current || view.config().fileset(&row.file_set).is_some())
        });
        Ok(Reply::found(manner.table(view, "filesets", &rows, (ALL, ALL))))
    })
}

/// A pool, and what could be pruned of it now.
struct Pool {
    pool: ListedPool,
    volumes: u64,
    jobs: u64,
    bytes: u64,
}

pub(super) fn pools(words: &Words, manner: Manner) -> Result<Reply, Refusal> {
    let (id, name) = (number_of::<u32>(words, "poolid")?, words.value(&["pool"]).map(str::to_owned));
    Ok(list(Listing::Pools, move |_, listed| {
        let Listed::Pools(mut pools) = listed else { return Err(unexpected(listed)) };
        pools.retain(|pool| {
            id.is_none_or(|id| id == pool.row.pool_id) && name.as_ref().is_none_or(|name| *name == pool.row.name)
        });
        Ok(Reply::ask(CatalogRequest::ListMedia { pool: name }, move |view, answer| {
            let CatalogAnswer::Volumes(volumes) = answer else { return Err(Refusal::unexpected(answer)) };
            pools.retain(|pool| !manner.current || view.config().pool(&pool.row.name).is_some());
            let rows: Vec<Pool> = pools.into_iter().map(|pool| Pool::of(pool, &volumes, view.now())).collect();
            Ok(Reply::found(manner.table(view, "pools", &rows, (USUAL, ALL))))
        }))
    }))
}

impl Pool {
    fn of(pool: ListedPool, volumes: &[MediaRow], now: i64) -> Self {
        let is_over = |volume: &&MediaRow| {
            let age = u64::try_from(now - volume.last_written).unwrap_or(0);
            matches!(volume.vol_status, VolStatus::Full | VolStatus::Used) && age >= volume.vol_retention
        };
        let over = || volumes.iter().filter(|volume| volume.pool_id == pool.row.pool_id).filter(is_over);
        let (jobs, bytes) =
            (over().map(|volume| u64::from(volume.vol_jobs)).sum(), over().map(|volume| volume.vol_bytes).sum());
        Self { volumes: over().count() as u64, jobs, bytes, pool }
    }
}

const USUAL: &[Column<Pool>] = &[
    Column("poolid", |row| Cell::id(row.pool.row.pool_id)),
    Column("name", |row| Cell::text_of(&row.pool.row.name)),
    Column("numvols", |row| Cell::count(row.pool.num_vols)),
    Column("maxvols", |row| Cell::count(row.pool.row.max_vols)),
    Column("pooltype", |row| Cell::text_of(&row.pool.row.pool_type)),
    Column("labelformat", |row| Cell::text_of(row.pool.row.label_format.as_deref().unwrap_or("*"))),
];

const ALL: &[Column<Pool>] = &[
    Column("poolid", |row| Cell::id(row.pool.row.pool_id)),
    Column("name", |row| Cell::text_of(&row.pool.row.name)),
    Column("numvols", |row| Cell::count(row.pool.num_vols)),
    Column("maxvols", |row| Cell::count(row.pool.row.max_vols)),
    // Of Bareos' settings that there are no longer.
    Column("useonce", |_| Cell::bit(false)),
    Column("usecatalog", |row| Cell::bit(row.pool.row.use_catalog)),
    Column("acceptanyvolume", |_| Cell::bit(false)),
    Column("volretention", |row| Cell::count(row.pool.row.vol_retention)),
    Column("voluseduration", |row| Cell::count(row.pool.row.vol_use_duration)),
    Column("maxvoljobs", |row| Cell::count(row.pool.row.max_vol_jobs)),
    Column("maxvolbytes", |row| Cell::count(row.pool.row.max_vol_bytes)),
    Column("autoprune", |row| Cell::bit(row.pool.row.auto_prune)),
    Column("recycle", |row| Cell::bit(row.pool.row.recycle)),
    Column("pooltype", |row| Cell::text_of(&row.pool.row.pool_type)),
    Column("labelformat", |row| Cell::text_of(row.pool.row.label_format.as_deref().unwrap_or("*"))),
    Column("enabled", |_| Cell::bit(true)),
    Column("scratchpoolid", |row| Cell::id(row.pool.row.scratch_pool_id)),
    Column("recyclepoolid", |row| Cell::id(row.pool.row.recycle_pool_id)),
    Column("labeltype", |row| Cell::id(row.pool.row.label_type)),
    Column("prunablevolumes", |row| Cell::count(row.volumes)),
    Column("prunablejobs", |row| Cell::count(row.jobs)),
    Column("prunablebytes", |row| Cell::count(row.bytes)),
];
