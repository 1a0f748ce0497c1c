//! How a command is said: its forms, and the words that each of them takes. A line with any other word is refused, and
//! nothing of it is done: a word that were ignored would be taken for one that was obeyed.

use super::refusal::{Meant, Refusal};
use super::reply::{Reply, View};
use super::words::Words;

/// A command: a row of the table in `commands/mod.rs`, defined in a file of its own.
#[derive(Debug)]
pub(super) struct Command {
    /// What the console says.
    pub(super) name: &'static str,
    /// Other words for it; they may not be abbreviated.
    pub(super) aliases: &'static [&'static str],
    /// Who may say it.
    pub(super) rights: Rights,
    /// Whether it asks a catalog, which `catalog=NAME` names.
    pub(super) asks: bool,
    /// The words of which the first on a line says what it is about, wherever it stands; without any, what follows the command.
    pub(super) leads: &'static [&'static str],
    /// How to say it; the first form that fits counts.
    pub(super) forms: &'static [Form],
    /// What it comes to. The words are those of one of the forms.
    pub(super) run: fn(&View<'_>, &Words) -> Result<Reply, Refusal>,
}

/// Who may say a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rights {
    /// Everybody, but a console from whom its command ACL takes it by name: `!help`.
    All,
    /// The default console, and those whose command ACL lists it.
    Listed,
}

/// What may stand after a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Takes {
    /// Nothing: `yes`.
    Nothing,
    /// A value: `client=NAME`.
    Value,
    /// Values, each after the word again: `file=/a file=/b`.
    Values,
    /// Values, each after the word again, or the word alone.
    Several,
    /// A value or nothing.
    Either,
}

use Takes::{Nothing, Several, Value, Values};

/// A form of a command.
#[derive(Debug)]
pub(super) struct Form {
    /// The words of which one makes it this form, when it stands directly after the command; without any, all lines of
    /// the command are of this form.
    pub(super) subjects: &'static [&'static str],
    /// Whether its first word is the user's own and not one of a list.
    pub(super) free: bool,
    /// Whether one word that is none of a list may stand anywhere.
    pub(super) name: bool,
    /// Whether it takes words that are none of a list, each with a value, as often as they come: somebody else knows them.
    pub(super) open: bool,
    pub(super) words: &'static [(&'static str, Takes)],
    /// Of each of these only one may be said.
    pub(super) one_of: &'static [&'static [&'static str]],
    /// How to say it, and what it does.
    pub(super) help: &'static [(&'static str, &'static str)],
}

impl Form {
    /// The command alone.
    pub(super) const PLAIN: Self =
        Self { subjects: &[], free: false, name: false, open: false, words: &[], one_of: &[], help: &[] };
}

/// A running job is named by one of these.
pub(super) const A_JOB: &[&str] = &["jobid", "job", "ujobid"];

/// What every command that asks a catalog takes: the name of that.
const CATALOG: (&str, Takes) = ("catalog", Value);

/// What is wrong with the words of a line.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Misused {
    #[error("A quotation mark is not closed.")]
    Unclosed,
    #[error("{command} needs one of {} after it.{meant}", .subjects.join(", "))]
    Subject { command: &'static str, subjects: Vec<&'static str>, meant: Meant },
    #[error("{command}: {word} takes no value.")]
    WithValue { command: &'static str, word: &'static str },
    #[error("{command}: {word} needs a value: {word}=…")]
    WithoutValue { command: &'static str, word: &'static str },
    #[error("{command}: {word} is given twice.")]
    Twice { command: &'static str, word: &'static str },
    #[error("{command}: use {one} or {other}, not both.")]
    Both { command: &'static str, one: &'static str, other: &'static str },
    #[error("{command} does not know the word \"{word}\".{}", advice(words, meant))]
    Unknown { command: &'static str, word: String, words: Vec<&'static str>, meant: Meant },
}

fn advice(words: &[&str], meant: &Meant) -> String {
    match meant {
        Meant(Some(_)) => meant.to_string(),
        Meant(None) if words.is_empty() => " It takes none.".to_owned(),
        Meant(None) => format!(" It takes: {}.", words.join(", ")),
    }
}

impl Command {
    /// A command that every form of a line may be said of, by those who are listed for it.
    pub(super) const fn new(
        name: &'static str,
        forms: &'static [Form],
        run: fn(&View<'_>, &Words) -> Result<Reply, Refusal>,
    ) -> Self {
        Self { name, aliases: &[], rights: Rights::Listed, asks: false, leads: &[], forms, run }
    }

    /// The same, and it asks a catalog.
    pub(super) const fn asking(self) -> Self {
        Self { asks: true, ..self }
    }

    /// Whether it can do nothing before the director's catalog knows the configuration.
    pub(super) fn needs_catalog(&self) -> bool {
        self.asks || matches!(self.name, "reload" | "configure")
    }

    /// The same, and one of these words says what a line is about, wherever it stands.
    pub(super) const fn led_by(self, leads: &'static [&'static str]) -> Self {
        Self { leads, ..self }
    }

    /// Refuses a line with words that the command does not take.
    ///
    /// # Errors
    /// The first word that is wrong and the nearest that is not.
    pub(super) fn check(&self, words: &Words) -> Result<(), Misused> {
        if words.is_open() {
            return Err(Misused::Unclosed);
        }
        let subject = words.word(1);
        let fits = |form: &&Form| form.subjects.is_empty() || form.subjects.contains(&subject.as_str());
        match self.forms.iter().find(fits) {
            Some(form) => form.check(self, words),
            None => {
                let subjects: Vec<_> = self.forms.iter().filter_map(|form| form.subjects.first().copied()).collect();
                let meant = Meant::of(&subject, subjects.iter().copied());
                Err(Misused::Subject { command: self.name, subjects, meant })
            }
        }
    }
}

