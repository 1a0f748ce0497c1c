//! A suggestion as a person would write it: a diff of each file, and what has to be in those that were not given.

use towline_core::config::ConfigPath;

use crate::config::{Edits, Setting, place};

use super::super::files::Files;
use super::Suggestion;
use super::change::{Place, Whose};

/// The files with the changes, and the other settings.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in super::super) struct Written {
    /// Unified diffs, one file after the other.
    pub(in super::super) diff: String,
    /// Settings of configurations that were not given, or that their syntax has no word for: whose, and what.
    pub(in super::super) elsewhere: Vec<(String, Vec<String>)>,
}

impl Written {
    pub(in super::super) fn new(files: &Files, suggestion: &Suggestion) -> Self {
        let mut out = Self::default();
        let mut director = Edits::default();
        let mut file_edits = vec![Edits::default(); files.files.len()];
        let mut storage_edits = vec![Edits::default(); files.storages.len()];
        for (change, _) in &suggestion.changes {
            for place in change.places(&suggestion.given) {
                let path = place.path();
                let is_written = match &place.whose {
                    Whose::Director => director.set(&files.director, &path, place.field, &place.to),
                    Whose::File(name) => {
                        let at = files.files.iter().position(|loaded| loaded.config.file.name == *name);
                        at.and_then(|at| files.files.get(at).zip(file_edits.get_mut(at)))
                            .is_some_and(|(loaded, edits)| edits.set(loaded, &path, place.field, &place.to))
                    }
                    Whose::Storage(name) => {
                        let at = suggestion.given.storage_place(name);
                        at.and_then(|at| files.storages.get(at).zip(storage_edits.get_mut(at)))
                            .is_some_and(|(loaded, edits)| edits.set(loaded, &path, place.field, &place.to))
                    }
                };
                if !is_written {
                    out.otherwise(suggestion, &place, &path);
                }
            }
        }
        out.diff = director.diff(&files.director);
        files.files.iter().zip(&file_edits).for_each(|(loaded, edits)| out.diff.push_str(&edits.diff(loaded)));
        files.storages.iter().zip(&storage_edits).for_each(|(loaded, edits)| out.diff.push_str(&edits.diff(loaded)));
        out.topology(files, suggestion);
        out
    }

    /// What is changed in the topology.
    fn topology(&mut self, files: &Files, suggestion: &Suggestion) {
        let mut lists: Vec<(ConfigPath, &'static str, Vec<String>)> = Vec::new();
        for (change, _) in &suggestion.changes {
            let Some((path, field, text)) = change.ron(&suggestion.topology) else { continue };
            match lists.iter_mut().find(|(known, list, _)| *known == path && *list == field) {
                // As they are in the list itself: rules come before those that are there.
                Some((.., all)) if field == "rules" => all.insert(0, text),
                Some((.., all)) => all.push(text),
                None => lists.push((path, field, vec![text])),
            }
        }
        let mut edits = Edits::default();
        for (path, field, all) in lists {
            let to = if field == "rules" { Setting::First(all) } else { Setting::More(all) };
            edits.set_ron(&files.topology, &path, field, &to);
        }
        self.diff.push_str(&edits.diff(&files.topology));
    }

    fn otherwise(&mut self, suggestion: &Suggestion, at: &Place, path: &ConfigPath) {
        let director = &suggestion.given.director.director.name;
        let whose = match &at.whose {
            Whose::Director => format!("the director {director}"),
            Whose::File(name) => format!("the file daemon {name}"),
            Whose::Storage(name) => format!("the storage daemon {name}"),
        };
        let text = match (&at.whose, at.list) {
            (Whose::Director, _) => format!("{}: {}", place(path, at.field), at.to.ron()),
            (_, "directors") => format!("in `directors`, for {director:?}: {}: {}", at.field, at.to.ron()),
            (_, list) => format!("in `{list}`: {}: {}", at.field, at.to.ron()),
        };
        match self.elsewhere.iter_mut().find(|(known, _)| *known == whose) {
            Some((_, all)) => all.push(text),
            None => self.elsewhere.push((whose, vec![text])),
        }
    }
}
