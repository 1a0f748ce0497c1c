//! `explain`: what a code means, and which way data would go.

use crate::error::Code;
use crate::explain;
use crate::ids::ConnId;
use crate::node::{Net, channel};

use super::super::Director;
use super::words::Words;

impl Director {
    pub(super) fn explain(&mut self, net: &mut Net, conn: ConnId, words: &Words) {
        if let Some(word) = words.unknown(&["client", "storage", "copy-to"]) {
            let number = word.strip_prefix(['T', 't']).unwrap_or(word).parse().ok();
            let text = match number.and_then(|number| explain::page(Code(number))) {
                Some(page) => format!("{page}\n"),
                None => format!("explain does not know the word \"{word}\".\n"),
            };
            return self.console_done(net, conn, &text);
        }
        let end = |name: &str| words.value(&[name]);
        let text = match channel::explain(&self.config, end("client"), end("storage"), end("copy-to")) {
            Ok(text) => text,
            Err(text) => text + "\n",
        };
        self.console_done(net, conn, &text);
    }
}
