//! `OK to run? (yes/mod/no)`: shows what a job will be, and lets a person change it.

use crate::config::{JobKind, Replace};
use crate::role::director::jobs::ordering::Order;
use crate::role::director::jobs::tables;
use crate::role::director::jobs::terms::Pools;
use crate::wire::file::RestoreTo;
use crate::wire::frame::Signal;
use crate::wire::status::{JobLevel, JobType};

use super::super::commands::run::level_name;
use super::super::output::Api;
use super::super::refusal::{Kind, NoSuch, Refusal};
use super::super::reply::{Instruction, Reply, View};
use super::{Matter, Prompt, Question, Said};

/// A job that is about to be ordered.
#[derive(Clone, Debug)]
pub(in super::super) struct Draft {
    pub(in super::super) order: Order,
    /// The client that a restore takes files of.
    pub(in super::super) from: String,
}

/// What of a job can be different.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) enum Change {
    Level,
    Storage,
    Job,
    FileSet,
    Client,
    Pool,
    Where,
    Replace,
    /// Only by a word of the command.
    Never(&'static str),
}

/// What a restore does with files that are there, and the letter of `wire/2 §1.8`.
pub(in super::super) const REPLACE: [(&str, Replace, u8); 4] = [
    ("always", Replace::Always, b'a'),
    ("ifnewer", Replace::IfNewer, b'w'),
    ("ifolder", Replace::IfOlder, b'o'),
    ("never", Replace::Never, b'n'),
];

/// The word that a letter of [`REPLACE`] stands for.
pub(crate) fn replace_word(letter: u8) -> &'static str {
    REPLACE.iter().find(|(.., known)| *known == letter).map_or("", |(word, ..)| *word)
}

const LEVELS: [(&str, JobLevel); 4] = [
    ("Full", JobLevel::Full),
    ("Incremental", JobLevel::Incremental),
    ("Differential", JobLevel::Differential),
    ("VirtualFull", JobLevel::VirtualFull),
];

/// Shows the job and asks whether to order it.
pub(in super::super) fn ask(view: &View<'_>, draft: Draft) -> Reply {
    let block = parameters(view, &draft);
    let question = Question { prompt: Prompt::Run, matter: Matter::Order(Box::new(draft)), again: false };
    Reply::Mark(Signal::RunCommand, Box::new(Reply::Question(Box::new(question)).after(block)))
}

/// The person has answered.
pub(super) fn confirmed(draft: Box<Draft>, said: &Said) -> Reply {
    match said {
        Said::Yes => Reply::Do(Instruction::Order(Box::new(draft.order))),
        Said::Other => {
            let items = changes(draft.order.kind).iter().map(|(name, _)| (*name).to_owned()).collect();
            let title = "Parameters to modify:".to_owned();
            let prompt = Prompt::Choice { title, items, ask: "Select parameter to modify".to_owned() };
            Reply::Question(Box::new(Question { prompt, matter: Matter::Change(draft), again: false }))
        }
        Said::No | Said::Text(_) | Said::Item(..) => Reply::found("Job not run.\n".to_owned()),
    }
}

/// The parameters in the order in which real directors number them.
fn changes(kind: JobType) -> Vec<(&'static str, Change)> {
    let client = if kind == JobType::Restore { "Restore Client" } else { "Client" };
    let mut all = vec![
        ("Level", Change::Level),
        ("Storage", Change::Storage),
        ("Job", Change::Job),
        ("FileSet", Change::FileSet),
        (client, Change::Client),
        ("Backup Format", Change::Never("there is one format")),
        ("When", Change::Never("a job begins when it is ordered")),
        ("Priority", Change::Never("a job has the priority of its resource")),
    ];
    match kind {
        JobType::Restore => all.extend([
            ("Bootstrap", Change::Never("it comes of the files that were chosen")),
            ("Where", Change::Where),
            ("File Relocation", Change::Never("say it with the command")),
            ("Replace", Change::Replace),
            ("JobId", Change::Never("it comes of the jobs that were chosen")),
        ]),
        _ => all.push(("Pool", Change::Pool)),
    }
    all
}

/// What of the job is to be different is chosen: asks for what it is to be.
pub(super) fn chosen(view: &View<'_>, draft: Box<Draft>, said: &Said) -> Result<Reply, Refusal> {
    let Said::Item(at, _) = said else { return Ok(ask(view, *draft)) };
    let Some((name, change)) = changes(draft.order.kind).get(*at).copied() else { return Ok(ask(view, *draft)) };
    let config = view.config();
    let of = |kind: Kind| -> Vec<String> { NoSuch::known(config, kind).into_iter().map(str::to_owned).collect() };
    let items = match change {
        Change::Never(why) => {
            return Ok(ask(view, *draft).after(format!("{name} cannot be changed here: {why}.\n")));
        }
        Change::Level if draft.order.kind != JobType::Backup => {
            return Ok(ask(view, *draft).after("Only a backup has a level.\n"));
        }
        Change::Storage if draft.order.restore.is_some() => {
            return Ok(ask(view, *draft).after("The files lie where they lie: another storage cannot have them.\n"));
        }
        Change::Where => {
            let text = "Please enter the full path prefix for restore (/ for none): ".to_owned();
            let matter = Matter::ChangeTo(draft, change);
            return Ok(Reply::Question(Box::new(Question { prompt: Prompt::Line(text), matter, again: false })));
        }
        Change::Level => LEVELS.iter().map(|(level, _)| (*level).to_owned()).collect(),
        Change::Replace => REPLACE.iter().map(|(word, ..)| (*word).to_owned()).collect(),
        Change::Storage => of(Kind::Storage),
        Change::FileSet => of(Kind::FileSet),
        Change::Client => of(Kind::Client),
        Change::Pool => of(Kind::Pool),
        Change::Job => same_kind(view, draft.order.kind),
    };
    let title = format!("{name}:");
    let prompt = Prompt::Choice { title, items, ask: format!("Select {}", name.to_lowercase()) };
    Ok(Reply::Question(Box::new(Question { prompt, matter: Matter::ChangeTo(draft, change), again: false })))
}

