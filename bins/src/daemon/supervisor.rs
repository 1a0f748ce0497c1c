//! What a service manager is told, sd_notify(3): that the daemon serves, and that it is about to end. Without one nothing is said,
//! and one that does not listen changes nothing.

use std::sync::Once;

use sd_notify::NotifyState;

/// The daemon serves; how, in a few words for its status line. Said once: of several addresses the first counts.
pub(super) fn serves(how: &str) {
    static SAID: Once = Once::new();
    SAID.call_once(|| tell(&[NotifyState::Ready, NotifyState::Status(how)]));
}

/// It was asked to end, and lets go of what it has.
pub(super) fn stops() {
    tell(&[NotifyState::Stopping, NotifyState::Status("ending")]);
}

fn tell(state: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(false, state) {
        tracing::debug!("the service manager is not told: {error}");
    }
}
