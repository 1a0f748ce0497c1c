//! Who this program is.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use towline_core::role::identity::Identity;
use towline_core::wire::hello::Version;

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
    fn the_name_of_the_system_loses_its_quotes() {
        let name = |text| pretty_name(text);
        assert_eq!(name("ID=x\nPRETTY_NAME=\"Debian GNU/Linux 13\"\n").as_deref(), Some("Debian GNU/Linux 13"));
        assert_eq!(name("PRETTY_NAME=Plain\n").as_deref(), Some("Plain"));
        assert_eq!(name("PRETTY_NAME=\"\"\n"), None);
        assert_eq!(name("ID=x\n"), None);
        assert!(!system().is_empty());
    }
}
