//! What the configuration names: clients, filesets, pools, storages.

use super::{db, missing, un};
use rusqlite::{Connection, params};
use towline_core::role::director::catalog::{CatalogAnswer, ClientRow, ClientSpec, FileSetSpec, PoolRow};

pub(super) fn client(t: &Connection, client: &ClientSpec) -> rusqlite::Result<CatalogAnswer> {
    t.prepare_cached(
        "INSERT INTO Client (Name, AutoPrune, FileRetention, JobRetention) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT (Name) DO UPDATE SET AutoPrune = ?2, FileRetention = ?3, JobRetention = ?4 RETURNING ClientId",
    )?
    .query_row(params![client.name, client.auto_prune, db(client.file_retention), db(client.job_retention)], |row| {
        row.get(0)
    })
    .map(CatalogAnswer::Id)
}

pub(super) fn uname(t: &Connection, client: &str, uname: &str) -> rusqlite::Result<CatalogAnswer> {
    match t.prepare_cached("UPDATE Client SET UName = ?2 WHERE Name = ?1")?.execute([client, uname])? {
        0 => Err(missing(&format!("client \"{client}\""))),
        _ => Ok(CatalogAnswer::Done),
    }
}

pub(super) fn clients(t: &Connection) -> rusqlite::Result<CatalogAnswer> {
    let mut statement = t.prepare_cached(
        "SELECT ClientId, Name, UName, AutoPrune, FileRetention, JobRetention FROM Client ORDER BY Name",
    )?;
    let rows = statement.query_map([], |row| {
        let spec = ClientSpec {
            name: row.get(1)?,
            auto_prune: row.get(3)?,
            file_retention: un(row.get(4)?),
            job_retention: un(row.get(5)?),
        };
        Ok(ClientRow { client_id: row.get(0)?, spec, uname: row.get(2)? })
    })?;
    rows.collect::<Result<_, _>>().map(CatalogAnswer::Clients)
}

pub(super) fn file_set(t: &Connection, set: &FileSetSpec) -> rusqlite::Result<CatalogAnswer> {
    // The first use of a content stays its date.
    t.prepare_cached(
        "INSERT INTO FileSet (FileSet, FileSetText, MD5, CreateTime) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT (FileSet, MD5) DO UPDATE SET FileSetText = ?2 RETURNING FileSetId",
    )?
    .query_row(params![set.file_set, set.text, set.md5, set.create_time], |row| row.get(0))
    .map(CatalogAnswer::Id)
}

pub(super) fn storage(t: &Connection, name: &str, auto_changer: bool) -> rusqlite::Result<CatalogAnswer> {
    t.prepare_cached(
        "INSERT INTO Storage (Name, AutoChanger) VALUES (?1, ?2)
         ON CONFLICT (Name) DO UPDATE SET AutoChanger = ?2 RETURNING StorageId",
    )?
    .query_row(params![name, auto_changer], |row| row.get(0))
    .map(CatalogAnswer::Id)
}

pub(super) fn pool(t: &Connection, pool: &PoolRow) -> rusqlite::Result<CatalogAnswer> {
    t.prepare_cached(
        "INSERT INTO Pool (Name, MaxVols, UseCatalog, VolRetention, VolUseDuration, MaxVolJobs, MaxVolFiles,
             MaxVolBytes, AutoPrune, Recycle, ActionOnPurge, PoolType, LabelType, LabelFormat, MinBlockSize,
             MaxBlockSize, ScratchPoolId, RecyclePoolId, NextPoolId)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19)
         ON CONFLICT (Name) DO UPDATE SET MaxVols = ?2, UseCatalog = ?3, VolRetention = ?4, VolUseDuration = ?5,
             MaxVolJobs = ?6, MaxVolFiles = ?7, MaxVolBytes = ?8, AutoPrune = ?9, Recycle = ?10, ActionOnPurge = ?11,
             PoolType = ?12, LabelType = ?13, LabelFormat = ?14, MinBlockSize = ?15, MaxBlockSize = ?16,
             ScratchPoolId = ?17, RecyclePoolId = ?18, NextPoolId = ?19
         RETURNING PoolId",
    )?
    .query_row(
        params![
            pool.name,
            pool.max_vols,
            pool.use_catalog,
            db(pool.vol_retention),
            db(pool.vol_use_duration),
            pool.max_vol_jobs,
            pool.max_vol_files,
            db(pool.max_vol_bytes),
            pool.auto_prune,
            pool.recycle,
            pool.action_on_purge,
            pool.pool_type,
            pool.label_type,
            pool.label_format.as_deref().unwrap_or("*"),
            pool.min_block_size,
            pool.max_block_size,
            pool.scratch_pool_id,
            pool.recycle_pool_id,
            pool.next_pool_id,
        ],
        |row| row.get(0),
    )
    .map(CatalogAnswer::Id)
}
