//! The commands with which a person walks through a tree and marks files (`wire/1 §6.2`).

use crate::calendar::Zone;
use crate::catalog::RestoreFiles;
use crate::limits;
use crate::printable;
use crate::role::report::thousands;
use crate::wild;
use crate::wire::frame::Signal;

use super::super::commands::restore::Restoring;
use super::super::questions::{Matter, Prompt, Question};
use super::super::reply::{Reply, View};
use super::{Id, ROOT, Tree};

/// Folders deep to which marked files are shown.
const MAX_DEPTH: usize = 100;

/// What stands before the first prompt.
const INTRODUCTION: &str = "\nYou are in a tree of the files now. Mark those that are to be restored: `mark NAME` with all below it, `unmark \
                            NAME`, `ls`, `cd`, `help` for more.\nNo file is marked yet, unless the command said `all`. `done` goes on, `quit` \
                            leaves.\n\n";

/// A person in a tree, and the restore that goes on when they are done.
#[derive(Debug)]
pub(in super::super) struct Shell {
    tree: Tree,
    /// The folder that they are in.
    at: Id,
    /// The director's, as nobody knows that of the client.
    zone: Zone,
    restoring: Box<Restoring>,
}

/// A command: its name, what it does, and what it comes to.
struct Command(&'static str, &'static str, Do);

/// What a command comes to.
enum Do {
    /// Text; the tree goes on.
    Text(fn(&mut Shell, &[Vec<u8>]) -> String),
    /// The files that are marked are restored.
    Done,
    /// Nothing is.
    Quit,
}

/// All commands. Of two with the same beginning the first is meant by it, as in real directors.
const COMMANDS: &[Command] = &[
    Command("abort", "leave, and restore nothing", Do::Quit),
    Command("add", "as mark", Do::Text(|shell, names| shell.mark(names, true))),
    Command("cd", "go to a folder", Do::Text(Shell::cd)),
    Command("count", "how many files there are, and how many are marked", Do::Text(|shell, _| shell.count())),
    Command("delete", "as unmark", Do::Text(|shell, names| shell.mark(names, false))),
    Command(
        "dir",
        "the files of this folder with their attributes; wildcards",
        Do::Text(|shell, names| shell.dir(names, true)),
    ),
    Command(".dir", "", Do::Text(|shell, names| shell.dir(names, false))),
    Command("done", "restore what is marked", Do::Done),
    Command("estimate", "how many bytes the marked files have", Do::Text(|shell, _| shell.estimate())),
    Command("exit", "as done", Do::Done),
    Command("find", "files of all folders by their names; wildcards", Do::Text(Shell::find)),
    Command("help", "this list", Do::Text(|_, _| help())),
    Command("ls", "the files of this folder; wildcards", Do::Text(|shell, names| shell.ls(names, Shell::tagged))),
    Command(".ls", "", Do::Text(|shell, names| shell.ls(names, |_, _| true))),
    Command(".lsdir", "", Do::Text(Shell::lsdir)),
    Command("lsmark", "the marked files in and below this folder", Do::Text(Shell::lsmark)),
    Command(".lsmark", "", Do::Text(Shell::dot_lsmark)),
    Command(
        "mark",
        "mark files, and folders with all below them; wildcards",
        Do::Text(|shell, names| shell.mark(names, true)),
    ),
    Command("markdir", "mark folders alone", Do::Text(|shell, names| shell.mark_folders(names, true))),
    Command("pwd", "the folder you are in", Do::Text(|shell, _| shell.pwd())),
    Command(".pwd", "", Do::Text(|shell, _| shown(&shell.tree.path(shell.at)))),
    Command("unmark", "take marks off, as mark sets them", Do::Text(|shell, names| shell.mark(names, false))),
    Command("unmarkdir", "take the marks off folders alone", Do::Text(|shell, names| shell.mark_folders(names, false))),
    Command("quit", "leave, and restore nothing", Do::Quit),
    Command(".help", "", Do::Text(|_, _| names_of_commands())),
    Command("?", "this list", Do::Text(|_, _| help())),
];

impl Shell {
    /// A person comes into a tree; with `all` everything is marked.
    pub(in super::super) fn enter(view: &View<'_>, mut tree: Tree, restoring: Box<Restoring>, all: bool) -> Reply {
        if all {
            tree.mark(ROOT, true);
        }
        let shell = Box::new(Self { tree, at: ROOT, zone: view.zone().clone(), restoring });
        let text = format!("{INTRODUCTION}{}", shell.pwd());
        Reply::Mark(Signal::StartRestoreTree, Box::new(shell.ask())).after(text)
    }

