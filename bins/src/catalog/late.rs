//! A catalog that is away when it is to be opened: each request tries again, until one finds it.

use towline_core::catalog::{CatalogAnswer, CatalogError, CatalogRequest};

use super::{Attempt, Catalog};

/// Opens a catalog.
pub type Open = Box<dyn FnMut() -> Result<Box<dyn Catalog>, CatalogError> + Send>;

/// A catalog that is opened by the first request that finds it.
pub struct LateCatalog {
    open: Open,
    opened: Option<Box<dyn Catalog>>,
}

impl LateCatalog {
    /// One that is not open.
    #[must_use]
    pub fn new(open: Open) -> Self {
        Self { open, opened: None }
    }
}

impl std::fmt::Debug for LateCatalog {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LateCatalog").field("is_open", &self.opened.is_some()).finish_non_exhaustive()
    }
}

impl Catalog for LateCatalog {
    fn handle(&mut self, request: &CatalogRequest, attempt: Attempt) -> Result<CatalogAnswer, CatalogError> {
        match &mut self.opened {
            Some(catalog) => catalog.handle(request, attempt),
            // The engine has not seen any attempt of this request.
            none => none.insert((self.open)()?).handle(request, Attempt::First),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::SqliteCatalog;
    use towline_core::catalog::CatalogErrorKind;

    #[test]
    fn a_catalog_that_is_away_is_opened_by_the_request_that_finds_it_and_only_once() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("catalog.sqlite");
        let mut times = 0;
        let mut late = LateCatalog::new(Box::new(move || {
            times += 1;
            match times {
                1 => Err(CatalogError::new(CatalogErrorKind::Unreachable, "away")),
                2 => Ok(Box::new(SqliteCatalog::open(&file)?)),
                _ => panic!("opened twice"),
            }
        }));
        let ask = CatalogRequest::MaxMediaId;
        let away = late.handle(&ask, Attempt::First).unwrap_err();
        assert_eq!(away.kind, CatalogErrorKind::Unreachable);
        assert!(late.handle(&ask, Attempt::Again).is_ok());
        assert!(late.handle(&ask, Attempt::First).is_ok());
    }
}
