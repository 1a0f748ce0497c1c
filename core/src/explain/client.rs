//! `T073`: what a director asks of a file daemon.

use super::{Page, entry};
use crate::error::{Fault, Retry};

pub(super) const PAGES: &[Page] = &[
    entry(
        730,
        "the trace of a daemon is not written",
        (Fault::Local, Retry::Never),
        "A director has asked this daemon to write its log into a file too, by setdebug with trace=1, and the file cannot be \
         opened. The log itself is complete.",
        "Let the user of the daemon write in its `working_directory`, or turn the trace off.",
    ),
    entry(
        731,
        "what is to change names in a restore is no regular expression",
        (Fault::Config, Retry::Never),
        "Between the first two separators of an expression of regexwhere= stands an extended regular expression. This one \
         cannot be read, so that nothing is restored.",
        "Correct it. A backslash takes the meaning from the character after it.",
    ),
    entry(
        732,
        "a fileset demands encryption",
        (Fault::Config, Retry::Never),
        "The fileset of the director has forced encryption. Towline's file daemon encrypts no files before they leave the \
         client, and does not save them in clear where somebody relies on it. Connections are encrypted all the same.",
        "Remove forced encryption from the fileset, or back this client up with a file daemon of Bareos that has keys.",
    ),
    entry(
        733,
        "a plugin that is not here",
        (Fault::Config, Retry::Never),
        "The fileset saves something with a plugin, or what is to be restored was saved with one. Towline's file daemon has the \
         plugin bpipe, which saves what a command writes, and no other. Nothing is saved or restored.",
        "Let a command write what is to be saved, and save it with bpipe; or use a file daemon of Bareos with the plugin.",
    ),
    entry(
        734,
        "a plugin that may not be used",
        (Fault::Config, Retry::Never),
        "A plugin runs commands on the client that its director names. So it can be used only if the file daemon's own \
         configuration lists it.",
        "Set `plugin_names: [\"bpipe\"]` in the file daemon's configuration. With `allowed_script_dir` the commands must lie in \
         these folders too.",
    ),
    entry(
        735,
        "the definition of a plugin makes no sense",
        (Fault::Config, Retry::Never),
        "The plugin bpipe needs the name under which what is saved stands in the catalog, a whole path, the command that writes \
         it, and the command that reads it in a restore.",
        "Write it as bpipe:file=/MYSQL/all.sql:reader=mysqldump -A:writer=mysql. No shell looks at the commands.",
    ),
    entry(
        736,
        "a list of paths cannot be read",
        (Fault::Config, Retry::Never),
        "The fileset takes paths from a file on the client or from the output of a command there. Without the list nobody knows \
         what to save, so nothing is.",
        "See what the line says. A command must end with status 0 within `script_time_limit`, write no more than 16 MiB, and lie \
         in a folder of `allowed_script_dir` if there are such; no shell looks at it.",
    ),
    entry(
        737,
        "a pattern of a fileset is no regular expression",
        (Fault::Config, Retry::Never),
        "A pattern that leaves files out or chooses options for them cannot be read. What it was meant for is not known, so \
         nothing is saved.",
        "Correct the expression in the fileset; it is an extended regular expression, found anywhere in a path.",
    ),
    entry(
        738,
        "a fileset includes nothing",
        (Fault::Config, Retry::Never),
        "No path is left that could be saved: the fileset names none, or the lists that it names are empty.",
        "Name files or folders in the fileset, or see why the list is empty.",
    ),
    entry(
        739,
        "a file to restore is encrypted",
        (Fault::Config, Retry::Never),
        "The client that saved it had keys of its own (PKI in its configuration) and encrypted what it sent. Towline's file \
         daemon has no such keys. The restore ends before it writes anything of the file.",
        "Restore with a file daemon of Bareos that has the keys. Files that are not encrypted can be restored by themselves.",
    ),
    entry(
        740,
        "the command of a plugin has failed",
        (Fault::Config, Retry::Never),
        "What the plugin bpipe saves is what a command writes, and what it restores is given to another. This one could not be \
         started, or has not ended well, so that what it saved or restored may be anything.",
        "Read what the line says the command has written. Both commands run as the user of the file daemon, without a shell.",
    ),
    entry(
        741,
        "nothing to compare the disk with",
        (Fault::Config, Retry::Never),
        "A verify job of the level Catalog compares the client's disk with what the same job has put into the catalog at the level \
         InitCatalog. None of that name and client has ended well.",
        "Run the job once with `level=` initcatalog, and again whenever what has changed is right.",
    ),
];
