use super::frames::{attributes, digest, with_delta};
use super::*;
use towline_core::catalog::restore_selection::choose_jobs;

type Chosen = Vec<(u32, Vec<(u32, u32)>)>;

fn chosen(catalog: &mut dyn Catalog, jobs: &[u32], only: &[&[u8]]) -> Chosen {
    let only = only.iter().map(|o| o.to_vec()).collect();
    match ask(catalog, CatalogRequest::FilesForRestore { jobs: jobs.to_vec(), only }) {
        CatalogAnswer::RestoreFiles(files) => {
            files.into_iter().map(|f| (f.job_id, f.ranges.iter().map(|r| (r.first, r.last)).collect())).collect()
        }
        other => panic!("{other:?}"),
    }
}

pub(crate) fn files_are_found_by_names_with_wildcards(catalog: &mut dyn Catalog) {
    let site = site(catalog);
    let names: [&[u8]; 7] =
        [b"/a/Keys.KDBX", b"/b/keys.kdbx", b"/b/x-1.txt", b"/b/x_2.txt", b"/\xff/m\xff\xe9.kdbx", b"/b/[1]", b"/kdbx/"];
    let saved: Vec<Vec<u8>> = (1..).zip(names).map(|(at, name)| attributes(at, 3, name, 0)).collect();
    let one = backup(catalog, &site, b'F', 100, &saved);
    let two = backup(catalog, &site, b'I', 200, &[attributes(1, 3, b"/c/new.kdbx", 0)]);
    let mut found = |pattern: &[u8], jobs: &[u32], limit| {
        let name = NamePattern::new(pattern).unwrap();
        let request = CatalogRequest::FindFiles { jobs: jobs.to_vec(), name, limit };
        let CatalogAnswer::FileList { files, next: None } = ask(catalog, request) else { panic!("no list") };
        let mut found: Vec<_> = files.into_iter().map(|file| (file.job_id, file.name)).collect();
        found.sort_unstable();
        found
    };
    let of = |names: &[(u32, &[u8])]| names.iter().map(|(job, name)| (*job, name.to_vec())).collect::<Vec<_>>();
    let [upper, lower, dash, underscore, odd, bracket, _] = names;
    let all = of(&[(one, odd), (one, upper), (one, lower), (two, b"/c/new.kdbx")]);
    let mut sorted = all.clone();
    sorted.sort_unstable();
    assert_eq!(found(b"*.kdbx", &[two, one], 9), sorted);
    assert_eq!(found(b"*.kdbx", &[two, one], 3).len(), 3);
    assert_eq!(found(b"K*", &[two, one], 9), of(&[(one, upper)]));
    assert_eq!(found(b"x?[0-9].txt", &[one], 9), of(&[(one, dash), (one, underscore)]));
    assert_eq!(found(b"x_*", &[one], 9), of(&[(one, underscore)]));
    assert_eq!(found(b"m\xff?.kdbx", &[one], 9), of(&[(one, odd)]));
    assert_eq!(found(b"\\[1]", &[one], 9), of(&[(one, bracket)]));
    assert_eq!(found(b"b/*.txt", &[one], 9), of(&[(one, dash), (one, underscore)]));
    assert_eq!(found(b"nothing", &[two, one], 9), []);
}

