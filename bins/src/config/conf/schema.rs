//! What becomes of each directive, in words: for the table in the docs, and as JSON for programs.

use std::fmt::Write as _;

use super::Configured;
use super::directives::fileset::BLOCKS;
use super::directives::job::RUN_SCRIPT;
use super::table::{Act, Directive, Resource};
use crate::config::report::quoted;

/// What becomes of a directive, and how or why.
pub(super) fn said(directive: &Directive, act: &Act) -> (String, String) {
    match act {
        Act::Field(field) => ("acts".to_owned(), format!("is `{field}`; {}", directive.kind.example())),
        Act::Tls("verify_peer") => {
            let how = "is `verify_peer` of `tls`; `yes` or `no`. Without it nobody is verified, as in Bareos, whatever `ca` says";
            ("acts".to_owned(), how.to_owned())
        }
        Act::Tls(field) => ("acts".to_owned(), format!("is `{field}` of `tls`; {}", directive.kind.example())),
        Act::Made(how) => ("acts".to_owned(), (*how).to_owned()),
        Act::Note => ("acts".to_owned(), "a note for people".to_owned()),
        Act::Always(values, other) => {
            let values: Vec<_> = values.iter().map(|value| format!("`{value}`")).collect();
            let (what, how) = said(directive, other);
            (format!("{} acts, as it is so anyway; else {what}", values.join(" or ")), how)
        }
        Act::Without(instead) => ("accepted without effect".to_owned(), (*instead).to_owned()),
        Act::Refused(remedy) => ("refused".to_owned(), (*remedy).to_owned()),
        Act::Disables(why) => ("disables".to_owned(), (*why).to_owned()),
    }
}

/// The directives of a program as JSON: `{"bareos-fd":{"Client":{"Name":{"becomes":…,"how":…,"aliases":[…]}}}}`. Builds
/// without a JSON crate have it too.
#[must_use]
pub fn schema<T: Configured>() -> String {
    let component = T::COMPONENT;
    let is_director = component.name == "bareos-dir";
    let blocks = BLOCKS.iter().chain([&RUN_SCRIPT]).filter(|_| is_director);
    let resources: Vec<_> = component.resources.iter().chain(blocks).map(resource).collect();
    format!("{{{}:{{{}}}}}", quoted(component.name), resources.join(","))
}

fn resource(resource: &Resource) -> String {
    let each = resource.directives().map(|directive| {
        let (becomes, how) = said(directive, &directive.act);
        let aliases: Vec<_> = directive.also.iter().map(|name| quoted(name)).collect();
        let mut text = String::new();
        let _infallible = write!(
            text,
            "{}:{{\"becomes\":{},\"how\":{},\"aliases\":[{}]}}",
            quoted(directive.name),
            quoted(&becomes),
            quoted(&how),
            aliases.join(",")
        );
        text
    });
    format!("{}:{{{}}}", quoted(resource.name), each.collect::<Vec<_>>().join(","))
}

#[cfg(test)]
mod tests {
    use towline_core::config::{DirectorConfig, FileConfig};

    use super::*;

    #[test]
    fn the_directives_are_json_that_a_reader_reads() {
        let read: serde_json::Value = serde_json::from_str(&schema::<FileConfig>()).unwrap();
        assert_eq!(read["bareos-fd"]["Client"]["Port"]["aliases"][1], "FdPort");
        assert_eq!(read["bareos-fd"]["Client"]["VerId"]["becomes"], "accepted without effect");
        let read: serde_json::Value = serde_json::from_str(&schema::<DirectorConfig>()).unwrap();
        assert_eq!(read["bareos-dir"]["Options"]["Signature"]["becomes"], "acts");
    }
}
