//! `towline client`: a client is added to a director, or gets another token.

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};
use towline_core::address::is_this_machine;
use towline_core::config::{Client, ConsoleConfig, DirectorConfig, Seconds, TlsMode};
use towline_core::wire::names::PeerKind;

use super::letter::letter;
use super::resources::{Way, client, job, like, put, read};
use super::token::{Gets, Token};
use super::{FOLDER, configurations, folder_of, now};
use crate::config::{EXIT_CONFIG, load, name_fault};
use crate::daemon::say;
use crate::dialogue::Dialogue;
use crate::fresh::{hexadecimal, password};
use crate::init::machine::{is_address, own_address};

/// The exit status if there is no director to ask: `EX_UNAVAILABLE` of sysexits.
const EXIT_UNAVAILABLE: u8 = 69;
/// How long a token may be good at most, in seconds.
const MOST: u64 = 7 * 86_400;

/// Why there is no token.
enum Failure {
    /// The command line or a configuration is wrong.
    Wrong(String),
    /// The director cannot be asked, or refuses.
    Director(String),
}

/// The subcommand.
#[must_use]
pub fn command() -> Command {
    let text = |name: &'static str, value: &'static str| Arg::new(name).long(name).value_name(value);
    let flag = |name: &'static str| Arg::new(name).long(name).action(ArgAction::SetTrue);
    let common = |command: Command| {
        command
            .arg(Arg::new("name").value_name("NAME").required(true).help("The name of the client"))
            .arg(
                text("config", "DIR")
                    .value_parser(value_parser!(PathBuf))
                    .default_value(FOLDER)
                    .help("The folder with the configurations of the director and its console, or one of these files"),
            )
            .arg(
                text("director", "ADDRESS")
                    .help("Where the client reaches the director; the address of the first storage or of this machine"),
            )
            .arg(text("valid", "TIME").default_value("1 h").help("How long the token is good, 7 days at most"))
    };
    let add = common(Command::new("add").about("Adds a client and a job for it to the director's files, and prints a token"))
        .arg(text("address", "ADDRESS").help("Where the director dials the client"))
        .arg(flag("dials-in").conflicts_with_all(["address", "passive"]).help("The client dials the director, and nobody dials it"))
        .arg(flag("passive").requires("address").help("The client dials nobody: the storage daemon dials it too"))
        .arg(text("port", "PORT").value_parser(value_parser!(u16).range(1..)).help("The port of its file daemon [default: 9102]"))
        .arg(text("like", "JOB").help("The job that the new one is like: its fileset, storage, pools and schedule"))
        .after_help(
            "towline client add web --address web.example.org\n\
             towline client add laptop --dials-in --config /etc/towline\n\n\
             The director is told to read its files again, and has to run. Say what is printed on the client. Ends with 0 if there is a \
             token, 69 if the director cannot be asked, 78 if something is wrong with the line or the files.",
        );
    let token = common(Command::new("token").about("Prints another token for a client that is there"))
        .after_help("towline client token laptop\n\nThe client keeps its password; an earlier token that was not used is withdrawn.");
    Command::new("client")
        .about("Adds machines to a director")
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommand(add)
        .subcommand(token)
}

/// Adds; see the help for the exit status.
#[must_use]
pub fn run(matches: &ArgMatches) -> ExitCode {
    let done = match matches.subcommand() {
        Some(("add", matches)) => add(matches),
        Some(("token", matches)) => another(matches),
        _ => return ExitCode::FAILURE,
    };
    let (text, exit) = match done {
        Ok(text) => {
            say(&text);
            return ExitCode::SUCCESS;
        }
        Err(Failure::Wrong(text)) => (text, EXIT_CONFIG),
        Err(Failure::Director(text)) => (text, EXIT_UNAVAILABLE),
    };
    let _closed = writeln!(io::stderr(), "towline client: {}", text.trim_end());
    ExitCode::from(exit)
}

fn text<'a>(matches: &'a ArgMatches, name: &str) -> Option<&'a str> {
    matches.try_get_one::<String>(name).ok().flatten().map(String::as_str)
}

