//! `towline export`: what the file daemon of a client needs to know of its director, as `configure export` of a console
//! says it.

use std::io::{self, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Arg, ArgMatches, Command, value_parser};
use towline_core::config::{Client, DirectorConfig};
use towline_core::nearest::nearest;

use crate::config::{EXIT_CONFIG, load};
use crate::daemon::say;

/// The subcommand.
#[must_use]
pub fn command() -> Command {
    Command::new("export")
        .about("Prints the resource of a director for the configuration of one of its clients")
        .after_help(
            "towline export /etc/bareos client-fd > /etc/bareos/bareos-fd.d/director/dir.conf\n\
             towline export director.ron client-fd --to ron\n\n\
             What is printed has the password that both ends need.",
        )
        .arg(
            Arg::new("path")
                .value_name("FILE|FOLDER")
                .value_parser(value_parser!(PathBuf))
                .required(true)
                .help("The configuration of the director"),
        )
        .arg(Arg::new("client").value_name("CLIENT").required(true).help("The name of the client"))
        .arg(
            Arg::new("to")
                .long("to")
                .value_parser(["ron", "conf"])
                .help("The syntax; that of the director's configuration unless this says otherwise"),
        )
}

/// Prints the resource.
#[must_use]
pub fn run(matches: &ArgMatches) -> ExitCode {
    let path = matches.get_one::<PathBuf>("path").cloned().unwrap_or_default();
    let text = |name: &str| matches.get_one::<String>(name).map(String::as_str);
    match export(&path, text("client").unwrap_or_default(), text("to")) {
        Ok(resource) => {
            say(&resource);
            ExitCode::SUCCESS
        }
        Err(text) => {
            let _closed = writeln!(io::stderr(), "towline export: {}", text.trim_end());
            ExitCode::from(EXIT_CONFIG)
        }
    }
}

fn export(path: &std::path::Path, name: &str, to: Option<&str>) -> Result<String, String> {
    let loaded = load::<DirectorConfig>(path).map_err(|report| report.render(false))?;
    let config = &loaded.config;
    let Some(client) = config.client(name) else {
        let near = nearest(name, config.clients.iter().map(|client| client.name.as_str()));
        let meant = near.map_or_else(String::new, |near| format!("; did you mean {near:?}?"));
        return Err(format!("the director has no client {name:?}{meant}"));
    };
    let is_conf = to.map_or_else(|| loaded.is_conf(), |to| to == "conf");
    Ok(resource(&config.director.name, client, is_conf))
}

fn resource(director: &str, client: &Client, is_conf: bool) -> String {
    let key = client.password.key();
    let key = String::from_utf8_lossy(key.expose());
    match is_conf {
        true => format!("Director {{\n  Name = \"{director}\"\n  Password = \"[md5]{key}\"\n}}\n"),
        false => format!("(name: {director:?}, password: \"[md5]{key}\"),\n"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::parse;
    use towline_core::config::{Built, FileConfig};

    const BUILT: Built = Built { psk: true };

    #[test]
    fn the_other_end_reads_what_is_printed_and_has_the_same_key() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("director.ron");
        let text = r#"(director: (name: "dir", password: "p"), clients: [(name: "fd", address: "a.example", password: "geheim")])"#;
        std::fs::write(&file, text).unwrap();
        let conf = export(&file, "fd", Some("conf")).unwrap();
        assert!(conf.starts_with("Director {\n  Name = \"dir\"\n  Password = \"[md5]"), "{conf}");
        assert!(!conf.contains("geheim"));
        let entry = export(&file, "fd", None).unwrap();
        let ron = format!("(file: (name: \"fd\"), directors: [{entry}])");
        let (read, _) = parse::<FileConfig>("", &ron, BUILT).unwrap();
        let wanted = towline_core::config::Password::new("geheim").key();
        assert_eq!(read.directors[0].password.key().expose(), wanted.expose());
        assert!(export(&file, "df", None).unwrap_err().contains("did you mean \"fd\"?"));
    }
}
