//! Peers that hold the key of a job and misuse its data channel: a client that sends what no file daemon sends, and a storage
//! daemon that gives a client other data than it asked for. Their own job fails with a reason; others go on beside it.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use towline_core::limits;
use towline_core::secret::Secret;
use towline_core::socket::SocketOptions;
use towline_core::wire::cram_md5::password_key;
use towline_simtests::arm::{Door, Shared};
use towline_simtests::disk::Files;
use towline_simtests::host::HostId;
use towline_simtests::keyholder::{Keyholder, Pass};
use towline_simtests::misuse::{Gift, Misuse, frames, whole_file};
use towline_simtests::ready;
use towline_simtests::rng::Rng;
use towline_simtests::said::Said;
use towline_simtests::site::{Site, Standing};
use towline_simtests::town::some_files;
use towline_simtests::world::World;

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3_600);
const STORAGE: ([u8; 4], u16) = ([192, 0, 2, 2], 9103);
/// The key that a storage daemon gives for a job.
const KEY: &str = "DJFK-CCCF-FLNE-JBIH-NMCJ-NHGC-COAJ-PPMF";

/// A director, a storage daemon, a client whose place the hostile one takes, and another one that is good.
fn site(seed: u64, files: Files) -> Standing {
    let mut site = Site::new(seed);
    site.files = files;
    let place = |site: &mut Site, name: &str, last: u8| site.host(name, None, [192, 0, 2, last]);
    let [dir, sd, fd, good] =
        [("dir", 1), ("sd", 2), ("fd", 3), ("good", 4)].map(|(name, n)| place(&mut site, name, n));
    let (mut director, mut storage, mut client) = (ready::director("fd", "sd"), ready::storage(), ready::client("dir"));
    let mut other = director.clients[0].clone();
    (other.name, other.address) = ("good".to_owned(), Some("good".to_owned()));
    director.clients.push(other);
    let mut job = director.jobs[0].clone();
    (job.name, job.client) = ("other".to_owned(), "good".to_owned());
    director.jobs.push(job);
    director.storages[0].maximum_concurrent_jobs = 5;
    storage.devices[0].maximum_concurrent_jobs = 5;
    site.daemon(dir, director).daemon(sd, storage).daemon(fd, client.clone());
    client.file.name = "good".to_owned();
    site.daemon(good, client);
    site.start().expect("a site without a mistake")
}

/// Lends a site's world to those who hold `shared`, and takes it back.
fn lend<T>(standing: &mut Standing, shared: &Shared, act: impl FnOnce(&Shared) -> T) -> T {
    std::mem::swap(&mut *shared.borrow_mut(), &mut standing.world);
    let result = act(shared);
    std::mem::swap(&mut *shared.borrow_mut(), &mut standing.world);
    result
}

fn nowhere() -> Shared {
    Rc::new(RefCell::new(World::new(0)))
}

fn host(standing: &Standing, name: &str) -> HostId {
    standing.daemons.iter().find(|daemon| daemon.name == name).expect("it is there").host
}

fn pass_time(world: &Shared, span: Duration) {
    world.borrow_mut().run_for(span);
}

/// No queue of the storage daemon and of the clients is larger than it may be.
fn queues_are_bounded(standing: &Standing, case: &str) {
    for name in ["sd", "fd", "good", "dir"] {
        for (conn, seen) in standing.world.inspect_connections(host(standing, name)) {
            let is_bounded = seen.unsent <= limits::SEND_QUEUE + 2 * limits::PARCEL
                && seen.unread <= 2 * limits::PARCEL
                && seen.untold <= 2 * limits::UNDER_WAY as usize
                && seen.untaken <= limits::UNDER_WAY as usize;
            assert!(is_bounded, "{case}: connection {} of {name} holds {seen:?}", conn.0);
        }
    }
}

/// A file daemon that does as its director says, until it has its storage daemon on the line.
struct Client {
    director: Keyholder,
    job: String,
    key: Secret,
    is_told_to_begin: bool,
    in_fileset: bool,
}

