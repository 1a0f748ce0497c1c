//! Commits whose answer is lost, and commits that are lost themselves: each request is done once.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::sync::mpsc::channel;
use std::thread;
use std::time::Duration;

use super::bodies::frames::attributes;
use super::bodies::{ended, listed, new_volume, running, site, volume};
use super::support::postgres::Server;
use super::{Attempt, Catalog as _, PostgresCatalog, name, shared};
use towline::catalog::{CatalogWorker, Patience};
use towline_core::catalog::*;
use towline_core::config::{Postgres, Seconds};

/// What a way to the server does with the next commit.
const PASS: u8 = 0;
/// The server gets it; its answer is lost with the connection.
const LOSE_ANSWER: u8 = 1;
/// It is lost with the connection.
const LOSE_COMMIT: u8 = 2;

/// A way to the server that can break.
struct Way {
    port: u16,
    next: Arc<AtomicU8>,
}

impl Way {
    fn to(server: &Server) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let next = Arc::new(AtomicU8::new(PASS));
        let (to, orders) = (server.port, Arc::clone(&next));
        thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                let Ok(server) = TcpStream::connect(("127.0.0.1", to)) else { continue };
                carry(client, server, &orders);
            }
        });
        Self { port, next }
    }

    fn order(&self, what: u8) {
        self.next.store(what, Ordering::SeqCst);
    }

    fn has_happened(&self) -> bool {
        self.next.load(Ordering::SeqCst) == PASS
    }
}

/// Carries bytes both ways until an order or an end breaks the connection.
fn carry(client: TcpStream, server: TcpStream, orders: &Arc<AtomicU8>) {
    let swallow = Arc::new(AtomicBool::new(false));
    let (mut asks, mut to) = (client.try_clone().unwrap(), server.try_clone().unwrap());
    let (mut says, mut back) = (server, client);
    let (order, swallows) = (Arc::clone(orders), Arc::clone(&swallow));
    thread::spawn(move || {
        let mut bytes = vec![0; 1 << 16];
        while let Some(n) = asks.read(&mut bytes).ok().filter(|n| *n > 0) {
            let commits = bytes[..n].windows(6).any(|word| word == b"COMMIT");
            match order.load(Ordering::SeqCst) {
                LOSE_COMMIT if commits => {
                    order.store(PASS, Ordering::SeqCst);
                    break;
                }
                LOSE_ANSWER if commits => swallows.store(true, Ordering::SeqCst),
                _ => {}
            }
            if to.write_all(&bytes[..n]).is_err() {
                break;
            }
        }
        let _gone = (asks.shutdown(Shutdown::Both), to.shutdown(Shutdown::Both));
    });
    let order = Arc::clone(orders);
    thread::spawn(move || {
        let mut bytes = vec![0; 1 << 16];
        while let Some(n) = says.read(&mut bytes).ok().filter(|n| *n > 0) {
            // The server answers when it has committed.
            if swallow.load(Ordering::SeqCst) {
                order.store(PASS, Ordering::SeqCst);
                break;
            }
            if back.write_all(&bytes[..n]).is_err() {
                break;
            }
        }
        let _gone = (says.shutdown(Shutdown::Both), back.shutdown(Shutdown::Both));
    });
}

fn answer(worker: &CatalogWorker, request: CatalogRequest) -> CatalogAnswer {
    let (answers, seen) = channel();
    worker.submit(request, Box::new(move |answer| drop(answers.send(answer)))).unwrap();
    seen.recv().unwrap().unwrap()
}

