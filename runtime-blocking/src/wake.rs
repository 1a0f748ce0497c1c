//! A descriptor that wakes a thread out of `poll(2)`.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::Duration;

use rustix::event::{EventfdFlags, PollFd, PollFlags, Timespec, eventfd, poll};

use crate::shared::Wake;

/// Set by any thread, seen by the one that polls it.
#[derive(Debug)]
pub(crate) struct WakeFd(OwnedFd);

impl WakeFd {
    pub(crate) fn new() -> io::Result<Self> {
        Ok(Self(eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?))
    }
}

impl Wake for WakeFd {
    fn set(&self) {
        // It can only fail when it is set 2^64 - 2 times over.
        let _ = rustix::io::write(&self.0, &1u64.to_ne_bytes());
    }

    fn clear(&self) {
        let _ = rustix::io::read(&self.0, &mut [0; 8]);
    }
}

/// What to wait for on a socket.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Readiness {
    pub(crate) read: bool,
    pub(crate) write: bool,
}

/// Waits for the wake-up, the socket or the time, whichever comes first. True if the wake-up is set.
pub(crate) fn wait(wake: &WakeFd, socket: Option<(BorrowedFd<'_>, Readiness)>, within: Option<Duration>) -> bool {
    let within = within.and_then(|span| Timespec::try_from(span).ok());
    let mine = PollFd::from_borrowed_fd(wake.0.as_fd(), PollFlags::IN);
    let outcome = match socket {
        // A socket nobody wants anything of is left out: poll would report its errors again and again.
        Some((fd, ready)) if ready.read || ready.write => {
            let mut events = PollFlags::empty();
            events.set(PollFlags::IN, ready.read);
            events.set(PollFlags::OUT, ready.write);
            let mut fds = [mine, PollFd::from_borrowed_fd(fd, events)];
            poll(&mut fds, within.as_ref()).map(|_| !fds[0].revents().is_empty())
        }
        _ => {
            let mut fds = [mine];
            poll(&mut fds, within.as_ref()).map(|_| !fds[0].revents().is_empty())
        }
    };
    // Interrupted by a signal, or short of memory: the caller looks at everything and waits again.
    outcome.unwrap_or(false)
}
