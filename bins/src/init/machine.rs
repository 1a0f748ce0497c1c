//! What is to be known of this machine: its name, its address, and the file systems that hold data.

use std::collections::BTreeSet;
use std::net::UdpSocket;

use towline_core::address::Address;

use super::site::LOCAL;

/// Bytes of the longest name that ours may begin with: an end such as `-fd` follows.
const LONGEST: usize = 60;

/// Types of file systems that hold data on disks of the machine.
const DISKS: [&str; 12] =
    ["bcachefs", "btrfs", "exfat", "ext2", "ext3", "ext4", "f2fs", "jfs", "ntfs3", "vfat", "xfs", "zfs"];

/// What the names of the daemons begin with: what was wished, else the machine's own name.
///
/// # Errors
/// A wish that cannot be a name.
pub(super) fn name_of(wished: Option<&str>) -> Result<String, String> {
    let is_letter = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    match wished {
        Some(name) if !name.is_empty() && name.len() <= LONGEST && name.chars().all(is_letter) => Ok(name.to_owned()),
        Some(name) => {
            Err(format!("{name:?} cannot be a name: use 1 to {LONGEST} letters and digits, and any of - _ ."))
        }
        None => {
            let uname = rustix::system::uname();
            let host = uname.nodename().to_string_lossy();
            let name: String = host.split('.').next().unwrap_or_default().chars().filter(|c| is_letter(*c)).collect();
            let name: String = name.chars().take(LONGEST).collect();
            Ok(if name.is_empty() { "backup".to_owned() } else { name })
        }
    }
}

/// Where others reach this machine: what was wished, else the address that its way to other networks begins at.
///
/// # Errors
/// A wish that is no address.
pub(super) fn address_of(wished: Option<&str>) -> Result<String, String> {
    match wished {
        Some(address) if is_address(address) => Ok(address.to_owned()),
        Some(address) => Err(format!("{address:?} is no host name and no IP address")),
        None => Ok(own_address().unwrap_or_else(|| LOCAL.to_owned())),
    }
}

/// Whether it is an IP address or can be a host name.
pub(crate) fn is_address(text: &str) -> bool {
    let is_label = |label: &str| {
        let letters = label.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'));
        (1..=63).contains(&label.len()) && letters && !label.starts_with('-') && !label.ends_with('-')
    };
    let is_name = || text.len() <= 253 && text.trim_end_matches('.').split('.').all(is_label);
    Address::parse(text).is_some() || is_name()
}

/// The address of the interface that leads out. Nothing is sent: the addresses are of documentation (RFC 5737, RFC 3849).
pub(crate) fn own_address() -> Option<String> {
    let from = |local: &str, remote: &str| {
        let socket = UdpSocket::bind((local, 0)).ok()?;
        socket.connect((remote, 9)).ok()?;
        let address = socket.local_addr().ok()?.ip();
        (!address.is_loopback() && !address.is_unspecified()).then(|| address.to_string())
    };
    from("0.0.0.0", "192.0.2.1").or_else(|| from("::", "2001:db8::1"))
}

/// The types of file systems that a backup of this machine goes into: those of disks, and that of `/`, whatever it is.
pub(super) fn file_systems() -> Vec<String> {
    let table = std::fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
    let mut kinds: BTreeSet<String> = DISKS.iter().map(|kind| (*kind).to_owned()).collect();
    kinds.extend(root_kind(&table));
    kinds.into_iter().collect()
}

/// The type of what is mounted at `/`, the last of them.
fn root_kind(table: &str) -> Option<String> {
    let is_root = |line: &&str| line.split(' ').nth(4) == Some("/");
    let line = table.lines().rfind(is_root)?;
    line.split_once(" - ")?.1.split(' ').next().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wish_is_taken_or_refused_and_without_one_there_is_a_name_and_an_address() {
        assert_eq!(name_of(Some("web-1")), Ok("web-1".to_owned()));
        for wrong in ["", "a b", "ä", "a/b", "a\nb", &"x".repeat(61)] {
            assert!(name_of(Some(wrong)).unwrap_err().contains("cannot be a name"), "{wrong}");
        }
        assert!(!name_of(None).unwrap().is_empty());
        assert_eq!(address_of(Some("backup.example.org")), Ok("backup.example.org".to_owned()));
        assert!(address_of(Some("not an address")).is_err());
        assert!(is_address(&address_of(None).unwrap()));
    }

    #[test]
    fn the_file_system_of_the_root_counts_whatever_it_is() {
        let table = "22 1 0:20 / / rw - rootfs none rw\n23 22 0:21 / /home rw shared:1 - ext4 /dev/a rw\n\
                     24 22 0:22 / / rw,relatime shared:2 - overlay overlay rw\n";
        assert_eq!(root_kind(table).as_deref(), Some("overlay"));
        assert_eq!(root_kind(""), None);
        assert!(file_systems().iter().any(|kind| kind == "ext4"));
    }
}
