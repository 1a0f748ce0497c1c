//! A session of a console in clear, as text: what it says and what it hears.
//!
//! ```text
//! # a comment
//! > run job=b
//! < A line of an answer.
//! <. OK to run? (yes/mod/no):
//! ! -27
//! @ job 1
//! @ seconds 2
//! ```
//! `>` is what the console says, `<` a whole line of the answer, `<.` a last one without its end, `!` a signal or the end, `@` what
//! is waited for: the end of a job, or how much later it must be. What differs from run to run is written as a word in its place, see [`Words`].

use std::fmt::Write as _;
use std::io::{ErrorKind, Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::time::SystemTime;

use regex_lite::Regex;
use towline_core::config::Password;
use towline_core::wire::cram_md5::{ACCEPTED, Challenge, is_accepted};
use towline_core::wire::frame::{Frame, Frames, MAX_ACCEPT, Signal, put_data};
use towline_core::wire::hello::{Hello, Version};

use crate::support::network::{CLEAR, Network, Plan};
use crate::support::{PATIENCE, plant, wait_for};

/// The daemons of a session: in clear, with volumes that are labelled by hand, each for one job, and may soon be pruned.
pub(crate) fn network() -> Network {
    let rewrite = |text: String| text.replace(r#"label_format: "v-","#, "");
    let pool = r#"maximum_volume_jobs: 1, volume_retention: "1 s", auto_prune: false"#.to_owned();
    let network = Network::start(&Plan { all: CLEAR.to_owned(), pool, rewrite, ..Plan::default() });
    plant(&network.source, 3, 50_000);
    network
}

/// What a console says, or waits for, and what it hears then.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Turn {
    pub(crate) said: String,
    /// What must be before this is said.
    pub(crate) after: Option<After>,
    pub(crate) heard: Vec<Heard>,
}

/// What a line is said after.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum After {
    /// The end of this job.
    Job(u32),
    /// So many seconds: whole ones decide what is old.
    Seconds(u64),
}

