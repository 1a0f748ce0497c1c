//! Settings changed in the files they stand in: what a person would write there, as a unified diff.
//!
//! A setting that is written already is replaced; another one comes after the name of its resource, on a line of its own if
//! the name has one. Passwords are shown as `***`, and no line with one is context.

use std::fmt::Write as _;
use std::ops::Range;

use towline_core::config::{ConfigPath, Step};

use super::conf::{Configured, Node};
use super::locate::{Ends, Tree};
use super::sources::{Place, Source};
use super::{Loaded, Values};

/// Unchanged lines around a change.
const CONTEXT: usize = 3;

/// A value to write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Setting {
    /// `true` or `false`; `yes` or `no`.
    Is(bool),
    /// Text in quotes.
    Text(String),
    /// Seconds.
    Seconds(u64),
    /// Names with texts, as of networks.
    Map(Vec<(String, String)>),
    /// Values in RON that are added to a list, after the others.
    More(Vec<String>),
    /// The same, before the others.
    First(Vec<String>),
}

impl Setting {
    /// In RON. What is added to a list is a list.
    pub(crate) fn ron(&self) -> String {
        match self {
            Self::Is(is) => is.to_string(),
            Self::Text(text) => format!("{text:?}"),
            Self::Seconds(seconds) => seconds.to_string(),
            Self::Map(all) => {
                let each: Vec<String> = all.iter().map(|(name, text)| format!("{name:?}: {text:?}")).collect();
                format!("{{{}}}", each.join(", "))
            }
            Self::More(all) | Self::First(all) => format!("[{}]", all.join(", ")),
        }
    }

    /// In Bareos' syntax, if that can say it.
    fn conf(&self) -> Option<String> {
        match self {
            Self::Is(is) => Some(if *is { "yes" } else { "no" }.to_owned()),
            Self::Text(text) => Some(format!("{text:?}")),
            Self::Seconds(seconds) => Some(seconds.to_string()),
            Self::Map(_) | Self::More(_) | Self::First(_) => None,
        }
    }
}

/// Bytes of a file that become others.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Edit {
    source: usize,
    range: Range<usize>,
    text: String,
}

/// Changes of the files of one configuration.
#[derive(Clone, Debug, Default)]
pub(crate) struct Edits(Vec<Edit>);

impl Edits {
    /// Sets a field of the resource at `path`; false if its syntax has no word for it, or it stands in no file.
    pub(crate) fn set<T: Configured>(
        &mut self,
        of: &Loaded<T>,
        path: &ConfigPath,
        field: &'static str,
        to: &Setting,
    ) -> bool {
        match &of.values {
            Values::Ron(_) => self.set_ron(of, path, field, to),
            Values::Conf(node) => self.set_conf::<T>(of, node, path, field, to),
        }
    }

    /// The same in a file that no daemon reads.
    pub(crate) fn set_ron<T>(&mut self, of: &Loaded<T>, path: &ConfigPath, field: &'static str, to: &Setting) -> bool {
        let (Values::Ron(tree), Some(source)) = (&of.values, of.sources.first()) else { return false };
        let edit = ron(tree, &source.text, path, field, to);
        self.0.extend(edit.map(|(range, text)| Edit { source: 0, range, text }));
        true
    }

    fn set_conf<T: Configured>(
        &mut self,
        of: &Loaded<T>,
        node: &Node,
        path: &ConfigPath,
        field: &'static str,
        to: &Setting,
    ) -> bool {
        let (Some(value), Some(directive)) = (to.conf(), super::conf::directive::<T>(path, field)) else {
            return false;
        };
        let (name, known) = (node.locate(path), node.locate(&path.field(field)));
        let at = if known == name { &name } else { &known };
        let Some(source) = of.sources.get(at.source).filter(|source| !source.name.starts_with('|')) else {
            return false;
        };
        let (range, text) = match known == name {
            true => after_name(&source.text, &name, &format!("{directive} = {value}")),
            false => (quoted(&source.text, &known), value),
        };
        self.0.push(Edit { source: at.source, range, text });
        true
    }

    /// The changes as a unified diff, a file after the other.
    pub(crate) fn diff<T>(&self, of: &Loaded<T>) -> String {
        let mut out = String::new();
        for (number, source) in of.sources.iter().enumerate() {
            let mut edits: Vec<&Edit> = self.0.iter().filter(|edit| edit.source == number).collect();
            edits.sort_by_key(|edit| edit.range.start);
            if !edits.is_empty() {
                let _infallible = write!(out, "--- {0}\n+++ {0}\n{1}", source.name, hunks(source, &edits));
            }
        }
        out
    }

