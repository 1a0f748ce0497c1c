//! `T0770` to `T0789`: access lists, and the questions of a director to its consoles.

use super::{Page, entry};
use crate::error::{Fault, Retry};

pub(super) const PAGES: &[Page] = &[
    entry(
        770,
        "an entry of an access list is no regular expression",
        (Fault::Config, Retry::Never),
        "An entry with one of the letters .()[]|^$+?* is an extended regular expression, and this one cannot be read. Real \
         daemons pass over it; an entry that is to deny something would then allow it.",
        "Correct the expression, or write the name as it is.",
    ),
    entry(
        771,
        "an entry of an access list is never reached",
        (Fault::Config, Retry::Never),
        "The first entry that fits a name decides, and `*all*` fits every name, so what stands after it counts for nothing.",
        "Put denials before `*all*`.",
    ),
    entry(
        772,
        "a volume has changed while a console changed it",
        (Fault::Local, Retry::Backoff),
        "Between the reading of the volume's row and its writing somebody else has written it: a job that uses the volume, or \
         another console. Nothing was changed.",
        "Look at `list volumes`, and say the command again if it is still right.",
    ),
    entry(
        773,
        "the records of a running job stay",
        (Fault::Config, Retry::Never),
        "A job that has not ended still writes to its rows in the catalog, so neither it nor its volume is deleted.",
        "Wait until the job has ended, or cancel it.",
    ),
    entry(
        774,
        "an answer is only for consoles that see everything",
        (Fault::Config, Retry::Never),
        "What folders and files of jobs a browser is shown, what `.sql` and lists over all jobs return cannot be cut to the jobs, clients and filesets that the access \
         lists of a console allow.",
        "Ask with a console whose `job_acl`, `client_acl` and `fileset_acl` are `*all*`; for `.sql` all of its lists.",
    ),
    entry(
        775,
        "a configuration that was read again is not used",
        (Fault::Config, Retry::Never),
        "A running daemon was told to read its configuration again, by `reload` of a console or by the signal HUP, and has found \
         what a start would have refused too, or its catalog has failed. Nothing has changed: it goes by the configuration that \
         it had.",
        "Correct what the lines name, and have it read once more. The daemon's option -t shows everything that is wrong.",
    ),
    entry(
        776,
        "only a restart changes these settings",
        (Fault::Config, Retry::Never),
        "The configuration was read again and is in use, but for the settings that the line names: a running daemon keeps its \
         name, the addresses that it listens on and its working directory, a director its catalog, a storage daemon its devices.",
        "Restart the daemon when no job runs, if the new values are meant.",
    ),
    entry(
        777,
        "a connection is closed by a change of the configuration",
        (Fault::Config, Retry::Never),
        "The configuration was read again, and a console or a client that was connected is not in it any more, has another \
         password there, or may not dial in any more.",
        "If that was not meant, put it back into the configuration and say `reload`. Who has the new password connects again.",
    ),
    entry(
        778,
        "a resource of the configuration stays in the catalog",
        (Fault::Config, Retry::Never),
        "`delete` was to take a pool or a storage out of the catalog that the configuration has: jobs may begin that need it.",
        "Take it out of the configuration, say `reload`, and then `delete` again.",
    ),
    entry(
        779,
        "a pool or a storage has volumes and stays in the catalog",
        (Fault::Config, Retry::Never),
        "`delete` was to take a pool or a storage out of the catalog, and there are volumes in that pool, or that were last \
         written on that storage.",
        "Say `delete volume=NAME` of each, or give it another one with `update volume=NAME pool=NAME` or `storage=NAME`. Then \
         say `delete` again.",
    ),
    entry(
        780,
        "the director has started and waits for its catalog",
        (Fault::Local, Retry::Backoff),
        "The catalog does not answer: its PostgreSQL server does not run or hangs, or another program has its file. The director \
         listens, file daemons may dial in, and consoles are told. Jobs of schedules that become due start once the catalog is \
         there; commands that need it are refused until then. What waiting cannot mend, such as a wrong password, ends the director \
         instead.",
        "Start the server of the catalog, or end the program that has its file: the director goes on by itself. Its log and \
         `status director` say what the catalog says.",
    ),
    entry(
        781,
        "the catalog's server shows a certificate of nobody who is trusted",
        (Fault::Config, Retry::Never),
        "`tls` of the catalog is `verify_full`, and no authority that is trusted has signed the certificate of the PostgreSQL \
         server, or it has expired; or the file in `tls_ca` cannot be used. No password was sent.",
        "Put the certificate of the authority that signs for the server into a file, and name it in `tls_ca`. Look at what the \
         server shows with `openssl s_client -starttls postgres`.",
    ),
    entry(
        782,
        "the catalog's server shows a certificate for another name",
        (Fault::Config, Retry::Never),
        "The certificate of the PostgreSQL server is from an authority that is trusted, and not for the name or address in `host` \
         of the catalog: it is another server, or has several names. No password was sent.",
        "Write a name from the certificate into `host`, or have one made for the name that stands there.",
    ),
    entry(
        783,
        "the catalog's server takes no TLS",
        (Fault::Config, Retry::Never),
        "`tls` of the catalog asks for a protected connection, and the PostgreSQL server says that it has none.",
        "Set `ssl = on`, `ssl_cert_file` and `ssl_key_file` in its postgresql.conf, and restart it. On the director's own machine \
         `tls: disable` will do.",
    ),
];
