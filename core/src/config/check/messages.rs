//! Where messages go: what a place needs, and which places there are for whom.

use super::Checker;
use crate::address::is_this_machine;
use crate::calendar::Civil;
use crate::config::{
    ConfigPath, Destination, DestinationKind, DirectorConfig, MailServer, MailTls, Messages, TIMESTAMP, When,
    facilities, facility,
};
use crate::explain::codes;
use crate::nearest::nearest;
use crate::wire::command;

/// A name of one of these resources.
pub(super) fn named(c: &mut Checker, path: &ConfigPath, name: Option<&str>, all: &[Messages]) {
    if let Some(name) = name {
        c.reference(path.field("messages"), "messages", name, all.iter().map(|messages| messages.name.as_str()));
    }
}

/// Those of a director.
pub(super) fn of_director(c: &mut Checker, config: &DirectorConfig) {
    named(c, &ConfigPath::of("director"), config.director.messages.as_deref(), &config.messages);
    c.names("messages", config.messages.iter().map(|messages| messages.name.as_str()));
    for (index, each) in config.messages.iter().enumerate() {
        let path = ConfigPath::of("messages").index(index);
        messages(c, &path, each);
        for (path, to) in places(&path, each) {
            if to.kind == DestinationKind::Director {
                let message = "messages that come to a director are there already";
                c.error(codes::CONTRADICTION, path.field("kind"), message, "remove this destination");
            }
            let by_server = to.command.is_none() && config.mail_server.is_some();
            if by_server && matches!(to.kind, DestinationKind::Mail | DestinationKind::Operator) {
                for (index, address) in to.to.iter().enumerate() {
                    mail_address(c, path.field("to").index(index), address);
                }
            }
        }
    }
    if let Some(server) = &config.mail_server {
        mail_server(c, server);
    }
}

/// Those of a file or storage daemon. `path` is that of the daemon.
pub(super) fn of_daemon(c: &mut Checker, path: &ConfigPath, name: Option<&str>, all: &[Messages]) {
    use DestinationKind::{Append, Director, Mail, Operator, Stderr, Stdout, Syslog};
    let kinds = [Director, Append, Syslog, Mail, Operator, Stdout, Stderr];
    named(c, path, name, all);
    c.names("messages", all.iter().map(|messages| messages.name.as_str()));
    for (index, each) in all.iter().enumerate() {
        let path = ConfigPath::of("messages").index(index);
        messages(c, &path, each);
        let mut seen = Vec::new();
        for (path, to) in places(&path, each) {
            if !kinds.contains(&to.kind) {
                let message = "only a director sends messages to places of this kind";
                let help = "remove this destination, and put it into the `messages` of the director";
                c.error(codes::UNSUPPORTED, path.field("kind"), message, help);
            } else if to.kind != Director && seen.contains(&(to.kind, &to.to, to.when)) {
                let message = "this has no effect: messages go there already";
                c.warning(codes::CONTRADICTION, path.field("kind"), message, "remove all but the first");
            }
            seen.push((to.kind, &to.to, to.when));
        }
        if each.timestamp_format != TIMESTAMP {
            let message = "the director dates messages of jobs";
            c.warning(codes::CONTRADICTION, path.field("timestamp_format"), message, "remove `timestamp_format`");
        }
        if seen.iter().all(|(kind, ..)| *kind != Director) {
            let message = format!("no message of a job reaches its director by messages {:?}", each.name);
            let help = "add a destination of the kind `director`";
            c.warning(codes::EMPTY, path.field("destinations"), message, help);
        }
    }
}

fn places<'a>(path: &ConfigPath, messages: &'a Messages) -> impl Iterator<Item = (ConfigPath, &'a Destination)> {
    let path = path.field("destinations");
    messages.destinations.iter().enumerate().map(move |(index, to)| (path.index(index), to))
}

fn messages(c: &mut Checker, path: &ConfigPath, messages: &Messages) {
    if let Err(letter) = Civil::of(0).format(&messages.timestamp_format) {
        let message = format!("`%{letter}` stands for nothing in a time");
        let help = "write it as `%d-%b %H:%M`, or `%Y-%m-%d %H:%M:%S`";
        c.error(codes::WRONG_VALUE, path.field("timestamp_format"), message, help);
    }
    for (path, to) in places(path, messages) {
        destination(c, &path, to);
    }
}

