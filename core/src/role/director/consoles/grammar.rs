//! The commands of a console and the words that each of them takes. A line with any other word is refused, and nothing
//! of it is done: a word that were ignored would be taken for one that was obeyed.

use crate::nearest::nearest;

use super::words::Words;

/// What may stand after a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Takes {
    /// Nothing: `yes`.
    Nothing,
    /// A value: `client=NAME`.
    Value,
    /// Values, each after the word again: `file=/a file=/b`.
    Values,
    /// A value or nothing.
    Either,
}

use Takes::{Either, Nothing, Value, Values};

/// A command, or one form of it.
#[derive(Debug)]
pub(super) struct Form {
    /// The command.
    pub(super) verb: &'static str,
    /// The words of which one makes it this form, when it stands directly after the command; without any, all lines of
    /// the command are of this form.
    subjects: &'static [&'static str],
    /// Whether its first word is the user's own and not one of a list.
    free: bool,
    words: &'static [(&'static str, Takes)],
    /// Of each of these only one may be said.
    one_of: &'static [&'static [&'static str]],
    /// How to say it, and what it does.
    pub(super) help: &'static [(&'static str, &'static str)],
}

const PLAIN: Form = Form { verb: "", subjects: &[], free: false, words: &[], one_of: &[], help: &[] };

/// A running job is named by one of these.
const A_JOB: &[&str] = &["jobid", "job", "ujobid"];

/// All that may be said. Of two commands with the same beginning the first is meant by it (`wire/1 §6.1`).
pub(super) const FORMS: &[Form] = &[
    Form {
        verb: ".api",
        free: true,
        words: &[("compact", Value)],
        help: &[(".api 0|1|2 [compact=yes]", "answers as text, as text between signals, or as JSON")],
        ..PLAIN
    },
    Form { verb: ".exit", ..PLAIN },
    Form { verb: ".quit", ..PLAIN },
    Form {
        verb: "cancel",
        words: &[("jobid", Value), ("job", Value), ("ujobid", Value), ("yes", Nothing)],
        one_of: &[A_JOB],
        help: &[("cancel jobid=N|job=UNIQUE", "cancel a job")],
        ..PLAIN
    },
    Form {
        verb: "estimate",
        words: &[("job", Value), ("listing", Nothing), ("level", Value), ("client", Value), ("fileset", Value)],
        help: &[(
            "estimate job=NAME [listing] [level=full|differential|incremental] [client=NAME] [fileset=NAME]",
            "what a backup would save",
        )],
        ..PLAIN
    },
    Form { verb: "exit", ..PLAIN },
    Form {
        verb: "explain",
        free: true,
        words: &[("client", Value), ("storage", Value), ("copy-to", Value)],
        help: &[(
            "explain CODE|client=NAME storage=NAME|storage=NAME copy-to=NAME",
            "what a code means; which way data goes, and why",
        )],
        ..PLAIN
    },
    Form { verb: "help", free: true, help: &[("help [COMMAND]", "this list, or how to say one command")], ..PLAIN },
    Form {
        verb: "list",
        subjects: &["jobs", "job", "jobid", "jobname"],
        words: LIST_JOBS,
        one_of: &[&["days", "hours"], &["job", "jobname"], &["joblevel", "level"]],
        help: &[(
            "list jobs [jobid=N] [job=NAME] [client=NAME] [jobstatus=LETTERS] [jobtype=LETTERS] [joblevel=LETTERS] \
             [days=N|hours=N] [last] [order=asc|desc] [limit=N] [offset=N]",
            "jobs of the catalog, oldest first; last: only the newest of each name",
        )],
        ..PLAIN
    },
    Form {
        verb: "list",
        subjects: &["files"],
        words: &[("jobid", Value)],
        help: &[("list files jobid=N", "what a job saved")],
        ..PLAIN
    },
    Form {
        verb: "list",
        subjects: &["volumes", "media"],
        words: &[("pool", Value), ("all", Nothing)],
        one_of: &[&["pool", "all"]],
        help: &[("list volumes [pool=NAME]", "volumes of the catalog")],
        ..PLAIN
    },
    Form { verb: "list", subjects: &["clients"], help: &[("list clients", "clients of the catalog")], ..PLAIN },
    Form {
        verb: "list",
        subjects: &["joblog"],
        words: &[("jobid", Value)],
        help: &[("list joblog jobid=N", "what a job reported")],
        ..PLAIN
    },
    Form { verb: "messages", help: &[("messages", "what jobs have reported since the last time")], ..PLAIN },
    Form { verb: "quit", help: &[("quit", "leave")], ..PLAIN },
    Form {
        verb: "restore",
        words: &[
            ("client", Value),
            ("fileset", Value),
            ("where", Value),
            ("replace", Value),
            ("restorejob", Value),
            ("select", Nothing),
            ("current", Nothing),
            ("all", Nothing),
            ("file", Values),
            ("before", Value),
            ("done", Nothing),
            ("yes", Nothing),
            ("jobid", Value),
        ],
        one_of: &[&["jobid", "before", "current"], &["jobid", "fileset"], &["jobid", "select"]],
        help: &[(
            "restore client=NAME all|file=/PATH [file=/PATH…] [before=\"DATE TIME\"|jobid=N] [fileset=NAME] \
             [where=FOLDER] [replace=always|ifnewer|ifolder|never] done [yes]",
            "restore all files of the newest backup, or single files and folders; a name is written as list files shows \
             it, in which \\x1b is a byte, \\\\ a backslash and \\\" a quotation mark",
        )],
        ..PLAIN
    },
    Form {
        verb: "run",
        words: &[
            ("job", Value),
            ("client", Value),
            ("fileset", Value),
            ("storage", Value),
            ("pool", Value),
            ("level", Value),
            ("accurate", Value),
            ("jobid", Value),
            ("yes", Nothing),
        ],
        help: &[
            (
                "run job=NAME [level=full|differential|incremental] [accurate=yes|no] [client=NAME] [fileset=NAME] \
                 [storage=NAME] [pool=NAME] [yes]",
                "run a job now",
            ),
            (
                "run job=NAME [jobid=N] [pool=NAME] [yes]",
                "copy or migrate all jobs that the job NAME selects, or only N; verify N",
            ),
        ],
        ..PLAIN
    },
    Form {
        verb: "setbandwidth",
        words: &[
            ("limit", Value),
            ("client", Value),
            ("storage", Value),
            ("jobid", Value),
            ("job", Value),
            ("ujobid", Value),
            ("yes", Nothing),
        ],
        one_of: &[A_JOB],
        help: &[(
            "setbandwidth limit=N[b/s|k/s|kb/s|m/s|mb/s] client=NAME|storage=NAME|jobid=N|job=UNIQUE [yes]",
            "let the data of jobs take N KiB a second, or N of the unit; 0: no limit",
        )],
        ..PLAIN
    },
    Form {
        verb: "setip",
        help: &[("setip", "dial the client of this console's name where the console comes from")],
        ..PLAIN
    },
    Form {
        verb: "status",
        words: &[
            ("director", Nothing),
            ("dir", Nothing),
            ("client", Either),
            ("storage", Either),
            ("network", Nothing),
            ("days", Value),
        ],
        one_of: &[
            &["director", "dir", "client", "storage", "network"],
            &["days", "client"],
            &["days", "storage"],
            &["days", "network"],
        ],
        help: &[
            ("status [director] [days=N]", "what the director does, and what it will do within N days"),
            ("status client=NAME|storage=NAME", "what a daemon does"),
            ("status network", "every connection of this director"),
        ],
        ..PLAIN
    },
    Form { verb: "version", help: &[("version", "the version of this director")], ..PLAIN },
    Form {
        verb: "wait",
        words: &[("jobid", Value), ("job", Value), ("ujobid", Value)],
        one_of: &[A_JOB],
        help: &[("wait [jobid=N|job=UNIQUE]", "wait until jobs have ended, and say how they did")],
        ..PLAIN
    },
];