impl After {
    /// Waits for it.
    pub(crate) fn wait(self, network: &Network) {
        match self {
            Self::Job(id) => {
                let ended = network.end_of(id);
                assert!(ended.is_ok(), "{}", ended.report);
            }
            Self::Seconds(seconds) => {
                let begun = SystemTime::now();
                wait_for("later", || begun.elapsed().is_ok_and(|time| time.as_secs() >= seconds).then_some(()));
            }
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Heard {
    /// A line, with its end if it has one.
    Line(String),
    Signal(i32),
    /// The director ends the connection.
    End,
}

impl Heard {
    /// Whether the console is asked for its next line, or for none any more.
    pub(crate) fn is_prompt(&self) -> bool {
        let prompts = [Signal::Eod, Signal::MainPrompt, Signal::SubPrompt];
        match self {
            Self::Signal(number) => prompts.iter().any(|signal| signal.number() == *number),
            Self::Line(_) => false,
            Self::End => true,
        }
    }
}

/// The recorded session; how it was recorded says `bareos_matrix/session.rs`.
pub(crate) fn recorded() -> Vec<Turn> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/console-session.txt");
    parse(&std::fs::read_to_string(file).unwrap())
}

/// Reads a session.
fn parse(text: &str) -> Vec<Turn> {
    let mut turns: Vec<Turn> = Vec::new();
    let mut after = None;
    for line in text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        let (kind, rest) = line.split_once(' ').unwrap_or((line, ""));
        let heard = match kind {
            ">" => {
                turns.push(Turn { said: rest.to_owned(), after: after.take(), heard: Vec::new() });
                continue;
            }
            "@" => {
                after = Some(match rest.split_once(' ') {
                    Some(("job", id)) => After::Job(id.parse().unwrap()),
                    Some(("seconds", count)) => After::Seconds(count.parse().unwrap()),
                    _ => panic!("cannot read the line {line:?}"),
                });
                continue;
            }
            "<" => Heard::Line(format!("{rest}\n")),
            "<." => Heard::Line(rest.to_owned()),
            "!" if rest == "end" => Heard::End,
            "!" => Heard::Signal(rest.parse().unwrap()),
            _ => panic!("cannot read the line {line:?}"),
        };
        turns.last_mut().expect("an answer to nothing").heard.push(heard);
    }
    turns
}

/// Writes a session.
pub(crate) fn render(turns: &[Turn]) -> String {
    let mut text = String::new();
    for turn in turns {
        match turn.after {
            Some(After::Job(id)) => writeln!(text, "@ job {id}").unwrap(),
            Some(After::Seconds(count)) => writeln!(text, "@ seconds {count}").unwrap(),
            None => {}
        }
        writeln!(text, "> {}", turn.said).unwrap();
        for heard in &turn.heard {
            match heard {
                Heard::Line(line) => match line.strip_suffix('\n') {
                    Some(line) => writeln!(text, "< {line}").unwrap(),
                    None => writeln!(text, "<. {line}").unwrap(),
                },
                Heard::Signal(number) => writeln!(text, "! {number}").unwrap(),
                Heard::End => writeln!(text, "! end").unwrap(),
            }
        }
    }
    text
}

/// The words that stand for what differs from run to run.
#[derive(Debug)]
pub(crate) struct Words {
    at: String,
    patterns: Vec<(Regex, &'static str)>,
    number: Regex,
    /// A number of three digits at least: no number of a row.
    large: Regex,
}

impl Words {
    /// For daemons in this folder.
    pub(crate) fn of(folder: &Path) -> Self {
        let patterns = [
            (r"\d+\.\d+\.\d+ \([^)]*\).*", "@version@"),
            (r"(OS Information: +).*", "${1}@system@"),
            (r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", "@time@"),
            (r"\d\d-[A-Z][a-z]{2}-\d{2,4} \d\d:\d\d(:\d\d)?", "@time@"),
            (r"\d{4}-\d\d-\d\d_\d\d\.\d\d\.\d\d_\d\d", "@stamp@"),
            (r"\b\d\d:\d\d:\d\d\b", "@length@"),
            (r"(127\.0\.0\.1:)\d+", "${1}@port@"),
            (r"(Rate:|Elapsed time:) .*", "${1} @number@"),
            (r"\(connection \d+\)", "(connection @number@)"),
            // A line of `dir`: owner and size are this machine's.
            (r"^([-dl][rwx-]{9}) .* (@time@)", "${1} @owner@ ${2}"),
        ];
        let patterns = patterns.map(|(pattern, word)| (Regex::new(pattern).unwrap(), word));
        let at = folder.to_str().unwrap().to_owned();
        let [number, large] = [r"\d[\d.,]*", r"\d[\d,]{2,}"].map(|pattern| Regex::new(pattern).unwrap());
        Self { at, patterns: patterns.into(), number, large }
    }

    /// A line as it is said in a recording, for these daemons.
    pub(crate) fn fill(&self, line: &str) -> String {
        line.replace("@at@", &self.at)
    }

    /// What was heard, as a recording has it: without the lines that only say that there are messages.
    pub(crate) fn clean(&self, heard: &[Heard]) -> Vec<Heard> {
        let mut clean = Vec::new();
        for one in heard {
            match one {
                Heard::Line(line) if line == "You have messages.\n" => {}
                Heard::Signal(number) if *number == Signal::MessagesPending.number() => {}
                Heard::Line(line) => clean.push(Heard::Line(self.line(line))),
                other => clean.push(other.clone()),
            }
        }
        clean
    }

    fn line(&self, line: &str) -> String {
        /// Words of lines with numbers of this run.
        const OF_THIS_RUN: [&str; 4] = ["ytes", "olume Session", "Jobs:", "endblock"];
        let mut line = line.replace(&self.at, "@at@");
        for (pattern, word) in &self.patterns {
            line = pattern.replace_all(&line, *word).into_owned();
        }
        if line.starts_with(['|', '+']) {
            return narrow(&self.large.replace_all(&line, "#"));
        }
        let is_of_this_run = OF_THIS_RUN.iter().any(|word| line.contains(word));
        if is_of_this_run { narrow(&self.number.replace_all(&line, "#")) } else { line }
    }
}

/// A line without the widths of its columns.
fn narrow(line: &str) -> String {
    let mut out = String::new();
    for c in line.chars() {
        if !(matches!(c, ' ' | '-') && out.ends_with(c)) {
            out.push(c);
        }
    }
    out
}

/// Puts the frames of one side together to lines.
#[derive(Debug, Default)]
pub(crate) struct Lines {
    begun: String,
}

impl Lines {
    /// The whole lines that a text ends.
    pub(crate) fn text(&mut self, bytes: &[u8]) -> Vec<Heard> {
        self.begun.push_str(&String::from_utf8_lossy(bytes).replace('\0', ""));
        let end = self.begun.rfind('\n').map_or(0, |at| at + 1);
        let rest = self.begun.split_off(end);
        let whole = std::mem::replace(&mut self.begun, rest);
        whole.split_inclusive('\n').map(|line| Heard::Line(line.to_owned())).collect()
    }

