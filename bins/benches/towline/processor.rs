//! Time, and the processor time it cost.

use std::time::{Duration, Instant};

use rustix::time::{ClockId, clock_gettime};

use crate::channel::Run;

/// `USER_HZ`: Linux counts processor time for programs in hundredths of a second, whatever its own clock does.
const TICKS: f64 = 100.0;

/// Runs from its start to its stop.
pub(crate) struct Meter {
    began: Instant,
    processor: Duration,
}

impl Meter {
    pub(crate) fn start() -> Self {
        Self { began: Instant::now(), processor: processor() }
    }

    pub(crate) fn stop(self) -> Run {
        Run { took: self.began.elapsed(), processor: processor().saturating_sub(self.processor) }
    }
}

/// Processor time of this process, all threads.
fn processor() -> Duration {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    Duration::new(time.tv_sec.unsigned_abs(), u32::try_from(time.tv_nsec).unwrap_or(0))
}

/// Processor seconds of another process so far, in user and kernel mode, threads that have ended included.
pub(crate) fn of(process: u32) -> f64 {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).expect("a process that runs");
    // The name in parentheses may hold blanks: the fields are counted from after it.
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    let ticks: f64 = fields[11..13].iter().map(|field| field.parse::<f64>().expect("a number")).sum();
    ticks / TICKS
}
