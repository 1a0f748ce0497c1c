//! Programs that jobs have run on this machine: found where they may lie, started without a shell in a process group of their
//! own, and ended with all that they have started.

mod running;

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::pipe::{PipeFlags, pipe_with};
use rustix::process::{Pid, PidfdFlags, Signal, kill_process_group, pidfd_open};
use towline_core::bulk::work::Permits;
use towline_core::work::script::ScriptOutcome;

use crate::disk::fifo::Patience;

pub(crate) use running::end_all;

/// How long a group may take to end after SIGTERM.
pub(crate) const GRACE: Duration = Duration::from_secs(2);
/// Bytes of a program's errors that are kept: the last.
const ERRORS: usize = 4 * 1024;
/// Bytes read at a time.
pub(crate) const READ: usize = 64 * 1024;

/// What a job may have run here, and what says that it is given up.
#[derive(Debug, Default)]
pub struct Means {
    /// What the daemon's configuration lets it run.
    pub permits: Permits,
    /// Once this is closed at its other end the job is given up; `None`: it never is.
    pub given_up: Option<OwnedFd>,
    /// How long the other end of a pipe is waited for.
    pub patience: Patience,
}

impl Means {
    /// What commands of plugins find in their environment.
    pub(crate) fn variables(&self) -> Vec<(&str, &str)> {
        self.permits.variables.iter().map(|(name, value)| (*name, value.as_str())).collect()
    }
}

/// A program that runs: its group, and a descriptor that can be read once it has ended.
#[derive(Debug)]
pub(crate) struct Program {
    child: Child,
    group: Option<Pid>,
    /// Old systems have none: there the end of the output is the end of the program.
    end: Option<OwnedFd>,
    entry: Option<running::Entry>,
}

impl Program {
    /// Starts a program; `set` says where it reads and writes.
    pub(crate) fn start(
        words: &[String],
        folders: &[String],
        set: impl FnOnce(&mut Command),
    ) -> Result<Self, ScriptOutcome> {
        let (name, arguments) =
            words.split_first().ok_or_else(|| ScriptOutcome::NotStarted("it has no program".to_owned()))?;
        let mut command = Command::new(program(name, folders)?);
        command.arg0(name).args(arguments).process_group(0);
        set(&mut command);
        // With the command go our ends of its pipes.
        let child = command.spawn().map_err(|error| not_started(&error))?;
        let group = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
        let end = group.and_then(|group| pidfd_open(group, PidfdFlags::empty()).ok());
        Ok(Self { child, group, end, entry: group.map(running::Entry::of) })
    }

    /// What can be read once it has ended.
    pub(crate) const fn end(&self) -> Option<&OwnedFd> {
        self.end.as_ref()
    }

    /// Sends its group a signal. It is not waited for before the last one, so that no other group can have its number.
    pub(crate) fn signal(&self, signal: Signal) {
        if let Some(group) = self.group {
            // It may have ended by now.
            let _ended = kill_process_group(group, signal);
        }
    }

    /// Ends its group, with a while for it to end by itself.
    pub(crate) fn stop(&self) {
        self.signal(Signal::TERM);
        if self.end.is_some() {
            let _waited = wait([(self.end(), PollFlags::IN)], Some(Instant::now() + GRACE));
        }
        self.signal(Signal::KILL);
    }

    /// Waits for its end.
    pub(crate) fn outcome(&mut self) -> ScriptOutcome {
        if self.end.is_some() {
            let _ended = wait([(self.end(), PollFlags::IN)], None);
        }
        self.entry = None;
        outcome(self.child.wait())
    }
}

fn outcome(status: io::Result<ExitStatus>) -> ScriptOutcome {
    match status {
        Ok(status) => match (status.code(), status.signal()) {
            (Some(code), _) => ScriptOutcome::Exited(code),
            (None, signal) => ScriptOutcome::Signalled(signal.unwrap_or_default()),
        },
        Err(error) => not_started(&error),
    }
}

pub(crate) fn not_started(error: &io::Error) -> ScriptOutcome {
    ScriptOutcome::NotStarted(error.to_string())
}

/// The program of this name; where it may lie only in some folders, it is the file itself that is run, not a link to it.
fn program(name: &str, folders: &[String]) -> Result<PathBuf, ScriptOutcome> {
    if folders.is_empty() {
        return Ok(name.into());
    }
    if !name.starts_with('/') {
        return Err(ScriptOutcome::NotAllowed(name.to_owned()));
    }
    let file = std::fs::canonicalize(name).map_err(|error| not_started(&error))?;
    let is_allowed = folders
        .iter()
        .any(|folder| std::fs::canonicalize(folder).is_ok_and(|folder| file.parent() == Some(Path::new(&folder))));
    if is_allowed { Ok(file) } else { Err(ScriptOutcome::NotAllowed(file.display().to_string())) }
}

