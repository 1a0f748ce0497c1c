use super::*;
use crate::wire::catalog::MediaUpdate;

const NOW: i64 = 1_000_000;

fn pool() -> PoolRow {
    PoolRow { pool_id: 1, name: "Full".into(), recycle: true, vol_retention: 1000, ..Default::default() }
}

fn volume(media_id: u32, vol_status: VolStatus, last_written: i64) -> MediaRow {
    MediaRow {
        media_id,
        volume_name: format!("v{media_id}"),
        pool_id: 1,
        media_type: "File".into(),
        vol_status,
        last_written,
        recycle: true,
        vol_retention: 1000,
        ..Default::default()
    }
}

fn need<'a>(pool: &'a PoolRow, unwanted: &'a [String]) -> Need<'a> {
    Need { pool, media_type: "File", changer: None, index: 1, unwanted, prunes: Prunes::All, now: NOW }
}

fn stock(volumes: &[MediaRow]) -> Stock<'_> {
    Stock { volumes, scratch: &[], pruned: &[], max_media_id: 41, collisions: 0 }
}

fn used(choice: Choice) -> u32 {
    match choice {
        Choice::Use(v) | Choice::StoreAndUse(v) => v.media_id,
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_order_of_states_is_append_unlabelled_recycle_purged_prune() {
    let pool = pool();
    let mut volumes = vec![
        volume(1, VolStatus::Full, 5),
        volume(2, VolStatus::Purged, 5),
        volume(3, VolStatus::Recycle, 5),
        volume(4, VolStatus::Unlabeled, 0),
        volume(5, VolStatus::Append, 5),
    ];
    for expected in [5, 4, 3, 2] {
        assert_eq!(used(choose(&need(&pool, &[]), &stock(&volumes))), expected);
        volumes.pop();
    }
    assert_eq!(choose(&need(&pool, &[]), &stock(&volumes)), Choice::Prune { media_id: 1, before: NOW - 1000 });
    let pruned = Stock { pruned: &[1], ..stock(&volumes) };
    assert_eq!(choose(&need(&pool, &[]), &pruned), Choice::Nothing);
}

#[test]
fn a_pool_prunes_all_that_is_old_enough_or_its_oldest_volume_or_nothing() {
    let pool = pool();
    let kept = MediaRow { vol_retention: 1_000_000, ..volume(1, VolStatus::Full, 5) };
    let volumes = [kept, volume(2, VolStatus::Used, 7), volume(3, VolStatus::Full, 6)];
    let choice = |prunes: Prunes, pruned: &[u32], volumes: &[MediaRow]| {
        choose(&Need { prunes, ..need(&pool, &[]) }, &Stock { pruned, ..stock(volumes) })
    };
    let prune = |media_id| Choice::Prune { media_id, before: NOW - 1000 };
    assert_eq!(choice(Prunes::All, &[], &volumes), prune(3), "the oldest of those kept long enough");
    assert_eq!(choice(Prunes::All, &[3], &volumes), prune(2));
    assert_eq!(choice(Prunes::Oldest, &[], &volumes), Choice::Nothing, "the oldest is still to be kept");
    assert_eq!(choice(Prunes::Oldest, &[], &volumes[1..]), prune(3));
    assert_eq!(choice(Prunes::Oldest, &[3], &volumes[1..]), Choice::Nothing, "only that one");
    assert_eq!(choice(Prunes::Nothing, &[], &volumes), Choice::Nothing);
    for prunes in [Prunes::Oldest, Prunes::Nothing] {
        let named = Need { prunes, ..need(&pool, &[]) };
        assert_eq!(may_write(&named, &volumes[2], true, &[]), Err(Refusal::NotWritable));
    }
}

#[test]
fn the_settings_of_a_pool_say_what_it_prunes() {
    let of = |auto_prune: bool, recycle_oldest_volume: bool| {
        let pool =
            config::Pool { auto_prune, recycle_oldest_volume, ..serde_json::from_str(r#"{"name": "p"}"#).unwrap() };
        Prunes::of(Some(&pool))
    };
    assert_eq!([of(true, false), of(true, true)], [Prunes::All; 2]);
    assert_eq!([of(false, true), of(false, false)], [Prunes::Oldest, Prunes::Nothing]);
    assert_eq!(Prunes::of(None), Prunes::Nothing);
}

#[test]
fn the_most_recently_written_appendable_volume_comes_first_and_a_fresh_one_last() {
    let pool = pool();
    let volumes = [volume(1, VolStatus::Append, 0), volume(2, VolStatus::Append, 10), volume(3, VolStatus::Append, 20)];
    assert_eq!(used(choose(&need(&pool, &[]), &stock(&volumes))), 3);
    let unwanted = ["v3".to_owned()];
    let second = Need { index: 2, ..need(&pool, &unwanted) };
    assert_eq!(used(choose(&second, &stock(&volumes))), 2);
    let third = Need { index: 3, ..need(&pool, &[]) };
    assert_eq!(used(choose(&third, &stock(&volumes))), 1);
}

#[test]
fn other_pools_other_media_types_and_disabled_volumes_are_never_offered() {
    let pool = pool();
    let other_pool = MediaRow { pool_id: 2, ..volume(1, VolStatus::Append, 5) };
    let other_type = MediaRow { media_type: "LTO".into(), ..volume(2, VolStatus::Append, 5) };
    let disabled = MediaRow { enabled: false, ..volume(3, VolStatus::Append, 5) };
    assert_eq!(choose(&need(&pool, &[]), &stock(&[other_pool, other_type, disabled])), Choice::Nothing);
}

#[test]
fn volumes_in_the_changer_come_before_newer_ones_outside() {
    let pool = pool();
    let inside = MediaRow { in_changer: true, storage_id: 7, ..volume(1, VolStatus::Append, 5) };
    let volumes = [inside, volume(2, VolStatus::Append, 50)];
    let changer = Need { changer: Some(7), ..need(&pool, &[]) };
    assert_eq!(used(choose(&changer, &stock(&volumes))), 1);
    let other_changer = Need { changer: Some(8), ..need(&pool, &[]) };
    assert_eq!(used(choose(&other_changer, &stock(&volumes))), 2);
}

#[test]
fn an_expired_volume_is_stored_before_the_search_goes_on() {
    let pool = pool();
    let full = MediaRow { max_vol_bytes: 100, vol_bytes: 100, vol_jobs: 1, ..volume(1, VolStatus::Append, 5) };
    let Choice::StoreAndRetry(row) = choose(&need(&pool, &[]), &stock(&[full])) else { panic!() };
    assert_eq!((row.media_id, row.vol_status), (1, VolStatus::Full));
}

#[test]
fn expiry_needs_a_job_and_names_the_limit_reached() {
    let base = MediaRow { vol_jobs: 1, first_written: NOW - 50, ..volume(1, VolStatus::Append, 5) };
    let status = |v: MediaRow| expired(&v, NOW).map(|v| v.vol_status);
    assert_eq!(status(base.clone()), None);
    assert_eq!(status(MediaRow { max_vol_jobs: 1, ..base.clone() }), Some(VolStatus::Used));
    assert_eq!(status(MediaRow { max_vol_jobs: 2, ..base.clone() }), None);
    assert_eq!(status(MediaRow { max_vol_files: 2, vol_files: 2, ..base.clone() }), Some(VolStatus::Used));
    assert_eq!(status(MediaRow { vol_use_duration: 50, ..base.clone() }), Some(VolStatus::Used));
    assert_eq!(status(MediaRow { vol_use_duration: 51, ..base.clone() }), None);
    assert_eq!(status(MediaRow { max_vol_bytes: 9, vol_bytes: 10, ..base.clone() }), Some(VolStatus::Full));
    assert_eq!(status(MediaRow { max_vol_jobs: 1, vol_jobs: 0, ..base.clone() }), None);
    assert_eq!(status(MediaRow { max_vol_jobs: 1, vol_status: VolStatus::Recycle, ..base }), None);
}

#[test]
fn a_new_volume_is_named_after_the_next_id_and_takes_the_limits_of_the_pool() {
    let pool = PoolRow { label_format: Some("Full-".into()), max_vols: 2, max_vol_bytes: 77, ..pool() };
    let one = [volume(1, VolStatus::Error, 5)];
    let Choice::Create(row) = choose(&need(&pool, &[]), &stock(&one)) else { panic!() };
    assert_eq!((row.volume_name.as_str(), row.vol_status, row.vol_bytes), ("Full-0042", VolStatus::Unlabeled, 0));
    assert_eq!((row.max_vol_bytes, row.pool_id, row.enabled, row.recycle), (77, 1, true, true));
    let collided = Stock { collisions: 1, ..stock(&one) };
    let Choice::Create(row) = choose(&need(&pool, &[]), &collided) else { panic!() };
    assert_eq!(row.volume_name, "Full-0043");
    let two = [volume(1, VolStatus::Error, 5), volume(2, VolStatus::Error, 5)];
    assert_eq!(choose(&need(&pool, &[]), &stock(&two)), Choice::Nothing);
    let star = PoolRow { label_format: Some("*".into()), ..pool };
    assert_eq!(choose(&need(&star, &[]), &stock(&[])), Choice::Nothing);
}

#[test]
fn a_scratch_volume_moves_into_the_pool_before_a_new_one_is_made() {
    let pool = PoolRow { label_format: Some("Full-".into()), ..pool() };
    let scratch = [MediaRow { pool_id: 9, ..volume(8, VolStatus::Purged, 5) }];
    let stock = Stock { scratch: &scratch, ..stock(&[]) };
    let Choice::StoreAndUse(row) = choose(&need(&pool, &[]), &stock) else { panic!() };
    assert_eq!((row.media_id, row.pool_id, row.scratch_pool_id, row.vol_status), (8, 1, 9, VolStatus::Recycle));
}

#[test]
fn recycling_resets_the_counters_and_leaves_one_byte() {
    let before = MediaRow { vol_jobs: 3, vol_bytes: 10, vol_writes: 9, ..volume(1, VolStatus::Purged, 5) };
    let after = recycled(&before);
    assert_eq!((after.vol_status, after.vol_bytes, after.vol_jobs), (VolStatus::Recycle, 1, 0));
    assert_eq!((after.first_written, after.last_written, after.recycle_count, after.vol_writes), (0, 0, 1, 9));
}

#[test]
fn writing_a_named_volume_needs_pool_type_state_and_time() {
    let pool = pool();
    let need = need(&pool, &[]);
    let append = volume(1, VolStatus::Append, 5);
    let refused = |v: MediaRow| may_write(&need, &v, true, &[]).unwrap_err();
    assert_eq!(may_write(&need, &append, false, &[]), Ok(Choice::Use(Box::new(append.clone()))));
    assert_eq!(refused(MediaRow { enabled: false, ..append.clone() }), Refusal::NotEnabled);
    assert_eq!(refused(MediaRow { pool_id: 2, ..append.clone() }), Refusal::NotInPool);
    assert_eq!(refused(MediaRow { media_type: "x".into(), ..append.clone() }), Refusal::WrongMediaType);
    assert_eq!(refused(MediaRow { vol_jobs: 1, max_vol_jobs: 1, ..append.clone() }), Refusal::Expired);
    assert_eq!(refused(volume(1, VolStatus::Full, NOW - 999)), Refusal::RetentionNotOver);
    assert_eq!(refused(volume(1, VolStatus::Error, 5)), Refusal::NotWritable);
    let old = volume(1, VolStatus::Full, NOW - 1000);
    assert_eq!(may_write(&need, &old, true, &[]), Ok(Choice::Prune { media_id: 1, before: NOW - 1000 }));
    assert_eq!(may_write(&need, &old, false, &[]), Err(Refusal::NotWritable));
    assert_eq!(may_write(&need, &old, true, &[1]), Err(Refusal::RetentionNotOver));
    assert_eq!(used(may_write(&need, &volume(1, VolStatus::Purged, 5), false, &[]).unwrap()), 1);
    assert_eq!(may_read(&MediaRow { enabled: false, ..append }), Err(Refusal::NotEnabled));
}

fn report(volume: &MediaRow) -> MediaUpdate {
    MediaUpdate {
        volume: volume.volume_name.clone(),
        jobs: volume.vol_jobs,
        files: volume.vol_files,
        blocks: volume.vol_blocks,
        bytes: volume.vol_bytes,
        writes: volume.vol_writes,
        end_time: NOW,
        status: "Append".into(),
        ..Default::default()
    }
}

fn written() -> MediaRow {
    MediaRow {
        label_date: 10,
        first_written: 10,
        vol_files: 2,
        vol_blocks: 20,
        vol_bytes: 200,
        vol_writes: 20,
        ..volume(1, VolStatus::Append, 5)
    }
}

#[test]
fn a_report_that_grows_is_taken_over() {
    let row = written();
    let grown = MediaUpdate { blocks: 21, bytes: 210, writes: 21, jobs: 4, ..report(&row) };
    let Updated { row: after, notes } = apply_report(&row, &grown, 77, 3, NOW);
    assert_eq!((after.vol_blocks, after.vol_bytes, after.vol_jobs), (21, 210, 4));
    assert_eq!((after.last_written, after.storage_id, after.first_written), (NOW, 3, 10));
    assert!(notes.is_empty());
}

#[test]
fn positions_never_shrink() {
    let row = written();
    let after = |r: MediaUpdate| apply_report(&row, &r, 77, 3, NOW);
    let fewer_files = after(MediaUpdate { files: 1, blocks: 30, bytes: 300, ..report(&row) });
    assert_eq!((fewer_files.row.vol_files, fewer_files.row.vol_blocks, fewer_files.row.vol_bytes), (2, 20, 300));
    assert_eq!(fewer_files.notes.len(), 1);
    let fewer_blocks = after(MediaUpdate { blocks: 19, bytes: 199, ..report(&row) });
    assert_eq!((fewer_blocks.row.vol_blocks, fewer_blocks.row.vol_bytes), (20, 200));
    assert_eq!((fewer_blocks.row.last_written, fewer_blocks.notes.len()), (5, 2));
    let next_file = after(MediaUpdate { files: 3, blocks: 1, bytes: 201, ..report(&row) });
    assert_eq!((next_file.row.vol_files, next_file.row.vol_blocks), (3, 1));
    assert!(next_file.notes.is_empty());
}

#[test]
fn a_new_label_may_shrink_everything_and_sets_the_dates() {
    let row = MediaRow { first_written: 0, ..written() };
    let fresh = MediaUpdate { relabel: true, blocks: 1, bytes: 188, files: 0, ..report(&row) };
    let after = apply_report(&row, &fresh, 77, 3, NOW).row;
    assert_eq!((after.vol_blocks, after.vol_bytes, after.vol_files), (1, 188, 0));
    assert_eq!((after.label_date, after.initial_write, after.first_written), (77, 77, 77));
    let told = MediaUpdate { first_written: 66, ..fresh };
    assert_eq!(apply_report(&row, &told, 77, 3, NOW).row.first_written, 66);
}

#[test]
fn a_report_can_flip_the_state_and_an_unknown_state_is_not_believed() {
    let row = MediaRow { max_vol_jobs: 2, ..written() };
    let last = MediaUpdate { jobs: 2, ..report(&row) };
    assert_eq!(apply_report(&row, &last, 77, 3, NOW).row.vol_status, VolStatus::Used);
    let odd = MediaUpdate { status: "Weird".into(), ..report(&row) };
    let after = apply_report(&row, &odd, 77, 3, NOW);
    assert_eq!((after.row.vol_status, after.notes.len()), (VolStatus::Append, 1));
}

#[test]
fn a_volume_has_a_name_that_a_file_can_have() {
    let longest = "v".repeat(127);
    for good in ["TESTVOL1", "a:b.c-d_e/f", "7", &longest] {
        assert!(is_volume_name(good), "{good}");
    }
    for bad in ["", "/a", "a b", "a*", "ä", &(longest.clone() + "v")] {
        assert!(!is_volume_name(bad), "{bad}");
    }
}

#[test]
fn a_volume_that_was_labelled_by_hand_has_the_limits_of_its_pool() {
    let pool = PoolRow { pool_id: 3, name: "P".to_owned(), vol_retention: 77, recycle: true, ..PoolRow::default() };
    let row = hand_labelled(MediaRow { volume_name: "v".to_owned(), slot: 2, ..MediaRow::default() }, &pool, 203, 9);
    assert_eq!((row.pool_id, row.vol_retention, row.vol_bytes, row.vol_status), (3, 77, 203, VolStatus::Append));
    assert!(row.in_changer && row.recycle && row.label_date == 9);
    let used = MediaRow { vol_status: VolStatus::Purged, vol_jobs: 4, last_written: 5, ..row };
    let again = relabelled(&used, 204, 10);
    assert_eq!((again.vol_jobs, again.last_written, again.vol_bytes, again.pool_id), (0, 0, 204, 3));
}