impl Client {
    /// Takes the order for a backup.
    fn take(world: &Shared, own: HostId) -> Self {
        let door = Door::open(world, own, ([0, 0, 0, 0], 9102).into(), SocketOptions::default());
        let pass = Pass { name: "R_CLIENT::fd", password: "file" };
        let (mut director, _) = Keyholder::accept(world, &door, pass).expect("the director comes");
        director.say(b"2000 OK Hello 54\n").expect("a greeting");
        let mut client =
            Self { director, job: String::new(), key: Secret::from(""), is_told_to_begin: false, in_fileset: false };
        for _ in 0..600 {
            client.serve();
            if client.is_told_to_begin {
                return client;
            }
            pass_time(world, SECOND);
        }
        panic!("the director does not order a backup");
    }

    /// Answers what the director has said.
    fn serve(&mut self) {
        while let Ok(Some(said)) = self.director.heard() {
            let answer = match said {
                Said::Signal(-1) if std::mem::take(&mut self.in_fileset) => "2000 OK include\n",
                Said::Signal(_) => continue,
                Said::Text(text) => self.answer(&String::from_utf8_lossy(&text)),
            };
            if !answer.is_empty() {
                let _gone = self.director.say(answer.as_bytes());
            }
        }
    }

    fn answer(&mut self, text: &str) -> &'static str {
        let word = |name: &str| text.split(name).nth(1).and_then(|rest| rest.split_whitespace().next()).unwrap_or("");
        match text.split([' ', '=']).next().unwrap_or("").trim() {
            "JobId" => {
                self.job = word(" Job=").to_owned();
                self.key = Secret::from(word("Authorization="));
                "2000 OK Job 26.0.0 (01Jan26) hostile\n"
            }
            "fileset" => {
                self.in_fileset = true;
                ""
            }
            _ if self.in_fileset => "",
            "getSecureEraseCmd" => "2000 OK FDSecureEraseCmd *None*\n",
            "level" => "2000 OK level\n",
            "storage" => "2000 OK storage\n",
            "setbandwidth" => "2000 OK Bandwidth\n",
            "backup" => {
                self.is_told_to_begin = true;
                "2000 OK backup\n"
            }
            _ => "2999 Invalid command\n",
        }
    }

    /// Its data channel, which the storage daemon has consented to take data on.
    fn data_channel(&self, world: &Shared, own: HostId) -> Keyholder {
        let hello = format!("Hello Start Job {} Version=\"26.0.0\"\n", self.job);
        let mut data = Keyholder::dial_with(world, own, STORAGE, &hello, ("R_CLIENT::fd", &self.key)).expect("let in");
        for (say, hear) in [("append open session\n", "3000 OK open"), ("append data 1\n", "3000 OK data")] {
            data.say(say.as_bytes()).expect("to be heard");
            let answer = data.hear().expect("an answer");
            assert!(answer.starts_with(hear.as_bytes()), "{}", String::from_utf8_lossy(&answer));
        }
        data
    }
}

/// Misuses the data channel of a job that has begun well.
fn misuse(world: &Shared, own: HostId, what: Misuse, rng: &mut Rng) -> (Client, Keyholder) {
    let mut client = Client::take(world, own);
    let mut data = client.data_channel(world, own);
    for index in 1..3 {
        data.put(&whole_file(index)).expect("to be heard");
    }
    pass_time(world, SECOND);
    let _gone = data.put(&what.bytes(rng));
    match what {
        Misuse::SecondChannel => {
            let hello = format!("Hello Start Job {} Version=\"26.0.0\"\n", client.job);
            let second = Keyholder::dial_with(world, own, STORAGE, &hello, ("R_CLIENT::fd", &client.key));
            pass_time(world, SECOND);
            let is_in = second.is_ok_and(|mut second| second.arrived().is_ok());
            assert!(!is_in, "a second data channel of the job was let in");
        }
        Misuse::Drip => {
            for byte in whole_file(3) {
                let _gone = data.put(&[byte]);
                pass_time(world, SECOND * 10);
            }
        }
        _ => pass_time(world, SECOND),
    }
    client.serve();
    if what == Misuse::ForgottenEnd {
        let end = b"2800 End Job TermCode=84 JobFiles=2 ReadBytes=10 JobBytes=10 Errors=0 VSS=0 Encrypt=0\n";
        client.director.say(end).expect("to be heard");
    }
    (client, data)
}

