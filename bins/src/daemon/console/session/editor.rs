//! Edits lines, with what the director knows to complete them.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use rustyline::completion::{Completer, Pair};
use rustyline::error::ReadlineError;
use rustyline::highlight::Highlighter;
use rustyline::hint::Hinter;
use rustyline::history::MemHistory;
use rustyline::validate::Validator;
use rustyline::{CompletionType, Config, Context, Editor, Helper};

use super::asking::Asking;
use super::complete::{Source, Usage, Wanted, place, quoted, source_of};
use super::history::{History, MAX_LINES};
use super::paint;

/// Reads lines at the terminal.
pub(super) struct Lines {
    editor: Editor<Completing, MemHistory>,
    history: History,
}

/// What comes of a prompt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Typed {
    Line(String),
    /// Ctrl-C: the line is not wanted.
    Nothing,
    /// Ctrl-D, or the terminal has gone.
    End,
}

impl Lines {
    /// # Errors
    /// The terminal cannot be used.
    pub(super) fn new(asking: Rc<RefCell<Asking>>, colours: bool) -> Result<Self, ReadlineError> {
        let config = Config::builder().completion_type(CompletionType::List).max_history_size(MAX_LINES)?.build();
        let earlier = MemHistory::with_config(&config);
        let mut editor = Editor::with_history(config, earlier)?;
        editor.set_helper(Some(Completing { asking, is_command: Cell::new(true), colours }));
        let history = History::of_user();
        for line in history.read() {
            editor.add_history_entry(line)?;
        }
        Ok(Self { editor, history })
    }

    /// The next line: a command, which is remembered, or the answer to a question, which is not.
    ///
    /// # Errors
    /// The terminal cannot be used.
    pub(super) fn read(&mut self, prompt: &str, is_command: bool) -> Result<Typed, ReadlineError> {
        if let Some(helper) = self.editor.helper() {
            helper.is_command.set(is_command);
        }
        match self.editor.readline(prompt) {
            Ok(line) => {
                if is_command && !line.trim().is_empty() {
                    self.editor.add_history_entry(&line)?;
                }
                Ok(Typed::Line(line))
            }
            Err(ReadlineError::Interrupted) => Ok(Typed::Nothing),
            Err(ReadlineError::Eof) => Ok(Typed::End),
            Err(error) => Err(error),
        }
    }

    /// Keeps a command for later sessions.
    ///
    /// # Errors
    /// The file cannot be written.
    pub(super) fn keep(&self, line: &str) -> std::io::Result<()> {
        self.history.keep(line).map(drop)
    }
}

/// Completes lines.
struct Completing {
    asking: Rc<RefCell<Asking>>,
    /// Else it is an answer to a question, and the director would take ours for one too.
    is_command: Cell<bool>,
    colours: bool,
}

impl Completer for Completing {
    type Candidate = Pair;

    fn complete(&self, line: &str, pos: usize, _: &Context<'_>) -> rustyline::Result<(usize, Vec<Pair>)> {
        if !self.is_command.get() {
            return Ok((pos, Vec::new()));
        }
        let place = place(&line[..pos]);
        let Ok(mut asking) = self.asking.try_borrow_mut() else { return Ok((pos, Vec::new())) };
        let all = match place.wanted {
            Wanted::Command | Wanted::Word("help" | "?") => commands(&mut asking, place.typed),
            Wanted::Word(verb) => words(&mut asking, verb, place.typed),
            Wanted::Value { verb, key } => values(&mut asking, (verb, key), place.typed),
        };
        Ok((place.start, all))
    }
}

fn pair(shown: String, typed: String) -> Pair {
    Pair { display: shown, replacement: typed }
}

/// Commands for programs are offered to who types their dot.
fn commands(asking: &mut Asking, typed: &str) -> Vec<Pair> {
    let all = asking.commands().iter().filter(|usage| usage.name.starts_with('.') == typed.starts_with('.'));
    let fit = all.filter(|usage| usage.name.starts_with(typed));
    let shown = |usage: &Usage| pair(format!("{:14} {}", usage.name, usage.what), format!("{} ", usage.name));
    fit.map(shown).collect()
}

fn words(asking: &mut Asking, verb: &str, typed: &str) -> Vec<Pair> {
    let Some(usage) = asking.command(verb) else { return Vec::new() };
    let mut words = usage.words.clone();
    if ["run", "rerun", "restore"].contains(&verb) {
        words.push("wait".to_owned());
    }
    let fit = words.into_iter().filter(|word| word.starts_with(typed));
    fit.map(|word| pair(word.clone(), if word.ends_with('=') { word } else { word + " " })).collect()
}

fn values(asking: &mut Asking, (verb, key): (&str, &str), typed: &str) -> Vec<Pair> {
    let bare = typed.trim_start_matches('"');
    let listed: Vec<String> = asking
        .command(verb)
        .map(|usage| usage.values_of(key))
        .unwrap_or_default()
        .into_iter()
        .map(str::to_owned)
        .collect();
    let plain = |name: &String| pair(name.clone(), quoted(name, typed) + " ");
    let fits = |name: &&String| name.starts_with(bare);
    if !listed.is_empty() {
        return listed.iter().filter(fits).map(plain).collect();
    }
    match source_of(key) {
        Some(Source::Names(command)) => asking.names(command).iter().filter(fits).map(plain).collect(),
        Some(Source::Commands) => commands(asking, typed),
        Some(Source::Jobs) => jobs(asking, verb, bare),
        None => Vec::new(),
    }
}

/// Numbers of jobs with what they are; those that run, where only they can be meant.
fn jobs(asking: &mut Asking, verb: &str, typed: &str) -> Vec<Pair> {
    let run_only = ["cancel", "wait", "setbandwidth"].contains(&verb);
    let jobs = asking.jobs().into_iter().filter(|job| !(run_only && job.has_ended()));
    let shown = jobs.map(|job| (job.id.to_string(), job));
    let fit = shown.filter(|(id, _)| id.starts_with(typed));
    fit.map(|(id, job)| {
        let status = char::from(job.status);
        pair(format!("{id:>6}  {}  {} {status}  {}", job.name, job.level, job.about), id + " ")
    })
    .collect()
}

impl Hinter for Completing {
    type Hint = String;
}

impl Validator for Completing {}

impl Highlighter for Completing {
    fn highlight_prompt<'b, 's: 'b, 'p: 'b>(&'s self, prompt: &'p str, _default: bool) -> std::borrow::Cow<'b, str> {
        if self.colours { paint::prompt(prompt).into() } else { prompt.into() }
    }
}

impl Helper for Completing {}
