//! A restore from one storage daemon: `wire/2 §1.14`, `wire/3 §1.6`.

use crate::node::Net;
use crate::role::script::{Act, Expect, Step, Who, nothing};
use crate::wire::file::{FileCommand, Restore, RestoreTo};
use crate::wire::file_answers as answers;

use super::super::job::Job;
use super::{FILE_ENDED, channel, file, storage, wait};

/// Until both daemons have said how it ended.
pub(super) static TABLE: &[Step<Job>] = &[
    storage::CONNECT,
    storage::GREETING,
    storage::JOB,
    storage::ERASE,
    storage::RECORD_START,
    storage::USE_READ,
    file::CONNECT,
    file::GREETING,
    file::JOB,
    file::ERASE,
    file::BANDWIDTH,
    storage::BOOTSTRAP,
    channel::RUN_BEFORE,
    channel::FILE_DIALS_WITH_KEY,
    channel::NEW_KEY,
    channel::STORAGE_DIALS,
    channel::RUN_AFTER,
    Step { name: "starting the restore", act: send_restore, expect: file::says(answers::RESTORE), learn: nothing },
    Step { name: "the data", act: wait, expect: file::says(answers::STORAGE_END), learn: nothing },
    storage::END,
    Step { name: "ending the restore", act: send_end_restore, expect: Expect::Event(FILE_ENDED), learn: nothing },
    file::DISMISS,
];

fn send_restore(job: &mut Job, net: &mut Net) -> Act {
    let Some(plan) = &job.restore else { return Act::Wait };
    let to = RestoreTo::Where(plan.to.clone());
    let line = Restore { replace: plan.replace, prefix_links: false, to };
    job.send(net, Who::File, FileCommand::Restore(line).to_line());
    Act::Wait
}

fn send_end_restore(job: &mut Job, net: &mut Net) -> Act {
    job.send(net, Who::File, FileCommand::EndRestore.to_line());
    file::wait_end(job, net)
}
