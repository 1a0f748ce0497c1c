use super::*;

pub(crate) fn a_volume_comes_back_as_it_was_stored(catalog: &mut dyn Catalog) {
    let site = site(catalog);
    let storage_id = id(catalog, CatalogRequest::EnsureStorage { name: "sd".into(), auto_changer: false });
    let mut row = MediaRow {
        slot: -1,
        label_type: 1,
        first_written: 2,
        last_written: 3,
        label_date: 4,
        initial_write: 5,
        vol_jobs: 6,
        vol_files: 7,
        vol_blocks: 8,
        vol_mounts: 9,
        vol_bytes: 1 << 50,
        vol_errors: 10,
        vol_writes: 11,
        vol_capacity_bytes: 12,
        vol_status: VolStatus::ReadOnly,
        enabled: false,
        recycle: true,
        action_on_purge: 13,
        vol_retention: 14,
        vol_use_duration: 15,
        max_vol_jobs: 16,
        max_vol_files: 17,
        max_vol_bytes: 18,
        in_changer: true,
        storage_id,
        vol_read_time: 19,
        vol_write_time: 20,
        recycle_count: 21,
        min_block_size: 22,
        max_block_size: 23,
        scratch_pool_id: 24,
        recycle_pool_id: 25,
        comment: "c".into(),
        ..new_volume(&site, "Full-0001")
    };
    let made = volume(catalog, CatalogRequest::CreateMedia(Box::new(row.clone())));
    (row.media_id, row.revision, row.pool, row.storage) = (made.media_id, made.revision, "Full".into(), "sd".into());
    assert_eq!(made, row);
    assert_eq!(volume(catalog, CatalogRequest::VolumeByName("Full-0001".into())), row);
    let none = ask(catalog, CatalogRequest::VolumeByName("other".into()));
    assert_eq!(none, CatalogAnswer::Volume(None));
    let taken = refused(catalog, CatalogRequest::CreateMedia(Box::new(row)));
    assert_eq!(taken.kind, CatalogErrorKind::Constraint);
}

pub(crate) fn a_stale_row_is_not_stored(catalog: &mut dyn Catalog) {
    let site = site(catalog);
    let row = volume(catalog, CatalogRequest::CreateMedia(Box::new(new_volume(&site, "v"))));
    let first = MediaRow { vol_jobs: 1, ..row.clone() };
    let now = volume(catalog, CatalogRequest::UpdateMedia(Box::new(first)));
    assert_eq!(now.vol_jobs, 1);
    let second = MediaRow { vol_jobs: 9, ..row };
    assert_eq!(
        ask(catalog, CatalogRequest::UpdateMedia(Box::new(second))),
        CatalogAnswer::Stale(Box::new(now.clone()))
    );
    let unknown = MediaRow { media_id: 99, ..now };
    let error = refused(catalog, CatalogRequest::UpdateMedia(Box::new(unknown)));
    assert_eq!(error.kind, CatalogErrorKind::Constraint);
}

pub(crate) fn volumes_are_found_by_pool_and_type(catalog: &mut dyn Catalog) {
    let site = site(catalog);
    assert_eq!(id(catalog, CatalogRequest::MaxMediaId), 0);
    let other = PoolRow { name: "Other".into(), ..Default::default() };
    let other = id(catalog, CatalogRequest::EnsurePool(Box::new(other)));
    let create = |row| CatalogRequest::CreateMedia(Box::new(row));
    volume(catalog, create(new_volume(&site, "a")));
    volume(catalog, create(MediaRow { media_type: "LTO".into(), ..new_volume(&site, "b") }));
    let c = volume(catalog, create(MediaRow { pool_id: other, ..new_volume(&site, "c") }));
    let mut names = |request| match ask(catalog, request) {
        CatalogAnswer::Volumes(rows) => rows.into_iter().map(|r| r.volume_name).collect::<Vec<_>>(),
        answer => panic!("{answer:?}"),
    };
    let of_pool = |pool_id, media_type: Option<&str>| CatalogRequest::VolumesOfPool {
        pool_id,
        media_type: media_type.map(str::to_owned),
    };
    assert_eq!(names(of_pool(site.pool_id, None)), ["a", "b"]);
    assert_eq!(names(of_pool(site.pool_id, Some("File"))), ["a"]);
    assert_eq!(names(CatalogRequest::ListMedia { pool: None }), ["a", "b", "c"]);
    assert_eq!(names(CatalogRequest::ListMedia { pool: Some("Other".into()) }), ["c"]);
    assert_eq!(id(catalog, CatalogRequest::MaxMediaId), c.media_id);
}

