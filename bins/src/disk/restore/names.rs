//! Numbers of users and groups by name, for ACLs that hold names (wire/2 §2.12); and names by number, for people.

use std::collections::BTreeMap;

use towline_core::wire::acl::Kind;

const USERS: &str = "/etc/passwd";
const GROUPS: &str = "/etc/group";

/// The names of `/etc/passwd` and `/etc/group`, read when first needed. Network directories are not asked.
#[derive(Debug, Default)]
pub struct Names {
    users: Option<BTreeMap<String, u32>>,
    groups: Option<BTreeMap<String, u32>>,
}

impl Names {
    /// The number of a user or group.
    pub fn id(&mut self, kind: Kind, name: &str) -> Option<u32> {
        let (table, file) = match kind {
            Kind::User => (&mut self.users, USERS),
            Kind::Group => (&mut self.groups, GROUPS),
        };
        table.get_or_insert_with(|| parse(&std::fs::read(file).unwrap_or_default())).get(name).copied()
    }
}

/// The names of users and groups by their numbers, from the same files.
#[derive(Debug, Default)]
pub struct OwnerNames {
    users: Option<BTreeMap<u32, String>>,
    groups: Option<BTreeMap<u32, String>>,
}

impl OwnerNames {
    /// The name of a user, or the number of one without.
    pub fn user(&mut self, id: u32) -> String {
        name(&mut self.users, USERS, id)
    }

    /// The name of a group, or the number of one without.
    pub fn group(&mut self, id: u32) -> String {
        name(&mut self.groups, GROUPS, id)
    }
}

fn name(table: &mut Option<BTreeMap<u32, String>>, file: &str, id: u32) -> String {
    let read = || {
        let mut table = BTreeMap::new();
        for (name, id) in entries(&std::fs::read(file).unwrap_or_default()) {
            table.entry(id).or_insert(name);
        }
        table
    };
    table.get_or_insert_with(read).get(&id).cloned().unwrap_or_else(|| id.to_string())
}

fn parse(file: &[u8]) -> BTreeMap<String, u32> {
    let mut table = BTreeMap::new();
    for (name, id) in entries(file) {
        table.entry(name).or_insert(id);
    }
    table
}

fn entries(file: &[u8]) -> Vec<(String, u32)> {
    let entry = |line: &str| {
        let mut fields = line.split(':');
        Some((fields.next()?.to_owned(), fields.nth(1)?.parse().ok()?))
    };
    String::from_utf8_lossy(file).lines().filter_map(entry).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_line_of_a_name_counts_and_broken_lines_do_not() {
        let table = parse(b"root:x:0:0::/root:/bin/sh\nbad\n#c:x:y:\nroot:x:5:5\njo:x:1000:1000\n");
        assert_eq!(table.get("root"), Some(&0));
        assert_eq!(table.get("jo"), Some(&1000));
        assert_eq!(table.len(), 2);
    }
}
