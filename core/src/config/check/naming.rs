//! Names of volumes with variables, and the counters in them.

use super::Checker;
use crate::catalog::volumes::is_volume_name;
use crate::config::{ConfigPath, DirectorConfig, VARIABLES};
use crate::explain::codes;
use crate::naming::{Naming, Variable, Wrong};
use crate::nearest::nearest;

/// Every counter has numbers, and a name that a variable can have.
pub(super) fn counters(c: &mut Checker, config: &DirectorConfig) {
    c.names("counters", config.counters.iter().map(|counter| counter.name.as_str()));
    for (index, counter) in config.counters.iter().enumerate() {
        let path = ConfigPath::of("counters").index(index);
        let is_letter = |c: char| c.is_ascii_alphanumeric() || c == '_';
        if !counter.name.is_empty() && !counter.name.chars().all(is_letter) {
            let message = format!("no variable can be called {:?}", counter.name);
            c.error(codes::BAD_NAME, path.field("name"), message, "use letters, digits and `_`");
        } else if VARIABLES.contains(&counter.name.as_str()) {
            let message = format!("{:?} is a variable that there is without a counter", counter.name);
            c.error(codes::CONTRADICTION, path.field("name"), message, "give the counter another name");
        }
        if counter.maximum > i32::MAX.unsigned_abs() || counter.minimum > counter.highest() {
            let message = format!("no number is from {} to {}", counter.minimum, counter.maximum);
            let help = format!("set `maximum` to a number from `minimum` to {}, or to 0", i32::MAX);
            c.error(codes::OUT_OF_RANGE, path.field("maximum"), message, help);
        }
        if let Some(next) = &counter.wrap_counter {
            let known = config.counters.iter().map(|counter| counter.name.as_str());
            c.reference(path.field("wrap_counter"), "counter", next, known);
            if *next == counter.name {
                let message = format!("`wrap_counter` has no effect: counter {next:?} has begun again by then");
                c.warning(codes::CONTRADICTION, path.field("wrap_counter"), message, "name another counter, or none");
            }
        }
    }
}

/// A format makes names that volumes can have.
pub(super) fn format(c: &mut Checker, path: &ConfigPath, format: &str, config: &DirectorConfig) {
    let naming = match Naming::parse(format) {
        Ok(naming) => naming,
        Err(why) => {
            let message = format!("{format:?} makes no names of volumes: {why}");
            let help = match why.why {
                Wrong::Brackets => "write out what it would make, or number the volumes by one of `counters`",
                _ => "write variables as `${Year}`, `${Month:p/2/0/r}` or `${CounterName+}`",
            };
            return c.error(codes::LABEL_FORMAT, path.clone(), message, help);
        }
    };
    for variable in naming.variables() {
        unknown(c, path, format, variable, config);
    }
    let sample = naming.expand(&mut |_| Some("127".to_owned()));
    if let Ok(name) = sample
        && !is_volume_name(&name)
    {
        let message = format!("{format:?} makes names as {name:?}, which no volume can have");
        let help = "between variables use letters, digits, `-`, `_`, `.`, `:` and `/`, 127 in all";
        c.error(codes::LABEL_FORMAT, path.clone(), message, help);
    }
}

fn unknown(c: &mut Checker, path: &ConfigPath, format: &str, variable: &Variable, config: &DirectorConfig) {
    let Variable { name, increments, at } = variable;
    let is_counter = config.counters.iter().any(|counter| counter.name == *name);
    let is_known = VARIABLES.contains(&name.as_str());
    if is_counter || is_known && !increments {
        return;
    }
    let place = format!("(letter {})", at + 1);
    if is_known {
        let message = format!("{format:?} has `+` after {name:?} {place}, which is no counter");
        return c.error(codes::LABEL_FORMAT, path.clone(), message, "remove the `+`, or name one of `counters`");
    }
    let counters = config.counters.iter().map(|counter| counter.name.as_str());
    let help = match nearest(name, VARIABLES.iter().copied().chain(counters)) {
        Some(known) => format!("did you mean {known:?}?"),
        None if is_of_environment(name) => {
            // A name that depends on who started the daemon is another one than `-t` has shown.
            "names of volumes take nothing from the environment: write the value itself".to_owned()
        }
        None => format!("variables are {}, and those in `counters`", VARIABLES.join(", ")),
    };
    c.error(codes::LABEL_FORMAT, path.clone(), format!("{format:?} has no value for {name:?} {place}"), help);
}

/// Whether a variable of the environment is what it looks like.
fn is_of_environment(name: &str) -> bool {
    name.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_')
}
