//! What a client is to have: the configuration of its file daemon, and certificates where the director uses them.

use std::path::{Path, PathBuf};

use towline_core::config::{Client, DirectorConfig, FileConfig, TlsMode};

use super::token::Letter;
use crate::config::{built, parse};
use crate::fresh::quoted;
use crate::init::certificates::{Authority, FOLDER};

/// The name of the configuration.
pub(super) const FILE: &str = "file-daemon.ron";
/// The folder that the daemon works in, beside it.
pub(super) const STATE: &str = "state";

/// Everything for a client of a director that it reaches at an address.
///
/// # Errors
/// Why it cannot be made, with what to do.
pub(super) fn letter(config: &DirectorConfig, client: &Client, address: &str, folder: &Path) -> Result<Letter, String> {
    // Storage daemons dial and are dialled as the director's own settings are, whatever this client has towards the director.
    let mode = match (config.director.tls.mode(), config.client_tls(client).mode()) {
        (TlsMode::Certificate, _) => TlsMode::Certificate,
        (_, mode) => mode,
    };
    let mut files = Vec::new();
    let tls = match mode {
        TlsMode::Off => "        tls: (enable: false, require: false), // as the director has it\n",
        TlsMode::Psk => "",
        TlsMode::Certificate => {
            files.extend(certificates(client, folder)?);
            "        tls: (certificate: \"certificate.pem\", key: \"key.pem\", ca: \"ca.pem\", verify_peer: true),\n"
        }
    };
    let text = text(config, client, address, tls);
    parse::<FileConfig>(FILE, &text, built()).map_err(|report| {
        format!("the client's configuration is refused, please report it:\n{}", report.render(false))
    })?;
    files.insert(0, (FILE.to_owned(), text));
    let mut storages = Vec::new();
    for job in config.jobs.iter().filter(|job| job.client == client.name) {
        if !storages.contains(&job.storage) {
            storages.push(job.storage.clone());
        }
    }
    Ok(Letter { client: client.name.clone(), storages, files })
}

fn text(config: &DirectorConfig, client: &Client, address: &str, tls: &str) -> String {
    let dials_in = client.connection_from_client_to_director && !client.connection_from_director_to_client;
    let listens = match dials_in {
        true => "        listen: [], // nobody dials this machine\n".to_owned(),
        false => format!("        port: {}, // the director comes here\n", client.port),
    };
    let dials = match dials_in {
        true => format!(
            "            address: {}, // this machine dials the director and waits there for jobs\n            port: {},\n            \
             connection_from_client_to_director: true,\n            connection_from_director_to_client: false,\n",
            quoted(address),
            config.director.port
        ),
        false => String::new(),
    };
    let key = client.password.key();
    format!(
        r#"// The file daemon: it reads what is saved and writes what is restored. Written by `towline join`; run it as root to save and
// restore all files of the machine. `towline-fd -t -c {FILE}` tests this file; the signal HUP has it read again.
(
    file: (
        name: {name},
{listens}        working_directory: "{STATE}",
{tls}        // Folders whose programs a director's jobs may run here; without it any program.
        // allowed_script_dir: ["/etc/towline/scripts"],
    ),
    directors: [
        (
            name: {director},
            password: "[md5]{key}", // the key made of the password in the director's `clients`
{dials}        ),
    ],
)
"#,
        name = quoted(&client.name),
        director = quoted(&config.director.name),
        key = key.expose_text(),
    )
}

/// A certificate of the authority that `towline init` has made.
fn certificates(client: &Client, folder: &Path) -> Result<Vec<(String, String)>, String> {
    let folder = folder.join(FOLDER);
    let read = |name: &str| {
        let file: PathBuf = folder.join(name);
        std::fs::read_to_string(&file).map_err(|error| {
            format!(
                "the director uses certificates, and {} cannot be read, which would sign one for the client: {error}; make a \
                 certificate with your own authority, and copy `towline export` of the client",
                file.display()
            )
        })
    };
    let (ca, key) = (read("ca.pem")?, read("ca-key.pem")?);
    let mut names = vec![client.name.as_str(), "localhost", "127.0.0.1"];
    names.extend(client.address.as_deref());
    let signed = Authority::of(&ca, &key).and_then(|authority| authority.certificate(&client.name, &names));
    let (certificate, key) = signed.map_err(|error| format!("cannot make a certificate for the client: {error}"))?;
    let named = |name: &str, text: String| (name.to_owned(), text);
    Ok(vec![named("ca.pem", ca), named("certificate.pem", certificate), named("key.pem", key)])
}
