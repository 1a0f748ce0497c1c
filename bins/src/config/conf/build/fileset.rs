//! Filesets: blocks `Include` with blocks `Options`, and `Exclude` (`wire/2 §1.6`).

use towline_core::explain::codes;

use super::super::directives::fileset::BLOCKS;
use super::super::map::{Mapped, Mapper};
use super::super::parse::{Item, Name};
use super::super::value::{Node, Value};
use super::list;

/// Without `HardLinks`, also where there are no options, each name of a file is saved as a file of its own (`wire/2 §1.6`).
const HARD_LINKS: Value = Value::Bool(false);

/// The fileset that a resource is.
pub(super) fn build(mapper: &mut Mapper, mut set: Mapped) -> Mapped {
    mapper.require(&set, &[("name", "Name")]);
    let mut includes = Vec::new();
    let items: Vec<Item> = set.given("Include").map(|given| given.item.clone()).collect();
    for item in &items {
        if let Some(mut include) = block(mapper, "Include", item) {
            let blocks: Vec<Item> = include.given("Options").map(|given| given.item.clone()).collect();
            let mut options = Vec::new();
            for item in &blocks {
                if let Some(mut each) = block(mapper, "Options", item) {
                    files_by_name(&mut each);
                    each.default("hardlinks", HARD_LINKS);
                    set.is_disabled |= each.is_disabled;
                    options.push(each.node());
                }
            }
            if options.is_empty() {
                let place = include.place.clone();
                options
                    .push(Node::new(place.clone(), Value::Fields(vec![("hardlinks", Node::new(place, HARD_LINKS))])));
            }
            include.set("options", list(options));
            include.default("files", Value::List(Vec::new()));
            files(&mut include);
            includes.push(include.node());
        }
    }
    exclude(mapper, &mut set);
    set.set("include", Node::new(set.place.clone(), Value::List(includes)));
    set
}

/// All blocks `Exclude` as one.
fn exclude(mapper: &mut Mapper, set: &mut Mapped) {
    let mut fields: Vec<(&'static str, Node)> = Vec::new();
    let items: Vec<Item> = set.given("Exclude").map(|given| given.item.clone()).collect();
    for item in &items {
        let Some(mut exclude) = block(mapper, "Exclude", item) else { continue };
        files(&mut exclude);
        for (field, node) in exclude.fields {
            match (fields.iter_mut().find(|(known, _)| *known == field), node.value) {
                (Some((_, Node { value: Value::List(all), .. })), Value::List(more)) => all.extend(more),
                (_, value) => fields.push((field, Node::new(node.place, value))),
            }
        }
    }
    fields.retain(|(_, node)| !matches!(&node.value, Value::List(list) if list.is_empty()));
    if let Some((_, first)) = fields.first() {
        let place = first.place.clone();
        set.set("exclude", Node::new(place, Value::Fields(fields)));
    }
}

/// `\\<file` and `\\|command` are for the client; without the backslash they are for the director.
fn files(block: &mut Mapped) {
    let Some((_, Node { value: Value::List(files), .. })) =
        block.fields.iter_mut().find(|(field, _)| *field == "files")
    else {
        return;
    };
    let is_list = |file: &Node| matches!(&file.value, Value::Text(text) if text.starts_with(['<', '|']));
    let (lists, mut others): (Vec<Node>, Vec<Node>) = std::mem::take(files).into_iter().partition(is_list);
    for file in &mut others {
        if let Value::Text(text) = &mut file.value
            && let Some(on_client) = text.strip_prefix('\\').filter(|rest| rest.starts_with(['<', '|']))
        {
            *text = on_client.to_owned();
        }
    }
    *files = others;
    if !lists.is_empty() {
        block.set("director_lists", list(lists));
    }
}

/// A block of a fileset, as its table says.
fn block(mapper: &mut Mapper, kind: &str, item: &Item) -> Option<Mapped> {
    let table = BLOCKS.iter().find(|block| block.name == kind)?;
    match &item.block {
        Some(items) => {
            let name = Name { text: kind.to_owned(), place: item.name.place.clone() };
            Some(mapper.map(table, &name, items, &[]))
        }
        None => {
            let message = format!("`{kind}` is a block");
            mapper.error(codes::WRONG_VALUE, &item.name.place, message, format!("write `{kind} {{ … }}`"));
            None
        }
    }
}

/// `WildFile` without a slash is held against the name of a file, not its path.
fn files_by_name(options: &mut Mapped) {
    let words: Vec<Node> = options.words("WildFile").cloned().collect();
    let (mut wild, mut regex) = (Vec::new(), Vec::new());
    for word in words {
        match &word.value {
            Value::Text(text) if text.contains(['/', '\\']) => wild.push(word),
            Value::Text(text) => regex.push(Node::text(word.place.clone(), name_as_regex(text))),
            _ => {}
        }
    }
    if !wild.is_empty() {
        options.set("wild_file", list(wild));
    }
    if !regex.is_empty() {
        let more = options.fields.iter().find(|(field, _)| *field == "regex_file").map(|(_, node)| node.value.clone());
        if let Some(Value::List(more)) = more {
            regex.extend(more);
        }
        options.set("regex_file", list(regex));
    }
}

/// A wildcard for the last part of a path as an extended regular expression for the whole.
fn name_as_regex(wild: &str) -> String {
    let mut regex = "/".to_owned();
    let mut chars = wild.chars().peekable();
    let mut bracket = false;
    while let Some(c) = chars.next() {
        match c {
            ']' if bracket => {
                bracket = false;
                regex.push(c);
            }
            c if bracket => regex.push(c),
            '[' => {
                bracket = true;
                regex.push('[');
                if chars.next_if_eq(&'!').is_some() {
                    regex.push('^');
                }
            }
            '*' => regex += "[^/]*",
            '?' => regex += "[^/]",
            c if c.is_alphanumeric() || matches!(c, '-' | '_' | ' ' | '~' | ',') || !c.is_ascii() => regex.push(c),
            c => regex.extend(['\\', c]),
        }
    }
    regex.push('$');
    regex
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_files_become_expressions_over_the_last_part_of_a_path() {
        assert_eq!(name_as_regex("*.o"), r"/[^/]*\.o$");
        assert_eq!(name_as_regex("core.[0-9]?"), r"/core\.[0-9][^/]$");
        assert_eq!(name_as_regex("[!a]b+"), r"/[^a]b\+$");
        assert_eq!(name_as_regex("thumbs.db"), r"/thumbs\.db$");
    }
}
