//! Connections that wait at a listener because the system does not hand them over, as a rule for want of a descriptor:
//! said at once, then counted once a minute until it is over.

use std::time::Duration;

use super::net::{AnyNet, Owner, TimerKey};
use crate::notice::Level;
use crate::socket::IoKind;
use crate::time::Instant;

/// How often the rest is counted.
const MINUTE: Duration = Duration::from_secs(60);

/// A shortage that lasts, if there is one.
#[derive(Debug, Default)]
pub(super) struct Shortage(Option<Lasting>);

#[derive(Debug)]
struct Lasting {
    since: Instant,
    /// What the system said last, and how often since the last line.
    error: IoKind,
    unsaid: u64,
}

impl AnyNet {
    /// The system has not handed over a connection that waits. The adapter asks again after a pause.
    pub(super) fn on_not_accepted(&mut self, error: IoKind) {
        if error == IoKind::Exhausted {
            self.free_descriptor();
        }
        if let Some(lasting) = &mut self.shortage.0 {
            lasting.error = error;
            lasting.unsaid += 1;
            return;
        }
        self.shortage.0 = Some(Lasting { since: self.now, error, unsaid: 0 });
        let text = format!("cannot accept a connection: {error}; it waits, and is tried again ten times a second");
        self.complain(Level::Warn, code(error), &text);
        self.count_shortage_later();
    }

    /// A minute is over: says how often it happened, or that it is over.
    pub(super) fn count_shortage(&mut self) {
        let Some(lasting) = &mut self.shortage.0 else { return };
        let (error, count) = (lasting.error, std::mem::take(&mut lasting.unsaid));
        if count == 0 {
            self.shortage.0 = None;
            return self.log(Level::Info, "connections are accepted again");
        }
        let seconds = self.now.since(lasting.since).as_secs();
        let text =
            format!("connections wait to be accepted: {error}, {count} times since the last line, for {seconds} s now");
        self.complain(Level::Warn, code(error), &text);
        self.count_shortage_later();
    }

    fn count_shortage_later(&mut self) {
        let key = TimerKey(self.next_id());
        self.arm(self.now + MINUTE, key, Owner::Shortage, "count of connections that could not be accepted");
    }
}

const fn code(error: IoKind) -> u16 {
    match error {
        IoKind::Exhausted => 317,
        _ => 921,
    }
}