    /// The first text as it would be then; for tests.
    #[cfg(test)]
    fn applied<T>(&self, of: &Loaded<T>) -> String {
        let mut edits: Vec<&Edit> = self.0.iter().collect();
        edits.sort_by_key(|edit| edit.range.start);
        let text = &of.sources[0].text;
        replaced(text, 0..text.len(), edits.iter().map(|edit| (&edit.range, edit.text.as_str())))
    }
}

/// What to write where, in RON; nothing if there is nothing to write it into.
fn ron(
    tree: &Tree,
    text: &str,
    path: &ConfigPath,
    field: &'static str,
    to: &Setting,
) -> Option<(Range<usize>, String)> {
    let whole = path.field(field);
    let list = tree.ends_of(&whole);
    match (to, list) {
        (Setting::More(more) | Setting::First(more), Some(Ends::Empty(empty))) => {
            return Some((empty.start + 1..empty.start + 1, more.join(", ")));
        }
        (Setting::More(more), Some(Ends::Of { last, .. })) => {
            return Some(after(text, &last, &more.join(&separator(text, &last))));
        }
        (Setting::First(more), Some(Ends::Of { first, .. })) => {
            let between = separator(text, &first);
            let text = format!("{}{between}", more.join(&between));
            return Some((first.start..first.start, text));
        }
        _ => {}
    }
    if let Some(range) = tree.find(&whole) {
        return Some((range, to.ron()));
    }
    let first = tree.first_field(path)?;
    Some(after(text, &first, &format!("{field}: {}", to.ron())))
}

/// Between two things of a list in which this one is: a comma, and a line's end if it has its own line.
fn separator(text: &str, one: &Range<usize>) -> String {
    indent(text, one.start).map_or_else(|| ", ".to_owned(), |indent| format!(",\n{indent}"))
}

/// What comes after one thing of a list, with its comma.
fn after(text: &str, one: &Range<usize>, what: &str) -> (Range<usize>, String) {
    let rest = &text[one.end..];
    let comma = rest.find(|c: char| !c.is_whitespace()).filter(|at| rest[*at..].starts_with(','));
    let own_line = indent(text, one.start);
    let (at, lead, tail) = match comma {
        Some(comma) => (one.end + comma + 1, "", ","),
        None => (one.end, ",", ""),
    };
    let line = text[at..].split('\n').next().unwrap_or_default();
    let is_last_of_line = line.trim().is_empty() || line.trim_start().starts_with("//");
    match own_line.filter(|_| is_last_of_line) {
        Some(indent) => {
            let end = at + if lead.is_empty() { line.len() } else { 0 };
            (end..end, format!("{lead}\n{indent}{what}{tail}"))
        }
        None => (at..at, format!("{lead} {what}{tail}")),
    }
}

/// What comes after the name of a resource in Bareos' syntax.
fn after_name(text: &str, name: &Place, what: &str) -> (Range<usize>, String) {
    let end = quoted(text, name).end;
    let line = text[end..].split('\n').next().unwrap_or_default();
    let is_last_of_line = line.trim().is_empty() || line.trim_start().starts_with('#');
    match line_start(text, name.range.start).filter(|_| is_last_of_line) {
        Some(indent) => {
            let at = end + line.trim_end_matches('\r').len();
            (at..at, format!("\n{indent}{what}"))
        }
        None => (end..end, format!("; {what}")),
    }
}

/// A value with the quotes around it.
fn quoted(text: &str, place: &Place) -> Range<usize> {
    let Range { start, end } = place.range;
    let is_inside = text[..start].ends_with('"') && text[end..].starts_with('"');
    if is_inside { start - 1..end + 1 } else { start..end }
}

/// The white space before something that is the first of its line.
fn indent(text: &str, at: usize) -> Option<&str> {
    let before = text[..at].rsplit('\n').next().unwrap_or_default();
    before.trim().is_empty().then_some(before)
}

/// The white space before a directive that is the first of its line, of which `at` is the value.
fn line_start(text: &str, at: usize) -> Option<&str> {
    let before = text[..at].rsplit('\n').next().unwrap_or_default();
    let white = &before[..before.len() - before.trim_start().len()];
    (!before.contains(['{', ';'])).then_some(white)
}

/// A part of a text with these bytes replaced, in order.
fn replaced<'a>(text: &str, part: Range<usize>, by: impl Iterator<Item = (&'a Range<usize>, &'a str)>) -> String {
    let (mut out, mut at) = (String::new(), part.start);
    for (range, with) in by {
        out.push_str(text.get(at..range.start).unwrap_or_default());
        out.push_str(with);
        at = range.end.max(at);
    }
    out.push_str(text.get(at..part.end).unwrap_or_default());
    out
}

