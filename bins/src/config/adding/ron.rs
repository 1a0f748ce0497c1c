//! A resource as RON, and where it goes in the text of a file: behind the last of its kind, with all else as it was written.

use std::ops::RangeInclusive;

use towline_core::config::{DirectorConfig, Severity};

use super::super::conf::{to_conf, typed_text};
use super::super::locate::{Room, Tree};
use super::super::scan::{Kind, tokens};
use super::super::{Diagnostic, Report, built, to_ron};

/// What stands for the file in findings about the directives of a command.
const NAMED: &str = "configure add";

/// What RON has a list of.
const KINDS: [&str; 8] = ["Client", "Storage", "Job", "FileSet", "Pool", "Schedule", "Console", "Profile"];

/// The steps by which values stand to the right of what they are in.
const STEP: &str = "    ";

/// The field that lists the resources of a kind, and the text of one of them. Its directives are read as those of a file in
/// Bareos' syntax are, beside all other resources.
///
/// # Errors
/// Why there is no such resource, a finding a line.
pub(super) fn element(
    config: &DirectorConfig,
    (kind, name): (&str, &str),
    directives: &str,
) -> Result<(&'static str, String), Vec<String>> {
    let one = |why: String| vec![why];
    let foreign = || one(format!("a configuration in RON has no {kind}: write what it says where it is to count"));
    if !KINDS.contains(&kind) {
        return Err(foreign());
    }
    let others = to_conf(config).map_err(|error| one(error.to_string()))?;
    let mut text: String = others.files.into_iter().map(|(_, text)| text + "\n").collect();
    let first = text.lines().count() + 1;
    text += directives;
    let read = typed_text::<DirectorConfig>(NAMED, text, built());
    let (all, report, _) = read.map_err(|report| about(&report, 0))?;
    let wrong = about(&report, first);
    if !wrong.is_empty() {
        return Err(wrong);
    }
    let mut alone = DirectorConfig { director: all.director.clone(), ..nothing(&all) };
    macro_rules! take {
        ($field:ident) => {{
            alone.$field = all.$field.into_iter().filter(|of| of.name == name).next_back().into_iter().collect();
            stringify!($field)
        }};
    }
    // What its directives say nothing of is as the director itself has it.
    let says_tls = directives.lines().any(|line| line.trim_start().to_ascii_lowercase().starts_with("tls"));
    let field = match kind {
        "Client" => take!(clients),
        "Storage" => take!(storages),
        "Job" => take!(jobs),
        "FileSet" => take!(filesets),
        "Pool" => take!(pools),
        "Schedule" => take!(schedules),
        "Console" => take!(consoles),
        "Profile" => take!(profiles),
        _ => return Err(foreign()),
    };
    if !says_tls {
        alone.clients.iter_mut().for_each(|client| client.tls = None);
        alone.storages.iter_mut().for_each(|storage| storage.tls = None);
        alone.consoles.iter_mut().for_each(|console| console.tls = None);
    }
    let text = to_ron(&alone, "").map_err(|error| one(error.to_string()))?;
    match Tree::new(&text).room(field) {
        Some(Room::List { last: Some(last), .. }) => Ok((field, to_the_left(&text[last]))),
        _ => Err(one(format!("there is no {kind} {name:?} among what was read"))),
    }
}

/// The errors from this line on, without the name of a file that there is not.
fn about(report: &Report, first: usize) -> Vec<String> {
    let is_error = |found: &Diagnostic| found.severity == Severity::Error && found.line >= first;
    let errors = report.diagnostics.iter().zip(report.lines()).filter(|(found, _)| is_error(found));
    errors.map(|(_, line)| line.split_once(": ").map_or_else(|| line.clone(), |(_, rest)| rest.to_owned())).collect()
}

/// The configuration without its resources.
fn nothing(all: &DirectorConfig) -> DirectorConfig {
    DirectorConfig {
        clients: Vec::new(),
        storages: Vec::new(),
        jobs: Vec::new(),
        filesets: Vec::new(),
        pools: Vec::new(),
        schedules: Vec::new(),
        consoles: Vec::new(),
        profiles: Vec::new(),
        ..all.clone()
    }
}

