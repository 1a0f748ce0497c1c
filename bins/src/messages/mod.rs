//! Messages on their way out of this machine or into its log: one try each, which ends in time whatever the other side does.
//!
//! ```text
//!   deliver --> a thread that waits --> a thread that tries: mail.rs, web.rs, system.rs
//!                     '-- its time is over: told so; the try ends by itself, for each of its steps has a limit too
//! ```

#[cfg(feature = "mail")]
mod mail;
mod system;
#[cfg(feature = "mail")]
mod web;

use std::path::PathBuf;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use towline_core::drive::Reply;
use towline_core::work::WorkDone;
use towline_core::work::delivery::{Delivery, Undelivered};

use crate::hands::DeliveryDesk;

/// How long a webhook may take, and the system's log.
const LIMIT: Duration = Duration::from_secs(30);

/// Whether this program can send mail and call webhooks.
pub const HAS_MAIL: bool = cfg!(feature = "mail");

/// Who delivers the messages of a daemon.
#[derive(Clone, Debug)]
pub struct Deliverer {
    /// Where relative names begin.
    folder: PathBuf,
}

impl Deliverer {
    /// Files are named from this folder.
    #[must_use]
    pub const fn new(folder: PathBuf) -> Self {
        Self { folder }
    }

    /// What workers give deliveries to.
    #[must_use]
    pub fn into_desk(self) -> DeliveryDesk {
        Box::new(move |delivery, reply| self.deliver(delivery, reply))
    }

    /// Makes one try on threads of its own. The reply is called exactly once.
    pub fn deliver(&self, delivery: Delivery, reply: Reply) {
        let limit = match &delivery {
            Delivery::Mail(mail) => mail.server.time_limit.duration(),
            _ => LIMIT,
        };
        let this = self.clone();
        // The reply must survive a thread that cannot be started.
        let slot = Arc::new(Mutex::new(Some(reply)));
        let mine = Arc::clone(&slot);
        let wait = move || {
            let (told, hears) = channel();
            let tries = move || drop(told.send(this.attempt(&delivery, limit)));
            let outcome = match thread::Builder::new().name("delivery-try".to_owned()).spawn(tries) {
                Err(error) => Err(Undelivered::Unprepared(format!("cannot start a thread: {error}"))),
                Ok(_) => match hears.recv_timeout(limit) {
                    Ok(outcome) => outcome,
                    Err(RecvTimeoutError::Timeout) => Err(Undelivered::TooSlow(limit.as_secs())),
                    Err(RecvTimeoutError::Disconnected) => Err(Undelivered::Unprepared(
                        "a mistake of this program stopped it; please report it".to_owned(),
                    )),
                },
            };
            answer(&mine, outcome);
        };
        if let Err(error) = thread::Builder::new().name("delivery".to_owned()).spawn(wait) {
            answer(&slot, Err(Undelivered::Unprepared(format!("cannot start a thread: {error}"))));
        }
    }

    /// One try, each of whose steps ends within the limit.
    fn attempt(&self, delivery: &Delivery, limit: Duration) -> Result<(), Undelivered> {
        match delivery {
            #[cfg(feature = "mail")]
            Delivery::Mail(mail) => mail::send(mail, &self.folder, limit),
            #[cfg(feature = "mail")]
            Delivery::Post { url, body } => web::post(url, body, limit),
            Delivery::Log { facility, program, lines } => system::log(*facility, program, lines, limit),
            Delivery::Errors(text) => system::errors(text),
            other => {
                let what = format!("{other:?}");
                let what = what.split([' ', '(', '{']).next().unwrap_or_default().to_owned();
                let text =
                    format!("this program is built without the feature `mail`, in {}: {what}", self.folder.display());
                Err(Undelivered::Unprepared(text))
            }
        }
    }
}

fn answer(slot: &Mutex<Option<Reply>>, outcome: Result<(), Undelivered>) {
    let reply = slot.lock().unwrap_or_else(PoisonError::into_inner).take();
    if let Some(reply) = reply {
        reply(WorkDone::Delivered(outcome));
    }
}
