use super::frames::attributes;
use super::volumes::changed;
use super::*;
use towline_core::catalog::last_jobs as last_jobs_of;
use towline_core::catalog::levels::choose_level;

pub(crate) fn a_job_goes_from_created_to_ended(catalog: &mut dyn Catalog) {
    let site = site(catalog);
    let job_id = running(catalog, &site, b'F', 100);
    let one = |catalog: &mut dyn Catalog| {
        let filter = JobFilter { job_id: Some(job_id), ..Default::default() };
        jobs(catalog, CatalogRequest::ListJobs(filter)).remove(0)
    };
    let row = one(catalog);
    assert_eq!((row.job_status, row.sched_time, row.start_time, row.job_t_date), (b'R', 99, 100, 100));
    assert_eq!((row.client.as_str(), row.file_set.as_str(), row.job_type), ("alpha-fd", "home", b'B'));
    let end = JobEnd { job_bytes: 1 << 40, prior_job_id: 3, ..ended(&site, job_id, b'F', 200, 9) };
    ask(catalog, CatalogRequest::EndJob(Box::new(end)));
    let row = one(catalog);
    assert_eq!((row.job_status, row.end_time, row.job_t_date, row.job_bytes), (b'T', 200, 200, 1 << 40));
    assert_eq!((row.prior_job_id, row.job_files, row.vol_session_time), (3, 9, 7));
}

pub(crate) fn a_checkpoint_stores_totals_and_the_last_file(catalog: &mut dyn Catalog) {
    let site = site(catalog);
    let job_id = running(catalog, &site, b'F', 100);
    stored(catalog, job_id, &[attributes(1, 3, b"/a", 0)]);
    ask(catalog, CatalogRequest::Checkpoint { job_id, job_files: 1, job_bytes: 1 << 33 });
    let row = jobs(catalog, CatalogRequest::ListJobs(JobFilter::default())).remove(0);
    assert_eq!((row.job_status, row.job_files, row.job_bytes), (b'R', 1, 1 << 33));
    assert_eq!(listed(catalog, job_id).len(), 1);
}

pub(crate) fn ids_and_names_must_be_right(catalog: &mut dyn Catalog) {
    let site = site(catalog);
    running(catalog, &site, b'F', 100);
    let again = NewJob { job: "nightly.70.100".into(), ..Default::default() };
    let kind = |catalog: &mut dyn Catalog, request| refused(catalog, request).kind;
    assert_eq!(kind(catalog, CatalogRequest::CreateJob(again)), CatalogErrorKind::Constraint);
    let nobody = ended(&site, 77, b'F', 1, 1);
    assert_eq!(kind(catalog, CatalogRequest::EndJob(Box::new(nobody))), CatalogErrorKind::Constraint);
    let mut batch = UpdCatBatch::new();
    batch.push(&attributes(1, 3, b"/a", 0));
    assert_eq!(kind(catalog, CatalogRequest::InsertFiles { job_id: 77, batch }), CatalogErrorKind::Constraint);
    let uname = CatalogRequest::UpdateClientUname { client: "nobody".into(), uname: String::new() };
    assert_eq!(kind(catalog, uname), CatalogErrorKind::Constraint);
}

pub(crate) fn a_number_is_as_high_as_it_is_to_be_and_the_next_goes_on_from_there(catalog: &mut dyn Catalog) {
    assert_eq!(id(catalog, CatalogRequest::MaxJobId), 0);
    let mut create = |job: &str, at_least| {
        let new = NewJob { job: job.into(), name: "n".into(), at_least, ..Default::default() };
        id(catalog, CatalogRequest::CreateJob(new))
    };
    let first = create("n.1", 0);
    assert_eq!(create("n.2", first), first + 1, "it is higher than that anyway");
    assert_eq!(create("n.3", 500), 500);
    assert_eq!(create("n.4", 0), 501);
    assert_eq!(id(catalog, CatalogRequest::MaxJobId), 501);
    let rows = jobs(catalog, CatalogRequest::ListJobs(JobFilter::default()));
    assert_eq!(rows.iter().map(|row| (row.job_id, row.job.as_str())).next(), Some((501, "n.4")));
}

