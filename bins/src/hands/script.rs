//! Commands of a job (wire/2 §1.9): each in a process group of its own, without a shell, with nothing to read.
//!
//! ```text
//!   thread of the command:  poll(its output, its end, the order to stop, its time) until one of the last three
//! ```
//! What it writes is read to the end and kept up to a limit, so that it never waits for us. When it is stopped, its group gets
//! SIGTERM, and SIGKILL after a while.

use std::collections::BTreeMap;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::pipe::{PipeFlags, pipe_with};
use rustix::process::{Pid, PidfdFlags, Signal, kill_process_group, pidfd_open};
use towline_core::drive::Reply;
use towline_core::ids::HandleId;
use towline_core::limits;
use towline_core::work::WorkDone;
use towline_core::work::script::{ScriptDone, ScriptEnd, ScriptOrder, ScriptOutcome, ScriptWork};

/// How long a group may take to end after SIGTERM.
const GRACE: Duration = Duration::from_secs(2);
/// Bytes read after the end of a command whose children still write.
const AFTERMATH: usize = 1 << 20;

/// The commands that run: closing the descriptor of one stops it.
#[derive(Clone, Debug, Default)]
pub(super) struct Scripts(Arc<Mutex<BTreeMap<HandleId, OwnedFd>>>);

impl Scripts {
    /// Runs or stops a command.
    pub(super) fn submit(&self, work: ScriptWork, reply: Reply) {
        match work {
            ScriptWork::Run(order) => self.run(order, reply),
            ScriptWork::Stop(handle) => {
                drop(self.take(handle));
                reply(WorkDone::Script(ScriptDone::Told));
            }
        }
    }

    fn take(&self, handle: HandleId) -> Option<OwnedFd> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&handle)
    }

    fn run(&self, order: ScriptOrder, reply: Reply) {
        let (stopped, stop) = match pipe_with(PipeFlags::CLOEXEC) {
            Ok(ends) => ends,
            Err(error) => return reply(ended(not_started(&error.into()))),
        };
        let handle = order.handle;
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(handle, stop);
        // The reply must survive a thread that cannot be started.
        let reply = Arc::new(Mutex::new(Some(reply)));
        let (mine, all) = (Arc::clone(&reply), self.clone());
        let body = move || {
            let end = catch_unwind(AssertUnwindSafe(|| run(&order, &stopped)));
            drop(all.take(handle));
            super::answer(&mine, end.map_or_else(|_| ended(mistake()), |end| WorkDone::Script(ScriptDone::Ended(end))));
        };
        if let Err(error) = thread::Builder::new().name(format!("script-{}", handle.0)).spawn(body) {
            drop(self.take(handle));
            super::answer(&reply, ended(not_started(&error)));
        }
    }
}

fn mistake() -> ScriptOutcome {
    ScriptOutcome::NotStarted("a mistake of this program stopped it; please report it".to_owned())
}

fn not_started(error: &io::Error) -> ScriptOutcome {
    ScriptOutcome::NotStarted(error.to_string())
}

fn ended(outcome: ScriptOutcome) -> WorkDone {
    WorkDone::Script(ScriptDone::Ended(ScriptEnd { lines: Vec::new(), left_out: 0, outcome }))
}

fn run(order: &ScriptOrder, stopped: &OwnedFd) -> ScriptEnd {
    let mut output = Output::default();
    let outcome = match start(order) {
        Ok((child, from)) => follow(child, &from, stopped, order.limit, &mut output),
        Err(outcome) => outcome,
    };
    output.end();
    ScriptEnd { lines: output.lines, left_out: output.left_out, outcome }
}

