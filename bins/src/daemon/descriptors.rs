//! How many files and sockets the process may have open.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// More than any daemon has use for; and whoever closes all that could be open, as some libraries do, is still done soon.
const MOST: u64 = 1 << 20;

/// Raises the limit of this process from the soft to the hard one. The soft one, often 1,024, is meant for programs that
/// call `select(2)`, which nothing here does; a director with a thousand clients that wait needs more.
pub fn raise_descriptor_limit() {
    let limit = getrlimit(Resource::Nofile);
    let wanted = limit.maximum.unwrap_or(MOST).min(MOST);
    if limit.current.is_some_and(|current| current < wanted) {
        let raised = Rlimit { current: Some(wanted), maximum: limit.maximum };
        if let Err(error) = setrlimit(Resource::Nofile, raised) {
            tracing::debug!("the limit of open files stays as it is: {error}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limit_goes_up_to_the_hard_one_and_never_down() {
        let before = getrlimit(Resource::Nofile);
        let low = Rlimit { current: Some(512), maximum: before.maximum };
        setrlimit(Resource::Nofile, low).unwrap();
        raise_descriptor_limit();
        let hard = before.maximum.unwrap_or(MOST).min(MOST);
        assert_eq!(getrlimit(Resource::Nofile).current, Some(hard));
        raise_descriptor_limit();
        assert_eq!(getrlimit(Resource::Nofile), Rlimit { current: Some(hard), maximum: before.maximum });
    }
}
