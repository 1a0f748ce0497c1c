//! Stock peers: their hello has no mark, and they answer no heartbeat (`wire/1 §9`).

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use towline_core::config::Seconds;
use towline_core::secret::Secret;
use towline_core::socket::SocketOptions;
use towline_core::wire::hello::{FILE_PROTOCOL, Hello, Purpose, Version};
use towline_simtests::arm::Door;
use towline_simtests::gateway::{Gateway, Unknown};
use towline_simtests::keyholder::{Keyholder, Pass};
use towline_simtests::ready;
use towline_simtests::said::Said;
use towline_simtests::site::Site;
use towline_simtests::stock::Make;
use towline_simtests::town::{Directions, Plan, Town};
use towline_simtests::world::World;

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3_600);
const DAY: Duration = Duration::from_secs(86_400);
/// The key that a storage daemon gives for a job.
const KEY: &str = "DJFK-CCCF-FLNE-JBIH-NMCJ-NHGC-COAJ-PPMF";

/// A town whose client dials its director, and what a stock client says to that; no client is there.
fn town() -> (Town, Hello) {
    let plan = Plan { tls: false, directions: Directions::CLIENT, heartbeat: 60, ..Plan::new(41) };
    let mut town = Town::new(plan);
    town.world.kill(town.client);
    town.world.run_for(MINUTE);
    let purpose = Purpose::Client { name: "fd".to_owned(), protocol: FILE_PROTOCOL };
    (town, Hello::new(purpose, Version { major: 26, minor: 0, patch: 0 }))
}

/// A client dials the director with this hello, waits there and never says a word: what it was sent until it is asked for
/// by a job after so long, or until it was dropped.
fn wait_there(hello: &str, span: Duration) -> Option<(usize, Vec<u8>)> {
    let (mut town, _) = town();
    let shared = Rc::new(RefCell::new(std::mem::replace(&mut town.world, World::new(0))));
    let pass = Pass { name: "R_CLIENT::fd", password: "file" };
    let mut peer = Keyholder::dial(&shared, town.client, ([10, 0, 0, 1], 9101), hello, pass).expect("let in");
    let welcome = peer.hear().expect("a welcome");
    assert!(welcome.starts_with(b"1000 OK: dir "), "{}", String::from_utf8_lossy(&welcome));
    shared.borrow_mut().run_for(span);
    let silent = peer.arrived().map(<[u8]>::len);
    let Ok(silent) = silent else { return None };
    // The job is ordered by the town, which needs its world.
    std::mem::swap(&mut *shared.borrow_mut(), &mut town.world);
    town.start_operator();
    let job = town.order("run job=backup yes");
    assert!(job.is_some(), "not taken: {:?}\n{}", town.heard(), town.world.trace().tail(40));
    std::mem::swap(&mut *shared.borrow_mut(), &mut town.world);
    Some((silent, peer.hear().expect("to be asked")))
}

#[test]
fn a_stock_client_that_waits_for_a_month_is_sent_nothing_and_then_its_job() {
    let (_, hello) = town();
    let (bytes, asked) = wait_there(&hello.to_line(), DAY * 30).expect("it is kept");
    assert_eq!(bytes, 0, "it was sent something that it cannot answer");
    assert_eq!(String::from_utf8_lossy(&asked), "getSecureEraseCmd\n", "the first word of its job");
}

#[test]
fn one_that_says_it_is_ours_and_answers_no_heartbeat_is_dropped() {
    let (_, hello) = town();
    assert_eq!(wait_there(&hello.to_marked_line(), MINUTE * 10), None);
}