impl Form {
    fn check(&self, of: &Command, words: &Words) -> Result<(), Misused> {
        let command = of.name;
        let (mut said, mut named) = (Vec::<&'static str>::new(), false);
        for (at, (key, value)) in words.arguments().enumerate() {
            if at == 0 && self.free && value.is_none() {
                continue;
            }
            let names_catalog = of.asks && key.eq_ignore_ascii_case(CATALOG.0);
            let of_form = || self.words.iter().find(|(word, _)| key.eq_ignore_ascii_case(word));
            let known = if names_catalog { Some(&CATALOG) } else { of_form() };
            if known.is_none() && self.name && value.is_none() && !named {
                named = true;
                continue;
            }
            if known.is_none() && self.open && value.is_some() {
                continue;
            }
            let Some(&(word, takes)) = known else {
                if at == 0 && value.is_none() && self.subjects.iter().any(|subject| key.eq_ignore_ascii_case(subject)) {
                    continue;
                }
                let words: Vec<_> = self.words.iter().map(|(word, _)| *word).collect();
                let meant = Meant::of(key, words.iter().copied());
                return Err(Misused::Unknown { command, word: key.to_owned(), words, meant });
            };
            match (takes, value) {
                (Nothing, Some(_)) => return Err(Misused::WithValue { command, word }),
                (Value | Values, None) => return Err(Misused::WithoutValue { command, word }),
                _ => {}
            }
            if said.contains(&word) && !matches!(takes, Values | Several) {
                return Err(Misused::Twice { command, word });
            }
            said.push(word);
        }
        for group in self.one_of {
            let both: Vec<_> = group.iter().copied().filter(|word| said.contains(word)).collect();
            if let [one, other, ..] = both[..] {
                return Err(Misused::Both { command, one, other });
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::commands;
    use super::*;

    fn refused(line: &str) -> String {
        let words = Words::parse(line);
        let command = commands::find(&words.word(0)).unwrap_or_else(|| panic!("{line}"));
        command.check(&words).map_or_else(|wrong| format!("{wrong}\n"), |()| String::new())
    }

    /// What `list` needs.
    const LISTS: &str = "list needs one of jobs, files, volumes, clients, pools, storages, filesets, joblog, log, jobmedia, \
                         jobtotals, jobstatistics, basefiles, copies, backups, nextvol after it.";

    #[test]
    fn a_word_that_a_command_does_not_take_is_refused_with_the_nearest() {
        for (line, text) in [
            ("list jobs lats", "list does not know the word \"lats\". Do you mean \"last\"?\n"),
            ("list jobs jobstaus=T", "list does not know the word \"jobstaus\". Do you mean \"jobstatus\"?\n"),
            ("list jbos", &format!("{LISTS} Do you mean \"jobs\"?\n")),
            ("list", &format!("{LISTS}\n")),
            ("list jobtotals pool=x", "list does not know the word \"pool\". It takes none.\n"),
            (
                "list files jobid=1 all",
                "list does not know the word \"all\". It takes: jobid, ujobid, limit, offset.\n",
            ),
            ("messages now", "messages does not know the word \"now\". It takes none.\n"),
            ("status diretor", "status does not know the word \"diretor\". Do you mean \"director\"?\n"),
            ("wait jobdi=1", "wait does not know the word \"jobdi\". Do you mean \"jobid\"?\n"),
            (
                "explain T0101 please",
                "explain does not know the word \"please\". It takes: client, storage, copy-to.\n",
            ),
            (".api 2 compat=yes", ".api does not know the word \"compat\". Do you mean \"compact\"?\n"),
        ] {
            assert_eq!(refused(line), text, "{line}");
        }
    }

    #[test]
    fn a_word_has_a_value_or_none_as_its_command_says() {
        for (line, text) in [
            ("list jobs last=3", "list: last takes no value.\n"),
            ("list jobs limit", "list: limit needs a value: limit=…\n"),
            ("list jobs catalog", "list: catalog needs a value: catalog=…\n"),
            ("list jobs catalog=a catalog=b", "list: catalog is given twice.\n"),
            ("messages catalog=a", "messages does not know the word \"catalog\". It takes none.\n"),
            ("restore client=a client=b all done", "restore: client is given twice.\n"),
            ("run job=a yes YES", "run: yes is given twice.\n"),
            ("cancel jobid=1 job=b", "cancel: use jobid or job, not both.\n"),
            ("status client=a storage=b", "status: use client or storage, not both.\n"),
            ("status days=2 network", "status: use days or network, not both.\n"),
            ("restore client=a jobid=1 before=now all done", "restore: use jobid or before, not both.\n"),
            ("restore client=\"a all done", "A quotation mark is not closed.\n"),
        ] {
            assert_eq!(refused(line), text, "{line}");
        }
    }

    #[test]
    fn what_the_consoles_of_others_send_is_taken() {
        for line in [
            "restore client=a file=/x file=/y select current done yes",
            "restore catalog=c client=a all done",
            "list volumes catalog=c",
            "list job=b",
            "llist jobid=1",
            "list jobs client=a last",
            "list volumes all",
            "status dir",
            "status director days=2",
            "status client",
            "setbandwidth limit=0 client=rfd yes",
            "estimate job=b listing",
            ".api json compact=yes",
            ".api",
            "explain T0101",
            "? run",
            "wait",
        ] {
            assert_eq!(refused(line), "", "{line}");
        }
    }
}