pub(crate) fn files_are_stored_with_their_digests_across_batches(catalog: &mut dyn Catalog) {
    let site = site(catalog);
    let job_id = running(catalog, &site, b'F', 100);
    let name = b"/srv/\xff\xfe raw";
    assert_eq!(stored(catalog, job_id, &[attributes(1, 3, b"/srv/a", 0)]).files, 0);
    let second = stored(catalog, job_id, &[digest(1, 3, &[0x6f, 0x59, 0x02]), attributes(2, 3, name, 0)]);
    assert_eq!((second.files, second.refused), (1, 0));
    assert_eq!(listed(catalog, job_id).len(), 1);
    // A piece on a volume is an acknowledgement: what it covers must be there, and its digest may still come.
    let media = volume(catalog, CatalogRequest::CreateMedia(Box::new(new_volume(&site, "v"))));
    let piece = JobMediaRow { job_id, media_id: media.media_id, first_index: 1, last_index: 2, ..Default::default() };
    ask(catalog, CatalogRequest::CreateJobMedia(piece));
    assert_eq!(listed(catalog, job_id).len(), 2);
    stored(catalog, job_id, &[digest(2, 3, &[0x6f, 0x59, 0x02]), attributes(3, 5, b"/srv/", 0)]);
    ask(catalog, CatalogRequest::EndJob(Box::new(ended(&site, job_id, b'F', 105, 3))));
    let seen: Vec<_> = listed(catalog, job_id).into_iter().map(|f| (f.file_index, f.name, f.md5)).collect();
    let expected = [
        (1, b"/srv/a".to_vec(), b"b1kC".to_vec()),
        (2, name.to_vec(), b"b1kC".to_vec()),
        (3, b"/srv/".to_vec(), b"0".to_vec()),
    ];
    assert_eq!(seen, expected);
}

pub(crate) fn rows_after_the_last_file_with_data_are_taken_out_at_the_end(catalog: &mut dyn Catalog) {
    let site = site(catalog);
    let job_id = running(catalog, &site, b'F', 100);
    let other = backup(catalog, &site, b'F', 50, &[attributes(4, 3, b"/a", 0)]);
    let rows: Vec<_> = (1..=4).map(|index| attributes(index, 3, format!("/a/{index}").as_bytes(), 0)).collect();
    stored(catalog, job_id, &rows);
    // The last one still waits for its digest.
    ask(catalog, CatalogRequest::EndJob(Box::new(JobEnd { last_file: Some(2), ..ended(&site, job_id, b'F', 105, 2) })));
    let indexes = |files: Vec<FileRow>| files.iter().map(|file| file.file_index).collect::<Vec<_>>();
    assert_eq!((indexes(listed(catalog, job_id)), indexes(listed(catalog, other))), (vec![1, 2], vec![4]));
}

pub(crate) fn what_its_client_could_not_read_wholly_is_not_there_and_the_version_before_counts(
    catalog: &mut dyn Catalog,
) {
    let site = site(catalog);
    let names = [&b"/d/a"[..], b"/d/b", b"/d/c"];
    let files: Vec<_> = (1..).zip(names).map(|(i, n)| attributes(i, 3, n, 0)).collect();
    let full = backup(catalog, &site, b'F', 100, &files);
    let job_id = running(catalog, &site, b'I', 200);
    let unread = |index| digest(index, 3, &[0; 16]);
    // The first is not stored yet when the mark comes.
    let counts = stored(catalog, job_id, &[attributes(1, 3, names[0], 0), unread(1), attributes(2, 3, names[1], 0)]);
    assert_eq!((counts.files, counts.unread, counts.refused), (0, 1, 0));
    // The second is: a piece on a volume is an acknowledgement.
    let media = volume(catalog, CatalogRequest::CreateMedia(Box::new(new_volume(&site, "v"))));
    let piece = JobMediaRow { job_id, media_id: media.media_id, first_index: 1, last_index: 2, ..Default::default() };
    ask(catalog, CatalogRequest::CreateJobMedia(piece));
    assert_eq!(listed(catalog, job_id).len(), 1);
    let counts = stored(catalog, job_id, &[unread(2), attributes(3, 3, names[2], 0), digest(3, 3, &[1; 16])]);
    assert_eq!((counts.unread, counts.refused, counts.highest), (1, 0, 3));
    ask(catalog, CatalogRequest::EndJob(Box::new(ended(&site, job_id, b'I', 205, 3))));
    assert_eq!(listed(catalog, job_id).into_iter().map(|file| file.name).collect::<Vec<_>>(), [names[2].to_vec()]);
    assert_eq!(listed(catalog, full).len(), 3, "another job's files stay");
    assert_eq!(chosen(catalog, &[full, job_id], &[]), [(full, vec![(1, 2)]), (job_id, vec![(3, 3)])]);
}