/// A director that dials a daemon with this hello, gives it a job, and says nothing more for so long: whether it still has the
/// daemon, and was sent nothing. Then the daemon answers as if no time had passed.
fn director_is_silent(hello: &str, (to, port, password): ([u8; 4], u16, &str), order: &str, span: Duration) -> bool {
    let mut town = Town::new(Plan { tls: false, heartbeat: 60, ..Plan::new(42) });
    town.world.kill(town.director);
    let shared = Rc::new(RefCell::new(std::mem::replace(&mut town.world, World::new(0))));
    let pass = Pass { name: "R_DIRECTOR::dir", password };
    let mut director = Keyholder::dial(&shared, town.director, (to, port), hello, pass).expect("let in");
    let said = |heard: Vec<u8>| String::from_utf8_lossy(&heard).into_owned();
    let greeting = said(director.hear().expect("a greeting"));
    assert!(greeting.contains("000 OK Hello"), "{greeting}");
    director.say(order.as_bytes()).expect("an order");
    let answer = said(director.hear().expect("an answer"));
    assert!(answer.contains("000 OK Job"), "{answer}");
    shared.borrow_mut().run_for(span);
    if director.arrived().map(<[u8]>::len) != Ok(0) {
        return false;
    }
    director.say(b"resolve sd\n").expect("one more order");
    let answer = said(director.hear().expect("its answer"));
    assert!(answer.contains("host["), "{answer}");
    true
}

const FILE: ([u8; 4], u16, &str) = ([10, 0, 0, 3], 9102, "file");
const STORAGE: ([u8; 4], u16, &str) = ([10, 0, 0, 2], 9103, "storage");
const FILE_JOB: &str = "JobId=9 Job=job.2026-01-01_00.00.00_00 SDid=1 SDtime=1 Authorization=dummy\n";
const STORAGE_JOB: &str = "JobId=9 job=job.2026-01-01_00.00.00_00 job_name=job client_name=fd type=66 level=70 FileSet=s NoAttr=0 SpoolAttr=0 \
     FileSetMD5=x SpoolData=0 PreferMountedVols=1 SpoolSize=0 rerunning=0 VolSessionId=0 VolSessionTime=0 Quota=0 Protocol=0 \
     BackupFormat=Native\n";

#[test]
fn a_stock_director_that_takes_hours_within_a_job_is_sent_nothing_that_it_cannot_answer_and_is_not_left() {
    let purpose = || Purpose::Director { name: "dir".to_owned() };
    let hello = Hello::new(purpose(), Version { major: 26, minor: 0, patch: 0 });
    for (target, order) in [(FILE, FILE_JOB), (STORAGE, STORAGE_JOB)] {
        assert!(director_is_silent(&hello.to_line(), target, order, HOUR * 5), "{target:?} left it");
        // One that says that it answers, and does not, is left.
        assert!(!director_is_silent(&hello.to_marked_line(), target, order, HOUR), "{target:?} kept it");
    }
}