/// Lines whose last stands at the left edge.
fn to_the_left(text: &str) -> String {
    let depth = text.lines().next_back().map_or(0, |last| last.len() - last.trim_start().len());
    let shorter = |line: &str| line.get(depth..).filter(|_| line[..depth].trim().is_empty()).unwrap_or(line).to_owned();
    let lines = text.lines().enumerate().map(|(at, line)| if at == 0 { line.to_owned() } else { shorter(line) });
    lines.collect::<Vec<_>>().join("\n")
}

/// The text with one more value in the list of a field of its outermost value, and the lines that this takes.
///
/// # Errors
/// The text has no place for it, in one line.
pub(super) fn insert(text: &str, field: &str, element: &str) -> Result<(String, RangeInclusive<usize>), String> {
    let wrong = || format!("`{field}` is no list in brackets that one more could be put into");
    let (range, last, item) = match Tree::new(text).room(field).ok_or_else(wrong)? {
        Room::List { range, last } => (range, last, element.to_owned()),
        Room::Absent { range, last } => {
            let inner = element.replace('\n', &format!("\n{STEP}"));
            (range, last, format!("{field}: [\n{STEP}{inner},\n]"))
        }
    };
    let before = |at: usize| {
        let line = text[..at].rfind('\n').map_or(0, |end| end + 1);
        let indent = text[line..at].len() - text[line..at].trim_start().len();
        (text[line..line + indent].to_owned(), line + indent == at)
    };
    let indented = |indent: &str| format!("\n{indent}{}", item.replace('\n', &format!("\n{indent}")));
    let mut out = text.to_owned();
    let at = match last {
        None => {
            let open = text[range.clone()].find(['(', '[']).map(|at| range.start + at + 1).ok_or_else(wrong)?;
            let (indent, _) = before(range.start);
            let closes = text[open..].trim_start().starts_with([')', ']']);
            let end = if closes { format!("\n{indent}") } else { String::new() };
            out.replace_range(
                open..open + if closes { blanks(&text[open..]) } else { 0 },
                &format!("{},{end}", indented(&format!("{indent}{STEP}"))),
            );
            open
        }
        Some(last) => {
            let (indent, is_first) = before(last.start);
            let indent = if is_first { indent } else { indent + STEP };
            let comma = tokens(&text[last.end..])
                .first()
                .filter(|token| token.kind == Kind::Mark(','))
                .map(|token| last.end + token.range.end);
            let from = comma.unwrap_or(last.end);
            let line = text[from..].find('\n').map_or(text.len(), |end| from + end);
            let at = if is_comment(text[from..line].trim()) { line } else { from };
            let is_at_the_end = at == line || comma.is_some();
            out.insert_str(at, &format!("{}{}", indented(&indent), if is_at_the_end { "," } else { "" }));
            if comma.is_none() {
                out.insert(last.end, ',');
            }
            at
        }
    };
    let first = text[..at].matches('\n').count() + 2;
    let count = out.matches('\n').count() - text.matches('\n').count();
    Ok((out, first..=first + count.saturating_sub(1)))
}

/// Bytes of blanks at the beginning.
fn blanks(text: &str) -> usize {
    text.len() - text.trim_start().len()
}

/// Whether the rest of a line is nothing, or a comment that ends with it.
fn is_comment(rest: &str) -> bool {
    let closed = |rest: &str| rest.starts_with("/*") && rest.find("*/").is_some_and(|at| at + 2 == rest.len());
    rest.is_empty() || rest.starts_with("//") || closed(rest)
}

#[cfg(test)]
mod tests {
    use towline_core::config::Built;

    use super::*;
    use crate::config::parse;

    const ELEMENT: &str = "(\n    name: \"new\",\n    port: 7,\n)";

    fn inserted(text: &str, field: &str) -> String {
        insert(text, field, ELEMENT).unwrap().0
    }

