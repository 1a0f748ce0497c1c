//! Telling a daemon how fast the data of jobs may go, one job after the other (`wire/2 §1.2`, 19; `wire/3 §1.3.6`).

use std::collections::VecDeque;

use crate::ids::Who;
use crate::role::director::consoles::{Answer, Refusal};
use crate::wire::file::FileCommand;
use crate::wire::job_answers::LimitAnswer;

/// Limits that one daemon is told, one after the other.
#[derive(Debug)]
pub(crate) struct Limits {
    who: Who,
    name: String,
    /// Bytes a second; 0 for no limit.
    limit: u64,
    /// Lines that are still to be sent.
    more: VecDeque<String>,
    told: usize,
    /// Answers of which none has set a limit: what was understood, and the line.
    refused: Vec<(Option<LimitAnswer>, String)>,
}

/// What follows an answer.
#[derive(Debug)]
pub(super) enum Next {
    Wait,
    Send(String),
    Done,
}

impl Limits {
    /// Limits in these lines. Without any the daemon is told for all jobs that are to come. Returns the first line too.
    pub(crate) fn new((who, name): (Who, String), limit: u64, lines: Vec<String>) -> (String, Self) {
        let mut more = VecDeque::from(lines);
        let first = more.pop_front().unwrap_or_else(|| limit_line(limit, ""));
        (first, Self { who, name, limit, more, told: 0, refused: Vec::new() })
    }

    /// An answer. Of an unknown job it is two lines (`wire/2 §1.2`, 19); the first is enough if it is the last.
    pub(super) fn hear(&mut self, text: &[u8]) -> Next {
        let answer = LimitAnswer::parse(text);
        if answer == Some(LimitAnswer::Set) {
            self.told += 1;
        } else {
            self.refused.push((answer, String::from_utf8_lossy(text).trim_end().to_owned()));
        }
        match answer {
            Some(LimitAnswer::NotFound) if !self.more.is_empty() => Next::Wait,
            Some(LimitAnswer::Set) => self.more.pop_front().map_or(Next::Done, Next::Send),
            _ => Next::Done,
        }
    }

    /// What the console hears of it.
    pub(super) fn outcome(&self) -> Answer {
        let Self { who, name, limit, .. } = self;
        if self.told > 0 && self.refused.is_empty() {
            return Answer::said(match limit {
                0 => format!("The {who} \"{name}\" has lifted the limit.\n"),
                limit => format!("The {who} \"{name}\" keeps to {limit} bytes a second.\n"),
            });
        }
        let why = match self.refused.as_slice() {
            [] => "it has not answered".to_owned(),
            answers if answers.iter().all(|(answer, _)| *answer == Some(LimitAnswer::NotFound)) => {
                "it does not know the job, which has ended or not begun there".to_owned()
            }
            answers => {
                let lines: Vec<&str> = answers.iter().map(|(_, line)| line.as_str()).collect();
                format!("it says {}", lines.join("; "))
            }
        };
        let text = format!("Failed to set the bandwidth limit at the {who} \"{name}\": {why}.");
        Answer::Failed(Refusal::Daemon(text))
    }
}

/// The line for the job with this unique name; without a name it is for all jobs, those to come too.
pub(crate) fn limit_line(limit: u64, job: &str) -> String {
    FileCommand::SetBandwidth { limit, job: job.to_owned() }.to_line()
}
