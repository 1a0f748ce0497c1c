//! Volumes that are full, missing, spoilt or gone.

use std::time::Duration;

use towline_core::role::storage::StorageDaemon;
use towline_core::secret::Secret;
use towline_core::wire::bsr::Bootstrap;

use crate::recording;
use crate::support::catalog::Catalog;
use crate::support::conv::{Frame, Side};
use crate::support::password;
use crate::support::peer::Script;
use crate::support::roles::{Protection, STARTED, storage_daemon_with};
use crate::support::volumes::{Shelf, hands};
use crate::support::world::{PeerId, World};

use super::jobs::*;

#[test]
fn a_full_volume_is_followed_by_the_next_and_both_are_read_again() {
    let (mut world, shelf) = world();
    shelf.lock().unwrap().room.insert("Full-0001".to_owned(), 2);
    let mut catalog = Catalog::with(&["Full-0001", "Full-0002"]);
    let job = job(1);
    let director = run(&mut world, &job);
    serve(&mut world, director, &mut catalog);
    let file = world.come_in(file_script(&job).up_to("1 1 0"));
    world.heard(file);
    let contents: Vec<Vec<u8>> = (0..5_u8).map(|n| vec![n; 900_000]).collect();
    send_file(&mut world, file, &contents);
    let mut heard = serve(&mut world, director, &mut catalog);
    assert_eq!(world.heard(file), [r"text 3000 OK append data\n"]);
    finish(&mut world, file);
    heard.extend(serve(&mut world, director, &mut catalog));
    let bytes = attributes().len() + 5 * 900_000;
    assert_ended(&heard, &job.name, &format!("JobStatus=84 JobFiles=1 JobBytes={bytes} JobErrors=0"));
    assert_eq!(catalog.field("Full-0001", "VolStatus"), "Full");
    assert_eq!(catalog.field("Full-0002", "VolStatus"), "Append");
    {
        let shelf = shelf.lock().unwrap();
        for name in ["Full-0001", "Full-0002"] {
            assert_eq!(catalog.field(name, "VolBytes"), shelf.volumes[name].bytes.to_string());
            assert_eq!(catalog.field(name, "VolBlocks"), (shelf.volumes[name].blocks.len() + 1).to_string());
            assert_eq!(catalog.field(name, "VolJobs"), "1");
        }
        assert!(shelf.volumes["Full-0002"].blocks.len() >= 2 && shelf.is_shut());
        let [(path, text)] = &shelf.put[..] else { panic!("one bootstrap: {:?}", shelf.put) };
        assert!(path.ends_with(&format!("/{}.bsr", job.name)), "{path}");
        let bootstrap = Bootstrap::parse(text.as_bytes()).unwrap();
        let sections: Vec<_> = bootstrap.sections.iter().map(|of| (of.volumes.join("|"), of.addresses.len())).collect();
        assert_eq!(sections, [("Full-0001".to_owned(), 1), ("Full-0002".to_owned(), 1)], "{text}");
        assert!(text.starts_with(&format!("# {} F of ", job.name)) && text.contains("\nVolSessionId=1\n"), "{text}");
    }
    let pieces: Vec<&String> =
        catalog.asked.iter().filter(|ask| ask.starts_with("CreateJobMedia FirstIndex=1 LastIndex=1")).collect();
    assert_eq!(pieces.len(), 2, "one piece on each volume: {:#?}", catalog.asked);
    assert!(pieces[0].ends_with("MediaId=1") && pieces[1].ends_with("MediaId=2"), "{pieces:?}");
    world.assert_done();
    read_again(&mut world, &contents, &mut catalog);
    assert!(shelf.lock().unwrap().is_shut());
}

