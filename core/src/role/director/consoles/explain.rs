//! `explain`: what a code means, and which way data would go.

use crate::error::Code;
use crate::ids::ConnId;
use crate::role::director::Net;
use crate::{channel, explain};

use super::super::Director;
use super::Answer;
use super::words::Words;

impl Director {
    pub(super) fn explain(&mut self, net: &mut Net, conn: ConnId, words: &Words) {
        let free = words.arguments().next().filter(|(_, value)| value.is_none());
        if let Some((word, _)) = free {
            let number = word.strip_prefix(['T', 't']).unwrap_or(word).parse().ok();
            let answer = match number.and_then(|number| explain::page(Code(number))) {
                Some(page) => Answer::said(format!("{page}\n")),
                None => Answer::failed(format!("explain does not know the word \"{word}\".\n")),
            };
            return self.console_answers(net, conn, answer);
        }
        let end = |name: &str| words.value(&[name]);
        let answer = match channel::explain(&self.config, end("client"), end("storage"), end("copy-to")) {
            Ok(text) => Answer::said(text),
            Err(text) => Answer::failed(text + "\n"),
        };
        self.console_answers(net, conn, answer);
    }
}
