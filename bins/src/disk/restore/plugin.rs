//! Files that were saved with the plugin bpipe: their bytes go to the plugin's command (wire/2 §2.12).

use towline_core::bulk::refused::Refused;
use towline_core::wire::command::split;
use towline_core::wire::plugin::{Bpipe, PluginRecord};

use super::{Ledger, RestoreTarget};
use crate::disk::backup::plugin::definition_of;
use crate::process::{Broken, Drain, ending};

/// What is known of the present file's plugin.
#[derive(Debug, Default)]
pub(super) enum Plugged {
    /// It has none.
    #[default]
    Not,
    /// The file that follows was saved with it.
    Named(Box<Bpipe>),
    /// Its command reads the file; without it the rest of the file is passed over.
    Open(Box<Writing>),
}

/// A command that reads a file.
#[derive(Debug)]
pub(super) struct Writing {
    path: Vec<u8>,
    command: String,
    drain: Option<Drain>,
}

impl RestoreTarget {
    /// A record of stream 26: the file that follows was saved with a plugin, or that was all of it.
    pub(super) fn plugin_record(&mut self, record: &[u8]) {
        self.end_entry();
        self.end_plugged();
        match PluginRecord::parse(record) {
            Some(PluginRecord::Begin(_, definition)) => {
                match definition_of(&String::from_utf8_lossy(definition), &self.means) {
                    Ok(bpipe) => self.plugged = Plugged::Named(Box::new(bpipe)),
                    Err(why) => self.refused = Some(why),
                }
            }
            Some(PluginRecord::End(_)) => {}
            None => self.refuse("the name of its plugin cannot be read; not restored"),
        }
    }

    /// Begins a file that was saved with a plugin. False if it was not.
    pub(super) fn begin_plugged(&mut self, name: &[u8]) -> bool {
        let Plugged::Named(bpipe) = std::mem::take(&mut self.plugged) else { return false };
        let permits = &self.means.permits;
        let mut writing = Writing { path: name.to_vec(), command: bpipe.writer.clone(), drain: None };
        match Drain::start(&split(&bpipe.writer), &permits.folders, &self.means.variables()) {
            Ok(drain) => {
                writing.drain = Some(drain);
                self.ledger.tally.files += 1;
                self.ledger.tally.fates.restored += 1;
            }
            Err(outcome) => {
                writing.failed(&ending(&outcome, "").unwrap_or_default(), &mut self.ledger);
                self.ledger.not_made(name);
            }
        }
        self.plugged = Plugged::Open(Box::new(writing));
        true
    }

    /// Bytes for the plugin's command. False if there is none.
    pub(super) fn write_plugged(&mut self, bytes: &[u8]) -> bool {
        let Plugged::Open(writing) = &mut self.plugged else { return false };
        let Some(drain) = &mut writing.drain else { return true };
        match drain.write(bytes, self.means.given_up.as_ref()) {
            Ok(()) => self.ledger.tally.bytes += bytes.len() as u64,
            Err(Broken::GivenUp | Broken::TooLong) => {
                if let Some(drain) = writing.drain.take() {
                    drain.stop();
                }
            }
            // What it has said, and how it has ended, is the reason.
            Err(Broken::Failed(error)) => {
                let ended = writing.drain.take().map(|drain| drain.finish(None));
                let why = ended.and_then(|(outcome, said)| ending(&outcome, &said));
                writing.failed(&why.unwrap_or_else(|| error.to_string()), &mut self.ledger);
                self.ledger.not_whole(&writing.path);
            }
        }
        true
    }

    /// Whether the present file goes to a plugin's command.
    pub(super) const fn is_plugged(&self) -> bool {
        matches!(self.plugged, Plugged::Open(_))
    }

    /// Ends the present file if it goes to a plugin's command.
    pub(super) fn end_plugged(&mut self) {
        let Plugged::Open(mut writing) = std::mem::take(&mut self.plugged) else { return };
        let Some(drain) = writing.drain.take() else { return };
        let (outcome, said) = drain.finish(self.means.given_up.as_ref());
        match ending(&outcome, &said) {
            Some(why) => {
                writing.failed(&why, &mut self.ledger);
                self.ledger.not_whole(&writing.path);
            }
            None if !said.is_empty() => self.ledger.info(&writing.path, format!("the plugin's command says: {said}")),
            None => {}
        }
    }

    /// Gives up the present file if it goes to a plugin's command.
    pub(super) fn abandon_plugged(&mut self) {
        if let Plugged::Open(mut writing) = std::mem::take(&mut self.plugged)
            && let Some(drain) = writing.drain.take()
        {
            drain.stop();
            writing.failed("the rest of the file has not come", &mut self.ledger);
            self.ledger.not_whole(&writing.path);
        }
    }

    /// Why nothing more is restored, if that is so.
    pub fn take_refused(&mut self) -> Option<Refused> {
        self.refused.take()
    }
}

impl Writing {
    fn failed(&self, why: &str, ledger: &mut Ledger) {
        ledger.error(&self.path, format!("the plugin's command {:?} has failed: {why} (T0740)", self.command));
    }
}