#[test]
fn a_bootstrap_that_cannot_be_written_is_told_and_the_backup_is_good() {
    let (mut world, shelf) = world();
    shelf.lock().unwrap().refuses_put = true;
    let mut catalog = Catalog::with(&["Full-0001"]);
    let job = job(1);
    let director = run(&mut world, &job);
    serve(&mut world, director, &mut catalog);
    let file = world.come_in(file_script(&job).up_to("1 1 0"));
    world.heard(file);
    send_file(&mut world, file, &[vec![7; 900]]);
    let mut heard = serve(&mut world, director, &mut catalog);
    world.heard(file);
    finish(&mut world, file);
    heard.extend(serve(&mut world, director, &mut catalog));
    let bytes = attributes().len() + 900;
    assert_ended(&heard, &job.name, &format!("JobStatus=84 JobFiles=1 JobBytes={bytes} JobErrors=0"));
    let messages = world.job_messages(director);
    let told = messages.iter().filter(|line| line.contains("bootstrap") && line.contains("(T0638)"));
    assert_eq!(told.count(), 1, "{messages:#?}");
    assert!(shelf.lock().unwrap().is_shut());
}

/// Restores what the test above has written over two volumes.
fn read_again(world: &mut World<StorageDaemon>, contents: &[Vec<u8>], catalog: &mut Catalog) {
    const CONV: &str = recording!("02-restore/01-DIR-to-SD");
    let script = Script::new(CONV, Side::Acceptor, password("sd-secret"));
    let script = script.peer_differs("both volumes", r"text VolAddr=", &[r"text FileIndex=1\n"]);
    let script = script.peer_differs(
        "both volumes",
        r"text FileIndex=1-6",
        &[
            r#"text Volume="Full-0002"\n"#,
            r#"text MediaType="File1"\n"#,
            r"text VolSessionId=1\n",
            r"text VolSessionTime=1795438888\n",
            r"text FileIndex=1\n",
        ],
    );
    let script = script.peer_differs("both volumes", r"text Count=6", &[]);
    let director = world.come_in(script.until_we_say("Status Job="));
    world.heard(director);
    let key = Secret::from("EIBJ-DAFA-AFKD-ONPH-LPLP-MLGP-MHGP-PFGA");
    let file = Script::new(recording!("02-restore/03-FD-to-SD"), Side::Acceptor, key).until_we_say("3000 OK data");
    let file = world.come_in(file);
    world.heard(file);
    let mut heard = serve(world, director, catalog);
    let records: Vec<Frame> =
        world.peers[file].heard.iter().skip_while(|f| !f.data().starts_with(b"rechdr")).cloned().collect();
    let data: Vec<&[u8]> = records.chunks(2).skip(1).take(contents.len()).map(|pair| pair[1].data()).collect();
    assert!(data == contents, "the contents came back: {} frames", records.len());
    assert_eq!(records.last(), Some(&Frame::Signal(-1)));
    world.heard(file);
    world.say(file, r"text read close session 2\n");
    assert_eq!(world.heard(file), [r"text 3000 OK close Status = 82\n", "signal -1"]);
    world.say(file, "signal -4");
    heard.extend(serve(world, director, catalog));
    assert_ended(&heard, "restore.2026-11-23_13.02.08_05", "JobStatus=84 JobFiles=0 JobBytes=0 JobErrors=0");
    let asked: Vec<&String> = catalog.asked.iter().filter(|ask| ask.ends_with("write=0")).collect();
    assert_eq!(asked.len(), 2, "{asked:?}");
}

/// What the director hears of a restore whose file daemon has had all data, has not said so, and leaves like this.
fn left_before_its_word(leave: fn(&mut World<StorageDaemon>, PeerId)) -> Vec<String> {
    let (mut world, shelf) = world();
    let mut catalog = Catalog::with(&["Full-0001"]);
    let job = job(1);
    let director = run(&mut world, &job);
    world.come_in(file_script(&job));
    serve(&mut world, director, &mut catalog);
    let script = Script::new(recording!("02-restore/01-DIR-to-SD"), Side::Acceptor, password("sd-secret"));
    let director = world.come_in(script.until_we_say("Status Job="));
    let key = Secret::from("EIBJ-DAFA-AFKD-ONPH-LPLP-MLGP-MHGP-PFGA");
    let file =
        world.come_in(Script::new(recording!("02-restore/03-FD-to-SD"), Side::Acceptor, key).up_to("read close"));
    let mut heard = serve(&mut world, director, &mut catalog);
    assert!(!heard.iter().any(|line| line.starts_with("text 3099")), "it has not ended: {heard:#?}");
    leave(&mut world, file);
    heard.extend(serve(&mut world, director, &mut catalog));
    heard.extend(world.job_messages(director));
    assert!(shelf.lock().expect("a lock").is_shut());
    heard
}

