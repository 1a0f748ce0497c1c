//! Standard output: what is said there arrives, or the program says that it did not.

use std::io::{self, ErrorKind, Write as _};
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};

/// The exit status if something could not be written: `EX_IOERR` of sysexits.
const EXIT_UNWRITTEN: u8 = 74;

/// Whether something could not be written.
static IS_LOST: AtomicBool = AtomicBool::new(false);

/// Writes to standard output at once. Whoever closed it does not want to know.
pub fn say(text: &str) {
    let mut out = io::stdout().lock();
    written(out.write_all(text.as_bytes()).and_then(|()| out.flush()));
}

/// What came of writing to standard output: says once that not all of it could be written.
pub(crate) fn written(outcome: io::Result<()>) {
    if let Err(error) = outcome
        && error.kind() != ErrorKind::BrokenPipe
        && !IS_LOST.swap(true, Ordering::Relaxed)
    {
        let _closed = writeln!(io::stderr(), "cannot write to standard output: {error}; what follows is lost");
    }
}

/// How a program ends that would end with this: with 74 if not all that it had to say could be written.
#[must_use]
pub fn ended(exit: ExitCode) -> ExitCode {
    if IS_LOST.load(Ordering::Relaxed) { ExitCode::from(EXIT_UNWRITTEN) } else { exit }
}