/// What a place of its kind needs, and what it has no use for.
fn destination(c: &mut Checker, path: &ConfigPath, to: &Destination) {
    use DestinationKind::{Append, Catalog, Console, Director, File, Mail, Operator, Stderr, Stdout, Syslog, Webhook};
    if to.types.is_empty() {
        let help = "write `[\"all\", \"!skipped\"]`, or remove this destination";
        c.error(codes::EMPTY, path.field("types"), "no message goes there", help);
    }
    match to.kind {
        Mail | Operator => addresses(c, path, to),
        Append | File => file(c, path, to),
        Syslog => {
            let wrong = to.to.iter().enumerate().filter(|(index, name)| *index > 0 || facility(name).is_none());
            for (index, name) in wrong {
                let help = nearest(name, facilities()).map_or_else(
                    || format!("write one of {}", facilities().collect::<Vec<_>>().join(", ")),
                    |near| format!("did you mean {near:?}?"),
                );
                let message = format!("{name:?} is no facility of the system's log, or one too many");
                c.error(codes::UNKNOWN_VALUE, path.field("to").index(index), message, help);
            }
        }
        Webhook => {
            c.not_empty(path.field("to"), to.to.len(), "URL");
            for (index, url) in to.to.iter().enumerate().filter(|(_, url)| !is_url(url)) {
                // The rest of it may be secret.
                let message = format!("{:?} is no URL of a webhook", url.chars().take(8).collect::<String>());
                let help = "write it as `https://example.org/hook`";
                c.error(codes::BAD_ADDRESS, path.field("to").index(index), message, help);
            }
        }
        Console | Catalog | Stdout | Stderr | Director if !to.to.is_empty() => {
            let message = "there is one place of this kind, and it has no name";
            c.warning(codes::CONTRADICTION, path.field("to"), message, "remove `to`");
        }
        Console | Catalog | Stdout | Stderr | Director => {}
    }
    if to.command.is_some() && !matches!(to.kind, Mail | Operator) {
        let message = "only mail is sent by a command";
        c.warning(codes::CONTRADICTION, path.field("command"), message, "remove `command`");
    }
    if to.when != When::Always && !matches!(to.kind, Mail | Webhook) {
        let message = "messages go there before anybody knows how their job ends";
        c.warning(codes::CONTRADICTION, path.field("when"), message, "remove `when`");
    }
}

fn addresses(c: &mut Checker, path: &ConfigPath, to: &Destination) {
    c.not_empty(path.field("to"), to.to.len(), "address");
    for (index, address) in to.to.iter().enumerate() {
        if address.is_empty() || address.starts_with('-') || address.contains(|c: char| c.is_control() || c == ' ') {
            let message = format!("{address:?} is no address of mail");
            c.error(codes::BAD_ADDRESS, path.field("to").index(index), message, "write it as `root@example.org`");
        }
    }
    if to.command.as_deref().is_some_and(|text| command::split(text).is_empty()) {
        let help = "write a program and its arguments, or remove `command`";
        c.error(codes::EMPTY, path.field("command"), "there is no command", help);
    }
}

fn file(c: &mut Checker, path: &ConfigPath, to: &Destination) {
    if to.to.len() != 1 {
        let help = "write `to: [\"/var/log/towline/jobs.log\"]`";
        return c.error(codes::EMPTY, path.field("to"), "a destination of this kind is one file", help);
    }
    for (index, file) in to.to.iter().enumerate().filter(|(_, file)| !file.starts_with('/')) {
        let help = "write it from the root: `/var/log/towline/jobs.log`";
        let message = format!("{file:?} is not an absolute path");
        c.error(codes::RELATIVE_PATH, path.field("to").index(index), message, help);
    }
}

fn is_url(url: &str) -> bool {
    let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"));
    let host = rest.and_then(|rest| rest.split(['/', '?', '#']).next()).unwrap_or_default();
    !host.is_empty() && !url.contains(|c: char| c.is_whitespace() || c.is_control())
}

/// An address that a server takes.
fn mail_address(c: &mut Checker, path: ConfigPath, address: &str) {
    let parts = address.rsplit_once('@').filter(|(name, host)| !name.is_empty() && !host.is_empty());
    if parts.is_none() {
        let message = format!("{address:?} is no address that a mail server takes");
        c.error(codes::BAD_ADDRESS, path, message, "write it as `root@example.org`");
    }
}

fn mail_server(c: &mut Checker, server: &MailServer) {
    let path = ConfigPath::of("mail_server");
    c.address(path.field("host"), &server.host);
    c.port(&path, server.port);
    mail_address(c, path.field("from"), &server.from);
    c.not_zero(path.field("time_limit"), server.time_limit.0);
    match (&server.user, &server.password_file) {
        (Some(_), None) => {
            let message = "the user has no password";
            c.error(codes::MISSING_FIELD, path.field("user"), message, "add `password_file`, or remove `user`");
        }
        (None, Some(_)) => {
            let message = "the password has no user";
            c.error(
                codes::MISSING_FIELD,
                path.field("password_file"),
                message,
                "add `user`, or remove `password_file`",
            );
        }
        _ => {}
    }
    let is_clear = matches!(server.tls, MailTls::Off | MailTls::Opportunistic);
    if server.user.is_some() && is_clear && !is_this_machine(&server.host) {
        let message = "the password could be sent in clear text";
        c.error(codes::CONTRADICTION, path.field("tls"), message, "set `tls: starttls`, or `tls: on` for port 465");
    }
    if server.ca.is_some() && server.tls == MailTls::Off {
        let message = "without encryption nobody is verified";
        c.warning(codes::CONTRADICTION, path.field("ca"), message, "remove `ca`, or set `tls: starttls`");
    }
}
