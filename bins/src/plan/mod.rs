//! `towline plan`: which jobs will work through a network, before anything is deployed.
//!
//! ```text
//!  --config … ──load──▶ Given ──┐
//!  --topology ──read──▶ Topology┴─rows──▶ a Site each ──the daemons' own state machines, simulated──▶ Tried ──▶ text, JSON, picture
//! ```
//! Nothing is decided here: each job runs in a simulated world with the director, the file daemon and the storage daemon of
//! this project, and what they do is taken down.

mod advice;
mod compare;
pub mod doctor;
mod drill;
mod files;
mod herd;
mod picture;
mod report;
mod rows;
mod run;
mod setup;
mod shape;
mod suggest;
#[cfg(test)]
mod tests;
mod topology;
mod trial;
mod trials;
mod way;
mod week;

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};

use crate::config::EXIT_CONFIG;
use crate::daemon::director::DirectorDaemon;
use crate::daemon::{Daemon as _, say};
use drill::{Drill, Drilled};
use files::{Files, borrowed};
use herd::{Herd, herd};
use rows::{Row, rows};
use setup::Given;
use suggest::{ALL_TRIALS, Suggestion, Written, suggestion};
use topology::Topology;
use trial::{Tried, Verdict};
use trials::Trials;
use week::{Week, week};

/// The exit status for a file that cannot be written: `EX_CANTCREAT` of `sysexits.h`.
const EXIT_UNWRITTEN: u8 = 73;
/// The exit status for an option that makes no sense: `EX_USAGE` of `sysexits.h`.
const EXIT_USAGE: u8 = 64;

/// The subcommand.
#[must_use]
pub fn command() -> Command {
    let path = |name: &'static str| Arg::new(name).long(name).value_name("FILE").value_parser(value_parser!(PathBuf));
    Command::new("plan")
        .about("Says which jobs will work through a network, why not, and what to change")
        .after_help(
            "towline plan --config director.ron --topology network.ron\n\
             towline plan --config /etc/bareos --config laptop.ron --topology network.ron --json\n\
             towline plan --config director.ron --topology network.ron --svg network.svg\n\
             towline plan --config director.ron --topology network.ron --suggest\n\
             towline plan --config director.ron --topology network.ron --cut laptop.uplink@50% --idle 30m --reboot home\n\n\
             Ends with 0 if all jobs work, 1 if one fails or works only until its connections are idle, 2 if of one it cannot \
             be said.",
        )
        .arg(
            path("config")
                .action(ArgAction::Append)
                .default_value(DirectorDaemon::FILE)
                .help("The director's configuration, and those of file daemons and storage daemons as far as they are at hand"),
        )
        .arg(path("topology").required(true).help("The networks, gateways, hosts and names, and what connects them"))
        .arg(path("svg").help("Where to draw a picture of it"))
        .arg(
            Arg::new("suggest")
                .long("suggest")
                .action(ArgAction::SetTrue)
                .help("Looks for the smallest change that makes the jobs work that do not"),
        )
        .arg(
            Arg::new("cut")
                .long("cut")
                .value_name("NAME[.uplink][@PERCENT]")
                .action(ArgAction::Append)
                .help("A drill: the uplink of a host, a daemon's host or a network is cut from this part of each job on; NAME.uplink.in and NAME.uplink.out one way"),
        )
        .arg(
            Arg::new("idle")
                .long("idle")
                .value_name("SPAN")
                .action(ArgAction::Append)
                .help("A drill: connections carry nothing for so long, as \"30m\""),
        )
        .arg(
            Arg::new("reboot")
                .long("reboot")
                .value_name("NETWORK")
                .action(ArgAction::Append)
                .help("A drill: the gateway of this network restarts and remembers no connection"),
        )
        .arg(
            Arg::new("week")
                .long("week")
                .action(ArgAction::SetTrue)
                .help("A drill: a week of the schedule, and the clients that dial in when the director restarts"),
        )
        .arg(Arg::new("json").long("json").action(ArgAction::SetTrue).help("Prints one JSON object"))
        .subcommand_negates_reqs(true)
        .args_conflicts_with_subcommands(true)
        .subcommand(compare::command())
}

