//! Asks for the name that a line lacks: a menu of those that the console may use, or one line.

use crate::config::JobKind;

use super::super::commands;
use super::super::refusal::{Kind, Meant, NoSuch, Refusal};
use super::super::reply::{Reply, View};
use super::super::words::Words;
use super::{Matter, Prompt, Question, Wanted};

/// Asks which resource is meant by the word `key`, and says the line again with it. With only one it is that.
///
/// # Errors
/// There is none.
pub(in super::super) fn resource(
    view: &View<'_>,
    words: &Words,
    kind: Kind,
    key: &'static str,
    usage: &str,
) -> Result<Reply, Refusal> {
    let (title, what) = match kind {
        Kind::Client | Kind::FileDaemon => ("The defined Client resources are:", "Client (File daemon) resource"),
        Kind::Storage | Kind::StorageDaemon => ("The defined Storage resources are:", "Storage resource"),
        Kind::FileSet => ("The defined FileSet resources are:", "FileSet resource"),
        Kind::Pool => ("The defined Pool resources are:", "Pool resource"),
        Kind::Schedule => ("The defined Schedule resources are:", "Schedule resource"),
        Kind::Catalog => ("The defined Catalog resources are:", "Catalog resource"),
        Kind::Job => ("The defined Job resources are:", "Job resource"),
        Kind::Command => ("The commands are:", "command"),
        Kind::Volume => ("The volumes are:", "Volume"),
    };
    let names: Vec<String> = names(view, kind).collect();
    one_of(view, words, key, (title, what), names, usage)
}

/// The names of a kind that the console may use; jobs without those that restore.
fn names<'a>(view: &View<'a>, kind: Kind) -> Box<dyn Iterator<Item = String> + 'a> {
    let config = view.config();
    match kind {
        Kind::Catalog => Box::new(view.catalogs().map(str::to_owned)),
        Kind::Job => {
            let jobs = config.jobs.iter().filter(|job| job.kind != JobKind::Restore);
            Box::new(jobs.map(|job| job.name.clone()))
        }
        _ => Box::new(NoSuch::known(config, kind).into_iter().map(str::to_owned)),
    }
}

/// Asks which of these is meant. With only one it is that.
///
/// # Errors
/// There is none.
pub(in super::super) fn one_of(
    view: &View<'_>,
    words: &Words,
    key: &'static str,
    (title, what): (&str, &str),
    mut items: Vec<String>,
    usage: &str,
) -> Result<Reply, Refusal> {
    items.sort_unstable();
    items.dedup();
    match items.as_slice() {
        [] => Err(Refusal::Empty(what.to_owned())),
        [only] => {
            let kind = what.split(' ').next().unwrap_or(what);
            let text = format!("Automatically selected {kind}: {only}\n");
            Ok(commands::again(view, &words.clone().with(key, Some(only.as_bytes())))?.after(text))
        }
        _ => Ok(menu(words, key, (title, what), items, usage)),
    }
}

/// Asks which of these is meant, even if there is only one.
pub(in super::super) fn menu(
    words: &Words,
    key: &'static str,
    (title, what): (&str, &str),
    items: Vec<String>,
    usage: &str,
) -> Reply {
    let usage = format!("{usage} There are: {}", items.join(", "));
    let prompt = Prompt::Choice { title: title.to_owned(), items, ask: format!("Select {what}") };
    ask(words, key, prompt, usage)
}

/// Asks what a command is to be about.
pub(in super::super) fn item(words: &Words, key: &'static str, question: &str, items: &[&str], usage: &str) -> Reply {
    let items = items.iter().map(|item| (*item).to_owned()).collect();
    let title = "You have the following choices:".to_owned();
    ask(words, key, Prompt::Choice { title, items, ask: question.to_owned() }, usage.to_owned())
}

/// Asks for a line of text.
pub(in super::super) fn line(words: &Words, key: &'static str, prompt: &str, usage: &str) -> Reply {
    ask(words, key, Prompt::Line(prompt.to_owned()), usage.to_owned())
}

/// The same, and an empty answer is one.
pub(in super::super) fn line_or_end(words: &Words, key: &'static str, prompt: &str, usage: &str) -> Reply {
    let wanted = Wanted { words: words.clone(), key, usage: usage.to_owned(), may_be_empty: true };
    Reply::Question(Box::new(Question {
        prompt: Prompt::Line(prompt.to_owned()),
        matter: Matter::Word(wanted),
        again: false,
    }))
}

/// Asks yes or no; with yes the line is said again with that word.
pub(in super::super) fn yes(words: &Words, question: &str) -> Reply {
    let usage = "Add `yes` to the command to confirm: in this mode nobody is asked.".to_owned();
    ask(words, "yes", Prompt::YesNo(question.to_owned()), usage)
}

fn ask(words: &Words, key: &'static str, prompt: Prompt, usage: String) -> Reply {
    let wanted = Wanted { words: words.clone(), key, usage, may_be_empty: false };
    Reply::Question(Box::new(Question { prompt, matter: Matter::Word(wanted), again: false }))
}

/// That there is no resource of this name, and the nearest that the console may use.
pub(in super::super) fn unknown(view: &View<'_>, kind: Kind, name: &str) -> Refusal {
    let known = NoSuch::known(view.config(), kind);
    NoSuch::new(kind, name, Meant::of(name, known)).into()
}