    /// Asks for the next command.
    pub(in super::super) fn ask(self: Box<Self>) -> Reply {
        Reply::Question(Box::new(Question { prompt: Prompt::Shell, matter: Matter::Files(self), again: false }))
    }

    /// A line of the person.
    pub(in super::super) fn hear(mut self: Box<Self>, line: &str) -> Reply {
        let words = cut(line);
        let Some((word, names)) = words.split_first() else {
            return self.ask().after("Type a command, or done to go on.\n");
        };
        let word = String::from_utf8_lossy(word).to_lowercase();
        if word == "." {
            return Self::leave();
        }
        match COMMANDS.iter().find(|Command(name, ..)| name.starts_with(&word)) {
            Some(Command(.., Do::Text(run))) => {
                let text = run(&mut self, names);
                let next = Reply::Mark(Signal::CommandOk, Box::new(self.ask())).after(text);
                Reply::Mark(Signal::CommandBegin, Box::new(next))
            }
            Some(Command(.., Do::Done)) => {
                let marked: Vec<RestoreFiles> = self.tree.marked();
                let (_, bytes) = self.marked();
                let next = self.restoring.chosen(marked, bytes).unwrap_or_else(Reply::refused);
                Reply::Mark(Signal::EndRestoreTree, Box::new(next))
            }
            Some(Command(.., Do::Quit)) => Self::leave(),
            // As real directors do with what a graphical console sends on its own.
            None if word.starts_with('.') => self.ask(),
            None => {
                let word = printable::line(&word).into_owned();
                let next = Reply::Mark(Signal::CommandFailed, Box::new(self.ask()));
                next.after(format!("Invalid command \"{word}\". Enter \"done\" to exit.\n"))
            }
        }
    }

    fn leave() -> Reply {
        Reply::Mark(Signal::EndRestoreTree, Box::new(Reply::found("Restore not done.\n".to_owned())))
    }

    fn cd(&mut self, names: &[Vec<u8>]) -> String {
        let [way] = names else {
            return "Too few or too many arguments. Try using double quotes.\n".to_owned();
        };
        match self.tree.walk(self.at, way).filter(|id| self.tree.node(*id).is_folder) {
            Some(id) => {
                self.at = id;
                self.pwd()
            }
            None => format!("Invalid path given.\n{}", self.pwd()),
        }
    }

    fn pwd(&self) -> String {
        format!("cwd is: {}\n", shown(&self.tree.path(self.at)))
    }

    /// The children of the present folder that fit one of the names; all if there is none.
    fn here(&self, names: &[Vec<u8>]) -> impl Iterator<Item = Id> {
        let fits = |id: &Id| names.is_empty() || names.iter().any(|wild| wild::fits(wild, self.tree.name(*id)));
        self.tree.children(self.at).iter().copied().filter(fits)
    }

