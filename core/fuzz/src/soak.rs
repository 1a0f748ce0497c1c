//! Runs fuzz targets on random changes of valid inputs, and says how many runs, how long and how much memory it took.
//!
//! ```text
//! soak list                          the targets
//! soak TARGET RUNS [SEED]            so many runs of one target; TARGET may be parsers, machines, connections or all
//! soak seeds FOLDER                  writes the valid inputs into FOLDER/TARGET/, as libFuzzer expects them
//! soak replay TARGET FILE…           runs a target on files
//! ```
//! A broken promise ends it with the input in the text; a run that takes more than a minute ends it as a hang.

use std::io::Write as _;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::process::ExitCode;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use towline_core::fuzzing::{Generator, Kind, Target, target, targets};

/// The longest input in bytes.
const LONGEST: usize = 4 * 1024;

/// A run that takes longer is taken for a hang.
const HANG: Duration = Duration::from_secs(60);

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let outcome = match words[..] {
        ["list"] => {
            targets().for_each(|target| println!("{:12} {:?}", target.name, target.kind));
            Ok(())
        }
        ["seeds", folder] => seeds(Path::new(folder)),
        ["replay", name, ref files @ ..] => replay(name, files),
        [name, runs] => soak(name, runs, "1"),
        [name, runs, seed] => soak(name, runs, seed),
        _ => Err("usage: soak list | soak TARGET RUNS [SEED] | soak seeds FOLDER | soak replay TARGET FILE…".to_owned()),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn soak(name: &str, runs: &str, seed: &str) -> Result<(), String> {
    let runs: u64 = runs.replace('_', "").parse().map_err(|_| format!("{runs} is no number of runs"))?;
    let seed: u64 = seed.parse().map_err(|_| format!("{seed} is no seed"))?;
    let mut broken = Vec::new();
    for target in chosen(name)? {
        if let Err(error) = campaign(target, runs, seed) {
            eprintln!("{error}");
            broken.push(target.name);
        }
    }
    if broken.is_empty() { Ok(()) } else { Err(format!("promises were broken: {}", broken.join(", "))) }
}

fn chosen(name: &str) -> Result<Vec<&'static Target>, String> {
    let of = |kind: Kind| targets().filter(|target| target.kind == kind).collect();
    Ok(match name {
        "all" => targets().collect(),
        "parsers" => of(Kind::Parser),
        "machines" => of(Kind::Machine),
        "connections" => of(Kind::Connection),
        name => vec![target(name).ok_or_else(|| format!("there is no target {name}: see soak list"))?],
    })
}

fn campaign(target: &'static Target, runs: u64, seed: u64) -> Result<(), String> {
    static DONE: AtomicU64 = AtomicU64::new(0);
    DONE.store(0, Ordering::Relaxed);
    let watch = std::thread::spawn(move || watch(target.name, runs, &DONE));
    let mut generator = Generator::new((target.samples)(), seed, LONGEST);
    let began = Instant::now();
    let early = resident();
    for run in 0..runs {
        let input = generator.make();
        if catch_unwind(AssertUnwindSafe(|| (target.body)(input))).is_err() {
            DONE.store(runs, Ordering::Relaxed);
            return Err(format!("{}, seed {seed}, run {run}: {}", target.name, input.escape_ascii()));
        }
        DONE.store(run + 1, Ordering::Relaxed);
    }
    let seconds = began.elapsed().as_secs_f64();
    watch.join().map_err(|_| "the watch failed".to_owned())?;
    println!(
        "{:16} {runs:>11} runs {seconds:>9.1} s {:>9.0}/s   resident {:>4} MiB before, {:>4} after, peak {:>4}",
        target.name,
        runs as f64 / seconds.max(0.001),
        early / 1024,
        resident() / 1024,
        status("VmHWM:") / 1024,
    );
    std::io::stdout().flush().map_err(|error| error.to_string())
}

/// Ends the process when one run does not end.
fn watch(name: &str, runs: u64, done: &AtomicU64) {
    let (mut last, mut since) = (0, Instant::now());
    loop {
        let now = done.load(Ordering::Relaxed);
        if now == runs {
            return;
        }
        if now != last {
            (last, since) = (now, Instant::now());
        } else if since.elapsed() > HANG {
            eprintln!("{name} hangs in run {now}");
            std::process::exit(3);
        }
        std::thread::sleep(Duration::from_millis(50));
    }
}

fn seeds(folder: &Path) -> Result<(), String> {
    for target in targets() {
        let folder = folder.join(target.name);
        std::fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
        for (n, sample) in (target.samples)().iter().enumerate() {
            let file = folder.join(format!("valid-{n:02}"));
            std::fs::write(&file, sample).map_err(|error| format!("{}: {error}", file.display()))?;
        }
    }
    Ok(())
}

fn replay(name: &str, files: &[&str]) -> Result<(), String> {
    let target = target(name).ok_or_else(|| format!("there is no target {name}"))?;
    for file in files {
        let bytes = std::fs::read(file).map_err(|error| format!("{file}: {error}"))?;
        (target.body)(&bytes);
    }
    Ok(())
}

/// Resident memory in KiB; 0 where the system does not say.
fn resident() -> u64 {
    status("VmRSS:")
}

fn status(field: &str) -> u64 {
    let text = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix(field)).unwrap_or_default();
    line.split_whitespace().next().and_then(|number| number.parse().ok()).unwrap_or(0)
}
