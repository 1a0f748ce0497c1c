//! `T0652` to `T0657`: jobs that are cancelled because they take too long, or because another one of their resource is there.

use super::{Page, entry};
use crate::error::{Fault, Retry};

pub(super) const PAGES: &[Page] = &[
    entry(
        652,
        "a job was not started because it was too late",
        (Fault::Config, Retry::Backoff),
        "The job's resource has a `max_start_delay`, and there was no room for the job within that time.",
        "Spread the times of schedules, let more jobs run at the same time (`maximum_concurrent_jobs`), or raise the setting.",
    ),
    entry(
        653,
        "a job has waited too long",
        (Fault::Config, Retry::Backoff),
        "What a job has waited for its turn, for a volume and for a device adds up, and its resource has a `max_wait_time`.",
        "The lines before in its report say what it waited for: label volumes, or give it more time to wait.",
    ),
    entry(
        654,
        "a job has run too long",
        (Fault::Config, Retry::Backoff),
        "The time that a job may run is the smaller one of `max_run_time` and, of a backup, what there is for its level, as \
         `full_max_run_time`. It begins when the job leaves the queue.",
        "Look for what was slow: `status client=` and `status storage=` show the rate of a job. A limit may be too low for a first \
         full backup.",
    ),
    entry(
        655,
        "a job has not ended in the time after it was due",
        (Fault::Config, Retry::Backoff),
        "`max_run_sched_time` of the job or of the line of its schedule counts from when the job was due, with all its waiting.",
        "Have it start earlier, so that it has ended when its time is over, or raise that setting.",
    ),
    entry(
        656,
        "a later job has taken the place of this one",
        (Fault::Config, Retry::Never),
        "The resource has `allow_duplicate_jobs: false`, and `cancel_lower_level_duplicates`, `cancel_queued_duplicates` or \
         `cancel_running_duplicates` says that the earlier job goes.",
        "Nothing, if the later one did well. Else allow duplicates, or leave the setting out that has cancelled it.",
    ),
    entry(
        657,
        "there was a job of the same resource already",
        (Fault::Config, Retry::Never),
        "The resource has `allow_duplicate_jobs: false`, so that the later of two jobs is cancelled before it has begun.",
        "Wait until the other one has ended. `cancel_queued_duplicates` and `cancel_running_duplicates` would let the later one run.",
    ),
];