pub(crate) fn jobs_are_listed_newest_first_and_filtered(catalog: &mut dyn Catalog) {
    let site = site(catalog);
    let first = backup(catalog, &site, b'F', 100, &[]);
    let second = backup(catalog, &site, b'I', 200, &[]);
    let third = running(catalog, &site, b'I', 300);
    let mut ids =
        |filter| -> Vec<u32> { jobs(catalog, CatalogRequest::ListJobs(filter)).iter().map(|j| j.job_id).collect() };
    assert_eq!(ids(JobFilter::default()), [third, second, first]);
    assert_eq!(ids(JobFilter { limit: 1, ..Default::default() }), [third]);
    assert_eq!(ids(JobFilter { statuses: b"TW".to_vec(), ..Default::default() }), [second, first]);
    let oldest = |limit, offset| JobFilter { oldest_first: true, limit, offset, ..Default::default() };
    assert_eq!(ids(oldest(2, 0)), [first, second]);
    assert_eq!(ids(oldest(2, 1)), [second, third]);
    assert_eq!(ids(JobFilter { last: true, ..Default::default() }), [third]);
    let last_good =
        JobFilter { last: true, statuses: b"TW".to_vec(), client: Some("alpha-fd".into()), ..Default::default() };
    assert_eq!(ids(last_good), [second]);
    assert_eq!(ids(JobFilter { types: b"R".to_vec(), ..Default::default() }), Vec::<u32>::new());
    assert_eq!(ids(JobFilter { levels: b"FDI".to_vec(), ..Default::default() }), [third, second, first]);
    assert_eq!(ids(JobFilter { since: Some(i64::MAX), ..Default::default() }), Vec::<u32>::new());
    assert_eq!(ids(JobFilter { since: Some(0), ..Default::default() }), [third, second, first]);
    assert_eq!(ids(JobFilter { client: Some("alpha-fd".into()), limit: 2, ..Default::default() }), [third, second]);
    assert_eq!(ids(JobFilter { name: Some("weekly".into()), ..Default::default() }), Vec::<u32>::new());
    assert_eq!(ids(JobFilter { job: Some("nightly.70.100".into()), ..Default::default() }), [first]);
}

pub(crate) fn levels_build_on_the_newest_good_job_of_the_same_file_set(catalog: &mut dyn Catalog) {
    let site = site(catalog);
    let last = |site: &Site, file_set_id| CatalogRequest::LastJobs {
        name: "nightly".into(),
        client_id: site.client_id,
        file_set_id,
        now: 1_000,
    };
    assert!(choose_level(b'I', &last_jobs(catalog, last(&site, site.file_set_id))).upgraded);
    let full = backup(catalog, &site, b'F', 100, &[]);
    let incremental = backup(catalog, &site, b'I', 200, &[]);
    let failed = running(catalog, &site, b'I', 300);
    let end = JobEnd { job_status: b'f', ..ended(&site, failed, b'I', 305, 0) };
    ask(catalog, CatalogRequest::EndJob(Box::new(end)));
    let found = last_jobs(catalog, last(&site, site.file_set_id));
    assert_eq!(choose_level(b'I', &found).base_job_id, incremental);
    assert_eq!(choose_level(b'I', &found).since, 200);
    assert_eq!(choose_level(b'D', &found).base_job_id, full);
    let changed = FileSetSpec { file_set: "home".into(), md5: "m2".into(), ..Default::default() };
    let changed = id(catalog, CatalogRequest::EnsureFileSet(changed));
    assert_ne!(changed, site.file_set_id);
    assert!(choose_level(b'I', &last_jobs(catalog, last(&site, changed))).upgraded);
}

