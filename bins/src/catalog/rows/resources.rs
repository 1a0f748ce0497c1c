//! What the configuration names: clients, filesets, pools, storages.

use towline_core::catalog::{
    CatalogAnswer, CatalogError, CatalogErrorKind, ClientRow, ClientSpec, FileSetSpec, PoolRow,
};

use super::super::sql::{Result, Session, all, first, missing, scalar, values};

pub(super) fn client(t: &mut dyn Session, client: &ClientSpec) -> Result<CatalogAnswer> {
    scalar(
        t,
        "INSERT INTO Client (Name, AutoPrune, FileRetention, JobRetention) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT (Name) DO UPDATE SET AutoPrune = ?2, FileRetention = ?3, JobRetention = ?4 RETURNING ClientId",
        &values![&client.name, client.auto_prune, client.file_retention, client.job_retention],
    )
    .map(CatalogAnswer::Id)
}

pub(super) fn uname(t: &mut dyn Session, client: &str, uname: &str) -> Result<CatalogAnswer> {
    match t.execute("UPDATE Client SET UName = ?2 WHERE Name = ?1", &values![client, uname])? {
        0 => Err(missing(&format!("client \"{client}\""))),
        _ => Ok(CatalogAnswer::Done),
    }
}

pub(super) fn clients(t: &mut dyn Session) -> Result<CatalogAnswer> {
    let sql = "SELECT ClientId, UName, Name, AutoPrune, FileRetention, JobRetention FROM Client ORDER BY Name";
    all(t, sql, &[], |row| {
        Ok(ClientRow {
            client_id: row.take()?,
            uname: row.take()?,
            spec: ClientSpec {
                name: row.take()?,
                auto_prune: row.take()?,
                file_retention: row.take()?,
                job_retention: row.take()?,
            },
        })
    })
    .map(CatalogAnswer::Clients)
}

pub(super) fn file_set(t: &mut dyn Session, set: &FileSetSpec) -> Result<CatalogAnswer> {
    // The first use of a content stays its date.
    scalar(
        t,
        "INSERT INTO FileSet (FileSet, FileSetText, MD5, CreateTime) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT (FileSet, MD5) DO UPDATE SET FileSetText = ?2 RETURNING FileSetId",
        &values![&set.file_set, &set.text, &set.md5, set.create_time],
    )
    .map(CatalogAnswer::Id)
}

pub(super) fn storage(t: &mut dyn Session, name: &str, auto_changer: bool) -> Result<CatalogAnswer> {
    scalar(
        t,
        "INSERT INTO Storage (Name, AutoChanger) VALUES (?1, ?2)
         ON CONFLICT (Name) DO UPDATE SET AutoChanger = ?2 RETURNING StorageId",
        &values![name, auto_changer],
    )
    .map(CatalogAnswer::Id)
}

pub(super) fn pool(t: &mut dyn Session, pool: &PoolRow) -> Result<CatalogAnswer> {
    scalar(
        t,
        "INSERT INTO Pool (Name, MaxVols, UseCatalog, VolRetention, VolUseDuration, MaxVolJobs, MaxVolFiles,
             MaxVolBytes, AutoPrune, Recycle, ActionOnPurge, PoolType, LabelType, LabelFormat, MinBlockSize,
             MaxBlockSize, ScratchPoolId, RecyclePoolId, NextPoolId)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19)
         ON CONFLICT (Name) DO UPDATE SET MaxVols = ?2, UseCatalog = ?3, VolRetention = ?4, VolUseDuration = ?5,
             MaxVolJobs = ?6, MaxVolFiles = ?7, MaxVolBytes = ?8, AutoPrune = ?9, Recycle = ?10, ActionOnPurge = ?11,
             PoolType = ?12, LabelType = ?13, LabelFormat = ?14, MinBlockSize = ?15, MaxBlockSize = ?16,
             ScratchPoolId = ?17, RecyclePoolId = ?18, NextPoolId = ?19
         RETURNING PoolId",
        &values![
            &pool.name,
            pool.max_vols,
            pool.use_catalog,
            pool.vol_retention,
            pool.vol_use_duration,
            pool.max_vol_jobs,
            pool.max_vol_files,
            pool.max_vol_bytes,
            pool.auto_prune,
            pool.recycle,
            pool.action_on_purge,
            &pool.pool_type,
            pool.label_type,
            pool.label_format.as_deref().unwrap_or("*"),
            pool.min_block_size,
            pool.max_block_size,
            pool.scratch_pool_id,
            pool.recycle_pool_id,
            pool.next_pool_id,
        ],
    )
    .map(CatalogAnswer::Id)
}

pub(super) fn delete_pool(t: &mut dyn Session, name: &str) -> Result<CatalogAnswer> {
    let sql = "SELECT MediaId FROM Media JOIN Pool ON Pool.PoolId = Media.PoolId WHERE Pool.Name = ?1 LIMIT 1";
    if first(t, sql, &values![name])?.is_some() {
        return Err(CatalogError::new(CatalogErrorKind::Constraint, "the pool has a volume"));
    }
    t.execute("DELETE FROM Pool WHERE Name = ?1", &values![name]).map(CatalogAnswer::Changed)
}

pub(super) fn delete_storage(t: &mut dyn Session, name: &str) -> Result<CatalogAnswer> {
    let sql = "SELECT MediaId FROM Media JOIN Storage ON Storage.StorageId = Media.StorageId WHERE Storage.Name = ?1
         LIMIT 1";
    if first(t, sql, &values![name])?.is_some() {
        return Err(CatalogError::new(CatalogErrorKind::Constraint, "the storage has a volume"));
    }
    t.execute("DELETE FROM Storage WHERE Name = ?1", &values![name]).map(CatalogAnswer::Changed)
}
