//! The search as a program: `explore` draws worlds until one fails, `replay` shows one, `shrink` makes one small.
#![allow(clippy::disallowed_methods, clippy::disallowed_types, reason = "only here is there a clock, for --minutes")]

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use clap::{Args, Parser, Subcommand};
use towline_core::cover::Mark;
use towline_simtests::explore::ladder::Ladder;
use towline_simtests::explore::pcap::Capture;
use towline_simtests::explore::shrink::{Shrunk, shrink};
use towline_simtests::explore::{Draw, Failure, Watching, run, watch};
use towline_simtests::rng::Rng;
use towline_simtests::tap::Passing;

/// Searches for bugs in a simulated network.
#[derive(Parser)]
#[command(name = "towline-simtests", version)]
struct Options {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Runs one seed after the other until one fails. Exit code 127: a crash, 128: something did not happen in time,
    /// 129: something happened that must not.
    Explore(Explore),
    /// Runs one seed, or one scenario of a file, and says what came of it.
    Replay(Replay),
    /// Makes a seed, or a scenario of a file, that fails as small as it gets.
    Shrink(Target),
}

#[derive(Args)]
struct Explore {
    /// How many seeds.
    #[arg(long, conflicts_with = "minutes")]
    seeds: Option<u64>,
    /// How long, in minutes.
    #[arg(long)]
    minutes: Option<f64>,
    /// The first seed.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Draws the first seed from this text: the hash of a commit, for seeds that nobody has seen before.
    #[arg(long, value_name = "COMMIT", conflicts_with = "seed")]
    seed_from: Option<String>,
    /// Goes on after a failure, and says at the end what failed how often.
    #[arg(long)]
    keep_going: bool,
}

#[derive(Args)]
struct Replay {
    #[command(flatten)]
    target: Target,
    /// Prints the last 2,000 lines of the trace, or so many.
    #[arg(long, value_name = "LINES", num_args = 0..=1, default_missing_value = "2000")]
    trace: Option<usize>,
    /// Prints who sent what to whom, a line a segment.
    #[arg(long)]
    ladder: bool,
    /// Writes what went over the wire to this file, for Wireshark.
    #[arg(long, value_name = "FILE")]
    pcap: Option<PathBuf>,
}

#[derive(Args)]
struct Target {
    /// A seed, or a file with a scenario.
    #[arg(value_name = "SEED|FILE")]
    what: String,
}

/// The exit status where nobody listens any more: 128 and the number of SIGPIPE, as a shell has it.
const UNHEARD: i32 = 141;

fn main() -> ExitCode {
    // What panics is caught and told as a failure.
    std::panic::set_hook(Box::new(|_| {}));
    match Options::parse().command {
        Command::Explore(options) => explore(&options),
        Command::Replay(options) => with_draw(&options.target, |draw| replay(draw, &options)),
        Command::Shrink(target) => with_draw(&target, |draw| make_small(draw, &target.what)),
    }
}

/// Says something; ends where nobody listens any more, as behind `head`.
fn say(text: &str) {
    if io::stdout().write_all(text.as_bytes()).is_err() {
        std::process::exit(UNHEARD);
    }
}

/// Says what is wrong with the line or a file.
fn wrong(text: &str) -> ExitCode {
    drop(writeln!(io::stderr(), "{text}"));
    ExitCode::from(2)
}

fn explore(options: &Explore) -> ExitCode {
    let began = Instant::now();
    let limit = options.minutes.map(|minutes| Duration::from_secs_f64(minutes.max(0.0) * 60.0));
    let most = options.seeds.unwrap_or_else(|| if limit.is_some() { u64::MAX } else { 1_000 });
    let first = options.seed_from.as_deref().map_or(options.seed, seed_of);
    say(&format!("the first seed is {first}\n"));
    let (mut failures, mut steps, mut seeds) = (Vec::new(), 0, 0);
    let mut code = ExitCode::SUCCESS;
    let mut marks: BTreeMap<Mark, Vec<u64>> = Mark::ALL.iter().map(|mark| (*mark, Vec::new())).collect();
    while seeds < most && limit.is_none_or(|limit| began.elapsed() < limit) {
        let seed = first.wrapping_add(seeds);
        let draw = Draw::of(seed);
        let outcome = run(&draw);
        seeds += 1;
        steps += outcome.steps;
        for mark in &outcome.marks {
            marks.entry(*mark).or_default().push(seed);
        }
        // Once in fifty: the same again is the same again.
        if seed % 50 == 0 && run(&draw).hash != outcome.hash {
            say(&format!("seed {seed}: two runs of it differ\n"));
            return ExitCode::from(129);
        }
        if let Some(failure) = outcome.failure {
            say(&format!("seed {seed}: {failure}\n"));
            code = ExitCode::from(failure.kind.exit_code());
            failures.push((failure.invariant, seed));
            if !options.keep_going {
                say(&format!("\n{}\n", draw.to_text()));
                break;
            }
        }
    }
    for (mark, seeds) in marks {
        let first: Vec<String> = seeds.iter().take(8).map(u64::to_string).collect();
        say(&format!("{mark:?} is taken by {} seeds: {}\n", seeds.len(), first.join(" ")));
    }
    let spent = began.elapsed().as_secs_f64();
    say(&format!("{seeds} seeds, {} failures, {steps} steps, {spent:.1} s\n", failures.len()));
    failures.sort_unstable();
    for group in failures.chunk_by(|one, other| one.0 == other.0) {
        let seeds: Vec<String> = group.iter().take(20).map(|(_, seed)| seed.to_string()).collect();
        say(&format!("{:6}  {}: {}\n", group.len(), group[0].0, seeds.join(" ")));
    }
    code
}

