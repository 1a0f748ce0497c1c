//! `setdebug` of a director: how much the daemon's log says, and whether a file has it too (`wire/2 §1.2`).

use crate::node::AnyNet;
use crate::notice::{Level, LogDetail, Notice};
use crate::wire::file::Debug;

/// What directors have said of the log since the daemon's start.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Debugging {
    level: u32,
    trace: bool,
    timestamp: bool,
}

impl Debugging {
    /// Does what is asked, as far as it is not negative. Returns what is so now and the path of the trace. The daemon is
    /// called `name` and works in `folder`; without one the file is where the daemon was started.
    pub(super) fn set(&mut self, net: &mut AnyNet, name: &str, folder: Option<&str>, asked: &Debug) -> (Debug, String) {
        self.level = u32::try_from(asked.level).unwrap_or(self.level);
        self.trace = flag(asked.trace, self.trace);
        self.timestamp = asked.timestamp.map_or(self.timestamp, |asked| flag(asked, self.timestamp));
        let file = trace_file(name);
        let path = format!("{}/{file}", folder.unwrap_or(".").trim_end_matches('/'));
        let trace = self.trace.then_some(file);
        net.notify(Notice::Detail(LogDetail { level: self.level, trace, timestamp: self.timestamp }));
        if asked.hangup.is_some_and(|count| count > 0) {
            net.log(Level::Info, "`hangup` of a director's `setdebug` is for tests of Bareos: nothing hangs up here");
        }
        let now = Debug {
            level: asked.level,
            trace: self.trace.into(),
            hangup: Some(0),
            timestamp: asked.timestamp.map(|_| self.timestamp.into()),
        };
        (now, path)
    }
}

/// What a flag is after it was asked to be so; a negative number leaves it.
const fn flag(asked: i32, now: bool) -> bool {
    if asked < 0 { now } else { asked > 0 }
}

/// The file of a daemon's trace. A name cannot lead out of the folder.
fn trace_file(name: &str) -> String {
    let name: String = name.chars().map(|letter| if matches!(letter, '/' | '\0') { '_' } else { letter }).collect();
    format!("{name}.trace")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_trace_of_a_daemon_is_in_its_folder_whatever_its_name() {
        for (name, expected) in [("bareos-fd", "bareos-fd.trace"), ("../x", ".._x.trace"), ("..", "...trace")] {
            assert_eq!(trace_file(name), expected);
        }
    }

    #[test]
    fn a_negative_number_leaves_a_flag() {
        for (asked, now, then) in
            [(-1, true, true), (-1, false, false), (0, true, false), (1, false, true), (7, true, true)]
        {
            assert_eq!(flag(asked, now), then, "{asked} {now}");
        }
    }
}