/// The hunks of one file.
fn hunks(source: &Source, edits: &[&Edit]) -> String {
    let text = source.text.as_str();
    let starts: Vec<usize> = [0].into_iter().chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect();
    let line_of = |at: usize| starts.partition_point(|start| *start <= at).saturating_sub(1);
    let line =
        |n: usize| starts.get(n).copied().unwrap_or(text.len())..starts.get(n + 1).copied().unwrap_or(text.len());
    let has_secret =
        |n: usize| source.hidden.iter().any(|hidden| hidden.start < line(n).end && line(n).start < hidden.end);
    // Edits of lines that touch belong together.
    let mut groups: Vec<(Range<usize>, Vec<&Edit>)> = Vec::new();
    for edit in edits {
        let lines = line_of(edit.range.start)..line_of(edit.range.end) + 1;
        match groups.last_mut() {
            Some((last, all)) if lines.start <= last.end => {
                last.end = last.end.max(lines.end);
                all.push(edit);
            }
            _ => groups.push((lines, vec![edit])),
        }
    }
    let (mut out, mut shift, mut from) = (String::new(), 0_usize, 0);
    for (place, (lines, edits)) in groups.iter().enumerate() {
        let until = groups.get(place + 1).map_or(starts.len(), |(next, _)| next.start);
        let before =
            (from..lines.start).rev().take(CONTEXT).take_while(|n| !has_secret(*n)).last().unwrap_or(lines.start);
        let is_context = |n: &usize| !has_secret(*n) && !line(*n).is_empty();
        let end = (lines.end..until).take(CONTEXT).take_while(is_context).last().map_or(lines.end, |last| last + 1);
        from = end;
        let part = line(lines.start).start..line(lines.end - 1).end;
        let inside = |range: &&Range<usize>| part.start <= range.start && range.end <= part.end;
        let masks: Vec<(&Range<usize>, &str)> =
            source.hidden.iter().filter(inside).map(|hidden| (hidden, "\"***\"")).collect();
        let mut changes: Vec<(&Range<usize>, &str)> =
            edits.iter().map(|edit| (&edit.range, edit.text.as_str())).collect();
        changes.extend(&masks);
        changes.sort_by_key(|(range, _)| range.start);
        let old = replaced(text, part.clone(), masks.into_iter());
        let new = replaced(text, part.clone(), changes.into_iter());
        let (mut removed, mut added): (Vec<&str>, Vec<&str>) = (old.lines().collect(), new.lines().collect());
        let same = removed.iter().zip(&added).take_while(|(old, new)| old == new).count();
        let head: Vec<&str> = removed.drain(..same).collect();
        added.drain(..same);
        let context = |range: Range<usize>| text[line(range.start).start..line(range.end).start].lines();
        let leading: Vec<&str> = if before < lines.start { context(before..lines.start).collect() } else { Vec::new() };
        let trailing: Vec<&str> = if lines.end < end { context(lines.end..end).collect() } else { Vec::new() };
        let kept = leading.len() + head.len() + trailing.len();
        let _infallible = writeln!(
            out,
            "@@ -{},{} +{},{} @@",
            before + 1,
            kept + removed.len(),
            before + 1 + shift,
            kept + added.len()
        );
        let mut print = |sign: char, lines: &[&str]| {
            lines.iter().for_each(|line| out.extend([sign.to_string().as_str(), line, "\n"]));
        };
        print(' ', &leading);
        print(' ', &head);
        print('-', &removed);
        print('+', &added);
        print(' ', &trailing);
        shift = shift.saturating_add(added.len()).saturating_sub(removed.len());
    }
    out
}

/// A place as people write it: `clients[1].passive`.
pub(crate) fn place(path: &ConfigPath, field: &'static str) -> String {
    ConfigPath(path.0.iter().cloned().chain([Step::Field(field)]).collect()).to_string()
}

#[cfg(test)]
mod tests {
    use towline_core::config::{DirectorConfig, FileConfig};

    use super::super::load;
    use super::*;

    fn loaded<T: Configured>(name: &str, text: &str) -> (tempfile::TempDir, Loaded<T>) {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join(name);
        std::fs::write(&file, text).unwrap();
        let loaded = load(&file).unwrap_or_else(|report| panic!("{}", report.render(false)));
        (folder, loaded)
    }

