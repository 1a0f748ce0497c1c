//! A bound for loops over bytes from outside.

/// Passes of a loop that may change a state without taking a byte.
const SPARE: usize = 64;

/// Counts the passes of a loop that a peer's bytes drive, so that no bytes can make it go round for ever: each pass takes
/// at least one byte, or it is one of a few that only change a state.
#[derive(Debug)]
pub(crate) struct Headway {
    left: usize,
}

impl Headway {
    /// For a loop that has so many bytes before it.
    pub(crate) const fn over(bytes: usize) -> Self {
        Self { left: bytes.saturating_add(SPARE) }
    }

    /// Begins a pass. `false`: there were more than there can be, and the loop must end with an error.
    #[must_use]
    pub(crate) const fn goes_on(&mut self) -> bool {
        match self.left.checked_sub(1) {
            Some(left) => self.left = left,
            None => return false,
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_loop_has_a_pass_for_each_byte_and_a_few_to_spare_and_not_one_more() {
        for bytes in [0, 1, 1_000] {
            let mut headway = Headway::over(bytes);
            assert!((0..bytes + SPARE).all(|_| headway.goes_on()));
            assert!(!headway.goes_on() && !headway.goes_on());
        }
    }
}
