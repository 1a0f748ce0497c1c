//! `T0681` to `T0699`: why the director does not do what a console says. The answer itself names the remedy.

use super::{Page, entry};
use crate::error::{Fault, Retry};

pub(super) const PAGES: &[Page] = &[
    entry(
        681,
        "there is no such command",
        (Fault::Config, Retry::Never),
        "The first word of the line is no command of the director, and not the beginning of one.",
        "Type `help` for the commands there are.",
    ),
    entry(
        682,
        "a console may not say this command",
        (Fault::Config, Retry::Never),
        "A named console may say what its `command_acl` lists. The answer does not tell whether the command exists.",
        "If the console is meant to say it, add the command to the `command_acl` of the console in the director's configuration.",
    ),
    entry(
        683,
        "a program is asked nothing",
        (Fault::Config, Retry::Never),
        "The command needs a confirmation. In API modes 1 and 2 a program speaks, and programs are not asked.",
        "Add yes to the command.",
    ),
    entry(
        684,
        "the words of a command are wrong",
        (Fault::Config, Retry::Never),
        "The line has a word that the command does not take, one of them twice, two that exclude each other, or a quotation mark \
         without its partner. Nothing was done.",
        "Correct the word that the answer names: `help` shows what each command takes.",
    ),
    entry(
        685,
        "a command lacks something",
        (Fault::Config, Retry::Never),
        "The line does not say what the command is about, or asks for more than one command does. Nothing was done.",
        "Write it as the answer shows it.",
    ),
    entry(
        686,
        "a word of a command has a wrong value",
        (Fault::Config, Retry::Never),
        "What stands after the equals sign is not of the kind that this word takes.",
        "Give the word a value as the answer describes it.",
    ),
    entry(
        687,
        "there is nothing to explain",
        (Fault::Config, Retry::Never),
        "No code has this number, and none ever had.",
        "Copy the code from the log or the report: the letter T and four digits.",
    ),
    entry(
        688,
        "the command is not for this console",
        (Fault::Config, Retry::Never),
        "The command is about the console itself, and the default console is none of a client.",
        "Connect as a console that has the name of a client.",
    ),
    entry(
        689,
        "the catalog has no such job",
        (Fault::Config, Retry::Never),
        "No job of this number or name is in the catalog. It may have been pruned.",
        "Look at `list jobs` for those there are.",
    ),
    entry(
        690,
        "no such job runs",
        (Fault::Config, Retry::Never),
        "Of the jobs that run or wait, none has this number or name. It may have ended.",
        "Look at `status director` for the jobs that run.",
    ),
    entry(
        691,
        "a command names what there is not",
        (Fault::Config, Retry::Never),
        "The configuration of the director has no resource, or the director no command, of this name.",
        "Correct the name: the answer shows the nearest one there is. Or add the resource.",
    ),
    entry(
        692,
        "the job is disabled",
        (Fault::Config, Retry::Never),
        "A job with `enabled: false` is run neither by its schedule nor by a console, nor one that a console has disabled, or whose \
         client.",
        "Set `enabled: true` in the job, or say `enable` for the job or its client.",
    ),
    entry(
        693,
        "a path is not in the backup",
        (Fault::Config, Retry::Never),
        "None of the jobs that would be restored has a file or folder of this name. Names are shown in one way everywhere, with \
         escapes for what cannot be shown.",
        "Copy the name from `list files` with the number of the job.",
    ),
    entry(
        694,
        "there is no file to restore",
        (Fault::Config, Retry::Never),
        "The jobs are there, and what they have saved of the paths is nothing.",
        "Restore from another job, or up to a later date with `before=`.",
    ),
    entry(
        695,
        "a daemon did not do what a console asked for",
        (Fault::Peer, Retry::Backoff),
        "The director has asked a file daemon or storage daemon for a console. The answer quotes what it said, or how the way to it \
         ended.",
        "Act on what is quoted. The log of that daemon may say more.",
    ),
    entry(
        696,
        "a director that is being stopped takes no jobs",
        (Fault::Local, Retry::Backoff),
        "Somebody stops the director. Jobs that are under way are ended, and no other begins.",
        "Run the job when the director has started again.",
    ),
    entry(
        697,
        "a console may not restore to this folder",
        (Fault::Config, Retry::Never),
        "A restore to another folder than its job names needs an entry in the console's `where_acl`. A folder with `..` in its \
         way is allowed only where everything is.",
        "Restore to a folder that the list allows, or add this one to it in the director's configuration.",
    ),
    entry(
        698,
        "the jobs have too many files for a tree",
        (Fault::Config, Retry::Never),
        "The files of a restore are shown as a tree in the director's memory, which may take 512 MiB: about five million files.",
        "Say what to restore with the command: all of it, or folders with `file=`, each with all below it.",
    ),
    entry(
        699,
        "there is nothing to choose from",
        (Fault::Config, Retry::Never),
        "The command lacks a name, and the configuration has no resource of this kind that the console may use.",
        "Add the resource to the configuration, or its name to the access lists of the console.",
    ),
];