#[test]
fn a_restore_is_good_once_the_file_daemon_has_said_so_or_takes_its_leave_and_not_when_its_channel_breaks() {
    let is = |heard: &[String], status: &str| heard.iter().any(|line| line.contains(status));
    for leave in
        [(|world, file| world.say(file, "signal -4")) as fn(&mut World<StorageDaemon>, PeerId), |world, file| {
            world.say(file, r"text read close session 2\n");
            world.cut(file);
        }]
    {
        let heard = left_before_its_word(leave);
        assert!(is(&heard, "JobStatus=84 JobFiles=0"), "{heard:#?}");
    }
    let heard = left_before_its_word(World::cut);
    assert!(is(&heard, "JobStatus=69 JobFiles=0") && is(&heard, "lost the file daemon"), "{heard:#?}");
}

/// A backup of `contents` with a device that has these settings; what the director heard of its end.
fn backup_with(
    device: &[(&str, serde_json::Value)],
    catalog: &mut Catalog,
    contents: &[Vec<u8>],
) -> (Vec<String>, Shelf) {
    let (hands, shelf) = hands();
    let mut world = storage_daemon_with(Protection::Clear, STARTED, hands, |config| {
        for (field, value) in device {
            config["devices"][0][*field] = value.clone();
        }
    });
    let job = job(1);
    let director = run(&mut world, &job);
    let mut heard = serve(&mut world, director, catalog);
    let file = world.come_in(file_script(&job).up_to("1 1 0"));
    world.heard(file);
    send_file(&mut world, file, contents);
    heard.extend(serve(&mut world, director, catalog));
    if !heard.iter().any(|line| line.contains("3099")) {
        world.heard(file);
        finish(&mut world, file);
        heard.extend(serve(&mut world, director, catalog));
    }
    heard.extend(world.job_messages(director));
    (heard, std::mem::take(&mut *shelf.lock().expect("nobody panicked with it")))
}

#[test]
fn a_device_ends_its_volumes_at_its_own_size() {
    let contents: Vec<Vec<u8>> = (0..5_u8).map(|n| vec![n; 900_000]).collect();
    let mut sizes = Vec::new();
    for limit in [0, 3 << 20] {
        let mut catalog = Catalog::with(&["Full-0001", "Full-0002"]);
        let (_, shelf) = backup_with(&[("maximum_volume_size", limit.into())], &mut catalog, &contents);
        assert_eq!(catalog.field("Full-0001", "VolStatus"), if limit == 0 { "Append" } else { "Full" });
        sizes.push((shelf.volumes["Full-0001"].bytes, shelf.volumes.len()));
    }
    let [(whole, 1), (part, 2)] = sizes[..] else { panic!("{sizes:?}") };
    assert!(whole > 4_500_000 && part < 3 << 20, "{sizes:?}");
}

#[test]
fn a_piece_is_recorded_after_as_many_bytes_as_the_device_says() {
    let contents: Vec<Vec<u8>> = (0..5_u8).map(|n| vec![n; 900_000]).collect();
    let pieces = |settings: &[(&str, serde_json::Value)]| {
        let mut catalog = Catalog::with(&["Full-0001"]);
        backup_with(settings, &mut catalog, &contents);
        catalog.asked.iter().filter(|ask| ask.starts_with("CreateJobMedia FirstIndex=1")).count()
    };
    assert_eq!(pieces(&[]), 1);
    assert_eq!(pieces(&[("maximum_file_size", (2 << 20).into())]), 3, "4.5 MB in pieces of two blocks");
}

