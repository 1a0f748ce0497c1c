//! What is measured, in which order, how often, and against what.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::channel::{self, Engines, Protection, Run};
use crate::daemons::{self, Job, Outcome, Setup};
use crate::report::{self, Line, Unit, median};
use crate::waiting::waiting;
use crate::{browsing, catalog, memory, scanning, yardstick};
use towline::catalog::Catalog;
#[cfg(feature = "postgres")]
use towline_core::catalog::UpdCatBatch;

/// Runtimes that are compiled in.
const RUNTIMES: &[&str] = &[
    #[cfg(feature = "tokio")]
    "tokio",
    #[cfg(feature = "smol")]
    "smol",
    "blocking",
];

/// Files of the job with large files.
const LARGE_FILES: u64 = 5;

/// Bytes of a small file.
const SMALL: usize = 4096;

/// Most memory of a daemon, in MiB, whatever the job's size.
const MEMORY: f64 = 48.0;

/// Size on disk and idle memory of the low-footprint file daemon, in MiB.
const FOOTPRINT: f64 = 5.0;

/// Memory of a waiting connection in clear, in KiB.
const EACH_PLAIN: f64 = 24.0;

/// The same with TLS.
const EACH_PROTECTED: f64 = 60.0;

/// How soon a job on a waiting client begins, in milliseconds.
const BEGINS: f64 = 100.0;

/// Files a second into a catalog of SQLite.
const SQLITE_GOAL: f64 = 50_000.0;

/// Files a second into a catalog on a PostgreSQL server.
#[cfg(feature = "postgres")]
const POSTGRES_GOAL: f64 = 20_000.0;

/// Milliseconds that a plan of 500 clients with 3 storages each may take.
#[cfg(feature = "plan")]
const PLAN_GOAL: f64 = 10_000.0;

/// Share of plain reading that a scan of volumes reaches.
const SCAN_GOAL: f64 = 0.5;

/// Share of the store's own put and get that a volume in a store of objects reaches.
#[cfg(feature = "object")]
const OBJECT_GOAL: f64 = 0.7;

/// Milliseconds that a folder may take.
const BROWSE_GOAL: f64 = 50.0;

/// Milliseconds that the files of a restore may take to be chosen, of a job of a million.
const CHOICE_GOAL: f64 = 2_000.0;

fn browse_line(name: String, rounds: Vec<f64>) -> Line {
    let mut line = Line::new("browse", name, Unit::Milliseconds, rounds);
    line.goal = Some((format!("at most {BROWSE_GOAL:.0} ms"), line.median() <= BROWSE_GOAL));
    line
}

fn catalog_line(name: String, rounds: Vec<f64>, goal: f64) -> Line {
    let mut line = Line::new("catalog", name, Unit::FilesPerSecond, rounds);
    line.goal = Some((format!("at least {goal:.0} files/s"), line.median() >= goal));
    line
}

/// What the command line asks for.
#[derive(Debug, Default)]
pub(crate) struct Plan {
    pub(crate) quick: bool,
    pub(crate) json: bool,
    /// Only these parts; empty means all.
    pub(crate) parts: Vec<String>,
    /// Only lines with one of these words; empty means all.
    pub(crate) words: Vec<String>,
    pub(crate) rounds: Option<usize>,
}

impl Plan {
    /// Measures and prints.
    pub(crate) fn run(&self) {
        let work = Work::new();
        self.say(&format!("{}; {}; rounds: {}", machine(), work.0.display(), self.rounds()));
        self.say(&report::head());
        let mut lines = Vec::new();
        if self.has("a") || self.has("b") {
            self.channels(&mut lines);
        }
        if self.has("a2") || self.has("a3") || self.has("c") {
            self.jobs(&work, Job::Large, &mut lines);
            self.jobs(&work, Job::Small, &mut lines);
        }
        if self.has("catalog") {
            self.catalogs(&work, &mut lines);
        }
        if self.has("browse") {
            self.browse(&work, &mut lines);
        }
        if self.has("scan") {
            self.scan(&work, &mut lines);
        }
        #[cfg(feature = "object")]
        if self.has("object") {
            self.objects(&work, &mut lines);
        }
        if self.has("d") {
            self.footprint(&work, &mut lines);
        }
        if self.has("e") {
            self.waiting(&work, &mut lines);
        }
        #[cfg(feature = "plan")]
        if self.has("plan") {
            self.planning(&work, &mut lines);
        }
        if self.json {
            println!("{}", report::json(&machine(), self.quick, &lines));
        }
    }

