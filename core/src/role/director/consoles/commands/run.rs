//! `run`: a job now.

use crate::catalog::CatalogName;
use crate::config::{self, DirectorConfig, JobKind};
use crate::ids::JobId;
use crate::limits::JOINED;
use crate::wire::json::Json;
use crate::wire::status::{JobLevel, JobType};

use super::super::answer::Shown;
use super::super::grammar::Takes::{Nothing, Value};
use super::super::grammar::{Command, Form};
use super::super::output::Api;
use super::super::questions::choice;
use super::super::questions::modify::{self, Draft};
use super::super::refusal::{BadValue, Kind, Meant, NoSuch, Refusal};
use super::super::reply::{Instruction, Reply, View};
use super::super::words::Words;
use crate::role::director::jobs::ordering::{self, Order, Resources, order_level, verify_level};
use crate::role::director::jobs::terms::{Pools, Terms};
use crate::role::director::overrides::Overrides;

pub(super) const COMMAND: Command = Command::new(
    "run",
    &[Form {
        words: &[
            ("job", Value),
            ("client", Value),
            ("fileset", Value),
            ("storage", Value),
            ("pool", Value),
            ("level", Value),
            ("accurate", Value),
            ("spooldata", Value),
            ("jobid", Value),
            ("nextpool", Value),
            ("priority", Value),
            ("pluginoptions", Value),
            ("yes", Nothing),
        ],
        help: &[
            (
                "run job=NAME [level=full|differential|incremental] [accurate=yes|no] [spooldata=yes|no] [client=NAME] [fileset=NAME] \
                 [storage=NAME] [pool=NAME] [priority=N] [pluginoptions=NAME:KEY=VALUE] [yes]",
                "run a job now",
            ),
            (
                "run job=NAME level=virtualfull [jobid=N,N] [accurate=yes|no] [client=NAME] [fileset=NAME] [storage=NAME] \
                 [pool=NAME] [nextpool=NAME] [priority=N] [yes]",
                "make a full backup of those before it, or of the jobs with these numbers",
            ),
            (
                "run job=NAME [jobid=N] [pool=NAME] [nextpool=NAME] [yes]",
                "copy or migrate all jobs that the job NAME selects, or only N; verify N",
            ),
        ],
        ..Form::PLAIN
    }],
    run,
);

/// The number of a job that was ordered.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Queued(pub(crate) JobId);

fn run(view: &View<'_>, words: &Words) -> Result<Reply, Refusal> {
    let is_first = words.is_first();
    if !words.has("job") {
        return Ok(choice::resource(view, words, Kind::Job, "job", "Name a job: run job=NAME.")?.using_if(is_first));
    }
    let order = order(view.config(), &view.director.common.overrides, words)?;
    // A program is asked nothing: the job begins (`wire/1 §6.6`).
    if words.has("yes") || matches!(view.api(), Api::Json { .. }) {
        return Ok(Reply::Do(Instruction::Order(Box::new(order))).using_if(is_first));
    }
    let from = order.with.client.clone();
    Ok(modify::ask(view, Draft { order, from }).using_if(is_first))
}

/// What a text of the configuration orders: a job's name first, with or without `job=`, and then words as of the command.
///
/// # Errors
/// What is wrong with it.
pub(crate) fn order_of(config: &DirectorConfig, overrides: &Overrides, text: &str) -> Result<Order, Refusal> {
    let text = text.trim_start();
    let is_bare = !text.split_whitespace().next().is_some_and(|word| word.contains('='));
    let words = Words::parse(&format!("run {}{text}", if is_bare { "job=" } else { "" }));
    COMMAND.check(&words)?;
    order(config, overrides, &words)
}