/// Plans; see the help for the exit status.
#[must_use]
pub fn run(matches: &ArgMatches) -> ExitCode {
    if let Some(("diff", matches)) = matches.subcommand() {
        return compare::run(matches);
    }
    let configs = borrowed(matches.get_many("config").into_iter().flatten());
    let topology = matches.get_one::<PathBuf>("topology").cloned().unwrap_or_default();
    match plan(&configs, &topology) {
        Ok(mut plan) => {
            complain(&plan.files.topology.warnings.render(false));
            if matches.get_flag("suggest") {
                plan.suggest();
            }
            if let Err(text) = plan.drill(matches) {
                complain(&format!("towline plan: {text}\n"));
                return ExitCode::from(EXIT_USAGE);
            }
            let print = if matches.get_flag("json") { report::json } else { report::text };
            say(&print(&plan));
            if let Some(file) = matches.get_one::<PathBuf>("svg")
                && let Err(error) = std::fs::write(file, picture::svg(plan.topology(), &plan.rows))
            {
                complain(&format!("towline plan: cannot write {}: {error}\n", file.display()));
                return ExitCode::from(EXIT_UNWRITTEN);
            }
            ExitCode::from(plan.status())
        }
        Err(text) => {
            complain(&text);
            ExitCode::from(EXIT_CONFIG)
        }
    }
}

/// Says what is wrong.
fn complain(text: &str) {
    drop(io::stderr().write_all(text.as_bytes()));
}

/// What came of a plan.
struct Plan {
    files: Files,
    given: Given,
    rows: Vec<Tried>,
    /// Whatever was tried for them.
    trials: Trials,
    assumptions: Vec<String>,
    /// What would help, if it was asked for.
    suggested: Option<Suggested>,
    /// What came of drills, by the rows.
    drills: Vec<(Drill, Vec<Vec<Drilled>>)>,
    /// A week of the schedule, if it was asked for.
    week: Option<Scheduled>,
}

/// What was found when a suggestion was asked for.
struct Suggested {
    /// Nothing if all jobs work.
    suggestion: Option<(Suggestion, Written)>,
}

/// What came of a week.
struct Scheduled {
    /// Nothing if nothing is scheduled.
    week: Option<Week>,
    /// Nothing if no client waits at the director.
    herd: Option<Herd>,
}

impl Plan {
    const fn topology(&self) -> &Topology {
        &self.files.topology.config
    }

    /// Looks for what would make the jobs work that do not.
    fn suggest(&mut self) {
        let found = suggestion(self.topology(), &self.given, &self.rows, (&self.trials, ALL_TRIALS));
        let suggestion = found.map(|found| {
            let written = Written::new(&self.files, &found);
            (found, written)
        });
        self.suggested = Some(Suggested { suggestion });
    }

    /// Holds the drills that were asked for, with all rows.
    fn drill(&mut self, matches: &ArgMatches) -> Result<(), String> {
        let topology = &self.files.topology.config;
        let all = |name: &str| matches.get_many::<String>(name).into_iter().flatten();
        let cuts = all("cut").map(|text| Drill::cut(topology, text));
        let idle = all("idle").map(|text| Drill::idle(text));
        let reboots = all("reboot").map(|text| Drill::reboot(topology, text));
        let drills = cuts.chain(idle).chain(reboots).collect::<Result<Vec<Drill>, String>>()?;
        let held = |drill: Drill| {
            let rows = self.trials.drilled(topology, &self.given, &self.rows, &drill);
            (drill, rows)
        };
        self.drills = drills.into_iter().map(held).collect();
        if matches.get_flag("week") {
            let working =
                self.rows.iter().filter(|tried| !matches!(tried.verdict, Verdict::Fails | Verdict::Unknown(_)));
            let working: Vec<&Row> = working.map(|tried| &tried.row).collect();
            let week = week(&self.files.topology.config, &self.given, &working);
            self.week = Some(Scheduled { week, herd: herd(&self.files.topology.config, &self.given) });
        }
        Ok(())
    }

