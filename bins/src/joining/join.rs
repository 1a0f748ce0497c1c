//! `towline join`: this machine becomes a client of the director that a token names.

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};
use towline_core::config::{Console, ConsoleConfig, ConsoleDirector, Password};

use super::daemon::{self, Started};
use super::letter::{FILE, STATE};
use super::token::{Gets, Letter, Token};
use super::{FOLDER, now};
use crate::config::EXIT_CONFIG;
use crate::daemon::{psk_credentials, say};
use crate::dialogue::{Dialogue, NoAnswer};
use crate::fresh::{has_room, private_file, private_folder, sync_folder};
use crate::probe::{Seen, judge};

/// The exit status if the director cannot be reached or refuses: `EX_UNAVAILABLE` of sysexits.
const EXIT_UNAVAILABLE: u8 = 69;
/// The exit status if a file cannot be made: `EX_CANTCREAT` of sysexits.
const EXIT_UNWRITTEN: u8 = 73;
/// How long the director may take for one answer.
const PATIENCE: Duration = Duration::from_secs(120);
/// How long the way to the client may take until it works: a client that dials in has to come first.
const WAY: Duration = Duration::from_secs(45);
/// Pause between two looks at it.
const LOOK: Duration = Duration::from_millis(500);

/// Why this machine is no client.
enum Failure {
    Wrong(String),
    Unwritten(String),
    Director(String),
    /// It is one, but something does not work.
    Unproven(String),
}

/// The subcommand.
#[must_use]
pub fn command() -> Command {
    Command::new("join")
        .about("Makes this machine a client of a director, by a token of `towline client add`")
        .after_help(
            "towline join towline1-…\n\n\
             Writes the configuration of the file daemon, starts it, and has the director reach it. Ends with 0 if all that works, 1 if \
             the file daemon or a way does not, 69 if the director cannot be reached or refuses the token, 73 if a file cannot be \
             written, 78 if the token is none.",
        )
        .arg(Arg::new("token").value_name("TOKEN").required(true).help("The line that `towline client add` has printed; - reads it from standard input"))
        .arg(
            Arg::new("config")
                .long("config")
                .value_name("DIR")
                .value_parser(value_parser!(PathBuf))
                .default_value(FOLDER)
                .help("The folder for the configuration"),
        )
        .arg(Arg::new("no-start").long("no-start").action(ArgAction::SetTrue).help("Only write the configuration"))
}

/// Joins; see the help for the exit status.
#[must_use]
pub fn run(matches: &ArgMatches) -> ExitCode {
    let folder = matches.get_one::<PathBuf>("config").map_or_else(|| Path::new(FOLDER), PathBuf::as_path);
    let line = matches.get_one::<String>("token").map(String::as_str).unwrap_or_default();
    let (text, exit) = match join(line, folder, !matches.get_flag("no-start")) {
        Ok(()) => return ExitCode::SUCCESS,
        Err(Failure::Wrong(text)) => (text, EXIT_CONFIG),
        Err(Failure::Unwritten(text)) => (text, EXIT_UNWRITTEN),
        Err(Failure::Director(text)) => (text, EXIT_UNAVAILABLE),
        Err(Failure::Unproven(text)) => (text, 1),
    };
    let _closed = writeln!(io::stderr(), "towline join: {}", text.trim_end());
    ExitCode::from(exit)
}

fn join(line: &str, folder: &Path, starts: bool) -> Result<(), Failure> {
    let line = if line == "-" { typed()? } else { line.to_owned() };
    let token = Token::read(&line).map_err(|error| Failure::Wrong(error.to_string()))?;
    // The token is used once, so that all that can be known is looked at before.
    let folder = place(folder)?;
    let (letter, dialogue) = match &token.gets {
        Gets::Letter(_) if token.until <= now() => {
            let text = format!(
                "the token is over by the clock of this machine: `towline client token {}` makes another",
                token.client
            );
            return Err(Failure::Wrong(text));
        }
        Gets::Letter(letter) => (letter.clone().checked().map_err(|error| Failure::Wrong(error.to_string()))?, None),
        Gets::Invitation { name, password } => {
            let (letter, dialogue) = fetch(&token, name, password)?;
            (letter, Some(dialogue))
        }
    };
    write(&letter, &folder)?;
    let file = folder.join(FILE);
    say(&format!("{} makes this machine {}, a client of {}.\n", file.display(), letter.client, token.director));
    if !starts {
        say(&format!("Start it: towline-fd -c {}\n", file.display()));
        return Ok(());
    }
    let Started { id, log, by } = daemon::start(&folder).map_err(Failure::Unproven)?;
    say(&format!(
        "The file daemon runs as process {id}, until this machine stops; its log is {}.\nTo have it start with the machine: {by}\n",
        log.display()
    ));
    match dialogue {
        Some(mut dialogue) => prove(&mut dialogue, &letter),
        None => {
            let name = &letter.client;
            say(&format!("It dials nobody, so try the way from the director's console: status client={name}\n"));
            Ok(())
        }
    }
}

