//! Lines about connections that are refused: the first of a kind at once, then a count a minute, in bounded memory.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use super::crowd::Prefix;
use super::net::{AnyNet, Owner, TimerKey};
use crate::error::{Code, Fault};
use crate::limits;
use crate::notice::Level;

/// How often the rest is counted.
const MINUTE: Duration = Duration::from_secs(60);

/// What was refused lately.
#[derive(Debug, Default)]
pub(super) struct Refusals {
    /// By cause and source; without a source once there are too many of them.
    seen: BTreeMap<(Code, Option<Prefix>), Seen>,
}

#[derive(Debug)]
struct Seen {
    fault: Fault,
    unlogged: u64,
    last: SocketAddr,
    /// Why, and what to do.
    text: String,
}

impl AnyNet {
    /// Logs that a connection from `peer` was refused: `text` says why and what to do.
    pub(super) fn log_refusal(&mut self, cause: (Fault, Code), peer: SocketAddr, text: String) {
        let seen = &mut self.refusals.seen;
        let key = match (cause.1, Some(Prefix::host(peer.ip()))) {
            key if seen.contains_key(&key) || seen.len() < limits::REFUSALS => key,
            (code, _) => (code, None),
        };
        if let Some(seen) = seen.get_mut(&key) {
            seen.unlogged += 1;
            seen.last = peer;
            seen.text = text;
            return;
        }
        let is_first = seen.is_empty();
        self.log_cause(Level::Warn, cause, &format!("connection from {peer} refused: {text}"));
        self.refusals.seen.insert(key, Seen { fault: cause.0, unlogged: 0, last: peer, text });
        if is_first {
            self.count_later();
        }
    }

    /// A minute is over: says how many more there were, and forgets who has stopped.
    pub(super) fn count_refusals(&mut self) {
        let mut seen = std::mem::take(&mut self.refusals.seen);
        seen.retain(|_, seen| seen.unlogged > 0);
        for ((code, _), seen) in &mut seen {
            let (count, last, why) = (seen.unlogged, seen.last, &seen.text);
            let text = format!("{count} more connections refused in the last minute, the last one from {last}: {why}");
            self.log_cause(Level::Warn, (seen.fault, *code), &text);
            seen.unlogged = 0;
        }
        if !seen.is_empty() {
            self.count_later();
        }
        self.refusals.seen = seen;
    }

    fn count_later(&mut self) {
        let key = TimerKey(self.next_id());
        self.arm(self.now + MINUTE, key, Owner::Refusals, "count of refused connections");
    }
}