pub(crate) fn one_job_without_a_selection_is_one_range(catalog: &mut dyn Catalog) {
    let site = site(catalog);
    let files: Vec<_> = (1..=5).map(|i| attributes(i, 3, format!("/f{i}").as_bytes(), 0)).collect();
    let job = backup(catalog, &site, b'F', 100, &files);
    assert_eq!(chosen(catalog, &[job], &[]), [(job, vec![(1, 5)])]);
    let empty = backup(catalog, &site, b'I', 200, &[]);
    assert_eq!(chosen(catalog, &[empty], &[]), []);
    let unknown = CatalogRequest::FilesForRestore { jobs: vec![99], only: vec![] };
    assert_eq!(refused(catalog, unknown).kind, CatalogErrorKind::Constraint);
}

pub(crate) fn the_newest_version_wins_and_deleted_files_stay_away(catalog: &mut dyn Catalog) {
    let site = site(catalog);
    let names = ["/d/", "/d/a", "/d/b", "/d/c", "/e"];
    let files: Vec<_> = (1..).zip(names).map(|(i, n)| attributes(i, 3, n.as_bytes(), 0)).collect();
    let full = backup(catalog, &site, b'F', 100, &files);
    let first = backup(
        catalog,
        &site,
        b'I',
        200,
        &[attributes(1, 3, b"/d/a", 0), attributes(2, 23, b"/d/c", 0), attributes(3, 3, b"/new", 0)],
    );
    let second = backup(catalog, &site, b'I', 300, &[attributes(1, 3, b"/d/a", 0), attributes(2, 3, b"/d/c", 0)]);
    // The order of the request does not matter, that of the jobs' times does.
    assert_eq!(
        chosen(catalog, &[second, full, first], &[]),
        [(full, vec![(1, 1), (3, 3), (5, 5)]), (first, vec![(3, 3)]), (second, vec![(1, 2)])]
    );
    assert_eq!(
        chosen(catalog, &[full, first], &[]),
        [(full, vec![(1, 1), (3, 3), (5, 5)]), (first, vec![(1, 1), (3, 3)])]
    );
}

pub(crate) fn what_lay_below_a_folder_that_is_none_any_more_is_gone(catalog: &mut dyn Catalog) {
    let site = site(catalog);
    let names = ["/d/sub/x", "/d/sub/", "/d/a", "/d/", "/d0/x", "/d0/", "/file", "/\u{fc}/x", "/\u{fc}/"];
    let files: Vec<_> = (1..).zip(names).map(|(i, n)| attributes(i, 3, n.as_bytes(), 0)).collect();
    let full = backup(catalog, &site, b'F', 100, &files);
    // A link in place of /d, a folder in place of /file.
    let changed = [attributes(1, 4, b"/d", 0), attributes(2, 3, b"/file/x", 0), attributes(3, 5, b"/file/", 0)];
    let first = backup(catalog, &site, b'I', 200, &changed);
    let expected = [(full, vec![(5, 6), (8, 9)]), (first, vec![(1, 3)])];
    assert_eq!(chosen(catalog, &[full, first], &[]), expected);
    assert_eq!(chosen(catalog, &[full, first], &[b"/d/sub/x"]), []);
    assert_eq!(chosen(catalog, &[full, first], &[b"/file", b"/file/"]), [(first, vec![(2, 3)])]);
    // And back: what the full has below /d stays gone, for the incremental says what there is.
    let back = [attributes(1, 3, b"/d/new", 0), attributes(2, 5, b"/d/", 0), attributes(3, 2, "/\u{fc}".as_bytes(), 0)];
    let second = backup(catalog, &site, b'I', 300, &back);
    let expected = [(full, vec![(5, 6)]), (first, vec![(2, 3)]), (second, vec![(1, 3)])];
    assert_eq!(chosen(catalog, &[full, first, second], &[]), expected);
    assert_eq!(chosen(catalog, &[full], &[b"/d/sub/x"]), [(full, vec![(1, 1)])]);
}

