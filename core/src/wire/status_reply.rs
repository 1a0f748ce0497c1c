//! What a daemon answers to `status`, read for a tray monitor (`wire/1 §7.2`, `wire/2 §5.1`, `wire/3 §8.2`).
//!
//! Daemons print for people, each kind and version a little differently. So nothing here is an error: lines that are not
//! understood are left out. Control characters become blanks, so that no daemon can play with an operator's terminal.

/// What a director is asked, as a console.
pub const ASK_DIRECTOR: &str = "status dir";
/// What a file or storage daemon is asked, as a director.
pub const ASK_DAEMON: &str = "status";

/// Jobs, and waiting connections, that are kept of each list; those past it are not read.
pub const MAX_ROWS: usize = 1_000;

/// The most words of how a job ended: `OK -- with warnings`.
const MAX_STATUS_WORDS: usize = 4;

/// A status in values.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StatusReply {
    /// The daemon's name for itself; empty if the text is no status.
    pub daemon: String,
    /// Its version, date and system, as printed.
    pub version: String,
    /// When it was started, as printed: `23-Nov-26 13:03`.
    pub started: String,
    /// How many jobs it has run since.
    pub jobs_run: u64,
    /// Jobs that run or wait to run.
    pub running: Vec<RunningJob>,
    /// Jobs that have ended, the newest last.
    pub terminated: Vec<TerminatedJob>,
    /// Clients that have dialled a director and wait there (`wire/1 §8.5`), the newest last.
    pub waiting: Vec<WaitingClient>,
}

/// A job that runs or waits to run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RunningJob {
    /// Its number, if the daemon gives one.
    pub id: Option<u32>,
    /// Its name, unique or that of its resource.
    pub name: String,
    /// What it is doing, in the daemon's words.
    pub state: String,
    /// Files so far.
    pub files: Option<u64>,
    /// Bytes so far.
    pub bytes: Option<u64>,
    /// Bytes a second.
    pub rate: Option<u64>,
    /// The file under way.
    pub file: Option<String>,
}

/// A row of the terminated jobs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TerminatedJob {
    /// Its number.
    pub id: u32,
    /// Its level in at most four letters; empty for a restore.
    pub level: String,
    /// Its files.
    pub files: u64,
    /// Its bytes, as printed: `1.043 K`.
    pub bytes: String,
    /// How it ended, as printed: `OK`, `OK -- with warnings`, `Error`, `Cancel`, `Diffs`.
    pub status: String,
    /// When it ended, as printed.
    pub ended: String,
    /// The name of its resource.
    pub name: String,
}

/// A client that waits at a director for jobs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WaitingClient {
    /// Since when, as printed.
    pub since: String,
    /// Its protocol.
    pub protocol: u32,
    /// Its name.
    pub name: String,
}

/// What the lines are about.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Section {
    Head,
    Running,
    Terminated,
    Waiting,
    Other,
}

impl StatusReply {
    /// Reads the text of all frames up to the end of data, one after the other.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        let mut reply = Self::default();
        let mut section = Section::Head;
        for line in text.lines() {
            let line = line.replace('\0', "").replace('\t', " ");
            let line = crate::printable::line(&line);
            match heading(&line, section) {
                Some(next) => section = next,
                None => reply.line(section, line.trim_end()),
            }
        }
        reply
    }

    /// Whether the text was a status at all: each begins with the daemon's name and version.
    #[must_use]
    pub fn is_status(&self) -> bool {
        !self.daemon.is_empty()
    }

    fn line(&mut self, section: Section, line: &str) {
        match section {
            Section::Head => self.head(line),
            Section::Running => self.running(line),
            Section::Terminated => push(&mut self.terminated, terminated(line)),
            Section::Waiting => push(&mut self.waiting, waiting(line)),
            Section::Other => {}
        }
    }

    fn head(&mut self, line: &str) {
        if let Some(rest) = line.strip_prefix("Daemon started ") {
            let (started, rest) = rest.split_once(". Jobs:").unwrap_or((rest, ""));
            started.trim().clone_into(&mut self.started);
            self.jobs_run = value(rest, "run=").and_then(number).unwrap_or_default();
        } else if let Some((name, version)) = line.split_once(" Version: ")
            && self.daemon.is_empty()
        {
            name.trim().clone_into(&mut self.daemon);
            version.trim().clone_into(&mut self.version);
        }
    }

    fn running(&mut self, line: &str) {
        if let Some(job) = job_begins(line) {
            push(&mut self.running, Some(job));
        } else if line.starts_with(' ')
            && let Some(job) = self.running.last_mut()
        {
            detail(job, line.trim_start());
        }
    }
}

