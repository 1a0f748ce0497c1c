//! `T095` and `T096`: jobs that ended badly, and messages that do not reach whom they are for.

use super::{Page, entry};
use crate::error::{Fault, Retry};

pub(super) const PAGES: &[Page] = &[
    entry(
        950,
        "a job has failed",
        (Fault::Local, Retry::Never),
        "The line has the reason as the job's report gives it. `status director` lists the last jobs that failed.",
        "Look at the whole report with `list joblog jobid=`, correct what it names, and run the job again.",
    ),
    entry(
        951,
        "a job has not gone quite well",
        (Fault::Local, Retry::Never),
        "The job ended with warnings, such as files that it could not read, or a verify job found differences.",
        "Look at the report with `list joblog jobid=`.",
    ),
    entry(
        952,
        "a mail server or webhook cannot be reached",
        (Fault::Network, Retry::Backoff),
        "A message is to be sent to a server that does not answer the call. It is tried again until `retry_for` is over. Jobs \
         do not wait for it.",
        "Check the name and the port, and that this machine may connect to it.",
    ),
    entry(
        953,
        "a mail server or webhook is too slow",
        (Fault::Peer, Retry::Backoff),
        "The server took the call and then did not answer in time. The message is tried again until `retry_for` is over.",
        "Look whether the server works. A mail server that is slow by nature needs a longer `time_limit` in `mail_server`.",
    ),
    entry(
        954,
        "a mail server or webhook refuses a message",
        (Fault::Peer, Retry::Never),
        "The server says that it will not take this message, whenever it is sent. The line quotes its words. The message is not \
         tried again; it is in the job's report all the same.",
        "Correct the addresses in `to` and `from`, or let the server take messages from this machine.",
    ),
    entry(
        955,
        "a mail server or webhook does not take a message now",
        (Fault::Peer, Retry::Backoff),
        "The server says that it cannot take the message now. The line quotes its words. It is tried again until `retry_for` is \
         over.",
        "The log of that server says why.",
    ),
    entry(
        956,
        "a mail server refuses the login",
        (Fault::Config, Retry::Never),
        "The server does not know the user of `mail_server`, has another password for it, or offers no login over this \
         connection.",
        "Correct `user`, and the password in the first line of `password_file`.",
    ),
    entry(
        957,
        "no encrypted connection to a mail server or webhook",
        (Fault::Config, Retry::Backoff),
        "The server does not offer the encryption that is asked for, or nobody who is trusted has signed its certificate.",
        "Set `tls` of `mail_server` as the server needs it, and `ca` to the file with the certificate of its authority.",
    ),
    entry(
        958,
        "a file that a delivery needs cannot be used",
        (Fault::Config, Retry::Backoff),
        "The file with the password or with the certificates of the authorities cannot be read, or has nothing of the kind.",
        "Correct the path, and let the user of the daemon read the file.",
    ),
    entry(
        959,
        "a command has not sent a message",
        (Fault::Local, Retry::Backoff),
        "The `command` of a destination could not be started, ended with an error, or took longer than two minutes and was \
         ended. It is tried again until `retry_for` is over.",
        "Run it by hand as the user of the daemon, with some text on its standard input.",
    ),
    entry(
        960,
        "messages cannot be written",
        (Fault::Local, Retry::Backoff),
        "A file that lines are appended to, or the system's log, does not take them. They are kept, up to eight megabytes, and tried \
         again until `retry_for` is over.",
        "Make the folder, let the user of the daemon write there, and look whether the disk is full.",
    ),
    entry(
        961,
        "messages are lost",
        (Fault::Local, Retry::Never),
        "Messages were tried for as long as `retry_for` allows, or the daemon was stopped before they were delivered, or a \
         server refused them for good. The reports of the jobs have them all the same, unless these are not kept in the \
         catalog. `status director` counts those of the director.",
        "The line names the place and the reason. Read those of jobs with `list joblog jobid=`; those of a daemon itself are in \
         its log.",
    ),
    entry(
        962,
        "messages find no room",
        (Fault::Local, Retry::Backoff),
        "So many messages wait for a place that is too slow or away that no more are kept for it. They are in the reports of \
         the jobs all the same, unless these are not kept in the catalog.",
        "Look why the place does not take them; `status director` says what its last answer was.",
    ),
];
