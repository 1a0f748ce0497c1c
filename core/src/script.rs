//! A dialogue as a table of steps, run by one small interpreter, so that a failure can name the step.
//!
//! ```text
//!   act --Wait--> the step waits for what it expects --text, signal, event, news--> the next step
//!    |--Next----> the next step                        '--anything else-----------> Mismatch
//!    |--Again---> the table begins again
//!    |--Back----> the step before it once more
//!    |--End-----> the dialogue is over
//!    |--Want----> the role does what only it can do; then as Wait
//!    '--Err-----> the dialogue fails with this trouble
//! ```
//! What has a dialogue is [`Scripted`]: a job. It says which events, wants and troubles its dialogues know.

use std::fmt::{self, Debug, Display};

use crate::ids::Who;
use crate::wire::frame::Signal;

/// What has a dialogue of its own under way: a job.
pub trait Scripted: Sized + 'static {
    /// What acts work with besides the job: the net, and whatever else the role lends them.
    type Tools<'a>;
    /// Something that has happened: a daemon is here, a piece of work is done.
    type Event: Copy + Eq + Debug + Display;
    /// Something that has come for the present step only, such as the catalog's answer.
    type News;
    /// What only the role can do, such as asking the catalog.
    type Want;
    /// Why a dialogue cannot go on.
    type Trouble: From<Mismatch>;

    /// The place of the dialogue under way, empty between dialogues; none when there can be no dialogue.
    fn script(&mut self) -> Option<&mut Option<Script<Self>>>;

    /// Lets the dialogue under way do something with what it belongs to. It is kept until it is over.
    ///
    /// # Errors
    /// The trouble of the step that failed.
    fn run_script(
        &mut self,
        tools: &mut Self::Tools<'_>,
        with: impl FnOnce(&mut Script<Self>, &mut Self, &mut Self::Tools<'_>) -> Ran<Self>,
    ) -> Ran<Self> {
        let Some(mut script) = self.script().and_then(Option::take) else { return Ok(Progress::Waiting) };
        let outcome = with(&mut script, self, tools);
        if matches!(outcome, Ok(Progress::Waiting | Progress::Want(_)))
            && let Some(place) = self.script()
        {
            *place = Some(script);
        }
        outcome
    }

    /// Begins a dialogue, in place of any other.
    ///
    /// # Errors
    /// The trouble of the step that failed.
    fn begin(&mut self, table: Table<Self>, tools: &mut Self::Tools<'_>) -> Ran<Self> {
        if let Some(place) = self.script() {
            *place = Some(Script { table, at: 0, waiting: false });
        }
        self.go_on(tools)
    }

    /// Goes on after a want was seen to.
    ///
    /// # Errors
    /// The trouble of the step that failed.
    fn go_on(&mut self, tools: &mut Self::Tools<'_>) -> Ran<Self> {
        self.run_script(tools, |script, it, tools| script.run(it, tools))
    }

    /// A text that is an answer has come.
    ///
    /// # Errors
    /// The trouble of the step: it waits for something else, or for another text.
    fn on_text(&mut self, who: Who, text: &str, tools: &mut Self::Tools<'_>) -> Ran<Self> {
        self.run_script(tools, |script, it, tools| match script.expected() {
            Some(Expect::Text(from, wanted, learn)) if *from == who && matches(text, wanted) => {
                learn(it, text)
                    .map_err(|why| why.unwrap_or_else(|| script.mismatch(text.trim_end().to_owned()).into()))?;
                script.next(it, tools)
            }
            Some(Expect::Line(from, _, learn)) if *from == who => {
                learn(it, text).map_err(|why| why.unwrap_or_else(|| script.unwanted(who, text)))?;
                script.next(it, tools)
            }
            _ => Err(script.unwanted(who, text)),
        })
    }

    /// A signal has come. Ignored unless the step waits for it.
    ///
    /// # Errors
    /// The trouble of the step that failed.
    fn on_signal(&mut self, who: Who, signal: Signal, tools: &mut Self::Tools<'_>) -> Ran<Self> {
        self.run_script(tools, |script, it, tools| match script.expected() {
            Some(Expect::Signal(from, wanted)) if (*from, *wanted) == (who, signal) => script.next(it, tools),
            _ => Ok(Progress::Waiting),
        })
    }

    /// Something has happened. Ignored unless the step waits for it.
    ///
    /// # Errors
    /// The trouble of the step that failed.
    fn on_event(&mut self, event: Self::Event, tools: &mut Self::Tools<'_>) -> Ran<Self> {
        self.run_script(
            tools,
            |script, it, tools| {
                if script.waits_for(event) { script.next(it, tools) } else { Ok(Progress::Waiting) }
            },
        )
    }

    /// Something has come for the present step. Ignored unless the step waits for such.
    ///
    /// # Errors
    /// The trouble of the step that failed.
    fn on_news(&mut self, news: Self::News, tools: &mut Self::Tools<'_>) -> Ran<Self> {
        self.run_script(tools, |script, it, tools| match script.expected() {
            Some(Expect::News(take)) => {
                let act = take(it, news, tools)?;
                match script.acted(act) {
                    Some(progress) => Ok(progress),
                    None => script.run(it, tools),
                }
            }
            _ => Ok(Progress::Waiting),
        })
    }
}

