//! What waits for the task or thread of a connection.

use std::collections::VecDeque;

use super::pump::Mail;

/// Messages a connection's mailbox holds; one more and the connection is aborted, for the node waits for nobody.
pub const MAILBOX: usize = 64;

/// A connection's mailbox, in the order of its mail. Bounded: at most [`MAILBOX`] messages of the node, the answers to
/// the work that the connection has asked for, and one setting of TCP keepalive, which finds room in a full one too.
#[derive(Debug, Default)]
pub struct Mailbox {
    mail: VecDeque<Mail>,
    messages: usize,
}

impl Mailbox {
    /// Puts one in. False, and it is dropped, if it is a message and the mailbox is full.
    #[must_use]
    pub fn post(&mut self, mail: Mail) -> bool {
        match mail {
            Mail::Message(_) if self.messages >= MAILBOX => return false,
            Mail::Message(_) => self.messages += 1,
            // Only the last one counts.
            Mail::Keepalive(_) => self.mail.retain(|waiting| !matches!(waiting, Mail::Keepalive(_))),
            Mail::Done(..) => {}
        }
        self.mail.push_back(mail);
        true
    }

    /// Takes the oldest out, until there is none.
    pub fn take(&mut self) -> Option<Mail> {
        let mail = self.mail.pop_front()?;
        if matches!(mail, Mail::Message(_)) {
            self.messages -= 1;
        }
        Some(mail)
    }

    /// Whether nothing waits.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.mail.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conn::ToConn;
    use crate::ids::WorkId;
    use crate::socket::SocketOptions;
    use crate::work::WorkDone;

    fn full() -> Mailbox {
        let mut mailbox = Mailbox::default();
        assert!((0..MAILBOX).all(|_| mailbox.post(Mail::Message(ToConn::Report))));
        mailbox
    }

    #[test]
    fn one_message_more_than_fits_is_refused_until_one_is_taken() {
        let mut mailbox = full();
        assert!(!mailbox.post(Mail::Message(ToConn::Report)));
        assert!(mailbox.take().is_some());
        assert!(mailbox.post(Mail::Message(ToConn::Report)));
        assert!(!mailbox.post(Mail::Message(ToConn::Report)));
        assert_eq!(std::iter::from_fn(|| mailbox.take()).count(), MAILBOX);
        assert!(mailbox.is_empty());
    }

    #[test]
    fn a_full_mailbox_takes_answers_and_the_last_keepalive() {
        let mut mailbox = full();
        let keepalive = |buffer| Mail::Keepalive(SocketOptions { buffer: Some(buffer), ..SocketOptions::default() });
        assert!(mailbox.post(keepalive(1)));
        assert!(mailbox.post(Mail::Done(WorkId(7), WorkDone::Refused)));
        assert!(mailbox.post(keepalive(2)));
        let rest: Vec<Mail> = std::iter::from_fn(|| mailbox.take()).skip(MAILBOX).collect();
        let [Mail::Done(WorkId(7), WorkDone::Refused), Mail::Keepalive(options)] = &rest[..] else {
            panic!("{rest:?}")
        };
        assert_eq!(options.buffer, Some(2));
    }
}