fn add(matches: &ArgMatches) -> Result<String, Failure> {
    let folder = folder_of(matches);
    let name = text(matches, "name").unwrap_or_default();
    if let Some(fault) = name_fault(name, PeerKind::Client.longest_name()) {
        return Err(Failure::Wrong(fault));
    }
    let way = way_of(matches).map_err(Failure::Wrong)?;
    let seconds = seconds_of(matches).map_err(Failure::Wrong)?;
    let (origin, console) = configurations(folder);
    let loaded = load::<DirectorConfig>(&origin).map_err(|report| Failure::Wrong(report.render(false)))?;
    for (is_there, what) in [
        (
            loaded.config.client(name).is_some(),
            format!("a client {name:?}; for another token say `towline client token {name}`"),
        ),
        (loaded.config.job(name).is_some(), format!("a job {name:?}, and that of the client would be called so too")),
    ] {
        if is_there {
            return Err(Failure::Wrong(format!("the director has {what}")));
        }
    }
    let like = like(&loaded.config, text(matches, "like")).map_err(Failure::Wrong)?;
    let address = director_at(matches, &loaded.config, &console).map_err(Failure::Wrong)?;
    let secret = password().map_err(|error| Failure::Wrong(error.to_string()))?;
    let port = matches.get_one::<u16>("port").copied();
    let own = &loaded.config.director.tls;
    let tls = (loaded.is_conf() && own.mode() == TlsMode::Certificate).then_some(own);
    let new = [client(name, &secret, &way, port, tls), job(name, like, &way)];
    // Whether it can be asked is known before anything is written.
    let mut dialogue =
        Dialogue::connect(&console).map_err(|error| Failure::Director(no_director(&error.to_string())))?;
    // So is whether the client can be given what it needs.
    let drafted = drafted(name, &secret, &way, port);
    letter(&loaded.config, &drafted, &address, folder).map_err(Failure::Wrong)?;
    let files = put(&origin, &new).map_err(Failure::Wrong)?;
    reload(&mut dialogue, name, &files)?;
    let (config, client) = read(&origin, name).map_err(Failure::Wrong)?;
    let when = match &way {
        Way::DialsIn => "once a day, when it dials in".to_owned(),
        _ => like
            .schedule
            .as_ref()
            .map_or_else(|| "when somebody says so".to_owned(), |name| format!("by the schedule {name:?}")),
    };
    let written =
        format!("{} has the client {name:?} now, and a job {name:?} that saves it {when}.\n", files.join(", "));
    token(&config, &client, (&address, folder), seconds, &mut dialogue).map(|token| written + &token)
}

/// The client as it will be in the files.
fn drafted(name: &str, secret: &str, way: &Way, port: Option<u16>) -> Client {
    let mut client = Client::new(name.to_owned(), towline_core::config::Password::new(secret));
    client.port = port.unwrap_or(client.port);
    match way {
        Way::At(address) => client.address = Some(address.clone()),
        Way::Passive(address) => (client.address, client.passive) = (Some(address.clone()), true),
        Way::DialsIn => {
            (client.connection_from_client_to_director, client.connection_from_director_to_client) = (true, false);
        }
    }
    client
}

fn another(matches: &ArgMatches) -> Result<String, Failure> {
    let folder = folder_of(matches);
    let seconds = seconds_of(matches).map_err(Failure::Wrong)?;
    let (origin, console) = configurations(folder);
    let (config, client) = read(&origin, text(matches, "name").unwrap_or_default()).map_err(Failure::Wrong)?;
    let address = director_at(matches, &config, &console).map_err(Failure::Wrong)?;
    let mut dialogue =
        Dialogue::connect(&console).map_err(|error| Failure::Director(no_director(&error.to_string())))?;
    token(&config, &client, (&address, folder), seconds, &mut dialogue)
}

fn no_director(why: &str) -> String {
    format!("{}; start the director first: it keeps what the client is to have", why.trim_end())
}

fn way_of(matches: &ArgMatches) -> Result<Way, String> {
    if matches.get_flag("dials-in") {
        return Ok(Way::DialsIn);
    }
    match text(matches, "address") {
        Some(address) if !is_address(address) => Err(format!("{address:?} is no host name and no IP address")),
        Some(address) if matches.get_flag("passive") => Ok(Way::Passive(address.to_owned())),
        Some(address) => Ok(Way::At(address.to_owned())),
        None => Err("say how the client is reached: --address ADDRESS, or --dials-in if nobody can dial it".to_owned()),
    }
}

