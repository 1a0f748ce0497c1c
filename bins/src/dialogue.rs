//! A console in this process: lines typed by the program, answers as they come.

mod desk;

use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use towline_core::config::ConsoleConfig;
use towline_core::drive::Injector;
use towline_core::event::Event;
use towline_core::node::Node;
use towline_core::notice::{Level, Notice};
use towline_core::role::console::Console;
use towline_core::role::identity::Credentials;

use crate::config::load;
use crate::daemon::console::{ConsoleProgram, settings};
use crate::daemon::{Daemon as _, runtime};
use crate::hands::Workers;

pub(crate) use desk::{Desk, Heard, PATIENCE as ONE_ANSWER};

/// How long an answer may take: errands of a director end within a minute, and a job that waits before them may take one.
const PATIENCE: Duration = Duration::from_secs(300);

/// What the console's thread says.
enum News {
    Print(String),
    Ready,
    Log(String),
    Ended,
}

/// Why there is no dialogue, or no answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NoAnswer {
    /// The console's configuration is wrong: the report.
    #[error("{0}")]
    Config(String),
    /// There is no director, or it is lost.
    #[error("no director: {0}")]
    Director(String),
    /// It has not answered within so many seconds; what it still says is no answer to anything.
    #[error("no director: it has not answered within {0} s")]
    Late(u64),
    /// This machine lacks something.
    #[error("{0}")]
    Local(String),
}

/// A console that is connected.
pub(crate) struct Dialogue {
    injector: Injector,
    news: Receiver<News>,
    log: String,
    patience: Duration,
}

impl Dialogue {
    /// Connects as a configuration says, and waits for the director's greeting.
    ///
    /// # Errors
    /// The configuration is wrong, or the director cannot be reached.
    pub(crate) fn connect(file: &Path) -> Result<Self, NoAnswer> {
        let report = |report: crate::config::Report| NoAnswer::Config(report.render(false));
        let loaded = load::<ConsoleConfig>(file).map_err(report)?;
        let tls = ConsoleProgram::read_tls(&loaded).map_err(report)?;
        Self::of(loaded.config, tls.credentials)
    }

    /// The same with a configuration at hand.
    ///
    /// # Errors
    /// The director cannot be reached.
    pub(crate) fn of(config: ConsoleConfig, credentials: Credentials) -> Result<Self, NoAnswer> {
        let local = |text: String| NoAnswer::Local(text);
        let runtime = runtime::Choice::named(None).map_err(|error| local(error.to_string()))?;
        let mut seed = [0; 32];
        getrandom::fill(&mut seed).map_err(|error| local(format!("the system has no random bytes: {error}")))?;
        let (to, news) = channel();
        let told = to.clone();
        let hands = Arc::new(Workers::new(Box::new(move |notice| {
            let _gone = match notice {
                Notice::Print(text) => told.send(News::Print(text)),
                Notice::Ready { .. } => told.send(News::Ready),
                Notice::Log { level: Level::Error | Level::Warn, text, cause } => {
                    told.send(News::Log(cause.map_or_else(|| text.clone(), |(_, code)| format!("{code}: {text}"))))
                }
                _ => Ok(()),
            };
        })));
        let settings = settings(&config);
        let role = Console::new(Arc::new(config), credentials);
        let node = Node::new(role, settings, seed, towline_core::time::Instant::ZERO);
        let (handed, injector) = sync_channel(1);
        let body = move || {
            let started = Box::new(move |injector| {
                let _gone = handed.send(injector);
            });
            runtime.run(node, hands, started);
            let _gone = to.send(News::Ended);
        };
        let spawned = thread::Builder::new().name("console".to_owned()).spawn(body);
        spawned.map_err(|error| local(format!("cannot start a thread: {error}")))?;
        let injector = injector.recv().map_err(|_| local("the console did not start".to_owned()))?;
        let mut dialogue = Self { injector, news, log: String::new(), patience: PATIENCE };
        dialogue.answer()?;
        Ok(dialogue)
    }

    /// From here on an answer may take so long.
    pub(crate) const fn within(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    /// Types a line; what the director prints until it waits for the next one, and how long that took.
    ///
    /// # Errors
    /// The director is lost, or does not answer.
    pub(crate) fn ask(&mut self, line: &str) -> Result<(String, Duration), NoAnswer> {
        let began = Instant::now();
        self.injector.post(Event::Typed(Some(line.to_owned())));
        let text = self.answer()?;
        Ok((text, began.elapsed()))
    }

    fn answer(&mut self) -> Result<String, NoAnswer> {
        let (mut text, until) = (String::new(), Instant::now() + self.patience);
        loop {
            match self.news.recv_timeout(until.saturating_duration_since(Instant::now())) {
                Ok(News::Print(more)) => text.push_str(&more),
                Ok(News::Ready) => return Ok(text),
                Ok(News::Log(line)) => self.log = line,
                Ok(News::Ended) | Err(RecvTimeoutError::Disconnected) => {
                    // Each try that failed has a line of its own; the last one says why it was given up.
                    return Err(NoAnswer::Director(std::mem::take(&mut self.log)));
                }
                Err(RecvTimeoutError::Timeout) => return Err(NoAnswer::Late(self.patience.as_secs())),
            }
        }
    }
}

impl Drop for Dialogue {
    fn drop(&mut self) {
        self.injector.post(Event::Typed(None));
        while let Ok(news) = self.news.recv_timeout(Duration::from_secs(5)) {
            if matches!(news, News::Ended) {
                return;
            }
        }
    }
}
