//! What can stand at the end of a line: a command, one of its words, a value. As `.help` of the director tells, ours or a stock one.

/// What is completed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place<'a> {
    /// Where in the line it begins.
    pub(super) start: usize,
    /// As far as it is typed.
    pub(super) typed: &'a str,
    pub(super) wanted: Wanted<'a>,
}

/// What is wanted there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wanted<'a> {
    Command,
    /// A word of this command.
    Word(&'a str),
    /// What stands behind `key=`.
    Value {
        verb: &'a str,
        key: &'a str,
    },
}

/// Where values come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Source {
    /// The names that this command lists, one a line.
    Names(&'static str),
    /// Numbers of jobs.
    Jobs,
    /// Names of commands.
    Commands,
}

/// What `.help` says of a command.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Usage {
    pub(super) name: String,
    pub(super) what: String,
    /// Words as they are typed: `yes`, `client=`.
    pub(super) words: Vec<String>,
    /// The values that a word takes, where they are listed.
    values: Vec<(String, String)>,
}

/// What the end of a line is.
pub(super) fn place(line: &str) -> Place<'_> {
    let start = last_word(line);
    let typed = &line[start..];
    let Some(verb) = line[..start].split_whitespace().next() else {
        return Place { start, typed, wanted: Wanted::Command };
    };
    match typed.split_once('=') {
        Some((key, value)) => Place { start: start + key.len() + 1, typed: value, wanted: Wanted::Value { verb, key } },
        None => Place { start, typed, wanted: Wanted::Word(verb) },
    }
}

/// Where the last word begins; a blank in quotes ends none.
fn last_word(line: &str) -> usize {
    let (mut start, mut quoted) = (0, false);
    for (at, c) in line.char_indices() {
        match c {
            '"' => quoted = !quoted,
            c if c.is_whitespace() && !quoted => start = at + c.len_utf8(),
            _ => {}
        }
    }
    start
}

/// Where the values of a word come from, if the director can be asked.
pub(super) fn source_of(key: &str) -> Option<Source> {
    Some(match key {
        "job" | "verifyjob" | "migrationjob" | "jobname" => Source::Names(".jobs"),
        "client" | "backupclient" | "restoreclient" => Source::Names(".clients"),
        "storage" => Source::Names(".storages"),
        "pool" | "nextpool" | "recyclepool" => Source::Names(".pools"),
        "fileset" => Source::Names(".filesets"),
        "schedule" => Source::Names(".schedule"),
        "catalog" => Source::Names(".catalogs"),
        "console" => Source::Names(".consoles"),
        "profile" => Source::Names(".profiles"),
        "messages" => Source::Names(".msgs"),
        "volume" | "oldvolume" => Source::Names(".media"),
        "volstatus" => Source::Names(".volstatus"),
        "level" => Source::Names(".levels"),
        "jobid" | "since_jobid" | "until_jobid" => Source::Jobs,
        "item" => Source::Commands,
        _ => return None,
    })
}

impl Usage {
    /// Reads a line of `.help`: `NAME WHAT -- ARGUMENTS`.
    pub(super) fn parse(line: &str) -> Option<Self> {
        let (name, rest) = line.split_once(' ')?;
        let (what, arguments) = rest.rsplit_once("-- ").or_else(|| rest.split_once("--"))?;
        let is_name =
            !name.trim_matches('.').is_empty() && name.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'_' | b'.'));
        if !is_name {
            return None;
        }
        let mut usage = Self { name: name.to_owned(), what: what.trim().to_owned(), ..Self::default() };
        arguments.split_whitespace().for_each(|words| usage.take(words));
        Some(usage)
    }

    /// The values of a word, as the help lists them.
    pub(super) fn values_of(&self, key: &str) -> Vec<&str> {
        self.values.iter().filter(|(word, _)| word == key).map(|(_, value)| value.as_str()).collect()
    }

    /// Takes what stands between two blanks: `[job=NAME|client=NAME]`, `level=full|incremental`, `compact=<yes|no>`.
    fn take(&mut self, text: &str) {
        let mut key: Option<&str> = None;
        for part in text.split(['|', '[', ']', '(', ')', '{', '}']).filter(|part| !part.is_empty()) {
            match part.split_once('=') {
                Some((word, value)) if is_literal(word) => {
                    self.add(format!("{word}="));
                    let is_one_of = !value.ends_with('>') && is_literal(value.trim_start_matches('<'));
                    key = is_one_of.then_some(word);
                    if let Some(word) = key {
                        self.values.push((word.to_owned(), value.trim_start_matches('<').to_owned()));
                    }
                }
                Some(_) => key = None,
                None => {
                    let value = part.trim_end_matches(['>', ',']);
                    match key {
                        Some(word) if is_literal(value) => self.values.push((word.to_owned(), value.to_owned())),
                        None if is_literal(value) && !part.contains(['<', '>']) => self.add(value.to_owned()),
                        _ => {}
                    }
                }
            }
        }
    }

    fn add(&mut self, word: String) {
        if !self.words.contains(&word) {
            self.words.push(word);
        }
    }
}