    fn has(&self, part: &str) -> bool {
        self.parts.is_empty() || self.parts.iter().any(|only| only == part)
    }

    fn wants(&self, name: &str) -> bool {
        self.words.is_empty() || self.words.iter().any(|word| name.contains(word.as_str()))
    }

    fn rounds(&self) -> usize {
        self.rounds.unwrap_or(if self.quick { 3 } else { 5 })
    }

    const fn bytes(&self) -> u64 {
        if self.quick { 64 << 20 } else { 1 << 30 }
    }

    const fn files(&self) -> usize {
        if self.quick { 5_000 } else { 50_000 }
    }

    fn say(&self, text: &str) {
        if !self.json {
            println!("{text}");
            let _flushed = std::io::stdout().flush();
        }
    }

    fn add(&self, lines: &mut Vec<Line>, line: Line) {
        self.say(&report::row(&line));
        lines.push(line);
    }

    /// Files a second into the catalog, on each engine that is there.
    fn catalogs(&self, work: &Work, lines: &mut Vec<Line>) {
        let files = if self.quick { 20_000 } else { 200_000 };
        let batches = catalog::batches(files);
        let name = format!("catalog on SQLite, {files} files with digests");
        if self.wants(&name) {
            let run = |round| catalog::run(&mut *catalog::sqlite(&work.0, round), files, &batches);
            self.add(lines, catalog_line(name, (0..self.rounds()).map(run).collect(), SQLITE_GOAL));
        }
        #[cfg(feature = "postgres")]
        self.on_postgres(lines, files, &batches);
    }

    /// How long a folder of a large catalog takes, on each engine that is there.
    fn browse(&self, work: &Work, lines: &mut Vec<Line>) {
        let files = if self.quick { 200_000 } else { 5_000_000 };
        let name = format!("slowest of four folders on SQLite, {files} files");
        if self.wants(&name) {
            let mut catalog = catalog::sqlite(&work.0, usize::MAX);
            self.browsed(lines, &mut *catalog, (name, "SQLite"), files, SQLITE_GOAL);
        }
        #[cfg(feature = "postgres")]
        self.browse_postgres(lines, files);
    }

    /// A catalog made again from a volume.
    fn scan(&self, work: &Work, lines: &mut Vec<Line>) {
        scanning::SIZES.into_iter().for_each(|size| self.scan_of(work, lines, size));
    }

    fn scan_of(&self, work: &Work, lines: &mut Vec<Line>, size: usize) {
        let name = format!("scan of a volume, files of {} KiB", size / 1024);
        if !self.wants(&name) {
            return;
        }
        let folder = work.folder("scan");
        scanning::write(&folder, self.bytes(), size);
        let (mut rates, mut shares) = (Vec::new(), Vec::new());
        for round in 0..self.rounds() {
            let plain = scanning::plain(&folder);
            let took = scanning::scan(&folder, &work.0.join(format!("scanned {size} {round}.sqlite")));
            rates.push(self.bytes() as f64 / 1e9 / took);
            shares.push(plain / took);
        }
        let mut line = Line::new("scan", name, Unit::GigabytesPerSecond, rates);
        // Of small files the rows are what takes time, and not what is read.
        if size == scanning::SIZES[0] {
            line.goal = Some((format!("at least {SCAN_GOAL} of reading"), median(&shares) >= SCAN_GOAL));
        }
        line.against = Some(("reading", shares));
        self.add(lines, line);
        work.clean("scan");
    }

    /// A volume in a store of objects.
    #[cfg(feature = "object")]
    fn objects(&self, work: &Work, lines: &mut Vec<Line>) {
        let parts =
            usize::try_from(self.bytes()).unwrap_or(usize::MAX).max(4 * crate::objects::PART) / crate::objects::PART;
        let folder = work.folder("object");
        let bench = crate::objects::Bench::start(&folder);
        let bytes = (parts * crate::objects::PART) as f64 / 1e9;
        let (mut writes, mut reads) = ((Vec::new(), Vec::new()), (Vec::new(), Vec::new()));
        for round in 0..self.rounds() {
            let (put, get) = bench.plain(parts);
            let (wrote, read) = bench.volume(round, parts);
            writes.0.push(bytes / wrote);
            writes.1.push(put / wrote);
            reads.0.push(bytes / read);
            reads.1.push(get / read);
        }
        for (what, own, (rates, shares)) in [("written to", "its put", writes), ("read from", "its get", reads)] {
            let name = format!("a volume {what} {}, parts of 64 MiB", bench.name);
            let mut line = Line::new("object", name, Unit::GigabytesPerSecond, rates);
            line.goal = Some((format!("at least {OBJECT_GOAL} of {own}"), median(&shares) >= OBJECT_GOAL));
            line.against = Some((own, shares));
            self.add(lines, line);
        }
        drop(bench);
        work.clean("object");
    }

