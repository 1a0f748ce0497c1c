//! Several consoles in this process: lines that are asked side by side, so that one that takes long holds up no other.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::{Dialogue, NoAnswer};

/// How long an answer may take: a director dials a daemon for 15 s, and then waits for its greeting, or for its answer, for
/// 60 s; the daemon dials another one for 10 s. What takes longer stands still.
pub(crate) const PATIENCE: Duration = Duration::from_secs(90);
/// So many lines are asked at a time; a director has room for 20 consoles.
const AT_A_TIME: usize = 6;

/// What was heard.
#[derive(Clone, Debug)]
pub(crate) struct Heard {
    /// The answer; nothing if none has come within [`PATIENCE`].
    pub(crate) text: Option<String>,
    /// How long it took.
    pub(crate) after: Duration,
    /// The time here when it came, in seconds since 1970.
    pub(crate) at: Option<i64>,
}

/// Asks a director lines side by side, each in a console that waits for its answer.
pub(crate) struct Desk {
    file: PathBuf,
    /// Consoles that nothing was asked, or whose last answer has come.
    free: Mutex<Vec<Dialogue>>,
}

impl Desk {
    /// Connects the first one.
    pub(crate) fn connect(file: &Path) -> Result<Self, NoAnswer> {
        let first = connect(file)?;
        Ok(Self { file: file.to_owned(), free: Mutex::new(vec![first]) })
    }

    /// Asks all of them, those of a group one after the other. Fails if there is no director any more.
    pub(crate) fn ask(&self, groups: Vec<Vec<String>>) -> Result<BTreeMap<String, Heard>, NoAnswer> {
        let (workers, lines) = (AT_A_TIME.min(groups.len()), groups.iter().map(Vec::len).sum::<usize>());
        let (left, heard) = (Mutex::new(groups.into_iter()), Mutex::new(BTreeMap::new()));
        let next = || left.lock().unwrap_or_else(PoisonError::into_inner).next();
        let work = || -> Result<(), NoAnswer> {
            let lines = std::iter::from_fn(next).flatten();
            // The console first: one that finds no room takes no line with it.
            let mut console = self.console()?;
            for line in lines {
                let said = ask(&mut console, &line)?;
                let is_late = said.text.is_none();
                heard.lock().unwrap_or_else(PoisonError::into_inner).insert(line, said);
                if is_late {
                    console = self.console()?;
                }
            }
            self.free.lock().unwrap_or_else(PoisonError::into_inner).push(console);
            Ok(())
        };
        let ended: Vec<Result<(), NoAnswer>> = thread::scope(|scope| {
            let all: Vec<_> = (0..workers).map(|_| scope.spawn(work)).collect();
            all.into_iter()
                .map(|one| one.join().unwrap_or_else(|_| Err(NoAnswer::Local("a thread ended".to_owned()))))
                .collect()
        });
        let heard = heard.into_inner().unwrap_or_else(PoisonError::into_inner);
        match ended.into_iter().find_map(Result::err) {
            // A console that found no room, while others have asked all there was.
            Some(error) if heard.len() < lines => Err(error),
            _ => Ok(heard),
        }
    }

    /// Asks one line; nothing if no answer has come within [`PATIENCE`].
    pub(crate) fn ask_one(&self, line: &str) -> Result<Option<String>, NoAnswer> {
        let heard = self.ask(vec![vec![line.to_owned()]])?;
        Ok(heard.into_values().next().and_then(|heard| heard.text))
    }

    /// A console that waits for a line.
    pub(crate) fn console(&self) -> Result<Dialogue, NoAnswer> {
        let free = self.free.lock().unwrap_or_else(PoisonError::into_inner).pop();
        free.map_or_else(|| connect(&self.file), Ok)
    }
}

fn connect(file: &Path) -> Result<Dialogue, NoAnswer> {
    Dialogue::connect(file).map(|console| console.within(PATIENCE))
}

/// Types a line. After one that was not answered in time the console is of no use any more.
fn ask(console: &mut Dialogue, text: &str) -> Result<Heard, NoAnswer> {
    let (text, after) = match console.ask(text) {
        Ok((text, after)) => (Some(text), after),
        Err(NoAnswer::Late(seconds)) => (None, Duration::from_secs(seconds)),
        Err(other) => return Err(other),
    };
    let now = SystemTime::now().duration_since(UNIX_EPOCH).ok();
    Ok(Heard { text, after, at: now.and_then(|now| i64::try_from(now.as_secs()).ok()) })
}
