//! Counters that names of volumes are made with.

use super::*;

fn ensure(catalog: &mut dyn Catalog, name: &str, range: (u32, u32), wraps_into: &str, restarts: bool) {
    let (minimum, maximum) = range;
    let (name, wraps_into) = (name.to_owned(), wraps_into.to_owned());
    let counter = CounterRow { name, minimum, maximum, current: 99, wraps_into };
    assert_eq!(ask(catalog, CatalogRequest::EnsureCounter { counter, restarts }), CatalogAnswer::Done);
}

fn take(catalog: &mut dyn Catalog, wanted: &[(&str, bool)]) -> Vec<Option<u32>> {
    let wanted = wanted.iter().map(|(name, goes_on)| ((*name).to_owned(), *goes_on)).collect();
    match ask(catalog, CatalogRequest::TakeCounters(wanted)) {
        CatalogAnswer::Counted(numbers) => numbers,
        other => panic!("{other:?}"),
    }
}

pub(crate) fn counters_go_on_and_keep_their_numbers(catalog: &mut dyn Catalog) {
    ensure(catalog, "one", (1, 2), "other", false);
    ensure(catalog, "other", (0, u32::try_from(i32::MAX).unwrap()), "", false);
    assert_eq!(take(catalog, &[("one", false), ("other", true), ("none", true)]), [Some(1), Some(0), None]);
    assert_eq!(take(catalog, &[("one", true), ("one", true), ("other", false)]), [Some(1), Some(2), Some(2)]);
    assert_eq!(take(catalog, &[("one", true)]), [Some(1)]);
    // The next start of a director: what the catalog keeps goes on.
    ensure(catalog, "one", (1, 2), "other", false);
    ensure(catalog, "other", (0, 9), "", true);
    assert_eq!(take(catalog, &[("one", false), ("other", false)]), [Some(2), Some(0)]);
    ensure(catalog, "one", (5, 6), "", false);
    assert_eq!(take(catalog, &[("one", false)]), [Some(5)]);
}
