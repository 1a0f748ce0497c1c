//! The commands: a row each, a file each. Help, abbreviation, the nearest word to a mistyped one, access and dispatch
//! come from this table.

mod add;
mod api;
mod bvfs;
mod cancel;
mod catalog;
mod configure;
mod create;
mod delete;
mod devices;
mod dot;
mod elsewhere;
mod enable;
mod estimate;
mod explain;
mod find;
mod gui;
mod help;
pub(super) mod invite;
mod label;
mod list;
mod memory;
pub(super) mod messages;
mod network;
mod probe;
mod prune;
mod purge;
pub(super) mod query;
mod quit;
pub(super) mod reload;
mod rerun;
mod resolve;
pub(super) mod restore;
pub(super) mod run;
mod setbandwidth;
mod setdebug;
mod setip;
mod shelf;
mod show;
mod slots;
mod sqlquery;
mod status;
mod time;
mod truncate;
mod update;
mod var;
mod version;
pub(super) mod wait;
mod whoami;

use crate::catalog::CatalogName;
use crate::config::JOB_COMMANDS;

use super::access::Access;
use super::answer::Answer;
use super::grammar::{Command, Rights};
use super::questions::choice;
use super::refusal::{Kind, Meant, Refusal};
use super::reply::{Reply, View};
use super::words::Words;

pub(super) use bvfs::Choices;

/// All that may be said. Of two commands with the same beginning the first is meant by it (`wire/1 §6.1`).
pub(super) const COMMANDS: &[Command] = &[
    dot::words::ACTIONONPURGE,
    api::COMMAND,
    dot::authorized::COMMAND,
    bvfs::CLEANUP.asking(),
    bvfs::CLEAR_CACHE.asking(),
    bvfs::GET_JOBIDS.asking(),
    bvfs::LSDIRS.asking(),
    bvfs::LSFILES.asking(),
    bvfs::RESTORE.asking(),
    bvfs::UPDATE.asking(),
    bvfs::VERSIONS.asking(),
    dot::names::CATALOGS,
    dot::names::CLIENTS,
    dot::names::CONSOLES,
    dot::defaults::COMMAND,
    quit::DOT_EXIT,
    dot::names::FILESETS,
    dot::help::COMMAND,
    dot::names::JOBS,
    dot::names::JOBDEFS,
    dot::words::JOBSTATUS,
    dot::words::LEVELS,
    dot::names::LOCATIONS,
    dot::names::MEDIA.asking(),
    dot::names::MEDIATYPES.asking(),
    messages::DOT,
    dot::names::MSGS,
    dot::names::POOLS,
    dot::names::PROFILES,
    quit::DOT_QUIT,
    dot::names::SCHEDULE,
    dot::sql::COMMAND.asking(),
    dot::status::COMMAND,
    dot::names::STORAGES,
    dot::words::TYPES,
    dot::names::USERS,
    dot::words::VOLSTATUS,
    add::COMMAND.asking(),
    elsewhere::AUTODISPLAY,
    elsewhere::AUTOMOUNT,
    cancel::COMMAND,
    configure::COMMAND,
    create::COMMAND.asking(),
    delete::COMMAND.asking(),
    enable::DISABLE,
    enable::ENABLE,
    estimate::COMMAND.asking(),
    quit::EXIT,
    slots::EXPORT,
    explain::COMMAND,
    find::COMMAND.asking(),
    gui::COMMAND,
    help::COMMAND,
    slots::IMPORT,
    invite::INVITE,
    invite::JOIN,
    list::COMMAND.asking(),
    label::LABEL.asking(),
    messages::COMMAND,
    memory::COMMAND,
    devices::MOUNT,
    slots::MOVE,
    prune::COMMAND.asking(),
    probe::COMMAND,
    purge::COMMAND.asking(),
    quit::QUIT,
    query::COMMAND.asking(),
    restore::COMMAND.asking(),
    label::RELABEL.asking(),
    devices::RELEASE,
    reload::COMMAND,
    rerun::COMMAND.asking(),
    resolve::COMMAND,
    run::COMMAND.asking(),
    status::COMMAND,
    setbandwidth::COMMAND,
    setdebug::COMMAND,
    elsewhere::SETDEVICE,
    setip::COMMAND,
    show::COMMAND,
    sqlquery::COMMAND.asking(),
    time::COMMAND,
    elsewhere::TRACE,
    truncate::COMMAND.asking(),
    devices::UNMOUNT,
    update::COMMAND.asking(),
    catalog::COMMAND,
    var::COMMAND,
    version::COMMAND,
    wait::COMMAND.asking(),
    whoami::COMMAND,
];