/// Waits until one of them is ready or was closed; none when it is time.
pub(crate) fn wait<const N: usize>(
    watched: [(Option<&OwnedFd>, PollFlags); N],
    deadline: Option<Instant>,
) -> Result<[bool; N], Errno> {
    loop {
        let mut polled: Vec<PollFd<'_>> = watched
            .iter()
            .filter_map(|(fd, flags)| Some(PollFd::from_borrowed_fd(fd.as_ref()?.as_fd(), *flags)))
            .collect();
        let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
        if left == Some(Duration::ZERO) {
            return Ok([false; N]);
        }
        let timeout = left.and_then(|left| Timespec::try_from(left).ok());
        match poll(&mut polled, timeout.as_ref()) {
            Err(Errno::INTR) | Ok(0) => continue,
            Err(error) => return Err(error),
            Ok(_) => {}
        }
        let mut events = polled.iter().map(|fd| !fd.revents().is_empty());
        return Ok(watched.map(|(fd, _)| fd.is_some() && events.next().unwrap_or(false)));
    }
}

/// Reads once, whatever interrupts; 0 at the end.
pub(crate) fn read_once(from: &OwnedFd, buffer: &mut [u8]) -> io::Result<usize> {
    loop {
        match rustix::io::read(from, &mut *buffer) {
            Err(Errno::INTR) => {}
            other => return other.map_err(io::Error::from),
        }
    }
}

/// A program whose output is read, with its errors beside it.
#[derive(Debug)]
pub(crate) struct Source {
    program: Program,
    out: OwnedFd,
    err: Option<OwnedFd>,
    errors: Vec<u8>,
}

/// Why there is no more to read though the program has not ended.
#[derive(Debug)]
pub(crate) enum Broken {
    /// The job is given up.
    GivenUp,
    /// It is time.
    TooLong,
    /// The system says so.
    Failed(io::Error),
}

impl Source {
    /// Starts a program that has nothing to read, and these variables beside those of the daemon.
    pub(crate) fn start(words: &[String], folders: &[String], more: &[(&str, &str)]) -> Result<Self, ScriptOutcome> {
        let failed = |error: Errno| not_started(&error.into());
        let (out, to) = pipe_with(PipeFlags::CLOEXEC).map_err(failed)?;
        let (err, errors_to) = pipe_with(PipeFlags::CLOEXEC).map_err(failed)?;
        let program = Program::start(words, folders, |command| {
            command.stdin(Stdio::null()).stdout(to).stderr(errors_to).envs(more.iter().copied());
        })?;
        Ok(Self { program, out, err: Some(err), errors: Vec::new() })
    }

    /// Reads what comes next; 0 at the end of its output.
    pub(crate) fn read(
        &mut self,
        buffer: &mut [u8],
        given_up: Option<&OwnedFd>,
        deadline: Option<Instant>,
    ) -> Result<usize, Broken> {
        loop {
            let watched =
                [(given_up, PollFlags::IN), (Some(&self.out), PollFlags::IN), (self.err.as_ref(), PollFlags::IN)];
            match wait(watched, deadline).map_err(|error| Broken::Failed(error.into()))? {
                [true, ..] => return Err(Broken::GivenUp),
                [_, true, _] => return read_once(&self.out, buffer).map_err(Broken::Failed),
                [_, _, true] => self.take_errors(),
                [false, false, false] => return Err(Broken::TooLong),
            }
        }
    }

    /// Waits for its end once it has closed its output.
    pub(crate) fn has_ended_by(&self, deadline: Option<Instant>) -> Result<(), Broken> {
        match self.program.end() {
            Some(end) => match wait([(Some(end), PollFlags::IN)], deadline) {
                Ok([true]) => Ok(()),
                Ok([false]) => Err(Broken::TooLong),
                Err(error) => Err(Broken::Failed(error.into())),
            },
            None => Ok(()),
        }
    }

    fn take_errors(&mut self) {
        let Some(err) = &self.err else { return };
        let mut buffer = [0; 4096];
        match read_once(err, &mut buffer) {
            Ok(n) if n > 0 => {
                self.errors.extend_from_slice(buffer.get(..n).unwrap_or_default());
                let past = self.errors.len().saturating_sub(ERRORS);
                self.errors.drain(..past);
            }
            _ => self.err = None,
        }
    }