pub(crate) fn a_selection_takes_directories_with_all_below_and_single_files(catalog: &mut dyn Catalog) {
    let site = site(catalog);
    let names = ["/d/", "/d/a", "/d/sub/b", "/d0/x", "/d", "/e/f", "/e/g"];
    let files: Vec<_> = (1..).zip(names).map(|(i, n)| attributes(i, 3, n.as_bytes(), 0)).collect();
    let job = backup(catalog, &site, b'F', 100, &files);
    assert_eq!(chosen(catalog, &[job], &[b"/d/"]), [(job, vec![(1, 3)])]);
    assert_eq!(chosen(catalog, &[job], &[b"/e/g", b"/d/a", b"/nowhere/x"]), [(job, vec![(2, 2), (7, 7)])]);
    assert_eq!(chosen(catalog, &[job], &[b"/"]), [(job, vec![(1, 7)])]);
    assert_eq!(chosen(catalog, &[job], &[b"/nowhere/"]), []);
}

pub(crate) fn a_hard_link_brings_the_file_with_its_data(catalog: &mut dyn Catalog) {
    let site = site(catalog);
    let full = backup(
        catalog,
        &site,
        b'F',
        100,
        &[attributes(1, 2, b"/a", 0), attributes(2, 1, b"/b", 1), attributes(3, 3, b"/c", 0)],
    );
    let next = backup(catalog, &site, b'I', 200, &[attributes(1, 3, b"/a", 0)]);
    assert_eq!(chosen(catalog, &[full], &[b"/b"]), [(full, vec![(1, 2)])]);
    // /a of the full is not wanted for itself any more, and still holds the data of /b.
    assert_eq!(chosen(catalog, &[full, next], &[]), [(full, vec![(1, 3)]), (next, vec![(1, 1)])]);
}

pub(crate) fn a_name_twice_in_a_job_counts_once(catalog: &mut dyn Catalog) {
    let site = site(catalog);
    let job = backup(
        catalog,
        &site,
        b'F',
        100,
        &[
            attributes(1, 3, b"/x", 0),
            attributes(2, 3, b"/x", 0),
            attributes(3, 1, b"/l", 1),
            attributes(4, 1, b"/l", 1),
        ],
    );
    assert_eq!(chosen(catalog, &[job], &[b"/x"]), [(job, vec![(2, 2)])]);
    assert_eq!(chosen(catalog, &[job], &[b"/l"]), [(job, vec![(1, 1), (3, 3)])]);
}

pub(crate) fn files_are_found_by_their_names(catalog: &mut dyn Catalog) {
    let site = site(catalog);
    let names = ["/d/", "/d/a", "/d/b", "/e/a", "/d/a", "/\u{e9} b"];
    let files: Vec<_> = (1..).zip(names).map(|(i, n)| attributes(i, 3, n.as_bytes(), 0)).collect();
    let job_id = backup(catalog, &site, b'F', 100, &files);
    backup(catalog, &site, b'I', 200, &[attributes(1, 3, b"/d/b", 0)]);
    let mut find = |names: &[&[u8]]| {
        let names = names.iter().map(|name| name.to_vec()).collect();
        match ask(catalog, CatalogRequest::FilesByName { job_id, names }) {
            CatalogAnswer::FileList { files, next: None } => {
                let mut found: Vec<_> = files.into_iter().map(|file| (file.file_index, file.name)).collect();
                found.sort();
                found
            }
            other => panic!("{other:?}"),
        }
    };
    let (a, b) = (b"/d/a".to_vec(), b"/d/b".to_vec());
    assert_eq!(find(&[b"/d/b", b"/d/a", b"/nowhere/a", b"/d/c"]), [(2, a.clone()), (3, b), (5, a)]);
    assert_eq!(find(&[b"/d/", "/\u{e9} b".as_bytes()]), [(1, b"/d/".to_vec()), (6, names[5].as_bytes().to_vec())]);
    assert_eq!(find(&[]), []);
}

pub(crate) fn a_delta_needs_all_its_parts(catalog: &mut dyn Catalog) {
    let site = site(catalog);
    let part = |delta| [with_delta(1, 3, b"/big", 0, delta)];
    let made: Vec<u32> = [(b'F', 100, 0), (b'I', 200, 0), (b'I', 300, 1), (b'I', 400, 2)]
        .into_iter()
        .map(|(level, time, delta)| backup(catalog, &site, level, time, &part(delta)))
        .collect();
    let expected: Chosen = made[1..].iter().map(|&job| (job, vec![(1, 1)])).collect();
    assert_eq!(chosen(catalog, &made, &[]), expected);
}