    /// `*` for what is marked, `+` for a folder with something marked below it.
    fn tag(&self, id: Id) -> &'static str {
        match self.tree.node(id) {
            node if node.marked => "*",
            node if node.marked_below > 0 => "+",
            _ => "",
        }
    }

    const fn tagged(&self, _: Id) -> bool {
        false
    }

    /// A name, with a slash if something is in it.
    fn with_slash(&self, id: Id) -> String {
        let slash = if self.tree.children(id).is_empty() { "" } else { "/" };
        format!("{}{slash}", shown(self.tree.name(id)))
    }

    /// `is_plain`: whether the tag is left out.
    fn ls(&self, names: &[Vec<u8>], is_plain: fn(&Self, Id) -> bool) -> String {
        let mut lines = Lines::default();
        for id in self.here(names) {
            let tag = if is_plain(self, id) { "" } else { self.tag(id) };
            lines.push(&format!("{tag}{}\n", self.with_slash(id)));
        }
        lines.done()
    }

    fn lsdir(&mut self, names: &[Vec<u8>]) -> String {
        let mut lines = Lines::default();
        for id in self.here(names).filter(|id| !self.tree.children(*id).is_empty()) {
            lines.push(&format!("{}/\n", shown(self.tree.name(id))));
        }
        lines.done()
    }

    fn dot_lsmark(&mut self, names: &[Vec<u8>]) -> String {
        let mut lines = Lines::default();
        for id in self.here(names).filter(|id| self.tree.node(*id).marked) {
            lines.push(&format!("{}\n", self.with_slash(id)));
        }
        lines.done()
    }

    fn lsmark(&mut self, names: &[Vec<u8>]) -> String {
        let mut lines = Lines::default();
        let is_wanted = |id: &Id| {
            let node = self.tree.node(*id);
            let fits = || names.is_empty() || names.iter().any(|wild| wild::fits(wild, self.tree.name(*id)));
            (node.marked || node.marked_below > 0) && fits()
        };
        let mut todo: Vec<(Id, usize)> = self.tree.children(self.at).iter().rev().map(|id| (*id, 0)).collect();
        while let Some((id, depth)) = todo.pop() {
            if !is_wanted(&id) {
                continue;
            }
            let indent = "  ".repeat(depth.min(MAX_DEPTH));
            lines.push(&format!("{indent}{}{}\n", self.tag(id), self.with_slash(id)));
            todo.extend(self.tree.children(id).iter().rev().map(|child| (*child, depth + 1)));
        }
        lines.done()
    }

    /// All that is known of what is here: in columns for a person, with commas between for a program.
    fn dir(&self, names: &[Vec<u8>], columns: bool) -> String {
        let mut lines = Lines::default();
        for id in self.here(names) {
            let node = self.tree.node(id);
            let tag = if self.tag(id).is_empty() { " " } else { self.tag(id) };
            let (mode, time, path) = (mode(node.mode), self.zone.local(node.time), shown(&self.tree.path(id)));
            let (links, uid, gid, size) = (node.nlink, node.uid, node.gid, node.size);
            lines.push(&match columns {
                true => format!("{mode}  {links:>2} {uid} ({uid}) {gid} ({gid})  {size:>12}  {time} {tag} {path}\n"),
                false => format!("{mode},{links},{uid}({uid}),{gid}({gid}),{size},{time},{tag},{path}\n"),
            });
        }
        lines.done()
    }

    fn find(&mut self, names: &[Vec<u8>]) -> String {
        if names.is_empty() {
            return "No file specification given.\n".to_owned();
        }
        let mut lines = Lines::default();
        for id in self.tree.all() {
            if names.iter().any(|wild| wild::fits(wild, self.tree.name(id))) {
                lines.push(&format!("{}{}\n", self.tag(id), shown(&self.tree.path(id))));
            }
        }
        lines.done()
    }

    fn count(&self) -> String {
        let saved = self.tree.nodes.iter().filter(|node| node.file_index > 0).count();
        let marked = self.tree.nodes.iter().filter(|node| node.marked).count();
        let (saved, marked) = (thousands(saved as u64), thousands(marked as u64));
        format!("{saved} total files/dirs. {marked} marked to be restored.\n")
    }

    fn estimate(&self) -> String {
        let saved = self.tree.nodes.iter().filter(|node| node.file_index > 0).count();
        let (marked, bytes) = self.marked();
        format!("{saved} total files; {marked} marked to be restored; {} bytes.\n", thousands(bytes))
    }

    /// How many files are marked, and their bytes.
    fn marked(&self) -> (u64, u64) {
        const REGULAR: u32 = 0o100_000;
        let (mut marked, mut bytes) = (0_u64, 0_u64);
        for node in self.tree.nodes.iter().filter(|node| node.marked) {
            marked += 1;
            if node.mode & 0o170_000 == REGULAR && node.link == 0 {
                bytes = bytes.saturating_add(u64::try_from(node.size).unwrap_or(0));
            }
        }
        (marked, bytes)
    }

    fn mark(&mut self, names: &[Vec<u8>], on: bool) -> String {
        let done = if on { "marked" } else { "unmarked" };
        let found: Vec<Id> = names.iter().flat_map(|name| self.meant(name)).collect();
        let count: u64 = found.into_iter().map(|id| self.tree.mark(id, on)).sum();
        counted(count, ("file", "files"), done)
    }

    fn mark_folders(&mut self, names: &[Vec<u8>], on: bool) -> String {
        let done = if on { "marked" } else { "unmarked" };
        let found: Vec<Id> = names.iter().flat_map(|name| self.meant(name)).collect();
        let folders = found.into_iter().filter(|id| self.tree.node(*id).is_folder).collect::<Vec<_>>();
        let count: u64 = folders.into_iter().map(|id| u64::from(self.tree.mark_one(id, on))).sum();
        counted(count, ("directory", "directories"), done)
    }

    /// The nodes that a name with wildcards in each of its parts means; `**` is any number of folders.
    fn meant(&self, name: &[u8]) -> Vec<Id> {
        let name = name.strip_suffix(b"/").unwrap_or(name);
        let absolute = name.starts_with(b"/") || name.is_empty() || name.get(1) == Some(&b':');
        let parts: Vec<&[u8]> = name.split(|byte| *byte == b'/').filter(|part| !part.is_empty()).collect();
        let mut at = vec![if absolute { ROOT } else { self.at }];
        if parts.is_empty() {
            return self.tree.children(ROOT).to_vec();
        }
        for (index, part) in parts.iter().enumerate() {
            let is_last = index + 1 == parts.len();
            let mut next = Vec::new();
            for id in at {
                match *part {
                    b"**" if !is_last => self.folders_in(id, &mut next),
                    b".." => next.push(self.tree.node(id).parent),
                    b"." => next.push(id),
                    wild => {
                        let children = self.tree.children(id).iter().copied();
                        next.extend(children.filter(|child| wild::fits(wild, self.tree.name(*child))));
                    }
                }
            }
            // Two ways of `**` may lead to one folder.
            next.sort_unstable();
            next.dedup();
            at = next;
        }
        at
    }

    /// A folder and all folders below it.
    fn folders_in(&self, id: Id, found: &mut Vec<Id>) {
        let mut todo = vec![id];
        while let Some(id) = todo.pop() {
            found.push(id);
            todo.extend(self.tree.children(id).iter().copied().filter(|child| self.tree.node(*child).is_folder));
        }
    }
}