    /// Waits for its end, once its output is at an end, and says what it wrote to its errors.
    pub(crate) fn finish(mut self) -> (ScriptOutcome, String) {
        let outcome = self.program.outcome();
        if let Some(err) = &self.err
            && rustix::io::ioctl_fionbio(err, true).is_ok()
        {
            self.take_errors();
        }
        (outcome, words_of(&self.errors))
    }

    /// Ends it.
    pub(crate) fn stop(mut self) -> String {
        self.program.stop();
        let _outcome = self.program.outcome();
        words_of(&self.errors)
    }
}

/// Errors in one line.
fn words_of(errors: &[u8]) -> String {
    let text = String::from_utf8_lossy(errors);
    text.lines().map(str::trim).filter(|line| !line.is_empty()).collect::<Vec<_>>().join("; ")
}

/// How a program has ended, in words; `None` if well.
pub(crate) fn ending(outcome: &ScriptOutcome, errors: &str) -> Option<String> {
    let said = if errors.is_empty() { String::new() } else { format!(": {errors}") };
    Some(match outcome {
        ScriptOutcome::Exited(0) => return None,
        ScriptOutcome::Exited(status) => format!("it returned status {status}{said}"),
        ScriptOutcome::Signalled(signal) => format!("signal {signal} ended it{said}"),
        ScriptOutcome::TooLong => "it took longer than `script_time_limit` allows".to_owned(),
        ScriptOutcome::Stopped => "it was ended with its job".to_owned(),
        ScriptOutcome::NotAllowed(place) => format!("{place} is in none of the folders of `allowed_script_dir`"),
        ScriptOutcome::NotStarted(why) => format!("it could not be started: {why}"),
    })
}

/// All that a program writes, `most` bytes at the most.
///
/// # Errors
/// Why there is nothing, in words.
pub(crate) fn output(words: &[String], means: &Means, most: usize) -> Result<Vec<u8>, String> {
    let deadline = means.permits.limit.map(|seconds| Instant::now() + Duration::from_secs(seconds));
    let in_words = |outcome: &ScriptOutcome, errors: &str| ending(outcome, errors).unwrap_or_default();
    let mut source = Source::start(words, &means.permits.folders, &[]).map_err(|outcome| in_words(&outcome, ""))?;
    let (mut all, mut buffer) = (Vec::new(), vec![0; READ]);
    loop {
        match source.read(&mut buffer, means.given_up.as_ref(), deadline) {
            Ok(0) => break,
            Ok(n) => all.extend_from_slice(buffer.get(..n).unwrap_or_default()),
            Err(why) => {
                let errors = source.stop();
                return Err(match why {
                    Broken::GivenUp => in_words(&ScriptOutcome::Stopped, &errors),
                    Broken::TooLong => in_words(&ScriptOutcome::TooLong, &errors),
                    Broken::Failed(error) => error.to_string(),
                });
            }
        }
        if all.len() > most {
            source.stop();
            return Err(format!("it writes more than {most} bytes"));
        }
    }
    let (outcome, errors) = source.finish();
    match ending(&outcome, &errors) {
        Some(why) => Err(why),
        None => Ok(all),
    }
}

/// A program that is given what it reads, with what it says beside it.
#[derive(Debug)]
pub(crate) struct Drain {
    program: Program,
    into: Option<OwnedFd>,
    said: Option<OwnedFd>,
    words: Vec<u8>,
}

impl Drain {
    /// Starts a program, with these variables beside those of the daemon.
    pub(crate) fn start(words: &[String], folders: &[String], more: &[(&str, &str)]) -> Result<Self, ScriptOutcome> {
        let failed = |error: Errno| not_started(&error.into());
        let (from, into) = pipe_with(PipeFlags::CLOEXEC).map_err(failed)?;
        let (said, to) = pipe_with(PipeFlags::CLOEXEC).map_err(failed)?;
        rustix::io::ioctl_fionbio(&into, true).map_err(failed)?;
        let errors_to = to.try_clone().map_err(|error| not_started(&error))?;
        let program = Program::start(words, folders, |command| {
            command.stdin(from).stdout(to).stderr(errors_to).envs(more.iter().copied());
        })?;
        Ok(Self { program, into: Some(into), said: Some(said), words: Vec::new() })
    }

