//! The command line of a program: its own words, and those of its counterpart in Bareos.

use std::path::PathBuf;

use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};

use super::runtime;

/// What the exit codes of a daemon mean. Where Bareos has another, it is named.
pub(super) const EXIT_CODES: &str = "Exit codes: 0 it ended as it was asked to; 1 it failed; 2 the command line is wrong (Bareos: 41); 69 it cannot \
     listen; 71 the system lacks something; 73 a file cannot be made; 74 the catalog cannot be used; 75 another director \
     has the catalog; 77 it would need other rights; 78 the configuration is wrong (Bareos: 42).";

/// What the command line says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// The configuration: a file, or a folder with one.
    pub config: PathBuf,
    /// The runtime's name, if one is asked for.
    pub runtime: Option<String>,
    /// Only test the configuration.
    pub test: bool,
    /// Report for a program.
    pub json: bool,
    /// How much more the log should say.
    pub verbose: u8,
    /// End when standard input does: with whoever started the daemon.
    pub until_eof: bool,
    /// Print the configuration instead of running.
    pub print_config: bool,
    /// Print the directives of Bareos instead of running.
    pub print_schema: bool,
    /// A file for the process id.
    pub pid_file: Option<PathBuf>,
    /// Who it is to run as.
    pub user: Option<String>,
    /// The group it is to run as.
    pub group: Option<String>,
    /// Options of Bareos that change nothing here, and what is so instead.
    pub moot: Vec<&'static str>,
}

/// Options of Bareos that are taken and change nothing: name, short, long, and what is so instead.
const MOOT: [(&str, char, &str, &str); 2] = [
    ("no-signals", 's', "no-signals", "-s changes nothing: SIGINT and SIGTERM end the program"),
    ("print-kaboom", 'm', "print-kaboom", "-m changes nothing: a failure is reported on standard error anyway"),
];

impl Options {
    /// Reads the command line of this process; ends it on `--help` and on mistakes.
    #[must_use]
    pub fn parse(program: &'static str, about: &'static str, file: &'static str, help: &'static str) -> Self {
        Self::of(&Self::program(program, about, file, help, false).get_matches())
    }

    /// The same for a daemon, which a service manager starts.
    #[must_use]
    pub fn parse_daemon(program: &'static str, about: &'static str, file: &'static str, help: &'static str) -> Self {
        Self::of(&Self::program(program, about, file, help, true).get_matches())
    }

    /// The command line of a program; that of a daemon if a service manager starts it.
    #[must_use]
    pub fn program(
        program: &'static str,
        about: &'static str,
        file: &'static str,
        help: &'static str,
        is_daemon: bool,
    ) -> Command {
        let help = match (is_daemon, help.is_empty()) {
            (false, _) => help.to_owned(),
            (true, true) => EXIT_CODES.to_owned(),
            (true, false) => format!("{help}\n\n{EXIT_CODES}"),
        };
        let command = Command::new(program).about(about).after_help(help).version(env!("CARGO_PKG_VERSION"));
        let command = Self::arguments(command, file);
        if is_daemon { Self::of_daemons(command) } else { command }
    }

    /// Adds the arguments of a program to a command.
    #[must_use]
    pub fn arguments(command: Command, file: &'static str) -> Command {
        let runtimes = format!("Which runtime: {}. The first is the default", runtime::BUILT.join(", "));
        let flag = |name: &'static str| Arg::new(name).long(name).action(ArgAction::SetTrue);
        command
            .arg(
                Arg::new("config")
                    .short('c')
                    .long("config")
                    .value_name("FILE|FOLDER")
                    .value_parser(value_parser!(PathBuf))
                    .default_value(file)
                    .help("The configuration: in RON or in Bareos' syntax, a file or a folder as Bareos has it"),
            )
            .arg(Arg::new("runtime").long("runtime").value_name("NAME").help(runtimes))
            .arg(
                flag("test")
                    .short('t')
                    .alias("test-config")
                    .help("Test the configuration, list its warnings, and end: 0 if it is good, 78 if not"),
            )
            .arg(flag("json").help("Report what is wrong with the configuration as JSON on standard output"))
            .arg(flag("until-eof").hide(true))
            .arg(Arg::new("verbose").short('v').long("verbose").action(ArgAction::Count).help("Log more"))
            .arg(
                Arg::new("debug-level")
                    .short('d')
                    .long("debug-level")
                    .value_name("LEVEL")
                    .value_parser(level)
                    .help("Log more, as Bareos counts: from 1 as -v, from 200 as -vv"),
            )
            .arg(
                flag("export-config")
                    .alias("xc")
                    .help("Print the configuration as RON, without passwords, and end [--xc]"),
            )
            .arg(
                flag("export-schema")
                    .alias("xs")
                    .help("Print the directives of Bareos and what becomes of each as JSON, and end [--xs]"),
            )
            .args(MOOT.iter().take(1).map(moot))
    }

