//! Named pipes whose bytes are saved and restored (wire/2 §2.3, §3.2). Whoever is at the other end is waited for, no longer
//! than [`Patience`] says, and after that only the end of the job ends the waiting.

use std::ffi::CStr;
use std::fmt;
use std::io;
use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

use rustix::event::PollFlags;
use rustix::fs::{self, FileType as Type, Mode, OFlags};
use rustix::io::Errno;

use super::meta;
use crate::process::{Broken, Means, wait};

/// How long somebody may take to open the other end of a pipe: as long as real daemons wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patience(pub Duration);

impl Default for Patience {
    fn default() -> Self {
        Self(Duration::from_secs(60))
    }
}

/// No event tells that somebody has opened the other end and is silent, so it is looked for this often.
const GLANCE: Duration = Duration::from_millis(50);

/// Why there is nobody at the other end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Alone {
    /// Nobody has opened it in time.
    Nobody(Duration),
    /// The job is given up.
    GivenUp,
    /// The system says so, or it is no pipe any more.
    Failed(Errno),
}

impl From<Errno> for Alone {
    fn from(error: Errno) -> Self {
        Self::Failed(error)
    }
}

impl fmt::Display for Alone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nobody(patience) => {
                write!(f, "nobody has opened its other end within {} seconds", patience.as_secs())
            }
            Self::GivenUp => f.write_str("the job was given up before anybody opened its other end"),
            Self::Failed(error) => write!(f, "it could not be opened: {}", io::Error::from(*error)),
        }
    }
}

/// A pipe that somebody writes into.
#[derive(Debug)]
pub(super) struct PipeReader {
    fd: OwnedFd,
    given_up: Option<OwnedFd>,
    /// A byte that came while a writer was looked for.
    ahead: Option<u8>,
}

impl PipeReader {
    /// Opens a pipe and waits for a writer.
    pub(super) fn open(parent: &OwnedFd, name: &CStr, means: &Means) -> Result<Self, Alone> {
        let fd = opened(parent, name, OFlags::RDONLY)?;
        let deadline = Instant::now() + means.patience.0;
        let mut pipe = Self { fd, given_up: clone(means.given_up.as_ref()), ahead: None };
        while !pipe.has_writer()? {
            if Instant::now() >= deadline {
                return Err(Alone::Nobody(means.patience.0));
            }
        }
        Ok(pipe)
    }

    /// Looks once. A writer that came and went has been there too.
    fn has_writer(&mut self) -> Result<bool, Alone> {
        let watched = [(self.given_up.as_ref(), PollFlags::IN), (Some(&self.fd), PollFlags::IN)];
        match wait(watched, Some(Instant::now() + GLANCE))? {
            [true, _] => return Err(Alone::GivenUp),
            [_, true] => return Ok(true),
            [false, false] => {}
        }
        let mut byte = [0];
        match rustix::io::read(&self.fd, &mut byte) {
            Ok(0) | Err(Errno::INTR) => Ok(false),
            Ok(_) => {
                self.ahead = Some(byte[0]);
                Ok(true)
            }
            // There is one who has not written yet.
            Err(Errno::AGAIN) => Ok(true),
            Err(error) => Err(error.into()),
        }
    }

    /// Reads what comes next; 0 once all writers have gone.
    pub(super) fn read(&mut self, buffer: &mut [u8]) -> Result<usize, Broken> {
        if let (Some(room), Some(byte)) = (buffer.first_mut(), self.ahead.take()) {
            *room = byte;
            return Ok(1);
        }
        loop {
            let watched = [(self.given_up.as_ref(), PollFlags::IN), (Some(&self.fd), PollFlags::IN)];
            if let [true, _] = wait(watched, None).map_err(|error| Broken::Failed(error.into()))? {
                return Err(Broken::GivenUp);
            }
            match rustix::io::read(&self.fd, &mut *buffer) {
                Err(Errno::INTR | Errno::AGAIN) => {}
                other => return other.map_err(|error| Broken::Failed(error.into())),
            }
        }
    }

    /// The pipe itself.
    pub(super) const fn fd(&self) -> &OwnedFd {
        &self.fd
    }
}

/// A pipe that somebody reads from.
#[derive(Debug)]
pub(super) struct PipeWriter {
    fd: OwnedFd,
    given_up: Option<OwnedFd>,
}

impl PipeWriter {
    /// Opens a pipe and waits for a reader.
    pub(super) fn open(parent: &OwnedFd, name: &CStr, means: &Means) -> Result<Self, Alone> {
        let deadline = Instant::now() + means.patience.0;
        loop {
            match opened(parent, name, OFlags::WRONLY) {
                Err(Alone::Failed(Errno::NXIO)) => {}
                other => return Ok(Self { fd: other?, given_up: clone(means.given_up.as_ref()) }),
            }
            let watched = [(means.given_up.as_ref(), PollFlags::IN)];
            if let [true] = wait(watched, Some(Instant::now() + GLANCE))? {
                return Err(Alone::GivenUp);
            }
            if Instant::now() >= deadline {
                return Err(Alone::Nobody(means.patience.0));
            }
        }
    }