    #[test]
    fn one_more_stands_after_the_last_and_every_comment_where_it_was() {
        let text = "// head\n(\n    a: 1, // one\n    clients: [\n        (name: \"x\"), // first\n        (name: \"y\") // last\n        // end\n    ],\n)\n";
        let wanted = "// head\n(\n    a: 1, // one\n    clients: [\n        (name: \"x\"), // first\n        (name: \"y\"), // last\n        (\n            name: \"new\",\n            port: 7,\n        ),\n        // end\n    ],\n)\n";
        assert_eq!(inserted(text, "clients"), wanted);
        assert_eq!(insert(text, "clients", ELEMENT).unwrap().1, 7..=10);
        assert_eq!(
            inserted("(clients: [(name: \"x\"), (name: \"y\")], b: 2)", "clients"),
            "(clients: [(name: \"x\"), (name: \"y\"),\n    (\n        name: \"new\",\n        port: 7,\n    )], b: 2)"
        );
        assert_eq!(
            inserted("(clients: [(name: \"x\"),], b: 2)", "clients"),
            "(clients: [(name: \"x\"),\n    (\n        name: \"new\",\n        port: 7,\n    ),], b: 2)"
        );
    }

    #[test]
    fn an_empty_list_and_one_that_is_not_there_get_their_first() {
        let of_list = "\n        (\n            name: \"new\",\n            port: 7,\n        ),\n    ";
        assert_eq!(inserted("(\n    clients: [],\n)", "clients"), format!("(\n    clients: [{of_list}],\n)"));
        assert_eq!(
            inserted("(\n    clients: [ ], // none\n)", "clients"),
            format!("(\n    clients: [{of_list}], // none\n)")
        );
        let with_comment = inserted("(\n    clients: [ // none yet\n    ],\n)", "clients");
        assert!(with_comment.contains("), // none yet\n    ],"), "{with_comment}");
        assert_eq!(inserted("(\n    a: 1\n)", "clients"), format!("(\n    a: 1,\n    clients: [{of_list}],\n)"));
        assert!(inserted("()", "clients").starts_with("(\n    clients: [\n        (\n"));
    }

    #[test]
    fn what_is_no_list_takes_nothing() {
        for text in ["(clients: 1)", "[1, 2]", "", "(clients: \"[]\")"] {
            assert!(insert(text, "clients", ELEMENT).is_err(), "{text}");
        }
    }

    #[test]
    fn a_resource_of_directives_is_what_their_reader_makes_of_them() {
        let text = "(director: (name: \"d\", password: \"p\"), catalog: sqlite(path: \"c\"), clients: [(name: \"c\", address: \"h\", password: \"x\")])";
        let (config, _): (DirectorConfig, _) = parse("d.ron", text, Built { psk: true }).unwrap();
        let directives = "Client {\n  Name = \"new\"\n  Address = \"192.0.2.7\"\n  Password = \"se;cret\"\n  Heartbeat Interval = 30\n}\n";
        let (field, element) = element(&config, ("Client", "new"), directives).unwrap();
        assert_eq!(field, "clients");
        let (out, _) = insert(text, field, &element).unwrap();
        let (read, _): (DirectorConfig, _) = parse("d.ron", &out, Built { psk: true }).unwrap();
        let new = &read.clients[1];
        assert_eq!((new.name.as_str(), new.address.as_deref()), ("new", Some("192.0.2.7")));
        assert_eq!(new.tls, None, "it has the director's");
        assert_eq!(new.heartbeat_interval.map(|seconds| seconds.0), Some(30));
        assert_eq!(read.clients[0], config.clients[0]);
        let nobody = super::element(&config, ("JobDefs", "x"), "JobDefs { Name = x }\n").unwrap_err();
        assert!(nobody[0].contains("has no JobDefs"), "{nobody:?}");
        let wrong =
            super::element(&config, ("Client", "x"), "Client {\n  Name = \"x\"\n  Adress = \"y\"\n}\n").unwrap_err();
        assert!(wrong.iter().any(|finding| finding.contains("Adress")), "{wrong:?}");
    }
}
