//! Numbers of users and groups by name, for ACLs that hold names (wire/2 §2.12).

use std::collections::BTreeMap;

use towline_core::wire::acl::Kind;

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
            Kind::User => (&mut self.users, "/etc/passwd"),
            Kind::Group => (&mut self.groups, "/etc/group"),
        };
        table.get_or_insert_with(|| parse(&std::fs::read(file).unwrap_or_default())).get(name).copied()
    }
}

fn parse(file: &[u8]) -> BTreeMap<String, u32> {
    let mut table = BTreeMap::new();
    for line in String::from_utf8_lossy(file).lines() {
        let mut fields = line.split(':');
        if let (Some(name), Some(Ok(id))) = (fields.next(), fields.nth(1).map(str::parse)) {
            table.entry(name.to_owned()).or_insert(id);
        }
    }
    table
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