fn order(config: &DirectorConfig, overrides: &Overrides, words: &Words) -> Result<Order, Refusal> {
    let Some(job) = words.value(&["job"]).and_then(|name| config.job(name)) else {
        let known: Vec<String> = config.jobs.iter().map(|job| job.name.clone()).collect();
        let wanted = words.value(&["job"]).unwrap_or_default();
        let meant = Meant::of(wanted, known.iter().map(String::as_str));
        return Err(Refusal::usage(format!("Name a job: run job=NAME.{meant} There are: {}", known.join(", "))));
    };
    if !overrides.is_enabled(job) {
        return Err(Refusal::Disabled(job.name.clone()));
    }
    let kind = ordering::type_of(job.kind).ok_or_else(|| Refusal::usage("Use restore to restore."))?;
    let (level, accurate) = match level_of(job, words)? {
        (level, _) if kind == JobType::Verify => (level, false),
        _ if matches!(kind, JobType::Admin | JobType::Consolidate) => (JobLevel::None, false),
        chosen => chosen,
    };
    let is_virtual = kind == JobType::Backup && level == JobLevel::VirtualFull;
    if let Some(word) = idle_word(kind, is_virtual, words) {
        return Err(Refusal::usage(format!("{word}= changes nothing for a job of this type: leave it out.")));
    }
    let (original, joined) = match words.value(&["jobid"]) {
        None => (None, Vec::new()),
        Some(text) if is_virtual => (None, numbers(text)?),
        Some(text) => match text.parse() {
            Ok(number) if kind != JobType::Backup => (Some(number), Vec::new()),
            _ => return Err(Refusal::usage("jobid= needs the number of the job to copy, migrate or verify.")),
        },
    };
    let pick = |key: &str, default: &str| words.value(&[key]).unwrap_or(default).to_owned();
    let with = Resources {
        client: pick("client", &job.client),
        fileset: pick("fileset", &job.fileset),
        storage: pick("storage", &job.storage),
        pool: pick("pool", &job.pool),
    };
    let spool_data = match words.value(&["spooldata"]).map(str::to_lowercase).as_deref() {
        None => job.spool_data && kind == JobType::Backup,
        Some("yes") => true,
        Some("no") => false,
        Some(other) => return Err(BadValue::new("spooldata", other, "yes or no").into()),
    };
    let mut terms = Terms::of(job, None);
    if words.has("pool") {
        terms.pools = Pools::only(&with.pool);
    }
    terms.keeps_storage = words.has("storage");
    if let Some(next) = words.value(&["nextpool"]) {
        NoSuch::check(config, Kind::Pool, next)?;
        terms.next_pool = Some(next.to_owned());
    }
    terms.plugin_options = words.value(&["pluginoptions"]).map(str::to_owned);
    if let Some(text) = words.value(&["priority"]) {
        let wrong = || BadValue::new("priority", text, "a number from 1");
        terms.priority = Some(text.parse().ok().filter(|priority| *priority > 0).ok_or_else(wrong)?);
    }
    let catalog = words.value(&["catalog"]).map(CatalogName::from);
    if let Some(catalog) = &catalog {
        NoSuch::check(config, Kind::Catalog, catalog)?;
    }
    let made = Order::of(&job.name, kind, level, with);
    let mut order = Order { accurate, spool_data, original, joined, terms, catalog, ..made };
    order.place(config);
    NoSuch::check_order(config, &order)?;
    if let Some((pool, catalog)) = order.pool_elsewhere(config) {
        return Err(Refusal::usage(format!(
            "Pool \"{pool}\" is not in the catalog \"{catalog}\": name another pool or catalog."
        )));
    }
    Ok(order)
}

/// The jobs that a virtual full is made of: `1,2,3`.
///
/// # Errors
/// They are no numbers, or too many.
fn numbers(text: &str) -> Result<Vec<u32>, Refusal> {
    let wrong = || BadValue::new("jobid", text, "numbers of jobs such as 1,2,3");
    let number = |part: &str| part.trim().parse().ok().filter(|number: &u32| *number > 0);
    let mut all = text.split(',').map(number).collect::<Option<Vec<u32>>>().ok_or_else(wrong)?;
    all.sort_unstable();
    all.dedup();
    if all.len() > JOINED {
        return Err(Refusal::usage(format!("A virtual full is made of {JOINED} jobs at most.")));
    }
    Ok(all)
}

