//! Whether there are volumes to write to, and none that has failed.

use std::collections::BTreeMap;

use towline_core::config::{DirectorConfig, Pool};

use super::{Finding, Level, member, rows};
use crate::dialogue::{Dialogue, NoAnswer};

/// What a pool has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Has {
    volumes: u32,
    /// Such as jobs are written to now, or can be.
    usable: u32,
}

/// Looks at the volumes of all pools.
pub(super) fn look(
    dialogue: &mut Dialogue,
    config: &DirectorConfig,
    findings: &mut Vec<Finding>,
) -> Result<(), NoAnswer> {
    let mut pools: BTreeMap<String, Has> = BTreeMap::new();
    for pool in &config.pools {
        let volumes = match rows(dialogue, &format!("llist volumes pool={:?}", pool.name), "volumes")? {
            Ok(volumes) => volumes,
            Err(why) => {
                findings.push(Finding::new(Level::Critical, format!("pool {}", pool.name), why));
                continue;
            }
        };
        let has = pools.entry(pool.name.clone()).or_default();
        for volume in &volumes {
            let status = member(volume, "volstatus");
            has.volumes += 1;
            if ["Append", "Purged", "Recycle"].contains(&status) {
                has.usable += 1;
            }
            if status == "Error" {
                let about = format!("volume {}", member(volume, "volumename"));
                let text = "its storage daemon has found it damaged: what is on it may not come back";
                findings.push(Finding::new(Level::Warning, about, text));
            }
        }
        findings.push(judged(pool, *has));
    }
    Ok(())
}

fn judged(pool: &Pool, has: Has) -> Finding {
    let about = format!("pool {}", pool.name);
    let is_full = pool.maximum_volumes > 0 && has.volumes >= pool.maximum_volumes;
    let makes = pool.label_format.is_some() && !is_full;
    match (has.usable, makes) {
        (0, false) if is_full => {
            let text = format!(
                "all of its {} volumes are used: the next job takes the oldest one whose retention is over, or waits; raise `maximum_volumes` or free one with prune",
                has.volumes
            );
            Finding::new(Level::Warning, about, text)
        }
        (0, false) => {
            let text = "no volume can be written, and none is made: label one, or give it a `label_format`";
            Finding::new(Level::Critical, about, text)
        }
        _ => Finding::new(Level::Good, about, format!("volumes: {}", has.volumes)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pool_that_can_make_no_more_volumes_is_told() {
        let pool = |limit: u32, format: Option<&str>| Pool {
            maximum_volumes: limit,
            label_format: format.map(str::to_owned),
            ..Pool::new("p".to_owned())
        };
        for (pool, volumes, usable, level) in [
            (pool(0, Some("v-")), 0, 0, Level::Good),
            (pool(2, Some("v-")), 2, 1, Level::Good),
            (pool(2, Some("v-")), 2, 0, Level::Warning),
            (pool(0, None), 5, 0, Level::Critical),
            (pool(0, None), 5, 1, Level::Good),
        ] {
            assert_eq!(judged(&pool, Has { volumes, usable }).level, level, "{volumes} {usable}");
        }
    }
}
