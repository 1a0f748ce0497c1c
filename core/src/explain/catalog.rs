//! `T07`: the catalog, and what is chosen from it.

use super::{Page, entry};
use crate::error::{Fault, Retry};

pub(super) const PAGES: &[Page] = &[
    entry(
        701,
        "the catalog cannot be used",
        (Fault::Local, Retry::Backoff),
        "Its file cannot be opened, or another program holds it. Jobs cannot run without it.",
        "Check that the file and its folder exist and belong to the user of the director, and that no second director or \
         database tool has it open.",
    ),
    entry(
        702,
        "the catalog is damaged",
        (Fault::Local, Retry::Never),
        "The database engine found that its file contradicts itself. The volumes are not affected.",
        "Stop the director. Bring back the newest backup of the catalog, or read the volumes into a new one.",
    ),
    entry(
        703,
        "no room for the catalog",
        (Fault::Local, Retry::Backoff),
        "The file system of the catalog is full.",
        "Free space there, then run the failed jobs again. Shorter retention of files makes the catalog smaller.",
    ),
    entry(
        704,
        "the catalog contradicts a request",
        (Fault::Bug, Retry::Never),
        "Two rows want the same name, or a row that was used is gone. The director should have prevented it.",
        "Look at the names in the message. Report it, unless somebody changed the catalog by hand.",
    ),
    entry(
        705,
        "the catalog is of a newer version",
        (Fault::Config, Retry::Never),
        "A newer Towline has written this catalog. An older one would damage it, so it does not touch it.",
        "Run the version that wrote it, or a newer one.",
    ),
    entry(
        706,
        "a bug in the catalog's code",
        (Fault::Bug, Retry::Never),
        "The database refused a statement that should always be correct.",
        "Report the message with the director's log.",
    ),
    entry(
        707,
        "the catalog's server cannot be reached",
        (Fault::Network, Retry::Backoff),
        "The PostgreSQL server does not run, is starting or stopping, or the connection to it broke. Jobs hold still and \
         the request is tried again for as long as `retry_for` of the catalog says; then they fail with this code.",
        "Start the server and look at its log. Check that `catalog` names the folder of its Unix socket, or the address \
         and port it listens on.",
    ),
    entry(
        708,
        "the catalog's server refuses the director",
        (Fault::Config, Retry::Never),
        "The server answers, and refuses: the user, the password or the database is wrong, or the user may not use it.",
        "Try the same values with `psql`. On a Unix socket the server may want the system user of the same name: see \
         pg_hba.conf there. The database must belong to the user, because the director makes its tables.",
    ),
    entry(
        709,
        "the database cannot hold a catalog",
        (Fault::Config, Retry::Never),
        "The server is older than PostgreSQL 13, the database is not encoded in UTF-8, or it holds tables of another \
         program, such as the catalog of a Bareos director.",
        "Make a database of its own: `createdb --owner towline --encoding UTF8 --template template0 towline`.",
    ),
    entry(
        710,
        "no good full backup",
        (Fault::Config, Retry::Never),
        "A restore begins with a Full job that ended well. For this client, fileset and time there is none.",
        "Check the client's name and the date, and list its jobs to see which ended well.",
    ),
    entry(
        711,
        "several filesets could be meant",
        (Fault::Config, Retry::Never),
        "The client has backups of more than one fileset, and none was named.",
        "Name one of those in the message.",
    ),
    entry(
        712,
        "a volume that is needed is disabled",
        (Fault::Config, Retry::Never),
        "A part of what is to be restored is on a volume that somebody switched off.",
        "Enable the volume, or restore to a date before the job that needs it.",
    ),
    entry(
        713,
        "the catalog does not know the volume of a job",
        (Fault::Local, Retry::Never),
        "The job is known, and where its files lie is not: the volume was purged or its rows were lost.",
        "Read the volumes into the catalog again, or restore an older backup.",
    ),
];