const LIST_JOBS: &[(&str, Takes)] = &[
    ("jobid", Value),
    ("job", Either),
    ("jobname", Value),
    ("client", Value),
    ("jobstatus", Value),
    ("jobtype", Value),
    ("joblevel", Value),
    ("level", Value),
    ("days", Value),
    ("hours", Value),
    ("last", Nothing),
    ("order", Value),
    ("limit", Value),
    ("offset", Value),
];

/// The whole word of an abbreviated command; any other word as it stands. `llist` and `?` mean `list` and `help`.
pub(super) fn whole_verb(verb: &str) -> &str {
    match verb {
        "llist" => return "list",
        "?" => return "help",
        "" | "." => return verb,
        _ => {}
    }
    FORMS.iter().map(|form| form.verb).find(|whole| whole.starts_with(verb)).unwrap_or(verb)
}

/// Whether there is such a command.
pub(super) fn is_verb(verb: &str) -> bool {
    FORMS.iter().any(|form| form.verb == verb)
}

/// The command that a mistyped one most likely means, as a sentence with a blank before it.
pub(super) fn meant_verb(verb: &str) -> String {
    did_you_mean(verb, FORMS.iter().map(|form| form.verb))
}

/// Refuses a line with words that its command does not take.
///
/// # Errors
/// The first word that is wrong and the nearest that is not, in sentences.
pub(super) fn check(verb: &str, words: &Words) -> Result<(), String> {
    if words.is_open() {
        return Err("A quotation mark is not closed.\n".to_owned());
    }
    let forms = || FORMS.iter().filter(|form| form.verb == verb);
    let subject = words.word(1);
    let found = forms().find(|form| form.subjects.is_empty() || form.subjects.contains(&subject.as_str()));
    let Some(form) = found else {
        let subjects: Vec<&str> = forms().filter_map(|form| form.subjects.first().copied()).collect();
        let meant = did_you_mean(&subject, subjects.iter().copied());
        return Err(format!("{verb} wants one of {} after it.{meant}\n", subjects.join(", ")));
    };
    form.check(words)
}

