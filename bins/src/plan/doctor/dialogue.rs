//! Consoles in this process: lines typed by the program, answers as they come, several lines at a time.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

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

/// How long an answer may take: a director dials a daemon for 15 s, and then waits for its greeting, or for its answer, for
/// 60 s; the daemon dials another one for 10 s. What takes longer stands still.
pub(super) const PATIENCE: Duration = Duration::from_secs(90);
/// So many lines are asked at a time; a director has room for 20 consoles.
const AT_A_TIME: usize = 6;

/// What was heard.
#[derive(Clone, Debug)]
pub(super) struct Heard {
    /// The answer; nothing if none has come within [`PATIENCE`].
    pub(super) text: Option<String>,
    /// How long it took.
    pub(super) after: Duration,
    /// The time here when it came, in seconds since 1970.
    pub(super) at: Option<i64>,
}

/// Asks a director lines side by side, each in a console that waits for its answer.
pub(super) struct Desk {
    file: PathBuf,
    /// Consoles that nothing was asked, or whose last answer has come.
    free: Mutex<Vec<Dialogue>>,
}

impl Desk {
    /// Connects the first one.
    pub(super) fn connect(file: &Path) -> Result<Self, String> {
        let first = Dialogue::connect(file)?;
        Ok(Self { file: file.to_owned(), free: Mutex::new(vec![first]) })
    }

    /// Asks all of them, those of a group one after the other. Fails if there is no director any more.
    pub(super) fn ask(&self, groups: Vec<Vec<String>>) -> Result<BTreeMap<String, Heard>, String> {
        let (workers, lines) = (AT_A_TIME.min(groups.len()), groups.iter().map(Vec::len).sum::<usize>());
        let (left, heard) = (Mutex::new(groups.into_iter()), Mutex::new(BTreeMap::new()));
        let next = || left.lock().unwrap_or_else(PoisonError::into_inner).next();
        let work = || -> Result<(), String> {
            let lines = std::iter::from_fn(next).flatten();
            // The console first: one that finds no room takes no line with it.
            let mut console = self.console()?;
            for line in lines {
                let said = console.ask(&line)?;
                let is_late = said.text.is_none();
                heard.lock().unwrap_or_else(PoisonError::into_inner).insert(line, said);
                if is_late {
                    console = self.console()?;
                }
            }
            self.free.lock().unwrap_or_else(PoisonError::into_inner).push(console);
            Ok(())
        };
        let ended: Vec<Result<(), String>> = thread::scope(|scope| {
            let all: Vec<_> = (0..workers).map(|_| scope.spawn(work)).collect();
            all.into_iter()
                .map(|one| one.join().unwrap_or_else(|_| Err("towline doctor: a thread ended\n".to_owned())))
                .collect()
        });
        let heard = heard.into_inner().unwrap_or_else(PoisonError::into_inner);
        match ended.into_iter().find_map(Result::err) {
            // A console that found no room, while others have asked all there was.
            Some(error) if heard.len() < lines => Err(error),
            _ => Ok(heard),
        }
    }

    fn console(&self) -> Result<Dialogue, String> {
        let free = self.free.lock().unwrap_or_else(PoisonError::into_inner).pop();
        free.map_or_else(|| Dialogue::connect(&self.file), Ok)
    }
}

/// What the console's thread says.
enum News {
    Print(String),
    Ready,
    Log(String),
    Ended,
}

/// A console that is connected.
struct Dialogue {
    injector: Injector,
    news: Receiver<News>,
    log: Vec<String>,
}

impl Dialogue {
    /// Connects, and waits for the director's greeting.
    fn connect(file: &Path) -> Result<Self, String> {
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
        let Some(_) = dialogue.answer()? else {
            let patience = PATIENCE.as_secs();
            return Err(format!("towline doctor: the director has not answered within {patience} s\n"));
        };
        Ok(dialogue)
    }

    /// Types a line; what the director prints until it waits for the next one. After a line that was not answered in time
    /// it is of no use any more.
    fn ask(&mut self, line: &str) -> Result<Heard, String> {
        let began = Instant::now();
        self.injector.post(Event::Typed(Some(line.to_owned())));
        let text = self.answer()?;
        let now = SystemTime::now().duration_since(UNIX_EPOCH).ok();
        let at = now.and_then(|now| i64::try_from(now.as_secs()).ok());
        Ok(Heard { text, after: began.elapsed(), at })
    }

    /// `None` if it does not come in time.
    fn answer(&mut self) -> Result<Option<String>, String> {
        let (mut text, until) = (String::new(), Instant::now() + PATIENCE);
        loop {
            match self.news.recv_timeout(until.saturating_duration_since(Instant::now())) {
                Ok(News::Print(more)) => text.push_str(&more),
                Ok(News::Ready) => return Ok(Some(text)),
                Ok(News::Log(line)) => self.log.push(line),
                Ok(News::Ended) | Err(RecvTimeoutError::Disconnected) => {
                    return Err(format!("towline doctor: no director: {}\n", self.log.join("; ")));
                }
                Err(RecvTimeoutError::Timeout) => return Ok(None),
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
