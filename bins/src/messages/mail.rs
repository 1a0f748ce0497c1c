//! Mail to a server.

use std::io::BufRead as _;
use std::path::Path;
use std::time::Duration;

use lettre::message::header::{ContentType, HeaderName, HeaderValue};
use lettre::message::{Mailbox, Message};
use lettre::transport::smtp::Error;
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Certificate, CertificateStore, Tls, TlsParameters};
use lettre::{SmtpTransport, Transport as _};
use towline_core::config::{MailServer, MailTls};
use towline_core::work::delivery::{Mail, Undelivered};

/// Hands a mail to its server.
pub(super) fn send(mail: &Mail, folder: &Path, limit: Duration) -> Result<(), Undelivered> {
    let message = compose(mail)?;
    let server = &mail.server;
    let mut transport = SmtpTransport::builder_dangerous(server.host.as_str())
        .port(server.port)
        .timeout(Some(limit))
        .tls(encryption(server, folder)?);
    if let (Some(user), Some(file)) = (&server.user, &server.password_file) {
        transport = transport.credentials(Credentials::new(user.clone(), password(&folder.join(file))?));
    }
    match transport.build().send(&message) {
        Ok(_) => Ok(()),
        Err(error) => Err(undelivered(&error, limit)),
    }
}

fn compose(mail: &Mail) -> Result<Message, Undelivered> {
    let address = |text: &str| {
        let wrong = |error| Undelivered::Unprepared(format!("{text:?} is no address of mail: {error}"));
        text.parse::<Mailbox>().map_err(wrong)
    };
    let mut message = Message::builder().from(address(&mail.server.from)?).subject(&*mail.subject).message_id(None);
    for to in &mail.to {
        message = message.to(address(to)?);
    }
    // No mailbox answers a daemon that it is on holiday (RFC 3834 §5).
    let automatic = HeaderName::new_from_ascii_str("Auto-Submitted");
    let message = message.raw_header(HeaderValue::new(automatic, "auto-generated".to_owned()));
    let message = message.header(ContentType::TEXT_PLAIN).body(mail.body.clone());
    message.map_err(|error| Undelivered::Unprepared(format!("the mail cannot be written: {error}")))
}

fn encryption(server: &MailServer, folder: &Path) -> Result<Tls, Undelivered> {
    if server.tls == MailTls::Off {
        return Ok(Tls::None);
    }
    let mut parameters = TlsParameters::builder(server.host.clone());
    if let Some(file) = &server.ca {
        let path = folder.join(file);
        let unusable = |why: String| Undelivered::Unprepared(format!("{}: {why}", path.display()));
        let pem = std::fs::read(&path).map_err(|error| unusable(error.to_string()))?;
        let certificate = Certificate::from_pem(&pem).map_err(|error| unusable(error.to_string()))?;
        parameters = parameters.certificate_store(CertificateStore::None).add_root_certificate(certificate);
    }
    let parameters = parameters.build_rustls().map_err(|error| Undelivered::Encryption(error.to_string()))?;
    Ok(match server.tls {
        MailTls::On => Tls::Wrapper(parameters),
        MailTls::Starttls => Tls::Required(parameters),
        _ => Tls::Opportunistic(parameters),
    })
}

/// The first line of a file.
fn password(path: &Path) -> Result<String, Undelivered> {
    let unusable = |why: String| Undelivered::Unprepared(format!("{}: {why}", path.display()));
    let file = std::fs::File::open(path).map_err(|error| unusable(error.to_string()))?;
    let mut line = String::new();
    std::io::BufReader::new(file).read_line(&mut line).map_err(|error| unusable(error.to_string()))?;
    let password = line.trim_end_matches(['\r', '\n']);
    if password.is_empty() {
        Err(unusable("there is no password in its first line".to_owned()))
    } else {
        Ok(password.to_owned())
    }
}

/// What a server, or the way to it, has said.
fn undelivered(error: &Error, limit: Duration) -> Undelivered {
    let text = words(error);
    let code = error.status().map(u16::from);
    match code {
        _ if error.is_timeout() => Undelivered::TooSlow(limit.as_secs()),
        Some(530 | 534 | 535 | 538) => Undelivered::Login(text),
        _ if error.is_permanent() => Undelivered::Refused(text),
        _ if error.is_transient() => Undelivered::Busy(text),
        _ if error.is_tls() || is_of_tls(error) => Undelivered::Encryption(text),
        // It offers no STARTTLS, or no way to log in.
        _ if error.is_client() && text.contains("TLS") => Undelivered::Encryption(text),
        _ if error.is_client() => Undelivered::Login(text),
        _ if error.is_response() => Undelivered::Busy(text),
        _ => Undelivered::Unreachable(text),
    }
}

/// Whether it began with an error of TLS: a certificate that is not trusted comes as an error of the network.
fn is_of_tls(error: &(dyn std::error::Error + 'static)) -> bool {
    let is_wrapped = |error: &std::io::Error| error.get_ref().is_some_and(|inner| inner.is::<rustls::Error>());
    let is_it = error.is::<rustls::Error>() || error.downcast_ref().is_some_and(is_wrapped);
    is_it || error.source().is_some_and(is_of_tls)
}

/// An error with all that is beneath it.
fn words(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut beneath = error.source();
    while let Some(error) = beneath {
        let more = error.to_string();
        if !text.contains(&more) {
            text += &format!(": {more}");
        }
        beneath = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mail(to: &str, subject: &str, body: &str) -> Mail {
        let server = MailServer::new("localhost".to_owned(), "towline@example.org".to_owned());
        Mail { server, to: vec![to.to_owned()], subject: subject.to_owned(), body: body.to_owned() }
    }

    #[test]
    fn a_mail_has_its_heads_and_nothing_in_it_adds_one() {
        let message = compose(&mail("root@example.org", "Backup OK\r\nBcc: all@example.org", "one\n.\ntwo\n")).unwrap();
        let text = String::from_utf8(message.formatted()).unwrap();
        let (head, _) = text.split_once("\r\n\r\n").unwrap();
        for line in ["From: towline@example.org", "To: root@example.org", "Auto-Submitted: auto-generated"] {
            assert!(head.lines().any(|found| found == line), "{head}");
        }
        assert!(!head.lines().any(|line| line.starts_with("Bcc")), "{head}");
        assert!(head.contains("Date: ") && head.contains("Message-ID: <"), "{head}");
    }

    #[test]
    fn what_cannot_be_sent_is_told_before_anybody_is_called() {
        assert!(matches!(compose(&mail("nobody", "x", "x")), Err(Undelivered::Unprepared(_))));
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("password");
        assert!(matches!(password(&path), Err(Undelivered::Unprepared(_))));
        std::fs::write(&path, "\n").unwrap();
        assert!(matches!(password(&path), Err(Undelivered::Unprepared(_))));
        std::fs::write(&path, "se cret\r\nmore\n").unwrap();
        assert_eq!(password(&path).as_deref(), Ok("se cret"));
        let mut other = mail("a@b.example", "x", "x").server;
        other.ca = Some("none.pem".to_owned());
        assert!(matches!(encryption(&other, folder.path()), Err(Undelivered::Unprepared(_))));
    }
}