/// What a line of a console comes to.
pub(crate) fn serve(view: &View<'_>, line: &str) -> Reply {
    let words = Words::parse(line);
    let word = words.word(0);
    // A period ends a question, and at a prompt nothing.
    if matches!(word.as_str(), "" | ".") {
        return Reply::Prompt;
    }
    let command = find(&word);
    let verb = command.map_or(word.as_str(), |command| command.name);
    if !view.access().is_some_and(|access| may(access, verb)) {
        return Reply::Forbidden(verb.to_owned());
    }
    let Some(command) = command else {
        let meant = meant(&word);
        return Reply::Answer(Answer::Unknown(Refusal::Unknown { verb: word, meant }));
    };
    if view.is_of_job() && !JOB_COMMANDS.contains(&command.name) {
        return Reply::refused(Refusal::NotForJobs(command.name));
    }
    if command.needs_catalog()
        && let Some(waits) = view.director.setup.waits()
    {
        return Reply::refused(Refusal::CatalogAwaited(waits));
    }
    let words = words.led_by(command.leads);
    let checked = command.check(&words).map_err(Refusal::from);
    let reply = checked.and_then(|()| run_in(view, command, &words)).unwrap_or_else(Reply::refused);
    Reply::Begin(Box::new(reply))
}

/// Does a command with the catalog that it is about.
fn run_in(view: &View<'_>, command: &Command, words: &Words) -> Result<Reply, Refusal> {
    // Said again, with the catalog that was asked for.
    if let Some(name) = words.value(&[ASKED]).map(str::to_owned) {
        let words = words.clone().without(ASKED).with("catalog", Some(name.as_bytes())).said_first();
        return Ok(Reply::Uses(name.as_str().into(), Box::new(run_in(view, command, &words)?)));
    }
    if must_ask(view, command, words) {
        let usage = "Name the catalog: catalog=NAME, or use catalog=NAME.";
        return choice::resource(view, words, Kind::Catalog, ASKED, usage);
    }
    let catalog = catalog_of(view, command, words)?;
    let reply = (command.run)(&View { said: Some(&catalog), ..*view }, words)?;
    Ok(Reply::In(catalog, Box::new(reply)))
}

/// The catalog that a person was asked for.
const ASKED: &str = "askedcatalog";

/// Whether a person has to say which catalog is meant, once: there are several, and nothing tells.
fn must_ask(view: &View<'_>, command: &Command, words: &Words) -> bool {
    let Some(console) = view.console() else { return false };
    let is_named = ["catalog", "client", "backupclient", "job"].iter().any(|word| words.value(&[*word]).is_some());
    // `wait` is about jobs of all, and commands with a dot are for programs.
    let may = command.asks && !command.name.starts_with('.') && command.name != wait::COMMAND.name;
    may && !is_named && console.used.is_none() && console.is_person() && view.catalogs().nth(1).is_some()
}

/// The catalog that a command asks, as in Bareos: the one that it names, that of its client, that of its job, that which the
/// console uses; else the first that the console may ask, for a person with several is asked before.
fn catalog_of(view: &View<'_>, command: &Command, words: &Words) -> Result<CatalogName, Refusal> {
    let config = &view.director.common.config;
    if let Some(name) = words.value(&["catalog"]).filter(|_| command.asks || command.name == catalog::COMMAND.name) {
        view.check_catalog(name)?;
        return Ok(name.into());
    }
    let of_client = words.value(&["client", "backupclient"]).and_then(|name| config.client(name));
    let of_job = || {
        let job = words.value(&["job"]).and_then(|name| config.job(name))?;
        Some(config.catalog_of_job(job, words.value(&["pool"]).unwrap_or(&job.pool)))
    };
    let used = || view.console().and_then(|console| console.used.as_deref());
    let named = of_client.map(|client| config.catalog_of_client(client)).or_else(of_job).or_else(used);
    Ok(named.or_else(|| view.catalogs().next()).unwrap_or_else(|| config.catalog.name()).into())
}