/// The last words of a sentence about a name that nothing has: `word`, where `known` are the names there are.
pub(super) fn did_you_mean<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    nearest(word, known).map_or_else(String::new, |known| format!(" Do you mean \"{known}\"?"))
}

impl Form {
    fn check(&self, words: &Words) -> Result<(), String> {
        let verb = self.verb;
        let mut said: Vec<&str> = Vec::new();
        for (at, (key, value)) in words.arguments().enumerate() {
            if at == 0 && self.free && value.is_none() {
                continue;
            }
            let known = self.words.iter().find(|(word, _)| key.eq_ignore_ascii_case(word));
            let Some(&(word, takes)) = known else {
                if at == 0 && value.is_none() && self.subjects.iter().any(|subject| key.eq_ignore_ascii_case(subject)) {
                    continue;
                }
                return Err(self.unknown(key));
            };
            match (takes, value) {
                (Nothing, Some(_)) => return Err(format!("{verb}: {word} takes no value, only {word}.\n")),
                (Value | Values, None) => return Err(format!("{verb}: {word} wants a value: {word}=…\n")),
                _ => {}
            }
            if said.contains(&word) && takes != Values {
                return Err(format!("{verb}: {word} is said twice.\n"));
            }
            said.push(word);
        }
        for group in self.one_of {
            let both: Vec<&str> = group.iter().copied().filter(|word| said.contains(word)).collect();
            if let [one, other, ..] = both[..] {
                return Err(format!("{verb}: say {one} or {other}, not both.\n"));
            }
        }
        Ok(())
    }

    fn unknown(&self, word: &str) -> String {
        let words = || self.words.iter().map(|(word, _)| *word);
        let advice = match did_you_mean(word, words()) {
            meant if !meant.is_empty() => meant,
            _ if self.words.is_empty() => " It takes none.".to_owned(),
            _ => format!(" It takes: {}.", words().collect::<Vec<_>>().join(", ")),
        };
        format!("{} does not know the word \"{word}\".{advice}\n", self.verb)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(line: &str) -> String {
        let words = Words::parse(line);
        check(whole_verb(&words.word(0)), &words).err().unwrap_or_default()
    }

    #[test]
    fn a_word_that_a_command_does_not_take_is_refused_with_the_nearest() {
        for (line, text) in [
            ("list jobs lats", "list does not know the word \"lats\". Do you mean \"last\"?\n"),
            ("list jobs jobstaus=T", "list does not know the word \"jobstaus\". Do you mean \"jobstatus\"?\n"),
            ("list jbos", "list wants one of jobs, files, volumes, clients, joblog after it. Do you mean \"jobs\"?\n"),
            ("list", "list wants one of jobs, files, volumes, clients, joblog after it.\n"),
            ("list clients pool=x", "list does not know the word \"pool\". It takes none.\n"),
            ("list files jobid=1 all", "list does not know the word \"all\". It takes: jobid.\n"),
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
            ("list jobs last=3", "list: last takes no value, only last.\n"),
            ("list jobs limit", "list: limit wants a value: limit=…\n"),
            ("restore client=a client=b all done", "restore: client is said twice.\n"),
            ("run job=a yes YES", "run: yes is said twice.\n"),
            ("cancel jobid=1 job=b", "cancel: say jobid or job, not both.\n"),
            ("status client=a storage=b", "status: say client or storage, not both.\n"),
            ("status days=2 network", "status: say days or network, not both.\n"),
            ("restore client=a jobid=1 before=now all done", "restore: say jobid or before, not both.\n"),
            ("restore client=\"a all done", "A quotation mark is not closed.\n"),
        ] {
            assert_eq!(refused(line), text, "{line}");
        }
    }

    #[test]
    fn what_the_consoles_of_others_send_is_taken() {
        for line in [
            "restore client=a file=/x file=/y select current done yes",
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

    #[test]
    fn every_word_of_a_group_is_a_word_of_its_command() {
        for form in FORMS {
            let words: Vec<&str> = form.words.iter().map(|(word, _)| *word).collect();
            assert!(form.one_of.iter().all(|group| group.iter().all(|word| words.contains(word))), "{}", form.verb);
        }
    }

    #[test]
    fn commands_may_be_abbreviated() {
        for (short, whole) in
            [("l", "list"), ("llist", "list"), ("re", "restore"), ("s", "setbandwidth"), (".", "."), ("x", "x")]
        {
            assert_eq!(whole_verb(short), whole);
        }
    }
}
