//! [`Net`]: an [`AnyNet`] that keeps what each dial, timer, piece of work and survey of its role is for, and hands that back.

use std::collections::BTreeMap;
use std::ops::{Deref, DerefMut};
use std::time::Duration;

use super::dial::{Opening, Route};
use super::net::{AnyNet, TimerKey};
use super::role::Role;
use super::survey::SurveyId;
use crate::ids::{DialId, WorkId};
use crate::work::Work;

/// What a role orders through. Orders become actions in the order they were given.
///
/// A role says with each dial, timer, piece of work and survey what it is for: a token of a type of its own, which is
/// handed back once, with the outcome. A timer that is cancelled drops its token.
#[derive(Debug)]
pub struct Net<R: Role> {
    any: AnyNet,
    pub(super) dials: BTreeMap<DialId, R::Dial>,
    pub(super) timers: BTreeMap<TimerKey, R::Timer>,
    pub(super) works: BTreeMap<WorkId, R::Work>,
    pub(super) surveys: BTreeMap<SurveyId, R::Survey>,
}

impl<R: Role> Net<R> {
    pub(super) const fn new(any: AnyNet) -> Self {
        Self { any, dials: BTreeMap::new(), timers: BTreeMap::new(), works: BTreeMap::new(), surveys: BTreeMap::new() }
    }

    /// Dials until there is an authenticated connection or the time is over; the role hears `on_dialed` once.
    pub fn dial(&mut self, route: Route, opening: Opening, token: R::Dial) -> DialId {
        let dial = self.any.dial(route, opening);
        self.dials.insert(dial, token);
        dial
    }

    /// What the dials are for that the role has not heard the end of.
    pub fn dials(&self) -> impl Iterator<Item = &R::Dial> {
        self.dials.values()
    }

    /// Wakes the role after `after`.
    pub fn set_timer(&mut self, after: Duration, why: &'static str, token: R::Timer) -> TimerKey {
        let key = self.any.set_timer(after, why);
        self.timers.insert(key, token);
        key
    }

    /// Forgets a timer, if there is one; one that has fired does not matter.
    pub fn cancel_timer(&mut self, key: impl Into<Option<TimerKey>>) {
        if let Some(key) = key.into() {
            self.any.cancel_timer(key);
            self.timers.remove(&key);
        }
    }

    /// What the timers are for that are not due yet.
    pub fn timers(&self) -> impl Iterator<Item = &R::Timer> {
        self.timers.values()
    }

    /// Has something done on the disk or in the catalog; the role hears `on_done` once.
    pub fn work(&mut self, request: Work, token: R::Work) {
        let work = self.any.work(request);
        self.works.insert(work, token);
    }

    /// Asks the system's resolver for the addresses of a name; the role hears `on_done` once, with
    /// [`WorkDone::Resolved`](crate::work::WorkDone::Resolved).
    pub fn look_up(&mut self, host: String, token: R::Work) {
        let work = self.any.look_up_for_role(host);
        self.works.insert(work, token);
    }

    /// What the pieces of work are for that are not done.
    pub fn works(&self) -> impl Iterator<Item = &R::Work> {
        self.works.values()
    }

    /// Asks all authenticated connections; the role hears `on_surveyed`, at most two seconds later.
    pub fn survey(&mut self, token: R::Survey) {
        let survey = self.any.survey();
        self.surveys.insert(survey, token);
    }
}

impl<R: Role> Deref for Net<R> {
    type Target = AnyNet;

    fn deref(&self) -> &AnyNet {
        &self.any
    }
}

impl<R: Role> DerefMut for Net<R> {
    fn deref_mut(&mut self) -> &mut AnyNet {
        &mut self.any
    }
}