/// The jobs that do the same as one of this kind.
fn same_kind(view: &View<'_>, kind: JobType) -> Vec<String> {
    let is_it = |of: JobKind| match kind {
        JobType::Restore => of == JobKind::Restore,
        _ => crate::role::director::jobs::ordering::type_of(of) == Some(kind),
    };
    view.config().jobs.iter().filter(|job| is_it(job.kind)).map(|job| job.name.clone()).collect()
}

/// It is different now: shows the job and asks again.
pub(super) fn changed(view: &View<'_>, mut draft: Box<Draft>, change: Change, said: &Said) -> Result<Reply, Refusal> {
    let name = match said {
        Said::Item(_, name) | Said::Text(name) => name.clone(),
        Said::Yes | Said::No | Said::Other => return Ok(ask(view, *draft)),
    };
    let order = &mut draft.order;
    match change {
        Change::Level => {
            let chosen = LEVELS.iter().find(|(word, _)| *word == name);
            order.level = chosen.map_or(order.level, |(_, level)| *level);
            if order.level != JobLevel::VirtualFull {
                order.joined.clear();
            }
        }
        Change::Storage => {
            order.terms.keeps_storage = true;
            order.with.storage = name;
        }
        Change::FileSet => order.with.fileset = name,
        Change::Client => order.with.client = name,
        Change::Pool => {
            order.terms.pools = Pools::only(&name);
            order.with.pool = name;
        }
        Change::Job => {
            order.name.clone_from(&name);
            if let Some(job) = view.config().job(&name).filter(|job| job.kind != JobKind::Restore) {
                *order = Order::of_resource(job, None).unwrap_or_else(|| order.clone());
            }
        }
        Change::Where => {
            if !name.starts_with('/') {
                return Ok(ask(view, *draft).after(format!("{}\n", Refusal::Relative(name))));
            }
            if let Some(plan) = &mut order.restore {
                plan.to = RestoreTo::Where(if name == "/" { String::new() } else { name });
            }
        }
        Change::Replace => {
            let chosen = REPLACE.iter().find(|(word, ..)| *word == name);
            if let (Some(plan), Some((.., letter))) = (&mut order.restore, chosen) {
                plan.replace = *letter;
            }
        }
        Change::Never(_) => {}
    }
    Ok(ask(view, *draft))
}

/// What the job will be, as a real director shows it.
fn parameters(view: &View<'_>, draft: &Draft) -> String {
    let (order, from) = (&draft.order, &draft.from);
    let kind = tables::of(order.kind).0;
    let of_job = || view.config().job(&order.name).map_or(10, |job| job.priority);
    let priority = order.terms.priority.unwrap_or_else(of_job);
    let when = view.zone().local(view.now());
    let head = match view.api() {
        Api::Text => format!("Run {kind} job\n"),
        _ => format!("Type: {kind}\nTitle: Run {kind} Job\n"),
    };
    let with = &order.with;
    if let Some(plan) = &order.restore {
        let to = match &plan.to {
            RestoreTo::Where(folder) if folder.is_empty() => "Where:           *None*".to_owned(),
            RestoreTo::Where(folder) => format!("Where:           {folder}"),
            RestoreTo::Regex(expression) => format!("RegexWhere:      {expression}"),
        };
        let catalog = order.catalog.as_deref().unwrap_or_else(|| view.catalog());
        let replace = replace_word(plan.replace);
        return format!(
            "{head}JobName:         {}\nBootstrap:       *None*\n{to}\nReplace:         {replace}\n\
             FileSet:         {}\nBackup Client:   {from}\nRestore Client:  {}\nFormat:          Native\n\
             Storage:         {}\nWhen:            {when}\nCatalog:         {catalog}\nPriority:        {priority}\n\
             Plugin Options:  *None*\n",
            order.name, with.fileset, with.client, with.storage
        );
    }
    format!(
        "{head}JobName:  {}\nLevel:    {}\nClient:   {}\nFormat:   Native\nFileSet:  {}\nPool:     {}\nStorage:  {}\n\
         When:     {when}\nPriority: {priority}\n",
        order.name,
        level_name(order.level),
        with.client,
        with.fileset,
        with.pool,
        with.storage
    )
}