    /// The signal, and the line before it that has no end.
    pub(crate) fn signal(&mut self, signal: Signal) -> Vec<Heard> {
        let begun = std::mem::take(&mut self.begun);
        let line = (!begun.is_empty()).then_some(Heard::Line(begun));
        line.into_iter().chain([Heard::Signal(signal.number())]).collect()
    }
}

/// A console of the test's own, which says what another one has said.
#[derive(Debug)]
pub(crate) struct Talk {
    stream: TcpStream,
    frames: Frames,
    unread: Vec<u8>,
}

impl Talk {
    /// Logs in as the default console.
    pub(crate) fn log_in(port: u16, password: &str) -> Self {
        let stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let mut talk = Self { stream, frames: Frames::new(MAX_ACCEPT), unread: Vec::new() };
        let secret = Password::new(password);
        let hello = Hello::default_console("26.0.0", Version { major: 26, minor: 0, patch: 0 });
        talk.send(hello.to_line().as_bytes());
        let challenge = Challenge::parse(&talk.text()).expect("a challenge");
        talk.send(&challenge.answer(&secret.key()));
        assert!(is_accepted(&talk.text()), "the director refuses the answer");
        talk.send(Challenge::new(7, 1, "R_CONSOLE::*UserAgent*", 0).to_line().as_bytes());
        talk.text();
        talk.send(ACCEPTED.as_bytes());
        // Who it is, and how one is connected.
        talk.text();
        talk.text();
        talk
    }

    fn send(&mut self, payload: &[u8]) {
        let mut frame = Vec::new();
        put_data(&mut frame, payload);
        self.stream.write_all(&frame).unwrap();
    }

    /// Says a line and hears until it is asked for the next one.
    pub(crate) fn say(&mut self, line: &str) -> Vec<Heard> {
        self.send(line.as_bytes());
        let (mut lines, mut heard) = (Lines::default(), Vec::new());
        loop {
            let more = self.next(|frame| match frame {
                Frame::Data(text) => lines.text(text),
                Frame::Signal(signal) => lines.signal(signal),
            });
            match more {
                Ok(more) => heard.extend(more),
                Err(error) if error.kind() == ErrorKind::UnexpectedEof => heard.push(Heard::End),
                Err(error) => panic!("{line}: {error} after {heard:?}"),
            }
            if heard.last().is_some_and(Heard::is_prompt) {
                return heard;
            }
        }
    }

    fn text(&mut self) -> Vec<u8> {
        let text = self.next(|frame| match frame {
            Frame::Data(text) => text.to_vec(),
            Frame::Signal(signal) => panic!("{signal:?} in a login"),
        });
        text.expect("a frame of the login")
    }

    fn next<T>(&mut self, mut take: impl FnMut(Frame<'_>) -> T) -> std::io::Result<T> {
        loop {
            let mut input = self.unread.as_slice();
            let taken = self.frames.next(&mut input).expect("frames").map(&mut take);
            let left = input.len();
            self.unread.drain(..self.unread.len() - left);
            if let Some(taken) = taken {
                return Ok(taken);
            }
            let mut space = [0; 16 * 1024];
            let count = self.stream.read(&mut space)?;
            if count == 0 {
                return Err(ErrorKind::UnexpectedEof.into());
            }
            self.unread.extend_from_slice(&space[..count]);
        }
    }
}
