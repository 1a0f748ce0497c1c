//! Changes of names in a restore (wire/2 §1.11).

use std::borrow::Cow;

use towline_core::bulk::refused::Refused;
use towline_core::wire::attributes::AttributeRecord;
use towline_core::wire::relocation::Relocation;
use towline_core::wire::stream::FileType;

use crate::disk::regex::Regex;

/// Expressions made ready, in their order.
#[derive(Clone, Debug, Default)]
pub struct Relocations(Vec<(Regex, Relocation)>);

impl Relocations {
    /// Compiles them.
    ///
    /// # Errors
    /// When one of them is no regular expression.
    pub fn compile(all: Vec<Relocation>) -> Result<Self, Refused> {
        let compiled = all.into_iter().map(|relocation| {
            match Regex::by_line(relocation.search.as_bytes(), relocation.ignore_case) {
                Ok(regex) => Ok((regex, relocation)),
                Err(why) => Err(Refused::Expression { search: relocation.search, why }),
            }
        });
        Ok(Self(compiled.collect::<Result<_, Refused>>()?))
    }

    /// Whether names stay as they are.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The name of an entry and that of its link: the first name of a hard link is changed too, the target of a symbolic
    /// one if the order says so.
    pub(super) fn names_of<'a>(&self, record: &AttributeRecord<'a>, links: bool) -> (Cow<'a, [u8]>, Cow<'a, [u8]>) {
        let kind = record.kind();
        let changes = kind == Some(FileType::HardLink) || kind == Some(FileType::Symlink) && links;
        let link = if changes { self.apply(record.link) } else { record.link.into() };
        (self.apply(record.name), link)
    }

    fn apply<'a>(&self, name: &'a [u8]) -> Cow<'a, [u8]> {
        let mut name = Cow::Borrowed(name);
        for (regex, relocation) in &self.0 {
            if let Some(groups) = regex.find(&name) {
                name = relocation.replaced(&name, &groups).into();
            }
        }
        name
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_change_as_the_manual_says() {
        for (expressions, name, expected) in [
            ("/.ini$/.old.ini/", "c:/system.ini", "c:/system.old.ini"),
            ("/prod/rect/,/pdata/rdata/", "/prod/u01/pdata/", "/rect/u01/rdata/"),
            ("!/prod/!/rect/!,/pdata/rdata/", "/prod/u01/pdata/", "/rect/u01/rdata/"),
            ("/c:/d:/i", "C:/WINNT", "d:/WINNT"),
            ("!/.snap!!i,!([^/])$!$1.bkp!", "/.snap/home/user1/mbox", "/home/user1/mbox.bkp"),
            ("!/.snap!!i,!([^/])$!$1.bkp!", "/.snap/home/user1/", "/home/user1/"),
            ("!^!/tmp!", "/a/b", "/tmp/a/b"),
            ("!a!o!g", "/banana", "/bonana"),
            ("!(/[^/]*)(/[^/]*)$!$2$1!", "/x/one/two", "/x/two/one"),
            ("!none!other!", "/a", "/a"),
        ] {
            let relocations = Relocations::compile(Relocation::parse(expressions).unwrap()).unwrap();
            assert_eq!(String::from_utf8_lossy(&relocations.apply(name.as_bytes())), expected, "{expressions}");
        }
        let bad = Relocations::compile(Relocation::parse("!(a!b!").unwrap()).unwrap_err();
        let Refused::Expression { search, why } = bad else { panic!("{bad}") };
        assert!(search == "(a" && why.contains("without its ')'"), "{search}: {why}");
    }
}