    /// Adds what a service manager says to a daemon.
    #[must_use]
    pub fn of_daemons(command: Command) -> Command {
        let name = |name: &'static str| Arg::new(name).long(name).value_name("NAME");
        command
            .arg(
                Arg::new("foreground")
                    .short('f')
                    .long("foreground")
                    .action(ArgAction::SetTrue)
                    .help("Stay in the foreground, as it does anyway"),
            )
            .arg(
                Arg::new("pid-file")
                    .short('p')
                    .long("pid-file")
                    .value_name("FILE")
                    .value_parser(value_parser!(PathBuf))
                    .help("Write the process id to this file while it runs"),
            )
            .arg(name("user").short('u').help("Who it must run as: start it as that user, as a service manager does"))
            .arg(name("group").short('g').help("The group it must run as: start it with that group"))
            .args(MOOT.iter().skip(1).map(moot))
    }

    /// Takes the values of [`arguments`](Self::arguments), and of [`of_daemons`](Self::of_daemons) if they are there.
    #[must_use]
    pub fn of(matches: &ArgMatches) -> Self {
        let flag = |name: &str| matches.try_get_one::<bool>(name).ok().flatten().copied().unwrap_or_default();
        let text = |name: &str| matches.try_get_one::<String>(name).ok().flatten().cloned();
        let path = |name: &str| matches.try_get_one::<PathBuf>(name).ok().flatten().cloned();
        let debug = matches.get_one::<u8>("debug-level").copied().unwrap_or_default();
        Self {
            config: path("config").unwrap_or_default(),
            runtime: text("runtime"),
            test: flag("test"),
            json: flag("json"),
            verbose: matches.get_count("verbose").max(debug),
            until_eof: flag("until-eof"),
            print_config: flag("export-config"),
            print_schema: flag("export-schema"),
            pid_file: path("pid-file"),
            user: text("user"),
            group: text("group"),
            moot: MOOT.iter().filter(|(name, ..)| flag(name)).map(|(.., why)| *why).collect(),
        }
    }
}

fn moot((name, short, long, why): &(&'static str, char, &'static str, &'static str)) -> Arg {
    Arg::new(*name).short(*short).long(*long).action(ArgAction::SetTrue).hide(true).help(*why)
}

/// A level of Bareos, with or without words behind a comma, as one of ours.
fn level(text: &str) -> Result<u8, String> {
    let digits = text.split(',').next().unwrap_or_default();
    match digits.parse::<u32>() {
        Ok(0) => Ok(0),
        Ok(1..200) => Ok(1),
        Ok(_) => Ok(2),
        Err(_) => Err("a level is a number from 0 to 1000".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tried(line: &str) -> Result<Options, clap::Error> {
        let command = Options::arguments(Command::new("towline-fd"), "/etc/towline/file.ron");
        Options::of_daemons(command).try_get_matches_from(line.split(' ')).map(|matches| Options::of(&matches))
    }

    fn read(line: &str) -> Options {
        tried(line).unwrap()
    }

    #[test]
    fn a_daemon_has_a_default_file_and_short_options() {
        let options = read("towline-fd");
        assert_eq!((options.config.to_str(), options.test, options.verbose), (Some("/etc/towline/file.ron"), false, 0));
        let options = read("towline-fd -c x.ron -t --json -vv --runtime smol");
        assert_eq!((options.config.to_str(), options.test, options.json), (Some("x.ron"), true, true));
        assert_eq!((options.verbose, options.runtime.as_deref()), (2, Some("smol")));
    }

    #[test]
    fn the_command_line_of_bareos_is_understood() {
        let options = read("towline-fd -f -c /etc/bareos -d 100 -p /run/fd.pid -u bareos -g bareos");
        assert_eq!(
            (options.verbose, options.user.as_deref(), options.group.as_deref()),
            (1, Some("bareos"), Some("bareos"))
        );
        assert_eq!(options.pid_file, Some(PathBuf::from("/run/fd.pid")));
        assert_eq!(options.moot, [""; 0]);
        assert_eq!(read("towline-fd -s -m").moot.len(), 2);
        assert_eq!((read("towline-fd -d 200,10").verbose, read("towline-fd -d 0").verbose), (2, 0));
        assert!(read("towline-fd --xc").print_config && read("towline-fd --xs").print_schema);
        for wrong in ["towline-fd -d loud", "towline-fd -b", "towline-fd -c"] {
            assert!(tried(wrong).is_err(), "{wrong}");
        }
    }
}
