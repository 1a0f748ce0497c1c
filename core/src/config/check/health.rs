//! The port at which programs and people see the director's state.

use super::Checker;
use crate::address::Endpoint;
use crate::config::{ConfigPath, Director};
use crate::explain::codes;

/// What is wrong with it. `path` is that of the director.
pub(super) fn check(c: &mut Checker, path: &ConfigPath, director: &Director) {
    let at = path.field("metrics");
    let wanted = director.metrics.as_deref();
    if let Some(text) = wanted {
        // Only one with a port of its own is right.
        let right = |on: &Endpoint| on.port != 0 && on.address.interface().is_none();
        match Endpoint::parse(text, 0).filter(right) {
            None => {
                let message = format!("{text:?} is no IP address with a port");
                c.error(codes::BAD_LISTEN, at, message, "write it as \"127.0.0.1:9109\" or \"[::1]:9109\"");
            }
            Some(on) if on.address.ip.to_canonical().is_loopback() => {}
            Some(on) => {
                let message = format!("other machines may ask at {text}, in clear text");
                let help = format!("use an address of this machine alone, such as \"127.0.0.1:{}\"", on.port);
                c.warning(codes::CLEAR_METRICS, at, message, help);
            }
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