#[test]
fn a_stock_storage_daemon_that_waits_for_a_volume_for_hours_keeps_its_job_and_ends_it_well() {
    let mut town = Town::new(Plan { tls: false, heartbeat: 60, ..Plan::new(43) });
    let storage = town.storage;
    town.world.kill(storage);
    town.start_operator();
    let job = town.order("run job=backup yes").expect("it is taken");
    let shared = Rc::new(RefCell::new(std::mem::replace(&mut town.world, World::new(0))));
    let door = Door::open(&shared, storage, ([0, 0, 0, 0], 9103).into(), SocketOptions::default());
    let pass = Pass { name: "R_STORAGE::sd", password: "storage" };
    let (mut peer, hello) = Keyholder::accept(&shared, &door, pass).expect("the director comes");
    assert!(hello.starts_with(b"Hello Director dir"), "{}", String::from_utf8_lossy(&hello));
    let accepted = format!("3000 OK Job SDid=1 SDtime=1767225600 Authorization={KEY}\n");
    let mut name = String::new();
    for (heard, answer) in
        [("", "3000 OK Hello\n"), ("JobId=", accepted.as_str()), ("use storage=", ""), ("use device=", "")]
    {
        if !heard.is_empty() {
            let mut text = peer.hear().expect("the director goes on");
            if text == b"getSecureEraseCmd\n" {
                peer.say(b"2000 OK SDSecureEraseCmd *None*\n").expect("to answer");
                text = peer.hear().expect("the director goes on");
            }
            assert!(text.starts_with(heard.as_bytes()), "{}", String::from_utf8_lossy(&text));
            if let Some((_, rest)) = String::from_utf8_lossy(&text).split_once(" job=") {
                name = rest.split_whitespace().next().unwrap_or_default().to_owned();
            }
        }
        if !answer.is_empty() {
            peer.say(answer.as_bytes()).expect("to answer");
        }
    }
    // It looks for a volume, and hears nothing but that the list of devices has ended.
    shared.borrow_mut().run_for(MINUTE);
    let before = peer.arrived().map(<[u8]>::len).expect("it is connected");
    shared.borrow_mut().run_for(HOUR * 5);
    assert_eq!(peer.arrived().map(<[u8]>::len), Ok(before), "it was sent something that it cannot answer");
    std::mem::swap(&mut *shared.borrow_mut(), &mut town.world);
    assert!(town.ended(job).is_none(), "{}", town.world.trace().tail(40));
    std::mem::swap(&mut *shared.borrow_mut(), &mut town.world);
    // It has found one at last, and the job goes on as if nothing had been.
    let mut stock = StockStorage {
        director: peer,
        file: None,
        job: name,
        ended: false,
        files: 0,
        bytes: 0,
        last: None,
        signals: Vec::new(),
    };
    stock.director.say(b"3000 OK use device device=dev\n").expect("to answer");
    for _ in 0..HOUR.as_secs() {
        stock.serve(&door);
        shared.borrow_mut().run_for(Duration::from_secs(1));
    }
    assert!(!stock.signals.contains(&-6), "a heartbeat that it does not answer: {:?}", stock.signals);
    assert!(stock.ended && stock.files > 0, "{} files have come", stock.files);
    drop(stock);
    shared.borrow_mut().run_for(MINUTE);
    std::mem::swap(&mut *shared.borrow_mut(), &mut town.world);
    let row = town.ended(job).expect("it has ended");
    assert!(matches!(row.job_status, b'T' | b'W'), "{}", town.report(job));
}

/// A stock storage daemon from the answer to `use device` on: it takes the data, and throws them away.
struct StockStorage {
    director: Keyholder,
    file: Option<Keyholder>,
    job: String,
    /// Whether all data have come.
    ended: bool,
    files: u32,
    bytes: usize,
    /// What was said last on the data channel.
    last: Option<Said>,
    signals: Vec<i32>,
}

impl StockStorage {
    fn serve(&mut self, door: &Door) {
        if let Some(raw) = door.try_accept() {
            let pass = |_: &[u8]| ("R_STORAGE::sd".to_owned(), Secret::from(KEY));
            self.file = Keyholder::welcome(raw, pass).ok().map(|(file, _)| file);
        }
        while let Ok(Some(said)) = self.director.heard() {
            match said {
                Said::Text(text) if text.starts_with(b"run") => {
                    self.director.say(format!("3010 Job {} start\n", self.job).as_bytes()).expect("to answer");
                }
                Said::Text(_) => {}
                Said::Signal(signal) => self.signals.push(signal),
            }
        }
        while let Some(Ok(Some(said))) = self.file.as_mut().map(Keyholder::heard) {
            let before = self.last.replace(said.clone());
            self.serve_file(&said, before.as_ref());
        }
    }

    fn serve_file(&mut self, said: &Said, before: Option<&Said>) {
        let Some(file) = &mut self.file else { return };
        let is_header = |text: &[u8]| text.iter().all(|byte| byte.is_ascii_digit() || *byte == b' ');
        let answer: &[u8] = match said {
            Said::Text(text) if text.starts_with(b"append open") => b"3000 OK open ticket = 1\n",
            Said::Text(text) if text.starts_with(b"append data") => b"3000 OK data\n",
            Said::Text(text) if text.starts_with(b"append end") => b"3000 OK end\n",
            Said::Text(text) if text.starts_with(b"append close") => b"3000 OK close Status = 84\n",
            Said::Text(text) if is_header(text) => {
                self.files += u32::from(text.ends_with(b" 1 0"));
                return;
            }
            Said::Text(text) => {
                self.bytes += text.len();
                return;
            }
            // Two ends: of the last stream, and of all.
            Said::Signal(-1) if before == Some(&Said::Signal(-1)) && !self.ended => {
                self.ended = true;
                b"3000 OK append data\n"
            }
            Said::Signal(-4) => {
                let (job, files, bytes) = (&self.job, self.files, self.bytes);
                let end = format!("3099 Job {job} end JobStatus=84 JobFiles={files} JobBytes={bytes} JobErrors=0\n");
                self.director.say(end.as_bytes()).expect("to answer");
                self.file = None;
                return;
            }
            Said::Signal(signal) => return self.signals.push(*signal),
        };
        file.say(answer).expect("to answer");
        if answer.starts_with(b"3000 OK close") {
            file.put(&(-1_i32).to_be_bytes()).expect("to answer");
        }
    }
}

