//! Where a job is between its order and the record of its end.

use crate::ids::Who;
use crate::node::TimerKey;
use crate::script::Script;
use crate::time::Wall;

use super::dialogue::Event;
use super::job::Job;
use super::patience::Patience;

/// One after the other; only a job that was never begun, or has no storage daemon at work, goes past the grace.
#[derive(Debug)]
pub(crate) enum Life {
    /// It waits for its turn, and first for the pause before its next try if there is a timer.
    Queued { held: Option<TimerKey> },
    /// Its turn has come, and its client is looked for: see `away.rs`.
    Away { timer: TimerKey, until: Until },
    /// It works. Without a dialogue it waits for the catalog, or for the other job of a copy.
    Running { script: Option<Script<Job>>, patience: Patience },
    /// It has failed or was cancelled, and the storage daemon has until then to say how it ended.
    Grace { timer: TimerKey },
    /// Its daemons are gone, and the director's commands after it run.
    After,
    /// Its end is being recorded.
    Recording,
}

/// What a job whose client is looked for waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Until {
    /// A quick answer: the job keeps its turn.
    Asked,
    /// The client, until then: others have their turns.
    Here(Wall),
}

impl Life {
    /// The beginning of a job that is in the queue, or that another one begins.
    pub(crate) const QUEUED: Self = Self::Queued { held: None };
    pub(crate) const BEGUN: Self = Self::Running { script: None, patience: Patience::NONE };

    /// Whether it has not been given up and has not ended.
    pub(crate) const fn goes_on(&self) -> bool {
        matches!(self, Self::Queued { .. } | Self::Away { .. } | Self::Running { .. })
    }

    /// Whether it has not begun.
    pub(crate) const fn is_queued(&self) -> bool {
        matches!(self, Self::Queued { .. } | Self::Away { .. })
    }

    /// Whether its client is looked for.
    pub(crate) const fn is_away(&self) -> bool {
        matches!(self, Self::Away { .. })
    }

    /// Whether it takes a place: it works, or may begin any moment.
    pub(crate) const fn takes_place(&self) -> bool {
        matches!(self, Self::Running { .. } | Self::Away { until: Until::Asked, .. })
    }

    /// Until when it waits for its client.
    pub(crate) const fn away_until(&self) -> Option<Wall> {
        if let Self::Away { until: Until::Here(until), .. } = self { Some(*until) } else { None }
    }

    pub(crate) const fn is_running(&self) -> bool {
        matches!(self, Self::Running { .. })
    }

    pub(crate) const fn is_grace(&self) -> bool {
        matches!(self, Self::Grace { .. })
    }

    pub(crate) const fn is_recording(&self) -> bool {
        matches!(self, Self::Recording)
    }

    /// Whether its daemons are gone and how it ended is known: commands after it may run, then its end is recorded.
    pub(crate) const fn is_over(&self) -> bool {
        matches!(self, Self::After | Self::Recording)
    }

    /// The dialogue under way.
    pub(crate) const fn script(&self) -> Option<&Script<Job>> {
        if let Self::Running { script, .. } = self { script.as_ref() } else { None }
    }

    /// Whether the dialogue under way waits for this event.
    pub(crate) fn waits_for(&self, event: Event) -> bool {
        self.script().is_some_and(|script| script.waits_for(event))
    }

    /// Whose answer the dialogue under way waits for.
    pub(crate) fn waits_for_answer(&self) -> Option<Who> {
        self.script().and_then(Script::waits_for_answer)
    }

    /// The timer that ends this part of its life.
    pub(crate) const fn timer(&self) -> Option<TimerKey> {
        match self {
            Self::Queued { held } => *held,
            Self::Away { timer, .. } | Self::Grace { timer } => Some(*timer),
            Self::Running { .. } | Self::After | Self::Recording => None,
        }
    }

    /// What the job does or waits for, in words.
    pub(crate) fn stage(&self) -> &'static str {
        match self {
            Self::Queued { held: Some(_) } => "waiting for its next try",
            Self::Queued { held: None } => "waiting for its turn",
            Self::Away { until: Until::Asked, .. } => "asking for its client",
            Self::Away { until: Until::Here(_), .. } => "waiting for its client",
            Self::Running { script: None, .. } => "waiting for the catalog",
            Self::Running { script: Some(script), .. } => script.step(),
            Self::Grace { .. } => "waiting for the storage daemon's end",
            Self::After => super::scripts::AFTER,
            Self::Recording => super::recording::STAGE,
        }
    }
}