    /// How long a plan takes.
    #[cfg(feature = "plan")]
    fn planning(&self, work: &Work, lines: &mut Vec<Line>) {
        let clients = if self.quick { 50 } else { 500 };
        let name = format!("a plan of {clients} clients with {} storages each", crate::planning::STORAGES);
        if self.wants(&name) {
            let folder = work.folder("plan");
            crate::planning::write(&folder, clients);
            let rounds = (0..self.rounds()).map(|_| crate::planning::seconds(&folder, clients) * 1e3);
            let mut line = Line::new("plan", name, Unit::Milliseconds, rounds.collect());
            line.goal = Some((format!("under {PLAN_GOAL:.0} ms"), line.median() < PLAN_GOAL));
            self.add(lines, line);
        }
    }

    /// A catalog of one job as large as can be, beside one of a fifth of it.
    fn browsed(
        &self,
        lines: &mut Vec<Line>,
        catalog: &mut dyn Catalog,
        (name, engine): (String, &str),
        files: u32,
        goal: f64,
    ) {
        let browsing::Filled { job_id, rate } = browsing::fill(catalog, files);
        let last = format!("catalog on {engine}, the last {} of {files} files", files / 5);
        self.add(lines, catalog_line(last, vec![rate], goal));
        let rounds = (0..).take(self.rounds()).map(|round| browsing::slowest(catalog, job_id, files, round));
        self.add(lines, browse_line(name, rounds.collect()));
        let fifth = browsing::fill(catalog, files / 5).job_id;
        let rounds = (0..self.rounds()).map(|_| browsing::choose(catalog, fifth));
        let chosen = format!("choice of all {} files of a folder for a restore, {engine}", files / 5);
        let mut line = Line::new("browse", chosen, Unit::Milliseconds, rounds.collect());
        line.goal = Some((format!("at most {CHOICE_GOAL:.0} ms"), line.median() <= CHOICE_GOAL));
        self.add(lines, line);
    }

    #[cfg(feature = "postgres")]
    fn browse_postgres(&self, lines: &mut Vec<Line>, files: u32) {
        let name = format!("slowest of four folders on PostgreSQL, {files} files");
        if !self.wants(&name) || !crate::postgres::Server::is_installed() {
            return;
        }
        let server = crate::postgres::Server::start();
        let mut catalog =
            towline::catalog::PostgresCatalog::open(&server.database("browse")).expect("a catalog on PostgreSQL");
        self.browsed(lines, &mut catalog, (name, "PostgreSQL"), files, POSTGRES_GOAL);
    }

    #[cfg(feature = "postgres")]
    fn on_postgres(&self, lines: &mut Vec<Line>, files: u32, batches: &[UpdCatBatch]) {
        let name = format!("catalog on PostgreSQL, {files} files with digests");
        if !self.wants(&name) {
            return;
        }
        if !crate::postgres::Server::is_installed() {
            return self
                .say("catalog on PostgreSQL: not measured, no server is installed (apt-get install postgresql)");
        }
        let server = crate::postgres::Server::start();
        let run = |round| {
            let database = server.database(&format!("bench{round}"));
            let mut catalog = towline::catalog::PostgresCatalog::open(&database).expect("a catalog on PostgreSQL");
            catalog::run(&mut catalog, files, batches)
        };
        self.add(lines, catalog_line(name, (0..self.rounds()).map(run).collect(), POSTGRES_GOAL));
    }