#[test]
fn a_device_that_labels_nothing_takes_a_volume_with_a_label_and_says_why_not_one_without() {
    let no_labels = [("label_media", serde_json::Value::from(false))];
    let contents = [vec![7; 1_000]];
    let mut blank: Vec<String> = (1..=9).map(|n| format!("Full-000{n}")).collect();
    let mut catalog = Catalog::with(&blank.iter().map(String::as_str).collect::<Vec<_>>());
    let (heard, shelf) = backup_with(&no_labels, &mut catalog, &contents);
    assert!(heard.iter().any(|line| line.contains("JobStatus=102")), "{heard:#?}");
    let reason = "has no label, and device \"FileStorage1\" labels none";
    assert_eq!(heard.iter().filter(|line| line.contains(reason)).count(), 5, "{heard:#?}");
    assert!(shelf.volumes.is_empty());
    assert!(blank.iter().all(|name| catalog.field(name, "VolStatus") == "Unlabeled"), "they can be labelled still");
    // One that is to be used again has a label.
    blank.truncate(2);
    let mut catalog = Catalog::with(&blank.iter().map(String::as_str).collect::<Vec<_>>());
    catalog.set("Full-0002", "VolStatus", "Recycle");
    catalog.set("Full-0002", "VolBytes", "1");
    let (heard, shelf) = backup_with(&no_labels, &mut catalog, &contents);
    assert!(heard.iter().any(|line| line.contains("JobStatus=84")), "{heard:#?}");
    assert_eq!(shelf.volumes.keys().collect::<Vec<_>>(), ["Full-0002"]);
}

#[test]
fn a_job_without_a_volume_waits_until_there_is_one_and_says_so_once() {
    let (mut world, _) = world();
    let mut catalog = Catalog::default();
    let job = job(1);
    let director = run(&mut world, &job);
    let file = world.come_in(file_script(&job).until_we_say("3000 OK append data"));
    let heard = serve(&mut world, director, &mut catalog);
    assert_eq!(heard.last(), Some(&status_of(109, &job.name)), "{heard:?}");
    let mut beats = 0;
    for _ in 0..5 {
        world.wait(Duration::from_secs(31));
        let heard = serve(&mut world, director, &mut catalog);
        assert!(heard.iter().all(|line| line == "signal -6"), "{heard:?}");
        beats += heard.len();
    }
    assert_eq!((catalog.asked.len(), beats), (6, 2), "one heartbeat a minute");
    assert_eq!(world.heard(file).iter().filter(|line| *line == "signal -6").count(), 2);
    let waiting = |world: &World<StorageDaemon>| {
        world.job_messages(director).iter().filter(|text| text.contains("is waiting")).count()
    };
    assert_eq!(waiting(&world), 1);
    catalog.add("Full-0001");
    world.wait(Duration::from_secs(31));
    let mut heard = serve(&mut world, director, &mut catalog);
    heard.retain(|line| line != "signal -6");
    assert_eq!(heard[0], status_of(82, &job.name));
    assert_eq!(waiting(&world), 1);
    assert_eq!(world.heard(file).last().map(String::as_str), Some(r"text 3000 OK append data\n"));
    finish(&mut world, file);
    heard.extend(serve(&mut world, director, &mut catalog));
    assert_ended(&heard, &job.name, GOOD);
    world.assert_done();
    world.wait(Duration::from_secs(300));
    assert!(world.node.poll_timeout().is_none(), "no heartbeat for a job that has ended");
}

#[test]
fn a_spoilt_volume_is_marked_and_the_next_one_used() {
    let (mut world, shelf) = world();
    shelf.lock().unwrap().spoilt.push("Full-0001".to_owned());
    let mut catalog = Catalog::with(&["Full-0001", "Full-0002"]);
    catalog.set("Full-0001", "VolStatus", "Append");
    catalog.set("Full-0001", "VolBytes", "193");
    let job = job(1);
    let director = run(&mut world, &job);
    world.come_in(file_script(&job));
    let heard = serve(&mut world, director, &mut catalog);
    assert_ended(&heard, &job.name, GOOD);
    assert_eq!(catalog.field("Full-0001", "VolStatus"), "Error");
    assert_eq!(catalog.field("Full-0001", "VolErrors"), "1");
    assert_eq!(catalog.field("Full-0002", "VolStatus"), "Append");
    assert!(shelf.lock().unwrap().is_shut());
}

