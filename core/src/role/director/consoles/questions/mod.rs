//! Questions of a command to its console: values that wait for the console's next line.
//!
//! ```text
//!   a command --Reply::Question--> waits --a line--> hear --> Reply: the next question, or what the command comes to
//! ```
//! There is no more to a dialogue than the question that waits: it holds all that its command knows so far. Mostly that is
//! the line itself, which is said again with one word more ([`Matter::Word`]). So a command that lacks a name asks for it
//! in one line of code, and what a person chooses from a menu passes through the same checks as what a program writes.
//! `.` and `quit` leave every question, and the end of the connection drops it.

pub(super) mod choice;
pub(super) mod modify;

use std::fmt::Write as _;

use super::commands::query::{self, Asking, Stored};
use super::output::Api;
use super::refusal::Refusal;
use super::reply::{Reply, View};
use super::tree::shell::Shell;
use super::words::Words;
use modify::{Change, Draft};

/// Words of a line that a person is asked for: more were no command.
const MAX_WORDS: usize = 2_000;

/// Items of a menu that stand in one column.
const ONE_COLUMN: usize = 20;
/// Letters on a line of one with several.
const WIDTH: usize = 80;

/// What a console is asked.
#[derive(Debug)]
pub(crate) struct Question {
    pub(super) prompt: Prompt,
    pub(super) matter: Matter,
    /// It was answered with what is no answer, and its menu is not shown again.
    pub(super) again: bool,
}

/// What it is about, with all that its command knows.
#[derive(Debug)]
pub(super) enum Matter {
    /// A word of a line.
    Word(Wanted),
    /// Whether to order a job.
    Order(Box<Draft>),
    /// What of the order is to be different.
    Change(Box<Draft>),
    /// What it is to be.
    ChangeTo(Box<Draft>, Change),
    /// Which files of jobs are to be restored.
    Files(Box<Shell>),
    /// Which of these stored queries is asked.
    Query(Vec<Stored>),
    /// What such a query is asked with.
    QueryValue(Box<Asking>),
}

/// A word that a line lacks.
#[derive(Debug)]
pub(super) struct Wanted {
    pub(super) words: Words,
    pub(super) key: &'static str,
    /// How to say the command without being asked.
    pub(super) usage: String,
    /// An empty answer is one: the word then stands without a value.
    pub(super) may_be_empty: bool,
}

/// How it is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Prompt {
    /// For anything.
    Line(String),
    /// For yes or no.
    YesNo(String),
    /// For yes, no or what is to be different, after the parameters of a job.
    Run,
    /// For a command on a tree of files.
    Shell,
    /// For the number of one of these: a title, the items, and how they are asked for.
    Choice { title: String, items: Vec<String>, ask: String },
}

impl Question {
    /// What comes of the answer.
    pub(crate) fn hear(self, view: &View<'_>, line: &str) -> Reply {
        let Self { prompt, matter, .. } = self;
        if let Matter::Files(shell) = matter {
            return shell.hear(line);
        }
        if matches!(line, "." | "quit" | "@") {
            return Reply::found(matter.left().to_owned());
        }
        match prompt.answer(line) {
            Ok(answer) => matter.go_on(view, prompt, answer).unwrap_or_else(Reply::refused),
            Err(why) => Reply::Question(Box::new(Self { prompt, matter, again: true })).after(why.to_string()),
        }
    }

    /// Why a program is not asked: what to say instead.
    pub(super) fn refusal(&self) -> Refusal {
        match &self.matter {
            Matter::Word(wanted) => Refusal::usage(wanted.usage.clone()),
            Matter::Order(_) | Matter::Change(_) | Matter::ChangeTo(..) | Matter::Files(_) => Refusal::Unconfirmed,
            Matter::Query(_) | Matter::QueryValue(_) => {
                Refusal::usage("Stored queries are for people: a program asks with sqlquery query=\"SELECT …\".")
            }
        }
    }
}

