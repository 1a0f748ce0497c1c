//! A backup of many files that goes on for a while, and what becomes of it when the catalog goes away.

use std::path::Path;
use std::time::{Duration, Instant};

use super::daemon::Daemon;
use super::network::{Network, Plan};
use super::{plant, wait_for};

/// Files of the source: a backup of them takes a while, and needs the catalog all the time.
const FILES: usize = 6_000;
/// Bytes of the largest file: the job of a slow client has data left for many seconds.
const LARGE: usize = 16 << 20;
/// So much on the volumes shows that the backup is under way.
const UNDER_WAY: u64 = 256 << 10;

/// Backups that may end before their catalog is gone: a machine may be slow to let this thread run.
const ATTEMPTS: usize = 20;

/// A network whose catalog `take` has taken away in the middle of a backup: the job's number, and what `take` returned.
/// `put_back` undoes it where the backup was faster.
pub fn in_the_middle<T>(plan: &Plan, take: impl Fn(&Network) -> T, put_back: impl Fn(T)) -> (Network, u32, T) {
    let network = Network::start(plan);
    plant(&network.source, 1, LARGE);
    many(&network.source);
    for _ in 0..ATTEMPTS {
        let before = network.written();
        let id = network.begin_full_backup();
        network.wait_written(before + UNDER_WAY);
        let taken = take(&network);
        // A job that still runs now has its end to record.
        if !network.ask(&["status director"]).contains("No Jobs running.") {
            return (network, id, taken);
        }
        put_back(taken);
        network.end_of(id);
    }
    panic!("{ATTEMPTS} backups ended before their catalog was taken");
}

/// A client whose backups last: one that is to be cancelled must have data left to send.
pub fn slow_client() -> String {
    r#"maximum_bandwidth_per_job: "1 MB""#.to_owned()
}

fn many(folder: &Path) {
    for number in 0..FILES {
        let sub = folder.join(format!("folder {}", number / 400));
        if number % 400 == 0 {
            std::fs::create_dir(&sub).unwrap();
        }
        std::fs::write(sub.join(format!("a file with a name of usual length, number {number}")), [b'x'; 64]).unwrap();
    }
}

/// Cancels a job; fails unless the console is answered at once and the daemons have let go of it.
pub fn assert_cancelled_at_once(network: &Network, id: u32) {
    let asked = Instant::now();
    let said = network.ask(&[&format!("cancel jobid={id}")]);
    assert!(said.contains("marked to be canceled"), "{said}");
    assert!(asked.elapsed() < Duration::from_secs(10), "with the start of a console: {:?}", asked.elapsed());
    for daemon in ["status client=f", "status storage=s"] {
        wait_for("the job to be gone", || network.ask(&[daemon]).contains("No Jobs running").then_some(()));
    }
}

/// What the director logs of a catalog that went away and came back.
pub fn assert_logged(director: &Daemon) {
    director.logged(0, "that it went away", |line| line.contains("the catalog is away"));
    director.logged(0, "that it came back", |line| line.contains("the catalog is back"));
}