pub(crate) fn purged_lists_leave_only_everything(catalog: &mut dyn Catalog) {
    let site = site(catalog);
    let full = backup(catalog, &site, b'F', 100, &[attributes(1, 3, b"/a", 0), attributes(2, 3, b"/b", 0)]);
    let next = backup(catalog, &site, b'I', 200, &[attributes(1, 3, b"/a", 0)]);
    let purged = JobEnd { purged_files: true, ..ended(&site, full, b'F', 105, 2) };
    ask(catalog, CatalogRequest::EndJob(Box::new(purged)));
    assert_eq!(chosen(catalog, &[full, next], &[]), [(full, vec![(1, 2)]), (next, vec![(1, 1)])]);
    let some = CatalogRequest::FilesForRestore { jobs: vec![full, next], only: vec![b"/a".to_vec()] };
    let error = refused(catalog, some);
    assert!(error.text.contains("purged"), "{error}");
}

pub(crate) fn jobs_of_a_restore_are_those_since_the_newest_full_before_a_date(catalog: &mut dyn Catalog) {
    let site = site(catalog);
    let made: Vec<u32> = [(b'F', 100), (b'I', 200), (b'F', 300), (b'I', 400), (b'D', 500), (b'I', 600)]
        .into_iter()
        .map(|(level, time)| backup(catalog, &site, level, time, &[attributes(1, 3, b"/a", 0)]))
        .collect();
    running(catalog, &site, b'F', 700);
    let candidates = |catalog: &mut dyn Catalog, before, file_set: Option<&str>| {
        let file_set = file_set.map(str::to_owned);
        let client = "alpha-fd".into();
        jobs(catalog, CatalogRequest::JobsForRestore { client, name: None, file_set, before, now: 1_000 })
    };
    let picked = |rows: &[JobRow]| choose_jobs(rows, None).unwrap().iter().map(|j| j.job_id).collect::<Vec<_>>();
    let all = candidates(catalog, i64::MAX, None);
    assert_eq!(all.iter().map(|j| j.job_id).collect::<Vec<_>>(), made[2..]);
    assert_eq!(picked(&all), [made[2], made[4], made[5]]);
    assert_eq!(picked(&candidates(catalog, 300, Some("home"))), made[..2]);
    assert_eq!(candidates(catalog, 100, None), []);
    assert_eq!(candidates(catalog, i64::MAX, Some("etc")), []);
}

pub(crate) fn names_of_any_length_are_stored_and_found(catalog: &mut dyn Catalog) {
    let site = site(catalog);
    let long = |letter: char| format!("/{}", format!("{}/", letter.to_string().repeat(250)).repeat(40));
    let file = format!("{}file", long('p'));
    let no_file = format!("/x/{}", noise(5000));
    let job = backup(
        catalog,
        &site,
        b'F',
        100,
        &[attributes(1, 3, file.as_bytes(), 0), attributes(2, 3, no_file.as_bytes(), 0), attributes(3, 3, b"/c", 0)],
    );
    let mut names: Vec<_> = listed(catalog, job).into_iter().map(|file| file.name).collect();
    names.sort();
    assert_eq!(names, [b"/c".to_vec(), file.clone().into_bytes(), no_file.clone().into_bytes()]);
    for (wanted, index) in [(file, 1), (no_file, 2)] {
        let request = CatalogRequest::FilesForRestore { jobs: vec![job], only: vec![wanted.clone().into_bytes()] };
        let ranges = vec![IndexRange { first: index, last: index }];
        let expected = CatalogAnswer::RestoreFiles(vec![RestoreFiles { job_id: job, ranges }]);
        assert_eq!(ask(catalog, request), expected, "{wanted}");
    }
}

/// Text that no index can make smaller.
fn noise(length: usize) -> String {
    let mut state = 1_u32;
    let letters = std::iter::repeat_with(|| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        char::from(b'!' + u8::try_from(state >> 26).unwrap())
    });
    letters.filter(|letter| *letter != '/').take(length).collect()
}

