//! A console in this process: lines typed by the program, answers as they come.

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

use crate::config::load;
use crate::daemon::console::{ConsoleProgram, settings};
use crate::daemon::{Daemon as _, runtime};
use crate::hands::Workers;

/// How long an answer may take: errands of a director end within a minute, and a job that waits before them may take one.
const PATIENCE: Duration = Duration::from_secs(300);

/// What the console's thread says.
enum News {
    Print(String),
    Ready,
    Log(String),
    Ended,
}

/// A console that is connected.
pub(super) struct Dialogue {
    injector: Injector,
    news: Receiver<News>,
    log: Vec<String>,
}

impl Dialogue {
    /// Connects, and waits for the director's greeting.
    pub(super) fn connect(file: &Path) -> Result<Self, String> {
        let loaded = load::<ConsoleConfig>(file).map_err(|report| report.render(false))?;
        let tls = ConsoleProgram::read_tls(&loaded).map_err(|report| report.render(false))?;
        let runtime = runtime::Choice::named(None).map_err(|error| format!("towline doctor: {error}\n"))?;
        let mut seed = [0; 32];
        getrandom::fill(&mut seed)
            .map_err(|error| format!("towline doctor: the system has no random bytes: {error}\n"))?;
        let (to, news) = channel();
        let told = to.clone();
        let hands = Arc::new(Workers::new(Box::new(move |notice| {
            let _gone = match notice {
                Notice::Print(text) => told.send(News::Print(text)),
                Notice::Ready => told.send(News::Ready),
                Notice::Log { level: Level::Error | Level::Warn, text, cause } => {
                    told.send(News::Log(cause.map_or_else(|| text.clone(), |(_, code)| format!("{code}: {text}"))))
                }
                _ => Ok(()),
            };
        })));
        let settings = settings(&loaded.config);
        let role = Console::new(Arc::new(loaded.config), tls.credentials);
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
        spawned.map_err(|error| format!("towline doctor: cannot start a thread: {error}\n"))?;
        let injector = injector.recv().map_err(|_| "towline doctor: the console did not start\n".to_owned())?;
        let mut dialogue = Self { injector, news, log: Vec::new() };
        dialogue.answer()?;
        Ok(dialogue)
    }

    /// Types a line; what the director prints until it waits for the next one, and how long that took.
    pub(super) fn ask(&mut self, line: &str) -> Result<(String, Duration), String> {
        let began = Instant::now();
        self.injector.post(Event::Typed(Some(line.to_owned())));
        let text = self.answer()?;
        Ok((text, began.elapsed()))
    }

    fn answer(&mut self) -> Result<String, String> {
        let (mut text, until) = (String::new(), Instant::now() + PATIENCE);
        loop {
            match self.news.recv_timeout(until.saturating_duration_since(Instant::now())) {
                Ok(News::Print(more)) => text.push_str(&more),
                Ok(News::Ready) => return Ok(text),
                Ok(News::Log(line)) => self.log.push(line),
                Ok(News::Ended) | Err(RecvTimeoutError::Disconnected) => {
                    return Err(format!("towline doctor: no director: {}\n", self.log.join("; ")));
                }
                Err(RecvTimeoutError::Timeout) => {
                    return Err(format!(
                        "towline doctor: the director has not answered within {} s\n",
                        PATIENCE.as_secs()
                    ));
                }
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
