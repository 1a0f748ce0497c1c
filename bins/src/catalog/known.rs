//! Joins the files of several jobs, page by page, for an accurate job (`wire/2 §1.8`).

use std::collections::BTreeMap;

use towline_core::catalog::{CatalogAnswer, FileKey, FileRow};

/// The next files of one job in the order of their keys.
#[derive(Debug)]
pub(super) struct Page {
    /// The files.
    pub(super) rows: Vec<(FileKey, FileRow)>,
    /// Whether the job has none after them.
    pub(super) is_last: bool,
}

/// The newest version of each name that every job has been asked for, without what was deleted. The pages begin at the same
/// key and are those of the jobs in their order, oldest first.
#[must_use]
pub(super) fn newest(pages: Vec<Page>) -> CatalogAnswer {
    let place = |key: &FileKey| (key.path_id, key.name.clone());
    // A job's last name may have more versions after its page.
    let cut = |page: &Page| page.rows.last().filter(|_| !page.is_last).map(|(key, _)| place(key));
    let horizon = pages.iter().filter_map(cut).min();
    let mut newest: BTreeMap<(i64, Vec<u8>), FileRow> = BTreeMap::new();
    for (key, row) in pages.into_iter().flat_map(|page| page.rows) {
        let at = place(&key);
        if horizon.as_ref().is_none_or(|horizon| at <= *horizon) {
            newest.insert(at, row);
        }
    }
    let files = newest.into_values().filter(|row| row.file_index > 0).collect();
    let next = horizon.map(|(path_id, name)| FileKey { path_id, name, file_index: u32::MAX });
    CatalogAnswer::FileList { files, next }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(is_last: bool, rows: &[(&str, u32)]) -> Page {
        let row = |(name, file_index): &(&str, u32)| {
            let name = name.as_bytes().to_vec();
            let key = FileKey { path_id: 1, name: name.clone(), file_index: *file_index };
            let (lstat, md5) = (Vec::new(), Vec::new());
            (key, FileRow { job_id: 1, file_index: *file_index, name, lstat, md5, delta_seq: 0 })
        };
        Page { rows: rows.iter().map(row).collect(), is_last }
    }

    fn joined(pages: Vec<Page>) -> (Vec<(String, u32)>, Option<String>) {
        let CatalogAnswer::FileList { files, next } = newest(pages) else { panic!("no list") };
        let text = |name: Vec<u8>| String::from_utf8_lossy(&name).into_owned();
        let files = files.into_iter().map(|row| (text(row.name), row.file_index)).collect();
        (files, next.map(|key| text(key.name)))
    }

    #[test]
    fn later_jobs_replace_and_delete() {
        let full = page(true, &[("a", 1), ("b", 2), ("c", 3)]);
        let incremental = page(true, &[("b", 7), ("c", 0), ("d", 8)]);
        let expected = [("a", 1), ("b", 7), ("d", 8)].map(|(name, index)| (name.to_owned(), index)).to_vec();
        assert_eq!(joined(vec![full, incremental]), (expected, None));
    }

    #[test]
    fn a_page_ends_where_the_first_job_has_more() {
        let full = page(false, &[("a", 1), ("b", 2)]);
        let incremental = page(true, &[("b", 7), ("c", 9)]);
        let expected = [("a", 1), ("b", 7)].map(|(name, index)| (name.to_owned(), index)).to_vec();
        assert_eq!(joined(vec![full, incremental]), (expected, Some("b".to_owned())), "c comes with the next page");
    }
}
