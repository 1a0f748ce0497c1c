//! Name look-ups by the system's resolver.

use std::io;
use std::net::{SocketAddr, ToSocketAddrs};

use towline_core::socket::ResolveError;

/// Asks the system's resolver, and waits for it.
///
/// # Errors
/// The name has no address, or the resolver cannot say.
pub fn look_up(host: &str, port: u16) -> Result<Vec<SocketAddr>, ResolveError> {
    match (host, port).to_socket_addrs() {
        Ok(addresses) => {
            Some(addresses.collect::<Vec<_>>()).filter(|all| !all.is_empty()).ok_or(ResolveError::NoSuchName)
        }
        Err(error) => Err(why(&error)),
    }
}

/// The standard library keeps the resolver's number to itself; its words (glibc's, musl's, the BSDs') say it too.
fn why(error: &io::Error) -> ResolveError {
    const NO_SUCH_NAME: [&str; 5] =
        ["not known", "does not resolve", "No address associated", "no usable address", "nodename nor servname"];
    let text = error.to_string();
    let final_word =
        error.kind() == io::ErrorKind::InvalidInput || NO_SUCH_NAME.iter().any(|words| text.contains(words));
    if final_word { ResolveError::NoSuchName } else { ResolveError::Temporary }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_literal_address_needs_no_resolver() {
        assert_eq!(look_up("127.0.0.1", 9102), Ok(vec![([127, 0, 0, 1], 9102).into()]));
        assert_eq!(look_up("::1", 9102), Ok(vec![([0, 0, 0, 0, 0, 0, 0, 1], 9102).into()]));
    }

    #[test]
    fn the_resolvers_words_tell_a_wrong_name_from_a_bad_day() {
        let said = |text: &str| why(&io::Error::other(format!("failed to lookup address information: {text}")));
        assert_eq!(said("Name or service not known"), ResolveError::NoSuchName);
        assert_eq!(said("Name does not resolve"), ResolveError::NoSuchName);
        assert_eq!(said("No address associated with hostname"), ResolveError::NoSuchName);
        assert_eq!(said("Temporary failure in name resolution"), ResolveError::Temporary);
        assert_eq!(said("Try again"), ResolveError::Temporary);
    }

    #[test]
    fn a_name_with_a_nul_is_wrong_for_good() {
        assert_eq!(look_up("a\0b", 1), Err(ResolveError::NoSuchName));
    }
}
