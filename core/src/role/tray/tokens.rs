//! What the timers of a tray monitor are for.

/// What a timer is for.
#[derive(Debug)]
pub enum Due {
    /// The daemon has not answered in time.
    Late(usize),
    /// The daemon is to be asked again.
    Ask(usize),
    /// Whoever has not said good-bye is left.
    Leave,
}