/// The section that begins, or ends, with this line.
fn heading(line: &str, section: Section) -> Option<Section> {
    match line.trim_end() {
        "Running Jobs:" | "Job inventory:" => Some(Section::Running),
        "Terminated Jobs:" => Some(Section::Terminated),
        "====" => Some(Section::Other),
        text if text.starts_with("Client Initiated Connections") => Some(Section::Waiting),
        // Between sections, and where a table has no end of its own.
        text if text.ends_with(':') && !text.starts_with(' ') && section != Section::Running => Some(Section::Other),
        _ => None,
    }
}

/// A job's first line, in the words of the daemon that has it:
/// ```text
/// JobId 1 Job backup.2026-11-23_13.07.50_03 is running.            file daemon
/// JobId=1 Level=Full Type=Backup Name=backup Status=Running        storage daemon
/// Backup Job backup.2026-… waiting for Client connection.          storage daemon
///      1 Full    backup.2026-11-23_13.07.50_03 is running          director
/// ```
fn job_begins(line: &str) -> Option<RunningJob> {
    let text = line.trim_start();
    if let Some(rest) = text.strip_prefix("JobId=") {
        let (id, rest) = cut_word(rest);
        let id = Some(id.parse().ok()?);
        let (name, state) = match rest.strip_prefix("Job ") {
            Some(rest) => {
                let (name, rest) = cut_word(rest);
                (name, rest.rsplit_once(": ").map_or(rest, |(_, state)| state))
            }
            None => {
                let rest = rest.split_once("Name=").map_or("", |(_, rest)| rest);
                rest.split_once(" Status=").unwrap_or((rest, ""))
            }
        };
        return Some(RunningJob { id, name: name.to_owned(), state: words(state), ..RunningJob::default() });
    }
    if let Some(rest) = text.strip_prefix("JobId ") {
        let (id, rest) = cut_word(rest);
        let (name, state) = cut_word(rest.strip_prefix("Job ")?);
        return Some(RunningJob {
            id: Some(id.parse().ok()?),
            name: name.to_owned(),
            state: words(state),
            ..RunningJob::default()
        });
    }
    if let Some((kind, rest)) = text.split_once(" Job ")
        && rest.ends_with("waiting for Client connection.")
        && !kind.contains(' ')
    {
        let (name, state) = cut_word(rest);
        return Some(RunningJob { name: name.to_owned(), state: words(state), ..RunningJob::default() });
    }
    let (id, rest) = cut_word(text);
    let id = Some(id.parse().ok()?);
    let (first, after) = cut_word(rest);
    // A restore has no level.
    let (name, state) = if is_unique(first) { (first, after) } else { cut_word(after) };
    let job = RunningJob { id, name: name.to_owned(), state: words(state), ..RunningJob::default() };
    (!job.name.is_empty()).then_some(job)
}

/// A line below a job's first one.
fn detail(job: &mut RunningJob, text: &str) {
    if let Some(file) = text.strip_prefix("Processing file: ") {
        job.file = Some(file.to_owned());
        return;
    }
    if let Some((_, doing)) = text.split_once("Doing: ") {
        job.state = words(doing);
    }
    for word in text.split_whitespace() {
        let Some((key, value)) = word.split_once('=') else { continue };
        match key {
            "Files" => job.files = number(value).or(job.files),
            "Bytes" => job.bytes = number(value).or(job.bytes),
            "Bytes/sec" | "AveBytes/sec" => job.rate = number(value).or(job.rate),
            _ => {}
        }
    }
}

/// ```text
///      1  Full          6    1.043 K  OK       23-Nov-26 13:03 backup-tiny
///      2                6    1.043 K  OK       23-Nov-26 13:03 restore
/// ```
fn terminated(line: &str) -> Option<TerminatedJob> {
    let (id, rest) = cut_word(line.trim_start());
    let id = id.parse().ok()?;
    let (level, after) = cut_word(rest);
    let (level, rest) = if number(level).is_some() { ("", rest) } else { (level, after) };
    let (files, rest) = cut_word(rest);
    let (bytes, rest) = cut_word(rest);
    let (unit, after) = cut_word(rest);
    let is_unit = unit.len() == 1 && unit.chars().all(char::is_alphabetic);
    let (bytes, rest) = if is_unit { (format!("{bytes} {unit}"), after) } else { (bytes.to_owned(), rest) };
    let (status, [date, time, name]) = ended(rest)?;
    let job = TerminatedJob {
        id,
        level: level.to_owned(),
        files: number(files)?,
        bytes,
        status,
        ended: format!("{date} {time}"),
        name: name.to_owned(),
    };
    Some(job)
}