fn seconds_of(matches: &ArgMatches) -> Result<u64, String> {
    let wished = text(matches, "valid").unwrap_or("1 h");
    let seconds = Seconds::parse(wished).map(|seconds| seconds.0).filter(|seconds| (1..=MOST).contains(seconds));
    seconds.ok_or_else(|| format!("--valid {wished:?} is no time up to 7 days: write 30 min, 1 h or 2 d"))
}

/// Where a client reaches the director.
fn director_at(matches: &ArgMatches, config: &DirectorConfig, console: &Path) -> Result<String, String> {
    if let Some(address) = text(matches, "director") {
        let is_one = is_address(address);
        return is_one
            .then(|| address.to_owned())
            .ok_or_else(|| format!("{address:?} is no host name and no IP address"));
    }
    let console = load::<ConsoleConfig>(console).map_err(|report| report.render(false))?.config.director.address;
    let known = std::iter::once(console.clone()).chain(config.storages.iter().map(|storage| storage.address.clone()));
    Ok(known.into_iter().find(|address| !is_this_machine(address)).or_else(own_address).unwrap_or(console))
}

fn reload(dialogue: &mut Dialogue, name: &str, files: &[String]) -> Result<(), Failure> {
    let (said, _) = dialogue.ask("reload").map_err(|error| Failure::Director(error.to_string()))?;
    let (shown, _) = dialogue.ask("show clients").map_err(|error| Failure::Director(error.to_string()))?;
    if shown.contains(&format!("{name:?}")) {
        return Ok(());
    }
    let files = files.join(", ");
    Err(Failure::Director(format!(
        "{files} has the client {name:?}, but the director does not go by it:\n{}\nIs it the director of that file? Say `reload` \
         when it is right, then `towline client token {name}`",
        said.trim_end()
    )))
}

/// Makes a token, and says what to do with it.
fn token(
    config: &DirectorConfig,
    client: &Client,
    (address, folder): (&str, &Path),
    seconds: u64,
    dialogue: &mut Dialogue,
) -> Result<String, Failure> {
    let letter = letter(config, client, address, folder).map_err(Failure::Wrong)?;
    let until = now().saturating_add(i64::try_from(seconds).unwrap_or(i64::MAX));
    let own = &config.director;
    let by_key = own.tls.enable && own.tls.psk && !client.passive;
    let gets = if by_key {
        let random = |bytes| hexadecimal(bytes).map_err(|error| Failure::Wrong(error.to_string()));
        let (name, password) = (format!("invitation-{}", random(8)?), random(24)?);
        let line = format!(
            "invite client={:?} name={name} password={password} seconds={seconds} text={}",
            client.name,
            letter.word()
        );
        let (said, _) = dialogue.ask(&line).map_err(|error| Failure::Director(error.to_string()))?;
        if !said.contains("is invited until") {
            return Err(Failure::Director(format!("the director does not invite the client: {}", said.trim_end())));
        }
        Gets::Invitation { name, password }
    } else {
        Gets::Letter(letter)
    };
    let is_letter = matches!(gets, Gets::Letter(_));
    let token = Token {
        director: own.name.clone(),
        address: address.to_owned(),
        port: own.port,
        client: client.name.clone(),
        until,
        gets,
    };
    let why = match (is_letter, client.passive) {
        (false, _) => "The token is good once,",
        (true, true) => "As the client dials nobody, its password is in the token: keep it like one. The token is good",
        (true, false) => {
            "As the director takes no pre-shared keys, the client's password is in the token: keep it like one. The token is good"
        }
    };
    let time = Seconds(seconds);
    let time = serde_json::to_value(time)
        .ok()
        .and_then(|text| text.as_str().map(str::to_owned))
        .unwrap_or_else(|| format!("{seconds} s"));
    Ok(format!(
        "{why} for {time}; the client reaches the director at {address}:{}. On {}, as root:\n\n  towline join {}\n",
        own.port,
        client.name,
        token.line()
    ))
}
