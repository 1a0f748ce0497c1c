//! Lists for consoles, whatever the engine.

use super::frames::attributes;
use super::*;

fn listed(catalog: &mut dyn Catalog, listing: Listing) -> Listed {
    match ask(catalog, CatalogRequest::List(listing)) {
        CatalogAnswer::Listed(listed) => listed,
        other => panic!("{other:?}"),
    }
}

pub(crate) fn what_the_configuration_names_is_listed_with_its_numbers(catalog: &mut dyn Catalog) {
    let site = site(catalog);
    ask(catalog, CatalogRequest::CreateMedia(Box::new(new_volume(&site, "Full-1"))));
    let Listed::Pools(pools) = listed(catalog, Listing::Pools) else { panic!("no pools") };
    let pool =
        |pool: &ListedPool| (pool.row.pool_id, pool.row.name.clone(), pool.num_vols, pool.row.label_format.clone());
    assert_eq!(pools.iter().map(pool).collect::<Vec<_>>(), [(site.pool_id, "Full".to_owned(), 1, None)]);
    let Listed::FileSets(sets) = listed(catalog, Listing::FileSets) else { panic!("no filesets") };
    assert_eq!(
        (sets[0].file_set_id, sets[0].file_set.as_str(), sets[0].md5.as_str()),
        (site.file_set_id, "home", "m1")
    );
    let storage_id = id(catalog, CatalogRequest::EnsureStorage { name: "File".into(), auto_changer: false });
    let storage = ListedStorage { storage_id, name: "File".into(), auto_changer: false };
    assert_eq!(listed(catalog, Listing::Storages), Listed::Storages(vec![storage]));
}

pub(crate) fn jobs_are_counted_summed_and_found_by_what_they_have(catalog: &mut dyn Catalog) {
    let site = site(catalog);
    let jobs: Vec<u32> =
        [100, 200, 300].map(|time| backup(catalog, &site, b'F', time, &[attributes(1, 3, b"/x", 0)])).into();
    let count = |catalog: &mut dyn Catalog, filter| match listed(catalog, Listing::CountJobs(filter)) {
        Listed::Count(count) => count,
        other => panic!("{other:?}"),
    };
    assert_eq!(count(catalog, JobFilter { limit: 1, offset: 1, ..JobFilter::default() }), 3, "whatever the limit");
    assert_eq!(count(catalog, JobFilter { job_id: Some(jobs[0]), ..JobFilter::default() }), 1);
    assert_eq!(count(catalog, JobFilter { last: true, ..JobFilter::default() }), 1);
    for (filter, wanted) in [
        (JobFilter { pool: Some("Full".into()), ..JobFilter::default() }, 3),
        (JobFilter { pool: Some("Other".into()), ..JobFilter::default() }, 0),
        (JobFilter { file_set: Some("home".into()), ..JobFilter::default() }, 3),
        (JobFilter { names: vec!["nightly".into(), "x".into()], ..JobFilter::default() }, 3),
        (JobFilter { names: vec!["x".into()], ..JobFilter::default() }, 0),
        (JobFilter { volume: Some("Full-1".into()), ..JobFilter::default() }, 0),
    ] {
        assert_eq!(count(catalog, filter.clone()), wanted, "{filter:?}");
    }
    let volume = volume(catalog, CatalogRequest::CreateMedia(Box::new(new_volume(&site, "Full-1"))));
    let piece =
        JobMediaRow { job_id: jobs[1], media_id: volume.media_id, first_index: 1, last_index: 1, ..Default::default() };
    ask(catalog, CatalogRequest::CreateJobMedia(piece));
    let on_volume = JobFilter { volume: Some("Full-1".into()), ..JobFilter::default() };
    let found = super::jobs(catalog, CatalogRequest::ListJobs(on_volume));
    assert_eq!(found.iter().map(|row| (row.job_id, row.pool.as_str())).collect::<Vec<_>>(), [(jobs[1], "Full")]);
    let total = JobTotal { name: "nightly".into(), jobs: 3, files: 3, bytes: 3_000 };
    assert_eq!(listed(catalog, Listing::JobTotals), Listed::Totals(vec![total]));
    let holding = Holding { client: "alpha-fd".into(), file_set: "home".into(), job_id: jobs[2], bytes: 1_000 };
    assert_eq!(listed(catalog, Listing::Holdings), Listed::Holdings(vec![holding]));
    let pieces = |job_id| Listing::Pieces { job_id, limit: 10 };
    let Listed::Pieces(all) = listed(catalog, pieces(None)) else { panic!("no pieces") };
    assert_eq!((all.len(), all[0].piece, all[0].volume_name.as_str()), (1, piece, "Full-1"));
    assert_eq!(listed(catalog, pieces(Some(jobs[0]))), Listed::Pieces(Vec::new()));
}

