//! What a real director has and this one has not, or has under another name: each says so, and what to do instead.

use super::super::grammar::{Command, Form};
use super::super::refusal::Refusal;

/// A command that only says why it does nothing. `words` are a person's own: they are not looked at.
const fn elsewhere(
    name: &'static str,
    forms: &'static [Form],
    run: fn(&super::View<'_>, &super::Words) -> Result<super::Reply, Refusal>,
) -> Command {
    Command::new(name, forms, run)
}

pub(super) const AUTODISPLAY: Command = elsewhere(
    "autodisplay",
    &[Form {
        free: true,
        help: &[("autodisplay", "not here: messages are shown by `messages`, and a note says when there are any")],
        ..Form::PLAIN
    }],
    |_, _| Err(Refusal::usage("Messages are shown by messages; a note says when there are any.")),
);

pub(super) const AUTOMOUNT: Command = elsewhere(
    "automount",
    &[Form { free: true, help: &[("automount", "not here: a volume in a folder needs no mounting")], ..Form::PLAIN }],
    |_, _| Err(Refusal::usage("Volumes lie in folders: none has to be mounted after label.")),
);

pub(super) const SETDEVICE: Command = elsewhere(
    "setdevice",
    &[Form {
        open: true,
        help: &[("setdevice", "not here: a device is what the configuration of its storage daemon says")],
        ..Form::PLAIN
    }],
    |_, _| Err(Refusal::usage("A device is what the configuration of its storage daemon says: change it there.")),
);

pub(super) const TRACE: Command = elsewhere(
    "trace",
    &[Form {
        free: true,
        help: &[("trace", "not here: `setdebug director` with trace=1 writes the log into a file too")],
        ..Form::PLAIN
    }],
    |_, _| Err(Refusal::usage("Use setdebug level=N trace=1 director, or trace=0.")),
);
