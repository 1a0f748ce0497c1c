//! Who this program is.

use std::time::Duration;
use std::{io, thread};

use jiff::Timestamp;
use jiff::tz::{TimeZone, TimeZoneTransition};
use towline_core::calendar::Zone;
use towline_core::drive::Injector;
use towline_core::event::Event;
use towline_core::role::identity::Identity;
use towline_core::wire::hello::Version;

const YEAR: i64 = 365 * 86_400;
/// Changes of the local time are looked up from 1900 on, backwards from 2026 and forwards.
const FIRST: i64 = -2_208_988_800;
const MIDDLE: i64 = 1_767_225_600;
/// For 500 years to come: for 400, in which a rule comes round once, after whatever is no rule.
const LAST: i64 = MIDDLE + 500 * YEAR;
/// Changes so late follow a rule.
const BY_RULE: i64 = MIDDLE + 450 * YEAR;
/// How often the machine's time zone is looked at.
const LOOK: Duration = Duration::from_secs(60);

/// The identity of this build on this machine, with the present rules of its local time.
#[must_use]
pub fn identity() -> Identity {
    let number = |text: &str| text.parse().unwrap_or(0);
    Identity {
        version: Version {
            major: number(env!("CARGO_PKG_VERSION_MAJOR")),
            minor: number(env!("CARGO_PKG_VERSION_MINOR")),
            patch: number(env!("CARGO_PKG_VERSION_PATCH")),
        },
        full: env!("CARGO_PKG_VERSION").to_owned(),
        date: option_env!("TOWLINE_BUILD_DATE").unwrap_or("undated build").to_owned(),
        system: system(),
        zone: local_zone(),
    }
}

/// Reports each change of the machine's time zone or its rules as `ZoneChanged`, from a thread of its own.
///
/// # Errors
/// The system has no thread left.
pub(super) fn watch_zone(injector: Injector) -> io::Result<()> {
    let body = move || {
        let mut seen = local_zone();
        loop {
            thread::sleep(LOOK);
            let now = local_zone();
            if now != seen {
                tracing::info!("the local time follows other rules from now on");
                seen = now.clone();
                if !injector.post(Event::ZoneChanged(now)) {
                    return;
                }
            }
        }
    };
    thread::Builder::new().name("zone".to_owned()).spawn(body).map(drop)
}

/// The rules of this machine's local time.
fn local_zone() -> Zone {
    zone(&TimeZone::system())
}

fn zone(here: &TimeZone) -> Zone {
    let pair = |change: TimeZoneTransition<'_>| (change.timestamp().as_second(), change.offset().seconds());
    let moment = |seconds: i64| Timestamp::from_second(seconds).unwrap_or_default();
    let mut changes: Vec<(i64, i32)> =
        here.preceding(moment(MIDDLE)).map(pair).take_while(|(at, _)| *at >= FIRST).collect();
    changes.reverse();
    // What comes before a moment is earlier by a nanosecond at least.
    changes.extend(
        here.following(moment(MIDDLE - 1))
            .map(pair)
            .skip_while(|(at, _)| *at < MIDDLE)
            .take_while(|(at, _)| *at < LAST),
    );
    let before = changes.first().map_or(MIDDLE, |(at, _)| at - 1);
    let first = here.to_offset(moment(before)).seconds();
    match changes.last() {
        Some((last, _)) if *last >= BY_RULE => Zone::going_on(first, changes),
        _ => Zone::new(first, changes),
    }
}

/// The distribution's name for itself, else the kernel's.
fn system() -> String {
    let text = std::fs::read_to_string("/etc/os-release").unwrap_or_default();
    pretty_name(&text).unwrap_or_else(|| {
        let uname = rustix::system::uname();
        format!("{} {}", uname.sysname().to_string_lossy(), uname.release().to_string_lossy())
    })
}

/// `PRETTY_NAME` of an os-release file, os-release(5).
fn pretty_name(text: &str) -> Option<String> {
    let value = text.lines().find_map(|line| line.strip_prefix("PRETTY_NAME="))?.trim();
    let bare = value.strip_prefix(['"', '\'']).and_then(|rest| rest.strip_suffix(['"', '\''])).unwrap_or(value);
    (!bare.is_empty()).then(|| bare.chars().filter(|c| *c != '\\' && !c.is_control()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_long_ago_and_long_ahead_have_the_offset_of_their_own_day() {
        let posix = ["CET-1CEST,M3.5.0,M10.5.0/3", "LHST-10:30LHDT-11,M10.1.0,M4.1.0", "UTC0"];
        let named = ["Europe/Berlin", "Australia/Lord_Howe", "Africa/Casablanca", "America/Sao_Paulo", "Pacific/Apia"];
        let zones = posix.map(|rule| TimeZone::posix(rule).unwrap()).into_iter();
        // A machine may have no time zones installed.
        for here in zones.chain(named.iter().filter_map(|name| TimeZone::get(name).ok())) {
            let zone = zone(&here);
            for years in -120..900 {
                for day in [0, 40, 88, 150, 210, 297, 340] {
                    let moment = Timestamp::from_second(MIDDLE + years * YEAR + day * 86_400 + 3_601).unwrap();
                    assert_eq!(
                        zone.offset_at(moment.as_second()),
                        here.to_offset(moment).seconds(),
                        "{here:?} {moment}"
                    );
                }
            }
        }
    }

    #[test]
    fn the_name_of_the_system_loses_its_quotes() {
        let name = |text| pretty_name(text);
        assert_eq!(name("ID=x\nPRETTY_NAME=\"Debian GNU/Linux 13\"\n").as_deref(), Some("Debian GNU/Linux 13"));
        assert_eq!(name("PRETTY_NAME=Plain\n").as_deref(), Some("Plain"));
        assert_eq!(name("PRETTY_NAME=\"\"\n"), None);
        assert_eq!(name("ID=x\n"), None);
        assert!(!system().is_empty());
    }
}
