//! `towline explain`: the page of a code, and which way a job's data would go.

use std::io::{self, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Arg, ArgMatches, Command, value_parser};
use towline_core::channel;
use towline_core::config::DirectorConfig;
use towline_core::error::Code;
use towline_core::explain::page;

use crate::config::{EXIT_CONFIG, load};
use crate::daemon::director::DirectorDaemon;
use crate::daemon::{Daemon as _, say};

/// The subcommand.
#[must_use]
pub fn command() -> Command {
    Command::new("explain")
        .about("Says what a code means, or which way the data of a client or a copy goes, and why")
        .after_help(
            "towline explain T0103\n\
             towline explain --config director.ron client=laptop-fd storage=backup-sd\n\
             towline explain --config director.ron storage=backup-sd copy-to=offsite-sd",
        )
        .arg(
            Arg::new("config")
                .long("config")
                .value_name("FILE")
                .help("The director's configuration")
                .value_parser(value_parser!(PathBuf))
                .default_value(DirectorDaemon::FILE),
        )
        .arg(
            Arg::new("what")
                .value_name("CODE|client=NAME|storage=NAME|copy-to=NAME")
                .help("A code, or the two ends of a data channel")
                .num_args(1..)
                .required(true),
        )
}

/// Explains; 0 if there was something to explain.
#[must_use]
pub fn run(matches: &ArgMatches) -> ExitCode {
    let words: Vec<&str> = matches.get_many::<String>("what").into_iter().flatten().map(String::as_str).collect();
    match explained(&words, matches.get_one::<PathBuf>("config")) {
        Ok(text) => {
            say(&text);
            ExitCode::SUCCESS
        }
        Err(text) => {
            let _closed = writeln!(io::stderr(), "towline explain: {}", text.trim_end());
            ExitCode::from(EXIT_CONFIG)
        }
    }
}

fn explained(words: &[&str], file: Option<&PathBuf>) -> Result<String, String> {
    if let [word] = words
        && !word.contains('=')
    {
        let number = word.strip_prefix(['T', 't']).unwrap_or(word).parse().ok();
        let found = number.and_then(|number| page(Code(number)));
        return found.map(|page| format!("{page}\n")).ok_or_else(|| format!("there is no code {word}"));
    }
    let (mut client, mut storage, mut copy_to) = (None, None, None);
    for word in words {
        let end = match word.split_once('=') {
            Some(("client", name)) => client.replace(name),
            Some(("storage", name)) => storage.replace(name),
            Some(("copy-to", name)) => copy_to.replace(name),
            _ => return Err(format!("{word:?} is none of client=NAME, storage=NAME and copy-to=NAME")),
        };
        if end.is_some() {
            return Err(format!("{word:?} comes twice"));
        }
    }
    let file = file.ok_or_else(|| "no configuration is named".to_owned())?;
    let loaded = load::<DirectorConfig>(file).map_err(|report| report.render(false))?;
    channel::explain(&loaded.config, client, storage, copy_to)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_explained_in_any_spelling_and_another_word_is_not() {
        for word in ["T0103", "t0103", "103"] {
            assert!(explained(&[word], None).unwrap().starts_with("T0103: "), "{word}");
        }
        for word in ["T9999", "T", "what"] {
            assert_eq!(explained(&[word], None), Err(format!("there is no code {word}")));
        }
    }

    #[test]
    fn the_ends_of_a_channel_are_named_once_each() {
        assert!(explained(&["client=a", "client=b"], None).unwrap_err().contains("comes twice"));
        assert!(explained(&["client=a", "pool=b"], None).unwrap_err().contains("none of"));
    }

    #[test]
    fn a_channel_is_explained_from_the_directors_configuration() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("director.ron");
        let text = r#"(director: (name: "dir", password: "a long one to be sure"),
            clients: [(name: "fd", address: "fd.example", passive: true, lan_address: "10.0.0.10",
                       password: "another long one")],
            storages: [(name: "sd", address: "sd.example", lan_address: "10.0.0.20", password: "the third long one",
                        device: "d", media_type: "m")])"#;
        std::fs::write(&file, text).unwrap();
        let text = explained(&["storage=sd", "client=fd"], Some(&file)).unwrap();
        let path = "Connection 7: storage daemon \"sd\" dials file daemon \"fd\" at 10.0.0.10:9102, LAN address\n  - ";
        assert!(text.starts_with(path), "{text}");
        assert!(explained(&["storage=sd", "client=df"], Some(&file)).unwrap_err().contains("did you mean \"fd\"?"));
    }
}