    /// (a) and (b).
    fn channels(&self, lines: &mut Vec<Line>) {
        let bytes = self.bytes();
        let mut subjects = Vec::new();
        if self.has("b") {
            for protection in Protection::ALL {
                for place in std::iter::once(&"memory").chain(RUNTIMES) {
                    let name = format!("data channel, {}, {place}", protection.name());
                    if self.wants(&name) {
                        subjects.push((name, protection, *place, Engines::new(protection), Vec::new()));
                    }
                }
            }
        }
        let mut raw = Vec::new();
        for _ in 0..self.rounds() {
            raw.push(yardstick::raw_copy(bytes));
            for (_, _, place, engines, runs) in &mut subjects {
                runs.push((channel_run(place, engines, bytes), raw[raw.len() - 1]));
                raw.push(yardstick::raw_copy(bytes));
            }
        }
        let gigabytes = bytes as f64 / 1e9;
        let name = "raw TCP copy on loopback, writes of 512 KiB";
        let mut a = Line::new("a", name, Unit::GigabytesPerSecond, rates(&raw, gigabytes));
        a.processor = costs(&raw, gibibytes(bytes));
        self.add(lines, a);
        for (name, protection, place, _, runs) in subjects {
            let (runs, yardsticks): (Vec<Run>, Vec<Run>) = runs.into_iter().unzip();
            let mut line = Line::new("b", name, Unit::GigabytesPerSecond, rates(&runs, gigabytes));
            line.processor = costs(&runs, gibibytes(bytes));
            line.against = Some(("a", shares(&line.rounds, &rates(&yardsticks, gigabytes))));
            if place != "memory" {
                line.goal = Some(channel_goal(&line, protection));
            }
            self.add(lines, line);
        }
    }

    /// (a2), (a3) and (c), and the peaks of (d).
    fn jobs(&self, work: &Work, job: Job, lines: &mut Vec<Line>) {
        let source = work.folder("source");
        let (part, yard) = match job {
            Job::Large => {
                warm_up(&work.0, 3 * self.bytes());
                large_files(&source, self.bytes());
                ("a2", "plain program: read, send, block, checksum, write")
            }
            Job::Small => {
                warm_up(&work.0, 3 * (self.files() * SMALL) as u64);
                yardstick::plain_files(&source, self.files(), SMALL);
                ("a3", "plain program: create files with owner, mode, times")
            }
        };
        let mut subjects: Vec<(Setup, Vec<(Outcome, Run)>)> = Vec::new();
        if self.has("c") {
            let setups = RUNTIMES.iter().flat_map(|&runtime| {
                [Protection::Plain, Protection::Psk].map(|protection| Setup { runtime, protection, digest: "none" })
            });
            let hashed = Setup { runtime: RUNTIMES[0], protection: Protection::Plain, digest: "xxh128" };
            subjects = setups
                .chain([hashed])
                .filter(|setup| self.wants(&name_of(*setup, job)))
                .map(|setup| (setup, Vec::new()))
                .collect();
        }
        let amount = match job {
            Job::Large => self.bytes() as f64 / 1e9,
            Job::Small => self.files() as f64,
        };
        let (mut yardsticks, mut syncs) = (Vec::new(), Vec::new());
        let mut measure = || {
            let run = match job {
                Job::Large => yardstick::plain_backup(&source, &work.0),
                Job::Small => yardstick::plain_files(&work.folder("plain"), self.files(), SMALL),
            };
            work.clean("plain");
            yardsticks.push(run);
            run
        };
        for _ in 0..self.rounds() {
            for (setup, outcomes) in &mut subjects {
                let yardstick = measure();
                outcomes.push((daemons::back_up_and_restore(*setup, &source, &work.folder("site")), yardstick));
                work.clean("site");
            }
            measure();
            if job == Job::Large {
                syncs.push(yardstick::sync(&work.0, self.bytes()).as_secs_f64() * 1e3);
            }
        }
        work.clean("source");
        let unit = if job == Job::Large { Unit::GigabytesPerSecond } else { Unit::FilesPerSecond };
        if job == Job::Large {
            self.add(lines, Line::new("c", "fdatasync of as many bytes, alone", Unit::Milliseconds, syncs));
        }
        let mut line = Line::new(part, yard, unit, rates(&yardsticks, amount));
        line.processor = costs(&yardsticks, self.per(job));
        self.add(lines, line);
        for (setup, runs) in subjects {
            let (outcomes, yardsticks): (Vec<Outcome>, Vec<Run>) = runs.into_iter().unzip();
            self.outcomes(lines, job, setup, &outcomes, (amount, unit), (part, &rates(&yardsticks, amount)));
        }
    }