/// A line is said again, with what its console was asked for.
pub(super) fn again(view: &View<'_>, words: &Words) -> Result<Reply, Refusal> {
    let word = words.word(0);
    match find(&word) {
        Some(command) => run_in(view, command, words),
        None => Err(Refusal::Unknown { meant: meant(&word), verb: word }),
    }
}

/// The command that a word means: its name, the beginning of it, or an alias.
pub(super) fn find(word: &str) -> Option<&'static Command> {
    if let Some(command) = COMMANDS.iter().find(|command| command.aliases.contains(&word)) {
        return Some(command);
    }
    let begins = |command: &&Command| !matches!(word, "" | ".") && command.name.starts_with(word);
    COMMANDS.iter().find(begins)
}

/// Whether a command has all these words, or one of them the word alone: `status network`, `where=`. For the advice of
/// errors.
#[cfg(test)]
pub(crate) fn is_said(line: &str) -> bool {
    let mut words = line.split_whitespace().map(|word| word.split_once('=').map_or(word, |(word, _)| word));
    let Some(first) = words.next() else { return false };
    let has = |command: &Command, word: &str| {
        command
            .forms
            .iter()
            .any(|form| form.subjects.contains(&word) || form.words.iter().any(|(name, _)| *name == word))
    };
    if line.contains('=') && !line.contains(' ') {
        return COMMANDS.iter().any(|command| has(command, first));
    }
    let command = COMMANDS.iter().find(|command| command.name == first);
    command.is_some_and(|command| {
        let mut words: Vec<&str> = words.collect();
        let form = command.forms.iter().find(|form| words.first().is_some_and(|word| form.subjects.contains(word)));
        let Some(form) = form else { return words.iter().all(|word| has(command, word)) };
        words.remove(0);
        words.iter().all(|word| form.words.iter().any(|(name, _)| name == word))
    })
}

/// The command that a mistyped one most likely means.
fn meant(word: &str) -> Meant {
    Meant::of(word, COMMANDS.iter().map(|command| command.name))
}

/// Whether a console with these rights may say a command.
pub(super) fn may(access: &Access, verb: &str) -> bool {
    let is_for_all = COMMANDS.iter().any(|command| command.name == verb && command.rights == Rights::All);
    if is_for_all { !access.is_without(verb) } else { access.may_say(verb) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_of_a_group_is_a_word_of_its_command() {
        for command in COMMANDS {
            for form in command.forms {
                let words: Vec<&str> = form.words.iter().map(|(word, _)| *word).collect();
                let is_known = |group: &&[&str]| group.iter().all(|word| words.contains(word));
                assert!(form.one_of.iter().all(is_known), "{}", command.name);
            }
        }
    }

    #[test]
    fn no_two_commands_are_said_alike_and_help_begins_with_the_name() {
        let mut words: Vec<&str> = COMMANDS.iter().flat_map(|command| command.aliases).copied().collect();
        words.extend(COMMANDS.iter().map(|command| command.name));
        for word in &words {
            assert_eq!(words.iter().filter(|other| *other == word).count(), 1, "{word}");
        }
        for command in COMMANDS {
            assert_eq!(find(command.name).map(|found| found.name), Some(command.name));
            let mut usages = command.forms.iter().flat_map(|form| form.help).map(|(usage, _)| usage);
            assert!(usages.all(|usage| usage.split(' ').next() == Some(command.name)), "{}", command.name);
        }
    }

    #[test]
    fn commands_may_be_abbreviated() {
        for (short, whole) in [
            ("l", "list"),
            ("llist", "list"),
            ("re", "restore"),
            ("s", "status"),
            ("e", "enable"),
            ("v", "var"),
            (".", "."),
            ("x", "x"),
        ] {
            assert_eq!(find(short).map_or(short, |command| command.name), whole);
        }
    }
}
