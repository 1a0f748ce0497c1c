//! `towline plan diff`: two plans, and what becomes of each job from one to the other.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};
use serde_json::{Value, json};

use super::files::borrowed;
use super::report::{details, object, verdict};
use super::trial::{Tried, Verdict};
use super::{Plan, complain, plan};
use crate::config::EXIT_CONFIG;
use crate::daemon::say;

/// What becomes of a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Becomes {
    /// It works no more.
    Breaks,
    /// It is there for the first time, and does not work.
    NewAndFails,
    /// Whether it works is not known any more, or not of a new one.
    Unknown,
    /// It works now.
    Begins,
    /// It is there for the first time, and works.
    NewAndWorks,
    /// It is not there any more.
    Gone,
    /// It does not work, and for another reason or in another way.
    Otherwise,
    /// It is as it was.
    Same,
}

impl Becomes {
    const ALL: [(Self, &str, &str); 7] = [
        (Self::Breaks, "Breaks", "breaks"),
        (Self::NewAndFails, "New, and does not work", "new_and_fails"),
        (Self::Unknown, "Not known any more", "unknown"),
        (Self::Begins, "Begins to work", "begins"),
        (Self::NewAndWorks, "New, and works", "new_and_works"),
        (Self::Gone, "Gone", "gone"),
        (Self::Otherwise, "Does not work as before, in another way", "otherwise"),
    ];

    fn of(old: Option<&Tried>, new: Option<&Tried>) -> Self {
        let works = |tried: &Tried| tried.verdict == Verdict::Works;
        let is_unknown = |tried: &Tried| matches!(tried.verdict, Verdict::Unknown(_));
        match (old, new) {
            (_, None) => Self::Gone,
            (Some(old), Some(new)) if old.verdict == new.verdict => match old.advice == new.advice {
                true => Self::Same,
                false => Self::Otherwise,
            },
            (_, Some(new)) if is_unknown(new) => Self::Unknown,
            (Some(_), Some(new)) if works(new) => Self::Begins,
            (None, Some(new)) if works(new) => Self::NewAndWorks,
            (Some(old), Some(_)) if works(old) => Self::Breaks,
            (Some(_), Some(_)) => Self::Otherwise,
            (None, Some(_)) => Self::NewAndFails,
        }
    }
}

/// A job in both plans.
struct Pair<'a> {
    becomes: Becomes,
    old: Option<&'a Tried>,
    new: Option<&'a Tried>,
}

/// The subcommand of the subcommand.
pub(super) fn command() -> Command {
    let path = |name: &'static str| Arg::new(name).value_name("FILE").value_parser(value_parser!(PathBuf));
    Command::new("diff")
        .about("Compares two topologies or two configurations: which jobs begin to work, and which break")
        .after_help(
            "towline plan diff old-network.ron new-network.ron --config director.ron\n\
             towline plan diff /etc/bareos /tmp/bareos --topology network.ron\n\n\
             Ends with 0 if no job breaks, 1 if one does or a new one does not work, 2 if of one it cannot be said any more.",
        )
        .arg(path("old").value_name("OLD").required(true).help("A topology; with --topology, a configuration"))
        .arg(path("new").value_name("NEW").required(true).help("What it is to become"))
        .arg(
            path("config")
                .long("config")
                .action(ArgAction::Append)
                .required_unless_present("topology")
                .help("The configurations that both have"),
        )
        .arg(path("topology").long("topology").help("The topology that both have"))
        .arg(Arg::new("json").long("json").action(ArgAction::SetTrue).help("Prints one JSON object"))
}

/// Compares; see the help for the exit status.
pub(super) fn run(matches: &ArgMatches) -> ExitCode {
    let path = |name: &str| matches.get_one::<PathBuf>(name).map(PathBuf::as_path);
    let configs = borrowed(matches.get_many("config").into_iter().flatten());
    let (Some(old), Some(new)) = (path("old"), path("new")) else { return ExitCode::from(EXIT_CONFIG) };
    let of = |side: &Path| match path("topology") {
        Some(topology) => plan(&[&[side], configs.as_slice()].concat(), topology),
        None => plan(&configs, side),
    };
    let plans = of(old).and_then(|old| Ok((old, of(new)?)));
    match plans {
        Ok((old, new)) => {
            complain(&new.files.topology.warnings.render(false));
            let pairs = pairs(&old, &new);
            say(&if matches.get_flag("json") { json_of(&pairs) } else { text(&pairs) });
            ExitCode::from(status(&pairs))
        }
        Err(text) => {
            complain(&text);
            ExitCode::from(EXIT_CONFIG)
        }
    }
}

/// Each job of both, in the order of the new one; then those that are gone.
fn pairs<'a>(old: &'a Plan, new: &'a Plan) -> Vec<Pair<'a>> {
    let in_old = |one: &Tried| old.rows.iter().find(|other| other.row == one.row);
    let in_new = |one: &Tried| new.rows.iter().any(|other| other.row == one.row);
    let now = new.rows.iter().map(|new| (in_old(new), Some(new)));
    let gone = old.rows.iter().filter(|old| !in_new(old)).map(|old| (Some(old), None));
    now.chain(gone).map(|(old, new)| Pair { becomes: Becomes::of(old, new), old, new }).collect()
}

