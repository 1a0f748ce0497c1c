//! A backup: `wire/2 §1.13`, `wire/3 §1.5`.

use crate::ids::Who;
use crate::script::{Act, Acted, Expect, Step, nothing};
use crate::wire::file::FileCommand;
use crate::wire::file_answers as answers;
use crate::wire::frame::{self, Signal};

use super::super::dialogue::{Event, News, Want};
use super::super::job::Job;
use super::super::lists::Wanted;
use super::super::scripts::meaning;
use super::{channel, file, files_stored, level, news, plugins, scripts, send_frames, storage, unexpected};
use crate::role::director::common::Tools;

/// Until both daemons have said how it ended.
pub(super) static TABLE: &[Step<Job>] = &[
    level::FAILED,
    level::CHOOSE,
    Step { name: "starting other jobs", act: start_others, expect: Expect::Nothing },
    channel::DECIDE,
    LISTS,
    storage::CONNECT,
    storage::GREETING,
    storage::JOB,
    storage::ERASE,
    storage::RECORD_START,
    file::CONNECT,
    file::GREETING,
    file::JOB,
    level::SEND,
    FILESET,
    plugins::SEND,
    plugins::MORE,
    file::ERASE,
    file::BANDWIDTH,
    scripts::SEND,
    scripts::MORE,
    scripts::RUN,
    level::FIND_KNOWN,
    level::SEND_KNOWN,
    storage::USE_APPEND,
    channel::FILE_DIALS,
    channel::STORAGE_DIALS,
    storage::RUN,
    channel::SETTLE,
    Step { name: "starting the backup", act: send_backup, expect: file::says(answers::BACKUP, nothing) },
    file::END,
    file::DISMISS,
    storage::END,
    Step { name: "storing the file list", act: files_stored, expect: Expect::Event(Event::FilesStored) },
];

/// Only of a fileset with lists on the director. Before anybody is dialled: without them there is nothing to save.
pub(super) const LISTS: Step<Job> =
    Step { name: "reading the lists of the fileset", act: ask_lists, expect: news(learn_lists) };

pub(super) const FILESET: Step<Job> =
    Step { name: "the fileset", act: send_fileset, expect: file::says(answers::FILESET, nothing) };

fn start_others(_: &mut Job, _: &mut Tools<'_>) -> Acted<Job> {
    Ok(Act::Want(Want::StartOthers))
}

fn ask_lists(job: &mut Job, _: &mut Tools<'_>) -> Acted<Job> {
    let wanted = job.config.fileset(&job.with.fileset).and_then(|set| Wanted::of(set, |code| meaning(job, code)));
    Ok(wanted.map_or(Act::Next, |wanted| Act::Want(Want::Gather(wanted))))
}

fn learn_lists(job: &mut Job, news: News, _: &mut Tools<'_>) -> Acted<Job> {
    let News::Lists(lists) = news else { return unexpected(&news) };
    job.file_daemon.lists = lists;
    Ok(Act::Next)
}

fn send_fileset(job: &mut Job, tools: &mut Tools<'_>) -> Acted<Job> {
    let mut frames = Vec::new();
    frame::put_data(&mut frames, FileCommand::FileSet { vss: true }.to_line().as_bytes());
    for line in job.fileset_lines() {
        frame::put_data(&mut frames, &line);
    }
    frame::put_signal(&mut frames, Signal::Eod);
    send_frames(job.file_daemon.presence.conn(), tools, frames)
}

fn send_backup(job: &mut Job, tools: &mut Tools<'_>) -> Acted<Job> {
    job.send(tools.net, Who::File, FileCommand::Backup { file_index: 0 }.to_line());
    Ok(Act::Wait)
}
