//! What the tests of python-bareos check of the daemons, said again: who may log in and how, what a console may see and do,
//! the answers in JSON, browsing, scripts of jobs. What they check of the library alone is left out, and so is that Bareos'
//! own tool for its tables finds nothing to mend in them.
//!
//! Each check is run; those that fail with reason stand in [`CANNOT`], and one that does not belong there fails the test.

mod access;
mod answers;
mod browse;
mod configure;
mod delete;
mod lists;
mod logins;
mod scripts;
mod site;

use site::{Session, Site};

/// How a check went: what is wrong, for a person.
pub(crate) type Outcome = Result<(), String>;

/// A check and its name.
pub(crate) type Check = (&'static str, fn(&Site) -> Outcome);

/// The checks that fail, words of how, and why.
const CANNOT: &[(&str, &str, &str)] = &[
    ("the restore menus offer the clients of the console", "1:", "the menus of jobs and files ask no SQL"),
    ("`.help full` takes no value", "full takes no value", "the refusal has words of its own"),
    ("`show` has what jobs take their directives from", "jobdefs", RESOLVED),
    ("`show` has the users", r#"\"users\""#, "users log in through PAM, which is not asked"),
    (
        "the catalog keeps what a fileset says",
        "what the jobs of this test save",
        "the catalog keeps what a client is told of it",
    ),
    (
        "a console with TLS that is not required comes in clear by the older login",
        "AuthenticationError",
        "with TLS on, a connection in clear text is refused in any case",
    ),
    ("the older login in clear of a console with TLS", "AuthenticationError", "as in the newer login"),
    ("a file daemon runs a command for its director", "lost", "commands are run for a job, and no longer than it runs"),
    ("an admin job runs no script on a client", "Invalid runscript", UNSAID),
    ("an admin job runs its script on the director and none on a client", "Invalid runscript", UNSAID),
    ("an admin job fails by a command that no console has", "error[T0844]", "the test of a configuration refuses it"),
    ("a plugin in Python saves and restores", "ended with", NO_PYTHON),
    ("a plugin in Python gets the options of an order", "ended with", NO_PYTHON),
    ("the options of an order go before those of the fileset", "ended with", NO_PYTHON),
];

const RESOLVED: &str = "the directives are a part of each job once the configuration is read";
const UNSAID: &str = "the test of a configuration says so, and the log of a job does not";
const NO_PYTHON: &str = "file daemons have no plugins in Python";

const MODULES: [&[Check]; 8] = [
    access::CHECKS,
    answers::CHECKS,
    browse::CHECKS,
    configure::CHECKS,
    delete::CHECKS,
    lists::CHECKS,
    logins::CHECKS,
    scripts::CHECKS,
];

/// Runs the checks of a module one after the other with the same daemons.
fn hold(checks: &[Check]) {
    let site = Site::start();
    let mut wrong = Vec::new();
    for (name, check) in checks {
        let listed = CANNOT.iter().find(|(listed, ..)| listed == name);
        match (check(&site), listed) {
            (Ok(()), None) => {}
            (Err(error), Some((_, says, _))) if error.contains(says) => {}
            (Err(error), _) => wrong.push(format!("{name}: {error}")),
            (Ok(()), Some(_)) => wrong.push(format!("{name}: it holds, its row in the list is not needed any more")),
        }
    }
    assert!(wrong.is_empty(), "{} of {} checks:\n{}", wrong.len(), checks.len(), wrong.join("\n"));
}

#[test]
fn a_row_of_what_cannot_be_names_a_check() {
    for (listed, _, why) in CANNOT {
        assert!(MODULES.iter().any(|checks| checks.iter().any(|(name, _)| name == listed)), "{listed}: {why}");
    }
}

/// An error with this text unless the condition holds.
fn ensure(holds: bool, text: impl FnOnce() -> String) -> Outcome {
    if holds { Ok(()) } else { Err(text()) }
}

/// That a text has this in it.
fn has(text: &str, wanted: &str) -> Outcome {
    ensure(text.contains(wanted), || format!("there is no {wanted:?} in {text:?}"))
}