/// Does every kind of writing request over a way that breaks at its commit, and looks at what is stored.
fn each_request_is_done_once(order: u8) {
    let server = shared();
    let database = server.database(&name()).database;
    let way = Way::to(&server);
    let broken = Postgres { database: database.clone(), ..server.over_port(way.port) };
    let mut direct = PostgresCatalog::open(&Postgres { database: database.clone(), ..server.over_socket() }).unwrap();
    let site = site(&mut direct);
    let catalog = PostgresCatalog::open(&broken).unwrap();
    let patience = Patience { retry_for: Duration::from_secs(60) };
    let worker = CatalogWorker::start(Box::new(catalog), 8, patience).unwrap();
    let once = |request: CatalogRequest| {
        way.order(order);
        let answer = answer(&worker, request.clone());
        assert!(way.has_happened(), "the way did not break at {request:?}");
        answer
    };
    let count = |table: &str| server.sql(&database, &format!("SELECT COUNT(*) FROM {table}"));

    let new = NewJob { job: "j.1".into(), name: "j".into(), job_type: b'B', level: b'F', ..Default::default() };
    let CatalogAnswer::Id(job_id) = once(CatalogRequest::CreateJob(new)) else { panic!("no id") };
    let row = CatalogRequest::CreateMedia(Box::new(new_volume(&site, "v-1")));
    let CatalogAnswer::Volume(Some(media)) = once(row) else { panic!("no volume") };
    let mut batch = UpdCatBatch::new();
    (1..=3).for_each(|n| batch.push(&attributes(n, 3, format!("/d/{n}").as_bytes(), 0)));
    let stored = FilesStored { files: 2, highest: 3, ..Default::default() };
    assert_eq!(once(CatalogRequest::InsertFiles { job_id, batch }), CatalogAnswer::Files(stored));
    let piece = JobMediaRow { job_id, media_id: media.media_id, first_index: 1, last_index: 3, ..Default::default() };
    assert_eq!(once(CatalogRequest::CreateJobMedia(piece)), CatalogAnswer::Done);
    let line = LogRow { job_id, time: 5, text: "a line".into() };
    assert_eq!(once(CatalogRequest::AddLogs([line].into())), CatalogAnswer::Done);
    let updated = once(CatalogRequest::UpdateMedia(Box::new(MediaRow { vol_jobs: 7, ..*media })));
    assert!(matches!(updated, CatalogAnswer::Volume(Some(row)) if row.vol_jobs == 7), "not stale");
    assert_eq!(once(CatalogRequest::EndJob(Box::new(ended(&site, job_id, b'F', 105, 3)))), CatalogAnswer::Done);

    assert_eq!((count("Job"), count("JobMedia"), count("Log")), ("1".into(), "1".into(), "1".into()));
    assert_eq!(listed(&mut direct, job_id).len(), 3);
    let media = volume(&mut direct, CatalogRequest::VolumeByName("v-1".into()));
    assert_eq!((media.vol_jobs, media.revision), (7, 2), "updated once");
    // The next request of the same director is no repetition of these.
    running(&mut direct, &site, b'F', 200);
    assert_eq!(count("Job"), "2");
}

#[test]
fn a_commit_whose_answer_was_lost_is_not_done_again() {
    each_request_is_done_once(LOSE_ANSWER);
}

#[test]
fn a_commit_that_was_lost_is_done_again() {
    each_request_is_done_once(LOSE_COMMIT);
}

#[test]
fn a_server_that_hangs_on_a_living_connection_is_given_up_and_asked_again_when_it_goes_on() {
    let server = Server::start();
    let patient = Postgres { connect_timeout: Seconds::secs(1), ..server.over_loopback() };
    let mut catalog = PostgresCatalog::open(&patient).unwrap();
    // Work that takes long is waited for.
    let slow = CatalogRequest::List(Listing::Query { sql: "SELECT pg_sleep(3)".into(), limit: 1 });
    assert!(catalog.handle(&slow, Attempt::First).is_ok());
    server.freeze();
    let hung = |error: CatalogError| {
        assert_eq!(error.kind, CatalogErrorKind::Unreachable, "{error}");
        assert!(error.text.contains("it hangs"), "{error}");
    };
    hung(catalog.handle(&CatalogRequest::MaxMediaId, Attempt::First).unwrap_err());
    hung(PostgresCatalog::open(&patient).err().unwrap());
    server.thaw();
    assert!(catalog.handle(&CatalogRequest::MaxMediaId, Attempt::Again).is_ok());
}
