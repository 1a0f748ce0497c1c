//! `towline volume extract`: files of volumes back into a folder, and nowhere else.

use std::collections::{BTreeMap, BTreeSet};
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};
use towline_core::bulk::parcel::Parcel;
use towline_core::bulk::unpack::Unpacker;
use towline_core::bulk::work::DiskError;
use towline_core::error::Code;
use towline_core::quantity::counted;
use towline_core::wire::attributes::AttributeRecord;
use towline_core::wire::bsr::{Bootstrap, NameFilter, Section};
use towline_core::wire::record::Record;
use towline_core::wire::stream::{FileType, Stream};

use super::jobs::Job;
use super::pass::{At, Visitor, read};
use super::report::{Finding, Report};
use super::shelf::{Shelf, shown};
use super::{Asked, ask, job_argument, paths_argument, stores_argument};
use crate::daemon::say;
use crate::disk::notice::{Notice, NoticeKind};
use crate::disk::regex::Regex;
use crate::disk::restore::{Order, Relocations, Replace, RestoreTarget, Tally};
use crate::volume::reader::VolumeReader;

/// A pattern or a bootstrap cannot be read, or the folder cannot be made.
const UNUSABLE: Code = Code(637);
/// Bytes of the longest bootstrap.
const MOST_BOOTSTRAP: u64 = 64 << 20;
/// First names of hard links that are kept, of one job.
const MOST_LINKED: usize = 1_000_000;

pub(super) fn command() -> Command {
    Command::new("extract")
        .about("Restores files into a folder")
        .after_help(
            "towline volume extract /srv/volumes --to /tmp/back --job 17 --name '/home/*.txt'\n\
             towline volume extract /srv/volumes --to /tmp/back --bootstrap /srv/volumes/nightly.bsr\n\n\
             Of several jobs each is restored over the one before it, in the order of their numbers, so that the newest files \
             stay. In a pattern * stands for any letters, slashes too, and ? for one. A hard link brings the file with its \
             data. Files are put in their places only when they are whole and fit their digests; programs that plugins of \
             a client would run are not run.",
        )
        .arg(paths_argument())
        .arg(stores_argument())
        .arg(
            Arg::new("to")
                .long("to")
                .value_name("FOLDER")
                .value_parser(value_parser!(PathBuf))
                .required(true)
                .help("Where the files go, each beneath it by its whole name; made if it is not there"),
        )
        .arg(job_argument().conflicts_with("bootstrap"))
        .arg(
            Arg::new("name")
                .long("name")
                .value_name("PATTERN")
                .action(ArgAction::Append)
                .help("Only files whose whole name fits; may be given again"),
        )
        .arg(
            Arg::new("bootstrap")
                .long("bootstrap")
                .value_name("FILE")
                .value_parser(value_parser!(PathBuf))
                .help("What a bootstrap selects, such as the one that lies beside the volumes of each job"),
        )
        .arg(
            Arg::new("replace")
                .long("replace")
                .value_parser(["always", "if-newer", "if-older", "never"])
                .default_value("always")
                .help("Whether files that are in the folder already are replaced"),
        )
}

pub(super) fn run(matches: &ArgMatches) -> ExitCode {
    let mut asked = match ask("volume extract", matches) {
        Ok(asked) => asked,
        Err(exit) => return exit,
    };
    let path = |name: &str| matches.get_one::<PathBuf>(name).cloned();
    let patterns: Vec<&str> = matches.get_many::<String>("name").into_iter().flatten().map(String::as_str).collect();
    let replace = match matches.get_one::<String>("replace").map(String::as_str) {
        Some("if-newer") => Replace::IfNewer,
        Some("if-older") => Replace::IfOlder,
        Some("never") => Replace::Never,
        _ => Replace::Always,
    };
    let wish = Wish { to: path("to").unwrap_or_default(), patterns, bootstrap: path("bootstrap"), replace };
    match extract(&mut asked, &wish) {
        Ok(tally) => {
            say(&format!("{}, {} bytes into {}\n", counted(tally.files, "entry"), tally.bytes, shown(&wish.to)));
            asked.report.exit()
        }
        Err(text) => asked.report.fail(UNUSABLE, &text),
    }
}

/// What is to be restored, and where to.
pub(super) struct Wish<'w> {
    pub(super) to: PathBuf,
    pub(super) patterns: Vec<&'w str>,
    pub(super) bootstrap: Option<PathBuf>,
    pub(super) replace: Replace,
}