    /// Writes all of it.
    pub(crate) fn write(&mut self, mut bytes: &[u8], given_up: Option<&OwnedFd>) -> Result<(), Broken> {
        while !bytes.is_empty() {
            let Some(into) = &self.into else { return Err(Broken::Failed(io::ErrorKind::BrokenPipe.into())) };
            let watched =
                [(given_up, PollFlags::IN), (Some(into), PollFlags::OUT), (self.said.as_ref(), PollFlags::IN)];
            match wait(watched, None).map_err(|error| Broken::Failed(error.into()))? {
                [true, ..] => return Err(Broken::GivenUp),
                [_, _, true] => self.listen(),
                _ => match rustix::io::write(into, bytes) {
                    Ok(n) => bytes = bytes.get(n..).unwrap_or_default(),
                    Err(Errno::INTR | Errno::AGAIN) => {}
                    Err(error) => return Err(Broken::Failed(error.into())),
                },
            }
        }
        Ok(())
    }

    fn listen(&mut self) {
        let Some(said) = &self.said else { return };
        let mut buffer = [0; 4096];
        match read_once(said, &mut buffer) {
            Ok(n) if n > 0 => {
                self.words.extend_from_slice(buffer.get(..n).unwrap_or_default());
                let past = self.words.len().saturating_sub(ERRORS);
                self.words.drain(..past);
            }
            _ => self.said = None,
        }
    }

    /// Nothing more comes: waits for its end, and says what it wrote.
    pub(crate) fn finish(mut self, given_up: Option<&OwnedFd>) -> (ScriptOutcome, String) {
        self.into = None;
        while self.said.is_some() {
            let watched =
                [(given_up, PollFlags::IN), (self.said.as_ref(), PollFlags::IN), (self.program.end(), PollFlags::IN)];
            match wait(watched, None) {
                Ok([false, true, _]) => self.listen(),
                Ok([true, ..]) => {
                    self.program.stop();
                    let _outcome = self.program.outcome();
                    return (ScriptOutcome::Stopped, words_of(&self.words));
                }
                _ => break,
            }
        }
        (self.program.outcome(), words_of(&self.words))
    }

    /// Ends it.
    pub(crate) fn stop(mut self) {
        self.into = None;
        self.program.stop();
        let _outcome = self.program.outcome();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<String> {
        ["sh", "-c", text].map(str::to_owned).to_vec()
    }

    #[test]
    fn all_that_a_program_writes_is_read_or_why_not_is_said() {
        let means = Means::default();
        assert_eq!(output(&words("echo one; echo two; echo odd >&2"), &means, 100), Ok(b"one\ntwo\n".to_vec()));
        let big = output(&words("head -c 300000 /dev/zero"), &means, 300_000);
        assert_eq!(big.map(|bytes| bytes.len()), Ok(300_000));
        for (text, most, why) in [
            ("echo no >&2; exit 3", 100, "it returned status 3: no"),
            ("kill -9 $$", 100, "signal 9 ended it"),
            ("yes", 100, "it writes more than 100 bytes"),
        ] {
            assert_eq!(output(&words(text), &means, most), Err(why.to_owned()), "{text}");
        }
        let missing = output(&["/no/such/program".to_owned()], &means, 1).unwrap_err();
        assert!(missing.starts_with("it could not be started: "), "{missing}");
    }

    #[test]
    fn a_program_that_takes_too_long_or_whose_job_is_given_up_is_ended() {
        let permits = Permits { limit: Some(1), ..Permits::default() };
        let late = output(&words("sleep 1000"), &Means { permits, ..Means::default() }, 1).unwrap_err();
        assert!(late.contains("script_time_limit"), "{late}");
        let (given_up, other_end) = pipe_with(PipeFlags::CLOEXEC).unwrap();
        drop(other_end);
        let means = Means { given_up: Some(given_up), ..Means::default() };
        assert_eq!(output(&words("sleep 1000"), &means, 1), Err("it was ended with its job".to_owned()));
    }

    #[test]
    fn a_program_is_given_all_it_reads_while_it_talks() {
        let mut drain = Drain::start(&words("tee /dev/stderr | wc -c"), &[], &[]).unwrap();
        drain.write(&vec![b'x'; 300_000], None).unwrap();
        let (outcome, said) = drain.finish(None);
        assert_eq!(outcome, ScriptOutcome::Exited(0));
        assert!(said.ends_with("300000"), "{}", said.len());
        let mut deaf = Drain::start(&words("exit 1"), &[], &[]).unwrap();
        assert!(matches!(deaf.write(&vec![b'x'; 300_000], None), Err(Broken::Failed(_))));
        assert_eq!(deaf.finish(None).0, ScriptOutcome::Exited(1));
    }
}
