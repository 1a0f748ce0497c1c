//! Who may do what: consoles, profiles and their access lists.

use super::{Checker, Side};
use crate::config::{Access, ConfigPath, ConsoleAccess, DirectorConfig, acl};
use crate::explain::codes;
use crate::wire::names::{DEFAULT_CONSOLE, PeerKind};

/// Commands that are of use to a console with no other list: what a monitor says.
const NEEDS_NOTHING: [&str; 8] = ["status", ".status", "help", "version", ".api", "whoami", "time", "messages"];

pub(super) fn check(c: &mut Checker, config: &DirectorConfig) {
    c.names("profiles", config.profiles.iter().map(|profile| profile.name.as_str()));
    for (index, profile) in config.profiles.iter().enumerate() {
        let path = ConfigPath::of("profiles").index(index);
        for (about, field) in Access::ALL {
            entries(c, &path.clone().field(field), about.of_profile(profile));
        }
    }
    c.names_of(PeerKind::Console, "consoles", config.consoles.iter().map(|console| console.name.as_str()));
    for (index, console) in config.consoles.iter().enumerate() {
        let path = ConfigPath::of("consoles").index(index);
        self::console(c, config, console, &path);
    }
}

fn console(c: &mut Checker, config: &DirectorConfig, console: &ConsoleAccess, path: &ConfigPath) {
    c.password(path, &console.password);
    c.optional_tls(path, console.tls.as_ref(), Side::Dialling);
    if console.name == DEFAULT_CONSOLE {
        let message = format!("{DEFAULT_CONSOLE:?} is the director's own console");
        let help = "its password is that of `director`; choose another name";
        c.error(codes::BAD_NAME, path.clone().field("name"), message, help);
    }
    for (index, profile) in console.profiles.iter().enumerate() {
        let names = config.profiles.iter().map(|known| known.name.as_str());
        c.reference(path.clone().field("profiles").index(index), "profile", profile, names);
    }
    for (about, field) in Access::ALL {
        entries(c, &path.clone().field(field), about.of_console(console));
    }
    let list = |about: Access| console.all_entries(&config.profiles, about);
    let commands = list(Access::Command);
    if commands.is_empty() {
        let message = format!("console {:?} may not use any command", console.name);
        let help = "add `command_acl: [\"*all*\"]`, or the commands it may use";
        return c.warning(codes::EMPTY, path.clone(), message, help);
    }
    if commands.iter().all(|entry| entry.starts_with('!') || NEEDS_NOTHING.contains(entry)) {
        return;
    }
    // Without a word of plugins it can do everything else.
    let counts = |about: Access| about != Access::PluginOptions && list(about).is_empty();
    let empty = Access::ALL.iter().filter(|(about, _)| counts(*about)).map(|(_, field)| *field);
    let empty: Vec<&str> = empty.collect();
    if !empty.is_empty() {
        let message = format!("console {:?} has commands, and nothing in {}", console.name, empty.join(", "));
        let help = "write `[\"*all*\"]` into each of them that is not to restrict it, or the names it may use";
        c.warning(codes::EMPTY, path.clone(), message, help);
    }
}

/// Entries that are never reached or cannot be read.
fn entries(c: &mut Checker, path: &ConfigPath, entries: &[String]) {
    let all = entries.iter().position(|entry| entry.trim_start_matches('!').eq_ignore_ascii_case(acl::ALL));
    for (index, entry) in entries.iter().enumerate() {
        if let Some(fault) = acl::fault(entry) {
            let message = format!("{entry:?} is no extended regular expression: {fault}");
            c.error(codes::BAD_EXPRESSION, path.clone().index(index), message, "correct it, or write a name");
        }
        if all.is_some_and(|all| index > all) {
            let message =
                format!("{entry:?} is never reached: the first entry that fits decides, and {} fits all", acl::ALL);
            c.warning(codes::NEVER_REACHED, path.clone().index(index), message, "put it before that entry");
        }
    }
}