pub(crate) fn a_virtual_full_stands_where_the_last_of_its_jobs_stood(catalog: &mut dyn Catalog) {
    let site = site(catalog);
    let full = backup(catalog, &site, b'F', 100, &[attributes(1, 3, b"/a", 0), attributes(2, 3, b"/b", 0)]);
    let gone = [attributes(1, 23, b"/a", 0), attributes(2, 23, b"/b", 0), attributes(3, 3, b"/c", 0)];
    let first = backup(catalog, &site, b'I', 200, &gone);
    let back = [attributes(1, 3, b"/a", 0), attributes(2, 23, b"/c", 0)];
    let second = backup(catalog, &site, b'I', 300, &back);
    let later = backup(catalog, &site, b'I', 400, &[attributes(1, 3, b"/d", 0)]);
    let virtual_full = running(catalog, &site, b'f', 1_000);
    stored(catalog, virtual_full, &[attributes(1, 3, b"/a", 0)]);
    let stands_for = |last, purged: &[u32]| {
        let deleted_of = vec![first, second];
        let stands_for = StandsFor { last, deleted_of, purged: purged.to_vec() };
        let end = JobEnd { stands_for: Some(Box::new(stands_for)), ..ended(&site, virtual_full, b'I', 1_005, 1) };
        CatalogRequest::EndJob(Box::new(end))
    };
    // Nothing of it is stored if the last of its jobs has gone.
    assert_eq!(refused(catalog, stands_for(99, &[full])).kind, CatalogErrorKind::Constraint);
    let row = |catalog: &mut dyn Catalog| {
        let rows = jobs(catalog, CatalogRequest::JobsById(vec![virtual_full]));
        assert_eq!(rows.len(), 1);
        rows[0].clone()
    };
    assert_eq!((row(catalog).level, row(catalog).origin), (b'f', 0));
    ask(catalog, stands_for(second, &[first, second]));
    let found = row(catalog);
    assert_eq!((found.level, found.origin, found.prior_job_id, found.place()), (b'I', second, 0, second));
    assert_eq!((found.start_time, found.end_time, found.job_t_date, found.real_end_time), (300, 305, 305, 1_005));
    let mut names: Vec<_> =
        listed(catalog, virtual_full).into_iter().map(|file| (file.name, file.file_index)).collect();
    names.sort();
    assert_eq!(names, [(b"/a".to_vec(), 1), (b"/b".to_vec(), 0), (b"/c".to_vec(), 0)]);
    let mut left: Vec<u32> =
        jobs(catalog, CatalogRequest::ListJobs(JobFilter::default())).iter().map(|row| row.job_id).collect();
    left.sort_unstable();
    assert_eq!(left, [full, later, virtual_full], "the two are purged");
    let request = CatalogRequest::JobsForRestore {
        client: "alpha-fd".into(),
        name: None,
        file_set: None,
        before: i64::MAX,
        now: 2_000,
    };
    let chain: Vec<u32> = jobs(catalog, request).iter().map(|row| row.job_id).collect();
    assert_eq!(chain, [full, virtual_full, later], "in the order of their places");
}

/// An engine chooses as the functions of the core do over all rows, whatever the clocks said.
pub(crate) fn jobs_are_ordered_by_their_numbers_and_not_by_a_clock(catalog: &mut dyn Catalog) {
    let site = site(catalog);
    let at = |catalog: &mut dyn Catalog, level, time| backup(catalog, &site, level, time, &[]);
    let first = at(catalog, b'F', 100);
    at(catalog, b'I', 200);
    let ahead = at(catalog, b'F', 90_000);
    let incremental = at(catalog, b'I', 300);
    let migrated = at(catalog, b'F', 400);
    let adopt = AdoptOriginal { job_id: migrated, job_type: b'B', original: ahead, original_type: b'M', purges: false };
    ask(catalog, CatalogRequest::AdoptOriginal(adopt));
    let again = at(catalog, b'F', 500);
    let adopt = AdoptOriginal { job_id: again, job_type: b'B', original: migrated, original_type: b'M', purges: false };
    ask(catalog, CatalogRequest::AdoptOriginal(adopt));
    let differential = at(catalog, b'D', 600);
    let rows = jobs(catalog, CatalogRequest::ListJobs(JobFilter::default()));
    let row = rows.iter().find(|row| row.job_id == again).unwrap();
    assert_eq!((row.prior_job_id, row.origin, row.place()), (migrated, ahead, ahead));
    assert_eq!((row.sched_time, row.start_time), (89_999, 90_000));
    for now in [250, 1_000, 100_000] {
        let (name, client_id, file_set_id) = ("nightly", site.client_id, site.file_set_id);
        let found = last_jobs(catalog, CatalogRequest::LastJobs { name: name.into(), client_id, file_set_id, now });
        let expected = last_jobs_of(rows.iter(), (name, client_id, file_set_id), now);
        assert_eq!(found, expected, "{now}");
        assert_eq!(found.newest.iter().map(|row| row.job_id).collect::<Vec<_>>(), [again, differential, incremental]);
        for before in [0, 100, 101, 250, 350, 450, 650, 90_000, i64::MAX] {
            for name in [None, Some("nightly"), Some("weekly")] {
                let request = CatalogRequest::JobsForRestore {
                    client: "alpha-fd".into(),
                    name: name.map(str::to_owned),
                    file_set: None,
                    before,
                    now,
                };
                let expected = jobs_for_restore(rows.iter(), ("alpha-fd", name, None), before, now);
                assert_eq!(jobs(catalog, request), expected, "{before} {now}");
            }
        }
    }
    let before = |catalog: &mut dyn Catalog, before| {
        let client = "alpha-fd".into();
        let request = CatalogRequest::JobsForRestore { client, name: None, file_set: None, before, now: 1_000 };
        jobs(catalog, request).iter().map(|row| row.job_id).collect::<Vec<_>>()
    };
    assert_eq!(before(catalog, 350), [again, incremental]);
    assert_eq!(before(catalog, 150), [first]);
    for (uncopied, after, limit) in [(false, 0, 9), (true, 0, 9), (true, 1, 2), (false, differential, 9)] {
        let request = CatalogRequest::JobsToCopy { pool_id: site.pool_id, uncopied, after, limit };
        assert_eq!(jobs(catalog, request), jobs_to_copy(rows.iter(), site.pool_id, uncopied, after, limit));
    }
    let newest = |name: Option<&str>| CatalogRequest::NewestBackup { name: name.map(str::to_owned), client: None };
    assert_eq!(jobs(catalog, newest(None))[0].job_id, differential);
    assert_eq!(jobs(catalog, newest(Some("weekly"))), []);
}

