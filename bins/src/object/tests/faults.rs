//! A server that refuses, fails, lies, cuts and hangs.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Instant;

use towline_core::error::{Code, Explain as _};

use super::server::{Asked, Fault};
use super::*;

/// Only the first so many requests of a kind.
fn first(count: u32, method: &'static str, fault: Fault) -> impl Fn(&Asked) -> Option<Fault> + Send {
    let seen = AtomicU32::new(0);
    move |asked| (asked.method == method && seen.fetch_add(1, Ordering::Relaxed) < count).then_some(fault)
}

fn always(method: &'static str, fault: Fault) -> impl Fn(&Asked) -> Option<Fault> + Send {
    move |asked| (asked.method == method).then_some(fault)
}

#[test]
fn a_volume_lies_under_its_prefix_and_is_read_by_range() {
    let server = Server::start();
    let store = on_server(&server);
    let (mut writer, Mounted { bytes: start, .. }) = mount(&store, "v1", Expect::New).unwrap();
    let starts = append(&mut writer, 1..8).unwrap();
    writer.sync().unwrap();
    let prefix = format!("site/a/{}/v1/", server.address.port());
    let stored: Vec<String> = server.stored().into_iter().map(|(key, _)| key).collect();
    let expected: Vec<String> =
        [0, start, start + 3000, start + 6000].map(|part| format!("{prefix}{}", name(part))).into();
    assert_eq!(stored, expected);
    assert_eq!(read(&store, "v1").unwrap(), (starts.clone(), Vec::new()));
    // Who wants one block asks for nothing of the other parts.
    server.asked();
    let source = ObjectSource::open(&format!("{store}/v1"), Stop::default()).unwrap();
    let mut blocks = Blocks::new(source, "v1".to_owned());
    blocks.skip_to(starts[4]);
    assert_eq!(blocks.read(&mut Vec::new()).unwrap(), Next::Block(starts[4]));
    let gets: Vec<Asked> = server.asked().into_iter().filter(|asked| asked.range.is_some()).collect();
    assert_eq!(gets.len(), 1, "{gets:?}");
    assert!(gets[0].path.ends_with(&name(start + 3000)) && gets[0].range == Some((1000, 2999)), "{gets:?}");
}

#[test]
fn what_passes_is_waited_for() {
    let faults = [
        Fault::Says(503, "SlowDown"),
        Fault::Says(500, "InternalError"),
        Fault::Says(429, "TooManyRequests"),
        Fault::HangsUp,
        Fault::Cuts,
    ];
    for fault in faults {
        let server = Server::start();
        let store = on_server(&server);
        let (mut writer, _) = mount(&store, "v1", Expect::New).unwrap();
        if fault != Fault::Cuts {
            server.misbehave(first(3, "PUT", fault));
        }
        let starts = append(&mut writer, 1..8).unwrap();
        writer.sync().unwrap_or_else(|error| panic!("{fault:?}: {error}"));
        server.misbehave(first(3, "GET", fault));
        assert_eq!(read(&store, "v1").unwrap(), (starts, Vec::new()), "{fault:?}");
    }
}

#[test]
fn each_refusal_has_a_code_of_its_own_and_is_not_repeated() {
    for (fault, code) in [
        (Fault::Says(403, "AccessDenied"), 974),
        (Fault::Says(403, "SignatureDoesNotMatch"), 974),
        (Fault::Says(401, "Unauthorized"), 974),
        (Fault::Says(404, "NoSuchBucket"), 975),
        (Fault::Says(400, "InvalidBucketName"), 979),
    ] {
        let server = Server::start();
        let store = on_server(&server);
        server.misbehave(move |_| Some(fault));
        let began = Instant::now();
        let error = mount(&store, "v1", Expect::New).err().unwrap();
        assert_eq!(error.code(), Code(code), "{fault:?}: {error}");
        let Fault::Says(_, word) = fault else { unreachable!() };
        assert!(error.to_string().contains(word), "{error}");
        assert!(!error.to_string().contains("hunter2"), "{error}");
        assert_eq!(server.asked().len(), 1, "{fault:?} after {:?}", began.elapsed());
    }
    let server = Server::start();
    let nowhere = reached(server.address, "s3://nowhere", "x", &settings());
    assert_eq!(trouble_of(mount(&nowhere, "v1", Expect::New)), StoreTrouble::NoBucket);
}

#[test]
fn a_store_that_stays_away_ends_the_job_with_its_last_words() {
    let server = Server::start();
    let short = Settings { retry_for: Seconds::secs(1), ..settings() };
    let store = reached(server.address, "s3://bucket", "away", &short);
    let (mut writer, _) = mount(&store, "v1", Expect::New).unwrap();
    server.misbehave(|_| Some(Fault::Says(503, "SlowDown")));
    append(&mut writer, 1..3).unwrap();
    let error = writer.sync().err().unwrap();
    assert_eq!(error.code(), Code(976), "{error}");
    assert!(error.to_string().contains("503 SlowDown"), "{error}");
    // Nobody listens there.
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let store = reached(nobody, "s3://bucket", "gone", &short);
    let error = mount(&store, "v1", Expect::New).err().unwrap();
    assert_eq!(error.code(), Code(976), "{error}");
    assert!(error.to_string().contains("refused"), "{error}");
}