fn place(job_id: u32, media_id: u32, indexes: (u32, u32), end_block: u32) -> CatalogRequest {
    CatalogRequest::CreateJobMedia(JobMediaRow {
        job_id,
        media_id,
        first_index: indexes.0,
        last_index: indexes.1,
        start_file: 0,
        end_file: 1,
        start_block: 188,
        end_block,
    })
}

fn pieces(catalog: &mut dyn Catalog, jobs: Vec<u32>) -> Vec<JobMediaPiece> {
    match ask(catalog, CatalogRequest::JobMediaOf { jobs }) {
        CatalogAnswer::Pieces(pieces) => pieces,
        other => panic!("{other:?}"),
    }
}

pub(crate) fn pieces_are_counted_and_place_holders_can_go(catalog: &mut dyn Catalog) {
    let site = site(catalog);
    let storage_id = id(catalog, CatalogRequest::EnsureStorage { name: "sd".into(), auto_changer: false });
    let row = MediaRow { storage_id, ..new_volume(&site, "v") };
    let media_id = volume(catalog, CatalogRequest::CreateMedia(Box::new(row))).media_id;
    let job_id = running(catalog, &site, b'F', 100);
    for (indexes, end_block) in [((0, 0), 0), ((1, 5), 999), ((5, 9), 1999)] {
        assert_eq!(ask(catalog, place(job_id, media_id, indexes, end_block)), CatalogAnswer::Done);
    }
    let ends = volume(catalog, CatalogRequest::VolumeByName("v".into()));
    assert_eq!((ends.end_file, ends.end_block), (1, 1999));
    let order = |pieces: &[JobMediaPiece]| pieces.iter().map(|p| (p.vol_index, p.piece.last_index)).collect::<Vec<_>>();
    assert_eq!(order(&pieces(catalog, vec![job_id, job_id])), [(1, 0), (2, 5), (3, 9)]);
    assert_eq!(ask(catalog, CatalogRequest::DeleteNullJobMedia { job_id }), CatalogAnswer::Done);
    let left = pieces(catalog, vec![job_id]);
    assert_eq!(order(&left), [(2, 5), (3, 9)]);
    let last = left.last().unwrap();
    assert_eq!((last.volume_name.as_str(), last.storage.as_str(), last.enabled), ("v", "sd", true));
    assert_eq!((last.piece.start(), last.piece.end()), (188, (1 << 32) | 1999));
    // The end of the volume is not part of the row that is compared and stored.
    let stored = volume(catalog, CatalogRequest::UpdateMedia(Box::new(MediaRow { end_block: 5, ..ends })));
    assert_eq!(stored.end_block, 1999);
    refused(catalog, place(job_id, 99, (1, 1), 1));
}

pub(crate) fn pruning_takes_old_jobs_and_never_a_running_one(catalog: &mut dyn Catalog) {
    let site = site(catalog);
    let mut make = |name| volume(catalog, CatalogRequest::CreateMedia(Box::new(new_volume(&site, name)))).media_id;
    let (first, second) = (make("v1"), make("v2"));
    let old = backup(catalog, &site, b'F', 100, &[frames::attributes(1, 3, b"/a", 0)]);
    let run = running(catalog, &site, b'I', 110);
    // It lies elsewhere: the old one is not the last.
    backup(catalog, &site, b'F', 2_000, &[frames::attributes(1, 3, b"/a", 0)]);
    for (job, media) in [(old, first), (old, second), (run, second)] {
        ask(catalog, place(job, media, (0, 0), 0));
    }
    let prune = |media_id, before| CatalogRequest::PruneVolume { media_id, before };
    assert_eq!(pruned(catalog, prune(first, 105)).vol_status, VolStatus::Unlabeled, "105 is when it ended");
    assert_eq!(listed(catalog, old).len(), 1);
    assert_eq!(pruned(catalog, prune(second, 1000)).vol_status, VolStatus::Unlabeled, "a job is running on it");
    assert_eq!((listed(catalog, old).len(), pieces(catalog, vec![old]).len()), (0, 0));
    assert_eq!(pieces(catalog, vec![run]).len(), 1);
    assert_eq!(pruned(catalog, prune(first, 1000)).vol_status, VolStatus::Purged);
}

