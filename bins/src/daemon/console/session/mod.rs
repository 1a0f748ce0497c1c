//! The console at a terminal.
//!
//! ```text
//!   editor --line--> Link --> node --> director
//!      ^               |
//!      |               '--pieces--> printer (table, paint) --> pages --> terminal
//!      '-- complete <-- asking: .help, .jobs, list jobs …
//!                        '-------> progress: bars while jobs are waited for
//! ```
//! One thread owns the terminal. What it asks of the director by itself goes by the same connection, between two lines of
//! the operator's, never while the director waits for the answer to a question.

mod asking;
mod complete;
mod editor;
mod history;
mod paint;
mod printer;
mod progress;
mod table;
mod terminal;

use std::cell::RefCell;
use std::io::IsTerminal as _;
use std::process::ExitCode;
use std::rc::Rc;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use rustyline::error::ReadlineError;
use towline_core::drive::Injector;
use towline_core::error::Code;
use towline_core::event::Event;
use towline_core::explain::complaint;
use towline_core::ids::JobId;
use towline_core::nearest::nearest;
use towline_core::wire::console::NEWS;

use super::link::{self, Ended, Link, News};
use super::order::Order;
use super::{ConsoleProgram, built, no_thread};
use crate::daemon::{Options, run_with, say};

use asking::Asking;
use editor::{Lines, Typed};
use printer::{Manner, Printer, Screen};
use progress::Waited;
use terminal::Terminal;

/// What stands before a command.
const PROMPT: &str = "*";
/// How soon Ctrl-C is noticed.
const TICK: Duration = Duration::from_millis(100);

/// Whether there is a terminal that can do this at both ends.
pub(super) fn is_possible() -> bool {
    let can = std::env::var_os("TERM").is_some_and(|term| !term.is_empty() && term != "dumb");
    can && std::io::stdin().is_terminal() && std::io::stdout().is_terminal()
}

/// Runs the console for a person.
pub(super) fn run(options: &Options, pages: bool) -> ExitCode {
    let terminal = Arc::new(Terminal::new());
    let manner = Manner::of_terminal(pages);
    let shared = Arc::clone(&terminal);
    let code = run_with::<ConsoleProgram>(options, move |loaded, tls| {
        let told = Arc::clone(&shared);
        let (log, news) = link::log(move || told.make_room());
        let interrupts = Arc::clone(&shared);
        let started =
            Box::new(move |injector: Injector| begin(Link::new(injector.clone(), news), injector, shared, manner));
        let mut built = built(loaded, tls, log, started);
        built.interrupted = Some(Box::new(move || interrupts.interrupt()));
        Ok(built)
    });
    terminal.restore();
    code
}

/// Starts the thread that owns the terminal.
fn begin(link: Link, injector: Injector, terminal: Arc<Terminal>, manner: Manner) {
    let asks = injector.clone();
    let body = move || {
        // However this thread ends, a panic included, the node ends too: no program is left without its input.
        let _stop = Stop(injector);
        let asking = Rc::new(RefCell::new(Asking::new(link)));
        if let Err(Failed::Terminal(error)) = (Session { asking, terminal, manner }).run() {
            let text = format!("the terminal cannot be used: {error}");
            tracing::error!("{}", complaint(Code(919), &text));
        }
    };
    if let Err(error) = thread::Builder::new().name("input".to_owned()).spawn(body) {
        no_thread(&asks, &error);
    }
}

/// Ends the node when the thread ends.
struct Stop(Injector);

impl Drop for Stop {
    fn drop(&mut self) {
        self.0.post(Event::Typed(None));
    }
}

/// Why a session ends.
enum Failed {
    /// The node has ended, and has said why.
    Node,
    Terminal(ReadlineError),
}

impl From<Ended> for Failed {
    fn from(Ended: Ended) -> Self {
        Self::Node
    }
}

impl From<ReadlineError> for Failed {
    fn from(error: ReadlineError) -> Self {
        Self::Terminal(error)
    }
}

struct Session {
    asking: Rc<RefCell<Asking>>,
    terminal: Arc<Terminal>,
    manner: Manner,
}

