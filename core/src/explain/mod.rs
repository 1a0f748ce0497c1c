//! Every stable code of the project with the page that `towline explain T0203` prints. A code never changes its meaning
//! and is never used again; one without a page fails a test.

mod access;
mod answers;
mod away;
mod browse;
mod catalog;
mod client;
mod clock;
pub mod codes;
mod config;
mod conn;
mod console;
mod continued;
mod delivery;
mod dial;
mod disk;
mod erase;
mod failing;
mod figures;
mod files;
mod health;
mod invitations;
mod job;
mod log;
mod monitor;
mod objects;
mod orders;
mod overdue;
mod owner;
mod record;
mod restore;
mod script;
mod store;
mod stream;
mod terms;
#[cfg(test)]
mod tests;
mod tls;
mod trouble;
mod unsaved;
mod upkeep;
mod virtual_full;
mod volumes;
mod waiting;

use std::fmt;

use crate::error::{Code, Fault, Retry};
use crate::printable;

/// What a person should know about one code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Page {
    /// The code.
    pub code: Code,
    /// What happened, in a few words: lower case, no full stop.
    pub title: &'static str,
    /// Whose fault it usually is; a log line may know better.
    pub fault: Fault,
    /// Whether trying again can help.
    pub retry: Retry,
    /// What it means: whole sentences.
    pub meaning: &'static str,
    /// What to do: whole sentences.
    pub remedy: &'static str,
}

/// The page of a code; `None` for a number that was never given.
#[must_use]
pub fn page(code: Code) -> Option<&'static Page> {
    all().find(|page| page.code == code)
}

/// A line for the log about something that has no error value: whose fault, the code, what happened, what to do. The text
/// may have words of a peer or names of a disk: they cannot make a second line or move a terminal.
#[must_use]
pub fn complaint(code: Code, text: &str) -> String {
    let text = printable::line(text);
    match page(code) {
        Some(page) => format!("{code} ({}): {text}. {}", page.fault.place(), page.remedy),
        None => format!("{code}: {text}"),
    }
}

/// All pages, in order of their codes.
pub fn all() -> impl Iterator<Item = &'static Page> {
    [
        dial::PAGES,
        waiting::PAGES,
        tls::PAGES,
        conn::PAGES,
        job::PAGES,
        monitor::PAGES,
        stream::PAGES,
        restore::PAGES,
        figures::PAGES,
        clock::PAGES,
        trouble::PAGES,
        disk::PAGES,
        owner::PAGES,
        record::PAGES,
        volumes::PAGES,
        unsaved::PAGES,
        invitations::PAGES,
        answers::PAGES,
        overdue::PAGES,
        failing::PAGES,
        console::PAGES,
        catalog::PAGES,
        files::PAGES,
        script::PAGES,
        client::PAGES,
        orders::PAGES,
        store::PAGES,
        access::PAGES,
        browse::PAGES,
        config::PAGES,
        terms::PAGES,
        virtual_full::PAGES,
        log::PAGES,
        delivery::PAGES,
        upkeep::PAGES,
        erase::PAGES,
        continued::PAGES,
        objects::PAGES,
        health::PAGES,
        away::PAGES,
    ]
    .into_iter()
    .flatten()
}

/// The page as plain text, its paragraphs in one line each.
impl fmt::Display for Page {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let fault = match self.fault {
            Fault::Peer => "the other daemon",
            Fault::Network => "the network",
            Fault::Config => "the configuration",
            Fault::Local => "this machine",
            Fault::Bug => "Towline",
        };
        let retry = match self.retry {
            Retry::Never => "not before something is changed",
            Retry::Backoff => "yes, after a pause",
            Retry::Now => "yes, at once",
        };
        writeln!(f, "{}: {}", self.code, self.title)?;
        writeln!(f, "Where to look: {fault}. Worth another try: {retry}.\n\n{}\n", self.meaning)?;
        write!(f, "What to do: {}", self.remedy)
    }
}

/// One page of a table.
const fn entry(
    code: u16,
    title: &'static str,
    (fault, retry): (Fault, Retry),
    meaning: &'static str,
    remedy: &'static str,
) -> Page {
    Page { code: Code(code), title, fault, retry, meaning, remedy }
}