#[test]
fn a_file_in_the_place_of_a_new_volume_costs_that_volume_only() {
    let (mut world, shelf) = world();
    shelf.lock().unwrap().spoilt.push("Full-0001".to_owned());
    let mut catalog = Catalog::with(&["Full-0001", "Full-0002"]);
    let job = job(1);
    let director = run(&mut world, &job);
    world.come_in(file_script(&job));
    let heard = serve(&mut world, director, &mut catalog);
    assert_ended(&heard, &job.name, GOOD);
    assert_eq!(catalog.field("Full-0001", "VolStatus"), "Error");
}

#[test]
fn a_daemon_whose_volumes_are_all_spoilt_gives_up() {
    let (mut world, shelf) = world();
    let names: Vec<String> = (1..=9).map(|n| format!("Full-000{n}")).collect();
    let mut catalog = Catalog::with(&names.iter().map(String::as_str).collect::<Vec<_>>());
    shelf.lock().unwrap().spoilt = names;
    let job = job(1);
    let director = run(&mut world, &job);
    let file = world.come_in(file_script(&job).until_we_say("3000 OK append data"));
    let heard = serve(&mut world, director, &mut catalog);
    let [.., end, _, _, _] = &heard[..] else { panic!("{heard:?}") };
    assert!(end.contains("JobStatus=102 "), "{end}");
    assert!(catalog.asked.len() < 20, "{:#?}", catalog.asked);
    assert_eq!(world.heard(file).last().map(String::as_str), Some("fin"));
}

#[test]
fn a_volume_that_the_director_takes_back_is_passed_over() {
    let (mut world, _) = world();
    let mut catalog = Catalog::with(&["Full-0001", "Full-0002"]);
    catalog.withheld.push("Full-0001".to_owned());
    let job = job(1);
    let director = run(&mut world, &job);
    world.come_in(file_script(&job));
    let heard = serve(&mut world, director, &mut catalog);
    assert_ended(&heard, &job.name, GOOD);
    assert_eq!(catalog.field("Full-0002", "VolJobs"), "1");
}

#[test]
fn an_empty_backup_touches_no_volume() {
    let (mut world, shelf) = world();
    let mut catalog = Catalog::default();
    let job = job(1);
    let director = run(&mut world, &job);
    let file = world.come_in(file_script(&job).up_to("1 1 0"));
    world.heard(file);
    world.say(file, "signal -1");
    assert_eq!(world.heard(file), [r"text 3000 OK append data\n"]);
    finish(&mut world, file);
    let heard = serve(&mut world, director, &mut catalog);
    assert_ended(&heard, &job.name, "JobStatus=84 JobFiles=0 JobBytes=0 JobErrors=0");
    assert_eq!((catalog.asked.len(), shelf.lock().unwrap().done.len()), (0, 0));
    world.assert_done();
}

#[test]
fn a_restore_of_a_volume_that_is_gone_tells_the_file_daemon() {
    let (mut world, shelf) = world();
    let mut catalog = Catalog::with(&["Full-0001"]);
    let conv = recording!("02-restore/01-DIR-to-SD").replace("SDid=2 ", "SDid=1 ");
    let director = world.come_in(Script::new(&conv, Side::Acceptor, password("sd-secret")).until_we_say("Status Job="));
    let key = Secret::from("EIBJ-DAFA-AFKD-ONPH-LPLP-MLGP-MHGP-PFGA");
    let conv = recording!("02-restore/03-FD-to-SD").replace("ticket = 2", "ticket = 1");
    let file = world.come_in(Script::new(&conv, Side::Acceptor, key).until_we_say("3000 OK data"));
    world.heard(file);
    let heard = serve(&mut world, director, &mut catalog);
    assert_eq!(world.heard(file), [r"text 3000 error\n", "signal -4", "fin"]);
    assert_ended(&heard, "restore.2026-11-23_13.02.08_05", "JobStatus=102 JobFiles=0 JobBytes=0 JobErrors=1");
    assert!(shelf.lock().unwrap().done.iter().any(|work| work == "read"));
}
