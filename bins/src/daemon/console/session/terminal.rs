//! The terminal: its size, single keys, how it was before, and what Ctrl-C means.

use std::io;
use std::sync::atomic::{AtomicU8, Ordering};

use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcgetwinsize, tcsetattr};

/// A line is edited: Ctrl-C is a key.
const EDITING: u8 = 0;
/// An answer is waited for.
const BUSY: u8 = 1;
/// The operator does not want it any more.
const INTERRUPTED: u8 = 2;

/// The terminal, shared by the thread that edits lines, the log and whoever hears of signals.
#[derive(Debug)]
pub(super) struct Terminal {
    /// Its modes when the program began.
    modes: Option<Termios>,
    state: AtomicU8,
}

impl Terminal {
    /// As it is now.
    pub(super) fn new() -> Self {
        Self { modes: tcgetattr(io::stdin()).ok(), state: AtomicU8::new(BUSY) }
    }

    /// Gives it its modes back.
    pub(super) fn restore(&self) {
        if let Some(modes) = &self.modes {
            // A terminal that has gone needs none.
            let _gone = tcsetattr(io::stdin(), OptionalActions::Now, modes);
        }
    }

    /// A line of the log comes: in the middle of a line that is edited it needs one of its own.
    pub(super) fn make_room(&self) {
        if self.state.load(Ordering::Relaxed) == EDITING {
            self.restore();
            super::super::super::say("\n");
        }
    }

    /// A line is edited from now on.
    pub(super) fn edits(&self) {
        self.state.store(EDITING, Ordering::Relaxed);
    }

    /// An answer is waited for from now on.
    pub(super) fn waits(&self) {
        self.state.store(BUSY, Ordering::Relaxed);
    }

    /// Whether the operator has interrupted the wait.
    pub(super) fn is_interrupted(&self) -> bool {
        self.state.load(Ordering::Relaxed) == INTERRUPTED
    }

    /// The signal INT: whether it only ends a wait. The second one, without a line between them, ends the program.
    pub(super) fn interrupt(&self) -> bool {
        self.state.compare_exchange(BUSY, INTERRUPTED, Ordering::Relaxed, Ordering::Relaxed).is_ok()
    }

    /// A key, as it is pressed; none at the end of the input. Ctrl-C is a key here.
    pub(super) fn key(&self) -> Option<u8> {
        let mut modes = self.modes.clone()?;
        modes.local_modes.remove(LocalModes::ICANON | LocalModes::ECHO | LocalModes::ISIG);
        tcsetattr(io::stdin(), OptionalActions::Now, &modes).ok()?;
        let mut bytes = [0; 16];
        // What a key sends beside its first byte goes with it.
        let read = rustix::io::read(io::stdin(), &mut bytes);
        self.restore();
        read.ok().filter(|count| *count > 0).map(|_| bytes[0])
    }
}

/// Columns and rows of the terminal.
pub(super) fn size() -> (usize, usize) {
    match tcgetwinsize(io::stdout()) {
        Ok(size) if size.ws_col > 0 && size.ws_row > 0 => (size.ws_col.into(), size.ws_row.into()),
        _ => (80, 24),
    }
}

/// Whether colours are wanted: by NO_COLOR of no-color.org they are not.
pub(super) fn has_colours() -> bool {
    std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_interrupt_ends_a_wait_and_the_second_the_program() {
        let terminal = Terminal { modes: None, state: AtomicU8::new(BUSY) };
        assert!(terminal.interrupt() && terminal.is_interrupted());
        assert!(!terminal.interrupt());
        terminal.waits();
        assert!(!terminal.is_interrupted() && terminal.interrupt());
        terminal.edits();
        assert!(!terminal.interrupt(), "at a prompt it ends the program");
    }
}