pub(crate) fn of_jobs_with_any_times_those_are_sound_that_the_rule_over_rows_finds(catalog: &mut dyn Catalog) {
    let site = site(catalog);
    let mut state = 1_u64;
    let mut draw = |below: u64| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % below
    };
    let mut clock = 1_000_i64;
    for number in 1..=120_u32 {
        // A clock that goes on, stands, jumps ahead and is put right.
        clock += [10, 10, 10, 0, 500, -400][usize::try_from(draw(6)).unwrap()];
        let level = b"FDI"[usize::try_from(draw(3)).unwrap()];
        let new = NewJob {
            job: format!("job.{number}"),
            name: if draw(4) == 0 { "weekly" } else { "nightly" }.into(),
            job_type: b'B',
            level,
            client_id: site.client_id,
            sched_time: clock,
            at_least: 0,
            comment: String::new(),
        };
        let job_id = id(catalog, CatalogRequest::CreateJob(new));
        let start_time = clock + i64::try_from(draw(30)).unwrap();
        ask(
            catalog,
            CatalogRequest::StartJob(JobStart {
                job_id,
                job_status: b'R',
                level,
                start_time,
                client_id: site.client_id,
                pool_id: site.pool_id,
                file_set_id: site.file_set_id,
                ..Default::default()
            }),
        );
        let job_status = if draw(5) == 0 { b'f' } else { b'T' };
        let end = JobEnd { job_status, ..ended(&site, job_id, level, start_time + 1, 1) };
        ask(catalog, CatalogRequest::EndJob(Box::new(end)));
        if job_id > 1 && draw(6) == 0 {
            let original = 1 + u32::try_from(draw(u64::from(job_id - 1))).unwrap();
            let (job_type, original_type) = if draw(2) == 0 { (b'C', b'B') } else { (b'B', b'M') };
            ask(
                catalog,
                CatalogRequest::AdoptOriginal(AdoptOriginal {
                    job_id,
                    job_type,
                    original,
                    original_type,
                    purges: false,
                }),
            );
        }
        if job_id.is_multiple_of(10) {
            let mut rows =
                jobs(catalog, CatalogRequest::ListJobs(JobFilter { oldest_first: true, ..Default::default() }));
            rows.sort_by_key(|row| row.job_id);
            for (name, now) in
                [("nightly", clock), ("nightly", clock - 300), ("weekly", clock + 1_000), ("none", clock)]
            {
                let (client_id, file_set_id) = (site.client_id, site.file_set_id);
                let request = CatalogRequest::LastJobs { name: name.into(), client_id, file_set_id, now };
                let found = last_jobs(catalog, request);
                let wanted = last_jobs_of(rows.iter(), (name, client_id, file_set_id), now);
                assert_eq!(found, wanted, "{name} at {now} after {job_id} jobs");
            }
        }
    }
}

