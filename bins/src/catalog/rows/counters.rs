//! Counters that names of volumes are made with.

use towline_core::catalog::{CatalogAnswer, CounterRow, take_counters};

use super::super::sql::{Result, Session, first, values};

/// A counter of the configuration. One that is there keeps its number, unless it begins anew or is outside its range.
pub(super) fn ensure(t: &mut dyn Session, row: &CounterRow, restarts: bool) -> Result<CatalogAnswer> {
    let known = find(t, &row.name)?;
    let is_inside = |known: &CounterRow| (row.minimum..=row.maximum).contains(&known.current);
    let current = known.filter(|known| !restarts && is_inside(known)).map_or(row.minimum, |known| known.current);
    t.execute(
        "INSERT INTO Counters (Counter, MinValue, MaxValue, CurrentValue, WrapCounter) VALUES (?1, ?2, ?3, ?4, ?5)
         ON CONFLICT (Counter) DO UPDATE SET MinValue = ?2, MaxValue = ?3, CurrentValue = ?4, WrapCounter = ?5",
        &values![&row.name, row.minimum, row.maximum, current, &row.wraps_into],
    )?;
    Ok(CatalogAnswer::Done)
}

/// The numbers of counters; those that go on do so.
pub(super) fn take(mut t: &mut dyn Session, wanted: &[(String, bool)]) -> Result<CatalogAnswer> {
    take_counters(&mut t, wanted, |t, name| find(*t, name), |t, row| store(*t, row)).map(CatalogAnswer::Counted)
}

fn find(t: &mut dyn Session, name: &str) -> Result<Option<CounterRow>> {
    let sql = "SELECT Counter, MinValue, MaxValue, CurrentValue, WrapCounter FROM Counters WHERE Counter = ?1";
    let Some(mut row) = first(t, sql, &values![name])? else { return Ok(None) };
    Ok(Some(CounterRow {
        name: row.take()?,
        minimum: row.take()?,
        maximum: row.take()?,
        current: row.take()?,
        wraps_into: row.take()?,
    }))
}

fn store(t: &mut dyn Session, row: &CounterRow) -> Result<()> {
    let sql = "UPDATE Counters SET CurrentValue = ?2 WHERE Counter = ?1";
    t.execute(sql, &values![&row.name, row.current]).map(drop)
}
