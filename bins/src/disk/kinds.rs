//! The type of the file system that an entry lies on, as the table of mounts names it: `ext4`, `nfs4`, `tmpfs`.

use std::os::fd::{AsFd, AsRawFd as _};

/// The type of the file system of an open entry; `None` if the system does not say.
pub(super) fn of(entry: impl AsFd) -> Option<String> {
    let info = std::fs::read_to_string(format!("/proc/self/fdinfo/{}", entry.as_fd().as_raw_fd())).ok()?;
    let mount = info.lines().find_map(|line| line.strip_prefix("mnt_id:"))?.trim();
    let table = std::fs::read("/proc/self/mountinfo").ok()?;
    kind_of(mount, &String::from_utf8_lossy(&table))
}

/// The type of a mount by its number: the first word after the dash of its line.
fn kind_of(mount: &str, table: &str) -> Option<String> {
    let line = table.lines().find(|line| line.split(' ').next() == Some(mount))?;
    let (_, after) = line.split_once(" - ")?;
    after.split(' ').next().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mount_is_found_by_its_number() {
        let table = "22 1 0:20 / /proc rw,nosuid shared:5 - proc proc rw\n\
                     29 1 8:2 / /srv/a\\040- rw - ext4 /dev/sda2 rw\n2 1 0:5 / / rw - tmpfs none rw\n";
        for (mount, kind) in [("22", Some("proc")), ("29", Some("ext4")), ("2", Some("tmpfs")), ("9", None)] {
            assert_eq!(kind_of(mount, table).as_deref(), kind, "{mount}");
        }
    }

    #[test]
    fn the_system_says_where_an_entry_lies() {
        let proc = std::fs::File::open("/proc/self/status").unwrap();
        assert_eq!(of(&proc).as_deref(), Some("proc"));
    }
}