/// A volume after its old jobs have gone, all of them.
fn pruned(catalog: &mut dyn Catalog, request: CatalogRequest) -> MediaRow {
    match ask(catalog, request) {
        CatalogAnswer::Pruned { volume: Some(row), kept } if kept.is_empty() => *row,
        other => panic!("{other:?}"),
    }
}

pub(crate) fn pruning_keeps_the_last_full_and_what_builds_on_it_until_there_is_a_newer_one(catalog: &mut dyn Catalog) {
    let site = site(catalog);
    let media_id = volume(catalog, CatalogRequest::CreateMedia(Box::new(new_volume(&site, "v1")))).media_id;
    let file = || [frames::attributes(1, 3, b"/a", 0)];
    let first = backup(catalog, &site, b'F', 100, &file());
    let last = backup(catalog, &site, b'F', 200, &file());
    let builds = backup(catalog, &site, b'I', 300, &file());
    for job in [first, last, builds] {
        ask(catalog, place(job, media_id, (1, 1), 9));
    }
    let prune = || CatalogRequest::PruneVolume { media_id, before: 1_000 };
    let CatalogAnswer::Pruned { volume: Some(row), kept } = ask(catalog, prune()) else { panic!("no volume") };
    assert_eq!((row.vol_status, kept), (VolStatus::Unlabeled, vec![last, builds]));
    assert_eq!(types(catalog), [(last, 'B'), (builds, 'B')]);
    // A newer one lies elsewhere: they are not needed any more.
    let newer = backup(catalog, &site, b'F', 400, &file());
    assert_eq!(pruned(catalog, prune()).vol_status, VolStatus::Purged);
    assert_eq!(types(catalog), [(newer, 'B')]);
}

/// A job that has ended well and is a good copy of another.
fn copy_of(catalog: &mut dyn Catalog, site: &Site, time: i64, original: u32) -> u32 {
    let job_id = backup(catalog, site, b'F', time, &[frames::attributes(1, 3, b"/a", 0)]);
    let adopt = AdoptOriginal { job_id, job_type: b'C', original, original_type: b'B', purges: false };
    ask(catalog, CatalogRequest::AdoptOriginal(adopt));
    job_id
}

/// The types of all jobs, by number.
fn types(catalog: &mut dyn Catalog) -> Vec<(u32, char)> {
    let rows = jobs(catalog, CatalogRequest::ListJobs(JobFilter::default()));
    let mut types: Vec<_> = rows.iter().map(|row| (row.job_id, char::from(row.job_type))).collect();
    types.sort_unstable();
    types
}

