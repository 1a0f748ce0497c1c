//! `setbandwidth`: the data of a job, or of all jobs of a client or with a storage, goes no faster than this.

use crate::ids::JobId;

use super::super::grammar::Takes::{Nothing, Value};
use super::super::grammar::{A_JOB, Command, Form};
use super::super::questions::choice;
use super::super::refusal::{Kind, NoSuch, Refusal};
use super::super::reply::{Instruction, Limited, Reply, View};
use super::super::words::Words;

pub(super) const COMMAND: Command = Command::new(
    "setbandwidth",
    &[Form {
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
            "limit the data of jobs to N KiB a second, or N of the unit; 0: no limit",
        )],
        ..Form::PLAIN
    }],
    run,
);

/// How it is used.
const USAGE: &str = "Use setbandwidth limit=N with client=NAME, storage=NAME, jobid=N or job=UNIQUE. N is in KiB a second, or in what stands \
     after it: b/s, k/s and m/s (1024), kb/s and mb/s (1000); 0 is no limit.";

fn run(view: &View<'_>, words: &Words) -> Result<Reply, Refusal> {
    if !words.has("limit") {
        return Ok(choice::line(words, "limit", "Enter new bandwidth limit (KiB a second, or with a unit): ", USAGE));
    }
    if A_JOB.iter().chain(&["client", "storage"]).all(|word| !words.has(word)) {
        return choice::resource(view, words, Kind::Client, "client", USAGE);
    }
    let limit = words.value(&["limit"]).and_then(speed).ok_or_else(|| Refusal::usage(USAGE))?;
    let limited = match (words.value(A_JOB), words.value(&["client"]), words.value(&["storage"])) {
        (Some(job), None, None) => Limited::Job(running(view, job)?),
        (None, Some(client), None) => {
            NoSuch::check(view.config(), Kind::Client, client)?;
            Limited::Client(client.to_owned())
        }
        (None, None, Some(storage)) => {
            NoSuch::check(view.config(), Kind::Storage, storage)?;
            Limited::Storage(storage.to_owned())
        }
        _ => return Err(Refusal::usage(USAGE)),
    };
    Ok(Reply::Do(Instruction::Limit(limited, limit)))
}

fn running(view: &View<'_>, wanted: &str) -> Result<JobId, Refusal> {
    let job = view.job(wanted).filter(|job| !job.life.is_over());
    let none = || Refusal::NotRunning { wanted: wanted.to_owned(), usage: "setbandwidth limit=N jobid=N" };
    job.map(|job| job.id).ok_or_else(none)
}

/// Bytes a second: `300` and `300k/s` are 307,200 as for a stock director, `300kb/s` 300,000, `5000b/s` as it stands.
fn speed(text: &str) -> Option<u64> {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (digits, unit) = text.split_at(end);
    let unit = unit.trim().to_lowercase();
    let factor = match unit.strip_suffix("/s").unwrap_or(&unit) {
        "b" => 1,
        "" | "k" | "kib" => 1 << 10,
        "kb" => 1_000,
        "m" | "mib" => 1 << 20,
        "mb" => 1_000_000,
        "g" | "gib" => 1 << 30,
        "gb" => 1_000_000_000,
        _ => return None,
    };
    digits.parse::<u64>().ok()?.checked_mul(factor).filter(|speed| i64::try_from(*speed).is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_speed_has_the_units_of_bareos() {
        // `300k/s` as recorded.
        for (text, bytes) in [
            ("300k/s", 307_200),
            ("300KB/s", 300_000),
            ("2m/s", 2 << 20),
            ("2mb/s", 2_000_000),
            ("0", 0),
            ("100", 102_400),
            ("77b/s", 77),
        ] {
            assert_eq!(speed(text), Some(bytes), "{text}");
        }
        for text in ["", "k/s", "-1", "5 parsecs", "9999999999g/s", "9223372036854775808", "1.5m/s"] {
            assert_eq!(speed(text), None, "{text}");
        }
    }
}
