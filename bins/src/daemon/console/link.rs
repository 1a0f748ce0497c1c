//! The way between a console's node and the thread that types: lines go one way, texts and requests for lines the other.

#[cfg(feature = "editing")]
use std::sync::mpsc::RecvTimeoutError;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
#[cfg(feature = "editing")]
use std::time::{Duration, Instant};

use towline_core::drive::Injector;
use towline_core::event::Event;
use towline_core::notice::{Level, Notice};

use super::super::Sink;
use crate::hands::Log;

/// Texts that wait for the thread; then the node waits, and the director with it.
const MAX_WAITING: usize = 64;

/// What the node says.
#[derive(Debug)]
pub(super) enum News {
    /// A piece of an answer.
    Text(String),
    /// The director takes a line: the answer to a question of its own, or a command.
    Ready { asks: bool },
}

/// The node has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Ended;

/// The thread's end.
#[derive(Debug)]
pub(super) struct Link {
    injector: Injector,
    news: Receiver<News>,
    /// A line is under way whose answer nobody waits for any more.
    is_late: bool,
}

/// A log for the hands, and what it passes on. `before` is done before an error is logged.
pub(super) fn log(before: impl Fn() + Send + Sync + 'static) -> (Log, Receiver<News>) {
    let (to, news) = sync_channel(MAX_WAITING);
    let others = Sink::new().into_log();
    let log: Log = Box::new(move |notice| match notice {
        Notice::Print(text) => pass_on(&to, News::Text(text)),
        Notice::Ready { asks } => pass_on(&to, News::Ready { asks }),
        other => {
            if matches!(other, Notice::Log { level: Level::Error, .. }) {
                before();
            }
            others(other);
        }
    });
    (log, news)
}

fn pass_on(to: &SyncSender<News>, news: News) {
    // A thread that has ended wants to know nothing.
    let _gone = to.send(news);
}

impl Link {
    /// Of a node that runs.
    pub(super) const fn new(injector: Injector, news: Receiver<News>) -> Self {
        Self { injector, news, is_late: false }
    }

    /// Types a line. What is heard from then on is its answer.
    ///
    /// # Errors
    /// The node has ended.
    pub(super) fn type_line(&mut self, line: &str) -> Result<(), Ended> {
        while self.is_late {
            self.is_late = !matches!(self.news.recv().map_err(|_| Ended)?, News::Ready { .. });
        }
        if self.injector.post(Event::Typed(Some(line.to_owned()))) { Ok(()) } else { Err(Ended) }
    }

    /// The next news, if they come in time.
    ///
    /// # Errors
    /// The node has ended.
    #[cfg(feature = "editing")]
    pub(super) fn next(&self, within: Duration) -> Result<Option<News>, Ended> {
        match self.news.recv_timeout(within) {
            Ok(news) => Ok(Some(news)),
            Err(RecvTimeoutError::Timeout) => Ok(None),
            Err(RecvTimeoutError::Disconnected) => Err(Ended),
        }
    }

    /// Hears an answer to its end; whether the director asks something then.
    ///
    /// # Errors
    /// The node has ended.
    pub(super) fn hear(&self, mut heard: impl FnMut(&str)) -> Result<bool, Ended> {
        loop {
            match self.news.recv().map_err(|_| Ended)? {
                News::Text(text) => heard(&text),
                News::Ready { asks } => return Ok(asks),
            }
        }
    }

    /// Asks something that the operator has not typed. None if the answer takes too long or is longer than `most` bytes.
    ///
    /// # Errors
    /// The node has ended.
    #[cfg(feature = "editing")]
    pub(super) fn ask(&mut self, line: &str, within: Duration, most: usize) -> Result<Option<String>, Ended> {
        self.type_line(line)?;
        let (mut text, until) = (String::new(), Instant::now() + within);
        loop {
            match self.next(until.saturating_duration_since(Instant::now()))? {
                Some(News::Text(more)) if text.len() <= most => text += &more,
                Some(News::Text(_)) => {}
                Some(News::Ready { .. }) => return Ok((text.len() <= most).then_some(text)),
                None => {
                    self.is_late = true;
                    return Ok(None);
                }
            }
        }
    }

    /// The operator wants to leave.
    pub(super) fn leave(&self) {
        self.injector.post(Event::Typed(None));
    }
}