/// Lines of an answer, as many as one may have.
#[derive(Debug, Default)]
struct Lines {
    text: String,
    left_out: u64,
}

impl Lines {
    fn push(&mut self, line: &str) {
        match self.left_out == 0 && self.text.len() + line.len() <= limits::ANSWER / 2 {
            true => self.text.push_str(line),
            false => self.left_out += 1,
        }
    }

    fn done(self) -> String {
        match self.left_out {
            0 => self.text,
            lines => format!("{}… {lines} more lines are left out (T0650)\n", self.text),
        }
    }
}

fn shown(name: &[u8]) -> String {
    printable::name(name)
}

fn counted(count: u64, (one, many): (&str, &str), done: &str) -> String {
    match count {
        0 => format!("No {many} newly {done}.\n"),
        1 => format!("1 {one} newly {done}.\n"),
        count => format!("{} {many} newly {done}.\n", thousands(count)),
    }
}

fn help() -> String {
    let lines = COMMANDS.iter().filter(|Command(name, ..)| !name.starts_with('.'));
    let lines = lines.map(|Command(name, what, _)| format!("  {name:<10} {what}\n"));
    format!("  Command    Description\n  =======    ===========\n{}\n", lines.collect::<String>())
}

fn names_of_commands() -> String {
    let names = COMMANDS.iter().map(|Command(name, ..)| *name).filter(|name| !name.starts_with('.'));
    names.map(|name| format!("{name}\n")).collect()
}

/// Cuts a line at its blanks. Quotes hold a name together, and escapes mean what they mean in a list.
fn cut(line: &str) -> Vec<Vec<u8>> {
    let (mut words, mut word, mut open) = (Vec::new(), None::<String>, false);
    let mut chars = line.chars();
    while let Some(c) = chars.next() {
        match c {
            '"' => {
                open = !open;
                word.get_or_insert_default();
            }
            '\\' => {
                let word = word.get_or_insert_default();
                word.push(c);
                word.extend(chars.next());
            }
            c if c.is_whitespace() && !open => words.extend(word.take()),
            c => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    words.iter().map(|word| printable::bytes(word)).collect()
}

/// Permissions and type in ten letters.
fn mode(mode: u32) -> String {
    let kind = match mode & 0o170_000 {
        0o040_000 => 'd',
        0o120_000 => 'l',
        0o020_000 => 'c',
        0o060_000 => 'b',
        0o010_000 => 'p',
        0o140_000 => 's',
        _ => '-',
    };
    let mut text = String::from(kind);
    for (shift, special, letters) in [(6, 0o4_000, ['s', 'S']), (3, 0o2_000, ['s', 'S']), (0, 0o1_000, ['t', 'T'])] {
        let bits = mode >> shift;
        text.push(if bits & 4 != 0 { 'r' } else { '-' });
        text.push(if bits & 2 != 0 { 'w' } else { '-' });
        text.push(match (mode & special != 0, bits & 1 != 0) {
            (true, true) => letters[0],
            (true, false) => letters[1],
            (false, true) => 'x',
            (false, false) => '-',
        });
    }
    text
}
