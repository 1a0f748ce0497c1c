//! Commands of a job (wire/2 §1.9): each in a process group of its own, without a shell, with nothing to read but what the
//! order has.
//!
//! ```text
//!   thread of the command:  poll(its output, its end, the order to stop, its time) until one of the last three
//! ```
//! What it writes is read to the end and kept up to a limit, so that it never waits for us. When it is stopped, its group gets
//! SIGTERM, and SIGKILL after a while.

use std::collections::BTreeMap;
use std::io::{Seek as _, Write as _};
use std::os::fd::OwnedFd;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::Stdio;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use rustix::event::PollFlags;
use rustix::fs::{MemfdFlags, memfd_create};
use rustix::io::Errno;
use rustix::pipe::{PipeFlags, pipe_with};
use rustix::process::Signal;
use towline_core::bulk::work::Permits;
use towline_core::drive::Reply;
use towline_core::ids::HandleId;
use towline_core::limits;
use towline_core::work::WorkDone;
use towline_core::work::script::{GatherOrder, ScriptDone, ScriptEnd, ScriptOrder, ScriptOutcome, ScriptWork};

use crate::disk::backup::lists::gather;
use crate::process::{GRACE, Means, Program, not_started, wait};

/// Bytes read after the end of a command whose children still write.
const AFTERMATH: usize = 1 << 20;

/// The commands that run: closing the descriptor of one stops it.
#[derive(Clone, Debug, Default)]
pub(super) struct Scripts(Arc<Mutex<BTreeMap<HandleId, OwnedFd>>>);

impl Scripts {
    /// Runs or stops a command.
    pub(super) fn submit(&self, work: ScriptWork, reply: Reply) {
        match work {
            ScriptWork::Run(order) => {
                self.run(order.handle, move |stopped| ScriptDone::Ended(run(&order, &stopped)), reply);
            }
            ScriptWork::Gather(GatherOrder { handle, lists, limit }) => {
                let permits = Permits { limit, ..Permits::default() };
                let read =
                    move |stopped| gather(&lists, &Means { permits, given_up: Some(stopped), ..Means::default() });
                self.run(handle, move |stopped| ScriptDone::Gathered(read(stopped)), reply);
            }
            ScriptWork::Stop(handle) => {
                drop(self.take(handle));
                reply(WorkDone::Script(ScriptDone::Told));
            }
        }
    }

    fn take(&self, handle: HandleId) -> Option<OwnedFd> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&handle)
    }

    /// A thread for what is stopped once the descriptor it is handed can be read.
    fn run(&self, handle: HandleId, work: impl FnOnce(OwnedFd) -> ScriptDone + Send + 'static, reply: Reply) {
        let (stopped, stop) = match pipe_with(PipeFlags::CLOEXEC) {
            Ok(ends) => ends,
            Err(error) => return reply(ended(not_started(&error.into()))),
        };
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(handle, stop);
        // The reply must survive a thread that cannot be started.
        let reply = Arc::new(Mutex::new(Some(reply)));
        let (mine, all) = (Arc::clone(&reply), self.clone());
        let body = move || {
            let done = catch_unwind(AssertUnwindSafe(|| work(stopped)));
            drop(all.take(handle));
            super::answer(&mine, done.map_or_else(|_| ended(mistake()), WorkDone::Script));
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
fn start(order: &ScriptOrder) -> Result<(Program, OwnedFd), ScriptOutcome> {
    let (from, to) = pipe_with(PipeFlags::CLOEXEC).map_err(|error| not_started(&error.into()))?;
    let errors_to = to.try_clone().map_err(|error| not_started(&error))?;
    let input = input(&order.input).map_err(|error| not_started(&error))?;
    let program = Program::start(&order.words, &order.folders, |command| {
        command.stdin(input).stdout(to).stderr(errors_to);
    })?;
    Ok((program, from))
}

/// What the command reads: memory that needs nobody to write it meanwhile.
fn input(bytes: &[u8]) -> std::io::Result<Stdio> {
    if bytes.is_empty() {
        return Ok(Stdio::null());
    }
    let mut file = std::fs::File::from(memfd_create(c"input", MemfdFlags::CLOEXEC)?);
    file.write_all(bytes)?;
    file.rewind()?;
    Ok(file.into())
}

/// Reads what the command writes until it has ended, or ends it.
fn follow(
    mut program: Program,
    from: &OwnedFd,
    stopped: &OwnedFd,
    limit: Option<u64>,
    output: &mut Output,
) -> ScriptOutcome {
    let deadline = limit.map(|seconds| Instant::now() + Duration::from_secs(seconds));
    let mut is_open = true;
    let why = loop {
        let watched = [is_open.then_some(from), program.end(), Some(stopped)];
        match wait(watched.map(|fd| (fd, PollFlags::IN)), deadline) {
            Ok([_, _, true]) => break Some(ScriptOutcome::Stopped),
            Ok([_, true, _]) => break None,
            Ok([true, ..]) => is_open = output.read(from) > 0,
            Ok(_) => break Some(ScriptOutcome::TooLong),
            Err(error) => break Some(not_started(&error.into())),
        }
        if !is_open && program.end().is_none() {
            break None;
        }
    };
    if why.is_some() {
        stop(&program, from, output);
    } else if is_open {
        output.drain(from);
    }
    let ended = program.outcome();
    why.unwrap_or(ended)
}

/// Ends a group, with a while for it to end by itself, in which it is still listened to.
fn stop(program: &Program, from: &OwnedFd, output: &mut Output) {
    program.signal(Signal::TERM);
    let deadline = Instant::now() + GRACE;
    let mut is_open = true;
    while let Ok([readable, false]) =
        wait([is_open.then_some(from), program.end()].map(|fd| (fd, PollFlags::IN)), Some(deadline))
    {
        if !readable {
            break;
        }
        is_open = output.read(from) > 0;
    }
    program.signal(Signal::KILL);
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
    use std::path::Path;
    use std::sync::mpsc::{Receiver, channel};

    use super::*;

    const HANDLE: HandleId = HandleId(7);

    fn order(words: &[&str]) -> ScriptOrder {
        let words = words.iter().map(|word| (*word).to_owned()).collect();
        ScriptOrder { handle: HANDLE, words, folders: Vec::new(), limit: Some(60), input: Vec::new() }
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
        let input = vec![b'x'; 300_000];
        assert_eq!(ends(ScriptOrder { input, ..order(&["wc", "-c"]) }).lines, ["300000"]);
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