/// A client behind a gateway that forgets after four minutes dials its director and waits there; an hour later it is
/// wanted. Whether its backup is good, with these intervals of the director and of the client.
fn is_wanted_after_an_hour(heartbeats: (u64, u64), director_is_stock: bool) -> bool {
    let mut site = Site::new(44);
    let gateway = Gateway::masquerading([192, 0, 2, 254]).forgets(Duration::from_secs(240), Unknown::Drop);
    let home = site.network("home", None, gateway);
    let server = site.host("server", None, [192, 0, 2, 1]);
    let laptop = site.host("laptop", Some(home), [10, 0, 0, 3]);
    let (mut director, mut client) = (ready::director("fd", "server"), ready::client("server"));
    director.clients[0].connection_from_client_to_director = true;
    director.clients[0].connection_from_director_to_client = false;
    client.directors[0].connection_from_client_to_director = true;
    client.directors[0].connection_from_director_to_client = false;
    director.director.heartbeat_interval = Seconds::secs(heartbeats.0);
    client.file.heartbeat_interval = Seconds::secs(heartbeats.1);
    match director_is_stock {
        true => site.stock_daemon(server, director, 24),
        false => site.daemon(server, director),
    };
    site.stock_daemon(server, ready::storage(), 24).stock_daemon(laptop, client, 24);
    let mut standing = site.start().expect("a site without a mistake");
    standing.world.run_for(HOUR);
    let job = standing.order("run job=backup yes").expect("it is taken");
    let row = standing.await_end(job, HOUR).expect("it ends");
    row.job_status == b'T'
}

#[test]
fn a_stock_client_that_waits_behind_a_gateway_is_kept_by_its_own_heartbeat_or_by_our_directors_and_by_no_stock_one() {
    // The interval of a stock director has no effect on what it accepts (`wire/1 §9.6`).
    for (heartbeats, director_is_stock, is_good) in [
        ((60, 60), true, true),
        ((0, 60), true, true),
        ((60, 0), true, false),
        ((0, 0), true, false),
        ((60, 0), false, true),
        ((0, 0), false, false),
    ] {
        let found = is_wanted_after_an_hour(heartbeats, director_is_stock);
        assert_eq!(found, is_good, "heartbeats {heartbeats:?}, director is stock: {director_is_stock}");
    }
}

#[test]
fn ours_and_stock_daemons_back_up_and_restore_in_every_mixture() {
    for mixture in 0..8_u32 {
        let mut site = Site::new(45);
        let hosts = [("dir", 1), ("sd", 2), ("fd", 3)].map(|(name, last)| site.host(name, None, [192, 0, 2, last]));
        site.daemon(hosts[0], ready::director("fd", "sd"))
            .daemon(hosts[1], ready::storage())
            .daemon(hosts[2], ready::client("dir"));
        for (n, daemon) in site.daemons.iter_mut().enumerate().filter(|(n, _)| mixture >> n & 1 == 1) {
            daemon.make = Make::stock(22 + n as u32);
        }
        let mut standing = site.start().expect("a site without a mistake");
        for line in ["run job=backup yes", "restore client=fd all done yes"] {
            let job = standing.order(line).expect("it is taken");
            let row = standing.await_end(job, HOUR).expect("it ends");
            assert_eq!(char::from(row.job_status), 'T', "mixture {mixture}: {}", standing.report(job));
        }
    }
}
