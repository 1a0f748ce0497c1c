//! Data and attributes that wait in files.

use serde_json::json;
use towline_core::role::storage::StorageDaemon;

use crate::support::catalog::Catalog;
use crate::support::roles::{Protection, STARTED, storage_daemon_with};
use crate::support::volumes::{Shelf, hands};
use crate::support::world::{PeerId, World};

use std::sync::{Arc, Mutex};

use super::jobs::*;

/// A job whose director wants this, on a device with these settings; and its storage daemon.
fn begin(
    wish: &str,
    device: &[(&str, serde_json::Value)],
    shelf: impl FnOnce(&mut Shelf),
) -> (World<StorageDaemon>, Arc<Mutex<Shelf>>, Job, PeerId) {
    let (hands, seen) = hands();
    shelf(&mut seen.lock().expect("not poisoned"));
    let mut world = storage_daemon_with(Protection::Clear, STARTED, hands, |config| {
        config["devices"][0]["spool_directory"] = json!("/spool");
        for (field, value) in device {
            config["devices"][0][*field] = value.clone();
        }
    });
    let mut job = job(1);
    for setting in wish.split(' ') {
        let (name, _) = setting.split_once('=').expect("a setting");
        let after = job.director.split(&format!(" {name}=")).nth(1).expect("a setting");
        let old = after.split(' ').next().unwrap_or_default().to_owned();
        job.director = job.director.replace(&format!(" {name}={old}"), &format!(" {setting}"));
    }
    let director = run(&mut world, &job);
    (world, seen, job, director)
}

fn contents() -> Vec<Vec<u8>> {
    (0..5_u8).map(|n| vec![n; 900_000]).collect()
}

/// The rows for the catalog that a director was sent, and the messages of the job, in the order they came.
fn told(world: &World<StorageDaemon>, director: PeerId) -> Vec<String> {
    let text = |data: &[u8]| String::from_utf8_lossy(&data[..data.len().min(300)]).into_owned();
    let is_told = |line: &String| line.starts_with("UpdCat ") || line.starts_with("Jmsg ");
    world.peers[director].heard.iter().map(|frame| text(frame.data())).filter(is_told).collect()
}

fn place(told: &[String], text: &str) -> usize {
    told.iter().position(|line| line.contains(text)).unwrap_or_else(|| panic!("{text}: {told:#?}"))
}

/// Sends five blocks of data and ends the backup. Returns what the director heard.
fn back_up(world: &mut World<StorageDaemon>, job: &Job, director: PeerId, catalog: &mut Catalog) -> Vec<String> {
    let mut heard = serve(world, director, catalog);
    let file = world.come_in(file_script(job).up_to("1 1 0"));
    world.heard(file);
    send_file(world, file, &contents());
    heard.extend(serve(world, director, catalog));
    assert_eq!(world.heard(file), [r"text 3000 OK append data\n"]);
    finish(world, file);
    heard.extend(serve(world, director, catalog));
    heard
}

#[test]
fn data_waits_in_a_file_until_the_job_has_sent_all_and_then_goes_to_the_volume() {
    let (mut world, shelf, job, director) = begin("SpoolData=1", &[], |_| {});
    let mut catalog = Catalog::with(&["Full-0001"]);
    let mut heard = serve(&mut world, director, &mut catalog);
    let file = world.come_in(file_script(&job).up_to("1 1 0"));
    world.heard(file);
    world.say(file, "text 1 1 0");
    let bytes = attributes();
    world.peers[file].say(&crate::support::conv::Frame::Data(bytes));
    world.run();
    {
        let shelf = shelf.lock().unwrap();
        let names: Vec<&String> = shelf.spools.keys().collect();
        assert_eq!(names, [&format!("bareos-sd.data.1.{JOB}.FileStorage1.spool")]);
        assert_eq!(shelf.spools[names[0]].file.folder, "/spool");
    }
    assert!(catalog.asked.is_empty(), "no volume is wanted yet");
    for line in ["signal -1", "text 1 2 0", "text data", "signal -1", "signal -1"] {
        world.say(file, line);
    }
    heard.extend(serve(&mut world, director, &mut catalog));
    assert_eq!(world.heard(file), [r"text 3000 OK append data\n"]);
    finish(&mut world, file);
    heard.extend(serve(&mut world, director, &mut catalog));
    let end = heard.iter().find(|line| line.starts_with("text 3099")).unwrap();
    assert!(end.contains("JobStatus=84 JobFiles=1"), "{heard:#?}");
    assert!(heard.contains(&status_of(108, JOB)) && heard.contains(&status_of(97, JOB)), "{heard:#?}");
    let told = told(&world, director);
    let (begin, commit) = (place(&told, "Spooling data ..."), place(&told, "Committing spooled data to Volume"));
    let (sent, rows) = (place(&told, "Sending spooled attrs to the Director. Despooling"), place(&told, "UpdCat "));
    assert!(begin < commit && commit < sent && sent < rows, "{told:#?}");
    assert!(told[place(&told, "Despooling elapsed time = 00:00:00, Transfer rate = ")].contains("Bytes/second"));
    let shelf = shelf.lock().unwrap();
    assert!(shelf.is_shut() && shelf.spools.is_empty(), "the files are gone");
    assert_eq!(catalog.field("Full-0001", "VolBytes"), shelf.volumes["Full-0001"].bytes.to_string());
}

