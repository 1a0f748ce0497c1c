//! Bars for the jobs that are waited for.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use indicatif::{HumanBytes, HumanCount, MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};
use towline_core::ids::JobId;
use towline_core::quantity::either;

use super::super::link::{Ended, News};
use super::asking::{Asking, Job, figures_of};
use super::terminal::Terminal;

/// How often the director is asked.
const EVERY: Duration = Duration::from_secs(1);
/// How often a client is asked through it.
const CLIENT_EVERY: Duration = Duration::from_secs(3);
/// How soon Ctrl-C is noticed.
const TICK: Duration = Duration::from_millis(100);

/// How waiting went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Waited {
    /// What was waited for has ended.
    Ended,
    /// The operator waits no more.
    Interrupted,
    /// The director does not tell how far jobs are.
    Untold,
}

/// Shows how far a job is, or all jobs, until they have ended.
///
/// # Errors
/// The node has ended.
pub(super) fn follow(asking: &mut Asking, terminal: &Terminal, one: Option<JobId>) -> Result<Waited, Ended> {
    let mut bars = Bars::default();
    let waited = loop {
        let ids = match one {
            Some(id) => vec![id.0],
            None => match asking.running()? {
                Some(ids) if ids.is_empty() => break Waited::Ended,
                Some(ids) => ids,
                None => break Waited::Untold,
            },
        };
        bars.keep(&ids);
        let (mut told, mut run) = (false, false);
        for id in ids {
            let Some(job) = asking.job(id)? else { continue };
            told = true;
            if !job.has_ended() {
                run = true;
                bars.show(asking, &job)?;
            }
        }
        if one.is_some() && !run {
            break if told { Waited::Ended } else { Waited::Untold };
        }
        if pause(asking, terminal)? {
            break Waited::Interrupted;
        }
    };
    bars.clear();
    Ok(waited)
}

/// Waits until it is time to ask again; true if the operator waits no more.
fn pause(asking: &Asking, terminal: &Terminal) -> Result<bool, Ended> {
    let until = Instant::now() + EVERY;
    while Instant::now() < until {
        if terminal.is_interrupted() {
            return Ok(true);
        }
        if let Some(News::Ready { .. }) = asking.link.next(TICK)? {
            break;
        }
    }
    Ok(terminal.is_interrupted())
}

#[derive(Debug)]
struct Bars {
    all: MultiProgress,
    jobs: BTreeMap<u32, Bar>,
}

#[derive(Debug)]
struct Bar {
    bar: ProgressBar,
    /// What the job before it had.
    expected: Option<u64>,
    /// When it was first seen, and its bytes then.
    since: Instant,
    first: u64,
    client: Client,
}

/// What the client of a job says of it: the catalog of a stock director may have nothing before the end.
#[derive(Debug, Default)]
struct Client {
    asked: Option<Instant>,
    told: Option<(u64, u64)>,
    /// It takes too long to answer, and whoever waits would be kept waiting.
    is_slow: bool,
}

impl Client {
    /// Its newest figures, if the catalog has none.
    ///
    /// # Errors
    /// The node has ended.
    fn figures(&mut self, asking: &mut Asking, job: &Job) -> Result<Option<(u64, u64)>, Ended> {
        let is_due = self.asked.is_none_or(|asked| asked.elapsed() >= CLIENT_EVERY);
        let is_running = job.status == b'R' && job.files == 0 && job.bytes == 0;
        if is_due && is_running && !self.is_slow && !job.client.is_empty() {
            match asking.status_of_client(job)? {
                Some(text) => self.told = figures_of(&text, job.id).or(self.told),
                None => self.is_slow = true,
            }
            self.asked = Some(Instant::now());
        }
        Ok(self.told)
    }
}

impl Default for Bars {
    fn default() -> Self {
        Self { all: MultiProgress::with_draw_target(ProgressDrawTarget::stdout()), jobs: BTreeMap::new() }
    }
}

impl Bars {
    /// Takes the bars of all other jobs away.
    fn keep(&mut self, ids: &[u32]) {
        self.jobs.retain(|id, bar| {
            let stays = ids.contains(id);
            if !stays {
                bar.bar.finish_and_clear();
            }
            stays
        });
    }

    fn show(&mut self, asking: &mut Asking, job: &Job) -> Result<(), Ended> {
        if !self.jobs.contains_key(&job.id) {
            let expected = asking.before(job)?.map(|job| job.bytes).filter(|bytes| *bytes > 0);
            let bar = self.all.add(ProgressBar::new(expected.unwrap_or_default()));
            let template =
                if expected.is_some() { "{spinner} {prefix} [{bar:20}] {msg}" } else { "{spinner} {prefix} {msg}" };
            let style = ProgressStyle::with_template(template);
            bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_spinner()).progress_chars("=> "));
            bar.set_prefix(format!("job {} {}", job.id, job.name));
            bar.enable_steady_tick(TICK);
            let (since, first) = (Instant::now(), job.bytes);
            self.jobs.insert(job.id, Bar { bar, expected, since, first, client: Client::default() });
        }
        if let Some(shown) = self.jobs.get_mut(&job.id) {
            let mut job = job.clone();
            if let Some((files, bytes)) = shown.client.figures(asking, &job)? {
                (job.files, job.bytes) = (job.files.max(files), job.bytes.max(bytes));
            }
            // The job may have grown since the one before it: the bar is full then, and the figures go on.
            shown.bar.set_position(job.bytes.min(shown.expected.unwrap_or(u64::MAX)));
            let rate = rate(job.bytes.saturating_sub(shown.first), shown.since.elapsed());
            shown.bar.set_message(figures(&job, shown.expected, rate, shown.bar.elapsed()));
        }
        Ok(())
    }

    fn clear(&mut self) {
        self.keep(&[]);
        // A terminal that has gone needs none.
        let _gone = self.all.clear();
    }
}

/// Bytes a second.
fn rate(bytes: u64, time: Duration) -> u64 {
    let millis = u64::try_from(time.as_millis()).unwrap_or(u64::MAX).max(1);
    bytes.saturating_mul(1_000) / millis
}

fn figures(job: &Job, expected: Option<u64>, rate: u64, time: Duration) -> String {
    let seconds = time.as_secs();
    let clock = format!("{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60);
    if job.bytes == 0 && job.files == 0 {
        return format!("{clock}, no figures yet");
    }
    let about = expected.map_or_else(String::new, |bytes| format!(" of about {}", HumanBytes(bytes)));
    let files = either(job.files, "file", "files");
    format!("{}{about}, {} {files}, {}/s, {clock}", HumanBytes(job.bytes), HumanCount(job.files), HumanBytes(rate))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_tell_bytes_rate_and_what_is_expected() {
        let job = Job {
            id: 3,
            name: "h".to_owned(),
            level: "F".to_owned(),
            status: b'R',
            client: "h-fd".to_owned(),
            files: 1_200,
            bytes: 3 << 20,
            about: String::new(),
        };
        let text = figures(&job, Some(6 << 20), rate(2 << 20, Duration::from_secs(2)), Duration::from_secs(65));
        assert_eq!(text, "3.00 MiB of about 6.00 MiB, 1,200 files, 1.00 MiB/s, 00:01:05");
        let new = Job { bytes: 0, files: 0, ..job };
        assert_eq!(figures(&new, None, 0, Duration::from_secs(2)), "00:00:02, no figures yet");
    }
}
