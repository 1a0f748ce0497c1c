//! `update volume allfrompool=`, `fromallpools`: the limits of pools for the volumes that are in them.

use crate::catalog::volumes::with_limits;
use crate::catalog::{CatalogAnswer, CatalogRequest, MediaRow, PoolRow};

use super::super::super::refusal::Refusal;
use super::super::super::reply::{Reply, View};

/// How often a volume is tried that others change meanwhile.
const TRIES: u32 = 5;

/// Gives the volumes of this pool its limits.
pub(super) fn of_one(pool: PoolRow) -> Reply {
    pools(vec![pool], String::new())
}

/// Gives the volumes of all pools theirs.
pub(super) fn of_all(view: &View<'_>) -> Reply {
    let known = view.ids().pools.values();
    let mut all: Vec<PoolRow> = known.cloned().collect();
    all.sort_by_key(|row| std::cmp::Reverse(row.pool_id));
    pools(all, String::new())
}

/// One pool after the other, the last of `left` first. `said` is what was done so far.
fn pools(mut left: Vec<PoolRow>, said: String) -> Reply {
    let Some(pool) = left.pop() else { return Reply::found(said) };
    Reply::ask(CatalogRequest::ListMedia { pool: Some(pool.name.clone()) }, move |_, answer| match answer {
        CatalogAnswer::Volumes(rows) => {
            let said = format!("{said}All Volume defaults updated from \"{}\" Pool record.\n", pool.name);
            Ok(volumes(rows, pool, TRIES, move || pools(left, said)))
        }
        other => Err(Refusal::unexpected(other)),
    })
}

/// One volume after the other.
fn volumes(mut left: Vec<MediaRow>, pool: PoolRow, tries: u32, next: impl FnOnce() -> Reply + Send + 'static) -> Reply {
    let Some(row) = left.pop() else { return next() };
    let row = Box::new(with_limits(row, &pool));
    Reply::ask(CatalogRequest::UpdateMedia(row), move |_, answer| match answer {
        CatalogAnswer::Volume(Some(_)) => Ok(volumes(left, pool, TRIES, next)),
        CatalogAnswer::Stale(row) if tries > 0 => {
            left.push(*row);
            Ok(volumes(left, pool, tries - 1, next))
        }
        CatalogAnswer::Stale(row) => Err(Refusal::ChangedMeanwhile(row.volume_name)),
        other => Err(Refusal::unexpected(other)),
    })
}