/// The steps of a dialogue, in their order.
pub type Table<C> = &'static [Step<C>];

/// What an act comes to.
pub type Acted<C> = Result<Act<<C as Scripted>::Want>, <C as Scripted>::Trouble>;

/// What comes of running a dialogue.
pub type Ran<C> = Result<Progress<<C as Scripted>::Want>, <C as Scripted>::Trouble>;

/// Takes what is needed from an answer. An error without a trouble means that this is not the answer wanted.
pub type Learn<C> = fn(&mut C, &str) -> Result<(), Option<<C as Scripted>::Trouble>>;

/// Takes news: `Next` if it was all, else what is to be done for the rest.
pub type Take<C> = fn(&mut C, <C as Scripted>::News, &mut <C as Scripted>::Tools<'_>) -> Acted<C>;

/// One step of a dialogue about a `C`.
pub struct Step<C: Scripted> {
    /// What the step is for, as a failure names it: `the storage daemon's job`.
    pub name: &'static str,
    /// Does what the step does.
    pub act: fn(&mut C, &mut C::Tools<'_>) -> Acted<C>,
    /// What ends the step.
    pub expect: Expect<C>,
}

/// What an act has come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Act<W> {
    /// Wait for what the step expects.
    Wait,
    /// The step is done, or not needed this time.
    Next,
    /// The table begins again.
    Again,
    /// The step before this one is taken once more.
    Back,
    /// The dialogue is over.
    End,
    /// Wait for what the step expects; the role does this meanwhile.
    Want(W),
}

/// What ends a step.
pub enum Expect<C: Scripted> {
    /// Nothing: the next step follows at once.
    Nothing,
    /// A text from this peer that begins so; if it ends in a line feed, that is all of it.
    Text(Who, &'static str, Learn<C>),
    /// Any text from this peer that the function does not refuse; the words say what is wanted.
    Line(Who, &'static str, Learn<C>),
    /// A signal from this peer.
    Signal(Who, Signal),
    /// Something the role reports with [`Scripted::on_event`].
    Event(C::Event),
    /// Something the role reports with [`Scripted::on_news`].
    News(Take<C>),
}

/// How a dialogue stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Progress<W> {
    /// It waits.
    Waiting,
    /// The role is to do this, and then to call [`Scripted::go_on`].
    Want(W),
    /// It is over.
    Finished,
}

/// A step got something else than it waits for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("failed at {step}: wanted {wanted}, got: {got}")]
pub struct Mismatch {
    /// The step's name.
    pub step: &'static str,
    /// What it waited for.
    pub wanted: String,
    /// What came.
    pub got: String,
}

/// A place in a table of steps.
pub struct Script<C: Scripted> {
    table: Table<C>,
    at: usize,
    waiting: bool,
}

impl<C: Scripted> Script<C> {
    /// Whether the step waits for this event.
    #[must_use]
    pub fn waits_for(&self, event: C::Event) -> bool {
        matches!(self.expected(), Some(Expect::Event(wanted)) if *wanted == event)
    }

    /// Whose answer the step waits for, if it waits for one.
    #[must_use]
    pub fn waits_for_answer(&self) -> Option<Who> {
        match self.expected() {
            Some(Expect::Text(who, ..) | Expect::Line(who, ..)) => Some(*who),
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
    pub fn mismatch(&self, got: String) -> Mismatch {
        let wanted = match self.expected() {
            Some(Expect::Text(_, text, _) | Expect::Line(_, text, _)) => text.trim_end().to_owned(),
            Some(Expect::Signal(_, signal)) => format!("{signal:?}"),
            Some(Expect::Event(event)) => event.to_string(),
            Some(Expect::Nothing | Expect::News(_)) | None => "nothing".to_owned(),
        };
        Mismatch { step: self.step(), wanted, got }
    }

    fn unwanted(&self, who: Who, text: &str) -> C::Trouble {
        self.mismatch(format!("{who} said: {}", text.trim_end())).into()
    }

    /// Acts until a step has to wait, or wants something of the role.
    fn run(&mut self, it: &mut C, tools: &mut C::Tools<'_>) -> Ran<C> {
        while !self.waiting {
            let Some(step) = self.table.get(self.at) else { return Ok(Progress::Finished) };
            let act = (step.act)(it, tools)?;
            if let Some(progress) = self.acted(act) {
                return Ok(progress);
            }
        }
        Ok(Progress::Waiting)
    }

    /// Goes where an act leads. `None`: there may be more to do at once.
    fn acted(&mut self, act: Act<C::Want>) -> Option<Progress<C::Want>> {
        let goes_on = self.table.get(self.at).is_some_and(|step| matches!(step.expect, Expect::Nothing));
        match act {
            Act::Wait | Act::Want(_) if goes_on => self.leave(),
            Act::Wait | Act::Want(_) => self.waiting = true,
            Act::Next => self.leave(),
            Act::Again => (self.at, self.waiting) = (0, false),
            Act::Back => (self.at, self.waiting) = (self.at.saturating_sub(1), false),
            Act::End => return Some(Progress::Finished),
        }
        if let Act::Want(want) = act { Some(Progress::Want(want)) } else { None }
    }

    fn leave(&mut self) {
        self.at += 1;
        self.waiting = false;
    }

    fn next(&mut self, it: &mut C, tools: &mut C::Tools<'_>) -> Ran<C> {
        self.leave();
        self.run(it, tools)
    }

    fn expected(&self) -> Option<&'static Expect<C>> {
        if self.waiting { self.table.get(self.at).map(|step| &step.expect) } else { None }
    }
}

/// Learns nothing from a text.
///
/// # Errors
/// None.
pub fn nothing<C: Scripted>(_: &mut C, _: &str) -> Result<(), Option<C::Trouble>> {
    Ok(())
}

/// Whether a text is the answer wanted: its beginning, or the whole of it if `wanted` ends in a line feed.
fn matches(text: &str, wanted: &str) -> bool {
    match wanted.strip_suffix('\n') {
        Some(whole) => text.trim_end_matches(['\n', '\0']) == whole,
        None => text.starts_with(wanted),
    }
}

impl<C: Scripted> Debug for Step<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Step").field("name", &self.name).finish_non_exhaustive()
    }
}

impl<C: Scripted> Debug for Script<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Script").field("step", &self.step()).field("waiting", &self.waiting).finish()
    }
}
