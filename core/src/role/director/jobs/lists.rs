//! Lists of paths on the director that a fileset names (`wire/2 §1.6`): read, or written by commands, before the fileset is
//! sent.

use std::collections::BTreeMap;

use crate::config::FileSet;
use crate::error::{Explain, Facts, Fault, Retry};
use crate::ids::{HandleId, JobId};
use crate::role::director::common::Tools;
use crate::role::director::{Net, Owner};
use crate::script::Scripted;
use crate::wire::command;
use crate::work::script::{GatherOrder, PathList, ScriptDone, ScriptWork, Ungathered};
use crate::work::{Work, WorkDone};

use super::Jobs;
use super::dialogue::News;
use super::scripts::limit;

/// What the lists of a fileset hold.
#[derive(Clone, Debug, Default)]
pub(crate) struct Lists {
    /// The paths of each list, by the text of the fileset.
    held: BTreeMap<String, Vec<Vec<u8>>>,
    /// The reading that is under way.
    reading: Option<HandleId>,
}

/// A list that could not be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the list of paths {list:?} on the director cannot be read: {why}")]
pub(crate) struct Unread {
    /// `<` and the file, or `|` and the command.
    pub(crate) list: String,
    /// What the system or the command said.
    pub(crate) why: String,
}

impl Explain for Unread {
    fn facts(&self) -> Facts {
        (Fault::Config, Retry::Never, 678, "run the command or read the file as the user of the director").into()
    }
}

/// Lists on the director that are to be read: of a fileset, or of a command.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// As the fileset or the command names them.
    texts: Vec<String>,
    lists: Vec<PathList>,
    /// Somebody at a console has named them.
    pub(crate) by_console: bool,
}

impl Wanted {
    /// The lists of a fileset, each once. `meaning` says what `%` and a letter stand for. `None` if it has none.
    pub(crate) fn of(set: &FileSet, meaning: impl Fn(char) -> Option<String> + Copy) -> Option<Self> {
        let all = set.include.iter().flat_map(|include| &include.director_lists).chain(&set.exclude.director_lists);
        let mut wanted = Self { texts: Vec::new(), lists: Vec::new(), by_console: false };
        for text in all {
            if !wanted.texts.contains(text) {
                wanted.texts.push(text.clone());
                wanted.lists.push(list_of(text, meaning));
            }
        }
        (!wanted.texts.is_empty()).then_some(wanted)
    }

    /// The files that a console has named, each `<` and its path. `None` if there are none.
    pub(crate) fn of_console(texts: impl Iterator<Item = String>) -> Option<Self> {
        let texts: Vec<String> = texts.collect();
        let file = |text: &String| PathList::File(text.strip_prefix('<').unwrap_or(text).to_owned());
        let lists: Vec<PathList> = texts.iter().map(file).collect();
        (!lists.is_empty()).then_some(Self { texts, lists, by_console: true })
    }

    /// A file that the configuration names.
    pub(crate) fn of_file(path: &str) -> Self {
        Self { texts: vec![path.to_owned()], lists: vec![PathList::File(path.to_owned())], by_console: false }
    }

    /// What was read of them.
    ///
    /// # Errors
    /// The first list that could not be read.
    pub(crate) fn take(self, done: WorkDone) -> Result<Lists, Unread> {
        let read = match done {
            WorkDone::Script(ScriptDone::Gathered(read)) => read,
            _ => Err(Ungathered { list: 0, why: "the workers have stopped".to_owned() }),
        };
        match read {
            Ok(held) => Ok(Lists { held: self.texts.into_iter().zip(held).collect(), reading: None }),
            Err(Ungathered { list, why }) => {
                Err(Unread { list: self.texts.get(list).cloned().unwrap_or_default(), why })
            }
        }
    }

    /// Has them read.
    pub(crate) fn read(&self, net: &mut Net, limit: Option<u64>, owner: impl FnOnce(HandleId) -> Owner) -> HandleId {
        let handle = HandleId(net.next_id());
        let order = GatherOrder { handle, lists: self.lists.clone(), limit };
        net.work(Work::Script(ScriptWork::Gather(order)), owner(handle));
        handle
    }
}

impl Lists {
    /// The lines of a list that was read.
    pub(crate) fn of(&self, text: &str) -> &[Vec<u8>] {
        self.held.get(text).map_or(&[], Vec::as_slice)
    }

    /// The paths of a list; before it was read, a line that says which it is.
    pub(super) fn paths(&self, text: &str) -> Vec<Vec<u8>> {
        self.held.get(text).cloned().unwrap_or_else(|| vec![format!("{text} on the director").into_bytes()])
    }
}

impl Jobs {
    /// Has the lists of a job's fileset read.
    pub(super) fn read_lists(&mut self, tools: &mut Tools<'_>, id: JobId, wanted: Wanted) {
        let most = limit(tools);
        let handle = wanted.read(tools.net, most, |handle| Owner::Lists(id, handle, wanted.clone()));
        if let Some(job) = self.all.get_mut(&id) {
            job.file_daemon.lists.reading = Some(handle);
        }
    }

    /// The lists of a job's fileset are read, or not. Those of a job that was given up are nobody's.
    pub(crate) fn lists_read(
        &mut self,
        tools: &mut Tools<'_>,
        (id, handle): (JobId, HandleId),
        wanted: Wanted,
        done: WorkDone,
    ) {
        let Some(job) = self.all.get_mut(&id) else { return };
        if job.file_daemon.lists.reading.take_if(|reading| *reading == handle).is_none() {
            return;
        }
        match wanted.take(done) {
            Ok(lists) => self.advance(tools, id, |job, tools| job.on_news(News::Lists(lists), tools)),
            Err(why) => self.fail_job(tools, id, &why.into()),
        }
    }

    /// Ends the command that writes a list for a job that is given up.
    pub(super) fn stop_lists(&mut self, tools: &mut Tools<'_>, id: JobId) {
        let reading = self.all.get_mut(&id).and_then(|job| job.file_daemon.lists.reading.take());
        if let Some(handle) = reading {
            tools.net.work(Work::Script(ScriptWork::Stop(handle)), Owner::Stopped);
        }
    }
}

/// A list as the fileset names it; the check has seen that it is one.
fn list_of(text: &str, meaning: impl Fn(char) -> Option<String> + Copy) -> PathList {
    match text.strip_prefix('|') {
        Some(program) => {
            PathList::Command(command::split(program).iter().map(|word| command::expand(word, meaning)).collect())
        }
        None => PathList::File(text.strip_prefix('<').unwrap_or(text).to_owned()),
    }
}