    /// Writes some of it, and says how much.
    pub(super) fn write(&self, bytes: &[u8]) -> Result<usize, Broken> {
        loop {
            let watched = [(self.given_up.as_ref(), PollFlags::IN), (Some(&self.fd), PollFlags::OUT)];
            if let [true, _] = wait(watched, None).map_err(|error| Broken::Failed(error.into()))? {
                return Err(Broken::GivenUp);
            }
            match rustix::io::write(&self.fd, bytes) {
                Err(Errno::INTR | Errno::AGAIN) => {}
                other => return other.map_err(|error| Broken::Failed(error.into())),
            }
        }
    }

    /// The pipe itself.
    pub(super) const fn fd(&self) -> &OwnedFd {
        &self.fd
    }
}

fn opened(parent: &OwnedFd, name: &CStr, how: OFlags) -> Result<OwnedFd, Alone> {
    let flags = how | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    let fd = fs::openat(parent, name, flags, Mode::empty())?;
    // Something else may stand there by now.
    if meta::of_open(&fd)?.kind() == Type::Fifo { Ok(fd) } else { Err(Errno::SPIPE.into()) }
}

/// Without it a job that is given up goes on until the other end is closed.
fn clone(given_up: Option<&OwnedFd>) -> Option<OwnedFd> {
    given_up.and_then(|fd| fd.try_clone().ok())
}

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Write as _};
    use std::path::Path;
    use std::thread;

    use super::*;

    fn bench() -> (tempfile::TempDir, OwnedFd) {
        let dir = tempfile::tempdir().unwrap();
        let mode = Mode::from_raw_mode(0o600);
        fs::mknodat(fs::CWD, dir.path().join("fifo"), Type::Fifo, mode, 0).unwrap();
        let parent = std::fs::File::open(dir.path()).unwrap().into();
        (dir, parent)
    }

    fn means(patience: Duration) -> Means {
        Means { patience: Patience(patience), ..Means::default() }
    }

    fn writer(dir: &Path) -> std::fs::File {
        std::fs::File::options().write(true).open(dir.join("fifo")).unwrap()
    }

    const LONG: Duration = Duration::from_secs(60);
    const SHORT: Duration = Duration::from_millis(120);

    #[test]
    fn a_pipe_that_nobody_opens_is_given_up_in_time() {
        let (_dir, parent) = bench();
        let read = PipeReader::open(&parent, c"fifo", &means(SHORT)).unwrap_err();
        let written = PipeWriter::open(&parent, c"fifo", &means(SHORT)).unwrap_err();
        assert_eq!((read, written), (Alone::Nobody(SHORT), Alone::Nobody(SHORT)));
        let (given_up, other_end) = rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC).unwrap();
        drop(other_end);
        let means = Means { given_up: Some(given_up), ..means(LONG) };
        assert_eq!(PipeReader::open(&parent, c"fifo", &means).unwrap_err(), Alone::GivenUp);
        assert_eq!(PipeWriter::open(&parent, c"fifo", &means).unwrap_err(), Alone::GivenUp);
    }

    #[test]
    fn a_writer_may_be_silent_for_longer_than_it_may_take_to_come() {
        let (dir, parent) = bench();
        let path = dir.path().to_owned();
        let (say, hear) = std::sync::mpsc::channel();
        let writing = thread::spawn(move || {
            let mut pipe = writer(&path);
            hear.recv().unwrap();
            pipe.write_all(b"late").unwrap();
        });
        let mut pipe = PipeReader::open(&parent, c"fifo", &means(LONG)).unwrap();
        say.send(()).unwrap();
        let (mut all, mut buffer) = (Vec::new(), [0; 3]);
        loop {
            match pipe.read(&mut buffer).unwrap() {
                0 => break,
                n => all.extend_from_slice(&buffer[..n]),
            }
        }
        writing.join().unwrap();
        assert_eq!(all, b"late");
    }

    #[test]
    fn a_writer_that_came_and_went_has_been_there() {
        let (dir, parent) = bench();
        let path = dir.path().to_owned();
        let writing = thread::spawn(move || drop(writer(&path)));
        let mut pipe = PipeReader::open(&parent, c"fifo", &means(LONG)).unwrap();
        writing.join().unwrap();
        assert_eq!(pipe.read(&mut [0; 8]).unwrap(), 0);
    }

    #[test]
    fn a_reader_gets_all_and_one_that_leaves_is_noticed() {
        let (dir, parent) = bench();
        let path = dir.path().join("fifo");
        let reading = thread::spawn(move || {
            let mut first = vec![0; 200_000];
            std::fs::File::open(path).unwrap().read_exact(&mut first).unwrap();
            first
        });
        let pipe = PipeWriter::open(&parent, c"fifo", &means(LONG)).unwrap();
        let error = loop {
            match pipe.write(&[7; 100_000]) {
                Ok(_) => {}
                Err(error) => break error,
            }
        };
        assert!(matches!(error, Broken::Failed(ref error) if error.kind() == io::ErrorKind::BrokenPipe), "{error:?}");
        assert!(reading.join().unwrap().iter().all(|byte| *byte == 7));
    }

    #[test]
    fn what_is_no_pipe_is_not_opened_as_one() {
        let (dir, parent) = bench();
        std::fs::write(dir.path().join("file"), b"x").unwrap();
        assert_eq!(PipeReader::open(&parent, c"file", &means(LONG)).unwrap_err(), Alone::Failed(Errno::SPIPE));
    }
}