pub(crate) fn jobs_left_running_by_a_crash_become_failed(catalog: &mut dyn Catalog) {
    let site = site(catalog);
    let good = backup(catalog, &site, b'F', 100, &[]);
    let crashed = running(catalog, &site, b'I', 200);
    assert_eq!(ask(catalog, CatalogRequest::MarkUnfinishedJobsFailed { now: 300 }), CatalogAnswer::Changed(1));
    assert_eq!(ask(catalog, CatalogRequest::MarkUnfinishedJobsFailed { now: 301 }), CatalogAnswer::Changed(0));
    let rows = jobs(catalog, CatalogRequest::ListJobs(JobFilter::default()));
    let seen: Vec<_> = rows.iter().map(|j| (j.job_id, j.job_status, j.end_time)).collect();
    assert_eq!(seen, [(crashed, b'f', 300), (good, b'T', 105)]);
}

pub(crate) fn the_configuration_is_updated_in_place(catalog: &mut dyn Catalog) {
    let site = site(catalog);
    let client = ClientSpec { name: "alpha-fd".into(), auto_prune: true, file_retention: 60, job_retention: 120 };
    assert_eq!(id(catalog, CatalogRequest::EnsureClient(client.clone())), site.client_id);
    let uname = CatalogRequest::UpdateClientUname { client: "alpha-fd".into(), uname: "1.0 Linux".into() };
    assert_eq!(ask(catalog, uname), CatalogAnswer::Done);
    let expected = ClientRow { client_id: site.client_id, spec: client, uname: "1.0 Linux".into() };
    assert_eq!(ask(catalog, CatalogRequest::ListClients), CatalogAnswer::Clients(vec![expected]));
    let storage = |auto_changer| CatalogRequest::EnsureStorage { name: "sd".into(), auto_changer };
    assert_eq!(id(catalog, storage(false)), id(catalog, storage(true)));
    let pool = PoolRow { name: "Full".into(), max_vols: 5, ..Default::default() };
    assert_eq!(id(catalog, CatalogRequest::EnsurePool(Box::new(pool))), site.pool_id);
}

pub(crate) fn reports_keep_their_order_and_follow_a_migrated_job(catalog: &mut dyn Catalog) {
    let site = site(catalog);
    let original = backup(catalog, &site, b'F', 100, &[attributes(1, 3, b"/a", 0)]);
    let line = |(time, text): (i64, &str)| LogRow { job_id: original, time, text: text.into() };
    ask(catalog, CatalogRequest::AddLogs([(101, "first"), (101, "second")].map(line).into()));
    ask(catalog, CatalogRequest::AddLogs([(100, "third")].map(line).into()));
    let texts = |catalog: &mut dyn Catalog, job_id| match ask(catalog, CatalogRequest::JobLog { job_id }) {
        CatalogAnswer::Log(lines) => lines.into_iter().map(|l| l.text).collect::<Vec<_>>(),
        other => panic!("{other:?}"),
    };
    assert_eq!(texts(catalog, original), ["first", "second", "third"]);
    let copy = backup(catalog, &site, b'F', 500, &[attributes(1, 3, b"/a", 0)]);
    let adopt = AdoptOriginal { job_id: copy, job_type: b'C', original, original_type: b'B', purges: false };
    ask(catalog, CatalogRequest::AdoptOriginal(adopt.clone()));
    assert_eq!(texts(catalog, original), texts(catalog, copy));
    let rows = jobs(catalog, CatalogRequest::ListJobs(JobFilter { job_id: Some(copy), ..Default::default() }));
    let row = rows.first().unwrap();
    assert_eq!((row.job_type, row.start_time, row.job_t_date, row.real_end_time), (b'C', 100, 105, 505));
    assert_eq!(row.prior_job_id, original);
    ask(catalog, CatalogRequest::AdoptOriginal(AdoptOriginal { job_type: b'B', original_type: b'M', ..adopt }));
    assert_eq!(texts(catalog, original), Vec::<String>::new());
    assert_eq!(texts(catalog, copy).len(), 6);
    assert_eq!((listed(catalog, original).len(), listed(catalog, copy).len()), (0, 1));
    let rows = jobs(catalog, CatalogRequest::ListJobs(JobFilter { job_id: Some(original), ..Default::default() }));
    assert_eq!(rows.first().map(|r| (r.job_type, r.purged_files)), Some((b'M', true)));
    // One that is to be purged goes altogether, and what was made of it keeps its place and its report.
    let purged = backup(catalog, &site, b'F', 600, &[attributes(1, 3, b"/a", 0)]);
    ask(catalog, CatalogRequest::AddLogs([LogRow { job_id: purged, time: 601, text: "fourth".into() }].into()));
    let moved = backup(catalog, &site, b'F', 700, &[attributes(1, 3, b"/a", 0)]);
    let adopt = AdoptOriginal { job_id: moved, job_type: b'B', original: purged, original_type: b'M', purges: true };
    ask(catalog, CatalogRequest::AdoptOriginal(adopt));
    let rows = jobs(catalog, CatalogRequest::JobsById(vec![purged, moved]));
    let found: Vec<_> = rows.iter().map(|row| (row.job_id, row.prior_job_id, row.place(), row.start_time)).collect();
    assert_eq!(found, [(moved, purged, purged, 600)]);
    assert_eq!(texts(catalog, moved), ["fourth"]);
}