    const RON: &str = r#"(
    director: (name: "dir", password: "a very long secret"),
    clients: [
        // The first one.
        (name: "one", address: "one.example", password: "secret one, long"), // on one line
        (
            name: "two", // the second
            address: "two.example",
            password: "secret two, long",
            passive: false,
        ),
        (
            password: "secret three, long",
            address: "three.example",
            name: "three"
        ),
    ],
)
"#;

    #[test]
    fn settings_of_ron_are_replaced_or_come_after_the_name_in_the_style_of_the_resource() {
        let (_folder, director) = loaded::<DirectorConfig>("director.ron", RON);
        let clients = ConfigPath::of("clients");
        let mut edits = Edits::default();
        assert!(edits.set(&director, &clients.index(0), "passive", &Setting::Is(true)));
        assert!(edits.set(&director, &clients.index(1), "passive", &Setting::Is(true)));
        assert!(edits.set(&director, &clients.index(1), "lan_address", &Setting::Text("10.0.0.1".to_owned())));
        let networks = Setting::Map(vec![("lan".to_owned(), "10.0.0.3".to_owned())]);
        assert!(edits.set(&director, &clients.index(2), "networks", &networks));
        let then = edits.applied(&director);
        let read: DirectorConfig = super::super::parse("x", &then, super::super::built()).unwrap().0;
        let [one, two, three] = read.clients.as_slice() else { panic!("{then}") };
        assert!(one.passive && two.passive && !three.passive, "{then}");
        assert_eq!(two.lan_address.as_deref(), Some("10.0.0.1"));
        assert_eq!(three.networks["lan"], "10.0.0.3");
        assert!(then.contains("(name: \"one\", passive: true, address"), "{then}");
        assert!(then.contains("// the second\n            lan_address: \"10.0.0.1\",\n"), "{then}");
    }

    #[test]
    fn a_diff_shows_the_change_and_no_password() {
        let (folder, director) = loaded::<DirectorConfig>("director.ron", RON);
        let clients = ConfigPath::of("clients");
        let mut edits = Edits::default();
        edits.set(&director, &clients.index(0), "passive", &Setting::Is(true));
        edits.set(&director, &clients.index(1), "passive", &Setting::Is(true));
        let diff = edits.diff(&director);
        let file = folder.path().join("director.ron").display().to_string();
        let expected = format!(
            "--- {file}\n+++ {file}\n@@ -3,6 +3,6 @@\n     clients: [\n         // The first one.\n\
             -        (name: \"one\", address: \"one.example\", password: \"***\"), // on one line\n\
             +        (name: \"one\", passive: true, address: \"one.example\", password: \"***\"), // on one line\n         (\n\
             \x20            name: \"two\", // the second\n\x20            address: \"two.example\",\n@@ -10,3 +10,3 @@\n"
        );
        assert!(diff.starts_with(&expected), "{diff}");
        assert!(
            diff.ends_with("-            passive: false,\n+            passive: true,\n         ),\n         (\n"),
            "{diff}"
        );
        assert!(!diff.contains("secret"), "{diff}");
    }

    #[test]
    fn settings_in_bareos_syntax_are_written_as_it_is() {
        let text = "Client {\n  Name = \"one-fd\"   # me\n  HeartbeatInterval = 0\n}\nDirector { Name = dir; Password = \"pw, long enough\" }\n\
                    Messages { Name = Standard; Director = dir = all }\n";
        let (_folder, file) = loaded::<FileConfig>("bareos-fd.conf", text);
        let mut edits = Edits::default();
        assert!(edits.set(&file, &ConfigPath::of("file"), "heartbeat_interval", &Setting::Seconds(60)));
        let director = ConfigPath::of("directors").index(0);
        assert!(edits.set(&file, &director, "connection_from_client_to_director", &Setting::Is(true)));
        assert!(!edits.set(&file, &director, "networks", &Setting::Map(Vec::new())), "it has no word for it");
        let then = edits.applied(&file);
        assert!(then.contains("HeartbeatInterval = 60\n"), "{then}");
        assert!(then.contains("{ Name = dir; ConnectionFromClientToDirector = yes; Password"), "{then}");
        assert!(!edits.diff(&file).contains("long enough"), "{}", edits.diff(&file));
        let mut edits = Edits::default();
        edits.set(&file, &ConfigPath::of("file"), "maximum_concurrent_jobs", &Setting::Seconds(3));
        assert!(
            edits.applied(&file).contains("# me\n  MaximumConcurrentJobs = 3\n  Heart"),
            "{}",
            edits.applied(&file)
        );
    }

    #[test]
    fn what_is_added_to_a_list_stands_before_or_after_the_others() {
        for (list, first, more) in [
            ("[]", "[a, b]", "[a, b]"),
            ("[x]", "[a, b, x]", "[x, a, b]"),
            ("[\n  x,\n  y,\n]", "[\n  a,\n  b,\n  x,\n  y,\n]", "[\n  x,\n  y,\n  a,\n  b,\n]"),
            ("[\n  x\n]", "[\n  a,\n  b,\n  x\n]", "[\n  x,\n  a,\n  b\n]"),
        ] {
            let text = format!("(list: {list})");
            let all = vec!["a".to_owned(), "b".to_owned()];
            for (to, expected) in [(Setting::First(all.clone()), first), (Setting::More(all.clone()), more)] {
                let (range, with) = ron(&Tree::new(&text), &text, &ConfigPath::default(), "list", &to).unwrap();
                let then = replaced(&text, 0..text.len(), [(&range, with.as_str())].into_iter());
                assert_eq!(then, format!("(list: {expected})"), "{to:?}");
            }
        }
    }
}