/// Whether a word is typed as it stands, and is no name for something.
fn is_literal(word: &str) -> bool {
    !word.is_empty() && word.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'_' | b'-'))
}

/// A value as it is typed: in quotation marks if it has a blank, or if it was begun with one.
pub(super) fn quoted(value: &str, typed: &str) -> String {
    if value.contains(char::is_whitespace) || typed.starts_with('"') {
        format!("\"{}\"", value.replace('\\', "\\\\").replace('"', "\\\""))
    } else {
        value.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_a_line_is_a_command_a_word_or_a_value() {
        let cases = [
            ("", 0, "", Wanted::Command),
            ("sta", 0, "sta", Wanted::Command),
            ("status ", 7, "", Wanted::Word("status")),
            ("status cl", 7, "cl", Wanted::Word("status")),
            ("run job=", 8, "", Wanted::Value { verb: "run", key: "job" }),
            ("run yes job=\"a b", 12, "\"a b", Wanted::Value { verb: "run", key: "job" }),
            ("run job=\"a b\" ", 14, "", Wanted::Word("run")),
        ];
        for (line, start, typed, wanted) in cases {
            assert_eq!(place(line), Place { start, typed, wanted }, "{line}");
        }
    }

    #[test]
    fn words_and_values_are_read_from_the_help_of_both_kinds_of_director() {
        let ours = Usage::parse(
            "run run a job now -- job=NAME [level=full|incremental] [accurate=yes|no] [yes] | job=NAME [jobid=N]",
        );
        let ours = ours.unwrap();
        assert_eq!((ours.name.as_str(), ours.what.as_str()), ("run", "run a job now"));
        assert_eq!(ours.words, ["job=", "level=", "accurate=", "yes", "jobid="]);
        assert_eq!(ours.values_of("level"), ["full", "incremental"]);
        assert!(ours.values_of("job").is_empty());
        let theirs = ".api Switch between different api modes -- [ 0 | off | json ] [compact=<yes|no>] job=<job-name>";
        let theirs = Usage::parse(theirs).unwrap();
        assert_eq!(theirs.words, ["off", "json", "compact=", "job="]);
        assert_eq!(theirs.values_of("compact"), ["yes", "no"]);
        assert!(theirs.values_of("job").is_empty());
        let either = Usage::parse("status what it does -- client=NAME|storage=NAME | network").unwrap();
        assert_eq!(either.words, ["client=", "storage=", "network"]);
        assert_eq!(Usage::parse("version the version -- ").unwrap().words, [""; 0]);
        for line in ["", "You have messages.", ". no op -- ", "x: is an invalid command."] {
            assert_eq!(Usage::parse(line), None, "{line}");
        }
    }

    #[test]
    fn a_name_with_a_blank_is_completed_in_quotation_marks() {
        assert_eq!(quoted("laptop", ""), "laptop");
        assert_eq!(quoted("Full Set", ""), "\"Full Set\"");
        assert_eq!(quoted("laptop", "\"la"), "\"laptop\"");
    }
}