/// `OK -- with warnings  23-Nov-26 13:04 laptop`: the words before the date, the date, the time, and what follows.
fn ended(row: &str) -> Option<(String, [&str; 3])> {
    let mut status = String::new();
    let (mut word, mut rest) = cut_word(row);
    for _ in 0..MAX_STATUS_WORDS {
        if !status.is_empty() {
            status.push(' ');
        }
        status.push_str(word);
        (word, rest) = cut_word(rest);
        let (time, name) = cut_word(rest);
        if time.contains(':') && word.contains('-') {
            return Some((status, [word, time, name]));
        }
    }
    None
}

/// `23-Nov-26 12:51     54                  1                   laptop-fd`
fn waiting(line: &str) -> Option<WaitingClient> {
    let (date, rest) = cut_word(line.trim_start());
    let (time, rest) = cut_word(rest);
    let (protocol, rest) = cut_word(rest);
    let (_authenticated, name) = cut_word(rest);
    let protocol = protocol.parse().ok()?;
    let client = WaitingClient { since: format!("{date} {time}"), protocol, name: name.to_owned() };
    (time.contains(':') && !name.is_empty()).then_some(client)
}

fn push<T>(rows: &mut Vec<T>, row: Option<T>) {
    if rows.len() < MAX_ROWS {
        rows.extend(row);
    }
}

/// The first word, and what comes after the blanks after it.
fn cut_word(text: &str) -> (&str, &str) {
    text.split_once(' ').map_or((text, ""), |(word, rest)| (word, rest.trim_start()))
}

/// A state without the words that all states have.
fn words(state: &str) -> String {
    state.trim().trim_start_matches("is ").trim_end_matches('.').to_owned()
}

/// `1,048,682`
fn number(text: &str) -> Option<u64> {
    let digits: String = text.chars().filter(|c| *c != ',').collect();
    let is_number = digits.starts_with(|c: char| c.is_ascii_digit());
    if is_number { digits.parse().ok() } else { None }
}

/// The word after a key.
fn value<'a>(text: &'a str, key: &str) -> Option<&'a str> {
    text.split_whitespace().find_map(|word| word.strip_prefix(key)).map(|word| word.trim_end_matches(','))
}

