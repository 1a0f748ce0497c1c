//! `towline man` and `towline completion`: manual pages and completions for shells, made of what the command lines are read by.

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Arg, ArgMatches, Command, value_parser};
use clap_complete::Shell;
use clap_mangen::Man;

use crate::daemon::console;
use crate::daemon::director::DirectorDaemon;
use crate::daemon::file::FileProgram;
use crate::daemon::storage::StorageProgram;
use crate::daemon::{program, say};

/// The exit status if a page cannot be made: `EX_CANTCREAT` of sysexits.
const EXIT_UNWRITTEN: u8 = 73;

/// The subcommands.
#[must_use]
pub fn commands() -> [Command; 2] {
    let folder = Arg::new("dir").value_name("DIR").value_parser(value_parser!(PathBuf)).required(true);
    let shell = Arg::new("shell").value_name("SHELL").value_parser(value_parser!(Shell)).required(true);
    [
        Command::new("man")
            .about("Writes the manual pages of all programs into a folder")
            .after_help("towline man /usr/local/share/man/man1")
            .arg(folder.help("Where they go; it is made if it is not there, and earlier pages are replaced")),
        Command::new("completion")
            .about("Prints what a shell needs to complete command lines of towline")
            .after_help("towline completion bash > /etc/bash_completion.d/towline")
            .arg(shell.help("Which shell")),
    ]
}

/// Writes the pages of `towline`, whose command line this is, and of the other programs.
#[must_use]
pub fn write(matches: &ArgMatches, tool: Command) -> ExitCode {
    let folder = matches.get_one::<PathBuf>("dir").map_or_else(|| Path::new("."), PathBuf::as_path);
    match pages(folder, tool) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _closed = writeln!(io::stderr(), "towline man: cannot write below {}: {error}", folder.display());
            ExitCode::from(EXIT_UNWRITTEN)
        }
    }
}

/// Prints the completion for a shell of `towline`, whose command line this is.
#[must_use]
pub fn complete(matches: &ArgMatches, mut tool: Command) -> ExitCode {
    let Some(shell) = matches.get_one::<Shell>("shell").copied() else { return ExitCode::FAILURE };
    let mut text = Vec::new();
    clap_complete::generate(shell, &mut tool, "towline", &mut text);
    say(&String::from_utf8_lossy(&text));
    ExitCode::SUCCESS
}

fn pages(folder: &Path, tool: Command) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    let programs =
        [tool, program::<DirectorDaemon>(), program::<StorageProgram>(), program::<FileProgram>(), console::program()];
    #[cfg(feature = "tray")]
    let programs = programs.into_iter().chain([crate::daemon::tray::program()]);
    for command in programs {
        let name = command.get_name().to_owned();
        page(folder, &name, command)?;
    }
    Ok(())
}

/// The page of a command, and one for each of its subcommands: `towline-client-add.1`.
fn page(folder: &Path, name: &str, mut command: Command) -> io::Result<()> {
    command.build();
    let inner: Vec<Command> =
        command.get_subcommands().filter(|inner| !inner.is_hide_set() && inner.get_name() != "help").cloned().collect();
    let mut text = Vec::new();
    Man::new(command).title(name.to_uppercase()).render(&mut text)?;
    fs::write(folder.join(format!("{name}.1")), text)?;
    inner.into_iter().try_for_each(|inner| {
        let name = format!("{name}-{}", inner.get_name());
        page(folder, &name, inner)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_program_and_each_command_has_a_page_that_names_its_options() {
        let folder = tempfile::tempdir().unwrap();
        let inner = Command::new("outer").subcommand(Command::new("inner").arg(Arg::new("x").long("deep").help("y")));
        let tool = Command::new("towline").about("a tool").subcommand(inner).subcommand(Command::new("h").hide(true));
        pages(folder.path(), tool).unwrap();
        let read = |name: &str| fs::read_to_string(folder.path().join(name)).unwrap();
        for name in ["towline", "towline-outer", "towline-dir", "towline-sd", "towline-fd", "towline-console"] {
            assert!(read(&format!("{name}.1")).contains(".TH"), "{name}");
        }
        assert!(read("towline-outer-inner.1").contains("deep"));
        assert!(read("towline-fd.1").contains("pid\\-file"));
        assert!(!folder.path().join("towline-h.1").exists());
    }
}
