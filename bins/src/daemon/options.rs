//! The command line of a daemon.

use std::path::PathBuf;

use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};

use super::runtime;

/// What the command line says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// The configuration file.
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
}

impl Options {
    /// Reads the command line of this process; ends it on `--help` and on mistakes.
    #[must_use]
    pub fn parse(program: &'static str, about: &'static str, file: &'static str, help: &'static str) -> Self {
        let command = Command::new(program).about(about).after_help(help).version(env!("CARGO_PKG_VERSION"));
        Self::of(&Self::arguments(command, file).get_matches())
    }

    /// Adds the arguments of a daemon to a command.
    #[must_use]
    pub fn arguments(command: Command, file: &'static str) -> Command {
        let runtimes = format!("Which runtime: {}. The first is the default", runtime::BUILT.join(", "));
        command
            .arg(
                Arg::new("config")
                    .short('c')
                    .long("config")
                    .value_name("FILE")
                    .value_parser(value_parser!(PathBuf))
                    .default_value(file)
                    .help("The configuration"),
            )
            .arg(Arg::new("runtime").long("runtime").value_name("NAME").help(runtimes))
            .arg(
                Arg::new("test")
                    .short('t')
                    .long("test")
                    .action(ArgAction::SetTrue)
                    .help("Test the configuration and end: 0 if it is good, 78 if not"),
            )
            .arg(
                Arg::new("json")
                    .long("json")
                    .action(ArgAction::SetTrue)
                    .help("Report what is wrong with the configuration as JSON on standard output"),
            )
            .arg(Arg::new("until-eof").long("until-eof").action(ArgAction::SetTrue).hide(true))
            .arg(Arg::new("verbose").short('v').long("verbose").action(ArgAction::Count).help("Log more"))
    }

    /// Takes the values of [`arguments`](Self::arguments).
    #[must_use]
    pub fn of(matches: &ArgMatches) -> Self {
        Self {
            config: matches.get_one::<PathBuf>("config").cloned().unwrap_or_default(),
            runtime: matches.get_one::<String>("runtime").cloned(),
            test: matches.get_flag("test"),
            json: matches.get_flag("json"),
            verbose: matches.get_count("verbose"),
            until_eof: matches.get_flag("until-eof"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> Options {
        let command = Options::arguments(Command::new("towline-fd"), "/etc/towline/file.ron");
        Options::of(&command.try_get_matches_from(line.split(' ')).unwrap())
    }

    #[test]
    fn a_daemon_has_a_default_file_and_short_options() {
        let options = read("towline-fd");
        assert_eq!((options.config.to_str(), options.test, options.verbose), (Some("/etc/towline/file.ron"), false, 0));
        let options = read("towline-fd -c x.ron -t --json -vv --runtime smol");
        assert_eq!((options.config.to_str(), options.test, options.json), (Some("x.ron"), true, true));
        assert_eq!((options.verbose, options.runtime.as_deref()), (2, Some("smol")));
    }
}