/// Whether a word can be a unique name of a job: `backup.2026-11-23_13.01.31_03`.
fn is_unique(word: &str) -> bool {
    word.rsplitn(4, '.').count() == 4 && word.contains('_')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// As recorded from a director without jobs (`wire/1 §7.4`, `§8.5`).
    const DIRECTOR: &str = "\
bareos-dir Version: 26.0.0~pre1 (21 August 2026) Debian GNU/Linux 12 (bookworm)
Daemon started 23-Nov-26 13:03. Jobs: run=1,234, running=0 db:postgresql, self-compiled binary
No Scheduled Jobs.
====

Running Jobs:
Console connected at 23-Nov-26 13:04
No Jobs running.
====

Terminated Jobs:
 JobId  Level    Files      Bytes   Status   Finished        Name 
====================================================================
     1  Full          6    1.043 K  OK       23-Nov-26 13:03 backup-tiny
     2  Full          0         0   OK       23-Nov-26 13:03 copy
     3            1,006    1.749 K  Error    23-Nov-26 13:04 restore all


Client Initiated Connections (waiting for jobs):
Connect time        Protocol            Authenticated       Name                                    
====================================================================================================
23-Nov-26 12:51     54                  1                   cifd                                    
====
";

    #[test]
    fn how_a_job_ended_may_be_several_words() {
        let row = |status: &str| {
            let row =
                format!("Terminated Jobs:\n     1  Full          6    1.043 K  {status:<7}  23-Nov-26 13:03 a b\n");
            StatusReply::parse(&row)
                .terminated
                .first()
                .map(|job| (job.status.clone(), job.ended.clone(), job.name.clone()))
        };
        for status in ["OK", "OK -- with warnings"] {
            assert_eq!(row(status), Some((status.into(), "23-Nov-26 13:03".into(), "a b".into())));
        }
        assert_eq!(row("OK -- with five more words"), None);
    }

    #[test]
    fn a_directors_status_has_its_last_jobs_and_those_who_wait() {
        let reply = StatusReply::parse(DIRECTOR);
        assert!(reply.is_status());
        assert_eq!((reply.daemon.as_str(), reply.started.as_str()), ("bareos-dir", "23-Nov-26 13:03"));
        assert_eq!(reply.version, "26.0.0~pre1 (21 August 2026) Debian GNU/Linux 12 (bookworm)");
        assert_eq!((reply.jobs_run, reply.running.len()), (1_234, 0));
        let row = |job: &TerminatedJob| {
            (job.id, job.level.clone(), job.files, job.bytes.clone(), job.status.clone(), job.name.clone())
        };
        let rows: Vec<_> = reply.terminated.iter().map(row).collect();
        let text = |text: &str| text.to_owned();
        let expected = [
            (1, text("Full"), 6, text("1.043 K"), text("OK"), text("backup-tiny")),
            (2, text("Full"), 0, text("0"), text("OK"), text("copy")),
            (3, text(""), 1_006, text("1.749 K"), text("Error"), text("restore all")),
        ];
        assert_eq!(rows, expected);
        assert_eq!(reply.terminated[2].ended, "23-Nov-26 13:04");
        let waiting = WaitingClient { since: text("23-Nov-26 12:51"), protocol: 54, name: text("cifd") };
        assert_eq!(reply.waiting, [waiting]);
    }

    #[test]
    fn a_running_job_is_read_from_each_daemon_that_has_it() {
        let name = "bench-big.2026-11-23_13.07.50_03";
        let running = |lines: &str| {
            let reply = StatusReply::parse(&format!("d Version: 26\n\nRunning Jobs:\n{lines}No Jobs running.\n====\n"));
            assert_eq!(reply.running.len(), 1, "{lines}: {reply:?}");
            reply.running.into_iter().next().unwrap()
        };
        let file = running(&format!(
            "JobId 1 Job {name} is running.\n\0    Full Backup Job started: 23-Nov-26 13:07\n\
             \x20   Files=1 Bytes=1,000 Bytes/sec=250 Errors=0\n    Bwlimit=307,200\n    Files Examined=1\n\
             \x20   Processing file: /srv/a file: odd\n    SDReadSeqNo=5 fd=5\n\
             bareos-dir (director) connected at: 23-Nov-26 13:07\n"
        ));
        assert_eq!((file.id, file.name.as_str(), file.state.as_str()), (Some(1), name, "running"));
        assert_eq!((file.files, file.bytes, file.rate), (Some(1), Some(1_000), Some(250)));
        assert_eq!(file.file.as_deref(), Some("/srv/a file: odd"));
        let storage = running(
            "JobId=1 Level=Full Type=Backup Name=bench-big Status=Running\n\
             Writing: Volume=\"Full-0001\"\n    pool=\"Full\" device=\"FileStorage1\" (/srv)\n\
             \x20   spooling=0 despooling=0 despool_wait=0\n    Files=0 Bytes=1,048,682 AveBytes/sec=349,560 LastBytes/sec=1\n",
        );
        assert_eq!((storage.id, storage.name.as_str(), storage.state.as_str()), (Some(1), "bench-big", "Running"));
        assert_eq!((storage.bytes, storage.rate), (Some(1_048_682), Some(349_560)));
        let waits = running(&format!("Backup Job {name} waiting for Client connection.\n"));
        assert_eq!((waits.id, waits.state.as_str()), (None, "waiting for Client connection"));
        let director = running(&format!(
            " JobId Level   Name                       Status\n{}\n     7 Full    {name} is waiting on Storage\n",
            "=".repeat(70)
        ));
        assert_eq!(
            (director.id, director.name.as_str(), director.state.as_str()),
            (Some(7), name, "waiting on Storage")
        );
        let restore = running(&format!("     8         {name} is running\n"));
        assert_eq!((restore.id, restore.name.as_str(), restore.state.as_str()), (Some(8), name, "running"));
    }

    #[test]
    fn what_is_no_status_has_no_daemon() {
        for text in
            ["", "2999 Invalid command\n", "status: is an invalid command or you have no access to it.\n", "\0\n"]
        {
            assert!(!StatusReply::parse(text).is_status(), "{text}");
        }
    }

    #[test]
    fn no_more_rows_are_kept_than_the_limit() {
        let rows = |count: usize| {
            let row = "     1  Full          6    1.043 K  OK       23-Nov-26 13:03 backup-tiny\n";
            StatusReply::parse(&format!("Terminated Jobs:\n{}", row.repeat(count))).terminated.len()
        };
        assert_eq!((rows(MAX_ROWS), rows(MAX_ROWS + 1)), (MAX_ROWS, MAX_ROWS));
    }

    #[test]
    fn a_daemon_cannot_write_control_characters_to_the_operators_terminal() {
        let reply = StatusReply::parse("evil\x1b[2J Version: 1\x07\nRunning Jobs:\nJobId 1 Job a\x1bc is running.\n");
        let shown = format!("{}{}{}", reply.daemon, reply.version, reply.running[0].name);
        assert!(!shown.contains(char::is_control), "{shown:?}");
    }

    proptest! {
        #[test]
        fn any_text_is_read_without_harm(text in "[ -~\n=:,.0-9]{0,400}") {
            let sections = ["Running Jobs:\n", "Terminated Jobs:\n", "Client Initiated Connections (waiting for jobs):\n"];
            for section in sections {
                let _ = StatusReply::parse(&format!("{section}{text}"));
            }
        }
    }
}
