//! Who may log in, with and without TLS.

use serde_json::json;

use super::site::KEEPER;
use super::{Check, Outcome, Session, Site, ensure, hold};

const CLEAR: &str = "keeper-in-clear";

pub(super) const CHECKS: &[Check] = &[
    ("nobody answers at a port without a director", |site| {
        let port = crate::support::daemon::free_port();
        refused(site, json!({ "port": port, "password": "of-the-root" }), "ConnectionError")
    }),
    ("the director's own password opens the default console", |site| {
        let session = site.log_in("text", json!({ "password": "of-the-root" }))?;
        is(&session, "root")
    }),
    ("a console is known by its name", |site| is(&site.text(KEEPER)?, KEEPER)),
    ("an unknown name does not come in", |site| {
        refused(site, json!({ "name": "nobody", "password": "secret" }), "AuthenticationError")
    }),
    ("a wrong password does not come in", |site| {
        refused(site, json!({ "name": KEEPER, "password": "wrong" }), "AuthenticationError")
    }),
    ("a console without TLS comes in clear where it is not required", |site| {
        let session = site.log_in("text", without_tls(CLEAR))?;
        is(&session, CLEAR)?;
        uses(&session, false)
    }),
    ("a console with TLS that is not required comes in clear by the older login", |site| {
        let session = site.log_in("text", without_tls(KEEPER))?;
        is(&session, KEEPER)?;
        uses(&session, false)
    }),
    ("a console with TLS does not come in clear by the newer login", |site| {
        let mut options = without_tls(KEEPER);
        options["protocolversion"] = "new".into();
        refused(site, options, "AuthenticationError")
    }),
    ("TLS is spoken with a console that has it off", |site| {
        let session = site.log_in("text", json!({ "name": CLEAR, "password": "secret", "tls_psk_enable": true }))?;
        is(&session, CLEAR)?;
        uses(&session, true)
    }),
    ("a console with TLS uses it", |site| {
        let session = site.text(KEEPER)?;
        is(&session, KEEPER)?;
        uses(&session, true)
    }),
    ("a console may insist on TLS", |site| {
        let options = json!({ "name": KEEPER, "password": "secret", "tls_psk_require": true });
        uses(&site.log_in("text", options)?, true)
    }),
    ("a console may insist on TLS and on the newer login", |site| {
        let options =
            json!({ "name": KEEPER, "password": "secret", "tls_psk_require": true, "protocolversion": "new" });
        let session = site.log_in("text", options)?;
        by(&session, "new")?;
        uses(&session, true)
    }),
    ("the older login in clear", |site| old(site, CLEAR, false)),
    ("the older login in clear of a console with TLS", |site| old(site, KEEPER, false)),
    ("the older login with TLS of a console that has it off", |site| old(site, CLEAR, true)),
    ("the older login with TLS", |site| old(site, KEEPER, true)),
    ("a file daemon serves its director's name", |site| {
        let session = site.log_in("file", json!({ "name": "d", "password": "of-the-client" }))?;
        super::has(&session.says("status")?, "d (director) connected at: ")
    }),
    ("a file daemon runs a command for its director", |site| {
        let session = site.log_in("file", json!({ "name": "d", "password": "of-the-client" }))?;
        let command = "Command=sh -c \"echo result=$((6 * 7))\"";
        session.ask(json!(["Run", "OnSuccess=1", "OnFailure=1", "AbortOnError=1", "When=2", command]))?;
        super::has(&session.says(json!(["RunBeforeNow"]))?, "ClientBeforeJob: result=42")
    }),
];

#[test]
fn consoles_come_in_as_their_configuration_says() {
    hold(CHECKS);
}

fn without_tls(name: &str) -> serde_json::Value {
    json!({ "name": name, "password": "secret", "tls_psk_enable": false })
}

fn refused(site: &Site, options: serde_json::Value, by: &str) -> Outcome {
    match site.log_in("text", options) {
        Ok(session) => Err(format!("it came in: {}", session.way)),
        Err(why) => ensure(why == by, || why),
    }
}

/// The older login, of the releases before 18.2.
fn old(site: &Site, name: &str, tls: bool) -> Outcome {
    let options = json!({ "name": name, "password": "secret", "tls_psk_enable": tls, "protocolversion": "old" });
    let session = site.log_in("text", options)?;
    is(&session, name)?;
    by(&session, "old")?;
    uses(&session, tls)
}

fn is(session: &Session<'_>, name: &str) -> Outcome {
    let heard = session.says("whoami")?;
    ensure(heard.trim_end() == name, || format!("{heard:?} is not {name:?}"))
}

fn by(session: &Session<'_>, protocol: &str) -> Outcome {
    ensure(session.way["protocol"] == protocol, || session.way.to_string())
}

fn uses(session: &Session<'_>, tls: bool) -> Outcome {
    ensure(session.way["tls"].is_string() == tls, || session.way.to_string())
}
