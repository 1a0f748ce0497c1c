//! A dialogue as a table of steps, run by one small interpreter, so that a failure can name the step.
//!
//! A step acts (sends, dials, gives work), then waits for what it expects: an answer, a signal, or an event that the
//! role reports. The context `C` holds what steps need and learn.

use crate::ids::Who;
use crate::node::Net;
use crate::wire::frame::Signal;

/// One step of a dialogue about a `C`.
pub struct Step<C: 'static> {
    /// What the step is for, as a failure names it: `the storage daemon's job`.
    pub name: &'static str,
    /// Does what the step does. `Skip` and `Again` go on without waiting.
    pub act: fn(&mut C, &mut Net) -> Act,
    /// What ends the step.
    pub expect: Expect,
    /// Takes what is needed from the answer; an error is a wrong answer.
    pub learn: fn(&mut C, &str) -> Result<(), String>,
}

/// What an act came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Act {
    /// Wait for what the step expects.
    Wait,
    /// The step is not needed this time.
    Skip,
    /// The table begins again.
    Again,
}

/// What ends a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expect {
    /// Nothing: the next step follows at once.
    Nothing,
    /// A text from this peer that begins so; if it ends in a line feed, that is all of it.
    Answer(Who, &'static str),
    /// A signal from this peer.
    Signal(Who, Signal),
    /// Something the role reports with [`Script::on_event`].
    Event(&'static str),
}

/// How a dialogue stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Progress {
    /// It waits.
    Waiting,
    /// The last step is done.
    Finished,
    /// A step got something else.
    Failed {
        /// The step's name.
        step: &'static str,
        /// What it waited for.
        wanted: String,
        /// What came.
        got: String,
    },
}

/// A place in a table of steps.
pub struct Script<C: 'static> {
    table: &'static [Step<C>],
    at: usize,
    waiting: bool,
}

impl<C> Script<C> {
    /// At the beginning of `table`; nothing is done yet.
    #[must_use]
    pub const fn new(table: &'static [Step<C>]) -> Self {
        Self { table, at: 0, waiting: false }
    }

    /// Acts until a step has to wait.
    pub fn run(&mut self, context: &mut C, net: &mut Net) -> Progress {
        while !self.waiting {
            let Some(step) = self.table.get(self.at) else { return Progress::Finished };
            let act = (step.act)(context, net);
            if act == Act::Again {
                self.at = 0;
            } else if act == Act::Skip || step.expect == Expect::Nothing {
                self.at += 1;
            } else {
                self.waiting = true;
            }
        }
        Progress::Waiting
    }

    /// A text that is an answer has come.
    pub fn on_text(&mut self, who: Who, text: &str, context: &mut C, net: &mut Net) -> Progress {
        match self.expected() {
            Some(Expect::Answer(from, wanted)) if from == who && matches(text, wanted) => {
                self.learned(text, context, net)
            }
            Some(_) | None => self.failed(format!("{who} said: {}", text.trim_end())),
        }
    }

    /// A signal has come. `None` if the step does not wait for it: the caller knows whether it does harm.
    pub fn on_signal(&mut self, who: Who, signal: Signal, context: &mut C, net: &mut Net) -> Option<Progress> {
        (self.expected() == Some(Expect::Signal(who, signal))).then(|| self.learned("", context, net))
    }

    /// Something has happened. Ignored unless the step waits for it.
    pub fn on_event(&mut self, event: &'static str, context: &mut C, net: &mut Net) -> Progress {
        if self.expected() == Some(Expect::Event(event)) { self.learned("", context, net) } else { Progress::Waiting }
    }

    /// Whether the step waits for this event.
    #[must_use]
    pub fn waits_for(&self, event: &'static str) -> bool {
        self.expected() == Some(Expect::Event(event))
    }

    /// Whose answer the step waits for, if it waits for one.
    #[must_use]
    pub fn waits_for_answer(&self) -> Option<Who> {
        match self.expected() {
            Some(Expect::Answer(who, _)) => Some(who),
            _ => None,
        }
    }

    /// The name of the step it waits in.
    #[must_use]
    pub fn step(&self) -> &'static str {
        self.table.get(self.at).map_or("the end", |step| step.name)
    }

    /// A failure of the present step with these words.
    #[must_use]
    pub fn failed(&self, got: String) -> Progress {
        let wanted = match self.expected() {
            Some(Expect::Answer(_, text)) => text.trim_end().to_owned(),
            Some(Expect::Signal(_, signal)) => format!("{signal:?}"),
            Some(Expect::Event(event)) => event.to_owned(),
            Some(Expect::Nothing) | None => "nothing".to_owned(),
        };
        Progress::Failed { step: self.step(), wanted, got }
    }

    fn expected(&self) -> Option<Expect> {
        if self.waiting { self.table.get(self.at).map(|step| step.expect) } else { None }
    }

    fn learned(&mut self, text: &str, context: &mut C, net: &mut Net) -> Progress {
        if let Some(step) = self.table.get(self.at)
            && let Err(got) = (step.learn)(context, text)
        {
            return self.failed(got);
        }
        self.at += 1;
        self.waiting = false;
        self.run(context, net)
    }
}

/// What has a dialogue of its own under way: a job.
pub trait Scripted: Sized + 'static {
    /// The place of the dialogue under way; empty between dialogues.
    fn script(&mut self) -> &mut Option<Script<Self>>;

    /// Lets the dialogue under way do something with what it belongs to. It is kept only while it waits.
    fn run_script(
        &mut self,
        net: &mut Net,
        with: impl FnOnce(&mut Script<Self>, &mut Self, &mut Net) -> Progress,
    ) -> Progress {
        let Some(mut script) = self.script().take() else { return Progress::Waiting };
        let progress = with(&mut script, self, net);
        if progress == Progress::Waiting {
            *self.script() = Some(script);
        }
        progress
    }

    /// Begins a dialogue, in place of any other.
    fn begin(&mut self, table: &'static [Step<Self>], net: &mut Net) -> Progress {
        *self.script() = Some(Script::new(table));
        self.run_script(net, |script, it, net| script.run(it, net))
    }

    /// Reports an event to the dialogue under way.
    fn on_event(&mut self, event: &'static str, net: &mut Net) -> Progress {
        self.run_script(net, |script, it, net| script.on_event(event, it, net))
    }
}

impl<C> std::fmt::Debug for Step<C> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Step").field("name", &self.name).field("expect", &self.expect).finish_non_exhaustive()
    }
}

impl<C> std::fmt::Debug for Script<C> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Script").field("step", &self.step()).field("waiting", &self.waiting).finish()
    }
}

/// Learns nothing.
///
/// # Errors
/// None.
pub fn nothing<C>(_: &mut C, _: &str) -> Result<(), String> {
    Ok(())
}

/// Whether a text is the answer wanted: its beginning, or the whole of it if `wanted` ends in a line feed.
fn matches(text: &str, wanted: &str) -> bool {
    match wanted.strip_suffix('\n') {
        Some(whole) => text.trim_end_matches(['\n', '\0']) == whole,
        None => text.starts_with(wanted),
    }
}