#[test]
fn a_client_that_misuses_its_data_channel_fails_its_own_job_with_a_reason_and_harms_no_other() {
    for what in Misuse::ALL {
        for seed in 0..2 {
            let (mut rng, case) = (Rng::new(seed), format!("{what:?} {seed}"));
            let mut standing = site(seed, some_files(seed, 12, 60_000));
            let (own, storage) = (host(&standing, "fd"), host(&standing, "sd"));
            standing.world.kill(own);
            let job = standing.order("run job=backup yes").expect("taken");
            let shared = nowhere();
            // It holds on to its connections, unless it leaves in the middle of a frame.
            let (client, data) = lend(&mut standing, &shared, |world| {
                let (client, data) = misuse(world, own, what, &mut rng);
                (client, (what != Misuse::CutFrame).then_some(data))
            });
            // Another job begins and ends meanwhile.
            let other = standing.order("run job=other yes").expect("taken");
            let row = standing.await_end(other, HOUR);
            let status = row.map(|row| char::from(row.job_status));
            assert_eq!(status, Some('T'), "{case}: the other job: {}", standing.report(other));
            queues_are_bounded(&standing, &case);
            if what.is_patient() {
                assert!(standing.catalog.ended(job).is_none(), "{case}: it is only slow");
                standing.say(&format!("cancel jobid={job}"), MINUTE).expect("an answer");
                assert!(standing.await_end(job, 2 * MINUTE).is_some(), "{case}: a cancel does not end it");
            }
            let row = standing.await_end(job, 2 * HOUR).unwrap_or_else(|| panic!("{case}: {}", standing.report(job)));
            standing.world.run_for(MINUTE);
            let report = standing.report(job);
            assert!(!matches!(row.job_status, b'T' | b'W'), "{case}: {report}");
            assert!(what.is_patient() || report.contains(what.code()), "{case}: no {} in {report}", what.code());
            lend(&mut standing, &shared, |_| drop((client, data)));
            let is_free = standing.world.run_until(HOUR, |world| world.connections(storage) == 0);
            assert!(is_free, "{case}: {:#?}", standing.world.pending());
            let next = standing.order("run job=other yes").expect("taken");
            let row = standing.await_end(next, HOUR);
            assert_eq!(row.map(|row| row.job_status), Some(b'T'), "{case}: {}", standing.report(next));
        }
    }
}

/// A storage daemon that does as its director says, and gives the client something.
struct Giver {
    door: Door,
    director: Option<Keyholder>,
    file: Option<Keyholder>,
    job: String,
    /// Ends of lists that have come for the present command.
    ends: u32,
    has_given: bool,
}

impl Giver {
    fn open(world: &Shared, own: HostId) -> Self {
        let door = Door::open(world, own, ([0, 0, 0, 0], STORAGE.1).into(), SocketOptions::default());
        Self { door, director: None, file: None, job: String::new(), ends: 0, has_given: false }
    }

    /// Lets in who has come, and answers what was said.
    fn serve(&mut self, gift: Gift, rng: &mut Rng) {
        if let Some(raw) = self.door.try_accept() {
            let key = |hello: &[u8]| match hello.starts_with(b"Hello Director") {
                true => ("R_STORAGE::sd".to_owned(), password_key("storage")),
                false => ("R_STORAGE::sd".to_owned(), Secret::from(KEY)),
            };
            let Ok((mut peer, hello)) = Keyholder::welcome(raw, key) else { return };
            if hello.starts_with(b"Hello Director") {
                peer.say(b"3000 OK Hello\n").expect("to be heard");
                self.director = Some(peer);
            } else {
                self.file = Some(peer);
            }
        }
        while let Some(Ok(Some(said))) = self.director.as_mut().map(Keyholder::heard) {
            let answer = match said {
                Said::Signal(-1) => self.ended(),
                Said::Signal(_) => String::new(),
                Said::Text(text) => self.ordered(&String::from_utf8_lossy(&text)),
            };
            self.tell(&answer);
        }
        while let Some(Ok(Some(said))) = self.file.as_mut().map(Keyholder::heard) {
            if let Said::Text(text) = said {
                self.serve_file(&String::from_utf8_lossy(&text), gift, rng);
            }
        }
    }

    fn tell(&mut self, text: &str) {
        if let Some(director) = self.director.as_mut().filter(|_| !text.is_empty()) {
            let _gone = director.say(text.as_bytes());
        }
    }