pub(crate) fn many_files_are_walked_page_by_page(catalog: &mut dyn Catalog) {
    let site = site(catalog);
    let name = |n: i32| format!("/d{}/file {n}", n % 7).into_bytes();
    let full: Vec<_> = (1..=9000).map(|n| attributes(n, 3, &name(n), 0)).collect();
    // Every second file once more, so that both lists are longer than a page.
    let changed: Vec<_> = (1..=4200).map(|n| attributes(n, 3, &name(n * 2), 0)).collect();
    let jobs = vec![backup(catalog, &site, b'F', 100, &full), backup(catalog, &site, b'I', 200, &changed)];
    match ask(catalog, CatalogRequest::FilesForRestore { jobs: jobs.clone(), only: Vec::new() }) {
        CatalogAnswer::RestoreFiles(files) => {
            assert_eq!(
                files.iter().map(|f| (f.job_id, f.files())).collect::<Vec<_>>(),
                [(jobs[0], 4800), (jobs[1], 4200)]
            );
        }
        other => panic!("{other:?}"),
    }
}

pub(crate) fn known_files_are_those_of_all_jobs_together_page_by_page(catalog: &mut dyn Catalog) {
    let site = site(catalog);
    let names = |names: &[(i32, u32, &str)]| -> Vec<Vec<u8>> {
        names.iter().map(|(index, kind, name)| attributes(*index, *kind, name.as_bytes(), 0)).collect()
    };
    let full = names(&[(1, 3, "/d/a"), (2, 3, "/d/b"), (3, 3, "/e/c")]);
    let incremental = names(&[(1, 3, "/d/b"), (2, 23, "/e/c"), (3, 3, "/f/new")]);
    let jobs = vec![backup(catalog, &site, b'F', 100, &full), backup(catalog, &site, b'I', 200, &incremental)];
    let mut known = Vec::new();
    let mut after = None;
    loop {
        let request = CatalogRequest::KnownFiles { jobs: jobs.clone(), after: after.take(), limit: 1 };
        let CatalogAnswer::FileList { files, next } = ask(catalog, request) else { panic!("no list") };
        known.extend(files.into_iter().map(|file| (String::from_utf8(file.name).unwrap(), file.file_index)));
        after = next;
        if after.is_none() {
            break;
        }
    }
    known.sort();
    assert_eq!(known, [("/d/a", 1), ("/d/b", 1), ("/f/new", 3)].map(|(name, index)| (name.to_owned(), index)));
}

pub(crate) fn a_page_of_long_names_ends_by_its_bytes_and_none_is_lost(catalog: &mut dyn Catalog) {
    let site = site(catalog);
    // Folders in folders: each name has all that are above it.
    let depth = 100;
    let name = |n: usize| format!("/deep/{}file", "0123456789abcde/".repeat(n * 40));
    let files: Vec<Vec<u8>> = (1..=depth).map(|n| attributes(n as i32, 3, name(n).as_bytes(), 0)).collect();
    let job = backup(catalog, &site, b'F', 100, &files);
    let lists: [fn(u32, Option<FileKey>) -> CatalogRequest; 2] = [
        |job_id, after| CatalogRequest::ListFiles { job_id, after, limit: 1_000 },
        |job, after| CatalogRequest::KnownFiles { jobs: vec![job], after, limit: 1_000 },
    ];
    for list in lists {
        let (mut found, mut pages, mut after) = (Vec::new(), 0, None);
        loop {
            let CatalogAnswer::FileList { files, next } = ask(catalog, list(job, after.take())) else {
                panic!("no list")
            };
            let bytes: usize = files.iter().map(FileRow::bytes).sum();
            let longest = files.iter().map(FileRow::bytes).max().unwrap_or(0);
            assert!(bytes < towline_core::limits::PAGE + longest, "{bytes} bytes in {} rows", files.len());
            found.extend(files.into_iter().map(|file| file.file_index));
            pages += 1;
            after = next;
            if after.is_none() {
                break;
            }
        }
        found.sort_unstable();
        assert_eq!(found, (1..=depth as u32).collect::<Vec<_>>());
        assert!(pages > 10, "{pages} pages");
    }
}