/// Starts the command; what it writes comes from the descriptor.
fn start(order: &ScriptOrder) -> Result<(Child, OwnedFd), ScriptOutcome> {
    let (name, arguments) =
        order.words.split_first().ok_or_else(|| ScriptOutcome::NotStarted("it has no program".to_owned()))?;
    let program = program(name, &order.folders)?;
    let failed = |error: io::Error| not_started(&error);
    let (from, to) = pipe_with(PipeFlags::CLOEXEC).map_err(|error| failed(error.into()))?;
    let mut command = Command::new(program);
    command.arg0(name).args(arguments).stdin(Stdio::null()).process_group(0);
    command.stdout(to.try_clone().map_err(failed)?).stderr(to);
    // With the command goes our end of the pipe.
    let child = command.spawn().map_err(failed)?;
    Ok((child, from))
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

/// Reads what the command writes until it has ended, or ends it.
fn follow(
    mut child: Child,
    from: &OwnedFd,
    stopped: &OwnedFd,
    limit: Option<u64>,
    output: &mut Output,
) -> ScriptOutcome {
    let deadline = limit.map(|seconds| Instant::now() + Duration::from_secs(seconds));
    let group = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
    // Old systems have none: there the end of the output is the end of the command.
    let end = group.and_then(|group| pidfd_open(group, PidfdFlags::empty()).ok());
    let mut is_open = true;
    let why = loop {
        match wait([is_open.then_some(from), end.as_ref(), Some(stopped)], deadline) {
            Ok([_, _, true]) => break Some(ScriptOutcome::Stopped),
            Ok([_, true, _]) => break None,
            Ok([true, ..]) => is_open = output.read(from) > 0,
            Ok(_) => break Some(ScriptOutcome::TooLong),
            Err(error) => break Some(not_started(&error.into())),
        }
        if !is_open && end.is_none() {
            break None;
        }
    };
    if why.is_some() {
        stop(group, end.as_ref(), from, output);
    } else if is_open {
        output.drain(from);
    }
    let status = child.wait();
    why.unwrap_or_else(|| match status {
        Ok(status) => match (status.code(), status.signal()) {
            (Some(code), _) => ScriptOutcome::Exited(code),
            (None, signal) => ScriptOutcome::Signalled(signal.unwrap_or_default()),
        },
        Err(error) => not_started(&error),
    })
}

/// Ends a group. Its leader is not waited for before the last signal, so that no other group can have its number.
fn stop(group: Option<Pid>, end: Option<&OwnedFd>, from: &OwnedFd, output: &mut Output) {
    let Some(group) = group else { return };
    // It may have ended by now.
    let _ = kill_process_group(group, Signal::TERM);
    let deadline = Instant::now() + GRACE;
    let mut is_open = true;
    while let Ok([readable, false, _]) = wait([is_open.then_some(from), end, None], Some(deadline)) {
        if !readable {
            break;
        }
        is_open = output.read(from) > 0;
    }
    let _ = kill_process_group(group, Signal::KILL);
}

/// Waits until one of them can be read or was closed; none when it is time.
fn wait(watched: [Option<&OwnedFd>; 3], deadline: Option<Instant>) -> Result<[bool; 3], Errno> {
    loop {
        let mut polled: Vec<PollFd<'_>> =
            watched.iter().flatten().map(|fd| PollFd::from_borrowed_fd(fd.as_fd(), PollFlags::IN)).collect();
        let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
        if left == Some(Duration::ZERO) {
            return Ok([false; 3]);
        }
        let timeout = left.and_then(|left| Timespec::try_from(left).ok());
        match poll(&mut polled, timeout.as_ref()) {
            Err(Errno::INTR) => continue,
            Ok(0) => continue,
            Err(error) => return Err(error),
            Ok(_) => {}
        }
        let mut events = polled.iter().map(|fd| !fd.revents().is_empty());
        return Ok(watched.map(|fd| fd.is_some() && events.next().unwrap_or(false)));
    }
}

/// What a command has written, up to a limit.
#[derive(Debug, Default)]
struct Output {
    lines: Vec<String>,
    left_out: u64,
    line: Vec<u8>,
    /// Whether the present line has begun.
    has_begun: bool,
}

impl Output {
    /// Reads once; 0 at its end.
    fn read(&mut self, from: &OwnedFd) -> usize {
        let mut buffer = [0; 16 * 1024];
        loop {
            match rustix::io::read(from, &mut buffer) {
                Err(Errno::INTR) => {}
                Err(_) => return 0,
                Ok(n) => {
                    self.take(buffer.get(..n).unwrap_or_default());
                    return n;
                }
            }
        }
    }

    /// Reads what is there after the end of the command; its children may go on writing.
    fn drain(&mut self, from: &OwnedFd) {
        if rustix::io::ioctl_fionbio(from, true).is_err() {
            return;
        }
        let mut read = 0;
        while read < AFTERMATH {
            match self.read(from) {
                0 => return,
                n => read += n,
            }
        }
    }

    fn take(&mut self, bytes: &[u8]) {
        let mut rest = bytes;
        while let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
            let (line, after) = rest.split_at(end);
            self.begin(line);
            self.end();
            rest = after.get(1..).unwrap_or_default();
        }
        if !rest.is_empty() {
            self.begin(rest);
        }
    }

    /// A part of a line, of which as much is kept as there is room for.
    fn begin(&mut self, part: &[u8]) {
        self.has_begun = true;
        if self.lines.len() < limits::SCRIPT_LINES {
            let room = limits::SCRIPT_LINE.saturating_sub(self.line.len());
            self.line.extend_from_slice(part.get(..part.len().min(room)).unwrap_or_default());
        }
    }

    /// The present line ends.
    fn end(&mut self) {
        if !std::mem::take(&mut self.has_begun) {
            return;
        }
        if self.lines.len() < limits::SCRIPT_LINES {
            self.lines.push(String::from_utf8_lossy(&self.line).trim_end().to_owned());
        } else {
            self.left_out += 1;
        }
        self.line.clear();
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt as _, symlink};
    use std::sync::mpsc::{Receiver, channel};

    use super::*;

    const HANDLE: HandleId = HandleId(7);

    fn order(words: &[&str]) -> ScriptOrder {
        let words = words.iter().map(|word| (*word).to_owned()).collect();
        ScriptOrder { handle: HANDLE, words, folders: Vec::new(), limit: Some(60) }
    }

    fn shell(text: &str) -> ScriptOrder {
        order(&["sh", "-c", text])
    }

    fn begin(scripts: &Scripts, order: ScriptOrder) -> Receiver<WorkDone> {
        let (to, from) = channel();
        scripts.submit(ScriptWork::Run(order), Box::new(move |done| to.send(done).unwrap()));
        from
    }

    fn end_of(from: &Receiver<WorkDone>) -> ScriptEnd {
        match from.recv_timeout(Duration::from_secs(50)).unwrap() {
            WorkDone::Script(ScriptDone::Ended(end)) => end,
            other => panic!("{other:?}"),
        }
    }

    fn ends(order: ScriptOrder) -> ScriptEnd {
        let scripts = Scripts::default();
        let end = end_of(&begin(&scripts, order));
        assert!(scripts.0.lock().unwrap().is_empty());
        end
    }

    /// Whether a process of this number still runs.
    fn runs(pid: &str) -> bool {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        stat.rsplit_once(") ").is_some_and(|(_, state)| !state.starts_with(['Z', 'X']))
    }

    fn await_file(path: &Path) -> String {
        let begun = Instant::now();
        loop {
            match std::fs::read_to_string(path) {
                Ok(text) if text.ends_with('\n') => return text.trim().to_owned(),
                _ => assert!(begun.elapsed() < Duration::from_secs(40), "{path:?} does not come"),
            }
            thread::yield_now();
        }
    }

    fn await_end(pid: &str) {
        let begun = Instant::now();
        while runs(pid) {
            assert!(begun.elapsed() < Duration::from_secs(40), "{pid} goes on");
            thread::yield_now();
        }
    }

    #[test]
    fn what_it_writes_and_how_it_ends_are_told() {
        let end = ends(shell("echo one; echo two >&2; printf 'open end'; exit 3"));
        assert_eq!((end.lines, end.left_out), (["one", "two", "open end"].map(str::to_owned).to_vec(), 0));
        assert_eq!(end.outcome, ScriptOutcome::Exited(3));
        // No shell looks at the words, and there is nothing to read.
        let end = ends(order(&["echo", "$HOME", "a b", ">x"]));
        assert_eq!((&*end.lines[0], end.outcome), ("$HOME a b >x", ScriptOutcome::Exited(0)));
        assert_eq!(ends(order(&["cat"])).outcome, ScriptOutcome::Exited(0));
        assert_eq!(ends(shell("kill -9 $$")).outcome, ScriptOutcome::Signalled(9));
        let none = ends(order(&["/no/such/program"]));
        assert!(matches!(none.outcome, ScriptOutcome::NotStarted(_)), "{none:?}");
        assert!(matches!(ends(order(&[])).outcome, ScriptOutcome::NotStarted(_)));
    }

    #[test]
    fn one_that_never_ends_is_ended_with_all_it_has_started() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("pid");
        // It does not listen to SIGTERM, and neither does its child.
        let text = format!("trap '' TERM; sleep 1000 & echo $! > {}; while :; do wait; done", file.display());
        let end = ends(ScriptOrder { limit: Some(1), ..shell(&text) });
        assert_eq!(end.outcome, ScriptOutcome::TooLong);
        await_end(&await_file(&file));
    }

    #[test]
    fn one_that_is_stopped_ends_with_all_it_has_started() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("pid");
        let scripts = Scripts::default();
        let from = begin(&scripts, shell(&format!("sleep 1000 & echo $! > {}; wait", file.display())));
        let child = await_file(&file);
        let (to, told) = channel();
        scripts.submit(ScriptWork::Stop(HANDLE), Box::new(move |done| to.send(done).unwrap()));
        assert!(matches!(told.recv().unwrap(), WorkDone::Script(ScriptDone::Told)));
        assert_eq!(end_of(&from).outcome, ScriptOutcome::Stopped);
        await_end(&child);
    }

    #[test]
    fn as_many_lines_are_kept_as_may_be_however_much_it_writes() {
        let most = limits::SCRIPT_LINES;
        for (lines, left_out) in [(most, 0), (most + 1, 1), (400_000, 400_000 - most)] {
            let end = ends(shell(&format!("yes | head -n {lines}")));
            assert_eq!((end.lines.len(), end.left_out), (most, left_out as u64), "{lines}");
            assert_eq!(end.outcome, ScriptOutcome::Exited(0));
        }
        for length in [limits::SCRIPT_LINE, limits::SCRIPT_LINE + 1, 300 << 20] {
            let end = ends(shell(&format!("head -c {length} /dev/zero | tr '\\0' x")));
            assert_eq!((end.lines.len(), end.lines[0].len()), (1, limits::SCRIPT_LINE), "{length}");
        }
        let end = ends(ScriptOrder { limit: Some(1), ..order(&["yes"]) });
        assert_eq!((end.lines.len(), end.outcome), (most, ScriptOutcome::TooLong));
    }

    #[test]
    fn a_child_that_goes_on_does_not_keep_its_end_back() {
        let end = ends(ScriptOrder { limit: Some(30), ..shell("(sleep 2; echo late) & echo done") });
        assert_eq!((end.lines, end.outcome), (vec!["done".to_owned()], ScriptOutcome::Exited(0)));
    }

    #[test]
    fn only_what_lies_in_an_allowed_folder_itself_is_run() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        for name in ["allowed/deep", "other"] {
            std::fs::create_dir_all(at(name)).unwrap();
        }
        for name in ["allowed/script", "allowed/deep/script", "other/script"] {
            std::fs::write(at(name), format!("#!/bin/sh\necho {name} $1\n")).unwrap();
            std::fs::set_permissions(at(name), std::fs::Permissions::from_mode(0o755)).unwrap();
        }
        symlink(at("other/script"), at("allowed/out")).unwrap();
        symlink("script", at("allowed/alias")).unwrap();
        symlink(at("allowed"), at("way")).unwrap();
        let ends = |name: &str, folders: &[&str]| {
            let folders = folders.iter().map(|folder| at(folder).display().to_string()).collect();
            let path = if name.contains('/') { at(name).display().to_string() } else { name.to_owned() };
            ends(ScriptOrder { folders, ..order(&[&path, "x"]) })
        };
        for (name, folder) in [
            ("allowed/script", "allowed"),
            ("allowed/alias", "allowed"),
            ("way/script", "allowed"),
            ("allowed/script", "way"),
            ("other/../allowed/script", "allowed"),
        ] {
            let end = ends(name, &["none", folder]);
            assert_eq!(
                (end.outcome, end.lines),
                (ScriptOutcome::Exited(0), vec!["allowed/script x".to_owned()]),
                "{name}"
            );
        }
        for name in ["allowed/out", "allowed/deep/script", "other/script", "allowed/../other/script", "sh"] {
            let end = ends(name, &["allowed"]);
            assert!(matches!(end.outcome, ScriptOutcome::NotAllowed(_)), "{name}: {end:?}");
        }
        assert!(matches!(ends("allowed/none", &["allowed"]).outcome, ScriptOutcome::NotStarted(_)));
    }
}