pub(crate) fn a_copy_becomes_a_backup_when_its_original_is_pruned(catalog: &mut dyn Catalog) {
    let site = site(catalog);
    let mut make = |name| volume(catalog, CatalogRequest::CreateMedia(Box::new(new_volume(&site, name)))).media_id;
    let (first, second, third) = (make("v1"), make("v2"), make("v3"));
    let original = backup(catalog, &site, b'F', 100, &[frames::attributes(1, 3, b"/a", 0)]);
    let other = backup(catalog, &site, b'F', 101, &[frames::attributes(1, 3, b"/b", 0)]);
    let (one, two) = (copy_of(catalog, &site, 200, original), copy_of(catalog, &site, 300, original));
    let of_other = copy_of(catalog, &site, 400, other);
    for (job, media) in [(original, first), (one, second), (two, third), (of_other, third)] {
        ask(catalog, place(job, media, (1, 1), 9));
    }
    let good = |catalog: &mut dyn Catalog| {
        let client = "alpha-fd".to_owned();
        let request = CatalogRequest::JobsForRestore { client, name: None, file_set: None, before: 1_000, now: 1_000 };
        jobs(catalog, request).iter().map(|row| row.job_id).collect::<Vec<_>>()
    };
    assert_eq!(good(catalog), [other], "the newest full backup; no copy counts");
    let prune = |media_id| CatalogRequest::PruneVolume { media_id, before: 1_000 };
    pruned(catalog, prune(first));
    assert_eq!(types(catalog), [(other, 'B'), (one, 'B'), (two, 'C'), (of_other, 'C')]);
    // The next one follows it, and a copy whose original is there stays one.
    pruned(catalog, prune(second));
    assert_eq!(types(catalog), [(other, 'B'), (two, 'B'), (of_other, 'C')]);
    pruned(catalog, prune(second));
    assert_eq!(types(catalog), [(other, 'B'), (two, 'B'), (of_other, 'C')], "once");
}

pub(super) fn changed(catalog: &mut dyn Catalog, request: CatalogRequest) -> u64 {
    match ask(catalog, request) {
        CatalogAnswer::Changed(changed) => changed,
        other => panic!("{other:?}"),
    }
}

pub(crate) fn jobs_and_volumes_are_deleted_and_files_purged(catalog: &mut dyn Catalog) {
    let site = site(catalog);
    let media_id = volume(catalog, CatalogRequest::CreateMedia(Box::new(new_volume(&site, "v1")))).media_id;
    let old = backup(catalog, &site, b'F', 100, &[frames::attributes(1, 3, b"/a", 0)]);
    let runs = running(catalog, &site, b'F', 200);
    stored(catalog, runs, &[frames::attributes(1, 3, b"/b", 0)]);
    ask(catalog, CatalogRequest::AddLogs([LogRow { job_id: old, time: 1, text: "x".into() }].into()));
    ask(catalog, place(old, media_id, (1, 1), 9));
    // A job that runs keeps what it has, and so does a volume that holds one.
    assert_eq!(changed(catalog, CatalogRequest::PurgeFiles(vec![old, runs, 99])), 1);
    assert_eq!(listed(catalog, old).len(), 0);
    assert!(
        jobs(catalog, CatalogRequest::ListJobs(JobFilter { job_id: Some(old), ..Default::default() }))[0].purged_files
    );
    assert_eq!(refused(catalog, CatalogRequest::DeleteMedia { media_id }).kind, CatalogErrorKind::Constraint);
    assert_eq!(changed(catalog, CatalogRequest::DeleteJobs(vec![old, runs, 99])), 1);
    let left = jobs(catalog, CatalogRequest::ListJobs(JobFilter::default()));
    assert_eq!(left.iter().map(|job| job.job_id).collect::<Vec<_>>(), [runs]);
    assert_eq!(ask(catalog, CatalogRequest::JobLog { job_id: old }), CatalogAnswer::Log(Vec::new()));
    assert_eq!(changed(catalog, CatalogRequest::DeleteMedia { media_id }), 1);
    assert_eq!(ask(catalog, CatalogRequest::VolumeByName("v1".into())), CatalogAnswer::Volume(None));
    assert_eq!(changed(catalog, CatalogRequest::DeleteMedia { media_id }), 0);
}