impl Matter {
    /// What a console is told that leaves the question.
    const fn left(&self) -> &'static str {
        match self {
            Self::Word(_) | Self::Files(_) | Self::Query(_) | Self::QueryValue(_) => "Nothing chosen, nothing done.\n",
            Self::Order(_) | Self::Change(_) | Self::ChangeTo(..) => "Job not run.\n",
        }
    }

    fn go_on(self, view: &View<'_>, prompt: Prompt, answer: Said) -> Result<Reply, Refusal> {
        match self {
            Self::Word(wanted) => wanted.go_on(view, prompt, answer),
            Self::Order(draft) => Ok(modify::confirmed(draft, &answer)),
            Self::Change(draft) => modify::chosen(view, draft, &answer),
            Self::ChangeTo(draft, change) => modify::changed(view, draft, change, &answer),
            Self::Files(shell) => Ok(shell.ask()),
            Self::Query(all) => match answer {
                Said::Item(at, _) => query::chosen(all, at),
                _ => Ok(Reply::found(String::new())),
            },
            Self::QueryValue(asking) => match answer {
                Said::Text(value) => Ok(query::answered(asking, value)),
                _ => Ok(Reply::found(String::new())),
            },
        }
    }
}

impl Wanted {
    /// Says the line again, with the answer.
    fn go_on(self, view: &View<'_>, prompt: Prompt, answer: Said) -> Result<Reply, Refusal> {
        let Self { words, key, usage, may_be_empty } = self;
        let value = match answer {
            Said::No => return Ok(Reply::found("Nothing done.\n".to_owned())),
            Said::Yes => None,
            Said::Text(text) if text.is_empty() && !may_be_empty => {
                let matter = Matter::Word(Self { words, key, usage, may_be_empty });
                return Ok(Reply::Question(Box::new(Question { prompt, matter, again: true })));
            }
            Said::Text(text) if text.is_empty() => None,
            Said::Text(text) | Said::Item(_, text) => Some(crate::printable::bytes(&text)),
            Said::Other => return Ok(Reply::found("Nothing done.\n".to_owned())),
        };
        if words.len() >= MAX_WORDS {
            return Err(Refusal::usage(usage));
        }
        super::commands::again(view, &words.with(key, value.as_deref()))
    }
}

/// An answer that fits its question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Said {
    Yes,
    No,
    /// Neither: something is to be different.
    Other,
    /// One of the items, counted from 0, and how it is called.
    Item(usize, String),
    Text(String),
}

/// Why an answer does not fit, as it is said before the question is asked again.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
enum Unfit {
    #[error("Illegal response {0}\n")]
    Illegal(String),
    #[error("Expected a positive integer, got: {0}\n")]
    NoNumber(String),
    /// There are so many items.
    #[error("Please enter a number between 1 and {0}\n")]
    TooLarge(usize),
}

impl Prompt {
    /// Reads an answer.
    ///
    /// # Errors
    /// It does not fit.
    fn answer(&self, line: &str) -> Result<Said, Unfit> {
        let lower = line.to_lowercase();
        match self {
            Self::Line(_) | Self::Shell => Ok(Said::Text(line.to_owned())),
            // As in real directors: a line feed is a yes.
            Self::Run if "yes".starts_with(&lower) => Ok(Said::Yes),
            Self::YesNo(_) if !lower.is_empty() && "yes".starts_with(&lower) => Ok(Said::Yes),
            Self::YesNo(_) | Self::Run if !lower.is_empty() && "no".starts_with(&lower) => Ok(Said::No),
            Self::Run if "mod".starts_with(&lower) => Ok(Said::Other),
            Self::YesNo(_) | Self::Run => Err(Unfit::Illegal(line.to_owned())),
            Self::Choice { items, .. } => {
                let by_name = || items.iter().position(|item| item == line);
                let Some(at) = line.parse::<usize>().ok().map(|number| number.wrapping_sub(1)).or_else(by_name) else {
                    return Err(Unfit::NoNumber(line.to_owned()));
                };
                let Some(item) = items.get(at) else {
                    return Err(Unfit::TooLarge(items.len()));
                };
                Ok(Said::Item(at, item.clone()))
            }
        }
    }

