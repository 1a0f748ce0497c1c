//! Browsing folders, whatever the engine.

use super::frames::{attributes, with_delta};
use super::*;
use towline_core::catalog::browse::{Browse, Browsed, Entry, Folder, Place, Step, Version, Within};

fn asked(catalog: &mut dyn Catalog, browse: Browse) -> Browsed {
    match ask(catalog, CatalogRequest::Browse(browse)) {
        CatalogAnswer::Browsed(browsed) => browsed,
        other => panic!("{other:?}"),
    }
}

/// Learns the folders of all these jobs, as far as they are not learned. Returns those that were not.
fn learn(catalog: &mut dyn Catalog, jobs: &[u32]) -> Vec<u32> {
    let Browsed::Jobs(unlearned) = asked(catalog, Browse::Unlearned(jobs.to_vec())) else { panic!("no jobs") };
    for &job_id in &unlearned {
        let mut step = Some(Step::FIRST);
        while let Some(now) = step {
            let Browsed::Learned(next) = asked(catalog, Browse::Learn { job_id, step: now }) else { panic!("no step") };
            step = next;
        }
    }
    unlearned
}

fn folder(catalog: &mut dyn Catalog, path: &str) -> Folder {
    match asked(catalog, Browse::Folder(Place::Path(path.into()))) {
        Browsed::Folder(Some(folder)) => folder,
        other => panic!("{path}: {other:?}"),
    }
}

fn within(catalog: &mut dyn Catalog, jobs: &[u32], path: &str) -> Within {
    Within { jobs: jobs.to_vec(), path_id: folder(catalog, path).path_id, limit: 100, offset: 0 }
}

fn names(browsed: Browsed) -> Vec<(String, u32, u32)> {
    let Browsed::Entries(entries) = browsed else { panic!("{browsed:?}") };
    let row = |entry: Entry| (String::from_utf8_lossy(&entry.name).into_owned(), entry.job_id, entry.file_index);
    entries.into_iter().map(row).collect()
}

fn folders(catalog: &mut dyn Catalog, jobs: &[u32], path: &str) -> Vec<(String, u32, u32)> {
    let within = within(catalog, jobs, path);
    names(asked(catalog, Browse::Folders(within)))
}

fn files(catalog: &mut dyn Catalog, jobs: &[u32], path: &str) -> Vec<(String, u32, u32)> {
    let within = within(catalog, jobs, path);
    names(asked(catalog, Browse::Files(within)))
}

/// A full backup and an incremental one after it that changed, deleted and added.
fn two_jobs(catalog: &mut dyn Catalog) -> (u32, u32) {
    let site = site(catalog);
    let full = backup(
        catalog,
        &site,
        b'F',
        100,
        &[
            attributes(1, 3, b"/home/a/one", 0),
            attributes(2, 3, b"/home/a/two", 0),
            attributes(3, 5, b"/home/a/", 0),
            attributes(4, 3, b"/home/b/deep/er/file", 0),
            attributes(5, 3, b"/etc/conf", 0),
        ],
    );
    let changed = backup(
        catalog,
        &site,
        b'I',
        200,
        &[
            attributes(1, 3, b"/home/a/two", 0),
            attributes(2, 23, b"/home/a/one", 0),
            attributes(3, 3, b"/home/a/new", 0),
        ],
    );
    (full, changed)
}

fn row(name: &str, job_id: u32, file_index: u32) -> (String, u32, u32) {
    (name.to_owned(), job_id, file_index)
}

pub(crate) fn a_folder_shows_what_its_jobs_have_in_it(catalog: &mut dyn Catalog) {
    let (full, changed) = two_jobs(catalog);
    assert_eq!(learn(catalog, &[full, changed]), [full, changed]);
    assert_eq!(learn(catalog, &[full, changed]), [0; 0], "once");
    let both = [changed, full];
    assert_eq!(folders(catalog, &both, ""), [row("/", 0, 0)]);
    assert_eq!(folders(catalog, &both, "/"), [row("/etc/", 0, 0), row("/home/", 0, 0)]);
    assert_eq!(folders(catalog, &[changed], "/"), [row("/home/", 0, 0)], "what this job has");
    assert_eq!(folders(catalog, &both, "/home/"), [row("/home/a/", full, 3), row("/home/b/", 0, 0)]);
    assert_eq!(folders(catalog, &both, "/home/b/"), [row("/home/b/deep/", 0, 0)]);
    assert_eq!(files(catalog, &both, "/home/a/"), [row("new", changed, 3), row("two", changed, 1)]);
    assert_eq!(files(catalog, &[full], "/home/a/"), [row("one", full, 1), row("two", full, 2)]);
    assert_eq!(files(catalog, &both, "/home/b/"), [], "a folder of folders");
    let home = folder(catalog, "/home/");
    assert_eq!(folder(catalog, "/home/a/").parent, home.path_id);
    assert_eq!(folder(catalog, "").parent, 0);
    assert_eq!(asked(catalog, Browse::Folder(Place::Id(home.path_id))), Browsed::Folder(Some(home)));
    assert_eq!(asked(catalog, Browse::Folder(Place::Path(b"/nowhere/".to_vec()))), Browsed::Folder(None));
    let path_id = folder(catalog, "/home/a/").path_id;
    assert_eq!(names(asked(catalog, Browse::Itself { jobs: both.to_vec(), path_id })), [row("", full, 3)]);
}