/// A seed for a text: the same for ever, and short enough to be typed.
fn seed_of(text: &str) -> u64 {
    text.bytes().fold(Rng::new(0), |mut rng, byte| Rng::new(rng.next() ^ u64::from(byte))).next() % 1_000_000_000_000
}

fn replay(draw: &Draw, options: &Replay) -> ExitCode {
    let ladder = options.ladder.then(|| Ladder::new(draw));
    let capture = options.pcap.is_some().then(Capture::default);
    let (rungs, packets) = (ladder.clone(), capture.clone());
    let tap = move |passing: &Passing<'_>| {
        rungs.iter().for_each(|ladder| ladder.see(passing));
        packets.iter().for_each(|capture| capture.see(passing));
    };
    say(&format!("{}\n\n", draw.to_text()));
    let tail = options.trace.unwrap_or(0);
    let (outcome, trace) = watch(draw, Watching { tap: Some(Box::new(tap)), tail });
    say(&ladder.map(|ladder| ladder.to_text()).unwrap_or_default());
    say(&trace);
    say(&format!("{} steps, {:?} of the simulated clock, jobs {:?}\n", outcome.steps, outcome.took, outcome.jobs));
    say(&format!("hash {:016x} of {} lines\n", outcome.hash.0, outcome.hash.1));
    if let (Some(path), Some(capture)) = (&options.pcap, capture)
        && let Err(error) = fs::write(path, capture.bytes())
    {
        return wrong(&format!("{}: {error}", path.display()));
    }
    told(outcome.failure.as_ref())
}

fn told(failure: Option<&Failure>) -> ExitCode {
    match failure {
        Some(failure) => {
            say(&format!("{failure}\n"));
            ExitCode::from(failure.kind.exit_code())
        }
        None => {
            say("nothing failed\n");
            ExitCode::SUCCESS
        }
    }
}

fn make_small(draw: &Draw, name: &str) -> ExitCode {
    let Some(Shrunk { draw, failure, runs }) = shrink(draw) else { return told(None) };
    let (hosts, faults, orders) = (draw.hosts(), draw.faults.len(), draw.orders.len());
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios");
    let stem = Path::new(name).file_stem().map_or_else(|| name.to_owned(), |stem| stem.to_string_lossy().into_owned());
    let path = folder.join(format!("{stem}.ron"));
    let story = failure.to_string();
    let head: String = story.lines().take(12).map(|line| format!("// {line}\n")).collect();
    say(&format!("{runs} runs: {hosts} hosts, {faults} faults, {orders} orders\n"));
    say(&format!("{failure}\n\n{}\n", draw.to_text()));
    match write(&path, &format!("{head}{}\n", draw.to_text())) {
        Ok(()) => say(&format!("\nwritten to {}\n", path.display())),
        Err(error) => say(&format!("\ncannot be written to {}: {error}\n", path.display())),
    }
    ExitCode::from(failure.kind.exit_code())
}

fn write(path: &PathBuf, text: &str) -> io::Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    fs::write(path, text)
}

/// The draw of a seed or of a file.
fn with_draw(target: &Target, act: impl FnOnce(&Draw) -> ExitCode) -> ExitCode {
    let draw = match target.what.parse::<u64>() {
        Ok(seed) => Ok(Draw::of(seed)),
        Err(_) => {
            fs::read_to_string(&target.what).map_err(|error| error.to_string()).and_then(|text| Draw::parse(&text))
        }
    };
    match draw {
        Ok(draw) => act(&draw),
        Err(error) => wrong(&format!("{}: {error}", target.what)),
    }
}