    /// The line that stands directly before the answer.
    pub(super) fn last_line(&self) -> String {
        match self {
            Self::Line(text) | Self::YesNo(text) => text.clone(),
            Self::Run => "OK to run? (yes/mod/no): ".to_owned(),
            Self::Shell => "$ ".to_owned(),
            Self::Choice { items, ask, .. } => format!("{ask} (1-{}): ", items.len()),
        }
    }

    /// What stands before that line for a person: a title and the numbered items.
    pub(super) fn menu(&self) -> String {
        let Self::Choice { title, items, .. } = self else { return String::new() };
        format!("{title}\n{}", columns(items))
    }
}

/// Numbered items; of more than [`ONE_COLUMN`] several stand on a line, if they are short.
fn columns(items: &[String]) -> String {
    let (digits, widest) =
        (items.len().to_string().len(), items.iter().map(|item| item.chars().count()).max().unwrap_or(0));
    let cell = digits + widest + 3;
    let per_line = (WIDTH / cell.max(1)).max(1);
    let mut text = String::new();
    if items.len() <= ONE_COLUMN || per_line == 1 {
        for (at, item) in items.iter().enumerate() {
            // Writing to a string cannot fail.
            let _done = writeln!(text, "{:>digits$}: {item}", at + 1);
        }
        return text;
    }
    let lines = items.len().div_ceil(per_line);
    for line in 0..lines {
        for at in (line..items.len()).step_by(lines) {
            let _done = write!(text, "{:>digits$}: {:<widest$} ", at + 1, items[at]);
        }
        text.push('\n');
    }
    text
}

/// Whether a console in this mode is asked at all.
pub(super) const fn asks(api: Api) -> bool {
    !matches!(api, Api::Json { .. })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn menu(items: usize) -> Prompt {
        let items = (1..=items).map(|at| format!("job-{at}")).collect();
        Prompt::Choice {
            title: "The defined Job resources are:".to_owned(),
            items,
            ask: "Select Job resource".to_owned(),
        }
    }

    #[test]
    fn a_menu_has_one_column_up_to_twenty_items() {
        assert_eq!(menu(2).menu(), "The defined Job resources are:\n1: job-1\n2: job-2\n");
        assert_eq!(menu(2).last_line(), "Select Job resource (1-2): ");
        assert_eq!(menu(20).menu().lines().count(), 21);
        let lines: Vec<String> = menu(21).menu().lines().map(str::to_owned).collect();
        assert_eq!(lines[1], " 1: job-1   4: job-4   7: job-7  10: job-10 13: job-13 16: job-16 19: job-19 ");
        assert_eq!(lines.len(), 4);
    }

    #[test]
    fn an_answer_is_a_number_of_the_list_or_a_name_of_it() {
        assert_eq!(menu(3).answer("2"), Ok(Said::Item(1, "job-2".to_owned())));
        assert_eq!(menu(3).answer("job-3"), Ok(Said::Item(2, "job-3".to_owned())));
        for (answer, text) in [
            ("0", "Please enter a number between 1 and 3\n"),
            ("4", "Please enter a number between 1 and 3\n"),
            ("-1", "Expected a positive integer, got: -1\n"),
            ("x", "Expected a positive integer, got: x\n"),
            ("", "Expected a positive integer, got: \n"),
        ] {
            assert_eq!(menu(3).answer(answer).map_err(|why| why.to_string()), Err(text.to_owned()), "{answer}");
        }
    }

    #[test]
    fn yes_and_no_may_be_shortened() {
        let prompt = Prompt::YesNo("? ".to_owned());
        for (answer, said) in [("y", Said::Yes), ("YES", Said::Yes), ("n", Said::No), ("no", Said::No)] {
            assert_eq!(prompt.answer(answer), Ok(said), "{answer}");
        }
        assert_eq!(prompt.answer("mod"), Err(Unfit::Illegal("mod".to_owned())));
        assert_eq!(prompt.answer(""), Err(Unfit::Illegal(String::new())));
        for (answer, said) in [("", Said::Yes), ("m", Said::Other), ("MOD", Said::Other), ("n", Said::No)] {
            assert_eq!(Prompt::Run.answer(answer), Ok(said), "{answer}");
        }
    }
}