    /// In what processor time is counted: GiB, or thousands of files.
    fn per(&self, job: Job) -> f64 {
        match job {
            Job::Large => gibibytes(self.bytes()),
            Job::Small => self.files() as f64 / 1000.0,
        }
    }

    fn outcomes(
        &self,
        lines: &mut Vec<Line>,
        job: Job,
        setup: Setup,
        outcomes: &[Outcome],
        (amount, unit): (f64, Unit),
        (part, yardsticks): (&'static str, &[f64]),
    ) {
        let name = name_of(setup, job);
        let each = |value: fn(&Outcome) -> f64| outcomes.iter().map(value).collect::<Vec<f64>>();
        let per = self.per(job);
        let backups: Vec<f64> = outcomes.iter().map(|outcome| amount / outcome.backup.as_secs_f64()).collect();
        let restores: Vec<f64> = outcomes.iter().map(|outcome| amount / outcome.restore.as_secs_f64()).collect();
        let mut backup = Line::new("c", format!("backup, {name}"), unit, backups.clone());
        let mut restore = Line::new("c", format!("restore, {name}"), unit, restores.clone());
        backup.processor = each(|outcome| outcome.backup_processor).iter().map(|seconds| seconds / per).collect();
        restore.processor = each(|outcome| outcome.restore_processor).iter().map(|seconds| seconds / per).collect();
        let plain = setup.protection == Protection::Plain;
        if job == Job::Large {
            let least = if plain { 0.7 } else { 0.5 };
            for line in [&mut backup, &mut restore] {
                line.against = Some((part, shares(&line.rounds, yardsticks)));
                line.goal = Some((format!("{least} of (a2)"), line.share().is_some_and(|share| share >= least)));
            }
        } else {
            let least = if plain { 40_000.0 } else { 30_000.0 };
            backup.goal = Some((format!("{least} files/s"), backup.median() >= least));
            restore.against = Some((part, shares(&restores, yardsticks)));
            let is_reached = restore.share().is_some_and(|share| share >= 0.6) || restore.median() >= median(&backups);
            restore.goal = Some(("0.6 of (a3), or as the backup".to_owned(), is_reached));
        }
        self.add(lines, backup);
        self.add(lines, restore);
        for (index, daemon) in ["director", "storage daemon", "file daemon"].into_iter().enumerate() {
            let peaks: Vec<f64> = outcomes.iter().map(|outcome| outcome.peaks[index]).collect();
            let mut line = Line::new("d", format!("peak memory, {daemon}, {name}"), Unit::Mebibytes, peaks);
            let most = line.rounds.iter().copied().fold(0.0, f64::max);
            line.goal = Some((format!("under {MEMORY} MiB"), most < MEMORY));
            self.add(lines, line);
        }
    }

    /// (e) Clients that wait at a director.
    fn waiting(&self, work: &Work, lines: &mut Vec<Line>) {
        let clients = if self.quick { 200 } else { 2_000 };
        for protection in Protection::ALL {
            let goal = if protection == Protection::Plain { EACH_PLAIN } else { EACH_PROTECTED };
            let is_built = protection != Protection::Psk || cfg!(feature = "psk");
            let name = format!("{clients} waiting clients, {}, {}", protection.name(), RUNTIMES[0]);
            if !is_built || !self.wants(&name) {
                continue;
            }
            let measured = waiting(clients, protection, RUNTIMES[0], &work.folder(protection.name()));
            let mut each = Line::new("e", format!("{name}: memory of each"), Unit::Kibibytes, vec![measured.each]);
            each.goal = Some((format!("under {goal:.0} KiB"), measured.each < goal));
            self.add(lines, each);
            let name = format!("{name}: a job begins, slowest");
            let mut slowest = Line::new("e", name, Unit::Milliseconds, vec![measured.slowest]);
            slowest.goal = Some((format!("under {BEGINS:.0} ms"), measured.slowest < BEGINS));
            self.add(lines, slowest);
        }
    }

    /// (d) The low-footprint file daemon.
    fn footprint(&self, work: &Work, lines: &mut Vec<Line>) {
        let (size, idle) = memory::small_daemon(&work.folder("small"));
        for (name, value) in [("stripped size", size), ("idle memory", idle)] {
            let mut line = Line::new("d", format!("low-footprint file daemon, {name}"), Unit::Mebibytes, vec![value]);
            line.goal = Some((format!("under {FOOTPRINT} MiB"), value < FOOTPRINT));
            self.add(lines, line);
        }
    }
}

fn name_of(setup: Setup, job: Job) -> String {
    let digest = if setup.digest == "none" { String::new() } else { format!(", {}", setup.digest) };
    format!("{}, {}, {}{digest}", job.name(), setup.protection.name(), setup.runtime)
}

fn channel_run(place: &str, engines: &Engines, bytes: u64) -> Run {
    match place {
        #[cfg(feature = "tokio")]
        "tokio" => channel::over(|| towline_runtime_tokio::Tokio, engines, bytes),
        #[cfg(feature = "smol")]
        "smol" => channel::over(|| towline_runtime_smol::Smol, engines, bytes),
        "blocking" => channel::over(|| towline_runtime_blocking::Blocking, engines, bytes),
        _ => channel::in_memory(engines, bytes),
    }
}

fn channel_goal(line: &Line, protection: Protection) -> (String, bool) {
    let (rate, share) = protection.goal();
    let is_fast = rate.is_some_and(|rate| line.median() >= rate);
    let text = rate.map_or_else(|| format!("{share} of (a)"), |rate| format!("{rate} GB/s or {share} of (a)"));
    (text, is_fast || line.share().is_some_and(|is| is >= share))
}

fn gibibytes(bytes: u64) -> f64 {
    bytes as f64 / f64::from(1 << 30)
}

fn rates(runs: &[Run], amount: f64) -> Vec<f64> {
    runs.iter().map(|run| amount / run.took.as_secs_f64()).collect()
}

fn costs(runs: &[Run], amount: f64) -> Vec<f64> {
    runs.iter().map(|run| run.processor.as_secs_f64() / amount).collect()
}

fn shares(rounds: &[f64], yardsticks: &[f64]) -> Vec<f64> {
    rounds.iter().zip(yardsticks).map(|(round, yardstick)| round / yardstick).collect()
}

/// Writes a file of so many bytes and deletes it: the memory behind it has then been touched once.
fn warm_up(folder: &Path, bytes: u64) {
    let path = folder.join("warm-up");
    write_file(&path, bytes, 1);
    fs::remove_file(path).expect("remove");
}

fn large_files(folder: &Path, bytes: u64) {
    for n in 0..LARGE_FILES {
        write_file(&folder.join(format!("large{n}")), bytes / LARGE_FILES, n + 1);
    }
}

/// Bytes that no file system would store in less.
fn write_file(path: &Path, bytes: u64, seed: u64) {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()
    };
    let chunk: Vec<u8> = (0..(1 << 17)).flat_map(|_| next()).collect();
    let mut file = fs::File::create(path).expect("create");
    let mut left = bytes;
    while left > 0 {
        let n = left.min(chunk.len() as u64);
        file.write_all(&chunk[..usize::try_from(n).expect("a chunk")]).expect("write");
        left -= n;
    }
}