/// Restores what is wished.
///
/// # Errors
/// Nothing can be restored, and why.
pub(super) fn extract(asked: &mut Asked, wish: &Wish<'_>) -> Result<Tally, String> {
    let Asked { shelf, jobs, report } = asked;
    let patterns = wish.patterns.iter().map(|text| pattern(text)).collect::<Result<Vec<Regex>, String>>()?;
    let bootstraps = match &wish.bootstrap {
        Some(file) => vec![(None, named(file, shelf, report)?)],
        None => jobs.iter().map(|job| (Some(job), of_job(shelf, job))).collect(),
    };
    let order = Order {
        to: std::path::absolute(&wish.to).map_err(|error| error.to_string())?.as_os_str().as_bytes().to_vec(),
        replace: wish.replace,
        prefix_links: false,
        relocation: Relocations::default(),
    };
    let cannot = |error: std::io::Error| format!("cannot restore into {}: {error}", shown(&wish.to));
    let mut target = RestoreTarget::new(order).map_err(cannot)?;
    for (job, mut bootstrap) in bootstraps {
        let linked = match job {
            Some(job) if !patterns.is_empty() => linked(shelf, job, &patterns, report),
            _ => BTreeSet::new(),
        };
        if !patterns.is_empty() {
            // The filter stands for the expression, and is asked only where there is one.
            bootstrap.sections.iter_mut().for_each(|section| section.file_regex = Some(".".to_owned()));
        }
        let filter = (!patterns.is_empty()).then(|| filter(patterns.clone(), linked));
        let job = job.map_or_else(|| "of the bootstrap".to_owned(), Job::name);
        if let Err(error) = restore(shelf, (job.as_str(), &bootstrap), filter, &mut target, report) {
            target.abandon();
            report.add(Finding::Lost { job, what: error.to_string() });
        }
    }
    let tally = target.finish();
    tell(&mut target, report);
    if tally.forbidden > 0 {
        let text = format!("{} owners, devices or attributes need the rights of root", tally.forbidden);
        report.add(Finding::Entry { text, is_error: false });
    }
    Ok(tally)
}

/// Reads what a bootstrap selects and restores it.
///
/// # Errors
/// The rest cannot be read.
fn restore(
    shelf: &Shelf,
    (job, bootstrap): (&str, &Bootstrap),
    filter: Option<NameFilter>,
    target: &mut RestoreTarget,
    report: &mut Report,
) -> Result<(), DiskError> {
    if bootstrap.sections.is_empty() {
        return Ok(());
    }
    let files: BTreeMap<String, PathBuf> =
        shelf.volumes.iter().map(|volume| (volume.name.clone(), volume.path.clone())).collect();
    let mut reader = VolumeReader::of_files(files, bootstrap, filter)?;
    let (mut unpacker, mut parcel, mut left) = (Unpacker::new(), Parcel::new(), 0);
    loop {
        let is_last = reader.fill(&mut parcel)?;
        for remark in reader.take_remarks() {
            report.add(Finding::Entry { text: remark.text, is_error: true });
        }
        let mut rest = parcel.bytes.as_slice();
        while let Some(piece) = next_piece(&mut rest, &mut left) {
            let fed = unpacker.feed(piece, target);
            // A client gives the whole job up then; here the other files count.
            if let Some(why) = target.take_refused() {
                report.add(Finding::Lost { job: job.to_owned(), what: why.to_string() });
            }
            fed.map_err(|error| DiskError::BadStream(error.to_string()))?;
        }
        tell(target, report);
        if is_last {
            return Ok(());
        }
    }
}

/// The next head or contents of a frame, of which so many bytes are `left` to come: what is refused at its end must not cost
/// what comes after it.
fn next_piece<'b>(rest: &mut &'b [u8], left: &mut usize) -> Option<&'b [u8]> {
    let bytes = *rest;
    if bytes.is_empty() {
        return None;
    }
    let end = match bytes.first_chunk::<4>() {
        _ if *left > 0 => bytes.len().min(*left),
        // A signal has a negative number here, and nothing after it.
        Some(head) => {
            *left = usize::try_from(i32::from_be_bytes(*head)).unwrap_or(0) + head.len();
            head.len()
        }
        None => bytes.len(),
    };
    *left = left.saturating_sub(end);
    let (piece, after) = bytes.split_at(end);
    *rest = after;
    Some(piece)
}

