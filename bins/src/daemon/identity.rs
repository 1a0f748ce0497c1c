//! Who this program is.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use towline_core::calendar::Zone;
use towline_core::role::identity::Identity;
use towline_core::wire::hello::Version;

/// Changes of the local time that are looked up: fifty years of two each.
const CHANGES: usize = 100;

/// The identity of this build on this machine, with the present offset of the local time.
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
        utc_offset: TimeZone::system().to_offset(Timestamp::now()).seconds(),
    }
}

/// The changes of this machine's local time that are to come, as far as a director may run.
#[must_use]
pub fn local_zone() -> Zone {
    zone(&TimeZone::system(), Timestamp::now())
}

fn zone(here: &TimeZone, now: Timestamp) -> Zone {
    let changes = here.following(now).take(CHANGES);
    let changes = changes.map(|change| (change.timestamp().as_second(), change.offset().seconds()));
    Zone::new(here.to_offset(now).seconds(), changes.collect())
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
    fn changes_of_the_local_time_are_found_and_their_moments_are_right() {
        let here = TimeZone::posix("CET-1CEST,M3.5.0,M10.5.0/3").unwrap();
        let zone = zone(&here, "2026-01-01T00:00:00Z".parse().unwrap());
        let spring = 1_774_746_000; // 29 March 2026, 01:00 UTC
        assert_eq!((zone.offset_at(spring - 1), zone.offset_at(spring)), (3_600, 7_200));
        assert_eq!(zone.offset_at(spring + (30 * 365 + 100) * 86_400), 7_200, "a summer thirty years on");
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