fn typed() -> Result<String, Failure> {
    let mut line = String::new();
    let read = io::Read::read_to_string(&mut io::Read::take(io::stdin(), 1 << 20), &mut line);
    read.map(|_| line).map_err(|error| Failure::Wrong(format!("cannot read the token from standard input: {error}")))
}

/// The folder for the configuration, in which there is none yet.
fn place(folder: &Path) -> Result<PathBuf, Failure> {
    let unwritten = |error: io::Error| Failure::Unwritten(format!("cannot write below {}: {error}", folder.display()));
    private_folder(folder).map_err(unwritten)?;
    let folder = folder.canonicalize().map_err(unwritten)?;
    let taken = [FILE, "bareos-fd.conf", "bareos-fd.d"].iter().map(|name| folder.join(name)).find(|file| file.exists());
    if let Some(file) = taken {
        let text = format!(
            "{} is there, and nothing is written over: name another folder with --config, or move it away",
            file.display()
        );
        return Err(Failure::Unwritten(text));
    }
    // Whether something can be written there is known only once it is, and a token is good once.
    private_folder(&folder.join(STATE)).map_err(unwritten)?;
    has_room(&folder).map_err(unwritten)?;
    Ok(folder)
}

/// Fetches what the director keeps.
fn fetch(token: &Token, name: &str, password: &str) -> Result<(Letter, Dialogue), Failure> {
    let at = format!("director {} at {}:{}", token.director, token.address, token.port);
    let mut director = ConsoleDirector::new(token.director.clone(), token.address.clone());
    director.port = token.port;
    let mut config = ConsoleConfig::new(director);
    config.console = Some(Console::new(name.to_owned(), Password::new(password)));
    let credentials = psk_credentials().map_err(Failure::Wrong)?;
    let dialogue = Dialogue::of(config, credentials).map_err(|error| match error {
        NoAnswer::Director(why) if why.contains("T03") || why.contains("T02") => Failure::Director(format!(
            "the {at} does not know this token: it is of another director, was withdrawn by a later one, or the director has \
             started again since; `towline client token {}` makes another ({why})",
            token.client
        )),
        other => Failure::Director(format!("the {at} cannot be reached, and the token is still good: {other}")),
    })?;
    let mut dialogue = dialogue.within(PATIENCE);
    let lost = |error: NoAnswer| Failure::Director(format!("the {at} was lost: {error}"));
    let (said, _) = dialogue.ask("join").map_err(lost)?;
    let word = said.split_whitespace().next_back().unwrap_or_default();
    match Letter::read(word) {
        Ok(letter) => Ok((letter, dialogue)),
        Err(_) => Err(Failure::Director(format!("the {at} refuses the token: {}", said.trim()))),
    }
}

fn write(letter: &Letter, folder: &Path) -> Result<(), Failure> {
    for (name, text) in &letter.files {
        let file = folder.join(name);
        private_file(&file, text)
            .map_err(|error| Failure::Unwritten(format!("cannot write {}: {error}", file.display())))?;
    }
    sync_folder(folder).map_err(|error| Failure::Unwritten(format!("cannot sync {}: {error}", folder.display())))
}

/// Has the director reach this machine, and its data channels be dialled.
fn prove(dialogue: &mut Dialogue, letter: &Letter) -> Result<(), Failure> {
    let name = &letter.client;
    let mut ask = |line: &str| dialogue.ask(line).map_err(|error| Failure::Unproven(error.to_string()));
    let until = Instant::now() + WAY;
    let status = format!("status client={name:?}");
    loop {
        let (said, _) = ask(&status)?;
        if said.contains(&format!("{name} Version: ")) {
            break;
        }
        if Instant::now() > until {
            let text = format!("the director does not reach this machine:\n{}", said.trim());
            return Err(Failure::Unproven(text));
        }
        std::thread::sleep(LOOK);
    }
    say("The director reaches this machine.\n");
    for storage in &letter.storages {
        let (why, _) = ask(&format!("explain client={name:?} storage={storage:?}"))?;
        say(&why);
        let (said, after) = ask(&format!("probe client={name:?} storage={storage:?}"))?;
        match judge(&said, after) {
            Seen::Broken(why) => {
                return Err(Failure::Unproven(format!("the data channel with storage {storage} does not work: {why}")));
            }
            Seen::Unmeasured(why) => say(&format!("The data channel cannot be tried: {why}\n")),
            Seen::Reached => {
                say(&format!("The data channel with storage {storage} works: dialled in {} ms.\n", after.as_millis()));
            }
        }
    }
    say(&format!("This machine is ready to be saved: run job={name} yes, in the director's console.\n"));
    Ok(())
}
