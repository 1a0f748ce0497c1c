//! A session of Bareos' own console with a director of ours, said again: volumes are labelled by hand, a job is run from its
//! menu, files are restored by the tree, and a volume is pruned. Nothing is refused.
#![allow(clippy::unwrap_used, reason = "helpers of tests")]

#[path = "support/session.rs"]
#[allow(dead_code, reason = "its other user writes sessions")]
mod session;
mod support;

use session::{Heard, Talk, Words, network, recorded};
use support::tree;

#[test]
fn what_bareos_console_says_in_a_session_is_answered_as_it_was() {
    let network = network();
    let words = Words::of(network.folder.path());
    let mut talk = Talk::log_in(network.director.address.port(), "console");
    for turn in recorded() {
        if let Some(after) = turn.after {
            after.wait(&network);
        }
        let heard = words.clean(&talk.say(&words.fill(&turn.said)));
        let differ = heard.iter().zip(&turn.heard).find(|(heard, recorded)| heard != recorded);
        assert!(differ.is_none() && heard.len() == turn.heard.len(), "{}: {differ:?}:\n{heard:#?}", turn.said);
        let refusals = [-13, -14, -21].map(Heard::Signal);
        assert!(!heard.iter().any(|one| refusals.contains(one)), "{} is refused: {heard:?}", turn.said);
    }
    let restored = network.place("restored").join(network.source.join("a").strip_prefix("/").unwrap());
    assert_eq!(tree(&restored), tree(&network.source.join("a")));
}