pub(crate) fn the_last_lines_of_reports_come_in_their_order(catalog: &mut dyn Catalog) {
    let site = site(catalog);
    let job_id = backup(catalog, &site, b'F', 100, &[attributes(1, 3, b"/x", 0)]);
    let line = |time| LogRow { job_id, time, text: format!("line {time}") };
    ask(
        catalog,
        CatalogRequest::AddLogs([line(1), line(2), line(3), LogRow { job_id: 0, time: 4, text: "own".into() }].into()),
    );
    let texts = |catalog: &mut dyn Catalog, filter| match listed(catalog, Listing::Log(filter)) {
        Listed::Log(lines) => lines.into_iter().map(|line| (line.text, line.name, line.client)).collect::<Vec<_>>(),
        other => panic!("{other:?}"),
    };
    let of_job = |text: &str| (text.to_owned(), "nightly".to_owned(), "alpha-fd".to_owned());
    let own = || ("own".to_owned(), String::new(), String::new());
    let two = LogFilter { limit: 2, ..LogFilter::default() };
    assert_eq!(texts(catalog, two.clone()), [of_job("line 3"), own()]);
    assert_eq!(
        texts(catalog, LogFilter { newest_first: true, offset: 1, ..two.clone() }),
        [of_job("line 3"), of_job("line 2")]
    );
    assert_eq!(
        texts(catalog, LogFilter { since: Some(3), client: Some("alpha-fd".into()), ..two.clone() }),
        [of_job("line 3")]
    );
    assert_eq!(texts(catalog, LogFilter { name: Some("other".into()), ..two }), []);
}

pub(crate) fn copies_are_listed_with_their_originals(catalog: &mut dyn Catalog) {
    let site = site(catalog);
    let volume = volume(catalog, CatalogRequest::CreateMedia(Box::new(new_volume(&site, "Full-1"))));
    let [original, copy] = [100, 200].map(|time| backup(catalog, &site, b'F', time, &[attributes(1, 3, b"/x", 0)]));
    let piece =
        JobMediaRow { job_id: copy, media_id: volume.media_id, first_index: 1, last_index: 1, ..Default::default() };
    ask(catalog, CatalogRequest::CreateJobMedia(piece));
    assert_eq!(listed(catalog, Listing::Copies { job_id: None }), Listed::Copies(Vec::new()));
    let adopt = AdoptOriginal { job_id: copy, job_type: b'C', original, original_type: b'B', purges: false };
    ask(catalog, CatalogRequest::AdoptOriginal(adopt));
    let Listed::Copies(copies) = listed(catalog, Listing::Copies { job_id: Some(original) }) else {
        panic!("no copies")
    };
    let found: Vec<_> = copies.iter().map(|row| (row.job_id, row.copy_job_id, row.media_type.as_str())).collect();
    assert_eq!(found, [(original, copy, "File")]);
    assert_eq!(listed(catalog, Listing::Copies { job_id: Some(copy) }), Listed::Copies(Vec::new()));
}

pub(crate) fn an_operators_statement_can_only_read(catalog: &mut dyn Catalog) {
    let site = site(catalog);
    let job_id = backup(catalog, &site, b'F', 100, &[attributes(1, 3, b"/x", 0)]);
    let query = |sql: &str, limit| CatalogRequest::List(Listing::Query { sql: sql.to_owned(), limit });
    let table = |catalog: &mut dyn Catalog, sql: &str, limit| match ask(catalog, query(sql, limit)) {
        CatalogAnswer::Listed(Listed::Table { heads, rows }) => (heads, rows),
        other => panic!("{other:?}"),
    };
    let (heads, rows) = table(catalog, " select JobId, Name, NULL AS Nil FROM Job ORDER BY JobId; ", 10);
    assert_eq!(heads, ["jobid", "name", "nil"]);
    assert_eq!(rows, [[job_id.to_string(), "nightly".to_owned(), String::new()]]);
    let many = "WITH RECURSIVE n (x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n WHERE x < 50) SELECT x FROM n";
    assert_eq!(table(catalog, many, 7).1.len(), 7);
    for sql in [
        "DELETE FROM Job",
        "UPDATE Job SET Name = 'x'",
        "PRAGMA user_version = 7",
        "ATTACH 'x' AS y",
        "SELECT 1; DELETE FROM Job",
        "SELECT nonsense",
        "SELECT ?1",
        "",
    ] {
        let refusal = refused(catalog, query(sql, 10));
        assert_eq!(refusal.kind, CatalogErrorKind::Constraint, "{sql}: {refusal}");
    }
    assert_eq!(table(catalog, "SELECT COUNT(*) FROM Job", 1).1, [["1"]], "nothing was changed");
}