    fn status(&self) -> u8 {
        let any = |is: fn(&Verdict) -> bool| self.rows.iter().any(|tried| is(&tried.verdict));
        if any(|verdict| matches!(verdict, Verdict::Fails | Verdict::WorksUntilIdle(_))) {
            1
        } else if any(|verdict| matches!(verdict, Verdict::Unknown(_))) || self.rows.is_empty() {
            2
        } else {
            0
        }
    }
}

fn plan(configs: &[&Path], topology: &Path) -> Result<Plan, String> {
    let files = Files::read(configs, topology)?;
    let given = files.given();
    let rows = rows(&given.director);
    let topology = &files.topology.config;
    let assumptions = assumptions(topology, &given, &rows);
    let trials = Trials::default();
    let rows = trials.all(topology, &given, &rows);
    Ok(Plan { files, given, rows, trials, assumptions, suggested: None, drills: Vec::new(), week: None })
}

/// What comes of each thing, in their order, worked out on all processors.
fn on_all_processors<T: Sync, R: Send>(all: &[T], work: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let (next, done) = (AtomicUsize::new(0), Mutex::new(Vec::with_capacity(all.len())));
    let worker = || {
        while let Some((place, one)) = {
            let place = next.fetch_add(1, Ordering::Relaxed);
            all.get(place).map(|one| (place, one))
        } {
            let result = work(one);
            done.lock().unwrap_or_else(PoisonError::into_inner).push((place, result));
        }
    };
    let workers = std::thread::available_parallelism().map_or(1, usize::from).min(all.len().max(1));
    std::thread::scope(|scope| (0..workers).for_each(|_| drop(scope.spawn(worker))));
    let mut done = done.into_inner().unwrap_or_else(PoisonError::into_inner);
    done.sort_by_key(|(place, _)| *place);
    done.into_iter().map(|(_, result)| result).collect()
}

/// What the plan takes for granted.
fn assumptions(topology: &Topology, given: &Given, rows: &[Row]) -> Vec<String> {
    let mut all =
        vec!["TLS settings and certificates fit each other".to_owned(), "all daemons are Towline's".to_owned()];
    let clients = rows.iter().filter_map(|row| row.client.as_deref());
    let storages = rows.iter().flat_map(Row::storages);
    let mut unseen: Vec<&str> = clients.filter(|name| given.file(name).is_none()).collect();
    unseen.extend(storages.filter(|name| given.director.storage(name).is_none_or(|one| given.storage(one).is_none())));
    unseen.sort_unstable();
    unseen.dedup();
    if !unseen.is_empty() {
        let names = unseen.join(", ");
        all.push(format!(
            "what is not in the director's configuration has its default: of {names} no configuration was given"
        ));
    }
    let silent =
        topology.networks.iter().filter(|it| it.gateway.as_ref().is_some_and(|gateway| gateway.idle.is_zero()));
    let silent: Vec<&str> = silent.map(|network| network.name.as_str()).collect();
    if !silent.is_empty() {
        all.push(format!("the gateways of {} forget a connection after 5 days, as Linux does", silent.join(", ")));
    }
    let dialled = given.dialled();
    let hosts = topology.hosts.iter().map(|host| host.name.as_str()).filter(|name| dialled.contains(name));
    let named: Vec<&str> = hosts.filter(|name| topology.names.iter().all(|known| known.name != *name)).collect();
    let open = topology.hosts.iter().filter(|host| host.firewall.is_none() && !host.daemons.is_empty());
    let open: Vec<&str> = open.map(|host| host.name.as_str()).collect();
    if !open.is_empty() {
        all.push(format!("hosts have no firewall of their own: {}", open.join(", ")));
    }
    if !named.is_empty() {
        all.push(format!("the names of hosts resolve to their addresses everywhere: {}", named.join(", ")));
    }
    all
}
