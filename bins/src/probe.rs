//! What the answer to `probe` of a console says: whether the data channel of a client and a storage can be dialled.

use std::time::Duration;

/// What was seen of a data channel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Seen {
    /// It was dialled, and the other side refused a job that it does not know, as it must.
    Reached,
    /// It was not: why.
    Broken(String),
    /// That cannot be said: why.
    Unmeasured(String),
}

/// How long a daemon of Bareos waits before it dials again: one that has given up has taken longer.
const BAREOS_RETRY: Duration = Duration::from_secs(10);
/// How daemons of Bareos end what they could not do, whatever it was.
const BAREOS_REFUSALS: [&str; 3] = ["2902 Bad storage", "3991 Bad passive client", "3991 Bad replicate"];

/// What an answer shows that has come so late. What a daemon of Bareos says is in its own words, and not why: one that did not
/// connect would have dialled again.
pub(crate) fn judge(text: &str, after: Duration) -> Seen {
    let codes = codes(text);
    let is = |range: std::ops::RangeInclusive<u16>| codes.iter().any(|code| range.contains(code));
    let says = |words: &[&str]| words.iter().any(|word| text.contains(word));
    // T01xx: it cannot be dialled. T02xx: TLS. T03xx: authentication, of which T0312: it stood still.
    if is(100..=199) || is(312..=312) || says(&["Failed to connect", "Could not connect", "has not answered within"]) {
        Seen::Broken(reason(text))
    } else if is(200..=399) || says(&["ailed to authenticate", "TLS negotiation failed"]) {
        // If the daemon that is to dial says so: the director may have been refused by that one.
        let is_told = says(&BAREOS_REFUSALS) || text.lines().any(|line| line.starts_with("Jmsg "));
        if is_told { Seen::Reached } else { Seen::Broken(reason(text)) }
    } else if codes.is_empty() && says(&BAREOS_REFUSALS) {
        match after < BAREOS_RETRY {
            true => Seen::Reached,
            false => Seen::Broken(format!("a daemon of Bareos has dialled again and given up: {}", reason(text))),
        }
    } else {
        Seen::Unmeasured(reason(text))
    }
}

/// The codes that a text names.
pub(crate) fn codes(text: &str) -> Vec<u16> {
    let is_code =
        |word: &&str| word.len() == 5 && word.starts_with('T') && word[1..].bytes().all(|byte| byte.is_ascii_digit());
    text.split(|c: char| !c.is_ascii_alphanumeric()).filter(is_code).filter_map(|word| word[1..].parse().ok()).collect()
}

/// By how many seconds the clock of whoever wrote the last message is ahead: each has the time at which it was written.
pub(crate) fn clock(text: &str, now: i64) -> Option<i64> {
    let time = |line: &str| -> Option<i64> {
        let (_, rest) = line.strip_prefix("Jmsg ")?.split_once(" level=")?;
        rest.split(' ').next()?.parse().ok()
    };
    text.lines().rev().find_map(time).map(|time| time - now)
}

/// The line that says most: the last with a code, else the last. Of a message to a director, what it says.
pub(crate) fn reason(text: &str) -> String {
    let lines: Vec<&str> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    let with_code = lines.iter().rev().find(|line| !codes(line).is_empty());
    let Some(line) = with_code.or_else(|| lines.last()) else { return "no answer".to_owned() };
    let said = line.split_once(" JobId 0: ").map_or(*line, |(_, said)| said);
    said.strip_prefix("Fatal error: ").unwrap_or(said).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_says_the_reason_and_the_time_of_whoever_wrote_it() {
        let text = "data channel: …\nJmsg Job=-Probe-.2026_00 type=6 level=1000 fd JobId 0: connection refused (T0103). Failed tries: 1\n\
                    Jmsg Job=-Probe-.2026_00 type=3 level=1010 fd JobId 0: Fatal error: cannot connect (T0103); start it\n2902 Bad storage\n";
        assert_eq!(reason(text), "cannot connect (T0103); start it");
        assert_eq!((clock(text, 1000), clock(text, 1100), clock("2902 Bad storage\n", 0)), (Some(10), Some(-90), None));
    }

    #[test]
    fn a_refusal_shows_that_the_way_is_there() {
        let after = Duration::from_millis(5);
        for text in [
            "Fatal error: the storage daemon refuses (T0311)\n2902 Bad storage\n",
            "Fatal error: Failed to authenticate Storage daemon.\n2902 Bad storage\n",
            "TLS negotiation failed\n2902 Bad storage\n",
            "Jmsg Job=-Probe-.1 type=3 level=1 fd JobId 0: Fatal error: sd refused our login (T0204)\n",
        ] {
            assert_eq!(judge(text, after), Seen::Reached, "{text}");
        }
        for text in [
            "Error: connection refused at 10.0.0.20:9103 (T0103)\n2902 Bad storage\n",
            "Failed to connect to Storage daemon: 10.0.0.20:9103\n2902 Bad storage\n",
            // The director was refused by the client, which so was told nothing.
            "Connecting to Client web at web:9102\nfile daemon: web:9102 refused our login (T0204)\n",
        ] {
            assert!(matches!(judge(text, after), Seen::Broken(_)), "{text}");
        }
        for text in [
            "2902 Bad storage\n",
            "3991 Bad passive client command: passive client address=127.0.0.1 port=29112 ssl=4\n",
            "3991 Bad replicate command: replicate JobId=0 Job=-Probe-.1 address=127.0.0.1 port=1 ssl=4 Authorization=dummy\n",
        ] {
            assert_eq!(judge(text, after), Seen::Reached, "{text}");
            assert!(matches!(judge(text, BAREOS_RETRY), Seen::Broken(_)), "{text}");
        }
        assert!(matches!(judge("what?\n", after), Seen::Unmeasured(_)));
        assert!(matches!(judge("the job is unknown (T0601)\n2902 Bad storage\n", after), Seen::Unmeasured(_)));
    }
}
