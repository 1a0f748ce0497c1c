//! Changes that a person makes of rows.

use super::{Answer, CatalogError, CatalogErrorKind, MemoryCatalog, Outcome};
use crate::catalog::JobCorrection;

impl MemoryCatalog {
    pub(super) fn correct(&mut self, correction: &JobCorrection) -> u64 {
        let Some(row) = self.jobs.get_mut(&correction.job_id).filter(|row| row.end_time > 0) else { return 0 };
        correction.make(row);
        row.client = self.clients.get(&row.client_id).map(|row| row.spec.name.clone()).unwrap_or_default();
        row.file_set = self.file_sets.get(&row.file_set_id).map(|row| row.file_set.clone()).unwrap_or_default();
        1
    }

    pub(super) fn delete_pool(&mut self, name: &str) -> Outcome {
        let Some(id) = self.pools.values().find(|row| row.name == name).map(|row| row.pool_id) else {
            return Ok(Answer::Changed(0));
        };
        if self.media.values().any(|row| row.pool_id == id) {
            return Err(CatalogError::new(CatalogErrorKind::Constraint, "the pool has a volume"));
        }
        Ok(Answer::Changed(u64::from(self.pools.remove(&id).is_some())))
    }

    pub(super) fn delete_storage(&mut self, name: &str) -> Outcome {
        let Some(id) = self.storages.iter().find(|(_, row)| *row == name).map(|(id, _)| *id) else {
            return Ok(Answer::Changed(0));
        };
        if self.media.values().any(|row| row.storage_id == id) {
            return Err(CatalogError::new(CatalogErrorKind::Constraint, "the storage has a volume"));
        }
        Ok(Answer::Changed(u64::from(self.storages.remove(&id).is_some())))
    }
}