fn status(pairs: &[Pair<'_>]) -> u8 {
    let any = |of: &[Becomes]| pairs.iter().any(|pair| of.contains(&pair.becomes));
    if any(&[Becomes::Breaks, Becomes::NewAndFails]) {
        1
    } else if any(&[Becomes::Unknown]) {
        2
    } else {
        0
    }
}

fn text(pairs: &[Pair<'_>]) -> String {
    let mut out = String::new();
    for (becomes, title, _) in Becomes::ALL {
        let mut of = pairs.iter().filter(|pair| pair.becomes == becomes).peekable();
        if of.peek().is_none() {
            continue;
        }
        let _ = writeln!(out, "{title}:");
        for pair in of {
            match (pair.old, pair.new) {
                (_, Some(new)) if becomes != Becomes::Begins && becomes != Becomes::NewAndWorks => {
                    details(new).lines().for_each(|line| {
                        let _ = writeln!(out, "  {line}");
                    });
                }
                (old, new) => {
                    let one = new.or(old).map(|tried| (&tried.row, verdict(&tried.verdict)));
                    let was = old.filter(|_| new.is_some()).map(|old| format!(", was: {}", verdict(&old.verdict)));
                    if let Some((row, verdict)) = one {
                        let (kind, was) = (row.kind(), was.unwrap_or_default());
                        let _ = writeln!(out, "  {} ({kind}): {verdict}{was}", row.job);
                    }
                }
            }
        }
    }
    let same = pairs.iter().filter(|pair| pair.becomes == Becomes::Same).count();
    let works = pairs.iter().filter(|pair| pair.new.is_some_and(|new| new.verdict == Verdict::Works)).count();
    let all = pairs.iter().filter(|pair| pair.new.is_some()).count();
    let _ = writeln!(out, "{same} of {all} as before; {works} of {all} work.");
    out
}

fn json_of(pairs: &[Pair<'_>]) -> String {
    let side = |tried: Option<&Tried>| tried.map_or(Value::Null, object);
    let list = |becomes: Becomes| -> Vec<Value> {
        let of = pairs.iter().filter(|pair| pair.becomes == becomes);
        of.map(|pair| json!({"old": side(pair.old), "new": side(pair.new)})).collect()
    };
    let mut all = json!({"same": pairs.iter().filter(|pair| pair.becomes == Becomes::Same).count()});
    for (becomes, _, name) in Becomes::ALL {
        all[name] = list(becomes).into();
    }
    format!("{all:#}\n")
}

#[cfg(test)]
mod tests {
    use towline_core::config::{JobKind, Seconds};

    use super::super::rows::Row;
    use super::*;

    fn tried(verdict: Verdict, advice: Option<&str>) -> Tried {
        let row = Row {
            job: "j".to_owned(),
            kind: JobKind::Backup,
            client: Some("c".to_owned()),
            storage: "s".to_owned(),
            to: None,
        };
        let advice = advice.map(str::to_owned);
        Tried { row, verdict, connections: Vec::new(), logs: Vec::new(), after: None, advice }
    }

    #[test]
    fn what_becomes_of_a_job_is_told_apart() {
        let (works, fails) = (tried(Verdict::Works, None), tried(Verdict::Fails, Some("a")));
        let idle = tried(Verdict::WorksUntilIdle(Seconds(240)), Some("i"));
        let unknown = tried(Verdict::Unknown("?".to_owned()), None);
        let other = tried(Verdict::Fails, Some("b"));
        for (old, new, becomes) in [
            (Some(&works), Some(&works), Becomes::Same),
            (Some(&works), Some(&fails), Becomes::Breaks),
            (Some(&works), Some(&idle), Becomes::Breaks),
            (Some(&fails), Some(&works), Becomes::Begins),
            (Some(&idle), Some(&works), Becomes::Begins),
            (Some(&unknown), Some(&works), Becomes::Begins),
            (Some(&fails), Some(&idle), Becomes::Otherwise),
            (Some(&fails), Some(&other), Becomes::Otherwise),
            (Some(&works), Some(&unknown), Becomes::Unknown),
            (None, Some(&works), Becomes::NewAndWorks),
            (None, Some(&fails), Becomes::NewAndFails),
            (None, Some(&unknown), Becomes::Unknown),
            (Some(&works), None, Becomes::Gone),
        ] {
            assert_eq!(Becomes::of(old, new), becomes, "{old:?} {new:?}");
        }
    }

    #[test]
    fn the_status_tells_what_is_worst() {
        let pair = |becomes| Pair { becomes, old: None, new: None };
        assert_eq!(status(&[pair(Becomes::Same), pair(Becomes::Begins), pair(Becomes::Gone)]), 0);
        assert_eq!(status(&[pair(Becomes::Unknown), pair(Becomes::Begins)]), 2);
        assert_eq!(status(&[pair(Becomes::Unknown), pair(Becomes::Breaks)]), 1);
        assert_eq!(status(&[pair(Becomes::NewAndFails)]), 1);
        assert_eq!(status(&[pair(Becomes::Otherwise)]), 0);
    }
}
