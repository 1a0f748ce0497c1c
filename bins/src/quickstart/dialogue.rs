//! Talks to the director as a console: the console's own node in this process, with lines typed by the program.

use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, sync_channel};
use std::thread;
use std::time::Duration;

use towline_core::config::ConsoleConfig;
use towline_core::drive::Injector;
use towline_core::event::Event;
use towline_core::node::Node;
use towline_core::notice::{Level, Notice};
use towline_core::role::console::Console;
use towline_core::time::Instant;

use super::{Failure, News};
use crate::config::load;
use crate::daemon::console::{ConsoleProgram, settings};
use crate::daemon::{Daemon as _, runtime};
use crate::hands::Workers;

/// How often a person sees how far it is.
const TICK: Duration = Duration::from_millis(200);

/// A console that is connected.
#[derive(Debug)]
pub(super) struct Dialogue {
    injector: Injector,
    /// What the console's log said: the connection, and what went wrong.
    pub(super) log: Vec<String>,
}

impl Dialogue {
    /// Connects, and waits for the director's greeting.
    pub(super) fn connect(
        file: &Path,
        runtime: runtime::Choice,
        to: &Sender<News>,
        news: &Receiver<News>,
    ) -> Result<Self, Failure> {
        let loaded = load::<ConsoleConfig>(file).map_err(|report| Failure::Config(report.render(false)))?;
        let tls = ConsoleProgram::read_tls(&loaded).map_err(|report| Failure::Config(report.render(false)))?;
        let mut seed = [0; 32];
        getrandom::fill(&mut seed)
            .map_err(|error| Failure::Local(format!("the system has no random bytes: {error}")))?;
        let told = to.clone();
        let hands = Arc::new(Workers::new(Box::new(move |notice| {
            let _gone = match notice {
                Notice::Print(text) => told.send(News::Print(text)),
                Notice::Ready { .. } => told.send(News::Ready),
                Notice::Log { level, text, cause } => {
                    let text = cause.map_or_else(|| text.clone(), |(_, code)| format!("{code}: {text}"));
                    told.send(News::Log(level, text))
                }
                Notice::Listening(_) | Notice::Waiting(_) | Notice::Alive | Notice::Detail(_) | Notice::Watched(_) => {
                    Ok(())
                }
            };
        })));
        let settings = settings(&loaded.config);
        let role = Console::new(Arc::new(loaded.config), tls.credentials);
        let node = Node::new(role, settings, seed, Instant::ZERO);
        let (ended, (handed, injector)) = (to.clone(), sync_channel(1));
        let body = move || {
            let started = Box::new(move |injector| {
                let _gone = handed.send(injector);
            });
            runtime.run(node, hands, started);
            let _gone = ended.send(News::ConsoleEnded);
        };
        thread::Builder::new().name("console".to_owned()).spawn(body)?;
        let injector = injector.recv().map_err(|_| Failure::Local("the console did not start".to_owned()))?;
        let mut dialogue = Self { injector, log: Vec::new() };
        dialogue.answer(news, &mut || {})?;
        Ok(dialogue)
    }

    /// Types a line and returns what the director prints until it waits for the next one. `tick` is called now and then.
    pub(super) fn ask(&mut self, line: &str, news: &Receiver<News>, tick: &mut dyn FnMut()) -> Result<String, Failure> {
        self.injector.post(Event::Typed(Some(line.to_owned())));
        self.answer(news, tick)
    }

    /// Ends the console and waits until it has ended.
    pub(super) fn leave(self, news: &Receiver<News>) {
        self.injector.post(Event::Typed(None));
        while let Ok(item) = news.recv_timeout(Duration::from_secs(5)) {
            if matches!(item, News::ConsoleEnded) {
                return;
            }
        }
    }

    fn answer(&mut self, news: &Receiver<News>, tick: &mut dyn FnMut()) -> Result<String, Failure> {
        let mut text = String::new();
        loop {
            match news.recv_timeout(TICK) {
                Err(RecvTimeoutError::Timeout) => tick(),
                Err(RecvTimeoutError::Disconnected) => return Err(Failure::Local("the console is gone".to_owned())),
                Ok(News::Print(more)) => text.push_str(&more),
                Ok(News::Ready) => return Ok(text),
                Ok(News::Log(level, line)) => {
                    if level <= Level::Info {
                        self.log.push(line);
                    }
                }
                Ok(News::Listening(..) | News::Compared(_)) => {}
                Ok(News::Gone(kind)) => return Err(Failure::Daemon(kind)),
                Ok(News::Interrupted) => return Err(Failure::Interrupted),
                Ok(News::ConsoleEnded) => return Err(Failure::Console(self.log.join("\n"))),
            }
        }
    }
}