pub(crate) fn a_list_of_a_folder_has_a_limit_and_goes_on(catalog: &mut dyn Catalog) {
    let site = site(catalog);
    let payloads: Vec<Vec<u8>> = (0..2_500)
        .flat_map(|n| {
            let (file, inner) = (format!("/d/f{n:04}"), format!("/d/sub{n:04}/x"));
            [attributes(2 * n + 1, 3, file.as_bytes(), 0), attributes(2 * n + 2, 3, inner.as_bytes(), 0)]
        })
        .collect();
    let job = backup(catalog, &site, b'F', 100, &payloads);
    learn(catalog, &[job]);
    let all = within(catalog, &[job], "/d/");
    for (offset, limit, count, first, sub) in [
        (0, 2, 2, "f0000", "/d/sub0000/"),
        (2_498, 10, 2, "f2498", "/d/sub2498/"),
        (1_100, 1_200, 1_200, "f1100", "/d/sub1100/"),
    ] {
        let page = Within { limit, offset, ..all.clone() };
        let found = names(asked(catalog, Browse::Files(page.clone())));
        assert_eq!((found.len(), found[0].0.as_str()), (count, first));
        let found = names(asked(catalog, Browse::Folders(page)));
        assert_eq!((found.len(), found[0].0.as_str()), (count, sub));
    }
}

pub(crate) fn a_deleted_folder_is_not_shown(catalog: &mut dyn Catalog) {
    let site = site(catalog);
    let full =
        backup(catalog, &site, b'F', 100, &[attributes(1, 3, b"/d/gone/x", 0), attributes(2, 5, b"/d/gone/", 0)]);
    let gone = [attributes(1, 23, b"/d/gone/x", 0), attributes(2, 23, b"/d/gone/", 0), attributes(3, 3, b"/d/new", 0)];
    let changed = backup(catalog, &site, b'I', 200, &gone);
    learn(catalog, &[full, changed]);
    assert_eq!(folders(catalog, &[full], "/d/"), [row("/d/gone/", full, 2)]);
    assert_eq!(folders(catalog, &[full, changed], "/d/"), []);
}

pub(crate) fn versions_of_a_file_come_with_their_volumes(catalog: &mut dyn Catalog) {
    let site = site(catalog);
    let volume = volume(catalog, CatalogRequest::CreateMedia(Box::new(new_volume(&site, "Full-1"))));
    let mut jobs = Vec::new();
    for (time, name) in [(100, b"/d/x"), (200, b"/d/x"), (300, b"/d/y")] {
        let job_id = backup(catalog, &site, b'F', time, &[attributes(1, 3, name, 0), with_delta(2, 3, b"/d/z", 0, 0)]);
        let piece =
            JobMediaRow { job_id, media_id: volume.media_id, first_index: 1, last_index: 2, ..Default::default() };
        ask(catalog, CatalogRequest::CreateJobMedia(piece));
        jobs.push(job_id);
    }
    learn(catalog, &jobs);
    let path_id = folder(catalog, "/d/").path_id;
    let versions = |client: &str, offset| Browse::Versions {
        client: client.to_owned(),
        path_id,
        name: b"x".to_vec(),
        copies: false,
        limit: 10,
        offset,
    };
    let Browsed::Versions(found) = asked(catalog, versions("alpha-fd", 0)) else { panic!("no versions") };
    let shown = |version: &Version| (version.entry.job_id, version.entry.file_index, version.volume_name.clone());
    let expected = [(jobs[0], 1, "Full-1".to_owned()), (jobs[1], 1, "Full-1".to_owned())];
    assert_eq!(found.iter().map(shown).collect::<Vec<_>>(), expected);
    let Browsed::Versions(rest) = asked(catalog, versions("alpha-fd", 1)) else { panic!("no versions") };
    assert_eq!(rest, found[1..]);
    assert_eq!(asked(catalog, versions("another", 0)), Browsed::Versions(Vec::new()));
}

pub(crate) fn a_running_job_is_learned_when_it_has_ended_and_what_was_learned_can_be_forgotten(
    catalog: &mut dyn Catalog,
) {
    let site = site(catalog);
    let job = running(catalog, &site, b'F', 100);
    stored(catalog, job, &[attributes(1, 3, b"/d/x", 0), attributes(2, 3, b"/d/y", 0)]);
    assert_eq!(learn(catalog, &[job]), [0; 0], "not yet");
    ask(catalog, CatalogRequest::EndJob(Box::new(ended(&site, job, b'F', 105, 2))));
    assert_eq!(learn(catalog, &[]), [job], "all good backups");
    assert_eq!(files(catalog, &[job], "/d/").len(), 2);
    assert_eq!(asked(catalog, Browse::Forget), Browsed::Learned(None));
    assert_eq!(folders(catalog, &[job], "/"), []);
    assert_eq!(learn(catalog, &[job]), [job]);
    assert_eq!(folders(catalog, &[job], "/").len(), 1);
}
