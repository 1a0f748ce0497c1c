//! The port at which programs and people see how all is.

use super::Checker;
use crate::address::Endpoint;
use crate::config::{ConfigPath, Director};
use crate::explain::codes;

/// What is wrong with it. `path` is that of the director.
pub(super) fn check(c: &mut Checker, path: &ConfigPath, director: &Director) {
    let at = path.field("metrics");
    let wanted = director.metrics.as_deref();
    // Only one with a port of its own is right.
    match wanted.map(|text| (text, Endpoint::parse(text, 0))) {
        None => {}
        Some((text, Some(on))) if on.port != 0 && on.address.interface().is_none() => {
            if !on.address.ip.to_canonical().is_loopback() {
                let message = format!("other machines may ask at {text}, in clear text");
                let help = format!("use an address of this machine alone, such as \"127.0.0.1:{}\"", on.port);
                c.warning(codes::CLEAR_METRICS, at, message, help);
            }
        }
        Some((text, _)) => {
            let message = format!("{text:?} is no IP address with a port");
            c.error(codes::BAD_LISTEN, at, message, "write it as \"127.0.0.1:9109\" or \"[::1]:9109\"");
        }
    }
    let Some(token) = &director.page_token else { return };
    let at = path.field("page_token");
    if let Some(fault) = token.fault() {
        c.error(codes::BAD_PASSWORD, at, fault, "write a long random one");
    } else if wanted.is_none() {
        let message = "this has no effect: there is no page without a port for it";
        c.warning(codes::CONTRADICTION, at, message, "give `metrics` an address, or remove `page_token`");
    }
}