impl Session {
    fn run(&self) -> Result<(), Failed> {
        let mut lines = Lines::new(Rc::clone(&self.asking), self.manner.colours)?;
        let mut order = Order::default();
        let mut keeps = true;
        // The greeting.
        let mut question = self.hear(&mut order)?;
        loop {
            if question.is_none() && self.asking.borrow_mut().take_news() {
                say(NEWS);
            }
            self.terminal.edits();
            let typed = lines.read(question.as_deref().unwrap_or(PROMPT), question.is_none());
            self.terminal.waits();
            let line = match typed? {
                Typed::Line(line) => line,
                Typed::Nothing => continue,
                Typed::End => return Ok(()),
            };
            if question.is_some() {
                question = self.say(&line, &mut order)?;
            } else if !line.trim().is_empty() {
                if keeps && let Err(error) = lines.keep(&line) {
                    keeps = false;
                    say(&format!("The history of this session is not kept: {error}\n"));
                }
                question = self.command(&line, &mut order)?;
            }
            if question.is_none()
                && let Some(id) = order.started()
            {
                question = self.wait(Some(id), &format!("wait jobid={id}"), &mut order)?;
            }
        }
    }

    /// A command; the question that it comes to.
    fn command(&self, line: &str, order: &mut Order) -> Result<Option<String>, Failed> {
        self.asking.borrow_mut().forget();
        if let Some(one) = waits_for(line) {
            return self.wait(one, line, order);
        }
        let (new, said) = Order::of(line);
        *order = new;
        self.say(&said, order)
    }

    /// Waits for a job or all jobs: with bars, and then by the command itself, which tells how they ended.
    fn wait(&self, one: Option<JobId>, line: &str, order: &mut Order) -> Result<Option<String>, Failed> {
        let waited = progress::follow(&mut self.asking.borrow_mut(), &self.terminal, one)?;
        match waited {
            Waited::Ended | Waited::Untold => self.say(line, order),
            Waited::Interrupted => {
                let (who, what) = match one {
                    Some(id) => (format!("Job {id} goes"), format!("wait jobid={id}")),
                    None => ("The jobs go".to_owned(), "wait".to_owned()),
                };
                say(&format!("{who} on. `{what}` waits again, `cancel` ends a job.\n"));
                Ok(None)
            }
        }
    }

    fn say(&self, line: &str, order: &mut Order) -> Result<Option<String>, Failed> {
        self.asking.borrow_mut().link.type_line(line)?;
        self.hear(order)
    }

    /// Prints an answer; the question that it ends with.
    fn hear(&self, order: &mut Order) -> Result<Option<String>, Failed> {
        let mut printer = Printer::new(Screen(&self.terminal), self.manner);
        let mut is_told = false;
        let asks = loop {
            let news = self.asking.borrow().link.next(TICK)?;
            if self.terminal.is_interrupted() {
                printer.stop();
                if !is_told {
                    is_told = true;
                    say(
                        "\nThe rest of the answer is left out. If the director does not end it, Ctrl-C leaves the console.\n",
                    );
                }
            }
            match news {
                Some(News::Text(text)) => {
                    order.hear(&text);
                    printer.text(&text);
                }
                Some(News::Ready { asks }) => break asks,
                None => {}
            }
        };
        let (question, unknown) = printer.end(asks);
        if let Some(word) = unknown {
            self.advise(&word);
        }
        Ok(question)
    }

    /// What a stock director does not say: the command that is most likely meant.
    fn advise(&self, word: &str) {
        let mut asking = self.asking.borrow_mut();
        if let Some(meant) = nearest(word, asking.commands().iter().map(|usage| usage.name.as_str())) {
            say(&format!("Do you mean \"{meant}\"?\n"));
        }
    }
}

/// What `wait` waits for, where that can be shown: one job, or all.
fn waits_for(line: &str) -> Option<Option<JobId>> {
    let mut words = line.split_whitespace();
    let verb = words.next()?;
    if !"wait".starts_with(verb) {
        return None;
    }
    match (words.next(), words.next()) {
        (None, _) => Some(None),
        (Some(word), None) => Some(Some(JobId(word.strip_prefix("jobid=")?.parse().ok()?))),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_for_one_job_or_for_all_is_shown() {
        assert_eq!(waits_for("wait"), Some(None));
        assert_eq!(waits_for("w"), Some(None));
        assert_eq!(waits_for(" wait jobid=12 "), Some(Some(JobId(12))));
        for line in ["", "wait job=b.2026", "wait jobid=x", "waiting", "whoami", "wait jobid=1 mount"] {
            assert_eq!(waits_for(line), None, "{line}");
        }
    }
}