pub(crate) fn the_files_of_a_folder_go_and_the_jobs_stay(catalog: &mut dyn Catalog) {
    let site = site(catalog);
    let names: [&[u8]; 5] = [b"/a", b"/home/", b"/home/x", b"/home/me/y", b"/homes/z"];
    let files = || (1..).zip(names).map(|(index, name)| frames::attributes(index, 3, name, 0)).collect::<Vec<_>>();
    let (old, runs) = (backup(catalog, &site, b'F', 100, &files()), running(catalog, &site, b'F', 200));
    stored(catalog, runs, &files());
    let running = listed(catalog, runs);
    assert!(running.iter().any(|row| row.name.starts_with(b"/home/")));
    let mut purge = |path: &[u8], recursive, client: Option<&str>| {
        let (path, client) = (path.to_vec(), client.map(str::to_owned));
        changed(catalog, CatalogRequest::PurgeFolder { path, recursive, client })
    };
    assert_eq!(purge(b"/home/", true, Some("nobody")), 0);
    assert_eq!(purge(b"/nowhere/", true, None), 0);
    assert_eq!(purge(b"/home/", false, None), 2, "the folder, and the file in it");
    assert_eq!(purge(b"/home/", true, None), 1, "what is below it");
    let left: Vec<Vec<u8>> = listed(catalog, old).into_iter().map(|row| row.name).collect();
    assert_eq!(left, [&b"/a"[..], b"/homes/z"]);
    assert_eq!(listed(catalog, runs), running, "a job that runs keeps what it has");
}

pub(crate) fn a_pool_and_a_storage_go_once_no_volume_is_theirs(catalog: &mut dyn Catalog) {
    let site = site(catalog);
    let storage_id = id(catalog, CatalogRequest::EnsureStorage { name: "sd".into(), auto_changer: false });
    let row = MediaRow { storage_id, ..new_volume(&site, "v1") };
    let row = volume(catalog, CatalogRequest::CreateMedia(Box::new(row)));
    let (media_id, pool) = (row.media_id, row.pool);
    let storages = |catalog: &mut dyn Catalog| match ask(catalog, CatalogRequest::List(Listing::Storages)) {
        CatalogAnswer::Listed(Listed::Storages(rows)) => rows.len(),
        other => panic!("{other:?}"),
    };
    let both = [CatalogRequest::DeletePool(pool), CatalogRequest::DeleteStorage("sd".into())];
    for request in both.clone() {
        assert_eq!(refused(catalog, request).kind, CatalogErrorKind::Constraint);
    }
    assert_eq!(changed(catalog, CatalogRequest::DeleteMedia { media_id }), 1);
    let before = storages(catalog);
    for request in both {
        assert_eq!(changed(catalog, request.clone()), 1);
        assert_eq!(changed(catalog, request), 0, "it is gone");
    }
    assert_eq!(storages(catalog), before - 1);
}

pub(crate) fn jobs_are_found_by_a_file_and_by_their_volume(catalog: &mut dyn Catalog) {
    let site = site(catalog);
    let media_id = volume(catalog, CatalogRequest::CreateMedia(Box::new(new_volume(&site, "v1")))).media_id;
    let one = backup(catalog, &site, b'F', 100, &[frames::attributes(1, 3, b"/etc/x", 0)]);
    let two = backup(catalog, &site, b'I', 200, &[frames::attributes(1, 3, b"/home/x", 0)]);
    let three = backup(catalog, &site, b'I', 300, &[frames::attributes(1, 3, b"/home/y", 0)]);
    ask(catalog, place(one, media_id, (1, 1), 9));
    ask(catalog, place(three, media_id, (1, 1), 9));
    let ids = |rows: Vec<JobRow>| rows.iter().map(|row| row.job_id).collect::<Vec<_>>();
    let with = |client: &str, name: &[u8], limit| CatalogRequest::JobsWithFile {
        client: client.into(),
        name: name.to_vec(),
        limit,
    };
    assert_eq!(ids(jobs(catalog, with("alpha-fd", b"x", 9))), [two, one]);
    assert_eq!(ids(jobs(catalog, with("alpha-fd", b"x", 1))), [two]);
    assert_eq!(ids(jobs(catalog, with("beta-fd", b"x", 9))), [0_u32; 0]);
    assert_eq!(ids(jobs(catalog, CatalogRequest::JobsOnVolume { media_id })), [one, three]);
    let known = CatalogRequest::KnownFiles { jobs: vec![one, two], after: None, limit: 9 };
    let CatalogAnswer::FileList { files, .. } = ask(catalog, known) else { panic!("no list") };
    let mut owners: Vec<_> = files.iter().map(|file| (file.job_id, file.name.as_slice())).collect();
    owners.sort_unstable();
    assert_eq!(owners, [(one, &b"/etc/x"[..]), (two, b"/home/x")]);
}
