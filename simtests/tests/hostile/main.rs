//! Peers that hold a valid key and misuse it: they can harm their own jobs, and nobody else.

mod data;

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use towline_core::socket::SocketOptions;
use towline_simtests::arm::{Door, Shared};
use towline_simtests::keyholder::{Keyholder, Pass};
use towline_simtests::misuse::{self, ANSWERS};
use towline_simtests::rng::Rng;
use towline_simtests::town::{Plan, Town};
use towline_simtests::world::World;

const HOUR: Duration = Duration::from_secs(3600);
const DIRECTOR: &str = "Hello Director dir calling\n";
/// The file daemon and the storage daemon: where they are, and what the director's key opens them with.
const TARGETS: [([u8; 4], u16, &str); 2] = [([10, 0, 0, 3], 9102, "file"), ([10, 0, 0, 2], 9103, "storage")];
/// What a director says (`wire/2`, `wire/3`), for both daemons.
const ORDERS: &[&str] = &[
    "JobId=9 Job=evil.2026-01-01_00.00.00_00 SDid=1 SDtime=1 Authorization=dummy\n",
    "JobId=9 job=evil.2026-01-01_00.00.00_00 job_name=evil client_name=fd type=66 level=70 FileSet=s NoAttr=0 SpoolAttr=0 \
     FileSetMD5=x SpoolData=0 PreferMountedVols=1 SpoolSize=0 rerunning=0 VolSessionId=0 VolSessionTime=0 Quota=0 \
     Protocol=0 BackupFormat=Native\n",
    "fileset vss=0\n",
    "include\n",
    "I\n",
    "F /\n",
    "N\n",
    "level = full mtime_only=0\n",
    "storage address=10.0.0.2 port=9103 ssl=0\n",
    "backup FileIndex=1\n",
    "bootstrap\n",
    "restore replace=a prelinks=0 where=/\n",
    "endrestore\n",
    "verify level=catalog\n",
    "estimate listing=1\n",
    "passive client address=10.0.0.3 port=9102 ssl=0\n",
    "use storage=dev media_type=File pool_name=p pool_type=Backup append=1 copy=0 stripe=0\n",
    "use device=dev\n",
    "run",
    "cancel Job=evil.2026-01-01_00.00.00_00\n",
    "setbandwidth=1 Job=evil.2026-01-01_00.00.00_00\n",
    "RunBeforeJob /bin/false\n",
    "statusstorage\n",
    "status\n",
    ".status current\n",
    "resolve nobody\n",
];
/// Takes the town's world apart from it, so that peers can hold it too, and puts it back.
fn with_world<T>(town: &mut Town, act: impl FnOnce(&Shared) -> T) -> T {
    let shared = Rc::new(RefCell::new(std::mem::replace(&mut town.world, World::new(0))));
    let result = act(&shared);
    let Ok(world) = Rc::try_unwrap(shared) else { panic!("a peer outlived its test") };
    town.world = world.into_inner();
    result
}

/// Says one of these, or something like it, or nothing that anybody understands.
fn babble(peer: &mut Keyholder, rng: &mut Rng, words: &[&str]) -> bool {
    peer.put(&misuse::babble(rng, words)).is_ok()
}

/// The state in which a job ends, and its report.
fn end(town: &mut Town, job: u32) -> (char, String) {
    match town.await_end(job, 5 * HOUR) {
        Some(row) => (char::from(row.job_status), town.report(job)),
        None => panic!("job {job} hangs: {:#?}\n{}", town.world.pending(), town.world.trace().tail(60)),
    }
}

/// All that is left after three hours are the operator's connection and the director's; the next job works.
fn nothing_is_left(town: &mut Town, case: &str) {
    let hosts = [town.client, town.storage];
    let (files, volumes) = (town.client_hands.clone(), town.storage_hands.clone());
    let is_free = town.world.run_until(3 * HOUR, |world| {
        hosts.iter().all(|&host| world.connections(host) == 0) && files.handles() + volumes.handles() == 0
    });
    assert!(is_free, "{case}: {:#?}\n{}", town.world.pending(), town.world.trace().tail(60));
    let Some(job) = town.order("run job=backup yes") else { panic!("{case}: not taken") };
    let (state, report) = end(town, job);
    assert!(matches!(state, 'T' | 'W'), "{case}: {report}");
}

#[test]
fn whoever_has_a_directors_key_can_neither_crash_a_daemon_nor_keep_anything_of_it() {
    for seed in 0..40 {
        let mut rng = Rng::new(seed);
        let mut town = Town::new(Plan { tls: false, ..Plan::new(seed) });
        let operator = town.operator;
        let let_in = with_world(&mut town, |world| {
            let mut let_in = 0;
            for (address, port, password) in TARGETS.repeat(4) {
                let pass = Pass { name: "R_DIRECTOR::dir", password };
                let Ok(mut peer) = Keyholder::dial(world, operator, (address, port), DIRECTOR, pass) else { continue };
                let_in += 1;
                for _ in 0..rng.size(40) {
                    if !babble(&mut peer, &mut rng, ORDERS) {
                        break;
                    }
                    world.borrow_mut().run_for(Duration::from_millis(rng.below(200)));
                }
                if rng.one_in(2) {
                    peer.reset();
                }
            }
            let_in
        });
        assert_eq!(let_in, 8, "seed {seed}: the key is good, and so it is let in");
        nothing_is_left(&mut town, &format!("seed {seed}"));
    }
}

#[test]
fn a_client_that_answers_what_it_likes_fails_its_job_and_frees_the_device() {
    for seed in 0..40 {
        let mut rng = Rng::new(seed);
        let mut town = Town::new(Plan { tls: false, ..Plan::new(seed) });
        let (client, case) = (town.client, format!("seed {seed}"));
        town.world.kill(client);
        let Some(job) = town.order("run job=backup yes") else { panic!("{case}: not taken") };
        with_world(&mut town, |world| {
            let door = Door::open(world, client, ([0, 0, 0, 0], 9102).into(), SocketOptions::default());
            let pass = Pass { name: "R_CLIENT::fd", password: "file" };
            let (mut peer, hello) = Keyholder::accept(world, &door, pass).expect(&case);
            assert!(hello.starts_with(b"Hello Director dir"), "{case}: {}", String::from_utf8_lossy(&hello));
            // It begins well, and goes on for some steps as a file daemon does.
            let well = usize::try_from(rng.below(9)).unwrap_or(0);
            for answer in ANSWERS.iter().take(well) {
                let _gone = peer.say(answer.as_bytes());
                world.borrow_mut().run_for(Duration::from_millis(300));
            }
            while babble(&mut peer, &mut rng, ANSWERS) && !rng.one_in(30) {
                world.borrow_mut().run_for(Duration::from_millis(rng.below(500)));
            }
        });
        let (state, report) = end(&mut town, job);
        assert!(state != 'T' && state != 'W', "{case}: a job without a byte on the volume is good: {report}");
        town.world.power_off(client);
        town.start_client();
        nothing_is_left(&mut town, &case);
    }
}