fn tell(target: &mut RestoreTarget, report: &mut Report) {
    for notice in target.take_notices() {
        let Notice { kind, .. } = notice;
        let is_error = matches!(kind, NoticeKind::Error | NoticeKind::NotSaved);
        report.add(Finding::Entry { text: notice.to_string(), is_error });
    }
}

/// All of a job, as a bootstrap.
fn of_job(shelf: &Shelf, job: &Job) -> Bootstrap {
    let section = |(place, extent): &(usize, super::survey::Extent)| {
        let volume = shelf.volumes.get(*place)?;
        Some(Section {
            volumes: vec![volume.name.clone()],
            session_ids: vec![(job.session.id, job.session.id)],
            session_times: vec![job.session.time],
            addresses: vec![(extent.first, extent.end.saturating_sub(1))],
            ..Section::default()
        })
    };
    Bootstrap { sections: job.pieces.iter().filter_map(section).collect() }
}

/// A bootstrap of a file, without the volumes that are not here.
///
/// # Errors
/// It cannot be read, or none of its volumes is here.
fn named(file: &Path, shelf: &Shelf, report: &mut Report) -> Result<Bootstrap, String> {
    let cannot = |why: String| format!("cannot use the bootstrap {}: {why}", shown(file));
    let text = bounded(file).map_err(|error| cannot(error.to_string()))?;
    let mut bootstrap = Bootstrap::parse(&text).map_err(|error| cannot(error.to_string()))?;
    let is_here = |name: &String| shelf.volumes.iter().any(|volume| volume.name == *name);
    let gone: BTreeSet<String> = bootstrap.volumes().map(str::to_owned).filter(|name| !is_here(name)).collect();
    for section in &mut bootstrap.sections {
        section.volumes.retain(is_here);
    }
    bootstrap.sections.retain(|section| !section.volumes.is_empty());
    for volume in gone {
        report.add(Finding::Gone { volume });
    }
    if bootstrap.sections.is_empty() {
        return Err(cannot("none of its volumes is here".to_owned()));
    }
    Ok(bootstrap)
}

fn bounded(file: &Path) -> std::io::Result<Vec<u8>> {
    use std::io::Read as _;
    let mut text = Vec::new();
    std::fs::File::open(file)?.take(MOST_BOOTSTRAP + 1).read_to_end(&mut text)?;
    if text.len() as u64 > MOST_BOOTSTRAP {
        return Err(std::io::Error::other(format!("longer than {MOST_BOOTSTRAP} bytes")));
    }
    Ok(text)
}

/// A pattern as an expression for whole names.
fn pattern(text: &str) -> Result<Regex, String> {
    let mut expression = String::from("^");
    for letter in text.chars() {
        match letter {
            '*' => expression.push_str(".*"),
            '?' => expression.push('.'),
            letter if letter.is_ascii_punctuation() && letter != '/' && letter != '_' => {
                expression.push('\\');
                expression.push(letter);
            }
            letter => expression.push(letter),
        }
    }
    expression.push('$');
    Regex::new(expression.as_bytes(), false).map_err(|why| format!("cannot use the pattern {text:?}: {why}"))
}

fn fits(patterns: &[Regex], name: &[u8]) -> bool {
    patterns.iter().any(|pattern| pattern.finds(name))
}

fn filter(patterns: Vec<Regex>, linked: BTreeSet<Vec<u8>>) -> NameFilter {
    Box::new(move |_, name| linked.contains(name) || fits(&patterns, name))
}

/// The files that hold the data of hard links whose names fit.
fn linked(shelf: &Shelf, job: &Job, patterns: &[Regex], report: &mut Report) -> BTreeSet<Vec<u8>> {
    struct Links<'p>(&'p [Regex], BTreeSet<Vec<u8>>);
    impl Visitor for Links<'_> {
        fn record(&mut self, record: &Record<'_>, _at: &At) {
            if !Stream(record.stream).is_attributes() || self.1.len() >= MOST_LINKED {
                return;
            }
            let Ok(file) = AttributeRecord::parse(record.data) else { return };
            if file.kind() == Some(FileType::HardLink) && fits(self.0, file.name) {
                self.1.insert(file.link.to_vec());
            }
        }
    }
    let mut links = Links(patterns, BTreeSet::new());
    if let Err(error) = read(shelf, job, &mut links, report) {
        report.add(Finding::Lost { job: job.name(), what: error.to_string() });
    }
    links.1
}