pub(crate) fn a_report_with_a_zero_byte_is_stored(catalog: &mut dyn Catalog) {
    let site = site(catalog);
    let job_id = running(catalog, &site, b'F', 100);
    let line = |text: &str| LogRow { job_id, time: 5, text: text.into() };
    ask(catalog, CatalogRequest::AddLogs([line("before"), line("a\0b"), line("after")].into()));
    match ask(catalog, CatalogRequest::JobLog { job_id }) {
        CatalogAnswer::Log(lines) => {
            assert_eq!((lines[0].text.as_str(), lines[2].text.as_str(), lines.len()), ("before", "after", 3));
            assert!(lines[1].text.starts_with('a') && lines[1].text.ends_with('b'), "{:?}", lines[1].text);
        }
        other => panic!("{other:?}"),
    }
}

pub(crate) fn names_are_ordered_by_their_bytes(catalog: &mut dyn Catalog) {
    for name in ["b", "a-1", "B", "a1", "\u{e9}"] {
        id(catalog, CatalogRequest::EnsureClient(ClientSpec { name: name.into(), ..Default::default() }));
    }
    match ask(catalog, CatalogRequest::ListClients) {
        CatalogAnswer::Clients(rows) => {
            let names: Vec<_> = rows.iter().map(|row| row.spec.name.as_str()).collect();
            assert_eq!(names, ["B", "a-1", "a1", "b", "\u{e9}"]);
        }
        other => panic!("{other:?}"),
    }
}

pub(crate) fn a_job_that_has_ended_is_corrected(catalog: &mut dyn Catalog) {
    let site = site(catalog);
    let old = backup(catalog, &site, b'F', 100, &[]);
    let runs = running(catalog, &site, b'F', 200);
    let row = |catalog: &mut dyn Catalog, id: u32| {
        jobs(catalog, CatalogRequest::ListJobs(JobFilter { job_id: Some(id), ..Default::default() })).remove(0)
    };
    let before = row(catalog, old);
    let correction = JobCorrection {
        job_id: old,
        name: Some("other".to_owned()),
        job_type: Some(b'A'),
        start_time: Some(before.start_time - 50),
        ..JobCorrection::default()
    };
    assert_eq!(changed(catalog, CatalogRequest::CorrectJob(correction.clone())), 1);
    let wanted = JobRow {
        name: "other".to_owned(),
        job_type: b'A',
        start_time: before.start_time - 50,
        sched_time: before.sched_time - 50,
        end_time: before.end_time - 50,
        job_t_date: before.job_t_date - 50,
        ..before
    };
    assert_eq!(row(catalog, old), wanted);
    for id in [runs, 99] {
        let correction = JobCorrection { job_id: id, ..correction.clone() };
        assert_eq!(changed(catalog, CatalogRequest::CorrectJob(correction)), 0, "{id}");
    }
}