#[test]
fn a_put_of_which_nothing_was_heard_counts_once() {
    let server = Server::start();
    let store = on_server(&server);
    let (mut writer, Mounted { bytes, .. }) = mount(&store, "v1", Expect::New).unwrap();
    server.misbehave(first(1, "PUT", Fault::HangsUp));
    append(&mut writer, 1..3).unwrap();
    writer.sync().unwrap();
    assert_eq!(read(&store, "v1").unwrap().0, [bytes, bytes + 1000]);
}

#[test]
fn a_store_that_says_it_has_stored_and_has_not_is_found_out() {
    for fault in [Fault::Loses, Fault::Halves] {
        let server = Server::start();
        let store = on_server(&server);
        let (mut writer, Mounted { bytes, .. }) = mount(&store, "v1", Expect::New).unwrap();
        server.misbehave(first(1, "PUT", fault));
        append(&mut writer, 1..5).unwrap();
        assert_eq!(trouble_of(writer.sync()), StoreTrouble::NotStored, "{fault:?}");
        drop(writer);
        server.behave();
        // What the catalog knows is there, and the volume can be used again.
        let (mut writer, mounted) = mount(&store, "v1", Expect::Bytes(bytes)).unwrap();
        let starts = append(&mut writer, 5..7).unwrap();
        writer.sync().unwrap();
        let (read, damage) = read(&store, "v1").unwrap();
        assert_eq!((read.ends_with(&starts), damage), (true, Vec::new()), "{fault:?} {mounted:?}");
    }
}

#[test]
fn a_part_that_is_gone_or_changed_costs_what_was_in_it() {
    let server = Server::start();
    let store = on_server(&server);
    let (mut writer, Mounted { bytes: at, .. }) = mount(&store, "v1", Expect::New).unwrap();
    let starts = append(&mut writer, 1..10).unwrap();
    writer.sync().unwrap();
    let key = |start| format!("site/a/{}/v1/{}", server.address.port(), name(start));
    server.change(&key(at + 3000), |bytes| bytes[1500] ^= 1);
    let (read_now, damage) = read(&store, "v1").unwrap();
    assert_eq!((read_now.len(), damage), (8, vec![at + 4000..at + 5000]));
    // It is listed, and when it is asked for it is not there.
    server.misbehave(move |asked| {
        (asked.range.is_some() && asked.path.ends_with(&name(at + 3000))).then_some(Fault::Says(404, "NoSuchKey"))
    });
    assert_eq!(read(&store, "v1").unwrap(), ([&starts[..3], &starts[6..]].concat(), vec![at + 3000..at + 6000]));
    server.misbehave(always("GET", Fault::Garbles));
    assert!(read(&store, "v1").is_err() || read(&store, "v1").unwrap().0.is_empty());
    server.behave();
    server.lose(&key(at + 3000));
    assert_eq!(read(&store, "v1").unwrap(), ([&starts[..3], &starts[6..]].concat(), vec![at + 3000..at + 6000]));
}

#[test]
fn two_parts_are_on_their_way_and_no_more() {
    let server = Server::start();
    let store = on_server(&server);
    let (mut writer, _) = mount(&store, "v1", Expect::New).unwrap();
    server.asked();
    server.misbehave(always("PUT", Fault::Holds));
    // The third part is filled while two are on their way; the block that completes it has to wait.
    append(&mut writer, 1..9).unwrap();
    let mut asked = 0;
    while asked < 2 {
        asked += server.asked().len();
    }
    let waiting = std::thread::spawn(move || {
        append(&mut writer, 9..10).unwrap();
        writer
    });
    std::thread::yield_now();
    assert!(!waiting.is_finished());
    assert_eq!(asked + server.asked().len(), 2);
    server.behave();
    let mut writer = waiting.join().unwrap();
    writer.sync().unwrap();
    assert_eq!(read(&store, "v1").unwrap().0.len(), 9);
}

#[test]
fn a_server_that_hangs_is_asked_again() {
    let server = Server::start();
    let store = on_server(&server);
    let (mut writer, _) = mount(&store, "v1", Expect::New).unwrap();
    server.misbehave(first(1, "PUT", Fault::Holds));
    append(&mut writer, 1..3).unwrap();
    writer.sync().unwrap();
    server.misbehave(first(1, "GET", Fault::Holds));
    assert_eq!(read(&store, "v1").unwrap().0.len(), 2);
}

#[test]
fn small_files_lie_beside_the_volumes() {
    let server = Server::start();
    let store = super::super::store(&on_server(&server)).unwrap();
    store.put_file("job.bsr", b"Volume=\"v1\"\n".to_vec()).unwrap();
    store.put_file("job.bsr", b"Volume=\"v2\"\n".to_vec()).unwrap();
    assert_eq!(store.get_file("job.bsr").unwrap().unwrap(), &b"Volume=\"v2\"\n"[..]);
    assert!(store.get_file("other.bsr").unwrap().is_none());
    mount(&on_server(&server), "v1", Expect::New).unwrap();
    assert_eq!(store.names().unwrap(), (vec!["v1".to_owned()], vec!["job.bsr".to_owned()]));
    store.delete_file("job.bsr").unwrap();
    store.delete_file("job.bsr").unwrap();
    assert!(store.names().unwrap().1.is_empty());
}