/// The word that has no bearing for a job of this kind.
fn idle_word(kind: JobType, is_virtual: bool, words: &Words) -> Option<&'static str> {
    let idle: &[&str] = match kind {
        JobType::Copy | JobType::Migrate => {
            &["level", "accurate", "spooldata", "client", "fileset", "storage", "pluginoptions"]
        }
        JobType::Verify => &["accurate", "spooldata", "fileset", "storage", "pool", "nextpool", "pluginoptions"],
        JobType::Admin | JobType::Consolidate => &[
            "level",
            "accurate",
            "spooldata",
            "client",
            "fileset",
            "storage",
            "pool",
            "jobid",
            "nextpool",
            "pluginoptions",
        ],
        JobType::Backup if is_virtual => &["spooldata", "pluginoptions"],
        JobType::Backup => &["nextpool"],
        _ => &[],
    };
    idle.iter().copied().find(|word| words.has(word))
}

/// The level of a job of this resource, and whether it is accurate, as its resource or the console says.
///
/// # Errors
/// What is wrong with the words.
pub(super) fn level_of(job: &config::Job, words: &Words) -> Result<(JobLevel, bool), Refusal> {
    let level = match words.value(&["level"]).map(str::to_lowercase).as_deref() {
        None if job.kind == JobKind::Verify => verify_level(job.verify_level),
        None => order_level(job.level),
        Some("volumetocatalog") if job.kind == JobKind::Verify => JobLevel::VerifyVolume,
        Some("disktocatalog") if job.kind == JobKind::Verify => JobLevel::VerifyDisk,
        Some("initcatalog") if job.kind == JobKind::Verify => JobLevel::VerifyInit,
        Some("catalog") if job.kind == JobKind::Verify => JobLevel::VerifyCatalog,
        Some(other) if job.kind == JobKind::Verify => {
            let known = "volumetocatalog, disktocatalog, initcatalog or catalog";
            return Err(BadValue::new("level", other, known).into());
        }
        Some("full") => JobLevel::Full,
        Some("differential") => JobLevel::Differential,
        Some("incremental") => JobLevel::Incremental,
        Some("virtualfull") => JobLevel::VirtualFull,
        Some(other) => {
            let known = "full, differential, incremental or virtualfull";
            return Err(BadValue::new("level", other, known).into());
        }
    };
    let accurate = match words.value(&["accurate"]).map(str::to_lowercase).as_deref() {
        None => job.accurate,
        Some("yes") => true,
        Some("no") => false,
        Some(other) => return Err(BadValue::new("accurate", other, "yes or no").into()),
    };
    Ok((level, accurate))
}

/// A level in a word.
/// The level of a job of the configuration.
pub(super) const fn level_name_of(job: &config::Job) -> &'static str {
    match job.kind {
        JobKind::Verify => level_name(verify_level(job.verify_level)),
        _ => level_word_of(job.level),
    }
}

/// A level of the configuration.
pub(super) const fn level_word_of(level: config::Level) -> &'static str {
    level_name(order_level(level))
}

pub(crate) const fn level_name(level: JobLevel) -> &'static str {
    match level {
        JobLevel::Full => "Full",
        JobLevel::Differential => "Differential",
        JobLevel::Incremental => "Incremental",
        JobLevel::VirtualFull => "VirtualFull",
        JobLevel::VerifyVolume => "VolumeToCatalog",
        JobLevel::VerifyDisk => "DiskToCatalog",
        JobLevel::VerifyInit => "InitCatalog",
        JobLevel::VerifyCatalog => "Catalog",
        _ => "",
    }
}

impl Queued {
    /// As a line for a person.
    pub(crate) fn line(&self) -> String {
        format!("Job queued. JobId={}\n", self.0)
    }
}

impl Shown for Queued {
    fn text(&self) -> String {
        self.line()
    }

    fn json(&self) -> Option<Json> {
        Some(Json::object([("run", Json::object([("jobid", self.0.to_string().into())]))]))
    }
}