    fn ordered(&mut self, text: &str) -> String {
        match text {
            _ if text.starts_with("JobId=") => {
                let name = text.split(" job=").nth(1).and_then(|rest| rest.split_whitespace().next());
                self.job = name.unwrap_or_default().to_owned();
                format!("3000 OK Job SDid=1 SDtime=1767225600 Authorization={KEY}\n")
            }
            "getSecureEraseCmd\n" => "2000 OK SDSecureEraseCmd *None*\n".to_owned(),
            "bootstrap\n" => {
                // One end follows, where the devices have two.
                self.ends = 10;
                String::new()
            }
            "run" | "run\n" => format!("3010 Job {} start\n", self.job),
            _ => String::new(),
        }
    }

    fn ended(&mut self) -> String {
        self.ends += 1;
        match self.ends {
            2 => "3000 OK use device device=dev\n".to_owned(),
            11 => "3000 OK bootstrap\n".to_owned(),
            _ => String::new(),
        }
    }

    fn serve_file(&mut self, text: &str, gift: Gift, rng: &mut Rng) {
        let Some(file) = &mut self.file else { return };
        let gone = match text.split(' ').take(2).collect::<Vec<_>>()[..] {
            ["read", "open"] => file.say(b"3000 OK open ticket = 1\n"),
            ["read", "data"] => {
                self.has_given = true;
                file.say(b"3000 OK data\n").and_then(|()| file.put(&gift.bytes(rng)))
            }
            ["read", "close"] => file.put(&frames(&[b"3000 OK close Status = 82\n", b""])),
            _ => Ok(()),
        };
        if gone.is_err() || gift == Gift::Cut && self.has_given {
            self.file = None;
        }
    }
}

#[test]
fn a_storage_daemon_that_gives_a_client_other_data_than_were_saved_restores_nothing_that_is_called_right() {
    for gift in Gift::ALL {
        let (mut rng, case) = (Rng::new(9), format!("{gift:?}"));
        let mut standing = site(9, [(b"/data/file-001".to_vec(), b"hello".to_vec().into())].into());
        let (own, client) = (host(&standing, "sd"), host(&standing, "fd"));
        let backup = standing.order("run job=backup yes").expect("taken");
        assert_eq!(
            standing.await_end(backup, HOUR).map(|row| row.job_status),
            Some(b'T'),
            "{}",
            standing.report(backup)
        );
        standing.world.run_for(MINUTE);
        standing.world.kill(own);
        let job = standing.order("restore client=fd all done yes").expect("taken");
        let shared = nowhere();
        let mut giver = lend(&mut standing, &shared, |world| Giver::open(world, own));
        // It says that it has ended well once the client has left, or after a minute.
        let mut since = None;
        for second in 0..3 * 3_600_u32 {
            if standing.catalog.ended(job).is_some() {
                break;
            }
            lend(&mut standing, &shared, |world| {
                giver.serve(gift, &mut rng);
                pass_time(world, SECOND);
                if giver.has_given && *since.get_or_insert(second) + 60 == second {
                    let job = &giver.job;
                    let end = format!("3099 Job {job} end JobStatus=84 JobFiles=0 JobBytes=0 JobErrors=0\n");
                    giver.tell(&end);
                }
            });
            if second % 60 == 0 {
                queues_are_bounded(&standing, &case);
            }
        }
        let Some(row) = standing.catalog.ended(job) else { panic!("{case} hangs: {}", standing.report(job)) };
        lend(&mut standing, &shared, |world| {
            drop(giver);
            pass_time(world, MINUTE);
        });
        let report = standing.report(job);
        let files = standing.daemon(client).expect("it runs").disk.restored();
        assert_eq!(matches!(row.job_status, b'T' | b'W'), gift == Gift::Right, "{case}: {report}");
        let is_there = files.get(&b"/data/file-001"[..]).map(|contents| contents.to_vec());
        assert!(is_there.is_none_or(|found| found == b"hello"), "{case}: what was not saved has got a name");
        assert!(report.contains(gift.said()), "{case}: not {:?} in {report}", gift.said());
        assert_eq!(standing.world.connections(client), 0, "{case}: {:#?}", standing.world.pending());
    }
}