#[test]
fn what_was_spooled_is_on_the_volume_as_if_it_had_not_been() {
    let mut volumes = Vec::new();
    for wish in ["SpoolData=0", "SpoolData=1", "SpoolAttr=1"] {
        let (mut world, shelf, job, director) = begin(wish, &[], |_| {});
        let mut catalog = Catalog::with(&["Full-0001"]);
        let heard = back_up(&mut world, &job, director, &mut catalog);
        assert!(heard.iter().any(|line| line.contains("JobStatus=84 JobFiles=1")), "{wish}: {heard:#?}");
        let blocks: Vec<usize> =
            shelf.lock().unwrap().volumes["Full-0001"].blocks.iter().map(|(_, block)| block.len()).collect();
        let pieces = catalog.asked.iter().filter(|ask| ask.starts_with("CreateJobMedia")).cloned().collect::<Vec<_>>();
        let rows = told(&world, director).iter().filter(|line| line.starts_with("UpdCat ")).count();
        assert_eq!(rows, 1, "{wish}");
        volumes.push((blocks, pieces));
    }
    assert_eq!(volumes[0], volumes[1]);
    assert_eq!(volumes[0], volumes[2]);
}

#[test]
fn data_goes_to_the_volume_in_between_when_a_limit_is_reached_or_the_disk_is_full() {
    type Case<'a> = (&'a str, &'a [(&'a str, serde_json::Value)], Option<usize>, &'a str);
    let limits: [Case<'_>; 3] = [
        ("SpoolData=1 SpoolSize=2200000", &[], None, "User specified Job spool size reached: JobSpoolSize="),
        ("SpoolData=1", &[("maximum_job_spool_size", json!(2_200_000))], None, "Job spool size reached"),
        ("SpoolData=1", &[], Some(2), "The disk of the spool folder is full."),
    ];
    for (wish, device, room, why) in limits {
        let (mut world, shelf, job, director) = begin(wish, device, |shelf| shelf.spool_room = room);
        let mut catalog = Catalog::with(&["Full-0001"]);
        let heard = back_up(&mut world, &job, director, &mut catalog);
        assert!(heard.iter().any(|line| line.contains("JobStatus=84 JobFiles=1")), "{why}: {heard:#?}");
        let told = told(&world, director);
        let written = told.iter().filter(|line| line.contains("Writing spooled data to Volume. Despooling")).count();
        assert_eq!(written, 2, "{why}: {told:#?}");
        assert!(place(&told, why) < place(&told, "Committing spooled data"), "{told:#?}");
        let shelf = shelf.lock().unwrap();
        assert!(shelf.is_shut() && shelf.volumes["Full-0001"].blocks.len() == 5, "{why}");
    }
}

#[test]
fn a_volume_that_is_full_while_data_is_written_out_is_followed_by_the_next() {
    let (mut world, shelf, job, director) = begin("SpoolData=1", &[], |shelf| {
        shelf.room.insert("Full-0001".to_owned(), 2);
    });
    let mut catalog = Catalog::with(&["Full-0001", "Full-0002"]);
    let heard = back_up(&mut world, &job, director, &mut catalog);
    assert!(heard.iter().any(|line| line.contains("JobStatus=84 JobFiles=1")), "{heard:#?}");
    let shelf = shelf.lock().unwrap();
    let blocks: Vec<usize> = shelf.volumes.values().map(|volume| volume.blocks.len()).collect();
    assert_eq!(blocks, [2, 3]);
    assert_eq!(catalog.field("Full-0001", "VolStatus"), "Full");
}

#[test]
fn a_spool_folder_without_room_for_one_block_fails_the_job() {
    let (mut world, shelf, job, director) = begin("SpoolData=1", &[], |shelf| shelf.spool_room = Some(0));
    let mut catalog = Catalog::with(&["Full-0001"]);
    let file = world.come_in(file_script(&job).up_to("1 1 0"));
    world.heard(file);
    send_file(&mut world, file, &contents());
    let heard = serve(&mut world, director, &mut catalog);
    assert!(heard.iter().any(|line| line.contains("3099") && line.contains("JobStatus=102")), "{heard:#?}");
    let messages = world.job_messages(director);
    assert!(messages.iter().any(|text| text.contains("the disk of the spool folder is full")), "{messages:#?}");
    let shelf = shelf.lock().unwrap();
    assert!(shelf.is_shut() && shelf.spools.is_empty() && shelf.volumes.is_empty());
}

#[test]
fn a_job_that_is_lost_leaves_no_file_and_its_attributes_are_not_told() {
    let (mut world, shelf, job, director) = begin("SpoolData=1", &[], |_| {});
    let mut catalog = Catalog::with(&["Full-0001"]);
    let file = world.come_in(file_script(&job).up_to("3 2 0"));
    serve(&mut world, director, &mut catalog);
    world.cut(file);
    serve(&mut world, director, &mut catalog);
    let shelf = shelf.lock().unwrap();
    assert!(shelf.is_shut() && shelf.spools.is_empty() && shelf.volumes.is_empty());
    assert!(!told(&world, director).iter().any(|line| line.starts_with("UpdCat ")));
}
