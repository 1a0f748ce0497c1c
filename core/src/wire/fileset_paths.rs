//! Paths and wildcards of a fileset: written in one way, and told apart from those that can match nothing.

/// A path or wildcard as names are compared (`wire/2 §1.6`): one `/` between names, no `.` among them, none at the end but
/// for a root. What names `..` means is for the client to find out; it stays.
///
/// ```
/// # use towline_core::wire::fileset::plain;
/// assert_eq!(plain(b"/home//me/./tmp/"), b"/home/me/tmp");
/// assert_eq!((plain(b"//"), plain(b"C:/"), plain(b"/a/..")), (b"/".to_vec(), b"C:/".to_vec(), b"/a/..".to_vec()));
/// ```
#[must_use]
pub fn plain(path: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(path.len());
    for (at, name) in path.split(|byte| *byte == b'/').enumerate() {
        if name.is_empty() || name == b"." && at > 0 {
            continue;
        }
        if at > 0 {
            out.push(b'/');
        }
        out.extend_from_slice(name);
    }
    let is_root = out.is_empty() && !path.is_empty() || path.len() > 2 && is_drive(&out);
    if is_root {
        out.push(b'/');
    }
    out
}

/// Why a wildcard over whole paths matches no path at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unmatched {
    /// It does not begin as a path does.
    Relative,
    /// It names `..`, which no path of an entry has.
    Parent,
}

/// Whether a [plain] wildcard can match no path of an entry, however that is called.
#[must_use]
pub fn unmatched(wild: &[u8]) -> Option<Unmatched> {
    let begins = matches!(wild, [b'/' | b'\\' | b'*' | b'?' | b'[', ..]) || wild.get(..2).is_some_and(is_drive);
    if !begins {
        return Some(Unmatched::Relative);
    }
    wild.split(|byte| *byte == b'/').any(|name| name == b"..").then_some(Unmatched::Parent)
}

fn is_drive(name: &[u8]) -> bool {
    matches!(name, [letter, b':'] if letter.is_ascii_alphabetic())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_written_in_one_way() {
        for (path, expected) in [
            ("/proc/", "/proc"),
            ("/var//tmp", "/var/tmp"),
            ("/./var/./tmp/.", "/var/tmp"),
            ("///", "/"),
            ("/.", "/"),
            ("C:/", "C:/"),
            ("C:/Users/", "C:/Users"),
            ("*/cache/", "*/cache"),
            ("/a/../b/", "/a/../b"),
            ("/.hidden/..more", "/.hidden/..more"),
            ("./here", "./here"),
            ("name", "name"),
            ("", ""),
        ] {
            assert_eq!(String::from_utf8(plain(path.as_bytes())).unwrap(), expected, "{path}");
        }
    }

    #[test]
    fn what_begins_like_no_path_or_climbs_matches_nothing() {
        for wild in ["/proc", "*.o", "?root", "[/]x", "\\/x", "C:/x", "/..a/b..", "*/core"] {
            assert_eq!(unmatched(wild.as_bytes()), None, "{wild}");
        }
        for wild in ["core", "home/me", "./x", "", ".journal"] {
            assert_eq!(unmatched(wild.as_bytes()), Some(Unmatched::Relative), "{wild}");
        }
        for wild in ["/a/../b", "/a/..", "*/.."] {
            assert_eq!(unmatched(wild.as_bytes()), Some(Unmatched::Parent), "{wild}");
        }
    }
}
