//! `T09`: lines of the log that come from no error value.

use super::{Page, entry};
use crate::error::{Fault, Retry};

pub(super) const PAGES: &[Page] = &[
    entry(
        900,
        "the bootstrap of a job was not written",
        (Fault::Local, Retry::Never),
        "`write_bootstrap` of the job names a file on the director for what a restore without the catalog needs. The system did \
         not let the director write it, or its folder is not there. The backup itself is complete.",
        "Make the folder, and let the user of the director write there. The next job writes its part again; after a full one \
         the file is complete.",
    ),
    entry(
        901,
        "a second request to stop",
        (Fault::Local, Retry::Never),
        "The daemon was told twice to end. It has ended at once, and jobs under way are cut off.",
        "Nothing, if that was meant. One request lets jobs end in order.",
    ),
    entry(
        902,
        "a director was lost during a job",
        (Fault::Network, Retry::Backoff),
        "The director's connection ended before the job did, so nobody was left to tell, and the job was given up.",
        "The director's log says why it left. If it did not, the network between the two cut the connection: see the heartbeat interval.",
    ),
    entry(
        903,
        "a daemon came for a job that nobody waits for",
        (Fault::Peer, Retry::Never),
        "A file or storage daemon dialled with the name of a job that does not wait for it: the job has ended, or it has its peer already.",
        "Nothing, if the job was cancelled meanwhile. If it happens to jobs that run, look for a second daemon with the same configuration.",
    ),
    entry(
        904,
        "a daemon has too many jobs",
        (Fault::Config, Retry::Backoff),
        "A director began one more job than the file daemon or storage daemon takes at a time. The job has failed.",
        "Raise `maximum_concurrent_jobs` of that daemon, or lower that of the director's client or storage.",
    ),
    entry(
        905,
        "a bootstrap makes no sense",
        (Fault::Bug, Retry::Never),
        "The list of what to read from the volumes, which the director sends, could not be understood. The job has failed.",
        "Report it with the version of the director and the log line.",
    ),
    entry(
        906,
        "a statement selects what is no job",
        (Fault::Config, Retry::Never),
        "The copy or migration selects its jobs with a statement in SQL, `selection_pattern`. The first column of what it returns \
         must be JobIds, and a row had something else there. No job was started.",
        "Let the statement return JobIds in its first column, and try it with `sqlquery` in a console.",
    ),
    entry(
        907,
        "a console may not have plugins told this",
        (Fault::Config, Retry::Never),
        "`pluginoptions=` of `run` and `restore` is told to plugins of the client, which may run commands there. The console's list \
         of what it may have them told has no entry that fits.",
        "Add an entry to `plugin_options_acl` of the console or of its profile if it is meant to, or let the job's resource say \
         it with `fd_plugin_options`.",
    ),
    entry(
        908,
        "a job was not ordered",
        (Fault::Local, Retry::Backoff),
        "A job was due, or wanted by a console that has left, and the catalog gave it no number.",
        "The line says why the catalog did not. The next one in the schedule is ordered all the same.",
    ),
    entry(
        909,
        "a daemon was not told to cancel a job",
        (Fault::Config, Retry::Never),
        "The job is cancelled at the director, but one of its daemons could not be dialled as it is configured, and ends only when it notices.",
        "Correct what the line says about the client or storage.",
    ),
    entry(
        910,
        "lines of reports are lost",
        (Fault::Local, Retry::Backoff),
        "The director writes what jobs report into the catalog. More lines came than it keeps for a catalog that is slow, or that has not \
         taken any for a while. These lines are lost; the jobs are not.",
        "See whether the log says that the catalog was away. If not, give it a faster disk, or run fewer jobs at a time.",
    ),
    entry(
        911,
        "the catalog has answered another question",
        (Fault::Bug, Retry::Never),
        "The catalog worker gave an answer that does not belong to what was asked.",
        "Report it with the version and the log line.",
    ),
    entry(
        912,
        "a job is due while the one before it still waits",
        (Fault::Config, Retry::Backoff),
        "A schedule starts a job that is queued already. It is not queued a second time.",
        "Run it less often, or raise the limits that keep it waiting: `maximum_concurrent_jobs` of director, client and storage.",
    ),
    entry(
        913,
        "a job cannot be run by a schedule",
        (Fault::Config, Retry::Never),
        "Restores, and jobs that have been removed, are not run by themselves.",
        "Remove the schedule from the job.",
    ),
    entry(
        914,
        "too many consoles",
        (Fault::Config, Retry::Backoff),
        "One more console came than the director takes, and none that could make room for it was idle, so it was refused. One \
         name may have three quarters of them.",
        "Let fewer scripts wait for jobs at a time, or raise `max_console_connections`.",
    ),
    entry(
        915,
        "a console does not wait for answers",
        (Fault::Peer, Retry::Never),
        "A console sent many more commands than were answered, and its connection was closed.",
        "Let the script wait for the answer to each command.",
    ),
    entry(
        916,
        "jobs were cut off by the last stop of the director",
        (Fault::Local, Retry::Never),
        "The catalog had jobs that had not ended when the director stopped or died. They are marked as failed.",
        "Run them again if they matter before their schedule does.",
    ),
    entry(
        917,
        "the catalog is away",
        (Fault::Network, Retry::Backoff),
        "The catalog's server or file cannot be reached at the moment. Jobs wait for it as long as `retry_for` says.",
        "Start the server again, or see what holds the file. Nothing is lost meanwhile.",
    ),
    entry(
        918,
        "a part of the daemon could not be started",
        (Fault::Local, Retry::Backoff),
        "The system gave no thread, descriptor or signal for what the line names. The daemon does without it.",
        "Look for limits of the service or of the user: processes, memory, open files.",
    ),
    entry(
        919,
        "the terminal cannot be used",
        (Fault::Local, Retry::Never),
        "The monitor draws on a terminal, and the system refused it.",
        "Run it in a terminal, or with `--once` or `--json`.",
    ),
    entry(
        920,
        "a folder of the trial is left behind",
        (Fault::Local, Retry::Never),
        "The trial run could not remove its folder.",
        "Remove the folder that the line names.",
    ),
    entry(
        921,
        "a connection could not be accepted",
        (Fault::Local, Retry::Backoff),
        "The system refused to hand over a connection that waits, for a reason that has no code of its own. It is tried again \
         after a pause.",
        "Read the system's words in the log line, and look into the log of the system for the same time.",
    ),
    entry(
        922,
        "the system refuses a socket option",
        (Fault::Local, Retry::Never),
        "A setting of TCP, such as the times of its keepalive, is not known or not allowed here. The connection works without it.",
        "If dead peers are noticed late, look at the system's own settings of TCP keepalive.",
    ),
    entry(
        923,
        "a job missed a run of its schedule",
        (Fault::Local, Retry::Never),
        "The director was not running at the time at which the schedule has the job run, or it stopped while the run still \
         waited for its client or its turn. What the next run saves is complete all the same; until then there is no newer \
         backup.",
        "Start it with `run` if its next time is not soon enough. With `missed: run` of the job the director always does.",
    ),
    entry(
        945,
        "a file of the daemon can be read by others",
        (Fault::Local, Retry::Never),
        "The catalog and its journals hold the names of all files, so only the daemon's user should read them. Their rights \
         could not be restricted.",
        "Give the file to the user of the daemon, with the rights 0600.",
    ),
    entry(
        946,
        "a folder of volumes cannot be locked",
        (Fault::Local, Retry::Never),
        "The storage daemon keeps a lock in the folder of its volumes, so that no second one writes there. The lock cannot be \
         made, and it serves without it.",
        "Let the daemon's user write into the folder, or make sure that no other storage daemon uses it.",
    ),
];