/// The folder all files are in: memory where there is some. Removed at the end.
struct Work(PathBuf);

impl Work {
    fn new() -> Self {
        let memory = Path::new("/dev/shm");
        let parent = if memory.is_dir() { memory.to_path_buf() } else { std::env::temp_dir() };
        let folder = parent.join(format!("towline-bench-{}", std::process::id()));
        fs::create_dir_all(&folder).expect("a folder to work in");
        Self(folder)
    }

    /// A new folder below.
    fn folder(&self, name: &str) -> PathBuf {
        let folder = self.0.join(name);
        fs::create_dir_all(&folder).expect("a folder");
        folder
    }

    fn clean(&self, name: &str) {
        let folder = self.0.join(name);
        if folder.exists() {
            fs::remove_dir_all(folder).expect("remove a folder");
        }
    }
}

impl Drop for Work {
    fn drop(&mut self) {
        let _best_effort = fs::remove_dir_all(&self.0);
    }
}

/// Processors, kernel and memory, in a few words.
fn machine() -> String {
    let processors = std::thread::available_parallelism().map_or(0, std::num::NonZero::get);
    let kernel = Command::new("uname")
        .arg("-srm")
        .output()
        .ok()
        .map_or_else(String::new, |output| String::from_utf8_lossy(&output.stdout).trim().to_owned());
    format!("{processors} processors, {kernel}")
}
